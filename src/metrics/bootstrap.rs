//! Paired bootstrap resampling (Koehn, 2004) between two systems, with sacrebleu's p-value and interval.
use super::CorpusMetric;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::{Deserialize, Serialize};

/// sacrebleu's defaults.
pub const DEFAULT_RESAMPLES: usize = 1000;
/// sacrebleu's default seed.
pub const DEFAULT_SEED: u64 = 12345;

/// Two systems compared on the same sentences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedBootstrap {
    /// Scores of the whole corpus: baseline, system.
    pub scores: [f64; 2],
    /// Mean over the resamples and half the width of the 95 % interval: baseline, system.
    pub means: [f64; 2],
    /// Half the width of the 95 % interval: baseline, system.
    pub intervals: [f64; 2],
    /// Probability of a difference this large by chance.
    pub p_value: f64,
    /// Resamples drawn.
    pub resamples: usize,
    /// What they were drawn with.
    pub seed: u64,
}

/// Compares two systems given each one's per-sentence statistics (rows of equal length).
///
/// The same sentences are drawn for both. The generator differs from numpy's, so the last digits differ from
/// sacrebleu's; the same seed gives the same numbers here.
pub fn paired_bootstrap(
    metric: &dyn CorpusMetric,
    baseline: &[Vec<f64>],
    system: &[Vec<f64>],
    resamples: usize,
    seed: u64,
) -> PairedBootstrap {
    let n = baseline.len().min(system.len());
    let total = |rows: &[Vec<f64>]| metric.score(&super::sum(rows[..n].iter().cloned()));
    let scores = [total(baseline), total(system)];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draws: [Vec<f64>; 2] = [Vec::with_capacity(resamples), Vec::with_capacity(resamples)];
    let width = baseline.first().map_or(0, Vec::len);
    let mut sums = [vec![0.0; width], vec![0.0; width]];
    for _ in 0..resamples {
        sums.iter_mut().for_each(|s| s.fill(0.0));
        for _ in 0..n {
            let i = rng.random_range(0..n);
            for (sum, row) in sums.iter_mut().zip([&baseline[i], &system[i]]) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            }
        }
        for (draws, sum) in draws.iter_mut().zip(&sums) {
            draws.push(metric.score(sum));
        }
    }
    let differences: Vec<f64> = draws[0].iter().zip(&draws[1]).map(|(a, b)| (a - b).abs()).collect();
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    let real = (scores[0] - scores[1]).abs();
    // `>` and not `>=`: a system compared with itself is not different by chance
    let beyond = differences.iter().filter(|&&d| d - mean > real).count();
    let summaries = draws.map(mean_and_interval);
    PairedBootstrap {
        scores,
        means: summaries.map(|s| s.0),
        intervals: summaries.map(|s| s.1),
        p_value: (beyond + 1) as f64 / (resamples + 1) as f64,
        resamples,
        seed,
    }
}

fn mean_and_interval(mut scores: Vec<f64>) -> (f64, f64) {
    scores.sort_by(f64::total_cmp);
    let n = scores.len();
    if n == 0 {
        return (0.0, 0.0);
    }
    let lower = n / 40;
    (scores.iter().sum::<f64>() / n as f64, 0.5 * (scores[n - lower - 1] - scores[lower]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Chrf;

    #[test]
    fn a_better_system_is_told_from_chance_and_an_equal_one_is_not() {
        let metric = Chrf::default();
        let references: Vec<String> =
            (0..60).map(|i| format!("sentence number {i} speaks of rivers and boats")).collect();
        let rows = |hypotheses: &[String]| -> Vec<Vec<f64>> {
            hypotheses.iter().zip(&references).map(|(h, r)| metric.statistics(h, &[r])).collect()
        };
        let bad: Vec<String> = references.iter().map(|r| r.replace("rivers", "lakes and hills")).collect();
        let better = paired_bootstrap(&metric, &rows(&bad), &rows(&references), 200, 1);
        assert!(better.p_value < 0.01, "{better:?}");
        assert!((better.scores[1] - 100.0).abs() < 1e-9);
        // half of the sentences damaged here, the other half there: no difference
        let (a, b): (Vec<String>, Vec<String>) = (0..60)
            .map(|i| {
                if i % 2 == 0 {
                    (bad[i].clone(), references[i].clone())
                } else {
                    (references[i].clone(), bad[i].clone())
                }
            })
            .unzip();
        let same = paired_bootstrap(&metric, &rows(&a), &rows(&b), 200, 1);
        assert!(same.p_value > 0.2, "{same:?}");
        assert_eq!(same, paired_bootstrap(&metric, &rows(&a), &rows(&b), 200, 1));
    }
}
