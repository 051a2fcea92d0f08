//! From a file of another program to named tensors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use pytorch_reader::{DType, FileFormat, PytorchError, PytorchReader};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::train::weights::Values;

/// How a file holds its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignFormat {
    /// A safetensors file.
    Safetensors,
    /// A zip archive as `torch.save` writes since PyTorch 1.6.
    TorchZip,
    /// Pickles one after the other, as PyTorch 0.1.10 to 1.5 wrote them, from
    /// Python 2 too: whatever the file is called, `.pth.tar` included.
    TorchLegacy,
    /// A tar archive, as PyTorch wrote before 0.1.10.
    TorchTar,
}

impl ForeignFormat {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            ForeignFormat::Safetensors => "safetensors",
            ForeignFormat::TorchZip => "PyTorch zip",
            ForeignFormat::TorchLegacy => "PyTorch legacy pickle",
            ForeignFormat::TorchTar => "PyTorch tar",
        }
    }
}

/// What a file may hold at most; more is refused before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Tensors in it.
    pub tensors: usize,
    /// Numbers in all its tensors together.
    pub numbers: u64,
}

impl Default for Limits {
    /// 4 GiB, 20,000 tensors, a thousand million numbers: ten times the largest
    /// network that Safelight trains.
    fn default() -> Self {
        Limits { file_bytes: 4 << 30, tensors: 20_000, numbers: 1_000_000_000 }
    }
}

/// What a file holds.
#[derive(Debug, Clone)]
pub struct ForeignTensors {
    /// How it holds it.
    pub format: ForeignFormat,
    /// Tensors of floating point numbers, by name, as 32-bit numbers.
    pub tensors: BTreeMap<String, Values>,
    /// Names of tensors of whole numbers, ascending: counters, not weights.
    pub integers: Vec<String>,
}

/// Why a file gives no tensors.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is none of the formats, or a damaged one.
    #[error("{} holds no weights that can be read: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// In the reader's words.
        reason: String,
    },
    /// It holds more than is accepted.
    #[error("{} holds {actual} {what}; at most {limit} are accepted", path.display())]
    TooMuch {
        /// The file.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How much it holds.
        actual: u64,
        /// How much is accepted.
        limit: u64,
    },
    /// A tensor of a kind of number that no network of ours has.
    #[error("tensor {tensor} of {} holds {found}, which are no weights", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What it holds.
        found: String,
    },
}

/// Reads the tensors of a file. The format is told by its first bytes, never
/// by its name. Pickles are interpreted by a reader that knows tensors and
/// plain values only: nothing in the file is executed.
///
/// # Errors
/// When it cannot be read, is in none of the formats, or holds too much.
pub fn read(path: &Path, limits: &Limits) -> Result<ForeignTensors, ReadError> {
    let io = |error| ReadError::Io { path: path.to_owned(), error };
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let too_much = |what, actual, limit| ReadError::TooMuch { path: path.to_owned(), what, actual, limit };
    if length > limits.file_bytes {
        return Err(too_much("bytes", length, limits.file_bytes));
    }
    let mut head = [0; 9];
    let is_safetensors = match file.read_exact(&mut head) {
        // Eight bytes of length and the first of a JSON object, which no pickle
        // and no archive begins with.
        Ok(()) => head[8] == b'{' && u64::from_le_bytes(head[..8].try_into().unwrap_or_default()) <= length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(io(error)),
    };
    let kinds = Kinds { path, limits, numbers: 0, count: 0 };
    let found = if is_safetensors { safetensors(path, kinds) } else { torch(path, kinds) }?;
    if found.tensors.is_empty() && found.integers.is_empty() {
        let reason = format!("it is a {} file without tensors", found.format.name());
        return Err(ReadError::Format { path: path.to_owned(), reason });
    }
    Ok(found)
}

/// Counts what a file holds against the limits.
struct Kinds<'a> {
    path: &'a Path,
    limits: &'a Limits,
    numbers: u64,
    count: usize,
}

impl Kinds<'_> {
    fn count(&mut self, shape: &[usize]) -> Result<(), ReadError> {
        self.count += 1;
        let numbers = shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent as u64));
        self.numbers = self.numbers.saturating_add(numbers.unwrap_or(u64::MAX));
        let (tensors, numbers) = (self.limits.tensors as u64, self.limits.numbers);
        let path = || self.path.to_owned();
        if self.count as u64 > tensors {
            let (what, actual) = ("tensors", self.count as u64);
            return Err(ReadError::TooMuch { path: path(), what, actual, limit: tensors });
        }
        if self.numbers > numbers {
            let (what, actual) = ("numbers", self.numbers);
            return Err(ReadError::TooMuch { path: path(), what, actual, limit: numbers });
        }
        Ok(())
    }

    fn unknown(&self, tensor: &str, found: String) -> ReadError {
        ReadError::Kind { path: self.path.to_owned(), tensor: tensor.to_owned(), found }
    }
}

fn safetensors(path: &Path, mut kinds: Kinds<'_>) -> Result<ForeignTensors, ReadError> {
    let bytes = std::fs::read(path).map_err(|error| ReadError::Io { path: path.to_owned(), error })?;
    let format = |error: safetensors::SafeTensorError| ReadError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let file = SafeTensors::deserialize(&bytes).map_err(format)?;
    let mut found =
        ForeignTensors { format: ForeignFormat::Safetensors, tensors: BTreeMap::new(), integers: Vec::new() };
    for (name, view) in file.iter() {
        kinds.count(view.shape())?;
        let values = match view.dtype() {
            Dtype::F32 => four_bytes(view.data()),
            Dtype::F64 => eight_bytes(view.data()),
            Dtype::F16 => two_bytes(view.data(), |bits| f16::from_bits(bits).to_f32()),
            Dtype::BF16 => two_bytes(view.data(), |bits| bf16::from_bits(bits).to_f32()),
            Dtype::I64
            | Dtype::I32
            | Dtype::I16
            | Dtype::I8
            | Dtype::U64
            | Dtype::U32
            | Dtype::U16
            | Dtype::U8 => {
                found.integers.push(name.to_owned());
                continue;
            }
            other => return Err(kinds.unknown(name, format!("{other:?}"))),
        };
        found.tensors.insert(name.to_owned(), Values { shape: view.shape().to_vec(), values });
    }
    found.integers.sort_unstable();
    Ok(found)
}

fn torch(path: &Path, mut kinds: Kinds<'_>) -> Result<ForeignTensors, ReadError> {
    let refused = |error: PytorchError| match error {
        PytorchError::Io(error) if error.raw_os_error().is_some() => {
            ReadError::Io { path: path.to_owned(), error }
        }
        error => ReadError::Format { path: path.to_owned(), reason: error.to_string() },
    };
    let reader = PytorchReader::new(path).map_err(refused)?;
    let format = match reader.metadata().format_type {
        FileFormat::Zip => ForeignFormat::TorchZip,
        FileFormat::Legacy => ForeignFormat::TorchLegacy,
        FileFormat::Tar => ForeignFormat::TorchTar,
        // A pickle on its own has no place for the bytes of tensors.
        FileFormat::Pickle => {
            let reason = "it is a pickle without tensors".to_owned();
            return Err(ReadError::Format { path: path.to_owned(), reason });
        }
    };
    let mut found = ForeignTensors { format, tensors: BTreeMap::new(), integers: Vec::new() };
    // In the order of their names, so that the first fault is always the same one.
    let sorted: BTreeMap<_, _> = reader.into_tensors().into_iter().collect();
    for (name, tensor) in sorted {
        kinds.count(tensor.shape())?;
        let convert: fn(&[u8]) -> Vec<f32> = match tensor.dtype() {
            DType::F32 => four_bytes,
            DType::F64 => eight_bytes,
            DType::F16 => |bytes| two_bytes(bytes, |bits| f16::from_bits(bits).to_f32()),
            DType::BF16 => |bytes| two_bytes(bytes, |bits| bf16::from_bits(bits).to_f32()),
            DType::Bool => return Err(kinds.unknown(&name, "truth values".to_owned())),
            _ => {
                found.integers.push(name);
                continue;
            }
        };
        let bytes = tensor.read().map_err(|error| match error.raw_os_error() {
            Some(_) => ReadError::Io { path: path.to_owned(), error },
            None => ReadError::Format { path: path.to_owned(), reason: error.to_string() },
        })?;
        found.tensors.insert(name, Values { shape: tensor.shape().to_vec(), values: convert(&bytes) });
    }
    Ok(found)
}

fn two_bytes(bytes: &[u8], value: impl Fn(u16) -> f32) -> Vec<f32> {
    bytes.as_chunks::<2>().0.iter().map(|two| value(u16::from_le_bytes(*two))).collect()
}

fn four_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

fn eight_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<8>().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect()
}

#[cfg(test)]
#[path = "read/tests.rs"]
mod tests;
