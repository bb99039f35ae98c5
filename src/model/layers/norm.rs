//! RMS norm and layer norm.
use super::op::{buffer, map1, update};
use super::{Placement, composed, is_composed};
use crate::Result;
use crate::kernels::{Level, rows};
use candle_core::Tensor;

/// residual + y, where `y` is a layer's fresh output that nobody else holds: on the CPU it is overwritten with the sum.
/// (candle's own addition wakes a thread pool, which costs more than so short a sum.)
pub fn add(residual: &Tensor, y: Tensor) -> Result<Tensor> {
    if !y.device().is_cpu() {
        return Ok((residual + y)?);
    }
    update("residual", &y, residual, |y, residual| {
        for (y, x) in y.iter_mut().zip(residual) {
            *y += x;
        }
    })?;
    Ok(y)
}

/// x / √(mean(x²) + eps) · weight over the last dimension.
pub struct RmsNorm {
    weight: Tensor,
    values: Vec<f32>,
    eps: f32,
    level: Level,
}

impl RmsNorm {
    /// A norm with these weights.
    pub fn new(weight: Vec<f32>, eps: f64, place: &Placement) -> Result<Self> {
        let tensor = Tensor::from_slice(&weight, weight.len(), &place.device)?;
        Ok(Self { weight: tensor, values: weight, eps: eps as f32, level: place.level })
    }

    /// x [tokens, d] → [tokens, d].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if is_composed(x.device(), self.level) {
            return composed::rms_norm(x, &self.weight, self.eps);
        }
        Ok(map1("rms norm", x, x.shape(), |x| {
            let mut out = buffer(x.len());
            rows::rms_norm(self.level, x, &self.values, self.eps, &mut out);
            out
        })?)
    }

    /// residual + norm(x); changes `residual` in place on the CPU.
    pub fn forward_add(&self, residual: Tensor, x: &Tensor) -> Result<Tensor> {
        if is_composed(x.device(), self.level) {
            return Ok((residual + composed::rms_norm(x, &self.weight, self.eps)?)?);
        }
        update("rms norm", &residual, x, |residual, x| {
            rows::add_rms_norm(self.level, residual, x, &self.values, self.eps)
        })?;
        Ok(residual)
    }
}

/// (x − mean) / √(variance + eps) · weight + bias over the last dimension.
pub struct LayerNorm {
    tensors: (Tensor, Tensor),
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
    level: Level,
}

impl LayerNorm {
    /// A norm with these weights and this bias, of equal length.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, eps: f64, place: &Placement) -> Result<Self> {
        let tensor = |v: &[f32]| Tensor::from_slice(v, v.len(), &place.device);
        Ok(Self { tensors: (tensor(&weight)?, tensor(&bias)?), weight, bias, eps: eps as f32, level: place.level })
    }

    /// x [tokens, d] → [tokens, d].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if is_composed(x.device(), self.level) {
            return composed::layer_norm(x, &self.tensors.0, &self.tensors.1, self.eps);
        }
        Ok(map1("layer norm", x, x.shape(), |x| {
            let mut out = buffer(x.len());
            rows::layer_norm(self.level, x, &self.weight, &self.bias, self.eps, &mut out);
            out
        })?)
    }
}
