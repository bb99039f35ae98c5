//! [`super::matmul_q4`] with AVX-512 VNNI, with AVX-VNNI and with AVX2: tiles of rows × panels, sums in registers, halves of
//! bytes taken apart on the way.
use super::matmul_q4::{GROUP_BYTES, Inputs, PackedQ4};
use super::matmul_q8::{GROUP, PANEL};
use super::matmul_q8_x86::{add_group, drive, scale256, store256};
use super::parallel::Shared;
use std::arch::x86_64::*;
use std::ops::Range;

/// # Safety
/// The processor has the level's features; `panels` and `rows` are inside the matrices; `out` is [m, n] and
/// no other thread writes the columns of `panels`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub unsafe fn avx512(w: &PackedQ4, x: &Inputs<'_>, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    // SAFETY: passed on.
    unsafe { drive!(tile512(w, x, panels, rows, out), heights: [6 4 3 2 1], wide: 2, flat: 4) }
}

/// R rows × C panels: 2·R·C + 2·C + 3 registers of 32.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
unsafe fn tile512<const R: usize, const C: usize>(
    w: &PackedQ4,
    x: &Inputs<'_>,
    panel: usize,
    row: usize,
    out: Shared<f32>,
) {
    let (k, n, groups) = (w.k, w.n, w.k / GROUP);
    // SAFETY: `panel + C` panels and `row + R` rows exist by the caller's contract, and the offsets below stay
    // inside them: bytes has 8·k a panel, scales and minimums 16·k/32, values k a row, row scales and sums k/32.
    unsafe {
        let bytes = w.bytes.as_ptr().add(panel * groups * GROUP_BYTES);
        let scales = w.scales.as_ptr().add(panel * PANEL * groups);
        let minimums = w.minimums.as_ptr().add(panel * PANEL * groups);
        let values = x.rows.values.as_ptr().add(row * k);
        let row_scales = x.rows.scales.as_ptr().add(row * groups);
        let row_sums = x.sums.as_ptr().add(row * groups);
        let half = _mm512_set1_epi8(0x0f);
        let mut sums = [[_mm512_setzero_ps(); C]; R];
        for group in 0..groups {
            let mut dots = [[_mm512_setzero_si512(); C]; R];
            for quad in 0..4 {
                let (mut low, mut high) = ([_mm512_setzero_si512(); C], [_mm512_setzero_si512(); C]);
                for c in 0..C {
                    let at = (c * groups + group) * GROUP_BYTES + quad * PANEL * 4;
                    let both = _mm512_loadu_si512(bytes.add(at).cast());
                    low[c] = _mm512_and_si512(both, half);
                    high[c] = _mm512_and_si512(_mm512_srli_epi16(both, 4), half);
                }
                for r in 0..R {
                    let a = values.add(r * k + group * GROUP + quad * 4).cast::<i32>();
                    let first = _mm512_set1_epi32(a.read_unaligned());
                    let second = _mm512_set1_epi32(a.add(GROUP / 8).read_unaligned());
                    for c in 0..C {
                        dots[r][c] = _mm512_dpbusd_epi32(dots[r][c], low[c], first);
                        dots[r][c] = _mm512_dpbusd_epi32(dots[r][c], high[c], second);
                    }
                }
            }
            for c in 0..C {
                let at = (c * groups + group) * PANEL;
                let scale = _mm512_cvtph_ps(_mm256_loadu_si256(scales.add(at).cast()));
                let minimum = _mm512_cvtph_ps(_mm256_loadu_si256(minimums.add(at).cast()));
                for r in 0..R {
                    let both = _mm512_mul_ps(scale, _mm512_set1_ps(*row_scales.add(r * groups + group)));
                    let less = _mm512_mul_ps(minimum, _mm512_set1_ps(*row_sums.add(r * groups + group)));
                    sums[r][c] = _mm512_add_ps(sums[r][c], _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][c]), both));
                    sums[r][c] = _mm512_sub_ps(sums[r][c], less);
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

/// A 256-bit version: R rows × C panels of two 8-column halves. `$dot` adds eight columns' products with four
/// activations each to what `$whole` makes sums in 32 bits of.
macro_rules! level256 {
    ($(#[$doc:meta])* $run:ident, $tile:ident, $features:literal, $dot:ident, $whole:ident, flat: $flat:literal) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As [`avx512`].
        #[target_feature(enable = $features)]
        pub unsafe fn $run(w: &PackedQ4, x: &Inputs<'_>, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
            // SAFETY: passed on.
            unsafe { drive!($tile(w, x, panels, rows, out), heights: [2 1], wide: 1, flat: $flat) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn $tile<const R: usize, const C: usize>(
            w: &PackedQ4,
            x: &Inputs<'_>,
            panel: usize,
            row: usize,
            out: Shared<f32>,
        ) {
            let (k, n, groups) = (w.k, w.n, w.k / GROUP);
            // SAFETY: as in `tile512`.
            unsafe {
                let bytes = w.bytes.as_ptr().add(panel * groups * GROUP_BYTES);
                let scales = w.scales.as_ptr().add(panel * PANEL * groups);
                let minimums = w.minimums.as_ptr().add(panel * PANEL * groups);
                let low_half = _mm256_set1_epi8(0x0f);
                let mut sums = [[[_mm256_setzero_ps(); 2]; C]; R];
                for group in 0..groups {
                    let mut dots = [[[_mm256_setzero_si256(); 2]; C]; R];
                    for quad in 0..4 {
                        for c in 0..C {
                            for half in 0..2 {
                                let at = (c * groups + group) * GROUP_BYTES + quad * PANEL * 4 + half * 32;
                                let both = _mm256_loadu_si256(bytes.add(at).cast());
                                let low = _mm256_and_si256(both, low_half);
                                let high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half);
                                for r in 0..R {
                                    let at = (row + r) * k + group * GROUP + quad * 4;
                                    let a = x.rows.values.as_ptr().add(at).cast::<i32>();
                                    let first = _mm256_set1_epi32(a.read_unaligned());
                                    let second = _mm256_set1_epi32(a.add(GROUP / 8).read_unaligned());
                                    dots[r][c][half] = $dot(dots[r][c][half], low, first);
                                    dots[r][c][half] = $dot(dots[r][c][half], high, second);
                                }
                            }
                        }
                    }
                    for c in 0..C {
                        for half in 0..2 {
                            let at = (c * groups + group) * PANEL + half * 8;
                            let (scale, minimum) = (scale256(scales.add(at)), scale256(minimums.add(at)));
                            for r in 0..R {
                                let at = (row + r) * groups + group;
                                let less = _mm256_mul_ps(minimum, _mm256_set1_ps(x.sums[at]));
                                let dots = $whole(dots[r][c][half]);
                                let sum = add_group(sums[r][c][half], dots, scale, x.rows.scales[at]);
                                sums[r][c][half] = _mm256_sub_ps(sum, less);
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
    };
}

#[inline]
#[target_feature(enable = "avxvnni,avx2")]
fn dot_vnni(sum: __m256i, b: __m256i, a: __m256i) -> __m256i {
    _mm256_dpbusd_avx_epi32(sum, b, a)
}

#[inline]
#[target_feature(enable = "avxvnni,avx2")]
fn as_is(sum: __m256i) -> __m256i {
    sum
}

/// In 16 bits: a group adds eight pairs of at most 15·127 each, 30,480 in all.
#[inline]
#[target_feature(enable = "avx2")]
fn dot_avx2(sum: __m256i, b: __m256i, a: __m256i) -> __m256i {
    _mm256_add_epi16(sum, _mm256_maddubs_epi16(b, a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn pairs(sum: __m256i) -> __m256i {
    _mm256_madd_epi16(sum, _mm256_set1_epi16(1))
}

level256!(
    /// 256-bit `vpdpbusd`.
    avxvnni, tile_vnni256, "avxvnni,avx2,fma,f16c", dot_vnni, as_is, flat: 2
);
level256!(
    /// Plain AVX2.
    avx2, tile_avx2, "avx2,fma,f16c", dot_avx2, pairs, flat: 1
);
