//! What a layer is, as data: its parameters, the shape it gives and the work it takes. An architecture
//! is a list of these; `layers` computes them.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "`validate` bounds every number of a configuration, and decoding those of an image"
)]

/// One feature map's size, `[channels, height, width]`; the batch is always 1.
pub type MapSize = [usize; 3];

/// The name and shape of one tensor in a weights file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Full name, as in diffusers' `AutoencoderKL` or the TAESD family's `nn.Sequential`s.
    pub name: String,
    /// Shape as PyTorch has it: `[out, in, height, width]` for convolutions.
    pub shape: Vec<usize>,
}

/// A 2-D convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvSpec {
    /// Prefix of `.weight` and `.bias`.
    pub name: String,
    pub input: usize,
    pub output: usize,
    /// Side of the square kernel: 1, 3 or 5.
    pub kernel: usize,
    pub stride: usize,
    /// Zero rows and columns before and after.
    pub padding: (usize, usize),
    /// Groups of channels that do not meet each other.
    pub groups: usize,
    pub bias: bool,
}

/// A group normalisation with an affine transform.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupNormSpec {
    pub name: String,
    pub channels: usize,
    pub groups: usize,
    pub epsilon: f64,
}

/// A normalisation over the channels of each position, `x / ‖x‖ · √channels · gamma`, as Wan's autoencoder has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelNormSpec {
    /// Prefix of `.gamma`.
    pub name: String,
    pub channels: usize,
}

/// A normalisation over the channels of each position, `x / √(mean x² + epsilon) · weight + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct RmsNormSpec {
    pub name: String,
    pub channels: usize,
    pub epsilon: f64,
}

/// How a convolution with a shortcut of channels changes the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resampling {
    Keep,
    /// The convolution has stride 2.
    Halve,
    /// Nearest-neighbour, ×2, before the convolution.
    Double,
}

/// Any of the normalisations.
#[derive(Debug, Clone, PartialEq)]
pub enum NormSpec {
    Group(GroupNormSpec),
    /// A group normalisation, then `· scale(latent) + shift(latent)`, both 1×1 convolutions of the latent that
    /// [`LayerSpec::KeepLatent`] kept, enlarged to the map's size (MoVQ, arXiv 2209.09002).
    Spatial {
        norm: GroupNormSpec,
        scale: ConvSpec,
        shift: ConvSpec,
    },
    Channel(ChannelNormSpec),
    Rms(RmsNormSpec),
}

/// One step of an encoder or a decoder.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a network has a few dozen of them")]
pub enum LayerSpec {
    Conv(ConvSpec),
    /// Norm, SiLU, conv, norm, SiLU, conv, plus the input (through `shortcut` where widths differ).
    Resnet {
        norm1: NormSpec,
        conv1: ConvSpec,
        norm2: NormSpec,
        conv2: ConvSpec,
        shortcut: Option<ConvSpec>,
    },
    /// Single-head self-attention over all positions, plus the input. Linear layers are named
    /// `{name}.to_q`, `to_k`, `to_v`, `to_out.0`.
    Attention {
        name: String,
        norm: NormSpec,
    },
    /// Norm, then SiLU.
    NormSilu(NormSpec),
    /// Norm, then ReLU.
    NormRelu(NormSpec),
    /// Conv, SiLU, conv, norm, plus the input.
    NormedResnet {
        conv1: ConvSpec,
        conv2: ConvSpec,
        norm: NormSpec,
    },
    /// A convolution, plus the input with its channels averaged, or repeated, in runs until they are as many; where
    /// the size changes, each 2 × 2 positions are channels of one (DC-AE, section 3.2).
    Resampled {
        conv: ConvSpec,
        resampling: Resampling,
    },
    /// Multi-scale linear attention with ReLU, plus the input (EfficientViT, arXiv 2205.14756). Linear layers without
    /// biases are named `{name}.to_q`, `to_k`, `to_v`, `to_out`; `gather` and `mix` make the second scale.
    LinearAttention {
        name: String,
        /// Channels of a head.
        head: usize,
        gather: ConvSpec,
        mix: ConvSpec,
        norm: NormSpec,
    },
    /// Conv, SiLU, depthwise conv, the first half of the channels times SiLU of the second, conv, norm, plus the input.
    Gated {
        widen: ConvSpec,
        depth: ConvSpec,
        narrow: ConvSpec,
        norm: NormSpec,
    },
    /// Nearest-neighbour, ×2.
    UpsampleNearest,
    /// The first half of the channels: the mean of the posterior whose log-variance is the other half.
    PosteriorMean,
    /// Each position's nearest entry of a codebook, `{name}.weight` of shape `[entries, channels]`.
    Quantise {
        name: String,
        entries: usize,
        channels: usize,
    },
    /// Changes nothing; the map is the latent that spatial norms read from here on.
    KeepLatent,
    /// The TAESD family's block: conv, ReLU, conv, ReLU, conv, plus the input, then ReLU; a pooled block
    /// adds `pool` to its input first.
    TinyBlock {
        convs: [ConvSpec; 3],
        pool: Option<PoolSpec>,
    },
    Relu,
    /// `limit · tanh(z / limit)`: keeps latents in (−limit, limit).
    SoftClamp {
        limit: f64,
    },
    /// `scale · x + shift`, between this crate's [-1, 1] and a model's own range.
    Affine {
        scale: f64,
        shift: f64,
    },
}

/// The global branch of a pooled block: 1×1 conv, GroupNorm, ReLU, 1×1 conv.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSpec {
    pub widen: ConvSpec,
    pub norm: GroupNormSpec,
    pub narrow: ConvSpec,
}

impl ConvSpec {
    /// A 3×3 convolution that keeps the size, with a bias.
    pub fn same(name: impl Into<String>, input: usize, output: usize) -> Self {
        ConvSpec { name: name.into(), input, output, kernel: 3, stride: 1, padding: (1, 1), groups: 1, bias: true }
    }

    /// A 1×1 convolution with a bias.
    pub fn pointwise(name: impl Into<String>, input: usize, output: usize) -> Self {
        ConvSpec { kernel: 1, padding: (0, 0), ..ConvSpec::same(name, input, output) }
    }

    /// Each channel by itself, keeping the size, with a bias.
    pub fn depthwise(name: impl Into<String>, channels: usize, kernel: usize) -> Self {
        let side = kernel / 2;
        ConvSpec { kernel, padding: (side, side), groups: channels, ..ConvSpec::same(name, channels, channels) }
    }

    /// Halves the size, with `padding` as the architecture has it.
    pub fn halving(name: impl Into<String>, channels: usize, padding: (usize, usize)) -> Self {
        ConvSpec { stride: 2, padding, ..ConvSpec::same(name, channels, channels) }
    }

    /// The same convolution without a bias.
    pub fn without_bias(self) -> Self {
        ConvSpec { bias: false, ..self }
    }

    /// `[out, in / groups, kernel, kernel]`.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.output, self.input / self.groups.max(1), self.kernel, self.kernel]
    }

    fn parameters(&self, into: &mut Vec<ParameterSpec>) {
        parameter(into, &self.name, "weight", &self.weight_shape());
        if self.bias {
            parameter(into, &self.name, "bias", &[self.output]);
        }
    }

    /// The size of the result for an input of this size.
    pub fn size(&self, [_, height, width]: MapSize) -> MapSize {
        let side = |side: usize| (side + self.padding.0 + self.padding.1).saturating_sub(self.kernel) / self.stride + 1;
        [self.output, side(height), side(width)]
    }

    fn multiply_adds(&self, input: MapSize) -> u64 {
        elements(self.size(input)) * self.weight_shape().iter().skip(1).map(|&side| side as u64).product::<u64>()
    }
}

impl GroupNormSpec {
    fn parameters(&self, into: &mut Vec<ParameterSpec>) {
        parameter(into, &self.name, "weight", &[self.channels]);
        parameter(into, &self.name, "bias", &[self.channels]);
    }
}

impl NormSpec {
    /// Channels of the map that is normalised.
    pub fn channels(&self) -> usize {
        match self {
            NormSpec::Group(norm) | NormSpec::Spatial { norm, .. } => norm.channels,
            NormSpec::Channel(norm) => norm.channels,
            NormSpec::Rms(norm) => norm.channels,
        }
    }

    fn parameters(&self, into: &mut Vec<ParameterSpec>) {
        match self {
            NormSpec::Group(norm) => norm.parameters(into),
            NormSpec::Spatial { norm, scale, shift } => {
                norm.parameters(into);
                scale.parameters(into);
                shift.parameters(into);
            }
            NormSpec::Channel(ChannelNormSpec { name, channels }) => parameter(into, name, "gamma", &[*channels]),
            NormSpec::Rms(RmsNormSpec { name, channels, .. }) => {
                parameter(into, name, "weight", &[*channels]);
                parameter(into, name, "bias", &[*channels]);
            }
        }
    }
}

impl From<GroupNormSpec> for NormSpec {
    fn from(norm: GroupNormSpec) -> Self {
        NormSpec::Group(norm)
    }
}

impl LayerSpec {
    /// The tensors that the layer takes from the weights, in the order in which it takes them.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = Vec::new();
        let into = &mut all;
        match self {
            LayerSpec::Conv(conv) => conv.parameters(into),
            LayerSpec::Resnet { norm1, conv1, norm2, conv2, shortcut } => {
                norm1.parameters(into);
                conv1.parameters(into);
                norm2.parameters(into);
                conv2.parameters(into);
                if let Some(conv) = shortcut {
                    conv.parameters(into);
                }
            }
            LayerSpec::Attention { name, norm } => {
                norm.parameters(into);
                let channels = norm.channels();
                for linear in ["to_q", "to_k", "to_v", "to_out.0"] {
                    let prefix = format!("{name}.{linear}");
                    parameter(into, &prefix, "weight", &[channels, channels]);
                    parameter(into, &prefix, "bias", &[channels]);
                }
            }
            LayerSpec::NormSilu(norm) | LayerSpec::NormRelu(norm) => norm.parameters(into),
            LayerSpec::NormedResnet { conv1, conv2, norm } => {
                conv1.parameters(into);
                conv2.parameters(into);
                norm.parameters(into);
            }
            LayerSpec::Resampled { conv, .. } => conv.parameters(into),
            LayerSpec::LinearAttention { name, gather, mix, norm, .. } => {
                let channels = norm.channels();
                for (linear, inputs) in [("to_q", 1), ("to_k", 1), ("to_v", 1), ("to_out", 2)] {
                    parameter(into, &format!("{name}.{linear}"), "weight", &[channels, inputs * channels]);
                }
                gather.parameters(into);
                mix.parameters(into);
                norm.parameters(into);
            }
            LayerSpec::Gated { widen, depth, narrow, norm } => {
                widen.parameters(into);
                depth.parameters(into);
                narrow.parameters(into);
                norm.parameters(into);
            }
            LayerSpec::Quantise { name, entries, channels } => parameter(into, name, "weight", &[*entries, *channels]),
            LayerSpec::TinyBlock { convs, pool } => {
                if let Some(pool) = pool {
                    pool.widen.parameters(into);
                    pool.norm.parameters(into);
                    pool.narrow.parameters(into);
                }
                convs.iter().for_each(|conv| conv.parameters(into));
            }
            LayerSpec::UpsampleNearest
            | LayerSpec::PosteriorMean
            | LayerSpec::KeepLatent
            | LayerSpec::Relu
            | LayerSpec::SoftClamp { .. }
            | LayerSpec::Affine { .. } => {}
        }
        all
    }

    /// The size of the layer's result for a map of size `input`.
    pub fn size(&self, input: MapSize) -> MapSize {
        let [channels, height, width] = input;
        match self {
            LayerSpec::Conv(conv) => conv.size(input),
            LayerSpec::Resnet { conv2, .. } => conv2.size(input),
            LayerSpec::TinyBlock { convs: [_, _, last], .. } => last.size(input),
            LayerSpec::Resampled { conv, resampling: Resampling::Double } => {
                conv.size([channels, 2 * height, 2 * width])
            }
            LayerSpec::Resampled { conv, .. } => conv.size(input),
            LayerSpec::UpsampleNearest => [channels, 2 * height, 2 * width],
            LayerSpec::PosteriorMean => [channels / 2, height, width],
            LayerSpec::Attention { .. }
            | LayerSpec::NormSilu(_)
            | LayerSpec::NormRelu(_)
            | LayerSpec::NormedResnet { .. }
            | LayerSpec::LinearAttention { .. }
            | LayerSpec::Gated { .. }
            | LayerSpec::Quantise { .. }
            | LayerSpec::KeepLatent
            | LayerSpec::Relu
            | LayerSpec::SoftClamp { .. }
            | LayerSpec::Affine { .. } => input,
        }
    }

    /// The largest map, in elements, that is alive as one tensor while the layer runs.
    pub fn largest_map(&self, input: MapSize) -> u64 {
        let inner = match self {
            LayerSpec::TinyBlock { pool: Some(pool), .. } => elements(pool.widen.size(input)),
            LayerSpec::Gated { widen, .. } => elements(widen.size(input)),
            // Queries, keys and values of both scales.
            LayerSpec::LinearAttention { .. } => 6 * elements(input),
            LayerSpec::Resampled { resampling: Resampling::Double, .. } => 4 * elements(input),
            _ => 0,
        };
        inner.max(elements(input)).max(elements(self.size(input)))
    }

    /// Multiply-adds of the convolutions and matrix products; element-wise work counts one an element.
    pub fn multiply_adds(&self, input: MapSize) -> u64 {
        match self {
            LayerSpec::Conv(conv) => conv.multiply_adds(input),
            LayerSpec::Resnet { conv1, conv2, shortcut, .. } => {
                conv1.multiply_adds(input)
                    + conv2.multiply_adds(conv1.size(input))
                    + shortcut.as_ref().map_or(0, |conv| conv.multiply_adds(input))
            }
            LayerSpec::Attention { norm, .. } => {
                let channels = norm.channels() as u64;
                let positions = elements(input) / channels;
                // Of every position with every other: at the full resolution of a large image more than there are numbers.
                let pairs = positions.saturating_mul(positions).saturating_mul(2 * channels);
                pairs.saturating_add(4 * positions * channels * channels)
            }
            LayerSpec::NormedResnet { conv1, conv2, .. } => conv1.multiply_adds(input) + conv2.multiply_adds(input),
            LayerSpec::Resampled { conv, resampling } => {
                let [channels, height, width] = input;
                conv.multiply_adds(match resampling {
                    Resampling::Double => [channels, 2 * height, 2 * width],
                    Resampling::Keep | Resampling::Halve => input,
                })
            }
            LayerSpec::LinearAttention { head, gather, mix, norm, .. } => {
                let (channels, [_, height, width]) = (norm.channels(), input);
                let wide = [3 * channels, height, width];
                // The linear layers, and two products of heads and positions for both scales.
                elements(input) * (5 * channels + 4 * head) as u64
                    + gather.multiply_adds(wide)
                    + mix.multiply_adds(wide)
            }
            LayerSpec::Gated { widen, depth, narrow, .. } => {
                let wide = widen.size(input);
                widen.multiply_adds(input) + depth.multiply_adds(wide) + narrow.multiply_adds(wide)
            }
            LayerSpec::TinyBlock { convs: [first, second, third], pool } => {
                let middle = first.size(input);
                let pool = pool.as_ref().map_or(0, |pool| 2 * pool.widen.multiply_adds(input));
                pool + first.multiply_adds(input) + second.multiply_adds(middle) + third.multiply_adds(middle)
            }
            LayerSpec::Quantise { entries, .. } => elements(input) * *entries as u64,
            LayerSpec::NormSilu(_)
            | LayerSpec::NormRelu(_)
            | LayerSpec::UpsampleNearest
            | LayerSpec::PosteriorMean
            | LayerSpec::KeepLatent
            | LayerSpec::Relu
            | LayerSpec::SoftClamp { .. }
            | LayerSpec::Affine { .. } => elements(self.size(input)),
        }
    }
}

fn parameter(into: &mut Vec<ParameterSpec>, prefix: &str, name: &str, shape: &[usize]) {
    into.push(ParameterSpec { name: format!("{prefix}.{name}"), shape: shape.to_vec() });
}

fn elements(size: MapSize) -> u64 {
    size.iter().map(|&side| side as u64).product()
}
