use std::{collections::HashMap, rc::Rc};

use js_sys::{Function, Object};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::{
    errors::{nothing_loading, to_js},
    evidence_map::evidence_map,
    image::Image,
    json::json,
    progress::Callback,
};
use crate::{
    Error,
    engine::{
        cpu::thread_pool,
        device::{ComputeDevice, DeviceKind, DevicePreference},
    },
    evidence::{
        calibration::Calibration,
        condition::{Condition, Distribution},
    },
    method::reconstruction::{self, Silent, Values},
    report::{
        candidate::Candidate,
        check::{check_image, check_searched, check_with_map},
        check_report::CheckReport,
    },
    weights::{Manifest, ModelLoader},
};

/// A device with the models that were loaded onto it.
#[wasm_bindgen]
pub struct Checker {
    device: ComputeDevice,
    loading: Option<ModelLoader>,
    models: HashMap<String, Rc<Candidate>>,
}

#[wasm_bindgen]
extern "C" {
    /// What [`Checker::check`] gives.
    #[wasm_bindgen(extends = Object)]
    pub type Checked;

    #[wasm_bindgen(method, setter)]
    fn set_found(this: &Checked, found: &str);
    /// `null` where there is none.
    #[wasm_bindgen(method, setter)]
    fn set_evidence_map(this: &Checked, map: &JsValue);
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

/// What a check gives, besides pictures.
#[derive(Serialize)]
struct Answer<'a> {
    report: &'a CheckReport,
    distribution: Option<Distribution>,
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

    /// Takes workers for the CPU, each of which serves a [`crate::engine::cpu::thread_pool::HelperThread`]. They end
    /// with the checker.
    pub fn use_helpers(&self, workers: Vec<Worker>) {
        thread_pool::set_helpers(workers, self.device.memory_bytes);
    }

    /// `{kind, adapter, buffer_bytes, threads, shared_bytes}`.
    pub fn device_report(&self) -> Result<String, JsValue> {
        let ComputeDevice { kind, adapter, buffer_bytes, .. } = &self.device;
        let threads = if *kind == DeviceKind::Cpu { thread_pool::threads() } else { 1 };
        let shared_bytes = thread_pool::shared_bytes();
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
        let (model, report) = loader.finish().map_err(to_js)?;
        let candidate = Candidate::new(model, calibration).map_err(to_js)?;
        self.models.insert(candidate.model.manifest.id.clone(), Rc::new(candidate));
        json(&report)
    }

    /// Frees a model's memory.
    pub fn forget_model(&mut self, id: &str) {
        self.models.remove(id);
    }

    /// Checks an image, with a search of its grid if the check is to be `deep`. `on_progress(fraction, stage)` gives (a
    /// promise of) whether to continue. Gives `{found, evidence_map}`. `found` is JSON: the report and, if there is
    /// evidence, the distributions that it was compared with. `evidence_map`, if `with_map`, is where in the image the
    /// evidence lies; `null` for large images.
    ///
    /// # Errors
    /// Those of [`crate::report::check::check_image`], and `unknown_model`.
    pub async fn check(
        &self,
        image: &Image,
        model: String,
        deep: bool,
        with_map: bool,
        on_progress: Function,
    ) -> Result<Checked, JsValue> {
        let mut progress = Callback::new(on_progress);
        let candidate = self.candidate(&model)?;
        let checked = match (with_map, deep) {
            (true, _) => check_with_map(&candidate, &image.0, deep, &mut progress).await,
            (false, true) => check_searched(&candidate, &image.0, &mut progress).await.map(|report| (report, None)),
            (false, false) => check_image(&candidate, &image.0, &mut progress).await.map(|report| (report, None)),
        };
        // What the callback itself threw says more than that it cancelled.
        if let Some(thrown) = progress.end() {
            return Err(thrown);
        }
        let (report, map) = checked.map_err(to_js)?;
        let condition = candidate.calibration.as_ref().zip(report.evidence.as_ref());
        let condition = condition.and_then(|(calibration, evidence)| calibration.condition(&evidence.condition));
        let distribution = condition.map(Condition::distribution);
        let made: Checked = Object::new().unchecked_into();
        made.set_found(&json(&Answer { report: &report, distribution })?);
        let map = map.map(|map| evidence_map(&map, &report)).transpose()?;
        made.set_evidence_map(&map.map_or(JsValue::NULL, JsValue::from));
        Ok(made)
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
        reconstruction::encode(&self.candidate(&model)?.model, &image).await.map_err(to_js)
    }

    /// Latent `[channels, height, width]` → reconstruction.
    pub async fn decode(
        &self,
        model: String,
        latent: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>, JsValue> {
        let candidate = self.candidate(&model)?;
        let channels = candidate.model.manifest.architecture.latent_channels();
        let latent = Values::new(latent, [channels, height, width]).map_err(to_js)?;
        reconstruction::decode(&candidate.model, &latent).await.map_err(to_js)
    }

    /// `{first_loss, second_loss}` of `[3, height, width]` values in [-1, 1].
    pub async fn double_reconstruction(
        &self,
        model: String,
        values: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<String, JsValue> {
        let candidate = self.candidate(&model)?;
        let image = Values::new(values, [3, height, width]).map_err(to_js)?;
        let losses =
            reconstruction::double_reconstruction(&candidate.model, &image, &mut Silent).await.map_err(to_js)?;
        json(&serde_json::json!({ "first_loss": losses.first, "second_loss": losses.second }))
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        if self.device.kind == DeviceKind::Cpu {
            thread_pool::set_helpers(Vec::new(), 0);
        }
    }
}

impl Checker {
    fn candidate(&self, id: &str) -> Result<Rc<Candidate>, JsValue> {
        self.models.get(id).cloned().ok_or_else(|| to_js(Error::UnknownModel { id: id.into() }))
    }
}
