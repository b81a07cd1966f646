use serde::{Deserialize, Serialize};

use super::{MAX_CHANNELS, MAX_ENTRIES, check_count, check_levels, invalid, levels::Levels};
use crate::{
    Result,
    autoencoder::spec::{ConvSpec, LayerSpec},
};

/// diffusers' `VQModel`: VQ-Diffusion's, and MoVQ of Kandinsky 2.1 and 2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VqModelConfig {
    /// Width of each level, the full resolution first. Each level but the first halves the sides.
    pub block_out_channels: Vec<usize>,
    /// Residual blocks a level of the encoder; the decoder has one more.
    pub layers_per_block: usize,
    /// Channels of the encoder's result.
    pub latent_channels: usize,
    /// Channels of a codebook entry, and of the latent.
    pub vq_embed_dim: usize,
    pub num_vq_embeddings: usize,
    pub norm_num_groups: usize,
    /// For each level, whether self-attention follows each residual block.
    pub attention: Vec<bool>,
    /// Self-attention between the two middle blocks.
    pub mid_block_add_attention: bool,
    /// The decoder's norms read the latent (MoVQ).
    pub spatial_norm: bool,
    /// The decoder takes the nearest codebook entries. Kandinsky's own pipelines decode without.
    pub quantise: bool,
}

impl VqModelConfig {
    pub(super) fn validate(&self) -> Result<()> {
        check_levels(&self.block_out_channels, self.layers_per_block, self.norm_num_groups)?;
        check_count("latent_channels", self.latent_channels, MAX_CHANNELS)?;
        check_count("vq_embed_dim", self.vq_embed_dim, MAX_CHANNELS)?;
        check_count("num_vq_embeddings", self.num_vq_embeddings, MAX_ENTRIES)?;
        if self.attention.len() != self.block_out_channels.len() {
            return Err(invalid("attention", "it must tell of every level"));
        }
        Ok(())
    }

    pub(super) fn encoder(&self) -> Vec<LayerSpec> {
        let mut layers = self.levels().encoder(self.latent_channels);
        layers.push(LayerSpec::Conv(ConvSpec::pointwise("quant_conv", self.latent_channels, self.vq_embed_dim)));
        layers
    }

    pub(super) fn decoder(&self) -> Vec<LayerSpec> {
        let quantise = || LayerSpec::Quantise {
            name: "quantize.embedding".into(),
            entries: self.num_vq_embeddings,
            channels: self.vq_embed_dim,
        };
        let mut layers: Vec<LayerSpec> = self.quantise.then(quantise).into_iter().collect();
        if self.spatial_norm {
            layers.push(LayerSpec::KeepLatent);
        }
        layers.push(LayerSpec::Conv(ConvSpec::pointwise("post_quant_conv", self.vq_embed_dim, self.latent_channels)));
        layers.extend(self.levels().decoder(self.latent_channels));
        layers
    }

    fn levels(&self) -> Levels<'_> {
        Levels {
            widths: &self.block_out_channels,
            layers_per_block: self.layers_per_block,
            groups: self.norm_num_groups,
            attention: &self.attention,
            middle_attention: self.mid_block_add_attention,
            spatial: self.spatial_norm.then_some(self.vq_embed_dim),
        }
    }
}
