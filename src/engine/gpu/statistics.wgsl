// statistics: first stage of a group normalisation: mean, summed squared deviation and count of each channel over
// chunks of some rows' positions. Deviations are from a value of the chunk, so that f32 keeps small
// variances beside large means. One workgroup a chunk (x) and vector of channels (y).
struct Numbers {
    // Positions of the rows, and where they begin in each vector's plane of the input.
    positions: u32,
    first: u32,
    plane: u32,
    chunk: u32,
    // Where the rows' chunks begin among all chunks of the map.
    first_chunk: u32,
    chunks: u32,
}
@group(0) @binding(0) var<storage, read> input: array<Map>;
// [vectors, chunks, 3]: mean, summed squared deviation, count.
@group(0) @binding(1) var<storage, read_write> stage_one: array<vec4f>;
@group(0) @binding(2) var<uniform> numbers: Numbers;
var<workgroup> sums: array<vec4f, 64>;
var<workgroup> squares: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let first = group.x * numbers.chunk;
    let count = min(numbers.chunk, numbers.positions - first);
    let start = group.y * numbers.plane + numbers.first + first;
    let pivot = vec4f(input[start]);
    var sum = vec4f(0.0);
    var square = vec4f(0.0);
    for (var i = index; i < count; i += 64u) {
        let deviation = vec4f(input[start + i]) - pivot;
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
        let at = 3u * (group.y * numbers.chunks + numbers.first_chunk + group.x);
        stage_one[at] = pivot + mean;
        stage_one[at + 1u] = max(squares[0] - mean * sums[0], vec4f(0.0));
        stage_one[at + 2u] = vec4f(f32(count));
    }
}
