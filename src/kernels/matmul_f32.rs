//! y = x·Wᵀ in float: the reference path, of the same shape as the 8-bit one (panels of 16 columns, packed once).
use super::level::{Level, multiversion};
use super::parallel::{self, Shared, area};

/// Output columns in a panel.
const PANEL: usize = 16;
/// Rows computed at once.
const ROWS: usize = 4;

/// A weight matrix `[n, k]` in panels: `[n/16][k][16]`.
pub struct PackedF32 {
    n: usize,
    k: usize,
    values: Vec<f32>,
}

impl PackedF32 {
    /// Packs row by row: `row(j, buffer)` fills in the k weights of output column `j`.
    pub fn pack(n: usize, k: usize, row: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut values = vec![0f32; area(area(n.div_ceil(PANEL), PANEL), k)];
        let shared = Shared::new(&mut values);
        parallel::ranges(n.div_ceil(PANEL), 1, |panels| {
            let mut buffer = vec![0f32; k];
            for panel in panels {
                // SAFETY: `ranges` hands each panel out once.
                let out = unsafe { shared.slice(panel * PANEL * k, PANEL * k) };
                for column in 0..PANEL.min(n - panel * PANEL) {
                    row(panel * PANEL + column, &mut buffer);
                    for (i, x) in buffer.iter().enumerate() {
                        out[i * PANEL + column] = *x;
                    }
                }
            }
        });
        Self { n, k, values }
    }

    /// Output columns.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Inputs.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Bytes kept in memory.
    pub fn size(&self) -> usize {
        4 * self.values.len()
    }

    /// Writes x·Wᵀ to `out` [m, n] for `x` [m, k].
    pub fn multiply(&self, level: Level, x: &[f32], m: usize, out: &mut [f32]) {
        let (n, k) = (self.n, self.k);
        assert!(x.len() == area(m, k) && out.len() == area(m, n));
        let shared = Shared::new(out);
        parallel::ranges(n.div_ceil(PANEL), (16_384 / (k * PANEL)).max(1), |panels| {
            for panel in panels {
                let weights = &self.values[panel * PANEL * k..][..PANEL * k];
                let width = PANEL.min(n - panel * PANEL);
                let mut row = 0;
                while row < m {
                    let rows = if m - row >= ROWS { ROWS } else { 1 };
                    let mut sums = [[0f32; PANEL]; ROWS];
                    let inputs = &x[row * k..][..rows * k];
                    if rows == ROWS {
                        tile4(level, weights, inputs, &mut sums)
                    } else {
                        tile1(level, weights, inputs, &mut sums)
                    }
                    for (r, sum) in sums.iter().enumerate().take(rows) {
                        // SAFETY: these columns belong to this thread's panel.
                        unsafe { shared.slice((row + r) * n + panel * PANEL, width) }.copy_from_slice(&sum[..width]);
                    }
                    row += rows;
                }
            }
        });
    }
}

multiversion! {
    fn tile4(weights: &[f32], x: &[f32], sums: &mut [[f32; PANEL]; ROWS]) = tile_body::<4>
}
multiversion! {
    fn tile1(weights: &[f32], x: &[f32], sums: &mut [[f32; PANEL]; ROWS]) = tile_body::<1>
}

/// R rows against one panel, inputs in order: the same additions whatever R is.
#[inline(always)]
fn tile_body<const R: usize>(weights: &[f32], x: &[f32], sums: &mut [[f32; PANEL]; ROWS]) {
    let k = weights.len() / PANEL;
    let mut local = [[0f32; PANEL]; R];
    for (i, w) in weights.as_chunks::<PANEL>().0.iter().enumerate() {
        for r in 0..R {
            let a = x[r * k + i];
            for c in 0..PANEL {
                local[r][c] += a * w[c];
            }
        }
    }
    sums[..R].copy_from_slice(&local);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_plain_product_at_every_level_and_row_by_row() {
        let (n, m, k) = (37, 7, 50);
        let w: Vec<f32> = (0..n * k).map(|i| (i as f32 * 0.37).sin()).collect();
        let x: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.11).cos()).collect();
        let packed = PackedF32::pack(n, k, |j, row| row.copy_from_slice(&w[j * k..][..k]));
        for level in Level::all() {
            let mut out = vec![f32::NAN; m * n];
            packed.multiply(level, &x, m, &mut out);
            for r in 0..m {
                let mut alone = vec![f32::NAN; n];
                packed.multiply(level, &x[r * k..][..k], 1, &mut alone);
                assert_eq!(alone, out[r * n..][..n]);
                for j in 0..n {
                    let want: f64 = (0..k).map(|i| f64::from(x[r * k + i]) * f64::from(w[j * k + i])).sum();
                    assert!((f64::from(out[r * n + j]) - want).abs() < 1e-4, "{}", level.name());
                }
            }
        }
    }
}
