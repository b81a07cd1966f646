//! How few bits each tensor can have so that t hardly moves.
//!
//! The search measures what rounding a single tensor to the fewest bits does to t. One more bit halves that effect, and
//! the errors of tensors are independent, so their squares add up. One multiplier weighs that sum against size: each
//! tensor takes the format of the least bytes + multiplier · square. The search for the multiplier measures t itself.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "runs natively, over the lists that it makes itself"
)]

use std::{collections::HashMap, fs, path::PathBuf};

use pollster::block_on;

use super::{
    reconstruction::{self, Silent, Values, double_reconstruction},
    signal::loss_ratio,
};
use crate::{
    Error, Result,
    autoencoder::spec::ParameterSpec,
    engine::device::{ComputeDevice, DevicePreference},
    image::{DecodeOptions, decode, level, value},
    weights::{
        Fidelity, Manifest, Model, ModelLoader,
        pack::{FormatSearch, FoundFormats, Source, file_error},
        shard::compressed_bytes,
        tensor::{Format, rounded, store},
    },
};

/// The formats of a search, the smallest first.
const FORMATS: [Format; 6] =
    [Format::Blocks(8), Format::Blocks(9), Format::Blocks(10), Format::Blocks(11), Format::Blocks(12), Format::F16];

/// Bits of blocks that round about as finely as f16.
const BITS_OF_F16: u32 = 14;

/// Smaller tensors stay f16: together they are next to nothing.
const LEAST_VALUES: usize = 1024;

/// Images on which single tensors are measured.
const SENSITIVITY_IMAGES: usize = 4;

/// Halvings of the range in which the multiplier is looked for.
const HALVINGS: usize = 9;

/// How much a pack may change t, and on what that is measured.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The largest mean of |Δt / t|; one image may change by twice as much.
    pub change: f64,
    /// Photographs. Each also stands for the image that the model itself makes of it.
    pub images: &'a [PathBuf],
    /// Pixels a side of the squares that are cut out of their middle.
    pub side: usize,
    /// Receives each measured point of the curve of size and fidelity.
    pub watch: &'a dyn Fn(&CurvePoint),
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Budget({}, {} images)", self.change, self.images.len())
    }
}

/// One way to store all tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// "f16", "12 bits", … or "mixed".
    pub formats: String,
    /// Bytes of all tensors, compressed.
    pub bytes: u64,
    pub fidelity: Fidelity,
}

impl FormatSearch for Budget<'_> {
    /// Searches for the smallest pack within the budget. If there is none, all tensors are f16, and the fidelity shows
    /// the change.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] without images that are large enough, those of decoding and reconstructing.
    fn search(&self, manifest: &Manifest, parameters: &[ParameterSpec], source: &Source) -> Result<FoundFormats> {
        let mut search = Search::new(manifest, parameters, source, *self)?;
        let uniform = |format| vec![format; search.tensors.len()];
        let mut best = search.measure("f16", uniform(Format::F16))?;
        for (name, format) in [("12 bits", FORMATS[4]), ("10 bits", FORMATS[2]), ("8 bits", FORMATS[0])] {
            best = search.better(best, search.measure(name, uniform(format))?);
        }
        search.measure_sensitivities()?;
        let (mut few, mut many) = search.range();
        for _ in 0..HALVINGS {
            // The geometric mean: sizes and squares differ by orders of magnitude.
            let middle = (few * many).sqrt();
            let tried = search.measure("mixed", search.allocate(middle))?;
            if search.within(&tried.1.fidelity) {
                many = middle;
            } else {
                few = middle;
            }
            best = search.better(best, tried);
        }
        let (formats, point) = best;
        let names = search.tensors.iter().map(|tensor| tensor.name.clone());
        Ok(FoundFormats { formats: names.zip(formats).collect(), fidelity: point.fidelity })
    }
}

struct Search<'a> {
    manifest: &'a Manifest,
    parameters: &'a [ParameterSpec],
    source: &'a Source,
    budget: Budget<'a>,
    device: ComputeDevice,
    cases: Vec<Case>,
    /// The tensors that may be stored in blocks.
    tensors: Vec<Tensor>,
    /// Bytes of the others.
    other_bytes: u64,
}

/// An image, and its L1 / L2 with the source's weights. H stays the same, so t changes by the same factor.
struct Case {
    image: Values,
    ratio: f64,
}

struct Tensor {
    name: String,
    /// By [`FORMATS`].
    bytes: Vec<u64>,
    /// The mean of (Δt / t)² with this tensor alone in the first of [`FORMATS`].
    square: f64,
}

impl<'a> Search<'a> {
    fn new(
        manifest: &'a Manifest,
        parameters: &'a [ParameterSpec],
        source: &'a Source,
        budget: Budget<'a>,
    ) -> Result<Self> {
        let device = block_on(ComputeDevice::open(DevicePreference::Cpu))?;
        let (mut tensors, mut other_bytes) = (Vec::new(), 0);
        for ParameterSpec { name, shape } in parameters {
            let values = source.values(name)?;
            let size = |format| compressed_bytes(&store(name, shape, &values, format)) as u64;
            if shape.len() > 1 && values.len() >= LEAST_VALUES {
                tensors.push(Tensor { name: name.clone(), bytes: FORMATS.map(size).into(), square: 0.0 });
            } else {
                other_bytes += size(Format::F16);
            }
        }
        let mut search =
            Search { manifest, parameters, source, budget, device, cases: Vec::new(), tensors, other_bytes };
        let model = search.model(&|_| Format::F32)?;
        for path in budget.images {
            search.add_cases(&model, path)?;
        }
        if search.cases.is_empty() {
            let detail = format!("none of them is at least {} pixels wide and high", budget.side);
            return Err(Error::BadNumbers { what: "the images for the budget".into(), detail });
        }
        Ok(search)
    }

    /// A photograph, and what the model makes of it.
    fn add_cases(&mut self, model: &Model, path: &PathBuf) -> Result<()> {
        let bytes = fs::read(path).map_err(|error| file_error(path, &error))?;
        let image = decode(&bytes, &DecodeOptions::default())?;
        let Some(photograph) = image.middle_square(self.budget.side) else { return Ok(()) };
        let size = [3, self.budget.side, self.budget.side];
        let photograph = Values::new(photograph, size)?;
        let latent = block_on(reconstruction::encode(model, &photograph))?;
        let reduction = self.manifest.architecture.reduction();
        let latent_size = [self.manifest.architecture.latent_channels(), size[1] / reduction, size[2] / reduction];
        let made = block_on(reconstruction::decode(model, &Values::new(latent, latent_size)?))?;
        let made = made.into_iter().map(|made| value(level(made))).collect();
        for image in [photograph, Values::new(made, size)?] {
            let ratio = ratio(model, &image)?;
            self.cases.push(Case { image, ratio });
        }
        Ok(())
    }

    fn model(&self, format: &dyn Fn(&str) -> Format) -> Result<Model> {
        let mut loader = ModelLoader::new(self.manifest.clone(), self.device.clone());
        for ParameterSpec { name, shape } in self.parameters {
            let values = rounded(name, shape, self.source.values(name)?, format(name));
            loader.add_values(name.clone(), shape.clone(), values);
        }
        Ok(loader.finish()?.0)
    }

    /// |Δt / t| of the first cases.
    fn changes(&self, format: &dyn Fn(&str) -> Format, cases: usize) -> Result<Vec<f64>> {
        let model = self.model(format)?;
        let change = |case: &Case| Ok((ratio(&model, &case.image)? / case.ratio - 1.0).abs());
        self.cases.iter().take(cases).map(change).collect()
    }

    fn measure(&self, name: &str, formats: Vec<Format>) -> Result<(Vec<Format>, CurvePoint)> {
        let chosen: HashMap<&str, Format> =
            self.tensors.iter().map(|tensor| tensor.name.as_str()).zip(formats.iter().copied()).collect();
        let format = |name: &str| chosen.get(name).copied().unwrap_or(Format::F16);
        let changes = self.changes(&format, self.cases.len())?;
        let sizes = self.tensors.iter().zip(&formats).map(|(tensor, format)| tensor.size(*format));
        let point = CurvePoint {
            formats: name.into(),
            bytes: self.other_bytes + sizes.sum::<u64>(),
            fidelity: Fidelity {
                mean_change: changes.iter().sum::<f64>() / changes.len() as f64,
                largest_change: changes.iter().copied().fold(0.0, f64::max),
                images: changes.len(),
            },
        };
        (self.budget.watch)(&point);
        Ok((formats, point))
    }

    fn measure_sensitivities(&mut self) -> Result<()> {
        for index in 0..self.tensors.len() {
            let only = self.tensors[index].name.clone();
            let format = |name: &str| if name == only { FORMATS[0] } else { Format::F32 };
            let changes = self.changes(&format, SENSITIVITY_IMAGES)?;
            self.tensors[index].square =
                changes.iter().map(|change| change * change).sum::<f64>() / changes.len() as f64;
        }
        Ok(())
    }

    fn within(&self, fidelity: &Fidelity) -> bool {
        fidelity.is_within(self.budget.change)
    }

    fn better(&self, best: (Vec<Format>, CurvePoint), tried: (Vec<Format>, CurvePoint)) -> (Vec<Format>, CurvePoint) {
        let smaller = tried.1.bytes < best.1.bytes || !self.within(&best.1.fidelity);
        if self.within(&tried.1.fidelity) && smaller { tried } else { best }
    }

    /// Multipliers under which all tensors are in the first and in the last of [`FORMATS`].
    fn range(&self) -> (f64, f64) {
        let squares = self.tensors.iter().map(|tensor| tensor.square).filter(|square| *square > 0.0);
        let (least, most) =
            squares.fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), square| (least.min(square), most.max(square)));
        let bytes = self.tensors.iter().map(|tensor| tensor.size(Format::F16)).max().unwrap_or(1) as f64;
        (1e-3 / most, bytes / least.min(most) * 4f64.powi(BITS_OF_F16 as i32 - 8))
    }

    fn allocate(&self, multiplier: f64) -> Vec<Format> {
        let cost = |tensor: &Tensor, format: Format| tensor.size(format) as f64 + multiplier * tensor.square_of(format);
        let cheapest = |tensor: &Tensor| {
            let best = FORMATS.into_iter().min_by(|a, b| cost(tensor, *a).total_cmp(&cost(tensor, *b)));
            best.unwrap_or(Format::F16)
        };
        self.tensors.iter().map(cheapest).collect()
    }
}

impl Tensor {
    fn size(&self, format: Format) -> u64 {
        FORMATS.iter().position(|other| *other == format).map_or(0, |index| self.bytes[index])
    }

    fn square_of(&self, format: Format) -> f64 {
        let bits = match format {
            Format::Blocks(bits) => bits,
            Format::F16 | Format::F32 => BITS_OF_F16,
        };
        self.square * 4f64.powi(8 - bits as i32)
    }
}

fn ratio(model: &Model, image: &Values) -> Result<f64> {
    loss_ratio(block_on(double_reconstruction(model, image, &mut Silent))?)
}
