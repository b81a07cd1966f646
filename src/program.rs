//! The command line: arguments, output and exit codes.

mod calibrate;
mod check;
mod evaluate;
mod measure;
mod models;
mod pack;
mod paint;
mod replay;
mod report;
mod results;
mod threshold;

use std::{
    fmt::Display,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use aedr::{
    Error, Result,
    calibration::Calibration,
    device::DevicePreference,
    homogeneity::homogeneity,
    image::{DecodeOptions, DecodedImage, decode},
    provenance::claims,
};
use clap::{Parser, Subcommand, ValueEnum};

/// Tells whether images came out of a latent diffusion model's autoencoder.
///
/// Exit code: 0 if everything asked for was done, 1 if anything failed, 2 for wrong arguments.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check images against models, or repeat a check that a report was made of.
    Check(check::CheckArguments),
    /// Print each image's path and homogeneity, separated by a tab.
    Homogeneity {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
    /// Print what each file says of its own origin, which proves nothing: one JSON object a line.
    Provenance {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
    /// Print the threshold that belonging images' losses and homogeneities give, alone.
    Threshold(threshold::ThresholdArguments),
    /// Make a model's calibration: its threshold, and what is too near to it for a verdict.
    Calibrate(calibrate::CalibrateArguments),
    /// Measure how well a model tells images that belong from images that do not.
    Evaluate(evaluate::EvaluateArguments),
    /// Put the parts of an evaluation together, and say what they say.
    Merge(evaluate::MergeArguments),
    /// Paint images that belong to a model from photographs, without its generator.
    Paint(paint::PaintArguments),
    /// Measure how fast a device computes models, or how near to references: one JSON object a line.
    Measure(measure::MeasureArguments),
    /// Make a pack (manifest and shards) from published weights.
    Pack(Box<pack::PackArguments>),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceArgument {
    /// A GPU if there is a real one, else the CPU.
    Auto,
    Gpu,
    Cpu,
}

impl From<DeviceArgument> for DevicePreference {
    fn from(device: DeviceArgument) -> Self {
        match device {
            DeviceArgument::Auto => DevicePreference::Auto,
            DeviceArgument::Gpu => DevicePreference::Gpu,
            DeviceArgument::Cpu => DevicePreference::Cpu,
        }
    }
}

/// Runs a command. Failures of single images are told and do not stop the others.
pub fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Homogeneity { images } => Ok(print_homogeneity(&images)),
        Command::Provenance { images } => Ok(print_provenance(&images)),
        Command::Threshold(arguments) => threshold::run(&arguments).map(print_line),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Merge(arguments) => evaluate::merge(&arguments),
        Command::Paint(arguments) => paint::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments).map(print_line),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(PROGRAM, &error);
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; false if the output is closed, as it is behind `head`.
fn print_line(line: impl Display) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// Tells an error on the error output: what, then what to do.
fn tell(subject: &str, error: &Error) {
    let subject = if names(error, subject) { PROGRAM } else { subject };
    note(&format!("{subject}: {error}. {}", error.advice()));
}

/// Says something on the error output.
fn note(line: &str) {
    // Who has closed the error output is told nothing.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether an error's own words begin with the file or model that it is about.
fn names(error: &Error, subject: &str) -> bool {
    match error {
        Error::File { path: named, .. }
        | Error::WeightsMissing { file: named }
        | Error::WeightsCorrupt { file: named, .. }
        | Error::ManifestInvalid { file: named, .. }
        | Error::WeightsWrong { model: named, .. }
        | Error::BadNumbers { what: named, .. } => named == subject,
        Error::UnknownModel { id } => id.split(' ').next() == Some(subject),
        _ => false,
    }
}

/// What says what no file or model is to blame for.
const PROGRAM: &str = "aedr";

/// What worked; what did not is told, and remembered.
fn told<T>(path: &Path, result: Result<T>, all: &mut bool) -> Option<T> {
    result
        .inspect_err(|error| {
            tell(&path.display().to_string(), error);
            *all = false;
        })
        .ok()
}

/// A file or folder that could not be read or written.
fn file_error(path: &Path, error: impl Display) -> Error {
    Error::File { path: path.display().to_string(), detail: error.to_string() }
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| file_error(path, error))
}

fn decode_file(path: &Path) -> Result<DecodedImage> {
    decode(&read_file(path)?, &DecodeOptions::default())
}

fn write_calibration(path: &Path, calibration: &Calibration) -> Result<()> {
    fs::write(path, calibration.to_json()).map_err(|error| file_error(path, error))
}

/// Fails, and tells what is wrong with each, if none of the images can be decoded: before a device is opened for nothing.
fn some_decodable(paths: &[PathBuf]) -> Result<()> {
    let mut wrong = Vec::new();
    for path in paths {
        match decode_file(path) {
            Ok(_) => return Ok(()),
            Err(error) => wrong.push((path, error)),
        }
    }
    wrong.iter().for_each(|(path, error)| tell(&path.display().to_string(), error));
    let detail = if wrong.is_empty() { "there are none" } else { "none of them can be decoded" };
    Err(Error::BadNumbers { what: "the images".into(), detail: detail.into() })
}

/// The files, those in folders, and those that a list `@FILE` names, one a line.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let list = path.to_str().and_then(|path| path.strip_prefix('@'));
        if let Some(list) = list {
            let text = fs::read_to_string(list).map_err(|error| file_error(Path::new(list), error))?;
            files.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(PathBuf::from));
        } else if path.is_dir() {
            let unreadable = |error| file_error(path, error);
            for entry in fs::read_dir(path).map_err(unreadable)? {
                files.push(entry.map_err(unreadable)?.path());
            }
        } else {
            files.push(path.clone());
        }
    }
    files.retain(|path| !path.is_dir());
    files.sort();
    files.dedup();
    Ok(files)
}

fn print_provenance(images: &[PathBuf]) -> bool {
    let mut all = true;
    for path in images {
        let Some(bytes) = told(path, read_file(path), &mut all) else { continue };
        all &= print_line(serde_json::json!({ "path": path.display().to_string(), "claims": claims(&bytes) }));
    }
    all
}

fn print_homogeneity(images: &[PathBuf]) -> bool {
    let mut all = true;
    for path in images {
        let value = decode_file(path).and_then(|image| homogeneity(&image.grey, image.width as usize));
        all &= match value {
            Ok(value) => print_line(format_args!("{}\t{value:.6}", path.display())),
            Err(error) => {
                tell(&path.display().to_string(), &error);
                false
            }
        };
    }
    all
}
