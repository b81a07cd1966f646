//! The convolution kernel's WGSL. Maps are `[channels / 4, height, width]` of `vec4`, the last
//! channels padded with zeros.
//!
//! A workgroup computes a tile of pixels for a block of output channels. Step by step along the input's
//! channels it stages the tile's input (transformed and activated once, upsampled on the way) and the
//! block's weights in workgroup memory; each invocation then multiplies a row of `pixels` input vectors
//! with `blocks` vectors of weights in registers, while what the next step stages is on its way from memory.
//! The inner loop is written out, since not every driver unrolls loops, and an array that is indexed in a
//! loop does not stay in registers.

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

/// Invocations of a workgroup, twice as many for 1×1 kernels; few enough for every GPU to run several workgroups at a
/// time.
const INVOCATIONS: usize = 64;
const MOST_ROWS: usize = 16;

impl Shape {
    /// A shape for this many vectors of output channels and results of this width: the narrower the map, the
    /// narrower the tile, and the more output channels share what is staged. Where little is computed with what is
    /// staged, as by 1×1 kernels and by those that halve, an invocation takes more channels of fewer pixels. What is
    /// best of what fits every adapter was measured on an H200 (docs/measured.md).
    pub fn choose(kernel: usize, stride: usize, output_vectors: usize, width: usize) -> Self {
        let (tile_width, most_groups) = match width {
            ..9 => (8, 8),
            9..17 => (16, 4),
            _ if kernel == 1 => (16, 4),
            // Stride 2 needs four times the staged input for as many pixels.
            _ if stride == 2 => (16, 2),
            _ => (32, 2),
        };
        let deep = width >= 17 && (kernel == 1 || stride == 2);
        let pixels = if deep || stride == 2 { 4 } else { 8 };
        let blocks = output_vectors.min(if deep { 4 } else { 2 });
        let columns = tile_width / pixels;
        let groups = (output_vectors / blocks).clamp(1, most_groups).next_power_of_two().min(most_groups);
        let invocations = if deep && kernel == 1 { 2 * INVOCATIONS } else { INVOCATIONS };
        let rows = (invocations / (columns * groups)).min(MOST_ROWS / stride);
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

    /// What measurements call the kernel: what is compiled in, and the tile, pixels by pixels by output channels.
    fn name(&self, shape: &Shape, ends: &Ends) -> String {
        let activation = match self.activation {
            Activation::None => "",
            Activation::Silu => " silu",
            Activation::Relu => " relu",
            Activation::SoftClamp { .. } => " soft clamp",
        };
        let parts = [
            (self.transform, " affine"),
            (true, activation),
            (self.upsample, " upsampled"),
            (self.residual, " residual"),
            (self.relu, " relu after"),
            (ends.input == Stored::F16, " f16"),
        ];
        let parts: String = parts.iter().filter(|(has, _)| *has).map(|&(_, part)| part).collect();
        let ([width, height], channels) = (shape.tile(), 4 * shape.output_vectors());
        format!("convolution {0}x{0} stride {1}{parts}, tile {width}x{height}x{channels}", self.kernel, self.stride)
    }

    /// Bindings: input, weights, bias, output, then scale-and-shift if `transform`, residual if
    /// `residual`, last the numbers.
    pub fn source(&self, shape: &Shape, ends: &Ends) -> String {
        let Shape { group, pixels, blocks, depth } = *shape;
        let [staged_width, staged_height] = self.staged(shape);
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
        let transform = if self.transform { "v = v * scale + shift;" } else { "" };
        let activation = match self.activation {
            Activation::None => String::new(),
            Activation::Silu => "v = v / (1.0 + exp(-v));".into(),
            Activation::Relu => "v = max(v, vec4f(0.0));".into(),
            Activation::SoftClamp { limit } => format!("v = tanh(v / {limit:?}) * {limit:?};"),
        };
        let upsampled = u32::from(self.upsample);
        let Staging { places, fetches, stores } = self.staging(shape, ends);

        let mut sums = String::new();
        let mut row = String::new();
        let mut products = String::new();
        let mut results = String::new();
        for block in 0..blocks {
            let _ = writeln!(
                results,
                "    let c{block} = first_vector + local.z * {blocks}u + {block}u;
    if (c{block} < numbers.output_vectors) {{
        let sum = bias[c{block}];
        let at = (c{block} * numbers.output_rows + y - numbers.output_first_row) * numbers.output_width + x;"
            );
            if self.residual {
                let row = format!("c{block} * numbers.residual_rows + y - numbers.residual_first_row");
                let _ = writeln!(results, "        let other = ({row}) * numbers.output_width + x;");
            }
            for pixel in 0..pixels {
                let _ = writeln!(sums, "    var s{block}_{pixel} = vec4f(0.0);");
                let residual =
                    if self.residual { format!(" + vec4f(residual[other + {pixel}u])") } else { String::new() };
                let value = format!("sum + s{block}_{pixel}{residual}");
                let value = if self.relu { format!("max({value}, vec4f())") } else { value };
                let stored = format!("output[at + {pixel}u] = {}({value});", ends.output.vector());
                let _ = writeln!(results, "        if (x + {pixel}u < numbers.output_width) {{ {stored} }}");
            }
            results += "    }\n";
        }
        for column in 0..(pixels - 1) * self.stride + self.kernel {
            let slot = column % self.lanes(shape) * self.columns(shape) + column / self.lanes(shape);
            let _ = writeln!(row, "                let r{column} = tile[row + {slot}u];");
        }
        for tap in 0..self.kernel {
            for (input, component) in ["x", "y", "z", "w"].iter().enumerate() {
                for block in 0..blocks {
                    let offset = (tap * 4 + input) * shape.output_vectors() + block;
                    let _ = writeln!(products, "                w = filters[first_filter + {offset}u];");
                    for pixel in 0..pixels {
                        let column = pixel * self.stride + tap;
                        let _ = writeln!(products, "                s{block}_{pixel} += w * r{column}.{component};");
                    }
                }
            }
        }
        format!(
            "{enable}// {name}: a tile of pixels by a block of output channels for each workgroup.
{HEAD}
@group(0) @binding(0) var<storage, read> input: array<{input}>;
@group(0) @binding(3) var<storage, read_write> output: array<{output}>;
{optional}
@group(0) @binding({binding}) var<uniform> numbers: Numbers;
var<workgroup> tile: array<vec4f, {tile}>;
var<workgroup> filters: array<vec4f, {filters}>;

// Where an element of the staged tile lies in the planes of a step's input, where in the tile, and whether it does:
// 0 for the padding, and for rows that only results would read that are not stored.
fn place(element: u32, first_x: i32, first_y: i32) -> vec3u {{
    let line = element / {staged_width}u;
    let column = element % {staged_width}u;
    let slot = line * {row_slots}u + column % {lanes}u * {columns}u + column / {lanes}u;
    let x = first_x + i32(column);
    let y = first_y + i32({line});
    let height = i32(numbers.input_height << {upsampled}u);
    let width = i32(numbers.input_width << {upsampled}u);
    let row = (u32(y) >> {upsampled}u) - numbers.input_first_row;
    let inside = y >= 0 && x >= 0 && y < height && x < width && row < numbers.input_rows;
    let at = ({plane_rows}row) * numbers.input_width + (u32(x) >> {upsampled}u);
    return vec3u(select(0u, at, inside), slot, u32(inside));
}}

fn transformed(given: vec4f, scale: vec4f, shift: vec4f) -> vec4f {{
    var v = given;
    {transform}
    {activation}
    return v;
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
    let input_plane = numbers.input_rows * numbers.input_width;
    let step_filters = {quads}u * numbers.output_vectors;
    let last_input = numbers.input_vectors * input_plane - 1u;
    let last_filter = numbers.input_vectors * step_filters - 1u;
{places}{sums}
    for (var next = 0u; ; next += {depth}u) {{
        if (next < numbers.input_vectors) {{
{fetches}        }}
        if (next > 0u) {{
            for (var strip = 0u; strip < {strips}u; strip++) {{
                let row = ({strip_row} + local.y * {stride}u) * {row_slots}u + local.x;
                let first_filter = strip * {strip_filters}u + local.z * {blocks}u;
                var w: vec4f;
{row}{products}            }}
        }}
        if (next >= numbers.input_vectors) {{
            break;
        }}
        workgroupBarrier();
{stores}        workgroupBarrier();
    }}
    let x = origin.x + local.x * {pixels}u;
    let y = origin.y + local.y;
    if (y >= numbers.end_row) {{
        return;
    }}
{results}}}
",
            name = self.name(shape, ends),
            enable = if [ends.input, ends.output, ends.residual].contains(&Stored::F16) { "enable f16;\n" } else { "" },
            input = ends.input.vector(),
            output = ends.output.vector(),
            tile = depth * staged_height * self.columns(shape) * self.lanes(shape),
            filters = self.filters(shape),
            group_x = group[0],
            group_y = group[1],
            group_z = group[2],
            tile_width = shape.tile()[0],
            tile_height = shape.tile()[1],
            stride = self.stride,
            output_vectors = shape.output_vectors(),
            line = if depth == 1 { "line".into() } else { format!("line % {staged_height}u") },
            plane_rows =
                if depth == 1 { String::new() } else { format!("line / {staged_height}u * numbers.input_rows + ") },
            strip_row = match (depth, self.kernel) {
                (1, _) => "strip".into(),
                (_, 1) => format!("strip * {staged_height}u"),
                (_, kernel) => format!("strip / {kernel}u * {staged_height}u + strip % {kernel}u"),
            },
            lanes = self.lanes(shape),
            columns = self.columns(shape),
            row_slots = self.columns(shape) * self.lanes(shape),
            quads = self.kernel * self.kernel * 4,
            strips = depth * self.kernel,
            strip_filters = self.kernel * 4 * shape.output_vectors(),
        )
    }

    /// Vectors of weights that are staged at once.
    fn filters(&self, shape: &Shape) -> usize {
        shape.depth * self.kernel * self.kernel * 4 * shape.output_vectors()
    }

    /// How each invocation brings its part of a step into workgroup memory.
    fn staging(&self, shape: &Shape, ends: &Ends) -> Staging {
        let Staging { mut places, mut fetches, mut stores } = Staging::default();
        let [staged_width, staged_height] = self.staged(shape);
        let (plane, depth, invocations) = (staged_width * staged_height, shape.depth, shape.invocations());
        let vector = ends.input.vector();
        let of = |number: usize, text: &str, all: usize| {
            // The last invocations may have nothing left to bring.
            let left = all - number * invocations;
            if left < invocations {
                format!("        if (index < {left}u) {{ {text} }}\n")
            } else {
                format!("        {text}\n")
            }
        };
        if self.transform && depth == 1 {
            places += "    var scale: vec4f;\n    var shift: vec4f;\n";
            fetches += "            scale = affine[2u * next];\n            shift = affine[2u * next + 1u];\n";
        }
        for number in 0..(depth * plane).div_ceil(invocations) {
            let element = format!("(index + {}u)", number * invocations);
            let _ = writeln!(places, "    let place{number} = place({element}, first_x, first_y);");
            let _ = writeln!(places, "    var input{number}: {vector};");
            let vector_of_input = format!("next + {element} / {plane}u");
            // A step's last vectors may lie beyond the input. Branches would take longer than loading values that are
            // not used.
            let (at, inside) = match depth {
                1 => (format!("next * input_plane + place{number}.x"), format!("place{number}.z == 1u")),
                _ => (
                    format!("min(next * input_plane + place{number}.x, last_input)"),
                    format!("place{number}.z == 1u && {vector_of_input} < numbers.input_vectors"),
                ),
            };
            let _ = writeln!(fetches, "            input{number} = input[{at}];");
            let (scale, shift) = match (self.transform, depth) {
                (false, _) => ("vec4f()".into(), "vec4f()".into()),
                (true, 1) => ("scale".into(), "shift".into()),
                (true, _) => {
                    let at = format!("2u * min({vector_of_input}, numbers.input_vectors - 1u)");
                    (format!("affine[{at}]"), format!("affine[{at} + 1u]"))
                }
            };
            // The padding is zeros, whatever the transform would make of them.
            let value = format!("transformed(vec4f(input{number}), {scale}, {shift})");
            stores +=
                &of(number, &format!("tile[place{number}.y] = select(vec4f(), {value}, {inside});"), depth * plane);
        }
        for number in 0..self.filters(shape).div_ceil(invocations) {
            let (element, vectors) = (format!("(index + {}u)", number * invocations), shape.output_vectors());
            let _ = writeln!(
                places,
                "    let filter{number} = {element} / {vectors}u * numbers.output_vectors
        + min(first_vector + {element} % {vectors}u, numbers.output_vectors - 1u);
    var weight{number}: vec4f;"
            );
            // A step's last vectors may lie beyond the weights; whatever is there is multiplied by zeros.
            let _ = writeln!(
                fetches,
                "            weight{number} = weights[min(next * step_filters + filter{number}, last_filter)];"
            );
            stores += &of(number, &format!("filters[{element}] = weight{number};"), self.filters(shape));
        }
        Staging { places, fetches, stores }
    }
}

/// Statements: what an invocation brings in every step, its loads, and its stores into workgroup memory.
#[derive(Default)]
struct Staging {
    places: String,
    fetches: String,
    stores: String,
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

    /// What every WebGPU adapter offers at least.
    const WORKGROUP_BYTES: usize = 16384;
    const MOST_INVOCATIONS: usize = 256;

    #[test]
    fn every_shape_fits_every_adapter() {
        for (kernel, stride) in [(1, 1), (3, 1), (3, 2)] {
            for (output_vectors, width) in (1..40).flat_map(|vectors| [4, 12, 40].map(|width| (vectors, width))) {
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
