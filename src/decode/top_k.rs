//! The best few of a row of scores, without sorting the rest.
use crate::kernels::float::LANES;

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

    proptest! {
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
