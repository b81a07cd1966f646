//! From the measurement to one of three outcomes. A wrong answer is worse than none: whatever lies outside what the
//! calibration measured, or where images of both kinds lie, gets "cannot tell" with the reason.

use serde::{Deserialize, Serialize};

use crate::{
    evidence::{
        calibration::Calibration,
        condition::{Condition, ConditionKey, Evidence, FALSE_ATTRIBUTION, Search, Standing},
        control::{CONTROL_FALSE_ATTRIBUTION, ControlEvidence, PAINTED_EXCESS, TRACELESS},
        grid_search::MILD_QUALITY,
    },
    image::compression::Compression,
    message::Message,
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
    pub search: Search,
    /// What a search found, if there was one.
    pub contrast: Option<f64>,
    /// The contrast that remains after a mild compression, if that was tried.
    pub recompressed: Option<f64>,
    /// What the orientation control says.
    pub control: Option<ControlEvidence>,
}

impl Measured {
    fn key(&self) -> ConditionKey {
        ConditionKey { compression: self.compression, search: self.search }
    }
}

/// An outcome with what led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// For [`Outcome::CannotTell`]: "uncalibrated", "search_uncalibrated", "too_small", "too_flat", "near_threshold",
    /// "heavy_jpeg", "unmeasured_compression", "cut_or_resized", "unstable", "too_few_others", "too_few_belonging", "no_trace",
    /// "weak_trace" or "signals_disagree"; a check adds "traced_part".
    pub reason: Option<Message>,
    /// The evidence under every condition that applies to the image, the one that speaks most against the outcome
    /// first. Empty if no such images were measured.
    pub evidence: Vec<Evidence>,
}

/// The verdict on one image: by the signal of the two losses where the model is calibrated for it, and by the orientation
/// control, which needs no image of the generator. They must not contradict each other.
pub fn decide(measured: &Measured, calibration: Option<&Calibration>) -> Verdict {
    let verdict = by_signal(measured, calibration);
    match &measured.control {
        Some(control) => with_control(measured, control, verdict, calibration),
        None => verdict,
    }
}

/// What the control adds to the verdict by the signal, or takes from it.
fn with_control(
    measured: &Measured,
    control: &ControlEvidence,
    verdict: Verdict,
    calibration: Option<&Calibration>,
) -> Verdict {
    let abstain = |reason: Message| (Outcome::CannotTell, Some(reason));
    let share = control.other_share;
    let (found, traceless) = (share <= CONTROL_FALSE_ATTRIBUTION, share > TRACELESS);
    let code = verdict.reason.as_ref().map_or("", |reason| reason.code.as_str());
    let (outcome, reason) = match verdict.outcome {
        Outcome::Matches if traceless => abstain(signals_disagree()),
        Outcome::DoesNotMatch if found => abstain(signals_disagree()),
        Outcome::DoesNotMatch if share <= FALSE_ATTRIBUTION => abstain(weak_trace()),
        // What a search found and a mild compression removes, no other evidence restores.
        Outcome::CannotTell if found && code == "unstable" => (verdict.outcome, verdict.reason.clone()),
        Outcome::CannotTell if found && code == "cut_or_resized" => abstain(signals_disagree()),
        Outcome::CannotTell if found => (Outcome::Matches, None),
        Outcome::CannotTell if traceless && would_have_shown(measured, control, calibration) => {
            (Outcome::DoesNotMatch, None)
        }
        // Nothing is known of the signal, so what the control says is the better reason.
        Outcome::CannotTell if code == "uncalibrated" => abstain(if traceless { no_trace() } else { weak_trace() }),
        outcome => (outcome, verdict.reason.clone()),
    };
    Verdict { outcome, reason, ..verdict }
}

/// Whether an image of this model, of this size and compression, would have shown more than this: as far as images that
/// belong were measured.
fn would_have_shown(measured: &Measured, control: &ControlEvidence, calibration: Option<&Calibration>) -> bool {
    let Some(calibration) = calibration else { return false };
    let conditions = calibration.conditions(measured.key());
    let shown = |condition: &&Condition| {
        condition.control.and_then(|power| power.highest).is_some_and(|highest| control.score > highest)
    };
    let alike = measured.whole_grid
        && measured.search == Search::None
        && measured.shorter_side >= calibration.minimum_side
        && measured.homogeneity <= calibration.maximum_homogeneity;
    // A signal that speaks for the model is no absence of it.
    let above = |condition: &&Condition| measured.signal >= condition.threshold;
    alike && !conditions.is_empty() && conditions.iter().all(|condition| shown(condition) && above(condition))
}

fn signals_disagree() -> Message {
    let message = "the two tests disagree: one speaks for this model and the other against it";
    Message::new("signals_disagree", message)
}

fn weak_trace() -> Message {
    let message = "something speaks for this model, but as much is seen by chance too often";
    Message::new("weak_trace", message)
}

fn no_trace() -> Message {
    let message = "no trace of this model was found; whether its images would have shown one was not measured";
    Message::new("no_trace", message)
}

/// The verdict by the signal of the two losses alone.
fn by_signal(measured: &Measured, calibration: Option<&Calibration>) -> Verdict {
    let calibration = calibration.filter(|calibration| !calibration.conditions.is_empty());
    let Some(calibration) = calibration else {
        let reason = Message::new("uncalibrated", "this model has no calibration, so there is no threshold");
        return Verdict { outcome: Outcome::CannotTell, reason: Some(reason), evidence: Vec::new() };
    };
    let (name, signal) = match measured.contrast {
        Some(contrast) => ("contrast", contrast),
        None => (calibration.signal.symbol(), measured.signal),
    };
    let conditions = calibration.conditions(measured.key());
    let mut evidence: Vec<Evidence> = conditions.iter().map(|condition| condition.evidence(signal, name)).collect();
    let (outcome, reason) = match reason_to_abstain(measured, calibration, &evidence) {
        Some(reason) => (Outcome::CannotTell, Some(reason)),
        None => match common_standing(&evidence) {
            Standing::Apart if calibration.painted && !apart_of_generations(&conditions, signal, name) => {
                (Outcome::CannotTell, Some(between(&evidence)))
            }
            Standing::Belongs => (Outcome::Matches, None),
            Standing::Apart => (Outcome::DoesNotMatch, None),
            Standing::Between => (Outcome::CannotTell, Some(between(&evidence))),
        },
    };
    let against = |evidence: &Evidence| match outcome {
        Outcome::Matches => evidence.other_share,
        Outcome::DoesNotMatch => evidence.belonging_share,
        Outcome::CannotTell => f64::from(u8::from(standing(evidence) == Standing::Between)),
    };
    evidence.sort_by(|a, b| against(b).total_cmp(&against(a)));
    Verdict { outcome, reason, evidence }
}

/// Whether a signal is still apart if the generator's own images lie as much higher than painted ones as was measured.
fn apart_of_generations(conditions: &[&Condition], signal: f64, name: &str) -> bool {
    let lowered = signal / PAINTED_EXCESS;
    conditions.iter().all(|condition| standing(&condition.evidence(lowered, name)) == Standing::Apart)
}

/// The standing under one condition, if no other model is checked.
fn standing(evidence: &Evidence) -> Standing {
    evidence.standing(FALSE_ATTRIBUTION)
}

/// The standing on which all conditions agree.
fn common_standing(evidence: &[Evidence]) -> Standing {
    let first = evidence.first().map_or(Standing::Between, standing);
    if evidence.iter().all(|evidence| standing(evidence) == first) { first } else { Standing::Between }
}

/// Why an image gets no verdict whatever its signal, or why the verdict that its signal gives cannot be trusted.
fn reason_to_abstain(measured: &Measured, calibration: &Calibration, evidence: &[Evidence]) -> Option<Message> {
    if measured.shorter_side < calibration.minimum_side {
        let least = calibration.minimum_side;
        let message = format!("the shorter side is under {least} pixels, too few for a verdict");
        return Some(Message::new("too_small", message).with("least", least));
    }
    if measured.homogeneity > calibration.maximum_homogeneity {
        return Some(Message::new("too_flat", "the image has too little texture for a verdict"));
    }
    if evidence.is_empty() {
        return Some(nothing_like_it(measured, calibration));
    }
    match common_standing(evidence) {
        Standing::Belongs if is_unstable(measured, calibration) => {
            let message = "a mild compression, which should change nothing, turns the answer round";
            Some(Message::new("unstable", message))
        }
        Standing::Apart if !measured.whole_grid && measured.search == Search::None => {
            let message = "its sides are no multiples of 8 pixels as generators write them, so it was cut or resized, \
                           which hides a match; the deep scan looks for that";
            Some(Message::new("cut_or_resized", message))
        }
        _ => None,
    }
}

/// Why a signal between the two kinds of images gets no verdict: because of its value, or because too few images were
/// measured for any signal to get one.
fn between(evidence: &[Evidence]) -> Message {
    let too_few = |evidence: &Evidence| {
        if evidence.signal < evidence.threshold
            && let Some(needed) = evidence.others_wanting(FALSE_ATTRIBUTION)
        {
            return Some(too_few_others(evidence.other_count, needed, 1));
        }
        let needed = evidence.belonging_wanting().filter(|_| evidence.signal >= evidence.threshold)?;
        let have = evidence.belonging_count;
        let message = format!("only {have} images of the model were measured, and {needed} are needed to rule it out");
        Some(Message::new("too_few_belonging", message).with("have", have as u64).with("needed", needed as u64))
    };
    evidence.iter().find_map(too_few).unwrap_or_else(|| {
        let message = "the signal lies where both kinds of images have theirs, or neither";
        Message::new("near_threshold", message)
    })
}

/// The reason if no image can be attributed to a model among so many: too few others were measured.
pub(crate) fn too_few_others(have: usize, needed: usize, models: usize) -> Message {
    let named = if models == 1 { "match an image".into() } else { format!("match an image to one of {models} models") };
    let message =
        format!("only {have} images that are not the model's were measured, and {needed} are needed to {named}");
    let counts = [("have", have), ("needed", needed), ("models", models)];
    counts.into_iter().fold(Message::new("too_few_others", message), |all, (name, count)| all.with(name, count as u64))
}

/// Whether a mild compression removes what a search found. The remaining contrast is judged as that of a compressed
/// image where such images were measured, else as before.
fn is_unstable(measured: &Measured, calibration: &Calibration) -> bool {
    let Some(contrast) = measured.recompressed else { return false };
    let compressed = match measured.compression {
        Compression::Lossless => Compression::Jpeg(MILD_QUALITY),
        compression => compression,
    };
    let mut conditions = calibration.conditions(ConditionKey { compression: compressed, ..measured.key() });
    if conditions.is_empty() {
        conditions = calibration.conditions(measured.key());
    }
    conditions.iter().any(|condition| standing(&condition.evidence(contrast, "contrast")) == Standing::Apart)
}

/// Why an image to which no condition applies gets no verdict.
fn nothing_like_it(measured: &Measured, calibration: &Calibration) -> Message {
    let key = measured.key();
    let lossless = ConditionKey { compression: Compression::Lossless, ..key };
    if calibration.conditions(lossless).is_empty() {
        return Message::new("search_uncalibrated", "what a deep scan finds was not measured for this model");
    }
    match (measured.compression, calibration.lowest_quality(measured.search)) {
        (Compression::Jpeg(quality), Some(lowest)) => {
            let message = format!("JPEG of quality {quality} hides too much; {lowest} is the lowest that was measured");
            Message::new("heavy_jpeg", message).with("quality", quality).with("lowest", lowest)
        }
        _ => {
            let message = "no images compressed like this file were measured for this model";
            Message::new("unmeasured_compression", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{calibration::FORMAT_VERSION, control::ControlPower},
        method::signal::SignalKind,
    };

    /// Belonging images between 0.4 and 0.6 times `around`, others from 3 times.
    fn condition(compression: Compression, search: Search, around: f64) -> Condition {
        let spread = |from: f64, to: f64| -> Vec<f64> {
            (0..200).map(|i| around * (from + (to - from) * f64::from(i) / 199.0)).collect()
        };
        Condition::of(ConditionKey { compression, search }, &spread(0.4, 0.6), &spread(3.0, 9.0), 0.05).unwrap()
    }

    fn calibration() -> Calibration {
        Calibration {
            format_version: FORMAT_VERSION,
            model: "test".into(),
            signal: SignalKind::Weighed,
            minimum_side: 128,
            maximum_homogeneity: 0.97,
            source: String::new(),
            painted: false,
            control: None,
            conditions: vec![
                condition(Compression::Jpeg(75), Search::None, 4.0),
                condition(Compression::Jpeg(95), Search::None, 2.0),
                condition(Compression::Lossless, Search::None, 1.0),
                condition(Compression::Jpeg(95), Search::SameSize, 0.8),
                condition(Compression::Lossless, Search::SameSize, 0.5),
            ],
        }
    }

    const IMAGE: Measured = Measured {
        signal: 0.5,
        homogeneity: 0.8,
        shorter_side: 128,
        compression: Compression::Lossless,
        whole_grid: true,
        search: Search::None,
        contrast: None,
        recompressed: None,
        control: None,
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
        // Palettes and other losses without a quality were not measured, whatever the measured qualities say of the
        // signal.
        for signal in [0.5, 1.0, 20.0] {
            let lossy = Measured { signal, compression: Compression::Lossy, ..IMAGE };
            assert_eq!(told(lossy), "unmeasured_compression");
        }
        let mut plain = calibration();
        plain.conditions.retain(|condition| condition.compression == Compression::Lossless);
        for compression in [Compression::Jpeg(95), Compression::Lossy] {
            let verdict = decide(&Measured { compression, ..IMAGE }, Some(&plain));
            assert_eq!(verdict.reason.unwrap().code, "unmeasured_compression");
        }
    }

    fn control(other_share: f64, score: f64) -> Option<ControlEvidence> {
        Some(ControlEvidence { spread: 0.02, photographs: 48, ratio_score: None, score, other_share })
    }

    #[test]
    fn the_control_needs_no_image_of_the_generator() {
        let uncalibrated = |other_share| {
            let Verdict { outcome, reason, .. } =
                decide(&Measured { control: control(other_share, 0.0), ..IMAGE }, None);
            (outcome, reason.map(|reason| reason.code))
        };
        let reason = |code: &str| (Outcome::CannotTell, Some(code.to_owned()));
        assert_eq!(uncalibrated(0.001), (Outcome::Matches, None));
        assert_eq!(uncalibrated(0.0011), reason("weak_trace"));
        assert_eq!(uncalibrated(0.05), reason("weak_trace"));
        assert_eq!(uncalibrated(0.051), reason("no_trace"));
        // Photographs alone say no more of the signal than no calibration.
        let photographs = Calibration { conditions: Vec::new(), ..calibration() };
        let verdict = decide(&Measured { control: control(0.5, 0.0), ..IMAGE }, Some(&photographs));
        assert_eq!(verdict.reason.unwrap().code, "no_trace");
    }

    #[test]
    fn the_signal_and_the_control_must_not_contradict_each_other() {
        let both = |signal, share| told(Measured { signal, control: control(share, 0.0), ..IMAGE });
        // Belonging signals are below 0.6, others from 3 on.
        assert_eq!(both(0.5, 0.0001), "matches");
        assert_eq!(both(0.5, 0.02), "matches");
        assert_eq!(both(0.5, 0.3), "signals_disagree");
        assert_eq!(both(1.5, 0.0001), "matches");
        assert_eq!(both(1.5, 0.3), "near_threshold");
        assert_eq!(both(5.0, 0.0001), "signals_disagree");
        assert_eq!(both(5.0, 0.005), "weak_trace");
        assert_eq!(both(5.0, 0.3), "does not match");
        // Where nothing like the image was measured for the signal, the control still speaks, for a model only.
        let lossy = |share| told(Measured { compression: Compression::Lossy, control: control(share, 0.0), ..IMAGE });
        assert_eq!([lossy(0.0001), lossy(0.3)], ["matches", "unmeasured_compression"]);
        let cut = Measured { signal: 5.0, whole_grid: false, ..IMAGE };
        assert_eq!(told(Measured { control: control(0.0001, 0.0), ..cut }), "signals_disagree");
        assert_eq!(told(Measured { control: control(0.3, 0.0), ..cut }), "cut_or_resized");
    }

    /// The absence of a trace means something only where images of the model would have shown one.
    #[test]
    fn no_trace_rules_a_model_out_only_where_there_is_power() {
        let with = |highest: Option<f64>, measured: Measured| {
            let mut calibration = calibration();
            for condition in &mut calibration.conditions {
                condition.control = Some(ControlPower { count: 40, found: 0.9, highest });
            }
            let Verdict { outcome, reason, .. } = decide(&measured, Some(&calibration));
            reason.map_or(format!("{outcome:?}"), |reason| reason.code)
        };
        let image = Measured { signal: 1.5, control: control(0.4, -0.2), ..IMAGE };
        assert_eq!(with(Some(-3.0), image), "DoesNotMatch");
        assert_eq!(with(Some(0.0), image), "near_threshold");
        assert_eq!(with(None, image), "near_threshold");
        for unlike in [
            Measured { shorter_side: 127, ..image },
            Measured { homogeneity: 0.98, ..image },
            Measured { whole_grid: false, ..image },
            // It speaks for the model.
            Measured { signal: 0.59, ..image },
        ] {
            assert_ne!(with(Some(-3.0), unlike), "DoesNotMatch", "{unlike:?}");
        }
    }

    /// What a decoder paints from photographs' latents belongs more clearly than a generator's own images.
    #[test]
    fn painted_images_rule_out_less() {
        let outcome = |signal, painted| {
            let calibration = Calibration { painted, ..calibration() };
            decide(&Measured { signal, ..IMAGE }, Some(&calibration)).outcome
        };
        assert_eq!(outcome(3.1, false), Outcome::DoesNotMatch);
        assert_eq!(outcome(3.1, true), Outcome::CannotTell);
        assert_eq!(outcome(3.1 * PAINTED_EXCESS, true), Outcome::DoesNotMatch);
    }

    fn searched(contrast: f64) -> Measured {
        let whole_grid = false;
        Measured { signal: 9.0, search: Search::SameSize, contrast: Some(contrast), whole_grid, ..IMAGE }
    }

    #[test]
    fn after_a_search_its_contrast_decides() {
        assert_eq!(told(searched(0.25)), "matches");
        assert_eq!(told(searched(2.5)), "does not match");
        let evidence = decide(&searched(0.25), Some(&calibration())).evidence.remove(0);
        assert_eq!((evidence.signal_name.as_str(), evidence.signal), ("contrast", 0.25));
        // What remains after a mild compression is judged as compressed.
        assert_eq!(told(Measured { recompressed: Some(0.4), ..searched(0.25) }), "matches");
        assert_eq!(told(Measured { recompressed: Some(2.0), ..searched(0.25) }), "matches");
        assert_eq!(told(Measured { recompressed: Some(2.5), ..searched(0.25) }), "unstable");
        let mut plain = calibration();
        plain.conditions.retain(|condition| condition.search == Search::None);
        assert_eq!(decide(&searched(0.25), Some(&plain)).reason.unwrap().code, "search_uncalibrated");
    }

    /// A deep scan of a compressed image was judged like one of a lossless image: an image whose traces JPEG of quality
    /// 20 hides became "does not match".
    #[test]
    fn a_search_is_judged_by_what_the_image_went_through() {
        let jpeg = |quality, contrast| Measured { compression: Compression::Jpeg(quality), ..searched(contrast) };
        assert_eq!(told(jpeg(20, 2.5)), "heavy_jpeg");
        assert_eq!(told(jpeg(90, 0.25)), "heavy_jpeg");
        assert_eq!(told(jpeg(95, 0.45)), "matches");
        assert_eq!(told(jpeg(97, 0.28)), "matches");
        assert_eq!(told(jpeg(97, 0.45)), "near_threshold");
        assert_eq!(told(jpeg(95, 2.5)), "does not match");
        // No scan that finds another size was measured.
        for contrast in [0.25, 2.5] {
            let resized = Measured { search: Search::Resized, ..searched(contrast) };
            assert_eq!(told(resized), "search_uncalibrated");
        }
    }

    /// Between two qualities the image was judged by both, and the one that speaks against the outcome stands first.
    #[test]
    fn evidence_is_all_that_an_image_was_judged_by() {
        let named = |signal| -> Vec<String> {
            let measured = Measured { signal, compression: Compression::Jpeg(85), ..IMAGE };
            let evidence = decide(&measured, Some(&calibration())).evidence;
            evidence.into_iter().map(|evidence| evidence.condition).collect()
        };
        // 1.15 is usual at 75 and high at 95; 13 is usual among others at 95 and low at 75.
        assert_eq!(named(1.0), ["JPEG 75", "JPEG 95"]);
        assert_eq!(named(2.0), ["JPEG 95", "JPEG 75"]);
        assert_eq!(named(20.0), ["JPEG 75", "JPEG 95"]);
    }

    #[test]
    fn what_too_few_images_were_measured_for_is_said() {
        let with = |belonging: usize, others: usize, signal| {
            let mut few = calibration();
            let condition = few.conditions.iter_mut().find(|condition| condition.key() == IMAGE.key()).unwrap();
            for (sample, count) in [(&mut condition.belonging, belonging), (&mut condition.others, others)] {
                sample.signals.truncate(count);
                sample.count = count;
            }
            decide(&Measured { signal, ..IMAGE }, Some(&few)).reason
        };
        let reason = with(200, 98, 0.5).unwrap();
        assert_eq!((reason.code.as_str(), reason.values["have"], reason.values["needed"]), ("too_few_others", 98, 99));
        assert_eq!(with(200, 99, 0.5), None);
        let reason = with(18, 200, 5.0).unwrap();
        assert_eq!(
            (reason.code.as_str(), reason.values["have"], reason.values["needed"]),
            ("too_few_belonging", 18, 19)
        );
        assert_eq!(with(19, 200, 5.0), None);
    }
}
