//! What became of the tensors in a weights file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names are listed in full in JSON; the text form shows the first of each list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LoadReport {
    /// How many tensors were taken.
    pub applied: usize,
    /// Expected by the architecture, not in the file.
    pub missing: Vec<String>,
    /// In the file, not known to the architecture.
    pub unused: Vec<String>,
    /// In the file with another shape.
    pub wrong_shape: Vec<WrongShape>,
}

/// A tensor whose shape does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WrongShape {
    pub name: String,
    pub expected: Vec<usize>,
    pub found: Vec<usize>,
}

impl LoadReport {
    /// Nothing is missing and every shape fits. Unused tensors do no harm.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.wrong_shape.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors applied", self.applied)?;
        list(f, "missing", &self.missing)?;
        list(f, "unused", &self.unused)?;
        if let Some(first) = self.wrong_shape.first() {
            let WrongShape { name, expected, found } = first;
            write!(
                f,
                "; {} of a wrong shape, such as {name} ({found:?}, expected {expected:?})",
                self.wrong_shape.len()
            )?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    match names.first() {
        Some(first) => write!(f, "; {} {what}, such as {first}", names.len()),
        None => Ok(()),
    }
}
