//! What the checks of one image against several models say together.

use std::{cmp::Ordering, collections::BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    condition::{Evidence, FALSE_ATTRIBUTION, Standing},
    control::{CONTROL_FALSE_ATTRIBUTION, ControlEvidence},
    verdict::{Outcome, too_few_others},
};
use crate::message::Message;

/// The answer over all models, and the models in the order of what speaks for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ranking {
    /// [`Outcome::Matches`] if one model matches; else [`Outcome::CannotTell`] if one cannot tell for a reason that
    /// lies in the image, or if none is calibrated; else [`Outcome::DoesNotMatch`].
    pub outcome: Outcome,
    /// Why there is no answer: that of a model, "many_models" or "too_few_others".
    pub reason: Option<Message>,
    /// The likeliest first.
    pub groups: Vec<Group>,
}

/// Models that cannot be told apart: one line of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Group {
    /// That of the model that stands for the group, if it holds among so many.
    pub outcome: Outcome,
    /// Positions in the reports, the one that stands for the group first.
    pub reports: Vec<usize>,
}

/// What one model said about the image.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVerdict {
    pub id: String,
    /// Ids of models that a check cannot tell from this one.
    pub shares: Vec<String>,
    /// Hashes of its weights, as far as they are known.
    pub weights: Vec<String>,
    pub signal: f64,
    pub threshold: Option<f64>,
    pub outcome: Outcome,
    /// Why there is no outcome.
    pub reason: Option<Message>,
    /// By every condition that the image was judged by.
    pub evidence: Vec<Evidence>,
    /// By the orientation control.
    pub control: Option<ControlEvidence>,
}

impl ModelVerdict {
    /// Whether it could have matched.
    fn had_a_chance(&self) -> bool {
        !self.evidence.is_empty() || self.control.is_some()
    }

    /// Whether enough is known of the model for its lack of an answer to lie in the image.
    fn is_informed(&self) -> bool {
        let traced =
            |reason: &Message| matches!(reason.code.as_str(), "weak_trace" | "signals_disagree" | "traced_part");
        self.threshold.is_some() || self.outcome != Outcome::CannotTell || self.reason.as_ref().is_some_and(traced)
    }
}

/// Ranks the verdicts of several models on one image. A model without calibration gets a line but does not count. The
/// more models are checked, the likelier one of them matches by chance. So each has only its part of
/// [`FALSE_ATTRIBUTION`], and of what the control may attribute ([`CONTROL_FALSE_ATTRIBUTION`]; Bonferroni's correction):
/// either the control keeps to its part, or every condition that the image was judged by does.
pub fn rank(verdicts: &[ModelVerdict]) -> Ranking {
    let mut groups: Vec<Members<'_>> = groups(verdicts)
        .into_iter()
        .filter_map(|mut members| {
            members.sort_by(|(a, one), (b, other)| in_order(one, other).then(a.cmp(b)));
            let (_, first) = *members.first()?;
            Some(Members { outcome: first.outcome, first, members })
        })
        .collect();
    let asked = asked(verdicts);
    let allowed = FALSE_ATTRIBUTION / asked as f64;
    let within = |verdict: &ModelVerdict| {
        let shown =
            verdict.control.is_some_and(|control| control.other_share <= CONTROL_FALSE_ATTRIBUTION / asked as f64);
        let by_signal = verdict.evidence.iter().all(|evidence| evidence.standing(allowed) == Standing::Belongs);
        shown || by_signal && (verdict.control.is_none() || !verdict.evidence.is_empty())
    };
    for group in &mut groups {
        if group.outcome == Outcome::Matches && !within(group.first) {
            group.outcome = Outcome::CannotTell;
        }
    }
    groups.sort_by(|a, b| in_order(a.first, b.first));
    let with = |outcome: Outcome| groups.iter().find(move |group| group.outcome == outcome);
    let reason = |group: &Members<'_>| {
        if group.first.outcome != Outcome::Matches {
            return group.first.reason.clone();
        }
        if within(group.first) {
            return None;
        }
        let by_signal = too_common(group.first, allowed);
        let wanting = by_signal.and_then(|evidence| Some((evidence, evidence.others_wanting(allowed)?)));
        Some(match wanting {
            // The control was asked, too, and it does not depend on how many others were measured.
            Some((evidence, needed)) if group.first.control.is_none() => {
                too_few_others(evidence.other_count, needed, asked)
            }
            _ => {
                let message = format!("among {asked} models one comes as near as this by chance too often");
                Message::new("many_models", message).with("count", asked as u64)
            }
        })
    };
    let undecided = with(Outcome::CannotTell).filter(|group| group.first.is_informed());
    let (outcome, reason) = match (with(Outcome::Matches), undecided, with(Outcome::DoesNotMatch)) {
        (Some(_), ..) => (Outcome::Matches, None),
        (None, Some(group), _) => (Outcome::CannotTell, reason(group)),
        (None, None, Some(_)) => (Outcome::DoesNotMatch, None),
        (None, None, None) => (Outcome::CannotTell, groups.first().and_then(reason)),
    };
    let group = |Members { outcome, members, .. }| Group {
        outcome,
        reports: members.into_iter().map(|(index, _)| index).collect(),
    };
    Ranking { outcome, reason, groups: groups.into_iter().map(group).collect() }
}

/// The number of models that had a chance to match: those with evidence. Several with the same weights count once. At
/// least 1.
fn asked(verdicts: &[ModelVerdict]) -> usize {
    fn weights(verdict: &ModelVerdict) -> Vec<&str> {
        let weights: Vec<&str> = verdict.weights.iter().map(String::as_str).collect();
        if weights.is_empty() { vec![&verdict.id] } else { weights }
    }
    let models: BTreeSet<_> = verdicts.iter().filter(|verdict| verdict.had_a_chance()).map(weights).collect();
    models.len().max(1)
}

/// The condition under which most of the others have a signal as low, of those by which the image was judged, if that
/// is a larger share than is allowed.
fn too_common(verdict: &ModelVerdict, allowed: f64) -> Option<&Evidence> {
    let most = verdict.evidence.iter().max_by(|a, b| a.other_share.total_cmp(&b.other_share));
    most.filter(|evidence| evidence.other_share > allowed)
}

/// A group that is being collected.
struct Members<'a> {
    outcome: Outcome,
    /// The verdict that represents it.
    first: &'a ModelVerdict,
    members: Vec<(usize, &'a ModelVerdict)>,
}

/// The sort key of a verdict: first those that match, then those that cannot tell, the others, and those of which too
/// little is known. Within each, what speaks most for the model by the control comes first, then the lowest signal, in units
/// of the threshold where there is one.
fn place(verdict: &ModelVerdict) -> (u8, f64, f64) {
    let class = match verdict.outcome {
        Outcome::Matches => 0,
        _ if !verdict.is_informed() => 3,
        Outcome::CannotTell => 1,
        Outcome::DoesNotMatch => 2,
    };
    let score = verdict.control.map_or(0.0, |control| control.score);
    (class, score, verdict.signal / verdict.threshold.unwrap_or(1.0))
}

/// The order that [`place`] gives, total whatever numbers a verdict holds.
fn in_order(one: &ModelVerdict, other: &ModelVerdict) -> Ordering {
    let ((class, score, signal), (other_class, other_score, other_signal)) = (place(one), place(other));
    class.cmp(&other_class).then(score.total_cmp(&other_score)).then(signal.total_cmp(&other_signal))
}

/// Verdicts with their positions, grouped where one model names the other.
fn groups(verdicts: &[ModelVerdict]) -> Vec<Vec<(usize, &ModelVerdict)>> {
    let mut groups: Vec<Vec<(usize, &ModelVerdict)>> = Vec::new();
    for (index, verdict) in verdicts.iter().enumerate() {
        let alike = |(_, other): &(usize, &ModelVerdict)| {
            verdict.shares.contains(&other.id) || other.shares.contains(&verdict.id)
        };
        let (joined, mut apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.iter().any(alike));
        apart.push(joined.into_iter().flatten().chain([(index, verdict)]).collect());
        groups = apart;
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::{calibration::AS_WRITTEN, condition::Condition};

    fn verdict(id: usize, outcome: Outcome, signal: f64, threshold: Option<f64>, shares: &[usize]) -> ModelVerdict {
        ModelVerdict {
            id: id.to_string(),
            shares: shares.iter().map(usize::to_string).collect(),
            weights: Vec::new(),
            signal,
            threshold,
            outcome,
            reason: (outcome == Outcome::CannotTell).then(|| Message::new(&id.to_string(), "")),
            evidence: Vec::new(),
            control: None,
        }
    }

    #[test]
    fn outcomes_have_their_order() {
        use Outcome::{CannotTell, DoesNotMatch, Matches};
        let uncalibrated = || verdict(0, CannotTell, 0.1, None, &[]);
        let unsure = || verdict(1, CannotTell, 1.0, Some(1.0), &[]);
        let apart = || verdict(2, DoesNotMatch, 9.0, Some(1.0), &[]);
        let found = || verdict(3, Matches, 0.9, Some(1.0), &[]);
        let nearer = || verdict(4, Matches, 1.0, Some(2.0), &[]);
        let of = |verdicts: Vec<ModelVerdict>| {
            let Ranking { outcome, reason, groups } = rank(&verdicts);
            let order: Vec<String> = groups.iter().map(|group| verdicts[group.reports[0]].id.clone()).collect();
            (outcome, reason.map(|reason| reason.code), order.join(""))
        };
        let reason = |code: &str| Some(code.to_owned());
        assert_eq!(of(vec![apart(), uncalibrated(), found(), unsure(), nearer()]), (Matches, None, "43120".into()));
        assert_eq!(of(vec![apart(), uncalibrated(), unsure()]), (CannotTell, reason("1"), "120".into()));
        assert_eq!(of(vec![uncalibrated(), apart()]), (DoesNotMatch, None, "20".into()));
        assert_eq!(of(vec![uncalibrated()]), (CannotTell, reason("0"), "0".into()));
        assert_eq!(of(vec![]), (CannotTell, None, String::new()));
    }

    /// `count` others from 2 on.
    fn condition(count: usize) -> Condition {
        let others: Vec<f64> = (0..count).map(|i| 2.0 + i as f64 / 100.0).collect();
        Condition::of(AS_WRITTEN, &[1.0, 1.5, 3.0], &others, 0.05).unwrap()
    }

    fn judged(id: usize, outcome: Outcome, signal: f64, conditions: &[&Condition]) -> ModelVerdict {
        ModelVerdict {
            evidence: conditions.iter().map(|condition| condition.evidence(signal, "t")).collect(),
            ..verdict(id, outcome, signal, Some(3.0), &[])
        }
    }

    fn told(verdicts: &[ModelVerdict]) -> (Outcome, Option<String>) {
        let Ranking { outcome, reason, .. } = rank(verdicts);
        (outcome, reason.map(|reason| reason.code))
    }

    /// What 1 % of the others reach is enough for one model, and not for one of many.
    #[test]
    fn the_more_models_are_asked_the_more_each_must_show() {
        use Outcome::{CannotTell, DoesNotMatch, Matches};
        let condition = condition(400);
        // Two of 400 others are as low: 3 in 401.
        let found = |signal| judged(0, Matches, signal, &[&condition]);
        let apart = |id| judged(id, DoesNotMatch, 4.0, &[&condition]);
        assert_eq!(told(&[found(2.015)]), (Matches, None));
        assert_eq!(told(&[found(2.015), apart(1)]), (CannotTell, Some("many_models".into())));
        assert_eq!(told(&[found(1.5), apart(1), apart(2), apart(3)]), (Matches, None));
        // Of five models each has 1 in 500, which 400 images cannot show.
        let five = rank(&[found(1.5), apart(1), apart(2), apart(3), apart(4)]);
        let reason = five.reason.unwrap();
        assert_eq!((five.outcome, reason.code.as_str()), (CannotTell, "too_few_others"));
        assert_eq!(["have", "needed", "models"].map(|name| reason.values[name]), [400, 499, 5]);
        // One without evidence has no chance to match, and two with the same weights have one together.
        assert_eq!(told(&[found(2.015), verdict(1, CannotTell, 9.0, None, &[])]), (Matches, None));
        let shard = |id| ModelVerdict { weights: vec!["same".into()], ..apart(id) };
        let [Ranking { outcome, .. }, other] = [
            &[found(1.5), apart(1), shard(2), shard(3), shard(4)][..],
            &[found(1.5), apart(1), apart(2), shard(3), shard(4)],
        ]
        .map(rank);
        assert_eq!((outcome, other.outcome), (Matches, Matches));
    }

    /// Without any image of a generator: what one foreign image in 2000 shows is enough for one of two models, not of three.
    #[test]
    fn the_control_is_corrected_for_how_many_were_asked() {
        use Outcome::{CannotTell, Matches};
        let control = |other_share: f64, score: f64| {
            Some(ControlEvidence { spread: 0.02, photographs: 48, ratio_score: None, score, other_share })
        };
        let found = ModelVerdict { control: control(0.0005, -4.0), ..verdict(0, Matches, 1.0, None, &[]) };
        let traceless = |id| ModelVerdict {
            control: control(0.4, -0.2),
            reason: Some(Message::new("no_trace", "")),
            ..verdict(id, CannotTell, 0.5, None, &[])
        };
        assert_eq!(told(std::slice::from_ref(&found)), (Matches, None));
        assert_eq!(told(&[traceless(1), found.clone()]), (Matches, None));
        assert_eq!(told(&[traceless(1), found.clone(), traceless(2)]), (CannotTell, Some("many_models".into())));
        assert_eq!(told(&[traceless(1), traceless(2)]), (CannotTell, Some("no_trace".into())));
        // Something that speaks for a model is an answer of its own, and comes first.
        let weak = ModelVerdict {
            control: control(0.01, -2.5),
            reason: Some(Message::new("weak_trace", "")),
            ..verdict(3, CannotTell, 9.0, None, &[])
        };
        assert_eq!(told(&[traceless(1), weak.clone()]), (CannotTell, Some("weak_trace".into())));
        assert_eq!(rank(&[traceless(1), weak]).groups[0].reports, [1]);
        // Of two that match, the one that shows more.
        let other = ModelVerdict { control: control(1e-9, -9.0), ..verdict(4, Matches, 5.0, None, &[]) };
        assert_eq!(rank(&[found, other]).groups[0].reports, [1]);
    }

    /// An image between two JPEG qualities was judged by both, and the correction looks at the worse of them.
    #[test]
    fn every_condition_that_an_image_was_judged_by_counts() {
        use Outcome::{CannotTell, DoesNotMatch, Matches};
        let (clear, near) = (condition(1000), condition(400));
        let apart = judged(1, DoesNotMatch, 4.0, &[&clear]);
        for conditions in [[&clear, &near], [&near, &clear]] {
            let mut found = judged(0, Matches, 2.015, &conditions);
            // Among 1000 others one is as low as that under the first condition, two of 400 under the second.
            for evidence in &mut found.evidence {
                if evidence.other_count == 1000 {
                    evidence.other_share = 0.001;
                }
            }
            assert_eq!(told(&[found.clone()]), (Matches, None));
            assert_eq!(told(&[found, apart.clone()]), (CannotTell, Some("many_models".into())));
        }
    }

    /// A model of a group that matches makes the group match, although another of it stands outside.
    #[test]
    fn models_that_share_stand_together() {
        let verdicts = [
            verdict(0, Outcome::DoesNotMatch, 2.0, Some(1.0), &[]),
            verdict(1, Outcome::DoesNotMatch, 3.0, Some(1.0), &[]),
            verdict(2, Outcome::Matches, 0.5, Some(1.0), &[0, 7]),
        ];
        let ranking = rank(&verdicts);
        let groups: Vec<_> = ranking.groups.iter().map(|group| (group.outcome, group.reports.clone())).collect();
        assert_eq!(groups, [(Outcome::Matches, vec![2, 0]), (Outcome::DoesNotMatch, vec![1])]);
    }

    /// Sorting by an order that contradicts itself may panic: 0 / 0, for one, is neither before nor after a number.
    #[test]
    fn reports_that_make_no_sense_are_still_put_in_an_order() {
        let of = |id: usize| {
            let signal = id * 61 % 200;
            let threshold = if id.is_multiple_of(3) && signal.is_multiple_of(3) { f64::NAN } else { 1.0 };
            verdict(id, Outcome::DoesNotMatch, signal as f64, Some(threshold), &[])
        };
        assert_eq!(rank(&(0..200).map(of).collect::<Vec<_>>()).groups.len(), 200);
    }

    proptest! {
        /// Every report is in one group, whoever names whom and in whatever order they come.
        #[test]
        fn groups_part_the_reports(
            models in proptest::collection::vec((0.1f64..9.0, proptest::collection::vec(0usize..8, 0..3)), 0..8),
        ) {
            let verdicts: Vec<_> = models
                .iter()
                .enumerate()
                .map(|(id, (signal, shares))| verdict(id, Outcome::DoesNotMatch, *signal, Some(1.0), shares))
                .collect();
            let ranking = rank(&verdicts);
            let mut seen: Vec<usize> = ranking.groups.iter().flat_map(|group| group.reports.clone()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..verdicts.len()).collect::<Vec<_>>());
            for (id, (_, shares)) in models.iter().enumerate() {
                for other in shares.iter().filter(|&&other| other < models.len()) {
                    let together = |group: &Group| [&id, other].iter().all(|model| group.reports.contains(model));
                    prop_assert!(ranking.groups.iter().any(together));
                }
            }
        }
    }
}
