//! The record of a check: a versioned JSON document with all that is needed to repeat it, and what came of it. The page
//! and the program write the same; its schema is `www/report-2.schema.json`, that of the
//! version before `www/report-1.schema.json`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check_report::{CheckReport, rank};
use crate::{Error, Result, evidence::ranking::Ranking, provenance::Claim, weights::sha256_hex};

/// What the document calls itself.
pub const FORMAT: &str = "aedr-report";
/// The version of the format that this crate writes. Documents of version 1, which have no orientation control, are read as
/// well.
pub const FORMAT_VERSION: u32 = 2;
const OLDEST_VERSION: u32 = 1;

/// How much a loss may differ from one device to another, relatively: kernels and operations add in different orders, which
/// changes losses by up to 5e-5 (docs/measured.md).
pub const SAME: f64 = 1e-3;
/// The same where maps were held in f16, which changes t by up to 3.8 %.
pub const SAME_F16: f64 = 0.05;

/// How much the robust S may differ, in its own unit: it is a mean of comparisons, which do not grow with the error.
pub const SAME_S: f64 = 2e-3;
pub const SAME_S_F16: f64 = 0.05;

/// A whole check of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Record {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`], or an older one.
    pub format_version: u32,
    /// When it was made: RFC 3339, UTC.
    pub created_at: String,
    pub program: ProgramLine,
    pub image: FileLine,
    pub settings: Settings,
    /// What all checks say together.
    pub ranking: Ranking,
    /// One of each model that was asked.
    pub checks: Vec<CheckReport>,
    /// Models that could not be asked.
    #[serde(default)]
    pub failures: Vec<FailureLine>,
    /// What the file says of its origin. No verdict rests on it.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// What was read of Content Credentials. No verdict rests on it.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub credentials: Option<Value>,
}

/// What made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProgramLine {
    pub version: String,
    /// "wasm32" in a page, else the processor's family.
    pub platform: String,
}

/// The image file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FileLine {
    pub name: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

impl FileLine {
    pub fn of(name: &str, bytes: &[u8]) -> Self {
        FileLine { name: name.into(), bytes: bytes.len() as u64, sha256: sha256_hex(bytes) }
    }

    /// Checks that these bytes are the file's content, whatever its name.
    ///
    /// # Errors
    /// [`Error::NotTheSame`] with both hashes.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        let found = sha256_hex(bytes);
        if found == self.sha256 {
            return Ok(());
        }
        let detail = format!("its sha256 is {found}, {} was expected", self.sha256);
        Err(Error::NotTheSame { what: self.name.clone(), detail })
    }
}

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Settings {
    /// The grid was searched.
    pub deep: bool,
    /// The image was turned as its EXIF orientation says.
    pub apply_orientation: bool,
}

/// A model that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FailureLine {
    pub model: String,
    pub code: String,
    pub message: String,
}

/// A number that differs from the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// "L1", "L2", "H", "S" or "outcome".
    pub what: &'static str,
    pub was: String,
    pub is: String,
}

impl Record {
    /// A record of checks that were made now.
    pub fn new(image: FileLine, settings: Settings, checks: Vec<CheckReport>, created_at: String) -> Self {
        Record {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            created_at,
            program: ProgramLine { version: env!("CARGO_PKG_VERSION").into(), platform: std::env::consts::ARCH.into() },
            image,
            settings,
            ranking: rank(&checks),
            checks,
            failures: Vec::new(),
            claims: Vec::new(),
            credentials: None,
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] for what is no such document, or of another version.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |detail: String| Error::ManifestInvalid { file: "the report".into(), detail };
        let document: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        // Told before what an older or newer format lacks.
        let [format, version] = ["format", "format_version"].map(|field| document.get(field).unwrap_or(&Value::Null));
        let understood = u64::from(OLDEST_VERSION)..=u64::from(FORMAT_VERSION);
        if format != FORMAT || version.as_u64().is_none_or(|version| !understood.contains(&version)) {
            let expected = format!("{FORMAT:?} of the versions {OLDEST_VERSION} to {FORMAT_VERSION} is understood");
            return Err(invalid(format!("it is {format} of version {version}, and {expected}")));
        }
        let record: Record = serde_json::from_value(document).map_err(|error| invalid(error.to_string()))?;
        let known = |report: &usize| *report < record.checks.len();
        if !record.ranking.groups.iter().all(|group| !group.reports.is_empty() && group.reports.iter().all(known)) {
            return Err(invalid("its ranking names a check that it does not hold".into()));
        }
        Ok(record)
    }

    /// The document as it is written.
    pub fn to_json(&self) -> String {
        // A struct of strings and finite numbers always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// What differs between a check and its repetition, beyond what another device explains.
pub fn differences(was: &CheckReport, is: &CheckReport) -> Vec<Difference> {
    let halved = [was, is].iter().any(|report| report.device.maps == "f16");
    let allowed = if halved { SAME_F16 } else { SAME };
    let numbers = [
        ("L1", was.losses.first, is.losses.first, allowed),
        ("L2", was.losses.second, is.losses.second, allowed),
        // It is of the pixels alone, and whole numbers are counted.
        ("H", was.homogeneity, is.homogeneity, 1e-12),
    ];
    let apart = |(_, was, is, allowed): &(&str, f64, f64, f64)| {
        // What cannot be compared, as a NaN, differs.
        (is - was).abs().partial_cmp(&(allowed * was.abs())).is_none_or(Ordering::is_gt)
    };
    let mut found: Vec<Difference> = numbers
        .into_iter()
        .filter(apart)
        .map(|(what, was, is, _)| Difference { what, was: was.to_string(), is: is.to_string() })
        .collect();
    // Without a control, the record tells nothing of it.
    if let (Some(was), Some(is)) = (&was.control, &is.control) {
        let [was, is] = [was, is].map(|control| control.robust.signal);
        let allowed = if halved { SAME_S_F16 } else { SAME_S };
        if (is - was).abs().partial_cmp(&allowed).is_none_or(Ordering::is_gt) {
            found.push(Difference { what: "S", was: was.to_string(), is: is.to_string() });
        }
    }
    if was.outcome != is.outcome {
        let [was, is] = [was, is].map(|report| format!("{:?}", report.outcome));
        found.push(Difference { what: "outcome", was, is });
    }
    found
}
