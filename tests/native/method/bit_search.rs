//! The search for the smallest pack within a budget of t, measured anew on what it wrote.

use std::{cell::RefCell, fs, path::PathBuf};

use aedr::{
    image::{DecodeOptions, decode},
    method::{
        bit_search::{Budget, CurvePoint},
        reconstruction::{Silent, Values, double_reconstruction},
    },
    weights::{
        Fidelity, Manifest, Model, Precision,
        pack::{Input, PackOptions, pack},
    },
};
use pollster::block_on;

use crate::common::{cpu, load, options, packed, relative, repository};

const SIDE: usize = 48;

fn weights() -> PathBuf {
    repository("tests/goldens/kl_quant/model.safetensors")
}

fn images() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(repository("www/samples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "png" || kind == "jpg"));
    files.sort();
    files.truncate(3);
    files
}

fn search(change: f64) -> (Manifest, Vec<CurvePoint>, Model) {
    let (weights, images, points) = (weights(), images(), RefCell::new(Vec::new()));
    let watch = |point: &CurvePoint| points.borrow_mut().push(point.clone());
    let budget = Budget { change, images: &images, side: SIDE, watch: &watch };
    let folder = tempfile::tempdir().unwrap();
    let options = PackOptions { search: Some(&budget), ..options(Input::Whole(&weights), Precision::F16) };
    let (manifest, _) = pack(&options, folder.path()).unwrap();
    assert_eq!(Manifest::parse(&manifest.to_json()).unwrap(), manifest);
    let model = load(folder.path(), cpu());
    (manifest, points.into_inner(), model)
}

/// L1 / L2 of the middle of each image.
fn ratios(model: &Model) -> Vec<f64> {
    let ratio = |file: &PathBuf| {
        let image = decode(&fs::read(file).unwrap(), &DecodeOptions::default()).unwrap();
        let [left, top] = [image.width, image.height].map(|side| (side as usize - SIDE) / 2 / 8 * 8);
        let pixel = |i: usize| {
            let (channel, y, x) = (i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE);
            image.rgb[((top + y) * image.width as usize + left + x) * 3 + channel]
        };
        let values = (0..3 * SIDE * SIDE).map(|i| f32::from(pixel(i)) / 127.5 - 1.0).collect();
        let values = Values::new(values, [3, SIDE, SIDE]).unwrap();
        let losses = block_on(double_reconstruction(model, &values, &mut Silent)).unwrap();
        losses.first / losses.second
    };
    images().iter().map(ratio).collect()
}

#[test]
fn a_budget_is_kept_by_the_smallest_that_was_found() {
    let budget = 0.005;
    let (manifest, points, model) = search(budget);
    let fidelity = manifest.fidelity.unwrap();
    assert_eq!((manifest.precision, fidelity.images), (Precision::Mixed, 2 * images().len()));
    assert!(fidelity.mean_change <= budget && fidelity.largest_change <= 2.0 * budget, "{fidelity:?}");
    // The curve begins with f16 and goes down; what was packed is its smallest point within the budget.
    assert_eq!(points[0].formats, "f16");
    let within = |point: &&CurvePoint| {
        let Fidelity { mean_change, largest_change, .. } = point.fidelity;
        mean_change <= budget && largest_change <= 2.0 * budget
    };
    let least = points.iter().filter(within).min_by_key(|point| point.bytes).unwrap();
    assert_eq!(least.fidelity, fidelity);
    assert!(least.bytes < points[0].bytes * 3 / 4, "{points:?}");
    // What loads is what was measured: photographs' own changes, by another path to the pixels.
    let weights = weights();
    let exact = packed(&options(Input::Whole(&weights), Precision::F32), cpu());
    let changes: Vec<f64> =
        ratios(&model).iter().zip(ratios(&exact)).map(|(found, exact)| relative(*found, exact)).collect();
    let largest = changes.iter().copied().fold(0.0, f64::max);
    assert!(largest > 0.0 && largest <= fidelity.largest_change * 1.01 + 1e-6, "{changes:?}, {fidelity:?}");
}

#[test]
fn a_budget_that_cannot_be_kept_gives_f16_and_says_so() {
    let (manifest, points, _) = search(1e-9);
    let fidelity = manifest.fidelity.unwrap();
    assert!(fidelity.mean_change > 1e-9);
    assert_eq!(fidelity, points[0].fidelity);
    assert!(manifest.shards.iter().all(|shard| shard.encoding.is_none()), "plain f16");
}

#[test]
fn images_that_are_too_small_are_told() {
    let (weights, images) = (weights(), images());
    let budget = Budget { change: 0.01, images: &images, side: 4096, watch: &|_| () };
    let folder = tempfile::tempdir().unwrap();
    let error =
        pack(&PackOptions { search: Some(&budget), ..options(Input::Whole(&weights), Precision::F16) }, folder.path())
            .unwrap_err();
    assert_eq!(error.code(), "bad_numbers");
    assert!(error.to_string().contains("4096"), "{error}");
}
