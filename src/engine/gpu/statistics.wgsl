// First stage of a group normalisation: count, mean and summed squared deviation of each channel over
// chunks of positions. Deviations are from a value of the chunk, so that f32 keeps small variances
// beside large means. One workgroup a chunk (x) and vector of channels (y).
struct Numbers {
    positions: u32,
    chunk: u32,
}
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
// [vectors, chunks, 2]: mean, summed squared deviation.
@group(0) @binding(1) var<storage, read_write> stage_one: array<vec4f>;
@group(0) @binding(2) var<storage, read> numbers: Numbers;
var<workgroup> sums: array<vec4f, 64>;
var<workgroup> squares: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let first = group.x * numbers.chunk;
    let count = min(numbers.chunk, numbers.positions - first);
    let start = group.y * numbers.positions + first;
    let pivot = input[start];
    var sum = vec4f(0.0);
    var square = vec4f(0.0);
    for (var i = index; i < count; i += 64u) {
        let deviation = input[start + i] - pivot;
        sum += deviation;
        square += deviation * deviation;
    }
    sums[index] = sum;
    squares[index] = square;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            sums[index] += sums[index + half];
            squares[index] += squares[index + half];
        }
    }
    if (index == 0u) {
        let mean = sums[0] / f32(count);
        let at = 2u * (group.y * groups.x + group.x);
        stage_one[at] = pivot + mean;
        stage_one[at + 1u] = max(squares[0] - mean * sums[0], vec4f(0.0));
    }
}
