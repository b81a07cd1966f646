//! `aedr evaluate` and `aedr merge`: images of both kinds, measured one by one, and what that says of each signal.

#![expect(clippy::arithmetic_side_effects, reason = "over lists that the program makes itself")]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use aedr::{
    Error, Result,
    engine::{
        device::{ComputeDevice, DevicePreference},
        gpu::Stored,
    },
    evidence::{image_edits::Edit, verdict::Outcome},
    image::DecodedImage,
    method::reconstruction::Silent,
    report::{
        candidate::Candidate,
        check::{check_distances, check_image, check_searched},
        check_report::CheckReport,
    },
    weights::{Manifest, Model},
};
use clap::Args;
use pollster::block_on;
use serde_json::Value;

use super::{
    check::{Checked, json_line},
    console::{print_error, print_line, print_note},
    device_arguments::DeviceArgument,
    evaluation_page::page,
    evaluation_results::{self, Known, Series},
    evaluation_summary::Summary,
    files::{decode_file, expand_paths, file_error},
    models,
};

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// The model: a pack in the weights folder, or the one that is built in.
    model: String,
    /// Images that came out of the model's generators or decoder: files, folders, or @LIST, a file with a path a line.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    belonging: Vec<PathBuf>,
    /// Images that did not.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    others: Vec<PathBuf>,
    /// Done to every image before it is measured, in this order: middle:SIDE, crop:PIXELS (or
    /// crop:1..7, where the image decides), jpeg:QUALITY, resize:FACTOR.
    #[arg(long = "edit", value_name = "EDIT")]
    edits: Vec<Edit>,
    /// Search each image for the grid that it may have been painted on, as a deep scan does.
    #[arg(long)]
    search: bool,
    /// Take the reference's other distances as well: mean absolute error and SSIM.
    #[arg(long, conflicts_with = "search")]
    distances: bool,
    /// One JSON object for each image, as `check --json` prints them. Images that are in it already are not measured
    /// again, so that an evaluation that was broken off goes on.
    #[arg(long, value_name = "FILE", default_value = "evaluation.jsonl")]
    results: PathBuf,
    /// Write a page with tables and plots as well.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Measure one part of the images, for example 2/8; put the parts together with `aedr merge`.
    #[arg(long, value_name = "PART/PARTS")]
    shard: Option<Shard>,
    /// Images measured side by side.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
}

#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Files that `aedr evaluate` wrote.
    #[arg(required = true, value_name = "RESULTS.jsonl")]
    results: Vec<PathBuf>,
    /// Write a page with tables and plots as well.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// One of several parts, counted from 1.
#[derive(Debug, Clone, Copy)]
struct Shard {
    part: usize,
    parts: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
        match numbers {
            Some((part, parts)) if 1 <= part && part <= parts => Ok(Shard { part, parts }),
            _ => Err("it must be PART/PARTS, for example 2/8, the first part being 1".into()),
        }
    }
}

/// False if an image could not be measured.
pub fn run(arguments: &EvaluateArguments) -> Result<bool> {
    let (belonging, others) = (expand_paths(&arguments.belonging)?, expand_paths(&arguments.others)?);
    let kinds: HashSet<&PathBuf> = belonging.iter().collect();
    if let Some(both) = others.iter().find(|path| kinds.contains(path)) {
        let detail = format!("{} is among both kinds", both.display());
        return Err(Error::BadNumbers { what: "the evaluation".into(), detail });
    }
    let kinds = belonging.iter().map(|path| (path, true)).chain(others.iter().map(|path| (path, false)));
    let Shard { part, parts } = arguments.shard.unwrap_or(Shard { part: 1, parts: 1 });
    let images: Vec<(&PathBuf, bool)> = kinds.skip(part - 1).step_by(parts).collect();
    let manifest = models::complete(&arguments.model, &arguments.weights)?;
    let maps = maps(arguments, &manifest, &images)?;
    let series = Series::new(&arguments.model, &manifest, maps, &arguments.edits, arguments.search);
    let mut all_known = evaluation_results::read(&arguments.results)?;
    let mut known = all_known.remove(&series).unwrap_or_default();
    for (found, lines) in &all_known {
        if let Some(why) = evaluation_results::difference(found, &series).filter(|_| found.title() == series.title()) {
            print_note(&format!(
                "{}: {} lines about {} {why}; images are measured again where there are no others",
                arguments.results.display(),
                lines.len(),
                series.title(),
            ));
        }
    }
    let calibration = models::calibration(&arguments.model, &arguments.weights)?;
    let asked: HashMap<String, bool> =
        images.iter().map(|(path, belongs)| (path.display().to_string(), *belongs)).collect();
    known.retain(|path, (belongs, report)| {
        // Verdicts come from the present calibration.
        let judged = report.as_mut().is_none_or(|report| report.judge(calibration.as_ref()).is_ok());
        // A match after a search stands only if the contrast was measured again after a mild compression.
        let unproven = |report: &CheckReport| {
            let found = report.search.as_ref().is_some_and(|found| found.recompressed.is_none());
            found && report.outcome == Outcome::Matches
        };
        let enough = report.as_ref().is_some_and(|report| !arguments.distances || report.distances.is_some());
        // Lines of older versions have no control.
        let enough = enough && report.as_ref().is_some_and(|report| report.control.is_some());
        let enough = enough && judged && !report.as_ref().is_some_and(unproven);
        enough && asked.get(path) == Some(belongs)
    });
    measure(arguments, &series, &images, &mut known)?;
    // A single part may hold images of one kind only: the other parts hold the rest.
    let whole = arguments.shard.is_none();
    if !whole {
        let measured = known.values().filter(|(_, report)| report.is_some()).count();
        let said = format!("part {part} of {parts}: {measured} of {} images measured", images.len());
        return Ok(print_line(said) && measured == images.len());
    }
    let all = known.values().all(|(_, report)| report.is_some());
    Ok(print_all(&BTreeMap::from([(series, known)]), arguments.report.as_deref())? && all)
}

/// The precision of maps, which is part of a series' key. A GPU is opened only if the answer depends on it, and there
/// is an image to measure.
fn maps(arguments: &EvaluateArguments, manifest: &Manifest, images: &[(&PathBuf, bool)]) -> Result<Stored> {
    let depends = manifest.allows_f16() && DevicePreference::from(arguments.device) != DevicePreference::Cpu;
    if depends && images.iter().any(|(path, _)| decode_file(path).is_ok()) {
        Ok(manifest.maps_on(&block_on(ComputeDevice::open(arguments.device.into()))?))
    } else {
        Ok(Stored::F32)
    }
}

/// False if an image could not be measured, or not all that the files hold could be put together.
pub fn merge(arguments: &MergeArguments) -> Result<bool> {
    let mut all: BTreeMap<Series, Known> = BTreeMap::new();
    let mut together = true;
    for path in &arguments.results {
        // A missing part must not pass for an empty one.
        fs::metadata(path).map_err(|error| file_error(path, error))?;
        for (series, known) in evaluation_results::read(path)? {
            if series.tells_weights() {
                all.entry(series).or_default().extend(known);
            } else {
                together = false;
                print_note(&format!(
                    "{}: {} lines about {} do not say which weights they were measured with, as those of older versions, \
                     and are left out. Measure these images again.",
                    path.display(),
                    known.len(),
                    series.title(),
                ));
            }
        }
    }
    if all.is_empty() {
        let detail = "the files hold no line of an evaluation that says what it was measured with".into();
        return Err(Error::BadNumbers { what: "the results".into(), detail });
    }
    let titles: Vec<String> = all.keys().map(Series::title).collect();
    let mut several: Vec<&String> = titles.iter().filter(|title| is_repeated(title, &titles)).collect();
    several.dedup();
    for title in several {
        together = false;
        print_note(&format!(
            "{title}: the files hold numbers of several weights or precisions, which are told apart. Measure all parts with \
             the same."
        ));
    }
    let complete = all.values().flat_map(|known| known.values()).all(|(_, report)| report.is_some());
    Ok(print_all(&all, arguments.report.as_deref())? && complete && together)
}

/// Whether another series has the same title: both then show their weights.
fn is_repeated(title: &str, titles: &[String]) -> bool {
    titles.iter().filter(|other| *other == title).count() > 1
}

/// Measures the images that are not known, and writes each result at once. Failures are printed, and recorded as such.
fn measure(
    arguments: &EvaluateArguments,
    series: &Series,
    images: &[(&PathBuf, bool)],
    known: &mut Known,
) -> Result<()> {
    let left: Vec<_> = images.iter().filter(|(path, _)| !known.contains_key(&path.display().to_string())).collect();
    if left.is_empty() {
        return Ok(());
    }
    let unwritable = |error: std::io::Error| file_error(&arguments.results, error);
    let file = OpenOptions::new().create(true).append(true).open(&arguments.results).map_err(unwritable)?;
    let (next, ledger) = (AtomicUsize::new(0), Mutex::new((file, known)));
    // No device is opened for images that cannot be read.
    let candidate = LazyLock::new(|| load(arguments, series));
    let work = || -> Result<()> {
        while let Some(&&(path, belongs)) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
            let edited = || arguments.edits.iter().try_fold(decode_file(path)?, |image, edit| edit.apply(image));
            let started = Instant::now();
            let outcome = match edited() {
                Ok(image) => check_edited(candidate.as_ref().map_err(Clone::clone)?, &image, arguments),
                Err(error) => Err(error),
            };
            let seconds = started.elapsed().as_secs_f64();
            let checked = Checked { model: arguments.model.clone(), outcome, seconds };
            let mut line = json_line(path, &arguments.model, &checked)?;
            evaluation_results::mark(&mut line, series, belongs);
            // A thread that panicked has reported why; the results of the others still count.
            let mut ledger = ledger.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let (file, known) = &mut *ledger;
            append(file, &line).map_err(unwritable)?;
            let report = checked.outcome.inspect_err(|error| print_error(&path.display().to_string(), error)).ok();
            known.insert(path.display().to_string(), (belongs, report));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let jobs: Vec<_> = (1..arguments.jobs).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined = jobs.into_iter().map(|job| {
            let stopped = || Error::DeviceFailed { detail: "one of the jobs stopped".into() };
            job.join().unwrap_or_else(|_| Err(stopped()))
        });
        joined.fold(own, Result::and)
    })
}

/// The model that a series is about.
fn load(arguments: &EvaluateArguments, series: &Series) -> Result<Candidate> {
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let candidate = models::load(&arguments.model, &arguments.weights, device)?;
    let Model { manifest, maps, .. } = &candidate.model;
    if Series::new(&arguments.model, manifest, *maps, &arguments.edits, arguments.search) != *series {
        let detail = "its files changed while they were read".into();
        return Err(Error::BadNumbers { what: format!("the model {}", arguments.model), detail });
    }
    Ok(candidate)
}

/// Line breaks first and last keep what a crash left of a line apart. One single write, which another process that
/// writes to the same file cannot split.
fn append(file: &mut File, line: &Value) -> std::io::Result<()> {
    file.write_all(format!("\n{line}\n").as_bytes())
}

fn check_edited(candidate: &Candidate, image: &DecodedImage, arguments: &EvaluateArguments) -> Result<CheckReport> {
    if arguments.search {
        block_on(check_searched(candidate, image, &mut Silent))
    } else if arguments.distances {
        block_on(check_distances(candidate, image, &mut Silent))
    } else {
        block_on(check_image(candidate, image, &mut Silent))
    }
}

/// Prints all series, and writes the page if one is asked for.
fn print_all(all: &BTreeMap<Series, Known>, html: Option<&Path>) -> Result<bool> {
    let titles: Vec<String> = all.keys().map(Series::title).collect();
    let title = |series: &Series| match series.title() {
        title if is_repeated(&title, &titles) => format!("{title} ({})", series.weights_title()),
        title => title,
    };
    let summaries: Vec<Summary> =
        all.iter().map(|(series, known)| Summary::of(title(series), known)).collect::<Result<_>>()?;
    if let Some(path) = html {
        fs::write(path, page(&summaries)).map_err(|error| file_error(path, error))?;
    }
    let texts: Vec<String> = summaries.iter().map(Summary::text).collect();
    Ok(print_line(texts.join("\n\n")))
}
