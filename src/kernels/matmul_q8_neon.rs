//! [`super::matmul_q8`] on ARM: with plain NEON, with `sdot` (dotprod) and with `smmla` (i8mm). Tiles of up to four
//! rows × half a panel, sums in registers.
//!
//! `sdot` and `smmla` are written as inline assembly: Rust's intrinsics for them are not stable in its oldest version
//! that this crate builds with.
use super::matmul_q8::{GROUP, GROUP_BYTES, PANEL, PackedQ8, QuantizedRows};
use super::parallel::Shared;
use std::arch::aarch64::*;
use std::arch::asm;
use std::ops::Range;

/// Columns of a tile: two vectors of sums for each row.
const HALF: usize = PANEL / 2;

/// Runs `$tile::<R>` over both halves of all panels of a range and all rows, the greatest of `heights` that fits.
macro_rules! drive {
    ($tile:ident($w:ident, $x:ident, $panels:ident, $rows:ident, $out:ident), heights: [$($h:literal)*]) => {
        for panel in $panels {
            for half in 0..2 {
                let mut row = $rows.start;
                while row < $rows.end {
                    $(if $rows.end - row >= $h { $tile::<$h>($w, $x, panel, half, row, $out); row += $h; continue; })*
                }
            }
        }
    };
}

/// What all tiles do after a group's integer sums: sums += dots · (weight scale · row scale), in the scalar twin's order.
///
/// # Safety
/// `scales` points at the [`HALF`] scales of these columns, `row_scales` at the first row's scale of this group, those
/// of the next rows `stride` further on.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn add_group<const R: usize>(
    sums: &mut [[float32x4_t; 2]; R],
    dots: [[int32x4_t; 2]; R],
    scales: *const half::f16,
    row_scales: *const f32,
    stride: usize,
) {
    // SAFETY: by the contract above, 16 bytes are read from `scales`, one float a row from `row_scales`.
    unsafe {
        let halves = vld1q_u16(scales.cast());
        let (low, high): (float32x4_t, float32x4_t);
        asm!("fcvtl {0:v}.4s, {1:v}.4h", out(vreg) low, in(vreg) halves, options(pure, nomem, nostack, preserves_flags));
        asm!("fcvtl2 {0:v}.4s, {1:v}.8h", out(vreg) high, in(vreg) halves, options(pure, nomem, nostack, preserves_flags));
        for r in 0..R {
            let row_scale = vdupq_n_f32(*row_scales.add(r * stride));
            for (c, scale) in [low, high].into_iter().enumerate() {
                let product = vmulq_f32(vcvtq_f32_s32(dots[r][c]), vmulq_f32(scale, row_scale));
                sums[r][c] = vaddq_f32(sums[r][c], product);
            }
        }
    }
}

/// Writes the sums of a tile, the last panel's in part.
///
/// # Safety
/// `out` is the first column of the first row, in a matrix of `n` columns that has R rows from there and `width` ≤
/// [`HALF`] columns.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn store<const R: usize>(sums: &[[float32x4_t; 2]; R], out: *mut f32, n: usize, width: usize) {
    for (r, sums) in sums.iter().enumerate() {
        // SAFETY: by the contract above; the buffer has exactly a tile's columns.
        unsafe {
            if width == HALF {
                vst1q_f32(out.add(r * n), sums[0]);
                vst1q_f32(out.add(r * n + 4), sums[1]);
            } else {
                let mut buffer = [0f32; HALF];
                vst1q_f32(buffer.as_mut_ptr(), sums[0]);
                vst1q_f32(buffer.as_mut_ptr().add(4), sums[1]);
                std::ptr::copy_nonoverlapping(buffer.as_ptr(), out.add(r * n), width);
            }
        }
    }
}

/// A version whose instruction multiplies four columns' runs of four weights with one row's four activations: `$dot`::<LANE>
/// adds the products with the LANE'th four of 16 activations.
macro_rules! runs_of_four {
    ($(#[$doc:meta])* $run:ident, $tile:ident, $dots:ident, $features:literal, $dot:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has the level's features; `panels` and `rows` are inside the matrices; `out` is [m, n] and
        /// no other thread writes the columns of `panels`.
        #[target_feature(enable = $features)]
        pub unsafe fn $run(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
            // SAFETY: passed on.
            unsafe { drive!($tile(w, x, panels, rows, out), heights: [4 2 1]) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn $tile<const R: usize>(
            w: &PackedQ8,
            x: &QuantizedRows,
            panel: usize,
            half: usize,
            row: usize,
            out: Shared<f32>,
        ) {
            let (k, n, groups) = (w.k, w.n, w.k / GROUP);
            let column = panel * PANEL + half * HALF;
            if column >= n {
                return;
            }
            // SAFETY: the panel and `row + R` rows exist by the caller's contract, and the offsets below stay inside
            // them: bytes has 16·k a panel, scales 16·k/32, values k a row.
            unsafe {
                let bytes = w.bytes.as_ptr().add(panel * PANEL * k + half * HALF * 4);
                let scales = w.scales.as_ptr().add(panel * PANEL * groups + half * HALF);
                let values = x.values.as_ptr().add(row * k);
                let row_scales = x.scales.as_ptr().add(row * groups);
                let mut sums = [[vdupq_n_f32(0.0); 2]; R];
                for group in 0..groups {
                    let mut dots = [[vdupq_n_s32(0); 2]; R];
                    for part in 0..2 {
                        let mut a = [vdupq_n_s8(0); R];
                        for r in 0..R {
                            a[r] = vld1q_s8(values.add(r * k + group * GROUP + part * 16));
                        }
                        let block = bytes.add(group * GROUP_BYTES + part * (GROUP_BYTES / 2));
                        $dots::<R, 0>(&mut dots, &a, block);
                        $dots::<R, 1>(&mut dots, &a, block.add(4 * PANEL));
                        $dots::<R, 2>(&mut dots, &a, block.add(8 * PANEL));
                        $dots::<R, 3>(&mut dots, &a, block.add(12 * PANEL));
                    }
                    add_group(&mut sums, dots, scales.add(group * PANEL), row_scales.add(group), groups);
                }
                store(&sums, out.at(row * n + column), n, HALF.min(n - column));
            }
        }

        /// One run of four inputs of half a panel, against the LANE'th four of each row's activations.
        ///
        /// # Safety
        /// 32 bytes lie behind `block`.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn $dots<const R: usize, const LANE: i32>(
            dots: &mut [[int32x4_t; 2]; R],
            a: &[int8x16_t; R],
            block: *const u8,
        ) {
            // SAFETY: by the contract above.
            let b = unsafe { [vld1q_s8(block.cast()), vld1q_s8(block.add(16).cast())] };
            for r in 0..R {
                for c in 0..2 {
                    dots[r][c] = $dot::<LANE>(dots[r][c], b[c], a[r]);
                }
            }
        }
    };
}

/// Products in 16 bits, added in pairs: at most 2·127·128, so nothing overflows.
#[inline]
#[target_feature(enable = "neon")]
fn dot_neon<const LANE: i32>(sum: int32x4_t, b: int8x16_t, a: int8x16_t) -> int32x4_t {
    let a = vreinterpretq_s8_s32(vdupq_laneq_s32::<LANE>(vreinterpretq_s32_s8(a)));
    let (low, high) = (vmull_s8(vget_low_s8(b), vget_low_s8(a)), vmull_high_s8(b, a));
    vpadalq_s16(sum, vpaddq_s16(low, high))
}

/// `sdot` with one lane of the activations.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot_sdot<const LANE: i32>(mut sum: int32x4_t, b: int8x16_t, a: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction only reads and writes these registers, and the feature is enabled.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {b:v}.16b, {a:v}.4b[{lane}]",
            sum = inout(vreg) sum, b = in(vreg) b, a = in(vreg) a, lane = const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

runs_of_four!(
    /// What every 64-bit ARM has.
    neon, tile_neon, dots_neon, "neon", dot_neon
);
runs_of_four!(
    /// `sdot`.
    dotprod, tile_sdot, dots_sdot, "neon,dotprod", dot_sdot
);

/// `smmla` for pairs of rows, `sdot` for a single one.
///
/// # Safety
/// As [`neon`].
#[target_feature(enable = "neon,dotprod,i8mm")]
pub unsafe fn i8mm(w: &PackedQ8, x: &QuantizedRows, panels: Range<usize>, rows: Range<usize>, out: Shared<f32>) {
    // SAFETY: passed on.
    unsafe { drive!(tile_i8mm(w, x, panels, rows, out), heights: [4 2 1]) }
}

/// sum += two rows of `a` (8 numbers each) times two of `b`: [a0·b0, a0·b1, a1·b0, a1·b1].
#[inline]
#[target_feature(enable = "neon,dotprod,i8mm")]
fn smmla(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction only reads and writes these registers, and the feature is enabled.
    unsafe {
        asm!(
            "smmla {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// sum += four neighboring products of `a` and `b`, four times.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: as in `smmla`.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

#[inline]
#[target_feature(enable = "neon,dotprod,i8mm")]
unsafe fn tile_i8mm<const R: usize>(
    w: &PackedQ8,
    x: &QuantizedRows,
    panel: usize,
    half: usize,
    row: usize,
    out: Shared<f32>,
) {
    const RUN: usize = 8;
    let (k, n, groups) = (w.k, w.n, w.k / GROUP);
    let column = panel * PANEL + half * HALF;
    if column >= n {
        return;
    }
    // SAFETY: as in the tiles of runs of four.
    unsafe {
        let bytes = w.bytes.as_ptr().add(panel * PANEL * k + half * HALF * RUN);
        let scales = w.scales.as_ptr().add(panel * PANEL * groups + half * HALF);
        let values = x.values.as_ptr().add(row * k);
        let row_scales = x.scales.as_ptr().add(row * groups);
        let mut sums = [[vdupq_n_f32(0.0); 2]; R];
        for group in 0..groups {
            // [two rows][two columns] for each pair of rows and of columns; of a single row the two halves of each sum.
            let mut pairs = [[vdupq_n_s32(0); 4]; R];
            for run in 0..GROUP / RUN {
                let block = bytes.add(group * GROUP_BYTES + run * PANEL * RUN);
                let mut b = [vdupq_n_s8(0); 4];
                for c in 0..4 {
                    b[c] = vld1q_s8(block.add(c * 16).cast());
                }
                let a = values.add(group * GROUP + run * RUN);
                for pair in 0..R.div_ceil(2) {
                    let first = vld1_s8(a.add(2 * pair * k));
                    let second = if R == 1 { first } else { vld1_s8(a.add((2 * pair + 1) * k)) };
                    let a = vcombine_s8(first, second);
                    for c in 0..4 {
                        pairs[pair][c] =
                            if R == 1 { sdot(pairs[pair][c], a, b[c]) } else { smmla(pairs[pair][c], a, b[c]) };
                    }
                }
            }
            let mut dots = [[vdupq_n_s32(0); 2]; R];
            for c in 0..2 {
                if R == 1 {
                    dots[0][c] = vpaddq_s32(pairs[0][2 * c], pairs[0][2 * c + 1]);
                    continue;
                }
                for pair in 0..R / 2 {
                    let (left, right) =
                        (vreinterpretq_s64_s32(pairs[pair][2 * c]), vreinterpretq_s64_s32(pairs[pair][2 * c + 1]));
                    dots[2 * pair][c] = vreinterpretq_s32_s64(vzip1q_s64(left, right));
                    dots[2 * pair + 1][c] = vreinterpretq_s32_s64(vzip2q_s64(left, right));
                }
            }
            add_group(&mut sums, dots, scales.add(group * PANEL), row_scales.add(group), groups);
        }
        store(&sums, out.at(row * n + column), n, HALF.min(n - column));
    }
}
