//! Packs: what is written, what loading checks, and what each kind of wrong file is told.

use std::{fs, path::Path};

use serde_json::json;

use aedr::{
    Error,
    engine::device::ComputeDevice,
    evidence::calibration::Calibration,
    method::reconstruction::{Progress, Silent, Source, Stage, Values, double_reconstruction, encode},
    weights::{
        Manifest, ModelLoader, Precision,
        pack::{Input, PackOptions, pack},
    },
};
use pollster::block_on;
use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use crate::common::{cpu, load, options, packed, relative, repository};

fn golden_options<'a>(weights: &'a Path, precision: Precision) -> PackOptions<'a> {
    options(Input::Whole(weights), precision)
}

fn picture(height: usize, width: usize) -> Values {
    let value = |i| ((i % width) as f32 / 9.0).sin() * ((i / width) as f32 / 7.0).cos();
    Values::new((0..3 * height * width).map(value).collect(), [3, height, width]).unwrap()
}

#[test]
fn every_precision_loads_and_stays_near() {
    let weights = repository("tests/goldens/kl_quant/model.safetensors");
    let mut exact = None;
    // Several times what was measured on this network: see the lines that are printed.
    let tolerances = [
        (Precision::F32, 0.0),
        (Precision::F16, 5e-3),
        (Precision::Q12, 5e-3),
        (Precision::Q10, 2e-2),
        (Precision::Q8, 0.1),
    ];
    for (precision, tolerance) in tolerances {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, report) = pack(&golden_options(&weights, precision), folder.path()).unwrap();
        assert!(report.is_complete() && report.unused.is_empty() && report.applied > 100, "{report}");
        let model = load(folder.path(), cpu());
        let losses = block_on(double_reconstruction(&model, &picture(32, 48), &mut Silent)).unwrap();
        let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
        let (exact, exact_bytes) = *exact.get_or_insert((losses, bytes));
        let error = relative(losses.first, exact.first).max(relative(losses.second, exact.second));
        println!("{precision:?}: {bytes} bytes, losses differ by {error:.1e}");
        assert!(error <= tolerance, "{precision:?}: {error}");
        assert!(precision == Precision::F32 || bytes < exact_bytes);
    }
}

#[test]
fn shards_are_split_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let weights = repository("tests/goldens/kl_quant/model.safetensors");
    let (manifest, _) = pack(&golden_options(&weights, Precision::F32), folder.path()).unwrap();
    assert!(manifest.shards.len() > 2, "100 kB a shard");
    assert_eq!(Manifest::parse(&manifest.to_json()), Ok(manifest.clone()));

    let read = |index: usize| fs::read(folder.path().join(&manifest.shards[index].file)).unwrap();
    let mut loader = ModelLoader::new(manifest.clone(), cpu());
    // A changed byte, a missing byte and another shard are found; the right bytes then still load.
    let mut changed = read(0);
    *changed.last_mut().unwrap() ^= 1;
    let short = read(0)[1..].to_vec();
    for wrong in [changed, short, read(1)] {
        let error = loader.add_shard(0, &wrong).unwrap_err();
        assert!(matches!(&error, Error::WeightsCorrupt { file, .. } if *file == manifest.shards[0].file), "{error}");
    }
    assert_eq!(loader.add_shard(99, &read(0)).unwrap_err().code(), "bad_numbers");
    for index in 0..manifest.shards.len() - 1 {
        loader.add_shard(index, &read(index)).unwrap();
    }
    let error = loader.finish().unwrap_err();
    assert_eq!(error, Error::WeightsMissing { file: manifest.shards.last().unwrap().file.clone() });
}

#[test]
fn a_load_report_names_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let config = repository("tests/goldens/kl_quant/config.json");
    // The same tensors, one renamed and one of another shape.
    let bytes = fs::read(repository("tests/goldens/kl_quant/model.safetensors")).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let changed = parsed.iter().map(|(name, view)| match name {
        "encoder.conv_in.weight" => ("encoder.conv_in.wait".to_owned(), view),
        "decoder.conv_out.bias" => (name.to_owned(), parsed.tensor("encoder.conv_in.bias").unwrap()),
        _ => (name.to_owned(), view),
    });
    let file = folder.path().join("changed.safetensors");
    fs::write(&file, serialize(changed.collect::<Vec<_>>(), None).unwrap()).unwrap();
    let wrong = PackOptions { config: Some(&config), ..golden_options(&file, Precision::F32) };
    let Err(Error::WeightsWrong { report, .. }) = pack(&wrong, &folder.path().join("out")) else {
        panic!("it was packed")
    };
    assert_eq!(report.missing, ["encoder.conv_in.weight"]);
    assert_eq!(report.unused, ["encoder.conv_in.wait"]);
    let [shape] = &report.wrong_shape[..] else { panic!("{report}") };
    assert_eq!(
        (shape.name.as_str(), &shape.expected[..], &shape.found[..]),
        ("decoder.conv_out.bias", &[3][..], &[8][..])
    );
    assert!(report.to_string().contains("1 missing, such as encoder.conv_in.weight"), "{report}");
    assert!(!folder.path().join("out/manifest.json").exists());
}

#[test]
fn foreign_files_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let text = path("weights.pth", b"version https://git-lfs.github.com/spec/v1");
    let broken = path("weights.safetensors", b"\xff\0\0\0\0\0\0\0{\"a\":");
    let empty = path("empty.bin", b"");
    for (file, code) in [(&text, "weights_corrupt"), (&broken, "weights_corrupt"), (&empty, "weights_corrupt")] {
        let error = pack(&golden_options(file, Precision::F16), &folder.path().join("out")).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let absent = folder.path().join("absent");
    let error = pack(&golden_options(&absent, Precision::F16), &folder.path().join("out")).unwrap_err();
    assert_eq!(error.code(), "weights_missing");
    // Weights of another family without a configuration.
    let kl = path("kl.safetensors", &fs::read(repository("tests/goldens/kl_quant/model.safetensors")).unwrap());
    let error = pack(&golden_options(&kl, Precision::F16), &folder.path().join("out")).unwrap_err();
    assert!(error.to_string().contains("--config"), "{error}");
}

#[test]
fn hostile_manifests_are_refused() {
    let good = fs::read_to_string(repository("weights/aedr-small/manifest.json")).unwrap();
    assert!(Manifest::parse(&good).is_ok());
    let file = Manifest::parse(&good).unwrap().shards[0].file.clone();
    for (from, to) in [
        ("\"format_version\": 1", "\"format_version\": 2"),
        ("\"id\": \"aedr-small\"", "\"id\": \"../etc\""),
        ("\"id\": \"aedr-small\"", "\"id\": \"\""),
        ("\"layers_per_block\": 2", "\"layers_per_block\": 4000000000"),
        ("\"layers_per_block\": 2", "\"layers_per_block\": -1"),
        ("\"autoencoder_kl\"", "\"something_else\""),
        ("\"f16\"", "\"f8\""),
        (file.as_str(), "../../secret"),
        (file.as_str(), ".hidden"),
    ] {
        let changed = good.replace(from, to);
        assert_ne!(changed, good, "{from}");
        assert_eq!(Manifest::parse(&changed).unwrap_err().code(), "manifest_invalid", "{to}");
    }
}

#[test]
fn calibrations_are_validated_and_belong_to_one_model() {
    let good = fs::read_to_string(repository("weights/aedr-small/calibration.json")).unwrap();
    let calibration = Calibration::parse(&good).unwrap();
    assert_eq!(calibration.check_model("taef2").unwrap_err().code(), "manifest_invalid");
    for (at, value) in [
        ("/conditions/3/threshold", json!(-1.0)),
        ("/conditions/3/alpha", json!(1.5)),
        ("/maximum_homogeneity", json!(0.0)),
        ("/conditions/3/threshold_interval", json!([2.0, 1.0])),
        ("/conditions/3/others/signals", json!([])),
        ("/conditions/3/others/signals", json!([2.0, 1.0])),
        ("/conditions/3/belonging/signals", json!([0.0, 1.0])),
        ("/conditions/3/belonging/count", json!(1)),
        ("/conditions/0/compression/jpeg", json!(0)),
        ("/conditions/0/compression/jpeg", json!(95)),
        ("/conditions/4/threshold", json!(0.0)),
        ("/format_version", json!(1)),
    ] {
        let mut changed: serde_json::Value = serde_json::from_str(&good).unwrap();
        *changed.pointer_mut(at).unwrap() = value;
        assert_eq!(Calibration::parse(&changed.to_string()).unwrap_err().code(), "manifest_invalid", "{at}");
    }
}

/// f16 maps are for models that were measured, unless a person insists.
#[test]
fn maps_are_in_f16_only_where_that_was_measured() {
    let weights = repository("tests/goldens/kl_quant/model.safetensors");
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = pack(&golden_options(&weights, Precision::F32), folder.path()).unwrap();
    let maps = |has_f16, maps, f16_change| {
        let device = ComputeDevice { has_f16, maps, kernels: true, ..cpu() };
        let manifest = Manifest { f16_change, ..manifest.clone() };
        fs::write(folder.path().join("manifest.json"), manifest.to_json()).unwrap();
        load(folder.path(), device).maps
    };
    use aedr::engine::{device::MapPrecision::*, gpu::Stored};
    assert_eq!(maps(true, Auto, None), Stored::F32);
    assert_eq!(maps(true, Auto, Some(0.02)), Stored::F32);
    assert_eq!(maps(true, Auto, Some(0.004)), Stored::F16);
    assert_eq!(maps(false, Auto, Some(0.004)), Stored::F32);
    assert_eq!(maps(true, F32, Some(0.004)), Stored::F32);
    assert_eq!(maps(true, F16, None), Stored::F16);
    assert_eq!(maps(false, F16, None), Stored::F32);
    let wrong = Manifest { f16_change: Some(-1.0), ..manifest.clone() };
    assert_eq!(Manifest::parse(&wrong.to_json()).unwrap_err().code(), "manifest_invalid");
}

/// An image that nobody could hold.
struct Immense;

impl Source for Immense {
    fn size(&self) -> [usize; 3] {
        [3, 1 << 16, 1 << 16]
    }

    fn rows(&self, _: std::ops::Range<usize>) -> Vec<f32> {
        panic!("looked at")
    }
}

#[test]
fn sizes_that_cannot_be_computed_are_refused() {
    let weights = repository("tests/goldens/kl_quant/model.safetensors");
    let model = packed(&golden_options(&weights, Precision::F32), cpu());
    for (height, width) in [(30, 32), (0, 0)] {
        assert_eq!(block_on(encode(&model, &picture(height, width))).unwrap_err().code(), "bad_numbers");
    }
    for (values, size) in [(vec![0.0; 5], [3, 1, 2]), (vec![], [usize::MAX, 2, 2])] {
        assert_eq!(Values::new(values, size).unwrap_err().code(), "bad_numbers", "{size:?}");
    }
    // Refused by its size alone, before anything is allocated or even looked at.
    for kernels in [false, true] {
        let model = packed(&golden_options(&weights, Precision::F32), ComputeDevice { kernels, ..cpu() });
        let error = block_on(encode(&model, &Immense)).unwrap_err();
        assert_eq!(error.code(), "image_too_large");
        assert!(error.to_string().contains("megapixels"), "{error}");
    }
}

/// Cancels at a chosen report, and remembers what it was told.
struct CancelAt {
    reports: usize,
    heard: Vec<(f64, Stage)>,
}

impl Progress for CancelAt {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        self.heard.push((fraction, stage));
        self.heard.len() <= self.reports
    }
}

#[test]
fn progress_rises_to_the_end_and_cancelling_takes_effect() {
    let weights = repository("tests/goldens/kl_quant/model.safetensors");
    for kernels in [false, true] {
        let device = ComputeDevice { kernels, ..cpu() };
        let model = packed(&golden_options(&weights, Precision::F32), device);
        let run = |reports| {
            let mut progress = CancelAt { reports, heard: Vec::new() };
            let result = block_on(double_reconstruction(&model, &picture(160, 176), &mut progress));
            (result, progress.heard)
        };
        let (result, heard) = run(usize::MAX);
        assert!(result.is_ok());
        assert!(heard.is_sorted_by(|a, b| a.0 <= b.0), "{heard:?}");
        assert_eq!(heard.first().unwrap(), &(0.0, Stage::EncodeFirst));
        assert_eq!(heard.last().unwrap(), &(1.0, Stage::Losses));
        assert!(heard.len() > 5, "within the passes, too: {heard:?}");
        for reports in 0..5 {
            let (result, heard) = run(reports);
            assert_eq!(result, Err(Error::Cancelled));
            assert_eq!(heard.len(), reports + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever bytes stand for a manifest or calibration, parsing ends with a value or an error.
    #[test]
    fn parsing_never_panics(
        place in any::<prop::sample::Index>(), length in 0usize..40, new in ".{0,12}",
    ) {
        for file in ["weights/aedr-small/manifest.json", "weights/aedr-small/calibration.json"] {
            let mut bytes = fs::read(repository(file)).unwrap();
            let start = place.index(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, new.bytes());
            let text = String::from_utf8_lossy(&bytes);
            let _ = (Manifest::parse(&text), Calibration::parse(&text));
        }
    }
}

/// The same weights as LDM, and BFL after it, publish them: other names, levels of the decoder counted from the other
/// end, attention by 1×1 convolutions, everything inside a larger checkpoint.
#[test]
fn original_checkpoints_give_the_same_model() {
    let golden = repository("tests/goldens/kl_quant");
    let bytes = fs::read(golden.join("model.safetensors")).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let foreign = [0u8; 4];
    let unused = TensorView::new(Dtype::F32, vec![1], &foreign).unwrap();
    let mut original = vec![("model.diffusion_model.input_blocks.0.0.weight".to_owned(), unused)];
    for (name, view) in parsed.iter() {
        let (mut renamed, mut shape) = (name.to_owned(), view.shape().to_vec());
        for (ours, ldm) in [
            ("mid_block.resnets.0", "mid.block_1"),
            ("mid_block.resnets.1", "mid.block_2"),
            ("mid_block.attentions.0", "mid.attn_1"),
            ("down_blocks.", "down."),
            ("up_blocks.0.", "up.3."),
            ("up_blocks.1.", "up.2."),
            ("up_blocks.2.", "up.1."),
            ("up_blocks.3.", "up.0."),
            (".resnets.", ".block."),
            ("downsamplers.0", "downsample"),
            ("upsamplers.0", "upsample"),
            ("conv_shortcut", "nin_shortcut"),
            ("conv_norm_out", "norm_out"),
            ("group_norm", "norm"),
            ("to_q.", "q."),
            ("to_k.", "k."),
            ("to_v.", "v."),
            ("to_out.0.", "proj_out."),
        ] {
            renamed = renamed.replace(ours, ldm);
        }
        if renamed.contains("attn_1") && shape.len() == 2 {
            shape.extend([1, 1]);
        }
        original
            .push((format!("first_stage_model.{renamed}"), TensorView::new(view.dtype(), shape, view.data()).unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    fs::write(&checkpoint, serialize(original, None).unwrap()).unwrap();
    fs::copy(golden.join("config.json"), folder.path().join("config.json")).unwrap();
    let [ours, theirs] = [golden.join("model.safetensors"), checkpoint]
        .map(|path| packed(&options(Input::Whole(&path), Precision::F32), cpu()))
        .map(|model| block_on(encode(&model, &picture(32, 40))).unwrap());
    assert_eq!(ours, theirs);
}
