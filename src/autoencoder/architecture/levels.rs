//! What diffusers' `Encoder` and `Decoder` have in common: levels of residual blocks around a middle block.

#![expect(clippy::arithmetic_side_effects, reason = "`validate` bounds every number of a configuration")]

use crate::autoencoder::spec::{ConvSpec, GroupNormSpec, LayerSpec, NormSpec};

/// Both halves, between the image and the convolutions at the latent.
#[derive(Debug, Clone, Copy)]
pub struct Levels<'a> {
    /// Width of each level, the full resolution first.
    pub widths: &'a [usize],
    /// Residual blocks a level of the encoder; the decoder has one more.
    pub layers_per_block: usize,
    pub groups: usize,
    /// Levels that have self-attention after each residual block; none if empty.
    pub attention: &'a [bool],
    /// Self-attention between the two middle blocks.
    pub middle_attention: bool,
    /// Channels of the latent that the decoder's norms read.
    pub spatial: Option<usize>,
}

impl Levels<'_> {
    const EPSILON: f64 = 1e-6;

    /// From the image to `outputs` channels.
    pub fn encoder(self, outputs: usize) -> Vec<LayerSpec> {
        let half = Levels { spatial: None, ..self };
        let mut width = self.widths.first().copied().unwrap_or(0);
        let mut layers = vec![LayerSpec::Conv(ConvSpec::same("encoder.conv_in", 3, width))];
        for (level, &output) in self.widths.iter().enumerate() {
            let block = format!("encoder.down_blocks.{level}");
            half.level(&block, level, self.layers_per_block, &mut width, output, &mut layers);
            if level + 1 < self.widths.len() {
                // Padding (0, 1, 0, 1): a row below and a column to the right.
                layers.push(LayerSpec::Conv(ConvSpec::halving(format!("{block}.downsamplers.0.conv"), width, (0, 1))));
            }
        }
        half.middle("encoder", &mut layers);
        layers.push(LayerSpec::NormSilu(half.norm("encoder.conv_norm_out", width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("encoder.conv_out", width, outputs)));
        layers
    }

    /// From `inputs` channels to the image.
    pub fn decoder(self, inputs: usize) -> Vec<LayerSpec> {
        let mut width = self.deepest();
        let mut layers = vec![LayerSpec::Conv(ConvSpec::same("decoder.conv_in", inputs, width))];
        self.middle("decoder", &mut layers);
        for (index, (level, &output)) in self.widths.iter().enumerate().rev().enumerate() {
            let block = format!("decoder.up_blocks.{index}");
            self.level(&block, level, self.layers_per_block + 1, &mut width, output, &mut layers);
            if level > 0 {
                layers.push(LayerSpec::UpsampleNearest);
                layers.push(LayerSpec::Conv(ConvSpec::same(format!("{block}.upsamplers.0.conv"), width, width)));
            }
        }
        layers.push(LayerSpec::NormSilu(self.norm("decoder.conv_norm_out", width)));
        layers.push(LayerSpec::Conv(ConvSpec::same("decoder.conv_out", width, 3)));
        layers
    }

    /// Width of the lowest resolution; architectures refuse an empty list.
    fn deepest(self) -> usize {
        self.widths.last().copied().unwrap_or(0)
    }

    fn level(
        self,
        block: &str,
        level: usize,
        count: usize,
        width: &mut usize,
        output: usize,
        layers: &mut Vec<LayerSpec>,
    ) {
        for index in 0..count {
            layers.push(self.resnet(&format!("{block}.resnets.{index}"), *width, output));
            *width = output;
            if self.attention.get(level) == Some(&true) {
                layers.push(self.attention_layer(format!("{block}.attentions.{index}"), output));
            }
        }
    }

    fn middle(self, part: &str, layers: &mut Vec<LayerSpec>) {
        let width = self.deepest();
        layers.push(self.resnet(&format!("{part}.mid_block.resnets.0"), width, width));
        if self.middle_attention {
            layers.push(self.attention_layer(format!("{part}.mid_block.attentions.0"), width));
        }
        layers.push(self.resnet(&format!("{part}.mid_block.resnets.1"), width, width));
    }

    fn attention_layer(self, name: String, width: usize) -> LayerSpec {
        let norm = if self.spatial.is_some() { "spatial_norm" } else { "group_norm" };
        LayerSpec::Attention { norm: self.norm(&format!("{name}.{norm}"), width), name }
    }

    fn resnet(self, name: &str, input: usize, output: usize) -> LayerSpec {
        LayerSpec::Resnet {
            norm1: self.norm(&format!("{name}.norm1"), input),
            conv1: ConvSpec::same(format!("{name}.conv1"), input, output),
            norm2: self.norm(&format!("{name}.norm2"), output),
            conv2: ConvSpec::same(format!("{name}.conv2"), output, output),
            shortcut: (input != output).then(|| ConvSpec::pointwise(format!("{name}.conv_shortcut"), input, output)),
        }
    }

    fn norm(self, name: &str, channels: usize) -> NormSpec {
        let group = |name: String| GroupNormSpec { name, channels, groups: self.groups, epsilon: Self::EPSILON };
        match self.spatial {
            None => group(name.into()).into(),
            Some(latent) => NormSpec::Spatial {
                norm: group(format!("{name}.norm_layer")),
                scale: ConvSpec::pointwise(format!("{name}.conv_y"), latent, channels),
                shift: ConvSpec::pointwise(format!("{name}.conv_b"), latent, channels),
            },
        }
    }
}
