//! What crosses as JSON.

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;

use super::errors::to_js;
use crate::Error;

pub fn json(value: &impl Serialize) -> Result<String, JsValue> {
    serde_json::to_string(value)
        .map_err(|error| to_js(Error::BadNumbers { what: "the report".into(), detail: error.to_string() }))
}

pub fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, JsValue> {
    serde_json::from_str(text)
        .map_err(|error| to_js(Error::BadNumbers { what: what.into(), detail: error.to_string() }))
}
