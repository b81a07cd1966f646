//! From what was measured to one of three outcomes. A wrong answer is worse than none: whatever lies outside what the
//! calibration measured, or where images of both kinds lie, gets "cannot tell" with the reason.

use serde::{Deserialize, Serialize};

use crate::{
    calibration::{AS_WRITTEN, Calibration, Condition, Evidence, SEARCHED, Standing},
    compression::Compression,
    remark::Remark,
};

/// What a check says about one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The pixels are consistent with this model's decoder, and with what shares it.
    Matches,
    /// They are not, as they are now. Says nothing about other generators.
    DoesNotMatch,
    CannotTell,
}

/// What a verdict is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The signal that the calibration was made for.
    pub signal: f64,
    /// H.
    pub homogeneity: f64,
    /// Pixels of the shorter side that was checked.
    pub shorter_side: u32,
    pub compression: Compression,
    /// Both sides of the file are multiples of 8 pixels, as generators write them.
    pub whole_grid: bool,
    /// What a search found, if there was one.
    pub contrast: Option<f64>,
    /// What it finds there after a mild compression, if that was tried.
    pub recompressed: Option<f64>,
}

/// An outcome with what led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// For [`Outcome::CannotTell`]: "uncalibrated", "search_uncalibrated", "too_small", "too_flat", "near_threshold",
    /// "heavy_jpeg", "unmeasured_compression", "cut_or_resized" or "unstable".
    pub reason: Option<Remark>,
    /// If there is a calibration for such images.
    pub evidence: Option<Evidence>,
}

/// The verdict on one image.
pub fn decide(measured: &Measured, calibration: Option<&Calibration>) -> Verdict {
    let Some(calibration) = calibration else {
        return cannot_tell("uncalibrated", "this model has no calibration, so there is no threshold", None);
    };
    let compared = compare(measured, calibration);
    let evidence = compared.first().map(|compared| compared.1.clone());
    if measured.shorter_side < calibration.minimum_side {
        let least = calibration.minimum_side;
        let message = format!("the shorter side is under {least} pixels, too few for a verdict");
        return because(Remark::new("too_small", message).with("least", least), evidence);
    }
    if measured.homogeneity > calibration.maximum_homogeneity {
        return cannot_tell("too_flat", "the image has too little texture for a verdict", evidence);
    }
    let Some((first, _)) = compared.first() else { return nothing_like_it(measured, calibration) };
    let agreed = compared.iter().all(|(standing, _)| standing == first);
    match first {
        Standing::Belongs if agreed && is_unstable(measured, calibration) => {
            let message = "a mild compression, which should change nothing, turns the answer round";
            cannot_tell("unstable", message, evidence)
        }
        Standing::Belongs if agreed => Verdict { outcome: Outcome::Matches, reason: None, evidence },
        Standing::Apart if agreed && (measured.whole_grid || measured.contrast.is_some()) => {
            Verdict { outcome: Outcome::DoesNotMatch, reason: None, evidence }
        }
        Standing::Apart if agreed => {
            let message = "its sides are no multiples of 8 pixels as generators write them, so it was cut or resized, \
                           which hides a match; the deep scan looks for that";
            cannot_tell("cut_or_resized", message, evidence)
        }
        _ => {
            let message = "the signal lies where both kinds of images have theirs, or neither";
            cannot_tell("near_threshold", message, evidence)
        }
    }
}

/// Whether what a search found is gone after a mild compression.
fn is_unstable(measured: &Measured, calibration: &Calibration) -> bool {
    let searched = calibration.searched.as_ref().zip(measured.recompressed);
    searched.is_some_and(|(searched, contrast)| searched.standing(contrast) == Standing::Apart)
}

fn cannot_tell(code: &str, message: impl Into<String>, evidence: Option<Evidence>) -> Verdict {
    because(Remark::new(code, message), evidence)
}

fn because(reason: Remark, evidence: Option<Evidence>) -> Verdict {
    Verdict { outcome: Outcome::CannotTell, reason: Some(reason), evidence }
}

/// Where the image stands by each condition that it may fall under. A quality between two that were measured must be
/// told the same by both, and an unknown one by all.
fn compare(measured: &Measured, calibration: &Calibration) -> Vec<(Standing, Evidence)> {
    let judge = |condition: &Condition, signal: f64, name: &str, title: String| {
        (condition.standing(signal), condition.evidence(signal, name, title))
    };
    if let Some(contrast) = measured.contrast {
        let searched = calibration.searched.iter();
        return searched.map(|condition| judge(condition, contrast, "contrast", SEARCHED.into())).collect();
    }
    let as_written = || (None, AS_WRITTEN.to_owned(), &calibration.as_written);
    let jpeg = || calibration.jpeg.iter().map(|jpeg| (Some(jpeg.quality), jpeg.title(), &jpeg.condition));
    let all = || jpeg().chain([as_written()]);
    let conditions: Vec<_> = match measured.compression {
        Compression::Lossless => vec![as_written()],
        Compression::Lossy if calibration.jpeg.is_empty() => Vec::new(),
        Compression::Lossy => all().collect(),
        Compression::Jpeg(quality) => {
            let below = all().take_while(|(measured, ..)| measured.is_some_and(|measured| measured <= quality)).last();
            let above = all().find(|(measured, ..)| measured.is_none_or(|measured| measured >= quality));
            // Below the lowest quality that was measured nothing is known.
            below.map_or_else(Vec::new, |below| [Some(below), above].into_iter().flatten().collect())
        }
    };
    conditions
        .into_iter()
        .map(|(_, title, condition)| judge(condition, measured.signal, calibration.signal.symbol(), title))
        .collect()
}

/// No condition was measured that the image falls under.
fn nothing_like_it(measured: &Measured, calibration: &Calibration) -> Verdict {
    match (measured.contrast, measured.compression, calibration.jpeg.first()) {
        (Some(_), ..) => {
            cannot_tell("search_uncalibrated", "what a deep scan finds was not measured for this model", None)
        }
        (None, Compression::Jpeg(quality), Some(lowest)) => {
            let lowest = lowest.quality;
            let message = format!("JPEG of quality {quality} hides too much; {lowest} is the lowest that was measured");
            because(Remark::new("heavy_jpeg", message).with("quality", quality).with("lowest", lowest), None)
        }
        _ => {
            let message = "this model was measured on images without loss only, and the file is compressed";
            cannot_tell("unmeasured_compression", message, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calibration::{FORMAT_VERSION, JpegCondition},
        signal::SignalKind,
    };

    /// Belonging images between 0.4 and 0.6 times `around`, others from 3 times.
    fn condition(around: f64) -> Condition {
        let spread = |from: f64, to: f64| -> Vec<f64> {
            (0..200).map(|i| around * (from + (to - from) * f64::from(i) / 199.0)).collect()
        };
        Condition::of(&spread(0.4, 0.6), &spread(3.0, 9.0), 0.05).unwrap()
    }

    fn calibration() -> Calibration {
        let jpeg = |quality, around| JpegCondition { quality, condition: condition(around) };
        Calibration {
            format_version: FORMAT_VERSION,
            model: "test".into(),
            signal: SignalKind::Weighed,
            alpha: 0.05,
            minimum_side: 128,
            maximum_homogeneity: 0.97,
            source: String::new(),
            as_written: condition(1.0),
            jpeg: vec![jpeg(75, 4.0), jpeg(95, 2.0)],
            searched: Some(condition(0.5)),
        }
    }

    const IMAGE: Measured = Measured {
        signal: 0.5,
        homogeneity: 0.8,
        shorter_side: 128,
        compression: Compression::Lossless,
        whole_grid: true,
        contrast: None,
        recompressed: None,
    };

    fn told(measured: Measured) -> String {
        let Verdict { outcome, reason, .. } = decide(&measured, Some(&calibration()));
        match (outcome, reason) {
            (Outcome::Matches, None) => "matches".into(),
            (Outcome::DoesNotMatch, None) => "does not match".into(),
            (Outcome::CannotTell, Some(reason)) => reason.code,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_outcome_has_its_range() {
        for (measured, expected) in [
            (IMAGE, "matches"),
            (Measured { signal: 1.5, ..IMAGE }, "near_threshold"),
            (Measured { signal: 5.0, ..IMAGE }, "does not match"),
            (Measured { signal: 5.0, whole_grid: false, ..IMAGE }, "cut_or_resized"),
            (Measured { whole_grid: false, ..IMAGE }, "matches"),
            (Measured { shorter_side: 127, ..IMAGE }, "too_small"),
            (Measured { homogeneity: 0.98, ..IMAGE }, "too_flat"),
        ] {
            assert_eq!(told(measured), expected, "{measured:?}");
        }
        assert_eq!(decide(&IMAGE, None).reason.unwrap().code, "uncalibrated");
    }

    #[test]
    fn compressed_images_are_compared_with_compressed_ones() {
        let jpeg = |quality, signal| told(Measured { signal, compression: Compression::Jpeg(quality), ..IMAGE });
        // Belonging: below 0.6, 1.2 and 2.4; others: from 3, 6 and 12.
        assert_eq!(jpeg(95, 1.0), "matches");
        assert_eq!(jpeg(75, 2.0), "matches");
        assert_eq!(jpeg(85, 1.0), "matches");
        assert_eq!(jpeg(85, 2.0), "near_threshold");
        assert_eq!(jpeg(100, 1.0), "near_threshold");
        assert_eq!(jpeg(100, 0.5), "matches");
        assert_eq!(jpeg(85, 20.0), "does not match");
        assert_eq!(jpeg(74, 0.5), "heavy_jpeg");
        let lossy = |signal| told(Measured { signal, compression: Compression::Lossy, ..IMAGE });
        assert_eq!([lossy(0.5), lossy(1.0), lossy(20.0)], ["matches", "near_threshold", "does not match"]);
        let mut plain = calibration();
        plain.jpeg.clear();
        for compression in [Compression::Jpeg(95), Compression::Lossy] {
            let verdict = decide(&Measured { compression, ..IMAGE }, Some(&plain));
            assert_eq!(verdict.reason.unwrap().code, "unmeasured_compression");
        }
    }

    #[test]
    fn after_a_search_its_contrast_decides() {
        let searched = |contrast| Measured { signal: 9.0, contrast: Some(contrast), whole_grid: false, ..IMAGE };
        assert_eq!(told(searched(0.25)), "matches");
        assert_eq!(told(searched(2.5)), "does not match");
        let evidence = decide(&searched(0.25), Some(&calibration())).evidence.unwrap();
        assert_eq!((evidence.signal_name.as_str(), evidence.signal), ("contrast", 0.25));
        let mut plain = calibration();
        plain.searched = None;
        assert_eq!(decide(&searched(0.25), Some(&plain)).reason.unwrap().code, "search_uncalibrated");
    }
}
