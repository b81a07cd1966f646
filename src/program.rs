//! The command line: arguments, output and exit codes.

mod check;
mod models;
mod pack;
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
    device::DevicePreference,
    homogeneity::homogeneity,
    image::{DecodeOptions, decode},
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
    /// Check images against a model.
    Check(check::CheckArguments),
    /// Print each image's path and homogeneity, separated by a tab.
    Homogeneity {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
    /// Print the threshold that belonging images' losses and homogeneities give, alone.
    Threshold(threshold::ThresholdArguments),
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
        Command::Threshold(arguments) => threshold::run(&arguments).map(print_line),
        Command::Pack(arguments) => pack::run(&arguments).map(print_line),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell("aedr", &error);
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
    eprintln!("{subject}: {error}. {}", error.advice());
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::File { path: path.display().to_string(), detail: error.to_string() })
}

fn print_homogeneity(images: &[PathBuf]) -> bool {
    let mut all = true;
    for path in images {
        let value = read_file(path)
            .and_then(|bytes| decode(&bytes, &DecodeOptions::default()))
            .and_then(|image| homogeneity(&image.grey, image.width as usize));
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
