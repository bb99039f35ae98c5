//! Writes GGUF version 3, tensor by tensor, in one file or several shards.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>; shards as llama.cpp's gguf-split writes them.
use crate::error::{ModelError, SettingsError};
use crate::{Error, Result};
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

const ALIGNMENT: u64 = 32;

/// A tensor as it will lie in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTensor {
    /// Its name in the file.
    pub name: String,
    /// Outermost dimension first.
    pub shape: Vec<usize>,
    /// How its numbers are stored.
    pub dtype: GgmlDType,
}

impl PlannedTensor {
    /// Bytes without padding.
    pub fn size(&self) -> u64 {
        let elements: usize = self.shape.iter().product();
        (elements / self.dtype.block_size() * self.dtype.type_size()) as u64
    }
}

/// Cuts tensors, in their order, into runs below `limit` bytes: few, and of about equal size.
pub fn distribute(tensors: &[PlannedTensor], limit: Option<u64>) -> Result<Vec<&[PlannedTensor]>> {
    let total: u64 = tensors.iter().map(PlannedTensor::size).sum();
    let Some(limit) = limit.filter(|limit| *limit < total) else { return Ok(vec![tensors]) };
    if let Some(large) = tensors.iter().find(|tensor| tensor.size() > limit) {
        return Err(Error::Settings(SettingsError::Range(format!(
            "tensor {} alone has {} bytes, more than the limit of {limit}; give a larger limit",
            large.name,
            large.size()
        ))));
    }
    let fewest = total.div_ceil(limit.max(1)) as usize;
    let fits = |run: &&[PlannedTensor]| run.iter().map(PlannedTensor::size).sum::<u64>() <= limit;
    for count in fewest..tensors.len() {
        let runs = cut(tensors, total, count);
        if runs.iter().all(fits) {
            return Ok(runs);
        }
    }
    Ok(tensors.chunks(1).collect())
}

/// At most `count` runs, cut at the tensor boundaries nearest to equal parts.
fn cut(tensors: &[PlannedTensor], total: u64, count: usize) -> Vec<&[PlannedTensor]> {
    let (mut runs, mut start, mut filled) = (Vec::new(), 0, 0);
    for (at, tensor) in tensors.iter().enumerate() {
        // Half a tensor past the mark belongs to the next run.
        let mark = total as f64 * (runs.len() + 1) as f64 / count as f64;
        if at > start && filled as f64 + tensor.size() as f64 / 2.0 > mark && runs.len() + 1 < count {
            runs.push(&tensors[start..at]);
            start = at;
        }
        filled += tensor.size();
    }
    runs.push(&tensors[start..]);
    runs
}

/// The file names of `count` shards of `path`.
pub fn shard_paths(path: &Path, count: usize) -> Vec<PathBuf> {
    if count == 1 {
        return vec![path.to_path_buf()];
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    (1..=count).map(|n| path.with_file_name(format!("{stem}-{n:05}-of-{count:05}.gguf"))).collect()
}

/// One output file, header written, waiting for its tensors in order. It appears under its name when finished.
pub struct Shard {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<File>,
    start: u64,
    /// Offsets of the tensors that are still to come, last first.
    offsets: Vec<u64>,
    finished: bool,
}

impl Drop for Shard {
    /// Half a file helps nobody.
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

impl Shard {
    /// Writes the header. `number` of `count` and the `total` of tensors go into the split keys where `count` > 1;
    /// the first shard has all metadata.
    pub fn create(
        path: &Path,
        metadata: &[(String, Value)],
        tensors: &[PlannedTensor],
        (number, count, total): (usize, usize, usize),
    ) -> Result<Self> {
        let mut entries: Vec<(&str, Value)> = Vec::new();
        if number == 0 {
            let own = metadata.iter().filter(|(key, _)| !key.starts_with("split.") && key != "general.alignment");
            entries.extend(own.map(|(key, value)| (key.as_str(), value.clone())));
        }
        if count > 1 {
            entries.push(("split.no", Value::U16(number as u16)));
            entries.push(("split.count", Value::U16(count as u16)));
            entries.push(("split.tensors.count", Value::I32(total as i32)));
        }
        let mut head = b"GGUF".to_vec();
        head.extend(3u32.to_le_bytes());
        head.extend((tensors.len() as u64).to_le_bytes());
        head.extend((entries.len() as u64).to_le_bytes());
        for (key, value) in &entries {
            put_text(&mut head, key);
            head.extend(kind(value).to_le_bytes());
            put(&mut head, value);
        }
        let (mut offset, mut offsets) = (0u64, Vec::new());
        for tensor in tensors {
            put_text(&mut head, &tensor.name);
            head.extend((tensor.shape.len() as u32).to_le_bytes());
            tensor.shape.iter().rev().for_each(|&dim| head.extend((dim as u64).to_le_bytes()));
            head.extend(dtype_number(tensor.dtype).to_le_bytes());
            head.extend(offset.to_le_bytes());
            offsets.push(offset);
            offset = (offset + tensor.size()).next_multiple_of(ALIGNMENT);
        }
        offsets.push(offset);
        offsets.reverse();
        head.resize((head.len() as u64).next_multiple_of(ALIGNMENT) as usize, 0);
        let mut partial = path.as_os_str().to_owned();
        partial.push(".incomplete");
        let partial = PathBuf::from(partial);
        let mut out = BufWriter::new(File::create(&partial).map_err(|e| Error::io(&partial, e))?);
        out.write_all(&head).map_err(|e| Error::io(&partial, e))?;
        Ok(Self { path: path.to_path_buf(), partial, out, start: head.len() as u64, offsets, finished: false })
    }

    /// Appends bytes of the tensor in turn.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| Error::io(&self.partial, e))
    }

    /// Ends the tensor in turn: pads, and checks that its bytes were as many as announced.
    pub fn end_tensor(&mut self) -> Result<()> {
        self.offsets.pop();
        let want = self.start + self.offsets.last().copied().unwrap_or(0);
        let at = self.out.stream_position().map_err(|e| Error::io(&self.partial, e))?;
        match want.checked_sub(at) {
            Some(padding) if padding < ALIGNMENT => self.write(&[0; ALIGNMENT as usize][..padding as usize]),
            _ => Err(Error::Model(ModelError::damaged(format!(
                "{}: a tensor's bytes are not as many as announced",
                self.path.display()
            )))),
        }
    }

    /// Flushes and gives the file its name.
    pub fn finish(mut self) -> Result<PathBuf> {
        let fail = |e| Error::io(&self.partial, e);
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(fail)?;
        std::fs::rename(&self.partial, &self.path).map_err(fail)?;
        self.finished = true;
        Ok(self.path.clone())
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// GGUF's number of a value's type.
fn kind(value: &Value) -> u32 {
    match value {
        Value::U8(_) => 0,
        Value::I8(_) => 1,
        Value::U16(_) => 2,
        Value::I16(_) => 3,
        Value::U32(_) => 4,
        Value::I32(_) => 5,
        Value::F32(_) => 6,
        Value::Bool(_) => 7,
        Value::String(_) => 8,
        Value::Array(_) => 9,
        Value::U64(_) => 10,
        Value::I64(_) => 11,
        Value::F64(_) => 12,
    }
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(v) => out.push(*v),
        Value::I8(v) => out.extend(v.to_le_bytes()),
        Value::U16(v) => out.extend(v.to_le_bytes()),
        Value::I16(v) => out.extend(v.to_le_bytes()),
        Value::U32(v) => out.extend(v.to_le_bytes()),
        Value::I32(v) => out.extend(v.to_le_bytes()),
        Value::U64(v) => out.extend(v.to_le_bytes()),
        Value::I64(v) => out.extend(v.to_le_bytes()),
        Value::F32(v) => out.extend(v.to_le_bytes()),
        Value::F64(v) => out.extend(v.to_le_bytes()),
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::String(v) => put_text(out, v),
        Value::Array(values) => {
            // An empty array has lost its type; texts are as good as any.
            out.extend(values.first().map_or(8, kind).to_le_bytes());
            out.extend((values.len() as u64).to_le_bytes());
            values.iter().for_each(|v| put(out, v));
        }
    }
}

/// ggml's number of a tensor type.
fn dtype_number(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(sizes: &[usize]) -> Vec<PlannedTensor> {
        let one =
            |(i, &n): (usize, &usize)| PlannedTensor { name: format!("t{i}"), shape: vec![n], dtype: GgmlDType::F32 };
        sizes.iter().enumerate().map(one).collect()
    }

    #[test]
    fn shards_are_few_and_even() {
        let all = tensors(&[100, 10, 10, 10, 10, 10, 10, 40]);
        let runs = |limit| -> Vec<usize> { distribute(&all, limit).unwrap().iter().map(|s| s.len()).collect() };
        assert_eq!(runs(None), [8]);
        assert_eq!(runs(Some(800)), [8]);
        assert_eq!(runs(Some(450)), [1, 7]);
        assert!(distribute(&all, Some(300)).is_err(), "the first tensor alone is larger");
    }

    #[test]
    fn names_of_shards() {
        assert_eq!(shard_paths(Path::new("a/m.q8_0.gguf"), 2)[1], Path::new("a/m.q8_0-00002-of-00002.gguf"));
        assert_eq!(shard_paths(Path::new("m.gguf"), 1), [Path::new("m.gguf")]);
    }
}
