//! The operations on a GPU, by WGSL kernels that are launched through burn's runtime.
//!
//! Maps are `[channels / 4, rows, width]` of `vec4`, so that a load is one vector and a convolution's
//! weights are 4×4 blocks.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

mod convolution;
mod queue;

use std::sync::{LazyLock, Mutex, PoisonError};

use burn::tensor::Tensor;
use burn_wgpu::WgpuDevice;

use self::{
    convolution::{Ends, Shape, Variant},
    queue::{Buffer, Queue, Source},
};
use super::{
    error_sums::{BLURS, CELL, ErrorSums, LUMA, REACH, TILE, blur_weights, parts},
    kernels::{Band, Kernels, Modulated, Sources},
    operations::{Codebook, Convolution, Transform},
    plan::{Limits, Rows, STATISTICS_CHUNK},
};
use crate::{
    Error, Result,
    autoencoder::spec::{GroupNormSpec, MapSize},
    image::orientation::{Layout, Orientation},
};

/// Attention scores held at once, in vectors of four: 16 MiB.
const SCORE_VECTORS: usize = 1 << 20;
/// Where there are many positions, at least so many vectors of queries, to keep the GPU busy.
const LEAST_QUERY_VECTORS: usize = 16;

/// Keys that a workgroup of `attention_scores.wgsl` takes, and vectors that one of
/// `attention_values.wgsl` takes on each side.
const SCORE_KEYS: usize = 256;
const VALUE_VECTORS: usize = 16;

/// Vectors that a workgroup of `squared_difference.wgsl` takes.
const DIFFERENCE_CHUNK: usize = 4096;
/// Workgroups that go through the positions of a plane, 64 at a time.
const PLANE_GROUPS: usize = 64;
/// The same for kernels in which one invocation takes all channels of a position.
const POSITION_GROUPS: usize = 4096;

/// Bytes of a vector.
const VECTOR: usize = 16;

/// The kernels on burn's GPU device.
#[derive(Debug)]
pub struct Gpu {
    queue: Queue,
    buffer_bytes: u64,
    maps: Stored,
}

/// How values are held in a buffer. They are computed and summed in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    F32,
    /// Needs WebGPU's `shader-f16`.
    F16,
}

impl Stored {
    fn bytes(self) -> u64 {
        match self {
            Stored::F32 => 4,
            Stored::F16 => 2,
        }
    }

    /// "f32" or "f16".
    pub fn name(self) -> &'static str {
        match self {
            Stored::F32 => "f32",
            Stored::F16 => "f16",
        }
    }

    /// The WGSL type of a vector.
    fn vector(self) -> &'static str {
        match self {
            Stored::F32 => "vec4f",
            Stored::F16 => "vec4<f16>",
        }
    }

    /// The source of a kernel that calls its vectors `Map`.
    fn with(self, source: &str) -> String {
        kernel(&[("Map", self)], source)
    }
}

/// The source of a kernel whose vectors have these names.
fn kernel(vectors: &[(&str, Stored)], source: &str) -> String {
    let enable = if vectors.iter().any(|&(_, stored)| stored == Stored::F16) { "enable f16;\n" } else { "" };
    let aliases = vectors.iter().map(|(name, stored)| format!("alias {name} = {};\n", stored.vector()));
    format!("{enable}{}{source}", aliases.collect::<String>())
}

/// A map's buffer.
#[derive(Debug, Clone)]
pub struct MapBuffer {
    buffer: Buffer,
    stored: Stored,
}

#[derive(Debug)]
pub struct PackedConvolution {
    variant: Variant,
    /// Its kernels, made when they are first needed.
    sources: Mutex<Vec<(Shape, Ends, Source)>>,
    /// `[in / 4, kernel, kernel, 4 of in, out / 4, 4 of out]`: what a workgroup stages at once lies together.
    weight: Buffer,
    /// `[out / 4, 4]`.
    bias: Buffer,
    /// `[in / 4, 2, 4]`, scale and shift, where they are constants.
    affine: Option<Buffer>,
}

impl PackedConvolution {
    fn source(&self, shape: Shape, ends: Ends) -> Source {
        // The list is consistent between any two statements that change it.
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, source)) = sources.iter().find(|known| (known.0, known.1) == (shape, ends)) {
            return source.clone();
        }
        let source = Source::from(self.variant.source(&shape, &ends));
        sources.push((shape, ends, source.clone()));
        source
    }
}

#[derive(Debug)]
pub struct Moments {
    /// `[vectors, chunks, 3, 4]`: mean, summed squared deviation, count.
    buffer: Buffer,
    chunks: usize,
    gathered: usize,
}

impl Gpu {
    /// The kernels on a device whose buffers hold at most `buffer_bytes`. Maps other than inputs and results are held
    /// as `maps`.
    pub fn new(device: &WgpuDevice, buffer_bytes: u64, maps: Stored) -> Self {
        Gpu { queue: Queue::of(device), buffer_bytes, maps }
    }

    /// Waits until everything launched has been computed.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub async fn wait(&self) -> Result<()> {
        self.queue.wait().await
    }

    /// Bytes of the existing maps and bands, and their peak since the last call.
    pub fn memory() -> (u64, u64) {
        queue::memory()
    }
}

impl Kernels for Gpu {
    type Buffer = MapBuffer;
    type Convolution = PackedConvolution;
    /// `[channels / 4, 2, 4]`: the learnt scale and shift.
    type Norm = Buffer;
    /// `[rows, channels / 4, 4]`.
    type Table = Buffer;
    type Moments = Moments;
    /// `[channels / 4, 2, 4]`.
    type Affine = Buffer;

    fn limits(&self) -> Limits {
        limits(self.buffer_bytes, self.maps)
    }

    fn pack_convolution(&self, conv: &Convolution, weight: Tensor<4>, bias: Tensor<1>) -> Result<PackedConvolution> {
        let spec = &conv.spec;
        let (outputs, inputs, taps) = (conv.outputs.div_ceil(4), spec.input.div_ceil(4), spec.kernel * spec.kernel);
        let device = weight.device();
        let weight = padded(padded(weight, 0, 4), 1, 4).reshape([outputs, 4, inputs, 4, taps]).permute([2, 4, 3, 0, 1]);
        let affine = match conv.transform {
            Transform::Affine { scale, shift } => {
                let vector = |value: f64| Tensor::<3>::full([inputs, 1, 4], value, &device);
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
        Ok(PackedConvolution {
            variant,
            sources: Mutex::default(),
            weight: self.queue.buffer(weight)?,
            bias: self.queue.buffer(padded(bias, 0, 4))?,
            affine,
        })
    }

    fn pack_norm(&self, scale: Tensor<1>, shift: Tensor<1>) -> Result<Buffer> {
        let vectors = |values: Tensor<1>| {
            let values = padded(values, 0, 4);
            let vectors = values.dims()[0] / 4;
            values.reshape([vectors, 1, 4])
        };
        self.queue.buffer(Tensor::<3>::cat(vec![vectors(scale), vectors(shift)], 1))
    }

    fn pack_table(&self, values: Tensor<2>) -> Result<Buffer> {
        self.queue.buffer(padded(values, 1, 4))
    }

    fn allocate(&self, bytes: u64, end: bool) -> MapBuffer {
        MapBuffer { buffer: self.queue.map(bytes), stored: if end { Stored::F32 } else { self.maps } }
    }

    fn release(&self) {
        self.queue.release();
    }

    fn write(&self, band: &mut Band<MapBuffer>, rows: Rows, values: &[f32]) -> Result<()> {
        let [channels, _, width] = band.size;
        let positions = rows.len() * width;
        let mut interleaved = vec![0.0; channels.div_ceil(4) * positions * 4];
        for (channel, plane) in values.chunks_exact(positions).enumerate() {
            let vectors = interleaved[channel / 4 * positions * 4..].iter_mut().skip(channel % 4).step_by(4);
            vectors.zip(plane).for_each(|(vector, value)| *vector = *value);
        }
        let uploaded = self.queue.upload(&interleaved);
        let numbers = [positions, band.rows.len() * width, (rows.start - band.rows.start) * width];
        self.queue.launch(
            band.buffer.stored.with(include_str!("gpu/write.wgsl")).as_str(),
            [PLANE_GROUPS.min(positions.div_ceil(64)), channels.div_ceil(4), 1],
            &[&uploaded, &band.buffer.buffer],
            &numbers.map(as_u32),
        );
        Ok(())
    }

    fn convolve(
        &self,
        conv: &Convolution,
        packed: &PackedConvolution,
        sources: Sources<'_, Self>,
        output: &mut Band<MapBuffer>,
        rows: Rows,
    ) -> Result<()> {
        let PackedConvolution { variant, weight, bias, affine, .. } = packed;
        let input = sources.input;
        let ([inputs, height, width], [outputs, _, out_width]) = (input.size, output.size);
        let (inputs, outputs) = (inputs.div_ceil(4), outputs.div_ceil(4));
        let mut buffers = vec![&input.buffer.buffer, weight, bias, &output.buffer.buffer];
        buffers.extend(sources.affine.or(affine.as_ref()));
        buffers.extend(sources.residual.map(|band| &band.buffer.buffer));
        let stored = Ends {
            input: input.buffer.stored,
            output: output.buffer.stored,
            residual: sources.residual.map_or(Stored::F32, |band| band.buffer.stored),
        };
        let shape = Shape::choose(variant.kernel, variant.stride, outputs, out_width);
        let [tile_width, tile_height] = shape.tile();
        let groups = [
            out_width.div_ceil(tile_width),
            rows.len().div_ceil(tile_height),
            outputs.div_ceil(shape.output_vectors()),
        ];
        let residual = sources.residual.map_or(0..0, |band| band.rows.clone());
        let numbers = [
            inputs,
            height,
            width,
            input.rows.start,
            input.rows.len(),
            outputs,
            out_width,
            output.rows.start,
            output.rows.len(),
            rows.start,
            rows.end,
            conv.spec.padding.0,
            residual.start,
            residual.len(),
        ];
        self.queue.launch(packed.source(shape, stored), groups, &buffers, &numbers.map(as_u32));
        Ok(())
    }

    fn begin_statistics(&self, [channels, height, width]: MapSize, band: usize) -> Moments {
        let last = (height - 1) % band + 1;
        let chunks = |rows: usize| (rows * width).div_ceil(STATISTICS_CHUNK);
        let chunks = (height.div_ceil(band) - 1) * chunks(band) + chunks(last);
        Moments { buffer: self.queue.scratch(3 * channels.div_ceil(4) * chunks * VECTOR), chunks, gathered: 0 }
    }

    fn gather(&self, moments: &mut Moments, input: &Band<MapBuffer>, rows: Rows) -> Result<()> {
        let [channels, _, width] = input.size;
        let positions = rows.len() * width;
        let chunks = positions.div_ceil(STATISTICS_CHUNK);
        let numbers = [
            positions,
            (rows.start - input.rows.start) * width,
            input.rows.len() * width,
            STATISTICS_CHUNK,
            moments.gathered,
            moments.chunks,
        ];
        self.queue.launch(
            input.buffer.stored.with(include_str!("gpu/statistics.wgsl")).as_str(),
            [chunks, channels.div_ceil(4), 1],
            &[&input.buffer.buffer, &moments.buffer],
            &numbers.map(as_u32),
        );
        moments.gathered += chunks;
        Ok(())
    }

    fn normalise(&self, moments: Moments, norm: &GroupNormSpec, learnt: &Buffer) -> Result<Buffer> {
        let affine = self.queue.scratch(2 * norm.channels.div_ceil(4) * VECTOR);
        let numbers = [moments.chunks, norm.channels, norm.groups].map(as_u32);
        let numbers: Vec<u32> = numbers.into_iter().chain([(norm.epsilon as f32).to_bits()]).collect();
        self.queue.launch(
            include_str!("gpu/normalise.wgsl"),
            [norm.groups, 1, 1],
            &[&moments.buffer, learnt, &affine],
            &numbers,
        );
        Ok(affine)
    }

    fn attend(
        &self,
        [queries, keys, values]: [&Band<MapBuffer>; 3],
        output: &mut Band<MapBuffer>,
        rows: Rows,
    ) -> Result<()> {
        let [channels, height, width] = keys.size;
        let (vectors, positions) = (channels.div_ceil(4), height * width);
        let most = score_vectors(positions);
        let all = rows.len() * width;
        for first in (0..all).step_by(4 * most) {
            let count = (4 * most).min(all - first);
            let query_vectors = count.div_ceil(4);
            let scores = self.queue.map((query_vectors * positions * VECTOR) as u64);
            let sums = self.queue.scratch(query_vectors * VECTOR);
            let numbers = [
                positions,
                vectors,
                count,
                query_vectors,
                queries.rows.len() * width,
                (rows.start - queries.rows.start) * width + first,
                output.rows.len() * width,
                (rows.start - output.rows.start) * width + first,
            ]
            .map(as_u32);
            self.queue.launch(
                self.maps.with(include_str!("gpu/attention_scores.wgsl")).as_str(),
                [positions.div_ceil(SCORE_KEYS), query_vectors.div_ceil(2), 1],
                &[&queries.buffer.buffer, &keys.buffer.buffer, &scores],
                &numbers,
            );
            self.queue.launch(
                include_str!("gpu/attention_softmax.wgsl"),
                [query_vectors, 1, 1],
                &[&scores, &sums],
                &[as_u32(positions)],
            );
            self.queue.launch(
                self.maps.with(include_str!("gpu/attention_values.wgsl")).as_str(),
                [query_vectors.div_ceil(VALUE_VECTORS), vectors.div_ceil(VALUE_VECTORS), 1],
                &[&scores, &values.buffer.buffer, &sums, &output.buffer.buffer],
                &numbers,
            );
        }
        Ok(())
    }

    fn modulate(&self, sources: Modulated<'_, Self>, output: &mut Band<MapBuffer>, rows: Rows) -> Result<()> {
        let Modulated { input, affine, scale, shift, silu } = sources;
        let [channels, height, width] = input.size;
        let positions = rows.len() * width;
        let latent_width = scale.size[2];
        let span = Span::of(input, output, &rows);
        let numbers = [
            positions,
            width,
            rows.start,
            span.input_plane,
            span.input_first,
            span.output_plane,
            span.output_first,
            height / scale.size[1],
            latent_width,
            scale.rows.start,
            scale.rows.len() * latent_width,
            shift.rows.start,
            shift.rows.len() * latent_width,
            usize::from(silu),
        ];
        let vectors = [
            ("Input", input.buffer.stored),
            ("Scale", scale.buffer.stored),
            ("Shift", shift.buffer.stored),
            ("Output", output.buffer.stored),
        ];
        self.queue.launch(
            kernel(&vectors, include_str!("gpu/modulate.wgsl")).as_str(),
            [PLANE_GROUPS.min(positions.div_ceil(64)), channels.div_ceil(4), 1],
            &[&input.buffer.buffer, affine, &scale.buffer.buffer, &shift.buffer.buffer, &output.buffer.buffer],
            &numbers.map(as_u32),
        );
        Ok(())
    }

    fn normalise_channels(
        &self,
        gamma: &Buffer,
        silu: bool,
        input: &Band<MapBuffer>,
        output: &mut Band<MapBuffer>,
        rows: Rows,
    ) -> Result<()> {
        let source = include_str!("gpu/normalise_channels.wgsl");
        self.each_position(source, gamma, [input.size[0], usize::from(silu)], input, output, &rows);
        Ok(())
    }

    fn quantise(
        &self,
        codebook: &Codebook,
        table: &Buffer,
        input: &Band<MapBuffer>,
        output: &mut Band<MapBuffer>,
        rows: Rows,
    ) -> Result<()> {
        let source = include_str!("gpu/quantise.wgsl");
        self.each_position(source, table, [codebook.entries, 0], input, output, &rows);
        Ok(())
    }

    async fn squared_difference(&self, a: &Band<MapBuffer>, b: &Band<MapBuffer>) -> Result<f64> {
        let [channels, height, width] = a.size;
        let vectors = channels.div_ceil(4) * height * width;
        let chunks = vectors.div_ceil(DIFFERENCE_CHUNK);
        let sums = self.queue.scratch(chunks * 4);
        self.queue.launch(
            include_str!("gpu/squared_difference.wgsl"),
            [chunks, 1, 1],
            &[&a.buffer.buffer, &b.buffer.buffer, &sums],
            &[vectors, DIFFERENCE_CHUNK].map(as_u32),
        );
        Ok(self.queue.read(&sums).await?.into_iter().take(chunks).map(f64::from).sum())
    }

    async fn error_sums(
        &self,
        made: &Band<MapBuffer>,
        input: &Band<MapBuffer>,
        orientation: Orientation,
    ) -> Result<ErrorSums> {
        let [_, height, width] = input.size;
        // Turned by 90°, the upright image has its sides exchanged.
        let sides = orientation.sides([height, width]);
        let ([rows, columns], [cell_rows, cell_columns]) = (parts(sides, TILE), parts(sides, CELL));
        let Layout { origin, right, down } = orientation.layout(sides);
        let cells = TILE / CELL;
        let block = 1 + cells * cells;
        let sums = self.queue.scratch(rows * columns * block * 4);
        self.queue.launch(
            ERROR_SUMS.as_str(),
            [columns, rows, 1],
            &[&made.buffer.buffer, &input.buffer.buffer, &sums],
            &[as_u32(sides[1]), as_u32(sides[0]), as_u32(columns), origin as u32, right as u32, down as u32],
        );
        let found = self.queue.read(&sums).await?;
        if found.len() < rows * columns * block {
            return Err(Error::DeviceFailed { detail: "the sums of errors were not read whole".into() });
        }
        let cell = |at: usize| {
            let (x, y) = (at % cell_columns, at / cell_columns);
            let tile = y / cells * columns + x / cells;
            f64::from(found[tile * block + 1 + y % cells * cells + x % cells])
        };
        Ok(ErrorSums {
            tiles: (0..rows * columns).map(|tile| f64::from(found[tile * block])).collect(),
            cells: (0..cell_rows * cell_columns).map(cell).collect(),
        })
    }

    async fn read(&self, map: &Band<MapBuffer>) -> Result<Vec<f32>> {
        let [channels, height, width] = map.size;
        let interleaved = self.queue.read(&map.buffer.buffer).await?;
        let positions = height * width;
        let mut values = Vec::with_capacity(channels * positions);
        for channel in 0..channels {
            let vectors = interleaved.get(channel / 4 * positions * 4..).unwrap_or_default();
            values.extend(vectors.iter().skip(channel % 4).step_by(4).take(positions));
        }
        if values.len() == channels * positions {
            Ok(values)
        } else {
            Err(Error::DeviceFailed { detail: "a map was not read whole".into() })
        }
    }
}

impl Gpu {
    /// Launches a kernel that takes all channels of a position at once, with a table and two numbers of its own.
    fn each_position(
        &self,
        source: &str,
        table: &Buffer,
        own: [usize; 2],
        input: &Band<MapBuffer>,
        output: &Band<MapBuffer>,
        rows: &Rows,
    ) {
        let [channels, _, width] = input.size;
        let positions = rows.len() * width;
        let span = Span::of(input, output, rows);
        let numbers = [
            positions,
            channels.div_ceil(4),
            span.input_plane,
            span.input_first,
            span.output_plane,
            span.output_first,
            own[0],
            own[1],
        ];
        let vectors = [("Input", input.buffer.stored), ("Output", output.buffer.stored)];
        self.queue.launch(
            kernel(&vectors, source).as_str(),
            [POSITION_GROUPS.min(positions.div_ceil(64)), 1, 1],
            &[&input.buffer.buffer, table, &output.buffer.buffer],
            &numbers.map(as_u32),
        );
    }
}

/// The constants of `error_sums.wgsl`, and it.
static ERROR_SUMS: LazyLock<String> = LazyLock::new(|| {
    let [tiles, cells] = BLURS.map(blur_weights);
    let weights: Vec<String> =
        tiles.iter().zip(&cells).map(|(tile, cell)| format!("vec2f({tile:?}, {cell:?})")).collect();
    let ([red, green, blue], weights, count) = (LUMA, weights.join(", "), weights.len());
    format!(
        "const TILE = {TILE};\nconst CELL = {CELL};\nconst REACH = {REACH};\nconst LUMA = vec3f({red}, {green}, {blue});\n\
         var<private> WEIGHTS: array<vec2f, {count}> = array({weights});\n{}",
        include_str!("gpu/error_sums.wgsl")
    )
});

/// Where some rows lie in two bands of maps of the same size, in vectors.
struct Span {
    input_plane: usize,
    input_first: usize,
    output_plane: usize,
    output_first: usize,
}

impl Span {
    fn of(input: &Band<MapBuffer>, output: &Band<MapBuffer>, rows: &Rows) -> Self {
        let width = input.size[2];
        Span {
            input_plane: input.rows.len() * width,
            input_first: (rows.start - input.rows.start) * width,
            output_plane: output.rows.len() * width,
            output_first: (rows.start - output.rows.start) * width,
        }
    }
}

/// The layout of maps where one buffer holds at most so many bytes.
pub fn limits(buffer: u64, maps: Stored) -> Limits {
    Limits { memory: u64::MAX, buffer, channel_multiple: 4, value_bytes: maps.bytes(), attention_scratch }
}

fn score_vectors(positions: usize) -> usize {
    (SCORE_VECTORS / positions).max(LEAST_QUERY_VECTORS)
}

fn attention_scratch([_, height, width]: MapSize) -> u64 {
    let positions = height * width;
    // The scores, and the sums beside them.
    ((positions + 1) * score_vectors(positions).min(positions.div_ceil(4)) * VECTOR) as u64
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
