// attention scores: products of some queries with all keys. Keys are a map [vectors, positions], queries a band
// [vectors, query_plane]; the scores are [query vectors, positions], four queries a vector. An invocation
// takes two vectors of queries (y) and four keys (x).
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
@group(0) @binding(0) var<storage, read> queries: array<Map>;
@group(0) @binding(1) var<storage, read> keys: array<Map>;
@group(0) @binding(2) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(3) var<uniform> numbers: Numbers;
// [8 channel vectors, 8 queries]
var<workgroup> staged: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let last_key = numbers.positions - 1u;
    let last_query = numbers.first_query + numbers.queries - 1u;
    let first_vector = 2u * group.y;
    let first_position = numbers.first_query + 4u * first_vector;
    var at = vec4u(256u * group.x + index) + vec4u(0u, 64u, 128u, 192u);
    let key = min(at, vec4u(last_key));
    // Columns are keys, components are queries.
    var low: mat4x4f;
    var high: mat4x4f;
    for (var step = 0u; step < numbers.vectors; step += 8u) {
        workgroupBarrier();
        let c = step + index / 8u;
        staged[index] = vec4f(0.0);
        if (c < numbers.vectors) {
            staged[index] = vec4f(queries[c * numbers.query_plane + min(first_position + index % 8u, last_query)]);
        }
        workgroupBarrier();
        for (var i = 0u; i < min(8u, numbers.vectors - step); i++) {
            let q0 = mat4x4f(staged[8u * i], staged[8u * i + 1u], staged[8u * i + 2u], staged[8u * i + 3u]);
            let q1 = mat4x4f(staged[8u * i + 4u], staged[8u * i + 5u], staged[8u * i + 6u], staged[8u * i + 7u]);
            let row = (step + i) * numbers.positions;
            let k0 = vec4f(keys[row + key.x]);
            let k1 = vec4f(keys[row + key.y]);
            let k2 = vec4f(keys[row + key.z]);
            let k3 = vec4f(keys[row + key.w]);
            // A vector times a matrix gives its products with the columns, the queries.
            low += mat4x4f(k0 * q0, k1 * q0, k2 * q0, k3 * q0);
            high += mat4x4f(k0 * q1, k1 * q1, k2 * q1, k3 * q1);
        }
    }
    store(first_vector, at, low);
    store(first_vector + 1u, at, high);
}

fn store(vector: u32, at: vec4u, sums: mat4x4f) {
    if (vector >= numbers.query_vectors) {
        return;
    }
    let row = vector * numbers.positions;
    if (at.x < numbers.positions) { scores[row + at.x] = sums[0]; }
    if (at.y < numbers.positions) { scores[row + at.y] = sums[1]; }
    if (at.z < numbers.positions) { scores[row + at.z] = sums[2]; }
    if (at.w < numbers.positions) { scores[row + at.w] = sums[3]; }
}
