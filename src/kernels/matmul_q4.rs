//! y = x·Wᵀ with 4-bit weights in groups of 32 along the input dimension, each group with a scale and a minimum:
//! w = scale·q − minimum, q in 0..16. GGUF's Q4_0, Q4_1 and Q4_K are all of this form. Activations are in 8 bits, as in
//! [`super::matmul_q8`], whose packing and loops this follows.
//!
//! It is for weights that are in 4 bits already. A lone sentence costs what reading the weights costs, which is little more
//! than half of what it is in 8 bits.
use super::level::{Isa, Level};
use super::matmul_q8::{GROUP, PANEL, QuantizedRows, ROW_BLOCK_BYTES};
use super::parallel::{self, Shared, area};
use half::f16;

/// Bytes of a group in a panel.
pub(super) const GROUP_BYTES: usize = GROUP * PANEL / 2;
/// Inputs of one output column that one dot-product instruction takes in.
const RUN: usize = 4;

/// A weight matrix [n, k] packed for the kernels of one [`Level`].
pub struct PackedQ4 {
    level: Level,
    pub(super) n: usize,
    pub(super) k: usize,
    /// [n/16][k/32][4][16][4]: the low half of a byte is input 4i + j of its group, the high half input 16 + 4i + j.
    pub(super) bytes: Vec<u8>,
    /// [n/16][k/32][16].
    pub(super) scales: Vec<f16>,
    /// [n/16][k/32][16].
    pub(super) minimums: Vec<f16>,
}

/// Activations as these kernels want them.
pub(super) struct Inputs<'a> {
    pub rows: &'a QuantizedRows,
    /// [m][k/32]: scale · Σ values, what a weight of one adds.
    pub sums: Vec<f32>,
}

impl PackedQ4 {
    /// Whether the level has kernels for it; without them 8 bits are faster.
    pub fn pays(level: Level) -> bool {
        matches!(level.isa(), Isa::Avx2 | Isa::AvxVnni | Isa::Avx512Vnni)
    }

    /// Packs a matrix [n, k], k a multiple of 32, in parallel. `row(j, values, scales, minimums)` fills in row `j`: k
    /// values below 16, k/32 scales and minimums.
    pub fn pack(
        level: Level,
        n: usize,
        k: usize,
        row: impl Fn(usize, &mut [u8], &mut [f16], &mut [f16]) + Sync,
    ) -> Self {
        assert!(k.is_multiple_of(GROUP), "input dimension {k} is not a multiple of {GROUP}");
        let (panels, groups) = (n.div_ceil(PANEL), k / GROUP);
        let zeros = || vec![f16::ZERO; area(area(panels, PANEL), groups)];
        let mut packed = Self {
            level,
            n,
            k,
            bytes: vec![0; area(area(panels, groups), GROUP_BYTES)],
            scales: zeros(),
            minimums: zeros(),
        };
        let bytes = Shared::new(&mut packed.bytes);
        let scales = Shared::new(&mut packed.scales);
        let minimums = Shared::new(&mut packed.minimums);
        parallel::ranges(panels, 1, |range| {
            let mut values = vec![0u8; k];
            let (mut row_scales, mut row_minimums) = (vec![f16::ZERO; groups], vec![f16::ZERO; groups]);
            for panel in range {
                // SAFETY: panels are disjoint parts of all buffers and `ranges` hands each out once.
                let (bytes, scales, minimums) = unsafe {
                    (
                        bytes.slice(panel * groups * GROUP_BYTES, groups * GROUP_BYTES),
                        scales.slice(panel * PANEL * groups, PANEL * groups),
                        minimums.slice(panel * PANEL * groups, PANEL * groups),
                    )
                };
                for column in 0..PANEL.min(n - panel * PANEL) {
                    row(panel * PANEL + column, &mut values, &mut row_scales, &mut row_minimums);
                    for (group, values) in values.chunks_exact(GROUP).enumerate() {
                        let (low, high) = values.split_at(GROUP / 2);
                        for (i, (low, high)) in low.iter().zip(high).enumerate() {
                            let at = (i / RUN * PANEL + column) * RUN + i % RUN;
                            bytes[group * GROUP_BYTES + at] = low & 0x0f | high << 4;
                        }
                        scales[group * PANEL + column] = row_scales[group];
                        minimums[group * PANEL + column] = row_minimums[group];
                    }
                }
            }
        });
        packed
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
        self.bytes.len() + 2 * (self.scales.len() + self.minimums.len())
    }

    /// Writes x·Wᵀ to `out` [m, n], where `x` has been quantized by [`QuantizedRows`].
    pub fn multiply(&self, x: &QuantizedRows, out: &mut [f32]) {
        assert_eq!(x.k, self.k, "activations and weights differ in their inner dimension");
        assert_eq!(out.len(), area(x.m, self.n));
        // a correction is −128 · Σ values
        let sums = x.scales.iter().zip(&x.corrections).map(|(scale, c)| scale * (*c as f32 * (-1.0 / 128.0)));
        let inputs = Inputs { rows: x, sums: sums.collect() };
        let shared = Shared::new(out);
        let row_block = (ROW_BLOCK_BYTES / self.k).max(16);
        let grain = (131_072 / (self.k * PANEL) / x.m.clamp(1, 8)).max(2);
        parallel::ranges(self.n.div_ceil(PANEL), grain, |panels| {
            for first in (0..x.m).step_by(row_block) {
                let rows = first..(first + row_block).min(x.m);
                match self.level.isa() {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the level was available when the matrix was packed; panels and rows lie inside the
                    // buffers, and each thread writes the columns of its own panels only.
                    Isa::Avx512Vnni => unsafe {
                        super::matmul_q4_x86::avx512(self, &inputs, panels.clone(), rows, shared)
                    },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Isa::AvxVnni => unsafe {
                        super::matmul_q4_x86::avxvnni(self, &inputs, panels.clone(), rows, shared)
                    },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Isa::Avx2 => unsafe { super::matmul_q4_x86::avx2(self, &inputs, panels.clone(), rows, shared) },
                    _ => scalar(self, &inputs, panels.clone(), rows, shared),
                }
            }
        });
    }
}

/// The twin that the others are compared with: same sums, same order.
fn scalar(
    w: &PackedQ4,
    x: &Inputs<'_>,
    panels: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    out: Shared<f32>,
) {
    let groups = w.k / GROUP;
    for panel in panels {
        let width = PANEL.min(w.n - panel * PANEL);
        for row in rows.clone() {
            let mut sums = [0f32; PANEL];
            for group in 0..groups {
                let values = &x.rows.values[row * w.k + group * GROUP..][..GROUP];
                let block = &w.bytes[(panel * groups + group) * GROUP_BYTES..][..GROUP_BYTES];
                let mut dots = [0i32; PANEL];
                for (at, byte) in block.iter().enumerate() {
                    let (i, column) = (at / (PANEL * RUN) * RUN + at % RUN, at / RUN % PANEL);
                    dots[column] += i32::from(byte & 0x0f) * i32::from(values[i]);
                    dots[column] += i32::from(byte >> 4) * i32::from(values[GROUP / 2 + i]);
                }
                let (scale, sum) = (x.rows.scales[row * groups + group], x.sums[row * groups + group]);
                let at = (panel * groups + group) * PANEL;
                for column in 0..PANEL {
                    sums[column] += dots[column] as f32 * (w.scales[at + column].to_f32() * scale);
                    sums[column] -= w.minimums[at + column].to_f32() * sum;
                }
            }
            // SAFETY: the columns of this panel in this row belong to this thread.
            unsafe { out.slice(row * w.n + panel * PANEL, width) }.copy_from_slice(&sums[..width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers that look random: a multiplicative hash of their index.
    fn hash(index: usize, seed: u32) -> u32 {
        (index as u32 ^ seed).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519)
    }

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        (0..count).map(|i| (hash(i, seed) >> 8) as f32 / (1u32 << 23) as f32 - 1.0).collect()
    }

    /// A matrix and the same as floats.
    fn weights(level: Level, n: usize, k: usize, seed: u32) -> (PackedQ4, Vec<f32>) {
        let value = |j: usize, i: usize| (hash(j * k + i, seed) >> 28) as u8;
        let scale = |j: usize, g: usize| f16::from_f32(0.01 + (hash(j * k + g, seed ^ 1) >> 24) as f32 / 4096.0);
        let minimum = |j: usize, g: usize| f16::from_f32((hash(j * k + g, seed ^ 2) >> 24) as f32 / 512.0);
        let packed = PackedQ4::pack(level, n, k, |j, values, scales, minimums| {
            values.iter_mut().enumerate().for_each(|(i, v)| *v = value(j, i));
            scales.iter_mut().enumerate().for_each(|(g, s)| *s = scale(j, g));
            minimums.iter_mut().enumerate().for_each(|(g, m)| *m = minimum(j, g));
        });
        let float =
            |j: usize, i: usize| f32::from(value(j, i)) * scale(j, i / GROUP).to_f32() - minimum(j, i / GROUP).to_f32();
        (packed, (0..n * k).map(|at| float(at / k, at % k)).collect())
    }

    fn product(level: Level, shape: (usize, usize, usize), seed: u32, x: &[f32]) -> Vec<f32> {
        let (n, m, k) = shape;
        let mut out = vec![f32::NAN; m * n];
        weights(level, n, k, seed).0.multiply(&QuantizedRows::new(level, x, m, k), &mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// All levels give the very same bits as the scalar twin, for any shape.
        #[test]
        fn every_level_equals_the_scalar_twin(n in 1usize..70, m in 1usize..20, groups in 1usize..6, seed: u32) {
            let k = groups * GROUP;
            let x = noise(m * k, seed ^ 7);
            let want = product(Level::SCALAR, (n, m, k), seed, &x);
            for level in Level::all() {
                prop_assert_eq!(&product(level, (n, m, k), seed, &x), &want, "{}", level.name());
            }
        }
    }

    #[test]
    fn close_to_the_float_product_and_independent_of_the_batch() {
        let (n, m, k) = (100, 9, 640);
        let x = noise(m * k, 2);
        let level = Level::detect();
        let got = product(level, (n, m, k), 1, &x);
        let (packed, floats) = weights(level, n, k, 1);
        assert!(packed.size() * 5 < 4 * floats.len());
        for row in 0..m {
            assert_eq!(product(level, (n, 1, k), 1, &x[row * k..][..k]), got[row * n..][..n], "row {row} alone");
            for column in 0..n {
                let want: f32 = (0..k).map(|i| x[row * k + i] * floats[column * k + i]).sum();
                assert!((got[row * n + column] - want).abs() < 0.3, "{} vs {want}", got[row * n + column]);
            }
        }
    }

    #[test]
    fn the_greatest_values_do_not_saturate() {
        let (n, k) = (16, 64);
        for level in Level::all() {
            let packed = PackedQ4::pack(level, n, k, |_, values, scales, _| {
                values.fill(15);
                scales.fill(f16::ONE);
            });
            let mut out = vec![0f32; n];
            packed.multiply(&QuantizedRows::new(level, &vec![-1.0; k], 1, k), &mut out);
            assert!(out.iter().all(|y| (y + 15.0 * k as f32).abs() < 1e-2), "{}: {out:?}", level.name());
        }
    }
}
