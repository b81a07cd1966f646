//! The header of a safetensors file by itself, for reading a large file tensor by tensor.

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

/// Bytes before the header: its length.
pub(crate) const PREFIX: usize = 8;

/// Longer headers than any autoencoder's are not read.
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// Nor longer files than whole checkpoints of today.
const MAX_FILE_BYTES: u64 = 1 << 40;

/// Where the tensors of a file lie.
#[derive(Debug)]
pub(crate) struct Header {
    /// In the order of the file.
    pub places: Vec<Place>,
    /// Bytes of the whole file.
    pub file_bytes: u64,
}

/// One tensor of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// From the start of the file.
    pub start: u64,
    pub bytes: usize,
}

impl Header {
    /// The header's length, from the first bytes of a file; `None` if it is no safetensors file.
    pub(crate) fn length(prefix: &[u8]) -> Option<usize> {
        let length = u64::from_le_bytes(*prefix.first_chunk::<PREFIX>()?);
        // A JSON object follows, by what other formats are told from this one.
        (length <= MAX_HEADER_BYTES && prefix.get(PREFIX).is_none_or(|&byte| byte == b'{')).then_some(length as usize)
    }

    /// Reads the header, which follows the first [`PREFIX`] bytes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let metadata: Metadata = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let data = (text.len() as u64).saturating_add(PREFIX as u64);
        let file_bytes = data.checked_add(metadata.data_len() as u64).filter(|bytes| *bytes <= MAX_FILE_BYTES);
        let file_bytes = file_bytes.ok_or("it claims more bytes than any autoencoder has")?;
        let place = |name: &String| {
            let TensorInfo { dtype, shape, data_offsets: (start, end) } = metadata.info(name)?.clone();
            let start_in_file = data.checked_add(start as u64)?;
            Some(Place { name: name.clone(), dtype, shape, start: start_in_file, bytes: end.checked_sub(start)? })
        };
        Ok(Header { places: metadata.offset_keys().iter().filter_map(place).collect(), file_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_where_safetensors_puts_them() {
        let bytes: Vec<u8> = (0..24).collect();
        let view = |range: std::ops::Range<usize>| {
            let shape = vec![range.len() / 2];
            safetensors::tensor::TensorView::new(Dtype::F16, shape, &bytes[range]).unwrap()
        };
        let file = safetensors::serialize([("a", view(0..8)), ("b", view(8..24))], None).unwrap();
        let length = Header::length(&file[..9]).unwrap();
        let header = Header::parse(&file[PREFIX..PREFIX + length]).unwrap();
        assert_eq!(header.file_bytes, file.len() as u64);
        for (place, range) in header.places.iter().zip([0..8, 8..24]) {
            assert_eq!(&file[place.start as usize..][..place.bytes], &bytes[range]);
        }
        assert_eq!(Header::length(b"PK\x03\x04\x14\x00\x00\x00\x08"), None);
        assert!(Header::parse(b"{\"a\": 1}").is_err());
    }
}
