//! Marian's own model files: the binary container (`.bin`) and NumPy archives (`.npz`), packed or not.
//!
//! Format facts: marian-dev, `src/common/{binary.cpp,types.h}` and `src/tensors/cpu/expression_graph_packable.h`.
mod container;
mod npz;
mod packed;

pub use container::parse_container;
pub use npz::parse_npz;
pub use packed::{read_packed, without_packing};

use super::{Encoding, TensorSource, TensorView, map_file};
use crate::error::ModelError;
use crate::{Error, Result};
use memmap2::Mmap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// The tensor that holds the configuration as YAML.
pub const CONFIG: &str = "special:model.yml";

/// How a tensor of a Marian file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit floats.
    F32,
    /// Bytes without a scale: the configuration.
    Int8,
    /// One byte a weight, transposed (embeddings are not), and one scale after them.
    Intgemm8,
}

/// Where a tensor lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// How its numbers are stored.
    pub kind: Kind,
    /// As declared; a weight matrix is [inputs, outputs].
    pub shape: Vec<usize>,
    /// Its bytes in the file, the scale of [`Kind::Intgemm8`] included.
    pub bytes: Range<usize>,
}

impl Item {
    /// Bytes that `elements` numbers take.
    fn size(kind: Kind, elements: usize) -> Option<usize> {
        match kind {
            Kind::F32 => elements.checked_mul(4),
            Kind::Int8 => Some(elements),
            Kind::Intgemm8 => elements.checked_add(4),
        }
    }
}

enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// A model file of Marian's.
pub struct MarianFile {
    name: String,
    bytes: Bytes,
    items: BTreeMap<String, Item>,
}

impl MarianFile {
    /// Opens `.bin` or `.npz`, with `.gz` or `.zst` after it where it is packed.
    ///
    /// # Errors
    /// Each names the file: not there, damaged, or of a kind that is not supported.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let packed = without_packing(&name) != name;
        if without_packing(&name).ends_with(".npz") {
            let (bytes, items) = parse_npz(&read_packed(path)?, &name)?;
            return Ok(Self { name, bytes: Bytes::Owned(bytes), items });
        }
        let bytes = if packed { Bytes::Owned(read_packed(path)?) } else { Bytes::Mapped(map_file(path)?) };
        let items = parse_container(&bytes, &name)?;
        Ok(Self { name, bytes, items })
    }

    /// The file's name, for error texts.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of the (unpacked) file and its bytes: what tells it apart.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The configuration inside: `special:model.yml`.
    ///
    /// # Errors
    /// There is none, or it is no text.
    pub fn config(&self) -> Result<&str> {
        let item = self.items.get(CONFIG).filter(|item| item.kind == Kind::Int8).ok_or_else(|| {
            Error::Model(ModelError::damaged(format!(
                "{}: no {CONFIG} in it, which describes the network; convert the model again",
                self.name
            )))
        })?;
        let bytes = &self.bytes[item.bytes.clone()];
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        std::str::from_utf8(&bytes[..end]).map_err(|_| {
            Error::Model(ModelError::damaged(format!("{}: its {CONFIG} is not text; download it again", self.name)))
        })
    }

    /// Names, declared shapes and kinds of all tensors, the configuration left out.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &[usize], Kind)> {
        let tensors = self.items.iter().filter(|(name, _)| *name != CONFIG);
        tensors.map(|(name, item)| (name.as_str(), &item.shape[..], item.kind))
    }

    /// Whether the file has the tensor.
    pub fn has(&self, name: &str) -> bool {
        self.items.contains_key(name)
    }

    /// Whether the tensor is kept in 8 bits.
    pub fn is_int8(&self, name: &str) -> bool {
        self.items.get(name).is_some_and(|item| item.kind == Kind::Intgemm8)
    }

    /// A matrix in 8 bits as [outputs, inputs] (embeddings: [vocabulary, d]): its shape, its signed bytes and the number
    /// that they are to be divided by.
    ///
    /// # Errors
    /// There is no such tensor, or it is not kept in 8 bits.
    pub fn int8(&self, name: &str) -> Result<([usize; 2], &[u8], f32)> {
        let item = self.item(name)?;
        let bytes = &self.bytes[item.bytes.clone()];
        match (item.kind, bytes.split_last_chunk::<4>(), &item.shape[..]) {
            (Kind::Intgemm8, Some((values, scale)), &[rows, columns]) => {
                let shape = if is_transposed(name) { [columns, rows] } else { [rows, columns] };
                Ok((shape, values, f32::from_le_bytes(*scale)))
            }
            _ => Err(Error::Model(ModelError::damaged(format!(
                "{}: tensor {name} is no 8-bit matrix; convert the model again",
                self.name
            )))),
        }
    }

    /// A single number, in either of the two ways in which scales are written: a float, or a byte and its scale.
    ///
    /// # Errors
    /// There is no such tensor, or it holds more than one number.
    pub fn number(&self, name: &str) -> Result<f32> {
        let item = self.item(name)?;
        let bytes = &self.bytes[item.bytes.clone()];
        match (item.kind, bytes) {
            (Kind::F32, &[a, b, c, d]) => Ok(f32::from_le_bytes([a, b, c, d])),
            (Kind::Intgemm8, &[byte, a, b, c, d]) => Ok(f32::from(byte as i8) / f32::from_le_bytes([a, b, c, d])),
            _ => Err(Error::Model(ModelError::damaged(format!(
                "{}: tensor {name} should be one number; convert the model again",
                self.name
            )))),
        }
    }

    fn item(&self, name: &str) -> Result<&Item> {
        self.items.get(name).ok_or_else(|| {
            Error::Model(ModelError::Missing(format!(
                "{}: tensor {name} is missing; the file does not hold the network that its configuration describes",
                self.name
            )))
        })
    }
}

/// Weight matrices are declared [inputs, outputs], other than embeddings.
fn is_transposed(name: &str) -> bool {
    !name.contains("Wemb") && name.rsplit('_').next().is_some_and(|last| last.starts_with('W'))
}

/// As floats: matrices [outputs, inputs], biases and norms without the dimension of 1 that Marian gives them.
impl TensorSource for MarianFile {
    fn names(&self) -> Vec<String> {
        self.items.keys().filter(|name| *name != CONFIG).cloned().collect()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let Some(item) = self.items.get(name).filter(|item| item.kind != Kind::Int8) else { return Ok(None) };
        let bytes = &self.bytes[item.bytes.clone()];
        let matrix = is_transposed(name) && item.shape.len() == 2;
        let view = |shape, bytes| Some(TensorView { shape, encoding: Encoding::F32, bytes });
        let shape = match item.shape[..] {
            [a, b] if matrix => vec![b, a],
            [1, n] if !name.contains("Wemb") => vec![n],
            _ => item.shape.clone(),
        };
        if item.kind == Kind::Intgemm8 {
            let (values, scale) = bytes.split_last_chunk::<4>().unwrap_or((bytes, &[0; 4]));
            let scale = 1.0 / f32::from_le_bytes(*scale);
            let floats = values.iter().flat_map(|&b| (f32::from(b as i8) * scale).to_le_bytes()).collect();
            return Ok(view(shape, Cow::Owned(floats)));
        }
        match item.shape[..] {
            [rows, columns] if matrix => {
                let (numbers, _) = bytes.as_chunks::<4>();
                let column = |c: usize| (0..rows).flat_map(move |r| numbers[r * columns + c]);
                Ok(view(shape, Cow::Owned((0..columns).flat_map(column).collect())))
            }
            _ => Ok(view(shape, Cow::Borrowed(bytes))),
        }
    }
}

#[cfg(test)]
mod tests;
