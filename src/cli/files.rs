//! Reading and writing files, and lists of them.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use aedr::{
    Error, Result,
    evidence::calibration::Calibration,
    image::{DecodeOptions, DecodedImage, decode},
};

use super::console::print_error;

/// A file or folder that could not be read or written.
pub fn file_error(path: &Path, error: impl Display) -> Error {
    Error::File { path: path.display().to_string(), detail: error.to_string() }
}

pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| file_error(path, error))
}

pub fn decode_file(path: &Path) -> Result<DecodedImage> {
    decode(&read_file(path)?, &DecodeOptions::default())
}

pub fn write_calibration(path: &Path, calibration: &Calibration) -> Result<()> {
    fs::write(path, calibration.to_json()).map_err(|error| file_error(path, error))
}

/// Fails, and prints what is wrong with each image, if none can be decoded: no device is then opened in vain.
pub fn some_decodable(paths: &[PathBuf]) -> Result<()> {
    let mut wrong = Vec::new();
    for path in paths {
        match decode_file(path) {
            Ok(_) => return Ok(()),
            Err(error) => wrong.push((path, error)),
        }
    }
    wrong.iter().for_each(|(path, error)| print_error(&path.display().to_string(), error));
    let detail = if wrong.is_empty() { "there are none" } else { "none of them can be decoded" };
    Err(Error::BadNumbers { what: "the images".into(), detail: detail.into() })
}

/// The files, those in folders, and those that a list `@FILE` names, one a line.
pub fn expand_paths(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let list = path.to_str().and_then(|path| path.strip_prefix('@'));
        if let Some(list) = list {
            let text = fs::read_to_string(list).map_err(|error| file_error(Path::new(list), error))?;
            files.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(PathBuf::from));
        } else if path.is_dir() {
            let unreadable = |error| file_error(path, error);
            for entry in fs::read_dir(path).map_err(unreadable)? {
                files.push(entry.map_err(unreadable)?.path());
            }
        } else {
            files.push(path.clone());
        }
    }
    files.retain(|path| !path.is_dir());
    files.sort();
    files.dedup();
    Ok(files)
}
