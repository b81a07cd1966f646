//! The whole check of one image against one model: image → losses → signal → verdict.

use super::{
    candidate::Candidate,
    check_report::{CheckReport, ControlLine, DeviceLine, ImageLine, LossLine, ModelLine},
};
use crate::{
    Error, Result,
    engine::{device::DeviceKind, gpu::Gpu},
    evidence::{
        control::{ControlScatter, UNDECIDED},
        evidence_map::{EvidenceMap, FLAT, MOST_PIXELS},
        grid_search::{Found, recompressed_contrast, search},
        regions::{Region, regions},
        verdict::Outcome,
    },
    image::{DecodeOptions, DecodedImage, LeftOut, compression::Compression, decode, orientation::Orientation},
    message::Message,
    method::{
        distance::{Distances, distances},
        homogeneity::homogeneity,
        input::CroppedImage,
        orientation_control::{Comparison, OrientationControl},
        reconstruction::{Progress, Reconstructions, Source, Stage, oriented_errors, reconstructions},
        signal::{SignalKind, loss_ratio, signal},
    },
};

/// The smallest side that a reconstruction makes sense for, in latents.
const MINIMUM_LATENTS: usize = 4;

/// Checks the bytes of an image file.
///
/// # Errors
/// Those of [`decode`] and [`reconstructions`], and [`Error::ImageTooSmall`].
pub async fn check(
    candidate: &Candidate,
    bytes: &[u8],
    options: &DecodeOptions,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    if !progress.report(0.0, Stage::Decode).await {
        return Err(Error::Cancelled);
    }
    check_image(candidate, &decode(bytes, options)?, progress).await
}

/// Checks an image that has been decoded.
///
/// # Errors
/// As [`check`].
pub async fn check_image(
    candidate: &Candidate,
    image: &DecodedImage,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    Ok(reconstruct(candidate, Part::of(image), Kept::Losses, Compared::Sequence, progress).await?.0)
}

/// As [`check_image`]; the orientation control compares the image with these orientations and no others.
///
/// # Errors
/// As [`check`].
pub async fn check_orientations(
    candidate: &Candidate,
    image: &DecodedImage,
    orientations: &[Orientation],
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    let compared = Compared::These(orientations);
    Ok(reconstruct(candidate, Part::of(image), Kept::Losses, compared, progress).await?.0)
}

/// As [`check_image`], and computes the other distances as well.
///
/// # Errors
/// As [`check`].
pub async fn check_distances(
    candidate: &Candidate,
    image: &DecodedImage,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    Ok(reconstruct(candidate, Part::of(image), Kept::Distances, Compared::Sequence, progress).await?.0)
}

/// Searches for the grid on which the image may have been decoded, and checks the image there: many times the work of
/// [`check_image`].
///
/// # Errors
/// As [`check`], and those of [`search`].
pub async fn check_searched(
    candidate: &Candidate,
    image: &DecodedImage,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    Ok(searched(candidate, image, Kept::Losses, progress).await?.0)
}

/// As [`check_image`], or [`check_searched`] if the check is to be `deep`; adds where in the image the evidence lies,
/// unless the image has more than [`MOST_PIXELS`].
///
/// # Errors
/// As [`check_searched`].
pub async fn check_with_map(
    candidate: &Candidate,
    image: &DecodedImage,
    deep: bool,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<EvidenceMap>)> {
    let pixels = u64::from(image.width).saturating_mul(image.height.into());
    let kept = if pixels <= MOST_PIXELS as u64 { Kept::Map } else { Kept::Losses };
    if deep {
        searched(candidate, image, kept, progress).await
    } else {
        reconstruct(candidate, Part::of(image), kept, Compared::Sequence, progress).await
    }
}

async fn searched(
    candidate: &Candidate,
    image: &DecodedImage,
    kept: Kept,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<EvidenceMap>)> {
    let found = search(&candidate.model, image, &mut Share { progress, from: 0.0, to: SEARCHING }).await?;
    let aligned = found.alignment.undo(image)?;
    let part = Part { image, aligned: &aligned, found: Some(found.clone()) };
    let (mut report, map) =
        reconstruct(candidate, part, kept, Compared::Sequence, &mut Share { progress, from: SEARCHING, to: 0.97 })
            .await?;
    if report.outcome == Outcome::Matches {
        let share = &mut Share { progress, from: 0.97, to: 1.0 };
        let contrast = recompressed_contrast(&candidate.model, image, &found, share).await?;
        report.search = Some(Found { recompressed: Some(contrast), ..found });
        report.judge(candidate.calibration.as_ref())?;
    }
    Ok((report, map))
}

/// The share of a searched check's work that the search takes, about.
const SEARCHING: f64 = 0.9;

/// Progress of one part of the work, scaled to its share of the whole.
struct Share<'a, P> {
    progress: &'a mut P,
    from: f64,
    to: f64,
}

impl<P: Progress> Progress for Share<'_, P> {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        self.progress.report(self.from + fraction * (self.to - self.from), stage).await
    }
}

/// What is kept of the reconstructions besides the losses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Losses,
    Distances,
    Map,
}

/// What the orientation control compares an image with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared<'a> {
    /// The mirrored image, and others while it is undecided.
    Sequence,
    These(&'a [Orientation]),
}

impl<'a> Compared<'a> {
    fn orientations(self) -> &'a [Orientation] {
        match self {
            Compared::Sequence => &SEQUENCE,
            Compared::These(orientations) => orientations,
        }
    }
}

/// What is reconstructed of an image.
struct Part<'a> {
    image: &'a DecodedImage,
    /// The image as it is, or as a search found it.
    aligned: &'a DecodedImage,
    found: Option<Found>,
}

impl<'a> Part<'a> {
    /// All of it, as it is.
    fn of(image: &'a DecodedImage) -> Self {
        Part { image, aligned: image, found: None }
    }
}

async fn reconstruct(
    candidate: &Candidate,
    Part { image, aligned, found }: Part<'_>,
    kept: Kept,
    compared: Compared<'_>,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<EvidenceMap>)> {
    let model = &candidate.model;
    let cropped = CroppedImage::of(aligned, &model.manifest.architecture);
    let minimum = cropped.multiple.saturating_mul(MINIMUM_LATENTS);
    if cropped.width.min(cropped.height) < minimum {
        let (width, height) = (image.width.into(), image.height.into());
        return Err(Error::ImageTooSmall { width, height, minimum: minimum as u64 });
    }
    // No larger than the image's own.
    let (width, height) = (cropped.width as u32, cropped.height as u32);
    // Resets the peak, so that the next call reports this check's.
    Gpu::memory();
    let twice = &mut Share { progress, from: 0.0, to: TWICE };
    let Reconstructions { losses, errors, kept: made } =
        reconstructions(model, &cropped, kept != Kept::Losses, twice).await?;
    let mut control = OrientationControl::new([cropped.height, cropped.width], errors);
    let made_for = |wanted: Kept| made.as_ref().filter(|_| kept == wanted);
    let distances = made_for(Kept::Distances).map(|made| both_distances(&cropped, made)).transpose()?;
    let mut map = made_for(Kept::Map).map(|made| EvidenceMap::of(&cropped, made, FLAT)).transpose()?;
    let map_bytes = (model.device.kind == DeviceKind::WebGpu).then(|| Gpu::memory().1);
    let homogeneity = homogeneity(&aligned.grey, aligned.width as usize)?;
    let mut report = CheckReport {
        model: ModelLine::of(candidate),
        image: ImageLine {
            width: image.width,
            height: image.height,
            format: image.format.into(),
            compression: image.compression,
            checked_width: width,
            checked_height: height,
        },
        losses: LossLine { first: losses.first, second: losses.second, ratio: loss_ratio(losses)? },
        homogeneity,
        t: signal(losses, homogeneity)?,
        signal_kind: SignalKind::default(),
        signal: 0.0,
        threshold: None,
        outcome: Outcome::CannotTell,
        reason: None,
        evidence: None,
        further_evidence: Vec::new(),
        control: None,
        search: found,
        distances,
        notes: notes(aligned, &cropped),
        device: DeviceLine {
            kind: model.device.kind,
            adapter: model.device.adapter.clone(),
            maps: model.maps.name().into(),
            map_bytes,
        },
    };
    let calibration = candidate.calibration.as_ref();
    let orientations = compared.orientations();
    let (mut at, mut comparison) = (TWICE, None);
    for (position, &orientation) in orientations.iter().enumerate() {
        let to = at + (1.0 - at) / if position == 0 { 2.0 } else { orientations.len().saturating_sub(position) as f64 };
        let errors = oriented_errors(model, &cropped, orientation, &mut Share { progress, from: at, to }).await?;
        at = to;
        control.add(orientation, errors);
        comparison = control.compare();
        report.control = comparison.as_ref().and_then(|comparison| ControlLine::of(&control, comparison));
        let evidence = report.judge_control(calibration)?;
        let undecided = evidence.is_some_and(|evidence| UNDECIDED.contains(&evidence.other_share));
        if compared == Compared::Sequence && !undecided {
            break;
        }
    }
    let scatter = calibration.and_then(|calibration| calibration.control.as_ref());
    if let (Some(map), Some(comparison)) = (&mut map, &comparison) {
        map.add_control(comparison, scatter);
    }
    let found = comparison.map(|comparison| found_regions(&report, &comparison, scatter));
    if let (Some(line), Some(found)) = (&mut report.control, found) {
        line.regions = found;
    }
    report.judge(calibration)?;
    Ok((report, map))
}

/// Parts that differ from the rest, in pixels of the file.
fn found_regions(report: &CheckReport, compared: &Comparison, scatter: Option<&ControlScatter>) -> Vec<Region> {
    let sides = [report.image.checked_width, report.image.checked_height];
    let found = regions(compared, scatter, sides, report.image.compression == Compression::Lossless);
    let [left, top, width, height] = report.placement();
    let [across, down] = [width / f64::from(sides[0].max(1)), height / f64::from(sides[1].max(1))];
    found.into_iter().map(|region| region.placed([left, top], [across, down])).collect()
}

/// The orientations that an image is compared with, one after the other while it is undecided. One mirror is nearly as good as
/// several (docs/measured.md), and costs half of the double reconstruction.
const SEQUENCE: [Orientation; 5] = [
    Orientation::Mirrored,
    Orientation::Flipped,
    Orientation::HalfTurn,
    Orientation::QuarterTurn,
    Orientation::ThreeQuarterTurn,
];

/// The share of the work, about, that the double reconstruction takes.
const TWICE: f64 = 0.6;

/// The distances of x1 from x and of x2 from x1.
fn both_distances(image: &CroppedImage<'_>, [first, second]: &[Vec<f32>; 2]) -> Result<[Distances; 2]> {
    let size = image.size();
    let original = image.rows(0..size[1]);
    Ok([distances(&original, first, size)?, distances(first, second, size)?])
}

fn notes(image: &DecodedImage, cropped: &CroppedImage<'_>) -> Vec<Message> {
    let mut notes = Vec::new();
    let CroppedImage { width, height, multiple, .. } = *cropped;
    if (width, height) != (image.width as usize, image.height as usize) {
        let message = format!(
            "The image's sides are not multiples of {multiple}, so its right and bottom edges were left out: \
             {width} × {height} of {} × {} pixels were checked.",
            image.width, image.height
        );
        let (whole_width, whole_height) = (image.width, image.height);
        let sides = [("width", width as u64), ("height", height as u64), ("multiple", multiple as u64)];
        let cropped =
            sides.into_iter().fold(Message::new("cropped", message), |all, (name, side)| all.with(name, side));
        notes.push(cropped.with("whole_width", whole_width).with("whole_height", whole_height));
    }
    notes.extend(image_messages(image));
    notes
}

/// What a person should know about the image's decoding, and about its format before that.
pub fn image_messages(image: &DecodedImage) -> Vec<Message> {
    let mut notes = Vec::new();
    if image.orientation_ignored {
        let message = "The file asks to be shown turned; its pixels were checked as they are stored.";
        notes.push(Message::new("orientation_ignored", message));
    }
    let LeftOut { pictures, depth, inks, transparency } = image.left_out;
    for (is_so, code, message) in [
        (pictures, "first_picture", "The file holds several pictures, as animations do; only the first was checked."),
        (
            depth,
            "depth_reduced",
            "The file has more than 8 bits a channel; it was checked in 8 bits, which is what generators write.",
        ),
        (
            inks,
            "inks_converted",
            "The file's colours are printing inks (CMYK); they were converted, which changes pixels and can hide a match.",
        ),
        (
            transparency,
            "transparency_ignored",
            "Parts of the image are transparent; the colours that are stored there were checked.",
        ),
    ] {
        if is_so {
            notes.push(Message::new(code, message));
        }
    }
    match image.compression {
        Compression::Jpeg(quality) => {
            let message = format!(
                "JPEG compression changes pixels and can hide a match. This file's quality is {quality} of 100."
            );
            notes.push(Message::new("jpeg", message).with("quality", quality));
        }
        Compression::Lossy if image.few_colours => {
            let message = "The image has a palette, or fewer than 8 bits a channel; rounding colours to those changes \
                           pixels and can hide a match.";
            notes.push(Message::new("few_colours", message));
        }
        Compression::Lossy => {
            let message = format!("{} compression changes pixels and can hide a match.", image.format);
            notes.push(Message::new("lossy", message));
        }
        Compression::Lossless => {}
    }
    notes
}
