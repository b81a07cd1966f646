//! `aedr provenance`: what files say of their own origin, as JSON lines.

use std::path::PathBuf;

use aedr::{Result, provenance::claims};

use super::{
    console::{ok_or_print, print_line},
    files::read_file,
};

/// False if a file could not be read.
pub fn run(images: &[PathBuf]) -> Result<bool> {
    let mut all = true;
    for path in images {
        let Some(bytes) = ok_or_print(path, read_file(path), &mut all) else { continue };
        all &= print_line(serde_json::json!({ "path": path.display().to_string(), "claims": claims(&bytes) }));
    }
    Ok(all)
}
