#![expect(clippy::arithmetic_side_effects, reason = "`validate` bounds every number of a configuration")]

use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, MAX_LAYERS_PER_LEVEL, MAX_LEVELS, check_count, invalid};
use crate::{
    Result,
    autoencoder::spec::{ConvSpec, GroupNormSpec, LayerSpec, PoolSpec},
};

/// The latent activations stay within ±3.
const LATENT_LIMIT: f64 = 3.0;

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

impl AutoencoderTinyConfig {
    /// Groups and widening of a pooled block's global branch.
    const POOL_GROUPS: usize = 4;
    const POOL_WIDENING: usize = 4;
    const EPSILON: f64 = 1e-5;

    pub(super) fn validate(&self) -> Result<()> {
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
    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
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

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let mut layers = vec![
            LayerSpec::SoftClamp { limit: LATENT_LIMIT },
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
