//! Launching WGSL through burn's GPU runtime: its buffers, its queue, its pipelines, kept by source.

use std::{fmt, sync::Arc};

use burn::tensor::{DType, Device, Shape, Tensor};
use burn_cubecl::{
    CubeBackend, CubeDevice,
    cubecl::{
        CubeCount, CubeKernel, ExecutionMode, PrecompiledSource,
        client::Client,
        ir::{AddressType, ElemType, UIntKind, metadata::Info, settings::Dim3},
        prelude::{KernelDefinition, KernelId, KernelMetadata, KernelSettings, Scope},
        server::{Handle, KernelArguments},
    },
    kernel::into_contiguous,
    tensor::CubeTensor,
};

use crate::{Error, Result};

/// WGSL with the entry point `main`. Every binding of group 0 must be used, and they are numbered in the
/// order in which buffers are given.
#[derive(Debug, Clone)]
pub struct Source(Arc<str>);

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Source(Arc::from(text))
    }
}

impl KernelMetadata for Source {
    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(Arc::clone(&self.0))
    }

    fn address_type(&self) -> ElemType {
        ElemType::UInt(UIntKind::U32)
    }
}

impl CubeKernel for Source {
    fn define(&self) -> KernelDefinition {
        let settings = KernelSettings::new(Dim3::new_single(), ExecutionMode::Unchecked, AddressType::U32);
        KernelDefinition { body: Scope::root(settings.clone()), settings, info: Info::default() }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource { source: self.0.to_string(), entrypoint_name: "main".into(), lang: "wgsl" })
    }
}

/// Where kernels run.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    device: CubeDevice,
}

/// A buffer of `vec4<f32>`.
#[derive(Debug, Clone)]
pub struct Buffer(Handle);

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Queue").field(&self.device).finish()
    }
}

impl Queue {
    /// The queue of a GPU device of burn's.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`] for the CPU.
    pub fn of(device: &Device) -> Result<Self> {
        let CubeTensor { client, device, .. } = primitive(Tensor::<1>::zeros([1], device))?;
        Ok(Queue { client, device })
    }

    /// Room for `vectors` of four; the contents are whatever was there.
    pub fn empty(&self, vectors: usize) -> Buffer {
        Buffer(self.client.empty(vectors * 16))
    }

    /// The values of a tensor in their logical order, which must be a multiple of four.
    pub fn buffer<const D: usize>(&self, tensor: Tensor<D>) -> Result<Buffer> {
        Ok(Buffer(into_contiguous(primitive(tensor)?).handle))
    }

    /// A buffer as a tensor.
    pub fn tensor<const D: usize>(&self, buffer: Buffer, shape: [usize; D]) -> Tensor<D> {
        let (client, device) = (self.client.clone(), self.device.clone());
        let tensor = CubeTensor::new_contiguous(client, device, Shape::from(shape), buffer.0, DType::F32);
        Tensor::from_primitive::<CubeBackend>(tensor)
    }

    /// Runs `source` on `groups` workgroups. `numbers` become the last binding.
    pub fn launch(&self, source: impl Into<Source>, groups: [usize; 3], buffers: &[&Buffer], numbers: &[u32]) {
        let source: Source = source.into();
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let numbers = self.client.create_from_slice(&numbers);
        let mut arguments = KernelArguments::new();
        for buffer in buffers {
            arguments = arguments.with_buffer(buffer.0.clone().binding());
        }
        let [x, y, z] = groups.map(|count| count as u32);
        self.client.launch(Box::new(source), CubeCount::Static(x, y, z), arguments.with_buffer(numbers.binding()));
    }

    /// Waits until everything launched has been computed.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub async fn wait(&self) -> Result<()> {
        self.client.sync().await.map_err(|error| Error::DeviceFailed { detail: error.to_string() })
    }
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> Result<CubeTensor> {
    tensor
        .try_into_primitive::<CubeBackend>()
        .map_err(|error| Error::DeviceFailed { detail: format!("the kernels need a GPU: {error:?}") })
}
