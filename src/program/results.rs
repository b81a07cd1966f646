//! Lines of an evaluation: one JSON object an image, written as soon as it is measured, read again to go on after a
//! break or to put the parts of several machines together.

#![expect(clippy::indexing_slicing, reason = "JSON values, where a field that is missing is null")]

use std::{collections::BTreeMap, fs, path::Path};

use aedr::{Result, check::CheckReport, edits::Edit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file_error;

/// What was done to all images of a series before they were measured, and by which model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    pub model: String,
    pub edits: Vec<String>,
    /// Each was searched for its grid.
    #[serde(default)]
    pub searched: bool,
}

impl Series {
    pub fn new(model: &str, edits: &[Edit], searched: bool) -> Self {
        Series { model: model.into(), edits: edits.iter().map(Edit::to_string).collect(), searched }
    }

    /// In words.
    pub fn title(&self) -> String {
        let edits = if self.edits.is_empty() { "as they are".into() } else { self.edits.join(", ") };
        format!("{}: {edits}{}", self.model, if self.searched { ", searched" } else { "" })
    }
}

/// What is known of the images of a series: by path, the kind and the report, or `None` where measuring failed.
pub type Known = BTreeMap<String, (bool, Option<CheckReport>)>;

/// Reads lines of any number of series. A line that a crash cut off is passed over; of two about the same image the
/// later counts.
///
/// # Errors
/// [`aedr::Error::File`]; no file is no error.
pub fn read(path: &Path) -> Result<BTreeMap<Series, Known>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(file_error(path, error)),
    };
    let mut found: BTreeMap<Series, Known> = BTreeMap::new();
    for (series, image, belongs, report) in text.lines().filter_map(parse) {
        found.entry(series).or_default().insert(image, (belongs, report));
    }
    Ok(found)
}

fn parse(line: &str) -> Option<(Series, String, bool, Option<CheckReport>)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let series = serde_json::from_value(line["series"].clone()).ok()?;
    let image = line["image"]["path"].as_str()?.to_owned();
    let belongs = line["belongs"].as_bool()?;
    let failed = line.get("error").is_some();
    let report = if failed { None } else { Some(serde_json::from_value(line).ok()?) };
    Some((series, image, belongs, report))
}

/// Marks a line with its series and kind.
pub fn mark(line: &mut Value, series: &Series, belongs: bool) {
    // A struct of strings always has a JSON form.
    line["series"] = serde_json::to_value(series).unwrap_or_default();
    line["belongs"] = belongs.into();
}
