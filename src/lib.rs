//! AEDR: tells whether an image came out of a latent diffusion model's autoencoder.
//!
//! Each module is a room that uses only those before it: [`image`] (bytes → pixels), [`autoencoder`] (architectures as
//! data) → [`engine`] (computes them on a device) → [`weights`] (loads and packs them) → [`method`] (the two losses,
//! homogeneity, the signal) → [`evidence`] (calibrations, verdicts, rankings) → [`report`] (the check, its report, its
//! record). [`provenance`] reads what a file says of itself. `web` binds the crate to browsers; the `aedr` program is
//! the command line (`cli`). [`Error`] and [`message`] say what went wrong and what a person should know, with codes.
//!
//! "AEDR: Training-Free AI-Generated Image Attribution via Autoencoder Double-Reconstruction",
//! AAAI 2026, arXiv 2507.18988.

pub mod autoencoder;
pub mod engine;
mod error;
pub mod evidence;
pub mod image;
pub mod message;
pub mod method;
pub mod provenance;
pub mod report;
#[cfg(target_arch = "wasm32")]
mod web;
pub mod weights;

pub use error::{Error, LoadReport, Result, WrongShape};
