// squared difference: sums of squared differences of two maps, over chunks. One workgroup a chunk.
struct Numbers {
    vectors: u32,
    chunk: u32,
}
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;
var<workgroup> shared_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let first = group.x * numbers.chunk;
    let end = min(first + numbers.chunk, numbers.vectors);
    var sum = 0.0;
    for (var i = first + index; i < end; i += 64u) {
        let difference = a[i] - b[i];
        sum += dot(difference, difference);
    }
    shared_sums[index] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_sums[index] += shared_sums[index + half];
        }
    }
    if (index == 0u) {
        sums[group.x] = shared_sums[0];
    }
}
