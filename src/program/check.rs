//! `aedr check`: the verdict on each image, for people or as JSON lines.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use aedr::{
    Error, Result,
    check::{CheckReport, check},
    device::{ComputeDevice, MapPrecision},
    image::DecodeOptions,
    reconstruction::Silent,
    verdict::Outcome,
    weights::Model,
};
use clap::{Args, ValueEnum};
use pollster::block_on;
use serde_json::{Value, json};

use super::{DeviceArgument, models, print_line, read_file, tell};

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// The model to check against: the one built in, or a pack in the weights folder.
    #[arg(long, value_name = "ID", default_value = models::DEFAULT_MODEL)]
    model: String,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
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
    /// One JSON object a line, for each image.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MapArgument {
    Auto,
    F32,
    F16,
}

impl From<MapArgument> for MapPrecision {
    fn from(maps: MapArgument) -> Self {
        match maps {
            MapArgument::Auto => MapPrecision::Auto,
            MapArgument::F32 => MapPrecision::F32,
            MapArgument::F16 => MapPrecision::F16,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineArgument {
    Auto,
    Kernels,
    Burn,
}

/// True if every image could be checked, whatever the outcomes.
pub fn run(arguments: &CheckArguments) -> Result<bool> {
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
    let model = models::load(&arguments.model, &arguments.weights, device)?;
    let options = DecodeOptions { apply_orientation: arguments.apply_orientation, ..DecodeOptions::default() };
    let mut all = true;
    for path in &arguments.images {
        let started = Instant::now();
        let outcome = check_file(&model, path, &options);
        all &= outcome.is_ok();
        let seconds = started.elapsed().as_secs_f64();
        let printed = match (&outcome, arguments.json) {
            (_, true) => print_line(json_line(path, &outcome, seconds)?),
            (Ok(report), false) => print_line(text(path, report, seconds)),
            (Err(error), false) => {
                tell(&path.display().to_string(), error);
                true
            }
        };
        if !printed {
            return Ok(false);
        }
    }
    Ok(all)
}

fn check_file(model: &Model, path: &Path, options: &DecodeOptions) -> Result<CheckReport> {
    block_on(check(model, &read_file(path)?, options, &mut Silent))
}

fn json_line(path: &Path, outcome: &Result<CheckReport>, seconds: f64) -> Result<Value> {
    let path = path.display().to_string();
    let mut line = match outcome {
        Ok(report) => serde_json::to_value(report)
            .map_err(|error| Error::File { path: path.clone(), detail: error.to_string() })?,
        Err(error) => json!({
            "image": {},
            "error": { "code": error.code(), "message": error.to_string(), "advice": error.advice() },
        }),
    };
    line["image"]["path"] = path.into();
    line["seconds"] = seconds.into();
    Ok(line)
}

fn text(path: &Path, report: &CheckReport, seconds: f64) -> String {
    let name = &report.model.name;
    let outcome = match (report.outcome, &report.reason) {
        (Outcome::Matches, _) => format!("matches {name}"),
        (Outcome::DoesNotMatch, _) => format!("does not match {name}; other generators were not tested"),
        (Outcome::CannotTell, Some(reason)) => format!("cannot tell: {}", reason.message),
        (Outcome::CannotTell, None) => "cannot tell".into(),
    };
    let threshold = report.threshold.map_or("none".into(), |threshold| format!("{threshold:.4}"));
    let mut lines = vec![
        format!("{}: {outcome}", path.display()),
        format!(
            "  L1 {:.6}  L2 {:.6}  L1/L2 {:.4}  homogeneity {:.6}  t {:.4}  threshold {threshold}",
            report.losses.first, report.losses.second, report.losses.ratio, report.homogeneity, report.signal,
        ),
        format!("  on {}, {seconds:.1} s", report.device.adapter),
    ];
    lines.extend(report.notes.iter().map(|note| format!("  {note}")));
    lines.join("\n")
}
