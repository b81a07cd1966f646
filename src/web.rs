//! The browser's view of the crate: one `Checker` a worker. Reports cross as JSON, bytes as typed arrays,
//! errors as JavaScript `Error`s with `code` and `advice`.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use js_sys::{Array, Float32Array, Function, Object, Promise, Reflect, Uint8Array};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::{
    Error, Result,
    calibration::{self, Calibration},
    check::{CheckReport, check_image, check_locally, check_searched},
    condition::{Condition, Distribution},
    device::{ComputeDevice, DeviceKind, DevicePreference},
    engine::cpu::crew::{self, HelperWorker},
    image::{DecodeOptions, DecodedImage, decode},
    local::{CELL, LocalEvidence},
    picture::{RATIO_SPAN, Scale, png},
    provenance,
    reconstruction::{self, Progress, Silent, Stage, Values},
    record::{FailureLine, FileLine, Record, Settings},
    weights::{Import, ImportRequest, Manifest, Model, ModelLoader, Written},
};

unsafe extern "C" {
    /// The linker's: initialises statics, such as the lists that some crates register themselves in.
    fn __wasm_call_ctors();
}

/// Runs once when the module is instantiated.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: called once and before anything else. Where nobody calls it, the linker has every exported function call
    // it, which costs a tenth of a millisecond each time that JavaScript calls in.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
}

/// The crate's version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// A device with the models that were loaded onto it.
#[wasm_bindgen]
pub struct Checker {
    device: ComputeDevice,
    loading: Option<ModelLoader>,
    models: HashMap<String, Rc<Model>>,
}

#[derive(Serialize)]
struct DeviceReport<'a> {
    kind: DeviceKind,
    adapter: &'a str,
    buffer_bytes: u64,
    threads: usize,
    /// Weights that are kept for the helpers of the CPU.
    shared_bytes: u64,
}

#[derive(Serialize)]
struct ModelCost {
    parameter_bytes: u64,
    multiply_adds: u64,
}

/// What a check gives, besides pictures.
#[derive(Serialize)]
struct Answer<'a> {
    report: &'a CheckReport,
    distribution: Option<Distribution>,
}

/// A decoded image, for checks against any number of models.
#[wasm_bindgen]
pub struct Image(DecodedImage);

#[wasm_bindgen]
impl Image {
    /// Decodes an image file.
    ///
    /// # Errors
    /// Those of [`decode`].
    pub fn decode(bytes: &[u8], apply_orientation: bool) -> Result<Image, JsValue> {
        let options = DecodeOptions { apply_orientation, ..DecodeOptions::default() };
        decode(bytes, &options).map(Image).map_err(to_js)
    }

    /// The pixels that are checked, as a PNG: for files that browsers do not show.
    ///
    /// # Errors
    /// None is known.
    pub fn picture(&self) -> Result<Vec<u8>, JsValue> {
        png(&self.0.rgb, self.0.width as usize, self.0.height as usize).map_err(to_js)
    }

    /// What a manifest's model would take for this image: `{parameter_bytes, multiply_adds}`, the bytes on the device.
    ///
    /// # Errors
    /// `manifest_invalid`.
    pub fn cost(&self, manifest: &str) -> Result<String, JsValue> {
        let architecture = Manifest::parse(manifest).map_err(to_js)?.architecture;
        let cropped = self.0.cropped(&architecture);
        json(&ModelCost {
            parameter_bytes: architecture.parameter_count().saturating_mul(4),
            multiply_adds: architecture.multiply_adds(cropped.height, cropped.width).saturating_mul(2),
        })
    }
}

/// The record of a check ([`Record`]): of a file's bytes, its `name`, [`Settings`], arrays of reports and of
/// [`FailureLine`]s, and the time.
///
/// # Errors
/// `bad_numbers` for what is none of these.
#[wasm_bindgen]
pub fn record(
    bytes: &[u8],
    name: &str,
    settings: &str,
    reports: &str,
    failures: &str,
    created_at: String,
) -> Result<String, JsValue> {
    let settings: Settings = parse("the settings", settings)?;
    let failures: Vec<FailureLine> = parse("the failures", failures)?;
    let made = Record::new(FileLine::of(name, bytes), settings, parse("the reports", reports)?, created_at);
    json(&Record { failures, claims: provenance::claims(bytes), ..made })
}

/// A model's calibration from arrays of reports of images that belong to it and of others, at the method's α of 5 %.
///
/// # Errors
/// Those of [`calibration::from_reports`].
#[wasm_bindgen]
pub fn calibrate(model: &str, belonging: &str, others: &str) -> Result<String, JsValue> {
    let reports = |text: &str| parse::<Vec<CheckReport>>("the reports", text);
    let (belonging, others) = (reports(belonging)?, reports(others)?);
    let source = format!("in the page, from {} images that belong and {} others", belonging.len(), others.len());
    let made = calibration::from_reports(model, &belonging, &others, 0.05, &source);
    Ok(made.map_err(to_js)?.to_json())
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, JsValue> {
    serde_json::from_str(text)
        .map_err(|error| to_js(Error::BadNumbers { what: what.into(), detail: error.to_string() }))
}

#[wasm_bindgen]
impl Checker {
    /// Opens a device: "gpu", "cpu" or "auto". Once a page for "gpu": burn keeps its device.
    ///
    /// # Errors
    /// `no_webgpu`.
    pub async fn create(device: String) -> Result<Checker, JsValue> {
        let preference = match device.as_str() {
            "gpu" => DevicePreference::Gpu,
            "cpu" => DevicePreference::Cpu,
            _ => DevicePreference::Auto,
        };
        let device = ComputeDevice::open(preference).await.map_err(to_js)?;
        Ok(Checker { device, loading: None, models: HashMap::new() })
    }

    /// Takes helper workers that serve a [`crate::engine::cpu::crew::CrewMember`] each, for the CPU. They are ended with the
    /// checker.
    pub fn hire(&self, workers: Vec<HelperWorker>) {
        crew::hire(workers, self.device.memory_bytes);
    }

    /// `{kind, adapter, buffer_bytes, threads, shared_bytes}`.
    pub fn device_report(&self) -> Result<String, JsValue> {
        let ComputeDevice { kind, adapter, buffer_bytes, .. } = &self.device;
        let threads = if *kind == DeviceKind::Cpu { crew::threads() } else { 1 };
        let shared_bytes = crew::shared_bytes();
        json(&DeviceReport { kind: *kind, adapter, buffer_bytes: *buffer_bytes, threads, shared_bytes })
    }

    /// Begins to load a model; gives the manifest back, validated, with the shards that must come.
    ///
    /// # Errors
    /// `manifest_invalid`.
    pub fn begin_model(&mut self, manifest: &str) -> Result<String, JsValue> {
        let manifest = Manifest::parse(manifest).map_err(to_js)?;
        let text = manifest.to_json();
        self.loading = Some(ModelLoader::new(manifest, self.device.clone()));
        Ok(text)
    }

    /// Checks a shard and moves its tensors to the device.
    ///
    /// # Errors
    /// `weights_corrupt`.
    pub fn add_shard(&mut self, index: usize, bytes: &[u8]) -> Result<(), JsValue> {
        self.loading.as_mut().ok_or_else(nothing_loading)?.add_shard(index, bytes).map_err(to_js)
    }

    /// Makes the model ready; gives the load report.
    ///
    /// # Errors
    /// `weights_missing`, `weights_wrong`, `manifest_invalid`.
    pub fn finish_model(&mut self, calibration: Option<String>) -> Result<String, JsValue> {
        let loader = self.loading.take().ok_or_else(nothing_loading)?;
        let calibration = calibration.as_deref().map(Calibration::parse).transpose().map_err(to_js)?;
        let (model, report) = loader.finish(calibration).map_err(to_js)?;
        self.models.insert(model.manifest.id.clone(), Rc::new(model));
        json(&report)
    }

    /// Gives a model's memory back.
    pub fn forget_model(&mut self, id: &str) {
        self.models.remove(id);
    }

    /// Checks an image, with a search of its grid if the check is to be `deep`. `on_progress(fraction, stage)` gives (a
    /// promise of) whether to go on. Gives `{found, local}`: JSON of the report and, if there is evidence, of the
    /// distributions that it was compared with; and, for a `closer_look`, where in the image the evidence lies, `null`
    /// for large images.
    ///
    /// # Errors
    /// Those of [`crate::check::check_image`], and `unknown_model`.
    pub async fn check(
        &self,
        image: &Image,
        model: String,
        deep: bool,
        closer_look: bool,
        on_progress: Function,
    ) -> Result<Object, JsValue> {
        let thrown = Rc::new(RefCell::new(None));
        let mut progress = Callback { function: on_progress, thrown: Rc::clone(&thrown) };
        let model = self.model(&model)?;
        let checked = match (closer_look, deep) {
            (true, _) => check_locally(&model, &image.0, deep, &mut progress).await,
            (false, true) => check_searched(&model, &image.0, &mut progress).await.map(|report| (report, None)),
            (false, false) => check_image(&model, &image.0, &mut progress).await.map(|report| (report, None)),
        };
        // What the callback itself threw says more than that it cancelled.
        if let Some(thrown) = thrown.take() {
            return Err(thrown);
        }
        let (report, local) = checked.map_err(to_js)?;
        let condition = model.calibration.as_ref().zip(report.evidence.as_ref());
        let condition = condition.and_then(|(calibration, evidence)| calibration.condition(&evidence.condition));
        let distribution = condition.map(Condition::distribution);
        let local = local.map(|local| local_evidence(&local, &report)).transpose()?;
        object([
            ("found", json(&Answer { report: &report, distribution })?.into()),
            ("local", local.map_or(JsValue::NULL, JsValue::from)),
        ])
    }

    /// `[3, height, width]` values in [-1, 1] → latent.
    pub async fn encode(
        &self,
        model: String,
        values: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>, JsValue> {
        let image = Values::new(values, [3, height, width]).map_err(to_js)?;
        reconstruction::encode(&*self.model(&model)?, &image).await.map_err(to_js)
    }

    /// Latent `[channels, height, width]` → reconstruction.
    pub async fn decode(
        &self,
        model: String,
        latent: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>, JsValue> {
        let model = self.model(&model)?;
        let channels = model.manifest.architecture.latent_channels();
        let latent = Values::new(latent, [channels, height, width]).map_err(to_js)?;
        reconstruction::decode(&model, &latent).await.map_err(to_js)
    }

    /// `{first_loss, second_loss}` of `[3, height, width]` values in [-1, 1].
    pub async fn double_reconstruction(
        &self,
        model: String,
        values: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<String, JsValue> {
        let model = self.model(&model)?;
        let image = Values::new(values, [3, height, width]).map_err(to_js)?;
        let losses = reconstruction::double_reconstruction(&model, &image, &mut Silent).await.map_err(to_js)?;
        json(&serde_json::json!({ "first_loss": losses.first, "second_loss": losses.second }))
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        if self.device.kind == DeviceKind::Cpu {
            crew::hire(Vec::new(), 0);
        }
    }
}

impl Checker {
    fn model(&self, id: &str) -> Result<Rc<Model>, JsValue> {
        self.models.get(id).cloned().ok_or_else(|| to_js(Error::UnknownModel { id: id.into() }))
    }
}

/// An import of a published file.
#[wasm_bindgen]
pub struct Importer(Option<Import>);

#[wasm_bindgen]
impl Importer {
    /// Begins with an [`ImportRequest`].
    ///
    /// # Errors
    /// `manifest_invalid`.
    #[wasm_bindgen(constructor)]
    pub fn new(request: &str) -> Result<Importer, JsValue> {
        let request: ImportRequest = serde_json::from_str(request)
            .map_err(|error| to_js(Error::ManifestInvalid { file: "the import".into(), detail: error.to_string() }))?;
        Ok(Importer(Some(Import::new(request).map_err(to_js)?)))
    }

    /// Bytes of the whole file, once its header has come.
    pub fn file_bytes(&self) -> Option<f64> {
        // Exact up to 2^53; files of more than 2^40 are refused.
        self.0.as_ref()?.file_bytes().map(|bytes| bytes as f64)
    }

    /// How many bytes are wanted in all, once the header has come.
    pub fn wanted_bytes(&self) -> Option<f64> {
        self.0.as_ref()?.wanted_bytes().map(|bytes| bytes as f64)
    }

    /// The bytes that are to come next, `[start, end]` in the file; nothing if no more are needed. Infinity is its end.
    pub fn wants(&self) -> Option<Vec<f64>> {
        let range = self.0.as_ref()?.wants()?;
        let end = if range.end == u64::MAX { f64::INFINITY } else { range.end as f64 };
        Some(vec![range.start as f64, end])
    }

    /// Passes over what is not wanted: what is pushed next begins where `wants` does.
    pub fn skip(&mut self) {
        self.0.iter_mut().for_each(Import::skip);
    }

    /// Compares the length of the file, in bytes, with that in its header, once that has come.
    ///
    /// # Errors
    /// `weights_corrupt`.
    pub fn check_length(&self, bytes: f64) -> Result<(), JsValue> {
        // JavaScript counts no further than 2^53, and what is no length is none of the header's.
        self.0.as_ref().ok_or_else(nothing_loading)?.check_length(bytes as u64).map_err(to_js)
    }

    /// Takes the next bytes; gives the files that are to be kept, an array of `[name, bytes]`.
    ///
    /// # Errors
    /// `weights_foreign`, `weights_wrong`, `weights_corrupt`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Array, JsValue> {
        self.0.as_mut().ok_or_else(nothing_loading)?.push(bytes).map(files).map_err(to_js)
    }

    /// Gives the last files, the manifest at the end.
    ///
    /// # Errors
    /// `weights_corrupt`.
    pub fn finish(&mut self) -> Result<Array, JsValue> {
        let import = self.0.take().ok_or_else(nothing_loading)?;
        let (mut written, manifest, _) = import.finish().map_err(to_js)?;
        written.push(("manifest.json".into(), manifest.to_json().into_bytes()));
        Ok(files(written))
    }
}

/// `{cell, columns, placement, layers, scales}`: pixels of a cell's side, cells in a row; `[left, top, width, height]` of
/// the part that was checked, in pixels of the file; PNG files of the reconstructions, and of the maps with their values
/// `[rows, columns]`; and the scales of the maps, each with its bar as a PNG.
fn local_evidence(local: &LocalEvidence, report: &CheckReport) -> Result<Object, JsValue> {
    let picture = |rgb: &[u8]| -> Result<JsValue, JsValue> {
        object([("png", bytes(&png(rgb, local.width, local.height).map_err(to_js)?))]).map(JsValue::from)
    };
    let map = |scale: Scale, values: &[f32]| -> Result<JsValue, JsValue> {
        let values_of = Float32Array::from(values).into();
        object([("png", bytes(&scale.map(values, local.columns).map_err(to_js)?)), ("values", values_of)])
            .map(JsValue::from)
    };
    let bar = |scale: Scale| scale.bar().map(|bar| bytes(&bar)).map_err(to_js);
    let (high, centre) = (local.largest_error(), local.usual_ratio(report));
    let (errors, ratios) = (Scale::Error { high }, Scale::Ratio { centre });
    let layers = object([
        ("first", picture(&local.reconstructions[0])?),
        ("second", picture(&local.reconstructions[1])?),
        ("first_error", map(errors, &local.errors[0])?),
        ("second_error", map(errors, &local.errors[1])?),
        ("ratio", map(ratios, &local.ratios)?),
    ])?;
    let error_scale = object([("bar", bar(errors)?), ("low", 0.0.into()), ("high", high.into())])?;
    let ratio_scale = object([
        ("bar", bar(ratios)?),
        ("low", (centre / RATIO_SPAN).into()),
        ("centre", centre.into()),
        ("high", (centre * RATIO_SPAN).into()),
    ])?;
    let placement: Array = report.placement().into_iter().map(JsValue::from).collect();
    object([
        ("cell", (CELL as u32).into()),
        ("columns", (local.columns as u32).into()),
        ("placement", placement.into()),
        ("layers", layers.into()),
        ("scales", object([("error", error_scale.into()), ("ratio", ratio_scale.into())])?.into()),
    ])
}

fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Result<Object, JsValue> {
    let made = Object::new();
    for (name, value) in properties {
        Reflect::set(&made, &name.into(), &value)?;
    }
    Ok(made)
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn files(written: Vec<Written>) -> Array {
    let pair = |(name, bytes): Written| Array::of2(&name.into(), &Uint8Array::from(bytes.as_slice()));
    written.into_iter().map(pair).collect()
}

struct Callback {
    function: Function,
    thrown: Rc<RefCell<Option<JsValue>>>,
}

impl Callback {
    async fn call(&self, fraction: f64, stage: Stage) -> Result<bool, JsValue> {
        let answer = self.function.call2(&JsValue::NULL, &fraction.into(), &stage.name().into())?;
        let answer = match answer.dyn_into::<Promise>() {
            Ok(promise) => JsFuture::from(promise).await?,
            Err(value) => value,
        };
        Ok(answer.as_bool() != Some(false))
    }
}

impl Progress for Callback {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        match self.call(fraction, stage).await {
            Ok(go_on) => go_on,
            Err(thrown) => {
                *self.thrown.borrow_mut() = Some(thrown);
                false
            }
        }
    }
}

fn nothing_loading() -> JsValue {
    to_js(Error::WeightsMissing { file: "the manifest, which must come first".into() })
}

fn json(value: &impl Serialize) -> Result<String, JsValue> {
    serde_json::to_string(value)
        .map_err(|error| to_js(Error::BadNumbers { what: "the report".into(), detail: error.to_string() }))
}

fn to_js(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    for (property, value) in [("code", error.code()), ("advice", error.advice())] {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&thrown, &property.into(), &value.into());
    }
    let written = serde_json::to_value(&error).unwrap_or_default();
    if let Some(details) = written.get("details") {
        let _ = Reflect::set(&thrown, &"details".into(), &details.to_string().into());
    }
    thrown.into()
}
