//! Attention of flat tokens over rows of a store, and T5's relative position bias.
use super::op::{buffer, map3};
use super::{composed, is_composed};
use crate::Result;
use crate::error::ModelError;
use crate::kernels::Level;
use crate::kernels::attention::{self, Bias};
use candle_core::{Device, Tensor};

pub use crate::kernels::attention::{Rows as AttentionRows, Shape as AttentionShape};

/// Keys and values of one layer: two tensors [rows, kv_heads·head_dim].
#[derive(Clone)]
pub struct KvStore {
    /// Keys.
    pub k: Tensor,
    /// Values.
    pub v: Tensor,
}

impl KvStore {
    /// Zeroed rows (on the CPU the system hands out memory only as rows are written).
    pub fn new(rows: usize, width: usize, device: &Device) -> Result<Self> {
        let zeros = || Tensor::zeros((rows.max(1), width), candle_core::DType::F32, device);
        Ok(Self { k: zeros()?, v: zeros()? })
    }
}

/// T5's bias: a learned number per head and bucket of distances.
pub struct RelativeBias {
    /// [heads][buckets].
    weights: Vec<f32>,
    heads: usize,
    buckets: usize,
    max_distance: usize,
    bidirectional: bool,
}

impl RelativeBias {
    /// `weights` as in the checkpoint: [buckets, heads].
    pub fn new(weights: &[f32], buckets: usize, heads: usize, max_distance: usize, bidirectional: bool) -> Self {
        let transposed = (0..heads * buckets).map(|i| weights[i % buckets * heads + i / buckets]).collect();
        Self { weights: transposed, heads, buckets, max_distance, bidirectional }
    }

    /// The bucket of `distance` = key position − query position (T5, `_relative_position_bucket`).
    fn bucket(&self, distance: i64) -> usize {
        let mut buckets = self.buckets;
        let mut offset = 0;
        let away = if self.bidirectional {
            buckets /= 2;
            if distance > 0 {
                offset = buckets;
            }
            distance.unsigned_abs() as usize
        } else {
            (-distance).max(0) as usize
        };
        let exact = buckets / 2;
        if away < exact {
            return offset + away;
        }
        let ratio = (away as f32 / exact as f32).ln() / (self.max_distance as f32 / exact as f32).ln();
        offset + (exact + (ratio * (buckets - exact) as f32) as usize).min(buckets - 1)
    }

    #[cfg(test)]
    pub(super) fn table_for_test(&self, longest: usize) -> Vec<f32> {
        self.by_distance(longest)
    }

    /// by_distance[head][distance + longest] for |distance| ≤ longest.
    fn by_distance(&self, longest: usize) -> Vec<f32> {
        let width = 2 * longest + 1;
        let buckets: Vec<usize> = (0..width).map(|i| self.bucket(i as i64 - longest as i64)).collect();
        (0..self.heads).flat_map(|h| buckets.iter().map(move |b| self.weights[h * self.buckets + b])).collect()
    }
}

/// softmax(scale·q·Kᵀ + bias)·V for q [tokens, heads·dim], each token over its own rows of `store`.
/// `bias` comes with the position of each token.
pub fn attend(
    q: &Tensor,
    store: &KvStore,
    rows: AttentionRows<'_>,
    shape: AttentionShape,
    bias: Option<(&RelativeBias, &[u32])>,
    level: Level,
) -> Result<Tensor> {
    if !rows.fits(store.k.dim(0)?) {
        return Err(crate::Error::Model(ModelError::Defect("attention over rows outside the cache".into())));
    }
    let table = bias.map(|(bias, positions)| {
        let keys = rows.spans().iter().map(|s| s.1).max().unwrap_or(0);
        let longest = positions.iter().copied().max().unwrap_or(0).max(keys) as usize;
        (bias.by_distance(longest), longest, positions)
    });
    let bias = table.as_ref().map(|(by_distance, longest, query_positions)| Bias {
        by_distance,
        width: 2 * longest + 1,
        zero: *longest,
        query_positions,
    });
    if is_composed(q.device(), level) {
        return composed::attend(q, store, rows, shape, bias);
    }
    Ok(map3("attention", (q, &store.k, &store.v), q.shape(), |q, k, v| {
        let mut out = buffer(q.len());
        attention::attend(level, (q, k, v), rows, shape, bias, &mut out);
        out
    })?)
}
