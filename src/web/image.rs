use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{errors::to_js, json::json};
use crate::{
    image::{DecodeOptions, DecodedImage, decode, png::write_png},
    method::input::CroppedImage,
    weights::Manifest,
};

/// A decoded image, for checks against any number of models.
#[wasm_bindgen]
pub struct Image(pub(super) DecodedImage);

#[wasm_bindgen]
impl Image {
    /// Decodes an image file. It takes bytes, not a `Blob`: pages read them when a check begins, so that they can
    /// report unreadable files in their own words, and hand them over without a copy. The record is made of the bytes,
    /// too.
    ///
    /// # Errors
    /// Those of [`decode`].
    pub fn decode(bytes: &[u8], apply_orientation: bool) -> Result<Image, JsValue> {
        let options = DecodeOptions { apply_orientation, ..DecodeOptions::default() };
        decode(bytes, &options).map(Image).map_err(to_js)
    }

    /// The pixels that are checked, as a PNG: for files that browsers do not show.
    ///
    /// # Errors
    /// None is known.
    pub fn picture(&self) -> Result<Vec<u8>, JsValue> {
        write_png(&self.0.rgb, self.0.width as usize, self.0.height as usize).map_err(to_js)
    }

    /// What a manifest's model would take for this image: `{parameter_bytes, multiply_adds}`, the bytes on the device.
    ///
    /// # Errors
    /// `manifest_invalid`.
    pub fn cost(&self, manifest: &str) -> Result<String, JsValue> {
        let architecture = Manifest::parse(manifest).map_err(to_js)?.architecture;
        let cropped = CroppedImage::of(&self.0, &architecture);
        json(&ModelCost {
            parameter_bytes: architecture.parameter_count().saturating_mul(4),
            multiply_adds: architecture.multiply_adds(cropped.height, cropped.width).saturating_mul(2),
        })
    }
}

#[derive(Serialize)]
struct ModelCost {
    parameter_bytes: u64,
    multiply_adds: u64,
}
