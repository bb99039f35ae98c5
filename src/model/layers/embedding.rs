//! Token embeddings, kept as they are in the file and decoded row by row.
use super::Placement;
use crate::error::ModelError;
use crate::model::weights::TensorSource;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// An embedding table [vocabulary, d]; rows are read from the (memory-mapped) file when they are needed.
pub struct Embedding {
    source: Arc<dyn TensorSource>,
    name: String,
    rows: usize,
    d: usize,
    scale: f32,
    device: Device,
}

impl Embedding {
    /// The table `name` of shape [rows, d]; looked-up rows are multiplied by `scale`.
    pub fn new(
        source: Arc<dyn TensorSource>,
        name: &str,
        rows: usize,
        d: usize,
        scale: f64,
        place: &Placement,
    ) -> Result<Self> {
        source.expect(name, &[rows, d])?;
        Ok(Self { source, name: name.to_string(), rows, d, scale: scale as f32, device: place.device.clone() })
    }

    /// ids → [ids, d].
    pub fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        let view = self.source.expect(&self.name, &[self.rows, self.d])?;
        let mut out = vec![0f32; ids.len() * self.d];
        for (&id, row) in ids.iter().zip(out.chunks_exact_mut(self.d)) {
            if id as usize >= self.rows {
                return Err(Error::Model(ModelError::Mismatch(format!(
                    "token id {id} is outside the vocabulary of {}; tokenizer and weights disagree",
                    self.rows
                ))));
            }
            view.read_row(id as usize, row)?;
            if self.scale != 1.0 {
                row.iter_mut().for_each(|x| *x *= self.scale);
            }
        }
        Ok(Tensor::from_vec(out, (ids.len(), self.d), &self.device)?)
    }
}
