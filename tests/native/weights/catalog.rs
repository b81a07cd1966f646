//! The catalogue that the project ships.

use std::{fs, process::Command};

use aedr::{
    Result,
    autoencoder::Architecture,
    evidence::calibration::Calibration,
    weights::{Manifest, catalog::Catalog},
};

use crate::common::repository;

fn text() -> String {
    fs::read_to_string(repository("weights/catalog.json")).unwrap()
}

/// Parameters as the reference's table has them, in millions.
const PARAMETERS: [(&str, f64); 14] = [
    ("sd1", 83.65),
    ("sd-vae-ft-mse", 83.65),
    ("sd-vae-ft-ema", 83.65),
    ("sd2", 83.65),
    ("sdxl", 83.65),
    ("sd3", 83.82),
    ("flux1", 83.82),
    ("flux1-bf16", 83.82),
    ("flux2", 84.05),
    ("kandinsky2", 67.83),
    ("vq-diffusion", 64.01),
    ("taef2", 2.69),
    ("taesd", 2.45),
    ("taef1", 2.47),
];

#[test]
fn architectures_have_the_published_numbers_of_parameters() {
    let catalog = Catalog::parse(&text()).unwrap();
    for (id, millions) in PARAMETERS {
        let entry = catalog.entry(id).unwrap();
        let found = entry.architecture.parameter_count() as f64 / 1e6;
        println!("{id}: {found:.3} M");
        assert!((found - millions).abs() < 0.15, "{id} has {found} M parameters, {millions} M are published");
    }
}

/// A file of an encoder's and a decoder's tensors is as long as they are, and a header. Those of videos hold more.
#[test]
fn lengths_fit_architectures() {
    for entry in Catalog::parse(&text()).unwrap().entries {
        if matches!(entry.architecture, Architecture::Wan(_)) {
            continue;
        }
        let parameters = entry.architecture.parameter_count() as f64;
        let bytes: f64 =
            entry.files.iter().map(|file| file.bytes.map_or(1e6 * f64::from(file.about_megabytes), |n| n as f64)).sum();
        let each = bytes / parameters;
        println!("{}: {each:.3} bytes a parameter", entry.id);
        let fits = [2.0, 4.0].iter().any(|size| (each / size - 1.0).abs() < 0.05);
        assert!(fits, "{}: {bytes} bytes for {parameters} parameters", entry.id);
    }
}

#[test]
fn only_what_was_measured_is_calibrated() {
    let catalog = Catalog::parse(&text()).unwrap();
    let calibrated: Vec<&str> =
        catalog.entries.iter().filter(|entry| entry.calibration.is_some()).map(|entry| entry.id.as_str()).collect();
    assert_eq!(calibrated, ["sd1"]);
    assert!(catalog.entries.iter().all(|entry| Calibration::of_entry(entry).is_ok()));
}

#[test]
fn impossible_catalogues_are_refused() {
    let text = text();
    for (from, to, told) in [
        ("\"format_version\": 1,\n  \"entries\"", "\"format_version\": 2,\n  \"entries\"", "format version"),
        ("\"id\": \"sd2\"", "\"id\": \"sd1\"", "twice"),
        ("\"id\": \"sd1\"", "\"id\": \"../sd1\"", "the id"),
        ("\"sha256\": \"a2b5134f", "\"sha256\": \"A2b5134f", "sha256"),
        ("https://huggingface.co/stabilityai/sd-vae-ft-mse", "http://huggingface.co/sd", "https"),
        ("\"shares\": [\n        \"flux1\"\n      ]", "\"shares\": []", "the other way round"),
        ("\"model\": \"sd1\"", "\"model\": \"sd2\"", "measured for"),
        ("\"gated\": false", "\"gated\": false, \"more\": 1", "more"),
        ("\"threshold\": 1.27", "\"threshold\": -1.27", "threshold"),
        ("\"latent_channels\": 4", "\"latent_channels\": 0", "latent_channels"),
    ] {
        assert!(text.contains(from), "{from}");
        let read = Catalog::parse(&text.replacen(from, to, 1))
            .and_then(|catalog| catalog.entries.iter().map(Calibration::of_entry).collect::<Result<Vec<_>>>());
        let error = read.unwrap_err();
        assert!(error.code() == "manifest_invalid" && error.to_string().contains(told), "{told}: {error}");
    }
}

#[test]
fn a_wrong_file_for_an_entry_is_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let pack = |entry: &str| {
        let weights = repository("tests/goldens/kl_quant/model.safetensors");
        Command::new(env!("CARGO_BIN_EXE_aedr"))
            .arg("pack")
            .arg(weights)
            .args(["--entry", entry, "--out"])
            .arg(&out)
            .output()
    };
    let error = String::from_utf8(pack("sd1").unwrap().stderr).unwrap();
    assert!(error.contains("do not fit the autoencoder sd1") && error.contains("wrong shape"), "{error}");
    assert!(!out.exists());
    let error = String::from_utf8(pack("sd15").unwrap().stderr).unwrap();
    assert!(error.contains("sd15") && error.contains("sdxl"), "{error}");
}

/// TAEF2 is the one entry whose files are at hand.
#[test]
fn an_entry_describes_the_pack() {
    let Some(taef2) = crate::common::reference("taef2") else { return };
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_aedr"))
        .args(["pack", "--entry", "taef2", "--precision", "q12", "--encoder"])
        .arg(taef2.join("taef2_encoder.pth"))
        .arg("--decoder")
        .arg(taef2.join("taef2_decoder.pth"))
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = Manifest::parse(&fs::read_to_string(out.path().join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest.id.as_str(), manifest.licence.as_str()), ("taef2", "MIT"));
    assert_eq!(manifest.serves, ["quick previews of FLUX.2"]);
    assert!(!out.path().join("calibration.json").exists());
}
