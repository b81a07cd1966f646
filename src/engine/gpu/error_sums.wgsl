// error sums: the high-frequency part of the difference of two maps, squared and summed. One workgroup a tile of the upright
// image: its sum over all channels, then the luma's sums of its cells. The constants TILE, CELL, REACH, LUMA and the blurs'
// WEIGHTS come before this.
struct Numbers {
    width: u32,
    height: u32,
    columns: u32,
    // Where a pixel of the upright image lies in the maps: origin + x · right + y · down, as i32.
    origin: u32,
    right: u32,
    down: u32,
}
@group(0) @binding(0) var<storage, read> made: array<vec4f>;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;

const SPAN = TILE + 2 * REACH;
const CELLS = TILE / CELL;
const INVOCATIONS = 64;
// The difference blurred along the rows, for the tile's columns and for the rows that the blurs reach: the channels with one
// blur, the luma with the other.
var<workgroup> across: array<vec4f, SPAN * TILE>;
// Squares of each pixel: of the channels together, and of the luma.
var<workgroup> squares: array<vec2f, TILE * TILE>;
var<workgroup> tile_sums: array<f32, CELLS * CELLS>;

fn mirrored(place: i32, side: i32) -> i32 {
    let inside = abs(place);
    return max(select(inside, 2 * (side - 1) - inside, inside >= side), 0);
}

// The channels and the luma.
fn difference(x: i32, y: i32) -> vec4f {
    let column = mirrored(x, i32(numbers.width));
    let row = mirrored(y, i32(numbers.height));
    let place = u32(i32(numbers.origin) + column * i32(numbers.right) + row * i32(numbers.down));
    let channels = made[place].xyz - input[place].xyz;
    return vec4f(channels, dot(channels, LUMA));
}

fn weights(distance: i32) -> vec4f {
    return vec4f(vec3f(WEIGHTS[distance].x), WEIGHTS[distance].y);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let left = i32(group.x) * TILE;
    let top = i32(group.y) * TILE;
    for (var i = i32(index); i < SPAN * TILE; i += INVOCATIONS) {
        let x = left + i % TILE;
        let y = top + i / TILE - REACH;
        var sum = weights(0) * difference(x, y);
        for (var distance = 1; distance <= REACH; distance++) {
            sum += weights(distance) * (difference(x - distance, y) + difference(x + distance, y));
        }
        across[i] = sum;
    }
    workgroupBarrier();
    for (var i = i32(index); i < TILE * TILE; i += INVOCATIONS) {
        let x = left + i % TILE;
        let y = top + i / TILE;
        var square = vec2f();
        if (x < i32(numbers.width) && y < i32(numbers.height)) {
            let at = i + REACH * TILE;
            var blurred = weights(0) * across[at];
            for (var distance = 1; distance <= REACH; distance++) {
                blurred += weights(distance) * (across[at - distance * TILE] + across[at + distance * TILE]);
            }
            let high = difference(x, y) - blurred;
            square = vec2f(dot(high.xyz, high.xyz), high.w * high.w);
        }
        squares[i] = square;
    }
    workgroupBarrier();
    let first = (group.y * numbers.columns + group.x) * u32(1 + CELLS * CELLS);
    if (index < u32(CELLS * CELLS)) {
        let corner = i32(index) / CELLS * CELL * TILE + i32(index) % CELLS * CELL;
        var total = vec2f();
        for (var i = 0; i < CELL * CELL; i++) {
            total += squares[corner + i / CELL * TILE + i % CELL];
        }
        tile_sums[index] = total.x;
        sums[first + 1u + index] = total.y;
    }
    workgroupBarrier();
    if (index == 0u) {
        var total = 0.0;
        for (var i = 0; i < CELLS * CELLS; i++) {
            total += tile_sums[i];
        }
        sums[first] = total;
    }
}
