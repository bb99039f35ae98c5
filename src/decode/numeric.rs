//! Passes over a row of logits, written so that the compiler turns them into vector code on any machine.
//! They work on lanes of [`LANES`] numbers: sums over floats are not reordered by the compiler itself.

const LANES: usize = 16;

/// e^x for x ≤ 0 (relative error below 2e-7 down to −87, below that 0 or nearly).
///
/// Cephes' `expf`: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial of degree 6 in r, and n added to the exponent.
#[inline(always)]
fn exp_nonpositive(x: f32) -> f32 {
    // Adding and subtracting 1.5·2^23 rounds to an integer without an instruction that old machines lack.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    f32::from_bits(((p.to_bits() as i32).wrapping_add(exponent << 23)) as u32)
}

/// The greatest number (NaN is passed over; −∞ for an empty row).
pub(crate) fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

/// First index of `value` in the row.
pub(crate) fn position(row: &[f32], value: f32) -> Option<usize> {
    let mut start = 0;
    for chunk in row.chunks(LANES) {
        // A fold instead of `any`, which would leave the loop early and keep it scalar.
        if chunk.iter().fold(false, |found, &x| found | (x == value)) {
            return chunk.iter().position(|&x| x == value).map(|i| start + i);
        }
        start += chunk.len();
    }
    None
}

/// Natural logarithm of Σ e^(x − max), where `max` is the row's maximum. NaN in the row comes out as NaN.
pub(crate) fn log_sum_exp(row: &[f32], max: f32) -> f32 {
    // Blocks of 4096 keep the float sums short, hence exact to about 1e-6 for any vocabulary.
    let mut total = 0f64;
    for block in row.chunks(4096) {
        let mut lanes = [0f32; LANES];
        let chunks = block.chunks_exact(LANES);
        let rest: f32 = chunks.remainder().iter().map(|&x| exp_or_nan(x - max)).sum();
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += exp_or_nan(x - max);
            }
        }
        total += f64::from(lanes.iter().sum::<f32>() + rest);
    }
    total.ln() as f32
}

/// [`exp_nonpositive`] that lets NaN through, so that a broken network is noticed.
#[inline(always)]
fn exp_or_nan(x: f32) -> f32 {
    let e = exp_nonpositive(x);
    if x.is_nan() { x } else { e }
}

/// The `k` greatest numbers with their indices, best first, the lower index first among equals. −∞ is no candidate.
pub(crate) fn top_k(row: &[f32], k: usize, best: &mut Vec<(f32, u32)>) {
    best.clear();
    let mut threshold = f32::NEG_INFINITY;
    for (block, chunk) in row.chunks(LANES).enumerate() {
        if !chunk.iter().fold(false, |found, &x| found | (x > threshold)) {
            continue;
        }
        for (lane, &x) in chunk.iter().enumerate() {
            if x > threshold {
                let place = best.partition_point(|&(other, _)| other >= x);
                best.insert(place, (x, (block * LANES + lane) as u32));
                best.truncate(k);
                if best.len() == k {
                    threshold = best[k - 1].0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exp_is_right_to_a_millionth() {
        for i in 0..=870_000 {
            let x = -(i as f32) / 10_000.0;
            let (got, want) = (f64::from(exp_nonpositive(x)), f64::from(x).exp());
            assert!(((got - want) / want).abs() < 1e-6, "e^{x}: {got} for {want}");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert!(exp_nonpositive(f32::NEG_INFINITY) < 1e-37);
        assert!(exp_nonpositive(-1e9) < 1e-37);
    }

    #[test]
    fn nan_is_noticed() {
        for length in [1, 16, 17, 5000] {
            let mut row = vec![0.5; length];
            row[length - 1] = f32::NAN;
            assert!(log_sum_exp(&row, max(&row)).is_nan(), "length {length}");
        }
    }

    proptest! {
        #[test]
        fn log_sum_exp_equals_the_plain_sum(row in prop::collection::vec(-40f32..40.0, 1..10_000)) {
            let m = max(&row);
            prop_assert_eq!(m, row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let want = row.iter().map(|&x| f64::from(x - m).exp()).sum::<f64>().ln();
            prop_assert!((f64::from(log_sum_exp(&row, m)) - want).abs() < 2e-6);
            prop_assert_eq!(position(&row, m), row.iter().position(|&x| x == m));
        }

        #[test]
        fn top_k_equals_a_stable_sort(row in prop::collection::vec((-9i8..9).prop_map(f32::from), 0..100), k in 1usize..20) {
            let mut sorted: Vec<(f32, u32)> = row.iter().copied().zip(0..).collect();
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
            sorted.truncate(k);
            let mut best = Vec::new();
            top_k(&row, k, &mut best);
            prop_assert_eq!(best, sorted);
        }
    }
}
