//! The engine: an autoencoder's layers lowered to a few operations ([`operations`]), cut into steps that fit the memory
//! ([`plan`]) and run by an [`executor`] on one of two back ends with kernels of our own: WGSL on burn's GPU runtime
//! ([`gpu`]), or plain Rust ([`cpu`]). The layers of [`crate::autoencoder`] compute the same with burn's operations; tests
//! hold all three together.

pub mod autoencoder;
pub mod cpu;
pub mod device;
pub mod error_sums;
pub mod executor;
pub mod gpu;
pub mod kernels;
pub mod operations;
pub mod plan;
