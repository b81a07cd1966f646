// Sums of the values [vectors, positions], weighted with exp(score) [query vectors, positions] and divided
// by the weights' sum, into a band [vectors, output_plane]. An invocation takes two vectors of queries (x) and
// two vectors of channels (y).
struct Numbers {
    positions: u32,
    vectors: u32,
    queries: u32,
    query_vectors: u32,
    query_plane: u32,
    first_query: u32,
    output_plane: u32,
    first_output: u32,
}
@group(0) @binding(0) var<storage, read> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read> values: array<Map>;
@group(0) @binding(2) var<storage, read> inverse_sums: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Map>;
@group(0) @binding(4) var<storage, read> numbers: Numbers;
// [16 vectors, 16 positions]
var<workgroup> staged_weights: array<vec4f, 256>;
var<workgroup> staged_values: array<vec4f, 256>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    // Columns are queries, components are channels: two by two vectors.
    var s00: mat4x4f;
    var s01: mat4x4f;
    var s10: mat4x4f;
    var s11: mat4x4f;
    for (var step = 0u; step < numbers.positions; step += 16u) {
        workgroupBarrier();
        for (var i = index; i < 256u; i += 64u) {
            let position = step + i % 16u;
            let query = 16u * group.x + i / 16u;
            let channel = 16u * group.y + i / 16u;
            staged_weights[i] = vec4f(0.0);
            staged_values[i] = vec4f(0.0);
            if (position < numbers.positions) {
                if (query < numbers.query_vectors) {
                    staged_weights[i] = weights[query * numbers.positions + position];
                }
                if (channel < numbers.vectors) {
                    staged_values[i] = vec4f(values[channel * numbers.positions + position]);
                }
            }
        }
        workgroupBarrier();
        for (var i = 0u; i < 16u; i++) {
            let w0 = staged_weights[32u * local.x + i];
            let w1 = staged_weights[32u * local.x + 16u + i];
            let v0 = staged_values[32u * local.y + i];
            let v1 = staged_values[32u * local.y + 16u + i];
            s00 += mat4x4f(v0 * w0.x, v0 * w0.y, v0 * w0.z, v0 * w0.w);
            s01 += mat4x4f(v0 * w1.x, v0 * w1.y, v0 * w1.z, v0 * w1.w);
            s10 += mat4x4f(v1 * w0.x, v1 * w0.y, v1 * w0.z, v1 * w0.w);
            s11 += mat4x4f(v1 * w1.x, v1 * w1.y, v1 * w1.z, v1 * w1.w);
        }
    }
    let query = 16u * group.x + 2u * local.x;
    let channel = 16u * group.y + 2u * local.y;
    store(query, channel, s00);
    store(query + 1u, channel, s01);
    store(query, channel + 1u, s10);
    store(query + 1u, channel + 1u, s11);
}

fn store(query: u32, channel: u32, sums: mat4x4f) {
    if (query >= numbers.query_vectors || channel >= numbers.vectors) {
        return;
    }
    let inverse = inverse_sums[query];
    let position = 4u * query;
    let at = channel * numbers.output_plane + numbers.first_output + position;
    if (position < numbers.queries) { output[at] = Map(sums[0] * inverse.x); }
    if (position + 1u < numbers.queries) { output[at + 1u] = Map(sums[1] * inverse.y); }
    if (position + 2u < numbers.queries) { output[at + 2u] = Map(sums[2] * inverse.z); }
    if (position + 3u < numbers.queries) { output[at + 3u] = Map(sums[3] * inverse.w); }
}
