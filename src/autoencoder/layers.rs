//! The layers, computed with burn's own tensor operations on whichever device holds the tensors.

use burn::tensor::{
    Device, Tensor,
    activation::{relu, silu, softmax},
    module::{conv2d, interpolate},
    ops::{ConvOptions, InterpolateMode, InterpolateOptions},
};

use super::spec::{ConvSpec, GroupNormSpec, LayerSpec};

/// Attention scores held at once, in elements: queries are taken in chunks so that no N×N matrix exists.
const ATTENTION_SCORES: usize = 4 << 20;

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
    Resnet { norm1: GroupNorm, conv1: Conv, norm2: GroupNorm, conv2: Conv, shortcut: Option<Conv> },
    Attention { norm: GroupNorm, query: Linear, key: Linear, value: Linear, out: Linear },
    NormSilu(GroupNorm),
    UpsampleNearest,
    PosteriorMean,
    TinyBlock { convs: [Conv; 3], pool: Option<Pool> },
    Relu,
    SoftClamp(f64),
    Affine { scale: f64, shift: f64 },
}

impl Layer {
    /// Takes the layer's parameters.
    pub fn load(spec: &LayerSpec, parameters: &mut impl Parameters, device: &Device) -> Self {
        let from = &mut Source { parameters, device };
        Layer(match spec {
            LayerSpec::Conv(conv) => Kind::Conv(from.conv(conv)),
            LayerSpec::Resnet { norm1, conv1, norm2, conv2, shortcut } => Kind::Resnet {
                norm1: from.group_norm(norm1),
                conv1: from.conv(conv1),
                norm2: from.group_norm(norm2),
                conv2: from.conv(conv2),
                shortcut: shortcut.as_ref().map(|conv| from.conv(conv)),
            },
            LayerSpec::Attention { name, norm } => Kind::Attention {
                norm: from.group_norm(norm),
                query: from.linear(&format!("{name}.to_q"), norm.channels),
                key: from.linear(&format!("{name}.to_k"), norm.channels),
                value: from.linear(&format!("{name}.to_v"), norm.channels),
                out: from.linear(&format!("{name}.to_out.0"), norm.channels),
            },
            LayerSpec::NormSilu(norm) => Kind::NormSilu(from.group_norm(norm)),
            LayerSpec::UpsampleNearest => Kind::UpsampleNearest,
            LayerSpec::PosteriorMean => Kind::PosteriorMean,
            LayerSpec::TinyBlock { convs: [first, second, third], pool } => Kind::TinyBlock {
                pool: pool.as_ref().map(|pool| Pool {
                    widen: from.conv(&pool.widen),
                    norm: from.group_norm(&pool.norm),
                    narrow: from.conv(&pool.narrow),
                }),
                convs: [from.conv(first), from.conv(second), from.conv(third)],
            },
            LayerSpec::Relu => Kind::Relu,
            LayerSpec::SoftClamp { limit } => Kind::SoftClamp(*limit),
            LayerSpec::Affine { scale, shift } => Kind::Affine { scale: *scale, shift: *shift },
        })
    }

    /// # Shapes
    /// - `x`: `[1, channels, height, width]`
    /// - result: `[1, channels, height, width]` of [`LayerSpec::size`]
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.0 {
            Kind::Conv(conv) => conv.forward(x),
            Kind::Resnet { norm1, conv1, norm2, conv2, shortcut } => {
                let hidden = conv1.forward(silu(norm1.forward(x.clone())));
                let hidden = conv2.forward(silu(norm2.forward(hidden)));
                match shortcut {
                    Some(conv) => conv.forward(x) + hidden,
                    None => x + hidden,
                }
            }
            Kind::Attention { norm, query, key, value, out } => attention(x, norm, [query, key, value, out]),
            Kind::NormSilu(norm) => silu(norm.forward(x)),
            Kind::UpsampleNearest => {
                let [_, _, height, width] = x.dims();
                let options =
                    InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([2 * height, 2 * width]);
                interpolate(x, options)
            }
            Kind::PosteriorMean => {
                let channels = x.dims()[1] / 2;
                x.narrow(1, 0, channels)
            }
            Kind::TinyBlock { convs: [first, second, third], pool } => {
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

/// `x + out(softmax(q kᵀ / √channels) v)` over all `height · width` positions.
fn attention(x: Tensor<4>, norm: &GroupNorm, [query, key, value, out]: [&Linear; 4]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let positions = height * width;
    let tokens = norm.forward(x.clone()).reshape([channels, positions]).transpose();
    let scale = (channels as f64).powf(-0.5);
    let (queries, keys, values) =
        (query.forward(tokens.clone()) * scale, key.forward(tokens.clone()).transpose(), value.forward(tokens));
    let chunk = (ATTENTION_SCORES / positions).clamp(1, positions);
    let attended = (0..positions).step_by(chunk).map(|start| {
        let rows = queries.clone().narrow(0, start, chunk.min(positions - start));
        softmax(rows.matmul(keys.clone()), 1).matmul(values.clone())
    });
    let attended = Tensor::cat(attended.collect(), 0);
    x + out.forward(attended).transpose().reshape([batch, channels, height, width])
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

    fn linear(&mut self, name: &str, channels: usize) -> Linear {
        let weight = self.take(name, "weight", [channels, channels]).transpose();
        let bias = self.take(name, "bias", [channels]).reshape([1, channels]);
        Linear { weight, bias }
    }
}
