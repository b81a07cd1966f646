//! Autoencoders as data: a configuration gives the list of layers of its encoder and decoder.

use serde::{Deserialize, Serialize};

use super::spec::{ConvSpec, GroupNormSpec, LayerSpec, MapSize, ParameterSpec, PoolSpec};
use crate::{Error, Result};

/// Bounds on what a manifest may ask for, so that a hostile one cannot exhaust memory.
const MAX_LEVELS: usize = 8;
const MAX_CHANNELS: usize = 4096;
const MAX_LAYERS_PER_LEVEL: usize = 16;

/// The latent activations of the TAESD family stay within ±3.
const TINY_LATENT_LIMIT: f64 = 3.0;

/// Which autoencoder a weights file is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Architecture {
    AutoencoderKl(AutoencoderKlConfig),
    AutoencoderTiny(AutoencoderTinyConfig),
}

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

/// The TAESD family: one width throughout, images in [0, 1] inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderTinyConfig {
    pub width: usize,
    pub latent_channels: usize,
    /// Blocks a level of the encoder, the full resolution first.
    pub encoder_blocks: Vec<usize>,
    /// Blocks a level of the decoder, the latent resolution first.
    pub decoder_blocks: Vec<usize>,
    /// The blocks at the latent's resolution have a global branch (TAEF2).
    pub pooled: bool,
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
        }
    }

    /// Layers from an image `[1, 3, height, width]` in [-1, 1] to the latent, the posterior mean.
    pub fn encoder(&self) -> Vec<LayerSpec> {
        match self {
            Architecture::AutoencoderKl(config) => config.encoder(),
            Architecture::AutoencoderTiny(config) => config.encoder(),
        }
    }

    /// Layers from the latent to the reconstruction `[1, 3, height, width]`, not clamped.
    pub fn decoder(&self) -> Vec<LayerSpec> {
        match self {
            Architecture::AutoencoderKl(config) => config.decoder(),
            Architecture::AutoencoderTiny(config) => config.decoder(),
        }
    }

    /// Channels of the latent.
    pub fn latent_channels(&self) -> usize {
        match self {
            Architecture::AutoencoderKl(config) => config.latent_channels,
            Architecture::AutoencoderTiny(config) => config.latent_channels,
        }
    }

    /// Pixels a latent position spans on each side.
    pub fn reduction(&self) -> usize {
        let levels = match self {
            Architecture::AutoencoderKl(config) => config.block_out_channels.len(),
            Architecture::AutoencoderTiny(config) => config.encoder_blocks.len(),
        };
        1 << levels.saturating_sub(1)
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
        self.walk(height, width, LayerSpec::multiply_adds).into_iter().sum()
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

impl AutoencoderKlConfig {
    const EPSILON: f64 = 1e-6;

    fn validate(&self) -> Result<()> {
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

    fn encoder(&self) -> Vec<LayerSpec> {
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

    fn decoder(&self) -> Vec<LayerSpec> {
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

impl AutoencoderTinyConfig {
    /// Groups and widening of a pooled block's global branch.
    const POOL_GROUPS: usize = 4;
    const POOL_WIDENING: usize = 4;
    const EPSILON: f64 = 1e-5;

    fn validate(&self) -> Result<()> {
        check_count("width", self.width, MAX_CHANNELS)?;
        check_count("latent_channels", self.latent_channels, MAX_CHANNELS)?;
        check_count("encoder_blocks", self.encoder_blocks.len(), MAX_LEVELS)?;
        for &blocks in self.encoder_blocks.iter().chain(&self.decoder_blocks) {
            check_count("encoder_blocks, decoder_blocks", blocks, MAX_LAYERS_PER_LEVEL)?;
        }
        if self.decoder_blocks.len() != self.encoder_blocks.len() {
            return Err(invalid("decoder_blocks", "encoder and decoder must have as many levels"));
        }
        Ok(())
    }

    fn block(&self, part: &str, index: usize, pooled: bool) -> LayerSpec {
        let (name, width) = (format!("{part}.{index}"), self.width);
        let conv = |index: usize| ConvSpec::same(format!("{name}.conv.{index}"), width, width);
        let widened = Self::POOL_WIDENING * width;
        let pool = pooled.then(|| PoolSpec {
            widen: ConvSpec::pointwise(format!("{name}.pool.0"), width, widened).without_bias(),
            norm: GroupNormSpec {
                name: format!("{name}.pool.1"),
                channels: widened,
                groups: Self::POOL_GROUPS,
                epsilon: Self::EPSILON,
            },
            narrow: ConvSpec::pointwise(format!("{name}.pool.3"), widened, width).without_bias(),
        });
        LayerSpec::TinyBlock { convs: [conv(0), conv(2), conv(4)], pool }
    }

    /// Numbers are positions in the published `nn.Sequential`, where upsampling and activations count.
    fn encoder(&self) -> Vec<LayerSpec> {
        let last = self.encoder_blocks.len().saturating_sub(1);
        let mut layers = vec![
            LayerSpec::Affine { scale: 0.5, shift: 0.5 },
            LayerSpec::Conv(ConvSpec::same("encoder.0", 3, self.width)),
        ];
        let mut index = 1;
        for (level, &blocks) in self.encoder_blocks.iter().enumerate() {
            if level > 0 {
                let conv = ConvSpec::halving(format!("encoder.{index}"), self.width, (1, 1)).without_bias();
                layers.push(LayerSpec::Conv(conv));
                index += 1;
            }
            for _ in 0..blocks {
                layers.push(self.block("encoder", index, self.pooled && level == last));
                index += 1;
            }
        }
        layers.push(LayerSpec::Conv(ConvSpec::same(format!("encoder.{index}"), self.width, self.latent_channels)));
        layers
    }

    fn decoder(&self) -> Vec<LayerSpec> {
        let mut layers = vec![
            LayerSpec::SoftClamp { limit: TINY_LATENT_LIMIT },
            LayerSpec::Conv(ConvSpec::same("decoder.1", self.latent_channels, self.width)),
            LayerSpec::Relu,
        ];
        let mut index = 3;
        for (level, &blocks) in self.decoder_blocks.iter().enumerate() {
            if level > 0 {
                layers.push(LayerSpec::UpsampleNearest);
                let name = format!("decoder.{}", index + 1);
                layers.push(LayerSpec::Conv(ConvSpec::same(name, self.width, self.width).without_bias()));
                index += 2;
            }
            for _ in 0..blocks {
                layers.push(self.block("decoder", index, self.pooled && level == 0));
                index += 1;
            }
        }
        layers.push(LayerSpec::Conv(ConvSpec::same(format!("decoder.{index}"), self.width, 3)));
        layers.push(LayerSpec::Affine { scale: 2.0, shift: -1.0 });
        layers
    }
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
        let Architecture::AutoencoderKl(good) = kl(4, true) else { unreachable!() };
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
