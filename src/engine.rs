//! The engine: an autoencoder's layers lowered to a few operations ([`operations`]), each computed by our
//! own kernels: WGSL through burn's GPU runtime ([`gpu`]), or plain Rust ([`cpu`]). The layers of
//! [`crate::autoencoder`] compute the same with burn's operations; tests hold all three together.

pub mod cpu;
pub mod gpu;
pub mod kernels;
pub mod operations;
pub mod plan;
pub mod program;
