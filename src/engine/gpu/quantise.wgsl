// quantisation: every position's nearest entry of a codebook. An invocation takes positions whole.
struct Numbers {
    positions: u32,
    vectors: u32,
    input_plane: u32,
    first_input: u32,
    output_plane: u32,
    first_output: u32,
    entries: u32,
    unused: u32,
}
@group(0) @binding(0) var<storage, read> input: array<Input>;
// [entries, vectors].
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
        var nearest = 0u;
        var least = 3.4e38;
        for (var entry = 0u; entry < numbers.entries; entry++) {
            var distance = 0.0;
            for (var vector = 0u; vector < numbers.vectors; vector++) {
                let difference = vec4f(input[vector * numbers.input_plane + first]) - table[entry * numbers.vectors + vector];
                distance += dot(difference, difference);
            }
            if (distance < least) {
                least = distance;
                nearest = entry;
            }
        }
        for (var vector = 0u; vector < numbers.vectors; vector++) {
            output[vector * numbers.output_plane + numbers.first_output + at] =
                Output(table[nearest * numbers.vectors + vector]);
        }
    }
}
