//! The convolution kernel.

use super::for_each_chunk;
use crate::engine::{kernels::Band, operations::Activation, plan::Rows};

/// Output channels and pixels that the kernel holds in registers.
const CHANNELS: usize = 4;
const PIXELS: usize = 8;

/// Values staged at once, about: 2 MiB, so that they stay in a core's cache.
const STAGED: usize = 512 << 10;
/// A few rows at least, since each batch stages the rows around it again.
const FEWEST_ROWS: usize = 4;

/// A convolution's sizes and weights.
#[derive(Debug)]
pub struct Convolution {
    pub kernel: usize,
    pub stride: usize,
    /// Zero rows and columns before the map.
    pub padding: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// `[out / 4, in, kernel, kernel, 4 of out]`, the last channels padded with zeros.
    pub weights: Vec<f32>,
    /// `[out]`.
    pub bias: Vec<f32>,
}

/// What happens to the values on their way in and out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fused<'a> {
    /// Scale and shift of each input channel.
    pub affine: Option<&'a [(f32, f32)]>,
    pub activation: Activation,
    pub upsample: bool,
    /// Rows of a map of the output's size; added.
    pub residual: Option<&'a Band<Vec<f32>>>,
    pub relu: bool,
}

impl Fused<'_> {
    pub const NOTHING: Self =
        Fused { affine: None, activation: Activation::None, upsample: false, residual: None, relu: false };
}

/// Rows of the input as the kernel reads them.
struct Stage {
    /// `[in, rows, stride, columns]`: with stride 2, a row's even columns stand before its odd ones.
    values: Vec<f32>,
    rows: usize,
    columns: usize,
}

impl Convolution {
    /// Packs weights, `weight(out, in, tap)`.
    pub fn pack(
        [outputs, inputs, kernel]: [usize; 3],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: Vec<f32>,
    ) -> Self {
        let taps = kernel * kernel;
        let mut weights = Vec::with_capacity(outputs.next_multiple_of(CHANNELS) * inputs * taps);
        for block in (0..outputs).step_by(CHANNELS) {
            for input in 0..inputs {
                for tap in 0..taps {
                    let outputs = (block..block + CHANNELS)
                        .map(|output| if output < outputs { weight(output, input, tap) } else { 0.0 });
                    weights.extend(outputs);
                }
            }
        }
        Convolution { kernel, stride: 1, padding: 0, inputs, outputs, weights, bias }
    }

    /// Computes `rows` of the result.
    pub(super) fn compute(&self, input: &Band<Vec<f32>>, output: &mut Band<Vec<f32>>, rows: Rows, fused: &Fused<'_>) {
        let width = output.size[2];
        let row_values = self.inputs * self.stride * self.columns(width) * self.stride;
        let batch = (STAGED / row_values.max(1)).max(FEWEST_ROWS);
        let plane = output.rows.len() * width;
        for first in rows.clone().step_by(batch) {
            let count = batch.min(rows.end - first);
            let stage = self.stage(input, first, count, width, fused);
            let block = CHANNELS * plane;
            for_each_chunk(&mut output.buffer[..self.outputs * plane], block, |index, planes| {
                let weights = CHANNELS * self.inputs * self.kernel * self.kernel;
                let weights = &self.weights[index * weights..][..weights];
                for y in 0..count {
                    let row = first + y;
                    for x in (0..width).step_by(PIXELS) {
                        let sums = match (self.kernel, self.stride) {
                            (1, 1) => stage.sums::<1, 1>(weights, y, x),
                            (3, 1) => stage.sums::<3, 1>(weights, y, x),
                            _ => stage.sums::<3, 2>(weights, y, x),
                        };
                        let pixels = PIXELS.min(width - x);
                        for (channel, (sums, plane)) in sums.iter().zip(planes.chunks_exact_mut(plane)).enumerate() {
                            let channel = CHANNELS * index + channel;
                            let residual = fused.residual.map(|band| {
                                let row = channel * band.rows.len() + row - band.rows.start;
                                &band.buffer[row * width + x..][..pixels]
                            });
                            let at = (row - output.rows.start) * width + x;
                            store(&mut plane[at..][..pixels], sums, self.bias[channel], residual, fused.relu);
                        }
                    }
                }
            });
        }
    }

    /// Columns of one parity that a row of `width` results reads, with room for the last whole vector.
    fn columns(&self, width: usize) -> usize {
        width.next_multiple_of(PIXELS) + (self.kernel - 1).div_ceil(self.stride)
    }

    fn stage(&self, input: &Band<Vec<f32>>, first: usize, rows: usize, width: usize, fused: &Fused<'_>) -> Stage {
        let [_, height, input_width] = input.size;
        let shift = usize::from(fused.upsample);
        let (height, visible) = (height << shift, input_width << shift);
        let (rows, columns) = ((rows - 1) * self.stride + self.kernel, self.columns(width));
        let mut values = vec![0.0; self.inputs * rows * self.stride * columns];
        let channel_length = rows * self.stride * columns;
        for_each_chunk(&mut values, channel_length, |channel, staged| {
            let plane = input.rows.len() * input_width;
            let plane = &input.buffer[channel * plane..][..plane];
            let affine = fused.affine.map(|affine| affine[channel]);
            for (row, line) in staged.chunks_exact_mut(self.stride * columns).enumerate() {
                let y = first * self.stride + row;
                if y < self.padding || y - self.padding >= height {
                    continue;
                }
                let source = &plane[(((y - self.padding) >> shift) - input.rows.start) * input_width..][..input_width];
                // The places of the columns that exist.
                let last = (visible + self.padding).min(self.stride * columns);
                if self.stride == 1 && shift == 0 {
                    let line = &mut line[self.padding..last];
                    line.copy_from_slice(&source[..line.len()]);
                    change(line, affine, fused.activation);
                } else {
                    for column in self.padding..last {
                        let mut value = [source[(column - self.padding) >> shift]];
                        change(&mut value, affine, fused.activation);
                        line[column % self.stride * columns + column / self.stride] = value[0];
                    }
                }
            }
        });
        Stage { values, rows, columns }
    }
}

impl Stage {
    /// Results of four channels at eight pixels, from `[in, kernel, kernel, 4]` weights.
    #[inline(always)]
    fn sums<const KERNEL: usize, const STRIDE: usize>(
        &self,
        weights: &[f32],
        y: usize,
        x: usize,
    ) -> [[f32; PIXELS]; CHANNELS] {
        let mut sums = [[0.0; PIXELS]; CHANNELS];
        let line = STRIDE * self.columns;
        let channels = self.values.chunks_exact(self.rows * line);
        for (channel, weights) in channels.zip(weights.chunks_exact(KERNEL * KERNEL * CHANNELS)) {
            let (weights, _) = weights.as_chunks::<CHANNELS>();
            for row in 0..KERNEL {
                let row_values = &channel[(y * STRIDE + row) * line..][..line];
                for column in 0..KERNEL {
                    let start = column % STRIDE * self.columns + column / STRIDE + x;
                    let Some(values) = row_values[start..].first_chunk::<PIXELS>() else { return sums };
                    let weights = weights[row * KERNEL + column];
                    for (sums, weight) in sums.iter_mut().zip(weights) {
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum += weight * value;
                        }
                    }
                }
            }
        }
        sums
    }
}

/// Applies the affine transform and the activation.
fn change(values: &mut [f32], affine: Option<(f32, f32)>, activation: Activation) {
    if let Some((scale, shift)) = affine {
        values.iter_mut().for_each(|value| *value = *value * scale + shift);
    }
    match activation {
        Activation::None => {}
        Activation::Silu => values.iter_mut().for_each(|value| *value /= 1.0 + (-*value).exp()),
        Activation::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        Activation::SoftClamp { limit } => {
            let limit = limit as f32;
            values.iter_mut().for_each(|value| *value = (*value / limit).tanh() * limit);
        }
    }
}

fn store(output: &mut [f32], sums: &[f32], bias: f32, residual: Option<&[f32]>, relu: bool) {
    for (output, sum) in output.iter_mut().zip(sums) {
        *output = sum + bias;
    }
    if let Some(residual) = residual {
        output.iter_mut().zip(residual).for_each(|(output, residual)| *output += residual);
    }
    if relu {
        output.iter_mut().for_each(|output| *output = output.max(0.0));
    }
}
