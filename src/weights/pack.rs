//! Packing: published weight files → manifest and shards. Native only.

mod source;

use std::{collections::HashMap, fmt::Debug, fs, path::Path};

pub use self::source::Source;
use super::{
    Description, Fidelity, Manifest, Precision, Shard,
    published::{architecture_from_diffusers, compare, from_shapes},
    shard::ShardWriter,
    tensor::{self, Format},
};
use crate::{Error, LoadReport, Result, autoencoder::spec::ParameterSpec};

/// What to pack and how.
#[derive(Debug, Clone)]
pub struct PackOptions<'a> {
    pub input: Input<'a>,
    /// diffusers' `config.json`. By default the one beside the file. Without one, and without an architecture in the
    /// description, the tensors' names and shapes must identify the architecture.
    pub config: Option<&'a Path>,
    pub description: Description,
    pub precision: Precision,
    /// Instead of the precision: decides how each tensor is stored.
    pub search: Option<&'a dyn FormatSearch>,
    /// A shard is closed once it holds this many bytes.
    pub shard_bytes: usize,
}

/// Decides how each tensor is stored. [`crate::method::bit_search`] does so by the effect of rounding on the signal.
pub trait FormatSearch: Debug {
    /// For a pack with this manifest and these parameters, whose values `source` holds.
    ///
    /// # Errors
    /// Those of reading the tensors, and the search's own.
    fn search(&self, manifest: &Manifest, parameters: &[ParameterSpec], source: &Source) -> Result<FoundFormats>;
}

/// How each tensor is to be stored, and what that does to the signal.
#[derive(Debug)]
pub struct FoundFormats {
    /// By the tensor's name.
    pub(crate) formats: HashMap<String, Format>,
    pub(crate) fidelity: Fidelity,
}

/// The published files.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Both halves in one `.safetensors` or PyTorch file.
    Whole(&'a Path),
    /// One PyTorch or `.safetensors` file for each half, as the TAESD family is published.
    Halves { encoder: &'a Path, decoder: &'a Path },
}

/// Writes `manifest.json` and the shards into `folder`, the manifest last, so that an interrupted run leaves no pack
/// that looks complete. Tensors that the architecture does not know are left out and reported.
///
/// # Errors
/// [`Error::File`], [`Error::WeightsCorrupt`] for a file that cannot be parsed, [`Error::WeightsWrong`]
/// if tensors are missing, [`Error::ManifestInvalid`] for a configuration that is not understood.
pub fn pack(options: &PackOptions<'_>, folder: &Path) -> Result<(Manifest, LoadReport)> {
    options.description.validate()?;
    let mut source = match options.input {
        Input::Whole(path) => Source::open(path, "")?,
        Input::Halves { encoder, decoder } => {
            let mut source = Source::open(encoder, "encoder.")?;
            source.append(Source::open(decoder, "decoder.")?);
            source
        }
    };
    source.take_parts();
    let architecture = match (&options.description.architecture, config_text(options)?) {
        (Some(architecture), _) => architecture.clone(),
        (None, Some((file, text))) => architecture_from_diffusers(&file, &text)?,
        (None, None) => from_shapes(&source.shapes())?,
    };
    architecture.validate()?;
    let parameters = architecture.parameters();
    let report = compare(&parameters, source.shapes());
    if !report.is_complete() {
        return Err(Error::WeightsWrong { model: options.description.id.clone(), report: Box::new(report) });
    }
    fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))?;
    let mut manifest = options.description.clone().manifest(architecture, options.precision);
    let mut formats = HashMap::new();
    if let Some(search) = options.search {
        let found = search.search(&manifest, &parameters, &source)?;
        formats = found.formats;
        (manifest.fidelity, manifest.precision) = (Some(found.fidelity), Precision::Mixed);
    }
    let format = |name: &str| formats.get(name).copied().unwrap_or(manifest.precision.format());
    manifest.shards = write_shards(&parameters, &source, options, format, folder)?;
    write(&folder.join("manifest.json"), manifest.to_json().as_bytes())?;
    Ok((manifest, report))
}

fn config_text(options: &PackOptions<'_>) -> Result<Option<(String, String)>> {
    let beside = match options.input {
        Input::Whole(path) => Some(path.with_file_name("config.json")).filter(|path| path.is_file()),
        Input::Halves { .. } => None,
    };
    let Some(path) = options.config.map(Path::to_path_buf).or(beside) else { return Ok(None) };
    let text = fs::read_to_string(&path).map_err(|error| file_error(&path, &error))?;
    Ok(Some((path.display().to_string(), text)))
}

fn write_shards(
    parameters: &[ParameterSpec],
    source: &Source,
    options: &PackOptions<'_>,
    format: impl Fn(&str) -> Format,
    folder: &Path,
) -> Result<Vec<Shard>> {
    let compress = parameters.iter().any(|parameter| matches!(format(&parameter.name), Format::Blocks(_)));
    let mut writer = ShardWriter::new(options.shard_bytes, compress);
    let mut shards = Vec::new();
    let mut keep = |full: Option<(Shard, Vec<u8>)>| -> Result<()> {
        if let Some((shard, bytes)) = full {
            write(&folder.join(&shard.file), &bytes)?;
            shards.push(shard);
        }
        Ok(())
    };
    for ParameterSpec { name, shape } in parameters {
        keep(writer.add(tensor::store(name, shape, &source.values(name)?, format(name)))?)?;
    }
    keep(writer.close()?)?;
    Ok(shards)
}

/// Writes a file beside the target and renames it, so that no reader sees half a file.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)).map_err(|error| file_error(path, &error))
}

pub(crate) fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), detail: error.to_string() }
}
