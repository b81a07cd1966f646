//! The convolution kernel's WGSL. Maps are `[channels / 4, height, width]` of `vec4`, the last
//! channels padded with zeros.
//!
//! A workgroup computes a tile of pixels for a block of output channels. Step by step along the input's
//! channels it stages the tile's input (transformed and activated once, upsampled on the way) and the
//! block's weights in workgroup memory; each invocation then multiplies a row of `pixels` input vectors
//! with `blocks` vectors of weights in registers. The inner loop is written out, since not every driver
//! unrolls loops, and an array that is indexed in a loop does not stay in registers.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use std::fmt::Write;

use super::Stored;
use crate::engine::operations::Activation;

/// What of a convolution is compiled in. Sizes are not: they come as numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    pub kernel: usize,
    pub stride: usize,
    /// Scale and shift of each input channel, in a buffer.
    pub transform: bool,
    pub activation: Activation,
    pub upsample: bool,
    pub residual: bool,
    pub relu: bool,
}

/// How the maps that it reads and writes hold their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    pub input: Stored,
    pub output: Stored,
    pub residual: Stored,
}

/// How the work is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Invocations of a workgroup along x, y and along blocks of output channels.
    pub group: [usize; 3],
    /// Pixels of a row that an invocation computes.
    pub pixels: usize,
    /// Vectors of four output channels that an invocation computes.
    pub blocks: usize,
    /// Vectors of four input channels that are staged at once.
    pub depth: usize,
}

/// Invocations of a workgroup, at most; few enough for every GPU to run several workgroups at a time.
const INVOCATIONS: usize = 64;
const MOST_ROWS: usize = 16;

impl Shape {
    /// A shape for this many vectors of output channels and results of this width: the narrower the map, the
    /// narrower the tile, and the more output channels share what is staged.
    pub fn choose(kernel: usize, stride: usize, output_vectors: usize, width: usize) -> Self {
        let blocks = output_vectors.min(2);
        let (tile_width, most_groups) = match width {
            ..9 => (8, 8),
            9..17 => (16, 4),
            // Stride 2 needs four times the staged input for as many pixels.
            _ if stride == 2 => (16, 2),
            _ => (32, 2),
        };
        let pixels = if stride == 1 { 8 } else { 4 };
        let columns = tile_width / pixels;
        let groups = (output_vectors / blocks).clamp(1, most_groups).next_power_of_two().min(most_groups);
        let rows = (INVOCATIONS / (columns * groups)).min(MOST_ROWS / stride);
        let group = [columns, rows, groups];
        Shape { group, pixels, blocks, depth: if kernel > 1 { 1 } else { groups } }
    }

    /// Pixels of a workgroup's tile: width, height.
    pub fn tile(&self) -> [usize; 2] {
        [self.group[0] * self.pixels, self.group[1]]
    }

    /// Vectors of output channels of a workgroup.
    pub fn output_vectors(&self) -> usize {
        self.group[2] * self.blocks
    }

    fn invocations(&self) -> usize {
        self.group.iter().product()
    }
}

impl Variant {
    /// The sides of the input that a tile needs.
    fn staged(&self, shape: &Shape) -> [usize; 2] {
        shape.tile().map(|side| (side - 1) * self.stride + self.kernel)
    }

    /// Neighbouring invocations read vectors this far apart; the staged row is stored with such columns
    /// together, so that they fall into different banks of workgroup memory.
    fn lanes(&self, shape: &Shape) -> usize {
        shape.pixels * self.stride
    }

    fn columns(&self, shape: &Shape) -> usize {
        self.staged(shape)[0].div_ceil(self.lanes(shape))
    }

    /// Bindings: input, weights, bias, output, then scale-and-shift if `transform`, residual if
    /// `residual`, last the numbers.
    pub fn source(&self, shape: &Shape, ends: &Ends) -> String {
        let Shape { group, pixels, blocks, depth } = *shape;
        let [staged_width, staged_height] = self.staged(shape);
        let taps = self.kernel * self.kernel;
        let mut binding = 4;
        let mut optional = String::new();
        let mut declare = |name: &str, stored: Stored| {
            let vector = stored.vector();
            let _ = writeln!(optional, "@group(0) @binding({binding}) var<storage, read> {name}: array<{vector}>;");
            binding += 1;
        };
        if self.transform {
            declare("affine", Stored::F32);
        }
        if self.residual {
            declare("residual", ends.residual);
        }
        let transform = if self.transform { "v = v * affine[2u * c] + affine[2u * c + 1u];" } else { "" };
        let activation = match self.activation {
            Activation::None => String::new(),
            Activation::Silu => "v = v / (1.0 + exp(-v));".into(),
            Activation::Relu => "v = max(v, vec4f(0.0));".into(),
            Activation::SoftClamp { limit } => format!("v = tanh(v / {limit:?}) * {limit:?};"),
        };
        let upsampled = u32::from(self.upsample);

        let mut sums = String::new();
        let mut row = String::new();
        let mut products = String::new();
        let mut stores = String::new();
        for block in 0..blocks {
            for pixel in 0..pixels {
                let _ = writeln!(sums, "    var s{block}_{pixel} = vec4f(0.0);");
                let _ = writeln!(stores, "    store(s{block}_{pixel}, position, {block}u, {pixel}u);");
            }
        }
        for column in 0..(pixels - 1) * self.stride + self.kernel {
            let slot = column % self.lanes(shape) * self.columns(shape) + column / self.lanes(shape);
            let _ = writeln!(row, "        let r{column} = tile[row + {slot}u];");
        }
        for tap in 0..self.kernel {
            for (input, component) in ["x", "y", "z", "w"].iter().enumerate() {
                for block in 0..blocks {
                    let offset = (tap * 4 + input) * shape.output_vectors() + block;
                    let _ = writeln!(products, "        w = filters[first_filter + {offset}u];");
                    for pixel in 0..pixels {
                        let column = pixel * self.stride + tap;
                        let _ = writeln!(products, "        s{block}_{pixel} += w * r{column}.{component};");
                    }
                }
            }
        }
        let residual = if self.residual {
            "let row = c * numbers.residual_rows + position.y - numbers.residual_first_row;
    value += vec4f(residual[row * numbers.output_width + x]);"
        } else {
            ""
        };
        let relu = if self.relu { "value = max(value, vec4f(0.0));" } else { "" };
        format!(
            "{enable}{HEAD}
@group(0) @binding(0) var<storage, read> input: array<{input}>;
@group(0) @binding(3) var<storage, read_write> output: array<{output}>;
{optional}
@group(0) @binding({binding}) var<storage, read> numbers: Numbers;
var<workgroup> tile: array<vec4f, {tile}>;
var<workgroup> filters: array<vec4f, {filters}>;

fn load(c: u32, y: i32, x: i32) -> vec4f {{
    let height = i32(numbers.input_height << {upsampled}u);
    let width = i32(numbers.input_width << {upsampled}u);
    if (c >= numbers.input_vectors || y < 0 || x < 0 || y >= height || x >= width) {{
        return vec4f(0.0);
    }}
    let row = (u32(y) >> {upsampled}u) - numbers.input_first_row;
    // Rows that the last results of a tile would read, if they were stored.
    if (row >= numbers.input_rows) {{
        return vec4f(0.0);
    }}
    var v = vec4f(input[(c * numbers.input_rows + row) * numbers.input_width + (u32(x) >> {upsampled}u)]);
    {transform}
    {activation}
    return v;
}}

fn store(sum: vec4f, position: vec3u, block: u32, pixel: u32) {{
    let x = position.x + pixel;
    let c = position.z + block;
    if (x >= numbers.output_width || position.y >= numbers.end_row || c >= numbers.output_vectors) {{
        return;
    }}
    let at = (c * numbers.output_rows + position.y - numbers.output_first_row) * numbers.output_width + x;
    var value = sum + bias[c];
    {residual}
    {relu}
    output[at] = {output}(value);
}}

@compute @workgroup_size({group_x}, {group_y}, {group_z})
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {{
    let origin = vec2u(group.x * {tile_width}u, numbers.first_row + group.y * {tile_height}u);
    let first_x = i32(origin.x * {stride}u) - i32(numbers.padding);
    let first_y = i32(origin.y * {stride}u) - i32(numbers.padding);
    let first_vector = group.z * {output_vectors}u;
{sums}
    for (var step = 0u; step < numbers.input_vectors; step += {depth}u) {{
        workgroupBarrier();
        for (var i = index; i < {staged}u; i += {invocations}u) {{
            let c = i / {plane}u;
            let y = i % {plane}u / {staged_width}u;
            let x = i % {staged_width}u;
            let slot = x % {lanes}u * {columns}u + x / {lanes}u;
            tile[(c * {staged_height}u + y) * {row_slots}u + slot] = load(step + c, first_y + i32(y), first_x + i32(x));
        }}
        for (var i = index; i < {filters}u; i += {invocations}u) {{
            let vector = first_vector + i % {output_vectors}u;
            let rest = i / {output_vectors}u;
            var filter_value = vec4f(0.0);
            if (vector < numbers.output_vectors && step + rest / {quads}u < numbers.input_vectors) {{
                filter_value = weights[(vector * numbers.input_vectors + step) * {quads}u + rest];
            }}
            filters[i] = filter_value;
        }}
        workgroupBarrier();
        for (var strip = 0u; strip < {strips}u; strip++) {{
            let row = (strip / {kernel}u * {staged_height}u + local.y * {stride}u + strip % {kernel}u) * {row_slots}u + local.x;
            let first_filter = strip * {strip_filters}u + local.z * {blocks}u;
            var w: vec4f;
{row}{products}        }}
    }}
    let position = vec3u(origin.x + local.x * {pixels}u, origin.y + local.y, first_vector + local.z * {blocks}u);
{stores}}}
",
            enable = if [ends.input, ends.output, ends.residual].contains(&Stored::F16) { "enable f16;\n" } else { "" },
            input = ends.input.vector(),
            output = ends.output.vector(),
            tile = depth * staged_height * self.columns(shape) * self.lanes(shape),
            filters = depth * taps * 4 * shape.output_vectors(),
            group_x = group[0],
            group_y = group[1],
            group_z = group[2],
            tile_width = shape.tile()[0],
            tile_height = shape.tile()[1],
            stride = self.stride,
            output_vectors = shape.output_vectors(),
            staged = depth * staged_height * staged_width,
            plane = staged_height * staged_width,
            invocations = shape.invocations(),
            lanes = self.lanes(shape),
            columns = self.columns(shape),
            row_slots = self.columns(shape) * self.lanes(shape),
            quads = taps * 4,
            strips = depth * self.kernel,
            kernel = self.kernel,
            strip_filters = self.kernel * 4 * shape.output_vectors(),
        )
    }
}

const HEAD: &str = "struct Numbers {
    input_vectors: u32,
    input_height: u32,
    input_width: u32,
    input_first_row: u32,
    input_rows: u32,
    output_vectors: u32,
    output_width: u32,
    // The rows that the output's buffer holds, and those that are computed now.
    output_first_row: u32,
    output_rows: u32,
    first_row: u32,
    end_row: u32,
    padding: u32,
    residual_first_row: u32,
    residual_rows: u32,
}
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
";

#[cfg(test)]
mod tests {
    use super::*;

    /// What every WebGPU adapter has, whatever more it offers.
    const WORKGROUP_BYTES: usize = 16384;
    const MOST_INVOCATIONS: usize = 256;

    #[test]
    fn every_shape_fits_every_adapter() {
        for (kernel, stride) in [(1, 1), (3, 1), (3, 2)] {
            for (output_vectors, width) in (1..9).flat_map(|vectors| [4, 12, 40].map(|width| (vectors, width))) {
                let shape = Shape::choose(kernel, stride, output_vectors, width);
                let variant = Variant {
                    kernel,
                    stride,
                    transform: true,
                    activation: Activation::Silu,
                    upsample: false,
                    residual: true,
                    relu: false,
                };
                let staged = variant.columns(&shape) * variant.lanes(&shape) * variant.staged(&shape)[1];
                let filters = kernel * kernel * 4 * shape.output_vectors();
                let bytes = 16 * shape.depth * (staged + filters);
                assert!(bytes <= WORKGROUP_BYTES, "{shape:?} takes {bytes} bytes");
                assert!(shape.invocations() <= MOST_INVOCATIONS, "{shape:?}");
            }
        }
    }
}
