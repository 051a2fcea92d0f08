//! Weights as bytes: safetensors whose tensors are sorted by name and whose
//! header says what the network is, so that equal weights give equal bytes.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::recipe::{Head, Normalisation};

/// The key of our note in the header.
const NOTE: &str = "safelight";

/// One tensor of 32-bit numbers, in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The extent of every dimension.
    pub shape: Vec<usize>,
    /// As many numbers as the shape says.
    pub values: Vec<f32>,
}

/// What the header says of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The network's name.
    pub architecture: String,
    /// What stands on its last feature map.
    pub head: Head,
    /// The names of the classes, in the order of its outputs.
    pub classes: Vec<String>,
    /// How pixels are scaled.
    pub normalisation: Normalisation,
}

/// Why bytes are not weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// They are not safetensors.
    #[error("not a safetensors file: {reason}")]
    Format {
        /// In the reader's words.
        reason: String,
    },
    /// A tensor holds another type of number than float32.
    #[error("tensor {name} holds {found}, not float32")]
    Type {
        /// The tensor.
        name: String,
        /// What it holds.
        found: String,
    },
    /// The header has no note, or one that cannot be read.
    #[error("the header does not say which network the weights are for")]
    NoNote,
    /// The weights are for another network.
    #[error("the weights are for {found}, not for {expected}")]
    OtherArchitecture {
        /// What they are for.
        found: String,
        /// What they should be for.
        expected: String,
    },
    /// The classes differ.
    #[error("the weights tell apart {found:?}, not {expected:?}")]
    OtherClasses {
        /// The classes of the weights.
        found: Vec<String>,
        /// The classes wanted.
        expected: Vec<String>,
    },
    /// The tensors are not those of the network.
    #[error(
        "the tensors are not those of the network: {} missing ({}), {} of another shape ({})",
        missing.len(), missing.first().map_or("none", String::as_str),
        misshapen.len(), misshapen.first().map_or("none", String::as_str)
    )]
    Tensors {
        /// Those that the network has and the file has not.
        missing: Vec<String>,
        /// Those of another shape, with both shapes.
        misshapen: Vec<String>,
        /// Those that the file has and the network has not.
        unexpected: Vec<String>,
    },
}

/// Writes tensors and one header entry as safetensors; equal arguments give
/// equal bytes.
pub fn encode(tensors: &BTreeMap<String, Values>, key: &str, note: &str) -> Vec<u8> {
    let bytes: Vec<(&String, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name, tensor.shape.as_slice(), bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
        (name.as_str(), view.expect("as many numbers as the shape says"))
    });
    // One entry only: the writer takes a hash map, whose order is random.
    let header = HashMap::from([(key.to_owned(), note.to_owned())]);
    safetensors::serialize(views, Some(header)).expect("tensors have a safetensors form")
}

/// Reads safetensors: the tensors, and the header entry `key` if there is one.
pub fn decode(bytes: &[u8], key: &str) -> Result<(BTreeMap<String, Values>, Option<String>), WeightsError> {
    let format = |error: safetensors::SafeTensorError| WeightsError::Format { reason: error.to_string() };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    let note = header.metadata().as_ref().and_then(|entries| entries.get(key).cloned());
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        // PyTorch counts batches beside every batch norm, as integers.
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        if view.dtype() != Dtype::F32 {
            return Err(WeightsError::Type { name: name.to_owned(), found: format!("{:?}", view.dtype()) });
        }
        let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let values = view.data().chunks_exact(4).map(number).collect();
        tensors.insert(name.to_owned(), Values { shape: view.shape().to_vec(), values });
    }
    Ok((tensors, note))
}

/// Writes the weights of a network.
pub fn encode_weights(tensors: &BTreeMap<String, Values>, note: &Note) -> Vec<u8> {
    let note = serde_json::to_string(note).expect("texts have a JSON form");
    encode(tensors, NOTE, &note)
}

/// Reads weights, and what their header says if it says anything.
pub fn decode_weights(bytes: &[u8]) -> Result<(BTreeMap<String, Values>, Option<Note>), WeightsError> {
    let (tensors, note) = decode(bytes, NOTE)?;
    let note = note.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| WeightsError::NoNote)?;
    Ok((tensors, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (BTreeMap<String, Values>, Note) {
        let tensors = ["fc.weight", "bn1.bias", "conv1.weight"].map(|name| {
            (name.to_owned(), Values { shape: vec![2, 1], values: vec![name.len() as f32, -0.5] })
        });
        let note = Note {
            architecture: "resnet18".into(),
            head: Head::Linear,
            classes: vec!["sea".into(), "ice \"x\"".into()],
            normalisation: Normalisation::Imagenet,
        };
        (BTreeMap::from(tensors), note)
    }

    #[test]
    fn weights_survive_and_their_bytes_are_a_function_of_them() {
        let (tensors, note) = sample();
        let bytes = encode_weights(&tensors, &note);
        assert_eq!(bytes, encode_weights(&tensors.clone(), &note.clone()));
        assert_eq!(decode_weights(&bytes), Ok((tensors, Some(note))));
    }

    #[test]
    fn foreign_files_are_refused_or_have_no_note() {
        assert!(matches!(decode_weights(b"no"), Err(WeightsError::Format { .. })));
        let (tensors, note) = sample();
        let bytes = encode_weights(&tensors, &note);
        assert!(matches!(decode_weights(&bytes[..bytes.len() - 3]), Err(WeightsError::Format { .. })));
        let (read, note) = decode_weights(&encode(&tensors, "format", "pt")).expect("reads");
        assert_eq!((read, note), (tensors, None));
    }
}
