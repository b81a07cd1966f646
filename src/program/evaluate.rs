//! `aedr evaluate`: images of both kinds, measured one by one, and what that says of each signal.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use aedr::{
    Error, Result,
    check::{CheckReport, check_image},
    device::ComputeDevice,
    edits::Edit,
    evaluation::{Separation, separation},
    image::{DecodeOptions, decode},
    reconstruction::{Losses, Silent},
    signal::SignalKind,
    verdict::Outcome,
    weights::Model,
};
use clap::Args;
use pollster::block_on;
use serde_json::Value;

use super::{
    DeviceArgument,
    check::{Checked, json_line},
    files, models, print_line, read_file, tell,
};

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// The model: a pack in the weights folder, or the one that is built in.
    model: String,
    /// Images that came out of the model's generators or decoder: files or folders.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    belonging: Vec<PathBuf>,
    /// Images that did not.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    others: Vec<PathBuf>,
    /// Done to every image before it is measured, in this order: middle:SIDE, crop:PIXELS, jpeg:QUALITY, resize:FACTOR.
    #[arg(long = "edit", value_name = "EDIT")]
    edits: Vec<Edit>,
    /// One JSON object for each image, as `check --json` prints them. Images that are in it already are not measured
    /// again, so that an evaluation that was broken off goes on.
    #[arg(long, value_name = "FILE", default_value = "evaluation.jsonl")]
    results: PathBuf,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
}

/// False if an image could not be measured.
pub fn run(arguments: &EvaluateArguments) -> Result<bool> {
    let (belonging, others) = (files(&arguments.belonging)?, files(&arguments.others)?);
    if let Some(both) = belonging.iter().find(|path| others.contains(path)) {
        let detail = format!("{} is among both kinds", both.display());
        return Err(Error::BadNumbers { what: "the evaluation".into(), detail });
    }
    let mut known = known_results(arguments)?;
    measure(arguments, belonging.iter().chain(&others), &mut known)?;
    let mut of = |paths: &[PathBuf]| -> Vec<CheckReport> {
        paths.iter().filter_map(|path| known.remove(&path.display().to_string())).collect()
    };
    let (own, other) = (of(&belonging), of(&others));
    let missing = belonging.len() + others.len() - own.len() - other.len();
    let counts = format!("{} images that belong, {} others, {missing} not measured", own.len(), other.len());
    let mut lines = vec![format!("{}: {counts}", arguments.model), String::new()];
    lines.extend(separations(&own, &other)?);
    lines.push(String::new());
    lines.extend(outcomes(&own, &other));
    Ok(print_line(lines.join("\n")) && missing == 0)
}

/// Reports of images that were measured before in the same way, by path. A line that was cut off by a crash is passed
/// over.
fn known_results(arguments: &EvaluateArguments) -> Result<HashMap<String, CheckReport>> {
    let (path, edits) = (&arguments.results, edit_texts(arguments));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(unwritable(path, &error)),
    };
    let report = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let image = line["image"]["path"].as_str()?.to_owned();
        if line["edits"] != edits {
            return None;
        }
        let report: CheckReport = serde_json::from_value(line).ok()?;
        (report.model.id == arguments.model).then_some((image, report))
    };
    Ok(text.lines().filter_map(report).collect())
}

/// Measures those that are not known, each written down at once.
fn measure<'a>(
    arguments: &EvaluateArguments,
    paths: impl Iterator<Item = &'a PathBuf>,
    known: &mut HashMap<String, CheckReport>,
) -> Result<()> {
    let left: Vec<&PathBuf> = paths.filter(|path| !known.contains_key(&path.display().to_string())).collect();
    if left.is_empty() {
        return Ok(());
    }
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let model = models::load(&arguments.model, &arguments.weights, device)?;
    let unwritable = |error: std::io::Error| unwritable(&arguments.results, &error);
    let mut file = OpenOptions::new().create(true).append(true).open(&arguments.results).map_err(unwritable)?;
    for path in left {
        let started = Instant::now();
        let outcome = check_edited(&model, path, &arguments.edits);
        let checked = Checked { outcome, seconds: started.elapsed().as_secs_f64() };
        let mut line = json_line(path, &arguments.model, &checked)?;
        line["edits"] = edit_texts(arguments);
        // The line break first: what a crash left of a line then stays apart.
        write!(file, "\n{line}").map_err(unwritable)?;
        match checked.outcome {
            Ok(report) => drop(known.insert(path.display().to_string(), report)),
            Err(error) => tell(&path.display().to_string(), &error),
        }
    }
    writeln!(file).map_err(unwritable)
}

fn check_edited(model: &Model, path: &Path, edits: &[Edit]) -> Result<CheckReport> {
    let image = decode(&read_file(path)?, &DecodeOptions::default())?;
    let edited = edits.iter().try_fold(image, |image, edit| edit.apply(image))?;
    block_on(check_image(model, &edited, &mut Silent))
}

fn edit_texts(arguments: &EvaluateArguments) -> Value {
    arguments.edits.iter().map(Edit::to_string).collect()
}

fn separations(own: &[CheckReport], other: &[CheckReport]) -> Result<Vec<String>> {
    let mut lines =
        vec![format!("{:16}{:>8}   {:17}{:>16}{:>16}", "signal", "AUC", "95 %", "found at 1 %", "best accuracy")];
    for kind in SignalKind::ALL {
        let signals = |reports: &[CheckReport]| -> Result<Vec<f64>> {
            let losses = |report: &CheckReport| Losses { first: report.losses.first, second: report.losses.second };
            reports.iter().map(|report| kind.of(losses(report), report.homogeneity)).collect()
        };
        let Separation { auc, interval: [low, high], found_at_one_percent, best_accuracy } =
            separation(&signals(own)?, &signals(other)?)?;
        let [found, right] = [found_at_one_percent, best_accuracy].map(|share| format!("{:.1} %", 100.0 * share));
        lines.push(format!("{:16}{auc:>8.4}   {low:.4} to {high:.4} {found:>16}{right:>16}", kind.formula()));
    }
    Ok(lines)
}

/// What the calibration makes of them.
fn outcomes(own: &[CheckReport], other: &[CheckReport]) -> Vec<String> {
    let row = |name: &str, reports: &[CheckReport]| {
        let count = |outcome: Outcome| reports.iter().filter(|report| report.outcome == outcome).count();
        let [matches, none, unsure] = [Outcome::Matches, Outcome::DoesNotMatch, Outcome::CannotTell].map(count);
        format!("{name:16}{matches:>8}{none:>18}{unsure:>14}")
    };
    vec![
        format!("{:16}{:>8}{:>18}{:>14}", "", "matches", "does not match", "cannot tell"),
        row("belonging", own),
        row("others", other),
    ]
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), detail: error.to_string() }
}
