//! `aedr pack`.

use std::path::PathBuf;

use aedr::{
    Error, Result,
    evidence::calibration::Calibration,
    method::bit_search::{Budget, CurvePoint},
    weights::{
        Description, Fidelity, Precision,
        catalog::Catalog,
        pack::{FormatSearch, Input, PackOptions, pack},
    },
};
use clap::{Args, ValueEnum};

use super::{
    console::print_line,
    files::{expand_paths, read_file, write_calibration},
};

/// The catalogue of published autoencoders is built into the program.
const CATALOG: &str = include_str!("../../weights/catalog.json");

#[derive(Debug, Args)]
pub struct PackArguments {
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
    /// What the catalogue says of the model of this id: its architecture, name, licence, generators and calibration.
    #[arg(long, value_name = "ID", conflicts_with_all = ["config", "id", "name", "source", "licence"])]
    entry: Option<String>,
    /// A catalogue instead of the one that is built in.
    #[arg(long, value_name = "FILE", requires = "entry")]
    catalog: Option<PathBuf>,
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
    /// Instead of a precision: search the smallest pack whose mean |Δt| is no larger, such as 0.5%; on single images
    /// it may be twice that. The search prints its curve of sizes and changes.
    #[arg(long, value_name = "PERCENT", value_parser = parse_change, conflicts_with = "precision", requires = "images")]
    budget: Option<f64>,
    /// Photographs that the budget is measured on, files or folders; a dozen or more.
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "budget")]
    images: Vec<PathBuf>,
    /// Pixels a side that are cut out of each photograph.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(32..=1024), requires = "budget")]
    side: u16,
    /// Close a shard once it holds this many MiB.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    shard_mib: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrecisionArgument {
    F32,
    F16,
    Q12,
    Q10,
    Q8,
}

/// Packs; gives the text to print.
pub fn run(arguments: &PackArguments) -> Result<String> {
    let input = match (&arguments.weights, &arguments.encoder, &arguments.decoder) {
        (None, Some(encoder), Some(decoder)) => Input::Halves { encoder, decoder },
        (Some(weights), ..) => Input::Whole(weights),
        // clap demands one of the two.
        _ => return Err(Error::WeightsMissing { file: "none was named".into() }),
    };
    let (description, calibration) = describe(arguments)?;
    let images = expand_paths(&arguments.images)?;
    let watch = |point: &CurvePoint| {
        let CurvePoint { formats, bytes, fidelity } = point;
        let [mean, largest] = [fidelity.mean_change, fidelity.largest_change].map(|change| 100.0 * change);
        print_line(format_args!("{formats:8}{bytes:>12} bytes   mean |Δt| {mean:7.3} %   largest {largest:7.3} %"));
    };
    let budget =
        arguments.budget.map(|change| Budget { change, images: &images, side: arguments.side.into(), watch: &watch });
    let options = PackOptions {
        input,
        config: arguments.config.as_deref(),
        description,
        precision: match arguments.precision {
            PrecisionArgument::F32 => Precision::F32,
            PrecisionArgument::F16 => Precision::F16,
            PrecisionArgument::Q12 => Precision::Q12,
            PrecisionArgument::Q10 => Precision::Q10,
            PrecisionArgument::Q8 => Precision::Q8,
        },
        search: budget.as_ref().map(|budget| budget as &dyn FormatSearch),
        shard_bytes: usize::from(arguments.shard_mib) << 20,
    };
    let (manifest, report) = pack(&options, &arguments.out)?;
    if let Some(calibration) = calibration {
        write_calibration(&arguments.out.join("calibration.json"), &calibration)?;
    }
    let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
    let (folder, shards) = (arguments.out.display(), manifest.shards.len());
    let fidelity = match (manifest.fidelity, arguments.budget) {
        (Some(fidelity), Some(budget)) => {
            let Fidelity { mean_change, largest_change, images } = fidelity;
            let verdict = match fidelity.is_within(budget) {
                true => "within the budget",
                false => "over the budget, and f16 is the most that is stored",
            };
            let [mean, largest] = [100.0 * mean_change, 100.0 * largest_change];
            format!("; mean |Δt| {mean:.3} %, largest {largest:.3} % on {images} images, {verdict}")
        }
        _ => String::new(),
    };
    Ok(format!("{folder}: {report}; {bytes} bytes in {shards} shards{fidelity}"))
}

/// What the arguments or the catalogue say of the model.
fn describe(arguments: &PackArguments) -> Result<(Description, Option<Calibration>)> {
    let Some(id) = &arguments.entry else {
        let folder_name = arguments.out.file_name().map(|name| name.to_string_lossy().into_owned());
        let id = arguments.id.clone().or(folder_name).unwrap_or_default();
        let name = arguments.name.clone().unwrap_or_else(|| id.clone());
        let (source, licence) = (arguments.source.clone(), arguments.licence.clone());
        return Ok((Description { id, name, source, licence, ..Description::default() }, None));
    };
    let catalog = match &arguments.catalog {
        Some(path) => Catalog::parse(&String::from_utf8_lossy(&read_file(path)?))?,
        None => Catalog::parse(CATALOG)?,
    };
    let Some(entry) = catalog.entry(id) else {
        let known: Vec<&str> = catalog.entries.iter().map(|entry| entry.id.as_str()).collect();
        return Err(Error::UnknownModel { id: format!("{id} (the catalogue has {})", known.join(", ")) });
    };
    Ok((entry.description(), Calibration::of_entry(entry)?))
}

/// "0.5%" → 0.005.
fn parse_change(text: &str) -> std::result::Result<f64, String> {
    let percent = text.trim().strip_suffix('%').ok_or("a percentage is needed, such as 0.5%")?;
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("it must be above 0% and at most 100%".into()),
    }
}
