//! The layers, computed with burn's own tensor operations on whichever device holds the tensors.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "tensors' operators, which are burn's, and numbers that `validate` bounds"
)]

use burn::tensor::{
    Device, Tensor,
    activation::{relu, silu, softmax},
    module::{conv2d, interpolate},
    ops::{ConvOptions, InterpolateMode, InterpolateOptions},
};

use super::spec::{ChannelNormSpec, ConvSpec, GroupNormSpec, LayerSpec, NormSpec, Resampling, RmsNormSpec};

/// Scores of attention, or distances to a codebook, held at once, in elements: positions are taken in chunks so that
/// no whole matrix exists.
const SCORES: usize = 4 << 20;

/// A channel norm does not lengthen vectors shorter than this (PyTorch's `normalize`).
pub(crate) const LEAST_LENGTH: f64 = 1e-12;

/// Where a layer takes its parameters from.
pub trait Parameters {
    /// The tensor called `name`, which has this shape.
    fn take<const D: usize>(&mut self, name: &str, shape: [usize; D], device: &Device) -> Tensor<D>;
}

#[derive(Debug)]
struct Conv {
    /// `[out, in, kernel, kernel]`.
    weight: Tensor<4>,
    /// `[out]`.
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
}

#[derive(Debug)]
struct GroupNorm {
    /// `[1, channels, 1, 1]`.
    scale: Tensor<4>,
    shift: Tensor<4>,
    groups: usize,
    epsilon: f64,
}

#[derive(Debug)]
enum Norm {
    Group(GroupNorm),
    Spatial(Box<SpatialNorm>),
    /// `[1, channels, 1, 1]`.
    Channel(Tensor<4>),
    Rms(RmsNorm),
}

#[derive(Debug)]
struct RmsNorm {
    /// `[1, channels, 1, 1]`.
    scale: Tensor<4>,
    shift: Tensor<4>,
    epsilon: f64,
}

#[derive(Debug)]
struct SpatialNorm {
    norm: GroupNorm,
    scale: Conv,
    shift: Conv,
}

#[derive(Debug)]
struct Linear {
    /// `[in, out]`: transposed once at load.
    weight: Tensor<2>,
    /// `[1, out]`.
    bias: Tensor<2>,
}

#[derive(Debug)]
struct Pool {
    widen: Conv,
    norm: GroupNorm,
    narrow: Conv,
}

/// One step of an encoder or decoder with its parameters on a device.
#[derive(Debug)]
pub struct Layer(Kind);

#[derive(Debug)]
enum Kind {
    Conv(Conv),
    Resnet(Box<Resnet>),
    Attention(Box<Attention>),
    NormSilu(Norm),
    NormRelu(Norm),
    NormedResnet(Box<NormedResnet>),
    Resampled {
        conv: Conv,
        resampling: Resampling,
    },
    LinearAttention(Box<LinearAttention>),
    Gated(Box<Gated>),
    UpsampleNearest,
    PosteriorMean,
    /// `[entries, channels]`.
    Quantise(Tensor<2>),
    KeepLatent,
    TinyBlock(Box<TinyBlock>),
    Relu,
    SoftClamp(f64),
    Affine {
        scale: f64,
        shift: f64,
    },
}

#[derive(Debug)]
struct Resnet {
    norm1: Norm,
    conv1: Conv,
    norm2: Norm,
    conv2: Conv,
    shortcut: Option<Conv>,
}

#[derive(Debug)]
struct Attention {
    norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
}

#[derive(Debug)]
struct NormedResnet {
    conv1: Conv,
    conv2: Conv,
    norm: Norm,
}

#[derive(Debug)]
struct LinearAttention {
    /// Queries, keys and values below each other, a 1×1 convolution.
    project: Conv,
    gather: Conv,
    mix: Conv,
    out: Conv,
    norm: Norm,
    head: usize,
}

#[derive(Debug)]
struct Gated {
    widen: Conv,
    depth: Conv,
    narrow: Conv,
    norm: Norm,
}

#[derive(Debug)]
struct TinyBlock {
    convs: [Conv; 3],
    pool: Option<Pool>,
}

impl Layer {
    /// Takes the layer's parameters.
    pub fn load(spec: &LayerSpec, parameters: &mut impl Parameters, device: &Device) -> Self {
        let from = &mut Source { parameters, device };
        Layer(match spec {
            LayerSpec::Conv(conv) => Kind::Conv(from.conv(conv)),
            LayerSpec::Resnet { norm1, conv1, norm2, conv2, shortcut } => Kind::Resnet(Box::new(Resnet {
                norm1: from.norm(norm1),
                conv1: from.conv(conv1),
                norm2: from.norm(norm2),
                conv2: from.conv(conv2),
                shortcut: shortcut.as_ref().map(|conv| from.conv(conv)),
            })),
            LayerSpec::Attention { name, norm } => Kind::Attention(Box::new(Attention {
                norm: from.norm(norm),
                query: from.linear(&format!("{name}.to_q"), norm.channels()),
                key: from.linear(&format!("{name}.to_k"), norm.channels()),
                value: from.linear(&format!("{name}.to_v"), norm.channels()),
                out: from.linear(&format!("{name}.to_out.0"), norm.channels()),
            })),
            LayerSpec::NormSilu(norm) => Kind::NormSilu(from.norm(norm)),
            LayerSpec::NormRelu(norm) => Kind::NormRelu(from.norm(norm)),
            LayerSpec::NormedResnet { conv1, conv2, norm } => Kind::NormedResnet(Box::new(NormedResnet {
                conv1: from.conv(conv1),
                conv2: from.conv(conv2),
                norm: from.norm(norm),
            })),
            LayerSpec::Resampled { conv, resampling } => {
                Kind::Resampled { conv: from.conv(conv), resampling: *resampling }
            }
            LayerSpec::LinearAttention { name, head, gather, mix, norm } => {
                let channels = norm.channels();
                let mut linear = |part: &str, inputs: usize| {
                    from.take(&format!("{name}.{part}"), "weight", [channels, inputs]).reshape([channels, inputs, 1, 1])
                };
                let project = Tensor::cat(["to_q", "to_k", "to_v"].map(|part| linear(part, channels)).into(), 0);
                Kind::LinearAttention(Box::new(LinearAttention {
                    project: Conv::pointwise(project),
                    out: Conv::pointwise(linear("to_out", 2 * channels)),
                    gather: from.conv(gather),
                    mix: from.conv(mix),
                    norm: from.norm(norm),
                    head: *head,
                }))
            }
            LayerSpec::Gated { widen, depth, narrow, norm } => Kind::Gated(Box::new(Gated {
                widen: from.conv(widen),
                depth: from.conv(depth),
                narrow: from.conv(narrow),
                norm: from.norm(norm),
            })),
            LayerSpec::Quantise { name, entries, channels } => {
                Kind::Quantise(from.take(name, "weight", [*entries, *channels]))
            }
            LayerSpec::KeepLatent => Kind::KeepLatent,
            LayerSpec::UpsampleNearest => Kind::UpsampleNearest,
            LayerSpec::PosteriorMean => Kind::PosteriorMean,
            LayerSpec::TinyBlock { convs: [first, second, third], pool } => Kind::TinyBlock(Box::new(TinyBlock {
                pool: pool.as_ref().map(|pool| Pool {
                    widen: from.conv(&pool.widen),
                    norm: from.group_norm(&pool.norm),
                    narrow: from.conv(&pool.narrow),
                }),
                convs: [from.conv(first), from.conv(second), from.conv(third)],
            })),
            LayerSpec::Relu => Kind::Relu,
            LayerSpec::SoftClamp { limit } => Kind::SoftClamp(*limit),
            LayerSpec::Affine { scale, shift } => Kind::Affine { scale: *scale, shift: *shift },
        })
    }

    /// `latent` passes from layer to layer: what spatial norms read, once it is there.
    ///
    /// # Shapes
    /// - `x`: `[1, channels, height, width]`
    /// - result: `[1, channels, height, width]` of [`LayerSpec::size`]
    pub fn forward(&self, x: Tensor<4>, latent: &mut Option<Tensor<4>>) -> Tensor<4> {
        match &self.0 {
            Kind::Conv(conv) => conv.forward(x),
            Kind::Resnet(resnet) => {
                let Resnet { norm1, conv1, norm2, conv2, shortcut } = resnet.as_ref();
                let hidden = conv1.forward(silu(norm1.forward(x.clone(), latent.as_ref())));
                let hidden = conv2.forward(silu(norm2.forward(hidden, latent.as_ref())));
                match shortcut {
                    Some(conv) => conv.forward(x) + hidden,
                    None => x + hidden,
                }
            }
            Kind::Attention(attention) => attention.forward(x, latent.as_ref()),
            Kind::NormSilu(norm) => silu(norm.forward(x, latent.as_ref())),
            Kind::NormRelu(norm) => relu(norm.forward(x, latent.as_ref())),
            Kind::NormedResnet(resnet) => {
                let NormedResnet { conv1, conv2, norm } = resnet.as_ref();
                let hidden = conv2.forward(silu(conv1.forward(x.clone())));
                norm.forward(hidden, latent.as_ref()) + x
            }
            Kind::Resampled { conv, resampling } => resampled(x, conv, *resampling),
            Kind::LinearAttention(attention) => attention.forward(x, latent.as_ref()),
            Kind::Gated(gated) => {
                let Gated { widen, depth, narrow, norm } = gated.as_ref();
                let hidden = depth.forward(silu(widen.forward(x.clone())));
                let half = hidden.dims()[1] / 2;
                let hidden = hidden.clone().narrow(1, 0, half) * silu(hidden.narrow(1, half, half));
                norm.forward(narrow.forward(hidden), latent.as_ref()) + x
            }
            Kind::UpsampleNearest => {
                let [_, _, height, width] = x.dims();
                enlarged(x, [2 * height, 2 * width])
            }
            Kind::PosteriorMean => {
                let channels = x.dims()[1] / 2;
                x.narrow(1, 0, channels)
            }
            Kind::Quantise(codebook) => nearest_entries(x, codebook),
            Kind::KeepLatent => {
                *latent = Some(x.clone());
                x
            }
            Kind::TinyBlock(block) => {
                let TinyBlock { convs: [first, second, third], pool } = block.as_ref();
                let x = match pool {
                    Some(Pool { widen, norm, narrow }) => {
                        let pooled = narrow.forward(relu(norm.forward(widen.forward(x.clone()))));
                        x + pooled
                    }
                    None => x,
                };
                let hidden = relu(second.forward(relu(first.forward(x.clone()))));
                relu(third.forward(hidden) + x)
            }
            Kind::Relu => relu(x),
            Kind::SoftClamp(limit) => (x / *limit).tanh() * *limit,
            Kind::Affine { scale, shift } => x * *scale + *shift,
        }
    }
}

impl Attention {
    /// `x + out(softmax(q kᵀ / √channels) v)` over all `height · width` positions.
    fn forward(&self, x: Tensor<4>, latent: Option<&Tensor<4>>) -> Tensor<4> {
        let Attention { norm, query, key, value, out } = self;
        let [batch, channels, height, width] = x.dims();
        let positions = height * width;
        let tokens = norm.forward(x.clone(), latent).reshape([channels, positions]).transpose();
        let scale = (channels as f64).powf(-0.5);
        let (queries, keys, values) =
            (query.forward(tokens.clone()) * scale, key.forward(tokens.clone()).transpose(), value.forward(tokens));
        let chunk = (SCORES / positions).clamp(1, positions);
        let attended = (0..positions).step_by(chunk).map(|start| {
            let rows = queries.clone().narrow(0, start, chunk.min(positions - start));
            softmax(rows.matmul(keys.clone()), 1).matmul(values.clone())
        });
        let attended = Tensor::cat(attended.collect(), 0);
        x + out.forward(attended).transpose().reshape([batch, channels, height, width])
    }
}

impl LinearAttention {
    /// `x + norm(out(v (kᵀ q) / Σ kᵀ q))` with queries and keys past a ReLU: the sums over positions come first, so
    /// that there is no matrix of positions by positions.
    fn forward(&self, x: Tensor<4>, latent: Option<&Tensor<4>>) -> Tensor<4> {
        const EPSILON: f64 = 1e-15;
        let LinearAttention { project, gather, mix, out, norm, head } = self;
        let [batch, channels, height, width] = x.dims();
        let projected = project.forward(x.clone());
        let local = mix.forward(gather.forward(projected.clone()));
        let heads = 2 * channels / head;
        let both = Tensor::cat(vec![projected, local], 1).reshape([heads, 3 * head, height * width]);
        let part = |index: usize| both.clone().narrow(1, index * head, *head);
        let (queries, keys, values) = (relu(part(0)), relu(part(1)), part(2));
        let totals = (queries.clone() * keys.clone().sum_dim(2)).sum_dim(1);
        let attended = values.matmul(keys.swap_dims(1, 2)).matmul(queries) / (totals + EPSILON);
        norm.forward(out.forward(attended.reshape([batch, 2 * channels, height, width])), latent) + x
    }
}

/// A convolution and its shortcut.
fn resampled(x: Tensor<4>, conv: &Conv, resampling: Resampling) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    match resampling {
        Resampling::Keep => {
            let changed = conv.forward(x.clone());
            let outputs = changed.dims()[1];
            changed + with_channels(x, outputs)
        }
        Resampling::Halve => {
            let changed = conv.forward(x.clone());
            let outputs = changed.dims()[1];
            let [height, width] = [height / 2, width / 2];
            let folded = x.reshape([channels, height, 2, width, 2]).permute([0, 2, 4, 1, 3]).reshape([
                batch,
                4 * channels,
                height,
                width,
            ]);
            changed + with_channels(folded, outputs)
        }
        Resampling::Double => {
            let [height, width] = [2 * height, 2 * width];
            let changed = conv.forward(enlarged(x.clone(), [height, width]));
            let outputs = changed.dims()[1];
            let unfolded = with_channels(x, 4 * outputs)
                .reshape([outputs, 2, 2, height / 2, width / 2])
                .permute([0, 3, 1, 4, 2])
                .reshape([batch, outputs, height, width]);
            changed + unfolded
        }
    }
}

/// As many channels, by averaging runs of neighbours or repeating each; one number divides the other.
fn with_channels(x: Tensor<4>, outputs: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    if outputs < channels {
        x.reshape([outputs, channels / outputs, height, width]).mean_dim(1).reshape([batch, outputs, height, width])
    } else {
        let repeated = x.reshape([channels, 1, height, width]).repeat_dim(1, outputs / channels);
        repeated.reshape([batch, outputs, height, width])
    }
}

/// Each position's nearest row of the codebook, `[entries, channels]`.
fn nearest_entries(x: Tensor<4>, codebook: &Tensor<2>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let (positions, [entries, _]) = (height * width, codebook.dims());
    let tokens = x.reshape([channels, positions]).transpose();
    // |z − e|² less |z|², which is the same for all entries.
    let squares = (codebook.clone() * codebook.clone()).sum_dim(1).transpose();
    let turned = codebook.clone().transpose();
    let chunk = (SCORES / entries).clamp(1, positions);
    let nearest = (0..positions).step_by(chunk).map(|start| {
        let tokens = tokens.clone().narrow(0, start, chunk.min(positions - start));
        let distances = squares.clone() - tokens.matmul(turned.clone()) * 2.0;
        codebook.clone().select(0, distances.argmin(1).squeeze_dim::<1>(1))
    });
    Tensor::cat(nearest.collect(), 0).transpose().reshape([batch, channels, height, width])
}

/// Repeats values up to a multiple of the size.
fn enlarged(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}

impl Conv {
    fn pointwise(weight: Tensor<4>) -> Self {
        Conv {
            weight,
            bias: None,
            options: ConvOptions { stride: [1; 2], padding: [(0, 0); 2], dilation: [1; 2], groups: 1 },
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv2d(x, self.weight.clone(), self.bias.clone(), self.options.clone())
    }
}

impl Linear {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }
}

impl GroupNorm {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let grouped = x.reshape([batch, self.groups, channels / self.groups * height, width]);
        let centred = grouped.clone() - mean_of_group(grouped);
        let variance = mean_of_group(centred.clone() * centred.clone());
        let normed = centred * (variance + self.epsilon).sqrt().recip();
        normed.reshape([batch, channels, height, width]) * self.scale.clone() + self.shift.clone()
    }
}

impl Norm {
    fn forward(&self, x: Tensor<4>, latent: Option<&Tensor<4>>) -> Tensor<4> {
        match self {
            Norm::Group(norm) => norm.forward(x),
            Norm::Spatial(spatial) => {
                let SpatialNorm { norm, scale, shift } = spatial.as_ref();
                let [_, _, height, width] = x.dims();
                let normed = norm.forward(x);
                // Architectures with spatial norms keep the latent first.
                let Some(latent) = latent else { return normed };
                // Computed on the latent and then enlarged: 1×1 convolutions commute with enlarging.
                let of_latent = |conv: &Conv| enlarged(conv.forward(latent.clone()), [height, width]);
                normed * of_latent(scale) + of_latent(shift)
            }
            Norm::Channel(gamma) => {
                let channels = x.dims()[1] as f64;
                let length = (x.clone() * x.clone()).sum_dim(1).sqrt().clamp_min(LEAST_LENGTH);
                x / length * channels.sqrt() * gamma.clone()
            }
            Norm::Rms(RmsNorm { scale, shift, epsilon }) => {
                let mean = (x.clone() * x.clone()).mean_dim(1);
                x * (mean + *epsilon).sqrt().recip() * scale.clone() + shift.clone()
            }
        }
    }
}

/// The mean over the last two dimensions, `[batch, groups, 1, 1]`. Row means first: short sums keep f32
/// accurate, and a device has rows enough to work on side by side.
fn mean_of_group(x: Tensor<4>) -> Tensor<4> {
    x.mean_dim(3).mean_dim(2)
}

struct Source<'a, P> {
    parameters: &'a mut P,
    device: &'a Device,
}

impl<P: Parameters> Source<'_, P> {
    fn take<const D: usize>(&mut self, prefix: &str, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.parameters.take(&format!("{prefix}.{name}"), shape, self.device)
    }

    fn conv(&mut self, spec: &ConvSpec) -> Conv {
        let padding = [spec.padding, spec.padding];
        Conv {
            weight: self.take(&spec.name, "weight", spec.weight_shape()),
            bias: spec.bias.then(|| self.take(&spec.name, "bias", [spec.output])),
            options: ConvOptions { stride: [spec.stride; 2], padding, dilation: [1; 2], groups: spec.groups },
        }
    }

    /// Weights and biases, `[1, channels, 1, 1]`.
    fn affine(&mut self, name: &str, channels: usize) -> [Tensor<4>; 2] {
        ["weight", "bias"].map(|part| self.take(name, part, [channels]).reshape([1, channels, 1, 1]))
    }

    fn group_norm(&mut self, spec: &GroupNormSpec) -> GroupNorm {
        let [scale, shift] = self.affine(&spec.name, spec.channels);
        GroupNorm { scale, shift, groups: spec.groups, epsilon: spec.epsilon }
    }

    fn norm(&mut self, spec: &NormSpec) -> Norm {
        match spec {
            NormSpec::Group(norm) => Norm::Group(self.group_norm(norm)),
            NormSpec::Spatial { norm, scale, shift } => Norm::Spatial(Box::new(SpatialNorm {
                norm: self.group_norm(norm),
                scale: self.conv(scale),
                shift: self.conv(shift),
            })),
            NormSpec::Channel(ChannelNormSpec { name, channels }) => {
                Norm::Channel(self.take(name, "gamma", [*channels]).reshape([1, *channels, 1, 1]))
            }
            NormSpec::Rms(RmsNormSpec { name, channels, epsilon }) => {
                let [scale, shift] = self.affine(name, *channels);
                Norm::Rms(RmsNorm { scale, shift, epsilon: *epsilon })
            }
        }
    }

    fn linear(&mut self, name: &str, channels: usize) -> Linear {
        let weight = self.take(name, "weight", [channels, channels]).transpose();
        let bias = self.take(name, "bias", [channels]).reshape([1, channels]);
        Linear { weight, bias }
    }
}
