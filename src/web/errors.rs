//! Errors as JavaScript has them.

use wasm_bindgen::prelude::*;

use crate::Error;

#[wasm_bindgen]
extern "C" {
    /// A JavaScript `Error` that states what went wrong and what to do.
    #[wasm_bindgen(extends = js_sys::Error)]
    type Thrown;

    #[wasm_bindgen(method, setter)]
    fn set_code(this: &Thrown, code: &str);
    #[wasm_bindgen(method, setter)]
    fn set_advice(this: &Thrown, advice: &str);
    /// JSON.
    #[wasm_bindgen(method, setter)]
    fn set_details(this: &Thrown, details: &str);
}

pub fn to_js(error: Error) -> JsValue {
    let thrown: Thrown = js_sys::Error::new(&error.to_string()).unchecked_into();
    thrown.set_code(error.code());
    thrown.set_advice(error.advice());
    let written = serde_json::to_value(&error).unwrap_or_default();
    if let Some(details) = written.get("details") {
        thrown.set_details(&details.to_string());
    }
    thrown.into()
}

pub fn nothing_loading() -> JsValue {
    to_js(Error::WeightsMissing { file: "the manifest, which must come first".into() })
}
