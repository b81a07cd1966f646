//! Traces of JPEG's 8 × 8 blocks in the pixels of an image, whatever its file is now.

/// Pixels of a block.
const BLOCK: usize = 8;

/// How many standard deviations of the others a place must stand out by, in both directions, to count as the blocks'
/// edge. None of the uncompressed images at hand reaches it.
const STANDS_OUT: f64 = 3.5;

/// Where blocks begin, `[left, top]` in 0 to 7, if the image shows them in both directions.
///
/// At a block's edge neighbouring pixels differ more than the pixels on both sides of them do. Grey values, row-major.
pub fn block_grid(grey: &[u8], width: usize) -> Option<[u32; 2]> {
    let height = grey.len().checked_div(width)?;
    if width.min(height) < LEAST_SIDE {
        return None;
    }
    let rows: Vec<&[u8]> = grey.chunks_exact(width).collect();
    let mut across = [Steps::default(); BLOCK];
    let mut down = [Steps::default(); BLOCK];
    // The rows above, at, below and two below each row that is examined.
    for (y, near) in rows.windows(4).enumerate() {
        let &[above, row, below, second] = near else { continue };
        // Between the second and the third of four neighbours: a block may begin at the third.
        for (x, four) in row.windows(4).enumerate() {
            across.get_mut(x.wrapping_add(2) % BLOCK)?.add(four.try_into().ok()?);
        }
        let column = down.get_mut(y.wrapping_add(2) % BLOCK)?;
        let fours = above.iter().zip(row).zip(below.iter().zip(second)).skip(1).take(width.saturating_sub(3));
        fours.for_each(|((&a, &b), (&c, &d))| column.add([a, b, c, d]));
    }
    Some([outstanding(across)?, outstanding(down)?])
}

/// A side that has less than four blocks shows none.
const LEAST_SIDE: usize = 4 * BLOCK;

/// How much more neighbours differ at one of eight places than the neighbours beside them.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    sum: f64,
    count: f64,
}

impl Steps {
    /// Of four neighbours, the step between the second and the third.
    fn add(&mut self, [a, b, c, d]: [u8; 4]) {
        let apart = |a: u8, b: u8| f64::from(a.abs_diff(b));
        self.sum += (2.0 * apart(b, c) - apart(a, b) - apart(c, d)).clamp(-8.0, 8.0);
        self.count += 1.0;
    }
}

/// The place whose mean stands out from the others. Its two neighbours, which an edge lowers, are left out.
fn outstanding(places: [Steps; BLOCK]) -> Option<u32> {
    let means = places.map(|Steps { sum, count }| sum / count);
    let (place, &highest) = means.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let others = || means.iter().cycle().skip(place).skip(2).take(BLOCK - 3);
    let count = (BLOCK - 3) as f64;
    let mean = others().sum::<f64>() / count;
    let deviation = (others().map(|&value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    // A floor: in a picture without noise the others are all alike.
    (highest - mean > STANDS_OUT * deviation.max(0.01)).then_some(place as u32)
}
