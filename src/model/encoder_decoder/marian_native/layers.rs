//! Reading layers out of a Marian file.
use super::norm::Norm;
use crate::error::ModelError;
use crate::model::layers::{Activation, Compute, FixedPart, Linear, Placement};
use crate::model::weights::marian::MarianFile;
use crate::model::weights::{Encoding, TensorSource, TensorView};
use crate::{Error, Result};
use candle_core::Tensor;

/// A file and where its layers go.
pub(super) struct Loader<'a> {
    pub file: &'a MarianFile,
    pub place: &'a Placement,
}

impl Loader<'_> {
    /// The layers `parts` = (matrix, bias, outputs) side by side.
    pub fn linear(&self, parts: &[(String, Option<String>, usize)], k: usize) -> Result<Linear> {
        let source: &dyn TensorSource = self.file;
        let int8 = self.place.compute == Compute::Int8 && parts.iter().all(|(name, ..)| self.file.is_int8(name));
        let linear = if int8 {
            let fixed = parts.iter().map(|(name, _, n)| self.fixed(name, [*n, k], &format!("{name}_QuantMultA")));
            Linear::fixed(&fixed.collect::<Result<Vec<_>>>()?, k, self.place)?
        } else {
            let names: Vec<(&str, usize)> = parts.iter().map(|(name, _, n)| (name.as_str(), *n)).collect();
            Linear::load(source, &names, k, self.place)?
        };
        if parts.iter().all(|(_, bias, _)| bias.is_none()) {
            return Ok(linear);
        }
        let mut values = Vec::new();
        for (_, bias, n) in parts {
            match bias {
                Some(name) => values.extend(source.floats(name, &[*n])?),
                None => values.extend(std::iter::repeat_n(0.0, *n)),
            }
        }
        linear.with_bias(values)
    }

    /// `PREFIX_W…` with `PREFIX_b…` for each of the letters, as many outputs as inputs.
    pub fn projections(&self, prefix: &str, letters: &[&str], d: usize) -> Result<Linear> {
        let part = |letter: &&str| (format!("{prefix}_W{letter}"), Some(format!("{prefix}_b{letter}")), d);
        self.linear(&letters.iter().map(part).collect::<Vec<_>>(), d)
    }

    /// `PREFIX_ln_scale` and `PREFIX_ln_bias`.
    pub fn norm(&self, prefix: &str, d: usize) -> Result<Norm> {
        let source: &dyn TensorSource = self.file;
        let part = |name: &str| source.floats(&format!("{prefix}_ln_{name}"), &[d]);
        Norm::new(part("scale")?, part("bias")?, self.place)
    }

    fn fixed<'n>(&'n self, name: &'n str, shape: [usize; 2], scale: &str) -> Result<FixedPart<'n>> {
        let (there, weights, weight_multiplier) = self.file.int8(name)?;
        if there != shape {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "{}: tensor {name} has shape {there:?} but the configuration wants {shape:?}; config and weights disagree",
                self.file.name()
            ))));
        }
        Ok(FixedPart { name, weights, weight_multiplier, input_multiplier: self.file.number(scale)? })
    }
}

/// Two linear layers with an activation between, a residual connection and a norm around.
pub(super) struct FeedForward {
    up: Linear,
    down: Linear,
    norm: Norm,
}

impl FeedForward {
    pub fn load(loader: &Loader<'_>, prefix: &str, (d, inner): (usize, usize), activation: Activation) -> Result<Self> {
        let part = |i: usize, n: usize| [(format!("{prefix}_ffn_W{i}"), Some(format!("{prefix}_ffn_b{i}")), n)];
        Ok(Self {
            up: loader.linear(&part(1, inner), d)?.with_activation(activation),
            down: loader.linear(&part(2, d), inner)?,
            norm: loader.norm(&format!("{prefix}_ffn_ffn"), d)?,
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.down.forward(&self.up.forward(x)?)?;
        self.norm.forward(&crate::model::layers::add(x, y)?)
    }

    pub fn size(&self) -> usize {
        self.up.size() + self.down.size()
    }
}

/// A table of embeddings [pieces, d], its rows read when they are needed.
pub(super) struct Table {
    pub name: String,
    pub rows: usize,
    pub d: usize,
}

impl Table {
    /// The first of `names` that the file has.
    pub fn find(file: &MarianFile, names: &[&str], rows: usize, d: usize) -> Result<Self> {
        let found = names.iter().find(|name| file.has(name)).copied().unwrap_or(names[0]);
        let table = Self { name: found.to_owned(), rows, d };
        let shape = if file.is_int8(found) {
            file.int8(found)?.0.to_vec()
        } else {
            let source: &dyn TensorSource = file;
            source.find(found)?.map(|view| view.shape).unwrap_or_default()
        };
        if shape != [rows, d] {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "{}: the embeddings {found} have shape {shape:?} but the configuration wants {:?}; config and weights disagree",
                file.name(),
                [rows, d]
            ))));
        }
        Ok(table)
    }

    /// Adds row `id` times `scale` to `out`.
    pub fn add_row(&self, file: &MarianFile, id: u32, scale: f32, out: &mut [f32]) -> Result<()> {
        if id as usize >= self.rows {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "token id {id} is outside the vocabulary of {}; vocabulary and weights disagree",
                self.rows
            ))));
        }
        let mut row = vec![0f32; self.d];
        self.read_row(file, id, &mut row)?;
        out.iter_mut().zip(row).for_each(|(o, x)| *o += x * scale);
        Ok(())
    }

    fn read_row(&self, file: &MarianFile, id: u32, out: &mut [f32]) -> Result<()> {
        let start = id as usize * self.d;
        if file.is_int8(&self.name) {
            let (_, bytes, multiplier) = file.int8(&self.name)?;
            let scale = 1.0 / multiplier;
            let row = bytes.get(start..start + self.d).unwrap_or_default();
            out.iter_mut().zip(row).for_each(|(o, &byte)| *o = f32::from(byte as i8) * scale);
            return Ok(());
        }
        let source: &dyn TensorSource = file;
        source.expect(&self.name, &[self.rows, self.d])?.read_row(id as usize, out)
    }

    /// The output layer over all rows, or over those in `ids`.
    pub fn head(&self, loader: &Loader<'_>, scale: &str, bias: &[f32], ids: Option<&[u32]>) -> Result<Linear> {
        let bias = |ids: Option<&[u32]>| match ids {
            Some(ids) => ids.iter().map(|&id| bias[id as usize]).collect(),
            None => bias.to_vec(),
        };
        let file = loader.file;
        if loader.place.compute == Compute::Int8 && file.is_int8(&self.name) {
            let whole = loader.fixed(&self.name, [self.rows, self.d], scale)?;
            let rows = ids.map(|ids| {
                ids.iter()
                    .flat_map(|&id| &whole.weights[id as usize * self.d..][..self.d])
                    .copied()
                    .collect::<Vec<u8>>()
            });
            let part = FixedPart { weights: rows.as_deref().unwrap_or(whole.weights), ..whole };
            return Linear::fixed(&[part], self.d, loader.place)?.with_bias(bias(ids));
        }
        let Some(ids) = ids else {
            return Linear::load(file, &[(&self.name, self.rows)], self.d, loader.place)?.with_bias(bias(None));
        };
        let mut floats = vec![0f32; ids.len() * self.d];
        for (row, &id) in floats.chunks_exact_mut(self.d).zip(ids) {
            self.read_row(file, id, row)?;
        }
        let rows = Rows { shape: [ids.len(), self.d], bytes: floats.iter().flat_map(|x| x.to_le_bytes()).collect() };
        Linear::load(&rows, &[("rows", ids.len())], self.d, loader.place)?.with_bias(bias(Some(ids)))
    }
}

/// Some rows of a table as a matrix of its own.
struct Rows {
    shape: [usize; 2],
    bytes: Vec<u8>,
}

impl TensorSource for Rows {
    fn names(&self) -> Vec<String> {
        vec!["rows".into()]
    }

    fn find(&self, _name: &str) -> Result<Option<TensorView<'_>>> {
        let bytes = self.bytes.as_slice().into();
        Ok(Some(TensorView { shape: self.shape.to_vec(), encoding: Encoding::F32, bytes }))
    }
}
