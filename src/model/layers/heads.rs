//! From the fused projection to queries and to rows of the key/value store: slicing, per-head norm, rotation.
use super::op::{buffer, map1, update};
use super::{Placement, Rotary, composed, is_composed};
use crate::Result;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::{Level, rows};
use candle_core::Tensor;

/// An RMS norm over each head (Gemma 3, Qwen 3).
pub struct HeadNorm {
    pub(super) weight: Tensor,
    values: Vec<f32>,
    pub(super) eps: f32,
}

impl HeadNorm {
    /// `weight` has one number for each element of a head.
    pub fn new(weight: Vec<f32>, eps: f64, place: &Placement) -> Result<Self> {
        Ok(Self { weight: Tensor::from_slice(&weight, weight.len(), &place.device)?, values: weight, eps: eps as f32 })
    }
}

/// Some columns of a projection [tokens, …], as `heads` heads of `dim`.
#[derive(Clone, Copy)]
pub struct HeadSlice<'a> {
    /// First column.
    pub offset: usize,
    pub heads: usize,
    pub dim: usize,
    pub norm: Option<&'a HeadNorm>,
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
            self.run(level, x, stride, positions, &mut out, |token| token);
            out
        })?)
    }

    /// The same, written to rows of a store [rows, heads·dim]: token i to row `to[i]`. Rows are distinct.
    pub fn store(&self, x: &Tensor, positions: &[u32], store: &Tensor, to: &[u32], level: Level) -> Result<()> {
        let width = self.heads * self.dim;
        let rows = store.dim(0)?;
        if let Some(bad) = to.iter().find(|&&r| r as usize >= rows) {
            return Err(crate::Error::Model(format!("cache row {bad} is outside a cache of {rows} rows")));
        }
        if is_composed(x.device(), level) {
            return composed::scatter_rows(store, &composed::heads(x, self, positions)?, to);
        }
        let (_, stride) = x.dims2()?;
        debug_assert_eq!(store.dim(1)?, width);
        Ok(update("store rows", store, x, |store, x| {
            self.run(level, x, stride, positions, store, |token| to[token] as usize)
        })?)
    }

    /// Token i of `x` goes to row `row(i)` of `out`.
    fn run(
        &self,
        level: Level,
        x: &[f32],
        stride: usize,
        positions: &[u32],
        out: &mut [f32],
        row: impl Fn(usize) -> usize + Sync,
    ) {
        let (dim, width) = (self.dim, self.heads * self.dim);
        let longest = positions.iter().max().map_or(0, |&p| p as usize + 1);
        let table = self.rotary.map(|r| (r.table(longest), r.dim(), r.interleaved));
        let tokens = x.len() / stride;
        assert!((0..tokens).all(|token| (row(token) + 1) * width <= out.len()));
        let shared = Shared::new(out);
        parallel::ranges(tokens, (8_192 / width).max(1), |range| {
            for token in range {
                // SAFETY: the row lies inside `out` (checked above), and rows are distinct by the callers' contract,
                // so no two threads share one.
                let out = unsafe { shared.slice(row(token) * width, width) };
                let input = &x[token * stride + self.offset..][..width];
                for (head, input) in out.chunks_exact_mut(dim).zip(input.chunks_exact(dim)) {
                    match self.norm {
                        Some(norm) => rows::rms_norm(level, input, &norm.values, norm.eps, head),
                        None => head.copy_from_slice(input),
                    }
                    if let Some((table, turned, interleaved)) = &table {
                        let angles = &table[positions[token] as usize * turned..][..*turned];
                        let head = &mut head[..*turned];
                        if *interleaved { rows::rotate_pairs(head, angles) } else { rows::rotate_half(head, angles) }
                    }
                }
            }
        });
    }
}
