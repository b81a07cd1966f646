//! From a signal to one of three outcomes. A wrong answer is worse than none: whatever lies outside what
//! the calibration measured, or too near to its threshold, gets "cannot tell" with the reason.

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;

/// What a check says about one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The pixels very likely came out of this model's decoder.
    Matches,
    /// They did not come out of this decoder, or were changed since. Says nothing about other generators.
    DoesNotMatch,
    CannotTell,
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// "uncalibrated", "too_small", "too_flat" or "near_threshold".
    pub code: String,
    /// One plain sentence.
    pub message: String,
}

/// The outcome and, for [`Outcome::CannotTell`], its reason.
pub fn decide(
    signal: f64,
    homogeneity: f64,
    shorter_side: u32,
    calibration: Option<&Calibration>,
) -> (Outcome, Option<Reason>) {
    let cannot_tell = |code: &str, message: String| (Outcome::CannotTell, Some(Reason { code: code.into(), message }));
    let Some(calibration) = calibration else {
        return cannot_tell("uncalibrated", "this model has no calibration, so there is no threshold".into());
    };
    if shorter_side < calibration.minimum_side {
        let least = calibration.minimum_side;
        return cannot_tell("too_small", format!("the shorter side is under {least} pixels, too few for a verdict"));
    }
    if homogeneity > calibration.maximum_homogeneity {
        return cannot_tell("too_flat", "the image has too little texture for a verdict".into());
    }
    if signal >= calibration.uncertain_from && signal < calibration.uncertain_to {
        return cannot_tell("near_threshold", "the signal is too near to the threshold to say either way".into());
    }
    if signal < calibration.threshold { (Outcome::Matches, None) } else { (Outcome::DoesNotMatch, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        Calibration {
            format_version: crate::calibration::FORMAT_VERSION,
            model: "test".into(),
            threshold: 1.0,
            alpha: 0.05,
            threshold_interval: None,
            uncertain_from: 0.9,
            uncertain_to: 1.2,
            belonging_count: 100,
            other_count: 100,
            minimum_side: 128,
            maximum_homogeneity: 0.97,
            source: String::new(),
        }
    }

    #[test]
    fn every_outcome_has_its_range() {
        let calibration = calibration();
        let decide = |signal, homogeneity, side| {
            let (outcome, reason) = decide(signal, homogeneity, side, Some(&calibration));
            (outcome, reason.map(|reason| reason.code).unwrap_or_default())
        };
        let told = |outcome| (outcome, String::new());
        assert_eq!(decide(0.8999, 0.8, 128), told(Outcome::Matches));
        assert_eq!(decide(1.2, 0.8, 128), told(Outcome::DoesNotMatch));
        for (signal, homogeneity, side, code) in [
            (0.9, 0.8, 128, "near_threshold"),
            (1.1999, 0.8, 128, "near_threshold"),
            (0.5, 0.8, 127, "too_small"),
            (0.5, 0.98, 128, "too_flat"),
        ] {
            assert_eq!(decide(signal, homogeneity, side), (Outcome::CannotTell, code.into()));
        }
    }

    #[test]
    fn without_calibration_there_is_no_verdict() {
        assert_eq!(decide(0.1, 0.5, 512, None).0, Outcome::CannotTell);
    }
}
