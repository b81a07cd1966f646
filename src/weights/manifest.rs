//! The manifest that stands beside a model's shards.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Result, autoencoder::Architecture};

/// The version of the manifest's format that this crate writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Shards and their sizes are bounded so that a hostile manifest cannot ask for absurd downloads.
const MAX_SHARDS: usize = 1024;
const MAX_SHARD_BYTES: u64 = 2 << 30;

/// How tensors are stored. All are dequantised to f32 at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    F32,
    F16,
    /// 8-bit integers in blocks of 32 with an f16 scale each; vectors (norms, biases) stay f16.
    Q8,
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
    /// The generators whose images this autoencoder's decoder paints, as people know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serves: Vec<String>,
    /// Ids of models whose decoders are so alike that a check cannot tell which of them painted an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<String>,
    /// Where the weights come from.
    pub source: String,
    /// Their licence, an SPDX expression where there is one.
    pub licence: String,
    /// The largest relative change of t that was measured when maps are held in f16 on a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f16_change: Option<f64>,
    pub shards: Vec<Shard>,
}

/// One file of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// File name beside the manifest.
    pub file: String,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
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
        if self.shards.is_empty() || self.shards.len() > MAX_SHARDS {
            return Err(invalid(format!("it lists {} shards", self.shards.len())));
        }
        for shard in &self.shards {
            let plain = shard.file.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !plain || shard.file.starts_with('.') || shard.file.is_empty() {
                return Err(invalid(format!("{:?} is not a plain file name", shard.file)));
            }
            if shard.bytes > MAX_SHARD_BYTES {
                return Err(invalid(format!("{} claims {} bytes", shard.file, shard.bytes)));
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
        Shard { file, bytes: bytes.len() as u64, sha256: sha256_hex(bytes) }
    }

    /// Whether these are the bytes that the manifest promises.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] telling the length or hash that differs.
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

/// Refuses ids that could not be a folder or an address everywhere.
pub(crate) fn check_id(id: &str) -> Result<()> {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if id.is_empty() || id.len() > 64 || id.starts_with('.') || !plain {
        return Err(invalid(format!("the id {id:?} is not made of letters, digits, '-', '_' and '.'")));
    }
    Ok(())
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(detail: String) -> Error {
    Error::ManifestInvalid { file: "the manifest".into(), detail }
}
