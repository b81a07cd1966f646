//! An encoder's or decoder's operations with their weights on the GPU, and running them.

use burn::tensor::{Device, Tensor};

use super::{
    convolution::{Shape, Variant},
    kernel::{Buffer, Queue},
};
use crate::{
    Result,
    autoencoder::{
        Parameters,
        spec::{GroupNormSpec, MapSize},
    },
    engine::operations::{Convolution, MapId, Operation, Transform, sizes},
};

/// Positions that one workgroup takes statistics of.
const CHUNK: usize = 4096;

/// Attention scores held at once, in vectors of four: 32 MiB.
const SCORE_VECTORS: usize = 2 << 20;

/// Keys that a workgroup of `attention_scores.wgsl` takes, and vectors that one of
/// `attention_values.wgsl` takes on each side.
const SCORE_KEYS: usize = 256;
const VALUE_VECTORS: usize = 16;

/// Operations whose weights are on a GPU.
#[derive(Debug)]
pub struct Program {
    steps: Vec<Step>,
    queue: Queue,
}

#[derive(Debug)]
struct Step {
    operation: Operation,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    None,
    Convolution(PackedConvolution),
    /// `[channels / 4, 2, 4]`: the learnt scale and shift.
    Norm(Buffer),
}

#[derive(Debug)]
struct PackedConvolution {
    variant: Variant,
    /// `[out / 4, in / 4, kernel, kernel, 4 of in, 4 of out]`.
    weight: Buffer,
    /// `[out / 4, 4]`.
    bias: Buffer,
    /// `[in / 4, 2, 4]`, scale and shift, where they are constants.
    affine: Option<Buffer>,
}

/// A program at work on one input.
#[derive(Debug)]
pub struct Run<'a> {
    program: &'a Program,
    /// Of every map.
    sizes: Vec<MapSize>,
    /// The maps that are still needed.
    maps: Vec<Option<Buffer>>,
    /// Each channel's scale and shift, by [`Transform::Normalise`].
    affine: Vec<Buffer>,
    next: usize,
}

impl Program {
    /// Takes the parameters of `operations` and packs them for the kernels.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`](crate::Error::DeviceFailed) if `device` is no GPU.
    pub fn load(operations: Vec<Operation>, parameters: &mut impl Parameters, device: &Device) -> Result<Self> {
        let queue = Queue::of(device)?;
        let mut packing = Packing { parameters, device, queue: &queue };
        let steps = operations.into_iter().map(|operation| {
            let weights = match &operation {
                Operation::Convolution(conv) => packing.convolution(conv)?,
                Operation::Statistics { norm, .. } => packing.norm(norm)?,
                Operation::Attention { .. } => Weights::None,
            };
            Ok(Step { operation, weights })
        });
        Ok(Program { steps: steps.collect::<Result<_>>()?, queue })
    }

    /// Multiply-adds for an input of this size.
    pub fn multiply_adds(&self, input: MapSize) -> u64 {
        let sizes = self.sizes(input);
        self.steps.iter().map(|step| step.operation.multiply_adds(&sizes)).sum()
    }

    /// Begins with `[1, channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`](crate::Error::DeviceFailed) if the input is on another device.
    pub fn start(&self, input: Tensor<4>) -> Result<Run<'_>> {
        let [_, channels, height, width] = input.dims();
        let sizes = self.sizes([channels, height, width]);
        let mut maps = vec![None; sizes.len()];
        let vectors = channels.div_ceil(4);
        let padded = padded(input, 1, 4).reshape([vectors, 4, height, width]).permute([0, 2, 3, 1]);
        maps[0] = Some(self.queue.buffer(padded)?);
        Ok(Run { program: self, sizes, maps, affine: Vec::new(), next: 0 })
    }

    fn sizes(&self, input: MapSize) -> Vec<MapSize> {
        sizes(self.steps.iter().map(|step| &step.operation), input)
    }
}

impl Run<'_> {
    /// Queues the next operation; gives its multiply-adds, or `None` after the last.
    pub fn step(&mut self) -> Option<u64> {
        let Step { operation, weights } = self.program.steps.get(self.next)?;
        match (operation, weights) {
            (Operation::Convolution(conv), Weights::Convolution(packed)) => {
                self.maps[conv.output] = self.convolution(conv, packed);
            }
            (Operation::Statistics { map, norm, .. }, Weights::Norm(learnt)) => {
                self.affine.extend(self.normalisation(*map, norm, learnt));
            }
            (Operation::Attention { queries, keys, values, output }, _) => {
                self.maps[*output] = self.attention([*queries, *keys, *values]);
            }
            // `Program::load` makes each operation's own weights.
            _ => {}
        }
        self.next += 1;
        self.forget();
        Some(operation.multiply_adds(&self.sizes))
    }

    /// Waits until everything queued has been computed.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`](crate::Error::DeviceFailed).
    pub async fn wait(&self) -> Result<()> {
        self.program.queue.wait().await
    }

    /// The last map, `[1, channels, height, width]`.
    pub fn result(mut self) -> Option<Tensor<4>> {
        let [channels, height, width] = self.sizes.pop()?;
        let vectors = channels.div_ceil(4);
        let map = self.program.queue.tensor(self.maps.pop()??, [vectors, height, width, 4]);
        Some(map.permute([0, 3, 1, 2]).reshape([1, 4 * vectors, height, width]).narrow(1, 0, channels))
    }

    /// Gives back the memory of maps that nothing reads any more.
    fn forget(&mut self) {
        let remaining = &self.program.steps[self.next..];
        for (map, buffer) in self.maps.iter_mut().enumerate() {
            let is_result = map + 1 == self.sizes.len();
            if !is_result && !remaining.iter().any(|step| step.operation.inputs().contains(&map)) {
                *buffer = None;
            }
        }
    }

    fn map(&self, map: MapId) -> Option<&Buffer> {
        self.maps.get(map)?.as_ref()
    }

    fn convolution(&self, conv: &Convolution, packed: &PackedConvolution) -> Option<Buffer> {
        let PackedConvolution { variant, weight, bias, affine } = packed;
        let ([inputs, height, width], [outputs, out_height, out_width]) =
            (self.sizes[conv.input], self.sizes[conv.output]);
        let (inputs, outputs) = (inputs.div_ceil(4), outputs.div_ceil(4));
        let output = self.program.queue.empty(outputs * out_height * out_width);
        let mut buffers = vec![self.map(conv.input)?, weight, bias, &output];
        if let Transform::Normalise(id) = conv.transform {
            buffers.push(self.affine.get(id)?);
        }
        buffers.extend(affine);
        if let Some(residual) = conv.residual {
            buffers.push(self.map(residual)?);
        }
        let shape = Shape::choose(variant.kernel, variant.stride, outputs, out_width);
        let [tile_width, tile_height] = shape.tile();
        let groups = [
            out_width.div_ceil(tile_width),
            out_height.div_ceil(tile_height),
            outputs.div_ceil(shape.output_vectors()),
        ];
        let numbers =
            [inputs, height, width, 0, height, outputs, out_width, 0, out_height, conv.spec.padding.0].map(as_u32);
        self.program.queue.launch(variant.source(&shape).as_str(), groups, &buffers, &numbers);
        Some(output)
    }

    fn normalisation(&self, map: MapId, norm: &GroupNormSpec, learnt: &Buffer) -> Option<Buffer> {
        let [channels, height, width] = self.sizes[map];
        let (vectors, positions) = (channels.div_ceil(4), height * width);
        let chunks = positions.div_ceil(CHUNK);
        let queue = &self.program.queue;
        let moments = queue.empty(2 * vectors * chunks);
        queue.launch(
            include_str!("statistics.wgsl"),
            [chunks, vectors, 1],
            &[self.map(map)?, &moments],
            &[as_u32(positions), as_u32(CHUNK)],
        );
        let affine = queue.empty(2 * vectors);
        let numbers = [positions, CHUNK, chunks, channels, norm.groups].map(as_u32);
        let numbers: Vec<u32> = numbers.into_iter().chain([(norm.epsilon as f32).to_bits()]).collect();
        queue.launch(include_str!("normalise.wgsl"), [norm.groups, 1, 1], &[&moments, learnt, &affine], &numbers);
        Some(affine)
    }

    fn attention(&self, [queries, keys, values]: [MapId; 3]) -> Option<Buffer> {
        let [channels, height, width] = self.sizes[queries];
        let (vectors, positions) = (channels.div_ceil(4), height * width);
        let queue = &self.program.queue;
        let output = queue.empty(vectors * positions);
        let all = positions.div_ceil(4);
        let most = (SCORE_VECTORS / positions).max(1);
        for first in (0..all).step_by(most) {
            let count = most.min(all - first);
            let scores = queue.empty(count * positions);
            let sums = queue.empty(count);
            let numbers = [positions, vectors, 4 * first, count].map(as_u32);
            queue.launch(
                include_str!("attention_scores.wgsl"),
                [positions.div_ceil(SCORE_KEYS), count.div_ceil(2), 1],
                &[self.map(queries)?, self.map(keys)?, &scores],
                &numbers,
            );
            queue.launch(
                include_str!("attention_softmax.wgsl"),
                [count, 1, 1],
                &[&scores, &sums],
                &[as_u32(positions)],
            );
            queue.launch(
                include_str!("attention_values.wgsl"),
                [count.div_ceil(VALUE_VECTORS), vectors.div_ceil(VALUE_VECTORS), 1],
                &[&scores, self.map(values)?, &sums, &output],
                &numbers,
            );
        }
        Some(output)
    }
}

/// Parameters on their way into the kernels' layouts.
struct Packing<'a, P> {
    parameters: &'a mut P,
    device: &'a Device,
    queue: &'a Queue,
}

impl<P: Parameters> Packing<'_, P> {
    fn take<const D: usize>(&mut self, prefix: &str, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.parameters.take(&format!("{prefix}.{name}"), shape, self.device)
    }

    fn convolution(&mut self, conv: &Convolution) -> Result<Weights> {
        let spec = &conv.spec;
        let weight = if conv.linear {
            self.take(&spec.name, "weight", [spec.output, spec.input]).reshape([spec.output, spec.input, 1, 1])
        } else {
            self.take(&spec.name, "weight", [spec.output, spec.input, spec.kernel, spec.kernel])
        };
        let bias = if spec.bias {
            self.take(&spec.name, "bias", [spec.output])
        } else {
            Tensor::zeros([spec.output], self.device)
        };
        let (scale, shift) = conv.result;
        let weight = weight.narrow(0, 0, conv.outputs) * scale;
        let bias = bias.narrow(0, 0, conv.outputs) * scale + shift;
        let (outputs, inputs, taps) = (conv.outputs.div_ceil(4), spec.input.div_ceil(4), spec.kernel * spec.kernel);
        let weight = padded(padded(weight, 0, 4), 1, 4).reshape([outputs, 4, inputs, 4, taps]).permute([0, 2, 4, 3, 1]);
        let affine = match conv.transform {
            Transform::Affine { scale, shift } => {
                let vector = |value: f64| Tensor::<3>::full([inputs, 1, 4], value, self.device);
                Some(self.queue.buffer(Tensor::cat(vec![vector(scale), vector(shift)], 1))?)
            }
            Transform::None | Transform::Normalise(_) => None,
        };
        let variant = Variant {
            kernel: spec.kernel,
            stride: spec.stride,
            transform: conv.transform != Transform::None,
            activation: conv.activation,
            upsample: conv.upsample,
            residual: conv.residual.is_some(),
            relu: conv.relu,
        };
        Ok(Weights::Convolution(PackedConvolution {
            variant,
            weight: self.queue.buffer(weight)?,
            bias: self.queue.buffer(padded(bias, 0, 4))?,
            affine,
        }))
    }

    fn norm(&mut self, norm: &GroupNormSpec) -> Result<Weights> {
        let mut vectors = |name| {
            let values = padded(self.take(&norm.name, name, [norm.channels]), 0, 4);
            values.reshape([norm.channels.div_ceil(4), 1, 4])
        };
        let learnt = Tensor::<3>::cat(vec![vectors("weight"), vectors("bias")], 1);
        Ok(Weights::Norm(self.queue.buffer(learnt)?))
    }
}

/// Zeros after the end of a dimension, up to a multiple.
fn padded<const D: usize>(tensor: Tensor<D>, dimension: usize, multiple: usize) -> Tensor<D> {
    let mut shape = tensor.dims();
    let missing = shape[dimension].next_multiple_of(multiple) - shape[dimension];
    if missing == 0 {
        return tensor;
    }
    shape[dimension] = missing;
    let zeros = Tensor::zeros(shape, &tensor.device());
    Tensor::cat(vec![tensor, zeros], dimension)
}

/// Sizes were checked against what the device can hold, far below 2³².
fn as_u32(size: usize) -> u32 {
    size as u32
}
