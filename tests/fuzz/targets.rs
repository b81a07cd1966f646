//! What strangers give, as functions of bytes, each with what must hold whatever the bytes are: there is an end, an error
//! that names its thing, and nothing that contradicts itself. `tests/native/fuzz.rs` runs them briefly in every test, and
//! `scripts/fuzz.sh` for as long as is wanted.

use std::{fs, sync::LazyLock};

use aedr::{
    Error, LoadReport, Result,
    autoencoder::{Architecture, AutoencoderTinyConfig},
    engine::device::{ComputeDevice, DevicePreference},
    evidence::calibration::Calibration,
    image::{DecodeOptions, decode, jpeg_grid::block_grid, png::write_png},
    method::{homogeneity::homogeneity, input::CroppedImage, reconstruction::Source},
    provenance::claims,
    report::{
        check::image_messages,
        check_report::rank,
        record::{Record, differences},
    },
    weights::{
        Description, Encoding, Import, ImportRequest, Manifest, ModelLoader, Precision, Shard, Written,
        architecture_from_diffusers,
        catalog::Catalog,
        pack::{Input, PackOptions, pack},
    },
};
use pollster::block_on;
use serde_json::Value;

/// By name, with the folders of `tests/corpus` whose files they begin with.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

pub const TARGETS: [Target; 8] = [
    ("image", image, &["image"]),
    ("claims", provenance, &["image"]),
    ("document", document, &["manifest", "calibration", "configuration"]),
    ("shard", shard, &["shard"]),
    ("import", import, &["import"]),
    ("pytorch", pytorch, &["pytorch"]),
    ("report", report, &["report"]),
    ("drawing", drawing, &["drawing"]),
];

/// What every error must have, whatever it is about.
fn check_error(error: &Error, codes: &[&str]) {
    assert!(codes.contains(&error.code()), "{} is not one of {codes:?}: {error}", error.code());
    let message = error.to_string();
    assert!(message.len() > 10 && !error.advice().is_empty(), "{message}");
    assert!(serde_json::to_value(error).is_ok(), "{message}");
}

/// A file that is given as an image.
pub fn image(bytes: &[u8]) {
    const CODES: [&str; 5] =
        ["not_an_image", "unsupported_image", "image_truncated", "image_too_large", "image_too_small"];
    let options = DecodeOptions { max_side: 2048, max_pixels: 1 << 18, apply_orientation: false };
    let image = match decode(bytes, &options) {
        Ok(image) => image,
        Err(error) => return check_error(&error, &CODES),
    };
    let pixels = u64::from(image.width) * u64::from(image.height);
    assert!(image.width.max(image.height) <= options.max_side && (1..=options.max_pixels).contains(&pixels));
    assert_eq!((image.rgb.len() as u64, image.grey.len() as u64), (3 * pixels, pixels));
    if image.width > 1 {
        let homogeneity = homogeneity(&image.grey, image.width as usize).unwrap();
        assert!(homogeneity > 0.0 && homogeneity <= 1.0, "{homogeneity}");
    }
    let grid = block_grid(&image.grey, image.width as usize);
    assert!(grid.iter().flatten().all(|place| *place < 8));
    assert!(image_messages(&image).iter().all(|message| !message.code.is_empty() && message.message.ends_with('.')));
    let cropped = CroppedImage::of(&image, &tiny());
    let [channels, height, width] = cropped.size();
    let values = cropped.rows(0..height);
    assert_eq!(values.len(), channels * height * width);
    assert!(values.iter().all(|value| (-1.0..=1.0).contains(value)));
    // What is written of it is read back as it is, and turning it only moves its pixels.
    let written = write_png(&image.rgb, image.width as usize, image.height as usize).unwrap();
    assert_eq!(decode(&written, &options).unwrap().rgb, image.rgb);
    if image.orientation_ignored {
        let turned = decode(bytes, &DecodeOptions { apply_orientation: true, ..options }).unwrap();
        assert_eq!(turned.rgb.len(), image.rgb.len());
        let sums = [&turned.rgb, &image.rgb].map(|rgb| rgb.iter().map(|&level| u64::from(level)).sum::<u64>());
        assert_eq!(sums[0], sums[1]);
    }
}

/// What a file says of its origin.
pub fn provenance(bytes: &[u8]) {
    let found = claims(bytes);
    assert!(found.len() <= 40);
    for claim in &found {
        assert!(claim.text.chars().count() <= 2000 && claim.field.chars().count() <= 2000);
        assert!(!claim.text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)));
    }
}

/// A manifest, a calibration, a catalogue or a configuration.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Manifest::parse(text) {
        Ok(manifest) => {
            let again = Manifest::parse(&manifest.to_json()).unwrap();
            check_same(&serde_json::to_value(&again).unwrap(), &serde_json::to_value(&manifest).unwrap());
            check_architecture(&manifest.architecture);
        }
        Err(error) => check_error(&error, &["manifest_invalid"]),
    }
    match Calibration::parse(text) {
        Ok(calibration) => check_calibration(&calibration),
        Err(error) => check_error(&error, &["manifest_invalid"]),
    }
    match Catalog::parse(text) {
        Ok(catalog) => catalog.entries.iter().for_each(|entry| check_architecture(&entry.architecture)),
        Err(error) => check_error(&error, &["manifest_invalid"]),
    }
    match architecture_from_diffusers("config.json", text) {
        Ok(architecture) if architecture.validate().is_ok() => check_architecture(&architecture),
        Ok(_) => {}
        Err(error) => check_error(&error, &["manifest_invalid"]),
    }
}

/// Of one that was let in: its sizes are numbers.
fn check_architecture(architecture: &Architecture) {
    let reduction = architecture.reduction();
    assert!((1..=128).contains(&reduction) && architecture.crop_multiple(8).is_multiple_of(8));
    let parameters = architecture.parameter_count();
    let work = architecture.multiply_adds(16384, 16384);
    assert!(parameters > 0 && work > 0 && architecture.largest_map(16384, 16384) > 0);
    let latent = architecture.encoder().iter().fold([3, 512, 512], |size, layer| layer.size(size));
    assert_eq!(latent, [architecture.latent_channels(), 512 / reduction, 512 / reduction]);
    assert_eq!(architecture.decoder().iter().fold(latent, |size, layer| layer.size(size)), [3, 512, 512]);
}

fn check_calibration(calibration: &Calibration) {
    let again = Calibration::parse(&calibration.to_json()).unwrap();
    check_same(&serde_json::to_value(&again).unwrap(), &serde_json::to_value(calibration).unwrap());
    assert!(calibration.as_written().is_some());
    for condition in &calibration.conditions {
        assert!(calibration.conditions(condition.key()).contains(&condition));
        for signal in [0.0, 1e-9, 0.5, 1.0, 2.0, 1e9, condition.threshold] {
            let evidence = condition.evidence(signal, "s");
            let numbers = [evidence.belonging_share, evidence.other_share, evidence.likelihood_ratio];
            let numbers = numbers.into_iter().chain(evidence.uncertain.into_iter().flatten());
            assert!(numbers.into_iter().all(|number| number.is_finite() && number >= 0.0), "{evidence:?}");
            assert!(evidence.belonging_share <= 1.0 && evidence.other_share <= 1.0, "{evidence:?}");
        }
        let curves = condition.distribution();
        let all = [&curves.signals, &curves.belonging, &curves.others];
        assert!(all.iter().all(|values| values.iter().all(|value| value.is_finite())), "{condition:?}");
    }
}

/// A shard whose hash is right. The last eight bytes say what a compressed one expands to; a plain one has none.
pub fn shard(bytes: &[u8]) {
    let plain = Shard::describe("shard-00.safetensors".into(), bytes);
    let packed = bytes.split_last_chunk::<8>().map(|(bytes, size)| {
        let encoding = Some(Encoding { zlib: u64::from_le_bytes(*size) });
        (Shard { encoding, ..Shard::describe("shard-00.safetensors.zlib".into(), bytes) }, bytes)
    });
    for (shard, bytes) in [Some((plain, bytes)), packed].into_iter().flatten() {
        let _ = add_shard(shard, bytes);
    }
}

/// Adds a shard to a model of [`tiny`], which it seldom completes.
pub fn add_shard(shard: Shard, bytes: &[u8]) -> Result<()> {
    static DEVICE: LazyLock<ComputeDevice> =
        LazyLock::new(|| block_on(ComputeDevice::open(DevicePreference::Cpu)).unwrap());
    let file = shard.file.clone();
    let text = serde_json::json!({
        "format_version": 1, "id": "tiny", "name": "Tiny", "architecture": tiny(), "precision": "f32",
        "source": "a test", "licence": "MIT", "shards": [shard],
    });
    // A manifest that claims too much is refused before its shard is looked at.
    let mut loader = ModelLoader::new(Manifest::parse(&text.to_string())?, DEVICE.clone());
    assert_eq!(loader.add_shard(1, bytes).unwrap_err().code(), "bad_numbers");
    if let Err(error) = loader.add_shard(0, bytes) {
        check_error(&error, &["weights_corrupt"]);
        assert!(error.to_string().contains(&file), "{error}");
        return Err(error);
    }
    match loader.finish() {
        Ok((_, report)) => assert!(report.is_complete()),
        Err(error) => check_error(&error, &["weights_wrong"]),
    }
    Ok(())
}

/// A published file as it arrives. However it is cut, the same comes of it, and of the parts that are wanted.
pub fn import(bytes: &[u8]) {
    let whole = import_in_pieces(bytes, &[bytes.len().max(1)]);
    match (&whole, import_wanted(bytes)) {
        (Ok((written, ..)), wanted) => assert_eq!(wanted.as_ref().map(|(shards, ..)| shards), Ok(written)),
        // What is not wanted may be what is wrong.
        (Err(_), Ok(_)) => {}
        (Err(_), Err(wanted)) => {
            check_error(&wanted, &["weights_foreign", "weights_wrong", "weights_corrupt", "manifest_invalid"]);
        }
    }
    // The cuts are the bytes' own, so that a file says it all.
    let lengths: Vec<usize> = bytes.iter().rev().take(7).map(|&byte| usize::from(byte) + 1).collect();
    let pieces = import_in_pieces(bytes, &lengths);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        (Err(whole), Err(pieces)) => {
            check_error(&whole, &["weights_foreign", "weights_wrong", "weights_corrupt", "manifest_invalid"]);
            // Pieces may tell an earlier of two things that are wrong.
            check_error(&pieces, &["weights_foreign", "weights_wrong", "weights_corrupt", "manifest_invalid"]);
        }
        (whole, pieces) => panic!("in one: {whole:?}, in pieces: {pieces:?}"),
    }
}

fn begun() -> Result<Import> {
    Import::new(ImportRequest { description: named(), sha256: None, known: Vec::new(), precision: Precision::Q10 })
}

/// Imports the parts of a file that are wanted.
fn import_wanted(bytes: &[u8]) -> Result<(Vec<Written>, Manifest, LoadReport)> {
    let (mut import, mut written) = (begun()?, Vec::new());
    while let Some(wanted) = import.wants() {
        import.skip();
        let within = |at: u64| at.min(bytes.len() as u64) as usize;
        let piece = &bytes[within(wanted.start)..within(wanted.end)];
        if piece.is_empty() {
            break;
        }
        written.extend(import.push(piece)?);
    }
    let (last, manifest, report) = import.finish()?;
    written.extend(last);
    Ok((written, manifest, report))
}

/// Imports a file that comes in pieces of these lengths, over and over.
pub fn import_in_pieces(bytes: &[u8], lengths: &[usize]) -> Result<(Vec<Written>, Manifest, LoadReport)> {
    let mut import = begun()?;
    let (mut written, mut rest) = (Vec::new(), bytes);
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        match import.push(piece) {
            Ok(shards) => written.extend(shards),
            Err(error) => {
                // Who goes on after an error does no more harm, and gets no model.
                let _ = import.push(after);
                assert!(import.finish().is_err(), "a model came of it after {error}");
                return Err(error);
            }
        }
        rest = after;
    }
    let (last, manifest, report) = import.finish()?;
    written.extend(last);
    assert_eq!(Manifest::parse(&manifest.to_json()).as_ref(), Ok(&manifest));
    assert_eq!(written.len(), manifest.shards.len());
    for ((name, bytes), shard) in written.iter().zip(&manifest.shards) {
        assert!(name == &shard.file && shard.verify(bytes).is_ok());
    }
    Ok((written, manifest, report))
}

/// A published file on a disk, which may be PyTorch's.
pub fn pytorch(bytes: &[u8]) {
    let _ = pack_file(bytes);
}

/// Packs a file of these bytes.
pub fn pack_file(bytes: &[u8]) -> Result<()> {
    // In memory, where the system has such a place.
    let place = Some("/dev/shm").filter(|place| fs::exists(place).unwrap_or(false));
    let folder = place.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let path = folder.path().join("model.pth");
    fs::write(&path, bytes).unwrap();
    let options = PackOptions {
        input: Input::Whole(&path),
        config: None,
        description: named(),
        precision: Precision::F16,
        search: None,
        shard_bytes: 1 << 20,
    };
    match pack(&options, &folder.path().join("out")) {
        Ok((manifest, report)) => assert!(report.is_complete() && !manifest.shards.is_empty()),
        Err(error) => {
            check_error(&error, &["weights_foreign", "weights_wrong", "weights_corrupt", "manifest_invalid"]);
            return Err(error);
        }
    }
    Ok(())
}

/// A report that is to be repeated.
pub fn report(bytes: &[u8]) {
    static CALIBRATION: LazyLock<Calibration> =
        LazyLock::new(|| Calibration::parse(include_str!("../../weights/aedr-small/calibration.json")).unwrap());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let record = match Record::parse(text) {
        Ok(record) => record,
        Err(error) => return check_error(&error, &["manifest_invalid"]),
    };
    let written = Record::parse(&record.to_json()).unwrap();
    check_same(&serde_json::to_value(&written).unwrap(), &serde_json::to_value(&record).unwrap());
    let ranking = rank(&record.checks);
    let mut ranked: Vec<usize> = ranking.groups.iter().flat_map(|group| group.reports.clone()).collect();
    ranked.sort_unstable();
    assert_eq!(ranked, (0..record.checks.len()).collect::<Vec<_>>());
    for check in &record.checks {
        assert!(differences(check, check).is_empty(), "{check:?}");
        assert!(check.placement().iter().all(|side| side.is_finite()));
        for calibration in [None, Some(&*CALIBRATION)] {
            if let Err(error) = check.clone().judge(calibration) {
                check_error(&error, &["bad_numbers"]);
            }
        }
    }
}

/// The last digit of a number may change when it is read: serde_json's way without its feature `float_roundtrip`.
fn check_same(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let [found, expected] = [found, expected].map(|number| number.as_f64().unwrap());
            assert!((found - expected).abs() <= 1e-15 * expected.abs(), "{found} {expected}");
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            found.iter().zip(expected).for_each(|(found, expected)| check_same(found, expected));
        }
        (Value::Object(found), Value::Object(expected)) if found.len() == expected.len() => {
            found.iter().for_each(|(key, found)| check_same(found, &expected[key]));
        }
        _ => assert_eq!(found, expected),
    }
}

/// A drawing of the report.
pub fn drawing(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match renderer::Renderer::new().render(text, "Inter") {
        Ok(picture) => assert!(picture.starts_with(b"\x89PNG")),
        Err(message) => assert!(!message.is_empty()),
    }
}

/// The architecture of `import/good/tiny.safetensors` in the corpus.
pub fn tiny() -> Architecture {
    Architecture::AutoencoderTiny(AutoencoderTinyConfig {
        width: 1,
        latent_channels: 4,
        encoder_blocks: vec![1, 3, 3, 3],
        decoder_blocks: vec![3, 3, 3, 1],
        pooled: false,
    })
}

fn named() -> Description {
    Description {
        id: "test".into(),
        name: "Test".into(),
        source: "a test".into(),
        licence: "MIT".into(),
        ..Description::default()
    }
}
