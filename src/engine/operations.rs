//! An encoder's or decoder's layers as the few operations that the kernels compute: convolutions that apply a
//! normalisation, an activation and an upsampling as they load, and add a residual as they store; group statistics;
//! attention; normalisations that read more than their channel; codebooks. Pure data, independent of any device.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use crate::autoencoder::spec::{ChannelNormSpec, ConvSpec, GroupNormSpec, LayerSpec, MapSize, NormSpec};

/// Which feature map; 0 is the pass's input.
pub type MapId = usize;

/// Which set of group statistics.
pub type StatisticsId = usize;

/// What is done to a convolution's input before its activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    None,
    /// The same `scale · x + shift` for every value.
    Affine {
        scale: f64,
        shift: f64,
    },
    /// The group normalisation whose statistics were computed before.
    Normalise(StatisticsId),
}

/// What is done to each value of a convolution's input after the transform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    None,
    Silu,
    Relu,
    /// `limit · tanh(x / limit)`.
    SoftClamp {
        limit: f64,
    },
}

/// One convolution with all that is fused into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Convolution {
    pub spec: ConvSpec,
    /// The weight is stored as a matrix `[out, in]`.
    pub linear: bool,
    /// Only the first outputs are computed.
    pub outputs: usize,
    pub input: MapId,
    pub output: MapId,
    pub transform: Transform,
    pub activation: Activation,
    /// The input is repeated ×2 in both directions.
    pub upsample: bool,
    /// Added to the result.
    pub residual: Option<MapId>,
    pub relu: bool,
    /// `(scale, shift)` of the result, folded into weight and bias.
    pub result: (f64, f64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    Convolution(Convolution),
    /// Group means and variances of a map, for a later [`Transform::Normalise`].
    Statistics {
        map: MapId,
        norm: GroupNormSpec,
        id: StatisticsId,
    },
    /// `softmax(qᵀ k) v` over all positions; the scale is in the queries.
    Attention {
        queries: MapId,
        keys: MapId,
        values: MapId,
        output: MapId,
    },
    /// [`NormSpec::Spatial`]: a map normalised by its statistics, then `· scale + shift`, two smaller maps whose values
    /// are repeated.
    Modulate {
        input: MapId,
        statistics: StatisticsId,
        scale: MapId,
        shift: MapId,
        silu: bool,
        output: MapId,
    },
    /// [`NormSpec::Channel`].
    ChannelNorm {
        input: MapId,
        norm: ChannelNormSpec,
        silu: bool,
        output: MapId,
    },
    /// [`LayerSpec::Quantise`].
    Quantise {
        input: MapId,
        codebook: Codebook,
        output: MapId,
    },
}

/// The table of [`LayerSpec::Quantise`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codebook {
    /// Prefix of `.weight`.
    pub name: String,
    pub entries: usize,
    pub channels: usize,
}

impl Operation {
    /// Maps that the operation reads.
    pub fn inputs(&self) -> Vec<MapId> {
        match self {
            Operation::Convolution(conv) => [Some(conv.input), conv.residual].into_iter().flatten().collect(),
            Operation::Statistics { map, .. } => vec![*map],
            Operation::Attention { queries, keys, values, .. } => vec![*queries, *keys, *values],
            Operation::Modulate { input, scale, shift, .. } => vec![*input, *scale, *shift],
            Operation::ChannelNorm { input, .. } | Operation::Quantise { input, .. } => vec![*input],
        }
    }

    /// The map that the operation makes.
    pub fn output(&self) -> Option<MapId> {
        match self {
            Operation::Convolution(conv) => Some(conv.output),
            Operation::Statistics { .. } => None,
            Operation::Attention { output, .. }
            | Operation::Modulate { output, .. }
            | Operation::ChannelNorm { output, .. }
            | Operation::Quantise { output, .. } => Some(*output),
        }
    }

    /// The size of the map it makes, from the sizes of the maps before it.
    pub fn size(&self, sizes: &[MapSize]) -> Option<MapSize> {
        match self {
            Operation::Convolution(conv) => {
                let [channels, height, width] = sizes[conv.input];
                let factor = 1 + usize::from(conv.upsample);
                let [_, height, width] = conv.spec.size([channels, factor * height, factor * width]);
                Some([conv.outputs, height, width])
            }
            Operation::Statistics { .. } => None,
            Operation::Attention { queries, .. } => Some(sizes[*queries]),
            Operation::Modulate { input, .. }
            | Operation::ChannelNorm { input, .. }
            | Operation::Quantise { input, .. } => Some(sizes[*input]),
        }
    }

    /// Multiply-adds, from the sizes of all maps.
    pub fn multiply_adds(&self, sizes: &[MapSize]) -> u64 {
        let elements = |map: MapId| sizes[map].iter().map(|&side| side as u64).product::<u64>();
        match self {
            Operation::Convolution(conv) => {
                elements(conv.output) * (conv.spec.input * conv.spec.kernel * conv.spec.kernel) as u64
            }
            Operation::Statistics { map, .. } => elements(*map),
            Operation::Modulate { input, .. } | Operation::ChannelNorm { input, .. } => elements(*input),
            Operation::Quantise { input, codebook, .. } => elements(*input) * codebook.entries as u64,
            Operation::Attention { queries, .. } => {
                let positions = (sizes[*queries][1] * sizes[*queries][2]) as u64;
                2 * positions * elements(*queries)
            }
        }
    }
}

/// The sizes of all maps for an input of this size.
pub fn sizes<'a>(operations: impl IntoIterator<Item = &'a Operation>, input: MapSize) -> Vec<MapSize> {
    let mut sizes = vec![input];
    for operation in operations {
        // Maps are numbered in the order in which they are made.
        sizes.extend(operation.size(&sizes));
    }
    sizes
}

/// Turns layers into operations. `None` if a layer stands in a place that the kernels do not cover; the plain layers
/// can compute it then.
pub fn lower(layers: &[LayerSpec]) -> Option<Vec<Operation>> {
    let mut lowering =
        Lowering { operations: Vec::new(), map: 0, maps: 1, statistics: 0, latent: None, pending: Pending::NONE };
    for (index, layer) in layers.iter().enumerate() {
        lowering.layer(layer, index + 1 == layers.len())?;
    }
    (lowering.pending == Pending::NONE).then_some(lowering.operations)
}

/// What the next convolution applies as it loads.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pending {
    transform: Transform,
    activation: Activation,
    upsample: bool,
}

impl Pending {
    const NONE: Pending = Pending { transform: Transform::None, activation: Activation::None, upsample: false };
}

struct Lowering {
    operations: Vec<Operation>,
    /// The map that the next layer takes.
    map: MapId,
    maps: usize,
    statistics: usize,
    /// By [`LayerSpec::KeepLatent`].
    latent: Option<MapId>,
    pending: Pending,
}

impl Lowering {
    fn layer(&mut self, layer: &LayerSpec, last: bool) -> Option<()> {
        let takes_pending = matches!(layer, LayerSpec::Conv(_) | LayerSpec::UpsampleNearest);
        if !takes_pending && self.pending != Pending::NONE {
            return None;
        }
        let x = self.map;
        match layer {
            LayerSpec::Conv(spec) if spec.groups > 1 => return None,
            LayerSpec::Conv(spec) => {
                let pending = std::mem::replace(&mut self.pending, Pending::NONE);
                self.map = self.convolution(x, spec, |conv| {
                    (conv.transform, conv.activation, conv.upsample) =
                        (pending.transform, pending.activation, pending.upsample);
                });
            }
            LayerSpec::Resnet { norm1, conv1, norm2, conv2, shortcut } => {
                let hidden = self.normalised(x, norm1, conv1, Activation::Silu, None)?;
                let residual = match shortcut {
                    Some(spec) => self.convolution(x, spec, |_| {}),
                    None => x,
                };
                self.map = self.normalised(hidden, norm2, conv2, Activation::Silu, Some(residual))?;
            }
            LayerSpec::Attention { name, norm } => {
                let channels = norm.channels();
                let (normed, transform, _) = self.norm(x, norm, Activation::None)?;
                let scale = (channels as f64).powf(-0.5);
                let linear = |lowering: &mut Self, part: &str, input, change: &dyn Fn(&mut Convolution)| {
                    let spec = ConvSpec::pointwise(format!("{name}.{part}"), channels, channels);
                    lowering.convolution(input, &spec, |conv| {
                        conv.linear = true;
                        change(conv);
                    })
                };
                // The queries last: they need not be whole, so a plan may end a segment before them.
                let [keys, values, queries] = [("to_k", 1.0), ("to_v", 1.0), ("to_q", scale)].map(|(part, scale)| {
                    linear(self, part, normed, &|conv| {
                        conv.transform = transform;
                        conv.result = (scale, 0.0);
                    })
                });
                let attended = self.new_map();
                self.operations.push(Operation::Attention { queries, keys, values, output: attended });
                self.map = linear(self, "to_out.0", attended, &|conv| conv.residual = Some(x));
            }
            LayerSpec::NormSilu(norm) => {
                let (map, transform, activation) = self.norm(x, norm, Activation::Silu)?;
                self.map = map;
                self.pending = Pending { transform, activation, upsample: false };
            }
            LayerSpec::NormRelu(_)
            | LayerSpec::NormedResnet { .. }
            | LayerSpec::Resampled { .. }
            | LayerSpec::LinearAttention { .. }
            | LayerSpec::Gated { .. } => return None,
            LayerSpec::UpsampleNearest => self.pending.upsample = true,
            LayerSpec::KeepLatent => self.latent = Some(x),
            LayerSpec::Quantise { name, entries, channels } => {
                let codebook = Codebook { name: name.clone(), entries: *entries, channels: *channels };
                self.map = self.new_map();
                self.operations.push(Operation::Quantise { input: x, codebook, output: self.map });
            }
            LayerSpec::PosteriorMean => {
                let conv = self.last_convolution()?;
                conv.outputs = (conv.residual.is_none()).then_some(conv.outputs / 2)?;
            }
            LayerSpec::TinyBlock { convs: [first, second, third], pool } => {
                let x = match pool {
                    Some(pool) => {
                        let wide = self.convolution(x, &pool.widen, |_| {});
                        self.normalised(wide, &pool.norm.clone().into(), &pool.narrow, Activation::Relu, Some(x))?
                    }
                    None => x,
                };
                let hidden = self.convolution(x, first, |conv| conv.relu = true);
                let hidden = self.convolution(hidden, second, |conv| conv.relu = true);
                self.map = self.convolution(hidden, third, |conv| {
                    conv.residual = Some(x);
                    conv.relu = true;
                });
            }
            LayerSpec::Relu => self.last_convolution()?.relu = true,
            LayerSpec::SoftClamp { limit } => self.pending.activation = Activation::SoftClamp { limit: *limit },
            LayerSpec::Affine { scale, shift } if last => {
                let conv = self.last_convolution()?;
                if conv.relu || conv.residual.is_some() {
                    return None;
                }
                conv.result = (*scale, *shift);
            }
            LayerSpec::Affine { scale, shift } => {
                self.pending.transform = Transform::Affine { scale: *scale, shift: *shift };
            }
        }
        Some(())
    }

    fn new_map(&mut self) -> MapId {
        self.maps += 1;
        self.maps - 1
    }

    fn statistics(&mut self, map: MapId, norm: &GroupNormSpec) -> StatisticsId {
        let id = self.statistics;
        self.statistics += 1;
        self.operations.push(Operation::Statistics { map, norm: norm.clone(), id });
        id
    }

    fn convolution(&mut self, input: MapId, spec: &ConvSpec, change: impl FnOnce(&mut Convolution)) -> MapId {
        let output = self.new_map();
        let mut conv = Convolution {
            spec: spec.clone(),
            linear: false,
            outputs: spec.output,
            input,
            output,
            transform: Transform::None,
            activation: Activation::None,
            upsample: false,
            residual: None,
            relu: false,
            result: (1.0, 0.0),
        };
        change(&mut conv);
        self.operations.push(Operation::Convolution(conv));
        output
    }

    fn normalised(
        &mut self,
        input: MapId,
        norm: &NormSpec,
        spec: &ConvSpec,
        activation: Activation,
        residual: Option<MapId>,
    ) -> Option<MapId> {
        let (input, transform, activation) = self.norm(input, norm, activation)?;
        Some(self.convolution(input, spec, |conv| {
            (conv.transform, conv.activation, conv.residual) = (transform, activation, residual);
        }))
    }

    /// Normalises a map: what a convolution then reads, and what it has still to do as it loads.
    fn norm(
        &mut self,
        input: MapId,
        norm: &NormSpec,
        activation: Activation,
    ) -> Option<(MapId, Transform, Activation)> {
        let silu = match activation {
            Activation::None => false,
            Activation::Silu => true,
            Activation::Relu | Activation::SoftClamp { .. } if matches!(norm, NormSpec::Group(_)) => false,
            Activation::Relu | Activation::SoftClamp { .. } => return None,
        };
        let output = match norm {
            NormSpec::Group(norm) => {
                return Some((input, Transform::Normalise(self.statistics(input, norm)), activation));
            }
            NormSpec::Spatial { norm, scale, shift } => {
                let latent = self.latent?;
                let [scale, shift] = [scale, shift].map(|spec| self.convolution(latent, spec, |_| {}));
                let statistics = self.statistics(input, norm);
                let output = self.new_map();
                self.operations.push(Operation::Modulate { input, statistics, scale, shift, silu, output });
                output
            }
            NormSpec::Rms(_) => return None,
            NormSpec::Channel(norm) => {
                let output = self.new_map();
                self.operations.push(Operation::ChannelNorm { input, norm: norm.clone(), silu, output });
                output
            }
        };
        Some((output, Transform::None, Activation::None))
    }

    /// The convolution that made the current map, if one did and nothing else uses it yet.
    fn last_convolution(&mut self) -> Option<&mut Convolution> {
        match self.operations.last_mut() {
            Some(Operation::Convolution(conv)) if conv.output == self.map => Some(conv),
            _ => None,
        }
    }
}
