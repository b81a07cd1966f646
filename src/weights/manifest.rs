//! The manifest that stands beside a model's shards.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tensor::Format;
use crate::{
    Error, Result,
    autoencoder::Architecture,
    engine::{
        device::{ComputeDevice, MapPrecision},
        gpu::Stored,
    },
};

/// The version of the manifest's format that this crate writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Shards and their sizes are bounded so that a hostile manifest cannot ask for absurd downloads.
const MAX_SHARDS: usize = 1024;
const MAX_SHARD_BYTES: u64 = 2 << 30;

/// The largest relative change of t that f16 maps may make.
const MOST_F16_CHANGE: f64 = 0.005;

/// How tensors are stored. All are dequantised to f32 at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    F32,
    F16,
    /// Integers of 8, 10 or 12 bits in blocks with a scale each; vectors (norms, biases) stay f16.
    Q8,
    Q10,
    Q12,
    /// Each tensor as a search found it best.
    Mixed,
}

impl Precision {
    /// The format of all tensors; in a mix, of those that the search leaves out.
    pub(crate) fn format(self) -> Format {
        match self {
            Precision::F32 => Format::F32,
            Precision::F16 | Precision::Mixed => Format::F16,
            Precision::Q8 => Format::Blocks(8),
            Precision::Q10 => Format::Blocks(10),
            Precision::Q12 => Format::Blocks(12),
        }
    }
}

/// How far a quantised model's t is from that of its source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Mean and largest |Δt / t|.
    pub mean_change: f64,
    pub largest_change: f64,
    /// Images that it was measured on: photographs and the source's own reconstructions of them.
    pub images: usize,
}

impl Fidelity {
    /// Whether t changes by no more than `change` on average, and by no more than twice that on any image.
    pub fn is_within(&self, change: f64) -> bool {
        self.mean_change <= change && self.largest_change <= 2.0 * change
    }
}

/// How a shard is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Encoding {
    /// zlib (RFC 1950), expanding to this many bytes of safetensors.
    pub zlib: u64,
}

/// What a model is and where its weights are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Short and stable: letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// For people.
    pub name: String,
    pub architecture: Architecture,
    pub precision: Precision,
    /// The generators whose images come out of this autoencoder's decoder, by the names that people know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serves: Vec<String>,
    /// Ids of models whose decoders are so alike that a check cannot tell which of them decoded an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<String>,
    /// Where the weights come from.
    pub source: String,
    /// Their licence, an SPDX expression where there is one.
    pub licence: String,
    /// The largest relative change of t that was measured when maps are held in f16 on a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f16_change: Option<f64>,
    /// What quantising changed, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Fidelity>,
    pub shards: Vec<Shard>,
}

/// The description of a model for people, and what is known of it before its file is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    pub id: String,
    /// For people.
    pub name: String,
    /// Where the file comes from.
    pub source: String,
    pub licence: String,
    #[serde(default)]
    pub serves: Vec<String>,
    #[serde(default)]
    pub shares: Vec<String>,
    /// Without one, the tensors' names and shapes must identify it.
    #[serde(default)]
    pub architecture: Option<Architecture>,
}

impl Description {
    /// # Errors
    /// [`Error::ManifestInvalid`] for an id or an architecture that cannot be.
    pub(crate) fn validate(&self) -> Result<()> {
        check_id(&self.id)?;
        self.architecture.as_ref().map_or(Ok(()), Architecture::validate)
    }

    /// A manifest without shards yet.
    pub(crate) fn manifest(self, architecture: Architecture, precision: Precision) -> Manifest {
        let Description { id, name, source, licence, serves, shares, .. } = self;
        Manifest {
            format_version: FORMAT_VERSION,
            id,
            name,
            architecture,
            precision,
            serves,
            shares,
            source,
            licence,
            f16_change: None,
            fidelity: None,
            shards: Vec::new(),
        }
    }
}

/// One file of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Shard {
    /// File name beside the manifest.
    pub file: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// None for plain safetensors. `bytes` and `sha256` are of the file as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub encoding: Option<Encoding>,
}

impl Manifest {
    /// Reads and validates a manifest.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Manifest = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// One hash for the weights: of those of all shards, in their order. Lower-case hexadecimal.
    pub fn weights_sha256(&self) -> String {
        let hashes: Vec<&str> = self.shards.iter().map(|shard| shard.sha256.as_str()).collect();
        sha256_hex(hashes.join("\n").as_bytes())
    }

    /// Whether measurements show that t hardly changes when a GPU holds maps in f16.
    pub fn allows_f16(&self) -> bool {
        self.f16_change.is_some_and(|change| change <= MOST_F16_CHANGE)
    }

    /// How a device holds this model's maps.
    pub fn maps_on(&self, device: &ComputeDevice) -> Stored {
        let allowed = match device.maps {
            MapPrecision::Auto => self.allows_f16(),
            MapPrecision::F32 => false,
            MapPrecision::F16 => true,
        };
        if allowed && device.has_f16 && device.kernels { Stored::F16 } else { Stored::F32 }
    }

    fn validate(&self) -> Result<()> {
        if self.format_version != FORMAT_VERSION {
            let found = self.format_version;
            return Err(invalid(format!("its format version is {found}, and {FORMAT_VERSION} is understood")));
        }
        check_id(&self.id)?;
        self.architecture.validate()?;
        if self.f16_change.is_some_and(|change| !(change.is_finite() && change >= 0.0)) {
            return Err(invalid("its f16_change is no size of a change".into()));
        }
        let sizes = self.fidelity.map(|fidelity| [fidelity.mean_change, fidelity.largest_change]);
        if sizes.iter().flatten().any(|change| !(change.is_finite() && *change >= 0.0)) {
            return Err(invalid("its fidelity holds no sizes of changes".into()));
        }
        if self.shards.is_empty() || self.shards.len() > MAX_SHARDS {
            return Err(invalid(format!("it lists {} shards", self.shards.len())));
        }
        for shard in &self.shards {
            let plain = shard.file.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !plain || shard.file.starts_with('.') || shard.file.is_empty() {
                return Err(invalid(format!("{:?} is not a plain file name", shard.file)));
            }
            let bytes = shard.encoding.map_or(0, |encoding| encoding.zlib).max(shard.bytes);
            if bytes > MAX_SHARD_BYTES {
                return Err(invalid(format!("{} claims {bytes} bytes", shard.file)));
            }
        }
        Ok(())
    }

    /// The manifest as it is stored.
    pub fn to_json(&self) -> String {
        // A struct of strings and numbers always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Shard {
    /// Describes a shard's bytes.
    pub fn describe(file: String, bytes: &[u8]) -> Self {
        Shard { file, bytes: bytes.len() as u64, sha256: sha256_hex(bytes), encoding: None }
    }

    /// Whether these are the bytes that the manifest promises.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] with the length or hash that differs.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        let corrupt = |detail| Err(Error::WeightsCorrupt { file: self.file.clone(), detail });
        if bytes.len() as u64 != self.bytes {
            return corrupt(format!("it has {} bytes, {} were expected", bytes.len(), self.bytes));
        }
        let found = sha256_hex(bytes);
        if found != self.sha256 {
            return corrupt(format!("its sha256 is {found}, {} was expected", self.sha256));
        }
        Ok(())
    }
}

/// Refuses ids that some systems do not allow as a folder or an address.
pub(crate) fn check_id(id: &str) -> Result<()> {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if id.is_empty() || id.len() > 64 || id.starts_with('.') || !plain {
        return Err(invalid(format!("the id {id:?} is not made of letters, digits, '-', '_' and '.'")));
    }
    Ok(())
}

/// Lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash_parts(&mut hash, bytes);
    hex(&hash.finalize())
}

/// Hashes bytes part by part. Browsers replace a function's first, slow code by optimised code only when it is called
/// again, not while it runs, and a single call would hash a whole shard.
pub(crate) fn hash_parts(hash: &mut Sha256, bytes: &[u8]) {
    const PART: usize = 1 << 16;
    bytes.chunks(PART).for_each(|part| hash.update(part));
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(detail: String) -> Error {
    Error::ManifestInvalid { file: "the manifest".into(), detail }
}
