//! Where the program finds models: the one built in, and packs in a folder.

use std::{fs, path::Path};

use aedr::{
    Error, Result,
    engine::device::ComputeDevice,
    evidence::calibration::Calibration,
    report::candidate::Candidate,
    weights::{Manifest, Model, ModelLoader},
};

use super::files::read_file;

/// The default autoencoder is built into the program, so that it works anywhere.
const DEFAULT_MANIFEST: &str = include_str!("../../weights/aedr-small/manifest.json");
const DEFAULT_SHARD: &[u8] = include_bytes!("../../weights/aedr-small/shard-00.safetensors");
const DEFAULT_CALIBRATION: &str = include_str!("../../weights/aedr-small/calibration.json");

/// Id of the model that is built in.
pub const DEFAULT_MODEL: &str = "aedr-small";

/// Ids of the built-in model and of all packs in a folder, those of the least work first. Folders that are no packs are
/// skipped; errors in a pack are reported when it is loaded.
pub fn available(folder: &Path) -> Vec<String> {
    let packs = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut ids: Vec<String> = packs
        .filter(|entry| entry.path().join("manifest.json").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|id| id != DEFAULT_MODEL)
        .collect();
    ids.push(DEFAULT_MODEL.into());
    sort_by_work(&mut ids, folder);
    ids
}

/// Puts the models of the least work first; those whose manifest cannot be read last.
pub fn sort_by_work(ids: &mut [String], folder: &Path) {
    const SIDE: usize = 512;
    ids.sort_by_cached_key(|id| {
        let manifest = manifest(id, folder);
        (manifest.map_or(u64::MAX, |manifest| manifest.architecture.multiply_adds(SIDE, SIDE)), id.clone())
    });
}

/// The manifest of a pack, or of the built-in model.
///
/// # Errors
/// [`Error::UnknownModel`], [`Error::ManifestInvalid`], [`Error::File`].
pub fn manifest(id: &str, folder: &Path) -> Result<Manifest> {
    let path = folder.join(id).join("manifest.json");
    match id {
        _ if path.is_file() => Manifest::parse(&read_text(&path)?),
        DEFAULT_MODEL => Manifest::parse(DEFAULT_MANIFEST),
        _ => Err(Error::UnknownModel { id: format!("{id} (looked for {})", path.display()) }),
    }
}

/// The manifest of a model whose files all exist, so that a missing file is reported before a device is opened. The
/// files' content is checked when they are loaded.
///
/// # Errors
/// As [`manifest`], and [`Error::WeightsMissing`].
pub fn complete(id: &str, folder: &Path) -> Result<Manifest> {
    let manifest = manifest(id, folder)?;
    let files = manifest.shards.iter().map(|shard| folder.join(id).join(&shard.file));
    match files.filter(|_| is_pack(id, folder)).find(|file| !file.is_file()) {
        Some(missing) => Err(Error::WeightsMissing { file: missing.display().to_string() }),
        None => Ok(manifest),
    }
}

fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read_file(path)?)
        .map_err(|_| Error::ManifestInvalid { file: path.display().to_string(), detail: "it is not text".into() })
}

/// Loads `id` from `folder/id`, else the one that is built in, with its calibration if it has one.
pub fn load(id: &str, folder: &Path, device: ComputeDevice) -> Result<Candidate> {
    let calibration = calibration(id, folder)?;
    Candidate::new(load_uncalibrated(id, folder, device)?, calibration)
}

/// The calibration of the model `id`, if it has one.
pub fn calibration(id: &str, folder: &Path) -> Result<Option<Calibration>> {
    let path = folder.join(id).join("calibration.json");
    let text = if !is_pack(id, folder) && id == DEFAULT_MODEL {
        Some(DEFAULT_CALIBRATION.to_owned())
    } else if path.is_file() {
        Some(read_text(&path)?)
    } else {
        None
    };
    text.map(|text| Calibration::parse(&text)).transpose()
}

/// As [`load`], but without a calibration: to make one, whatever the state of the present one.
pub fn load_uncalibrated(id: &str, folder: &Path, device: ComputeDevice) -> Result<Model> {
    Ok(loader(id, folder, device)?.finish()?.0)
}

fn is_pack(id: &str, folder: &Path) -> bool {
    folder.join(id).join("manifest.json").is_file()
}

/// A loader that has all shards.
fn loader(id: &str, folder: &Path, device: ComputeDevice) -> Result<ModelLoader> {
    let pack = folder.join(id);
    let mut loader = ModelLoader::new(manifest(id, folder)?, device);
    if !is_pack(id, folder) {
        loader.add_shard(0, DEFAULT_SHARD)?;
        return Ok(loader);
    }
    for (index, shard) in loader.manifest().shards.clone().iter().enumerate() {
        let path = pack.join(&shard.file);
        let bytes = read_file(&path).map_err(|_| Error::WeightsMissing { file: path.display().to_string() })?;
        loader.add_shard(index, &bytes)?;
    }
    Ok(loader)
}
