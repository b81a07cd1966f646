use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, MAX_LAYERS_PER_LEVEL, MAX_LEVELS, check_count, invalid};
use crate::{
    Result,
    autoencoder::spec::{ConvSpec, GroupNormSpec, LayerSpec},
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
    const EPSILON: f64 = 1e-6;

    pub(super) fn validate(&self) -> Result<()> {
        let invalid = |detail: &str| Err(invalid("block_out_channels, norm_num_groups", detail));
        check_count("block_out_channels", self.block_out_channels.len(), MAX_LEVELS)?;
        check_count("layers_per_block", self.layers_per_block, MAX_LAYERS_PER_LEVEL)?;
        check_count("latent_channels", self.latent_channels, MAX_CHANNELS)?;
        for &channels in &self.block_out_channels {
            check_count("block_out_channels", channels, MAX_CHANNELS)?;
            if self.norm_num_groups == 0 || channels % self.norm_num_groups != 0 {
                return invalid("every width must be a multiple of the number of groups");
            }
        }
        Ok(())
    }

    /// Width of the lowest resolution. `validate` refuses an empty list.
    fn deepest(&self) -> usize {
        self.block_out_channels.last().copied().unwrap_or(0)
    }

    fn norm(&self, name: String, channels: usize) -> GroupNormSpec {
        GroupNormSpec { name, channels, groups: self.norm_num_groups, epsilon: Self::EPSILON }
    }

    fn resnet(&self, name: String, input: usize, output: usize) -> LayerSpec {
        LayerSpec::Resnet {
            norm1: self.norm(format!("{name}.norm1"), input),
            conv1: ConvSpec::same(format!("{name}.conv1"), input, output),
            norm2: self.norm(format!("{name}.norm2"), output),
            conv2: ConvSpec::same(format!("{name}.conv2"), output, output),
            shortcut: (input != output).then(|| ConvSpec::pointwise(format!("{name}.conv_shortcut"), input, output)),
        }
    }

    fn mid_block(&self, part: &str, layers: &mut Vec<LayerSpec>) {
        let width = self.deepest();
        layers.push(self.resnet(format!("{part}.mid_block.resnets.0"), width, width));
        if self.mid_block_add_attention {
            let name = format!("{part}.mid_block.attentions.0");
            layers.push(LayerSpec::Attention { norm: self.norm(format!("{name}.group_norm"), width), name });
        }
        layers.push(self.resnet(format!("{part}.mid_block.resnets.1"), width, width));
    }

    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
        let levels = self.block_out_channels.len();
        let mut width = self.block_out_channels.first().copied().unwrap_or(0);
        let mut layers = vec![LayerSpec::Conv(ConvSpec::same("encoder.conv_in", 3, width))];
        for (level, &output) in self.block_out_channels.iter().enumerate() {
            let block = format!("encoder.down_blocks.{level}");
            for index in 0..self.layers_per_block {
                layers.push(self.resnet(format!("{block}.resnets.{index}"), width, output));
                width = output;
            }
            if level + 1 < levels {
                // Padding (0, 1, 0, 1): a row below and a column to the right.
                layers.push(LayerSpec::Conv(ConvSpec::halving(format!("{block}.downsamplers.0.conv"), width, (0, 1))));
            }
        }
        self.mid_block("encoder", &mut layers);
        let moments = 2 * self.latent_channels;
        layers.push(LayerSpec::NormSilu(self.norm("encoder.conv_norm_out".into(), width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("encoder.conv_out", width, moments)));
        if self.use_quant_conv {
            layers.push(LayerSpec::Conv(ConvSpec::pointwise("quant_conv", moments, moments)));
        }
        layers.push(LayerSpec::PosteriorMean);
        layers
    }

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let levels = self.block_out_channels.len();
        let mut width = self.deepest();
        let mut layers = Vec::new();
        if self.use_post_quant_conv {
            let conv = ConvSpec::pointwise("post_quant_conv", self.latent_channels, self.latent_channels);
            layers.push(LayerSpec::Conv(conv));
        }
        layers.push(LayerSpec::Conv(ConvSpec::same("decoder.conv_in", self.latent_channels, width)));
        self.mid_block("decoder", &mut layers);
        for (level, &output) in self.block_out_channels.iter().rev().enumerate() {
            let block = format!("decoder.up_blocks.{level}");
            for index in 0..=self.layers_per_block {
                layers.push(self.resnet(format!("{block}.resnets.{index}"), width, output));
                width = output;
            }
            if level + 1 < levels {
                layers.push(LayerSpec::UpsampleNearest);
                layers.push(LayerSpec::Conv(ConvSpec::same(format!("{block}.upsamplers.0.conv"), width, width)));
            }
        }
        layers.push(LayerSpec::NormSilu(self.norm("decoder.conv_norm_out".into(), width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("decoder.conv_out", width, 3)));
        layers
    }
}
