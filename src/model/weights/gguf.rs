//! GGUF files (version 2 and 3), memory-mapped; every length, offset and count is checked before use.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. A model may be split over shards named
//! `NAME-00001-of-00002.gguf`, as llama.cpp's gguf-split names them; the metadata is in the first.
mod parser;

use super::{Encoding, TensorSource, TensorView, forget_pages, map_file};
use crate::error::ModelError;
use crate::{Error, Result};
use parser::Parser;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most files that a sane model is split into.
const MAX_SHARDS: u64 = 1000;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Any unsigned integer.
    U64(u64),
    /// Any signed integer.
    I64(i64),
    /// Any float.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// A text.
    Text(String),
    /// A list of integers.
    Integers(Vec<i64>),
    /// A list of floats.
    Floats(Vec<f32>),
    /// A list of truth values.
    Bools(Vec<bool>),
    /// A list of texts.
    Texts(Vec<String>),
}

/// Where a file's bytes are.
enum Bytes {
    Mapped(memmap2::Mmap, PathBuf),
    Static(&'static [u8]),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map, _) => map,
            Bytes::Static(bytes) => bytes,
        }
    }
}

struct Tensor {
    shard: usize,
    /// Outermost dimension first.
    shape: Vec<usize>,
    encoding: Encoding,
    range: Range<usize>,
}

/// An opened GGUF model: metadata and tensors of all its shards.
pub struct Gguf {
    /// The file's (or first shard's) name, for messages.
    pub name: String,
    shards: Vec<Bytes>,
    metadata: HashMap<String, Value>,
    tensors: BTreeMap<String, Tensor>,
}

impl Gguf {
    /// Opens a file, and the other shards if it is the first of several.
    pub fn open(path: &Path) -> Result<Self> {
        let mut shards = vec![map(path)?];
        let name = path.display().to_string();
        let count = Parser::new(&name, &shards[0])?.metadata()?.get("split.count").and_then(as_u64).unwrap_or(1);
        if count > MAX_SHARDS {
            return Err(Error::Model(ModelError::damaged(format!(
                "{name}: claims to be split into {count} files; the file is damaged"
            ))));
        }
        for index in 1..count {
            let shard = shard_path(path, index as usize + 1, count as usize).ok_or_else(|| {
                Error::Model(ModelError::damaged(format!("{name}: is one of {count} parts but is not named …-00001-of-{count:05}.gguf; open the first part under its original name")))
            })?;
            shards.push(map(&shard)?);
        }
        Self::from_shards(name, shards)
    }

    /// A model whose shards are part of the program.
    pub fn from_static(name: &str, shards: &[&'static [u8]]) -> Result<Self> {
        Self::from_shards(name.to_string(), shards.iter().map(|bytes| Bytes::Static(bytes)).collect())
    }

    fn from_shards(name: String, shards: Vec<Bytes>) -> Result<Self> {
        let mut metadata = HashMap::new();
        let mut tensors = BTreeMap::new();
        for (index, bytes) in shards.iter().enumerate() {
            let mut parser = Parser::new(&name, bytes)?;
            let values = parser.metadata()?;
            let number = values.get("split.no").and_then(as_u64).unwrap_or(0);
            if shards.len() > 1 && number != index as u64 {
                return Err(Error::Model(ModelError::damaged(format!(
                    "{name}: part {} of {} has the wrong content (it says part {}); download it again",
                    index + 1,
                    shards.len(),
                    number + 1
                ))));
            }
            let alignment = values.get("general.alignment").and_then(as_u64).unwrap_or(32);
            for (tensor_name, tensor) in parser.tensors(index, alignment)? {
                if tensors.contains_key(&tensor_name) {
                    return Err(Error::Model(ModelError::damaged(format!(
                        "{name}: tensor {tensor_name} is there twice; the file is damaged"
                    ))));
                }
                tensors.insert(tensor_name, tensor);
            }
            if index == 0 {
                metadata = values;
            }
        }
        Ok(Self { name, shards, metadata, tensors })
    }

    /// Any metadata value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// All metadata keys, sorted.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.metadata.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    /// A text value.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A non-negative integer; an error names the file and the key.
    pub fn integer(&self, key: &str) -> Result<usize> {
        self.get(key).and_then(as_u64).map(|v| v as usize).ok_or_else(|| self.missing(key))
    }

    /// A number.
    pub fn float(&self, key: &str) -> Result<f64> {
        match self.get(key) {
            Some(Value::F64(v)) => Ok(*v),
            Some(Value::U64(v)) => Ok(*v as f64),
            _ => Err(self.missing(key)),
        }
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<&[String]> {
        match self.get(key) {
            Some(Value::Texts(list)) => Ok(list),
            _ => Err(self.missing(key)),
        }
    }

    fn missing(&self, key: &str) -> Error {
        Error::Model(ModelError::Missing(format!(
            "{}: metadata `{key}` is missing or of the wrong type; this is not a complete model file",
            self.name
        )))
    }

    /// Bytes of all shards.
    pub fn size(&self) -> usize {
        self.shards.iter().map(|s| s.len()).sum()
    }

    /// The raw files, for digests.
    pub fn shards(&self) -> impl Iterator<Item = &[u8]> {
        self.shards.iter().map(|s| &**s)
    }
}

impl Gguf {
    /// Looks at the files once more after they have been read: one that has become shorter in between would end the
    /// process without a word.
    pub fn check_length(&self) -> Result<()> {
        for shard in &self.shards {
            let Bytes::Mapped(map, path) = shard else { continue };
            let length = path.metadata().map_err(|e| Error::io(path, e))?.len();
            if length < map.len() as u64 {
                let (path, was) = (path.display(), map.len());
                return Err(Error::Model(ModelError::damaged(format!(
                    "{path}: became shorter while it was read ({was} bytes then, {length} now); wait until whoever \
                     writes it is done, and replace model files by renaming a finished one over them"
                ))));
            }
        }
        Ok(())
    }
}

impl TensorSource for Gguf {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        Ok(self.tensors.get(name).map(|tensor| TensorView {
            shape: tensor.shape.clone(),
            encoding: tensor.encoding,
            bytes: Cow::Borrowed(&self.shards[tensor.shard][tensor.range.clone()]),
        }))
    }

    fn release(&self, name: &str) {
        // What is part of the program itself is shared with every other run of it and stays.
        if let Some(tensor) = self.tensors.get(name)
            && let Bytes::Mapped(map, _) = &self.shards[tensor.shard]
        {
            forget_pages(map, tensor.range.clone());
        }
    }
}

fn map(path: &Path) -> Result<Bytes> {
    Ok(Bytes::Mapped(map_file(path)?, path.to_owned()))
}

/// `X-00001-of-00003.gguf` → the path of part `number`.
pub fn shard_path(first: &Path, number: usize, count: usize) -> Option<PathBuf> {
    let name = first.file_name()?.to_str()?;
    let stem = name.strip_suffix(&format!("-00001-of-{count:05}.gguf"))?;
    Some(first.with_file_name(format!("{stem}-{number:05}-of-{count:05}.gguf")))
}

fn as_u64(value: &Value) -> Option<u64> {
    match value {
        Value::U64(v) => Some(*v),
        Value::I64(v) => u64::try_from(*v).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tiny valid file: two metadata entries and one F32 tensor [2, 3].
    fn sample() -> Vec<u8> {
        let mut f = Vec::new();
        f.extend(b"GGUF");
        f.extend(3u32.to_le_bytes());
        f.extend(1u64.to_le_bytes());
        f.extend(2u64.to_le_bytes());
        let text = |f: &mut Vec<u8>, s: &str| {
            f.extend((s.len() as u64).to_le_bytes());
            f.extend(s.as_bytes());
        };
        text(&mut f, "general.architecture");
        f.extend(8u32.to_le_bytes());
        text(&mut f, "gemma3");
        text(&mut f, "list");
        f.extend(9u32.to_le_bytes());
        f.extend(5u32.to_le_bytes());
        f.extend(2u64.to_le_bytes());
        f.extend(1i32.to_le_bytes());
        f.extend((-2i32).to_le_bytes());
        text(&mut f, "w");
        f.extend(2u32.to_le_bytes());
        f.extend(3u64.to_le_bytes());
        f.extend(2u64.to_le_bytes());
        f.extend(0u32.to_le_bytes());
        f.extend(0u64.to_le_bytes());
        f.resize(f.len().next_multiple_of(32), 0);
        for i in 0..6 {
            f.extend((i as f32).to_le_bytes());
        }
        f
    }

    fn open(bytes: &[u8]) -> Result<Gguf> {
        Gguf::from_static("test.gguf", &[Box::leak(bytes.to_vec().into_boxed_slice())])
    }

    #[test]
    fn reads_metadata_and_tensors() {
        let gguf = open(&sample()).unwrap();
        assert_eq!(gguf.text("general.architecture"), Some("gemma3"));
        assert_eq!(gguf.get("list"), Some(&Value::Integers(vec![1, -2])));
        let view = gguf.find("w").unwrap().unwrap();
        assert_eq!((view.shape, view.bytes.len()), (vec![2, 3], 24));
    }

    #[test]
    fn every_truncation_and_every_absurd_byte_is_an_error_or_harmless() {
        let good = sample();
        for cut in 0..good.len() {
            assert!(open(&good[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..good.len() - 24 {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                if let Ok(gguf) = open(&bad) {
                    for name in gguf.names() {
                        gguf.find(&name).unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn unknown_quantizations_and_tensors_outside_the_file_are_named() {
        let good = sample();
        // The tensor's type and offset are the last 12 bytes before the padding that precedes its 24 bytes of numbers.
        let name = good.windows(9).rposition(|w| w == b"\x01\0\0\0\0\0\0\0w").unwrap();
        let at = name + 9 + 4 + 16;
        let mut bad = good.clone();
        bad[at] = 99;
        let text = open(&bad).err().unwrap().to_string();
        assert!(text.contains("quantization type 99") && text.contains("Q8_0"), "{text}");
        let mut bad = good.clone();
        bad[at + 4..at + 12].copy_from_slice(&(1u64 << 40).to_le_bytes());
        let text = open(&bad).err().unwrap().to_string();
        assert!(text.contains("outside the file") && text.contains("incomplete"), "{text}");
    }

    #[test]
    fn absurd_counts_are_named() {
        let mut bad = sample();
        bad[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        let text = open(&bad).err().unwrap().to_string();
        assert!(text.contains("test.gguf") && text.contains("damaged"), "{text}");
        let text = open(b"PK\x03\x04").err().unwrap().to_string();
        assert!(text.contains("not a GGUF file"), "{text}");
    }
}
