//! What is known about a model's signal: images that belong and images that do not, under each condition that was
//! measured. Outcomes are decided by [`super::verdict`].

use serde::{Deserialize, Serialize};

use super::{
    condition::{Condition, ConditionKey, Search},
    control::{ControlMeasurement, ControlPower, ControlScatter, PAINTED_DISCOUNT, evidence},
    density::quantile,
};
use crate::{
    Error, Result,
    image::compression::Compression,
    method::{reconstruction::Losses, signal::SignalKind},
    weights::{catalog::Entry, sha256_hex},
};

/// The version of the calibration file's format. Files of the version before have no scatter of the control, and are read
/// as well.
pub const FORMAT_VERSION: u32 = 5;
const OLDEST_VERSION: u32 = 4;

/// Images of each kind that a calibration made in the page needs at least: fewer say nothing about rare mistakes.
pub const FEWEST_IMAGES: usize = 20;

/// What a calibration takes from the check of one image.
#[derive(Debug, Clone, Copy)]
pub struct Measurement<'a> {
    /// Id of the model.
    pub model: &'a str,
    pub losses: Losses,
    pub homogeneity: f64,
    /// The shorter side of what was checked, in pixels.
    pub shorter_side: u32,
    pub compression: Compression,
    /// What the orientation control found, if there is a control.
    pub control: Option<ControlMeasurement>,
}

/// How the control scatters over these photographs.
///
/// # Errors
/// Those of [`ControlScatter::of`].
fn scatter(photographs: &[Measurement<'_>]) -> Result<ControlScatter> {
    let measured: Vec<ControlMeasurement> = photographs.iter().filter_map(|photograph| photograph.control).collect();
    ControlScatter::of(measured.len(), &measured)
}

/// What the control shows of belonging images.
///
/// # Errors
/// Those of [`evidence`].
pub fn power(
    belonging: &[ControlMeasurement],
    scatter: &ControlScatter,
    alpha: f64,
    painted: bool,
) -> Result<Option<ControlPower>> {
    let discount = if painted { PAINTED_DISCOUNT } else { 1.0 };
    let scores = belonging.iter().map(|one| Ok(evidence(one, Some(scatter))?.map(|found| found.score * discount)));
    let scores: Vec<f64> = scores.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    Ok((!scores.is_empty()).then(|| ControlPower::of(&scores, alpha)))
}

/// A calibration from photographs alone: verdicts rest on the orientation control.
///
/// # Errors
/// [`Error::BadNumbers`] for too few, or measurements of another model.
fn from_photographs(model: &str, photographs: &[Measurement<'_>], source: &str) -> Result<Calibration> {
    let sizes = photographs.iter().map(|image| (image.shorter_side, image.homogeneity)).collect();
    Calibration::of_control(model, sizes, scatter(photographs)?, source)
}

/// A calibration from images that belong to a model and others, as they were written: for people who calibrate in the page.
/// Without any that belong, from photographs alone, which may be compressed.
///
/// # Errors
/// [`Error::BadNumbers`] for fewer than [`FEWEST_IMAGES`] of a kind, images compressed with loss beside images that belong,
/// measurements of another model, and those of [`Condition::of`].
pub fn from_measurements(
    model: &str,
    belonging: &[Measurement<'_>],
    others: &[Measurement<'_>],
    alpha: f64,
    source: &str,
) -> Result<Calibration> {
    let bad = |detail: String| Err(Error::BadNumbers { what: "the calibration".into(), detail });
    let all = || belonging.iter().chain(others);
    if let Some(image) = all().find(|image| image.model != model) {
        return bad(format!("a report is about {:?}, not {model:?}", image.model));
    }
    if belonging.is_empty() {
        return from_photographs(model, others, source);
    }
    for (kind, count) in [("images that belong", belonging.len()), ("other images", others.len())] {
        if count < FEWEST_IMAGES {
            return bad(format!("{count} {kind} are too few, at least {FEWEST_IMAGES} are needed"));
        }
    }
    let lossy = all().filter(|image| image.compression != Compression::Lossless).count();
    if lossy > 0 {
        return bad(format!(
            "{lossy} of the images are compressed with loss, which moves the signal; PNG files are not"
        ));
    }
    // Reports of an earlier version have no control.
    let control = scatter(others).ok();
    let measured: Vec<ControlMeasurement> = belonging.iter().filter_map(|image| image.control).collect();
    let power = control.as_ref().map(|control| power(&measured, control, alpha, false)).transpose()?.flatten();
    let size = |image: &Measurement<'_>| (image.shorter_side, image.homogeneity);
    let limits = Limits::of([belonging, others].map(|images| images.iter().map(size).collect()))?;
    let calibration = best(&SignalKind::CALIBRATED, |signal| {
        let signals = |images: &[Measurement<'_>]| -> Result<Vec<f64>> {
            images.iter().map(|image| signal.of(image.losses, image.homogeneity)).collect()
        };
        Ok(Calibration {
            format_version: FORMAT_VERSION,
            model: model.into(),
            signal,
            minimum_side: limits.minimum_side,
            maximum_homogeneity: limits.maximum_homogeneity,
            source: source.into(),
            painted: false,
            control: control.clone(),
            conditions: vec![Condition {
                control: power,
                ..Condition::of(AS_WRITTEN, &signals(belonging)?, &signals(others)?, alpha)?
            }],
        })
    })?;
    calibration.validate()?;
    Ok(calibration)
}

/// The best of several calibrations, made of the same images for different signals: the one that finds most of the
/// belonging images. Of equals, the first.
///
/// # Errors
/// The first of `make`'s, and [`Error::BadNumbers`] without a signal.
pub fn best(signals: &[SignalKind], make: impl FnMut(SignalKind) -> Result<Calibration>) -> Result<Calibration> {
    let made = signals.iter().copied().map(make).collect::<Result<Vec<_>>>()?;
    let better = |best: Calibration, other: Calibration| if other.found() > best.found() { other } else { best };
    let none = || Error::BadNumbers { what: "the calibration".into(), detail: "no signal to choose from".into() };
    made.into_iter().reduce(better).ok_or_else(none)
}

/// Images as their generator wrote them, not searched.
pub const AS_WRITTEN: ConditionKey = ConditionKey { compression: Compression::Lossless, search: Search::None };

/// The share of the measured images of each kind that lies outside the range in which verdicts are given: one extreme
/// image says nothing about others like it.
const OUTSIDE: f64 = 0.05;

/// The range of the measured images, except a few of each kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// [`Calibration::minimum_side`].
    pub minimum_side: u32,
    /// [`Calibration::maximum_homogeneity`].
    pub maximum_homogeneity: f64,
}

impl Limits {
    /// Takes the shorter side, in pixels, and H of each image of both kinds. For sizes, images of either kind suffice:
    /// losses are means, and the size only changes their spread. Images as flat must have been measured of both kinds,
    /// because H weighs the signal itself, and one kind says nothing of the other.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for a kind without images.
    pub fn of(kinds: [Vec<(u32, f64)>; 2]) -> Result<Self> {
        let mut limits = Limits { minimum_side: u32::MAX, maximum_homogeneity: f64::INFINITY };
        for images in kinds {
            let side = quantile(images.iter().map(|&(side, _)| side.into()).collect(), OUTSIDE)?;
            let homogeneity = quantile(images.iter().map(|&(_, homogeneity)| homogeneity).collect(), 1.0 - OUTSIDE)?;
            limits.minimum_side = limits.minimum_side.min(side.ceil() as u32);
            limits.maximum_homogeneity = limits.maximum_homogeneity.min(homogeneity);
        }
        Ok(limits)
    }
}

/// A model's calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Id of the model this was measured for.
    pub model: String,
    /// The signal that was measured, one of [`SignalKind::CALIBRATED`].
    pub signal: SignalKind,
    /// The shorter side, in pixels, that all but 5 % of the measured images of one kind have at least: smaller ones get no
    /// verdict.
    pub minimum_side: u32,
    /// The homogeneity that all but 5 % of the measured images of each kind have at most: flatter ones get no verdict.
    pub maximum_homogeneity: f64,
    /// How it was measured, in words.
    pub source: String,
    /// The belonging images were painted by the model's decoder from photographs' latents, not by a generator, so they belong
    /// more clearly than a generator's do ([`super::control::PAINTED_DISCOUNT`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub painted: bool,
    /// How the orientation control scatters over photographs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlScatter>,
    /// What was measured, each key once: those that were not searched first, and for each kind of search the strongest
    /// compression first. Images of a key that is not here get no verdict. The condition of [`AS_WRITTEN`] is always
    /// here, unless photographs alone were measured: then there is none. Conditions of searched images
    /// ([`super::grid_search`]) hold contrasts in place of signals.
    pub conditions: Vec<Condition>,
}

impl Calibration {
    /// Of photographs alone, by the shorter side in pixels and H of each: verdicts rest on the orientation control.
    ///
    /// # Errors
    /// Those of [`Limits::of`], and [`Error::ManifestInvalid`] for a scatter that makes no sense.
    pub fn of_control(
        model: &str,
        photographs: Vec<(u32, f64)>,
        control: ControlScatter,
        source: &str,
    ) -> Result<Self> {
        let Limits { minimum_side, maximum_homogeneity } = Limits::of([photographs.clone(), photographs])?;
        let calibration = Calibration {
            format_version: FORMAT_VERSION,
            model: model.into(),
            signal: SignalKind::default(),
            minimum_side,
            maximum_homogeneity,
            source: source.into(),
            painted: false,
            control: Some(control),
            conditions: Vec::new(),
        };
        calibration.validate()?;
        Ok(calibration)
    }

    /// Reads and validates a calibration file.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let version: serde_json::Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        // Checked first: an older or newer format may lack other fields.
        let version = version.get("format_version").unwrap_or(&serde_json::Value::Null);
        let understood = OLDEST_VERSION.into()..=FORMAT_VERSION.into();
        if version.as_u64().is_none_or(|version: u64| !understood.contains(&version)) {
            return Err(not_understood(version));
        }
        let calibration: Calibration = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        calibration.validate()?;
        Ok(calibration)
    }

    /// The calibration of a published autoencoder, if the catalogue has one.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`], also for one of another model.
    pub fn of_entry(entry: &Entry) -> Result<Option<Self>> {
        let Some(written) = &entry.calibration else { return Ok(None) };
        let calibration: Calibration =
            serde_json::from_value(written.clone()).map_err(|error| invalid(error.to_string()))?;
        calibration.validate()?;
        calibration.check_model(&entry.id)?;
        Ok(Some(calibration))
    }

    /// # Errors
    /// [`Error::ManifestInvalid`] for another version, or numbers that make no sense.
    fn validate(&self) -> Result<()> {
        if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&self.format_version) {
            return Err(not_understood(&self.format_version.into()));
        }
        if self.control.as_ref().is_some_and(|control| !control.is_valid()) {
            return Err(invalid("the scatter of its control makes no sense".into()));
        }
        if self.maximum_homogeneity.is_nan() || self.maximum_homogeneity <= 0.0 {
            return Err(invalid("its highest homogeneity makes no sense".into()));
        }
        if !SignalKind::CALIBRATED.contains(&self.signal) {
            return Err(invalid(format!("{} is no signal that verdicts can rest on", self.signal.formula())));
        }
        self.conditions.iter().try_for_each(|condition| condition.validate().map_err(|wrong| invalid(wrong.into())))?;
        if !self.conditions.is_sorted_by(|a, b| a.key().order() < b.key().order()) {
            return Err(invalid("its conditions are not each there once, in their order".into()));
        }
        if self.as_written().is_none() && !(self.conditions.is_empty() && self.control.is_some()) {
            return Err(invalid("images as they were written were not measured".into()));
        }
        Ok(())
    }

    /// The condition of [`AS_WRITTEN`].
    pub fn as_written(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.key() == AS_WRITTEN)
    }

    /// The condition that [`crate::evidence::condition::Evidence::condition`] names.
    pub fn condition(&self, title: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.key().title() == title)
    }

    /// The conditions that an image is judged by, all of which must agree: that of its key, or, for a JPEG quality that
    /// was not measured, those of the nearest qualities on both sides. Images without loss count as above all
    /// qualities. Empty where these were not measured, as losses without a quality never are.
    pub fn conditions(&self, key: ConditionKey) -> Vec<&Condition> {
        let alike: Vec<&Condition> =
            self.conditions.iter().filter(|condition| condition.search == key.search).collect();
        match key.compression {
            Compression::Lossless => alike.into_iter().filter(|condition| condition.quality().is_none()).collect(),
            Compression::Lossy => Vec::new(),
            Compression::Jpeg(quality) => {
                let below = alike.iter().rfind(|condition| condition.quality().is_some_and(|own| own <= quality));
                let above = alike.iter().find(|condition| condition.quality().is_none_or(|own| own >= quality));
                match (below, above) {
                    (Some(below), Some(above)) if below == above => vec![below],
                    (Some(below), Some(above)) => vec![below, above],
                    _ => Vec::new(),
                }
            }
        }
    }

    /// The lowest JPEG quality that was measured after such a search.
    pub fn lowest_quality(&self, search: Search) -> Option<u8> {
        self.conditions.iter().filter(|condition| condition.search == search).find_map(Condition::quality)
    }

    /// The hash of its canonical form, however the file is formatted: lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        sha256_hex(self.to_json().as_bytes())
    }

    /// The share of its own belonging images that it finds, over all conditions that a signal is judged by.
    fn found(&self) -> f64 {
        let found = self.conditions.iter().filter(|condition| condition.search == Search::None).map(Condition::found);
        let (sum, count) = found.fold((0.0, 0.0), |(sum, count), found| (sum + found, count + 1.0));
        sum / f64::max(count, 1.0)
    }

    /// The calibration as it is stored.
    pub fn to_json(&self) -> String {
        // A struct of strings and finite numbers always has a JSON form.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// # Errors
    /// [`Error::ManifestInvalid`] if it was measured for another model.
    pub fn check_model(&self, id: &str) -> Result<()> {
        if self.model == id {
            return Ok(());
        }
        Err(invalid(format!("it was measured for the model {:?}, not {id:?}", self.model)))
    }
}

fn not_understood(version: &serde_json::Value) -> Error {
    invalid(format!("its format version is {version}, and {OLDEST_VERSION} to {FORMAT_VERSION} are understood"))
}

fn invalid(detail: String) -> Error {
    Error::ManifestInvalid { file: "the calibration".into(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(key: ConditionKey, others_from: f64) -> Condition {
        let belonging: Vec<f64> = (0..50).map(|i| 0.5 + f64::from(i) / 100.0).collect();
        let others: Vec<f64> = (0..101).map(|i| others_from + f64::from(i) / 10.0).collect();
        Condition::of(key, &belonging, &others, 0.05).unwrap()
    }

    fn calibration(signal: SignalKind, conditions: Vec<Condition>) -> Calibration {
        Calibration {
            format_version: FORMAT_VERSION,
            model: "test".into(),
            signal,
            minimum_side: 64,
            maximum_homogeneity: 1.0,
            source: String::new(),
            painted: false,
            control: None,
            conditions,
        }
    }

    #[test]
    fn the_signal_that_finds_most_is_chosen_and_of_equals_the_first() {
        // The ratio's others begin among the images that belong.
        let starts = |signal| {
            calibration(signal, vec![condition(AS_WRITTEN, if signal == SignalKind::Ratio { 0.6 } else { 3.0 })])
        };
        let chosen = |signals: &[SignalKind]| best(signals, |signal| Ok(starts(signal))).unwrap().signal;
        assert_eq!(chosen(&[SignalKind::Ratio, SignalKind::Weighed, SignalKind::Paper]), SignalKind::Weighed);
        assert_eq!(chosen(&[SignalKind::Paper, SignalKind::Weighed]), SignalKind::Paper);
        assert_eq!(chosen(&[SignalKind::Ratio]), SignalKind::Ratio);
        assert!(best(&[], |signal| Ok(starts(signal))).is_err());
    }

    /// Every key that an image can have is answered by what was measured for it, or not at all.
    #[test]
    fn a_key_finds_its_own_conditions_or_none() {
        use Compression::{Jpeg, Lossless, Lossy};
        let key = |compression, search| ConditionKey { compression, search };
        let measured = [
            key(Jpeg(75), Search::None),
            key(Jpeg(95), Search::None),
            AS_WRITTEN,
            key(Jpeg(85), Search::SameSize),
            key(Lossless, Search::SameSize),
            key(Lossless, Search::Resized),
        ];
        let calibration = calibration(SignalKind::Paper, measured.map(|key| condition(key, 3.0)).into());
        calibration.validate().unwrap();
        let found = |compression, search| -> Vec<String> {
            calibration.conditions(key(compression, search)).iter().map(|found| found.key().title()).collect()
        };
        assert_eq!(found(Lossless, Search::None), ["as written"]);
        assert_eq!(found(Jpeg(75), Search::None), ["JPEG 75"]);
        assert_eq!(found(Jpeg(80), Search::None), ["JPEG 75", "JPEG 95"]);
        assert_eq!(found(Jpeg(99), Search::None), ["JPEG 95", "as written"]);
        assert_eq!(found(Lossless, Search::SameSize), ["searched"]);
        assert_eq!(found(Jpeg(90), Search::SameSize), ["searched, JPEG 85", "searched"]);
        assert_eq!(found(Lossless, Search::Resized), ["searched, resized"]);
        let nothing: [String; 0] = [];
        for (compression, search) in [
            (Jpeg(74), Search::None),
            (Jpeg(84), Search::SameSize),
            (Jpeg(95), Search::Resized),
            (Lossy, Search::None),
            (Lossy, Search::Resized),
        ] {
            assert_eq!(found(compression, search), nothing, "{compression:?} {search:?}");
        }
        assert_eq!(
            [Search::None, Search::SameSize, Search::Resized].map(|search| calibration.lowest_quality(search)),
            [Some(75), Some(85), None]
        );
    }

    #[test]
    fn conditions_are_each_there_once_in_order_and_one_is_of_images_as_written() {
        let jpeg = |quality| condition(ConditionKey { compression: Compression::Jpeg(quality), ..AS_WRITTEN }, 3.0);
        let written = || condition(AS_WRITTEN, 3.0);
        let valid = |conditions| calibration(SignalKind::Paper, conditions).validate().is_ok();
        assert!(valid(vec![written()]) && valid(vec![jpeg(75), jpeg(95), written()]));
        for wrong in [vec![], vec![jpeg(75)], vec![written(), jpeg(75)], vec![jpeg(75), jpeg(75), written()]] {
            assert!(!valid(wrong));
        }
        for compression in [Compression::Lossy, Compression::Jpeg(0), Compression::Jpeg(101)] {
            assert!(!valid(vec![Condition { compression, ..written() }, written()]), "{compression:?}");
        }
    }

    /// One image that is flatter, or smaller, than all others does not let images like it have verdicts.
    #[test]
    fn limits_do_not_follow_one_extreme_image() {
        let kind =
            |sides: u32| -> Vec<(u32, f64)> { (0..50).map(|i| (sides + i, 0.5 + f64::from(i) / 250.0)).collect() };
        let limits =
            |extreme: Option<(u32, f64)>| Limits::of([kind(200), kind(300).into_iter().chain(extreme).collect()]);
        let usual = limits(None).unwrap();
        assert_eq!(usual.minimum_side, 203);
        assert!((usual.maximum_homogeneity - (0.5 + 0.95 * 49.0 / 250.0)).abs() < 1e-9, "{usual:?}");
        let Limits { minimum_side, maximum_homogeneity } = limits(Some((8, 1.0))).unwrap();
        assert!(minimum_side == 203 && maximum_homogeneity < 0.7, "{minimum_side} {maximum_homogeneity}");
        assert!(Limits::of([kind(200), Vec::new()]).is_err());
    }
}
