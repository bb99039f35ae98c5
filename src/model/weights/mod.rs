//! Weights behind one view, whatever file they came in: GGUF, safetensors, pickle.
mod adapter;
mod checkpoint;
pub mod gguf;
mod iq4;
pub(crate) mod ledger;
pub mod marian;
mod pickle;
mod safetensors;
mod torch;

pub use adapter::Adapted;
pub use checkpoint::Checkpoint;
pub use safetensors::SafetensorsFile;
pub use torch::TorchFile;

use crate::error::ModelError;
use crate::{Error, Result};
use candle_core::quantized::GgmlDType;
use memmap2::Mmap;
use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// bfloat16.
    BF16,
    /// 64-bit floats.
    F64,
    /// 64-bit integers.
    I64,
    /// 32-bit integers.
    I32,
    /// Bytes.
    U8,
    /// Blocks of a GGUF quantization along the last dimension.
    Ggml(GgmlDType),
    /// The same in levels that are not evenly spaced.
    Iq4Nl,
    /// The same in super-blocks of 256.
    Iq4Xs,
}

impl Encoding {
    /// Numbers and bytes of a block, the smallest part that can be read by itself.
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::F64 | Self::I64 => (1, 8),
            Self::F32 | Self::I32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::U8 => (1, 1),
            Self::Ggml(dtype) => (dtype.block_size(), dtype.type_size()),
            Self::Iq4Nl => iq4::NL,
            Self::Iq4Xs => iq4::XS,
        }
    }
}

/// A tensor as it lies in its file.
#[derive(Debug, Clone)]
pub struct TensorView<'a> {
    /// Row-major, outermost dimension first (a linear layer is [out, in]).
    pub shape: Vec<usize>,
    /// How its numbers are stored.
    pub encoding: Encoding,
    /// The numbers, row after row.
    pub bytes: Cow<'a, [u8]>,
}

/// A set of named tensors, usually a memory-mapped file or several.
pub trait TensorSource: Send + Sync {
    /// All names, sorted.
    fn names(&self) -> Vec<String>;
    /// The tensor, or `None`; an error when it is there but damaged.
    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>>;
    /// The tensor has been converted; its pages need not stay in memory. It may still be read again.
    fn release(&self, _name: &str) {}
}

impl TensorView<'_> {
    /// Rows: the product of all dimensions but the last.
    pub fn rows(&self) -> usize {
        self.shape[..self.shape.len().saturating_sub(1)].iter().product()
    }

    /// Length of a row: the last dimension.
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        let (numbers, bytes) = self.encoding.block();
        self.columns() / numbers * bytes
    }

    /// Writes row `row` to `out` (of length [`TensorView::columns`]) as floats.
    pub fn read_row(&self, row: usize, out: &mut [f32]) -> Result<()> {
        let size = self.row_bytes();
        let bytes = &self.bytes[row * size..][..size];
        match self.encoding {
            Encoding::F32 => convert(bytes, out, f32::from_le_bytes),
            Encoding::F16 => convert(bytes, out, |b| half::f16::from_le_bytes(b).to_f32()),
            Encoding::BF16 => convert(bytes, out, |b| half::bf16::from_le_bytes(b).to_f32()),
            Encoding::F64 => convert(bytes, out, |b| f64::from_le_bytes(b) as f32),
            Encoding::I64 => convert(bytes, out, |b| i64::from_le_bytes(b) as f32),
            Encoding::I32 => convert(bytes, out, |b| i32::from_le_bytes(b) as f32),
            Encoding::U8 => convert(bytes, out, |[b]| f32::from(b)),
            Encoding::Iq4Nl => iq4::read_nl(bytes, out),
            Encoding::Iq4Xs => iq4::read_xs(bytes, out),
            Encoding::Ggml(GgmlDType::Q8_0) => {
                for (block, out) in bytes.as_chunks::<34>().0.iter().zip(out.chunks_exact_mut(32)) {
                    let scale = half::f16::from_le_bytes([block[0], block[1]]).to_f32();
                    for (o, &q) in out.iter_mut().zip(&block[2..]) {
                        *o = f32::from(q as i8) * scale;
                    }
                }
            }
            Encoding::Ggml(dtype) => {
                let storage = dtype.from_data(Cow::Borrowed(bytes)).dequantize(self.columns())?;
                out.copy_from_slice(storage.as_slice::<f32>()?);
            }
        }
        Ok(())
    }

    /// All numbers as floats, row-major.
    pub fn to_f32(&self) -> Result<Vec<f32>> {
        let columns = self.columns();
        let mut out = vec![0f32; self.rows() * columns];
        for (row, chunk) in out.chunks_exact_mut(columns.max(1)).enumerate() {
            self.read_row(row, chunk)?;
        }
        Ok(out)
    }
}

fn convert<const N: usize>(bytes: &[u8], out: &mut [f32], read: impl Fn([u8; N]) -> f32) {
    for (o, b) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *o = read(*b);
    }
}

impl dyn TensorSource + '_ {
    /// A tensor that must be there with this shape; the error names the tensor and both shapes.
    pub fn expect(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>> {
        let view = self.find(name)?.ok_or_else(|| {
            Error::Model(ModelError::Missing(format!(
                "tensor {name} is missing; the weights don't belong to this configuration or are incomplete"
            )))
        })?;
        if view.shape != shape {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "tensor {name} has shape {:?} but the configuration wants {shape:?}; config and weights disagree",
                view.shape
            ))));
        }
        Ok(view)
    }

    /// A tensor as floats on the CPU: norms, biases and other small ones.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let values = self.expect(name, shape)?.to_f32()?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => Err(Error::Model(ModelError::damaged(format!(
                "tensor {name} holds {} at element {at}; the weights are damaged",
                values[at]
            )))),
        }
    }
}

/// Counts what is read of mapped tensors while they are converted, and gives their pages back now and then and at
/// the end, so that a model's file and its converted weights are never in memory whole at the same time.
pub struct Conversion<'a> {
    source: &'a dyn TensorSource,
    names: Vec<&'a str>,
    read: AtomicUsize,
}

impl<'a> Conversion<'a> {
    /// Bytes that may stay in memory.
    const BUDGET: usize = 2 << 20;

    /// The tensors `names` are about to be read, row by row, by any number of threads.
    pub fn new(source: &'a dyn TensorSource, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { source, names: names.into_iter().collect(), read: AtomicUsize::new(0) }
    }

    /// So many bytes have been read.
    pub fn read(&self, bytes: usize) {
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        if before / Self::BUDGET != (before + bytes) / Self::BUDGET {
            self.release();
        }
    }

    fn release(&self) {
        self.names.iter().for_each(|name| self.source.release(name));
    }
}

impl Drop for Conversion<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

/// Maps a file into memory.
///
/// Nobody may truncate a model file while it is in use: it is mapped, not read, and reading past a new end stops the process
/// (SIGBUS). A copy in memory would be safe from that and would cost the file's size for good, 0.3 to 7 GB; a handler for
/// the signal cannot tell a reader that its numbers are wrong. So the map stays, and every writer of ours replaces a model
/// file by renaming a finished one over it, which leaves maps of the old one as they are.
#[allow(unsafe_code)]
fn map_file(path: &Path) -> Result<Mmap> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let kind = file.metadata().map_err(|e| Error::io(path, e))?;
    if !kind.is_file() {
        return Err(Error::Model(ModelError::damaged(format!(
            "{}: is not a file; name a file of weights",
            path.display()
        ))));
    }
    if kind.len() == 0 {
        return Err(Error::Model(ModelError::damaged(format!("{}: is empty; download it again", path.display()))));
    }
    // SAFETY: the map is read-only; the documented precondition is that nobody truncates a model file in use.
    let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io(path, e))?;
    match stand_in(&map) {
        Some(what) => Err(Error::Model(ModelError::damaged(format!("{}: {what}", path.display())))),
        None => Ok(map),
    }
}

/// What a file is that a download left in the place of another, with the remedy; `None` for other files.
pub(crate) fn stand_in(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes[..bytes.len().min(512)].trim_ascii_start();
    let begins = |text: &str| start.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text.as_bytes()));
    if begins("version https://git-lfs") {
        return Some(
            "is a Git LFS pointer, not the file itself; run `git lfs pull` in its folder or download it again",
        );
    }
    let page = ["<!doctype html", "<html"].into_iter().any(begins);
    page.then_some("is a web page, not the file itself: the download failed or wanted a login; download it again")
}

/// Gives the pages of `range` back to the system: the numbers in them have been converted and are kept elsewhere.
/// Reading them again is allowed and brings them back from the file.
#[allow(unsafe_code)]
fn forget_pages(map: &Mmap, range: std::ops::Range<usize>) {
    #[cfg(unix)]
    if !range.is_empty() && range.end <= map.len() {
        // SAFETY: a clean, read-only, file-backed mapping loses nothing when its pages are dropped.
        // An error only means that the pages stay.
        let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
    #[cfg(not(unix))]
    let _ = (map, range);
}
