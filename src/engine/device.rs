//! Choosing where the computing happens: WebGPU (a browser's, or the machine's own through wgpu) or the CPU.

use std::sync::Mutex;

use burn::tensor::Device;
use burn_wgpu::{
    MemoryConfiguration, RuntimeOptions, WgpuDevice, WgpuInitError, WgpuSetup,
    graphics::AutoGraphicsApi,
    try_init_setup_async,
    wgpu::{DeviceType, Features},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    engine::gpu::{Gpu, Stored},
};

/// Which device a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DevicePreference {
    /// A GPU if there is a real one, else the CPU.
    #[default]
    Auto,
    /// A GPU or an error; software adapters count.
    Gpu,
    Cpu,
}

/// The two kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    WebGpu,
    Cpu,
}

/// An opened device and what it can hold.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    /// burn's handle, for tensors.
    pub device: Device,
    /// The GPU runtime's, for kernels; none on the CPU.
    pub wgpu: Option<WgpuDevice>,
    pub kind: DeviceKind,
    /// The adapter's name as the system reports it, or "CPU".
    pub adapter: String,
    /// The adapter is a CPU that emulates a GPU.
    pub software: bool,
    /// What a single buffer may hold, in bytes.
    pub buffer_bytes: u64,
    /// What a check should take at most, in bytes: its maps, and on a GPU the weights, too. Where that cannot
    /// be, it takes what it must.
    pub memory_bytes: u64,
    /// Whether our own kernels compute autoencoders; otherwise burn's operations do.
    pub kernels: bool,
    /// The adapter can hold maps in f16.
    pub has_f16: bool,
    /// When maps are held in f16.
    pub maps: MapPrecision,
}

/// How a GPU holds maps between kernels, which compute in f32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapPrecision {
    /// f16 if the adapter can and the model's manifest records that its signal hardly changes.
    #[default]
    Auto,
    F32,
    /// f16 if the adapter can.
    F16,
}

/// WebGPU does not report how much memory there is. The smallest of today's desktops can spare this much, and large
/// images need more only to be checked faster.
const GPU_MEMORY_BYTES: u64 = 1 << 30;
/// A phone's tab gets a few hundred megabytes, and the module never returns memory that it once took.
const CPU_MEMORY_BYTES: u64 = if cfg!(target_arch = "wasm32") { 160 << 20 } else { 8 << 30 };
/// What one allocation may take in wasm, and natively.
const CPU_BUFFER_BYTES: u64 = if cfg!(target_arch = "wasm32") { 1 << 30 } else { 4 << 30 };

/// burn registers a GPU runtime once a process; later calls share it.
static GPU: Mutex<Option<ComputeDevice>> = Mutex::new(None);

impl ComputeDevice {
    /// Opens the device that is asked for.
    ///
    /// # Errors
    /// [`Error::NoWebGpu`] if a GPU is demanded and there is none.
    pub async fn open(preference: DevicePreference) -> Result<Self> {
        match preference {
            DevicePreference::Cpu => Ok(Self::cpu()),
            DevicePreference::Gpu => Self::gpu().await,
            DevicePreference::Auto => match Self::gpu().await {
                Ok(gpu) if !gpu.software => Ok(gpu),
                Ok(_) | Err(Error::NoWebGpu { .. }) => Ok(Self::cpu()),
                Err(error) => Err(error),
            },
        }
    }

    fn cpu() -> Self {
        ComputeDevice {
            device: Device::flex(),
            wgpu: None,
            kind: DeviceKind::Cpu,
            adapter: "CPU".into(),
            software: false,
            buffer_bytes: CPU_BUFFER_BYTES,
            memory_bytes: CPU_MEMORY_BYTES,
            // Natively burn's operations use wider vectors than the kernels are compiled for.
            kernels: cfg!(target_arch = "wasm32"),
            has_f16: false,
            maps: MapPrecision::Auto,
        }
    }

    async fn gpu() -> Result<Self> {
        if let Some(open) = GPU.lock().ok().and_then(|gpu| gpu.clone()) {
            return Ok(open);
        }
        let device = WgpuDevice::default();
        let setup = set_up(&device).await.map_err(|error| Error::NoWebGpu { detail: error.to_string() })?;
        // In browsers, too, wgpu has what WebGPU reports about the adapter.
        let (info, limits) = (setup.adapter.get_info(), setup.device.limits());
        let gpu = ComputeDevice {
            device: device.clone().into(),
            wgpu: Some(device),
            kind: DeviceKind::WebGpu,
            software: info.device_type == DeviceType::Cpu,
            adapter: if info.name.is_empty() { "WebGPU".into() } else { info.name },
            buffer_bytes: limits.max_buffer_size.min(limits.max_storage_buffer_binding_size),
            memory_bytes: GPU_MEMORY_BYTES,
            kernels: true,
            has_f16: setup.device.features().contains(Features::SHADER_F16),
            maps: MapPrecision::Auto,
        };
        if let Ok(mut shared) = GPU.lock() {
            *shared = Some(gpu.clone());
        }
        Ok(gpu)
    }

    /// Waits until everything queued has been computed. On the CPU everything is computed at once.
    pub(crate) async fn wait(&self) -> Result<()> {
        match &self.wgpu {
            Some(device) => Gpu::new(device, self.buffer_bytes, Stored::F32).wait().await,
            None => Ok(()),
        }
    }
}

/// Starts the GPU runtime on a device, where burn's own tensors then find it.
async fn set_up(device: &WgpuDevice) -> std::result::Result<WgpuSetup, WgpuInitError> {
    let mut options = RuntimeOptions::try_default()?;
    // One page per allocation, as in browsers: in one dispatch WebGPU refuses to read from a buffer that it also writes
    // to, even elsewhere in it.
    options.memory_config = MemoryConfiguration::ExclusivePages;
    try_init_setup_async::<AutoGraphicsApi>(device, options).await
}
