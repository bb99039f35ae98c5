//! The binary container: `u64` version, `u64` count, a header of four `u64` a tensor (length of the name with its NUL, type,
//! dimensions, bytes of data), the names, the shapes as `i32`, `u64` bytes of padding and the padding, the data.
use super::{Item, Kind};
use crate::error::ModelError;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The container's version that Marian writes.
const VERSION: u64 = 1;
/// Dimensions of a tensor at most.
const DIMENSIONS: u64 = 8;

/// The tensors of a `.bin` file by name; `name` is the file's, for error texts.
///
/// # Errors
/// [`Error::Model`]: the bytes are something else (a pointer of git-lfs, a page), cut off, contradict themselves, or hold
/// tensors of a kind that is not supported.
pub fn parse_container(bytes: &[u8], name: &str) -> Result<BTreeMap<String, Item>> {
    foreign(bytes, name)?;
    let damaged = |what: String| Error::Model(ModelError::damaged(format!("{name}: {what}; download the file again")));
    let mut reader = Reader { bytes, at: 0 };
    if reader.u64() != Some(VERSION) {
        return Err(Error::Model(ModelError::damaged(format!(
            "{name}: not a model of Marian's (binary version 1); give a folder with model.*.bin or model.*.npz as Marian and \
             Firefox have them"
        ))));
    }
    let cut_off = || damaged("is cut off, or its table of tensors is damaged".into());
    let count = reader.u64().filter(|&n| n <= bytes.len() as u64 / 32).ok_or_else(cut_off)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let header: [u64; 4] = [reader.u64(), reader.u64(), reader.u64(), reader.u64()]
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .and_then(|header| header.try_into().ok())
            .ok_or_else(cut_off)?;
        headers.push(header);
    }
    let mut names = Vec::new();
    for [length, ..] in &headers {
        let text = reader.take(*length).ok_or_else(cut_off)?;
        let text = text.strip_suffix(&[0]).and_then(|text| std::str::from_utf8(text).ok());
        names.push(text.ok_or_else(|| damaged("a tensor's name is not text".into()))?);
    }
    let mut shapes = Vec::new();
    for ([_, _, dimensions, _], tensor) in headers.iter().zip(&names) {
        if *dimensions > DIMENSIONS {
            return Err(damaged(format!("tensor {tensor} has {dimensions} dimensions")));
        }
        let mut shape = Vec::new();
        for _ in 0..*dimensions {
            let size = reader.i32().ok_or_else(cut_off)?;
            shape.push(
                usize::try_from(size).map_err(|_| damaged(format!("tensor {tensor} has a dimension of {size}")))?,
            );
        }
        shapes.push(shape);
    }
    let padding = reader.u64().ok_or_else(cut_off)?;
    reader.take(padding).ok_or_else(cut_off)?;
    let mut items = BTreeMap::new();
    for (([_, code, _, length], tensor), shape) in headers.into_iter().zip(names).zip(shapes) {
        let kind = kind(code).ok_or_else(|| refused(name, tensor, code))?;
        let start = reader.at;
        reader.take(length).ok_or_else(|| damaged(format!("is cut off in tensor {tensor}")))?;
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let size = elements.and_then(|n| Item::size(kind, n)).filter(|&size| size as u64 <= length);
        let size =
            size.ok_or_else(|| damaged(format!("tensor {tensor} of shape {shape:?} has only {length} bytes")))?;
        let item = Item { kind, shape, bytes: start..start + size };
        if items.insert(tensor.to_owned(), item).is_some() {
            return Err(damaged(format!("tensor {tensor} is there twice")));
        }
    }
    Ok(items)
}

/// What is often found in a model's place.
pub(super) fn foreign(bytes: &[u8], name: &str) -> Result<()> {
    let what = match bytes {
        b if b.starts_with(b"version https://git-lfs") => {
            "is only a pointer of git-lfs; fetch the file itself (`git lfs pull`, or the project's download link)"
        }
        b if b.starts_with(b"<") => "is a web page; download the file itself",
        b if b.starts_with(b"PK\x03\x04") && !name.contains(".npz") => {
            "is a zip archive; if it is Marian's, its name must end in .npz, PyTorch's needs its config.json beside it"
        }
        [] => "is empty; download it again",
        _ => return Ok(()),
    };
    Err(Error::Model(ModelError::damaged(format!("{name}: {what}"))))
}

fn kind(code: u64) -> Option<Kind> {
    match code {
        0x0101 => Some(Kind::Int8),
        0x0404 => Some(Kind::F32),
        0x4101 => Some(Kind::Intgemm8),
        _ => None,
    }
}

/// Names the type and the way out of it.
fn refused(name: &str, tensor: &str, code: u64) -> Error {
    let kind = match code {
        0x0201 => "uint8".into(),
        0x0102 => "int16".into(),
        0x0104 => "int32".into(),
        0x0108 => "int64".into(),
        0x0402 => "float16".into(),
        0x0408 => "float64".into(),
        0x4102 => "intgemm16".into(),
        // the type's class is in the upper byte
        0x0800..=0x0fff => format!("packed for FBGEMM ({code:#06x})"),
        0x1000..=0x7fff => format!("packed for one processor's kernels ({code:#06x})"),
        _ => format!("of the unknown type {code:#06x}"),
    };
    Error::Model(ModelError::Unsupported(format!(
        "{name}: tensor {tensor} is {kind}; float32 and intgemm8 are supported: convert with `marian-conv --gemm-type \
         intgemm8` or `float32`"
    )))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn i32(&mut self) -> Option<i32> {
        self.take(4)?.first_chunk().map(|bytes| i32::from_le_bytes(*bytes))
    }
}
