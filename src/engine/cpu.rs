//! The operations on the CPU, in f32. Maps are `[channels, rows, width]`, row by row.
//!
//! There is one kernel, a product of matrices: four output channels by eight cells in registers, which compilers
//! turn into vector instructions. A convolution first stages an area of its input as such matrices, transformed,
//! activated, enlarged and with the zeros around the map in place, so that the kernel meets no special case.
//! Attention is made of the same kernel: scores and weighted sums are 1×1 convolutions whose weights are
//! the queries and the values.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

mod activation;
mod convolution;
#[cfg(any(target_arch = "wasm32", test))]
mod copies;
#[cfg(target_arch = "wasm32")]
pub(crate) mod thread_pool;
mod winograd;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use burn::tensor::Tensor;

use self::{
    activation::change,
    convolution::{Convolution, Fused},
};
use super::{
    error_sums::{ErrorSums, error_sums},
    kernels::{Band, Kernels, Modulated, Sources},
    operations::{self, Activation, Codebook, Transform},
    plan::{Limits, Rows},
};
use crate::{
    Error, Result,
    autoencoder::{
        LEAST_LENGTH,
        spec::{GroupNormSpec, MapSize},
    },
    image::orientation::Orientation,
};

/// Attention scores held at once: 4 MiB.
const SCORES: usize = 1 << 20;

/// The kernels on the CPU.
#[derive(Debug)]
pub struct Cpu {
    buffer_bytes: u64,
}

impl Cpu {
    /// The kernels, with buffers of at most so many bytes.
    pub fn new(buffer_bytes: u64) -> Self {
        Cpu { buffer_bytes }
    }
}

/// Moments of one channel so far, in f64.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    count: f64,
    mean: f64,
    /// Summed squared deviations from the mean.
    squares: f64,
}

impl Moments {
    fn of(values: &[f32]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count.max(1.0);
        let squares = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
        Moments { count, mean, squares }
    }

    /// Merges both (Chan's formula).
    fn merge(self, other: Moments) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let (difference, share) = (other.mean - self.mean, other.count / count);
        Moments {
            count,
            mean: self.mean + difference * share,
            squares: self.squares + other.squares + difference * difference * self.count * share,
        }
    }
}

impl Kernels for Cpu {
    type Buffer = Vec<f32>;
    type Convolution = Convolution;
    type Norm = Vec<(f32, f32)>;
    type Table = Vec<f32>;
    type Moments = Vec<Moments>;
    type Affine = Vec<(f32, f32)>;

    fn limits(&self) -> Limits {
        Limits { memory: u64::MAX, buffer: self.buffer_bytes, channel_multiple: 1, value_bytes: 4, attention_scratch }
    }

    fn pack_convolution(
        &self,
        conv: &operations::Convolution,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Result<Convolution> {
        let spec = &conv.spec;
        let (weight, bias) = (values(weight)?, values(bias)?);
        let taps = spec.kernel * spec.kernel;
        let weight = |output, input, tap| weight[(output * spec.input + input) * taps + tap];
        let sizes = [conv.outputs, spec.input, spec.kernel];
        Ok(Convolution::pack(sizes, [spec.stride, spec.padding.0], weight, bias))
    }

    fn pack_norm(&self, scale: Tensor<1>, shift: Tensor<1>) -> Result<Vec<(f32, f32)>> {
        Ok(values(scale)?.into_iter().zip(values(shift)?).collect())
    }

    fn pack_table(&self, table: Tensor<2>) -> Result<Vec<f32>> {
        values(table)
    }

    fn allocate(&self, bytes: u64, _: bool) -> Vec<f32> {
        vec![0.0; (bytes / 4) as usize]
    }

    fn release(&self) {
        #[cfg(target_arch = "wasm32")]
        thread_pool::release();
    }

    fn write(&self, band: &mut Band<Vec<f32>>, rows: Rows, values: &[f32]) -> Result<()> {
        let width = band.size[2];
        let planes = band.buffer.chunks_exact_mut(band.rows.len() * width);
        for (plane, values) in planes.zip(values.chunks_exact(rows.len() * width)) {
            plane[(rows.start - band.rows.start) * width..][..values.len()].copy_from_slice(values);
        }
        Ok(())
    }

    fn convolve(
        &self,
        conv: &operations::Convolution,
        packed: &Convolution,
        sources: Sources<'_, Self>,
        output: &mut Band<Vec<f32>>,
        rows: Rows,
    ) -> Result<()> {
        let constant;
        let affine = match conv.transform {
            Transform::Affine { scale, shift } => {
                constant = vec![(scale as f32, shift as f32); packed.inputs()];
                Some(constant.as_slice())
            }
            Transform::None | Transform::Normalise(_) => sources.affine.map(Vec::as_slice),
        };
        let fused = Fused {
            affine,
            activation: conv.activation,
            upsample: conv.upsample,
            residual: sources.residual,
            relu: conv.relu,
        };
        #[cfg(not(target_arch = "wasm32"))]
        packed.compute(sources.input, output, rows, &fused);
        #[cfg(target_arch = "wasm32")]
        thread_pool::compute(conv, packed, sources.input, output, rows, &fused);
        Ok(())
    }

    fn begin_statistics(&self, [channels, _, _]: MapSize, _: usize) -> Vec<Moments> {
        vec![Moments::default(); channels]
    }

    fn gather(&self, moments: &mut Vec<Moments>, input: &Band<Vec<f32>>, rows: Rows) -> Result<()> {
        let width = input.size[2];
        let planes = input.buffer.chunks_exact(input.rows.len() * width);
        for (moments, plane) in moments.iter_mut().zip(planes) {
            let values = &plane[(rows.start - input.rows.start) * width..][..rows.len() * width];
            *moments = moments.merge(Moments::of(values));
        }
        Ok(())
    }

    fn normalise(
        &self,
        moments: Vec<Moments>,
        norm: &GroupNormSpec,
        learnt: &Vec<(f32, f32)>,
    ) -> Result<Vec<(f32, f32)>> {
        let width = norm.channels / norm.groups;
        let mut affine = Vec::with_capacity(norm.channels);
        for (group, learnt) in moments.chunks_exact(width).zip(learnt.chunks_exact(width)) {
            let all = group.iter().fold(Moments::default(), |all, &one| all.merge(one));
            let inverse = 1.0 / (all.squares / all.count + norm.epsilon).sqrt();
            affine.extend(learnt.iter().map(|&(scale, shift)| {
                let scale = f64::from(scale) * inverse;
                (scale as f32, (f64::from(shift) - all.mean * scale) as f32)
            }));
        }
        Ok(affine)
    }

    /// `softmax(qᵀ k) v`, some queries at a time.
    fn attend(
        &self,
        [queries, keys, values]: [&Band<Vec<f32>>; 3],
        output: &mut Band<Vec<f32>>,
        rows: Rows,
    ) -> Result<()> {
        let [channels, height, width] = keys.size;
        let positions = height * width;
        let keys = Band::whole(keys.buffer.as_slice(), [channels, 1, positions]);
        let weigh = Convolution::pack(
            [channels, positions, 1],
            [1, 0],
            |channel, position, _| values.buffer[channel * positions + position],
            vec![0.0; channels],
        );
        let (query_plane, output_plane) = (queries.rows.len() * width, output.rows.len() * width);
        let first_query = (rows.start - queries.rows.start) * width;
        let first_output = (rows.start - output.rows.start) * width;
        let all = rows.len() * width;
        let most = (SCORES / positions).max(1);
        for first in (0..all).step_by(most) {
            let count = most.min(all - first);
            let score = Convolution::pack(
                [count, channels, 1],
                [1, 0],
                |query, channel, _| queries.buffer[channel * query_plane + first_query + first + query],
                vec![0.0; count],
            );
            let mut scores = Band::whole(vec![0.0; count * positions], [count, 1, positions]);
            score.compute(&keys, &mut scores, 0..1, &Fused::NOTHING);
            for_each_chunk(&mut scores.buffer, positions, || (), |(), _, scores| softmax(scores));
            let mut weights = Band::whole(vec![0.0; count * positions], [positions, 1, count]);
            for_each_chunk(
                &mut weights.buffer,
                count,
                || (),
                |(), position, weights| {
                    for (weight, scores) in weights.iter_mut().zip(scores.buffer.chunks_exact(positions)) {
                        *weight = scores[position];
                    }
                },
            );
            let mut part = Band::whole(vec![0.0; channels * count], [channels, 1, count]);
            weigh.compute(&weights, &mut part, 0..1, &Fused::NOTHING);
            for (output, part) in output.buffer.chunks_exact_mut(output_plane).zip(part.buffer.chunks_exact(count)) {
                output[first_output + first..][..count].copy_from_slice(part);
            }
        }
        Ok(())
    }

    fn modulate(&self, sources: Modulated<'_, Self>, output: &mut Band<Vec<f32>>, rows: Rows) -> Result<()> {
        let Modulated { input, affine, scale, shift, silu } = sources;
        let (width, latent_width) = (input.size[2], scale.size[2]);
        let factor = width / latent_width;
        each_plane(output, &rows, |channel, output| {
            let input = plane_of(input, channel, &rows);
            let rows = rows.clone().zip(output.chunks_exact_mut(width).zip(input.chunks_exact(width)));
            for (row, (output, input)) in rows {
                output.copy_from_slice(input);
                change(output, affine.get(channel).copied(), Activation::None);
                let lower = row / factor..row / factor + 1;
                let (scale, shift) = (plane_of(scale, channel, &lower), plane_of(shift, channel, &lower));
                for (values, (scale, shift)) in output.chunks_mut(factor).zip(scale.iter().zip(shift)) {
                    values.iter_mut().for_each(|value| *value = *value * scale + shift);
                }
                change(output, None, activation(silu));
            }
        });
        Ok(())
    }

    fn normalise_channels(
        &self,
        gamma: &Vec<f32>,
        silu: bool,
        input: &Band<Vec<f32>>,
        output: &mut Band<Vec<f32>>,
        rows: Rows,
    ) -> Result<()> {
        let [channels, _, width] = input.size;
        let mut factors = vec![0.0f32; rows.len() * width];
        for channel in 0..channels {
            let plane = plane_of(input, channel, &rows);
            factors.iter_mut().zip(plane).for_each(|(squares, value)| *squares += value * value);
        }
        let root = (channels as f32).sqrt();
        factors.iter_mut().for_each(|squares| *squares = root / squares.sqrt().max(LEAST_LENGTH as f32));
        each_plane(output, &rows, |channel, output| {
            let values = plane_of(input, channel, &rows).iter().zip(&factors);
            for (output, (value, factor)) in output.iter_mut().zip(values) {
                *output = value * factor * gamma[channel];
            }
            change(output, None, activation(silu));
        });
        Ok(())
    }

    fn quantise(
        &self,
        codebook: &Codebook,
        table: &Vec<f32>,
        input: &Band<Vec<f32>>,
        output: &mut Band<Vec<f32>>,
        rows: Rows,
    ) -> Result<()> {
        let channels = codebook.channels;
        let planes: Vec<&[f32]> = (0..channels).map(|channel| plane_of(input, channel, &rows)).collect();
        let mut nearest = vec![0usize; rows.len() * input.size[2]];
        let distance = |position: usize, entry: &[f32]| {
            planes.iter().zip(entry).map(|(plane, value)| (plane[position] - value).powi(2)).sum::<f32>()
        };
        for_each_chunk(
            &mut nearest,
            1,
            || (),
            |(), position, nearest| {
                let entries = table.chunks_exact(channels).map(|entry| distance(position, entry)).enumerate();
                let least = entries.min_by(|(_, a), (_, b)| a.total_cmp(b));
                nearest.fill(least.map_or(0, |(entry, _)| entry));
            },
        );
        each_plane(output, &rows, |channel, output| {
            output.iter_mut().zip(&nearest).for_each(|(value, entry)| *value = table[entry * channels + channel]);
        });
        Ok(())
    }

    async fn squared_difference(&self, a: &Band<Vec<f32>>, b: &Band<Vec<f32>>) -> Result<f64> {
        Ok(a.buffer.iter().zip(&b.buffer).map(|(a, b)| f64::from(a - b).powi(2)).sum())
    }

    async fn error_sums(
        &self,
        made: &Band<Vec<f32>>,
        input: &Band<Vec<f32>>,
        orientation: Orientation,
    ) -> Result<ErrorSums> {
        let [_, height, width] = input.size;
        Ok(error_sums(&made.buffer, &input.buffer, orientation.sides([height, width]), orientation))
    }

    async fn read(&self, map: &Band<Vec<f32>>) -> Result<Vec<f32>> {
        Ok(map.buffer.clone())
    }
}

fn activation(silu: bool) -> Activation {
    if silu { Activation::Silu } else { Activation::None }
}

/// Some rows of one channel.
fn plane_of<'a>(band: &'a Band<Vec<f32>>, channel: usize, rows: &Rows) -> &'a [f32] {
    let width = band.size[2];
    &band.buffer[(channel * band.rows.len() + rows.start - band.rows.start) * width..][..rows.len() * width]
}

/// Calls `work` with the number of each channel and some rows of it.
fn each_plane(band: &mut Band<Vec<f32>>, rows: &Rows, work: impl Fn(usize, &mut [f32]) + Sync + Send) {
    let width = band.size[2];
    let (first, plane) = ((rows.start - band.rows.start) * width, band.rows.len() * width);
    for_each_chunk(
        &mut band.buffer,
        plane,
        || (),
        |(), channel, values| {
            work(channel, &mut values[first..][..rows.len() * width]);
        },
    );
}

/// Bytes of the values as weights, and of three times the scores.
fn attention_scratch([channels, height, width]: MapSize) -> u64 {
    let positions = height * width;
    4 * ((channels.next_multiple_of(4) * positions) as u64 + 3 * SCORES.max(positions) as u64)
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

/// A tensor's values. The CPU has them at once, so nothing needs to be awaited.
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

/// Calls `work` with the number and the values of each chunk, on all cores where there are threads. `start` gives each
/// thread its own state.
fn for_each_chunk<V: Send, S>(
    values: &mut [V],
    length: usize,
    start: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, usize, &mut [V]) + Sync + Send,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let chunks = values.par_chunks_mut(length).enumerate();
        chunks.for_each_init(start, |state, (index, chunk)| work(state, index, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let mut state = start();
        values.chunks_mut(length).enumerate().for_each(|(index, chunk)| work(&mut state, index, chunk));
    }
}
