//! [`super::matmul_q8`] with AVX-512 VNNI, with AVX-VNNI and with AVX2: tiles of rows × panels, sums in registers.
use super::matmul_q8::{GROUP, GROUP_BYTES, PANEL, PackedQ8, QuantizedRows};
use super::parallel::Shared;
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
pub(super) use drive;

/// # Safety
/// The processor has the level's features; `panels` and `rows` are inside the matrices; `out` is [m, n] and
/// no other thread writes the columns of `panels`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub unsafe fn avx512(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    // SAFETY: passed on.
    unsafe { drive!(tile512(w, x, panels, rows, out), heights: [6 4 3 2 1], wide: 2, flat: 4) }
}

/// R rows × C panels: 2·R·C + C + 1 registers of 32.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
unsafe fn tile512<const R: usize, const C: usize>(
    w: &PackedQ8,
    x: &QuantizedRows,
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
                    b[c] = _mm512_loadu_si512(bytes.add(c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4).cast());
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
///
/// # Safety
/// The processor has AVX2, and `out` has room for `width` floats.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn store256(sums: [__m256; 2], out: *mut f32, width: usize) {
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

/// A 256-bit version: R rows × C panels of two 8-column halves. `$prepare` makes of eight columns' weights what `$dot`
/// multiplies with four activations each; `$corrected`: the weights carry an offset of 128.
macro_rules! level256 {
    ($(#[$doc:meta])* $run:ident, $tile:ident, $features:literal, $prepare:ident, $dot:ident, corrected: $corrected:literal, flat: $flat:literal) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As [`avx512`].
        #[target_feature(enable = $features)]
        pub unsafe fn $run(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
            // SAFETY: passed on.
            unsafe { drive!($tile(w, x, panels, rows, out), heights: [2 1], wide: 1, flat: $flat) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn $tile<const R: usize, const C: usize>(
            w: &PackedQ8,
            x: &QuantizedRows,
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
                    if $corrected {
                        for r in 0..R {
                            let correction = *x.corrections.as_ptr().add((row + r) * groups + group);
                            dots[r] = [[_mm256_set1_epi32(correction); 2]; C];
                        }
                    }
                    for quad in 0..GROUP / 4 {
                        for c in 0..C {
                            for half in 0..2 {
                                let at = c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4 + half * 32;
                                let b = $prepare(_mm256_loadu_si256(bytes.add(at).cast()));
                                for r in 0..R {
                                    let a = x.values.as_ptr().add((row + r) * k + group * GROUP + quad * 4);
                                    let a = _mm256_set1_epi32(a.cast::<i32>().read_unaligned());
                                    dots[r][c][half] = $dot(dots[r][c][half], b, a);
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
    };
}

/// Unsigned weights as they are.
#[inline]
#[target_feature(enable = "avxvnni,avx2")]
fn as_is(b: __m256i) -> __m256i {
    b
}

#[inline]
#[target_feature(enable = "avxvnni,avx2")]
fn dot_vnni(sum: __m256i, b: __m256i, a: __m256i) -> __m256i {
    _mm256_dpbusd_avx_epi32(sum, b, a)
}

/// Signed weights as (|w|, w).
#[inline]
#[target_feature(enable = "avx2")]
fn with_magnitude(b: __m256i) -> (__m256i, __m256i) {
    (_mm256_sign_epi8(b, b), b)
}

/// `vpmaddubsw` of |w| and a with w's sign: at most 2·127·127, so nothing saturates.
#[inline]
#[target_feature(enable = "avx2")]
fn dot_avx2(sum: __m256i, (magnitude, b): (__m256i, __m256i), a: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a, b));
    _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}

level256!(
    /// 256-bit `vpdpbusd`.
    avxvnni, tile_vnni256, "avxvnni,avx2,fma,f16c", as_is, dot_vnni, corrected: true, flat: 2
);
level256!(
    /// Plain AVX2, for signed weights.
    avx2, tile_avx2, "avx2,fma,f16c", with_magnitude, dot_avx2, corrected: false, flat: 1
);
