//! What the program prints: results on the standard output, errors and notes on the error output.

use std::{fmt::Display, io::Write, path::Path};

use aedr::{Error, Result};

/// Prints a line; false if the output is closed, as it is behind `head`.
pub fn print_line(line: impl Display) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// Prints an error on the error output: what went wrong, then what to do.
pub fn print_error(subject: &str, error: &Error) {
    let subject = if names(error, subject) { PROGRAM } else { subject };
    print_note(&format!("{subject}: {error}. {}", error.advice()));
}

/// Prints a note on the error output.
pub fn print_note(line: &str) {
    // If the error output is closed, the note is lost.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether an error's own text begins with the file or model that it is about.
fn names(error: &Error, subject: &str) -> bool {
    match error {
        Error::File { path: named, .. }
        | Error::WeightsMissing { file: named }
        | Error::WeightsCorrupt { file: named, .. }
        | Error::ManifestInvalid { file: named, .. }
        | Error::WeightsWrong { model: named, .. }
        | Error::BadNumbers { what: named, .. } => named == subject,
        Error::UnknownModel { id } => id.split(' ').next() == Some(subject),
        _ => false,
    }
}

/// The subject of errors that concern no file or model.
pub const PROGRAM: &str = "aedr";

/// The value of a success. An error is printed, and sets `all` to false.
pub fn ok_or_print<T>(path: &Path, result: Result<T>, all: &mut bool) -> Option<T> {
    result
        .inspect_err(|error| {
            print_error(&path.display().to_string(), error);
            *all = false;
        })
        .ok()
}
