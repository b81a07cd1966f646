//! The operations on the CPU, in f32. Maps are `[channels, height, width]`, row by row.
//!
//! There is one kernel: four output channels by eight neighbouring pixels in registers, which compilers
//! turn into vector instructions. A convolution first stages some rows of its input, transformed,
//! activated, enlarged and with the zeros around the map in place, so that the kernel meets no special case.
//! Attention is made of the same kernel: scores and weighted sums are 1×1 convolutions whose weights are
//! the queries and the values.

mod convolution;
mod program;

pub use program::{Program, Run};

/// A feature map.
#[derive(Debug, Clone)]
struct Map {
    values: Vec<f32>,
    size: crate::autoencoder::spec::MapSize,
}

impl Map {
    fn zeros(size: [usize; 3]) -> Self {
        Map { values: vec![0.0; size.iter().product()], size }
    }

    /// The values of each channel.
    fn channels(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact((self.size[1] * self.size[2]).max(1))
    }
}

/// Calls `work` with the number and the values of each chunk, on all cores where there are threads.
fn for_each_chunk(values: &mut [f32], length: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        values.par_chunks_mut(length).enumerate().for_each(|(index, chunk)| work(index, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    values.chunks_mut(length).enumerate().for_each(|(index, chunk)| work(index, chunk));
}
