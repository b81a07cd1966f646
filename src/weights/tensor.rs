//! Stored tensors and their values: plain floats, or 8-bit integers in blocks with a scale each.
//!
//! A block-quantised tensor NAME of shape `[rows, …]` is stored as two: `NAME` (I8, the same shape) and
//! `NAME.scale` (F16, `[rows, blocks]`). Blocks run along a row, that is along all dimensions but the
//! first, so that none spans two output channels; a row's last block may be shorter. A value is
//! `integer · scale`.

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

/// Values that share one scale.
pub const BLOCK: usize = 32;

/// The name of the tensor that holds the scales of `name`.
pub(crate) fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

/// The f32 values of a stored tensor. `scales` are needed for I8 alone.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn values(tensor: &TensorView<'_>, scales: Option<&TensorView<'_>>) -> Result<Vec<f32>, String> {
    match tensor.dtype() {
        Dtype::I8 => {
            let scales = scales.ok_or("it is quantised and has no scales")?;
            dequantise(tensor, &floats(scales)?)
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

fn dequantise(tensor: &TensorView<'_>, scales: &[f32]) -> Result<Vec<f32>, String> {
    let (rows, length) = rows(tensor.shape());
    let blocks = length.div_ceil(BLOCK);
    if scales.len() != rows * blocks {
        return Err(format!("it has {} scales where {} are needed", scales.len(), rows * blocks));
    }
    if tensor.data().is_empty() {
        return Ok(Vec::new());
    }
    let blocks_of_values = tensor.data().chunks_exact(length).flat_map(|row| row.chunks(BLOCK));
    Ok(blocks_of_values
        .zip(scales)
        .flat_map(|(block, &scale)| block.iter().map(move |&byte| f32::from(byte.cast_signed()) * scale))
        .collect())
}

/// Rounds values to blocks: the integers, and the scales as they are stored.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn quantise(values: &[f32], shape: &[usize]) -> (Vec<i8>, Vec<f16>) {
    let (_, length) = rows(shape);
    let mut integers = Vec::with_capacity(values.len());
    let mut scales = Vec::new();
    for block in values.chunks(length.max(1)).flat_map(|row| row.chunks(BLOCK)) {
        let largest = block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let scale = f16::from_f32(largest / 127.0);
        let inverse = if scale.to_f32() > 0.0 { scale.to_f32().recip() } else { 0.0 };
        // The stored scale is rounded, so the largest value may lie a little beyond 127.
        integers.extend(block.iter().map(|value| (value * inverse).round().clamp(-127.0, 127.0) as i8));
        scales.push(scale);
    }
    (integers, scales)
}

/// Rows and their length.
fn rows(shape: &[usize]) -> (usize, usize) {
    let rows = shape.first().copied().unwrap_or(1);
    (rows, shape.iter().skip(1).product())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each value comes back within half a step of its own block.
        #[test]
        fn quantising_keeps_values_within_half_a_step(
            rows in 1usize..4, length in 1usize..80, seed in proptest::collection::vec(-3.0f32..3.0, 4 * 80),
        ) {
            let shape = [rows, length, 1, 1];
            let original = &seed[..rows * length];
            let (integers, scales) = quantise(original, &shape);
            let bytes: Vec<u8> = integers.iter().map(|value| value.cast_unsigned()).collect();
            let scale_bytes: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
            let blocks = length.div_ceil(BLOCK);
            let stored = TensorView::new(Dtype::I8, shape.to_vec(), &bytes).unwrap();
            let stored_scales = TensorView::new(Dtype::F16, vec![rows, blocks], &scale_bytes).unwrap();
            let back = values(&stored, Some(&stored_scales)).unwrap();
            for (index, (value, back)) in original.iter().zip(&back).enumerate() {
                let block = index / length * blocks + index % length / BLOCK;
                let step = scales[block].to_f32();
                prop_assert!((value - back).abs() <= 0.56 * step + 1e-7, "{value} {back} {step}");
            }
        }
    }

    #[test]
    fn quantised_tensors_need_their_scales() {
        let bytes = [1u8; 64];
        let stored = TensorView::new(Dtype::I8, vec![2, 32], &bytes).unwrap();
        assert!(values(&stored, None).unwrap_err().contains("no scales"));
        let scales = TensorView::new(Dtype::F16, vec![1, 1], &bytes[..2]).unwrap();
        assert!(values(&stored, Some(&scales)).unwrap_err().contains("1 scales where 2"));
    }
}
