//! Computing by bands: the planner's promises, and results that are those of whole maps.

use aedr::{
    autoencoder::{
        Architecture, AutoencoderKlConfig, VqModelConfig, WanConfig,
        spec::{ConvSpec, MapSize},
    },
    engine::{
        cpu::Cpu,
        gpu::{Gpu, Stored},
        kernels::Kernels,
        operations::{Activation, Convolution, Operation, Transform, lower},
        plan::{Limits, Plan, input_rows, plan},
    },
};
use burn::tensor::{Device, TensorData};
use proptest::prelude::*;

use crate::{
    common::{cpu, gpu},
    engine::kernels::{run, values},
};

/// Largest difference allowed between bands and whole maps, of the largest value.
const TOLERANCE: f32 = 1e-5;

/// SD1's layout.
fn kl(block_out_channels: Vec<usize>, layers_per_block: usize, groups: usize) -> Architecture {
    Architecture::AutoencoderKl(AutoencoderKlConfig {
        block_out_channels,
        layers_per_block,
        latent_channels: 4,
        norm_num_groups: groups,
        use_quant_conv: true,
        use_post_quant_conv: true,
        mid_block_add_attention: true,
    })
}

fn limits(memory: u64, buffer: u64) -> Limits {
    Limits { memory, buffer, ..Cpu::new(buffer).limits() }
}

/// Compares a plan for little memory with one for any amount.
fn assert_banded_is_whole<K: Kernels>(
    kernels: impl Fn() -> K,
    device: &Device,
    architecture: &Architecture,
    encodes: bool,
    [height, width]: [usize; 2],
    share: f64,
) -> Plan {
    let (layers, channels) =
        if encodes { (architecture.encoder(), 3) } else { (architecture.decoder(), architecture.latent_channels()) };
    let input = TensorData::new::<f32, _>(values(3, channels * height * width), [1, channels, height, width]);
    let (expected, whole, _) = run(kernels(), &layers, device, &input, u64::MAX);
    let memory = (whole.peak as f64 * share) as u64;
    let (found, banded, work) = run(kernels(), &layers, device, &input, memory);
    assert!(banded.peak <= whole.peak);
    assert_eq!(work, banded.multiply_adds, "the work that was planned is the work that was done");
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() <= TOLERANCE * largest, "value {index}: {found}, not {expected}; {banded:?}");
    }
    banded
}

fn networks() -> impl Strategy<Value = Architecture> {
    let kl = (1usize..3, 1usize..4, 1usize..3)
        .prop_map(|(layers, groups, wide)| kl(vec![4 * groups, 4 * groups * wide, 8 * groups], layers, groups));
    let vq =
        (1usize..4, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(groups, deep, spatial_norm, quantise)| {
            Architecture::VqModel(VqModelConfig {
                block_out_channels: vec![4 * groups, 8 * groups, 4 * groups],
                layers_per_block: 1,
                latent_channels: 6,
                vq_embed_dim: 5,
                num_vq_embeddings: 40,
                norm_num_groups: groups,
                attention: vec![false, deep, true],
                mid_block_add_attention: true,
                spatial_norm,
                quantise,
            })
        });
    let wan = (1usize..5, 1usize..3).prop_map(|(half, num_res_blocks)| {
        Architecture::Wan(WanConfig { base_dim: 2 * half, dim_mult: vec![1, 2, 2], num_res_blocks, z_dim: 4 })
    });
    prop_oneof![2 => kl, 2 => vq, 1 => wan]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn bands_are_exact_on_the_cpu(
        network in networks(), encodes in any::<bool>(), height in 1usize..20, width in 1usize..20, share in 0.05f64..0.9,
    ) {
        let factor = if encodes { 4 } else { 1 };
        let size = [factor * height, factor * width];
        assert_banded_is_whole(|| Cpu::new(u64::MAX), &cpu().device, &network, encodes, size, share);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn bands_are_exact_on_the_gpu(
        network in networks(), encodes in any::<bool>(), height in 2usize..14, width in 2usize..14, share in 0.05f64..0.9,
    ) {
        let Some(gpu) = gpu() else { return Ok(()) };
        let factor = if encodes { 4 } else { 1 };
        let size = [factor * height, factor * width];
        let kernels = || Gpu::new(gpu.wgpu.as_ref().unwrap(), gpu.buffer_bytes, Stored::F32);
        assert_banded_is_whole(kernels, &gpu.device, &network, encodes, size, share);
    }
}

proptest! {
    /// Against the definition: an input row is read if a tap of some result's kernel falls on it.
    #[test]
    fn the_rows_that_a_convolution_reads(
        kernel in prop_oneof![Just(1usize), Just(3)], halves in any::<bool>(), after in 0usize..2, upsample in any::<bool>(),
        height in 1usize..20, first in any::<prop::sample::Index>(), count in 1usize..20,
    ) {
        let (stride, before) = if halves && kernel == 3 { (2, 1 - after) } else { (1, kernel / 2) };
        let spec = ConvSpec {
            name: String::new(), input: 1, output: 1, kernel, stride, padding: (before, kernel / 2), groups: 1, bias: false,
        };
        let visible = height << usize::from(upsample);
        let [_, out_height, _] = spec.size([1, visible, 8]);
        let first = first.index(out_height);
        let rows = first..(first + count).min(out_height);
        let conv = Convolution {
            spec, linear: false, outputs: 1, input: 0, output: 1, transform: Transform::None,
            activation: Activation::None, upsample, residual: None, relu: false, result: (1.0, 0.0),
        };
        let taps = rows.clone().flat_map(|row| (0..kernel).map(move |tap| (row * stride + tap).checked_sub(before)));
        let read: Vec<usize> = taps.flatten().filter(|&row| row < visible).map(|row| row >> usize::from(upsample)).collect();
        let found = input_rows(&conv, &rows, height);
        prop_assert!(found.end <= height && found.start < found.end);
        if let (Some(&first), Some(&last)) = (read.iter().min(), read.iter().max()) {
            prop_assert_eq!(found, first..last + 1);
        }
    }

    /// Whatever the size and the memory: everything is made before it is read, and nothing is lost.
    #[test]
    fn plans_are_sound(
        network in networks(), encodes in any::<bool>(), height in 1usize..300, width in 1usize..300, megabytes in 0.2f64..64.0,
    ) {
        let layers = if encodes { network.encoder() } else { network.decoder() };
        let operations = lower(&layers).unwrap();
        let input = if encodes { [3, 4 * height, 4 * width] } else { [network.latent_channels(), height, width] };
        let memory = (megabytes * 1e6) as u64;
        let plan = plan(&operations, input, &limits(memory, u64::MAX)).unwrap();
        assert_sound(&operations, &plan);
        let once: u64 = operations.iter().map(|operation| operation.multiply_adds(&plan.sizes)).sum();
        // Rows of an operation's work are rounded down.
        prop_assert!(plan.multiply_adds as f64 >= 0.9 * once as f64);
    }
}

/// Follows a plan without computing anything.
fn assert_sound(operations: &[Operation], plan: &Plan) {
    let mut whole = vec![false; plan.sizes.len()];
    whole[0] = true;
    let mut normalised = Vec::new();
    for step in &plan.steps {
        let mut made = whole.clone();
        for &index in &step.operations {
            let operation = &operations[index];
            assert!(operation.inputs().into_iter().all(|map| made[map]), "{operation:?} reads what is not there");
            if let Operation::Attention { keys, values, .. } = operation {
                assert!(whole[*keys] && whole[*values]);
            }
            if let Operation::Convolution(Convolution { transform: Transform::Normalise(id), .. })
            | Operation::Modulate { statistics: id, .. } = operation
            {
                assert!(normalised.contains(id), "{operation:?} normalises without statistics");
            }
            operation.output().into_iter().for_each(|map| made[map] = true);
        }
        match &operations[*step.operations.last().unwrap()] {
            Operation::Statistics { id, .. } => normalised.push(*id),
            last => whole[last.output().unwrap()] = true,
        }
        step.forget.iter().for_each(|&map| whole[map] = false);
    }
    assert!(whole[plan.sizes.len() - 1], "the result is made");
}

/// What a half takes for an image of this side: megabytes, and the work, against computing all maps whole.
fn cost(architecture: &Architecture, encodes: bool, side: usize, limits: &Limits) -> (u64, f64) {
    let layers = if encodes { architecture.encoder() } else { architecture.decoder() };
    let operations = lower(&layers).unwrap();
    let reduction = architecture.reduction();
    let latent = [architecture.latent_channels(), side / reduction, side / reduction];
    let input: MapSize = if encodes { [3, side, side] } else { latent };
    let plan = plan(&operations, input, limits).unwrap();
    assert_sound(&operations, &plan);
    let once: u64 = operations.iter().map(|operation| operation.multiply_adds(&plan.sizes)).sum();
    (plan.peak, plan.multiply_adds as f64 / once as f64)
}

/// SD1's autoencoder, full width: 2048² within 1 GiB with its weights and the image that is held, 4096² at
/// all, with WebGPU's usual limit of a buffer.
#[test]
fn large_images_fit() {
    let sd1 = kl(vec![128, 256, 512, 512], 2, 32);
    let gpu = |memory| Limits { memory, ..aedr::engine::gpu::limits(1 << 30, Stored::F32) };
    for side in [512, 1024, 2048, 4096usize] {
        let held = 16 * (side * side) as u64 + 4 * sd1.parameter_count();
        let memory = (1u64 << 30).saturating_sub(held);
        let [encoder, decoder] = [true, false].map(|encodes| cost(&sd1, encodes, side, &gpu(memory)));
        let total = (held + encoder.0.max(decoder.0)) >> 20;
        println!("{side}²: {total} MiB; work × {:.2} to encode, × {:.2} to decode", encoder.1, decoder.1);
        assert!(side > 2048 || total < 1024, "{side}²: {total} MiB");
    }
}
