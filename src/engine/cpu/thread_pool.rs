//! The thread pool of a browser: convolutions on helper workers, each with a module and a memory of its own.
//!
//! A page that is cross-origin isolated may share buffers between workers. The rows of a result are divided; what
//! a helper needs is copied into the buffer that it shares with this worker, which computes a part of its own and
//! then blocks until the helpers are done. Weights are copied once into a buffer that all helpers read; helpers hold
//! only those that they are computing with. A helper that fails or does not answer is left alone from then on, and its
//! part is computed here.

use std::cell::{Cell, RefCell};

use js_sys::{Atomics, Float32Array, Int32Array, Object, SharedArrayBuffer, Uint32Array};
use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::{
    convolution::{Convolution, Fused},
    copies::Copies,
};
use crate::engine::{
    kernels::Band,
    operations::{self, Activation},
    plan::{Rows, input_rows},
};

/// Multiply-adds from which on a helper is worth its copies.
const LEAST_WORK: u64 = 4_000_000;
/// Bytes of the buffer that is shared with an idle helper.
const IDLE_EXCHANGE: u32 = 1 << 20;
/// How long a helper may take; a launch is a fraction of a second.
const PATIENCE_MILLISECONDS: f64 = 10_000.0;

/// What a helper writes into its flag.
const PENDING: i32 = 0;
const DONE: i32 = 1;

#[wasm_bindgen]
extern "C" {
    /// The request to a helper for a part of a convolution: a plain object, whose setters hold its properties' names
    /// and types.
    #[wasm_bindgen(extends = Object)]
    type Part;

    #[wasm_bindgen(method, setter)]
    fn set_id(this: &Part, id: u32);
    /// [`Convolution::sizes`].
    #[wasm_bindgen(method, setter)]
    fn set_sizes(this: &Part, sizes: &Uint32Array);
    #[wasm_bindgen(method, setter)]
    fn set_weights(this: &Part, buffer: &SharedArrayBuffer);
    #[wasm_bindgen(method, setter)]
    fn set_limit(this: &Part, limit: f64);
    #[wasm_bindgen(method, setter)]
    fn set_numbers(this: &Part, numbers: &Uint32Array);
    #[wasm_bindgen(method, setter)]
    fn set_exchange(this: &Part, buffer: &SharedArrayBuffer);
    #[wasm_bindgen(method, setter)]
    fn set_flag(this: &Part, flag: &Int32Array);
}

struct Helper {
    worker: Worker,
    flag: Int32Array,
    exchange: RefCell<SharedArrayBuffer>,
    alive: Cell<bool>,
}

thread_local! {
    static POOL: RefCell<Vec<Helper>> = const { RefCell::new(Vec::new()) };
    /// Weights and, behind them, biases, in buffers that all helpers read.
    static COPIES: RefCell<Copies<SharedArrayBuffer>> = RefCell::new(Copies::new(0));
}

/// Takes helpers that have reported that they are ready, and ends the previous ones. The weights for all of them
/// together may take so many bytes.
pub fn set_helpers(workers: Vec<Worker>, budget: u64) {
    let helper = |worker| Helper {
        worker,
        flag: Int32Array::new(&SharedArrayBuffer::new(4)),
        exchange: RefCell::new(SharedArrayBuffer::new(IDLE_EXCHANGE)),
        alive: Cell::new(true),
    };
    let before = POOL.replace(workers.into_iter().map(helper).collect());
    before.iter().for_each(|helper| helper.worker.terminate());
    COPIES.with_borrow_mut(|copies| copies.set_budget(budget));
}

/// Lets go of the copy of a convolution's weights.
pub fn forget(id: u32) {
    // When the thread ends, the copies may be gone already.
    let _ = COPIES.try_with(|copies| copies.try_borrow_mut().map(|mut copies| copies.forget(id)));
}

/// Bytes of weights that are kept for helpers.
pub fn shared_bytes() -> u64 {
    COPIES.with_borrow(Copies::bytes)
}

/// Gives back the memory of work that is done: buffers for parts of maps, and the weights that helpers hold.
pub fn release() {
    POOL.with_borrow(|pool| {
        for helper in pool.iter().filter(|helper| helper.alive.get()) {
            if helper.exchange.borrow().byte_length() > IDLE_EXCHANGE {
                *helper.exchange.borrow_mut() = SharedArrayBuffer::new(IDLE_EXCHANGE);
            }
            // A message without a part makes the helper drop its weights. If sending fails, the next request notices.
            let _ = helper.worker.post_message(&Object::new());
        }
    });
}

/// Threads that compute: this one, and the helpers that are there.
pub fn threads() -> usize {
    1 + POOL.with_borrow(|pool| pool.iter().filter(|helper| helper.alive.get()).count())
}

/// Computes `rows` of a convolution, with the helpers where that pays.
pub fn compute(
    conv: &operations::Convolution,
    packed: &Convolution,
    input: &Band<Vec<f32>>,
    output: &mut Band<Vec<f32>>,
    rows: Rows,
    fused: &Fused<'_>,
) {
    POOL.with_borrow(|pool| {
        let row_work = (output.size[2] * conv.outputs * conv.spec.input * conv.spec.kernel * conv.spec.kernel) as u64;
        let most = (row_work * rows.len() as u64 / LEAST_WORK) as usize;
        let alive = pool.iter().filter(|helper| helper.alive.get());
        let mut helpers: Vec<&Helper> = alive.take(most.saturating_sub(1)).collect();
        let weights = if helpers.is_empty() { None } else { shared_weights(packed) };
        if weights.is_none() {
            helpers.clear();
        }
        let mut parts = divide(rows, helpers.len() + 1).into_iter();
        let own = parts.next();
        let given: Vec<(&Helper, Rows, Option<Task>)> = helpers
            .into_iter()
            .zip(parts)
            .map(|(helper, part)| {
                let begin = |weights| helper.begin(conv, packed, weights, input, output.size, part.clone(), fused);
                let task = weights.as_ref().and_then(begin);
                (helper, part, task)
            })
            .collect();
        own.into_iter().for_each(|own| packed.compute(input, output, own, fused));
        for (helper, part, task) in given {
            if !task.is_some_and(|task| helper.finish(&task, output, part.clone())) {
                if helper.alive.replace(false) {
                    helper.worker.terminate();
                }
                packed.compute(input, output, part, fused);
            }
        }
    });
}

/// The buffer with a convolution's weights; `None` if they are more than helpers may be given.
fn shared_weights(packed: &Convolution) -> Option<SharedArrayBuffer> {
    let (weights, bias) = (packed.weights(), packed.bias());
    let bytes = 4 * (weights.len() + bias.len()) as u32;
    COPIES.with_borrow_mut(|copies| {
        copies.get(packed.id(), bytes.into(), |spare| {
            let buffer = spare.unwrap_or_else(|| SharedArrayBuffer::new(bytes));
            let values = Float32Array::new(&buffer);
            let first = weights.len() as u32;
            values.subarray(0, first).copy_from(weights);
            values.subarray(first, values.length()).copy_from(bias);
            buffer
        })
    })
}

/// Parts of about the same length that begin at even rows, so that none divides a cell of 2×2 pixels.
fn divide(rows: Rows, count: usize) -> Vec<Rows> {
    let length = rows.len().div_ceil(count.max(1)).next_multiple_of(2).max(2);
    rows.clone().step_by(length).map(|first| first..(first + length).min(rows.end)).collect()
}

/// What a helper is computing.
struct Task {
    /// Where the results are in the buffer that is shared.
    results: Float32Array,
}

impl Helper {
    /// Hands a part over; `None` if it cannot be.
    #[expect(clippy::too_many_arguments, reason = "they are a convolution's and nothing else's")]
    fn begin(
        &self,
        conv: &operations::Convolution,
        packed: &Convolution,
        weights: &SharedArrayBuffer,
        input: &Band<Vec<f32>>,
        output: [usize; 3],
        part: Rows,
        fused: &Fused<'_>,
    ) -> Option<Task> {
        let needed = input_rows(conv, &part, input.size[1]);
        let layout = Layout::new(input.size, output, &needed, &part, fused);
        if (self.exchange.borrow().byte_length() as usize) < 4 * layout.values {
            *self.exchange.borrow_mut() = SharedArrayBuffer::new(4 * layout.values.next_power_of_two() as u32);
        }
        let values = Float32Array::new(&self.exchange.borrow());
        let view = |first: usize, count: usize| values.subarray(first as u32, (first + count) as u32);
        for (channel, (scale, shift)) in fused.affine.unwrap_or_default().iter().enumerate() {
            view(2 * channel, 2).copy_from(&[*scale, *shift]);
        }
        copy_in(&values, layout.input, input, &needed);
        if let Some(residual) = fused.residual {
            copy_in(&values, layout.residual, residual, &part);
        }
        let (activation, limit) = match fused.activation {
            Activation::None => (0, 0.0),
            Activation::Silu => (1, 0.0),
            Activation::Relu => (2, 0.0),
            Activation::SoftClamp { limit } => (3, limit),
        };
        let numbers = [
            input.size[0],
            input.size[1],
            input.size[2],
            output[0],
            output[1],
            output[2],
            needed.start,
            needed.end,
            part.start,
            part.end,
            activation,
            usize::from(fused.affine.is_some()),
            usize::from(fused.upsample),
            usize::from(fused.residual.is_some()),
            usize::from(fused.relu),
        ];
        let message: Part = Object::new().unchecked_into();
        message.set_id(packed.id());
        message.set_sizes(&Uint32Array::from(packed.sizes().as_slice()));
        message.set_weights(weights);
        message.set_limit(limit);
        message.set_numbers(&Uint32Array::from(numbers.map(|number| number as u32).as_slice()));
        message.set_exchange(&self.exchange.borrow());
        message.set_flag(&self.flag);
        Atomics::store(&self.flag, 0, PENDING).ok()?;
        self.worker.post_message(&message).ok()?;
        Some(Task { results: view(layout.output, layout.values - layout.output) })
    }

    /// Waits for a part and takes its results; false if there are none.
    fn finish(&self, task: &Task, output: &mut Band<Vec<f32>>, part: Rows) -> bool {
        // "not-equal" means that the helper was done before.
        let waited = Atomics::wait_with_timeout(&self.flag, 0, PENDING, PATIENCE_MILLISECONDS);
        if waited.is_err() || Atomics::load(&self.flag, 0) != Ok(DONE) {
            return false;
        }
        let [channels, _, width] = output.size;
        let (plane, length) = (output.rows.len() * width, part.len() * width);
        let first = (part.start - output.rows.start) * width;
        for (channel, plane) in output.buffer.chunks_exact_mut(plane).take(channels).enumerate() {
            let results = task.results.subarray((channel * length) as u32, ((channel + 1) * length) as u32);
            results.copy_to(&mut plane[first..][..length]);
        }
        true
    }
}

/// Where the values are in a buffer that is shared: `[in, 2]` scales and shifts, rows of the input, of the residual,
/// and of the result.
struct Layout {
    input: usize,
    residual: usize,
    output: usize,
    values: usize,
}

impl Layout {
    fn new(
        [inputs, _, input_width]: [usize; 3],
        [outputs, _, width]: [usize; 3],
        needed: &Rows,
        part: &Rows,
        fused: &Fused<'_>,
    ) -> Self {
        let input = if fused.affine.is_some() { 2 * inputs } else { 0 };
        let residual = input + inputs * needed.len() * input_width;
        let results = outputs * part.len() * width;
        let output = residual + if fused.residual.is_some() { results } else { 0 };
        Layout { input, residual, output, values: output + results }
    }
}

/// Copies some rows of every channel.
fn copy_in(values: &Float32Array, first: usize, band: &Band<Vec<f32>>, rows: &Rows) {
    let [channels, _, width] = band.size;
    let length = rows.len() * width;
    let start = (rows.start - band.rows.start) * width;
    for (channel, plane) in band.buffer.chunks_exact(band.rows.len() * width).take(channels).enumerate() {
        let at = first + channel * length;
        values.subarray(at as u32, (at + length) as u32).copy_from(&plane[start..][..length]);
    }
}

/// The other side: computes parts in a helper's own module.
#[wasm_bindgen]
#[derive(Default)]
pub struct HelperThread {
    /// The convolution that it computed last, which is often the next one, too.
    last: Option<(u32, Convolution)>,
}

#[wasm_bindgen]
impl HelperThread {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets go of the weights that it holds.
    pub fn forget_weights(&mut self) {
        self.last = None;
    }

    /// Computes a part of a convolution. `sizes`: [`Convolution::sizes`]; `weights`: its packed weights, then its biases;
    /// `exchange`: the buffer that is shared. False if that was not possible.
    pub fn compute(
        &mut self,
        id: u32,
        sizes: Vec<u32>,
        weights: &Float32Array,
        limit: f64,
        numbers: Vec<u32>,
        exchange: Float32Array,
    ) -> bool {
        if self.last.as_ref().is_none_or(|(last, _)| *last != id) {
            // Never two convolutions at once.
            self.last = None;
            let Some(bias) = sizes.first().and_then(|outputs| weights.length().checked_sub(*outputs)) else {
                return false;
            };
            let part = |first, end| weights.subarray(first, end).to_vec();
            let convolution = Convolution::of_parts(&sizes, part(0, bias), part(bias, weights.length()));
            self.last = convolution.map(|convolution| (id, convolution));
        }
        let Some((_, packed)) = &self.last else { return false };
        let numbers: Vec<usize> = numbers.into_iter().map(|number| number as usize).collect();
        let [
            inputs,
            height,
            width,
            outputs,
            out_height,
            out_width,
            needed_start,
            needed_end,
            start,
            end,
            activation,
            affine,
            upsample,
            residual,
            relu,
        ] = numbers[..]
        else {
            return false;
        };
        let (input, output) = ([inputs, height, width], [outputs, out_height, out_width]);
        let (needed, part) = (needed_start..needed_end, start..end);
        let has_affine = affine == 1;
        let view = |first: usize, end: usize| exchange.subarray(first as u32, end as u32).to_vec();
        let mut fused = Fused { upsample: upsample == 1, relu: relu == 1, ..Fused::NOTHING };
        fused.activation = match activation {
            0 => Activation::None,
            1 => Activation::Silu,
            2 => Activation::Relu,
            _ => Activation::SoftClamp { limit },
        };
        // The layout only needs to know which of them exist.
        let nothing = Band { buffer: Vec::new(), size: output, rows: part.clone() };
        let layout = Layout::new(
            input,
            output,
            &needed,
            &part,
            &Fused { affine: has_affine.then_some(&[]), residual: (residual == 1).then_some(&nothing), ..fused },
        );
        let scales: Vec<(f32, f32)> =
            view(0, layout.input).as_chunks().0.iter().map(|&[scale, shift]| (scale, shift)).collect();
        let residual = (residual == 1).then(|| Band {
            buffer: view(layout.residual, layout.output),
            size: output,
            rows: part.clone(),
        });
        fused.affine = has_affine.then_some(&scales);
        fused.residual = residual.as_ref();
        let source = Band { buffer: view(layout.input, layout.residual), size: input, rows: needed };
        let mut result = Band { buffer: vec![0.0; layout.values - layout.output], size: output, rows: part.clone() };
        packed.compute(&source, &mut result, part, &fused);
        exchange.subarray(layout.output as u32, layout.values as u32).copy_from(&result.buffer);
        true
    }
}
