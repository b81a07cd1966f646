//! Convolutions on several threads of a browser: helper workers, each with a module and a memory of its own.
//!
//! A page that is cross-origin isolated may share buffers between workers. The rows of a result are divided; what
//! a helper needs is copied into the buffer that it shares with this worker, which computes a part of its own and
//! then blocks until the helpers are done. Weights go to a helper once. A helper that fails or does not answer is
//! left alone from then on, and its part is computed here.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
};

use js_sys::{Atomics, Float32Array, Int32Array, Object, Reflect, SharedArrayBuffer, Uint32Array};
use wasm_bindgen::prelude::*;

use super::convolution::{Convolution, Fused};
use crate::engine::{
    kernels::Band,
    operations::{self, Activation},
    plan::{Rows, input_rows},
};

/// Multiply-adds for which a helper is worth its copies.
const LEAST_WORK: u64 = 4_000_000;
/// Bytes of weights that all helpers may hold together.
const MOST_WEIGHTS: usize = 400 << 20;
/// How long a helper may take; a launch is a fraction of a second.
const PATIENCE_MILLISECONDS: f64 = 10_000.0;

/// What a helper writes into its flag.
const PENDING: i32 = 0;
const DONE: i32 = 1;

#[wasm_bindgen]
extern "C" {
    /// A worker, as JavaScript gives it.
    pub type HelperWorker;

    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post_message(this: &HelperWorker, message: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn terminate(this: &HelperWorker);
}

struct Helper {
    worker: HelperWorker,
    flag: Int32Array,
    exchange: RefCell<SharedArrayBuffer>,
    /// Convolutions whose weights it has.
    known: RefCell<HashSet<u32>>,
    /// Bytes of these.
    weights: Cell<usize>,
    alive: Cell<bool>,
}

thread_local! {
    static CREW: RefCell<Vec<Helper>> = const { RefCell::new(Vec::new()) };
}

/// Takes helpers that have said they are ready; those before are let go.
pub fn hire(workers: Vec<HelperWorker>) {
    let helper = |worker| Helper {
        worker,
        flag: Int32Array::new(&SharedArrayBuffer::new(4)),
        exchange: RefCell::new(SharedArrayBuffer::new(1 << 20)),
        known: RefCell::default(),
        weights: Cell::default(),
        alive: Cell::new(true),
    };
    let before = CREW.replace(workers.into_iter().map(helper).collect());
    before.iter().for_each(|helper| helper.worker.terminate());
}

/// Threads that compute: this one, and the helpers that are there.
pub fn threads() -> usize {
    1 + CREW.with_borrow(|crew| crew.iter().filter(|helper| helper.alive.get()).count())
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
    CREW.with_borrow(|crew| {
        let row_work = (output.size[2] * conv.outputs * conv.spec.input * conv.spec.kernel * conv.spec.kernel) as u64;
        let most = (row_work * rows.len() as u64 / LEAST_WORK) as usize;
        let fits = |helper: &&Helper| {
            let bytes = helper.weights.get() + 4 * packed.weights().len();
            let known = helper.known.borrow().contains(&packed.id());
            helper.alive.get() && (known || bytes * crew.len() <= MOST_WEIGHTS)
        };
        let helpers: Vec<&Helper> = crew.iter().filter(fits).take(most.saturating_sub(1)).collect();
        let mut parts = divide(rows, helpers.len() + 1).into_iter();
        let own = parts.next();
        let given: Vec<(&Helper, Rows, Option<Task>)> = helpers
            .into_iter()
            .zip(parts)
            .map(|(helper, part)| {
                let task = helper.begin(conv, packed, input, output.size, part.clone(), fused);
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

/// Parts of about the same length that begin at even rows, as the kernel likes it.
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
    fn begin(
        &self,
        conv: &operations::Convolution,
        packed: &Convolution,
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
        let message = Object::new();
        let set = |name: &str, value: &JsValue| Reflect::set(&message, &name.into(), value).ok();
        if self.known.borrow_mut().insert(packed.id()) {
            self.weights.set(self.weights.get() + 4 * packed.weights().len());
            set("sizes", &Uint32Array::from(packed.sizes().as_slice()))?;
            set("weights", &Float32Array::from(packed.weights()))?;
            set("bias", &Float32Array::from(packed.bias()))?;
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
        set("id", &packed.id().into())?;
        set("limit", &limit.into())?;
        set("numbers", &Uint32Array::from(numbers.map(|number| number as u32).as_slice()))?;
        set("exchange", &self.exchange.borrow())?;
        set("flag", &self.flag)?;
        Atomics::store(&self.flag, 0, PENDING).ok()?;
        self.worker.post_message(&message).ok()?;
        Some(Task { results: view(layout.output, layout.values - layout.output) })
    }

    /// Waits for a part and takes its results; false if there are none.
    fn finish(&self, task: &Task, output: &mut Band<Vec<f32>>, part: Rows) -> bool {
        // "not-equal" is a helper that was done before.
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
pub struct CrewMember {
    convolutions: HashMap<u32, Convolution>,
}

#[wasm_bindgen]
impl CrewMember {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a convolution's packed weights.
    pub fn keep(&mut self, id: u32, sizes: Vec<u32>, weights: Vec<f32>, bias: Vec<f32>) {
        if let Some(convolution) = Convolution::of_parts(&sizes, weights, bias) {
            self.convolutions.insert(id, convolution);
        }
    }

    /// Computes a part of a convolution; `exchange` is the buffer that is shared. False if that was not possible.
    pub fn compute(&self, id: u32, limit: f64, numbers: Vec<u32>, exchange: Float32Array) -> bool {
        let Some(packed) = self.convolutions.get(&id) else { return false };
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
        // The layout asks only whether they are there.
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
