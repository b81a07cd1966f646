//! `aedr measure`: how fast and how exact a device computes a model, as JSON lines.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "over lists that the program makes itself, and JSON objects, which take any name"
)]

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use aedr::{
    Error, Result,
    engine::{device::ComputeDevice, gpu::Gpu},
    method::reconstruction::{Silent, Values, decode, double_reconstruction, encode},
    weights::Model,
};
use clap::Args;
use pollster::block_on;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    console::print_line,
    device_arguments::{DeviceArgument, MapArgument},
    files::read_file,
    models,
};

#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// Models: packs in the weights folder, or the one that is built in.
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// The side of the square that is reconstructed twice, in pixels.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(64..=8192))]
    side: u32,
    /// How often, after a first time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: u32,
    /// Compare with references instead: MODEL/golden.safetensors and MODEL/golden.json, as tests/goldens/README.md says.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["side", "repetitions"])]
    goldens: Option<PathBuf>,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
    /// How a GPU holds maps: auto takes f16 where the model's manifest allows it.
    #[arg(long, value_enum, default_value = "auto")]
    maps: MapArgument,
}

#[derive(Deserialize)]
struct GoldenLosses {
    first_loss: f64,
    second_loss: f64,
}

/// False if the output is closed.
pub fn run(arguments: &MeasureArguments) -> Result<bool> {
    for id in &arguments.models {
        models::complete(id, &arguments.weights)?;
    }
    let mut device = block_on(ComputeDevice::open(arguments.device.into()))?;
    device.maps = arguments.maps.into();
    for id in &arguments.models {
        let model = models::load_uncalibrated(id, &arguments.weights, device.clone())?;
        let mut line = match &arguments.goldens {
            Some(folder) => json!({ "errors": errors(&model, &folder.join(id))? }),
            None => times(&model, arguments.side as usize, arguments.repetitions)?,
        };
        line["model"] = id.as_str().into();
        line["device"] = json!({
            "kind": device.kind,
            "adapter": device.adapter,
            "buffer_bytes": device.buffer_bytes,
            "has_f16": device.has_f16,
            "maps": model.maps.name(),
        });
        if !print_line(line) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Milliseconds of double reconstructions, the losses, and the most bytes that a GPU's maps took.
fn times(model: &Model, side: usize, repetitions: u32) -> Result<Value> {
    // Any picture will do that is neither flat nor noise; `tests/gpu-kit` has the same.
    let values = (0..3 * side * side).map(|i| ((i as f64 / 7.0).sin() * (i as f64 / 131.0).cos()) as f32).collect();
    let image = Values::new(values, [3, side, side])?;
    let once = || {
        let started = Instant::now();
        let losses = block_on(double_reconstruction(model, &image, &mut Silent))?;
        Ok((started.elapsed().as_secs_f64() * 1e3, losses))
    };
    Gpu::memory();
    let (cold, losses) = once()?;
    let map_bytes = Gpu::memory().1;
    let warm = (0..repetitions).map(|_| once().map(|(milliseconds, _)| milliseconds)).collect::<Result<Vec<f64>>>()?;
    Ok(json!({
        "side": side,
        "cold": cold,
        "warm": warm,
        "multiply_adds": 2 * model.manifest.architecture.multiply_adds(side, side),
        "first_loss": losses.first,
        "second_loss": losses.second,
        "map_bytes": map_bytes,
    }))
}

/// Errors of the encoder and the decoder relative to the largest value, and relative errors of the losses.
fn errors(model: &Model, folder: &Path) -> Result<Value> {
    let (tensors, losses) = (folder.join("golden.safetensors"), folder.join("golden.json"));
    let bytes = read_file(&tensors)?;
    let [input, latent, first] = ["input", "latent", "first"].map(|name| tensor(&bytes, name, &tensors));
    let (input, latent, first) = (input?, latent?, first?);
    let expected: GoldenLosses =
        serde_json::from_slice(&read_file(&losses)?).map_err(|error| wrong(&losses, error.to_string()))?;
    let found = block_on(double_reconstruction(model, &input, &mut Silent))?;
    Ok(json!({
        "encoder": largest_error(&block_on(encode(model, &input))?, &latent),
        "decoder": largest_error(&block_on(decode(model, &latent))?, &first),
        "first_loss": (found.first / expected.first_loss - 1.0).abs(),
        "second_loss": (found.second / expected.second_loss - 1.0).abs(),
    }))
}

/// A `[1, channels, height, width]` tensor of f32.
fn tensor(bytes: &[u8], name: &str, file: &Path) -> Result<Values> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(file, error.to_string()))?;
    let view = tensors.tensor(name).map_err(|error| wrong(file, error.to_string()))?;
    let &[1, channels, height, width] = view.shape() else {
        return Err(wrong(file, format!("{name} is no batch of one map: {:?}", view.shape())));
    };
    let (words, _) = view.data().as_chunks::<4>();
    Values::new(words.iter().map(|&word| f32::from_le_bytes(word)).collect(), [channels, height, width])
}

fn wrong(file: &Path, detail: String) -> Error {
    Error::BadNumbers { what: file.display().to_string(), detail }
}

/// max |a − b| / max |b|; infinite if their lengths differ.
fn largest_error(values: &[f32], expected: &Values) -> f64 {
    let expected = expected.values();
    if values.len() != expected.len() {
        return f64::INFINITY;
    }
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let error = values.iter().zip(expected).fold(0.0f32, |error, (a, b)| error.max((a - b).abs()));
    f64::from(error / largest)
}
