//! Rows of weights as the kernels' packing wants them, from whatever encoding the file has.
use crate::error::ModelError;
use crate::kernels::matmul_q8::{GROUP, quantize_weights};
use crate::model::weights::{Encoding, TensorView};
use crate::{Error, Result};
use candle_core::quantized::GgmlDType;
use half::f16;

/// One row as 8-bit groups: Q8_0 as it is, anything else rounded.
pub(super) fn read_q8(
    name: &str,
    view: &TensorView<'_>,
    row: usize,
    values: &mut [i8],
    scales: &mut [f16],
) -> Result<()> {
    if view.encoding == Encoding::Ggml(GgmlDType::Q8_0) {
        let blocks = bytes(view, row).as_chunks::<34>().0;
        for ((block, values), scale) in blocks.iter().zip(values.chunks_exact_mut(GROUP)).zip(scales) {
            *scale = number(name, row, [block[0], block[1]])?;
            for (v, &b) in values.iter_mut().zip(&block[2..]) {
                *v = b as i8;
            }
        }
        return Ok(());
    }
    let mut floats = vec![0f32; view.columns()];
    view.read_row(row, &mut floats)?;
    finite(name, row, &floats)?;
    quantize_weights(&floats, values, scales);
    Ok(())
}

/// Whether rows can be had as 4-bit groups, each with a scale and a minimum.
pub(super) fn is_q4(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Ggml(GgmlDType::Q4_0 | GgmlDType::Q4_1 | GgmlDType::Q4K))
}

/// One row as 4-bit groups of w = scale·q − minimum. Q4_0 and Q4_1 as they are; Q4_K's scales and minimums, which are
/// products of two numbers, rounded to f16. Layouts: `block_q4_0`, `block_q4_1` and `block_q4_K` of ggml-common.h.
pub(super) fn read_q4(
    name: &str,
    view: &TensorView<'_>,
    row: usize,
    values: &mut [u8],
    scales: &mut [f16],
    minimums: &mut [f16],
) -> Result<()> {
    let bytes = bytes(view, row);
    let groups = values.chunks_exact_mut(GROUP).zip(scales.iter_mut().zip(minimums.iter_mut()));
    match view.encoding {
        Encoding::Ggml(GgmlDType::Q4_0) => {
            for ((values, (scale, minimum)), block) in groups.zip(bytes.as_chunks::<18>().0) {
                *scale = number(name, row, [block[0], block[1]])?;
                *minimum = f16::from_f32(8.0 * scale.to_f32());
                halves(&block[2..], values);
            }
        }
        Encoding::Ggml(GgmlDType::Q4_1) => {
            for ((values, (scale, minimum)), block) in groups.zip(bytes.as_chunks::<20>().0) {
                *scale = number(name, row, [block[0], block[1]])?;
                *minimum = -number(name, row, [block[2], block[3]])?;
                halves(&block[4..], values);
            }
        }
        _ => {
            let blocks = bytes.as_chunks::<144>().0.iter().zip(values.chunks_exact_mut(8 * GROUP));
            for ((block, values), (scales, minimums)) in
                blocks.zip(scales.chunks_exact_mut(8).zip(minimums.chunks_exact_mut(8)))
            {
                let scale = number(name, row, [block[0], block[1]])?.to_f32();
                let minimum = number(name, row, [block[2], block[3]])?.to_f32();
                for group in 0..8 {
                    let (s, m) = six_bits(&block[4..16], group);
                    scales[group] = f16::from_f32(scale * f32::from(s));
                    minimums[group] = f16::from_f32(minimum * f32::from(m));
                }
                for (bytes, values) in block[16..].chunks_exact(GROUP).zip(values.chunks_exact_mut(2 * GROUP)) {
                    halves(bytes, values);
                }
            }
        }
    }
    match scales.iter().chain(&*minimums).all(|number| number.is_finite()) {
        true => Ok(()),
        false => Err(damaged(name, row)),
    }
}

/// The low halves of all bytes, then the high ones.
fn halves(bytes: &[u8], values: &mut [u8]) {
    let (low, high) = values.split_at_mut(bytes.len());
    for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = byte & 0x0f;
        *high = byte >> 4;
    }
}

/// Scale and minimum of one of a Q4_K block's eight groups: 6 bits each in 12 bytes (`get_scale_min_k4` of ggml).
fn six_bits(packed: &[u8], group: usize) -> (u8, u8) {
    if group < 4 {
        return (packed[group] & 63, packed[group + 4] & 63);
    }
    let (low, scale, minimum) = (packed[group + 4], packed[group - 4] >> 6, packed[group] >> 6);
    (low & 0x0f | scale << 4, low >> 4 | minimum << 4)
}

fn bytes<'a>(view: &'a TensorView<'_>, row: usize) -> &'a [u8] {
    let size = view.row_bytes();
    &view.bytes[row * size..][..size]
}

fn number(name: &str, row: usize, bytes: [u8; 2]) -> Result<f16> {
    Some(f16::from_le_bytes(bytes)).filter(|number| number.is_finite()).ok_or_else(|| damaged(name, row))
}

fn damaged(name: &str, row: usize) -> Error {
    Error::Model(ModelError::damaged(format!(
        "tensor {name} holds a scale that is not a number in row {row}; the weights are damaged"
    )))
}

/// Refuses weights that are no numbers.
pub(super) fn finite(name: &str, row: usize, values: &[f32]) -> Result<()> {
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(bad) => Err(Error::Model(ModelError::damaged(format!(
            "tensor {name} holds {bad} in row {row}; the weights are damaged"
        )))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor, quantized::QTensor};
    use std::borrow::Cow;

    #[test]
    fn four_bit_rows_are_what_candle_makes_of_them() {
        let (rows, columns) = (3, 512);
        let weights: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * 0.37).sin() + 0.3).collect();
        let dense = Tensor::from_vec(weights, (rows, columns), &Device::Cpu).unwrap();
        for (dtype, allowed) in [(GgmlDType::Q4_0, 0.0), (GgmlDType::Q4_1, 1e-6), (GgmlDType::Q4K, 2e-3)] {
            let tensor = QTensor::quantize(&dense, dtype).unwrap();
            let bytes = tensor.data().unwrap();
            let view = TensorView { shape: vec![rows, columns], encoding: Encoding::Ggml(dtype), bytes };
            assert!(is_q4(view.encoding));
            for row in 0..rows {
                let (mut values, mut scales) = (vec![0u8; columns], vec![f16::ZERO; columns / GROUP]);
                let (mut minimums, mut want) = (scales.clone(), vec![0f32; columns]);
                read_q4("w", &view, row, &mut values, &mut scales, &mut minimums).unwrap();
                view.read_row(row, &mut want).unwrap();
                for (i, want) in want.iter().enumerate() {
                    let (scale, minimum) = (scales[i / GROUP].to_f32(), minimums[i / GROUP].to_f32());
                    let got = f32::from(values[i]) * scale - minimum;
                    assert!((got - want).abs() <= allowed, "{dtype:?} row {row} column {i}: {got} for {want}");
                }
            }
        }
    }

    #[test]
    fn a_scale_that_is_no_number_is_named() {
        for (dtype, size) in [(GgmlDType::Q4_0, 18), (GgmlDType::Q4_1, 20)] {
            let bytes = Cow::Owned(vec![0xff; size]);
            let view = TensorView { shape: vec![1, GROUP], encoding: Encoding::Ggml(dtype), bytes };
            let (mut values, mut scales, mut minimums) = ([0; GROUP], [f16::ZERO], [f16::ZERO]);
            let error = read_q4("w", &view, 0, &mut values, &mut scales, &mut minimums).unwrap_err();
            assert!(error.to_string().contains("tensor w holds a scale that is not a number in row 0"), "{error}");
        }
    }
}
