//! Importing a published file as it arrives: its tensors are taken one by one, stored anew and written in shards, so
//! that neither the file nor the model is ever in memory as a whole. It runs in the browser, and natively in tests.
//!
//! An autoencoder may be a small part of a file. So the import states which bytes it [wants](Import::wants) next, and
//! those between can be [skipped](Import::skip). Which these are depends on the header and the request alone, never on
//! the pieces that come: what was fetched before a break can be pushed again in other pieces.

use std::{collections::VecDeque, ops::Range};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Description, Manifest, Precision, Shard,
    header::{Header, PREFIX, Place},
    manifest::{hash_parts, hex},
    published::{Naming, Part, Shapes, compare, from_shapes},
    shard::ShardWriter,
    tensor,
};
use crate::{Error, LoadReport, Result, autoencoder::Architecture};

/// A shard is closed once it holds this many bytes.
const SHARD_BYTES: usize = 16 << 20;
/// What is wanted first: an autoencoder's own header is shorter.
const FIRST_BYTES: u64 = 64 << 10;
/// Gaps of at most this many bytes between two tensors are wanted, too: another request to a site takes longer.
const JOINED_BYTES: u64 = 1 << 20;
/// If at most one part in this many of a file is of no use, all of it is wanted, so that its sha256 is known.
const USELESS_PART: u64 = 8;
/// Tensors are held in memory one by one; no autoencoder has one of this size.
const MAX_TENSOR_BYTES: u64 = 1 << 30;

/// What is imported.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    pub description: Description,
    /// The file's, lower-case hexadecimal, where it is known.
    #[serde(default)]
    pub sha256: Option<String>,
    /// A file with one of these hashes gets its description.
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
    /// Of all bytes so far; `None` once some were skipped.
    hash: Option<Sha256>,
    /// Bytes of the file that have come or were skipped.
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
    /// The bytes so far were refused: nothing more is taken, and there will be no model.
    Refused,
}

#[derive(Debug)]
struct Taking {
    architecture: Architecture,
    report: LoadReport,
    file_bytes: u64,
    /// The bytes that are wanted, in the file's order, from its start on. No tensor of the architecture is cut by them.
    ranges: Vec<Range<u64>>,
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
            hash: Some(Sha256::new()),
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

    /// The bytes that are to come next, as places in the file; `None` if no more are needed. Before the header has come
    /// they may go beyond the end of the file; where the file's sha256 is known they always do, for all of it is read.
    pub fn wants(&self) -> Option<Range<u64>> {
        let next = self.received;
        match &self.stage {
            Stage::Start | Stage::Header { .. } if self.request.sha256.is_some() => Some(next..u64::MAX),
            Stage::Start => Some(next..FIRST_BYTES),
            Stage::Header { length } => Some(next..first_bytes(*length)),
            Stage::Tensors(taking) => {
                let range = taking.ranges.iter().find(|range| range.end > next)?;
                Some(range.start.max(next)..range.end)
            }
            Stage::Refused => None,
        }
    }

    /// How many bytes are wanted in all, once the header has come.
    pub fn wanted_bytes(&self) -> Option<u64> {
        let Stage::Tensors(taking) = &self.stage else { return None };
        let length = |range: &Range<u64>| range.end.saturating_sub(range.start);
        Some(taking.ranges.iter().map(length).fold(0, u64::saturating_add))
    }

    /// Skips unwanted bytes: the bytes that are pushed next begin where [`Import::wants`] does.
    pub fn skip(&mut self) {
        if let Some(Range { start, .. }) = self.wants().filter(|range| range.start > self.received) {
            self.received = start;
            self.hash = None;
        }
    }

    /// Compares the length of the file with that in its header, once that has come.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for a file that was cut short, or is longer.
    pub fn check_length(&self, bytes: u64) -> Result<()> {
        match self.file_bytes() {
            Some(expected) if expected != bytes => Err(self.wrong_length(bytes, expected)),
            _ => Ok(()),
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
        self.hash.iter_mut().for_each(|hash| hash_parts(hash, bytes));
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
        let (received, wants) = (self.received, self.wants());
        let Stage::Tensors(mut taking) = std::mem::replace(&mut self.stage, Stage::Start) else {
            return Err(self.corrupt(format!("it ends after {received} bytes")));
        };
        let file_bytes = taking.file_bytes;
        if wants.is_some() {
            return Err(self.wrong_length(received, file_bytes));
        }
        let hash = self.hash.take().filter(|_| received == file_bytes).map(|hash| hex(&hash.finalize()));
        if let Some(expected) = self.request.sha256.as_ref().filter(|expected| hash.as_ref() != Some(*expected)) {
            let found = hash.as_deref().unwrap_or("not known");
            return Err(self.corrupt(format!("its sha256 is {found}, {expected} was expected")));
        }
        let written = self.keep(taking.writer.close()?).into_iter().collect();
        let ImportRequest { description, known, precision, .. } = self.request;
        let recognised = known.into_iter().find(|known| Some(&known.sha256) == hash.as_ref());
        let description = recognised.map_or(description, |known| known.description);
        let mut manifest = description.manifest(taking.architecture, precision);
        let what = hash.map_or_else(|| format!("a part of {file_bytes} bytes"), |hash| format!("sha256 {hash}"));
        manifest.source = format!("{}, {what}", manifest.source);
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
        let report = compare(&parameters, shapes);
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
        let wanted: VecDeque<(Place, Vec<Wanted>)> = wanted.collect();
        if let Some((Place { name, bytes, .. }, _)) = wanted.iter().find(|(place, _)| place.bytes > MAX_TENSOR_BYTES) {
            return Err(self.corrupt(format!("{name} claims {bytes} bytes")));
        }
        let compress = matches!(self.request.precision.format(), tensor::Format::Blocks(_));
        Ok(Taking {
            ranges: self.ranges(text.len(), wanted.iter().map(|(place, _)| place), header.file_bytes),
            wanted,
            architecture,
            report,
            file_bytes: header.file_bytes,
            writer: ShardWriter::new(SHARD_BYTES, compress),
        })
    }

    /// What is wanted of a file with a header of this length: what comes first, and these places, which are in the
    /// file's order.
    fn ranges<'a>(&self, header: usize, places: impl Iterator<Item = &'a Place>, file_bytes: u64) -> Vec<Range<u64>> {
        let mut last = 0..first_bytes(header).min(file_bytes);
        let (mut ranges, mut useless) = (Vec::new(), 0u64);
        for place in places {
            let gap = place.start.saturating_sub(last.end);
            if gap > JOINED_BYTES {
                useless = useless.saturating_add(gap);
                ranges.push(std::mem::replace(&mut last, place.start..place.end()));
            }
            last.end = last.end.max(place.end());
        }
        useless = useless.saturating_add(file_bytes.saturating_sub(last.end));
        ranges.push(last);
        let whole = self.request.sha256.is_some() || useless <= file_bytes / USELESS_PART;
        if whole { std::iter::once(0..file_bytes).collect() } else { ranges }
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
            // What of it is among these bytes; what came before is pending. Neither is more than there are bytes.
            let within = |at: u64| at.clamp(start, end).saturating_sub(start) as usize;
            self.pending.extend_from_slice(bytes.get(within(place.start)..within(place.end())).unwrap_or_default());
            if (self.pending.len() as u64) < place.bytes {
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

    fn wrong_length(&self, bytes: u64, expected: u64) -> Error {
        self.corrupt(format!("it has {bytes} bytes, {expected} by its header"))
    }

    fn corrupt(&self, detail: String) -> Error {
        Error::WeightsCorrupt { file: self.request.description.name.clone(), detail }
    }
}

/// What is wanted of every file, whose header has this length.
fn first_bytes(header: usize) -> u64 {
    (PREFIX as u64).saturating_add(header as u64).max(FIRST_BYTES)
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
