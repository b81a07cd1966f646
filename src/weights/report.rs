//! What became of the tensors in a weights file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::published::Shapes;
use crate::autoencoder::spec::ParameterSpec;

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
    /// Compares what an architecture takes with what a published file holds.
    pub(crate) fn compare(parameters: &[ParameterSpec], mut found: Shapes) -> Self {
        let mut report = LoadReport::default();
        for ParameterSpec { name, shape } in parameters {
            match found.remove(name) {
                // The same numbers whether a linear layer is stored as such or as a 1×1 convolution.
                Some(other) if squeezed(&other) == squeezed(shape) => report.applied = report.applied.saturating_add(1),
                Some(found) => {
                    report.wrong_shape.push(WrongShape { name: name.clone(), expected: shape.clone(), found });
                }
                None => report.missing.push(name.clone()),
            }
        }
        report.unused = found.into_keys().collect();
        report
    }

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

/// The shape without trailing ones.
fn squeezed(shape: &[usize]) -> &[usize] {
    let trailing = shape.iter().rev().take_while(|side| **side == 1).count();
    shape.get(..shape.len().saturating_sub(trailing)).unwrap_or_default()
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    match names.first() {
        Some(first) => write!(f, "; {} {what}, such as {first}", names.len()),
        None => Ok(()),
    }
}
