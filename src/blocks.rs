//! Traces of JPEG's 8 × 8 blocks in the pixels of an image, whatever its file is now.

/// Pixels of a block.
const BLOCK: usize = 8;

/// How many standard deviations of the others a place must stand out by, in both directions, to be taken for the blocks'
/// edge. Of uncompressed images at hand none does.
const STANDS_OUT: f64 = 3.5;

/// Where blocks begin, `[left, top]` in 0 to 7, if the image shows them in both directions.
///
/// At a block's edge neighbouring pixels differ more than the pixels on both sides of them do. Grey values, row-major.
pub fn block_grid(grey: &[u8], width: usize) -> Option<[u32; 2]> {
    if width < 4 * BLOCK || grey.len() / width < 4 * BLOCK {
        return None;
    }
    let height = grey.len() / width;
    let at = |x: usize, y: usize| i32::from(grey[y * width + x]);
    let step = |a: i32, b: i32, c: i32, d: i32| f64::from(2 * (b - c).abs() - (a - b).abs() - (c - d).abs());
    let mut across = [[0.0; 2]; BLOCK];
    let mut down = [[0.0; 2]; BLOCK];
    for y in 1..height - 2 {
        for x in 1..width - 2 {
            // Between x and x + 1: a block may begin at x + 1.
            let column = &mut across[(x + 1) % BLOCK];
            column[0] += step(at(x - 1, y), at(x, y), at(x + 1, y), at(x + 2, y)).clamp(-8.0, 8.0);
            column[1] += 1.0;
            let row = &mut down[(y + 1) % BLOCK];
            row[0] += step(at(x, y - 1), at(x, y), at(x, y + 1), at(x, y + 2)).clamp(-8.0, 8.0);
            row[1] += 1.0;
        }
    }
    Some([outstanding(across)?, outstanding(down)?])
}

/// The place whose mean stands out from the others; its two neighbours, which what stands out lowers, are left out.
fn outstanding(places: [[f64; 2]; BLOCK]) -> Option<u32> {
    let means = places.map(|[sum, count]| sum / count);
    let (place, &highest) = means.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let others = || (2..BLOCK - 1).map(|apart| means[(place + apart) % BLOCK]);
    let count = (BLOCK - 3) as f64;
    let mean = others().sum::<f64>() / count;
    let deviation = (others().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    // A floor: in a picture without noise the others are all alike.
    (highest - mean > STANDS_OUT * deviation.max(0.01)).then_some(place as u32)
}
