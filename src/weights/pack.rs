//! Packing: published weight files → manifest and shards. Native only.

mod source;

use std::{collections::BTreeMap, fs, path::Path};

use half::f16;
use safetensors::{Dtype, tensor::TensorView};

use self::source::Source;
use super::{
    FORMAT_VERSION, LoadReport, Manifest, Precision, Shard, WrongShape,
    manifest::check_id,
    published::{architecture_from_diffusers, from_shapes},
    tensor::{BLOCK, quantise, scale_name},
};
use crate::{Error, Result, autoencoder::spec::ParameterSpec};

/// What to pack and how.
#[derive(Debug, Clone)]
pub struct PackOptions<'a> {
    pub input: Input<'a>,
    /// diffusers' `config.json`. By default the one beside the file, else the tensors' shapes must tell.
    pub config: Option<&'a Path>,
    pub id: &'a str,
    pub name: &'a str,
    pub source: &'a str,
    pub licence: &'a str,
    pub precision: Precision,
    /// A shard is closed once it holds this many bytes.
    pub shard_bytes: usize,
}

/// The published files.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Both halves in one `.safetensors` or PyTorch file.
    Whole(&'a Path),
    /// One PyTorch or `.safetensors` file for each half, as the TAESD family is published.
    Halves { encoder: &'a Path, decoder: &'a Path },
}

/// Writes `manifest.json` and the shards into `folder`, the manifest last, so that a broken-off run
/// leaves no pack that looks whole. Tensors that the architecture does not know are left out and
/// reported.
///
/// # Errors
/// [`Error::File`], [`Error::WeightsCorrupt`] for a file that cannot be parsed, [`Error::WeightsWrong`]
/// if tensors are missing, [`Error::ManifestInvalid`] for a configuration that is not understood.
pub fn pack(options: &PackOptions<'_>, folder: &Path) -> Result<(Manifest, LoadReport)> {
    check_id(options.id)?;
    let mut source = match options.input {
        Input::Whole(path) => Source::open(path, "")?,
        Input::Halves { encoder, decoder } => {
            let mut source = Source::open(encoder, "encoder.")?;
            source.append(Source::open(decoder, "decoder.")?);
            source
        }
    };
    source.take_parts();
    let architecture = match config_text(options)? {
        Some((file, text)) => architecture_from_diffusers(&file, &text)?,
        None => from_shapes(&source.shapes())?,
    };
    architecture.validate()?;
    let parameters = architecture.parameters();
    let report = compare(&parameters, &source);
    if !report.is_complete() {
        return Err(Error::WeightsWrong { model: options.id.into(), report: Box::new(report) });
    }
    fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))?;
    let shards = write_shards(&parameters, &source, options, folder)?;
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        id: options.id.into(),
        name: options.name.into(),
        architecture,
        precision: options.precision,
        serves: Vec::new(),
        shares: Vec::new(),
        source: options.source.into(),
        f16_change: None,
        licence: options.licence.into(),
        shards,
    };
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

fn compare(parameters: &[ParameterSpec], source: &Source) -> LoadReport {
    let mut found = source.shapes();
    let mut report = LoadReport::default();
    for ParameterSpec { name, shape } in parameters {
        match found.remove(name) {
            // The same numbers whether a linear layer is stored as such or as a 1×1 convolution.
            Some(other) if squeezed(&other) == squeezed(shape) => report.applied += 1,
            Some(found) => {
                report.wrong_shape.push(WrongShape { name: name.clone(), expected: shape.clone(), found });
            }
            None => report.missing.push(name.clone()),
        }
    }
    report.unused = found.into_keys().collect();
    report
}

/// The shape without trailing ones.
fn squeezed(shape: &[usize]) -> &[usize] {
    let end = shape.iter().rposition(|&side| side != 1).map_or(0, |last| last + 1);
    &shape[..end]
}

/// A tensor as it will be stored.
struct Packed {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn write_shards(
    parameters: &[ParameterSpec],
    source: &Source,
    options: &PackOptions<'_>,
    folder: &Path,
) -> Result<Vec<Shard>> {
    let mut shards = Vec::new();
    let mut open: Vec<Packed> = Vec::new();
    for parameter in parameters {
        open.extend(pack_tensor(parameter, source.values(&parameter.name)?, options.precision));
        if open.iter().map(|tensor| tensor.bytes.len()).sum::<usize>() >= options.shard_bytes {
            shards.push(write_shard(std::mem::take(&mut open), shards.len(), folder)?);
        }
    }
    if !open.is_empty() {
        shards.push(write_shard(open, shards.len(), folder)?);
    }
    Ok(shards)
}

fn pack_tensor(parameter: &ParameterSpec, values: Vec<f32>, precision: Precision) -> Vec<Packed> {
    let ParameterSpec { name, shape } = parameter.clone();
    let half_bytes = |values: &[f16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    match precision {
        Precision::F32 => {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            vec![Packed { name, dtype: Dtype::F32, shape, bytes }]
        }
        Precision::Q8 if shape.len() > 1 => {
            let (integers, scales) = quantise(&values, &shape);
            let blocks = shape.iter().skip(1).product::<usize>().div_ceil(BLOCK);
            let scales = Packed {
                name: scale_name(&name),
                dtype: Dtype::F16,
                shape: vec![shape[0], blocks],
                bytes: half_bytes(&scales),
            };
            let bytes = integers.into_iter().map(i8::cast_unsigned).collect();
            vec![Packed { name, dtype: Dtype::I8, shape, bytes }, scales]
        }
        Precision::F16 | Precision::Q8 => {
            let values: Vec<f16> = values.into_iter().map(f16::from_f32).collect();
            vec![Packed { name, dtype: Dtype::F16, shape, bytes: half_bytes(&values) }]
        }
    }
}

fn write_shard(tensors: Vec<Packed>, index: usize, folder: &Path) -> Result<Shard> {
    let file = format!("shard-{index:02}.safetensors");
    let unwritable =
        |error: safetensors::SafeTensorError| Error::WeightsCorrupt { file: file.clone(), detail: error.to_string() };
    let mut views = BTreeMap::new();
    for Packed { name, dtype, shape, bytes } in &tensors {
        views.insert(name, TensorView::new(*dtype, shape.clone(), bytes).map_err(unwritable)?);
    }
    let bytes = safetensors::serialize(views, None).map_err(unwritable)?;
    write(&folder.join(&file), &bytes)?;
    Ok(Shard::describe(file, &bytes))
}

/// Writes beside the target and renames, so that no reader sees half a file.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)).map_err(|error| file_error(path, &error))
}

pub(crate) fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), detail: error.to_string() }
}
