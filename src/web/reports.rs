//! Records and calibrations, made from reports.

use wasm_bindgen::prelude::*;

use super::{
    errors::to_js,
    json::{json, parse},
};
use crate::{
    evidence::calibration::{self, Measurement},
    provenance,
    report::{
        check_report::CheckReport,
        record::{FailureLine, FileLine, Record, Settings},
    },
};

/// The record of a check ([`Record`]): of a file's bytes, its `name`, [`Settings`], arrays of reports and of
/// [`FailureLine`]s, and the time.
///
/// # Errors
/// `bad_numbers` for what is none of these.
#[wasm_bindgen]
pub fn record(
    bytes: &[u8],
    name: &str,
    settings: &str,
    reports: &str,
    failures: &str,
    created_at: String,
) -> Result<String, JsValue> {
    let settings: Settings = parse("the settings", settings)?;
    let failures: Vec<FailureLine> = parse("the failures", failures)?;
    let made = Record::new(FileLine::of(name, bytes), settings, parse("the reports", reports)?, created_at);
    json(&Record { failures, claims: provenance::claims(bytes), ..made })
}

/// A model's calibration from arrays of reports of images that belong to it and of others, at the method's α of 5 %.
///
/// # Errors
/// Those of [`calibration::from_measurements`].
#[wasm_bindgen]
pub fn calibrate(model: &str, belonging: &str, others: &str) -> Result<String, JsValue> {
    let reports = |text: &str| parse::<Vec<CheckReport>>("the reports", text);
    let (belonging, others) = (reports(belonging)?, reports(others)?);
    let source = format!("in the page, from {} images that belong and {} others", belonging.len(), others.len());
    let made = calibration::from_measurements(model, &measured(&belonging), &measured(&others), 0.05, &source);
    Ok(made.map_err(to_js)?.to_json())
}

fn measured(reports: &[CheckReport]) -> Vec<Measurement<'_>> {
    reports.iter().map(CheckReport::measurement).collect()
}
