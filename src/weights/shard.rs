//! Shards as they are written and read: safetensors, compressed where that pays.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use safetensors::tensor::TensorView;

use super::{
    manifest::{Encoding, Shard},
    tensor::StoredTensor,
};
use crate::{Error, Result};

/// Gathers tensors until a shard is full.
#[derive(Debug)]
pub(crate) struct ShardWriter {
    open: Vec<StoredTensor>,
    bytes: usize,
    written: usize,
    /// A shard is closed once it holds this many bytes.
    shard_bytes: usize,
    compress: bool,
}

impl ShardWriter {
    pub(crate) fn new(shard_bytes: usize, compress: bool) -> Self {
        ShardWriter { open: Vec::new(), bytes: 0, written: 0, shard_bytes, compress }
    }

    /// Adds a tensor with all of its parts; gives a shard that is full with it.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`].
    pub(crate) fn add(&mut self, tensors: Vec<StoredTensor>) -> Result<Option<(Shard, Vec<u8>)>> {
        let added: usize = tensors.iter().map(|tensor| tensor.bytes.len()).sum();
        self.bytes = self.bytes.saturating_add(added);
        self.open.extend(tensors);
        if self.bytes < self.shard_bytes { Ok(None) } else { self.close() }
    }

    /// Gives what is left.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`].
    pub(crate) fn close(&mut self) -> Result<Option<(Shard, Vec<u8>)>> {
        let tensors = std::mem::take(&mut self.open);
        self.bytes = 0;
        if tensors.is_empty() {
            return Ok(None);
        }
        let name = format!("shard-{:02}.safetensors", self.written);
        self.written = self.written.saturating_add(1);
        let unwritable = |detail: String| Error::WeightsCorrupt { file: name.clone(), detail };
        let mut views = BTreeMap::new();
        for StoredTensor { name, dtype, shape, bytes } in &tensors {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            views.insert(name, view.map_err(|error| unwritable(error.to_string()))?);
        }
        let plain = safetensors::serialize(views, None).map_err(|error| unwritable(error.to_string()))?;
        drop(tensors);
        if !self.compress {
            return Ok(Some((Shard::describe(name, &plain), plain)));
        }
        let bytes = compressed(&plain).map_err(|error| unwritable(error.to_string()))?;
        let encoding = Some(Encoding { zlib: plain.len() as u64 });
        Ok(Some((Shard { encoding, ..Shard::describe(name + ".zlib", &bytes) }, bytes)))
    }
}

fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len()), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Bytes that a tensor takes in a compressed shard, about: all but the names.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn compressed_bytes(tensors: &[StoredTensor]) -> usize {
    // Writing to memory does not fail; if it did, the plain size would be no worse a guess.
    let size = |tensor: &StoredTensor| compressed(&tensor.bytes).map_or(tensor.bytes.len(), |bytes| bytes.len());
    tensors.iter().map(size).sum()
}

/// The safetensors bytes of a verified shard, bounded by the size that it claims to expand to.
pub(crate) fn expanded(shard: &Shard, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(Encoding { zlib }) = shard.encoding else { return Ok(None) };
    let corrupt = |detail: String| Error::WeightsCorrupt { file: shard.file.clone(), detail };
    let mut plain = Vec::new();
    ZlibDecoder::new(bytes)
        .take(zlib.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|error| corrupt(error.to_string()))?;
    if plain.len() as u64 != zlib {
        return Err(corrupt(format!("it does not expand to the {zlib} bytes that it should")));
    }
    Ok(Some(plain))
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::*;

    #[test]
    fn shards_expand_to_what_was_compressed_and_to_no_more() {
        let tensor =
            |name: &str| StoredTensor { name: name.into(), dtype: Dtype::U8, shape: vec![5000], bytes: vec![7; 5000] };
        let mut writer = ShardWriter::new(8000, true);
        assert!(writer.add(vec![tensor("a")]).unwrap().is_none());
        let (shard, bytes) = writer.add(vec![tensor("b")]).unwrap().unwrap();
        assert!(writer.close().unwrap().is_none() && bytes.len() < 1000);
        let plain = expanded(&shard, &bytes).unwrap().unwrap();
        assert_eq!(safetensors::SafeTensors::deserialize(&plain).unwrap().len(), 2);
        for wrong in [plain.len() as u64 - 1, plain.len() as u64 + 1] {
            let shard = Shard { encoding: Some(Encoding { zlib: wrong }), ..shard.clone() };
            assert_eq!(expanded(&shard, &bytes).unwrap_err().code(), "weights_corrupt");
        }
        assert_eq!(expanded(&shard, &bytes[..bytes.len() - 9]).unwrap_err().code(), "weights_corrupt");
        let (plain, bytes) = (Shard { encoding: None, ..shard }, [1]);
        assert_eq!(expanded(&plain, &bytes), Ok(None));
    }
}
