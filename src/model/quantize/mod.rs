//! Fewer bits a weight: any model's matrices as blocks of a GGUF quantization, everything else as it was.
//!
//! Rounding is to the nearest, as ggml does it (candle's own implementation). Matrices whose rows don't divide into
//! the blocks of the type that was asked for take the next larger type that fits, as llama.cpp does: K-quants want
//! rows of a multiple of 256 (Gemma 3 270M has 640), the others of 32.
mod folder;
mod writer;

pub use folder::quantize_folder;
pub use writer::{PlannedTensor, distribute, shard_paths};

use super::weights::{Encoding, TensorSource, TensorView};
use crate::error::ModelError;
use crate::{Error, Result};
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Numbers that are converted at a time by one thread.
const CHUNK: usize = 1 << 18;

/// What to make of the matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Blocks of 32 weights in 8 bits with one scale: 8.5 bits a weight.
    Q8_0,
    /// 4.5 bits.
    Q4_0,
    /// 5.5 bits.
    Q5_0,
    /// Super-blocks of 256 weights: 4.5 bits.
    Q4K,
    /// 6.6 bits.
    Q6K,
    /// What the int8 kernels compute with, so that loading loses nothing: the same as [`Target::Q8_0`].
    Int8,
    /// Feed-forward layers in about 6 bits (Q6_K, else Q5_1), attention and embeddings in Q8_0.
    Mixed,
}

/// What part of a network a tensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Norms, biases, positions: small, and sensitive.
    Small,
    FeedForward,
    /// Attention, embeddings, output layer.
    Other,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Files written.
    pub files: Vec<PathBuf>,
    /// Tensors written.
    pub tensors: usize,
    /// Tensors of each type in the output, with their bytes.
    pub types: Vec<(String, usize, u64)>,
    /// Matrices that could not have the type that was asked for, with the reason.
    pub fallbacks: Vec<String>,
    /// Tensors that are no weights (indices, masks) and were left out, and copies of another tensor.
    pub dropped: Vec<String>,
    /// Bytes of the tensors, before and after.
    pub bytes_before: u64,
    /// The same in the output.
    pub bytes_after: u64,
}

/// The type of one tensor in the output; with the wish that could not be fulfilled.
fn choose(name: &str, view: &TensorView<'_>, target: Target) -> (GgmlDType, Option<GgmlDType>) {
    use GgmlDType::*;
    let role = role(name, &view.shape);
    if role == Role::Small {
        return (F32, None);
    }
    let wish = match target {
        Target::Q8_0 | Target::Int8 => Q8_0,
        Target::Q4_0 => Q4_0,
        Target::Q5_0 => Q5_0,
        Target::Q4K => Q4K,
        Target::Q6K => Q6K,
        Target::Mixed if role == Role::FeedForward => Q6K,
        Target::Mixed => Q8_0,
    };
    let columns = view.columns();
    let mut dtype = wish;
    if !columns.is_multiple_of(dtype.block_size()) {
        dtype = match (target, wish) {
            (Target::Mixed, Q6K) => Q5_1,
            (_, Q4K) => Q5_0,
            _ => Q8_0,
        };
    }
    if !columns.is_multiple_of(dtype.block_size()) {
        dtype = F16;
    }
    (dtype, (dtype != wish).then_some(wish))
}

fn role(name: &str, shape: &[usize]) -> Role {
    let matrix = shape.len() == 2 && shape.iter().all(|&dim| dim > 1);
    let sensitive =
        ["norm", "bias", "embed_positions", "position_embed", "rope_freqs"].iter().any(|part| name.contains(part));
    if !matrix || sensitive {
        return Role::Small;
    }
    let feed_forward = ["ffn_", ".fc1.", ".fc2.", ".wi.", ".wi_0.", ".wi_1.", "DenseReluDense.wo.", ".mlp."];
    if feed_forward.iter().any(|part| name.contains(part)) { Role::FeedForward } else { Role::Other }
}

/// llama.cpp's number for the type that most of a file has.
fn file_type(target: Target) -> u32 {
    match target {
        Target::Q8_0 | Target::Int8 => 7,
        Target::Q4_0 => 2,
        Target::Q5_0 => 8,
        Target::Q4K => 14,
        Target::Q6K | Target::Mixed => 18,
    }
}

/// Quantizes all tensors of `source` into `output` (shards of at most `limit` bytes where one is given).
/// `metadata` goes into the file as it is, but for the keys that say how it is quantized and split.
/// `told` hears each tensor's name before it is converted.
///
/// # Errors
/// A tensor with a NaN or an infinity, a damaged source, a full disk, a limit below the largest tensor.
pub fn quantize(
    source: &dyn TensorSource,
    metadata: Vec<(String, Value)>,
    target: Target,
    output: &Path,
    limit: Option<u64>,
    told: &mut dyn FnMut(&str),
) -> Result<Report> {
    let mut report = Report::default();
    let planned = plan(source, target, &mut report)?;
    let mut metadata: Vec<(String, Value)> = metadata
        .into_iter()
        .filter(|(key, _)| !matches!(key.as_str(), "general.file_type" | "general.quantization_version"))
        .collect();
    metadata.push(("general.file_type".into(), Value::U32(file_type(target))));
    metadata.push(("general.quantization_version".into(), Value::U32(2)));
    let runs = distribute(&planned, limit)?;
    let paths = shard_paths(output, runs.len());
    for (number, (run, path)) in runs.iter().zip(&paths).enumerate() {
        let mut shard = writer::Shard::create(path, &metadata, run, (number, runs.len(), planned.len()))?;
        for tensor in *run {
            told(&tensor.name);
            let view = source.find(&tensor.name)?.ok_or_else(|| lost(&tensor.name))?;
            convert(&tensor.name, &view, tensor.dtype, &mut |bytes| shard.write(bytes))?;
            shard.end_tensor()?;
        }
        report.files.push(shard.finish()?);
    }
    report.bytes_after = planned.iter().map(PlannedTensor::size).sum();
    Ok(report)
}

fn lost(name: &str) -> Error {
    Error::Model(ModelError::damaged(format!(
        "tensor {name} was there and is not any more; the file changed meanwhile"
    )))
}

/// Decides the type of every tensor and fills in the report.
fn plan(source: &dyn TensorSource, target: Target, report: &mut Report) -> Result<Vec<PlannedTensor>> {
    let mut planned: Vec<PlannedTensor> = Vec::new();
    let mut kept: Vec<(String, Vec<usize>)> = Vec::new();
    for name in in_order(source.names()) {
        let view = source.find(&name)?.ok_or_else(|| lost(&name))?;
        if matches!(view.encoding, Encoding::I64 | Encoding::I32 | Encoding::U8) {
            report.dropped.push(format!("{name}: holds integers, no weights"));
            continue;
        }
        if let Some(twin) = twin(source, &name, &view, &kept)? {
            report.dropped.push(format!("{name}: the same as {twin}"));
            continue;
        }
        let (dtype, wish) = choose(&name, &view, target);
        if let Some(wish) = wish {
            let reason = format!("rows of {} don't divide by {}", view.columns(), wish.block_size());
            report.fallbacks.push(format!("{name}: {dtype:?} for {wish:?}, {reason}"));
        }
        report.bytes_before += view.bytes.len() as u64;
        let tensor = PlannedTensor { name: name.clone(), shape: view.shape.clone(), dtype };
        let label = format!("{dtype:?}");
        match report.types.iter_mut().find(|(name, ..)| *name == label) {
            Some(entry) => (entry.1, entry.2) = (entry.1 + 1, entry.2 + tensor.size()),
            None => report.types.push((label, 1, tensor.size())),
        }
        kept.push((name, view.shape.clone()));
        planned.push(tensor);
    }
    report.tensors = planned.len();
    Ok(planned)
}

/// Embeddings that a checkpoint stores under several names (pickles do) come first under the name that the
/// network's own code gives the shared table, so that the copies are the ones that are left out.
fn in_order(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| (!is_table(name), !name.contains("shared."), !name.contains("token_embd"), name.clone()));
    names
}

fn is_table(name: &str) -> bool {
    ["shared.", "embed_tokens.", "lm_head.", "token_embd."].iter().any(|part| name.contains(part))
}

/// An earlier table with the very same bytes.
fn twin(
    source: &dyn TensorSource,
    name: &str,
    view: &TensorView<'_>,
    kept: &[(String, Vec<usize>)],
) -> Result<Option<String>> {
    if !is_table(name) {
        return Ok(None);
    }
    for (other, shape) in kept.iter().filter(|(other, shape)| is_table(other) && *shape == view.shape) {
        let same = source
            .find(other)?
            .is_some_and(|o| o.shape == *shape && o.encoding == view.encoding && o.bytes == view.bytes);
        if same {
            return Ok(Some(other.clone()));
        }
    }
    Ok(None)
}

/// Converts a tensor, some rows at a time on all threads, and hands the bytes on in order.
fn convert(
    name: &str,
    view: &TensorView<'_>,
    dtype: GgmlDType,
    out: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    if view.encoding == Encoding::Ggml(dtype) || (view.encoding == Encoding::F32 && dtype == GgmlDType::F32) {
        return out(&view.bytes); // the same blocks already: nothing is lost by copying
    }
    let columns = view.columns();
    let at_once = (CHUNK / columns.max(1)).max(1);
    let starts: Vec<usize> = (0..view.rows()).step_by(at_once).collect();
    for group in starts.chunks(rayon::current_num_threads().max(1) * 4) {
        let done: Vec<Vec<u8>> = group
            .par_iter()
            .map(|&start| encode_rows(name, view, start..(start + at_once).min(view.rows()), dtype))
            .collect::<Result<_>>()?;
        done.iter().try_for_each(|bytes| out(bytes))?;
    }
    Ok(())
}

fn encode_rows(name: &str, view: &TensorView<'_>, rows: std::ops::Range<usize>, dtype: GgmlDType) -> Result<Vec<u8>> {
    let columns = view.columns();
    let mut floats = vec![0f32; rows.len() * columns];
    for (row, out) in rows.clone().zip(floats.chunks_exact_mut(columns.max(1))) {
        view.read_row(row, out)?;
    }
    if let Some(at) = floats.iter().position(|v| !v.is_finite()) {
        let row = rows.start + at / columns;
        return Err(Error::Model(ModelError::damaged(format!(
            "tensor {name} holds {} in row {row}; the weights are damaged, download them again",
            floats[at]
        ))));
    }
    Ok(match dtype {
        GgmlDType::F32 => floats.iter().flat_map(|v| v.to_le_bytes()).collect(),
        GgmlDType::F16 => floats.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect(),
        _ => {
            let tensor = Tensor::from_vec(floats, (rows.len(), columns), &Device::Cpu)?;
            let blocks = candle_core::quantized::QTensor::quantize(&tensor, dtype)?;
            let bytes: Cow<'_, [u8]> = blocks.data()?;
            bytes.into_owned()
        }
    })
}

#[cfg(test)]
mod tests;
