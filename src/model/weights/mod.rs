//! Weights behind one view, whatever file they came in: GGUF, safetensors, pickle.
use crate::Result;
use std::borrow::Cow;

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    F32,
    F16,
    BF16,
    F64,
    I64,
    I32,
    U8,
    /// Blocks of a GGUF quantisation along the last dimension.
    Ggml(candle_core::quantized::GgmlDType),
}

/// A tensor as it lies in its file.
#[derive(Debug, Clone)]
pub struct TensorView<'a> {
    /// Row-major, outermost dimension first (a linear layer is [out, in]).
    pub shape: Vec<usize>,
    pub encoding: Encoding,
    pub bytes: Cow<'a, [u8]>,
}

/// A set of named tensors, usually a memory-mapped file or several.
pub trait TensorSource: Send + Sync {
    /// All names, sorted.
    fn names(&self) -> Vec<String>;
    /// The tensor, or `None`; an error when it is there but damaged.
    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>>;
}
