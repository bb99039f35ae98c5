//! Reading layers out of a checkpoint.
use crate::error::ModelError;
use crate::model::layers::{LayerNorm, Linear, Placement, RmsNorm};
use crate::model::weights::{Conversion, TensorSource};
use crate::{Error, Result};

/// A checkpoint and where its layers go.
pub(super) struct Weights<'a> {
    pub source: &'a dyn TensorSource,
    pub place: &'a Placement,
}

impl Weights<'_> {
    /// The layers `parts` = (name, outputs) side by side; with `NAME.bias` when `bias`.
    pub fn linear(&self, parts: &[(String, usize)], k: usize, bias: bool) -> Result<Linear> {
        let names: Vec<(String, usize)> = parts.iter().map(|(name, n)| (format!("{name}.weight"), *n)).collect();
        let borrowed: Vec<(&str, usize)> = names.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        let mut linear = Linear::load(self.source, &borrowed, k, self.place)?;
        if bias {
            let mut values = Vec::new();
            for (name, n) in parts {
                values.extend(self.source.floats(&format!("{name}.bias"), &[*n])?);
            }
            linear = linear.with_bias(values)?;
        }
        Ok(linear)
    }

    /// `NAME.weight` and `NAME.bias`, with the epsilon that all of the family use.
    pub fn layer_norm(&self, name: &str, d: usize) -> Result<LayerNorm> {
        let weight = self.source.floats(&format!("{name}.weight"), &[d])?;
        let bias = self.source.floats(&format!("{name}.bias"), &[d])?;
        LayerNorm::new(weight, bias, 1e-5, self.place)
    }

    /// `NAME.weight`.
    pub fn rms_norm(&self, name: &str, d: usize, eps: f64) -> Result<RmsNorm> {
        RmsNorm::new(self.source.floats(&format!("{name}.weight"), &[d])?, eps, self.place)
    }

    /// The output layer `name` [rows, k], or the rows `keep` of it.
    pub fn head(&self, name: &str, rows: usize, k: usize, keep: Option<&[u32]>) -> Result<Linear> {
        match keep {
            Some(ids) => Linear::load_rows(self.source, name, [rows, k], ids, self.place),
            None => Linear::load(self.source, &[(name, rows)], k, self.place),
        }
    }

    /// The first of `names` that is there. Checkpoints keep one of several tied tensors, under varying names.
    pub fn first(&self, names: &[String]) -> Result<String> {
        for name in names {
            if self.source.find(name)?.is_some() {
                return Ok(name.clone());
            }
        }
        Err(Error::Model(ModelError::Missing(format!(
            "tensor {} is missing; the weights don't belong to this configuration or are incomplete",
            names.first().map_or("", String::as_str)
        ))))
    }

    /// An error if `name` is there: the weights have more layers than the configuration.
    pub fn absent(&self, name: &str, what: &str, configured: usize) -> Result<()> {
        match self.source.find(name)? {
            None => Ok(()),
            Some(_) => Err(Error::Model(ModelError::Mismatch(format!(
                "tensor {name} is there, but the configuration has only {configured} {what}; config and weights disagree"
            )))),
        }
    }

    /// Every number of an embedding table is finite (of other tensors that is seen when they are converted).
    pub fn check_finite(&self, name: &str, shape: &[usize]) -> Result<()> {
        let view = self.source.expect(name, shape)?;
        let pages = Conversion::new(self.source, [name]);
        let mut row_values = vec![0f32; view.columns()];
        for row in 0..view.rows() {
            pages.read(view.row_bytes());
            view.read_row(row, &mut row_values)?;
            if let Some(odd) = row_values.iter().find(|v| !v.is_finite()) {
                return Err(Error::Model(ModelError::damaged(format!(
                    "tensor {name} holds {odd} in row {row}; the weights are damaged"
                ))));
            }
        }
        Ok(())
    }
}
