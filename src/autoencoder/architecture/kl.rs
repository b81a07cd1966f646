#![expect(clippy::arithmetic_side_effects, reason = "`validate` bounds every number of a configuration")]

use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, check_count, check_levels, levels::Levels};
use crate::{
    Result,
    autoencoder::spec::{ConvSpec, LayerSpec},
};

/// diffusers' `AutoencoderKL`: Stable Diffusion, SDXL, SD3, FLUX and their relatives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderKlConfig {
    /// Width of each level, the full resolution first. Each level but the first halves the sides.
    pub block_out_channels: Vec<usize>,
    /// Residual blocks a level of the encoder; the decoder has one more.
    pub layers_per_block: usize,
    pub latent_channels: usize,
    pub norm_num_groups: usize,
    /// A 1×1 convolution after the encoder.
    pub use_quant_conv: bool,
    /// A 1×1 convolution before the decoder.
    pub use_post_quant_conv: bool,
    /// Self-attention between the two middle blocks.
    pub mid_block_add_attention: bool,
}

impl AutoencoderKlConfig {
    pub(super) fn validate(&self) -> Result<()> {
        check_levels(&self.block_out_channels, self.layers_per_block, self.norm_num_groups)?;
        check_count("latent_channels", self.latent_channels, MAX_CHANNELS)
    }

    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
        let moments = 2 * self.latent_channels;
        let mut layers = self.levels().encoder(moments);
        if self.use_quant_conv {
            layers.push(LayerSpec::Conv(ConvSpec::pointwise("quant_conv", moments, moments)));
        }
        layers.push(LayerSpec::PosteriorMean);
        layers
    }

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let post_quant =
            || LayerSpec::Conv(ConvSpec::pointwise("post_quant_conv", self.latent_channels, self.latent_channels));
        let first = self.use_post_quant_conv.then(post_quant);
        first.into_iter().chain(self.levels().decoder(self.latent_channels)).collect()
    }

    fn levels(&self) -> Levels<'_> {
        Levels {
            widths: &self.block_out_channels,
            layers_per_block: self.layers_per_block,
            groups: self.norm_num_groups,
            attention: &[],
            middle_attention: self.mid_block_add_attention,
            spatial: None,
        }
    }
}
