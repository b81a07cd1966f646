//! What a back end of the engine computes. [`super::executor`] decides what is computed when.

use std::{fmt::Debug, future::Future};

use burn::tensor::Tensor;

use super::{
    error_sums::ErrorSums,
    operations::{Codebook, Convolution},
    plan::{Limits, Rows},
};
use crate::{
    Result,
    autoencoder::spec::{GroupNormSpec, MapSize},
    image::orientation::Orientation,
};

/// Some rows of a map, in a buffer.
#[derive(Debug, Clone)]
pub struct Band<B> {
    /// Holds at least `[channels, rows, width]`, in the back end's own order.
    pub buffer: B,
    /// The size of the whole map.
    pub size: MapSize,
    /// The rows that the buffer holds.
    pub rows: Rows,
}

impl<B> Band<B> {
    /// A map that is held whole.
    pub fn whole(buffer: B, size: MapSize) -> Self {
        Band { buffer, size, rows: 0..size[1] }
    }
}

/// The maps and numbers that a convolution reads.
#[derive(Debug)]
pub struct Sources<'a, K: Kernels + ?Sized> {
    pub input: &'a Band<K::Buffer>,
    /// Scale and shift of each input channel, for [`super::operations::Transform::Normalise`].
    pub affine: Option<&'a K::Affine>,
    pub residual: Option<&'a Band<K::Buffer>>,
}

/// The maps and numbers of [`super::operations::Operation::Modulate`].
#[derive(Debug)]
pub struct Modulated<'a, K: Kernels + ?Sized> {
    pub input: &'a Band<K::Buffer>,
    pub affine: &'a K::Affine,
    pub scale: &'a Band<K::Buffer>,
    pub shift: &'a Band<K::Buffer>,
    pub silu: bool,
}

/// A back end: buffers, packed weights, and the few kernels. Only what reads values back waits for the device.
pub trait Kernels: Debug {
    /// Room for a map, or for some rows of one.
    type Buffer: Debug;
    /// A convolution's weights as the kernel takes them.
    type Convolution: Debug;
    /// A normalisation's learnt scale and shift.
    type Norm: Debug;
    /// Rows of channels: a channel norm's gamma, a codebook.
    type Table: Debug;
    /// Moments of the bands that were gathered so far.
    type Moments: Debug;
    /// Each channel's scale and shift.
    type Affine: Debug;

    /// How maps are laid out, and what one buffer may take. `memory` is not limited.
    fn limits(&self) -> Limits;

    /// Packs `[out, in, kernel, kernel]` weights and `[out]` biases, the first `outputs` of them.
    fn pack_convolution(&self, conv: &Convolution, weight: Tensor<4>, bias: Tensor<1>) -> Result<Self::Convolution>;

    /// Packs `[channels]` scales and shifts.
    fn pack_norm(&self, scale: Tensor<1>, shift: Tensor<1>) -> Result<Self::Norm>;

    /// Packs `[rows, channels]` values.
    fn pack_table(&self, values: Tensor<2>) -> Result<Self::Table>;

    /// A buffer of so many bytes, for an input or a result if `end`; the contents are whatever was there.
    fn allocate(&self, bytes: u64, end: bool) -> Self::Buffer;

    /// Returns the memory of buffers that nothing uses any more to the system.
    fn release(&self);

    /// Writes `[channels, rows, width]` values into a band.
    fn write(&self, band: &mut Band<Self::Buffer>, rows: Rows, values: &[f32]) -> Result<()>;

    /// Computes some rows of a convolution.
    fn convolve(
        &self,
        conv: &Convolution,
        packed: &Self::Convolution,
        sources: Sources<'_, Self>,
        output: &mut Band<Self::Buffer>,
        rows: Rows,
    ) -> Result<()>;

    /// Begins statistics of a map that comes in bands of so many rows.
    fn begin_statistics(&self, size: MapSize, band: usize) -> Self::Moments;

    /// Adds some rows' moments.
    fn gather(&self, moments: &mut Self::Moments, input: &Band<Self::Buffer>, rows: Rows) -> Result<()>;

    /// Merges all moments of a map.
    fn normalise(&self, moments: Self::Moments, norm: &GroupNormSpec, learnt: &Self::Norm) -> Result<Self::Affine>;

    /// Computes some rows of `softmax(qᵀ k) v`; keys and values are whole.
    fn attend(&self, sources: [&Band<Self::Buffer>; 3], output: &mut Band<Self::Buffer>, rows: Rows) -> Result<()>;

    /// Computes some rows of a modulated map.
    fn modulate(&self, sources: Modulated<'_, Self>, output: &mut Band<Self::Buffer>, rows: Rows) -> Result<()>;

    /// Computes some rows of `x / ‖x‖ · √channels · gamma`, then of its SiLU.
    fn normalise_channels(
        &self,
        gamma: &Self::Table,
        silu: bool,
        input: &Band<Self::Buffer>,
        output: &mut Band<Self::Buffer>,
        rows: Rows,
    ) -> Result<()>;

    /// Takes the nearest entry of a codebook for each position of some rows.
    fn quantise(
        &self,
        codebook: &Codebook,
        table: &Self::Table,
        input: &Band<Self::Buffer>,
        output: &mut Band<Self::Buffer>,
        rows: Rows,
    ) -> Result<()>;

    /// The sum of squared differences of two whole maps.
    fn squared_difference(&self, a: &Band<Self::Buffer>, b: &Band<Self::Buffer>) -> impl Future<Output = Result<f64>>;

    /// [`super::error_sums::error_sums`] of a reconstruction and its input, two whole maps of three channels that are
    /// oriented so.
    fn error_sums(
        &self,
        made: &Band<Self::Buffer>,
        input: &Band<Self::Buffer>,
        orientation: Orientation,
    ) -> impl Future<Output = Result<ErrorSums>>;

    /// The values of a whole map, `[channels, height, width]`.
    fn read(&self, map: &Band<Self::Buffer>) -> impl Future<Output = Result<Vec<f32>>>;
}
