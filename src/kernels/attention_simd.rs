//! The two inner loops of attention with AVX-512, AVX2 and NEON: several heads that share a key or value row are
//! computed at once, their sums in registers, each row read once.

/// A module `$name` with `scores` and `weigh` over vectors of `$lanes` floats; `$fma`(a, b, c) is a·b + c, `$reduce` adds
/// up all lanes of two vectors.
macro_rules! attention_kernels {
    ($arch:ident, $name:ident, $features:literal, $vector:ty, $lanes:literal, $zero:path, $load:path, $store:path, $fma:path, $set:path, $reduce:path) => {
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
                                4.. => score_heads::<4, 1>(q, k, rows, shape, kv_head, head, out),
                                2.. => score_heads::<2, 2>(q, k, rows, shape, kv_head, head, out),
                                _ => score_heads::<1, 4>(q, k, rows, shape, kv_head, head, out),
                            };
                        }
                    }
                }
            }

            /// H heads from `head` on against all rows, R of them at a time, so that there are sums enough to hide the
            /// latency of each; returns H.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn score_heads<const H: usize, const R: usize>(
                q: &[f32],
                k: &[f32],
                rows: &[u32],
                shape: Shape,
                kv_head: usize,
                head: usize,
                out: &mut [f32],
            ) -> usize {
                let (blocks, rest) = rows.as_chunks::<R>();
                // SAFETY: passed on.
                unsafe {
                    for (i, block) in blocks.iter().enumerate() {
                        score_rows::<H, R>(q, k, block, shape, kv_head, head, &mut out[i * R..], rows.len());
                    }
                    for (i, &row) in rest.iter().enumerate() {
                        let at = blocks.len() * R + i;
                        score_rows::<H, 1>(q, k, &[row], shape, kv_head, head, &mut out[at..], rows.len());
                    }
                }
                H
            }

            /// H heads from `head` on against R rows; `out` begins with the first row of head 0, heads are `stride` apart.
            #[inline]
            #[target_feature(enable = $features)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn score_rows<const H: usize, const R: usize>(
                q: &[f32],
                k: &[f32],
                rows: &[u32; R],
                shape: Shape,
                kv_head: usize,
                head: usize,
                out: &mut [f32],
                stride: usize,
            ) {
                let dim = shape.head_dim;
                let whole = dim / LANES * LANES;
                let mut offsets = [0; R];
                for r in 0..R {
                    offsets[r] = rows[r] as usize * shape.kv_heads * dim + kv_head * dim;
                    debug_assert!(offsets[r] + dim <= k.len());
                }
                let mut sums = [[[$zero(); 2]; H]; R];
                // SAFETY: the rows lie inside `k` and the heads inside `q` by the caller's contract; all reads stay below
                // `whole` ≤ dim.
                unsafe {
                    let query = q.as_ptr().add(head * dim);
                    let mut i = 0;
                    while i + 2 * LANES <= whole {
                        for r in 0..R {
                            let key = k.as_ptr().add(offsets[r] + i);
                            let (a, b) = ($load(key), $load(key.add(LANES)));
                            for h in 0..H {
                                sums[r][h][0] = $fma($load(query.add(h * dim + i)), a, sums[r][h][0]);
                                sums[r][h][1] = $fma($load(query.add(h * dim + i + LANES)), b, sums[r][h][1]);
                            }
                        }
                        i += 2 * LANES;
                    }
                    if i < whole {
                        for r in 0..R {
                            let a = $load(k.as_ptr().add(offsets[r] + i));
                            for h in 0..H {
                                sums[r][h][0] = $fma($load(query.add(h * dim + i)), a, sums[r][h][0]);
                            }
                        }
                    }
                }
                for r in 0..R {
                    for h in 0..H {
                        let mut sum = $reduce(sums[r][h]);
                        for i in whole..dim {
                            sum += q[(head + h) * dim + i] * k[offsets[r] + i];
                        }
                        out[(head + h) * stride + r] = sum * shape.scale;
                    }
                }
            }

            /// Sum of all lanes, in a fixed order.
            #[inline]
            #[target_feature(enable = $features)]
            #[allow(dead_code)]
            pub fn reduce(sums: [$vector; 2]) -> f32 {
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
                    // As many columns at a time as there are sums to hide the latency of each, eight in all.
                    // SAFETY: passed on; so many vectors of columns are left.
                    let vectors = unsafe {
                        match (whole - i) / LANES {
                            8.. if H == 1 => weigh_columns::<H, 8>(weights, v, rows, shape, kv_head, head, i, out),
                            4.. if H <= 2 => weigh_columns::<H, 4>(weights, v, rows, shape, kv_head, head, i, out),
                            2.. => weigh_columns::<H, 2>(weights, v, rows, shape, kv_head, head, i, out),
                            _ => weigh_columns::<H, 1>(weights, v, rows, shape, kv_head, head, i, out),
                        }
                    };
                    i += vectors * LANES;
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

            /// V vectors of columns from `first` on; returns V.
            #[inline]
            #[target_feature(enable = $features)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn weigh_columns<const H: usize, const V: usize>(
                weights: &[f32],
                v: &[f32],
                rows: &[u32],
                shape: Shape,
                kv_head: usize,
                head: usize,
                first: usize,
                out: &mut [f32],
            ) -> usize {
                let (dim, stride) = (shape.head_dim, shape.kv_heads * shape.head_dim);
                let mut sums = [[$zero(); V]; H];
                for (j, &row) in rows.iter().enumerate() {
                    debug_assert!(row as usize * stride + kv_head * dim + dim <= v.len());
                    // SAFETY: the row lies inside `v` by the caller's contract and first + V·LANES ≤ dim.
                    unsafe {
                        let value = v.as_ptr().add(row as usize * stride + kv_head * dim + first);
                        let mut weight = [$zero(); H];
                        for h in 0..H {
                            weight[h] = $set(*weights.get_unchecked((head + h) * rows.len() + j));
                        }
                        for c in 0..V {
                            let value = $load(value.add(c * LANES));
                            for h in 0..H {
                                sums[h][c] = $fma(weight[h], value, sums[h][c]);
                            }
                        }
                    }
                }
                for h in 0..H {
                    let out = &mut out[(head + h) * dim + first..][..V * LANES];
                    for c in 0..V {
                        // SAFETY: `out` has V vectors' room.
                        unsafe { $store(out.as_mut_ptr().add(c * LANES), sums[h][c]) }
                    }
                }
                V
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
    _mm512_set1_ps,
    reduce
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
    _mm256_set1_ps,
    super::reduce_avx2
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
    vdupq_n_f32,
    reduce
);

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_f32};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

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

/// As `reduce`, in the same order, without going through memory.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn reduce_avx2(sums: [__m256; 2]) -> f32 {
    let eight = _mm256_add_ps(sums[0], sums[1]);
    let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
    let two = _mm_add_ps(four, _mm_movehdup_ps(four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehl_ps(two, two)))
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::kernels::{Level, level::Isa};

    #[test]
    fn lanes_add_up_in_the_same_order_in_registers_as_in_memory() {
        if !Level::all().any(|level| level.isa() == Isa::Avx2) {
            return println!("no AVX2 here");
        }
        for seed in 0..200u32 {
            let lane = |i: u32| ((seed * 16 + i).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5) * 1e3;
            let lanes: [f32; 16] = std::array::from_fn(|i| lane(i as u32));
            // SAFETY: the processor has AVX2, and each half of the array is a vector.
            unsafe {
                let sums = [_mm256_loadu_ps(lanes.as_ptr()), _mm256_loadu_ps(lanes[8..].as_ptr())];
                assert_eq!(reduce_avx2(sums).to_bits(), narrow::reduce(sums).to_bits());
            }
        }
    }
}
