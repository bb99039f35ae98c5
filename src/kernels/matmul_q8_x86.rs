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

/// 256-bit `vpdpbusd`.
///
/// # Safety
/// As [`avx512`].
#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
pub unsafe fn avxvnni(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    // SAFETY: passed on.
    unsafe { drive!(tile_vnni256(w, x, panels, rows, out), heights: [2 1], wide: 1, flat: 2) }
}

/// R rows × C panels of two 8-column halves.
#[inline]
#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
unsafe fn tile_vnni256<const R: usize, const C: usize>(
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
                    let scale = scale256(scales.add((c * groups + group) * PANEL + half * 8));
                    for r in 0..R {
                        let row_scale = *x.scales.as_ptr().add((row + r) * groups + group);
                        sums[r][c][half] = add_group(sums[r][c][half], dots[r][c][half], scale, row_scale);
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

/// The scales of eight columns.
///
/// # Safety
/// The processor has F16C, and there are eight numbers at `scales`.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn scale256(scales: *const half::f16) -> __m256 {
    // SAFETY: by the contract above.
    unsafe { _mm256_cvtph_ps(_mm_loadu_si128(scales.cast())) }
}

/// `sum` + dots · (scale · row_scale), in the scalar twin's order and without fusing.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn add_group(sum: __m256, dots: __m256i, scale: __m256, row_scale: f32) -> __m256 {
    let both = _mm256_mul_ps(scale, _mm256_set1_ps(row_scale));
    _mm256_add_ps(sum, _mm256_mul_ps(_mm256_cvtepi32_ps(dots), both))
}

/// Plain AVX2. `vpmaddubsw` multiplies unsigned bytes with signed ones: magnitudes of activations, and weights negated
/// where the activation is negative. Flipping all bits negates but for one, so it costs one `vpxor` that any port takes;
/// what is missing is the sum of the magnitudes of negative activations, which the sums begin with. Pairs are at most
/// 2·127·128, so nothing saturates.
///
/// One row at a time: with four panels beside one another all sums stay in registers, and weights come from the nearest
/// cache as operands, which costs nothing beside four instructions on each. Two and more rows are slower on Zen 3.
///
/// # Safety
/// As [`avx512`].
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn avx2(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    let mut panel = panels.start;
    while panel < panels.end {
        let wide = match panels.end - panel {
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        for row in rows.clone() {
            // SAFETY: passed on; `wide` panels are left.
            unsafe {
                match wide {
                    4 => tile_avx2::<4>(w, x, panel, row, out),
                    2 => tile_avx2::<2>(w, x, panel, row, out),
                    _ => tile_avx2::<1>(w, x, panel, row, out),
                }
            }
        }
        panel += wide;
    }
}

/// One row × C panels of two 8-column halves.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn tile_avx2<const C: usize>(w: &PackedQ8, x: &QuantizedRows, panel: usize, row: usize, out: Shared<f32>) {
    let (k, n, groups) = (w.k, w.n, w.k / GROUP);
    // SAFETY: as in `tile512`; `split` has 2·k bytes a row and `missing` k/32 numbers, as `multiply_panels` checks.
    unsafe {
        let bytes = w.bytes.as_ptr().add(panel * PANEL * k);
        let scales = w.scales.as_ptr().add(panel * PANEL * groups);
        let split = x.split.as_ptr().add(row * 2 * k);
        let one = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_ps(); 2]; C];
        for group in 0..groups {
            let missing = *x.missing.as_ptr().add(row * groups + group);
            let mut dots = [[_mm256_set1_epi32(missing); 2]; C];
            for quad in 0..GROUP / 4 {
                let four = split.add((group * GROUP + quad * 4) * 2).cast::<i32>();
                let magnitudes = _mm256_set1_epi32(four.read_unaligned());
                let negative = _mm256_set1_epi32(four.add(1).read_unaligned());
                for c in 0..C {
                    for half in 0..2 {
                        let at = c * PANEL * k + group * GROUP_BYTES + quad * PANEL * 4 + half * 32;
                        let b = _mm256_xor_si256(_mm256_loadu_si256(bytes.add(at).cast()), negative);
                        let pairs = _mm256_maddubs_epi16(magnitudes, b);
                        dots[c][half] = _mm256_add_epi32(dots[c][half], _mm256_madd_epi16(pairs, one));
                    }
                }
            }
            let row_scale = *x.scales.as_ptr().add(row * groups + group);
            for c in 0..C {
                for half in 0..2 {
                    let scale = scale256(scales.add((c * groups + group) * PANEL + half * 8));
                    sums[c][half] = add_group(sums[c][half], dots[c][half], scale, row_scale);
                }
            }
        }
        for c in 0..C {
            let column = (panel + c) * PANEL;
            store256(sums[c], out.at(row * n + column), PANEL.min(n - column));
        }
    }
}

/// Takes groups of activations apart for [`avx2`]: of each four the magnitudes, then 255 where they are negative.
/// `missing` gets the sum of a group's negative ones, as a positive number.
///
/// # Safety
/// The processor has AVX2; there are 32 values and 64 bytes of `split` for each number of `missing`.
#[target_feature(enable = "avx2")]
pub unsafe fn split(values: &[i8], split: &mut [u8], missing: &mut [i32]) {
    debug_assert!(values.len() == missing.len() * GROUP && split.len() == 2 * values.len());
    for (group, missing) in missing.iter_mut().enumerate() {
        // SAFETY: the group's values and its part of `split` are there by the contract above.
        *missing = unsafe {
            let v = _mm256_loadu_si256(values.as_ptr().add(group * GROUP).cast());
            split_group(v, split.as_mut_ptr().add(group * GROUP * 2))
        };
    }
}

/// One group of [`split`]; returns what is missing.
///
/// # Safety
/// The processor has AVX2, and there is room for 64 bytes at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn split_group(v: __m256i, to: *mut u8) -> i32 {
    let zero = _mm256_setzero_si256();
    let (magnitudes, negative) = (_mm256_abs_epi8(v), _mm256_cmpgt_epi8(zero, v));
    // Fours 0, 1, 4, 5 and 2, 3, 6, 7, each beside its mask.
    let low = _mm256_unpacklo_epi32(magnitudes, negative);
    let high = _mm256_unpackhi_epi32(magnitudes, negative);
    // SAFETY: by the contract above.
    unsafe {
        _mm256_storeu_si256(to.cast(), _mm256_permute2x128_si256::<0x20>(low, high));
        _mm256_storeu_si256(to.add(GROUP).cast(), _mm256_permute2x128_si256::<0x31>(low, high));
    }
    let sums = _mm256_sad_epu8(_mm256_and_si256(magnitudes, negative), zero);
    let sums = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    _mm_cvtsi128_si32(sums) + _mm_extract_epi32::<2>(sums)
}

/// Where a group's rounded activations go.
pub struct Rounded<'a> {
    pub values: &'a mut [i8],
    pub scales: &'a mut [f32],
    pub corrections: &'a mut [i32],
    pub split: &'a mut [u8],
    pub missing: &'a mut [i32],
}

/// The twin of `quantize_body`, and [`split`] on the way: the compiler makes a third of the speed of it.
///
/// # Safety
/// The processor has AVX2; for each 32 numbers of `x` there are as many values, a number of each list, and 64 bytes of
/// `split`.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn quantize(x: &[f32], to: Rounded<'_>) {
    const MAGIC: f32 = 12_582_912.0; // as in `quantize_body`
    let (groups, _) = x.as_chunks::<GROUP>();
    debug_assert!(to.values.len() == x.len() && to.split.len() == 2 * x.len() && to.scales.len() == groups.len());
    let (magic, low_byte) = (_mm256_set1_ps(MAGIC), _mm256_set1_epi32(0xff));
    for (group, x) in groups.iter().enumerate() {
        let mut parts = [_mm256_setzero_ps(); 4];
        let mut largest = [_mm256_setzero_ps(); 2];
        for i in 0..4 {
            // SAFETY: a group has four vectors.
            parts[i] = unsafe { _mm256_loadu_ps(x.as_ptr().add(8 * i)) };
            let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), parts[i]);
            largest[i % 2] = _mm256_max_ps(magnitude, largest[i % 2]);
        }
        let largest = _mm256_max_ps(largest[0], largest[1]);
        let largest = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps::<1>(largest));
        let largest = _mm_max_ps(largest, _mm_movehl_ps(largest, largest));
        let largest = _mm_cvtss_f32(_mm_max_ss(largest, _mm_movehdup_ps(largest)));
        to.scales[group] = largest / 127.0;
        let inverse = _mm256_set1_ps(if largest > 0.0 { 127.0 / largest } else { 0.0 });
        let mut bytes = [_mm256_setzero_si256(); 4];
        let mut sum = _mm256_setzero_si256();
        for i in 0..4 {
            let shifted = _mm256_add_ps(_mm256_mul_ps(parts[i], inverse), magic);
            let q = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(magic));
            sum = _mm256_add_epi32(sum, q);
            bytes[i] = _mm256_and_si256(q, low_byte);
        }
        let halves = [_mm256_packus_epi32(bytes[0], bytes[1]), _mm256_packus_epi32(bytes[2], bytes[3])];
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let v = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(halves[0], halves[1]), order);
        let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
        let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum));
        to.corrections[group] = _mm_cvtsi128_si32(sum).wrapping_mul(-128);
        // SAFETY: the group's part of both is there by the contract above.
        to.missing[group] = unsafe {
            _mm256_storeu_si256(to.values.as_mut_ptr().add(group * GROUP).cast(), v);
            split_group(v, to.split.as_mut_ptr().add(group * GROUP * 2))
        };
    }
}
