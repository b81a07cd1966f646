//! Weights: a manifest and shards of safetensors, checked and dequantised into an autoencoder.

mod loader;
mod manifest;
#[cfg(not(target_arch = "wasm32"))]
pub mod pack;
#[cfg(not(target_arch = "wasm32"))]
mod published;
mod report;
mod tensor;

pub use loader::{Model, ModelLoader};
pub use manifest::{FORMAT_VERSION, Manifest, Precision, Shard};
#[cfg(not(target_arch = "wasm32"))]
pub use published::architecture_from_diffusers;
pub use report::{LoadReport, WrongShape};
pub use tensor::BLOCK;
