//! `pytorch_model.bin`: what `torch.save` writes, in the zip layout of today and in the one before PyTorch 1.6.
//!
//! The file is memory-mapped and only its pickle is parsed (see [`super::pickle`]); tensors stay where they are.
use super::pickle::{Pickle, PickledTensor, Storage, Value};
use super::{Encoding, TensorSource, TensorView, forget_pages, map_file};
use crate::error::ModelError;
use crate::{Error, Result};
use memmap2::Mmap;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest pickle that is read: the largest known checkpoints have a few megabytes.
const MAX_PICKLE: u64 = 64 << 20;
/// The number that the old layout begins with (`torch.serialization.MAGIC_NUMBER`), little-endian.
const OLD_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// A file of PyTorch weights.
pub struct TorchFile {
    path: PathBuf,
    map: Mmap,
    tensors: BTreeMap<String, (Arc<PickledTensor>, Range<usize>)>,
}

impl TorchFile {
    /// Maps the file, reads its pickle without executing anything and checks that every tensor lies in its storage.
    pub fn open(path: &Path) -> Result<Self> {
        let map = map_file(path)?;
        let place = path.display().to_string();
        let (pickle, storages) =
            if map.starts_with(b"PK\x03\x04") { zip_layout(&map, &place)? } else { old_layout(&map, &place)? };
        let mut tensors = BTreeMap::new();
        for (name, tensor) in state_dict(&pickle, &place)? {
            let range = storages.get(&tensor.storage.key).cloned().ok_or_else(|| {
                Error::Model(ModelError::damaged(format!(
                    "{place}: tensor {name} wants storage {}, which is not in the file",
                    tensor.storage.key
                )))
            })?;
            check_tensor(&name, &tensor, &range, &place)?;
            tensors.insert(name.to_string(), (tensor, range));
        }
        Ok(Self { path: path.to_path_buf(), map, tensors })
    }
}

impl TensorSource for TorchFile {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let Some((tensor, range)) = self.tensors.get(name) else { return Ok(None) };
        let storage = self.map.get(range.clone()).ok_or_else(|| {
            Error::Model(ModelError::damaged(format!(
                "{}: tensor {name} lies outside the file; download it again",
                self.path.display()
            )))
        })?;
        let size = element_size(tensor.storage.encoding);
        let count: usize = tensor.shape.iter().product();
        let bytes = if count == 0 {
            Cow::Borrowed(&[][..])
        } else if is_contiguous(tensor) {
            Cow::Borrowed(&storage[tensor.offset * size..(tensor.offset + count) * size])
        } else {
            Cow::Owned(gather(storage, tensor, size, count))
        };
        Ok(Some(TensorView { shape: tensor.shape.clone(), encoding: tensor.storage.encoding, bytes }))
    }

    fn release(&self, name: &str) {
        if let Some((_, range)) = self.tensors.get(name) {
            forget_pages(&self.map, range.clone());
        }
    }
}

/// Bytes of one element; pickled storages are never GGML blocks.
fn element_size(encoding: Encoding) -> usize {
    match encoding {
        Encoding::F64 | Encoding::I64 => 8,
        Encoding::F32 | Encoding::I32 => 4,
        Encoding::F16 | Encoding::BF16 => 2,
        Encoding::U8 | Encoding::Ggml(_) | Encoding::Iq4Nl | Encoding::Iq4Xs => 1,
    }
}

/// The pickle of an archive and the byte range of each storage in the file.
fn zip_layout(map: &[u8], place: &str) -> Result<(Pickle, HashMap<Arc<str>, Range<usize>>)> {
    let bad = |e: &dyn std::fmt::Display| {
        Error::Model(ModelError::damaged_by(
            format!("{place}: not a whole PyTorch archive ({e}); download the file again"),
            e.to_string(),
        ))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(map)).map_err(|e| bad(&e))?;
    let mut pickle = None;
    let mut storages = HashMap::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|e| bad(&e))?;
        let name = entry.name().map_err(|e| bad(&e))?.into_owned();
        // Every name begins with the archive's own name.
        let Some((_, inner)) = name.split_once('/') else { continue };
        if inner == "data.pkl" {
            if entry.size() > MAX_PICKLE {
                return Err(bad(&"its pickle is too large"));
            }
            let mut bytes = Vec::new();
            entry.take(MAX_PICKLE).read_to_end(&mut bytes).map_err(|e| bad(&e))?;
            pickle = Some(Pickle::read(&bytes, place)?);
        } else if inner == "byteorder" {
            let mut order = String::new();
            entry.take(16).read_to_string(&mut order).map_err(|e| bad(&e))?;
            if order != "little" {
                return Err(Error::Model(ModelError::Unsupported(format!(
                    "{place}: its numbers are big-endian, which is not supported; save it again on a usual machine"
                ))));
            }
        } else if let Some(key) = inner.strip_prefix("data/") {
            if entry.compression() != zip::CompressionMethod::Stored {
                return Err(bad(&"its tensors are compressed, which torch.save never does"));
            }
            let start = entry.data_start().ok_or_else(|| bad(&"a storage has no place"))? as usize;
            let end = start.checked_add(entry.size() as usize).filter(|&end| end <= map.len());
            let end = end.ok_or_else(|| bad(&"a storage lies outside the file"))?;
            storages.insert(key.into(), start..end);
        }
    }
    let pickle = pickle.ok_or_else(|| bad(&"there is no data.pkl in it"))?;
    Ok((pickle, storages))
}

/// Magic number, protocol, machine, state dictionary, list of storage keys (a pickle each), then each storage as
/// its number of elements (u64) and its bytes.
fn old_layout(map: &[u8], place: &str) -> Result<(Pickle, HashMap<Arc<str>, Range<usize>>)> {
    let bad = |what: &str| {
        Error::Model(ModelError::damaged(format!(
            "{place}: not a file that torch.save wrote ({what}); download it again, or use safetensors"
        )))
    };
    // Anything that is not this very file is turned away before its pickle is looked at.
    if map.len() < 15 || map[0] != 0x80 || map[2..4] != [0x8a, OLD_MAGIC.len() as u8] || map[4..14] != OLD_MAGIC {
        return Err(bad("neither a zip archive nor the older layout"));
    }
    let mut at = 0;
    let mut next = || -> Result<Pickle> {
        let pickle = Pickle::read(&map[at..], place)?;
        at += pickle.len;
        Ok(pickle)
    };
    let (_magic, _protocol, machine, state, keys) = (next()?, next()?, next()?, next()?, next()?);
    let machine_entries = machine.dict(&machine.root).unwrap_or_default();
    if machine_entries.contains(&(Value::Str("little_endian".into()), Value::Bool(false))) {
        return Err(bad("its numbers are big-endian"));
    }
    let sizes = storage_sizes(&state, place)?;
    let mut storages = HashMap::new();
    for key in keys.items(&keys.root).ok_or_else(|| bad("no list of storages"))? {
        let Value::Str(key) = key else { return Err(bad("a storage without a name")) };
        let count = map.get(at..at + 8).ok_or_else(|| bad("it ends too early"))?;
        let count = u64::from_le_bytes(count.try_into().unwrap_or_default());
        at += 8;
        let size = sizes.get(key).copied().ok_or_else(|| bad("a storage that no tensor uses"))?;
        let end = usize::try_from(count).ok().and_then(|n| n.checked_mul(size)).and_then(|n| n.checked_add(at));
        let end = end.filter(|&end| end <= map.len()).ok_or_else(|| bad("it ends too early"))?;
        storages.insert(key.clone(), at..end);
        at = end;
    }
    Ok((state, storages))
}

/// Bytes an element for each storage of a state dictionary.
fn storage_sizes(state: &Pickle, place: &str) -> Result<HashMap<Arc<str>, usize>> {
    let tensors = state_dict(state, place)?;
    let size = |storage: &Storage| element_size(storage.encoding);
    Ok(tensors.iter().map(|(_, t)| (t.storage.key.clone(), size(&t.storage))).collect())
}

/// The tensors of a pickled state dictionary, or of one kept under `state_dict` beside other things.
fn state_dict(pickle: &Pickle, place: &str) -> Result<Vec<(Arc<str>, Arc<PickledTensor>)>> {
    let not_weights = || {
        Error::Model(ModelError::damaged(format!(
            "{place}: holds no dictionary of tensors; save model.state_dict() and nothing else"
        )))
    };
    let mut entries = pickle.dict(&pickle.root).ok_or_else(not_weights)?;
    if let Some((_, inner)) = entries.iter().find(|(key, _)| *key == Value::Str("state_dict".into())) {
        entries = pickle.dict(inner).ok_or_else(not_weights)?;
    }
    let tensors: Vec<_> = entries
        .iter()
        .filter_map(|(key, value)| match (key, value) {
            (Value::Str(name), Value::Tensor(tensor)) => Some((name.clone(), tensor.clone())),
            _ => None, // counters and the like
        })
        .collect();
    if tensors.is_empty() { Err(not_weights()) } else { Ok(tensors) }
}

/// The tensor's largest index lies within its storage, and the storage in its bytes.
fn check_tensor(name: &str, tensor: &PickledTensor, range: &Range<usize>, place: &str) -> Result<()> {
    let size = element_size(tensor.storage.encoding);
    let stored = range.len() / size;
    let count = tensor.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let last = tensor.shape.iter().zip(&tensor.strides).try_fold(tensor.offset, |at, (&d, &stride)| {
        d.saturating_sub(1).checked_mul(stride).and_then(|step| at.checked_add(step))
    });
    // A stride of zero repeats elements; it must not make a small file fill the memory.
    let fits = tensor.storage.len <= stored
        && matches!((count, last), (Some(count), Some(last)) if count == 0 || last < stored && count <= stored);
    if fits {
        return Ok(());
    }
    Err(Error::Model(ModelError::damaged(format!(
        "{place}: tensor {name} of shape {:?} does not fit its storage of {stored} numbers; download the file again",
        tensor.shape
    ))))
}

fn is_contiguous(tensor: &PickledTensor) -> bool {
    let mut expected = 1;
    for (&d, &stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        if d != 1 && stride != expected {
            return false;
        }
        expected *= d;
    }
    true
}

/// Copies a strided tensor into row-major order.
fn gather(storage: &[u8], tensor: &PickledTensor, size: usize, count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count * size);
    let mut index = vec![0; tensor.shape.len()];
    for _ in 0..count {
        let at = tensor.offset + index.iter().zip(&tensor.strides).map(|(i, s)| i * s).sum::<usize>();
        out.extend_from_slice(&storage[at * size..(at + 1) * size]);
        for (i, &d) in index.iter_mut().zip(&tensor.shape).rev() {
            *i += 1;
            if *i < d {
                break;
            }
            *i = 0;
        }
    }
    out
}
