//! The same layers as the kernels, composed of candle's own operations: what CUDA and Metal run.
//!
//! Nothing here reads from the device: a step's only way back to the host is its logits.
use super::attention::{AttentionRows, AttentionShape, KvStore};
use super::{Activation, HeadSlice, is_composed};
use crate::Result;
use crate::kernels::attention::Bias;
use candle_core::{D, Device, Shape, Tensor};
use std::cell::RefCell;
use std::collections::VecDeque;

/// Row numbers, masks and angles that the host works out.
#[derive(PartialEq)]
enum Table {
    Ids(Vec<u32>),
    Numbers(Vec<f32>),
}

/// Tables that [`upload`] keeps: more than the layers of one step want.
const RECENT: usize = 8;

thread_local!(static UPLOADED: RefCell<VecDeque<(Table, Tensor)>> = const { RefCell::new(VecDeque::new()) });

/// `table` on the device. All layers of a step want the same few, so that the last ones are kept: a copy to a GPU for
/// each layer would cost more than the layer.
fn upload(table: Table, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
    let shape = shape.into();
    UPLOADED.with_borrow_mut(|uploaded| {
        let same = |(t, tensor): &&(Table, Tensor)| {
            *tensor.shape() == shape && tensor.device().same_device(device) && *t == table
        };
        if let Some((_, tensor)) = uploaded.iter().find(same) {
            return Ok(tensor.clone());
        }
        let tensor = match &table {
            Table::Ids(ids) => Tensor::from_slice(ids, shape, device)?,
            Table::Numbers(numbers) => Tensor::from_slice(numbers, shape, device)?,
        };
        uploaded.push_front((table, tensor.clone()));
        uploaded.truncate(RECENT);
        Ok(tensor)
    })
}

/// Activation over a tensor.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => x.relu()?,
        Activation::GeluTanh => x.gelu()?,
        Activation::GeluErf => x.gelu_erf()?,
        Activation::Silu => x.silu()?,
    })
}

/// [tokens, 2·d] → activation(gate)·up [tokens, d]; on the CPU by the kernel.
pub fn gated(x: &Tensor, activation: Activation, level: crate::kernels::Level) -> Result<Tensor> {
    let (n, width) = x.dims2()?;
    let d = width / 2;
    if !is_composed(x.device(), level) {
        return Ok(super::op::map1("gated activation", x, (n, d), |x| {
            let mut out = super::op::buffer(n * d);
            crate::kernels::rows::gated(level, activation, x, d, &mut out);
            out
        })?);
    }
    Ok((activate(&x.narrow(1, 0, d)?.contiguous()?, activation)? * x.narrow(1, d, d)?)?)
}

/// RMS norm over the last dimension.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
    Ok(candle_nn::ops::rms_norm(&x.contiguous()?, weight, eps)?)
}

/// Layer norm over the last dimension.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    Ok(candle_nn::ops::layer_norm(&x.contiguous()?, weight, bias, eps)?)
}

/// [`HeadSlice::extract`].
pub fn heads(x: &Tensor, slice: &HeadSlice<'_>, positions: &[u32]) -> Result<Tensor> {
    let n = x.dim(0)?;
    let (heads, dim) = (slice.heads, slice.dim);
    let mut x = x.narrow(1, slice.offset, heads * dim)?.contiguous()?.reshape((n, heads, dim))?;
    let (first, last) = if slice.norm_last { (None, slice.norm) } else { (slice.norm, None) };
    if let Some(norm) = first {
        x = rms_norm(&x, &norm.weight, norm.eps)?;
    }
    if let Some(rotary) = slice.rotary {
        let dim = rotary.dim();
        let whole = x;
        x = whole.narrow(2, 0, dim)?.contiguous()?;
        let longest = positions.iter().max().map_or(0, |&p| p as usize + 1);
        let table = rotary.table(longest);
        let rows: Vec<f32> = positions.iter().flat_map(|&p| table[p as usize * dim..][..dim].iter().copied()).collect();
        let angles = upload(Table::Numbers(rows), (n, 1, dim), x.device())?;
        let (cos, sin) = (angles.narrow(2, 0, dim / 2)?, angles.narrow(2, dim / 2, dim / 2)?);
        let turn = |a: &Tensor, b: &Tensor| -> Result<(Tensor, Tensor)> {
            let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
            Ok((first, (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?))
        };
        x = if rotary.interleaved {
            let pairs = x.reshape((n, heads, dim / 2, 2))?;
            let part = |i| pairs.narrow(3, i, 1)?.squeeze(3)?.contiguous();
            let (a, b) = turn(&part(0)?, &part(1)?)?;
            Tensor::stack(&[a, b], 3)?.reshape((n, heads, dim))?
        } else {
            let part = |i| x.narrow(2, i * dim / 2, dim / 2)?.contiguous();
            let (a, b) = turn(&part(0)?, &part(1)?)?;
            Tensor::cat(&[a, b], 2)?
        };
        if dim < slice.dim {
            x = Tensor::cat(&[x, whole.narrow(2, dim, slice.dim - dim)?], 2)?;
        }
    }
    if let Some(norm) = last {
        x = rms_norm(&x, &norm.weight, norm.eps)?;
    }
    Ok(x.reshape((n, heads * dim))?)
}

/// Writes row i of `x` to row `to[i]` of `store`.
pub fn scatter_rows(store: &Tensor, x: &Tensor, to: &[u32]) -> Result<()> {
    let index = upload(Table::Ids(to.to_vec()), (to.len(), 1), x.device())?.broadcast_as(x.shape())?.contiguous()?;
    store.scatter_set(&index, &x.contiguous()?, 0)?;
    Ok(())
}

/// [`super::attend`], by gathering each token's rows into a padded tensor.
pub fn attend(
    q: &Tensor,
    store: &KvStore,
    rows: AttentionRows<'_>,
    shape: AttentionShape,
    bias: Option<Bias<'_>>,
) -> Result<Tensor> {
    let spans = rows.spans();
    let (n, device) = (spans.len(), q.device());
    let longest = spans.iter().map(|s| s.1 as usize).max().unwrap_or(1);
    let width = shape.window.map_or(longest, |w| w.min(longest));
    let mut index = Vec::with_capacity(n * width);
    let mut scores_added = vec![0f32; n * shape.heads * width];
    for (token, &(start, len)) in spans.iter().enumerate() {
        let (start, len) = (start as usize, len as usize);
        let first = len.saturating_sub(width);
        for j in 0..width {
            let inside = first + j < len;
            let at = if inside { start + first + j } else { start };
            index.push(match rows {
                AttentionRows::Table { tables, .. } => tables[at],
                AttentionRows::Contiguous { .. } => at as u32,
            });
            for head in 0..shape.heads {
                scores_added[(token * shape.heads + head) * width + j] = match bias {
                    _ if !inside => f32::NEG_INFINITY,
                    Some(b) => b.by_distance[head * b.width + b.zero + first + j - b.query_positions[token] as usize],
                    None => 0.0,
                };
            }
        }
    }
    let index = upload(Table::Ids(index), n * width, device)?;
    let added = upload(Table::Numbers(scores_added), (n, shape.heads, width), device)?;
    let share = shape.heads / shape.kv_heads;
    // [n, kv_heads, width, dim]
    let gather = |t: &Tensor| -> Result<Tensor> {
        let t = t.index_select(&index, 0)?.reshape((n, width, shape.kv_heads, shape.head_dim))?;
        Ok(t.transpose(1, 2)?.contiguous()?)
    };
    let (k, v) = (gather(&store.k)?, gather(&store.v)?);
    let q = q.contiguous()?.reshape((n, shape.kv_heads, share, shape.head_dim))?;
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * f64::from(shape.scale))?;
    let mut scores = scores.reshape((n, shape.heads, width))?;
    if let Some(cap) = shape.softcap.map(f64::from) {
        scores = ((scores / cap)?.tanh()? * cap)?;
    }
    let scores = (scores + added)?;
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?.reshape((n, shape.kv_heads, share, width))?;
    Ok(weights.matmul(&v)?.reshape((n, shape.heads * shape.head_dim))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Level;
    use crate::model::layers::{Compute, HeadNorm, Linear, Placement, RelativeBias, Rotary, attend as attend_kernel};
    use crate::model::weights::{Encoding, TensorSource, TensorView};
    use candle_core::{DType, Device};

    fn wave(shape: (usize, usize), f: f32) -> Tensor {
        let values = (0..shape.0 * shape.1).map(|i| (i as f32 * f).sin()).collect::<Vec<_>>();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn close(a: &Tensor, b: &Tensor) {
        within(a, b, 1e-5);
    }

    fn within(a: &Tensor, b: &Tensor, bound: f32) {
        let difference =
            (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < bound, "differ by {difference}");
    }

    /// One matrix in one encoding.
    struct Matrix(Vec<usize>, Encoding, Vec<u8>);

    impl TensorSource for Matrix {
        fn names(&self) -> Vec<String> {
            vec!["w".into()]
        }
        fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
            let Matrix(shape, encoding, bytes) = self;
            let view = TensorView { shape: shape.clone(), encoding: *encoding, bytes: bytes.as_slice().into() };
            Ok((name == "w").then_some(view))
        }
    }

    #[test]
    fn linear_layers_equal_the_kernel_in_every_precision_of_the_file() {
        let (n, k) = (10, 64);
        let w: Vec<f32> = wave((n, k), 0.77).flatten_all().unwrap().to_vec1().unwrap();
        let bytes = |write: &dyn Fn(f32) -> Vec<u8>| w.iter().flat_map(|&v| write(v)).collect::<Vec<u8>>();
        let x = wave((3, k), 0.21);
        for (encoding, bytes) in [
            (Encoding::F32, bytes(&|v| v.to_le_bytes().into())),
            (Encoding::F16, bytes(&|v| half::f16::from_f32(v).to_le_bytes().into())),
            (Encoding::BF16, bytes(&|v| half::bf16::from_f32(v).to_le_bytes().into())),
        ] {
            let source = Matrix(vec![n, k], encoding, bytes);
            let keep = [7, 2, 3];
            let outputs = |level, compute| {
                let place = Placement { level, ..Placement::cpu(compute) };
                let bias: Vec<f32> = (0..n).map(|i| i as f32 * 0.1).collect();
                let whole = Linear::load(&source, &[("w", n)], k, &place).unwrap();
                let whole = whole.with_bias(bias).unwrap().with_activation(Activation::GeluErf);
                let kept = Linear::load_rows(&source, "w", [n, k], &keep, &place).unwrap();
                [whole.forward(&x).unwrap(), kept.forward(&x).unwrap()]
            };
            for compute in [Compute::F32, Compute::Bf16, Compute::Int8] {
                let (kernel, candle) = (outputs(Level::detect(), compute), outputs(Level::CANDLE, compute));
                for (kernel, candle) in kernel.iter().zip(&candle) {
                    assert_eq!(kernel.dims(), candle.dims());
                    within(kernel, candle, if compute == Compute::F32 { 1e-5 } else { 0.05 });
                }
            }
        }
    }

    /// What a GPU keeps of a file in half precision.
    #[test]
    fn half_precision_weights_multiply() {
        let w = wave((10, 64), 0.77);
        let x = wave((3, 64), 0.21);
        let want = x.matmul(&w.t().unwrap()).unwrap();
        for dtype in [DType::F16, DType::BF16] {
            let dense = Linear::dense(&w, dtype, &Placement::cpu(Compute::Int8)).unwrap();
            let got = dense.forward(&x).unwrap();
            assert_eq!(got.dtype(), DType::F32);
            within(&want, &got, 0.1);
        }
    }

    #[test]
    fn attention_equals_the_kernel() {
        let (q, store) = (wave((3, 64), 0.3), KvStore { k: wave((9, 32), 0.7), v: wave((9, 32), 0.2) });
        let (tables, spans) = ([8, 2, 5, 0, 1, 3], [(0, 5), (1, 2), (2, 4)]);
        let bias = RelativeBias::new(&wave((8, 4), 1.1).flatten_all().unwrap().to_vec1().unwrap(), 8, 4, 16, true);
        for (window, with_bias, softcap) in [(None, true, None), (Some(2), false, Some(0.7)), (None, false, None)] {
            let shape = AttentionShape { heads: 4, kv_heads: 2, head_dim: 16, scale: 0.25, window, softcap };
            for rows in
                [AttentionRows::Table { tables: &tables, spans: &spans }, AttentionRows::Contiguous { spans: &spans }]
            {
                let positions = [4, 1, 3];
                let bias = with_bias.then_some((&bias, &positions[..]));
                let kernel = attend_kernel(&q, &store, rows, shape, bias, Level::detect()).unwrap();
                let by_distance = bias.map(|(b, _)| b.table_for_test(9));
                let composed_bias = by_distance.as_ref().map(|t| Bias {
                    by_distance: t,
                    width: 19,
                    zero: 9,
                    query_positions: &positions,
                });
                close(&kernel, &attend(&q, &store, rows, shape, composed_bias).unwrap());
            }
        }
    }

    #[test]
    fn heads_equal_the_kernel() {
        let place = Placement::cpu(Compute::F32);
        let x = wave((5, 100), 0.37);
        let norm = HeadNorm::new((0..16).map(|i| 1.0 + i as f32 * 0.1).collect(), 1e-6, &place).unwrap();
        for (interleaved, turned, norm_last) in
            [(false, 16, false), (true, 16, false), (true, 8, false), (false, 16, true)]
        {
            let rotary = Rotary::new(turned, 10_000.0, 1.0, interleaved);
            let (norm, rotary) = (Some(&norm), Some(&rotary));
            let slice = HeadSlice { offset: 20, heads: 3, dim: 16, norm, norm_last, rotary };
            let positions = [0, 7, 300, 2, 5];
            let kernel = slice.extract(&x, &positions, Level::detect()).unwrap();
            close(&kernel, &heads(&x, &slice, &positions).unwrap());
            let store = Tensor::zeros((8, 48), candle_core::DType::F32, &Device::Cpu).unwrap();
            let other = store.copy().unwrap();
            slice.store(&x, &positions, &store, &[7, 0, 3, 2, 5], Level::detect()).unwrap();
            scatter_rows(&other, &kernel, &[7, 0, 3, 2, 5]).unwrap();
            close(&store, &other);
        }
    }

    #[test]
    fn norms_and_activations_equal_the_kernels() {
        let place = Placement::cpu(Compute::F32);
        let x = wave((4, 48), 0.9);
        let w: Vec<f32> = (0..48).map(|i| 1.0 - i as f32 * 0.01).collect();
        let weight = Tensor::from_slice(&w, 48, &Device::Cpu).unwrap();
        let rms = crate::model::layers::RmsNorm::new(w.clone(), 1e-6, &place).unwrap();
        close(&rms.forward(&x).unwrap(), &rms_norm(&x, &weight, 1e-6).unwrap());
        let layer = crate::model::layers::LayerNorm::new(w.clone(), w, 1e-5, &place).unwrap();
        close(&layer.forward(&x).unwrap(), &layer_norm(&x, &weight, &weight, 1e-5).unwrap());
        for activation in [Activation::Relu, Activation::GeluTanh, Activation::GeluErf, Activation::Silu] {
            let gate = activate(&x.narrow(1, 0, 24).unwrap().contiguous().unwrap(), activation).unwrap();
            let want = (gate * x.narrow(1, 24, 24).unwrap()).unwrap();
            close(&gated(&x, activation, Level::detect()).unwrap(), &want);
        }
    }
}
