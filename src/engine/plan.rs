//! The plan of a pass: which maps are kept whole, and which are only computed band by band, anew for each operation
//! that reads them. Pure: sizes and limits in, steps and the predicted peak out.
//!
//! A band is some rows of a map. To compute it, rows of the maps before are needed, with the real neighbours
//! that kernels reach; so a band is exactly what the whole map would hold there. Group statistics need every
//! row of a map before any row after it, so a map that is not kept is computed once for the statistics and
//! once more for each later use. The planner cuts the operations into segments: maps that cross a cut are
//! kept, maps inside a segment are not. Of all cuts that fit the memory it takes those with the least work.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use std::ops::Range;

use super::operations::{Convolution, MapId, Operation, sizes};
use crate::autoencoder::spec::MapSize;

/// Some rows of a map.
pub type Rows = Range<usize>;

/// Positions that one chunk of group statistics covers.
pub const STATISTICS_CHUNK: usize = 4096;

/// What a device offers, and how it lays maps out.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that all buffers of a pass may take together.
    pub memory: u64,
    /// Bytes that one buffer may take.
    pub buffer: u64,
    /// Channels are padded to a multiple of it.
    pub channel_multiple: usize,
    /// Bytes of a value in a map. The input and the result hold f32 in any case.
    pub value_bytes: u64,
    /// Bytes that attention over maps of this size takes besides them.
    pub attention_scratch: fn(MapSize) -> u64,
}

impl Limits {
    /// Bytes of `rows` rows of an input or a result.
    pub fn end_bytes(&self, size: MapSize, rows: usize) -> u64 {
        4 * self.values(size, rows)
    }

    /// Bytes of `rows` rows of any other map.
    pub fn inner_bytes(&self, size: MapSize, rows: usize) -> u64 {
        self.value_bytes * self.values(size, rows)
    }

    fn values(&self, [channels, _, width]: MapSize, rows: usize) -> u64 {
        (channels.next_multiple_of(self.channel_multiple) * width) as u64 * rows as u64
    }

    /// Bytes that an operation takes besides its maps.
    fn scratch(&self, operation: &Operation, sizes: &[MapSize]) -> u64 {
        match operation {
            Operation::Convolution(_)
            | Operation::Modulate { .. }
            | Operation::ChannelNorm { .. }
            | Operation::Quantise { .. } => 0,
            // Mean, squares and count of each chunk, of at least one row.
            Operation::Statistics { map, .. } => {
                let [channels, height, width] = sizes[*map];
                12 * (channels.next_multiple_of(4) * (height + height * width / STATISTICS_CHUNK)) as u64
            }
            Operation::Attention { queries, .. } => (self.attention_scratch)(sizes[*queries]),
        }
    }
}

/// A pass divided into steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The sizes of all maps, whole.
    pub sizes: Vec<MapSize>,
    pub steps: Vec<Step>,
    /// Bytes that the pass's buffers take at most, the input apart.
    pub peak: u64,
    /// Multiply-adds, with all that is computed again.
    pub multiply_adds: u64,
}

/// Makes one map whole, or takes the statistics of one map.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The operations of each band, in order. The last is what the step is for.
    pub operations: Vec<usize>,
    /// Rows of the last operation's map that are computed at once.
    pub band: usize,
    /// Where the results of all operations but the last go, as indexes of `buffers`.
    pub slots: Vec<usize>,
    /// Bytes of the buffers that bands use in turns.
    pub buffers: Vec<u64>,
    /// Whole maps that nothing reads after this step.
    pub forget: Vec<MapId>,
}

/// The largest of the maps that no plan can do without: the input, the result, and what attention reads
/// whole. In bytes.
pub fn least_buffer(operations: &[Operation], input: MapSize, limits: &Limits) -> u64 {
    let sizes = sizes(operations, input);
    let keys = operations.iter().filter_map(|operation| match operation {
        Operation::Attention { keys, .. } => Some(*keys),
        _ => None,
    });
    let whole = keys.chain([0, sizes.len() - 1]);
    let bytes = |map| if is_end(map, &sizes) { Limits::end_bytes } else { Limits::inner_bytes };
    whole.map(|map| bytes(map)(limits, sizes[map], sizes[map][1])).max().unwrap_or(0)
}

/// Plans operations on an input of this size; `None` if one buffer cannot be as large as it must.
///
/// Where `limits.memory` cannot be met, the plan takes the least that can.
pub fn plan(operations: &[Operation], input: MapSize, limits: &Limits) -> Option<Plan> {
    let least = least_buffer(operations, input, limits);
    if least > limits.buffer {
        return None;
    }
    let planner = Planner { operations, sizes: sizes(operations, input), limits: *limits };
    let everything_kept: Vec<usize> = (0..=operations.len()).collect();
    let whole = planner.finish(&everything_kept);
    if whole.as_ref().is_some_and(|plan| plan.peak <= limits.memory) {
        return whole;
    }
    let all: u64 = planner.sizes.iter().map(|&size| limits.end_bytes(size, size[1])).sum();
    let mut memory = limits.memory.max(least);
    while memory <= 2 * all {
        let planner = Planner { limits: Limits { memory, ..*limits }, ..planner.clone() };
        if let Some(banded) = planner.cuts().and_then(|cuts| planner.finish(&cuts)) {
            // Of a small image the rows around the bands may be more than the image.
            return Some(banded).into_iter().chain(whole).min_by_key(|plan| plan.peak);
        }
        memory += memory / 4;
    }
    whole
}

/// Whether a map is the input or the result.
pub fn is_end(map: MapId, sizes: &[MapSize]) -> bool {
    map == 0 || map + 1 == sizes.len()
}

/// Rows of a convolution's input that it reads for some rows of its result.
pub fn input_rows(conv: &Convolution, rows: &Rows, input_height: usize) -> Rows {
    let enlarged = usize::from(conv.upsample);
    let height = input_height << enlarged;
    let first = (rows.start * conv.spec.stride).saturating_sub(conv.spec.padding.0).min(height - 1);
    let end = ((rows.end - 1) * conv.spec.stride + conv.spec.kernel).saturating_sub(conv.spec.padding.0);
    (first >> enlarged)..end.clamp(first + 1, height).div_ceil(1 << enlarged)
}

/// Rows of a lower map that correspond to some rows of a map when the lower one is enlarged to its height.
fn shrunk(rows: &Rows, height: usize, lower: usize) -> Rows {
    let factor = height / lower;
    rows.start / factor..rows.end.div_ceil(factor)
}

/// The rows of each map that a band of `rows` of the last operation needs. Maps that are `kept` are not
/// followed further.
pub fn band_rows(operations: &[&Operation], sizes: &[MapSize], kept: impl Fn(MapId) -> bool, rows: Rows) -> Vec<Rows> {
    let mut needed = vec![0..0; sizes.len()];
    for (index, operation) in operations.iter().enumerate().rev() {
        let own = match operation.output() {
            _ if index + 1 == operations.len() => rows.clone(),
            Some(map) => needed[map].clone(),
            None => continue,
        };
        let mut need = |map: MapId, rows: Rows| {
            if kept(map) {
                return;
            }
            let before = &mut needed[map];
            *before =
                if before.start == before.end { rows } else { before.start.min(rows.start)..before.end.max(rows.end) };
        };
        match operation {
            Operation::Convolution(conv) => {
                need(conv.input, input_rows(conv, &own, sizes[conv.input][1]));
                if let Some(residual) = conv.residual {
                    need(residual, own);
                }
            }
            Operation::Statistics { map, .. } => need(*map, own),
            Operation::Attention { queries, .. } => need(*queries, own),
            Operation::Modulate { input, scale, shift, .. } => {
                [*scale, *shift].into_iter().for_each(|map| need(map, shrunk(&own, sizes[*input][1], sizes[map][1])));
                need(*input, own);
            }
            Operation::ChannelNorm { input, .. } | Operation::Quantise { input, .. } => need(*input, own),
        }
    }
    needed
}

#[derive(Debug, Clone)]
struct Planner<'a> {
    operations: &'a [Operation],
    sizes: Vec<MapSize>,
    limits: Limits,
}

/// A candidate for a step.
struct Trial {
    operations: Vec<usize>,
    band: usize,
    slots: Vec<usize>,
    buffers: Vec<u64>,
    multiply_adds: u64,
}

impl Planner<'_> {
    fn whole(&self, map: MapId) -> u64 {
        let (size, rows) = (self.sizes[map], self.sizes[map][1]);
        if is_end(map, &self.sizes) { self.limits.end_bytes(size, rows) } else { self.limits.inner_bytes(size, rows) }
    }

    /// Maps made before the cut and read after it; after the end, the result.
    fn crossing(&self, cut: usize) -> Vec<MapId> {
        let mut made = self.operations[..cut].iter().filter_map(Operation::output);
        if cut == self.operations.len() {
            return made.next_back().into_iter().collect();
        }
        let after = &self.operations[cut..];
        made.filter(|map| after.iter().any(|operation| operation.inputs().contains(map))).collect()
    }

    /// The cuts of least work that fit the memory, with 0 and the end.
    fn cuts(&self) -> Option<Vec<usize>> {
        let count = self.operations.len();
        let crossing: Vec<Vec<MapId>> = (0..=count).map(|cut| self.crossing(cut)).collect();
        // The least work up to each cut, and the cut before it.
        let mut best: Vec<Option<(u64, usize)>> = vec![None; count + 1];
        best[0] = Some((0, 0));
        for end in 1..=count {
            for start in 0..end {
                let Some((before, _)) = best[start] else { continue };
                let most = best[end].map_or(u64::MAX, |(work, _)| work).saturating_sub(before);
                if let Some(work) = self.segment(start..end, &crossing[start], &crossing[end], most) {
                    best[end] = Some((before + work, start));
                }
            }
        }
        let mut cuts = vec![count];
        while let Some(&cut) = cuts.last().filter(|&&cut| cut > 0) {
            cuts.push(best[cut]?.1);
        }
        cuts.reverse();
        Some(cuts)
    }

    /// The work of a segment, if it fits and is less than `most`.
    fn segment(&self, range: Range<usize>, before: &[MapId], after: &[MapId], most: u64) -> Option<u64> {
        let mut kept = vec![false; self.sizes.len()];
        kept[0] = true;
        before.iter().for_each(|&map| kept[map] = true);
        let mut bytes: u64 = before.iter().map(|&map| self.whole(map)).sum();
        let mut work = 0;
        for index in range {
            let operation = &self.operations[index];
            let output = operation.output().filter(|map| after.contains(map));
            if let Some(map) = output {
                bytes += self.whole(map);
                if self.whole(map) > self.limits.buffer {
                    return None;
                }
            } else if operation.output().is_some() {
                continue;
            }
            let available = self.limits.memory.checked_sub(bytes)?;
            work += self.trial(index, &kept, available)?.multiply_adds;
            if work >= most {
                return None;
            }
            output.into_iter().for_each(|map| kept[map] = true);
        }
        Some(work)
    }

    /// The step of an operation with the highest bands that fit.
    fn trial(&self, last: usize, kept: &[bool], available: u64) -> Option<Trial> {
        let chain = self.chain(last, kept)?;
        let height = self.target_height(last);
        let mut band = height;
        loop {
            let trial = self.with_band(&chain, kept, band, Some(height / band / 2 * band));
            let scratch: u64 =
                chain.iter().map(|&index| self.limits.scratch(&self.operations[index], &self.sizes)).max().unwrap_or(0);
            let fits = trial.buffers.iter().all(|&bytes| bytes <= self.limits.buffer);
            if fits && trial.buffers.iter().sum::<u64>() + scratch <= available {
                return Some(trial);
            }
            if band == 1 {
                return None;
            }
            band = band.div_ceil(2);
            // Whole groups of rows keep every band's neighbours alike where maps are halved or doubled.
            if band > 8 {
                band = band.next_multiple_of(8);
            }
        }
    }

    fn target_height(&self, last: usize) -> usize {
        match &self.operations[last] {
            Operation::Statistics { map, .. } => self.sizes[*map][1],
            other => other.output().map_or(1, |map| self.sizes[map][1]),
        }
    }

    /// The operations that a band needs, in order; `None` if attention would read keys that are not kept.
    fn chain(&self, last: usize, kept: &[bool]) -> Option<Vec<usize>> {
        let mut needed = vec![false; self.sizes.len()];
        let mut chain = Vec::new();
        for index in (0..=last).rev() {
            let operation = &self.operations[index];
            if index != last && !operation.output().is_some_and(|map| needed[map]) {
                continue;
            }
            if let Operation::Attention { keys, values, .. } = operation
                && !(kept[*keys] && kept[*values])
            {
                return None;
            }
            operation.inputs().into_iter().filter(|&map| !kept[map]).for_each(|map| needed[map] = true);
            chain.push(index);
        }
        chain.reverse();
        Some(chain)
    }

    /// Measures bands: one, beginning at `sample` and with a row to spare, or else all of them.
    fn with_band(&self, chain: &[usize], kept: &[bool], band: usize, sample: Option<usize>) -> Trial {
        let operations: Vec<&Operation> = chain.iter().map(|&index| &self.operations[index]).collect();
        let height = self.target_height(chain[chain.len() - 1]);
        let starts: Vec<usize> = match sample {
            Some(start) => vec![start.min(height - 1)],
            None => (0..height).step_by(band).collect(),
        };
        let mut most = vec![0; self.sizes.len()];
        let mut multiply_adds = 0;
        for &start in &starts {
            let rows = start..(start + band).min(height);
            let needed = band_rows(&operations, &self.sizes, |map| kept[map], rows.clone());
            for (index, operation) in operations.iter().enumerate() {
                let own = match operation.output() {
                    Some(map) if index + 1 < operations.len() => needed[map].len(),
                    _ => rows.len(),
                };
                multiply_adds += work(operation, &self.sizes, own);
            }
            for ((most, needed), size) in most.iter_mut().zip(&needed).zip(&self.sizes) {
                let spare = usize::from(sample.is_some() && needed.start < needed.end);
                *most = (needed.len() + spare).min(size[1]).max(*most);
            }
        }
        if sample.is_some() {
            multiply_adds *= height.div_ceil(band) as u64;
        }
        let (slots, buffers) = self.slots(&operations, &most);
        Trial { operations: chain.to_vec(), band, slots, buffers, multiply_adds }
    }

    /// Buffers for the results inside a step: each takes a free one, the one that must grow least.
    fn slots(&self, operations: &[&Operation], rows: &[usize]) -> (Vec<usize>, Vec<u64>) {
        let (mut slots, mut buffers, mut free) = (Vec::new(), Vec::<u64>::new(), Vec::<usize>::new());
        let mut held: Vec<(MapId, usize)> = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            let Some(map) = operation.output().filter(|_| index + 1 < operations.len()) else { continue };
            let bytes = self.limits.inner_bytes(self.sizes[map], rows[map]);
            // Missing bytes first, then bytes left over.
            let best = free
                .iter()
                .enumerate()
                .min_by_key(|&(_, &slot)| (bytes.saturating_sub(buffers[slot]), buffers[slot].saturating_sub(bytes)));
            let slot = match best.map(|(position, _)| position) {
                Some(position) => free.swap_remove(position),
                None => {
                    buffers.push(0);
                    buffers.len() - 1
                }
            };
            buffers[slot] = buffers[slot].max(bytes);
            slots.push(slot);
            held.push((map, slot));
            let after = &operations[index + 1..];
            held.retain(|&(map, slot)| {
                let needed = after.iter().any(|operation| operation.inputs().contains(&map));
                if !needed {
                    free.push(slot);
                }
                needed
            });
        }
        (slots, buffers)
    }

    /// The plan with these cuts, measured band by band.
    fn finish(&self, cuts: &[usize]) -> Option<Plan> {
        let mut plan = Plan { sizes: self.sizes.clone(), steps: Vec::new(), peak: 0, multiply_adds: 0 };
        let mut kept = vec![false; self.sizes.len()];
        kept[0] = true;
        let mut bytes = 0;
        for (&start, &end) in cuts.iter().zip(&cuts[1..]) {
            let crossing = self.crossing(end);
            for index in start..end {
                let output = self.operations[index].output();
                if output.is_some_and(|map| !crossing.contains(&map)) {
                    continue;
                }
                if let Some(map) = output {
                    bytes += self.whole(map);
                    if self.whole(map) > self.limits.buffer {
                        return None;
                    }
                }
                let available = self.limits.memory.saturating_sub(bytes);
                // With too little room, the lowest bands that are possible.
                let band = match self.trial(index, &kept, available) {
                    Some(trial) => trial.band,
                    None => 1,
                };
                let chain = self.chain(index, &kept)?;
                let measured = self.with_band(&chain, &kept, band, None);
                if measured.buffers.iter().any(|&bytes| bytes > self.limits.buffer) {
                    return None;
                }
                let scratch =
                    chain.iter().map(|&index| self.limits.scratch(&self.operations[index], &self.sizes)).max();
                plan.peak = plan.peak.max(bytes + measured.buffers.iter().sum::<u64>() + scratch.unwrap_or(0));
                plan.multiply_adds += measured.multiply_adds;
                let Trial { operations, band, slots, buffers, .. } = measured;
                plan.steps.push(Step { operations, band, slots, buffers, forget: Vec::new() });
                output.into_iter().for_each(|map| kept[map] = true);
                // What nothing later can read, even to compute something again.
                let next = plan.steps.len() - 1;
                for map in 1..self.sizes.len() {
                    let is_result = map + 1 == self.sizes.len();
                    if kept[map] && !is_result && !self.read_later(map, index + 1, &kept) {
                        kept[map] = false;
                        bytes -= self.whole(map);
                        plan.steps[next].forget.push(map);
                    }
                }
            }
        }
        Some(plan)
    }

    /// Whether a step from `from` on may read a map: directly, or through maps that are not kept.
    fn read_later(&self, map: MapId, from: usize, kept: &[bool]) -> bool {
        let mut reads = vec![false; self.sizes.len()];
        reads[map] = true;
        for (index, operation) in self.operations.iter().enumerate() {
            if !operation.inputs().iter().any(|&input| reads[input]) {
                continue;
            }
            if index >= from {
                return true;
            }
            // Whoever needs it computes it again from the map.
            if let Some(output) = operation.output().filter(|&output| !kept[output]) {
                reads[output] = true;
            }
        }
        false
    }
}

/// Multiply-adds of some rows of an operation's result.
fn work(operation: &Operation, sizes: &[MapSize], rows: usize) -> u64 {
    let height = match operation {
        Operation::Statistics { map, .. } => sizes[*map][1],
        other => other.output().map_or(1, |map| sizes[map][1]),
    };
    operation.multiply_adds(sizes) / height.max(1) as u64 * rows as u64
}
