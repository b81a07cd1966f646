//! The orientation control against PyTorch and SciPy (tests/goldens/make_orientation.py), on every device.

use std::{collections::BTreeMap, fs};

use aedr::{
    engine::error_sums::ErrorSums,
    image::{
        DecodeOptions, decode,
        orientation::Orientation::{self, Flipped, HalfTurn, Mirrored, QuarterTurn, ThreeQuarterTurn, Upright},
    },
    method::{
        orientation_control::OrientationControl,
        reconstruction::{Silent, Values, oriented_errors, reconstructions},
    },
    report::{candidate::Candidate, check::check_orientations},
    weights::{Precision, pack::Input},
};
use pollster::block_on;
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::common::{default_on, devices, options, packed, read_json, reference, repository};

#[derive(Deserialize)]
struct Goldens {
    networks: BTreeMap<String, BTreeMap<Orientation, Parts>>,
    crops: Vec<Crop>,
}

#[derive(Deserialize)]
struct Parts {
    tiles: Vec<Vec<f64>>,
    cells: Vec<Vec<f64>>,
}

/// Of a reference file, with S and the robust S.
#[derive(Deserialize)]
struct Crop {
    autoencoder: String,
    path: String,
    /// Left, top, width, height.
    crop: [u32; 4],
    signal: f64,
    half_turn: f64,
    robust: f64,
}

fn goldens() -> Goldens {
    read_json(&repository("tests/goldens/orientation.json"))
}

/// The largest difference, of the largest sum.
fn difference(found: &[f64], expected: &[Vec<f64>]) -> f64 {
    let expected = expected.concat();
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().copied().fold(0.0, f64::max);
    found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs() / largest).fold(0.0, f64::max)
}

/// Sides of 40 and 56 pixels: the last tiles are smaller than the others, and a turn exchanges the sides. The families of
/// networks go by our kernels on both devices, and DC-AE by burn's layers.
#[test]
fn errors_of_all_orientations_equal_their_references() {
    for device in devices() {
        for (name, orientations) in &goldens().networks {
            let folder = repository("tests/goldens").join(name);
            let model =
                packed(&options(Input::Whole(&folder.join("model.safetensors")), Precision::F32), device.clone());
            let golden = fs::read(folder.join("golden.safetensors")).unwrap();
            let parsed = SafeTensors::deserialize(&golden).unwrap();
            let input = parsed.tensor("input").unwrap();
            let values = input.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            let image = Values::new(values, input.shape()[1..].try_into().unwrap()).unwrap();
            assert_eq!(orientations.len(), 6);
            for (&orientation, expected) in orientations {
                let ErrorSums { tiles, cells } = match orientation {
                    Upright => block_on(reconstructions(&model, &image, false, &mut Silent)).unwrap().errors,
                    _ => block_on(oriented_errors(&model, &image, orientation, &mut Silent)).unwrap(),
                };
                let errors = [difference(&tiles, &expected.tiles), difference(&cells, &expected.cells)];
                let adapter = &model.device.adapter;
                assert!(errors.iter().all(|&error| error < 1e-4), "{name}, {orientation:?} on {adapter}: {errors:?}");
            }
        }
    }
}

/// The reference's table (`orientation-control.md`) for real autoencoders, as `aedr check --orientations` reports it.
#[test]
fn signals_of_real_autoencoders_equal_their_references() {
    let (Some(tiny), Some(flux), Some(_)) = (reference("tae"), reference("taef2"), reference("generated")) else {
        return;
    };
    for device in devices() {
        let mut candidates = BTreeMap::new();
        // A software GPU takes seconds for each reconstruction.
        let all = device.wgpu.is_none();
        for crop in goldens().crops.iter().filter(|crop| all || crop.crop[..2] == [132, 2]) {
            let candidate = candidates.entry(crop.autoencoder.clone()).or_insert_with(|| {
                let (folder, kind) = if crop.autoencoder == "taef2" { (&flux, "pth") } else { (&tiny, "safetensors") };
                let half = |half: &str| folder.join(format!("{}_{half}.{kind}", crop.autoencoder));
                let (encoder, decoder) = (half("encoder"), half("decoder"));
                let input = Input::Halves { encoder: &encoder, decoder: &decoder };
                Candidate::new(packed(&options(input, Precision::F16), device.clone()), None).unwrap()
            });
            let file = reference(&crop.path).unwrap();
            let whole = decode(&fs::read(&file).unwrap(), &DecodeOptions::default()).unwrap();
            let [left, top, width, height] = crop.crop;
            let image = whole.part([left, top], [width, height]);
            let compared = |orientations: &[Orientation]| {
                block_on(check_orientations(candidate, &image, orientations, &mut Silent)).unwrap().control.unwrap()
            };
            let mut pairs = vec![(compared(&[Mirrored]).robust.signal, crop.robust)];
            if all {
                let control = compared(&[Mirrored, HalfTurn, QuarterTurn, ThreeQuarterTurn]);
                pairs.push((control.s.unwrap(), crop.signal));
                pairs.push((control.by_orientation[1].unwrap(), crop.half_turn));
            }
            for (found, expected) in pairs {
                let (name, adapter) = (&crop.autoencoder, &device.adapter);
                assert!((found - expected).abs() < 2e-3, "{name}, {} on {adapter}: {found}, not {expected}", crop.path);
            }
        }
    }
}

/// What a decoder painted is told from a photograph by the image alone, also where its sides are no multiples of a tile.
#[test]
fn an_image_is_its_own_control() {
    for candidate in devices().into_iter().map(|device| default_on(device, false)) {
        for (sample, painted) in [("dahlia.png", true), ("coffee.jpg", false)] {
            let bytes = fs::read(repository("www/samples").join(sample)).unwrap();
            let whole = decode(&bytes, &DecodeOptions::default()).unwrap();
            let image = whole.part([0, 0], [136, 104]);
            let report = block_on(check_orientations(&candidate, &image, &[Mirrored, Flipped], &mut Silent)).unwrap();
            let control = report.control.unwrap();
            assert_eq!(control.orientations, [Mirrored, Flipped]);
            let evidence = control.evidence.unwrap();
            assert_eq!(evidence.other_share < 1e-3, painted, "{sample}: {control:?}");
        }
    }
}

/// An image without another orientation, or without errors, has no signal.
#[test]
fn nothing_to_compare_is_no_signal() {
    let sums = || ErrorSums { tiles: vec![0.0], cells: vec![0.0; 16] };
    assert!(OrientationControl::new([16, 16], sums()).compare().is_none());
}
