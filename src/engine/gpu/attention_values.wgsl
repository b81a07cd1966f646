// attention values: sums of the values [vectors, positions], weighted with exp(score) [query vectors, positions] and divided
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
@group(0) @binding(4) var<uniform> numbers: Numbers;
// [16 positions, 16 vectors], rows a vector longer: so neighbours neither store nor load in the same bank.
const ROW = 17u;
var<workgroup> staged_weights: array<vec4f, 16u * ROW>;
var<workgroup> staged_values: array<vec4f, 16u * ROW>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    // One position and every fourth vector are this invocation's to stage.
    let column = index % 16u;
    let line = index / 16u;
    let query = 16u * group.x + line;
    let channel = 16u * group.y + line;
    let slot = column * ROW + line;
    var next_weights = array(
        weight(query, column),
        weight(query + 4u, column),
        weight(query + 8u, column),
        weight(query + 12u, column),
    );
    var next_values = array(
        value(channel, column),
        value(channel + 4u, column),
        value(channel + 8u, column),
        value(channel + 12u, column),
    );
    // Columns are queries, components are channels: two by two vectors.
    var s00: mat4x4f;
    var s01: mat4x4f;
    var s10: mat4x4f;
    var s11: mat4x4f;
    for (var step = 0u; step < numbers.positions; step += 16u) {
        workgroupBarrier();
        staged_weights[slot] = next_weights[0];
        staged_weights[slot + 4u] = next_weights[1];
        staged_weights[slot + 8u] = next_weights[2];
        staged_weights[slot + 12u] = next_weights[3];
        staged_values[slot] = vec4f(next_values[0]);
        staged_values[slot + 4u] = vec4f(next_values[1]);
        staged_values[slot + 8u] = vec4f(next_values[2]);
        staged_values[slot + 12u] = vec4f(next_values[3]);
        workgroupBarrier();
        // On its way from memory while what is staged is multiplied.
        let position = step + 16u + column;
        next_weights[0] = weight(query, position);
        next_weights[1] = weight(query + 4u, position);
        next_weights[2] = weight(query + 8u, position);
        next_weights[3] = weight(query + 12u, position);
        next_values[0] = value(channel, position);
        next_values[1] = value(channel + 4u, position);
        next_values[2] = value(channel + 8u, position);
        next_values[3] = value(channel + 12u, position);
        for (var i = 0u; i < 16u; i++) {
            let w0 = staged_weights[ROW * i + 2u * local.x];
            let w1 = staged_weights[ROW * i + 2u * local.x + 1u];
            let v0 = staged_values[ROW * i + 2u * local.y];
            let v1 = staged_values[ROW * i + 2u * local.y + 1u];
            s00 += mat4x4f(v0 * w0.x, v0 * w0.y, v0 * w0.z, v0 * w0.w);
            s01 += mat4x4f(v0 * w1.x, v0 * w1.y, v0 * w1.z, v0 * w1.w);
            s10 += mat4x4f(v1 * w0.x, v1 * w0.y, v1 * w0.z, v1 * w0.w);
            s11 += mat4x4f(v1 * w1.x, v1 * w1.y, v1 * w1.z, v1 * w1.w);
        }
    }
    let first_query = 16u * group.x + 2u * local.x;
    let first_channel = 16u * group.y + 2u * local.y;
    store(first_query, first_channel, s00);
    store(first_query + 1u, first_channel, s01);
    store(first_query, first_channel + 1u, s10);
    store(first_query + 1u, first_channel + 1u, s11);
}

// Zeros for what lies behind the last position or vector.
fn weight(query: u32, position: u32) -> vec4f {
    if (query >= numbers.query_vectors || position >= numbers.positions) {
        return vec4f();
    }
    return weights[query * numbers.positions + position];
}

fn value(channel: u32, position: u32) -> Map {
    if (channel >= numbers.vectors || position >= numbers.positions) {
        return Map();
    }
    return values[channel * numbers.positions + position];
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
