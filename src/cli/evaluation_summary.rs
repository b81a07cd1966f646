//! What an evaluation says of a series: how well each signal separates, and the verdicts.

#![expect(clippy::arithmetic_side_effects, reason = "over lists that the program makes itself")]

use aedr::{
    Result,
    evidence::{
        evaluation::{Separation, separation, sweep},
        verdict::Outcome,
    },
    method::{distance::Distances, signal::SignalKind},
    report::check_report::{CheckReport, ControlLine},
};

use super::evaluation_results::Known;

/// The summary of a series.
pub struct Summary {
    pub title: String,
    pub missing: usize,
    /// t of images that belong, and of others.
    pub signals: [Vec<f64>; 2],
    /// By signal.
    pub separations: Vec<(&'static str, Separation)>,
    /// Of both kinds: matches, does not match, cannot tell.
    pub outcomes: [[usize; 3]; 2],
    /// Thresholds of t, with the shares of both kinds below them.
    pub sweep: Vec<(f64, [f64; 2])>,
}

impl Summary {
    pub fn of(title: String, known: &Known) -> Result<Self> {
        let of_kind = |kind: bool| -> Vec<&CheckReport> {
            known.values().filter(|(belongs, _)| *belongs == kind).filter_map(|(_, report)| report.as_ref()).collect()
        };
        let kinds = [of_kind(true), of_kind(false)];
        let mut separations = Vec::new();
        let apart = kinds.iter().all(|reports| !reports.is_empty());
        if apart {
            for kind in SignalKind::ALL {
                let [own, other] = &kinds;
                separations.push((kind.formula(), separation(&signals(kind, own)?, &signals(kind, other)?)?));
            }
            let absolute: fn(&Distances) -> f64 = |of| of.mean_absolute_error;
            let dissimilarity: fn(&Distances) -> f64 = |of| of.dissimilarity;
            for (name, value) in [("MAE1/MAE2·H", absolute), ("(1−SSIM)1/2·H", dissimilarity)] {
                let ratio = |report: &&CheckReport| {
                    let [first, second] = report.distances.as_ref()?;
                    Some(value(first) / value(second) * report.homogeneity)
                };
                let ratios = |reports: &[&CheckReport]| reports.iter().map(ratio).collect::<Option<Vec<f64>>>();
                if let Some((own, other)) = ratios(&kinds[0]).zip(ratios(&kinds[1])) {
                    separations.push((name, separation(&own, &other)?));
                }
            }
            let own_control: fn(&ControlLine) -> Option<f64> = |control| control.s;
            let robust: fn(&ControlLine) -> Option<f64> = |control| Some(control.robust.signal);
            let score: fn(&ControlLine) -> Option<f64> = |control| Some(control.evidence?.score);
            for (name, value) in [("S", own_control), ("robust S", robust), ("S with L1/L2", score)] {
                let values = |reports: &[&CheckReport]| -> Option<Vec<f64>> {
                    reports.iter().map(|report| report.control.as_ref().and_then(value)).collect()
                };
                if let Some((own, other)) = values(&kinds[0]).zip(values(&kinds[1])) {
                    separations.push((name, separation(&own, &other)?));
                }
            }
            let contrasts = |reports: &[&CheckReport]| -> Option<Vec<f64>> {
                reports.iter().map(|report| report.search.as_ref().map(|found| found.contrast)).collect()
            };
            if let Some((own, other)) = contrasts(&kinds[0]).zip(contrasts(&kinds[1])) {
                separations.push(("contrast", separation(&own, &other)?));
            }
        }
        let signals = [signals(SignalKind::Paper, &kinds[0])?, signals(SignalKind::Paper, &kinds[1])?];
        Ok(Summary {
            title,
            missing: known.len() - kinds[0].len() - kinds[1].len(),
            sweep: if apart { sweep(&signals[0], &signals[1])? } else { Vec::new() },
            signals,
            separations,
            outcomes: kinds.map(|reports| {
                [Outcome::Matches, Outcome::DoesNotMatch, Outcome::CannotTell]
                    .map(|outcome| reports.iter().filter(|report| report.outcome == outcome).count())
            }),
        })
    }

    pub fn counts(&self) -> String {
        let [own, other] = self.signals.each_ref().map(Vec::len);
        format!("{own} images that belong, {other} others, {} not measured", self.missing)
    }

    pub fn text(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.title, self.counts()), String::new()];
        lines.push(format!("{:16}{:>8}   {:17}{:>16}{:>16}", "signal", "AUC", "95 %", "found at 1 %", "best accuracy"));
        for (name, separation) in &self.separations {
            let Separation { auc, interval: [low, high], found_at_one_percent, best_accuracy } = separation;
            let [found, right] = [found_at_one_percent, best_accuracy].map(|share| format!("{:.1} %", 100.0 * share));
            lines.push(format!("{name:16}{auc:>8.4}   {low:.4} to {high:.4} {found:>16}{right:>16}"));
        }
        lines
            .extend([String::new(), format!("{:16}{:>8}{:>18}{:>14}", "", "matches", "does not match", "cannot tell")]);
        for (name, [matches, none, unsure]) in ["belonging", "others"].iter().zip(self.outcomes) {
            lines.push(format!("{name:16}{matches:>8}{none:>18}{unsure:>14}"));
        }
        lines.join("\n")
    }
}

fn signals(kind: SignalKind, reports: &[&CheckReport]) -> Result<Vec<f64>> {
    reports.iter().map(|report| kind.of(report.losses.into(), report.homogeneity)).collect()
}
