//! The header of a safetensors file by itself, for reading a large file tensor by tensor.
//!
//! The `safetensors` crate counts bytes in `usize`, which ends at 4 GiB in a browser. Here offsets have 64 bits
//! everywhere, so that an autoencoder is found in a whole checkpoint on every target.

use std::{collections::BTreeSet, fmt};

use safetensors::Dtype;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// Bytes before the header: its length.
pub(crate) const PREFIX: usize = 8;

/// Longer headers are refused: no autoencoder's is so long.
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// Longer files are refused, too: today's whole checkpoints are shorter.
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
    /// A side too large for this machine's `usize` becomes the largest value: no autoencoder has one.
    pub shape: Vec<usize>,
    /// From the start of the file.
    pub start: u64,
    pub bytes: u64,
}

impl Place {
    /// The first byte after it, from the start of the file.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes)
    }
}

/// The header as it is written: all tensors, in its own order.
struct Entries(Vec<(String, Entry)>);

/// What the header says of one tensor. Offsets count from the end of the header.
#[derive(Deserialize)]
struct Entry {
    dtype: Dtype,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Entry {
    /// Bytes that the type and the shape take; `None` if 64 bits cannot count them, or for a part of a byte.
    fn bytes(&self) -> Option<u64> {
        let elements = self.shape.iter().try_fold(1u64, |all, &side| all.checked_mul(side))?;
        let bits = elements.checked_mul(self.dtype.bitsize() as u64)?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

impl Header {
    /// The header's length, from the first bytes of a file; `None` if it is no safetensors file.
    pub(crate) fn length(prefix: &[u8]) -> Option<usize> {
        let length = u64::from_le_bytes(*prefix.first_chunk::<PREFIX>()?);
        // A JSON object follows, which distinguishes other formats from this one.
        (length <= MAX_HEADER_BYTES && prefix.get(PREFIX).is_none_or(|&byte| byte == b'{')).then_some(length as usize)
    }

    /// Reads the header, which follows the first [`PREFIX`] bytes. The tensors' bytes follow it without a gap, each as
    /// many as its type and shape take.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let Entries(mut entries) = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        // A tensor without values begins where the next one does.
        entries.sort_by_key(|(_, entry)| entry.data_offsets);
        let data = (text.len() as u64).saturating_add(PREFIX as u64);
        let (mut names, mut places) = (BTreeSet::new(), Vec::with_capacity(entries.len()));
        let mut end = 0;
        for (name, entry) in entries {
            let (from, to) = entry.data_offsets;
            if from != end {
                return Err(format!("{name} does not begin where the tensor before it ends, at {end}, but at {from}"));
            }
            let bytes = to.checked_sub(from).filter(|bytes| Some(*bytes) == entry.bytes());
            let Some(bytes) = bytes else {
                return Err(format!("{name} does not have as many bytes as its type and shape take"));
            };
            let start =
                data.checked_add(from).filter(|_| data.checked_add(to).is_some_and(|end| end <= MAX_FILE_BYTES));
            let start = start.ok_or("it claims more bytes than any autoencoder has")?;
            if !names.insert(name.clone()) {
                return Err(format!("{name} is there twice"));
            }
            let shape = entry.shape.iter().map(|&side| usize::try_from(side).unwrap_or(usize::MAX)).collect();
            places.push(Place { name, dtype: entry.dtype, shape, start, bytes });
            end = to;
        }
        Ok(Header { places, file_bytes: data.saturating_add(end) })
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
            assert_eq!(&file[place.start as usize..place.end() as usize], &bytes[range]);
        }
        assert_eq!(Header::length(b"PK\x03\x04\x14\x00\x00\x00\x08"), None);
        assert!(Header::parse(b"{\"a\": 1}").is_err());
    }

    /// The text of a header of byte tensors: name, sides, first byte, and the byte after the last.
    fn text(tensors: &[(&str, &str, u64, u64)]) -> String {
        let tensor = |(name, shape, from, to): &(&str, &str, u64, u64)| {
            format!(r#""{name}":{{"dtype":"U8","shape":[{shape}],"data_offsets":[{from},{to}]}}"#)
        };
        let tensors: Vec<String> = tensors.iter().map(tensor).collect();
        format!(r#"{{"__metadata__":{{"format":"pt"}},{}}}"#, tensors.join(","))
    }

    #[test]
    fn places_have_64_bits() {
        const LARGE: u64 = 6 << 30;
        let text = text(&[
            ("after", "2", LARGE, LARGE + 2),
            ("none", "3,0", LARGE, LARGE),
            ("before", "6442450944", 0, LARGE),
        ]);
        let header = Header::parse(text.as_bytes()).unwrap();
        let data = (text.len() + PREFIX) as u64;
        let places: Vec<_> =
            header.places.iter().map(|place| (place.name.as_str(), place.start, place.bytes)).collect();
        assert_eq!(places, [("before", data, LARGE), ("none", data + LARGE, 0), ("after", data + LARGE, 2)]);
        assert_eq!(header.file_bytes, data + LARGE + 2);
    }

    #[test]
    fn places_that_cannot_be_are_refused() {
        let sides = "4294967296,4294967296";
        for (wrong, told) in [
            (text(&[("a", "4", 0, 4), ("b", "4", 5, 9)]), "b does not begin"),
            (text(&[("a", "4", 0, 4), ("b", "4", 3, 7)]), "b does not begin"),
            (text(&[("a", "4", 1, 5)]), "a does not begin"),
            (text(&[("a", "4", 0, 5)]), "a does not have as many bytes"),
            (text(&[("a", "4", 0, 4), ("b", "4", 4, 0)]), "b does not have as many bytes"),
            (text(&[("a", sides, 0, 4)]), "a does not have as many bytes"),
            (text(&[("a", &u64::MAX.to_string(), 0, u64::MAX)]), "a does not have as many bytes"),
            (text(&[("a", "2199023255552", 0, 2 << 40)]), "more bytes than any"),
            (text(&[("a", "4", 0, 4), ("a", "4", 4, 8)]), "a is there twice"),
            (text(&[("a", "4", 0, 4)]).replace("U8", "F4").replace("[4]", "[1]"), "a does not have as many bytes"),
            (text(&[("a", "-4", 0, 4)]), "invalid value"),
            ("[]".into(), "an object of tensors"),
        ] {
            let error = Header::parse(wrong.as_bytes()).unwrap_err();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
