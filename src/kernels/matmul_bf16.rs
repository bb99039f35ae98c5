//! y = x·Wᵀ with weights and activations as bfloat16, products and sums in f32: half the memory of the float path, and
//! twice its arithmetic where the processor has `vdpbf16ps` (Cooper Lake, Zen 4 and later).
//!
//! Panels of 16 output columns as in [`super::matmul_f32`]; two inputs lie together, because that is what the instruction
//! takes. Products of two such numbers are exact in f32, so that every version gives the same bits (denormal results,
//! which the instruction takes for zero, apart).
#[cfg(target_arch = "x86_64")]
use super::level::Isa;
use super::level::{Level, multiversion};
use super::parallel::{self, Shared, area};

/// Output columns in a panel.
pub(super) const PANEL: usize = 16;
/// Rows that the portable version computes at once.
const ROWS: usize = 4;

/// A weight matrix `[n, k]` in panels: `[n/16][k/2][16]`, the even input in the low half of a word, the odd one in the high half.
pub struct PackedBf16 {
    pub(super) n: usize,
    k: usize,
    pub(super) words: Vec<u32>,
}

/// Activations [m, k/2], two to a word.
pub(super) struct Rows {
    m: usize,
    /// Words of a row.
    pub(super) width: usize,
    pub(super) words: Vec<u32>,
}

/// The nearest bfloat16, ties to even, in the high half of a word.
#[inline(always)]
fn round(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000;
    // adding could make an infinity of what is not a number
    if x.is_nan() { bits | 0x0040_0000 } else { rounded }
}

multiversion! {
    /// Two numbers a word; a last one without a partner gets a zero.
    fn pair(x: &[f32], words: &mut [u32]) = pair_body
}

#[inline(always)]
fn pair_body(x: &[f32], words: &mut [u32]) {
    let (pairs, rest) = x.as_chunks::<2>();
    for (word, [even, odd]) in words.iter_mut().zip(pairs) {
        *word = round(*even) >> 16 | round(*odd) & 0xffff_0000;
    }
    if let ([last], Some(word)) = (rest, words.last_mut()) {
        *word = round(*last) >> 16;
    }
}

impl PackedBf16 {
    /// Packs row by row: `row(j, buffer)` fills in the k weights of output column `j`.
    pub fn pack(n: usize, k: usize, row: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let width = k.div_ceil(2);
        let mut words = vec![0u32; area(area(n.div_ceil(PANEL), PANEL), width)];
        let shared = Shared::new(&mut words);
        parallel::ranges(n.div_ceil(PANEL), 1, |panels| {
            let (mut buffer, mut pairs) = (vec![0f32; k], vec![0u32; width]);
            for panel in panels {
                // SAFETY: `ranges` hands each panel out once.
                let out = unsafe { shared.slice(panel * PANEL * width, PANEL * width) };
                for column in 0..PANEL.min(n - panel * PANEL) {
                    row(panel * PANEL + column, &mut buffer);
                    pair_body(&buffer, &mut pairs);
                    for (i, word) in pairs.iter().enumerate() {
                        out[i * PANEL + column] = *word;
                    }
                }
            }
        });
        Self { n, k, words }
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
        4 * self.words.len()
    }

    /// Whether the level's product is `vdpbf16ps`.
    pub fn is_native(level: Level) -> bool {
        #[cfg(target_arch = "x86_64")]
        return level.isa() == Isa::Avx512Vnni && is_x86_feature_detected!("avx512bf16");
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = level;
            false
        }
    }

    /// Writes x·Wᵀ to `out` [m, n] for `x` [m, k].
    pub fn multiply(&self, level: Level, x: &[f32], m: usize, out: &mut [f32]) {
        self.product(level, Self::is_native(level), x, m, out);
    }

    fn product(&self, level: Level, native: bool, x: &[f32], m: usize, out: &mut [f32]) {
        let (n, width) = (self.n, self.k.div_ceil(2));
        assert!(x.len() == area(m, self.k) && out.len() == area(m, n));
        let mut rows = Rows { m, width, words: vec![0; m * width] };
        for (x, words) in x.chunks_exact(self.k.max(1)).zip(rows.words.chunks_exact_mut(width.max(1))) {
            pair(level, x, words);
        }
        let shared = Shared::new(out);
        parallel::ranges(n.div_ceil(PANEL), (32_768 / (self.k * PANEL).max(1) / m.clamp(1, 8)).max(2), |panels| {
            #[cfg(target_arch = "x86_64")]
            if native {
                // SAFETY: `is_native` found the instruction; panels and rows lie inside the buffers, and each thread
                // writes the columns of its own panels only.
                unsafe { super::matmul_bf16_x86::avx512(self, &rows, panels, 0..m, shared) };
                return;
            }
            let _ = native;
            portable(level, self, &rows, panels, shared);
        });
    }
}

/// The twin that `vdpbf16ps` is compared with: same sums, same order.
fn portable(level: Level, w: &PackedBf16, x: &Rows, panels: std::ops::Range<usize>, out: Shared<f32>) {
    for panel in panels {
        let weights = &w.words[panel * PANEL * x.width..][..PANEL * x.width];
        let width = PANEL.min(w.n - panel * PANEL);
        let mut row = 0;
        while row < x.m {
            let rows = if x.m - row >= ROWS { ROWS } else { 1 };
            let mut sums = [[0f32; PANEL]; ROWS];
            let inputs = &x.words[row * x.width..][..rows * x.width];
            match rows {
                ROWS => tile4(level, weights, inputs, &mut sums),
                _ => tile1(level, weights, inputs, &mut sums),
            }
            for (r, sum) in sums.iter().enumerate().take(rows) {
                // SAFETY: these columns belong to this thread's panel.
                unsafe { out.slice((row + r) * w.n + panel * PANEL, width) }.copy_from_slice(&sum[..width]);
            }
            row += rows;
        }
    }
}

multiversion! {
    fn tile4(weights: &[u32], x: &[u32], sums: &mut [[f32; PANEL]; ROWS]) = tile_body::<4>
}
multiversion! {
    fn tile1(weights: &[u32], x: &[u32], sums: &mut [[f32; PANEL]; ROWS]) = tile_body::<1>
}

/// R rows against one panel, pairs of inputs in order, of each pair the odd one first, as `vdpbf16ps` does.
#[inline(always)]
fn tile_body<const R: usize>(weights: &[u32], x: &[u32], sums: &mut [[f32; PANEL]; ROWS]) {
    let width = weights.len() / PANEL;
    let halves = |word: u32| (f32::from_bits(word << 16), f32::from_bits(word & 0xffff_0000));
    let mut local = [[0f32; PANEL]; R];
    for (i, words) in weights.as_chunks::<PANEL>().0.iter().enumerate() {
        let (mut even, mut odd) = ([0f32; PANEL], [0f32; PANEL]);
        for c in 0..PANEL {
            (even[c], odd[c]) = halves(words[c]);
        }
        for r in 0..R {
            let (first, second) = halves(x[r * width + i]);
            for c in 0..PANEL {
                local[r][c] = (local[r][c] + second * odd[c]) + first * even[c];
            }
        }
    }
    sums[..R].copy_from_slice(&local);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin() + 0.01).collect()
    }

    fn product(level: Level, native: bool, shape: (usize, usize, usize), step: f32) -> Vec<f32> {
        let (n, m, k) = shape;
        let w = wave(n * k, step);
        let packed = PackedBf16::pack(n, k, |j, row| row.copy_from_slice(&w[j * k..][..k]));
        let mut out = vec![f32::NAN; m * n];
        packed.product(level, native, &wave(m * k, step + 0.1), m, &mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// The instruction and the portable version at every level give the same bits, for any shape.
        #[test]
        fn every_version_equals_the_scalar_twin(n in 1usize..150, m in 1usize..20, k in 1usize..70, step in 0.1f32..0.9) {
            let want = product(Level::SCALAR, false, (n, m, k), step);
            for level in Level::all() {
                prop_assert_eq!(&product(level, false, (n, m, k), step), &want, "{}", level.name());
                if PackedBf16::is_native(level) {
                    prop_assert_eq!(&product(level, true, (n, m, k), step), &want, "vdpbf16ps");
                }
            }
        }
    }

    #[test]
    fn close_to_the_float_product_and_independent_of_the_batch() {
        let (n, m, k) = (37, 7, 51);
        let (w, x) = (wave(n * k, 0.37), wave(m * k, 0.11));
        let packed = PackedBf16::pack(n, k, |j, row| row.copy_from_slice(&w[j * k..][..k]));
        let level = Level::detect();
        let mut out = vec![f32::NAN; m * n];
        packed.multiply(level, &x, m, &mut out);
        for r in 0..m {
            let mut alone = vec![f32::NAN; n];
            packed.multiply(level, &x[r * k..][..k], 1, &mut alone);
            assert_eq!(alone, out[r * n..][..n]);
            for j in 0..n {
                let want: f32 = (0..k).map(|i| x[r * k + i] * w[j * k + i]).sum();
                assert!((out[r * n + j] - want).abs() < 0.1, "{} for {want}", out[r * n + j]);
            }
        }
    }

    #[test]
    fn rounding_is_that_of_the_half_crate() {
        let odd = [0.0, -0.0, 1.0, 1.003_906_2, 1.011_718_8, -3.3e38, f32::MAX, f32::INFINITY, f32::NAN, -f32::NAN];
        for x in wave(1000, 0.7).into_iter().chain(odd) {
            assert_eq!(round(x) >> 16, u32::from(half::bf16::from_f32(x).to_bits()), "{x}");
        }
    }
}
