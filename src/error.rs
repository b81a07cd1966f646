//! What can go wrong, as kinds with a stable code, the subject of the error, and what to do about it.

mod load_report;

use serde::Serialize;

pub use load_report::{LoadReport, WrongShape};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything this crate reports as a failure. The message names the offending thing;
/// [`Error::advice`] says what to do; [`Error::code`] is stable across versions.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
// So that others can say it in their words.
#[serde(tag = "code", content = "details", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ModuleError"))]
#[non_exhaustive]
pub enum Error {
    /// The bytes start like no image format that is known. Choose another file.
    #[error("this is not an image that can be read here ({detail})")]
    NotAnImage { detail: String },
    /// An image, but of a format or variant that is not decoded. Convert it without resizing.
    #[error("this kind of image is not supported: {detail}")]
    UnsupportedImage { detail: String },
    /// The image's data ends early or is damaged. Fetch it again.
    #[error("the image is cut short or damaged: {detail}")]
    ImageTruncated { detail: String },
    /// More pixels than the limits allow. Nothing was decoded or computed. Sides of 0 are not known.
    #[error("the image is too large: {}{limit}", size(*width, *height))]
    ImageTooLarge { width: u64, height: u64, limit: String },
    /// Fewer pixels than the method needs.
    #[error("the image is too small: {width} × {height} pixels; at least {minimum} × {minimum} are needed")]
    ImageTooSmall { width: u64, height: u64, minimum: u64 },
    /// A weights file is not there.
    #[error("the weights are missing: {file}")]
    WeightsMissing { file: String },
    /// A weights file's bytes are not what its manifest promises, or cannot be parsed.
    #[error("the weights file {file} is damaged: {detail}")]
    WeightsCorrupt { file: String, detail: String },
    /// The tensors do not fit the architecture. The report lists which.
    #[error("the weights do not fit the autoencoder {model}: {report}")]
    WeightsWrong { model: String, report: Box<LoadReport> },
    /// The tensors are of no autoencoder that is known.
    #[error("this looks like {looks_like}: {missing}")]
    WeightsForeign { looks_like: String, missing: String },
    /// The manifest, calibration or configuration says something impossible.
    #[error("{file} is not valid: {detail}")]
    ManifestInvalid { file: String, detail: String },
    /// No model of this name is loaded.
    #[error("no model is called {id:?}")]
    UnknownModel { id: String },
    /// No usable WebGPU adapter.
    #[error("no WebGPU device is available: {detail}")]
    #[serde(rename = "no_webgpu")]
    NoWebGpu { detail: String },
    /// The device stopped working during a computation.
    #[error("the device failed: {detail}")]
    DeviceFailed { detail: String },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// Numbers that were handed in make no sense (calibration lines, tensor sizes).
    #[error("{what} cannot be used: {detail}")]
    BadNumbers { what: String, detail: String },
    /// A check that is to be repeated is not of this image, or the report is none.
    #[error("{what} is not what the report was made of: {detail}")]
    NotTheSame { what: String, detail: String },
    /// A file could not be read or written.
    #[error("{path}: {detail}")]
    File { path: String, detail: String },
}

impl Error {
    /// A stable, machine-readable name of the kind.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotAnImage { .. } => "not_an_image",
            Error::UnsupportedImage { .. } => "unsupported_image",
            Error::ImageTruncated { .. } => "image_truncated",
            Error::ImageTooLarge { .. } => "image_too_large",
            Error::ImageTooSmall { .. } => "image_too_small",
            Error::WeightsMissing { .. } => "weights_missing",
            Error::WeightsCorrupt { .. } => "weights_corrupt",
            Error::WeightsWrong { .. } => "weights_wrong",
            Error::WeightsForeign { .. } => "weights_foreign",
            Error::ManifestInvalid { .. } => "manifest_invalid",
            Error::UnknownModel { .. } => "unknown_model",
            Error::NoWebGpu { .. } => "no_webgpu",
            Error::DeviceFailed { .. } => "device_failed",
            Error::Cancelled => "cancelled",
            Error::BadNumbers { .. } => "bad_numbers",
            Error::NotTheSame { .. } => "not_the_same",
            Error::File { .. } => "file",
        }
    }

    /// What a person can do about it, one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Error::NotAnImage { .. } | Error::UnsupportedImage { .. } => {
                "Use a PNG, JPEG, WebP, GIF, BMP or TIFF file; converting must not resize the image."
            }
            Error::ImageTruncated { .. } => "Download or copy the original file again.",
            Error::ImageTooLarge { .. } => {
                "Use a crop cut without resizing, its left and top edges at multiples of 8 pixels, or another device."
            }
            Error::ImageTooSmall { .. } => "Find a larger version of the image, as it was first published.",
            Error::WeightsMissing { .. } => "Reload the page, or check the address of the weights.",
            Error::WeightsCorrupt { .. } => "Download the weights again.",
            Error::WeightsWrong { .. } => "Use the weights that belong to this architecture, or pack them again.",
            Error::WeightsForeign { .. } => "Use the autoencoder's own file, often called vae or ae.",
            Error::ManifestInvalid { .. } => {
                "Make the file again with `aedr pack` or `aedr calibrate`, or use a version that understands it."
            }
            Error::UnknownModel { .. } => "Choose one of the models that are listed.",
            Error::NoWebGpu { .. } => "Choose the CPU: slower, with the same result.",
            Error::DeviceFailed { .. } => "Try again, with a smaller image or on the CPU.",
            Error::Cancelled => "Start the check again when you like.",
            Error::BadNumbers { .. } => "Check the input.",
            Error::NotTheSame { .. } => "Use the very files that the report names, unchanged.",
            Error::File { .. } => "Check the path and its permissions.",
        }
    }
}

fn size(width: u64, height: u64) -> String {
    if width == 0 || height == 0 { String::new() } else { format!("{width} × {height} pixels; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_offending_thing() {
        let error = Error::ImageTooLarge { width: 9000, height: 8000, limit: "at most 16 megapixels".into() };
        assert_eq!(error.code(), "image_too_large");
        assert_eq!(error.to_string(), "the image is too large: 9000 × 8000 pixels; at most 16 megapixels");
        assert!(error.advice().contains("crop"));
        let written = serde_json::to_value(&error).unwrap();
        assert_eq!((&written["code"], &written["details"]["width"]), (&error.code().into(), &9000.into()));
    }
}
