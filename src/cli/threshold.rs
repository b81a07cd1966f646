//! `aedr threshold`: τ from the text files that the reference writes.

#![expect(clippy::arithmetic_side_effects, reason = "over lists that the program makes itself")]

use std::path::{Path, PathBuf};

use aedr::{
    Error, Result,
    evidence::density,
    method::{reconstruction::Losses, signal::signal},
};
use clap::Args;

use super::files::read_file;

#[derive(Debug, Args)]
pub struct ThresholdArguments {
    /// One line an image: L1 and L2.
    #[arg(long, value_name = "FILE")]
    losses: PathBuf,
    /// One line an image, in the same order: the homogeneity.
    #[arg(long, value_name = "FILE")]
    homogeneity: PathBuf,
    /// The share of belonging images that the threshold leaves out.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

pub fn run(arguments: &ThresholdArguments) -> Result<f64> {
    let losses = columns::<2>(&arguments.losses)?;
    let homogeneities = columns::<1>(&arguments.homogeneity)?;
    if losses.len() != homogeneities.len() {
        let detail = format!("{} lines of losses, {} of homogeneity", losses.len(), homogeneities.len());
        return Err(Error::BadNumbers { what: "the calibration".into(), detail });
    }
    let signals = losses
        .iter()
        .zip(&homogeneities)
        .map(|(&[first, second], &[homogeneity])| signal(Losses { first, second }, homogeneity))
        .collect::<Result<Vec<f64>>>()?;
    density::threshold(&signals, arguments.alpha)
}

/// The numbers of each line, which must be exactly `N`; blank lines are skipped.
fn columns<const N: usize>(path: &Path) -> Result<Vec<[f64; N]>> {
    let file = path.display();
    let text = String::from_utf8(read_file(path)?)
        .map_err(|_| Error::BadNumbers { what: file.to_string(), detail: "it is not text".into() })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let numbers: Option<Vec<f64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
            numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| Error::BadNumbers {
                what: format!("{file}, line {}", index + 1),
                detail: format!("{line:?} is not {N} number{}", if N == 1 { "" } else { "s" }),
            })
        })
        .collect()
}
