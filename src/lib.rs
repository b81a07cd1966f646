//! AEDR: tells whether an image came out of a latent diffusion model's autoencoder.
//!
//! The pipeline, module by module: [`image`] → [`autoencoder`] (from [`weights`], on a [`device`]) →
//! [`reconstruction`] (the two losses) → [`homogeneity`], [`signal`] → [`calibration`], [`verdict`] →
//! [`check`] (a model's report), [`ranking`] (the reports of several models), [`local`] (where the evidence lies), [`record`]
//! (all that is needed to repeat the check). `web` binds it to browsers; the `aedr` program is
//! the command line.
//!
//! "AEDR: Training-Free AI-Generated Image Attribution via Autoencoder Double-Reconstruction",
//! AAAI 2026, arXiv 2507.18988.

pub mod autoencoder;
pub mod blocks;
pub mod calibration;
pub mod check;
pub mod compression;
pub mod condition;
mod container;
pub mod density;
pub mod device;
pub mod distance;
#[cfg(not(target_arch = "wasm32"))]
pub mod edits;
pub mod engine;
mod error;
pub mod evaluation;
pub mod homogeneity;
pub mod image;
pub mod local;
#[cfg(not(target_arch = "wasm32"))]
pub mod painted;
pub mod picture;
pub mod provenance;
pub mod ranking;
pub mod reconstruction;
pub mod record;
pub mod remark;
pub mod scan;
pub mod signal;
#[cfg(test)]
mod types;
pub mod verdict;
#[cfg(target_arch = "wasm32")]
mod web;
pub mod weights;

pub use error::{Error, Result};
