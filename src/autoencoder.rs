//! Autoencoders: configurations as data ([`Architecture`]), layers as data ([`spec`]), and the layers computed with burn's
//! operations on a device. [`crate::engine`] computes them with kernels.

mod architecture;
mod layers;
pub mod spec;

pub use architecture::{
    Architecture, AutoencoderDcConfig, AutoencoderKlConfig, AutoencoderTinyConfig, VqModelConfig, WanConfig,
};
pub(crate) use layers::LEAST_LENGTH;
pub use layers::{Layer, Parameters};
