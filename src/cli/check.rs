//! `aedr check`: the verdict on each image, for people or as JSON lines.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "over lists that the program makes itself, and JSON values, where a field that is missing is null"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use aedr::{
    Error, Result,
    engine::device::ComputeDevice,
    evidence::{
        condition::Evidence,
        grid_search::{Alignment, Found},
        ranking::{Group, Ranking},
        regions::{Region, Trace},
        verdict::Outcome,
    },
    image::{DecodeOptions, DecodedImage, decode},
    message::Message,
    method::{reconstruction::Silent, signal::SignalKind},
    provenance::claims,
    report::{
        candidate::Candidate,
        check::{check_image, check_orientations, check_searched},
        check_report::{CheckReport, ControlLine, LossLine, rank},
        record::{FailureLine, FileLine, Record, Settings},
    },
};
use clap::Args;
use pollster::block_on;
use serde_json::{Value, json};

use super::{
    console::{print_error, print_line},
    device_arguments::{DeviceArgument, EngineArgument, MapArgument, OrientationArgument},
    files::{file_error, read_file},
    models,
};

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[arg(required_unless_present = "replay", value_name = "IMAGE")]
    pub(super) images: Vec<PathBuf>,
    /// A model to check against: the one built in, or a pack in the weights folder. Can be given several times; by
    /// default all there are.
    #[arg(long = "model", value_name = "ID")]
    models: Vec<String>,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    pub(super) weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
    /// How a GPU holds maps: auto takes f16 where the model's manifest allows it.
    #[arg(long, value_enum, default_value = "auto")]
    maps: MapArgument,
    /// What computes the autoencoder: our kernels, or burn's operations, which they are compared with.
    #[arg(long, value_enum, default_value = "auto")]
    engine: EngineArgument,
    /// Mebibytes that maps, and on a GPU the weights, should take together at most.
    #[arg(long, value_name = "MEBIBYTES")]
    memory: Option<u64>,
    /// Turn images as their EXIF orientation says before checking.
    #[arg(long)]
    apply_orientation: bool,
    /// Search every image for the grid that it may have been painted on: finds cropped and resized images, and takes
    /// about ten times as long.
    #[arg(long)]
    deep: bool,
    /// What the orientation control compares each image with; by default the mirrored image, and others while that does
    /// not decide. The reference's S takes mirrored,half-turn,quarter-turn,three-quarter-turn.
    #[arg(long, value_enum, value_name = "ORIENTATION", value_delimiter = ',', conflicts_with = "deep")]
    orientations: Vec<OrientationArgument>,
    /// One JSON object a line, for each model and image.
    #[arg(long)]
    json: bool,
    /// Write all that is needed to repeat the check of one image, and what came of it, as the page does.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    report: Option<PathBuf>,
    /// Repeat the check that a report was made of, and compare. The image is looked for beside the report, under the name
    /// in it, unless it is given.
    #[arg(long, value_name = "REPORT", conflicts_with_all = ["models", "deep", "apply_orientation", "json", "report"])]
    replay: Option<PathBuf>,
}

impl CheckArguments {
    /// The report whose check is to be repeated.
    pub fn replay(&self) -> Option<&Path> {
        self.replay.as_deref()
    }
}

/// True if every image could be checked, whatever the outcomes.
pub fn run(arguments: &CheckArguments) -> Result<bool> {
    if arguments.report.is_some() && arguments.images.len() != 1 {
        let detail = format!("{} images were given, and a report is of one", arguments.images.len());
        return Err(Error::BadNumbers { what: "--report".into(), detail });
    }
    check_all(arguments)
}

/// The device that the arguments ask for.
pub(super) fn open_device(arguments: &CheckArguments) -> Result<ComputeDevice> {
    let mut device = block_on(ComputeDevice::open(arguments.device.into()))?;
    device.maps = arguments.maps.into();
    match arguments.engine {
        EngineArgument::Auto => {}
        EngineArgument::Kernels => device.kernels = true,
        EngineArgument::Burn => device.kernels = false,
    }
    if let Some(mebibytes) = arguments.memory {
        device.memory_bytes = mebibytes.saturating_mul(1 << 20);
    }
    Ok(device)
}

fn check_all(arguments: &CheckArguments) -> Result<bool> {
    let (ids, folder) = (chosen(arguments), &arguments.weights);
    let options = DecodeOptions { apply_orientation: arguments.apply_orientation, ..DecodeOptions::default() };
    let mut failures = Failures::default();
    let mut results: Vec<Vec<Checked>> = arguments.images.iter().map(|_| Vec::new()).collect();
    // Only one model at a time is in memory, so it checks all images before the next model is loaded.
    for (index, id) in ids.iter().enumerate() {
        let refused = |error: &Error, failures: &mut Failures| {
            if ids.len() == 1 {
                return Err(error.clone());
            }
            print_error(id, error);
            failures.add(id, error);
            Ok(())
        };
        // Errors of the model or of an image are reported without a device: it is opened for the first image that can
        // be decoded.
        let mut model = models::complete(id, folder).map(|_| None);
        if let Err(error) = &model {
            refused(error, &mut failures)?;
        }
        for (path, results) in arguments.images.iter().zip(&mut results) {
            let started = Instant::now();
            let image = if model.is_ok() { Some(decode_as(path, &options)) } else { None };
            if let (Ok(None), Some(Ok(_))) = (&model, &image) {
                model = models::load(id, folder, open_device(arguments)?).map(Some);
                if let Err(error) = &model {
                    refused(error, &mut failures)?;
                }
            }
            let outcome = match (&model, image) {
                (_, Some(Err(error))) => Some(Err(error)),
                (Ok(Some(candidate)), Some(Ok(image))) => Some(if arguments.orientations.is_empty() {
                    check_decoded(candidate, &image, arguments.deep)
                } else {
                    let orientations: Vec<_> = arguments.orientations.iter().map(|&one| one.into()).collect();
                    block_on(check_orientations(candidate, &image, &orientations, &mut Silent))
                }),
                _ => None,
            };
            if let Some(outcome) = outcome {
                let checked = Checked { model: id.clone(), outcome, seconds: started.elapsed().as_secs_f64() };
                if let Err(error) = &checked.outcome {
                    failures.add(id, error);
                }
                if arguments.json && !print_line(json_line(path, id, &checked)?) {
                    return Ok(false);
                }
                results.push(checked);
            }
            let last = index + 1 == ids.len();
            if last && !arguments.json && !print_text(path, results) {
                return Ok(false);
            }
        }
    }
    let all = failures.0.is_empty();
    if let (Some(file), [path], [results]) = (&arguments.report, &arguments.images[..], &results[..]) {
        write_report(file, path, arguments, results, failures.0)?;
    }
    Ok(all)
}

/// What could not be done, by model.
#[derive(Default)]
struct Failures(Vec<FailureLine>);

impl Failures {
    fn add(&mut self, id: &str, error: &Error) {
        self.0.push(FailureLine { model: id.into(), code: error.code().into(), message: error.to_string() });
    }
}

fn write_report(
    file: &Path,
    path: &Path,
    arguments: &CheckArguments,
    results: &[Checked],
    failures: Vec<FailureLine>,
) -> Result<()> {
    let bytes = read_file(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let settings = Settings { deep: arguments.deep, apply_orientation: arguments.apply_orientation };
    let checks: Vec<CheckReport> =
        results.iter().filter_map(|checked| checked.outcome.as_ref().ok()).cloned().collect();
    if checks.is_empty() {
        // The errors are already printed.
        return Ok(());
    }
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let record = Record::new(FileLine::of(&name, &bytes), settings, checks, now);
    let record = Record { failures, claims: claims(&bytes), ..record };
    fs::write(file, record.to_json()).map_err(|error| file_error(file, error))
}

/// What one model said about one image.
pub(super) struct Checked {
    /// The model's id.
    pub model: String,
    pub outcome: Result<CheckReport>,
    pub seconds: f64,
}

/// Ids of the models to ask, the cheapest first.
fn chosen(arguments: &CheckArguments) -> Vec<String> {
    if arguments.models.is_empty() {
        return models::available(&arguments.weights);
    }
    let mut ids = arguments.models.clone();
    ids.sort();
    ids.dedup();
    models::sort_by_work(&mut ids, &arguments.weights);
    ids
}

pub(super) fn decode_as(path: &Path, options: &DecodeOptions) -> Result<DecodedImage> {
    decode(&read_file(path)?, options)
}

pub(super) fn check_decoded(candidate: &Candidate, image: &DecodedImage, deep: bool) -> Result<CheckReport> {
    if deep {
        block_on(check_searched(candidate, image, &mut Silent))
    } else {
        block_on(check_image(candidate, image, &mut Silent))
    }
}

pub(super) fn json_line(path: &Path, id: &str, Checked { outcome, seconds, .. }: &Checked) -> Result<Value> {
    let path = path.display().to_string();
    let mut line = match outcome {
        Ok(report) => serde_json::to_value(report)
            .map_err(|error| Error::File { path: path.clone(), detail: error.to_string() })?,
        Err(error) => json!({
            "model": { "id": id },
            "image": {},
            "error": { "code": error.code(), "message": error.to_string(), "advice": error.advice() },
        }),
    };
    line["image"]["path"] = path.into();
    line["seconds"] = (*seconds).into();
    Ok(line)
}

/// Prints what all models say about an image; false if the output is closed.
fn print_text(path: &Path, results: &[Checked]) -> bool {
    let subject = path.display().to_string();
    print_failures(&subject, results);
    let reports: Vec<CheckReport> =
        results.iter().filter_map(|checked| checked.outcome.as_ref().ok()).cloned().collect();
    let Some(any) = reports.first() else { return true };
    let seconds: f64 = results.iter().map(|checked| checked.seconds).sum();
    let Ranking { outcome, reason, groups } = rank(&reports);
    let mut lines = vec![format!("{subject}: {}", answer(outcome, reason.as_ref(), &groups, &reports))];
    for Group { reports: members, .. } in &groups {
        lines.extend(members.iter().flat_map(|&member| model_lines(&reports[member], reports.len() > 1)));
        if members.len() > 1 {
            let names: Vec<&str> = members.iter().map(|&member| reports[member].model.name.as_str()).collect();
            lines.push(format!("  {} cannot be told apart", names.join(" and ")));
        }
    }
    lines.push(format!("  on {}, {seconds:.1} s", any.device.adapter));
    lines.extend(any.notes.iter().map(|note| format!("  {}", note.message)));
    print_line(lines.join("\n"))
}

/// An error of the image itself is printed once; a model's error with it is printed with the model's name.
fn print_failures(subject: &str, results: &[Checked]) {
    let messages = |checked: &Checked| checked.outcome.as_ref().err().map(ToString::to_string);
    let same = results.windows(2).all(|pair| messages(&pair[0]) == messages(&pair[1]));
    for checked in results {
        let Err(error) = &checked.outcome else { continue };
        if same {
            return print_error(subject, error);
        }
        print_error(&format!("{subject}, {}", checked.model), error);
    }
}

fn answer(outcome: Outcome, reason: Option<&Message>, groups: &[Group], reports: &[CheckReport]) -> String {
    let agreeing = groups.iter().filter(|group| group.outcome == outcome);
    let names: Vec<&str> =
        agreeing.flat_map(|group| &group.reports).map(|&report| reports[report].model.name.as_str()).collect();
    match (outcome, reason) {
        (Outcome::Matches, _) => format!("consistent with {}, and with what shares its decoder", names.join(" or ")),
        (Outcome::DoesNotMatch, _) => {
            format!("not consistent, as it is, with {}; other generators were not tested", names.join(" or "))
        }
        (Outcome::CannotTell, Some(reason)) => format!("cannot tell: {}", reason.message),
        (Outcome::CannotTell, None) => "cannot tell".into(),
    }
}

/// A model's numbers, below its name and outcome if there are several models. Numbers that the line of the evidence
/// states are not printed before it.
fn model_lines(report: &CheckReport, named: bool) -> Vec<String> {
    let symbol = report.signal_kind.symbol();
    let is_shown = |name: &str| report.evidence.as_ref().is_some_and(|evidence| evidence.signal_name == name);
    let LossLine { first, second, ratio } = report.losses;
    let homogeneity = report.homogeneity;
    let mut numbers = format!("  L1 {first:.6}  L2 {second:.6}  L1/L2 {ratio:.4}  homogeneity {homogeneity:.6}");
    let paper = SignalKind::Paper.symbol();
    if !is_shown(paper) {
        numbers += &format!("  {paper} {:.4}", report.t);
    }
    if !is_shown(symbol) {
        // t and L1/L2 are printed in any case.
        if !matches!(report.signal_kind, SignalKind::Paper | SignalKind::Ratio) {
            numbers += &format!("  {symbol} {:.4}", report.signal);
        }
        numbers +=
            &report.threshold.map_or("  threshold none".into(), |threshold| format!("  threshold {threshold:.4}"));
    }
    let mut details = vec![numbers];
    details.extend(report.control.as_ref().map(control_line));
    details.extend(report.control.iter().flat_map(|control| &control.regions).map(region_line));
    details.extend(report.all_evidence().map(evidence_line));
    details.extend(report.search.as_ref().map(search_line));
    if !named {
        return details;
    }
    let said = match report.outcome {
        _ if report.threshold.is_none() => "numbers only",
        Outcome::Matches => "consistent",
        Outcome::DoesNotMatch => "not consistent",
        Outcome::CannotTell => "cannot tell",
    };
    let serves = match report.model.serves.as_slice() {
        [] => String::new(),
        serves => format!(" (paints the images of {})", serves.join(", ")),
    };
    let head = format!("  {}{serves}: {said}", report.model.name);
    std::iter::once(head).chain(details.into_iter().map(|line| format!("  {line}"))).collect()
}

fn evidence_line(evidence: &Evidence) -> String {
    let Evidence { signal_name, signal, condition, threshold, likelihood_ratio, .. } = evidence;
    format!(
        "  {signal_name} {signal:.4}, threshold {threshold:.4} ({condition}): {:.1} % of {} belonging images have as much \
         or more, {:.1} % of {} others as little or less, this one counted; likelihood ratio {likelihood_ratio:.2}",
        100.0 * evidence.belonging_share,
        evidence.belonging_count,
        100.0 * evidence.other_share,
        evidence.other_count,
    )
}

/// The orientation control's numbers, and how often foreign images show as much.
fn control_line(control: &ControlLine) -> String {
    let count = control.orientations.len();
    let s = control.s.map_or("none".into(), |s| format!("{s:.4}"));
    let robust = format!("{:.4} ± {:.4}", control.robust.signal, control.robust.standard_error);
    let orientations = if count == 1 { "1 orientation".into() } else { format!("{count} orientations") };
    let numbers = format!("  orientation control: S {s}, robust {robust}, by {orientations}");
    let Some(evidence) = &control.evidence else { return numbers + "; the image is too small to judge it" };
    let measured = match evidence.photographs {
        0 => "by an assumed spread, since no photographs were measured".into(),
        photographs => format!("by {photographs} photographs"),
    };
    format!("{numbers}; {} of foreign images show as much, {measured}", share(evidence.other_share))
}

fn region_line(Region { trace, left, top, width, height, score }: &Region) -> String {
    let what = match trace {
        Trace::Present => "shows the model's trace, unlike the rest",
        Trace::Absent => "lacks the trace that the rest shows",
    };
    format!("    {width} × {height} pixels from {left}, {top} of what was checked: {what} (score {score:.1})")
}

/// A small share as people read it.
fn share(share: f64) -> String {
    if share < 1e-6 { "fewer than one in a million".into() } else { format!("{:.4} %", share * 100.0) }
}

fn search_line(found: &Found) -> String {
    let Alignment { size, left, top } = found.alignment;
    let size = size.map_or(String::new(), |[width, height]| format!(", resized to {width} x {height}"));
    format!("  searched at {} places: best {left} px from the left, {top} px from the top{size}", found.tried)
}
