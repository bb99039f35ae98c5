//! y = x·Wᵀ with 8-bit weights in groups of 32 along the input dimension, each group with its own scale (the
//! arithmetic of GGUF's Q8_0), activations quantized the same way on the fly, sums in i32 within a group
//! and in f32 across groups.
//!
//! Weights are packed once at load in panels of 16 output columns: for each run of 4 inputs (8 where the processor has
//! `smmla`), 16 columns × 4 bytes, one 512-bit register. The panel is the outer loop and the rows of a batch the inner one, so a panel stays in the
//! nearest cache for the whole batch.
use super::level::{Isa, Level};
use super::parallel::{self, Shared, area};
use half::f16;
use std::cell::Cell;
use std::mem::take;

/// Output columns in a panel.
pub const PANEL: usize = 16;
/// Inputs that share a scale.
pub const GROUP: usize = 32;
/// Bytes of a group in a panel.
pub(super) const GROUP_BYTES: usize = GROUP * PANEL;
/// Rows whose quantized activations are kept in the second-level cache while panels pass by.
pub(super) const ROW_BLOCK_BYTES: usize = 256 * 1024;

/// A weight matrix [n, k] packed for the kernels of one [`Level`].
pub struct PackedQ8 {
    level: Level,
    pub(super) n: usize,
    pub(super) k: usize,
    /// [n/16][k/run][16][run], as u8 with an offset of 128 where the level wants that.
    pub(super) bytes: Vec<u8>,
    /// [n/16][k/32][16].
    pub(super) scales: Vec<f16>,
}

/// Activations [m, k] in 8 bits.
pub struct QuantizedRows {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) values: Vec<i8>,
    /// [m][k/32].
    pub(super) scales: Vec<f32>,
    /// [m][k/32]: −128 · Σ values, which takes the weights' offset out again.
    pub(super) corrections: Vec<i32>,
    /// For AVX2 alone, [m][k/4]: four magnitudes, then 255 for each value that is negative, else 0.
    pub(super) split: Vec<u8>,
    /// For AVX2 alone, [m][k/32]: the sum of the magnitudes of negative values.
    pub(super) missing: Vec<i32>,
}

impl PackedQ8 {
    /// Room for [n, k]; `k` must be a multiple of 32. Rows are filled in with `set_rows`.
    pub fn new(level: Level, n: usize, k: usize) -> Self {
        assert!(k.is_multiple_of(GROUP), "input dimension {k} is not a multiple of {GROUP}");
        let panels = n.div_ceil(PANEL);
        let zero = if level.unsigned_weights() { 128 } else { 0 };
        Self {
            level,
            n,
            k,
            bytes: vec![zero; area(area(panels, PANEL), k)],
            scales: vec![f16::ZERO; panels * PANEL * (k / GROUP)],
        }
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
        self.bytes.len() + 2 * self.scales.len()
    }

    /// Packs every row, in parallel. `row(j, values, scales)` fills in row `j`: k values and k/32 scales.
    pub fn fill(&mut self, row: impl Fn(usize, &mut [i8], &mut [f16]) + Sync) {
        let (n, k, offset) = (self.n, self.k, if self.level.unsigned_weights() { 0x80u8 } else { 0 });
        let (groups, run) = (k / GROUP, self.level.run());
        let bytes = Shared::new(&mut self.bytes);
        let scales = Shared::new(&mut self.scales);
        parallel::ranges(n.div_ceil(PANEL), 1, |panels| {
            let mut values = vec![0i8; k];
            let mut row_scales = vec![f16::ZERO; groups];
            for panel in panels {
                // SAFETY: panels are disjoint parts of both buffers and `ranges` hands each out once.
                let (bytes, scales) = unsafe {
                    (bytes.slice(panel * PANEL * k, PANEL * k), scales.slice(panel * PANEL * groups, PANEL * groups))
                };
                for column in 0..PANEL.min(n - panel * PANEL) {
                    row(panel * PANEL + column, &mut values, &mut row_scales);
                    for (i, chunk) in values.chunks_exact(run).enumerate() {
                        let to = &mut bytes[(i * PANEL + column) * run..][..run];
                        for (byte, value) in to.iter_mut().zip(chunk) {
                            *byte = *value as u8 ^ offset;
                        }
                    }
                    for (group, scale) in row_scales.iter().enumerate() {
                        scales[group * PANEL + column] = *scale;
                    }
                }
            }
        });
    }

    /// Packs a dense matrix [n, k] of floats, rounding to nearest.
    pub fn from_f32(level: Level, n: usize, k: usize, weights: &[f32]) -> Self {
        let mut packed = Self::new(level, n, k);
        packed.fill(|j, values, scales| quantize_weights(&weights[j * k..][..k], values, scales));
        packed
    }

    /// Writes x·Wᵀ to `out` [m, n], where `x` has been quantized by [`QuantizedRows`].
    pub fn multiply(&self, x: &QuantizedRows, out: &mut [f32]) {
        self.multiply_panels(x, 0..self.n.div_ceil(PANEL), out);
    }

    /// Writes those columns of x·Wᵀ that lie in the given panels of [`PANEL`] columns to their places in `out` [m, n].
    pub fn multiply_panels(&self, x: &QuantizedRows, all: std::ops::Range<usize>, out: &mut [f32]) {
        assert_eq!(x.k, self.k, "activations and weights differ in their inner dimension");
        assert_eq!(out.len(), area(x.m, self.n));
        assert!(all.end <= self.n.div_ceil(PANEL), "panels outside the matrix");
        let apart = self.level.isa() == Isa::Avx2;
        assert!(!apart || x.split.len() == 2 * x.values.len(), "activations for another level than the weights");
        let shared = Shared::new(out);
        let row_block = (ROW_BLOCK_BYTES / if apart { 2 * self.k } else { self.k }).max(16);
        // Below some 64 kB of weights a thread's wake-up costs more than its work.
        let grain = (65_536 / (self.k * PANEL) / x.m.clamp(1, 8)).max(2);
        parallel::ranges(all.len(), grain, |panels| {
            let panels = all.start + panels.start..all.start + panels.end;
            for first in (0..x.m).step_by(row_block) {
                let rows = first..(first + row_block).min(x.m);
                match self.level.isa() {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the level was available when the matrix was packed; panels and rows lie inside the
                    // buffers, and each thread writes the columns of its own panels only.
                    Isa::Avx512Vnni => unsafe { super::matmul_q8_x86::avx512(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Isa::AvxVnni => unsafe { super::matmul_q8_x86::avxvnni(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Isa::Avx2 => unsafe { super::matmul_q8_x86::avx2(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "aarch64")]
                    // SAFETY: as above.
                    Isa::Neon => unsafe { super::matmul_q8_neon::neon(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "aarch64")]
                    // SAFETY: as above.
                    Isa::NeonDotprod => unsafe {
                        super::matmul_q8_neon::dotprod(self, x, panels.clone(), rows, shared)
                    },
                    #[cfg(target_arch = "aarch64")]
                    // SAFETY: as above.
                    Isa::NeonI8mm => unsafe { super::matmul_q8_neon::i8mm(self, x, panels.clone(), rows, shared) },
                    _ => scalar(self, x, panels.clone(), rows, shared),
                }
            }
        });
    }
}

/// Rounds one row of weights to 8 bits, a scale for each 32 (as GGUF's Q8_0 does).
pub fn quantize_weights(row: &[f32], values: &mut [i8], scales: &mut [f16]) {
    for ((group, out), scale) in row.chunks(GROUP).zip(values.chunks_mut(GROUP)).zip(scales) {
        let largest = group.iter().fold(0f32, |m, x| m.max(x.abs()));
        *scale = f16::from_f32(largest / 127.0);
        let inverse = if *scale > f16::ZERO { 1.0 / scale.to_f32() } else { 0.0 };
        for (x, q) in group.iter().zip(out) {
            *q = (x * inverse).round_ties_even().clamp(-127.0, 127.0) as i8;
        }
    }
}

impl QuantizedRows {
    /// Quantizes activations `x` [m, k], k a multiple of 32.
    pub fn new(level: Level, x: &[f32], m: usize, k: usize) -> Self {
        assert!(x.len() == area(m, k));
        let mut rows = Self::empty(level, m, k);
        let groups = k / GROUP;
        let values = Shared::new(&mut rows.values);
        let scales = Shared::new(&mut rows.scales);
        let corrections = Shared::new(&mut rows.corrections);
        let (split, split_width) = (Shared::new(&mut rows.split), rows.split.len() / m.max(1));
        let (missing, missing_width) = (Shared::new(&mut rows.missing), rows.missing.len() / m.max(1));
        parallel::ranges(m, (32_768 / k).max(1), |range| {
            let (start, len) = (range.start, range.len());
            // SAFETY: `ranges` hands each row out once.
            let (values, scales, corrections, split, missing) = unsafe {
                (
                    values.slice(start * k, len * k),
                    scales.slice(start * groups, len * groups),
                    corrections.slice(start * groups, len * groups),
                    split.slice(start * split_width, len * split_width),
                    missing.slice(start * missing_width, len * missing_width),
                )
            };
            let x = &x[start * k..range.end * k];
            #[cfg(target_arch = "x86_64")]
            if level.isa() == Isa::Avx2 {
                let to = super::matmul_q8_x86::Rounded { values, scales, corrections, split, missing };
                // SAFETY: the level is available; the parts belong to the same rows.
                return unsafe { super::matmul_q8_x86::quantize(x, to) };
            }
            quantize(level, x, values, scales, corrections);
            take_apart(level, values, split, missing);
        });
        rows
    }

    /// Room for [m, k], whose content is to be overwritten; `k` must be a multiple of 32.
    fn empty(level: Level, m: usize, k: usize) -> Self {
        assert!(k.is_multiple_of(GROUP), "input dimension {k} is not a multiple of {GROUP}");
        let (all, groups, apart) = (area(m, k), m * (k / GROUP), level.isa() == Isa::Avx2);
        let (mut values, mut scales, mut corrections, mut split, mut missing) =
            SPARE.try_with(Cell::take).unwrap_or_default();
        values.resize(all, 0);
        scales.resize(groups, 0.0);
        corrections.resize(groups, 0);
        split.resize(if apart { area(2, all) } else { 0 }, 0);
        missing.resize(if apart { groups } else { 0 }, 0);
        Self { m, k, values, scales, corrections, split, missing }
    }

    /// Rounds activations `x` [m, k], k a multiple of 32, as x·`multiplier` to −127 … 127: one scale for all, which the
    /// sums are still to be divided by.
    pub fn with_multiplier(level: Level, x: &[f32], m: usize, k: usize, multiplier: f32) -> Self {
        assert!(x.len() == area(m, k));
        let mut rows = Self::empty(level, m, k);
        rows.scales.fill(1.0);
        round_all(level, x, multiplier, &mut rows.values, &mut rows.corrections);
        take_apart(level, &rows.values, &mut rows.split, &mut rows.missing);
        rows
    }
}

/// The buffers of [`QuantizedRows`].
type Buffers = (Vec<i8>, Vec<f32>, Vec<i32>, Vec<u8>, Vec<i32>);

thread_local! {
    /// Those of the last product, for the next: clearing new ones took a third of the time that rounding takes.
    static SPARE: Cell<Buffers> = const { Cell::new((Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new())) };
}

impl Drop for QuantizedRows {
    fn drop(&mut self) {
        let Self { values, scales, corrections, split, missing, .. } = self;
        let buffers = (take(values), take(scales), take(corrections), take(split), take(missing));
        // A thread that is ending has no use for them.
        let _ = SPARE.try_with(|spare| spare.set(buffers));
    }
}

/// Magnitudes and signs of whole groups, where the level's product wants them.
fn take_apart(level: Level, values: &[i8], split: &mut [u8], missing: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if level.isa() == Isa::Avx2 {
        // SAFETY: the level is available; `QuantizedRows::empty` made the room.
        unsafe { super::matmul_q8_x86::split(values, split, missing) }
    }
    let _ = (level, values, split, missing);
}

super::level::multiversion! {
    /// Rounds whole groups with one multiplier.
    fn round_all(x: &[f32], multiplier: f32, values: &mut [i8], corrections: &mut [i32]) = round_all_body
}

#[inline(always)]
fn round_all_body(x: &[f32], multiplier: f32, values: &mut [i8], corrections: &mut [i32]) {
    const MAGIC: f32 = 12_582_912.0; // as in `quantize_body`
    let (groups, _) = x.as_chunks::<GROUP>();
    let (outs, _) = values.as_chunks_mut::<GROUP>();
    for ((group, out), correction) in groups.iter().zip(outs).zip(corrections) {
        let mut sum = 0i32;
        for i in 0..GROUP {
            // Written so that NaN becomes a number, too: clamp would hand it on.
            #[allow(clippy::manual_clamp)]
            let scaled = (group[i] * multiplier).max(-127.0).min(127.0);
            let q = (scaled + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32;
            out[i] = q as i8;
            sum += q;
        }
        *correction = -128 * sum;
    }
}

super::level::multiversion! {
    /// Quantizes whole groups.
    fn quantize(x: &[f32], values: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) = quantize_body
}

#[inline(always)]
fn quantize_body(x: &[f32], values: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) {
    const MAGIC: f32 = 12_582_912.0; // adding it rounds to the nearest integer, kept in the low bits
    let (groups, _) = x.as_chunks::<GROUP>();
    let (outs, _) = values.as_chunks_mut::<GROUP>();
    for (((group, out), scale), correction) in groups.iter().zip(outs).zip(scales).zip(corrections) {
        // In halves, and halves of those: one after the other they would wait for each other. NaN is never larger.
        let mut lanes = [0f32; 16];
        for half in group.as_chunks::<16>().0 {
            for i in 0..16 {
                let a = half[i].abs();
                lanes[i] = if a > lanes[i] { a } else { lanes[i] };
            }
        }
        for width in [8, 4, 2, 1] {
            for i in 0..width {
                lanes[i] = if lanes[i + width] > lanes[i] { lanes[i + width] } else { lanes[i] };
            }
        }
        let largest = lanes[0];
        *scale = largest / 127.0;
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        let mut sum = 0i32;
        for i in 0..GROUP {
            let q = (group[i] * inverse + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32;
            out[i] = q as i8;
            sum += q;
        }
        *correction = -128 * sum;
    }
}

/// The twin that the others are compared with: same sums, same order.
fn scalar(
    w: &PackedQ8,
    x: &QuantizedRows,
    panels: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    out: Shared<f32>,
) {
    let (groups, run) = (w.k / GROUP, w.level.run());
    let offset = if w.level.unsigned_weights() { 0x80u8 } else { 0 };
    for panel in panels {
        let width = PANEL.min(w.n - panel * PANEL);
        let bytes = &w.bytes[panel * PANEL * w.k..][..PANEL * w.k];
        let scales = &w.scales[panel * PANEL * groups..][..PANEL * groups];
        for row in rows.clone() {
            let mut sums = [0f32; PANEL];
            for group in 0..groups {
                let mut dots = [0i32; PANEL];
                let values = &x.values[row * w.k + group * GROUP..][..GROUP];
                let block = &bytes[group * GROUP_BYTES..][..GROUP_BYTES];
                for (at, a) in values.chunks_exact(run).enumerate() {
                    for (column, dot) in dots.iter_mut().enumerate() {
                        for (a, b) in a.iter().zip(&block[(at * PANEL + column) * run..][..run]) {
                            *dot += i32::from(*a) * i32::from((b ^ offset) as i8);
                        }
                    }
                }
                let scale = x.scales[row * groups + group];
                for column in 0..PANEL {
                    sums[column] += dots[column] as f32 * (scales[group * PANEL + column].to_f32() * scale);
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

    fn noise(n: usize, seed: u64) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1u32 << 23) as f32) - 1.0
            })
            .collect()
    }

    fn product(level: Level, w: &[f32], x: &[f32], n: usize, m: usize, k: usize) -> Vec<f32> {
        let packed = PackedQ8::from_f32(level, n, k, w);
        let mut out = vec![f32::NAN; m * n];
        packed.multiply(&QuantizedRows::new(level, x, m, k), &mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// All levels give the very same bits as the scalar twin, for any shape.
        #[test]
        fn every_level_equals_the_scalar_twin(n in 1usize..70, m in 1usize..20, groups in 1usize..6, seed: u64) {
            let k = groups * GROUP;
            let (w, x) = (noise(n * k, seed), noise(m * k, seed ^ 7));
            let want = product(Level::SCALAR, &w, &x, n, m, k);
            for level in Level::all() {
                prop_assert_eq!(&product(level, &w, &x, n, m, k), &want, "{}", level.name());
            }
        }
    }

    #[test]
    fn close_to_the_float_product_and_independent_of_the_batch() {
        let (n, m, k) = (100, 9, 640);
        let (w, x) = (noise(n * k, 1), noise(m * k, 2));
        let level = Level::detect();
        let got = product(level, &w, &x, n, m, k);
        for row in 0..m {
            assert_eq!(product(level, &w, &x[row * k..][..k], n, 1, k), got[row * n..][..n], "row {row} alone");
            for column in 0..n {
                let want: f32 = (0..k).map(|i| x[row * k + i] * w[column * k + i]).sum();
                assert!((got[row * n + column] - want).abs() < 0.3, "{} vs {want}", got[row * n + column]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// With one scale for everything the sums are those of integers, to the last bit, in any part of the columns.
        #[test]
        fn fixed_scales_give_integer_sums(n in 1usize..70, m in 1usize..9, groups in 1usize..9, seed: u64) {
            let k = groups * GROUP;
            let (w, x) = (noise(n * k, seed), noise(m * k, seed ^ 7));
            let byte = |v: f32| (v * 140.0).round_ties_even().clamp(-127.0, 127.0) as i8;
            for level in Level::all() {
                let mut packed = PackedQ8::new(level, n, k);
                packed.fill(|j, values, scales| {
                    values.iter_mut().zip(&w[j * k..][..k]).for_each(|(v, w)| *v = byte(*w));
                    scales.fill(f16::ONE);
                });
                let rows = QuantizedRows::with_multiplier(level, &x, m, k, 140.0);
                let mut out = vec![f32::NAN; m * n];
                let first = n.div_ceil(PANEL) / 2;
                packed.multiply_panels(&rows, first..n.div_ceil(PANEL), &mut out);
                packed.multiply_panels(&rows, 0..first, &mut out);
                for (i, got) in out.iter().enumerate() {
                    let (row, column) = (&x[i / n * k..][..k], &w[i % n * k..][..k]);
                    let want: i32 = row.iter().zip(column).map(|(a, b)| i32::from(byte(*a)) * i32::from(byte(*b))).sum();
                    prop_assert_eq!(*got, want as f32, "{}", level.name());
                }
            }
        }
    }

    /// Ties between two roundings, groups of zeros, numbers too small for a scale, and what is no number.
    #[test]
    fn every_level_rounds_activations_alike() {
        let (m, k) = (5, 7 * GROUP);
        let mut x = noise(m * k, 3);
        x.iter_mut().enumerate().for_each(|(i, x)| match i / GROUP {
            0 => *x = 0.0,
            1 => *x = [63.5, -127.0, 0.5, -1.5][i % 4],
            2 => *x *= 1e-41,
            3 if i % 5 == 0 => *x = f32::INFINITY,
            4 => *x = -x.abs(),
            5 if i % 9 == 0 => *x = f32::NAN,
            _ => {}
        });
        let want = QuantizedRows::new(Level::SCALAR, &x, m, k);
        for level in Level::all() {
            let got = QuantizedRows::new(level, &x, m, k);
            assert_eq!(got.values, want.values, "{}", level.name());
            assert_eq!(got.corrections, want.corrections, "{}", level.name());
            let bits = |scales: &[f32]| scales.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&got.scales), bits(&want.scales), "{}", level.name());
        }
    }

    #[test]
    fn extreme_weights_do_not_saturate() {
        let (n, k) = (16, 64);
        let want = 127.0 / 127.0 * k as f32;
        for level in Level::all() {
            let out = product(level, &vec![-1.0; n * k], &vec![-1.0; k], n, 1, k);
            assert!(out.iter().all(|y| (y - want).abs() < 0.05), "{}: {out:?}", level.name());
        }
    }
}
