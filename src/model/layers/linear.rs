//! Linear layers: one matrix, or several that read the same input fused into one.
use super::op::{buffer, map1};
use super::{Activation, Compute, Placement};
use crate::kernels::Level;
use crate::kernels::matmul_f32::PackedF32;
use crate::kernels::matmul_q8::{GROUP, PackedQ8, QuantisedRows, quantise_weights};
use crate::kernels::rows;
use crate::model::weights::{Conversion, Encoding, TensorSource, TensorView};
use crate::{Error, Result};
use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Tensor};
use half::f16;

/// y = activation(x·Wᵀ + b) for x [tokens, k] and y [tokens, n].
pub struct Linear {
    n: usize,
    k: usize,
    kind: Kind,
    bias: Option<Vec<f32>>,
    activation: Activation,
    level: Level,
}

enum Kind {
    Packed(PackedQ8),
    Float(PackedF32),
    /// [n, k], on a GPU.
    Dense(Tensor),
    /// GGUF parts on a GPU, one after another along n.
    Quantised(Vec<QMatMul>),
}

impl Linear {
    /// Loads the matrices `parts` = (name, outputs), all with `k` inputs, as one layer whose outputs stand side by side.
    pub fn load(source: &dyn TensorSource, parts: &[(&str, usize)], k: usize, place: &Placement) -> Result<Self> {
        let mut views = Vec::new();
        for &(name, n) in parts {
            views.push((name, source.expect(name, &[n, k])?));
        }
        let n = parts.iter().map(|p| p.1).sum();
        let locate = |j: usize| {
            let mut row = j;
            views
                .iter()
                .find(|(_, view)| {
                    let inside = row < view.rows();
                    if !inside {
                        row -= view.rows();
                    }
                    inside
                })
                .map(|part| (part, row))
        };
        if !place.device.is_cpu() {
            return Self::on_device(&views, n, k, place);
        }
        let pages = Conversion::new(source, parts.iter().map(|part| part.0));
        Self::pack(n, k, place, |j, read| match locate(j) {
            Some(((name, view), row)) => {
                pages.read(view.row_bytes());
                read(name, view, row)
            }
            None => Ok(()),
        })
    }

    /// Loads some rows of one matrix [rows_in_file, k], for an output layer on a shortlist.
    pub fn load_rows(
        source: &dyn TensorSource,
        name: &str,
        shape: [usize; 2],
        keep: &[u32],
        place: &Placement,
    ) -> Result<Self> {
        let view = source.expect(name, &shape)?;
        if let Some(&bad) = keep.iter().find(|&&row| row as usize >= shape[0]) {
            return Err(Error::Model(format!("tensor {name} has {} rows, the shortlist wants row {bad}", shape[0])));
        }
        if !place.device.is_cpu() {
            let mut values = vec![0f32; keep.len() * shape[1]];
            for (&row, out) in keep.iter().zip(values.chunks_exact_mut(shape[1])) {
                view.read_row(row as usize, out)?;
            }
            let dense = Tensor::from_vec(values, (keep.len(), shape[1]), &place.device)?;
            return Ok(Self::new(keep.len(), shape[1], Kind::Dense(dense), place));
        }
        let pages = Conversion::new(source, [name]);
        Self::pack(keep.len(), shape[1], place, |j, read| {
            // A row brings in its whole page at least.
            pages.read(view.row_bytes().max(4096));
            read(name, &view, keep[j] as usize)
        })
    }

    fn new(n: usize, k: usize, kind: Kind, place: &Placement) -> Self {
        Self { n, k, kind, bias: None, activation: Activation::Identity, level: place.level }
    }

    /// Packs rows for the CPU; `row(j, read)` calls `read(name, view, row in the view)` for output column `j`.
    fn pack<'v>(
        n: usize,
        k: usize,
        place: &Placement,
        row: impl Fn(usize, &mut dyn FnMut(&str, &TensorView<'v>, usize) -> Result<()>) -> Result<()> + Sync,
    ) -> Result<Self> {
        let failure = std::sync::Mutex::new(None);
        let note = |result: Result<()>| {
            if let (Err(error), Ok(mut slot)) = (result, failure.lock()) {
                slot.get_or_insert(error);
            }
        };
        let kind = if place.compute == Compute::Int8 && k.is_multiple_of(GROUP) {
            let mut packed = PackedQ8::new(place.level, n, k);
            packed.fill(|j, values, scales| {
                note(row(j, &mut |name, view, r| read_q8(name, view, r, values, scales)));
            });
            Kind::Packed(packed)
        } else {
            Kind::Float(PackedF32::pack(n, k, |j, out| {
                note(row(j, &mut |name, view, r| {
                    view.read_row(r, out)?;
                    finite(name, r, out)
                }));
            }))
        };
        match failure.into_inner().ok().flatten() {
            Some(error) => Err(error),
            None => Ok(Self::new(n, k, kind, place)),
        }
    }

    fn on_device(views: &[(&str, TensorView<'_>)], n: usize, k: usize, place: &Placement) -> Result<Self> {
        if views.iter().all(|(_, view)| matches!(view.encoding, Encoding::Ggml(_))) {
            let mut parts = Vec::new();
            for (_, view) in views {
                let Encoding::Ggml(dtype) = view.encoding else { continue };
                let storage = QStorage::from_data(view.bytes.clone(), &place.device, dtype)?;
                parts.push(QMatMul::from_qtensor(QTensor::new(storage, (view.rows(), k))?)?);
            }
            return Ok(Self::new(n, k, Kind::Quantised(parts), place));
        }
        let mut values = Vec::with_capacity(n * k);
        for (_, view) in views {
            values.extend(view.to_f32()?);
        }
        Ok(Self::new(n, k, Kind::Dense(Tensor::from_vec(values, (n, k), &place.device)?), place))
    }

    /// Adds a bias of n numbers.
    pub fn with_bias(mut self, bias: Vec<f32>) -> Result<Self> {
        if bias.len() != self.n {
            return Err(Error::Model(format!("a bias of {} numbers for a layer with {} outputs", bias.len(), self.n)));
        }
        self.bias = Some(bias);
        Ok(self)
    }

    /// Applies an activation to the outputs.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Outputs.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Inputs.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Bytes of weights kept in memory.
    pub fn size(&self) -> usize {
        match &self.kind {
            Kind::Packed(packed) => packed.size(),
            Kind::Float(packed) => packed.size(),
            Kind::Dense(dense) => dense.elem_count() * dense.dtype().size_in_bytes(),
            Kind::Quantised(_) => self.n * self.k,
        }
    }

    /// x [tokens, k] → [tokens, n].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let m = x.dim(0)?;
        let y = match &self.kind {
            Kind::Packed(packed) => map1("linear", x, (m, self.n), |x| {
                let mut out = buffer(m * self.n);
                packed.multiply(&QuantisedRows::new(self.level, x, m, self.k), &mut out);
                self.finish(&mut out);
                out
            })?,
            Kind::Float(packed) => map1("linear", x, (m, self.n), |x| {
                let mut out = buffer(m * self.n);
                packed.multiply(self.level, x, m, &mut out);
                self.finish(&mut out);
                out
            })?,
            Kind::Dense(dense) => self.finish_tensor(x.matmul(&dense.t()?)?)?,
            Kind::Quantised(parts) => {
                let mut outputs = Vec::new();
                for part in parts {
                    outputs.push(part.forward(x)?);
                }
                self.finish_tensor(Tensor::cat(&outputs, 1)?)?
            }
        };
        Ok(y)
    }

    fn finish(&self, out: &mut [f32]) {
        if let Some(bias) = &self.bias {
            for row in out.chunks_exact_mut(self.n) {
                for (o, b) in row.iter_mut().zip(bias) {
                    *o += b;
                }
            }
        }
        rows::activate(self.level, self.activation, out);
    }

    fn finish_tensor(&self, y: Tensor) -> Result<Tensor> {
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(&Tensor::from_slice(bias, self.n, &Device::Cpu)?.to_device(y.device())?)?,
            None => y,
        };
        super::composed::activate(&y, self.activation)
    }
}

/// One row as 8-bit groups: Q8_0 as it is, anything else rounded.
fn read_q8(name: &str, view: &TensorView<'_>, row: usize, values: &mut [i8], scales: &mut [f16]) -> Result<()> {
    if view.encoding == Encoding::Ggml(GgmlDType::Q8_0) {
        let size = view.row_bytes();
        let blocks = view.bytes[row * size..][..size].as_chunks::<34>().0;
        for ((block, values), scale) in blocks.iter().zip(values.chunks_exact_mut(GROUP)).zip(scales) {
            *scale = f16::from_le_bytes([block[0], block[1]]);
            if !scale.is_finite() {
                return Err(Error::Model(format!(
                    "tensor {name} holds a scale that is not a number in row {row}; the weights are damaged"
                )));
            }
            for (v, &b) in values.iter_mut().zip(&block[2..]) {
                *v = b as i8;
            }
        }
        return Ok(());
    }
    let mut floats = vec![0f32; view.columns()];
    view.read_row(row, &mut floats)?;
    finite(name, row, &floats)?;
    quantise_weights(&floats, values, scales);
    Ok(())
}

fn finite(name: &str, row: usize, values: &[f32]) -> Result<()> {
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(bad) => Err(Error::Model(format!("tensor {name} holds {bad} in row {row}; the weights are damaged"))),
    }
}
