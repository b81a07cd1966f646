//! The GPU engine: an autoencoder's layers lowered to a few operations ([`operations`]), each computed by
//! our own WGSL kernels through burn's GPU runtime. The plain layers of [`crate::autoencoder`] compute the
//! same with burn's operations; tests hold the two together.
//!
//! Maps are `[channels / 4, height, width]` of `vec4<f32>`, so that a load is one vector and a
//! convolution's weights are 4×4 blocks.

mod convolution;
mod kernel;
pub mod operations;
mod program;

pub use program::{Program, Run};
