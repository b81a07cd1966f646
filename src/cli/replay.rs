//! `aedr check --replay`: the check of a report, made again, and compared number by number.

use std::path::{Path, PathBuf};

use aedr::{
    Error, Result,
    image::{DecodeOptions, DecodedImage},
    method::reconstruction::Silent,
    report::{
        candidate::Candidate,
        check::check_orientations,
        check_report::CheckReport,
        record::{Record, SAME, SAME_F16, differences},
    },
};
use pollster::block_on;

use super::{
    check::{CheckArguments, check_decoded, decode_as, open_device},
    console::{print_error, print_line},
    files::{file_error, read_file},
    models,
};

/// True if every model of the report could be checked again and gave the same result.
pub fn run(report: &Path, arguments: &CheckArguments) -> Result<bool> {
    let text = String::from_utf8(read_file(report)?).map_err(|_| file_error(report, "it is not text"))?;
    let record = Record::parse(&text)?;
    let image = image_of(report, &record, &arguments.images)?;
    record.image.verify(&read_file(&image)?)?;
    let options = DecodeOptions { apply_orientation: record.settings.apply_orientation, ..DecodeOptions::default() };
    let decoded = decode_as(&image, &options)?;
    let mut same = !record.checks.is_empty();
    let mut lines = vec![format!("{}: the image of the report, {}", image.display(), record.image.sha256)];
    for was in &record.checks {
        let candidate = match same_weights(was, &arguments.weights) {
            Ok(id) => models::load(&id, &arguments.weights, open_device(arguments)?),
            Err(error) => Err(error),
        };
        let is = match candidate.and_then(|candidate| check_again(&candidate, was, &decoded, record.settings.deep)) {
            Ok(is) => is,
            Err(error) => {
                print_error(&was.model.name, &error);
                same = false;
                continue;
            }
        };
        same &= compare(was, &is, &mut lines);
    }
    for failure in &record.failures {
        lines.push(format!("  {}: was not asked ({}), and is not now", failure.model, failure.message));
    }
    lines.push(if same { "the same".into() } else { "not the same".into() });
    Ok(print_line(lines.join("\n")) && same)
}

/// The check again: by the same orientations, or without any if the record is of a version that had none.
fn check_again(candidate: &Candidate, was: &CheckReport, image: &DecodedImage, deep: bool) -> Result<CheckReport> {
    let Some(control) = was.control.as_ref().filter(|_| !deep) else {
        let mut is = check_decoded(candidate, image, deep)?;
        if was.control.is_none() {
            is.judge_without_control(candidate.calibration.as_ref())?;
        }
        return Ok(is);
    };
    block_on(check_orientations(candidate, image, &control.orientations, &mut Silent))
}

/// The given image, else the file beside the report that has the name in the record.
fn image_of(report: &Path, record: &Record, given: &[PathBuf]) -> Result<PathBuf> {
    match given {
        [] => {
            // A name in a report may be anything, and must not lead to another folder.
            let name = Path::new(&record.image.name).file_name().unwrap_or_default();
            Ok(report.with_file_name(name))
        }
        [image] => Ok(image.clone()),
        more => {
            let detail = format!("{} images were given, and a report is of one", more.len());
            Err(Error::BadNumbers { what: "--replay".into(), detail })
        }
    }
}

/// The id of a model here that has the weights of the report, whatever it is called.
fn same_weights(was: &CheckReport, folder: &Path) -> Result<String> {
    let hashes =
        |shards: &[aedr::weights::Shard]| -> Vec<String> { shards.iter().map(|shard| shard.sha256.clone()).collect() };
    let wanted = hashes(&was.model.shards);
    let mut ids = models::available(folder);
    // A model of the same id first: it is the likely one.
    ids.sort_by_key(|id| *id != was.model.id);
    let found =
        ids.iter().find(|id| models::manifest(id, folder).is_ok_and(|manifest| hashes(&manifest.shards) == wanted));
    found.cloned().ok_or_else(|| {
        let id = &was.model.id;
        let detail = if ids.contains(id) {
            format!("the weights called {id} here are others")
        } else {
            format!("no pack in {} has its weights", folder.display())
        };
        Error::NotTheSame { what: format!("a model called {id}"), detail }
    })
}

/// Adds lines that state whether a model's results are the same.
fn compare(was: &CheckReport, is: &CheckReport, lines: &mut Vec<String>) -> bool {
    let changed = |was: f64, is: f64| format!("{:+.4} %", 100.0 * (is - was) / was);
    lines.push(format!(
        "  {}: L1 {:.6} ({}), L2 {:.6} ({}), t {:.4} ({}), {:?}",
        is.model.name,
        is.losses.first,
        changed(was.losses.first, is.losses.first),
        is.losses.second,
        changed(was.losses.second, is.losses.second),
        is.t,
        changed(was.t, is.t),
        is.outcome,
    ));
    if was.model.calibration_sha256 != is.model.calibration_sha256 {
        lines.push("    its calibration is another than the report's, so the outcomes may differ".into());
    }
    let found = differences(was, is);
    for difference in &found {
        lines.push(format!("    {} was {} and is {}", difference.what, difference.was, difference.is));
    }
    if found.is_empty() {
        let allowed = if was.device.maps == "f16" || is.device.maps == "f16" { SAME_F16 } else { SAME };
        lines.push(format!("    the same: losses within {} %, the same outcome", 100.0 * allowed));
    }
    found.is_empty()
}
