//! The browser's view of the crate: one `Checker` a worker. Reports cross as JSON, bytes as typed arrays, what has parts
//! of both as plain objects, errors as JavaScript `Error`s with `code` and `advice`.

mod checker;
mod errors;
mod evidence_map;
mod image;
mod importer;
mod json;
mod progress;
mod reports;
mod timeline;

use wasm_bindgen::prelude::*;

unsafe extern "C" {
    /// The linker's: initialises statics, such as the lists that some crates register themselves in.
    fn __wasm_call_ctors();
}

/// Runs once when the module is instantiated.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: called once and before anything else. If nobody called it, the linker would make every exported function
    // call it, which costs a tenth of a millisecond each time that JavaScript calls in.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
}

/// The crate's version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
