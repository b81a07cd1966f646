//! The ways to turn or mirror an image that keep a model's grid where its sides are multiples of the grid's step.

use serde::{Deserialize, Serialize};

/// How an image is turned or mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// As it is.
    Upright,
    /// Left and right exchanged.
    Mirrored,
    /// Top and bottom exchanged.
    Flipped,
    /// By 180°.
    HalfTurn,
    /// By 90°, counter-clockwise.
    QuarterTurn,
    /// By 90°, clockwise.
    ThreeQuarterTurn,
}

/// Where the pixels of an upright image lie in the oriented one: pixel (x, y) at `origin + x · right + y · down`, in pixels
/// from its first, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub origin: i32,
    pub right: i32,
    pub down: i32,
}

impl Orientation {
    /// `[height, width]` of the oriented image, from those of the upright one.
    pub fn sides(self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self {
            Orientation::QuarterTurn | Orientation::ThreeQuarterTurn => [width, height],
            _ => [height, width],
        }
    }

    /// Where the pixels of an upright image of `[height, width]` pixels lie, fewer than 2³¹ of them.
    pub fn layout(self, [height, width]: [usize; 2]) -> Layout {
        // Decoding bounds the pixels far below 2³¹.
        let [height, width] = [height, width].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        let last = |side: i32, step: i32| side.saturating_sub(1).saturating_mul(step);
        let (origin, right, down) = match self {
            Orientation::Upright => (0, 1, width),
            Orientation::Mirrored => (last(width, 1), -1, width),
            Orientation::Flipped => (last(height, width), 1, width.saturating_neg()),
            Orientation::HalfTurn => (last(width, 1).saturating_add(last(height, width)), -1, width.saturating_neg()),
            Orientation::QuarterTurn => (last(width, height), height.saturating_neg(), 1),
            Orientation::ThreeQuarterTurn => (last(height, 1), height, -1),
        };
        Layout { origin, right, down }
    }

    /// A plane of `[height, width]` values, oriented.
    pub fn apply<V: Copy>(self, plane: &[V], [height, width]: [usize; 2]) -> Vec<V> {
        let Some(&any) = plane.first() else { return Vec::new() };
        let Layout { origin, right, down } = self.layout([height, width]);
        let mut oriented = vec![any; plane.len()];
        for (row, y) in plane.chunks_exact(width.max(1)).zip(0..) {
            let start = origin.saturating_add(down.saturating_mul(y));
            for (&value, x) in row.iter().zip(0..) {
                let at = usize::try_from(start.saturating_add(right.saturating_mul(x)));
                if let Some(place) = at.ok().and_then(|at| oriented.get_mut(at)) {
                    *place = value;
                }
            }
        }
        oriented
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 2 rows of 3 pixels, by hand.
    #[test]
    fn pixels_are_where_they_should_be() {
        use Orientation::{Flipped, HalfTurn, Mirrored, QuarterTurn, ThreeQuarterTurn, Upright};
        for (orientation, sides, expected) in [
            (Upright, [2, 3], [1, 2, 3, 4, 5, 6]),
            (Mirrored, [2, 3], [3, 2, 1, 6, 5, 4]),
            (Flipped, [2, 3], [4, 5, 6, 1, 2, 3]),
            (HalfTurn, [2, 3], [6, 5, 4, 3, 2, 1]),
            (QuarterTurn, [3, 2], [3, 6, 2, 5, 1, 4]),
            (ThreeQuarterTurn, [3, 2], [4, 1, 5, 2, 6, 3]),
        ] {
            assert_eq!(orientation.apply(&[1, 2, 3, 4, 5, 6], [2, 3]), expected, "{orientation:?}");
            assert_eq!(orientation.sides([2, 3]), sides, "{orientation:?}");
        }
    }
}
