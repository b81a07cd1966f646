//! Autoencoders: configurations as data ([`Architecture`]), layers as data ([`spec`]), and the layers
//! computed on a device.

mod architecture;
mod layers;
pub mod spec;

pub use architecture::{Architecture, AutoencoderKlConfig, AutoencoderTinyConfig};
pub use layers::{Layer, Parameters};

use burn::tensor::Device;
use spec::{LayerSpec, MapSize};

/// An autoencoder with its parameters on a device.
#[derive(Debug)]
pub struct Autoencoder {
    /// `[1, 3, height, width]` in [-1, 1] → latent (posterior mean).
    pub encoder: Pass,
    /// Latent → `[1, 3, height, width]`, about [-1, 1], not clamped.
    pub decoder: Pass,
}

/// An encoder or a decoder: its layers in order.
#[derive(Debug)]
pub struct Pass {
    layers: Vec<(LayerSpec, Layer)>,
}

impl Autoencoder {
    /// Takes all parameters of the architecture.
    pub fn load(architecture: &Architecture, parameters: &mut impl Parameters, device: &Device) -> Self {
        let mut load = |specs: Vec<LayerSpec>| Pass {
            layers: specs.into_iter().map(|spec| (spec.clone(), Layer::load(&spec, parameters, device))).collect(),
        };
        Autoencoder { encoder: load(architecture.encoder()), decoder: load(architecture.decoder()) }
    }
}

impl Pass {
    /// The layers in order, each with the multiply-adds it takes for an input of this size.
    pub fn steps(&self, input: MapSize) -> impl Iterator<Item = (&Layer, u64)> {
        let mut size = input;
        self.layers.iter().map(move |(spec, layer)| {
            let work = spec.multiply_adds(size);
            size = spec.size(size);
            (layer, work)
        })
    }

    /// Multiply-adds for an input of this size.
    pub fn multiply_adds(&self, input: MapSize) -> u64 {
        self.steps(input).map(|(_, work)| work).sum()
    }

    /// The size of the result for an input of this size.
    pub fn size(&self, input: MapSize) -> MapSize {
        self.layers.iter().fold(input, |size, (spec, _)| spec.size(size))
    }
}
