//! Scales from numbers to colours, for maps of errors, of ratios and of the orientation control.

use crate::{Result, image::png::write_png};

/// Two inks, as in print: teal for what belongs, vermilion for what does not; the page's own (`www/styles/style.css`).
const TEAL: [f32; 3] = [11.0, 119.0, 111.0];
const PAPER: [f32; 3] = [241.0, 244.0, 242.0];
const VERMILION: [f32; 3] = [201.0, 61.0, 32.0];
/// No error at all, and the largest.
const NIGHT: [f32; 3] = [9.0, 21.0, 20.0];
const GLOW: [f32; 3] = [255.0, 214.0, 140.0];
/// Where nothing can be said.
const MUTE: [u8; 3] = [139, 148, 145];

/// From a number to a colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// From dark at 0 to bright at `high`.
    Error { high: f32 },
    /// Teal at a quarter of `centre`, light at it, vermilion at four times it; logarithmic.
    Ratio { centre: f32 },
    /// Teal at `-reach`, light at zero, vermilion at `reach`: both ends are alike, so that equal patches of either colour are
    /// seen to be chance.
    Control { reach: f32 },
}

/// By how much the ends of a scale of ratios differ from its centre.
pub const RATIO_SPAN: f32 = 4.0;

/// How far the ends of a scale of the control are from zero, in root mean squares of photographs' windows. At about as many a
/// part is framed ([`super::regions`]), so that full colour means evidence and what photographs show stays pale.
pub const CONTROL_SPAN: f32 = 6.0;

impl Scale {
    /// The colour of a value; grey for what is no number.
    pub fn color(self, value: f32) -> [u8; 3] {
        if value.is_nan() {
            return MUTE;
        }
        self.color_at(match self {
            Scale::Error { high } => value / high.max(f32::MIN_POSITIVE),
            Scale::Control { reach } => 0.5 + 0.5 * value / reach.max(f32::MIN_POSITIVE),
            Scale::Ratio { centre } => 0.5 + 0.5 * (value / centre).ln() / RATIO_SPAN.ln(),
        })
    }

    /// The colour at a place of the scale, 0 to 1.
    fn color_at(self, place: f32) -> [u8; 3] {
        let place = place.clamp(0.0, 1.0);
        let [low, middle, high] = match self {
            Scale::Error { .. } => [NIGHT, TEAL, GLOW],
            Scale::Ratio { .. } | Scale::Control { .. } => [TEAL, PAPER, VERMILION],
        };
        let (from, to, share) =
            if place < 0.5 { (low, middle, 2.0 * place) } else { (middle, high, 2.0 * place - 1.0) };
        let mut channels = from.into_iter().zip(to).map(|(from, to)| (from + (to - from) * share).round() as u8);
        std::array::from_fn(|_| channels.next().unwrap_or(0))
    }

    /// A PNG of the values, `columns` in a row.
    ///
    /// # Errors
    /// As [`write_png`].
    pub fn map(self, values: &[f32], columns: usize) -> Result<Vec<u8>> {
        let pixels: Vec<u8> = values.iter().flat_map(|&value| self.color(value)).collect();
        write_png(&pixels, columns, values.len().checked_div(columns).unwrap_or(0))
    }

    /// A PNG of the scale itself, 256 pixels wide and one high, from its low end to its high one.
    ///
    /// # Errors
    /// As [`write_png`].
    pub fn bar(self) -> Result<Vec<u8>> {
        let pixels: Vec<u8> = (0..=255u8).flat_map(|place| self.color_at(f32::from(place) / 255.0)).collect();
        write_png(&pixels, 256, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{DecodeOptions, decode};

    #[test]
    fn scales_go_from_one_ink_to_the_other() {
        let scale = Scale::Ratio { centre: 2.0 };
        assert_eq!(scale.color(2.0), [241, 244, 242]);
        assert_eq!([scale.color(0.5), scale.color(0.1)], [[11, 119, 111]; 2]);
        assert_eq!([scale.color(8.0), scale.color(f32::INFINITY)], [[201, 61, 32]; 2]);
        assert_eq!(scale.color(f32::NAN), MUTE);
        let scale = Scale::Control { reach: 0.6 };
        assert_eq!([-0.6, 0.0, 0.9].map(|value| scale.color(value)), [[11, 119, 111], [241, 244, 242], [201, 61, 32]]);
        assert_eq!(Scale::Error { high: 4.0 }.color(0.0), [9, 21, 20]);
        assert_eq!(Scale::Error { high: 0.0 }.color(1.0), [255, 214, 140]);
    }

    #[test]
    fn a_bar_goes_from_the_low_end_to_the_high_one() {
        let bar = decode(&Scale::Error { high: 1.0 }.bar().unwrap(), &DecodeOptions::default()).unwrap();
        assert_eq!((bar.width, bar.height, &bar.rgb[..3]), (256, 1, &[9, 21, 20][..]));
    }
}
