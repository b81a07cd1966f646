//! The command line: arguments, output and exit codes.

mod check;
mod models;
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
    weights::{
        Precision,
        pack::{Input, PackOptions, pack},
    },
};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    Pack(PackArguments),
}

#[derive(Debug, Args)]
struct PackArguments {
    /// A `.safetensors` or PyTorch file with both halves; diffusers' config.json is looked for beside it.
    #[arg(required_unless_present_all = ["encoder", "decoder"], conflicts_with_all = ["encoder", "decoder"])]
    weights: Option<PathBuf>,
    /// The encoder's file, where halves are published apart.
    #[arg(long, requires = "decoder")]
    encoder: Option<PathBuf>,
    /// The decoder's file.
    #[arg(long, requires = "encoder")]
    decoder: Option<PathBuf>,
    /// diffusers' config.json, if it is not beside the weights.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Short, stable id; the folder's name by default.
    #[arg(long)]
    id: Option<String>,
    /// Name for people; the id by default.
    #[arg(long)]
    name: Option<String>,
    /// Where the weights come from.
    #[arg(long, default_value = "unknown")]
    source: String,
    /// The weights' licence.
    #[arg(long, default_value = "unknown")]
    licence: String,
    #[arg(long, value_enum, default_value = "f16")]
    precision: PrecisionArgument,
    /// Close a shard once it holds this many MiB.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    shard_mib: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrecisionArgument {
    F32,
    F16,
    Q8,
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
        Command::Pack(arguments) => run_pack(&arguments).map(print_line),
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

fn run_pack(arguments: &PackArguments) -> Result<String> {
    let input = match (&arguments.weights, &arguments.encoder, &arguments.decoder) {
        (None, Some(encoder), Some(decoder)) => Input::Halves { encoder, decoder },
        (Some(weights), ..) => Input::Whole(weights),
        // clap demands one of the two.
        _ => return Err(Error::WeightsMissing { file: "none was named".into() }),
    };
    let folder_name = arguments.out.file_name().map(|name| name.to_string_lossy().into_owned());
    let id = arguments.id.clone().or(folder_name).unwrap_or_default();
    let options = PackOptions {
        input,
        config: arguments.config.as_deref(),
        id: &id,
        name: arguments.name.as_deref().unwrap_or(&id),
        source: &arguments.source,
        licence: &arguments.licence,
        precision: match arguments.precision {
            PrecisionArgument::F32 => Precision::F32,
            PrecisionArgument::F16 => Precision::F16,
            PrecisionArgument::Q8 => Precision::Q8,
        },
        shard_bytes: usize::from(arguments.shard_mib) << 20,
    };
    let (manifest, report) = pack(&options, &arguments.out)?;
    let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
    let (folder, shards) = (arguments.out.display(), manifest.shards.len());
    Ok(format!("{folder}: {report}; {bytes} bytes in {shards} shards"))
}
