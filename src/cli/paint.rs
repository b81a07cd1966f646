//! `aedr paint`: images that belong to a model, without its generator.

use std::{fs, path::PathBuf};

use aedr::{
    Result, engine::device::ComputeDevice, evidence::synthetic_positives::SyntheticPositives, image::DecodedImage,
    weights::Model,
};
use clap::Args;
use image::{ColorType, ImageFormat, save_buffer_with_format};
use pollster::block_on;

use super::{
    console::{ok_or_print, print_line},
    device_arguments::DeviceArgument,
    files::{decode_file, expand_paths, file_error, some_decodable},
    models,
};

#[derive(Debug, Args)]
pub struct PaintArguments {
    /// The model: a pack in the weights folder, or the one that is built in.
    model: String,
    /// The folder to write PNG files into.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    synthetic: SyntheticArguments,
    /// The folder that holds packs.
    #[arg(long, value_name = "FOLDER", default_value = "weights")]
    weights: PathBuf,
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceArgument,
}

/// What is painted, and from what.
#[derive(Debug, Args)]
pub struct SyntheticArguments {
    /// Photographs, from whose changed latents the model's own decoder paints images: files or folders.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub photographs: Vec<PathBuf>,
    /// Images to paint.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub count: u32,
    /// Their sides in pixels.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(64..=2048))]
    pub side: u32,
    /// What chance is involved.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl SyntheticArguments {
    /// Sets `all` to false if a photograph cannot be read; the images are then made from the others.
    pub fn positives<'a>(&self, model: &'a Model, all: &mut bool) -> Result<SyntheticPositives<'a>> {
        let read = |path: PathBuf| ok_or_print(&path, decode_file(&path), all);
        let photographs: Vec<DecodedImage> = expand_paths(&self.photographs)?.into_iter().filter_map(read).collect();
        SyntheticPositives::new(model, &photographs, self.side as usize, self.seed)
    }
}

/// False if a photograph could not be used.
pub fn run(arguments: &PaintArguments) -> Result<bool> {
    some_decodable(&expand_paths(&arguments.synthetic.photographs)?)?;
    models::complete(&arguments.model, &arguments.weights)?;
    let device = block_on(ComputeDevice::open(arguments.device.into()))?;
    let model = models::load_uncalibrated(&arguments.model, &arguments.weights, device)?;
    let mut all = true;
    let mut positives = arguments.synthetic.positives(&model, &mut all)?;
    fs::create_dir_all(&arguments.out).map_err(|error| file_error(&arguments.out, error))?;
    for number in 0..arguments.synthetic.count as usize {
        let DecodedImage { width, height, rgb, .. } = positives.image(number)?;
        let path = arguments.out.join(format!("{number:04}.png"));
        save_buffer_with_format(&path, &rgb, width, height, ColorType::Rgb8, ImageFormat::Png)
            .map_err(|error| file_error(&path, error))?;
    }
    let (count, from) = (arguments.synthetic.count, positives.photographs());
    all &= print_line(format_args!("{}: {count} images from {from} photographs", arguments.out.display()));
    Ok(all)
}
