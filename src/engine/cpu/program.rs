//! An encoder's or decoder's operations with their weights, and running them.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use burn::tensor::{Device, Tensor, TensorData};

use super::{
    Map,
    convolution::{Convolution, Fused},
    for_each_chunk,
};
use crate::{
    Error, Result,
    autoencoder::{
        Parameters,
        spec::{GroupNormSpec, MapSize},
    },
    engine::operations::{self, MapId, Operation, Transform, sizes},
};

/// Attention scores held at once: 16 MiB.
const SCORES: usize = 4 << 20;

/// Operations whose weights are packed for the CPU.
#[derive(Debug)]
pub struct Program {
    steps: Vec<Step>,
    device: Device,
}

#[derive(Debug)]
struct Step {
    operation: Operation,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    None,
    Convolution(Convolution),
    /// The learnt scale and shift of each channel.
    Norm(Vec<(f32, f32)>),
}

/// A program at work on one input.
#[derive(Debug)]
pub struct Run<'a> {
    program: &'a Program,
    sizes: Vec<MapSize>,
    /// The maps that are still needed.
    maps: Vec<Option<Map>>,
    /// Each channel's scale and shift, by [`Transform::Normalise`].
    affine: Vec<Vec<(f32, f32)>>,
    next: usize,
}

impl Program {
    /// Takes the parameters of `operations` and packs them.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`] if `device` does not give tensors at once, as the CPU does.
    pub fn load(operations: Vec<Operation>, parameters: &mut impl Parameters, device: &Device) -> Result<Self> {
        let mut packing = Packing { parameters, device };
        let steps = operations.into_iter().map(|operation| {
            let weights = match &operation {
                Operation::Convolution(conv) => Weights::Convolution(packing.convolution(conv)?),
                Operation::Statistics { norm, .. } => Weights::Norm(packing.norm(norm)?),
                Operation::Attention { .. } => Weights::None,
            };
            Ok(Step { operation, weights })
        });
        Ok(Program { steps: steps.collect::<Result<_>>()?, device: device.clone() })
    }

    /// Multiply-adds for an input of this size.
    pub fn multiply_adds(&self, input: MapSize) -> u64 {
        let sizes = self.sizes(input);
        self.steps.iter().map(|step| step.operation.multiply_adds(&sizes)).sum()
    }

    /// Begins with `[1, channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`] if the input is on another device.
    pub fn start(&self, input: Tensor<4>) -> Result<Run<'_>> {
        let [_, channels, height, width] = input.dims();
        let size = [channels, height, width];
        let sizes = self.sizes(size);
        let mut maps = vec![None; sizes.len()];
        maps[0] = Some(Map { values: values(input)?, size });
        Ok(Run { program: self, sizes, maps, affine: Vec::new(), next: 0 })
    }

    fn sizes(&self, input: MapSize) -> Vec<MapSize> {
        sizes(self.steps.iter().map(|step| &step.operation), input)
    }
}

impl Run<'_> {
    /// Computes the next operation; gives its multiply-adds, or `None` after the last.
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

    /// The last map, `[1, channels, height, width]`.
    pub fn result(mut self) -> Option<Tensor<4>> {
        let Map { values, size: [channels, height, width] } = self.maps.pop()??;
        Some(Tensor::from_data(TensorData::new(values, [1, channels, height, width]), &self.program.device))
    }

    /// Gives back the memory of maps that nothing reads any more.
    fn forget(&mut self) {
        let remaining = &self.program.steps[self.next..];
        for (map, values) in self.maps.iter_mut().enumerate() {
            let is_result = map + 1 == self.sizes.len();
            if !is_result && !remaining.iter().any(|step| step.operation.inputs().contains(&map)) {
                *values = None;
            }
        }
    }

    fn map(&self, map: MapId) -> Option<&Map> {
        self.maps.get(map)?.as_ref()
    }

    fn convolution(&self, conv: &operations::Convolution, packed: &Convolution) -> Option<Map> {
        let constant;
        let affine = match conv.transform {
            Transform::None => None,
            Transform::Affine { scale, shift } => {
                constant = vec![(scale as f32, shift as f32); packed.inputs];
                Some(constant.as_slice())
            }
            Transform::Normalise(id) => Some(self.affine.get(id)?.as_slice()),
        };
        let residual = match conv.residual {
            Some(residual) => Some(self.map(residual)?),
            None => None,
        };
        let fused = Fused { affine, activation: conv.activation, upsample: conv.upsample, residual, relu: conv.relu };
        let [_, height, width] = self.sizes[conv.output];
        Some(packed.compute(self.map(conv.input)?, [height, width], &fused))
    }

    /// Scale and shift of each channel, from means and variances in f64.
    fn normalisation(&self, map: MapId, norm: &GroupNormSpec, learnt: &[(f32, f32)]) -> Option<Vec<(f32, f32)>> {
        let map = self.map(map)?;
        let width = norm.channels / norm.groups;
        let count = (width * map.size[1] * map.size[2]) as f64;
        let sum = |values: &[f32], change: fn(f64, f64) -> f64, mean: f64| -> f64 {
            values.iter().map(|&value| change(f64::from(value), mean)).sum()
        };
        let mut affine = Vec::with_capacity(norm.channels);
        let channels: Vec<&[f32]> = map.channels().collect();
        for (group, learnt) in channels.chunks_exact(width).zip(learnt.chunks_exact(width)) {
            let total = |change, mean| group.iter().map(|values| sum(values, change, mean)).sum::<f64>();
            let mean = total(|value, _| value, 0.0) / count;
            let variance = total(|value, mean| (value - mean) * (value - mean), mean) / count;
            let inverse = 1.0 / (variance + norm.epsilon).sqrt();
            affine.extend(learnt.iter().map(|&(scale, shift)| {
                let scale = f64::from(scale) * inverse;
                (scale as f32, (f64::from(shift) - mean * scale) as f32)
            }));
        }
        Some(affine)
    }

    /// `softmax(qᵀ k) v`, some queries at a time.
    fn attention(&self, [queries, keys, values]: [MapId; 3]) -> Option<Map> {
        let (queries, keys, values) = (self.map(queries)?, self.map(keys)?, self.map(values)?);
        let [channels, height, width] = values.size;
        let positions = height * width;
        let line = |map: &Map| Map { values: map.values.clone(), size: [channels, 1, positions] };
        let keys = line(keys);
        let weigh = Convolution::pack(
            [channels, positions, 1],
            |channel, position, _| values.values[channel * positions + position],
            vec![0.0; channels],
        );
        let mut output = Map::zeros([channels, height, width]);
        let most = (SCORES / positions).max(1);
        for first in (0..positions).step_by(most) {
            let count = most.min(positions - first);
            let score = Convolution::pack(
                [count, channels, 1],
                |query, channel, _| queries.values[channel * positions + first + query],
                vec![0.0; count],
            );
            let mut scores = score.compute(&keys, [1, positions], &Fused::NOTHING);
            for_each_chunk(&mut scores.values, positions, |_, scores| softmax(scores));
            let mut weights = Map::zeros([positions, 1, count]);
            for_each_chunk(&mut weights.values, count, |position, weights| {
                for (weight, scores) in weights.iter_mut().zip(scores.channels()) {
                    *weight = scores[position];
                }
            });
            let part = weigh.compute(&weights, [1, count], &Fused::NOTHING);
            for (output, part) in output.values.chunks_exact_mut(positions).zip(part.channels()) {
                output[first..first + count].copy_from_slice(part);
            }
        }
        Some(output)
    }
}

fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Parameters on their way into the kernel's layout.
struct Packing<'a, P> {
    parameters: &'a mut P,
    device: &'a Device,
}

impl<P: Parameters> Packing<'_, P> {
    fn take<const D: usize>(&mut self, prefix: &str, name: &str, shape: [usize; D]) -> Result<Vec<f32>> {
        values(self.parameters.take(&format!("{prefix}.{name}"), shape, self.device))
    }

    fn convolution(&mut self, conv: &operations::Convolution) -> Result<Convolution> {
        let spec = &conv.spec;
        let weight = if conv.linear {
            self.take(&spec.name, "weight", [spec.output, spec.input])?
        } else {
            self.take(&spec.name, "weight", [spec.output, spec.input, spec.kernel, spec.kernel])?
        };
        let bias = if spec.bias { self.take(&spec.name, "bias", [spec.output])? } else { vec![0.0; spec.output] };
        let (scale, shift) = (conv.result.0 as f32, conv.result.1 as f32);
        let bias = bias[..conv.outputs].iter().map(|bias| bias * scale + shift).collect();
        let taps = spec.kernel * spec.kernel;
        let weight = |output, input, tap| weight[(output * spec.input + input) * taps + tap] * scale;
        let packed = Convolution::pack([conv.outputs, spec.input, spec.kernel], weight, bias);
        Ok(Convolution { stride: spec.stride, padding: spec.padding.0, ..packed })
    }

    fn norm(&mut self, norm: &GroupNormSpec) -> Result<Vec<(f32, f32)>> {
        let scale = self.take(&norm.name, "weight", [norm.channels])?;
        Ok(scale.into_iter().zip(self.take(&norm.name, "bias", [norm.channels])?).collect())
    }
}

/// A tensor's values. The CPU has them at once, so nothing need be awaited.
fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let failed = |detail: String| Error::DeviceFailed { detail };
    let read = pin!(tensor.into_data_async());
    match read.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(data) => {
            let data = data.map_err(|error| failed(error.to_string()))?;
            data.try_into_vec().map_err(|error| failed(format!("{error:?}")))
        }
        Poll::Pending => Err(failed("the tensor is not on the CPU".into())),
    }
}
