// attention softmax: turns scores [query vectors, positions] into exp(score − largest) and writes 1 / their sums. One
// workgroup a vector of four queries.
@group(0) @binding(0) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> inverse_sums: array<vec4f>;
@group(0) @binding(2) var<uniform> positions: u32;
var<workgroup> shared_values: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let row = group.x * positions;
    var largest = scores[row];
    for (var i = index; i < positions; i += 64u) {
        largest = max(largest, scores[row + i]);
    }
    shared_values[index] = largest;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_values[index] = max(shared_values[index], shared_values[index + half]);
        }
    }
    workgroupBarrier();
    largest = shared_values[0];
    workgroupBarrier();
    var sum = vec4f(0.0);
    for (var i = index; i < positions; i += 64u) {
        let value = exp(scores[row + i] - largest);
        scores[row + i] = value;
        sum += value;
    }
    shared_values[index] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_values[index] += shared_values[index + half];
        }
    }
    if (index == 0u) {
        inverse_sums[group.x] = 1.0 / shared_values[0];
    }
}
