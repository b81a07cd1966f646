//! Winograd's transforms for F(2×2, 3×3): of weights, of 4×4 values, and of sums back to 2×2 pixels.

#![expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "indices run over tiles of a fixed size")]

use std::array;

/// What the 4×4 values of a cell are transformed to.
pub const POSITIONS: usize = 16;

/// `G w Gᵀ`, in f64 since it happens only once.
pub fn transform_weights(weights: [f32; 9]) -> [f32; POSITIONS] {
    let weights = weights.map(f64::from);
    let transform = |a: f64, b: f64, c: f64| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let columns: [_; 3] = array::from_fn(|column| transform(weights[column], weights[3 + column], weights[6 + column]));
    array::from_fn(|position| {
        let [a, b, c] = columns.map(|column| column[position / 4]);
        transform(a, b, c)[position % 4] as f32
    })
}

/// `Bᵀ` times four lines of values.
#[inline(always)]
pub fn transform<'a>([a, b, c, d]: [&[f32]; 4], targets: impl Iterator<Item = &'a mut [f32]>) {
    for (index, target) in targets.enumerate() {
        match index {
            0 => combine(target, [a, c, c], |a, c, _| a - c),
            1 => combine(target, [b, c, c], |b, c, _| b + c),
            2 => combine(target, [c, b, b], |c, b, _| c - b),
            _ => combine(target, [b, d, d], |b, d, _| b - d),
        }
    }
}

/// `Aᵀ m A`, the rows of pixels, from the 16 planes of sums `m`.
pub fn pixels<'a>(sums: &[f32], [height, width]: [usize; 2], memory: &'a mut Vec<f32>) -> &'a [f32] {
    let plane = sums.len() / POSITIONS;
    // The columns of 4×4 planes are transformed to 2×4, then the rows to 2×2, whose pixels belong side by side.
    memory.resize((8 + 2 + 4) * plane, 0.0);
    let (halfway, rest) = memory.split_at_mut(8 * plane);
    let (pair, result) = rest.split_at_mut(2 * plane);
    for (column, target) in halfway.chunks_exact_mut(2 * plane).enumerate() {
        let sums = |row: usize| &sums[(row * 4 + column) * plane..][..plane];
        transform_back([sums(0), sums(1), sums(2), sums(3)], target);
    }
    for row in 0..2 {
        let halfway = |column: usize| &halfway[(column * 2 + row) * plane..][..plane];
        transform_back([halfway(0), halfway(1), halfway(2), halfway(3)], pair);
        let (even, odd) = pair.split_at(plane);
        let lines = result.chunks_exact_mut(2 * width).skip(row).step_by(2).take(height);
        for ((line, even), odd) in lines.zip(even.chunks_exact(width)).zip(odd.chunks_exact(width)) {
            for ((pixels, even), odd) in line.as_chunks_mut().0.iter_mut().zip(even).zip(odd) {
                *pixels = [*even, *odd];
            }
        }
    }
    result
}

/// `Aᵀ` times four lines of sums, one result after the other.
#[inline(always)]
fn transform_back([a, b, c, d]: [&[f32]; 4], target: &mut [f32]) {
    let (first, second) = target.split_at_mut(target.len() / 2);
    combine(first, [a, b, c], |a, b, c| a + b + c);
    combine(second, [b, c, d], |b, c, d| b - c - d);
}

/// Writes `value(a, b, c)` for each place of three lines. (A loop that compilers turn into vector instructions, which
/// they do not with arrays of a few values.)
#[inline(always)]
fn combine(target: &mut [f32], [a, b, c]: [&[f32]; 3], value: impl Fn(f32, f32, f32) -> f32) {
    for (((target, a), b), c) in target.iter_mut().zip(a).zip(b).zip(c) {
        *target = value(*a, *b, *c);
    }
}
