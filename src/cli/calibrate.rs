//! `aedr calibrate`: a model's threshold, from images that belong and images that do not.

#![expect(clippy::arithmetic_side_effects, reason = "over lists that the program makes itself")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use aedr::{
    Error, Result,
    engine::device::ComputeDevice,
    evidence::{
        calibration::{AS_WRITTEN, Calibration, FORMAT_VERSION, Limits, best, power},
        condition::{Condition, ConditionKey, FALSE_ATTRIBUTION, Search, images_needed},
        control::{ControlMeasurement, ControlPower, ControlScatter},
        density::threshold_interval,
        grid_search::search,
        image_edits::Edit,
    },
    image::{DecodedImage, compression::Compression, orientation::Orientation, recompressed},
    method::{
        reconstruction::{Losses, Silent},
        signal::SignalKind,
    },
    report::{candidate::Candidate, check::check_orientations, check_report::CheckReport},
};
use clap::{Args, ValueEnum};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    console::{ok_or_print, print_line},
    device_arguments::DeviceArgument,
    files::{decode_file, expand_paths, some_decodable, write_calibration},
    models,
    paint::SyntheticArguments,
};

/// The smallest α for images that were compressed, or cropped and searched. A few of them lose the signal altogether,
/// and a threshold that includes those would separate nothing.
const ALTERED_ALPHA: f64 = 0.05;

/// What a calibration's source says of its control, before the number of photographs.
const CONTROL_SOURCE: &str = "; the orientation control: ";

/// The fewest belonging images that must give a search result before it is known how such images look.
const FEWEST_CONTRASTS: usize = 2;

/// How many others are searched for each belonging image: 5 % of the belonging images may be missed, but only 1 % of
/// the others attributed.
const BELONGING_SEARCHED: usize = 2;

/// The factors by which searched images are resized, in turn.
const RESIZED: [f64; 3] = [0.75, 1.25, 1.5];

/// Bootstrap samples for the interval of τ.
const DRAWS: usize = 200;

#[derive(Debug, Args)]
pub struct CalibrateArguments {
    /// The model: a pack in the weights folder, or the one that is built in.
    model: String,
    /// Images as the model's generators wrote them, never edited: files or folders. Without them and without --photographs
    /// verdicts rest on the orientation control alone.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "photographs")]
    belonging: Vec<PathBuf>,
    /// Without the generator, in place of --belonging: --photographs.
    #[command(flatten)]
    synthetic: SyntheticArguments,
    /// Images that did not come out of the model: photographs, and images of other generators.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    others: Vec<PathBuf>,
    /// Sides in pixels of the middle squares of the others in which the orientation control's scatter is measured, besides
    /// the whole images.
    #[arg(long, value_name = "SIDE", value_delimiter = ',', default_value = "128,256",
          value_parser = clap::value_parser!(u32).range(64..=2048))]
    control_sides: Vec<u32>,
    /// Measure the orientation control alone, and keep what the model's calibration says of its signal: the others are then
    /// photographs, and images that belong tell what the control finds.
    #[arg(long, conflicts_with_all = ["search", "search_resized", "search_jpeg"])]
    control_only: bool,
    /// The signal that verdicts rest on: paper is t = L1/L2·H, weighed is s = (L1/L2)^H; best is the one of them all that
    /// finds most of the images that belong.
    #[arg(long, value_enum, default_value = "best")]
    signal: SignalArgument,
    /// The share of belonging images that the threshold leaves out.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Measure every image after JPEG of these qualities as well, so that compressed files get verdicts too.
    #[arg(long, value_name = "QUALITY", value_delimiter = ',', default_value = "75,85,95",
          value_parser = clap::value_parser!(u8).range(1..=100))]
    jpeg: Vec<u8>,
    /// Measure too what the search of the grid finds in so many of the others, spread evenly, and in half as many images
    /// that belong, after they were cropped: for the deep scan's verdicts. Each search is five times the work of a check or
    /// more.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    search: usize,
    /// The same after they were resized, so that a deep scan that finds an image resized gives verdicts too.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    search_resized: usize,
    /// Search them also after JPEG of these qualities, so that a deep scan of compressed files gives verdicts too.
    #[arg(long, value_name = "QUALITY", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=100))]
    search_jpeg: Vec<u8>,
    /// The file to write; by default the one in the model's folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SignalArgument {
    Best,
    Paper,
    Weighed,
    Ratio,
}

impl SignalArgument {
    fn kinds(self) -> Vec<SignalKind> {
        match self {
            SignalArgument::Best => SignalKind::CALIBRATED.into(),
            SignalArgument::Paper => vec![SignalKind::Paper],
            SignalArgument::Weighed => vec![SignalKind::Weighed],
            SignalArgument::Ratio => vec![SignalKind::Ratio],
        }
    }
}

/// False if an image could not be used; the calibration is then made of the others.
pub fn run(arguments: &CalibrateArguments) -> Result<bool> {
    let SyntheticArguments { count, seed, photographs, side, .. } = &arguments.synthetic;
    let kinds = [if photographs.is_empty() { &arguments.belonging } else { photographs }, &arguments.others];
    for paths in kinds.into_iter().filter(|paths| !paths.is_empty()) {
        some_decodable(&expand_paths(paths)?)?;
    }
    models::complete(&arguments.model, &arguments.weights)?;
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let model = models::load_uncalibrated(&arguments.model, &arguments.weights, device)?;
    let candidate = Candidate { model, calibration: None };
    let mut all = true;
    let mut belonging = Signals::new(&candidate, arguments);
    let how = if photographs.is_empty() && arguments.belonging.is_empty() {
        "none, so that verdicts rest on the orientation control".to_owned()
    } else if photographs.is_empty() {
        belonging.measure_files(&expand_paths(&arguments.belonging)?, BELONGING_SEARCHED, &mut all);
        "images that are known to belong".to_owned()
    } else {
        let mut positives = arguments.synthetic.positives(&candidate.model, &mut all)?;
        for number in 0..*count as usize {
            belonging
                .measure(positives.image(number)?, Turn { number, total: *count as usize, part: BELONGING_SEARCHED })?;
        }
        format!("painted by the model from {} photographs, {side} pixels a side", positives.photographs())
    };
    let mut others = Signals { control_sides: arguments.control_sides.clone(), ..Signals::new(&candidate, arguments) };
    others.measure_files(&expand_paths(&arguments.others)?, 1, &mut all);
    let source = format!("aedr calibrate, belonging: {how}; others: {} images", others.sizes.len());
    let known = if arguments.control_only { models::calibration(&arguments.model, &arguments.weights)? } else { None };
    let calibration = match known {
        Some(known) => with_control(known, &belonging, &others, arguments)?,
        None => calibration(&belonging, &others, arguments, source, *seed)?,
    };
    let path =
        arguments.out.clone().unwrap_or_else(|| arguments.weights.join(&arguments.model).join("calibration.json"));
    write_calibration(&path, &calibration)?;
    all &= print_line(summary(&path, &calibration));
    Ok(all)
}

/// Measurements of images of one kind: as they are, and after the requested edits.
struct Signals<'a> {
    candidate: &'a Candidate,
    /// Losses and H of each image, by compression, the strongest first.
    written: Vec<(Compression, Vec<(Losses, f64)>)>,
    /// With which compressions images are searched.
    search_compressions: Vec<Compression>,
    /// How many others are searched after they were cropped, and after they were resized.
    searches: [usize; 2],
    /// The contrasts that a search finds in those that are searched.
    contrasts: Vec<(ConditionKey, f64)>,
    /// The shorter side and H of each image.
    sizes: Vec<(u32, f64)>,
    /// The orientation control of each image, by compression.
    controls: Vec<Vec<ControlMeasurement>>,
    /// Sides of the middle squares whose controls are measured besides.
    control_sides: Vec<u32>,
    squares: Vec<ControlMeasurement>,
}

impl<'a> Signals<'a> {
    fn new(candidate: &'a Candidate, arguments: &CalibrateArguments) -> Self {
        Signals {
            candidate,
            written: compressions(&arguments.jpeg).map(|compression| (compression, Vec::new())).collect(),
            search_compressions: compressions(&arguments.search_jpeg).collect(),
            searches: [arguments.search, arguments.search_resized],
            contrasts: Vec::new(),
            sizes: Vec::new(),
            controls: compressions(&arguments.jpeg).map(|_| Vec::new()).collect(),
            control_sides: Vec::new(),
            squares: Vec::new(),
        }
    }

    /// Measures the images that can be measured; prints the errors of the others.
    fn measure_files(&mut self, paths: &[PathBuf], part: usize, all: &mut bool) {
        for (number, path) in paths.iter().enumerate() {
            let turn = Turn { number, total: paths.len(), part };
            ok_or_print(path, decode_file(path).and_then(|image| self.measure(image, turn)), all);
        }
    }

    /// An image counts completely or not at all.
    fn measure(&mut self, image: DecodedImage, turn: Turn) -> Result<()> {
        let check = |image: &DecodedImage| {
            block_on(check_orientations(self.candidate, image, &[Orientation::Mirrored], &mut Silent))
        };
        let written = self.written.iter().map(|&(compression, _)| check(&compressed(&image, compression)?));
        let written = written.collect::<Result<Vec<_>>>()?;
        let contrasts = self.search(&image, turn)?;
        let smaller = |side: &&u32| **side < image.width.min(image.height);
        for &side in self.control_sides.iter().filter(smaller) {
            let square = Edit::Middle(side).apply(image.clone())?;
            self.squares.extend(check(&square)?.measurement().control);
        }
        // The last report is that of the image without loss.
        self.sizes.extend(written.last().map(|report| (report.image.shorter_side(), report.homogeneity)));
        for ((_, signals), report) in self.written.iter_mut().zip(&written) {
            signals.push(numbers(report));
        }
        for (controls, report) in self.controls.iter_mut().zip(&written) {
            controls.extend(report.measurement().control);
        }
        self.contrasts.extend(contrasts);
        Ok(())
    }

    /// The contrasts after the image was cropped off the grid, and after it was resized, if it is its turn: for each
    /// compression, by the search's result. An image that is too small to be searched once it is resized is not
    /// searched.
    fn search(&self, image: &DecodedImage, turn: Turn) -> Result<Vec<(ConditionKey, f64)>> {
        let [cropped, resized] = self.searches;
        let crop = turn.nth(cropped).map(|nth| Edit::Crop(1 + nth as u32 % 7));
        let resize =
            turn.nth(resized).and_then(|nth| RESIZED.iter().cycle().nth(nth)).map(|&factor| Edit::Resize(factor));
        let mut contrasts = Vec::new();
        for edit in crop.into_iter().chain(resize) {
            let edited = edit.apply(image.clone())?;
            for &compression in &self.search_compressions {
                let found =
                    match block_on(search(&self.candidate.model, &compressed(&edited, compression)?, &mut Silent)) {
                        Err(Error::ImageTooSmall { .. }) if matches!(edit, Edit::Resize(_)) => continue,
                        found => found?,
                    };
                contrasts.push((ConditionKey { compression, search: found.alignment.search() }, found.contrast));
            }
        }
        Ok(contrasts)
    }

    /// The contrasts of a key.
    fn contrasts(&self, key: ConditionKey) -> Vec<f64> {
        self.contrasts.iter().filter(|(found, _)| *found == key).map(|&(_, contrast)| contrast).collect()
    }
}

/// JPEG of these qualities, the strongest first, and none.
fn compressions(qualities: &[u8]) -> impl Iterator<Item = Compression> {
    let qualities: BTreeSet<u8> = qualities.iter().copied().collect();
    qualities.into_iter().map(Compression::Jpeg).chain([Compression::Lossless])
}

fn compressed(image: &DecodedImage, compression: Compression) -> Result<DecodedImage> {
    match compression {
        Compression::Jpeg(quality) => recompressed(image, quality),
        Compression::Lossless | Compression::Lossy => Ok(image.clone()),
    }
}

/// What every signal is made of.
fn numbers(report: &CheckReport) -> (Losses, f64) {
    (report.losses.into(), report.homogeneity)
}

/// An image's place among those of its kind.
#[derive(Clone, Copy)]
struct Turn {
    number: usize,
    total: usize,
    /// One in so many is chosen.
    part: usize,
}

impl Turn {
    /// The index of this image among `count` that are chosen, or among a part of them, spread evenly; `None` if it is
    /// not chosen.
    fn nth(self, count: usize) -> Option<usize> {
        let count = count.div_ceil(self.part).min(self.total);
        let before = |number: usize| number * count / self.total.max(1);
        (before(self.number) != before(self.number + 1)).then(|| before(self.number))
    }
}

/// What was measured of the orientation control.
struct Control {
    scatter: ControlScatter,
    /// By compression, as [`Signals::written`].
    powers: Vec<Option<ControlPower>>,
}

impl Control {
    fn of(belonging: &Signals<'_>, others: &Signals<'_>, alpha: f64, painted: bool) -> Result<Self> {
        let measured: Vec<ControlMeasurement> = [others.controls.concat(), others.squares.clone()].concat();
        let scatter = ControlScatter::of(others.sizes.len(), &measured)?;
        let powers = belonging.controls.iter().map(|controls| power(controls, &scatter, alpha, painted));
        Ok(Control { powers: powers.collect::<Result<_>>()?, scatter })
    }
}

/// A calibration with another control.
fn with_control(
    known: Calibration,
    belonging: &Signals<'_>,
    others: &Signals<'_>,
    arguments: &CalibrateArguments,
) -> Result<Calibration> {
    let painted = !arguments.synthetic.photographs.is_empty();
    let Control { scatter, powers } = Control::of(belonging, others, arguments.alpha.max(ALTERED_ALPHA), painted)?;
    let mut conditions = known.conditions;
    for (key, power) in belonging.written.iter().map(|&(compression, _)| compression).zip(powers) {
        let found =
            conditions.iter_mut().find(|condition| condition.key() == ConditionKey { compression: key, ..AS_WRITTEN });
        if let Some(condition) = found {
            condition.control = power;
        }
    }
    // Measured again, it is named once.
    let before = known.source.split(CONTROL_SOURCE).next().unwrap_or_default();
    let source = format!("{before}{CONTROL_SOURCE}{} photographs", others.sizes.len());
    Ok(Calibration { format_version: FORMAT_VERSION, source, control: Some(scatter), conditions, ..known })
}

fn calibration(
    belonging: &Signals<'_>,
    others: &Signals<'_>,
    arguments: &CalibrateArguments,
    source: String,
    seed: u64,
) -> Result<Calibration> {
    let altered = arguments.alpha.max(ALTERED_ALPHA);
    let mut random = StdRng::seed_from_u64(seed);
    let mut condition = |key: ConditionKey, own: &[f64], other: &[f64]| -> Result<Condition> {
        let alpha = if key == AS_WRITTEN { arguments.alpha } else { altered };
        let pick = |below: usize| random.random_range(0..below);
        let interval = threshold_interval(own, alpha, DRAWS, pick)?;
        Ok(Condition { threshold_interval: Some(interval), ..Condition::of(key, own, other, alpha)? })
    };
    let mut searched = Vec::new();
    for search in [Search::SameSize, Search::Resized] {
        for &compression in &belonging.search_compressions {
            let key = ConditionKey { compression, search };
            let (own, other) = (belonging.contrasts(key), others.contrasts(key));
            // Nothing is known of a search result that hardly any image gave.
            if own.len() >= FEWEST_CONTRASTS && !other.is_empty() {
                searched.push(condition(key, &own, &other)?);
            }
        }
    }
    let model = belonging.candidate.model.manifest.id.clone();
    let painted = !arguments.synthetic.photographs.is_empty();
    let control = Control::of(belonging, others, altered, painted);
    if belonging.sizes.is_empty() {
        return Calibration::of_control(&model, others.sizes.clone(), control?.scatter, &source);
    }
    let Limits { minimum_side, maximum_homogeneity } =
        Limits::of([belonging, others].map(|signals| signals.sizes.clone()))?;
    // A few images are enough for a threshold, but not to know how photographs scatter.
    let (control, powers) = match control {
        Ok(Control { scatter, powers }) => (Some(scatter), powers),
        Err(_) => (None, vec![None; belonging.written.len()]),
    };
    best(&arguments.signal.kinds(), |signal| {
        let signals = |numbers: &[(Losses, f64)]| -> Result<Vec<f64>> {
            numbers.iter().map(|&(losses, homogeneity)| signal.of(losses, homogeneity)).collect()
        };
        let mut conditions = Vec::new();
        for (((compression, own), (_, other)), &control) in belonging.written.iter().zip(&others.written).zip(&powers) {
            let key = ConditionKey { compression: *compression, search: Search::None };
            conditions.push(Condition { control, ..condition(key, &signals(own)?, &signals(other)?)? });
        }
        conditions.extend(searched.iter().cloned());
        Ok(Calibration {
            format_version: FORMAT_VERSION,
            model: model.clone(),
            signal,
            minimum_side,
            maximum_homogeneity,
            source: source.clone(),
            painted,
            control: control.clone(),
            conditions,
        })
    })
}

fn summary(path: &Path, calibration: &Calibration) -> String {
    let Calibration { signal, minimum_side, maximum_homogeneity, conditions, .. } = calibration;
    let line = |condition: &Condition| {
        let [low, high] = condition.threshold_interval.unwrap_or([condition.threshold; 2]);
        let [from, to] = condition.evidence(condition.threshold, "").uncertain;
        let [from, to] = [from.map(|from| format!("from {from:.4} ")), to.map(|to| format!("to {to:.4}"))];
        let none = match (from, to) {
            (None, None) => "at any signal".into(),
            (from, to) => from.unwrap_or_default() + &to.unwrap_or_else(|| "on".into()),
        };
        format!(
            "  {:28} {:4} belong, {:4} do not, α {}: τ {:.6} (95 % between {low:.6} and {high:.6}); no verdict {none}",
            condition.key().title(),
            condition.belonging.count,
            condition.others.count,
            condition.alpha,
            condition.threshold
        )
    };
    let control = calibration.control.iter().flat_map(|control| &control.sizes).map(|size| {
        let [mean, deviation] = size.log_ratio;
        format!(
            "  orientation control, {:.0} px: {} measurements, spread {:.4}; ln L1/L2 {mean:.3} ± {deviation:.3}",
            size.side, size.count, size.spread
        )
    });
    let power = conditions.iter().filter_map(|condition| {
        let ControlPower { count, found, .. } = condition.control?;
        Some(format!(
            "  orientation control, {}: finds {:.0} % of {count} images that belong",
            condition.key().title(),
            100.0 * found
        ))
    });
    let mut lines = vec![format!(
        "{}: signal {}; verdicts from {minimum_side} pixels and up to homogeneity {maximum_homogeneity:.4}",
        path.display(),
        signal.formula()
    )];
    lines.extend(control);
    lines.extend(conditions.iter().map(line));
    lines.extend(power);
    lines.extend(calibration.as_written().map(decidable));
    lines.join("\n")
}

/// How many models can be checked together so that one of them can still be named, with so many other images.
fn decidable(condition: &Condition) -> String {
    let count = condition.others.count;
    let needed = |models: usize| images_needed(FALSE_ATTRIBUTION / models as f64);
    let models = (1..).take_while(|&models| needed(models) <= count).last().unwrap_or(0);
    let next = format!("{} other images are needed to name one of {}", needed(models + 1), models + 1);
    match models {
        0 => format!("  with {count} other images no image can be said to belong; {next}"),
        models => format!("  with {count} other images one of up to {models} models asked can be named; {next}"),
    }
}
