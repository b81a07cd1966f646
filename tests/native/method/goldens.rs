//! Both families against diffusers and PyTorch: every folder of `tests/goldens` with a
//! `golden.safetensors` is a case.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aedr::{
    autoencoder::Architecture,
    engine::device::ComputeDevice,
    method::{
        input::CroppedImage,
        reconstruction::{Silent, Values, decode, double_reconstruction, encode},
    },
    weights::{Precision, pack::Input},
};
use pollster::block_on;
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::common::{cpu, devices, options, packed, read_json, reference, relative, repository};

/// Largest error allowed, of the largest value.
const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct GoldenLosses {
    first_loss: f64,
    second_loss: f64,
}

struct Golden {
    tensors: Vec<u8>,
}

impl Golden {
    fn tensor(&self, name: &str) -> (Vec<f32>, [usize; 3]) {
        let parsed = SafeTensors::deserialize(&self.tensors).unwrap();
        let view = parsed.tensor(name).unwrap();
        let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        (values, view.shape()[1..].try_into().unwrap())
    }
}

fn largest_error(values: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(values.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let error = values.iter().zip(expected).fold(0.0f32, |error, (a, b)| error.max((a - b).abs()));
    f64::from(error / largest)
}

fn check_golden(folder: &Path, device: ComputeDevice) {
    let (model_file, encoder, decoder) =
        (folder.join("model.safetensors"), folder.join("encoder.pth"), folder.join("decoder.pth"));
    let input = if model_file.exists() {
        Input::Whole(&model_file)
    } else {
        Input::Halves { encoder: &encoder, decoder: &decoder }
    };
    let model = packed(&options(input, Precision::F32), device);
    let golden = Golden { tensors: fs::read(folder.join("golden.safetensors")).unwrap() };
    let (image, [_, height, width]) = golden.tensor("input");
    let (latent, [_, latent_height, latent_width]) = golden.tensor("latent");
    let (first, _) = golden.tensor("first");
    let expected: GoldenLosses = read_json(&folder.join("golden.json"));

    let channels = model.manifest.architecture.latent_channels();
    let image = Values::new(image, [3, height, width]).unwrap();
    let latent_values = Values::new(latent.clone(), [channels, latent_height, latent_width]).unwrap();
    let encoded = block_on(encode(&model, &image)).unwrap();
    let decoded = block_on(decode(&model, &latent_values)).unwrap();
    let losses = block_on(double_reconstruction(&model, &image, &mut Silent)).unwrap();
    let errors = [
        ("encoder", largest_error(&encoded, &latent)),
        ("decoder", largest_error(&decoded, &first)),
        ("L1", relative(losses.first, expected.first_loss)),
        ("L2", relative(losses.second, expected.second_loss)),
    ];
    let name = folder.file_name().unwrap().display();
    for (what, error) in errors {
        println!("{name} on {}: {what} differs by {error:.1e}", model.device.adapter);
        assert!(error <= TOLERANCE, "{what} of {} on {:?}: {error}", folder.display(), model.device.kind);
    }
}

#[test]
fn autoencoders_equal_their_references() {
    let mut folders: Vec<PathBuf> = fs::read_dir(repository("tests/goldens"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("golden.safetensors").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 5, "goldens are missing: {folders:?}");
    for device in devices() {
        for folder in &folders {
            check_golden(folder, device.clone());
        }
    }
}

#[derive(Deserialize)]
struct TaefLosses {
    images: Vec<TaefImage>,
}

#[derive(Deserialize)]
struct TaefImage {
    path: String,
    full: Option<TaefCase>,
    crop_256: TaefCase,
}

#[derive(Deserialize)]
struct TaefCase {
    height: usize,
    width: usize,
    first_loss: f64,
    second_loss: f64,
}

/// TAEF2 from its published `.pth` files over the reference images, at most 256 px of each.
#[test]
fn taef2_losses_equal_pytorch_on_crops() {
    taef2(|image| Some(&image.crop_256));
}

/// The same over whole images: minutes of computing, so by command alone
/// (`cargo test --release -- --ignored`).
#[test]
#[ignore = "takes minutes"]
fn taef2_losses_equal_pytorch_on_whole_images() {
    taef2(|image| image.full.as_ref());
}

fn taef2(case: impl Fn(&TaefImage) -> Option<&TaefCase>) {
    let Some(weights) = reference("taef2") else { return };
    let Some(images) = reference("images") else { return };
    let (encoder, decoder) = (weights.join("taef2_encoder.pth"), weights.join("taef2_decoder.pth"));
    let model = packed(&options(Input::Halves { encoder: &encoder, decoder: &decoder }, Precision::F16), cpu());
    let Architecture::AutoencoderTiny(config) = &model.manifest.architecture else { panic!("another family") };
    assert!(config.pooled && config.latent_channels == 32 && config.width == 64);
    let golden: TaefLosses = read_json(&repository("tests/goldens/taef2_losses.json"));
    let cases: Vec<_> = golden.images.iter().filter_map(|image| Some((image, case(image)?))).collect();
    assert_eq!(cases.len(), 39);
    let mut worst = (0.0, String::new());
    for (image, case) in cases {
        let bytes = fs::read(images.join(&image.path)).unwrap();
        let mut decoded = aedr::image::decode(&bytes, &aedr::image::DecodeOptions::default()).unwrap();
        // The top left corner, as the golden has it.
        let row = 3 * decoded.width as usize;
        decoded.rgb =
            decoded.rgb.chunks(row).take(case.height).flat_map(|row| row[..3 * case.width].to_vec()).collect();
        (decoded.width, decoded.height) = (case.width as u32, case.height as u32);
        let losses = block_on(double_reconstruction(
            &model,
            &CroppedImage::of(&decoded, &model.manifest.architecture),
            &mut Silent,
        ))
        .unwrap();
        let error = relative(losses.first, case.first_loss).max(relative(losses.second, case.second_loss));
        if error > worst.0 {
            worst = (error, image.path.clone());
        }
        assert!(error < 1e-3, "{}: {losses:?}, relative error {error}", image.path);
    }
    println!("TAEF2: largest relative error of L1 and L2 {:.1e} ({})", worst.0, worst.1);
}
