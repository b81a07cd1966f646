//! What the integration tests share.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use aedr::{
    engine::device::{ComputeDevice, DevicePreference},
    evidence::calibration::Calibration,
    report::candidate::Candidate,
    weights::{
        Description, Manifest, Model, ModelLoader, Precision,
        pack::{Input, PackOptions, pack},
    },
};
use pollster::block_on;

use crate::requirements::Requirement;
pub use crate::requirements::gpu;

/// A path of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The reference data: beside the repository, or in the folder that `AEDR_REFERENCE` names. `None`: the test goes without.
pub fn reference(path: &str) -> Option<PathBuf> {
    let folder = env::var_os("AEDR_REFERENCE").map_or_else(|| repository("../shared/reference"), PathBuf::from);
    let found = folder.join(path);
    if !found.exists() {
        Requirement::Reference.missing(&format!("{} is not there", found.display()));
        return None;
    }
    Some(found)
}

/// The project's sample images of a kind ("jpg": photographs, "png": what the default model decoded).
pub fn samples(kind: &str) -> Vec<PathBuf> {
    let folder = repository("www/samples");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == kind));
    files.sort();
    assert!(files.len() >= 3);
    files
}

pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub fn options<'a>(input: Input<'a>, precision: Precision) -> PackOptions<'a> {
    PackOptions {
        input,
        config: None,
        description: Description {
            id: "test".into(),
            name: "Test".into(),
            source: "test".into(),
            licence: "MIT".into(),
            ..Description::default()
        },
        precision,
        search: None,
        shard_bytes: 100_000,
    }
}

/// Packs into a folder that is gone afterwards, and loads the pack.
pub fn packed(options: &PackOptions<'_>, device: ComputeDevice) -> Model {
    let folder = tempfile::tempdir().unwrap();
    pack(options, folder.path()).unwrap();
    load(folder.path(), device)
}

pub fn load(folder: &Path, device: ComputeDevice) -> Model {
    let manifest = Manifest::parse(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let shards = manifest.shards.clone();
    let mut loader = ModelLoader::new(manifest, device);
    for (index, shard) in shards.iter().enumerate() {
        loader.add_shard(index, &fs::read(folder.join(&shard.file)).unwrap()).unwrap();
    }
    loader.finish().unwrap().0
}

/// The default autoencoder, to check images against.
pub fn default_candidate(calibrated: bool) -> Candidate {
    default_on(cpu(), calibrated)
}

pub fn default_on(device: ComputeDevice, calibrated: bool) -> Candidate {
    let folder = repository("weights/aedr-small");
    let calibration = || Calibration::parse(&fs::read_to_string(folder.join("calibration.json")).unwrap()).unwrap();
    Candidate::new(load(&folder, device), calibrated.then(calibration)).unwrap()
}

/// The CPU, and a GPU where wgpu finds one (a software adapter counts).
pub fn devices() -> Vec<ComputeDevice> {
    [Some(cpu()), gpu()].into_iter().flatten().collect()
}

pub fn cpu() -> ComputeDevice {
    block_on(ComputeDevice::open(DevicePreference::Cpu)).unwrap()
}

pub fn relative(value: f64, expected: f64) -> f64 {
    (value - expected).abs() / expected.abs()
}
