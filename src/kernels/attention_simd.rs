//! The two inner loops of attention with AVX-512, AVX2 and NEON: several heads that share a key or value row are
//! computed at once, their sums in registers, each row read once.

/// A module `$name` with `scores` and `weigh` over vectors of `$lanes` floats; `$fma`(a, b, c) is a·b + c.
macro_rules! attention_kernels {
    ($arch:ident, $name:ident, $features:literal, $vector:ty, $lanes:literal, $zero:path, $load:path, $store:path, $fma:path, $set:path) => {
        pub mod $name {
            use crate::kernels::attention::Shape;
            use std::arch::$arch::*;

            const LANES: usize = $lanes;

            /// See [`crate::kernels::attention`]'s scalar `scores`.
            ///
            /// # Safety
            /// The processor has the features; `q` is [heads·dim]; every row lies inside `k`; `out` has
            /// heads × rows numbers.
            #[target_feature(enable = $features)]
            pub unsafe fn scores(q: &[f32], k: &[f32], rows: &[u32], shape: Shape, out: &mut [f32]) {
                let share = shape.heads / shape.kv_heads;
                for kv_head in 0..shape.kv_heads {
                    let mut head = kv_head * share;
                    let end = head + share;
                    while head < end {
                        // SAFETY: passed on.
                        unsafe {
                            head += match end - head {
                                4.. => score_heads::<4>(q, k, rows, shape, kv_head, head, out),
                                2.. => score_heads::<2>(q, k, rows, shape, kv_head, head, out),
                                _ => score_heads::<1>(q, k, rows, shape, kv_head, head, out),
                            };
                        }
                    }
                }
            }

            /// H heads from `head` on against all rows; returns H.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn score_heads<const H: usize>(
                q: &[f32],
                k: &[f32],
                rows: &[u32],
                shape: Shape,
                kv_head: usize,
                head: usize,
                out: &mut [f32],
            ) -> usize {
                let dim = shape.head_dim;
                let whole = dim / LANES * LANES;
                for (j, &row) in rows.iter().enumerate() {
                    let offset = row as usize * shape.kv_heads * dim + kv_head * dim;
                    debug_assert!(offset + dim <= k.len());
                    // SAFETY: the row lies inside `k` and the heads inside `q` by the caller's contract; all reads
                    // stay below `whole` ≤ dim.
                    let mut sums = unsafe {
                        let key = k.as_ptr().add(offset);
                        let query = q.as_ptr().add(head * dim);
                        let mut sums = [[$zero(); 2]; H];
                        let mut i = 0;
                        while i + 2 * LANES <= whole {
                            let (a, b) = ($load(key.add(i)), $load(key.add(i + LANES)));
                            for h in 0..H {
                                sums[h][0] = $fma($load(query.add(h * dim + i)), a, sums[h][0]);
                                sums[h][1] = $fma($load(query.add(h * dim + i + LANES)), b, sums[h][1]);
                            }
                            i += 2 * LANES;
                        }
                        if i < whole {
                            let a = $load(key.add(i));
                            for h in 0..H {
                                sums[h][0] = $fma($load(query.add(h * dim + i)), a, sums[h][0]);
                            }
                        }
                        sums.map(|s| reduce(s))
                    };
                    for h in 0..H {
                        for i in whole..dim {
                            sums[h] += q[(head + h) * dim + i] * k[offset + i];
                        }
                        out[(head + h) * rows.len() + j] = sums[h] * shape.scale;
                    }
                }
                H
            }

            /// Sum of all lanes, in a fixed order.
            #[inline]
            #[target_feature(enable = $features)]
            fn reduce(sums: [$vector; 2]) -> f32 {
                let mut lanes = [[0f32; LANES]; 2];
                // SAFETY: each array has exactly a vector's room.
                unsafe {
                    $store(lanes[0].as_mut_ptr(), sums[0]);
                    $store(lanes[1].as_mut_ptr(), sums[1]);
                }
                let mut four = [0f32; 4];
                for i in 0..LANES {
                    four[i % 4] += lanes[0][i] + lanes[1][i];
                }
                (four[0] + four[1]) + (four[2] + four[3])
            }

            /// See [`crate::kernels::attention`]'s scalar `weigh`.
            ///
            /// # Safety
            /// As [`scores`], for `v`; `weights` has heads × rows numbers and `out` heads·dim.
            #[target_feature(enable = $features)]
            pub unsafe fn weigh(weights: &[f32], v: &[f32], rows: &[u32], shape: Shape, out: &mut [f32]) {
                let share = shape.heads / shape.kv_heads;
                for kv_head in 0..shape.kv_heads {
                    let mut head = kv_head * share;
                    let end = head + share;
                    while head < end {
                        // SAFETY: passed on.
                        unsafe {
                            head += match end - head {
                                4.. => weigh_heads::<4>(weights, v, rows, shape, kv_head, head, out),
                                2.. => weigh_heads::<2>(weights, v, rows, shape, kv_head, head, out),
                                _ => weigh_heads::<1>(weights, v, rows, shape, kv_head, head, out),
                            };
                        }
                    }
                }
            }

            /// H heads from `head` on; returns H.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn weigh_heads<const H: usize>(
                weights: &[f32],
                v: &[f32],
                rows: &[u32],
                shape: Shape,
                kv_head: usize,
                head: usize,
                out: &mut [f32],
            ) -> usize {
                let dim = shape.head_dim;
                let (whole, stride) = (dim / LANES * LANES, shape.kv_heads * dim);
                let mut i = 0;
                while i < whole {
                    // Two vectors of columns at a time, or the last one alone.
                    let two = i + 2 * LANES <= whole;
                    let mut sums = [[$zero(); 2]; H];
                    for (j, &row) in rows.iter().enumerate() {
                        debug_assert!(row as usize * stride + kv_head * dim + dim <= v.len());
                        // SAFETY: the row lies inside `v` by the caller's contract and i + LANES (·2 if `two`) ≤ dim.
                        unsafe {
                            let value = v.as_ptr().add(row as usize * stride + kv_head * dim + i);
                            let a = $load(value);
                            let b = if two { $load(value.add(LANES)) } else { $zero() };
                            for h in 0..H {
                                let weight = $set(*weights.get_unchecked((head + h) * rows.len() + j));
                                sums[h][0] = $fma(weight, a, sums[h][0]);
                                sums[h][1] = $fma(weight, b, sums[h][1]);
                            }
                        }
                    }
                    for h in 0..H {
                        let out = &mut out[(head + h) * dim + i..];
                        // SAFETY: `out` has dim − i ≥ LANES (·2 if `two`) numbers from here.
                        unsafe {
                            $store(out.as_mut_ptr(), sums[h][0]);
                            if two {
                                $store(out.as_mut_ptr().add(LANES), sums[h][1]);
                            }
                        }
                    }
                    i += if two { 2 * LANES } else { LANES };
                }
                for h in head..head + H {
                    for i in whole..dim {
                        let terms = rows.iter().enumerate();
                        out[h * dim + i] = terms
                            .map(|(j, &r)| weights[h * rows.len() + j] * v[r as usize * stride + kv_head * dim + i])
                            .sum();
                    }
                }
                H
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
attention_kernels!(
    x86_64,
    wide,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    __m512,
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_set1_ps
);
#[cfg(target_arch = "x86_64")]
attention_kernels!(
    x86_64,
    narrow,
    "avx2,fma",
    __m256,
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_set1_ps
);
#[cfg(target_arch = "aarch64")]
attention_kernels!(
    aarch64,
    neon,
    "neon",
    float32x4_t,
    4,
    super::zero_neon,
    vld1q_f32,
    vst1q_f32,
    super::fma_neon,
    vdupq_n_f32
);

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_f32};

#[cfg(target_arch = "aarch64")]
#[inline]
#[target_feature(enable = "neon")]
fn zero_neon() -> float32x4_t {
    vdupq_n_f32(0.0)
}

/// a·b + c, in the order of x86's arguments.
#[cfg(target_arch = "aarch64")]
#[inline]
#[target_feature(enable = "neon")]
fn fma_neon(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    vfmaq_f32(c, a, b)
}
