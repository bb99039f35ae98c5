//! Reads the header, the metadata and the tensor directory of a GGUF file, trusting none of it.
use super::{Tensor, Value};
use crate::error::ModelError;
use crate::model::weights::Encoding;
use crate::{Error, Result};
use candle_core::quantized::GgmlDType;
use std::collections::HashMap;

/// Most tensors, metadata entries and dimensions that a sane file has.
const MAX_ENTRIES: u64 = 1 << 20;
const MAX_DIMS: u32 = 4;

/// Reads a file front to back.
pub(super) struct Parser<'a> {
    name: &'a str,
    bytes: &'a [u8],
    at: usize,
    version: u32,
    tensor_count: u64,
    entry_count: u64,
}

impl<'a> Parser<'a> {
    pub(super) fn new(name: &'a str, bytes: &'a [u8]) -> Result<Self> {
        let mut parser = Self { name, bytes, at: 0, version: 0, tensor_count: 0, entry_count: 0 };
        if bytes.get(..4) != Some(b"GGUF") {
            return Err(Error::Model(ModelError::damaged(format!(
                "{name}: is not a GGUF file (its first four bytes are not \"GGUF\"); check the path or download it again"
            ))));
        }
        parser.at = 4;
        parser.version = parser.u32()?;
        if !(2..=3).contains(&parser.version) {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{name}: GGUF version {} is not supported (2 and 3 are); convert it with a current llama.cpp",
                parser.version
            ))));
        }
        parser.tensor_count = parser.u64()?;
        parser.entry_count = parser.u64()?;
        if parser.tensor_count > MAX_ENTRIES || parser.entry_count > MAX_ENTRIES {
            return Err(parser.damaged(format!(
                "claims {} tensors and {} metadata entries",
                parser.tensor_count, parser.entry_count
            )));
        }
        Ok(parser)
    }

    fn damaged(&self, what: String) -> Error {
        Error::Model(ModelError::damaged(format!(
            "{}: {what} at byte {}; the file is damaged, download it again",
            self.name, self.at
        )))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(self.damaged(format!("ends too early ({} bytes long, {len} more wanted)", self.bytes.len())));
        };
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let slice = self.take(N)?;
        let mut out = [0; N];
        out.copy_from_slice(slice);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<String> {
        let len = self.u64()?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let bytes = self.take(len)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.damaged("has a text that is not UTF-8".into()))
    }

    pub(super) fn metadata(&mut self) -> Result<HashMap<String, Value>> {
        let mut values = HashMap::new();
        for _ in 0..self.entry_count {
            let key = self.string()?;
            let kind = self.u32()?;
            let value = if kind == 9 { self.list()? } else { self.scalar(kind)? };
            values.insert(key, value);
        }
        Ok(values)
    }

    fn scalar(&mut self, kind: u32) -> Result<Value> {
        Ok(match kind {
            0 => Value::U64(u64::from(self.array::<1>()?[0])),
            1 => Value::I64(i64::from(i8::from_le_bytes(self.array()?))),
            2 => Value::U64(u64::from(u16::from_le_bytes(self.array()?))),
            3 => Value::I64(i64::from(i16::from_le_bytes(self.array()?))),
            4 => Value::U64(u64::from(self.u32()?)),
            5 => Value::I64(i64::from(i32::from_le_bytes(self.array()?))),
            6 => Value::F64(f64::from(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.string()?),
            10 => Value::U64(self.u64()?),
            11 => Value::I64(i64::from_le_bytes(self.array()?)),
            12 => Value::F64(f64::from_le_bytes(self.array()?)),
            other => return Err(self.damaged(format!("has metadata of the unknown type {other}"))),
        })
    }

    fn list(&mut self) -> Result<Value> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let smallest = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10 | 11 | 12 => 8,
            other => return Err(self.damaged(format!("has a list of the unsupported type {other}"))),
        };
        let left = (self.bytes.len() - self.at) as u64;
        if count.checked_mul(smallest).is_none_or(|need| need > left) {
            return Err(self.damaged(format!("claims a list of {count} entries, more than the file has room for")));
        }
        let mut out = match kind {
            6 | 12 => Value::Floats(Vec::new()),
            7 => Value::Bools(Vec::new()),
            8 => Value::Texts(Vec::new()),
            _ => Value::Integers(Vec::new()),
        };
        for _ in 0..count {
            match (self.scalar(kind)?, &mut out) {
                (Value::F64(v), Value::Floats(list)) => list.push(v as f32),
                (Value::Bool(v), Value::Bools(list)) => list.push(v),
                (Value::Text(v), Value::Texts(list)) => list.push(v),
                (Value::I64(v), Value::Integers(list)) => list.push(v),
                (Value::U64(v), Value::Integers(list)) => list.push(v as i64),
                _ => return Err(self.damaged("has a list of mixed types".into())),
            }
        }
        Ok(out)
    }

    /// Tensor directory; call after [`Parser::metadata`].
    pub(super) fn tensors(&mut self, shard: usize, alignment: u64) -> Result<Vec<(String, Tensor)>> {
        // The format wants a multiple of eight; the kernels' blocks lie at multiples of up to four.
        if !alignment.is_power_of_two() || !(8..=1 << 20).contains(&alignment) {
            return Err(self.damaged(format!("has the absurd alignment {alignment}")));
        }
        let mut listed = Vec::new();
        for _ in 0..self.tensor_count {
            let name = self.string()?;
            let dims = self.u32()?;
            if dims == 0 || dims > MAX_DIMS {
                return Err(self.damaged(format!("tensor {name} has {dims} dimensions")));
            }
            let mut shape = Vec::with_capacity(dims as usize);
            for _ in 0..dims {
                shape.push(usize::try_from(self.u64()?).unwrap_or(usize::MAX));
            }
            shape.reverse();
            let code = self.u32()?;
            let encoding = encoding(code).ok_or_else(|| {
                Error::Model(ModelError::Unsupported(format!("{}: tensor {name} has the quantization type {code}, which is not supported; use a file with F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL or IQ4_XS", self.name)))
            })?;
            let offset = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
            listed.push((name, shape, encoding, offset));
        }
        let data = self.at.next_multiple_of(alignment as usize);
        let mut out = Vec::with_capacity(listed.len());
        for (name, shape, encoding, offset) in listed {
            let size = tensor_bytes(&shape, encoding).ok_or_else(|| {
                self.damaged(format!("tensor {name} has the impossible shape {shape:?} for {encoding:?}"))
            })?;
            if offset % alignment as usize != 0 {
                return Err(self.damaged(format!(
                    "tensor {name} begins at byte {offset}, which is no multiple of the alignment {alignment}"
                )));
            }
            let end = data.checked_add(offset).and_then(|start| Some(start..start.checked_add(size)?));
            let range = end.filter(|range| range.end <= self.bytes.len()).ok_or_else(|| {
                Error::Model(ModelError::damaged(format!(
                    "{}: tensor {name} lies outside the file (offset {offset}, {size} bytes, file {} bytes); the download is incomplete, get it again",
                    self.name,
                    self.bytes.len()
                )))
            })?;
            out.push((name, Tensor { shard, shape, encoding, range }));
        }
        Ok(out)
    }
}

/// Bytes of a tensor, or `None` where its rows aren't whole blocks or the product overflows.
fn tensor_bytes(shape: &[usize], encoding: Encoding) -> Option<usize> {
    let last = *shape.last()?;
    let (numbers, bytes) = encoding.block();
    if last == 0 || last % numbers != 0 {
        return None;
    }
    let count = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim))?;
    (count / numbers).checked_mul(bytes).filter(|&size| size > 0)
}

/// GGML's numbering of tensor types.
fn encoding(code: u32) -> Option<Encoding> {
    Some(Encoding::Ggml(match code {
        0 => return Some(Encoding::F32),
        1 => return Some(Encoding::F16),
        20 => return Some(Encoding::Iq4Nl),
        23 => return Some(Encoding::Iq4Xs),
        30 => return Some(Encoding::BF16),
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        9 => GgmlDType::Q8_1,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        15 => GgmlDType::Q8K,
        _ => return None,
    }))
}
