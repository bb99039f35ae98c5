//! [`super::matmul_bf16`] with `vdpbf16ps`: tiles of rows × panels, sums in registers.
use super::matmul_bf16::{PANEL, PackedBf16, Rows};
use super::matmul_q8_x86::drive;
use super::parallel::Shared;
use std::arch::x86_64::*;
use std::ops::Range;

/// # Safety
/// The processor has AVX-512 BF16; `panels` and `rows` are inside the matrices; `out` is [m, n] and no other thread writes
/// the columns of `panels`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
pub unsafe fn avx512(w: &PackedBf16, x: &Rows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    // SAFETY: passed on.
    unsafe { drive!(tile(w, x, panels, rows, out), heights: [6 4 3 2 1], wide: 4, flat: 8) }
}

/// R rows × C panels: R·C + C + 1 registers of 32.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
unsafe fn tile<const R: usize, const C: usize>(w: &PackedBf16, x: &Rows, panel: usize, row: usize, out: Shared<f32>) {
    let (n, width) = (w.n, x.width);
    // SAFETY: `panel + C` panels of 16·width words and `row + R` rows of `width` words exist by the caller's contract.
    // A register of 32 numbers of 16 bits is one of 16 words.
    unsafe {
        let weights = w.words.as_ptr().add(panel * PANEL * width);
        let inputs = x.words.as_ptr().add(row * width);
        let mut sums = [[_mm512_setzero_ps(); C]; R];
        for i in 0..width {
            let mut b = [_mm512_setzero_si512(); C];
            for c in 0..C {
                b[c] = _mm512_loadu_si512(weights.add((c * width + i) * PANEL).cast());
            }
            for r in 0..R {
                let a: __m512bh = std::mem::transmute(_mm512_set1_epi32(*inputs.add(r * width + i) as i32));
                for c in 0..C {
                    sums[r][c] = _mm512_dpbf16_ps(sums[r][c], a, std::mem::transmute::<__m512i, __m512bh>(b[c]));
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
