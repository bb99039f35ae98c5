//! Rotary position embedding (Su et al. 2021), its table only as long as the positions seen so far.
use std::sync::{Arc, RwLock};

/// Rotation angles for one head size and base.
pub struct Rotary {
    dim: usize,
    inverse_frequencies: Vec<f64>,
    /// Pairs are (2i, 2i+1) instead of (i, i + dim/2).
    pub interleaved: bool,
    /// [positions][dim]: the cosines of the dim/2 frequencies, then their sines.
    table: RwLock<Arc<Vec<f32>>>,
}

impl Rotary {
    /// Frequencies base^(−2i/dim), positions divided by `factor` (linear scaling; 1: none).
    pub fn new(dim: usize, base: f64, factor: f64, interleaved: bool) -> Self {
        let inverse_frequencies = (0..dim / 2).map(|i| base.powf(-2.0 * i as f64 / dim as f64) / factor).collect();
        Self { dim, inverse_frequencies, interleaved, table: RwLock::default() }
    }

    /// The same with each frequency divided by a number of its own (Llama 3).
    pub fn with_factors(mut self, factors: &[f32]) -> Self {
        for (frequency, factor) in self.inverse_frequencies.iter_mut().zip(factors) {
            *frequency /= f64::from(*factor);
        }
        self
    }

    /// Size of the rotated head.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// A table of at least `positions` rows of `dim` numbers.
    pub fn table(&self, positions: usize) -> Arc<Vec<f32>> {
        // A poisoned lock still holds a valid table: it is replaced whole.
        let current = self.table.read().unwrap_or_else(|e| e.into_inner()).clone();
        if current.len() >= positions * self.dim {
            return current;
        }
        let rows = positions.next_power_of_two().max(64);
        let mut longer = Vec::with_capacity(rows * self.dim);
        for position in 0..rows {
            longer.extend(self.inverse_frequencies.iter().map(|f| (position as f64 * f).cos() as f32));
            longer.extend(self.inverse_frequencies.iter().map(|f| (position as f64 * f).sin() as f32));
        }
        let longer = Arc::new(longer);
        *self.table.write().unwrap_or_else(|e| e.into_inner()) = longer.clone();
        longer
    }
}
