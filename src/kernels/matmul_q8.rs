//! y = x·Wᵀ with 8-bit weights in groups of 32 along the input dimension, each group with its own scale (the
//! arithmetic of GGUF's Q8_0), activations quantised the same way on the fly, sums in i32 within a group
//! and in f32 across groups.
//!
//! Weights are packed once at load in panels of 16 output columns: for each 4 inputs, 16 columns × 4 bytes,
//! one 512-bit register. The panel is the outer loop and the rows of a batch the inner one, so a panel stays in the
//! nearest cache for the whole batch.
use super::level::Level;
use super::parallel::{self, Shared};
use half::f16;

/// Output columns in a panel.
pub const PANEL: usize = 16;
/// Inputs that share a scale.
pub const GROUP: usize = 32;
/// Bytes of a group in a panel.
const GROUP_BYTES: usize = GROUP * PANEL;
/// Rows whose quantised activations are kept in the second-level cache while panels pass by.
const ROW_BLOCK_BYTES: usize = 256 * 1024;

/// A weight matrix [n, k] packed for the kernels of one [`Level`].
pub struct PackedQ8 {
    level: Level,
    n: usize,
    k: usize,
    /// [n/16][k/4][16][4], as u8 with an offset of 128 where the level wants that.
    bytes: Vec<u8>,
    /// [n/16][k/32][16].
    scales: Vec<f16>,
}

/// Activations [m, k] in 8 bits.
pub struct QuantisedRows {
    m: usize,
    k: usize,
    values: Vec<i8>,
    /// [m][k/32].
    scales: Vec<f32>,
    /// [m][k/32]: −128 · Σ values, which takes the weights' offset out again.
    corrections: Vec<i32>,
}

impl PackedQ8 {
    /// Room for [n, k]; `k` must be a multiple of 32. Rows are filled in with [`PackedQ8::set_rows`].
    pub fn new(level: Level, n: usize, k: usize) -> Self {
        assert!(k % GROUP == 0, "input dimension {k} is not a multiple of {GROUP}");
        let panels = n.div_ceil(PANEL);
        let zero = if level.unsigned_weights() { 128 } else { 0 };
        Self {
            level,
            n,
            k,
            bytes: vec![zero; panels * PANEL * k],
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
        let groups = k / GROUP;
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
                    for (quad, chunk) in values.as_chunks::<4>().0.iter().enumerate() {
                        let to = (quad * PANEL + column) * 4;
                        for i in 0..4 {
                            bytes[to + i] = chunk[i] as u8 ^ offset;
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
        packed.fill(|j, values, scales| quantise_weights(&weights[j * k..][..k], values, scales));
        packed
    }

    /// Writes x·Wᵀ to `out` [m, n], where `x` has been quantised by [`QuantisedRows`].
    pub fn multiply(&self, x: &QuantisedRows, out: &mut [f32]) {
        assert_eq!(x.k, self.k, "activations and weights differ in their inner dimension");
        assert_eq!(out.len(), x.m * self.n);
        let shared = Shared::new(out);
        let row_block = (ROW_BLOCK_BYTES / self.k).max(16);
        // Below some 64 kB of weights a thread's wake-up costs more than its work.
        let grain = (65_536 / (self.k * PANEL) / x.m.clamp(1, 8)).max(2);
        parallel::ranges(self.n.div_ceil(PANEL), grain, |panels| {
            for first in (0..x.m).step_by(row_block) {
                let rows = first..(first + row_block).min(x.m);
                match self.level {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the level was available when the matrix was packed; panels and rows lie inside the
                    // buffers, and each thread writes the columns of its own panels only.
                    Level::Avx512Vnni => unsafe { x86::avx512(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Level::AvxVnni => unsafe { x86::avxvnni(self, x, panels.clone(), rows, shared) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Level::Avx2 => unsafe { x86::avx2(self, x, panels.clone(), rows, shared) },
                    _ => scalar(self, x, panels.clone(), rows, shared),
                }
            }
        });
    }
}

/// Rounds one row of weights to 8 bits, a scale for each 32 (as GGUF's Q8_0 does).
pub fn quantise_weights(row: &[f32], values: &mut [i8], scales: &mut [f16]) {
    for ((group, out), scale) in row.chunks(GROUP).zip(values.chunks_mut(GROUP)).zip(scales) {
        let largest = group.iter().fold(0f32, |m, x| m.max(x.abs()));
        *scale = f16::from_f32(largest / 127.0);
        let inverse = if *scale > f16::ZERO { 1.0 / scale.to_f32() } else { 0.0 };
        for (x, q) in group.iter().zip(out) {
            *q = (x * inverse).round_ties_even().clamp(-127.0, 127.0) as i8;
        }
    }
}

impl QuantisedRows {
    /// Quantises activations `x` [m, k], k a multiple of 32.
    pub fn new(level: Level, x: &[f32], m: usize, k: usize) -> Self {
        assert!(x.len() == m * k && k % GROUP == 0);
        let groups = k / GROUP;
        let mut rows =
            Self { m, k, values: vec![0; m * k], scales: vec![0.0; m * groups], corrections: vec![0; m * groups] };
        let values = Shared::new(&mut rows.values);
        let scales = Shared::new(&mut rows.scales);
        let corrections = Shared::new(&mut rows.corrections);
        parallel::ranges(m, (32_768 / k).max(1), |range| {
            let (start, len) = (range.start, range.len());
            // SAFETY: `ranges` hands each row out once.
            let (values, scales, corrections) = unsafe {
                (
                    values.slice(start * k, len * k),
                    scales.slice(start * groups, len * groups),
                    corrections.slice(start * groups, len * groups),
                )
            };
            quantise(level, &x[start * k..range.end * k], values, scales, corrections);
        });
        rows
    }
}

super::level::multiversion! {
    /// Quantises whole groups.
    fn quantise(x: &[f32], values: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) = quantise_body
}

#[inline(always)]
fn quantise_body(x: &[f32], values: &mut [i8], scales: &mut [f32], corrections: &mut [i32]) {
    const MAGIC: f32 = 12_582_912.0; // adding it rounds to the nearest integer, kept in the low bits
    let (groups, _) = x.as_chunks::<GROUP>();
    let (outs, _) = values.as_chunks_mut::<GROUP>();
    for (((group, out), scale), correction) in groups.iter().zip(outs).zip(scales).zip(corrections) {
        let mut lanes = [0f32; 16];
        for i in 0..16 {
            let (a, b) = (group[i].abs(), group[i + 16].abs());
            lanes[i] = if a > b { a } else { b };
        }
        let mut largest = 0f32;
        for lane in lanes {
            largest = if lane > largest { lane } else { largest };
        }
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
    x: &QuantisedRows,
    panels: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    out: Shared<f32>,
) {
    let groups = w.k / GROUP;
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
                for (quad, a) in values.as_chunks::<4>().0.iter().enumerate() {
                    for (column, dot) in dots.iter_mut().enumerate() {
                        for i in 0..4 {
                            let b = (block[(quad * PANEL + column) * 4 + i] ^ offset) as i8;
                            *dot += i32::from(a[i]) * i32::from(b);
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::x86_64::*;
    use std::ops::Range;

    /// Runs `$tile::<R, C>` over all panels of a range and all rows: the greatest of `heights` that fits, `wide`
    /// panels at a time (a single row: `flat` panels, which hides the latency of its one accumulator a panel).
    macro_rules! drive {
        ($tile:ident($w:ident, $x:ident, $panels:ident, $rows:ident, $out:ident), heights: [$($h:literal)*], wide: $wide:literal, flat: $flat:literal) => {{
            let mut panel = $panels.start;
            while panel < $panels.end {
                let mut row = $rows.start;
                let left = $panels.end - panel;
                if $rows.len() == 1 && left >= $flat {
                    $tile::<1, $flat>($w, $x, panel, row, $out);
                    panel += $flat;
                } else if left >= $wide {
                    while row < $rows.end {
                        $(if $rows.end - row >= $h { $tile::<$h, $wide>($w, $x, panel, row, $out); row += $h; continue; })*
                    }
                    panel += $wide;
                } else {
                    while row < $rows.end {
                        $(if $rows.end - row >= $h { $tile::<$h, 1>($w, $x, panel, row, $out); row += $h; continue; })*
                    }
                    panel += 1;
                }
            }
        }};
    }

    /// # Safety
    /// The processor has the level's features; `panels` and `rows` are inside the matrices; `out` is [m, n] and
    /// no other thread writes the columns of `panels`.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub unsafe fn avx512(w: &PackedQ8, x: &QuantisedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
        // SAFETY: passed on.
        unsafe { drive!(tile512(w, x, panels, rows, out), heights: [6 4 3 2 1], wide: 2, flat: 4) }
    }

    /// R rows × C panels: 2·R·C + C + 1 registers of 32.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    unsafe fn tile512<const R: usize, const C: usize>(
        w: &PackedQ8,
        x: &QuantisedRows,
        panel: usize,
        row: usize,
        out: Shared<f32>,
    ) {
        let (k, n, groups) = (w.k, w.n, w.k / GROUP);
        // SAFETY: `panel + C` panels and `row + R` rows exist by the caller's contract, and the offsets below stay
        // inside them: bytes has 16·k a panel, scales 16·k/32, values k a row.
        unsafe {
            let bytes = w.bytes.as_ptr().add(panel * PANEL * k);
            let scales = w.scales.as_ptr().add(panel * PANEL * groups);
            let values = x.values.as_ptr().add(row * k);
            let row_scales = x.scales.as_ptr().add(row * groups);
            let corrections = x.corrections.as_ptr().add(row * groups);
            let mut sums = [[_mm512_setzero_ps(); C]; R];
            for group in 0..groups {
                let mut dots = [[_mm512_setzero_si512(); C]; R];
                for r in 0..R {
                    dots[r] = [_mm512_set1_epi32(*corrections.add(r * groups + group)); C];
                }
                for quad in 0..GROUP / 4 {
                    let mut b = [_mm512_setzero_si512(); C];
                    for c in 0..C {
                        b[c] = _mm512_loadu_si512(
                            bytes.add(c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4).cast(),
                        );
                    }
                    for r in 0..R {
                        let a = values.add(r * k + group * GROUP + quad * 4).cast::<i32>().read_unaligned();
                        let a = _mm512_set1_epi32(a);
                        for c in 0..C {
                            dots[r][c] = _mm512_dpbusd_epi32(dots[r][c], b[c], a);
                        }
                    }
                }
                for c in 0..C {
                    let scale = _mm512_cvtph_ps(_mm256_loadu_si256(scales.add((c * groups + group) * PANEL).cast()));
                    for r in 0..R {
                        let both = _mm512_mul_ps(scale, _mm512_set1_ps(*row_scales.add(r * groups + group)));
                        sums[r][c] = _mm512_add_ps(sums[r][c], _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][c]), both));
                    }
                }
            }
            for r in 0..R {
                for c in 0..C {
                    let column = (panel + c) * PANEL;
                    let mask = ((1u32 << PANEL.min(n - column)) - 1) as u16;
                    _mm512_mask_storeu_ps(out.at((row + r) * n + column), mask, sums[r][c]);
                }
            }
        }
    }

    /// Stores the two halves of a panel's sums, the last panel in part.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn store256(sums: [__m256; 2], out: *mut f32, width: usize) {
        // SAFETY: `out` has room for `width` floats by the caller's contract.
        unsafe {
            if width == PANEL {
                _mm256_storeu_ps(out, sums[0]);
                _mm256_storeu_ps(out.add(8), sums[1]);
            } else {
                let mut buffer = [0f32; PANEL];
                _mm256_storeu_ps(buffer.as_mut_ptr(), sums[0]);
                _mm256_storeu_ps(buffer.as_mut_ptr().add(8), sums[1]);
                std::ptr::copy_nonoverlapping(buffer.as_ptr(), out, width);
            }
        }
    }

    /// # Safety
    /// As [`avx512`].
    #[target_feature(enable = "avxvnni,avx2,fma,f16c")]
    pub unsafe fn avxvnni(w: &PackedQ8, x: &QuantisedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
        // SAFETY: passed on.
        unsafe { drive!(tile_vnni256(w, x, panels, rows, out), heights: [2 1], wide: 1, flat: 2) }
    }

    /// R rows × C panels of two 8-column halves: 4·R·C + 2 registers of 16, so R·C ≤ 2… 3.
    #[inline]
    #[target_feature(enable = "avxvnni,avx2,fma,f16c")]
    unsafe fn tile_vnni256<const R: usize, const C: usize>(
        w: &PackedQ8,
        x: &QuantisedRows,
        panel: usize,
        row: usize,
        out: Shared<f32>,
    ) {
        let (k, n, groups) = (w.k, w.n, w.k / GROUP);
        // SAFETY: as in `tile512`.
        unsafe {
            let bytes = w.bytes.as_ptr().add(panel * PANEL * k);
            let scales = w.scales.as_ptr().add(panel * PANEL * groups);
            let mut sums = [[[_mm256_setzero_ps(); 2]; C]; R];
            for group in 0..groups {
                let mut dots = [[[_mm256_setzero_si256(); 2]; C]; R];
                for r in 0..R {
                    let correction = *x.corrections.as_ptr().add((row + r) * groups + group);
                    dots[r] = [[_mm256_set1_epi32(correction); 2]; C];
                }
                for quad in 0..GROUP / 4 {
                    for c in 0..C {
                        for half in 0..2 {
                            let at = c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4 + half * 32;
                            let b = _mm256_loadu_si256(bytes.add(at).cast());
                            for r in 0..R {
                                let a = x.values.as_ptr().add((row + r) * k + group * GROUP + quad * 4);
                                let a = _mm256_set1_epi32(a.cast::<i32>().read_unaligned());
                                dots[r][c][half] = _mm256_dpbusd_avx_epi32(dots[r][c][half], b, a);
                            }
                        }
                    }
                }
                for c in 0..C {
                    for half in 0..2 {
                        let at = (c * groups + group) * PANEL + half * 8;
                        let scale = _mm256_cvtph_ps(_mm_loadu_si128(scales.add(at).cast()));
                        for r in 0..R {
                            let row_scale = *x.scales.as_ptr().add((row + r) * groups + group);
                            let both = _mm256_mul_ps(scale, _mm256_set1_ps(row_scale));
                            let product = _mm256_mul_ps(_mm256_cvtepi32_ps(dots[r][c][half]), both);
                            sums[r][c][half] = _mm256_add_ps(sums[r][c][half], product);
                        }
                    }
                }
            }
            for r in 0..R {
                for c in 0..C {
                    let column = (panel + c) * PANEL;
                    store256(sums[r][c], out.at((row + r) * n + column), PANEL.min(n - column));
                }
            }
        }
    }

    /// # Safety
    /// As [`avx512`], for signed weights.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn avx2(w: &PackedQ8, x: &QuantisedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
        // SAFETY: passed on.
        unsafe { drive!(tile_avx2(w, x, panels, rows, out), heights: [2 1], wide: 1, flat: 1) }
    }

    /// Products through `vpmaddubsw` of |w| and a with w's sign: at most 2·127·127, so nothing saturates.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn tile_avx2<const R: usize, const C: usize>(
        w: &PackedQ8,
        x: &QuantisedRows,
        panel: usize,
        row: usize,
        out: Shared<f32>,
    ) {
        let (k, n, groups) = (w.k, w.n, w.k / GROUP);
        // SAFETY: as in `tile512`.
        unsafe {
            let bytes = w.bytes.as_ptr().add(panel * PANEL * k);
            let scales = w.scales.as_ptr().add(panel * PANEL * groups);
            let ones = _mm256_set1_epi16(1);
            let mut sums = [[[_mm256_setzero_ps(); 2]; C]; R];
            for group in 0..groups {
                let mut dots = [[[_mm256_setzero_si256(); 2]; C]; R];
                for quad in 0..GROUP / 4 {
                    for c in 0..C {
                        for half in 0..2 {
                            let at = c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4 + half * 32;
                            let b = _mm256_loadu_si256(bytes.add(at).cast());
                            let magnitude = _mm256_sign_epi8(b, b);
                            for r in 0..R {
                                let a = x.values.as_ptr().add((row + r) * k + group * GROUP + quad * 4);
                                let a = _mm256_set1_epi32(a.cast::<i32>().read_unaligned());
                                let pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a, b));
                                dots[r][c][half] = _mm256_add_epi32(dots[r][c][half], _mm256_madd_epi16(pairs, ones));
                            }
                        }
                    }
                }
                for c in 0..C {
                    for half in 0..2 {
                        let at = (c * groups + group) * PANEL + half * 8;
                        let scale = _mm256_cvtph_ps(_mm_loadu_si128(scales.add(at).cast()));
                        for r in 0..R {
                            let row_scale = *x.scales.as_ptr().add((row + r) * groups + group);
                            let both = _mm256_mul_ps(scale, _mm256_set1_ps(row_scale));
                            let product = _mm256_mul_ps(_mm256_cvtepi32_ps(dots[r][c][half]), both);
                            sums[r][c][half] = _mm256_add_ps(sums[r][c][half], product);
                        }
                    }
                }
            }
            for r in 0..R {
                for c in 0..C {
                    let column = (panel + c) * PANEL;
                    store256(sums[r][c], out.at((row + r) * n + column), PANEL.min(n - column));
                }
            }
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
        packed.multiply(&QuantisedRows::new(level, x, m, k), &mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// All levels give the very same bits as the scalar twin, for any shape.
        #[test]
        fn every_level_equals_the_scalar_twin(n in 1usize..70, m in 1usize..20, groups in 1usize..6, seed: u64) {
            let k = groups * GROUP;
            let (w, x) = (noise(n * k, seed), noise(m * k, seed ^ 7));
            let want = product(Level::Scalar, &w, &x, n, m, k);
            for level in Level::ALL.into_iter().filter(|l| l.available()) {
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

    #[test]
    fn extreme_weights_do_not_saturate() {
        let (n, k) = (16, 64);
        let want = 127.0 / 127.0 * k as f32;
        for level in Level::ALL.into_iter().filter(|l| l.available()) {
            let out = product(level, &vec![-1.0; n * k], &vec![-1.0; k], n, 1, k);
            assert!(out.iter().all(|y| (y - want).abs() < 0.05), "{}: {out:?}", level.name());
        }
    }
}
