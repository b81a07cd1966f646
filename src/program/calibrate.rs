//! `aedr calibrate`: a model's threshold, from images that belong and images that do not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aedr::{
    Error, Result,
    calibration::{Calibration, Measured, calibrate, threshold_interval},
    check::check_image,
    device::ComputeDevice,
    image::{DecodeOptions, DecodedImage, decode},
    reconstruction::Silent,
    weights::Model,
};
use clap::Args;
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{DeviceArgument, files, models, paint::Painting, print_line, read_file, told};

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
    /// The share of belonging images that the threshold leaves out.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// The file to write; by default the one in the model's folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
}

/// False if an image could not be used; the calibration is then made of the others.
pub fn run(arguments: &CalibrateArguments) -> Result<bool> {
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let model = models::load(&arguments.model, &arguments.weights, device)?;
    let mut all = true;
    let Painting { count, side, seed, photographs } = &arguments.painting;
    let (belonging, how) = if photographs.is_empty() {
        let measured = measure_files(&model, &files(&arguments.belonging)?, &mut all);
        (measured, "images that are known to belong".to_owned())
    } else {
        let mut painter = arguments.painting.painter(&model, &mut all)?;
        let from = painter.photographs();
        let images = (0..*count as usize).map(|number| measure(&model, &painter.paint(number)?));
        (images.collect::<Result<_>>()?, format!("painted by the model from {from} photographs, {side} pixels a side"))
    };
    let others = measure_files(&model, &files(&arguments.others)?, &mut all);
    let source = format!("aedr calibrate, belonging: {how}; others: {} images", others.len());
    let mut calibration = calibrate(&model.manifest.id, &belonging, &others, arguments.alpha, &source)?;
    let signals: Vec<f64> = belonging.iter().map(|image| image.signal).collect();
    let mut random = StdRng::seed_from_u64(*seed);
    let pick = |below: usize| random.random_range(0..below);
    calibration.threshold_interval = Some(threshold_interval(&signals, arguments.alpha, DRAWS, pick)?);
    let path =
        arguments.out.clone().unwrap_or_else(|| arguments.weights.join(&arguments.model).join("calibration.json"));
    write(&path, &calibration)?;
    all &= print_line(summary(&path, &calibration, &others));
    Ok(all)
}

fn summary(path: &Path, calibration: &Calibration, others: &[Measured]) -> String {
    let Calibration { threshold, alpha, uncertain_from, uncertain_to, belonging_count, other_count, .. } = calibration;
    let [low, high] = calibration.threshold_interval.unwrap_or([*threshold; 2]);
    let attributed = others.iter().filter(|image| image.signal < *uncertain_from).count();
    format!(
        "{}: τ {threshold:.6} (95 % between {low:.6} and {high:.6}) at α {alpha}, from {belonging_count} images that \
         belong and {other_count} others; no verdict from {uncertain_from:.6} to {uncertain_to:.6}; {attributed} of \
         the others lie below",
        path.display()
    )
}

/// Those that can be measured; the others are told.
fn measure_files(model: &Model, paths: &[PathBuf], all: &mut bool) -> Vec<Measured> {
    let measured = |path: &PathBuf| told(path, decode_file(path).and_then(|image| measure(model, &image)), all);
    paths.iter().filter_map(measured).collect()
}

fn decode_file(path: &Path) -> Result<DecodedImage> {
    decode(&read_file(path)?, &DecodeOptions::default())
}

fn measure(model: &Model, image: &DecodedImage) -> Result<Measured> {
    let report = block_on(check_image(model, image, &mut Silent))?;
    let shorter_side = report.image.checked_width.min(report.image.checked_height);
    Ok(Measured { signal: report.signal, homogeneity: report.homogeneity, shorter_side })
}

fn write(path: &Path, calibration: &Calibration) -> Result<()> {
    let unwritable =
        |error: std::io::Error| Error::File { path: path.display().to_string(), detail: error.to_string() };
    fs::write(path, calibration.to_json()).map_err(unwritable)
}
