//! A model that an image is checked against.

use crate::{Result, evidence::calibration::Calibration, weights::Model};

/// A model, and what is known of its signal.
#[derive(Debug)]
pub struct Candidate {
    pub model: Model,
    /// Without one there is no threshold, and the outcome is "cannot tell".
    pub calibration: Option<Calibration>,
}

impl Candidate {
    /// # Errors
    /// [`crate::Error::ManifestInvalid`] for a calibration of another model.
    pub fn new(model: Model, calibration: Option<Calibration>) -> Result<Self> {
        if let Some(calibration) = &calibration {
            calibration.check_model(&model.manifest.id)?;
        }
        Ok(Candidate { model, calibration })
    }
}
