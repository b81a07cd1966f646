//! Autoencoders as data: a configuration gives the list of layers of its encoder and decoder.

mod dc;
mod kl;
mod levels;
mod tiny;
mod vq;
mod wan;

use serde::{Deserialize, Serialize};

use super::spec::{LayerSpec, MapSize, ParameterSpec};
use crate::{Error, Result};

pub use dc::AutoencoderDcConfig;
pub use kl::AutoencoderKlConfig;
pub use tiny::AutoencoderTinyConfig;
pub use vq::VqModelConfig;
pub use wan::WanConfig;

/// Bounds on what a manifest may ask for, so that a hostile one cannot exhaust memory.
const MAX_LEVELS: usize = 8;
const MAX_CHANNELS: usize = 4096;
const MAX_LAYERS_PER_LEVEL: usize = 16;
const MAX_ENTRIES: usize = 1 << 16;

/// Which autoencoder a weights file is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Architecture {
    AutoencoderKl(AutoencoderKlConfig),
    AutoencoderTiny(AutoencoderTinyConfig),
    VqModel(VqModelConfig),
    Wan(WanConfig),
    AutoencoderDc(AutoencoderDcConfig),
}

impl Architecture {
    /// Refuses sizes that are zero, absurd or do not divide.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] naming the field.
    pub fn validate(&self) -> Result<()> {
        match self {
            Architecture::AutoencoderKl(config) => config.validate(),
            Architecture::AutoencoderTiny(config) => config.validate(),
            Architecture::VqModel(config) => config.validate(),
            Architecture::Wan(config) => config.validate(),
            Architecture::AutoencoderDc(config) => config.validate(),
        }
    }

    /// Layers from an image `[1, 3, height, width]` in [-1, 1] to the latent, the posterior mean.
    pub fn encoder(&self) -> Vec<LayerSpec> {
        match self {
            Architecture::AutoencoderKl(config) => config.encoder(),
            Architecture::AutoencoderTiny(config) => config.encoder(),
            Architecture::VqModel(config) => config.encoder(),
            Architecture::Wan(config) => config.encoder(),
            Architecture::AutoencoderDc(config) => config.encoder(),
        }
    }

    /// Layers from the latent to the reconstruction `[1, 3, height, width]`, not clamped.
    pub fn decoder(&self) -> Vec<LayerSpec> {
        match self {
            Architecture::AutoencoderKl(config) => config.decoder(),
            Architecture::AutoencoderTiny(config) => config.decoder(),
            Architecture::VqModel(config) => config.decoder(),
            Architecture::Wan(config) => config.decoder(),
            Architecture::AutoencoderDc(config) => config.decoder(),
        }
    }

    /// Channels of the latent.
    pub fn latent_channels(&self) -> usize {
        match self {
            Architecture::AutoencoderKl(config) => config.latent_channels,
            Architecture::AutoencoderTiny(config) => config.latent_channels,
            Architecture::VqModel(config) => config.vq_embed_dim,
            Architecture::Wan(config) => config.z_dim,
            Architecture::AutoencoderDc(config) => config.latent_channels,
        }
    }

    /// Pixels a latent position spans on each side.
    pub fn reduction(&self) -> usize {
        let levels = match self {
            Architecture::AutoencoderKl(config) => config.block_out_channels.len(),
            Architecture::AutoencoderTiny(config) => config.encoder_blocks.len(),
            Architecture::VqModel(config) => config.block_out_channels.len(),
            Architecture::Wan(config) => config.dim_mult.len(),
            Architecture::AutoencoderDc(config) => config.block_out_channels.len(),
        };
        1 << levels.saturating_sub(1)
    }

    /// Images are cropped to multiples of this, `default` or what the architecture divides by.
    pub fn crop_multiple(&self, default: usize) -> usize {
        // Both are powers of two.
        self.reduction().max(default)
    }

    /// Every tensor that a complete weights file holds.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.encoder().iter().chain(&self.decoder()).flat_map(LayerSpec::parameters).collect()
    }

    /// How many values a complete weights file holds.
    pub fn parameter_count(&self) -> u64 {
        let count = |shape: &[usize]| shape.iter().map(|&side| side as u64).product::<u64>();
        self.parameters().iter().map(|parameter| count(&parameter.shape)).sum()
    }

    /// The largest single map in elements, over one reconstruction of an image of this size.
    pub fn largest_map(&self, height: usize, width: usize) -> u64 {
        self.walk(height, width, LayerSpec::largest_map).into_iter().max().unwrap_or(0)
    }

    /// Multiply-adds of one reconstruction (encoder and decoder).
    pub fn multiply_adds(&self, height: usize, width: usize) -> u64 {
        self.walk(height, width, LayerSpec::multiply_adds).into_iter().fold(0, u64::saturating_add)
    }

    fn walk(&self, height: usize, width: usize, measure: impl Fn(&LayerSpec, MapSize) -> u64) -> Vec<u64> {
        let mut size = [3, height, width];
        let mut measures = Vec::new();
        for layer in self.encoder().iter().chain(&self.decoder()) {
            measures.push(measure(layer, size));
            size = layer.size(size);
        }
        measures
    }
}

/// What architectures with `Levels` have in common.
fn check_levels(widths: &[usize], layers_per_block: usize, groups: usize) -> Result<()> {
    check_count("block_out_channels", widths.len(), MAX_LEVELS)?;
    check_count("layers_per_block", layers_per_block, MAX_LAYERS_PER_LEVEL)?;
    for &channels in widths {
        check_count("block_out_channels", channels, MAX_CHANNELS)?;
        if groups == 0 || !channels.is_multiple_of(groups) {
            let detail = "every width must be a multiple of the number of groups";
            return Err(invalid("block_out_channels, norm_num_groups", detail));
        }
    }
    Ok(())
}

fn check_count(field: &str, value: usize, most: usize) -> Result<()> {
    if value == 0 || value > most {
        return Err(invalid(field, &format!("{value} is not between 1 and {most}")));
    }
    Ok(())
}

fn invalid(field: &str, detail: &str) -> Error {
    Error::ManifestInvalid { file: format!("the architecture ({field})"), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kl(latent_channels: usize, quant: bool) -> Architecture {
        Architecture::AutoencoderKl(AutoencoderKlConfig {
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            latent_channels,
            norm_num_groups: 32,
            use_quant_conv: quant,
            use_post_quant_conv: quant,
            mid_block_add_attention: true,
        })
    }

    /// The parameter totals that the reference README lists.
    #[test]
    fn published_autoencoders_have_their_published_sizes() {
        for (architecture, millions) in [(kl(4, true), 83.65), (kl(16, false), 83.82), (kl(32, true), 84.05)] {
            assert_eq!((architecture.parameter_count() as f64 / 1e4).round() / 100.0, millions);
        }
    }

    /// 7.3 TFLOP for a double reconstruction at 512 px: four passes' worth of multiply-adds.
    #[test]
    fn published_cost_is_met() {
        let operations = 2 * 2 * kl(4, true).multiply_adds(512, 512);
        assert!((operations as f64 / 7.3e12 - 1.0).abs() < 0.02, "{operations}");
        assert_eq!(kl(4, true).largest_map(1024, 1024) * 4, 1 << 30);
    }

    #[test]
    fn decoder_gives_back_the_size_of_the_image() {
        let tiny = Architecture::AutoencoderTiny(AutoencoderTinyConfig {
            width: 64,
            latent_channels: 32,
            encoder_blocks: vec![1, 3, 3, 3],
            decoder_blocks: vec![3, 3, 3, 1],
            pooled: true,
        });
        for architecture in [tiny, kl(4, true)] {
            assert_eq!(architecture.reduction(), 8);
            let latent = architecture.encoder().iter().fold([3, 48, 80], |size, layer| layer.size(size));
            assert_eq!(latent, [architecture.latent_channels(), 6, 10]);
            assert_eq!(architecture.decoder().iter().fold(latent, |size, layer| layer.size(size)), [3, 48, 80]);
        }
    }

    #[test]
    fn absurd_configurations_are_refused() {
        let Architecture::AutoencoderKl(good) = kl(4, true) else { panic!("it is another") };
        let bad = [
            AutoencoderKlConfig { block_out_channels: vec![], ..good.clone() },
            AutoencoderKlConfig { block_out_channels: vec![33], ..good.clone() },
            AutoencoderKlConfig { norm_num_groups: 0, ..good.clone() },
            AutoencoderKlConfig { latent_channels: usize::MAX, ..good.clone() },
            AutoencoderKlConfig { layers_per_block: 1_000_000, ..good },
        ];
        for config in bad {
            assert_eq!(Architecture::AutoencoderKl(config).validate().unwrap_err().code(), "manifest_invalid");
        }
    }
}
