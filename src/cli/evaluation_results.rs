//! Lines of an evaluation: one JSON object per image, written as soon as the image is measured. They are read again to
//! resume after an interruption, or to merge the parts of several machines.

#![expect(clippy::indexing_slicing, reason = "JSON values, where a field that is missing is null")]

use std::{collections::BTreeMap, fs, path::Path};

use aedr::{
    Result, engine::gpu::Stored, evidence::image_edits::Edit, report::check_report::CheckReport, weights::Manifest,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::file_error;

/// What was done to all images of a series before they were measured, and what measured them: numbers of the same
/// series can replace each other. The kind of device is not part of it: between devices, numbers differ by less than a
/// report's replay allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    pub model: String,
    pub edits: Vec<String>,
    /// Each was searched for its grid.
    #[serde(default)]
    pub searched: bool,
    /// [`Manifest::weights_sha256`]: models of one id may have any weights. Empty in lines of older versions, which do
    /// not record it.
    #[serde(default)]
    pub weights: String,
    /// How maps were held, "f32" or "f16"; empty in lines of older versions.
    #[serde(default)]
    pub maps: String,
}

impl Series {
    pub fn new(model: &str, manifest: &Manifest, maps: Stored, edits: &[Edit], searched: bool) -> Self {
        Series {
            model: model.into(),
            edits: edits.iter().map(Edit::to_string).collect(),
            searched,
            weights: manifest.weights_sha256(),
            maps: maps.name().into(),
        }
    }

    /// In words, without the weights.
    pub fn title(&self) -> String {
        let edits = if self.edits.is_empty() { "as they are".into() } else { self.edits.join(", ") };
        format!("{}: {edits}{}", self.model, if self.searched { ", searched" } else { "" })
    }

    /// What distinguishes it from another series of the same title.
    pub fn weights_title(&self) -> String {
        let start: String = self.weights.chars().take(12).collect();
        format!("weights {start}, maps in {}", self.maps)
    }

    /// Whether the weights that measured its images are known.
    pub fn tells_weights(&self) -> bool {
        !self.weights.is_empty() && !self.maps.is_empty()
    }
}

/// What is known of the images of a series: by path, the kind and the report, or `None` where measuring failed.
pub type Known = BTreeMap<String, (bool, Option<CheckReport>)>;

/// Reads lines of any number of series. A line that a crash cut off is skipped; of two about the same image the later
/// counts.
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

/// Why lines of `found` cannot stand in for lines of `wanted`, which has the same title; `None` if they can.
pub fn difference(found: &Series, wanted: &Series) -> Option<&'static str> {
    if found == wanted {
        None
    } else if !found.tells_weights() {
        Some("do not say which weights they were measured with, as those of older versions")
    } else if found.weights != wanted.weights {
        Some("were measured with other weights of the same name")
    } else {
        Some("were measured with maps of another precision")
    }
}

/// Marks a line with its series and kind.
pub fn mark(line: &mut Value, series: &Series, belongs: bool) {
    // A struct of strings always has a JSON form.
    line["series"] = serde_json::to_value(series).unwrap_or_default();
    line["belongs"] = belongs.into();
}
