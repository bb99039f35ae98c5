//! Statistics of repeated timings: medians and spread rather than a mean that one hiccup spoils.
use serde::{Deserialize, Serialize};

/// Order statistics of a sample of numbers, in the sample's own unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Numbers in the sample.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation of the sample (n - 1).
    pub deviation: f64,
    /// The least.
    pub min: f64,
    /// A quarter lies below.
    pub p25: f64,
    /// Half lies below.
    pub median: f64,
    /// Three quarters lie below.
    pub p75: f64,
    /// 90 of 100 lie below.
    pub p90: f64,
    /// 95 of 100 lie below.
    pub p95: f64,
    /// 99 of 100 lie below.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Timing {
    /// Summarizes a sample; numbers that aren't finite are left out. All zero for an empty sample.
    pub fn of(sample: &[f64]) -> Self {
        let mut sorted: Vec<f64> = sample.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        if n == 0 {
            return Self::default();
        }
        let mean = sorted.iter().sum::<f64>() / n as f64;
        let variance = sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n.max(2) - 1) as f64;
        let at = |q| percentile(&sorted, q);
        Self {
            count: n,
            mean,
            deviation: variance.sqrt(),
            min: sorted[0],
            p25: at(25.0),
            median: at(50.0),
            p75: at(75.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            max: sorted[n - 1],
        }
    }

    /// Summarizes durations, in seconds.
    pub fn of_durations(sample: &[std::time::Duration]) -> Self {
        Self::of(&sample.iter().map(std::time::Duration::as_secs_f64).collect::<Vec<_>>())
    }

    /// Width of the middle half (75th minus 25th percentile): the spread that outliers leave alone.
    pub fn spread(&self) -> f64 {
        self.p75 - self.p25
    }
}

/// The `q`-th percentile (0 to 100) of an ascending sample, interpolated linearly as numpy does; 0 if it is empty.
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = (q / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    sorted[below] + (sorted[(below + 1).min(last)] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_and_the_order_of_the_sample_is_of_no_matter() {
        let t = Timing::of(&[4.0, 1.0, 3.0, 2.0, f64::NAN]);
        assert_eq!((t.count, t.min, t.p25, t.median, t.p75, t.max), (4, 1.0, 1.75, 2.5, 3.25, 4.0));
        assert!((t.deviation - 1.290_994).abs() < 1e-5);
        assert_eq!(t.spread(), 1.5);
        assert_eq!(Timing::of(&[]), Timing::default());
        assert_eq!(Timing::of(&[7.0]).p99, 7.0);
        assert_eq!(Timing::of(&[7.0]).deviation, 0.0);
    }
}
