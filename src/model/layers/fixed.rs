//! 8-bit products whose scales are all fixed beforehand: one for the weights of a matrix, one for what it multiplies
//! (Marian's intgemm8 with alphas). Sums are those of integers, so that every processor computes the same.
//!
//! Marian adds 127 to the rounded inputs, which makes them unsigned, and takes what that adds to the sums out again with
//! the bias, in floats. The last bits of the result depend on it, and so may the text: it is done here as well.
use super::Placement;
use crate::error::ModelError;
use crate::kernels::Level;
use crate::kernels::matmul_q8::{GROUP, PANEL, PackedQ8, QuantizedRows};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use half::f16;

/// Part of a layer: weights [outputs, k] with their scales.
#[derive(Clone, Copy)]
pub struct FixedPart<'a> {
    /// For error texts.
    pub name: &'a str,
    /// Signed bytes.
    pub weights: &'a [u8],
    /// A weight is its byte divided by this.
    pub weight_multiplier: f32,
    /// An input is multiplied by this before it is rounded.
    pub input_multiplier: f32,
}

impl FixedPart<'_> {
    pub(super) fn outputs(&self, k: usize) -> usize {
        self.weights.len() / k.max(1)
    }

    /// What makes floats of the integer sums.
    fn scale(&self) -> f32 {
        1.0 / (self.input_multiplier * self.weight_multiplier)
    }

    pub(super) fn check(&self, k: usize) -> Result<()> {
        let sound = |multiplier: f32| multiplier.is_finite() && multiplier > 0.0;
        if k == 0 || self.weights.is_empty() || !self.weights.len().is_multiple_of(k) {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "tensor {} has {} weights, which are not rows of {k}; config and weights disagree",
                self.name,
                self.weights.len()
            ))));
        }
        if !sound(self.weight_multiplier) || !sound(self.input_multiplier) || !self.scale().is_normal() {
            return Err(Error::Model(ModelError::damaged(format!(
                "tensor {} has the scales {} (weights) and {} (inputs), which must be positive numbers; \
                 the weights are damaged",
                self.name, self.weight_multiplier, self.input_multiplier
            ))));
        }
        Ok(())
    }
}

/// For our kernels.
pub(super) struct Fixed {
    matrix: PackedQ8,
    columns: Vec<Columns>,
    /// What inputs that are larger by 127 add to the sum of each column.
    shift: Vec<f32>,
    /// Bias of each column, less the shift.
    bias: Vec<f32>,
}

/// Columns that one part fills.
struct Columns {
    panels: std::ops::Range<usize>,
    input_multiplier: f32,
    scale: f32,
    width: usize,
}

impl Fixed {
    /// Whether the kernels can take the parts: each but the last fills whole panels.
    pub fn takes(parts: &[FixedPart<'_>], k: usize) -> bool {
        let whole = |part: &FixedPart<'_>| part.outputs(k).is_multiple_of(PANEL);
        k.is_multiple_of(GROUP) && parts.iter().rev().skip(1).all(whole)
    }

    pub fn pack(parts: &[FixedPart<'_>], k: usize, level: Level) -> Self {
        let (mut columns, mut shift, mut bias) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = 0;
        for part in parts {
            let width = part.outputs(k);
            columns.push(Columns {
                panels: first / PANEL..(first + width).div_ceil(PANEL),
                input_multiplier: part.input_multiplier,
                scale: part.scale(),
                width,
            });
            first += width;
            for row in part.weights.chunks_exact(k) {
                let sum: i32 = row.iter().map(|&byte| i32::from(byte as i8)).sum();
                shift.push((127 * sum) as f32);
                bias.push(-(127.0 * part.scale() * sum as f32));
            }
        }
        let mut matrix = PackedQ8::new(level, first, k);
        matrix.fill(|mut j, values, scales| {
            for part in parts {
                if let Some(row) = part.weights.chunks_exact(k).nth(j) {
                    values.iter_mut().zip(row).for_each(|(value, byte)| *value = *byte as i8);
                    break;
                }
                j -= part.outputs(k);
            }
            scales.fill(f16::ONE);
        });
        Self { matrix, columns, shift, bias }
    }

    /// Adds a bias of as many numbers as there are columns.
    pub fn add_bias(&mut self, bias: &[f32]) {
        self.bias.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
    }

    pub fn size(&self) -> usize {
        self.matrix.size() + (self.shift.len() + self.bias.len()) * size_of::<f32>()
    }

    /// x·Wᵀ + bias for x [m, k] into `out` [m, n]. Inputs are rounded once for neighbors of equal scale.
    pub fn multiply(&self, level: Level, x: &[f32], m: usize, out: &mut [f32]) {
        let mut rounded: Option<(f32, QuantizedRows)> = None;
        for part in &self.columns {
            let known = rounded.take().filter(|(multiplier, _)| *multiplier == part.input_multiplier);
            let (multiplier, rows) = known.unwrap_or_else(|| {
                let multiplier = part.input_multiplier;
                (multiplier, QuantizedRows::with_multiplier(level, x, m, self.matrix.k(), multiplier))
            });
            self.matrix.multiply_panels(&rows, part.panels.clone(), out);
            rounded = Some((multiplier, rows));
        }
        for row in out.chunks_exact_mut(self.matrix.n()) {
            let mut first = 0;
            for part in &self.columns {
                let columns = first..first + part.width;
                let (shift, bias) = (&self.shift[columns.clone()], &self.bias[columns.clone()]);
                for ((y, shift), bias) in row[columns.clone()].iter_mut().zip(shift).zip(bias) {
                    *y = (*y + shift) * part.scale + bias;
                }
                first = columns.end;
            }
        }
    }
}

/// The same with candle's operations: integers kept as floats, which hold them exactly.
pub(super) struct Simulated(Vec<Part>);

struct Part {
    /// [k, outputs]
    weights: Tensor,
    input_multiplier: f32,
    scale: f32,
}

impl Simulated {
    pub fn new(parts: &[FixedPart<'_>], k: usize, place: &Placement) -> Result<Self> {
        let part = |part: &FixedPart<'_>| -> Result<Part> {
            let weights: Vec<f32> = part.weights.iter().map(|&w| f32::from(w as i8)).collect();
            let weights = Tensor::from_vec(weights, (part.outputs(k), k), &place.device)?.t()?.contiguous()?;
            Ok(Part { weights, input_multiplier: part.input_multiplier, scale: part.scale() })
        };
        Ok(Self(parts.iter().map(part).collect::<Result<_>>()?))
    }

    pub fn size(&self) -> usize {
        self.0.iter().map(|part| part.weights.elem_count() * DType::F32.size_in_bytes()).sum()
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let outputs = self.0.iter().map(|part| {
            let rounded = (x * f64::from(part.input_multiplier))?.clamp(-127f32, 127f32)?.round()?;
            rounded.contiguous()?.matmul(&part.weights)? * f64::from(part.scale)
        });
        Ok(Tensor::cat(&outputs.collect::<candle_core::Result<Vec<_>>>()?, 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layers::{Compute, Linear};
    use candle_core::Device;

    #[test]
    fn kernels_and_candle_agree_on_fused_parts() {
        let k = 64;
        let bytes = |n: usize, f: usize| (0..n * k).map(|i| (i * f % 251) as u8).collect::<Vec<_>>();
        let (first, second) = (bytes(16, 7), bytes(21, 13));
        let part =
            |name, weights, input_multiplier| FixedPart { name, weights, weight_multiplier: 300.0, input_multiplier };
        let x: Vec<f32> = (0..3 * k).map(|i| (i as f32 * 0.37).sin() * 4.0).collect();
        let x = Tensor::from_vec(x, (3, k), &Device::Cpu).unwrap();
        for other in [20.0, 35.0] {
            let parts = [part("a", &first, 20.0), part("b", &second, other)];
            let outputs = |level| {
                let place = Placement { level, ..Placement::cpu(Compute::Int8) };
                let layer = Linear::fixed(&parts, k, &place).unwrap().with_bias(vec![0.5; 37]).unwrap();
                layer.forward(&x).unwrap().to_vec2::<f32>().unwrap()
            };
            let want = outputs(Level::CANDLE);
            for (got, want) in outputs(Level::detect()).iter().flatten().zip(want.iter().flatten()) {
                assert!((got - want).abs() < 1e-4, "{got} vs {want}");
            }
        }
    }

    #[test]
    fn scales_that_are_no_numbers_are_refused() {
        let weights = [1u8; 64];
        for (weight_multiplier, input_multiplier) in [(0.0, 1.0), (f32::NAN, 1.0), (1.0, f32::INFINITY), (1.0, -3.0)] {
            let part = FixedPart { name: "w", weights: &weights, weight_multiplier, input_multiplier };
            assert!(Linear::fixed(&[part], 32, &Placement::cpu(Compute::Int8)).is_err());
        }
    }
}
