//! Weights: a manifest and shards of safetensors, checked and dequantised into an autoencoder.

pub mod catalog;
mod header;
mod import;
mod loader;
mod manifest;
#[cfg(not(target_arch = "wasm32"))]
pub mod pack;
mod published;
pub(crate) mod shard;
pub(crate) mod tensor;

pub use import::{Import, ImportRequest, KnownFile, Written};
pub use loader::{Model, ModelLoader};
pub(crate) use manifest::sha256_hex;
pub use manifest::{Description, Encoding, FORMAT_VERSION, Fidelity, Manifest, Precision, Shard};
pub use published::architecture_from_diffusers;
pub use tensor::BLOCK;
