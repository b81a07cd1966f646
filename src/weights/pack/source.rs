//! Tensors of published files: `.safetensors` and PyTorch state dicts, read one at a time.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, tensor::TensorView};

use super::file_error;
use crate::{
    Error, Result,
    weights::{
        header::{Header, PREFIX, Place},
        published::{Naming, Part},
        tensor,
    },
};

/// All tensors of one or more files, by name.
pub struct Source {
    tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone)]
struct Tensor {
    file: String,
    /// As published.
    shape: Vec<usize>,
    stored: Stored,
    /// The part of the published tensor that the name stands for.
    part: Option<Part>,
}

#[derive(Clone)]
enum Stored {
    /// A place in a safetensors file.
    SafeTensors {
        path: Arc<PathBuf>,
        place: Place,
    },
    Pytorch(Arc<pytorch_reader::Tensor>),
}

impl Source {
    /// Opens a file; `prefix` is put before every name.
    pub(super) fn open(path: &Path, prefix: &str) -> Result<Self> {
        let file = path.display().to_string();
        let mut head = [0u8; PREFIX + 1];
        let read =
            fs::File::open(path).and_then(|mut file| file.read(&mut head)).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Error::WeightsMissing { file: file.clone() },
                _ => file_error(path, &error),
            })?;
        // safetensors: eight bytes of length, then a JSON object. Detected by content, since file names may be wrong.
        let tensors = match Header::length(&head).filter(|_| read == head.len()) {
            Some(length) => safetensors_file(path, length, &file)?,
            None => pytorch_file(path, &file)?,
        };
        Ok(Source { tensors: tensors.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect() })
    }

    pub(super) fn append(&mut self, mut other: Source) {
        self.tensors.append(&mut other.tensors);
    }

    /// Gives tensors the names they have here, and splits those that are several tensors here.
    pub(super) fn take_parts(&mut self) {
        let published = std::mem::take(&mut self.tensors);
        let naming = Naming::of(published.keys().map(String::as_str));
        for (name, tensor) in published {
            for part in Part::of(naming.canonical(&name), &tensor.shape) {
                self.tensors.insert(part.name.clone(), Tensor { part: Some(part), ..tensor.clone() });
            }
        }
    }

    pub(super) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |tensor: &Tensor| tensor.part.as_ref().map_or(&tensor.shape, |part| &part.shape).clone();
        self.tensors.iter().map(|(name, tensor)| (name.clone(), shape(tensor))).collect()
    }

    /// A tensor's values as f32.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensors.get(name).ok_or_else(|| Error::WeightsMissing { file: name.into() })?;
        let corrupt =
            |detail: String| Error::WeightsCorrupt { file: tensor.file.clone(), detail: format!("{name}: {detail}") };
        let values = match &tensor.stored {
            Stored::SafeTensors { path, place } => {
                let bytes = read_place(path, place).map_err(|error| file_error(path, &error))?;
                let view = TensorView::new(place.dtype, place.shape.clone(), &bytes);
                tensor::values(&view.map_err(|error| corrupt(error.to_string()))?, None, None)
            }
            Stored::Pytorch(stored) => {
                let dtype = match stored.dtype() {
                    DType::F64 => Dtype::F64,
                    DType::F32 => Dtype::F32,
                    DType::F16 => Dtype::F16,
                    DType::BF16 => Dtype::BF16,
                    other => return Err(corrupt(format!("its type {other:?} is not a float"))),
                };
                let bytes = stored.read().map_err(|error| corrupt(error.to_string()))?;
                let view =
                    TensorView::new(dtype, tensor.shape.clone(), &bytes).map_err(|error| corrupt(error.to_string()))?;
                tensor::values(&view, None, None)
            }
        };
        let values = values.map_err(corrupt)?;
        Ok(match &tensor.part {
            Some(part) => part.of_values(values),
            None => values,
        })
    }
}

fn safetensors_file(path: &Path, length: usize, file: &str) -> Result<Vec<(String, Tensor)>> {
    let corrupt = |detail: String| Error::WeightsCorrupt { file: file.into(), detail };
    let unreadable = |error: std::io::Error| file_error(path, &error);
    let mut opened = fs::File::open(path).map_err(unreadable)?;
    let bytes = opened.metadata().map_err(unreadable)?.len();
    let mut text = vec![0; length];
    opened.seek(SeekFrom::Start(PREFIX as u64)).map_err(unreadable)?;
    opened.read_exact(&mut text).map_err(|error| corrupt(error.to_string()))?;
    let header = Header::parse(&text).map_err(corrupt)?;
    if header.file_bytes != bytes {
        return Err(corrupt(format!("it has {bytes} bytes, {} by its header", header.file_bytes)));
    }
    let path = Arc::new(path.to_path_buf());
    let tensor = |place: Place| {
        let (name, shape) = (place.name.clone(), place.shape.clone());
        let stored = Stored::SafeTensors { path: Arc::clone(&path), place };
        (name, Tensor { file: file.into(), shape, stored, part: None })
    };
    Ok(header.places.into_iter().map(tensor).collect())
}

fn read_place(path: &Path, place: &Place) -> std::io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(place.start))?;
    let mut bytes = Vec::new();
    file.take(place.bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn pytorch_file(path: &Path, file: &str) -> Result<Vec<(String, Tensor)>> {
    let reader = PytorchReader::new(path).map_err(|error| Error::WeightsCorrupt {
        file: file.into(),
        detail: format!("it is neither a safetensors nor a PyTorch file ({error})"),
    })?;
    let tensors = reader.into_tensors().into_iter().map(|(name, tensor)| {
        let shape = tensor.shape().to_vec();
        (name, Tensor { file: file.into(), shape, stored: Stored::Pytorch(Arc::new(tensor)), part: None })
    });
    Ok(tensors.collect())
}
