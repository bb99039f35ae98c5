//! From columns of the logits to token ids and back.
use super::Generator;
use crate::error::ModelError;
use crate::{Error, Result};

const ABSENT: u32 = u32::MAX;

/// Which token each column of the logits stands for. A restricted output has fewer columns than the vocabulary.
pub struct Columns {
    ids: Option<Vec<u32>>,
    /// Column of each token id; empty when column = id, and where the ids are few and are searched.
    columns: Vec<u32>,
    len: usize,
}

impl Columns {
    /// Reads [`Generator::output_ids`]; an error when no end token is among them.
    pub fn of(generator: &dyn Generator) -> Result<Self> {
        let spec = generator.spec();
        let this = Self::new(generator.output_ids(), spec.vocab_size);
        if !spec.eos.is_empty() && spec.eos.iter().all(|&id| this.column(id).is_none()) {
            return Err(Error::Model(ModelError::Mismatch(
                "the restricted output vocabulary lacks the end-of-sentence token; load the model without it".into(),
            )));
        }
        Ok(this)
    }

    /// The few columns of one source: `ids` ascending.
    pub(crate) fn few(ids: Vec<u32>) -> Self {
        Self { len: ids.len(), ids: Some(ids), columns: Vec::new() }
    }

    /// Columns there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn new(ids: Option<&[u32]>, vocab_size: usize) -> Self {
        let mut columns = Vec::new();
        if let Some(ids) = ids {
            columns = vec![ABSENT; ids.iter().max().map_or(0, |&m| m as usize + 1).max(vocab_size)];
            for (column, &id) in ids.iter().enumerate() {
                columns[id as usize] = column as u32;
            }
        }
        Self { len: ids.map_or(vocab_size, <[u32]>::len), ids: ids.map(<[u32]>::to_vec), columns }
    }

    /// Token id of a column.
    pub fn id(&self, column: usize) -> u32 {
        self.ids.as_ref().map_or(column as u32, |ids| ids[column])
    }

    /// Column of a token id, if it has one.
    pub fn column(&self, id: u32) -> Option<usize> {
        match &self.ids {
            None => return ((id as usize) < self.len).then_some(id as usize),
            Some(ids) if self.columns.is_empty() => return ids.binary_search(&id).ok(),
            Some(_) => {}
        }
        self.columns.get(id as usize).filter(|&&c| c != ABSENT).map(|&c| c as usize)
    }
}
