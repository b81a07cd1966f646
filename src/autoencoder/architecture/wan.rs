#![expect(clippy::arithmetic_side_effects, reason = "`validate` bounds every number of a configuration")]

use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, MAX_LAYERS_PER_LEVEL, MAX_LEVELS, check_count, invalid};
use crate::{
    Result,
    autoencoder::spec::{ChannelNormSpec, ConvSpec, LayerSpec, NormSpec},
};

/// diffusers' `AutoencoderKLWan` (Wan 2.1) and `AutoencoderKLQwenImage`, on a single frame.
///
/// Their convolutions are causal in time: before the first frame there are zeros, so a single frame meets the last
/// temporal slice of each kernel alone, and the temporal up- and downsampling takes no part. diffusers clamps the
/// result to [-1, 1]; the method does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WanConfig {
    /// Width of the full resolution.
    pub base_dim: usize,
    /// Width of each level as a multiple of it. Each level but the first halves the sides.
    pub dim_mult: Vec<usize>,
    /// Residual blocks a level of the encoder; the decoder has one more.
    pub num_res_blocks: usize,
    /// Channels of the latent.
    pub z_dim: usize,
}

impl WanConfig {
    pub(super) fn validate(&self) -> Result<()> {
        check_count("dim_mult", self.dim_mult.len(), MAX_LEVELS)?;
        check_count("num_res_blocks", self.num_res_blocks, MAX_LAYERS_PER_LEVEL)?;
        check_count("z_dim", self.z_dim, MAX_CHANNELS)?;
        for &multiple in &self.dim_mult {
            check_count("base_dim, dim_mult", self.base_dim.saturating_mul(multiple), MAX_CHANNELS)?;
            if !self.base_dim.is_multiple_of(2) {
                return Err(invalid("base_dim", "it must be even"));
            }
        }
        Ok(())
    }

    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
        let mut width = self.base_dim;
        let mut layers = vec![LayerSpec::Conv(ConvSpec::same("encoder.conv_in", 3, width))];
        let mut index = 0;
        for (level, multiple) in self.dim_mult.iter().enumerate() {
            let output = multiple * self.base_dim;
            for _ in 0..self.num_res_blocks {
                layers.push(resnet(&format!("encoder.down_blocks.{index}"), width, output));
                width = output;
                index += 1;
            }
            if level + 1 < self.dim_mult.len() {
                let name = format!("encoder.down_blocks.{index}.resample.1");
                layers.push(LayerSpec::Conv(ConvSpec::halving(name, width, (0, 1))));
                index += 1;
            }
        }
        middle("encoder", width, &mut layers);
        let moments = 2 * self.z_dim;
        layers.push(LayerSpec::NormSilu(norm("encoder.norm_out", width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("encoder.conv_out", width, moments)));
        layers.push(LayerSpec::Conv(ConvSpec::pointwise("quant_conv", moments, moments)));
        layers.push(LayerSpec::PosteriorMean);
        layers
    }

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let deepest = self.dim_mult.last().map_or(0, |multiple| multiple * self.base_dim);
        let mut layers = vec![
            LayerSpec::Conv(ConvSpec::pointwise("post_quant_conv", self.z_dim, self.z_dim)),
            LayerSpec::Conv(ConvSpec::same("decoder.conv_in", self.z_dim, deepest)),
        ];
        middle("decoder", deepest, &mut layers);
        let mut width = deepest;
        for (index, multiple) in self.dim_mult.iter().rev().enumerate() {
            let block = format!("decoder.up_blocks.{index}");
            let output = multiple * self.base_dim;
            for resnet_index in 0..=self.num_res_blocks {
                layers.push(resnet(&format!("{block}.resnets.{resnet_index}"), width, output));
                width = output;
            }
            if index + 1 < self.dim_mult.len() {
                layers.push(LayerSpec::UpsampleNearest);
                let name = format!("{block}.upsamplers.0.resample.1");
                layers.push(LayerSpec::Conv(ConvSpec::same(name, width, width / 2)));
                width /= 2;
            }
        }
        layers.push(LayerSpec::NormSilu(norm("decoder.norm_out", width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("decoder.conv_out", width, 3)));
        layers
    }
}

fn middle(part: &str, width: usize, layers: &mut Vec<LayerSpec>) {
    let name = format!("{part}.mid_block.attentions.0");
    layers.push(resnet(&format!("{part}.mid_block.resnets.0"), width, width));
    layers.push(LayerSpec::Attention { norm: norm(&format!("{name}.norm"), width), name });
    layers.push(resnet(&format!("{part}.mid_block.resnets.1"), width, width));
}

fn resnet(name: &str, input: usize, output: usize) -> LayerSpec {
    LayerSpec::Resnet {
        norm1: norm(&format!("{name}.norm1"), input),
        conv1: ConvSpec::same(format!("{name}.conv1"), input, output),
        norm2: norm(&format!("{name}.norm2"), output),
        conv2: ConvSpec::same(format!("{name}.conv2"), output, output),
        shortcut: (input != output).then(|| ConvSpec::pointwise(format!("{name}.conv_shortcut"), input, output)),
    }
}

fn norm(name: &str, channels: usize) -> NormSpec {
    NormSpec::Channel(ChannelNormSpec { name: name.into(), channels })
}
