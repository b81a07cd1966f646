//! Importing a published file as it arrives, against packing the same file; and what wrong files are told.

use std::{fs, ops::Range};

use aedr::{
    Error, LoadReport, Result,
    autoencoder::Architecture,
    engine::device::ComputeDevice,
    weights::{
        Description, Import, ImportRequest, KnownFile, Manifest, ModelLoader, Precision, Written,
        architecture_from_diffusers,
        pack::{Input, pack},
    },
};
use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use sha2::{Digest, Sha256};

use crate::common::{cpu, options, repository};

const MODELS: [&str; 8] =
    ["kl_quant", "kl_no_quant", "kl_flux2", "vq_ithq", "movq", "qwen_image", "dc_ae", "tiny_taesd"];

fn file(model: &str) -> Vec<u8> {
    fs::read(repository("tests/goldens").join(model).join("model.safetensors")).unwrap()
}

fn architecture(model: &str) -> Architecture {
    let config = fs::read_to_string(repository("tests/goldens").join(model).join("config.json")).unwrap();
    architecture_from_diffusers("config.json", &config).unwrap()
}

/// For a file of `kl_quant`, whose number of groups shapes do not tell.
fn kl_request(precision: Precision) -> ImportRequest {
    request(Some(architecture("kl_quant")), precision)
}

fn request(architecture: Option<Architecture>, precision: Precision) -> ImportRequest {
    let text = |text: &str| text.to_owned();
    let description = Description {
        id: text("test"),
        name: text("Test"),
        source: text("test"),
        licence: text("MIT"),
        architecture,
        ..Description::default()
    };
    ImportRequest { description, sha256: None, known: Vec::new(), precision }
}

/// What an import gives: the shards, the manifest, what became of the tensors.
type Imported = (Vec<Written>, Manifest, LoadReport);

/// Feeds a file in pieces of these lengths, over and over.
fn import(request: ImportRequest, bytes: &[u8], lengths: &[usize]) -> Result<Imported> {
    let mut import = Import::new(request)?;
    let (mut written, mut rest, mut turn) = (Vec::new(), bytes, 0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(lengths[turn % lengths.len()].min(rest.len()));
        written.extend(import.push(piece)?);
        (rest, turn) = (after, turn + 1);
    }
    let (last, manifest, report) = import.finish()?;
    written.extend(last);
    Ok((written, manifest, report))
}

/// All tensors of the shards as they are loaded, by name.
fn load((written, manifest, _): &Imported, device: ComputeDevice) -> LoadReport {
    let mut loader = ModelLoader::new(Manifest::parse(&manifest.to_json()).unwrap(), device);
    for (index, shard) in manifest.shards.iter().enumerate() {
        let (_, bytes) = written.iter().find(|(name, _)| *name == shard.file).unwrap();
        loader.add_shard(index, bytes).unwrap();
    }
    loader.finish().unwrap().1
}

/// The tensors of plain shards.
fn tensors(shards: impl Iterator<Item = Vec<u8>>) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let mut tensors = Vec::new();
    for bytes in shards {
        let parsed = SafeTensors::deserialize(&bytes).unwrap();
        tensors
            .extend(parsed.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec())));
    }
    tensors.sort();
    tensors
}

#[test]
fn an_import_equals_a_pack_for_every_family() {
    for model in MODELS {
        let path = repository("tests/goldens").join(model).join("model.safetensors");
        let folder = tempfile::tempdir().unwrap();
        let (packed, packed_report) = pack(&options(Input::Whole(&path), Precision::F16), folder.path()).unwrap();
        let imported =
            import(request(Some(architecture(model)), Precision::F16), &file(model), &[4096, 1, 333]).unwrap();
        let (written, manifest, report) = &imported;
        assert_eq!((&manifest.architecture, report), (&packed.architecture, &packed_report), "{model}");
        let packed = packed.shards.iter().map(|shard| fs::read(folder.path().join(&shard.file)).unwrap());
        assert_eq!(tensors(written.iter().map(|(_, bytes)| bytes.clone())), tensors(packed), "{model}");
        assert!(load(&imported, cpu()).is_complete(), "{model}");
    }
}

#[test]
fn quantised_imports_load() {
    let plain: u64 = shard_bytes(&import(kl_request(Precision::F16), &file("kl_quant"), &[1000]).unwrap().1);
    for precision in [Precision::Q12, Precision::Q10, Precision::Q8] {
        let imported = import(kl_request(precision), &file("kl_quant"), &[1000]).unwrap();
        assert!(load(&imported, cpu()).is_complete());
        assert!(shard_bytes(&imported.1) < plain, "{precision:?}");
        assert!(imported.1.shards.iter().all(|shard| shard.encoding.is_some()));
    }
}

fn shard_bytes(manifest: &Manifest) -> u64 {
    manifest.shards.iter().map(|shard| shard.bytes).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// How the network cuts a file does not matter.
    #[test]
    fn pieces_do_not_matter(lengths in prop::collection::vec(1usize..50_000, 1..6)) {
        let bytes = file("tiny_taesd");
        let whole = import(request(None, Precision::Q12), &bytes, &[bytes.len()]).unwrap();
        let pieces = import(request(None, Precision::Q12), &bytes, &lengths).unwrap();
        prop_assert_eq!(whole.0, pieces.0);
        prop_assert_eq!(whole.1, pieces.1);
    }

    /// Whatever comes, an import ends in an error or a model, never in a panic.
    #[test]
    fn damage_never_panics(at in 0usize..20_000, value in any::<u8>(), length in 0usize..60_000) {
        let mut bytes = file("tiny_taesd");
        let at = at % bytes.len();
        bytes[at] = value;
        bytes.truncate(length.max(9));
        let _ = import(request(None, Precision::F16), &bytes, &[777]);
    }
}

#[test]
fn the_hash_decides() {
    let bytes = file("kl_quant");
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let with = |sha256: &str| ImportRequest { sha256: Some(sha256.into()), ..kl_request(Precision::F16) };
    let (_, manifest, _) = import(with(&hash), &bytes, &[5000]).unwrap();
    assert_eq!(manifest.source, format!("test, sha256 {hash}"));
    // A file that is recognised by its hash gets that name.
    let known = |sha256: &str, id: &str| KnownFile {
        sha256: sha256.into(),
        description: Description { id: id.into(), ..kl_request(Precision::F16).description },
    };
    let known = vec![known(&"1".repeat(64), "other"), known(&hash, "recognised")];
    let (_, manifest, _) = import(ImportRequest { known, ..with(&hash) }, &bytes, &[5000]).unwrap();
    assert_eq!(manifest.id, "recognised");
    let error = import(with(&"0".repeat(64)), &bytes, &[5000]).unwrap_err();
    assert_eq!(error.code(), "weights_corrupt");
    assert!(error.to_string().contains(&hash), "{error}");
}

#[test]
fn what_is_no_autoencoder_is_told_from_its_first_bytes() {
    for (bytes, told) in [
        (&b"<!doctype html><title>Sign in"[..], "a web page"),
        (b"PK\x03\x04.................", "a PyTorch file"),
        (b"\x80\x02}q\x00..............", "a PyTorch file"),
        (b"GIF89a..................", "not known"),
    ] {
        let mut import = Import::new(request(None, Precision::F16)).unwrap();
        let error = import.push(bytes).unwrap_err();
        assert_eq!(error.code(), "weights_foreign");
        assert!(error.to_string().contains(told), "{error}");
    }
    // A language model's file is known by its header; its tensors need not come.
    let data = [0; 4];
    let view = TensorView::new(Dtype::F16, vec![2], &data).unwrap();
    let foreign = serialize([("model.layers.0.self_attn.q_proj.weight", view)], None).unwrap();
    let mut import = Import::new(request(None, Precision::F16)).unwrap();
    assert_eq!(import.push(&foreign[..foreign.len() - 4]).unwrap_err().code(), "weights_foreign");
    // Another autoencoder than the catalogue's is told by what is missing.
    let error = self::import(request(Some(architecture("kl_quant")), Precision::F16), &file("kl_no_quant"), &[100]);
    let Err(Error::WeightsWrong { report, .. }) = error else { panic!("it was imported") };
    assert!(report.missing.iter().any(|name| name.contains("quant_conv")), "{report}");
}

/// A file that is never there as a whole: an autoencoder as a part of a checkpoint.
struct Checkpoint {
    /// The prefix and the header.
    head: Vec<u8>,
    /// The autoencoder's bytes, and where they begin.
    weights: (u64, Vec<u8>),
    bytes: u64,
}

impl Checkpoint {
    /// The tensors of a golden, with these bytes of other tensors before and after.
    fn around(model: &str, before: u64, after: u64) -> Self {
        let file = file(model);
        let parsed = SafeTensors::deserialize(&file).unwrap();
        let (mut header, mut weights, mut at) = (serde_json::Map::new(), Vec::new(), before);
        let mut add = |name: String, dtype: &str, shape: &[u64], start: u64, end: u64| {
            header.insert(name, serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
        };
        add("conditioner.embedder".into(), "U8", &[before], 0, before);
        for (name, view) in parsed.iter() {
            let shape: Vec<u64> = view.shape().iter().map(|&side| side as u64).collect();
            let end = at + view.data().len() as u64;
            add(format!("first_stage_model.{name}"), &view.dtype().to_string(), &shape, at, end);
            weights.extend_from_slice(view.data());
            at = end;
        }
        add("model.diffusion_model.out".into(), "U8", &[after], at, at + after);
        let text = serde_json::to_vec(&header).unwrap();
        let head = [&(text.len() as u64).to_le_bytes()[..], &text].concat();
        let start = head.len() as u64;
        Checkpoint { weights: (start + before, weights), bytes: start + at + after, head }
    }

    /// What stands there; all but the header and the autoencoder is 0xFF.
    fn read(&self, range: Range<u64>) -> Vec<u8> {
        let end = range.end.min(self.bytes);
        let mut bytes = vec![0xFF; end.saturating_sub(range.start) as usize];
        for (start, part) in [(0, &self.head), (self.weights.0, &self.weights.1)] {
            let (from, to) = (range.start.max(start), end.min(start + part.len() as u64));
            if from < to {
                bytes[(from - range.start) as usize..(to - range.start) as usize]
                    .copy_from_slice(&part[(from - start) as usize..(to - start) as usize]);
            }
        }
        bytes
    }

    /// Pushes what is wanted in pieces of these lengths; gives what was pushed, too.
    fn import(&self, request: ImportRequest, lengths: &[u64]) -> (Vec<u8>, Result<Imported>) {
        let mut import = Import::new(request).unwrap();
        let (mut pushed, mut written, mut turn) = (Vec::new(), Vec::new(), 0);
        while let Some(wanted) = import.wants() {
            import.skip();
            let piece = lengths[turn % lengths.len()].min(wanted.end - wanted.start);
            let bytes = self.read(wanted.start..wanted.start + piece);
            if bytes.is_empty() {
                break;
            }
            written.extend(import.push(&bytes).unwrap());
            pushed.extend(bytes);
            turn += 1;
        }
        let done = import.finish().map(|(last, manifest, report)| {
            written.extend(last);
            (written, manifest, report)
        });
        (pushed, done)
    }
}

const GIB: u64 = 1 << 30;

#[test]
fn an_autoencoder_is_taken_from_beyond_4_gib() {
    let whole = import(kl_request(Precision::Q12), &file("kl_quant"), &[5000]).unwrap();
    let checkpoint = Checkpoint::around("kl_quant", 5 * GIB + 3, 2 * GIB);
    assert!(checkpoint.weights.0 > u64::from(u32::MAX) && checkpoint.bytes > 7 * GIB);
    let (pushed, done) = checkpoint.import(kl_request(Precision::Q12), &[1 << 20]);
    let (written, manifest, report) = done.unwrap();
    // Its own bytes, and what is read of every file.
    assert_eq!(pushed.len(), checkpoint.weights.1.len() + (64 << 10));
    assert_eq!(report.unused, ["conditioner.embedder", "model.diffusion_model.out"]);
    assert_eq!(written, whole.0);
    assert_eq!(manifest.shards, whole.1.shards);
    assert_eq!(manifest.source, format!("test, a part of {} bytes", checkpoint.bytes));
    assert!(load(&(written, manifest, report), cpu()).is_complete());
}

#[test]
fn a_checkpoint_that_was_cut_short_is_told() {
    let checkpoint = Checkpoint::around("kl_quant", 5 * GIB, GIB);
    // Within the autoencoder.
    let cut = Checkpoint { bytes: checkpoint.weights.0 + 1000, ..Checkpoint::around("kl_quant", 5 * GIB, GIB) };
    let error = cut.import(kl_request(Precision::F16), &[1 << 20]).1.unwrap_err();
    assert_eq!(error.code(), "weights_corrupt");
    assert!(error.to_string().contains(&format!("{} bytes, {} by its header", cut.bytes, checkpoint.bytes)), "{error}");
    // Behind it, where only the length tells.
    let mut import = Import::new(kl_request(Precision::F16)).unwrap();
    import.check_length(3).unwrap();
    import.push(&checkpoint.head).unwrap();
    import.check_length(checkpoint.bytes).unwrap();
    assert_eq!(import.file_bytes(), Some(checkpoint.bytes));
    let error = import.check_length(checkpoint.bytes - 1).unwrap_err();
    assert!(error.code() == "weights_corrupt" && error.to_string().contains("by its header"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What is wanted does not depend on how it comes, or what was kept before a break would be of no use after it.
    #[test]
    fn pieces_do_not_change_what_is_wanted(lengths in prop::collection::vec(1u64..200_000, 1..5), before in 0u64..9 * GIB) {
        let checkpoint = Checkpoint::around("tiny_taesd", before, 3 * GIB);
        let (once, done) = checkpoint.import(request(None, Precision::Q12), &[u64::MAX]);
        let (pieces, again) = checkpoint.import(request(None, Precision::Q12), &lengths);
        prop_assert_eq!(once, pieces);
        prop_assert_eq!(done.unwrap().0, again.unwrap().0);
    }
}

#[test]
fn a_whole_file_is_wanted_where_its_hash_counts() {
    // Its own file: all but nothing is of use.
    let bytes = file("kl_quant");
    let mut import = Import::new(kl_request(Precision::F16)).unwrap();
    assert_eq!(import.wants(), Some(0..64 << 10));
    import.push(&bytes[..64 << 10]).unwrap();
    assert_eq!(import.wants(), Some(64 << 10..bytes.len() as u64));
    assert_eq!(import.wanted_bytes(), Some(bytes.len() as u64));
    // A file of which the hash is known is read to its end, whatever is of use.
    let checkpoint = Checkpoint::around("kl_quant", 5 * GIB, GIB);
    let with_hash = ImportRequest { sha256: Some("0".repeat(64)), ..kl_request(Precision::F16) };
    let mut import = Import::new(with_hash).unwrap();
    assert_eq!(import.wants(), Some(0..u64::MAX));
    import.push(&checkpoint.head).unwrap();
    import.skip();
    assert_eq!(import.wants(), Some(checkpoint.head.len() as u64..checkpoint.bytes));
    assert_eq!(import.wanted_bytes(), Some(checkpoint.bytes));
}

#[test]
fn a_tensor_that_no_memory_holds_is_refused() {
    let Architecture::AutoencoderTiny(mut config) = architecture("tiny_taesd") else { panic!("it is another") };
    config.width = 4096;
    let wide = Architecture::AutoencoderTiny(config);
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    for parameter in wide.parameters() {
        let end = at + 8 * parameter.shape.iter().map(|&side| side as u64).product::<u64>();
        let entry = serde_json::json!({ "dtype": "F64", "shape": parameter.shape, "data_offsets": [at, end] });
        header.insert(parameter.name, entry);
        at = end;
    }
    let text = serde_json::to_vec(&header).unwrap();
    let mut import = Import::new(request(Some(wide), Precision::F16)).unwrap();
    let error = import.push(&[&(text.len() as u64).to_le_bytes()[..], &text].concat()).unwrap_err();
    assert!(error.code() == "weights_corrupt" && error.to_string().contains("claims 1207959552 bytes"), "{error}");
    assert_eq!((import.wants(), import.wanted_bytes()), (None, None));
}

#[test]
fn short_and_long_files_are_damaged() {
    let bytes = file("kl_quant");
    let short = import(kl_request(Precision::F16), &bytes[..bytes.len() - 1], &[4096]).unwrap_err();
    assert!(short.code() == "weights_corrupt" && short.to_string().contains("bytes"), "{short}");
    let long = import(kl_request(Precision::F16), &[&bytes[..], b"!"].concat(), &[4096]).unwrap_err();
    assert!(long.code() == "weights_corrupt" && long.to_string().contains("longer"), "{long}");
    for length in [0, 5, 9, 200] {
        let error = import(kl_request(Precision::F16), &bytes[..length], &[4096]).unwrap_err();
        assert_eq!(error.code(), "weights_corrupt", "{length} bytes: {error}");
    }
}

#[test]
fn values_that_are_no_numbers_are_damage() {
    let mut bytes = file("kl_quant");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = import(kl_request(Precision::F16), &bytes, &[4096]).unwrap_err();
    assert!(error.code() == "weights_corrupt" && error.to_string().contains("not numbers"), "{error}");
}
