//! Layer norm with Marian's order of operations. What follows it is rounded to 8 bits, where a difference in the last bit
//! now and then becomes one of a whole step, and in the end another word.
use crate::Result;
use crate::kernels::{Level, parallel};
use crate::model::layers::op::map1;
use crate::model::layers::{LayerNorm, Placement};
use candle_core::Tensor;

/// Added to the variance.
const EPS: f32 = 1e-6;
/// Rows whose sums, each in its order, are added up at the same time.
const TOGETHER: usize = 8;

/// scale · ((x − mean) / √(variance + eps)) + bias.
pub(super) struct Norm {
    scale: Vec<f32>,
    bias: Vec<f32>,
    /// For candle's operations.
    composed: Option<LayerNorm>,
}

impl Norm {
    pub fn new(scale: Vec<f32>, bias: Vec<f32>, place: &Placement) -> Result<Self> {
        let kernels = place.device.is_cpu() && place.level != Level::CANDLE;
        let composed = || LayerNorm::new(scale.clone(), bias.clone(), f64::from(EPS), place);
        let composed = if kernels { None } else { Some(composed()?) };
        Ok(Self { scale, bias, composed })
    }

    /// x [tokens, d] → [tokens, d].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if let Some(composed) = &self.composed {
            return composed.forward(x);
        }
        let width = TOGETHER * self.scale.len();
        Ok(map1("layer norm", x, x.shape(), |x| {
            let mut out = x.to_vec();
            let mut work: Vec<&mut [f32]> = out.chunks_mut(width).collect();
            parallel::each(&mut work, 4, |rows| self.rows(rows));
            out
        })?)
    }

    fn rows(&self, rows: &mut [f32]) {
        let d = self.scale.len();
        let (mut means, mut squares) = ([0f32; TOGETHER], [0f32; TOGETHER]);
        for i in 0..d {
            for (mean, x) in means.iter_mut().zip(rows[i..].iter().step_by(d)) {
                *mean += x;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= d as f32);
        for i in 0..d {
            for ((square, mean), x) in squares.iter_mut().zip(means).zip(rows[i..].iter().step_by(d)) {
                *square += (x - mean) * (x - mean);
            }
        }
        for ((row, mean), square) in rows.chunks_exact_mut(d).zip(means).zip(squares) {
            let sigma = (square / d as f32 + EPS).sqrt();
            for ((x, scale), bias) in row.iter_mut().zip(&self.scale).zip(&self.bias) {
                *x = scale * ((*x - mean) / sigma) + bias;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layers::Compute;
    use candle_core::Device;

    #[test]
    fn equals_the_common_norm_for_any_number_of_rows() {
        let d = 24;
        let wave = |n: usize, f: f32| (0..n).map(|i| (i as f32 * f).sin() + 0.3).collect::<Vec<_>>();
        let norm = |level| {
            Norm::new(wave(d, 0.2), wave(d, 0.9), &Placement { level, ..Placement::cpu(Compute::F32) }).unwrap()
        };
        for rows in [1, 3, 8, 21] {
            let x = Tensor::from_vec(wave(rows * d, 0.37), (rows, d), &Device::Cpu).unwrap();
            let values = |level| norm(level).forward(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (a, b) in values(Level::SCALAR).iter().zip(values(Level::CANDLE)) {
                assert!((a - b).abs() < 1e-5, "{rows} rows: {a} and {b}");
            }
        }
    }
}
