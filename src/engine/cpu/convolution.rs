//! The convolution kernel.
//!
//! Every convolution becomes products of matrices, weights by values, with a column for each cell of the output:
//!
//! - [`Method::Direct`]: a cell is a pixel, and its column holds the values under all taps.
//! - [`Method::Winograd`], F(2×2, 3×3): a cell is 2×2 pixels. The 4×4 values that it reads are transformed to 16,
//!   each of which belongs to a product of its own; the sums are transformed back. That takes 16 multiplications
//!   where the direct method takes 36.
//!
//! The input is staged as these matrices for one area of the output at a time, small enough for a core's cache. Then
//! four output channels at a time are multiplied, with eight cells in registers.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

#[cfg(target_arch = "wasm32")]
use std::sync::atomic::{AtomicU32, Ordering};
use std::{array, borrow::Borrow};

use super::{
    activation::change,
    for_each_chunk,
    winograd::{POSITIONS, pixels, transform, transform_weights},
};
use crate::engine::{kernels::Band, operations::Activation, plan::Rows};

/// Output channels and cells that [`multiply`] holds in registers: eight vectors of sums, which leaves room for the
/// factors among sixteen registers.
const CHANNELS: usize = 4;
const CELLS: usize = 8;

/// Values staged at once, about: 2 MiB.
const STAGED: usize = 512 << 10;
/// Cells staged at once at most, so that the cache holds the sums as well.
const MOST_CELLS: usize = 256;
/// A few rows of cells at least, since each area stages the values around it again.
const FEWEST_ROWS: usize = 4;
/// Rows of the matrices that are multiplied at once: 8 KiB of weights and 16 KiB of values.
const DEPTH: usize = 512;
/// Values between staged matrices: without the gap, the matrices of many channels would share a few places in the
/// cache.
const GAP: usize = 16;

/// The number of a convolution among all that were ever packed. When it is dropped, helpers' copies of the weights go,
/// too.
#[cfg(target_arch = "wasm32")]
#[derive(Debug)]
struct Id(u32);

#[cfg(target_arch = "wasm32")]
impl Id {
    fn next() -> Self {
        static PACKED: AtomicU32 = AtomicU32::new(0);
        Id(PACKED.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(target_arch = "wasm32")]
impl Drop for Id {
    fn drop(&mut self) {
        super::thread_pool::forget(self.0);
    }
}

/// From this many input channels on, fewer multiplications outweigh the transforms.
const WINOGRAD_INPUTS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Direct,
    Winograd,
}

impl Method {
    /// The faster method.
    fn of([_, inputs, kernel]: [usize; 3], [stride, _]: [usize; 2]) -> Self {
        let pays = kernel == 3 && stride == 1 && inputs >= WINOGRAD_INPUTS;
        if pays { Method::Winograd } else { Method::Direct }
    }
}

/// A convolution's sizes and weights.
#[derive(Debug)]
pub struct Convolution {
    #[cfg(target_arch = "wasm32")]
    id: Id,
    kernel: usize,
    stride: usize,
    inputs: usize,
    outputs: usize,
    /// Zero rows and columns before the map.
    padding: usize,
    method: Method,
    /// `[out / 4, positions, depth, 4 of out]`, the last channels padded with zeros.
    weights: Vec<f32>,
    /// `[out]`.
    bias: Vec<f32>,
}

/// What happens to the values on their way in and out.
#[derive(Debug, Clone, Copy)]
pub struct Fused<'a> {
    /// Scale and shift of each input channel.
    pub affine: Option<&'a [(f32, f32)]>,
    pub activation: Activation,
    /// Whether each value of the input stands for 2×2.
    pub upsample: bool,
    /// Rows of a map of the output's size; added.
    pub residual: Option<&'a Band<Vec<f32>>>,
    pub relu: bool,
}

impl Fused<'_> {
    pub const NOTHING: Self =
        Fused { affine: None, activation: Activation::None, upsample: false, residual: None, relu: false };
}

/// Where the input's values come from.
struct Source<'a> {
    values: &'a [f32],
    /// The rows that there are of the map, and its height and width.
    rows: Rows,
    height: usize,
    width: usize,
    padding: usize,
    fused: &'a Fused<'a>,
}

/// A part of the output.
#[derive(Debug, Clone, Default, PartialEq)]
struct Area {
    rows: Rows,
    columns: Rows,
}

/// The input for one area as [`multiply`] reads it. Its memory serves one area after another.
#[derive(Debug, Default)]
struct Stage {
    area: Area,
    /// Rows and columns of cells.
    cells: [usize; 2],
    /// `[positions, cells / 8, depth, 8 cells]`, the area's cells in one row and with a gap before the next eight.
    /// Values beyond the last cell do not matter.
    values: Vec<f32>,
    /// Whether the second and third rows and columns of all cells' 4×4 values are alike.
    doubled: bool,
    lines: Lines,
}

/// One input channel on its way into the stage.
#[derive(Debug, Default)]
struct Lines {
    /// A row of the padded input.
    row: Vec<f32>,
    /// `[rows, columns]`, where with stride 2 and for Winograd the even columns stand before the odd ones.
    values: Vec<f32>,
    /// For Winograd the rows transformed, `[rows, 4, columns of cells]`, then the columns too, `[4, 4, cells]`.
    halfway: Vec<f32>,
    transformed: Vec<f32>,
}

/// The memory that [`Convolution::compute`] works in.
#[derive(Debug, Default)]
struct Scratch {
    /// `[4 of out, positions, cells]`.
    sums: Vec<f32>,
    /// For Winograd: what [`pixels`] works in.
    pixels: Vec<f32>,
}

impl Convolution {
    /// Packs `[out, in, kernel]` weights, `weight(out, in, tap)`, for a stride and so many zero rows and columns before
    /// the map. Kernels are 1×1 with stride 1 or 3×3 with stride 1 or 2.
    pub fn pack(
        sizes: [usize; 3],
        steps: [usize; 2],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: Vec<f32>,
    ) -> Self {
        Self::pack_for(Method::of(sizes, steps), sizes, steps, weight, bias)
    }

    /// Without weights.
    fn empty(
        method: Method,
        [outputs, inputs, kernel]: [usize; 3],
        [stride, padding]: [usize; 2],
        bias: Vec<f32>,
    ) -> Self {
        Convolution {
            #[cfg(target_arch = "wasm32")]
            id: Id::next(),
            kernel,
            stride,
            inputs,
            outputs,
            padding,
            method,
            weights: Vec::new(),
            bias,
        }
    }

    fn pack_for(
        method: Method,
        sizes: [usize; 3],
        steps: [usize; 2],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: Vec<f32>,
    ) -> Self {
        let mut packed = Self::empty(method, sizes, steps, bias);
        let [outputs, inputs, kernel] = sizes;
        let (positions, depth, taps) = (packed.positions(), packed.depth(), kernel * kernel);
        packed.weights = vec![0.0; packed.packed_length()];
        for output in 0..outputs {
            let block = &mut packed.weights[output / CHANNELS * positions * depth * CHANNELS..];
            let mut put = |position, row, value| {
                block[(position * depth + row) * CHANNELS + output % CHANNELS] = value;
            };
            for input in 0..inputs {
                match method {
                    Method::Direct => {
                        (0..taps).for_each(|tap| put(0, input * taps + tap, weight(output, input, tap)));
                    }
                    Method::Winograd => {
                        let weights = transform_weights(array::from_fn(|tap| weight(output, input, tap)));
                        (0..POSITIONS).for_each(|position| put(position, input, weights[position]));
                    }
                }
            }
        }
        packed
    }

    /// Values of the packed weights.
    fn packed_length(&self) -> usize {
        self.blocks() * self.positions() * self.depth() * CHANNELS
    }

    /// Its number among all that were ever packed.
    #[cfg(target_arch = "wasm32")]
    pub fn id(&self) -> u32 {
        self.id.0
    }

    /// What [`Convolution::of_parts`] takes beside weights and bias.
    #[cfg(target_arch = "wasm32")]
    pub fn sizes(&self) -> [u32; 5] {
        [self.outputs, self.inputs, self.kernel, self.stride, self.padding].map(|size| size as u32)
    }

    #[cfg(target_arch = "wasm32")]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    #[cfg(target_arch = "wasm32")]
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The same convolution from its parts, if they fit.
    #[cfg(target_arch = "wasm32")]
    pub fn of_parts(sizes: &[u32], weights: Vec<f32>, bias: Vec<f32>) -> Option<Self> {
        let &[outputs, inputs, kernel, stride, padding] = sizes else { return None };
        let [outputs, inputs, kernel, stride, padding] =
            [outputs, inputs, kernel, stride, padding].map(|size| size as usize);
        let (sizes, steps) = ([outputs, inputs, kernel], [stride, padding]);
        let empty = Self::empty(Method::of(sizes, steps), sizes, steps, bias);
        let fits = empty.packed_length() == weights.len() && empty.bias.len() == outputs;
        fits.then_some(Convolution { weights, ..empty })
    }

    /// Input channels.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Blocks of four output channels, the last one perhaps of fewer.
    fn blocks(&self) -> usize {
        self.outputs.div_ceil(CHANNELS)
    }

    /// Products that a cell takes part in.
    fn positions(&self) -> usize {
        match self.method {
            Method::Direct => 1,
            Method::Winograd => POSITIONS,
        }
    }

    /// Rows of the matrices.
    fn depth(&self) -> usize {
        match self.method {
            Method::Direct => self.inputs * self.kernel * self.kernel,
            Method::Winograd => self.inputs,
        }
    }

    /// Values from one staged matrix to the next.
    fn matrix(&self) -> usize {
        self.depth() * CELLS + GAP
    }

    /// Rows and columns of a cell.
    fn side(&self) -> usize {
        match self.method {
            Method::Direct => 1,
            Method::Winograd => 2,
        }
    }

    /// Computes `rows` of the result.
    pub fn compute(
        &self,
        input: &Band<impl Borrow<[f32]>>,
        output: &mut Band<Vec<f32>>,
        rows: Rows,
        fused: &Fused<'_>,
    ) {
        let [_, height, width] = input.size;
        let (values, padding) = (input.buffer.borrow(), self.padding);
        let source = Source { values, rows: input.rows.clone(), height, width, padding, fused };
        let width = output.size[2];
        let plane = output.rows.len() * width;
        let mut stage = Stage::default();
        for area in self.areas(rows, width) {
            self.stage(area, &source, &mut stage);
            let planes = &mut output.buffer[..self.outputs * plane];
            for_each_chunk(planes, CHANNELS * plane, Scratch::default, |scratch, block, planes| {
                self.compute_block(&stage, block, scratch, |channel, row, column, sums| {
                    let at = (channel % CHANNELS * output.rows.len() + row - output.rows.start) * width + column;
                    let residual = fused.residual.map(|band| {
                        let row = channel * band.rows.len() + row - band.rows.start;
                        &band.buffer[row * width + column..][..sums.len()]
                    });
                    finish(&mut planes[at..][..sums.len()], sums, self.bias[channel], residual, fused.relu);
                });
            });
        }
    }

    /// Divides `rows` of an output that is `width` wide into areas that can be staged.
    fn areas(&self, rows: Rows, width: usize) -> impl Iterator<Item = Area> + use<> {
        let side = self.side();
        let cells = [rows.len(), width].map(|length| length.div_ceil(side).max(1));
        let most = (STAGED / (self.positions() * self.depth()).max(1)).clamp(2 * CELLS, MOST_CELLS);
        let fewest = if self.kernel == 1 { 1 } else { FEWEST_ROWS.min(cells[0]) };
        // Parts of about the same length rather than a small rest.
        let columns = cells[1].div_ceil(cells[1].div_ceil((most / fewest).max(CELLS)));
        let columns = if columns < cells[1] { columns.next_multiple_of(CELLS) } else { columns };
        let height = cells[0].div_ceil(cells[0].div_ceil((most / columns).max(1)));
        let (columns, height) = (columns * side, height * side);
        rows.clone().step_by(height).flat_map(move |row| {
            let rows = row..rows.end.min(row + height);
            let area = move |column| Area { rows: rows.clone(), columns: column..width.min(column + columns) };
            (0..width).step_by(columns).map(area)
        })
    }

    /// Stages the input for one area.
    fn stage(&self, area: Area, source: &Source<'_>, stage: &mut Stage) {
        let side = self.side();
        stage.cells = [area.rows.len(), area.columns.len()].map(|length| length.div_ceil(side));
        let [height, width] = stage.cells;
        stage.values.resize(self.positions() * stage.blocks() * self.matrix(), 0.0);
        let doubled = |start: usize| source.fused.upsample && source.padding % 2 == 1 && start.is_multiple_of(2);
        stage.doubled = doubled(area.rows.start) && doubled(area.columns.start);
        let [y, x] = [area.rows.start, area.columns.start].map(|start| start * self.stride);
        // Cells may reach beyond an odd number of rows; values there do not matter, and the source need not have them.
        let needed = (area.rows.len() - 1) * self.stride + self.kernel;
        stage.area = area;

        // The step from one cell to the next, and how much one reads.
        let (step, reach) = (self.stride.max(side), self.kernel + side - 1);
        // With stride 2 and for Winograd: the columns of each parity.
        let columns = width + (reach - 1) / step;
        let rows = (height - 1) * step + reach;
        stage.lines.values.resize(rows * step * columns, 0.0);
        stage.lines.row.resize(step * columns, 0.0);
        for input in 0..self.inputs {
            for (row, line) in stage.lines.values.chunks_exact_mut(step * columns).enumerate() {
                if row < needed {
                    source.line(input, [y + row, x], step, line, &mut stage.lines.row);
                } else {
                    line.fill(0.0);
                }
            }
            match self.method {
                Method::Direct => self.stage_taps(stage, input, columns),
                Method::Winograd => self.stage_winograd(stage, input, columns),
            }
        }
    }

    /// Stages the values under each tap.
    fn stage_taps(&self, stage: &mut Stage, input: usize, columns: usize) {
        let (kernel, stride, taps) = (self.kernel, self.stride, self.kernel * self.kernel);
        let [height, width] = stage.cells;
        let mut cell = 0;
        while cell < height * width {
            // Neighbours both in the area and in the stage.
            let (row, column, lane) = (cell / width, cell % width, cell % CELLS);
            let length = (CELLS - lane).min(width - column);
            let target = &mut stage.values[cell / CELLS * self.matrix() + input * taps * CELLS..][..taps * CELLS];
            for (tap, target) in target.chunks_exact_mut(CELLS).enumerate() {
                let (row, tap) = (row * stride + tap / kernel, tap % kernel);
                let start = (row * stride + tap % stride) * columns + tap / stride + column;
                let values = &stage.lines.values[start..];
                if length == CELLS {
                    target.copy_from_slice(&values[..CELLS]);
                } else {
                    target[lane..][..length].copy_from_slice(&values[..length]);
                }
            }
            cell += length;
        }
    }

    /// Stages `Bᵀ d B` of the 4×4 values `d` of each cell.
    fn stage_winograd(&self, stage: &mut Stage, input: usize, columns: usize) {
        let (plane, [_, width]) = (stage.blocks() * CELLS, stage.cells);
        let Lines { values, halfway, transformed, .. } = &mut stage.lines;
        halfway.resize(values.len() / (2 * columns) * 4 * width, 0.0);
        for (line, target) in values.chunks_exact(2 * columns).zip(halfway.chunks_exact_mut(4 * width)) {
            let (even, odd) = line.split_at(columns);
            transform([even, odd, &even[1..], &odd[1..]], target.chunks_exact_mut(width));
        }
        transformed.resize(POSITIONS * plane, 0.0);
        // Four lines for each row of cells, two of which are also the next one's.
        for (row, lines) in halfway.windows(4 * 4 * width).step_by(2 * 4 * width).enumerate() {
            for column in 0..4 {
                let line = |row: usize| &lines[(row * 4 + column) * width..][..width];
                let targets = transformed.chunks_exact_mut(plane).skip(column).step_by(4);
                let targets = targets.map(|target| &mut target[row * width..][..width]);
                transform([line(0), line(1), line(2), line(3)], targets);
            }
        }
        let (transformed, _) = transformed.as_chunks::<CELLS>();
        for (values, target) in transformed.iter().zip(stage.values.chunks_exact_mut(self.matrix())) {
            target[input * CELLS..][..CELLS].copy_from_slice(values);
        }
    }

    /// Computes a block of four output channels of the staged area, without bias. `write(channel, row, column, values)`
    /// is given the area's rows.
    fn compute_block(
        &self,
        stage: &Stage,
        block: usize,
        scratch: &mut Scratch,
        mut write: impl FnMut(usize, usize, usize, &[f32]),
    ) {
        self.products(stage, block, &mut scratch.sums);
        let Area { rows, columns } = &stage.area;
        let width = self.side() * stage.cells[1];
        let channels = block * CHANNELS..self.outputs.min((block + 1) * CHANNELS);
        let sums = scratch.sums.chunks_exact(self.positions() * stage.blocks() * CELLS);
        for (channel, sums) in channels.zip(sums) {
            let pixels = match self.method {
                Method::Direct => sums,
                Method::Winograd => pixels(sums, stage.cells, &mut scratch.pixels),
            };
            for (row, pixels) in rows.clone().zip(pixels.chunks_exact(width)) {
                write(channel, row, columns.start, &pixels[..columns.len()]);
            }
        }
    }

    /// Multiplies a block's weights by what is staged: `[4 of out, positions, cells]`.
    fn products(&self, stage: &Stage, block: usize, sums: &mut Vec<f32>) {
        let (positions, depth) = (self.positions(), self.depth());
        let plane = stage.blocks() * CELLS;
        sums.resize(CHANNELS * positions * plane, 0.0);
        let weights = &self.weights[block * positions * depth * CHANNELS..][..positions * depth * CHANNELS];
        for (position, weights) in weights.chunks_exact(depth * CHANNELS).enumerate() {
            // There `Bᵀ` subtracts equal values.
            let zero = self.method == Method::Winograd && stage.doubled && (position / 4 == 2 || position % 4 == 2);
            let matrices = stage.values.chunks_exact(self.matrix()).skip(position * stage.blocks());
            for (index, weights) in weights.as_chunks().0.chunks(DEPTH).enumerate() {
                for (cells, values) in (0..plane).step_by(CELLS).zip(matrices.clone()) {
                    let (values, _) = values[..depth * CELLS].as_chunks();
                    let product = if zero { Default::default() } else { multiply(weights, &values[index * DEPTH..]) };
                    for (channel, product) in product.iter().enumerate() {
                        let sums = &mut sums[(channel * positions + position) * plane + cells..][..CELLS];
                        if index == 0 {
                            sums.copy_from_slice(product);
                        } else {
                            sums.iter_mut().zip(product).for_each(|(sum, product)| *sum += product);
                        }
                    }
                }
            }
        }
    }
}

impl Stage {
    /// How many times eight cells there are.
    fn blocks(&self) -> usize {
        let [height, width] = self.cells;
        (height * width).div_ceil(CELLS)
    }
}

impl Source<'_> {
    /// A row of the map, `None` outside of it.
    fn row(&self, input: usize, y: usize) -> Option<&[f32]> {
        if y >= self.height {
            return None;
        }
        let plane = self.rows.len() * self.width;
        Some(&self.values[input * plane + (y - self.rows.start) * self.width..][..self.width])
    }

    /// Reads a line from a row and column of the padded input on; with `step` 2, its even columns before its odd ones.
    fn line(&self, input: usize, [y, x]: [usize; 2], step: usize, line: &mut [f32], row: &mut [f32]) {
        let Fused { affine, activation, upsample, .. } = *self.fused;
        let shift = usize::from(upsample);
        let source = y.checked_sub(self.padding).and_then(|y| self.row(input, y >> shift));
        let Some(source) = source else {
            line.fill(0.0);
            return;
        };
        let target = if step == 1 { &mut *line } else { &mut *row };
        // The columns that exist.
        let first = self.padding.saturating_sub(x).min(target.len());
        let last = ((self.width << shift) + self.padding).saturating_sub(x).clamp(first, target.len());
        target[..first].fill(0.0);
        target[last..].fill(0.0);
        let target = &mut target[first..last];
        let skipped = (x + first).saturating_sub(self.padding);
        if upsample {
            let values = source.iter().flat_map(|&value| [value; 2]);
            target.iter_mut().zip(values.skip(skipped)).for_each(|(target, value)| *target = value);
        } else if !target.is_empty() {
            target.copy_from_slice(&source[skipped..][..target.len()]);
        }
        change(target, affine.map(|affine| affine[input]), activation);
        if step == 2 {
            let (even, odd) = line.split_at_mut(row.len() / 2);
            for ((even, odd), pair) in even.iter_mut().zip(odd).zip(row.as_chunks::<2>().0) {
                [*even, *odd] = *pair;
            }
        }
    }
}

/// The product of `[depth, channels]` weights and `[depth, cells]` values.
///
/// The innermost loop of all convolutions. It compiles to a vector multiplication and an addition for every four
/// values, each weight loaded into all lanes at once. Not inlined, so that the compiler keeps it that way.
#[inline(never)]
fn multiply(weights: &[[f32; CHANNELS]], values: &[[f32; CELLS]]) -> [[f32; CELLS]; CHANNELS] {
    let mut sums = [[0.0; CELLS]; CHANNELS];
    for (weights, values) in weights.iter().zip(values) {
        for (sums, weight) in sums.iter_mut().zip(weights) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += weight * value;
            }
        }
    }
    sums
}

/// Writes a piece of the result: sums, with bias and residual added.
fn finish(output: &mut [f32], sums: &[f32], bias: f32, residual: Option<&[f32]>, relu: bool) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from -1 to 1.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        }

        fn vector(&mut self, length: usize) -> Vec<f32> {
            (0..length).map(|_| self.next()).collect()
        }

        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit
        }
    }

    #[derive(Debug, Clone, Copy)]
    struct Case {
        outputs: usize,
        inputs: usize,
        kernel: usize,
        stride: usize,
        height: usize,
        width: usize,
        padding: usize,
        upsample: bool,
        silu: bool,
        /// Rows of the output that are left out at its top and bottom.
        skipped: [usize; 2],
    }

    /// The largest error of one method, relative to the values' root mean square.
    fn error(case: Case, method: Method, random: &mut Random) -> f64 {
        let Case { outputs, inputs, kernel, stride, height, width, padding, upsample, silu, skipped } = case;
        let taps = kernel * kernel;
        let weights = random.vector(outputs * inputs * taps);
        let input = random.vector(inputs * height * width);
        let affine: Vec<_> = (0..inputs).map(|_| (2.0 * random.next(), random.next())).collect();
        let weight = |o: usize, i: usize, tap: usize| weights[(o * inputs + i) * taps + tap];
        let sizes = [outputs, inputs, kernel];
        let packed = Convolution::pack_for(method, sizes, [stride, padding], weight, vec![0.0; outputs]);
        let shift = usize::from(upsample);
        let (visible, columns) = (height << shift, (width << shift) / stride);
        let rows = visible / stride;
        let computed = skipped[0]..rows - skipped[1];
        let first = (computed.start * stride).saturating_sub(padding) >> shift;
        let last = ((computed.end - 1) * stride + kernel - 1).saturating_sub(padding) >> shift;
        // Only the rows that are needed exist.
        let held = first..height.min(last + 1);
        let planes = input.chunks_exact(height * width);
        let held_values: Vec<f32> =
            planes.flat_map(|plane| &plane[held.start * width..held.end * width]).copied().collect();
        let source = Band { buffer: held_values, size: [inputs, height, width], rows: held };
        let fused = Fused {
            affine: silu.then_some(affine.as_slice()),
            activation: if silu { Activation::Silu } else { Activation::None },
            upsample,
            ..Fused::NOTHING
        };
        let mut result = Band::whole(vec![f32::NAN; outputs * rows * columns], [outputs, rows, columns]);
        packed.compute(&source, &mut result, computed.clone(), &fused);
        let output = result.buffer;

        let value = |channel: usize, y: usize, x: usize| {
            let (Some(y), Some(x)) = (y.checked_sub(padding), x.checked_sub(padding)) else { return 0.0 };
            if y >= visible || x >= width << shift {
                return 0.0;
            }
            let value = f64::from(input[(channel * height + (y >> shift)) * width + (x >> shift)]);
            if !silu {
                return value;
            }
            let value = value * f64::from(affine[channel].0) + f64::from(affine[channel].1);
            value / (1.0 + (-value).exp())
        };
        let (mut largest, mut squares) = (0.0_f64, 0.0);
        for channel in 0..outputs {
            for row in computed.clone() {
                for column in 0..columns {
                    let mut sum = 0.0;
                    for input in 0..inputs {
                        for tap in 0..taps {
                            let weight = f64::from(weights[(channel * inputs + input) * taps + tap]);
                            sum += weight * value(input, row * stride + tap / kernel, column * stride + tap % kernel);
                        }
                    }
                    let error = (sum - f64::from(output[(channel * rows + row) * columns + column])).abs();
                    // NaN, which is not written, must not pass for small.
                    largest = if error <= largest { largest } else { error };
                    squares += sum * sum;
                }
            }
        }
        largest / (squares / (outputs * computed.len() * columns) as f64).sqrt()
    }

    #[test]
    fn equals_the_definition() {
        let mut random = Random(1);
        for index in 0..150 {
            let (kernel, stride) = [(1, 1), (3, 1), (3, 2)][index % 3];
            let upsample = stride == 1 && random.below(3) == 0;
            let case = Case {
                outputs: 1 + random.below(11),
                inputs: 1 + random.below(20),
                kernel,
                stride,
                height: 6 + random.below(20),
                // Now and then wider than an area.
                width: if random.below(8) == 0 { 300 } else { 4 + random.below(40) },
                padding: if stride == 2 { random.below(2) } else { kernel / 2 },
                upsample,
                silu: random.below(2) == 0,
                skipped: [random.below(2), random.below(2)],
            };
            let methods: &[_] =
                if (kernel, stride) == (3, 1) { &[Method::Direct, Method::Winograd] } else { &[Method::Direct] };
            for &method in methods {
                let error = error(case, method, &mut random);
                assert!(error < 5e-6, "{method:?} {case:?}: {error}");
            }
        }
    }

    #[test]
    fn is_exact_enough_with_many_channels() {
        let case = Case {
            outputs: 6,
            inputs: 1100,
            kernel: 3,
            stride: 1,
            height: 12,
            width: 13,
            padding: 1,
            upsample: false,
            silu: false,
            skipped: [0, 0],
        };
        for method in [Method::Direct, Method::Winograd] {
            let error = error(case, method, &mut Random(2));
            assert!(error < 1e-5, "{method:?}: {error}");
        }
    }

    #[test]
    fn areas_cover_the_output_once() {
        for (sizes, stride) in [([4, 512, 3], 1), ([4, 3, 3], 1), ([4, 512, 3], 2), ([4, 4096, 1], 1)] {
            let packed = Convolution::pack(sizes, [stride, 1], |_, _, _| 0.0, vec![]);
            for (rows, width) in [(0..1, 1), (3..7, 64), (0..65, 65), (1..2, 4096), (5..5, 8)] {
                let mut covered = vec![0; rows.len() * width];
                for area in packed.areas(rows.clone(), width) {
                    for row in area.rows {
                        area.columns.clone().for_each(|column| covered[(row - rows.start) * width + column] += 1);
                    }
                }
                assert!(covered.iter().all(|&times| times == 1), "{sizes:?} {rows:?} {width}");
            }
        }
    }
}
