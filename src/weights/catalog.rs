//! The catalogue of published autoencoders, `weights/catalog.json`: where their files are, which generators they serve.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Description, manifest::check_id};
use crate::{Error, Result, autoencoder::Architecture};

/// The version of the catalogue's format.
pub const FORMAT_VERSION: u32 = 1;

/// All published autoencoders that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    pub entries: Vec<Entry>,
}

/// A published autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The id that the model gets.
    pub id: String,
    /// For people.
    pub name: String,
    pub architecture: Architecture,
    /// The generators whose images come out of this decoder.
    pub serves: Vec<String>,
    /// Ids of entries whose decoders are the same, or so near that a check cannot tell them apart.
    pub shares: Vec<String>,
    /// Where it is published, "owner/name" on Hugging Face.
    pub repository: String,
    /// One file, or the encoder's and the decoder's.
    pub files: Vec<File>,
    pub licence: String,
    /// Whether the file is given only to those who signed in and agreed to terms.
    pub gated: bool,
    /// Sides of the images that its generators usually make, pixels.
    pub recommended_sizes: Vec<u32>,
    /// As [`crate::evidence::calibration::Calibration`] is written; nothing here reads it. Without one, checks give
    /// numbers and no verdict.
    pub calibration: Option<Value>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Path in the repository.
    pub file: String,
    /// Where it can be fetched, if that is known.
    pub address: Option<String>,
    /// Exact length, where it is known.
    pub bytes: Option<u64>,
    /// The size to show to people.
    pub about_megabytes: u32,
    /// Lower-case hexadecimal, where it is known.
    pub sha256: Option<String>,
}

impl Entry {
    /// The description of a model that is made of it.
    pub fn description(&self) -> Description {
        let files: Vec<&str> = self.files.iter().map(|file| file.file.as_str()).collect();
        Description {
            id: self.id.clone(),
            name: self.name.clone(),
            source: format!("{}: {}", self.repository, files.join(", ")),
            licence: self.licence.clone(),
            serves: self.serves.clone(),
            shares: self.shares.clone(),
            architecture: Some(self.architecture.clone()),
        }
    }
}

impl Catalog {
    /// Reads and validates a catalogue.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let catalog: Catalog = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if catalog.format_version != FORMAT_VERSION {
            let found = catalog.format_version;
            return Err(invalid(format!("its format version is {found}, and {FORMAT_VERSION} is understood")));
        }
        for entry in &catalog.entries {
            catalog.check(entry)?;
        }
        Ok(catalog)
    }

    /// The entry of this id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    fn check(&self, entry: &Entry) -> Result<()> {
        let Entry { id, .. } = entry;
        check_id(id)?;
        entry.architecture.validate()?;
        if self.entries.iter().filter(|other| other.id == *id).count() > 1 {
            return Err(invalid(format!("{id} is there twice")));
        }
        if entry.files.is_empty() || entry.files.len() > 2 {
            return Err(invalid(format!("{id} has {} files", entry.files.len())));
        }
        for File { file, address, sha256, .. } in &entry.files {
            let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|c| b"0123456789abcdef".contains(&c));
            if !sha256.iter().all(is_hash) {
                return Err(invalid(format!("{id}: the sha256 of {file} is none")));
            }
            // A server on this machine needs no encryption.
            let is_safe = |address: &String| ["https://", "http://127.0.0.1:"].iter().any(|it| address.starts_with(it));
            if !address.iter().all(is_safe) {
                return Err(invalid(format!("{id}: the address of {file} does not begin with https://")));
            }
        }
        for shared in &entry.shares {
            // Otherwise the result of a check would depend on which of the two models came first.
            if !self.entry(shared).is_some_and(|other| other.shares.contains(id)) {
                return Err(invalid(format!("{id} cannot be told from {shared}, and not the other way round")));
            }
        }
        Ok(())
    }
}

fn invalid(detail: String) -> Error {
    Error::ManifestInvalid { file: "the catalogue".into(), detail }
}
