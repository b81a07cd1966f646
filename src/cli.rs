//! The command line: arguments, output and exit codes.

mod calibrate;
mod check;
mod console;
mod device_arguments;
mod evaluate;
mod evaluation_page;
mod evaluation_results;
mod evaluation_summary;
mod files;
mod homogeneity;
mod measure;
mod models;
mod pack;
mod paint;
mod provenance;
mod replay;
mod threshold;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use self::console::{PROGRAM, print_error, print_line};

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

/// Runs a command. Failures of single images are printed and do not stop the others.
pub fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Check(arguments) => match arguments.replay() {
            Some(report) => replay::run(report, &arguments),
            None => check::run(&arguments),
        },
        Command::Homogeneity { images } => homogeneity::run(&images),
        Command::Provenance { images } => provenance::run(&images),
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
            print_error(PROGRAM, &error);
            ExitCode::FAILURE
        }
    }
}
