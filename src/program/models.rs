//! Where the program finds models: the one built in, and packs in a folder.

use std::path::Path;

use aedr::{
    Error, Result,
    calibration::Calibration,
    device::ComputeDevice,
    weights::{Manifest, Model, ModelLoader},
};

use super::read_file;

/// The default autoencoder travels in the program, so that it works anywhere.
const DEFAULT_MANIFEST: &str = include_str!("../../weights/aedr-small/manifest.json");
const DEFAULT_SHARD: &[u8] = include_bytes!("../../weights/aedr-small/shard-00.safetensors");
const DEFAULT_CALIBRATION: &str = include_str!("../../weights/aedr-small/calibration.json");

/// Id of the model that is built in.
pub const DEFAULT_MODEL: &str = "aedr-small";

/// Loads `id` from `folder/id`, else the one that is built in.
pub fn load(id: &str, folder: &Path, device: ComputeDevice) -> Result<Model> {
    let pack = folder.join(id);
    if pack.join("manifest.json").is_file() {
        return load_pack(&pack, device);
    }
    if id != DEFAULT_MODEL {
        return Err(Error::UnknownModel { id: format!("{id} (looked for {})", pack.join("manifest.json").display()) });
    }
    let mut loader = ModelLoader::new(Manifest::parse(DEFAULT_MANIFEST)?, device);
    loader.add_shard(0, DEFAULT_SHARD)?;
    Ok(loader.finish(Some(Calibration::parse(DEFAULT_CALIBRATION)?))?.0)
}

fn load_pack(pack: &Path, device: ComputeDevice) -> Result<Model> {
    let text = |file: &str| -> Result<String> {
        let path = pack.join(file);
        String::from_utf8(read_file(&path)?)
            .map_err(|_| Error::ManifestInvalid { file: path.display().to_string(), detail: "it is not text".into() })
    };
    let mut loader = ModelLoader::new(Manifest::parse(&text("manifest.json")?)?, device);
    for index in 0..loader.manifest().shards.len() {
        let path = pack.join(&loader.manifest().shards[index].file);
        let bytes = read_file(&path).map_err(|_| Error::WeightsMissing { file: path.display().to_string() })?;
        loader.add_shard(index, &bytes)?;
    }
    let calibration = if pack.join("calibration.json").is_file() {
        Some(Calibration::parse(&text("calibration.json")?)?)
    } else {
        None
    };
    Ok(loader.finish(calibration)?.0)
}
