//! Linear layers: one matrix, or several that read the same input fused into one.
use super::blocks::{finite, is_q4, read_q4, read_q8};
use super::fixed::{Fixed, FixedPart, Simulated};
use super::op::{buffer, map1};
use super::{Activation, Compute, Placement, is_composed};
use crate::error::ModelError;
use crate::kernels::Level;
use crate::kernels::matmul_bf16::PackedBf16;
use crate::kernels::matmul_f32::PackedF32;
use crate::kernels::matmul_q4::PackedQ4;
use crate::kernels::matmul_q8::{GROUP, PackedQ8, QuantizedRows};
use crate::kernels::rows;
use crate::model::weights::{Conversion, Encoding, TensorSource, TensorView};
use crate::{Error, Result};
use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Module, Tensor};
use std::borrow::Cow;

/// y = activation(x·Wᵀ + b) for x [tokens, k] and y [tokens, n].
pub struct Linear {
    n: usize,
    k: usize,
    kind: Kind,
    bias: Option<Vec<f32>>,
    /// The same beside the weights, where candle's operations add it.
    bias_tensor: Option<Tensor>,
    activation: Activation,
    place: Placement,
}

enum Kind {
    /// For our kernels.
    Packed(Packed),
    /// [n, k] in f32, f16 or bf16, for candle's operations.
    Dense(Tensor),
    /// Quantized parts for candle's operations, one after another along n.
    Quantized(Vec<QMatMul>),
    /// 8-bit weights and inputs with the file's own scales, for candle's operations.
    Simulated(Simulated),
}

enum Packed {
    Q8(PackedQ8),
    /// Of weights that have four bits in the file.
    Q4(PackedQ4),
    Bf16(PackedBf16),
    F32(PackedF32),
    /// With the file's own scales for weights and inputs.
    Fixed(Fixed),
}

impl Packed {
    fn size(&self) -> usize {
        match self {
            Self::Q8(matrix) => matrix.size(),
            Self::Q4(matrix) => matrix.size(),
            Self::Bf16(matrix) => matrix.size(),
            Self::F32(matrix) => matrix.size(),
            Self::Fixed(matrix) => matrix.size(),
        }
    }

    /// x·Wᵀ for x [m, k] into `out` [m, n].
    fn multiply(&self, level: Level, x: &[f32], m: usize, out: &mut [f32]) {
        match self {
            Self::Q8(matrix) => matrix.multiply(&QuantizedRows::new(level, x, m, matrix.k()), out),
            Self::Q4(matrix) => matrix.multiply(&QuantizedRows::new(level, x, m, matrix.k()), out),
            Self::Bf16(matrix) => matrix.multiply(level, x, m, out),
            Self::F32(matrix) => matrix.multiply(level, x, m, out),
            Self::Fixed(matrix) => matrix.multiply(level, x, m, out),
        }
    }
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
        if is_composed(&place.device, place.level) {
            return Self::composed(&views, n, k, place);
        }
        let pages = Conversion::new(source, parts.iter().map(|part| part.0));
        let q4 = views.iter().all(|(_, view)| is_q4(view.encoding));
        Self::pack(n, k, q4, place, |j, read| match locate(j) {
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
            return Err(Error::Model(ModelError::Mismatch(format!(
                "tensor {name} has {} rows, the shortlist wants row {bad}",
                shape[0]
            ))));
        }
        if is_composed(&place.device, place.level) {
            let rows = keep.iter().flat_map(|&row| &view.bytes[row as usize * view.row_bytes()..][..view.row_bytes()]);
            let bytes: Vec<u8> = rows.copied().collect();
            let kept = TensorView { shape: vec![keep.len(), shape[1]], bytes: Cow::Owned(bytes), ..view };
            return Self::composed(&[(name, kept)], keep.len(), shape[1], place);
        }
        let pages = Conversion::new(source, [name]);
        Self::pack(keep.len(), shape[1], is_q4(view.encoding), place, |j, read| {
            // A row brings in its whole page at least.
            pages.read(view.row_bytes().max(4096));
            read(name, &view, keep[j] as usize)
        })
    }

    /// A layer on 8-bit weights with one scale a matrix, whose inputs are rounded with scales that the file fixes as well.
    /// The outputs of `parts` stand side by side.
    ///
    /// # Errors
    /// Weights of another size than `k` inputs, or a scale that is not a positive number.
    pub fn fixed(parts: &[FixedPart<'_>], k: usize, place: &Placement) -> Result<Self> {
        parts.iter().try_for_each(|part| part.check(k))?;
        let n = parts.iter().map(|part| part.outputs(k)).sum();
        let kind = if is_composed(&place.device, place.level) || !Fixed::takes(parts, k) {
            Kind::Simulated(Simulated::new(parts, k, place)?)
        } else {
            Kind::Packed(Packed::Fixed(Fixed::pack(parts, k, place.level)))
        };
        Ok(Self::new(n, k, kind, place))
    }

    /// Writes the outputs for `m` inputs (none: nothing is done) to `out` [m, n]; false where candle's operations are to
    /// compute them.
    pub fn forward_into(&self, x: &[f32], m: usize, out: &mut [f32]) -> bool {
        let Kind::Packed(packed) = &self.kind else { return false };
        if m == 0 {
            return true;
        }
        packed.multiply(self.place.level, x, m, out);
        self.finish(out);
        true
    }

    fn new(n: usize, k: usize, kind: Kind, place: &Placement) -> Self {
        let activation = Activation::Identity;
        Self { n, k, kind, bias: None, bias_tensor: None, activation, place: place.clone() }
    }

    /// Packs rows for the CPU, in four bits if all have four (`q4`); `row(j, read)` calls `read(name, view, row in the view)` for output column `j`.
    fn pack<'v>(
        n: usize,
        k: usize,
        q4: bool,
        place: &Placement,
        row: impl Fn(usize, &mut dyn FnMut(&str, &TensorView<'v>, usize) -> Result<()>) -> Result<()> + Sync,
    ) -> Result<Self> {
        let failure = std::sync::Mutex::new(None);
        let note = |result: Result<()>| {
            if let (Err(error), Ok(mut slot)) = (result, failure.lock()) {
                slot.get_or_insert(error);
            }
        };
        let int8 = place.compute == Compute::Int8 && k.is_multiple_of(GROUP);
        let packed = if int8 && q4 && PackedQ4::pays(place.level) {
            Packed::Q4(PackedQ4::pack(place.level, n, k, |j, values, scales, minimums| {
                note(row(j, &mut |name, view, r| read_q4(name, view, r, values, scales, minimums)));
            }))
        } else if int8 {
            let mut packed = PackedQ8::new(place.level, n, k);
            packed.fill(|j, values, scales| {
                note(row(j, &mut |name, view, r| read_q8(name, view, r, values, scales)));
            });
            Packed::Q8(packed)
        } else {
            let floats = |j: usize, out: &mut [f32]| {
                note(row(j, &mut |name, view, r| {
                    view.read_row(r, out)?;
                    finite(name, r, out)
                }));
            };
            match place.compute {
                Compute::Bf16 => Packed::Bf16(PackedBf16::pack(n, k, floats)),
                Compute::Int8 | Compute::F32 => Packed::F32(PackedF32::pack(n, k, floats)),
            }
        };
        match failure.into_inner().ok().flatten() {
            Some(error) => Err(error),
            None => Ok(Self::new(n, k, Kind::Packed(packed), place)),
        }
    }

    /// Puts weights onto the device as they are in the file, GGUF blocks, f16 and bf16, unless f32 is asked for.
    /// candle's CPU path gets 8-bit blocks of what is not quantized.
    fn composed(views: &[(&str, TensorView<'_>)], n: usize, k: usize, place: &Placement) -> Result<Self> {
        let all = |wanted: fn(Encoding) -> bool| views.iter().all(|(_, view)| wanted(view.encoding));
        let quantized =
            place.device.is_cpu() && k.is_multiple_of(GROUP) || all(|encoding| matches!(encoding, Encoding::Ggml(_)));
        if quantized && place.compute == Compute::Int8 {
            let mut parts = Vec::new();
            for (_, view) in views {
                let shape = (view.rows(), k);
                let tensor = match view.encoding {
                    Encoding::Ggml(dtype) => {
                        QTensor::new(QStorage::from_data(view.bytes.clone(), &place.device, dtype)?, shape)?
                    }
                    _ => QTensor::quantize(&Tensor::from_vec(view.to_f32()?, shape, &place.device)?, GgmlDType::Q8_0)?,
                };
                parts.push(QMatMul::from_qtensor(tensor)?);
            }
            return Ok(Self::new(n, k, Kind::Quantized(parts), place));
        }
        let dtype = match place.compute {
            Compute::F32 => DType::F32,
            Compute::Bf16 => DType::BF16,
            Compute::Int8 if all(|encoding| encoding == Encoding::F16) => DType::F16,
            Compute::Int8 if all(|encoding| encoding == Encoding::BF16) => DType::BF16,
            Compute::Int8 => DType::F32,
        };
        let mut values = Vec::with_capacity(n * k);
        for (_, view) in views {
            values.extend(view.to_f32()?);
        }
        Self::dense(&Tensor::from_vec(values, (n, k), &Device::Cpu)?, dtype, place)
    }

    /// A layer of candle's dense product with the weights `w` [n, k], on the host, in `dtype`.
    pub(super) fn dense(w: &Tensor, dtype: DType, place: &Placement) -> Result<Self> {
        let (n, k) = w.dims2()?;
        Ok(Self::new(n, k, Kind::Dense(w.to_dtype(dtype)?.to_device(&place.device)?), place))
    }

    /// Adds a bias of n numbers.
    pub fn with_bias(mut self, bias: Vec<f32>) -> Result<Self> {
        if bias.len() != self.n {
            return Err(Error::Model(ModelError::Mismatch(format!(
                "a bias of {} numbers for a layer with {} outputs",
                bias.len(),
                self.n
            ))));
        }
        if let Kind::Packed(Packed::Fixed(matrix)) = &mut self.kind {
            matrix.add_bias(&bias);
            return Ok(self);
        }
        if is_composed(&self.place.device, self.place.level) || matches!(self.kind, Kind::Simulated(_)) {
            self.bias_tensor = Some(Tensor::from_slice(&bias, self.n, &self.place.device)?);
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
            Kind::Dense(dense) => dense.elem_count() * dense.dtype().size_in_bytes(),
            Kind::Quantized(parts) => parts.iter().map(quantized_size).sum(),
            Kind::Simulated(simulated) => simulated.size(),
        }
    }

    /// x [tokens, k] → [tokens, n].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let m = x.dim(0)?;
        let y = match &self.kind {
            Kind::Packed(packed) => map1("linear", x, (m, self.n), |x| {
                let mut out = buffer(m * self.n);
                packed.multiply(self.place.level, x, m, &mut out);
                self.finish(&mut out);
                out
            })?,
            Kind::Dense(dense) => {
                let y = x.to_dtype(dense.dtype())?.matmul(&dense.t()?)?;
                self.finish_tensor(y.to_dtype(DType::F32)?)?
            }
            Kind::Quantized(parts) => {
                let x = x.contiguous()?;
                let outputs = parts.iter().map(|part| part.forward(&x)).collect::<candle_core::Result<Vec<_>>>()?;
                self.finish_tensor(Tensor::cat(&outputs, 1)?)?
            }
            Kind::Simulated(simulated) => self.finish_tensor(simulated.forward(x)?)?,
        };
        Ok(y)
    }

    fn finish(&self, out: &mut [f32]) {
        if let Some(bias) = &self.bias {
            rows::add_bias(self.place.level, bias, out);
        }
        rows::activate(self.place.level, self.activation, out);
    }

    fn finish_tensor(&self, y: Tensor) -> Result<Tensor> {
        let y = match &self.bias_tensor {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        super::composed::activate(&y, self.activation)
    }
}

fn quantized_size(part: &QMatMul) -> usize {
    match part {
        QMatMul::QTensor(tensor) => tensor.storage_size_in_bytes(),
        QMatMul::Tensor(tensor) | QMatMul::TensorF16(tensor) => tensor.elem_count() * tensor.dtype().size_in_bytes(),
    }
}
