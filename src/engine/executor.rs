//! The executor: an encoder's or decoder's operations with their weights on a back end, run by a plan.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use burn::tensor::{Device, Tensor};

use super::{
    kernels::{Band, Kernels, Modulated, Sources},
    operations::{Convolution, MapId, Operation, Transform},
    plan::{Limits, Plan, Rows, Step, band_rows, is_end, least_buffer, plan},
};
use crate::{
    Error, Result,
    autoencoder::{
        Parameters,
        spec::{GroupNormSpec, MapSize},
    },
};

/// Multiply-adds of one launch, about, while the device's speed is unknown: a slow GPU computes them in a few
/// hundredths of a second, far below what drivers take for a hang, and they are few enough for progress and cancelling
/// on a CPU.
pub const LAUNCH_WORK: u64 = 1 << 29;
/// Fewer rows would leave most of a GPU kernel's tile empty.
const LAUNCH_ROWS: usize = 16;

/// Receives the work that was computed or queued, and decides whether to continue.
pub trait Meter {
    /// # Errors
    /// Whatever ends the computation, such as [`Error::Cancelled`].
    fn spent(&mut self, multiply_adds: u64) -> impl Future<Output = Result<()>>;

    /// Multiply-adds that one launch may have.
    fn launch_work(&self) -> u64 {
        LAUNCH_WORK
    }
}

/// Operations whose weights are on a back end.
#[derive(Debug)]
pub struct Executor<K: Kernels> {
    kernels: K,
    operations: Vec<Operation>,
    weights: Vec<Weights<K>>,
}

#[derive(Debug)]
enum Weights<K: Kernels> {
    None,
    Convolution(K::Convolution),
    Norm(K::Norm),
    Table(K::Table),
}

impl<K: Kernels> Executor<K> {
    /// Takes the parameters of `operations` and packs them for the kernels.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub fn load(
        kernels: K,
        operations: Vec<Operation>,
        parameters: &mut impl Parameters,
        device: &Device,
    ) -> Result<Self> {
        let mut take = TakeParameters { parameters, device };
        let weights = operations.iter().map(|operation| {
            Ok(match operation {
                Operation::Convolution(conv) => {
                    let (weight, bias) = take.convolution(conv);
                    Weights::Convolution(kernels.pack_convolution(conv, weight, bias)?)
                }
                Operation::Statistics { norm, .. } => {
                    let [scale, shift] = take.norm(norm);
                    Weights::Norm(kernels.pack_norm(scale, shift)?)
                }
                Operation::ChannelNorm { norm, .. } => {
                    let gamma = take.take(&norm.name, "gamma", [norm.channels]);
                    Weights::Table(kernels.pack_table(gamma.reshape([1, norm.channels]))?)
                }
                Operation::Quantise { codebook, .. } => {
                    let values = take.take(&codebook.name, "weight", [codebook.entries, codebook.channels]);
                    Weights::Table(kernels.pack_table(values)?)
                }
                Operation::Attention { .. } | Operation::Modulate { .. } => Weights::None,
            })
        });
        let weights = weights.collect::<Result<_>>()?;
        Ok(Executor { kernels, operations, weights })
    }

    /// Room for an input of this size.
    pub fn allocate_input(&self, size: MapSize) -> Band<K::Buffer> {
        let bytes = self.kernels.limits().end_bytes(size, size[1]);
        Band::whole(self.kernels.allocate(bytes, true), size)
    }

    /// What it runs on.
    pub fn kernels(&self) -> &K {
        &self.kernels
    }

    /// Plans for an input of this size, to take at most `memory` bytes if possible; `None` if one buffer would have to
    /// be larger than the device allows.
    pub fn plan(&self, input: MapSize, memory: u64) -> Option<Plan> {
        plan(&self.operations, input, &Limits { memory, ..self.kernels.limits() })
    }

    /// Bytes of the largest buffer that no plan for an input of this size can do without.
    pub fn least_buffer(&self, input: MapSize) -> u64 {
        least_buffer(&self.operations, input, &self.kernels.limits())
    }

    /// Computes the result of a whole input.
    ///
    /// # Errors
    /// Those of the meter, and [`Error::DeviceFailed`].
    pub async fn run(&self, input: &Band<K::Buffer>, plan: &Plan, meter: &mut impl Meter) -> Result<Band<K::Buffer>> {
        let maps = plan.sizes.iter().map(|_| None).collect();
        let mut execution = Execution { executor: self, plan, input, maps, affine: Vec::new() };
        for step in &plan.steps {
            execution.step(step, meter).await?;
            step.forget.iter().for_each(|&map| execution.maps[map] = None);
        }
        execution.maps.pop().flatten().ok_or_else(missing)
    }
}

/// An executor at work on one input.
struct Execution<'a, K: Kernels> {
    executor: &'a Executor<K>,
    plan: &'a Plan,
    input: &'a Band<K::Buffer>,
    /// Whole maps, and the bands of the step at work. The input is not among them.
    maps: Vec<Option<Band<K::Buffer>>>,
    /// By [`Transform::Normalise`].
    affine: Vec<K::Affine>,
}

impl<K: Kernels> Execution<'_, K> {
    /// Makes one whole map, or the statistics of one.
    async fn step(&mut self, step: &Step, meter: &mut impl Meter) -> Result<()> {
        let Executor { kernels, operations, weights } = self.executor;
        let Some((&last, inner)) = step.operations.split_last() else { return Ok(()) };
        let sizes = &self.plan.sizes;
        let chain: Vec<&Operation> = step.operations.iter().map(|&index| &operations[index]).collect();
        let mut buffers: Vec<Option<K::Buffer>> =
            step.buffers.iter().map(|&bytes| Some(kernels.allocate(bytes, false))).collect();
        let target = match &operations[last] {
            Operation::Statistics { map, .. } => *map,
            other => other.output().ok_or_else(missing)?,
        };
        let size = sizes[target];
        let mut moments = None;
        if operations[last].output().is_some() {
            let (limits, end) = (kernels.limits(), is_end(target, sizes));
            let bytes = if end { limits.end_bytes(size, size[1]) } else { limits.inner_bytes(size, size[1]) };
            self.maps[target] = Some(Band::whole(kernels.allocate(bytes, end), size));
        } else {
            moments = Some(kernels.begin_statistics(size, step.band));
        }
        for start in (0..size[1]).step_by(step.band) {
            let rows = start..(start + step.band).min(size[1]);
            let needed = band_rows(&chain, sizes, |map| map == 0 || self.maps[map].is_some(), rows.clone());
            for (position, &index) in inner.iter().enumerate() {
                let Some(map) = operations[index].output() else { continue };
                let buffer = buffers[step.slots[position]].take().ok_or_else(missing)?;
                self.maps[map] = Some(Band { buffer, size: sizes[map], rows: needed[map].clone() });
                self.compute(index, map, needed[map].clone(), meter).await?;
                self.give_back(step, &chain, position, &mut buffers);
            }
            match (&operations[last], &mut moments) {
                (Operation::Statistics { map, .. }, Some(moments)) => {
                    kernels.gather(moments, self.map(*map)?, rows.clone())?;
                    meter.spent(chain[inner.len()].multiply_adds(sizes) / size[1] as u64 * rows.len() as u64).await?;
                }
                _ => self.compute(last, target, rows, meter).await?,
            }
            // The last operation's own inputs.
            self.give_back(step, &chain, inner.len(), &mut buffers);
        }
        if let (Operation::Statistics { norm, .. }, Weights::Norm(learnt), Some(moments)) =
            (&operations[last], &weights[last], moments)
        {
            self.affine.push(kernels.normalise(moments, norm, learnt)?);
        }
        Ok(())
    }

    /// Takes back the buffers whose bands no operation after `position` reads.
    fn give_back(&mut self, step: &Step, chain: &[&Operation], position: usize, buffers: &mut [Option<K::Buffer>]) {
        for (&slot, operation) in step.slots.iter().zip(chain).take(position + 1) {
            let Some(map) = operation.output() else { continue };
            let after = chain.get(position + 1..).unwrap_or_default();
            if !after.iter().any(|operation| operation.inputs().contains(&map))
                && let Some(band) = self.maps[map].take()
            {
                buffers[slot] = Some(band.buffer);
            }
        }
    }

    /// Computes rows of one map into its band, some at a time.
    async fn compute(&mut self, index: usize, map: MapId, rows: Rows, meter: &mut impl Meter) -> Result<()> {
        let Executor { kernels, operations, weights } = self.executor;
        let operation = &operations[index];
        let row_work = operation.multiply_adds(&self.plan.sizes) / self.plan.sizes[map][1] as u64;
        let most = (meter.launch_work() / row_work.max(1)) as usize / LAUNCH_ROWS * LAUNCH_ROWS;
        // Taken out while it is written, since the others are read.
        let mut output = self.maps[map].take().ok_or_else(missing)?;
        for start in rows.clone().step_by(most.max(LAUNCH_ROWS)) {
            let rows = start..(start + most.max(LAUNCH_ROWS)).min(rows.end);
            let work = row_work * rows.len() as u64;
            match (operation, &weights[index]) {
                (Operation::Convolution(conv), Weights::Convolution(packed)) => {
                    let sources = self.sources(conv)?;
                    kernels.convolve(conv, packed, sources, &mut output, rows)?;
                }
                (Operation::Attention { queries, keys, values, .. }, _) => {
                    let sources = [self.map(*queries)?, self.map(*keys)?, self.map(*values)?];
                    kernels.attend(sources, &mut output, rows)?;
                }
                (Operation::Modulate { input, statistics, scale, shift, silu, .. }, _) => {
                    let sources = Modulated {
                        input: self.map(*input)?,
                        affine: self.affine.get(*statistics).ok_or_else(missing)?,
                        scale: self.map(*scale)?,
                        shift: self.map(*shift)?,
                        silu: *silu,
                    };
                    kernels.modulate(sources, &mut output, rows)?;
                }
                (Operation::ChannelNorm { input, silu, .. }, Weights::Table(gamma)) => {
                    kernels.normalise_channels(gamma, *silu, self.map(*input)?, &mut output, rows)?;
                }
                (Operation::Quantise { input, codebook, .. }, Weights::Table(table)) => {
                    kernels.quantise(codebook, table, self.map(*input)?, &mut output, rows)?;
                }
                // `Executor::load` makes each operation's own weights.
                _ => return Err(missing()),
            }
            meter.spent(work).await?;
        }
        self.maps[map] = Some(output);
        Ok(())
    }

    fn sources(&self, conv: &Convolution) -> Result<Sources<'_, K>> {
        let affine = match conv.transform {
            Transform::Normalise(id) => Some(self.affine.get(id).ok_or_else(missing)?),
            Transform::None | Transform::Affine { .. } => None,
        };
        let residual = conv.residual.map(|map| self.map(map)).transpose()?;
        Ok(Sources { input: self.map(conv.input)?, affine, residual })
    }

    fn map(&self, map: MapId) -> Result<&Band<K::Buffer>> {
        if map == 0 { Ok(self.input) } else { self.maps[map].as_ref().ok_or_else(missing) }
    }
}

/// Cannot happen: plans name only maps that exist by then.
fn missing() -> Error {
    Error::DeviceFailed { detail: "a feature map is missing".into() }
}

/// Parameters on their way to the kernels.
struct TakeParameters<'a, P> {
    parameters: &'a mut P,
    device: &'a Device,
}

impl<P: Parameters> TakeParameters<'_, P> {
    fn take<const D: usize>(&mut self, prefix: &str, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.parameters.take(&format!("{prefix}.{name}"), shape, self.device)
    }

    /// Weights `[outputs, in, kernel, kernel]` and biases `[outputs]`, with the result's scale and shift.
    fn convolution(&mut self, conv: &Convolution) -> (Tensor<4>, Tensor<1>) {
        let spec = &conv.spec;
        let weight = if conv.linear {
            self.take(&spec.name, "weight", [spec.output, spec.input]).reshape([spec.output, spec.input, 1, 1])
        } else {
            self.take(&spec.name, "weight", [spec.output, spec.input, spec.kernel, spec.kernel])
        };
        let bias = if spec.bias {
            self.take(&spec.name, "bias", [spec.output])
        } else {
            Tensor::zeros([spec.output], self.device)
        };
        let (scale, shift) = conv.result;
        (weight.narrow(0, 0, conv.outputs) * scale, bias.narrow(0, 0, conv.outputs) * scale + shift)
    }

    fn norm(&mut self, norm: &GroupNormSpec) -> [Tensor<1>; 2] {
        ["weight", "bias"].map(|name| self.take(&norm.name, name, [norm.channels]))
    }
}
