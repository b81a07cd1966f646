// write: copies some rows into a band: positions of one vector of channels a row of workgroups.
struct Numbers {
    positions: u32,
    plane: u32,
    first: u32,
}
@group(0) @binding(0) var<storage, read> values: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> band: array<Map>;
@group(0) @binding(2) var<uniform> numbers: Numbers;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    for (var i = 64u * group.x + index; i < numbers.positions; i += 64u * groups.x) {
        band[group.y * numbers.plane + numbers.first + i] = Map(values[group.y * numbers.positions + i]);
    }
}
