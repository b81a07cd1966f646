#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "`validate` bounds every number of a configuration"
)]

use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, MAX_LAYERS_PER_LEVEL, MAX_LEVELS, check_count, invalid};
use crate::{
    Result,
    autoencoder::spec::{ConvSpec, LayerSpec, NormSpec, Resampling, RmsNormSpec},
};

/// diffusers' `AutoencoderDC` as SANA has it (DC-AE, arXiv 2410.10733): strided convolutions on the way down,
/// enlarging ones on the way up, each beside a shortcut of averaged or repeated channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderDcConfig {
    /// Width of each level, the full resolution first. Each level but the first halves the sides.
    pub block_out_channels: Vec<usize>,
    /// Blocks a level, the full resolution first.
    pub encoder_layers_per_block: Vec<usize>,
    pub decoder_layers_per_block: Vec<usize>,
    /// Levels whose blocks are a linear attention and a gated convolution; the others' are residual.
    pub attention: Vec<bool>,
    pub attention_head_dim: usize,
    pub latent_channels: usize,
    /// SiLU before the last convolution instead of ReLU.
    pub silu_out: bool,
}

impl AutoencoderDcConfig {
    const EPSILON: f64 = 1e-5;

    pub(super) fn validate(&self) -> Result<()> {
        let levels = self.block_out_channels.len();
        check_count("block_out_channels", levels, MAX_LEVELS)?;
        check_count("latent_channels", self.latent_channels, MAX_CHANNELS)?;
        check_count("attention_head_dim", self.attention_head_dim, MAX_CHANNELS)?;
        for counts in [&self.encoder_layers_per_block, &self.decoder_layers_per_block] {
            if counts.len() != levels || self.attention.len() != levels {
                return Err(invalid("layers_per_block, attention", "every level must have its own"));
            }
            for &layers in counts {
                check_count("layers_per_block", layers, MAX_LAYERS_PER_LEVEL)?;
            }
        }
        for (&width, &attention) in self.block_out_channels.iter().zip(&self.attention) {
            check_count("block_out_channels", width, MAX_CHANNELS)?;
            if attention && !width.is_multiple_of(self.attention_head_dim) {
                return Err(invalid("attention_head_dim", "it must divide the widths of levels with attention"));
            }
        }
        for pair in self.block_out_channels.windows(2) {
            if !(4 * pair[0]).is_multiple_of(pair[1]) {
                return Err(invalid("block_out_channels", "each must divide four times the one before"));
            }
        }
        if !self.block_out_channels.last().is_some_and(|width| width.is_multiple_of(self.latent_channels)) {
            return Err(invalid("latent_channels", "they must divide the last level's width"));
        }
        Ok(())
    }

    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
        let widths = &self.block_out_channels;
        let (first, last) = (widths.first().copied().unwrap_or(0), widths.last().copied().unwrap_or(0));
        let mut layers = vec![LayerSpec::Conv(ConvSpec::same("encoder.conv_in", 3, first))];
        for (level, &blocks) in self.encoder_layers_per_block.iter().enumerate() {
            let name = format!("encoder.down_blocks.{level}");
            (0..blocks).for_each(|index| self.block(level, &format!("{name}.{index}"), &mut layers));
            if let Some(&next) = widths.get(level + 1) {
                let conv = ConvSpec {
                    output: next,
                    ..ConvSpec::halving(format!("{name}.{blocks}.conv"), widths[level], (1, 1))
                };
                layers.push(LayerSpec::Resampled { conv, resampling: Resampling::Halve });
            }
        }
        let conv = ConvSpec::same("encoder.conv_out", last, self.latent_channels);
        layers.push(LayerSpec::Resampled { conv, resampling: Resampling::Keep });
        layers
    }

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let widths = &self.block_out_channels;
        let (first, last) = (widths.first().copied().unwrap_or(0), widths.last().copied().unwrap_or(0));
        let conv = ConvSpec::same("decoder.conv_in", self.latent_channels, last);
        let mut layers = vec![LayerSpec::Resampled { conv, resampling: Resampling::Keep }];
        for (level, &blocks) in self.decoder_layers_per_block.iter().enumerate().rev() {
            let name = format!("decoder.up_blocks.{level}");
            let mut index = 0;
            if let Some(&below) = widths.get(level + 1) {
                let conv = ConvSpec::same(format!("{name}.0.conv"), below, widths[level]);
                layers.push(LayerSpec::Resampled { conv, resampling: Resampling::Double });
                index = 1;
            }
            (index..index + blocks).for_each(|index| self.block(level, &format!("{name}.{index}"), &mut layers));
        }
        // Its `norm_out` in diffusers, under the name that the other families' have there.
        let norm = norm("decoder.conv_norm_out", first);
        layers.push(if self.silu_out { LayerSpec::NormSilu(norm) } else { LayerSpec::NormRelu(norm) });
        layers.push(LayerSpec::Conv(ConvSpec::same("decoder.conv_out", first, 3)));
        layers
    }

    fn block(&self, level: usize, name: &str, layers: &mut Vec<LayerSpec>) {
        let width = self.block_out_channels.get(level).copied().unwrap_or(0);
        if self.attention.get(level) == Some(&true) {
            let (attention, gated) = (format!("{name}.attn"), format!("{name}.conv_out"));
            let [inner, hidden] = [3 * width, 8 * width];
            let head = self.attention_head_dim.max(1);
            let local = format!("{attention}.to_qkv_multiscale.0");
            layers.push(LayerSpec::LinearAttention {
                head,
                gather: ConvSpec::depthwise(format!("{local}.proj_in"), inner, 5).without_bias(),
                mix: ConvSpec {
                    groups: (inner / head).max(1),
                    ..ConvSpec::pointwise(format!("{local}.proj_out"), inner, inner).without_bias()
                },
                norm: norm(&format!("{attention}.norm_out"), width),
                name: attention,
            });
            layers.push(LayerSpec::Gated {
                widen: ConvSpec::pointwise(format!("{gated}.conv_inverted"), width, hidden),
                depth: ConvSpec::depthwise(format!("{gated}.conv_depth"), hidden, 3),
                narrow: ConvSpec::pointwise(format!("{gated}.conv_point"), hidden / 2, width).without_bias(),
                norm: norm(&format!("{gated}.norm"), width),
            });
        } else {
            layers.push(LayerSpec::NormedResnet {
                conv1: ConvSpec::same(format!("{name}.conv1"), width, width),
                conv2: ConvSpec::same(format!("{name}.conv2"), width, width).without_bias(),
                norm: norm(&format!("{name}.norm"), width),
            });
        }
    }
}

fn norm(name: &str, channels: usize) -> NormSpec {
    NormSpec::Rms(RmsNormSpec { name: name.into(), channels, epsilon: AutoencoderDcConfig::EPSILON })
}
