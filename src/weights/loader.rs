//! Loading shard by shard: each is checked, its tensors dequantised and moved to the device, its bytes freed.

use std::collections::{HashMap, HashSet};

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensors;

use super::{Manifest, shard, tensor};
use crate::{
    Error, LoadReport, Result, WrongShape,
    autoencoder::{Parameters, spec::ParameterSpec},
    engine::{autoencoder::Autoencoder, device::ComputeDevice, gpu::Stored},
};

/// A model whose autoencoder is on a device.
#[derive(Debug)]
pub struct Model {
    pub manifest: Manifest,
    pub device: ComputeDevice,
    /// How maps are held between the kernels.
    pub maps: Stored,
    pub autoencoder: Autoencoder,
}

/// A model whose shards are arriving, in any order.
#[derive(Debug)]
pub struct ModelLoader {
    manifest: Manifest,
    device: ComputeDevice,
    arrived: Vec<bool>,
    tensors: HashMap<String, StoredTensor>,
}

#[derive(Debug)]
struct StoredTensor {
    shape: Vec<usize>,
    values: Tensor<1>,
}

impl ModelLoader {
    /// Begins with a manifest.
    pub fn new(manifest: Manifest, device: ComputeDevice) -> Self {
        let arrived = vec![false; manifest.shards.len()];
        ModelLoader { manifest, device, arrived, tensors: HashMap::new() }
    }

    /// What is being loaded.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks a shard against the manifest and moves its tensors to the device.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`]; the shard can be added again.
    pub fn add_shard(&mut self, index: usize, bytes: &[u8]) -> Result<()> {
        let Some(shard) = self.manifest.shards.get(index) else {
            let detail = format!("there is no shard {index}");
            return Err(Error::BadNumbers { what: "the shard's number".into(), detail });
        };
        shard.verify(bytes)?;
        let corrupt = |detail: String| Error::WeightsCorrupt { file: shard.file.clone(), detail };
        let expanded = shard::expanded(shard, bytes)?;
        let parsed = SafeTensors::deserialize(expanded.as_deref().unwrap_or(bytes))
            .map_err(|error| corrupt(error.to_string()))?;
        let mut tensors = Vec::new();
        for (name, stored) in parsed.iter() {
            if tensor::base_name(name).is_some_and(|base| parsed.tensor(base).is_ok()) {
                continue;
            }
            let part = |name: String| parsed.tensor(&name).ok();
            let (scales, low) = (part(tensor::scale_name(name)), part(tensor::low_name(name)));
            let values = tensor::values(&stored, scales.as_ref(), low.as_ref())
                .map_err(|detail| corrupt(format!("{name}: {detail}")))?;
            if !values.iter().all(|value| value.is_finite()) {
                return Err(corrupt(format!("{name} holds values that are not numbers")));
            }
            tensors.push((name.to_owned(), stored.shape().to_vec(), values));
        }
        tensors.into_iter().for_each(|(name, shape, values)| self.add_values(name, shape, values));
        self.arrived.iter_mut().skip(index).take(1).for_each(|arrived| *arrived = true);
        Ok(())
    }

    /// Moves a tensor to the device.
    pub(crate) fn add_values(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        let length = values.len();
        let values = Tensor::from_data(TensorData::new(values, [length]), &self.device.device);
        self.tensors.insert(name, StoredTensor { shape, values });
    }

    /// Builds the autoencoder.
    ///
    /// # Errors
    /// [`Error::WeightsMissing`] for a shard that has not come, [`Error::WeightsWrong`] if tensors are
    /// missing or do not fit.
    pub fn finish(self) -> Result<(Model, LoadReport)> {
        if let Some((missing, _)) = self.manifest.shards.iter().zip(&self.arrived).find(|(_, arrived)| !**arrived) {
            return Err(Error::WeightsMissing { file: missing.file.clone() });
        }
        // Before anything is built: a hostile architecture must not allocate what no shard holds.
        let report = self.report();
        if !report.is_complete() {
            return Err(Error::WeightsWrong { model: self.manifest.id, report: Box::new(report) });
        }
        let maps = self.manifest.maps_on(&self.device);
        let mut source = Complete(self.tensors);
        let autoencoder = Autoencoder::load(&self.manifest.architecture, &mut source, &self.device, maps)?;
        let model = Model { manifest: self.manifest, device: self.device, maps, autoencoder };
        Ok((model, report))
    }

    /// Compares what the architecture takes with what the shards hold.
    fn report(&self) -> LoadReport {
        let mut report = LoadReport::default();
        let mut taken = HashSet::new();
        for ParameterSpec { name, shape: expected } in self.manifest.architecture.parameters() {
            match self.tensors.get(&name) {
                Some(stored) if stored.shape == expected => report.applied = report.applied.saturating_add(1),
                Some(stored) => {
                    let (name, found) = (name.clone(), stored.shape.clone());
                    report.wrong_shape.push(WrongShape { name, expected, found });
                }
                None => report.missing.push(name.clone()),
            }
            taken.insert(name);
        }
        report.unused = self.tensors.keys().filter(|name| !taken.contains(*name)).cloned().collect();
        report.unused.sort();
        report
    }
}

/// The tensors of a complete report.
struct Complete(HashMap<String, StoredTensor>);

impl Parameters for Complete {
    fn take<const D: usize>(&mut self, name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
        match self.0.remove(name) {
            Some(stored) => stored.values.reshape(shape),
            // Cannot happen: the layers take what `Architecture::parameters` lists.
            None => Tensor::zeros(shape, device),
        }
    }
}
