//! What the GPU's buffers take. The count is the process's, so that this test has a process of its own.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says why"
)]

#[path = "../native/requirements.rs"]
#[allow(dead_code, reason = "this test needs a GPU alone")]
mod requirements;

use aedr::{
    autoencoder::{Architecture, AutoencoderKlConfig, Parameters},
    engine::{
        executor::{Executor, Meter},
        gpu::{Gpu, Stored},
        kernels::Kernels,
        operations::lower,
    },
};
use burn::tensor::{Device, Tensor};
use pollster::block_on;

/// Free buffers that the engine keeps for the next of the same size.
const KEPT_FREE: u64 = 16 << 20;

struct Ones;

impl Parameters for Ones {
    fn take<const D: usize>(&mut self, _: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::ones(shape, device)
    }
}

struct Unmetered;

impl Meter for Unmetered {
    async fn spent(&mut self, _: u64) -> aedr::Result<()> {
        Ok(())
    }
}

/// The bytes that the plan foretold are the bytes that were allocated, and all are given back.
#[test]
fn the_gpu_takes_what_was_planned() {
    let Some(gpu) = requirements::gpu() else { return };
    let network = Architecture::AutoencoderKl(AutoencoderKlConfig {
        block_out_channels: vec![8, 8],
        layers_per_block: 1,
        latent_channels: 4,
        norm_num_groups: 4,
        use_quant_conv: true,
        use_post_quant_conv: true,
        mid_block_add_attention: false,
    });
    let size = [4, 384, 384];
    let kernels = Gpu::new(gpu.wgpu.as_ref().unwrap(), gpu.buffer_bytes, Stored::F32);
    let executor = Executor::load(kernels, lower(&network.decoder()).unwrap(), &mut Ones, &gpu.device).unwrap();
    let kernels = executor.kernels();
    let whole = executor.plan(size, u64::MAX).unwrap();
    for memory in [u64::MAX, whole.peak / 3] {
        let plan = executor.plan(size, memory).unwrap();
        let held = kernels.limits().end_bytes(size, size[1]);
        let input = executor.allocate_input(size);
        let result = block_on(executor.run(&input, &plan, &mut Unmetered)).unwrap();
        block_on(kernels.read(&result)).unwrap();
        let (_, peak) = Gpu::memory();
        println!("planned {} KiB, took {} KiB", (plan.peak + held) >> 10, peak >> 10);
        assert!(peak <= plan.peak + held + KEPT_FREE, "planned {}, took {peak}", plan.peak + held);
        assert!(peak + (1 << 20) > plan.peak, "planned {}, took {peak}", plan.peak + held);
        assert!(memory == u64::MAX || plan.peak < whole.peak / 2);
        drop((input, result));
        kernels.release();
        assert_eq!(Gpu::memory().0, 0);
        Gpu::memory();
    }
}
