//! `aedr calibrate`: a model's threshold, from images that belong and images that do not.

#![expect(clippy::arithmetic_side_effects, reason = "over lists that the program makes itself")]

use std::path::{Path, PathBuf};

use aedr::{
    Result,
    calibration::{Calibration, Condition, FORMAT_VERSION, JpegCondition, best},
    check::{CheckReport, check_image},
    density::threshold_interval,
    device::ComputeDevice,
    edits::Edit,
    image::DecodedImage,
    reconstruction::{Losses, Silent},
    scan::search,
    signal::SignalKind,
    weights::Model,
};
use clap::{Args, ValueEnum};
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    DeviceArgument, decode_file, files, models, paint::Painting, print_line, some_decodable, told, write_calibration,
};

/// α of images that were compressed, or cropped and searched, at least: a few of them lose the signal altogether, and a
/// threshold that takes those in would tell nothing apart.
const ALTERED_ALPHA: f64 = 0.05;

/// Draws for the interval of τ.
const DRAWS: usize = 200;

#[derive(Debug, Args)]
pub struct CalibrateArguments {
    /// The model: a pack in the weights folder, or the one that is built in.
    model: String,
    /// Images as the model's generators wrote them, never edited: files or folders.
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "photographs", conflicts_with = "photographs")]
    belonging: Vec<PathBuf>,
    /// Without the generator, in place of --belonging: --photographs.
    #[command(flatten)]
    painting: Painting,
    /// Images that did not come out of the model: photographs, and images of other generators.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    others: Vec<PathBuf>,
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
    /// Measure too what the search of the grid finds in so many images of each kind, spread evenly, after they were
    /// cropped: for the deep scan's verdicts. Ten times the work of a check each.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    search: usize,
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
    let Painting { count, seed, photographs, side, .. } = &arguments.painting;
    let kinds = [if photographs.is_empty() { &arguments.belonging } else { photographs }, &arguments.others];
    for paths in kinds {
        some_decodable(&files(paths)?)?;
    }
    models::complete(&arguments.model, &arguments.weights)?;
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let model = models::load_uncalibrated(&arguments.model, &arguments.weights, device)?;
    let mut all = true;
    let mut qualities = arguments.jpeg.clone();
    qualities.sort_unstable();
    qualities.dedup();
    let mut belonging = Signals::new(&model, &qualities);
    let how = if photographs.is_empty() {
        belonging.measure_files(&files(&arguments.belonging)?, arguments.search, &mut all);
        "images that are known to belong".to_owned()
    } else {
        let mut painter = arguments.painting.painter(&model, &mut all)?;
        for number in 0..*count as usize {
            belonging.measure(painter.paint(number)?, chosen(number, *count as usize, arguments.search))?;
        }
        format!("painted by the model from {} photographs, {side} pixels a side", painter.photographs())
    };
    let mut others = Signals::new(&model, &qualities);
    others.measure_files(&files(&arguments.others)?, arguments.search, &mut all);
    let source = format!("aedr calibrate, belonging: {how}; others: {} images", others.as_written.len());
    let calibration = calibration(&belonging, &others, &qualities, arguments, source, *seed)?;
    let path =
        arguments.out.clone().unwrap_or_else(|| arguments.weights.join(&arguments.model).join("calibration.json"));
    write_calibration(&path, &calibration)?;
    all &= print_line(summary(&path, &calibration));
    Ok(all)
}

/// What images of one kind give, as they are and after what was asked for.
struct Signals<'a> {
    model: &'a Model,
    /// Losses and H of each.
    as_written: Vec<(Losses, f64)>,
    /// The same after JPEG of each quality.
    jpeg: Vec<(u8, Vec<(Losses, f64)>)>,
    /// The contrasts that a search finds in those that are searched, after they were cropped off the grid.
    contrasts: Vec<f64>,
    minimum_side: u32,
    maximum_homogeneity: f64,
}

impl<'a> Signals<'a> {
    fn new(model: &'a Model, qualities: &[u8]) -> Self {
        Signals {
            model,
            as_written: Vec::new(),
            jpeg: qualities.iter().map(|&quality| (quality, Vec::new())).collect(),
            contrasts: Vec::new(),
            minimum_side: u32::MAX,
            maximum_homogeneity: 0.0,
        }
    }

    /// Those that can be measured; the others are told.
    fn measure_files(&mut self, paths: &[PathBuf], searched: usize, all: &mut bool) {
        for (number, path) in paths.iter().enumerate() {
            let search = chosen(number, paths.len(), searched);
            told(path, decode_file(path).and_then(|image| self.measure(image, search)), all);
        }
    }

    /// An image counts as a whole or not at all.
    fn measure(&mut self, image: DecodedImage, searched: bool) -> Result<()> {
        let report = block_on(check_image(self.model, &image, &mut Silent))?;
        let compressed = self.jpeg.iter().map(|&(quality, _)| {
            let image = Edit::Jpeg(quality).apply(image.clone())?;
            Ok(numbers(&block_on(check_image(self.model, &image, &mut Silent))?))
        });
        let compressed = compressed.collect::<Result<Vec<_>>>()?;
        if searched {
            let pixels = 1 + self.contrasts.len() as u32 % 7;
            let cropped = Edit::Crop(pixels).apply(image)?;
            self.contrasts.push(block_on(search(self.model, &cropped, &mut Silent))?.contrast);
        }
        self.as_written.push(numbers(&report));
        for ((_, signals), signal) in self.jpeg.iter_mut().zip(compressed) {
            signals.push(signal);
        }
        self.minimum_side = self.minimum_side.min(report.image.checked_width.min(report.image.checked_height));
        self.maximum_homogeneity = self.maximum_homogeneity.max(report.homogeneity);
        Ok(())
    }
}

/// What every signal is made of.
fn numbers(report: &CheckReport) -> (Losses, f64) {
    (report.losses.into(), report.homogeneity)
}

/// Whether this one of `total` is among `count` that are spread evenly.
fn chosen(number: usize, total: usize, count: usize) -> bool {
    let count = count.min(total);
    number * count / total.max(1) != (number + 1) * count / total.max(1)
}

fn calibration(
    belonging: &Signals<'_>,
    others: &Signals<'_>,
    qualities: &[u8],
    arguments: &CalibrateArguments,
    source: String,
    seed: u64,
) -> Result<Calibration> {
    let altered = arguments.alpha.max(ALTERED_ALPHA);
    let mut random = StdRng::seed_from_u64(seed);
    let mut condition = |own: &[f64], other: &[f64], alpha: f64| -> Result<Condition> {
        let pick = |below: usize| random.random_range(0..below);
        let interval = threshold_interval(own, alpha, DRAWS, pick)?;
        Ok(Condition { threshold_interval: Some(interval), ..Condition::of(own, other, alpha)? })
    };
    let contrasts = (&belonging.contrasts, &others.contrasts);
    let searched = (arguments.search > 0).then(|| condition(contrasts.0, contrasts.1, altered)).transpose()?;
    best(&arguments.signal.kinds(), |signal| {
        let mut compare = |own: &[(Losses, f64)], other: &[(Losses, f64)], alpha: f64| {
            let signals = |numbers: &[(Losses, f64)]| -> Result<Vec<f64>> {
                numbers.iter().map(|&(losses, homogeneity)| signal.of(losses, homogeneity)).collect()
            };
            condition(&signals(own)?, &signals(other)?, alpha)
        };
        let as_written = compare(&belonging.as_written, &others.as_written, arguments.alpha)?;
        let mut jpeg = Vec::new();
        for (&quality, ((_, own), (_, other))) in qualities.iter().zip(belonging.jpeg.iter().zip(&others.jpeg)) {
            jpeg.push(JpegCondition { quality, condition: compare(own, other, altered)? });
        }
        Ok(Calibration {
            format_version: FORMAT_VERSION,
            model: belonging.model.manifest.id.clone(),
            signal,
            alpha: arguments.alpha,
            minimum_side: belonging.minimum_side.min(others.minimum_side),
            maximum_homogeneity: belonging.maximum_homogeneity.max(others.maximum_homogeneity),
            source: source.clone(),
            as_written,
            jpeg,
            searched: searched.clone(),
        })
    })
}

fn summary(path: &Path, calibration: &Calibration) -> String {
    let Calibration { signal, alpha, as_written, jpeg, searched, .. } = calibration;
    let (own, other) = (as_written.belonging.count, as_written.others.count);
    let line = |name: String, condition: &Condition| {
        let [low, high] = condition.threshold_interval.unwrap_or([condition.threshold; 2]);
        let [from, to] = condition.evidence(condition.threshold, "", String::new()).uncertain;
        format!(
            "  {name:12} τ {:.6} (95 % between {low:.6} and {high:.6}); no verdict from {from:.6} to {to:.6}",
            condition.threshold
        )
    };
    let mut lines = vec![
        format!(
            "{}: {own} images that belong and {other} others, signal {}, α {alpha}",
            path.display(),
            signal.formula()
        ),
        line("as written".into(), as_written),
    ];
    lines.extend(jpeg.iter().map(|jpeg| line(format!("JPEG {}", jpeg.quality), &jpeg.condition)));
    lines.extend(searched.iter().map(|condition| line("searched".into(), condition)));
    lines.join("\n")
}
