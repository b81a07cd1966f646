// channel normalisation: every position's channels divided by their root mean square, times gamma. An invocation takes positions whole.
struct Numbers {
    positions: u32,
    vectors: u32,
    input_plane: u32,
    first_input: u32,
    output_plane: u32,
    first_output: u32,
    channels: u32,
    silu: u32,
}
@group(0) @binding(0) var<storage, read> input: array<Input>;
// [vectors]: gamma.
@group(0) @binding(1) var<storage, read> table: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<Output>;
@group(0) @binding(3) var<uniform> numbers: Numbers;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    for (var at = 64u * group.x + index; at < numbers.positions; at += 64u * groups.x) {
        let first = numbers.first_input + at;
        var squares = 0.0;
        for (var vector = 0u; vector < numbers.vectors; vector++) {
            let value = vec4f(input[vector * numbers.input_plane + first]);
            squares += dot(value, value);
        }
        let factor = sqrt(f32(numbers.channels)) / max(sqrt(squares), 1e-12);
        for (var vector = 0u; vector < numbers.vectors; vector++) {
            var value = vec4f(input[vector * numbers.input_plane + first]) * factor * table[vector];
            if (numbers.silu == 1u) {
                value = value / (1.0 + exp(-value));
            }
            output[vector * numbers.output_plane + numbers.first_output + at] = Output(value);
        }
    }
}
