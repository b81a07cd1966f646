use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::errors::{nothing_loading, to_js};
use crate::{
    Error,
    weights::{Import, ImportRequest, Written},
};

/// An import of a published file.
#[wasm_bindgen]
pub struct Importer(Option<Import>);

#[wasm_bindgen]
impl Importer {
    /// Begins with an [`ImportRequest`].
    ///
    /// # Errors
    /// `manifest_invalid`.
    #[wasm_bindgen(constructor)]
    pub fn new(request: &str) -> Result<Importer, JsValue> {
        let request: ImportRequest = serde_json::from_str(request)
            .map_err(|error| to_js(Error::ManifestInvalid { file: "the import".into(), detail: error.to_string() }))?;
        Ok(Importer(Some(Import::new(request).map_err(to_js)?)))
    }

    /// Bytes of the whole file, once its header has come.
    pub fn file_bytes(&self) -> Option<f64> {
        // Exact up to 2^53; files of more than 2^40 are refused.
        self.0.as_ref()?.file_bytes().map(|bytes| bytes as f64)
    }

    /// How many bytes are wanted in all, once the header has come.
    pub fn wanted_bytes(&self) -> Option<f64> {
        self.0.as_ref()?.wanted_bytes().map(|bytes| bytes as f64)
    }

    /// The bytes that are to come next, `[start, end]` in the file; nothing if no more are needed. Infinity is its end.
    pub fn wants(&self) -> Option<Vec<f64>> {
        let range = self.0.as_ref()?.wants()?;
        let end = if range.end == u64::MAX { f64::INFINITY } else { range.end as f64 };
        Some(vec![range.start as f64, end])
    }

    /// Skips unwanted bytes: what is pushed next begins where `wants` does.
    pub fn skip(&mut self) {
        self.0.iter_mut().for_each(Import::skip);
    }

    /// Compares the length of the file, in bytes, with that in its header, once that has come.
    ///
    /// # Errors
    /// `weights_corrupt`.
    pub fn check_length(&self, bytes: f64) -> Result<(), JsValue> {
        // JavaScript counts no further than 2^53, and a value that is no length never equals the header's.
        self.0.as_ref().ok_or_else(nothing_loading)?.check_length(bytes as u64).map_err(to_js)
    }

    /// Takes the next bytes; gives the files to keep, an array of `[name, bytes]`. Bytes, not a stream: the caller
    /// keeps them in case the import is interrupted, and waits until the files are written.
    ///
    /// # Errors
    /// `weights_foreign`, `weights_wrong`, `weights_corrupt`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Array, JsValue> {
        self.0.as_mut().ok_or_else(nothing_loading)?.push(bytes).map(files).map_err(to_js)
    }

    /// Gives the last files, the manifest at the end.
    ///
    /// # Errors
    /// `weights_corrupt`.
    pub fn finish(&mut self) -> Result<Array, JsValue> {
        let import = self.0.take().ok_or_else(nothing_loading)?;
        let (mut written, manifest, _) = import.finish().map_err(to_js)?;
        written.push(("manifest.json".into(), manifest.to_json().into_bytes()));
        Ok(files(written))
    }
}

fn files(written: Vec<Written>) -> Array {
    let pair = |(name, bytes): Written| Array::of2(&name.into(), &Uint8Array::from(bytes.as_slice()));
    written.into_iter().map(pair).collect()
}
