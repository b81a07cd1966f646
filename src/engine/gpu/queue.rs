//! Launching WGSL through burn's GPU runtime: its buffers, its queue, its pipelines, kept by source.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, ThreadId},
};

use burn::tensor::Tensor;
use burn_wgpu::{AutoCompiler, CubeBackend, CubeTensor, WgpuDevice};
use cubecl::{
    CubeCount, CubeKernel, Device, ExecutionMode, PrecompiledSource,
    client::Client,
    ir::{AddressType, ElemType, FloatKind, UIntKind, metadata::Info, settings::Dim3},
    prelude::{KernelDefinition, KernelId, KernelMetadata, KernelSettings, Scope},
    server::{Handle, KernelArguments, MetadataBindingInfo},
    std::tensor::into_contiguous,
    wgpu::WgpuServer,
};

use crate::{Error, Result};

/// WGSL with the entry point `main`. Every binding of group 0 must be used, and they are numbered in the
/// order in which buffers are given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source(Arc<Text>);

/// A source with its hash, by which the runtime looks pipelines up at every launch.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    hash: u64,
    text: String,
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Source(Arc::new(Text { hash: hasher.finish(), text }))
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Source::from(text.to_owned())
    }
}

impl KernelMetadata for Source {
    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.clone())
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
        Some(PrecompiledSource { source: self.0.text.clone(), entrypoint_name: "main".into(), lang: "wgsl" })
    }
}

/// Where kernels run.
#[derive(Clone)]
pub struct Queue {
    client: Client,
}

/// A buffer on the GPU.
#[derive(Debug, Clone)]
pub struct Buffer(Arc<Allocation>);

#[derive(Debug)]
enum Allocation {
    /// From burn's pools.
    Pooled(Handle),
    /// From the arena, to which it returns.
    Map { handle: Handle, bytes: u64 },
}

impl Drop for Allocation {
    fn drop(&mut self) {
        if let Allocation::Map { handle, bytes } = self {
            arena().free.push(Free { handle: handle.clone(), bytes: *bytes, thread: thread::current().id() });
        }
    }
}

impl Buffer {
    fn handle(&self) -> &Handle {
        match &*self.0 {
            Allocation::Pooled(handle) | Allocation::Map { handle, .. } => handle,
        }
    }
}

/// Bytes of free buffers that are kept for the next of the same size.
const FREE_BYTES: u64 = 16 << 20;

/// Buffers of maps, each a device allocation of its own. burn's pools keep freed buffers, and in browsers a dropped
/// buffer lives until the garbage collector runs, which does not know its size. So maps are destroyed here as soon as
/// the room is needed.
#[derive(Debug)]
struct Arena {
    free: Vec<Free>,
    bytes: u64,
    peak: u64,
}

#[derive(Debug)]
struct Free {
    handle: Handle,
    bytes: u64,
    /// The thread that used it last: each thread has its own queue, and another thread's work may not have been
    /// submitted.
    thread: ThreadId,
}

/// burn has one GPU device a process.
static ARENA: Mutex<Arena> = Mutex::new(Arena { free: Vec::new(), bytes: 0, peak: 0 });

fn arena() -> MutexGuard<'static, Arena> {
    // The arena is consistent between any two statements that change it.
    ARENA.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Bytes of the arena's buffers, and their peak since the last call.
pub fn memory() -> (u64, u64) {
    let mut arena = arena();
    let before = arena.peak;
    arena.peak = arena.bytes;
    (arena.bytes, before)
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Queue")
    }
}

impl Queue {
    /// The queue of a GPU device, which tensors on it share.
    pub fn of(device: &WgpuDevice) -> Self {
        Queue { client: Device::Wgpu(device.clone()).client() }
    }

    /// Room for a map or a band of one; the contents are whatever was there.
    pub fn map(&self, bytes: u64) -> Buffer {
        let mut arena = arena();
        let found = arena.free.iter().position(|free| free.bytes == bytes && free.thread == thread::current().id());
        let handle = match found {
            Some(index) => arena.free.swap_remove(index).handle,
            None => {
                if arena.free.iter().map(|free| free.bytes).sum::<u64>() > FREE_BYTES {
                    self.destroy_free(&mut arena);
                }
                arena.bytes += bytes;
                arena.peak = arena.peak.max(arena.bytes);
                self.client.memory_dedicated_allocation((), |()| self.client.empty(bytes as usize))
            }
        };
        Buffer(Arc::new(Allocation::Map { handle, bytes }))
    }

    /// Returns the memory of maps that nothing uses any more to the system.
    pub fn release(&self) {
        self.destroy_free(&mut arena());
    }

    fn destroy_free(&self, arena: &mut Arena) {
        let free = std::mem::take(&mut arena.free);
        // Launched work may still read them; once it is submitted, WebGPU keeps them for as long as that takes.
        let buffers: Vec<_> = free
            .iter()
            .filter_map(|free| self.client.get_resource::<WgpuServer<AutoCompiler>>(free.handle.clone()).ok())
            .collect();
        if self.client.flush().is_ok() {
            buffers.iter().for_each(|buffer| buffer.resource().buffer.destroy());
        }
        arena.bytes -= free.iter().map(|free| free.bytes).sum::<u64>();
    }

    /// A small buffer for numbers on the way; the contents are whatever was there.
    pub fn scratch(&self, bytes: usize) -> Buffer {
        Buffer(Arc::new(Allocation::Pooled(self.client.empty(bytes))))
    }

    /// A buffer with these values.
    pub fn upload(&self, values: &[f32]) -> Buffer {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Buffer(Arc::new(Allocation::Pooled(self.client.create_from_slice(&bytes))))
    }

    /// The values of a tensor of f32 in their logical order, which must be a multiple of four.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`] if it is not on a GPU.
    pub fn buffer<const D: usize>(&self, tensor: Tensor<D>) -> Result<Buffer> {
        let tensor: CubeTensor = tensor
            .try_into_primitive::<CubeBackend>()
            .map_err(|error| Error::DeviceFailed { detail: format!("the kernels need a GPU: {error:?}") })?;
        let handle = if tensor.is_contiguous() {
            tensor.handle
        } else {
            into_contiguous(&self.client, tensor.binding(), ElemType::Float(FloatKind::F32)).handle
        };
        Ok(Buffer(Arc::new(Allocation::Pooled(handle))))
    }

    /// A buffer's values.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub async fn read(&self, buffer: &Buffer) -> Result<Vec<f32>> {
        let read = self.client.read_async(vec![buffer.handle().clone()]).await;
        let bytes = read.map_err(|error| Error::DeviceFailed { detail: error.to_string() })?;
        let (words, _) = bytes.first().map(|bytes| bytes.as_chunks::<4>()).unwrap_or_default();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    /// Runs `source` on `groups` workgroups. `numbers` become the last binding, a uniform.
    pub fn launch(&self, source: impl Into<Source>, groups: [usize; 3], buffers: &[&Buffer], numbers: &[u32]) {
        let source: Source = source.into();
        // Passed as the runtime's own kernels get theirs: a buffer that the runtime must write to would end the batch
        // of launches.
        let numbers = numbers.chunks(2).map(|pair| {
            let word = |index: usize| u64::from(pair.get(index).copied().unwrap_or_default());
            word(0) | word(1) << 32
        });
        let mut arguments = KernelArguments::new().with_info(MetadataBindingInfo::custom(numbers.collect()));
        for buffer in buffers {
            arguments = arguments.with_buffer(buffer.handle().clone().binding());
        }
        let [x, y, z] = groups.map(|count| count as u32);
        self.client.launch(Box::new(source), CubeCount::Static(x, y, z), arguments);
    }

    /// Waits until everything launched has been computed.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub async fn wait(&self) -> Result<()> {
        self.client.sync().await.map_err(|error| Error::DeviceFailed { detail: error.to_string() })
    }
}
