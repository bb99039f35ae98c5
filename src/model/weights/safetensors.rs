//! A `.safetensors` file, memory-mapped.
//!
//! The header is read and validated by the `safetensors` crate (lengths, overlaps, end of file); the tensors stay
//! in the file until somebody converts them.
use super::{Encoding, TensorSource, TensorView, forget_pages, map_file};
use crate::error::ModelError;
use crate::{Error, Result};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors, tensor::Metadata};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// One file. Sharded models are several of them behind a [`super::Checkpoint`].
pub struct SafetensorsFile {
    path: PathBuf,
    map: Mmap,
    header: Metadata,
    /// Where the tensors' bytes begin.
    data: usize,
}

impl SafetensorsFile {
    /// Maps the file and checks its header.
    pub fn open(path: &Path) -> Result<Self> {
        let map = map_file(path)?;
        let (header_len, header) = SafeTensors::read_metadata(&map).map_err(|e| {
            Error::Model(ModelError::damaged_by(
                format!("{}: not a whole safetensors file ({e}); it may be cut off, download it again", path.display()),
                e,
            ))
        })?;
        Ok(Self { path: path.to_path_buf(), map, header, data: header_len + 8 })
    }
}

impl TensorSource for SafetensorsFile {
    fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.sort();
        names
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let Some(info) = self.header.info(name) else { return Ok(None) };
        let encoding = match info.dtype {
            Dtype::F32 => Encoding::F32,
            Dtype::F16 => Encoding::F16,
            Dtype::BF16 => Encoding::BF16,
            Dtype::F64 => Encoding::F64,
            Dtype::I64 => Encoding::I64,
            Dtype::I32 => Encoding::I32,
            Dtype::U8 => Encoding::U8,
            other => {
                return Err(Error::Model(ModelError::Unsupported(format!(
                    "{}: tensor {name} is stored as {other:?}, which is not supported; use F32, F16 or BF16 weights",
                    self.path.display()
                ))));
            }
        };
        let (start, end) = info.data_offsets;
        // `read_metadata` has checked that every range lies within the file.
        let bytes = self.map.get(self.data + start..self.data + end).ok_or_else(|| {
            Error::Model(ModelError::damaged(format!(
                "{}: tensor {name} lies outside the file; download it again",
                self.path.display()
            )))
        })?;
        Ok(Some(TensorView { shape: info.shape.clone(), encoding, bytes: Cow::Borrowed(bytes) }))
    }

    fn release(&self, name: &str) {
        if let Some(info) = self.header.info(name) {
            forget_pages(&self.map, self.data + info.data_offsets.0..self.data + info.data_offsets.1);
        }
    }
}
