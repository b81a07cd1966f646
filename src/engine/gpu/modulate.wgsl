// modulation: a map, normalised by each channel's scale and shift, then modulated by two maps that are smaller by a factor and
// whose values are repeated. Groups (x) go through the positions, y is the vector.
struct Numbers {
    positions: u32,
    width: u32,
    first_row: u32,
    input_plane: u32,
    first_input: u32,
    output_plane: u32,
    first_output: u32,
    factor: u32,
    latent_width: u32,
    scale_row: u32,
    scale_plane: u32,
    shift_row: u32,
    shift_plane: u32,
    silu: u32,
}
@group(0) @binding(0) var<storage, read> input: array<Input>;
// [vectors, 2]: scale, shift.
@group(0) @binding(1) var<storage, read> affine: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<Scale>;
@group(0) @binding(3) var<storage, read> shift: array<Shift>;
@group(0) @binding(4) var<storage, read_write> output: array<Output>;
@group(0) @binding(5) var<uniform> numbers: Numbers;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let vector = group.y;
    let by = affine[2u * vector];
    let plus = affine[2u * vector + 1u];
    for (var at = 64u * group.x + index; at < numbers.positions; at += 64u * groups.x) {
        let row = (numbers.first_row + at / numbers.width) / numbers.factor;
        let column = at % numbers.width / numbers.factor;
        let of_scale = (row - numbers.scale_row) * numbers.latent_width + column;
        let of_shift = (row - numbers.shift_row) * numbers.latent_width + column;
        let normed = vec4f(input[vector * numbers.input_plane + numbers.first_input + at]) * by + plus;
        var value = normed * vec4f(scale[vector * numbers.scale_plane + of_scale]);
        value += vec4f(shift[vector * numbers.shift_plane + of_shift]);
        if (numbers.silu == 1u) {
            value = value / (1.0 + exp(-value));
        }
        output[vector * numbers.output_plane + numbers.first_output + at] = Output(value);
    }
}
