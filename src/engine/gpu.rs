//! The operations on a GPU, by WGSL kernels that are launched through burn's runtime.
//!
//! Maps are `[channels / 4, height, width]` of `vec4<f32>`, so that a load is one vector and a
//! convolution's weights are 4×4 blocks.

mod convolution;
mod kernel;
mod program;

pub use program::{Program, Run};
