//! Importing a published file as it arrives: its tensors are taken one by one, stored anew and written in shards, so
//! that neither the file nor the model is ever in memory as a whole. It runs in the browser, and natively in tests.

use std::collections::VecDeque;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Description, LoadReport, Manifest, Precision, Shard,
    header::{Header, PREFIX, Place},
    manifest::hex,
    published::{Naming, Part, Shapes, from_shapes},
    shard::ShardWriter,
    tensor,
};
use crate::{Error, Result, autoencoder::Architecture};

/// A shard is closed once it holds this many bytes.
const SHARD_BYTES: usize = 16 << 20;

/// What is imported.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    pub description: Description,
    /// The file's, lower-case hexadecimal, where it is known.
    #[serde(default)]
    pub sha256: Option<String>,
    /// A file that proves to be one of these is described as that one.
    #[serde(default)]
    pub known: Vec<KnownFile>,
    pub precision: Precision,
}

/// A published file and what is known of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub description: Description,
}

/// A file to keep: its name and its bytes.
pub type Written = (String, Vec<u8>);

/// An import under way.
#[derive(Debug)]
pub struct Import {
    request: ImportRequest,
    hash: Sha256,
    /// Bytes of the file that have come.
    received: u64,
    /// What has come and was not taken yet: of the header, or of one tensor.
    pending: Vec<u8>,
    stage: Stage,
    shards: Vec<Shard>,
}

#[derive(Debug)]
enum Stage {
    Start,
    Header {
        length: usize,
    },
    Tensors(Box<Taking>),
    /// What has come was refused: nothing more is taken, and no model comes of it.
    Refused,
}

#[derive(Debug)]
struct Taking {
    architecture: Architecture,
    report: LoadReport,
    file_bytes: u64,
    /// Those of the architecture that are still to come, in the file's order.
    wanted: VecDeque<(Place, Vec<Wanted>)>,
    writer: ShardWriter,
}

/// A part of a published tensor and the shape it has here.
#[derive(Debug)]
struct Wanted {
    part: Part,
    shape: Vec<usize>,
}

impl Import {
    /// Begins.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] for an id or an architecture that cannot be.
    pub fn new(request: ImportRequest) -> Result<Self> {
        request.description.validate()?;
        Ok(Import {
            request,
            hash: Sha256::new(),
            received: 0,
            pending: Vec::new(),
            stage: Stage::Start,
            shards: Vec::new(),
        })
    }

    /// Bytes of the whole file, once its header has come.
    pub fn file_bytes(&self) -> Option<u64> {
        match &self.stage {
            Stage::Tensors(taking) => Some(taking.file_bytes),
            Stage::Start | Stage::Header { .. } | Stage::Refused => None,
        }
    }

    /// Takes the next bytes of the file; gives the shards that they complete.
    ///
    /// # Errors
    /// [`Error::WeightsForeign`] and [`Error::WeightsWrong`] as soon as the header has come,
    /// [`Error::WeightsCorrupt`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Written>> {
        let taken = self.take(bytes);
        if taken.is_err() {
            self.pending = Vec::new();
            self.stage = Stage::Refused;
        }
        taken
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Written>> {
        if let Stage::Refused = self.stage {
            return Err(self.corrupt("it was refused before".into()));
        }
        self.hash.update(bytes);
        let start = self.received;
        self.received = self.received.saturating_add(bytes.len() as u64);
        if let Stage::Tensors(_) = self.stage {
            return self.take_tensors(start, bytes);
        }
        self.pending.extend_from_slice(bytes);
        if let Stage::Start = self.stage {
            // One byte more than the length itself: what follows tells the format.
            if self.pending.len() <= PREFIX {
                return Ok(Vec::new());
            }
            let length = Header::length(&self.pending).ok_or_else(|| no_header(&self.pending))?;
            self.stage = Stage::Header { length };
        }
        match self.stage {
            Stage::Header { length } if self.pending.len().saturating_sub(PREFIX) >= length => {
                let rest = self.pending.split_off(PREFIX.saturating_add(length));
                let head = std::mem::take(&mut self.pending);
                let text = head.get(PREFIX..).unwrap_or_default();
                self.stage = Stage::Tensors(Box::new(self.begin(text)?));
                self.take_tensors(head.len() as u64, &rest)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Ends: gives the last shards, and the manifest, to be kept last.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] if bytes are missing or the hash differs.
    pub fn finish(mut self) -> Result<(Vec<Written>, Manifest, LoadReport)> {
        let received = self.received;
        let Stage::Tensors(mut taking) = std::mem::replace(&mut self.stage, Stage::Start) else {
            return Err(self.corrupt(format!("it ends after {received} bytes")));
        };
        if received != taking.file_bytes {
            return Err(self.corrupt(format!("it has {received} bytes, {} by its header", taking.file_bytes)));
        }
        let found = hex(&self.hash.clone().finalize());
        if let Some(expected) = self.request.sha256.as_ref().filter(|expected| **expected != found) {
            return Err(self.corrupt(format!("its sha256 is {found}, {expected} was expected")));
        }
        let written = self.keep(taking.writer.close()?).into_iter().collect();
        let ImportRequest { description, known, precision, .. } = self.request;
        let recognised = known.into_iter().find(|known| known.sha256 == found);
        let description = recognised.map_or(description, |known| known.description);
        let mut manifest = description.manifest(taking.architecture, precision);
        manifest.source = format!("{}, sha256 {found}", manifest.source);
        manifest.shards = self.shards;
        Ok((written, manifest, taking.report))
    }

    /// Compares the header with the architecture.
    fn begin(&self, text: &[u8]) -> Result<Taking> {
        let header = Header::parse(text).map_err(|detail| self.corrupt(detail))?;
        let naming = Naming::of(header.places.iter().map(|place| place.name.as_str()));
        let parts: Vec<Vec<Part>> =
            header.places.iter().map(|place| Part::of(naming.canonical(&place.name), &place.shape)).collect();
        let shapes: Shapes = parts.iter().flatten().map(|part| (part.name.clone(), part.shape.clone())).collect();
        let architecture = match &self.request.description.architecture {
            Some(architecture) => architecture.clone(),
            None => from_shapes(&shapes)?,
        };
        architecture.validate()?;
        let mut parameters = architecture.parameters();
        let report = LoadReport::compare(&parameters, shapes);
        if !report.is_complete() {
            return Err(Error::WeightsWrong { model: self.request.description.id.clone(), report: Box::new(report) });
        }
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        let wanted = |part: Part| {
            let index = parameters.binary_search_by(|parameter| parameter.name.cmp(&part.name)).ok()?;
            Some(Wanted { shape: parameters.get(index)?.shape.clone(), part })
        };
        let wanted = header.places.into_iter().zip(parts).filter_map(|(place, parts)| {
            let parts: Vec<Wanted> = parts.into_iter().filter_map(wanted).collect();
            (!parts.is_empty()).then_some((place, parts))
        });
        let compress = matches!(self.request.precision.format(), tensor::Format::Blocks(_));
        Ok(Taking {
            wanted: wanted.collect(),
            architecture,
            report,
            file_bytes: header.file_bytes,
            writer: ShardWriter::new(SHARD_BYTES, compress),
        })
    }

    /// Takes the tensors that are whole with these bytes, which begin at `start` of the file.
    fn take_tensors(&mut self, start: u64, bytes: &[u8]) -> Result<Vec<Written>> {
        let Stage::Tensors(taking) = &mut self.stage else { return Ok(Vec::new()) };
        let (end, format) = (start.saturating_add(bytes.len() as u64), self.request.precision.format());
        let name = &self.request.description.name;
        let corrupt = |detail: String| Error::WeightsCorrupt { file: name.clone(), detail };
        if end > taking.file_bytes {
            return Err(corrupt(format!("it is longer than the {} bytes in its header", taking.file_bytes)));
        }
        let mut full = Vec::new();
        while let Some((place, _)) = taking.wanted.front() {
            // What of it is among these bytes; what came before is pending.
            let from = place.start.saturating_sub(start) as usize;
            let to = place.start.saturating_add(place.bytes as u64).min(end).saturating_sub(start) as usize;
            self.pending.extend_from_slice(bytes.get(from..to).unwrap_or_default());
            if self.pending.len() < place.bytes {
                break;
            }
            let data = std::mem::take(&mut self.pending);
            let Some((place, parts)) = taking.wanted.pop_front() else { break };
            let told = |detail: String| corrupt(format!("{}: {detail}", place.name));
            let view = safetensors::tensor::TensorView::new(place.dtype, place.shape.clone(), &data);
            let values = tensor::values(&view.map_err(|error| told(error.to_string()))?, None, None).map_err(told)?;
            if !values.iter().all(|value| value.is_finite()) {
                return Err(told("it holds values that are not numbers".into()));
            }
            for Wanted { part, shape } in parts {
                let stored = tensor::store(&part.name, &shape, &part.of_values(values.clone()), format);
                full.extend(taking.writer.add(stored)?);
            }
        }
        Ok(full.into_iter().filter_map(|shard| self.keep(Some(shard))).collect())
    }

    /// Notes a shard in the manifest.
    fn keep(&mut self, full: Option<(Shard, Vec<u8>)>) -> Option<Written> {
        let (shard, bytes) = full?;
        let file = shard.file.clone();
        self.shards.push(shard);
        Some((file, bytes))
    }

    fn corrupt(&self, detail: String) -> Error {
        Error::WeightsCorrupt { file: self.request.description.name.clone(), detail }
    }
}

/// What a file without a safetensors header looks like.
fn no_header(bytes: &[u8]) -> Error {
    let (looks_like, missing) = match bytes {
        [b'P', b'K', ..] | [0x80, ..] => {
            ("a PyTorch file", "only safetensors files can be added here; `aedr pack` on a computer reads both")
        }
        [b'<' | b' ' | b'\n' | b'\r', ..] => {
            ("a web page, perhaps one that asks to sign in", "it holds no weights; the address must be the file's own")
        }
        _ => ("something that is not known here", "it does not begin as a safetensors file does"),
    };
    Error::WeightsForeign { looks_like: looks_like.into(), missing: missing.into() }
}
