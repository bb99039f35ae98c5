//! Attention of single query tokens over rows of a key/value store, with no padding and no masks:
//! each token has its own list of rows.
use super::float::{self, LANES};
use super::level::{Isa, Level, multiversion};
use super::parallel::{self, Shared, area};

/// The rows that each query token attends to, in order of position.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Token i: `tables[start..start + length]` for `spans[i]` = (start, length).
    Table {
        /// Row numbers.
        tables: &'a [u32],
        /// For each token, start and length in `tables`.
        spans: &'a [(u32, u32)],
    },
    /// Token i: rows first..first + length for `spans[i]` = (first, length).
    Contiguous {
        /// For each token, first row and number of rows.
        spans: &'a [(u32, u32)],
    },
}

impl Rows<'_> {
    /// (start, length) for each token.
    pub fn spans(&self) -> &[(u32, u32)] {
        match self {
            Rows::Table { spans, .. } | Rows::Contiguous { spans } => spans,
        }
    }

    /// Whether every row number is below `rows` and every span inside the table.
    pub fn fits(&self, rows: usize) -> bool {
        match self {
            Rows::Table { tables, spans } => {
                spans.iter().all(|&(start, len)| len > 0 && start as usize + len as usize <= tables.len())
                    && tables.iter().all(|&r| (r as usize) < rows)
            }
            Rows::Contiguous { spans } => spans.iter().all(|&(s, len)| len > 0 && s as usize + len as usize <= rows),
        }
    }
}

/// Sizes and options of one attention.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub heads: usize,
    /// Key/value heads; `heads` is a multiple.
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Factor on q·k.
    pub scale: f32,
    /// Only the last so many rows are seen (sliding window, the token itself included).
    pub window: Option<usize>,
    /// Scores are held below this: cap·tanh(score/cap) (Gemma 2).
    pub softcap: Option<f32>,
}

/// What is added to the scores: `by_distance[head][distance + zero]` for distance = key position − query position
/// (T5's relative position bias with the buckets already looked up).
#[derive(Debug, Clone, Copy)]
pub struct Bias<'a> {
    pub by_distance: &'a [f32],
    /// Distances per head.
    pub width: usize,
    /// Index of distance 0.
    pub zero: usize,
    /// Position of each query token; keys are at positions 0, 1, … of their span.
    pub query_positions: &'a [u32],
}

/// Writes softmax(scale·q·Kᵀ + bias)·V to `out` [n, heads·head_dim], for `q` of the same shape and `k`, `v`
/// [rows, kv_heads·head_dim].
pub fn attend(
    level: Level,
    (q, k, v): (&[f32], &[f32], &[f32]),
    rows: Rows<'_>,
    shape: Shape,
    bias: Option<Bias<'_>>,
    out: &mut [f32],
) {
    let width = area(shape.heads, shape.head_dim);
    let n = rows.spans().len();
    assert!(q.len() == area(n, width) && out.len() == q.len() && shape.heads.is_multiple_of(shape.kv_heads));
    assert!(rows.fits(k.len() / area(shape.kv_heads, shape.head_dim)) && k.len() == v.len());
    let shared = Shared::new(out);
    parallel::ranges(n, 2, |tokens| {
        let mut scratch = Scratch::default();
        for token in tokens {
            // SAFETY: `ranges` hands each token out once.
            let out = unsafe { shared.slice(token * width, width) };
            scratch.list_rows(rows, token, shape.window);
            attend_token(level, &q[token * width..][..width], k, v, shape, bias, token, &mut scratch, out);
        }
    });
}

#[derive(Default)]
struct Scratch {
    /// Element offset of each attended row.
    rows: Vec<u32>,
    /// Position of the first listed row in its span.
    first: usize,
    scores: Vec<f32>,
}

impl Scratch {
    fn list_rows(&mut self, rows: Rows<'_>, token: usize, window: Option<usize>) {
        let (start, len) = rows.spans()[token];
        let (start, len) = (start as usize, len as usize);
        let keep = window.map_or(len, |w| w.min(len));
        self.first = len - keep;
        self.rows.clear();
        match rows {
            Rows::Table { tables, .. } => self.rows.extend_from_slice(&tables[start + self.first..start + len]),
            Rows::Contiguous { .. } => self.rows.extend((start + self.first..start + len).map(|r| r as u32)),
        }
    }
}

/// One token: scores, softmax, weighted sum.
#[allow(clippy::too_many_arguments)]
fn attend_token(
    level: Level,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    shape: Shape,
    bias: Option<Bias<'_>>,
    token: usize,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let len = scratch.rows.len();
    scratch.scores.resize(shape.heads * len, 0.0);
    match level.isa() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level is available; `attend` checked that every row lies inside `k`.
        Isa::Avx512Vnni => unsafe {
            super::attention_simd::wide::scores(q, k, &scratch.rows, shape, &mut scratch.scores)
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 | Isa::AvxVnni => unsafe {
            super::attention_simd::narrow::scores(q, k, &scratch.rows, shape, &mut scratch.scores)
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Isa::Neon | Isa::NeonDotprod | Isa::NeonI8mm => unsafe {
            super::attention_simd::neon::scores(q, k, &scratch.rows, shape, &mut scratch.scores)
        },
        _ => scores(q, k, &scratch.rows, shape, &mut scratch.scores),
    }
    if let Some(cap) = shape.softcap {
        scratch.scores.iter_mut().for_each(|score| *score = cap * (*score / cap).tanh());
    }
    if let Some(bias) = bias {
        let query = bias.query_positions[token] as usize;
        for head in 0..shape.heads {
            let from = head * bias.width + bias.zero + scratch.first - query;
            for (j, score) in scratch.scores[head * len..][..len].iter_mut().enumerate() {
                *score += bias.by_distance[from + j];
            }
        }
    }
    softmax_rows(level, &mut scratch.scores, len);
    match level.isa() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, for `v`.
        Isa::Avx512Vnni => unsafe { super::attention_simd::wide::weigh(&scratch.scores, v, &scratch.rows, shape, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 | Isa::AvxVnni => unsafe {
            super::attention_simd::narrow::weigh(&scratch.scores, v, &scratch.rows, shape, out)
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Isa::Neon | Isa::NeonDotprod | Isa::NeonI8mm => unsafe {
            super::attention_simd::neon::weigh(&scratch.scores, v, &scratch.rows, shape, out)
        },
        _ => weigh(&scratch.scores, v, &scratch.rows, shape, out),
    }
}

/// scores[head][j] = scale · q[head]·k[rows[j]]; the twin of the SIMD versions.
fn scores(q: &[f32], k: &[f32], rows: &[u32], shape: Shape, scores: &mut [f32]) {
    let (dim, stride, share) = (shape.head_dim, shape.kv_heads * shape.head_dim, shape.heads / shape.kv_heads);
    for head in 0..shape.heads {
        for (j, &row) in rows.iter().enumerate() {
            let key = &k[row as usize * stride + head / share * dim..][..dim];
            scores[head * rows.len() + j] = float::dot(&q[head * dim..][..dim], key) * shape.scale;
        }
    }
}

/// out[head] = Σ weights[head][j] · v[rows[j]]; the twin of the SIMD versions.
fn weigh(weights: &[f32], v: &[f32], rows: &[u32], shape: Shape, out: &mut [f32]) {
    let (dim, stride, share) = (shape.head_dim, shape.kv_heads * shape.head_dim, shape.heads / shape.kv_heads);
    out.fill(0.0);
    for (head, out) in out.chunks_exact_mut(dim).enumerate() {
        for (j, &row) in rows.iter().enumerate() {
            let weight = weights[head * rows.len() + j];
            let value = &v[row as usize * stride + head / share * dim..][..dim];
            for (o, x) in out.iter_mut().zip(value) {
                *o += weight * x;
            }
        }
    }
}

multiversion! {
    /// Softmax of each row of `len` scores.
    fn softmax_rows(scores: &mut [f32], len: usize) = softmax_rows_body
}
#[inline(always)]
fn softmax_rows_body(scores: &mut [f32], len: usize) {
    for row in scores.chunks_exact_mut(len) {
        softmax(row);
    }
}

/// Softmax in place.
#[inline(always)]
pub(crate) fn softmax(scores: &mut [f32]) {
    let largest = float::max(scores);
    let mut lanes = [0f32; LANES];
    let (body, tail) = scores.as_chunks_mut::<LANES>();
    for chunk in body {
        for i in 0..LANES {
            chunk[i] = float::exp(chunk[i] - largest);
            lanes[i] += chunk[i];
        }
    }
    for (i, x) in tail.iter_mut().enumerate() {
        *x = float::exp(*x - largest);
        lanes[i] += *x;
    }
    let inverse = 1.0 / float::sum_lanes(lanes);
    for x in scores {
        *x *= inverse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, f: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * f).sin()).collect()
    }

    #[test]
    fn equals_the_definition_at_every_level() {
        [None, Some(1.5)].into_iter().for_each(equals_the_definition);
    }

    fn equals_the_definition(softcap: Option<f32>) {
        let shape = Shape { heads: 4, kv_heads: 2, head_dim: 24, scale: 0.2, window: Some(3), softcap };
        let (q, k, v) = (wave(2 * 96, 0.3), wave(9 * 48, 0.7), wave(9 * 48, 0.9));
        let tables = [8, 2, 5, 0, 1];
        let spans = [(0, 5), (1, 2)];
        let by_distance = wave(4 * 21, 1.3);
        let positions = [4, 1];
        let bias = Bias { by_distance: &by_distance, width: 21, zero: 10, query_positions: &positions };
        let mut want = vec![0f32; 2 * 96];
        for token in 0..2 {
            let (start, len) = (spans[token].0 as usize, spans[token].1 as usize);
            let first = len.saturating_sub(3);
            for head in 0..4 {
                let score = |j: usize| {
                    let row = tables[start + j] as usize;
                    let dot: f32 =
                        (0..24).map(|d| q[token * 96 + head * 24 + d] * k[row * 48 + head / 2 * 24 + d]).sum();
                    let score = softcap.map_or(dot * 0.2, |cap| cap * (dot * 0.2 / cap).tanh());
                    f64::from(score + by_distance[head * 21 + 10 + j - positions[token] as usize])
                };
                let total: f64 = (first..len).map(|j| score(j).exp()).sum();
                for d in 0..24 {
                    want[token * 96 + head * 24 + d] = (first..len)
                        .map(|j| {
                            score(j).exp() / total * f64::from(v[tables[start + j] as usize * 48 + head / 2 * 24 + d])
                        })
                        .sum::<f64>() as f32;
                }
            }
        }
        for level in Level::all() {
            let mut out = vec![f32::NAN; 2 * 96];
            attend(level, (&q, &k, &v), Rows::Table { tables: &tables, spans: &spans }, shape, Some(bias), &mut out);
            for (a, b) in out.iter().zip(&want) {
                assert!((a - b).abs() < 1e-5, "{}: {a} vs {b}", level.name());
            }
        }
    }
}
