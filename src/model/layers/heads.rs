//! From the fused projection to queries and to rows of the key/value store: slicing, per-head norm, rotation.
use super::op::{buffer, map1, update};
use super::{Placement, Rotary, composed, is_composed};
use crate::Result;
use crate::error::ModelError;
use crate::kernels::parallel;
use crate::kernels::{Level, rows};
use candle_core::Tensor;

/// Numbers that a thread writes at least.
const GRAIN: usize = 8_192;

/// An RMS norm over each head (Gemma 3, Qwen 3).
pub struct HeadNorm {
    pub(super) weight: Tensor,
    values: Vec<f32>,
    /// As many ones.
    ones: Vec<f32>,
    pub(super) eps: f32,
}

impl HeadNorm {
    /// `weight` has one number for each element of a head.
    pub fn new(weight: Vec<f32>, eps: f64, place: &Placement) -> Result<Self> {
        let (tensor, ones) = (Tensor::from_slice(&weight, weight.len(), &place.device)?, vec![1.0; weight.len()]);
        Ok(Self { weight: tensor, values: weight, ones, eps: eps as f32 })
    }
}

/// Some columns of a projection [tokens, …], as `heads` heads of `dim`.
#[derive(Clone, Copy)]
pub struct HeadSlice<'a> {
    /// First column.
    pub offset: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub dim: usize,
    /// A norm over each head.
    pub norm: Option<&'a HeadNorm>,
    /// The norm comes after the rotation (Hunyuan) instead of before it.
    pub norm_last: bool,
    /// Turns the first [`Rotary::dim`] numbers of each head; the others stay (IndicTrans2's rotary variant).
    pub rotary: Option<&'a Rotary>,
}

impl HeadSlice<'_> {
    /// The slice of `x`, normed and rotated, as a tensor [tokens, heads·dim].
    pub fn extract(&self, x: &Tensor, positions: &[u32], level: Level) -> Result<Tensor> {
        if is_composed(x.device(), level) {
            return composed::heads(x, self, positions);
        }
        let (n, stride) = x.dims2()?;
        let width = self.heads * self.dim;
        Ok(map1("heads", x, (n, width), |x| {
            let mut out = buffer(n * width);
            let row = self.row(level, x, stride, positions);
            parallel::rows(&mut out, width, GRAIN / width, row);
            out
        })?)
    }

    /// The same, written to rows of a store [rows, heads·dim]: token i to row `to[i]`. Rows are distinct.
    pub fn store(&self, x: &Tensor, positions: &[u32], store: &Tensor, to: &[u32], level: Level) -> Result<()> {
        let width = self.heads * self.dim;
        let rows = store.dim(0)?;
        if let Some(bad) = to.iter().find(|&&r| r as usize >= rows) {
            return Err(crate::Error::Model(ModelError::Defect(format!(
                "cache row {bad} is outside a cache of {rows} rows"
            ))));
        }
        if is_composed(x.device(), level) {
            return composed::scatter_rows(store, &composed::heads(x, self, positions)?, to);
        }
        let (_, stride) = x.dims2()?;
        debug_assert_eq!(store.dim(1)?, width);
        Ok(update("store rows", store, x, |store, x| {
            parallel::scatter(store, width, to, GRAIN / width, self.row(level, x, stride, positions));
        })?)
    }

    /// Writes one token of `x` to a row.
    fn row<'a>(
        &'a self,
        level: Level,
        x: &'a [f32],
        stride: usize,
        positions: &'a [u32],
    ) -> impl Fn(usize, &mut [f32]) + Sync + 'a {
        let (dim, width) = (self.dim, self.heads * self.dim);
        let longest = positions.iter().max().map_or(0, |&p| p as usize + 1);
        let table = self.rotary.map(|r| (r.table(longest), r.dim(), r.interleaved));
        move |token, out| {
            let input = &x[token * stride + self.offset..][..width];
            for (head, input) in out.chunks_exact_mut(dim).zip(input.chunks_exact(dim)) {
                match self.norm {
                    // A rotation changes no length: what is left to do after it is the weights' part.
                    Some(norm) if self.norm_last => rows::rms_norm(level, input, &norm.ones, norm.eps, head),
                    Some(norm) => rows::rms_norm(level, input, &norm.values, norm.eps, head),
                    None => head.copy_from_slice(input),
                }
                if let Some((table, turned, interleaved)) = &table {
                    let angles = &table[positions[token] as usize * turned..][..*turned];
                    let head = &mut head[..*turned];
                    if *interleaved { rows::rotate_pairs(head, angles) } else { rows::rotate_half(head, angles) }
                }
                if let Some(norm) = self.norm.filter(|_| self.norm_last) {
                    head.iter_mut().zip(&norm.values).for_each(|(x, weight)| *x *= weight);
                }
            }
        }
    }
}
