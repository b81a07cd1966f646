//! Weights: a manifest and shards of safetensors, checked and dequantised into an autoencoder.

mod loader;
mod manifest;
#[cfg(not(target_arch = "wasm32"))]
pub mod pack;
mod report;
mod tensor;

pub use loader::{Model, ModelLoader};
pub use manifest::{FORMAT_VERSION, Manifest, Precision, Shard};
pub use report::{LoadReport, WrongShape};
pub use tensor::BLOCK;
