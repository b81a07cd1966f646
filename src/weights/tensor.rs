//! Stored tensors and their values: plain floats, or integers in blocks with a scale each.
//!
//! A block-quantised tensor NAME of shape `[rows, …]`, `b` bits a value, is stored as up to three:
//! - `NAME`, I8, the same shape: the upper 8 bits of each integer;
//! - `NAME.low`, U8, `[b − 8, ⌈values / 8⌉]`, absent for 8 bits: the other bits, a plane each, the lowest first; in a
//!   byte, the first value's bit is the lowest;
//! - `NAME.scale`, F16, `[rows, blocks]`: the largest magnitude in each block, rounded up.
//!
//! A value is `integer / (2^(b−1) − 1) · scale`. Blocks run along a row, that is along all dimensions but the first, so
//! that none spans two output channels; a row's last block may be shorter. The upper bits of weights are far from
//! evenly spread, and lie side by side so that they compress well; the lower ones hardly do.

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

/// Values that share one scale.
pub const BLOCK: usize = 128;

/// Bits of an integer that blocks may have.
pub(crate) const BITS: std::ops::RangeInclusive<u32> = 8..=15;

/// How one tensor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    /// Integers of so many bits, one of [`BITS`].
    Blocks(u32),
    F16,
    F32,
}

/// A tensor as it is stored.
#[derive(Debug)]
pub(crate) struct StoredTensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl StoredTensor {
    /// `None` if the shape and the bytes differ.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn view(&self) -> Option<TensorView<'_>> {
        TensorView::new(self.dtype, self.shape.clone(), &self.bytes).ok()
    }
}

/// The name of the tensor that holds the scales of `name`.
pub(crate) fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

/// The name of the tensor that holds the lower bits of `name`.
pub(crate) fn low_name(name: &str) -> String {
    format!("{name}.low")
}

/// The tensor that one of these names belongs to.
pub(crate) fn base_name(name: &str) -> Option<&str> {
    name.strip_suffix(".scale").or_else(|| name.strip_suffix(".low"))
}

/// The f32 values of a stored tensor. `scales` are needed for I8 alone, `low` if it has more than 8 bits.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn values(
    tensor: &TensorView<'_>,
    scales: Option<&TensorView<'_>>,
    low: Option<&TensorView<'_>>,
) -> Result<Vec<f32>, String> {
    match tensor.dtype() {
        Dtype::I8 => {
            let scales = scales.ok_or("it is quantised and has no scales")?;
            dequantise(tensor, &floats(scales)?, low)
        }
        _ => floats(tensor),
    }
}

fn floats(tensor: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = tensor.data();
    Ok(match tensor.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        other => return Err(format!("its type {other:?} is not known here")),
    })
}

fn dequantise(tensor: &TensorView<'_>, scales: &[f32], low: Option<&TensorView<'_>>) -> Result<Vec<f32>, String> {
    let (rows, length) = rows(tensor.shape());
    let (upper, blocks) = (tensor.data(), length.div_ceil(BLOCK));
    let needed = rows.saturating_mul(blocks);
    if scales.len() != needed {
        return Err(format!("it has {} scales where {needed} are needed", scales.len()));
    }
    let stride = upper.len().div_ceil(8);
    let planes: Vec<&[u8]> = match low {
        None => Vec::new(),
        Some(low) => match low.shape() {
            &[1..=7, bytes] if bytes == stride && low.dtype() == Dtype::U8 => {
                low.data().chunks(stride.max(1)).collect()
            }
            other => return Err(format!("its lower bits are {:?} of the shape {other:?}", low.dtype())),
        },
    };
    let steps = largest(planes.len());
    let mut values = Vec::with_capacity(upper.len());
    for (bytes, scales) in upper.chunks(length.max(1)).zip(scales.chunks(blocks.max(1))) {
        for (bytes, scale) in bytes.chunks(BLOCK).zip(scales) {
            for &byte in bytes {
                let (at, bit) = (values.len() / 8, values.len() % 8);
                let bits = planes.iter().map(|plane| plane.get(at).map_or(0, |byte| i32::from(byte >> bit & 1)));
                // From the highest plane down: each step shifts the integer and adds a plane's bit.
                let integer = bits.rev().fold(i32::from(byte.cast_signed()), |integer, bit| integer << 1 | bit);
                values.push(integer as f32 * (scale / steps));
            }
        }
    }
    Ok(values)
}

/// The largest integer of 8 bits and so many more.
fn largest(lower_bits: usize) -> f32 {
    128.0 * 2f32.powi(lower_bits as i32) - 1.0
}

/// Stores a tensor. Vectors are never stored in blocks, and values that f16 cannot hold are stored as f32.
pub(crate) fn store(name: &str, shape: &[usize], values: &[f32], format: Format) -> Vec<StoredTensor> {
    let plain = |dtype, bytes| vec![StoredTensor { name: name.into(), dtype, shape: shape.to_vec(), bytes }];
    let fits_half = values.iter().all(|value| value.abs() <= f16::MAX.to_f32());
    match format {
        Format::Blocks(bits) if shape.len() > 1 && fits_half => quantise(name, shape, values, bits),
        Format::Blocks(_) | Format::F16 if fits_half => plain(Dtype::F16, half_bytes(values)),
        Format::Blocks(_) | Format::F16 | Format::F32 => {
            plain(Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
    }
}

/// The values that a stored tensor gives when it is read.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn rounded(name: &str, shape: &[usize], values: Vec<f32>, format: Format) -> Vec<f32> {
    if format == Format::F32 { values } else { restored(&store(name, shape, &values, format)).unwrap_or(values) }
}

/// The values of a tensor from its parts; `None` for what [`store`] does not make.
#[cfg(not(target_arch = "wasm32"))]
fn restored(stored: &[StoredTensor]) -> Option<Vec<f32>> {
    let (first, parts) = stored.split_first()?;
    let find = |name: String| parts.iter().find(|part| part.name == name).and_then(StoredTensor::view);
    let (scales, low) = (find(scale_name(&first.name)), find(low_name(&first.name)));
    values(&first.view()?, scales.as_ref(), low.as_ref()).ok()
}

fn half_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect()
}

/// Rounds values to blocks.
///
/// A value's rounding error is added to the next value of the same kernel: neighbouring taps read nearly the same
/// values of a map, so that errors which nearly cancel within a kernel change its result less. On the default
/// autoencoder this divides the change of t by 3 to 5.
fn quantise(name: &str, shape: &[usize], values: &[f32], bits: u32) -> Vec<StoredTensor> {
    let (rows, length) = rows(shape);
    let lower_bits = bits.min(*BITS.end()).saturating_sub(*BITS.start()) as usize;
    let most = largest(lower_bits);
    // Positions of a kernel: what one input channel contributes.
    let taps = product(shape.iter().skip(2)).max(1);
    let (mut upper, mut scales) = (Vec::with_capacity(values.len()), Vec::new());
    let stride = values.len().div_ceil(8);
    let mut planes = vec![0u8; lower_bits.saturating_mul(stride)];
    for row in values.chunks(length.max(1)) {
        let mut carry = 0.0;
        let mut places = 0usize..;
        for block in row.chunks(BLOCK) {
            let scale = half_above(block.iter().fold(0.0f32, |largest, value| largest.max(value.abs())));
            scales.push(scale);
            let inverse = if scale > 0.0 { most / scale } else { 0.0 };
            for (value, place) in block.iter().zip(&mut places) {
                if place.is_multiple_of(taps) {
                    carry = 0.0;
                }
                let wanted = value * inverse + carry;
                let integer = wanted.round().clamp(-most, most);
                carry = wanted - integer;
                let (at, integer) = (upper.len(), integer as i32);
                let mut rest = integer;
                for plane in planes.chunks_mut(stride.max(1)) {
                    plane.iter_mut().skip(at / 8).take(1).for_each(|byte| *byte |= ((rest & 1) as u8) << (at % 8));
                    rest >>= 1;
                }
                upper.push((rest as i8).cast_unsigned());
            }
        }
    }
    let blocks = length.div_ceil(BLOCK);
    let mut stored = vec![
        StoredTensor { name: name.into(), dtype: Dtype::I8, shape: shape.to_vec(), bytes: upper },
        StoredTensor {
            name: scale_name(name),
            dtype: Dtype::F16,
            shape: vec![rows, blocks],
            bytes: half_bytes(&scales),
        },
    ];
    if lower_bits > 0 {
        let shape = vec![lower_bits, stride];
        stored.push(StoredTensor { name: low_name(name), dtype: Dtype::U8, shape, bytes: planes });
    }
    stored
}

/// The smallest f16 that is at least `value`.
fn half_above(value: f32) -> f32 {
    let rounded = f16::from_f32(value);
    if rounded.to_f32() < value {
        f16::from_bits(rounded.to_bits().saturating_add(1)).to_f32()
    } else {
        rounded.to_f32()
    }
}

/// Rows and their length.
fn rows(shape: &[usize]) -> (usize, usize) {
    (shape.first().copied().unwrap_or(1), product(shape.iter().skip(1)))
}

/// The product, saturated: a huge side may stand beside one of 0.
fn product<'a>(sides: impl Iterator<Item = &'a usize>) -> usize {
    sides.fold(1, |all: usize, &side| all.saturating_mul(side))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each value comes back within a step of its own block, and each kernel's sum within half of one.
        #[test]
        fn quantising_keeps_values_and_sums_of_kernels(
            rows in 1usize..4, inputs in 1usize..20, side in 1usize..4, bits in BITS,
            seed in proptest::collection::vec(-3.0f32..3.0, 3 * 19 * 9),
        ) {
            let shape = [rows, inputs, side, side];
            let length = inputs * side * side;
            let original = &seed[..rows * length];
            let back = restored(&store("w", &shape, original, Format::Blocks(bits))).unwrap();
            prop_assert_eq!(back.len(), original.len());
            // Scales are rounded up to f16, by 0.1 % at most.
            let step = 3.0 * 1.001 / ((1 << (bits - 1)) - 1) as f32;
            for (value, back) in original.iter().zip(&back) {
                prop_assert!((value - back).abs() <= step, "{value} {back} {step}");
            }
            for (values, back) in original.chunks(side * side).zip(back.chunks(side * side)) {
                let error = values.iter().sum::<f32>() - back.iter().sum::<f32>();
                // An error that could not be carried past the largest integer, or to a block with another step, adds to
                // it.
                prop_assert!(error.abs() <= 1.1 * step, "{error} {step}");
            }
        }
    }

    #[test]
    fn quantised_tensors_need_their_parts() {
        let bytes = [1u8; 256];
        let stored = TensorView::new(Dtype::I8, vec![2, 128], &bytes).unwrap();
        let scales = |rows: usize| TensorView::new(Dtype::F16, vec![rows, 1], &bytes[..2 * rows]).unwrap();
        let told = |scales: Option<&TensorView<'_>>, low: Option<&TensorView<'_>>| values(&stored, scales, low);
        assert!(told(None, None).unwrap_err().contains("no scales"));
        assert!(told(Some(&scales(1)), None).unwrap_err().contains("1 scales where 2"));
        let low = TensorView::new(Dtype::U8, vec![1, 31], &bytes[..31]).unwrap();
        assert!(told(Some(&scales(2)), Some(&low)).unwrap_err().contains("lower bits"));
        assert_eq!(told(Some(&scales(2)), None).unwrap().len(), 256);
    }

    #[test]
    fn what_f16_cannot_hold_is_f32() {
        for format in [Format::F16, Format::Blocks(8)] {
            let stored = store("w", &[1, 2], &[1e6, -1.0], format);
            assert_eq!((stored.len(), stored[0].dtype), (1, Dtype::F32));
            assert_eq!(restored(&stored).unwrap(), [1e6, -1.0]);
        }
        assert_eq!(store("w", &[2], &[1.0, 2.0], Format::Blocks(8))[0].dtype, Dtype::F16);
    }
}
