// normalisation: second stage of a group normalisation: merges the chunks of a group's channels (Chan's formula) and
// writes each channel's scale and shift. One workgroup a group.
struct Numbers {
    chunks: u32,
    channels: u32,
    groups: u32,
    epsilon: f32,
}
@group(0) @binding(0) var<storage, read> stage_one: array<f32>;
// [vectors, 2]: the learnt scale, the learnt shift.
@group(0) @binding(1) var<storage, read> learnt: array<f32>;
@group(0) @binding(2) var<storage, read_write> affine: array<f32>;
@group(0) @binding(3) var<uniform> numbers: Numbers;

struct Moments {
    count: f32,
    mean: f32,
    squares: f32,
}
var<workgroup> moments: array<Moments, 64>;

fn merge(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    if (b.count == 0.0) {
        return a;
    }
    let difference = b.mean - a.mean;
    let share = b.count / count;
    return Moments(
        count,
        a.mean + difference * share,
        a.squares + b.squares + difference * difference * a.count * share,
    );
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let width = numbers.channels / numbers.groups;
    let first = group.x * width;
    var own = Moments(0.0, 0.0, 0.0);
    for (var i = index; i < width * numbers.chunks; i += 64u) {
        let channel = first + i / numbers.chunks;
        let chunk = i % numbers.chunks;
        let at = 12u * (channel / 4u * numbers.chunks + chunk) + channel % 4u;
        own = merge(own, Moments(stage_one[at + 8u], stage_one[at], stage_one[at + 4u]));
    }
    moments[index] = own;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            moments[index] = merge(moments[index], moments[index + half]);
        }
    }
    workgroupBarrier();
    let all = moments[0];
    let inverse = 1.0 / sqrt(all.squares / all.count + numbers.epsilon);
    for (var i = index; i < width; i += 64u) {
        let channel = first + i;
        let at = 8u * (channel / 4u) + channel % 4u;
        let scale = learnt[at] * inverse;
        affine[at] = scale;
        affine[at + 4u] = learnt[at + 4u] - all.mean * scale;
    }
    // The channels that pad the last vector become zero.
    if (group.x + 1u == numbers.groups && index < 3u) {
        let channel = numbers.channels + index;
        if (channel < (numbers.channels + 3u) / 4u * 4u) {
            let at = 8u * (channel / 4u) + channel % 4u;
            affine[at] = 0.0;
            affine[at + 4u] = 0.0;
        }
    }
}
