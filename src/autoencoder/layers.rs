//! The layers, computed with burn's own tensor operations on whichever device holds the tensors.

use burn::tensor::{
    Device, Tensor,
    activation::{relu, silu, softmax},
    module::{conv2d, interpolate},
    ops::{ConvOptions, InterpolateMode, InterpolateOptions},
};

use super::spec::{ChannelNormSpec, ConvSpec, GroupNormSpec, LayerSpec, NormSpec};

/// Scores of attention, or distances to a codebook, held at once, in elements: positions are taken in chunks so that
/// no whole matrix exists.
const SCORES: usize = 4 << 20;

/// Shorter vectors are not made longer by a channel norm (PyTorch's `normalize`).
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
#[expect(clippy::large_enum_variant, reason = "a network has a few dozen of them")]
enum Norm {
    Group(GroupNorm),
    Spatial(Box<SpatialNorm>),
    /// `[1, channels, 1, 1]`.
    Channel(Tensor<4>),
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
                // Computed on the latent and enlarged, since 1×1 convolutions do not mind the order.
                let of_latent = |conv: &Conv| enlarged(conv.forward(latent.clone()), [height, width]);
                normed * of_latent(scale) + of_latent(shift)
            }
            Norm::Channel(gamma) => {
                let channels = x.dims()[1] as f64;
                let length = (x.clone() * x.clone()).sum_dim(1).sqrt().clamp_min(LEAST_LENGTH);
                x / length * channels.sqrt() * gamma.clone()
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
            weight: self.take(&spec.name, "weight", [spec.output, spec.input, spec.kernel, spec.kernel]),
            bias: spec.bias.then(|| self.take(&spec.name, "bias", [spec.output])),
            options: ConvOptions { stride: [spec.stride; 2], padding, dilation: [1; 2], groups: 1 },
        }
    }

    fn group_norm(&mut self, spec: &GroupNormSpec) -> GroupNorm {
        let affine =
            |from: &mut Self, name| from.take(&spec.name, name, [spec.channels]).reshape([1, spec.channels, 1, 1]);
        let (scale, shift) = (affine(self, "weight"), affine(self, "bias"));
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
        }
    }

    fn linear(&mut self, name: &str, channels: usize) -> Linear {
        let weight = self.take(name, "weight", [channels, channels]).transpose();
        let bias = self.take(name, "bias", [channels]).reshape([1, channels]);
        Linear { weight, bias }
    }
}
