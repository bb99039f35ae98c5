//! The simpler simple recurrent unit (Kim et al. 2019), Marian's fast decoder: a cell of d numbers instead of keys and
//! values. The cell after each token lies in the token's cache row, so that hypotheses fork as they do with attention.
use super::op::{buffer, map1, update};
use super::{composed, is_composed};
use crate::error::ModelError;
use crate::kernels::Level;
use crate::{Error, Result};
use candle_core::Tensor;

/// c = σ(forget)·c₋₁ + (1 − σ(forget))·input for every token in turn; returns relu(c) [tokens, d].
///
/// `gates` [tokens, 2·d] holds input and forget side by side. Token i reads the cell in row `before[i]` of `cells`
/// [rows, d] (none: zeros) and writes its own to row `rows[i]`; a row may be read by a later token of the same call.
pub fn ssru(gates: &Tensor, before: &[Option<u32>], rows: &[u32], cells: &Tensor, level: Level) -> Result<Tensor> {
    let (n, d) = (rows.len(), cells.dim(1)?);
    let there = cells.dim(0)?;
    if let Some(bad) = before.iter().flatten().chain(rows).find(|&&row| row as usize >= there) {
        return Err(Error::Model(ModelError::Defect(format!("cache row {bad} is outside a cache of {there} rows"))));
    }
    if before.len() != n || gates.dims() != [n, 2 * d] {
        return Err(Error::Model(ModelError::Defect(
            "the recurrent layer's gates and its tokens differ in number".into(),
        )));
    }
    if is_composed(gates.device(), level) {
        return composed_ssru(gates, before, rows, cells);
    }
    update("recurrent cells", cells, gates, |cells, gates| {
        for ((gates, before), &row) in gates.chunks_exact(2 * d).zip(before).zip(rows) {
            let (input, forget) = gates.split_at(d);
            for i in 0..d {
                let f = 1.0 / (1.0 + (-forget[i]).exp());
                let old = before.map_or(0.0, |row| cells[row as usize * d + i]);
                cells[row as usize * d + i] = f * old + (1.0 - f) * input[i];
            }
        }
    })?;
    Ok(map1("recurrent output", cells, (n, d), |cells| {
        let mut out = buffer(n * d);
        for (out, &row) in out.chunks_exact_mut(d).zip(rows) {
            out.iter_mut().zip(&cells[row as usize * d..]).for_each(|(o, c)| *o = c.max(0.0));
        }
        out
    })?)
}

/// The same with candle's operations: as many tokens at once as don't read one another's cells.
fn composed_ssru(gates: &Tensor, before: &[Option<u32>], rows: &[u32], cells: &Tensor) -> Result<Tensor> {
    let (n, d) = (rows.len(), cells.dim(1)?);
    let mut outputs = Vec::new();
    let mut first = 0;
    while first < n {
        let mut end = first + 1;
        while end < n && before[end].is_none_or(|row| !rows[first..end].contains(&row)) {
            end += 1;
        }
        let part = gates.narrow(0, first, end - first)?;
        let (input, forget) = (part.narrow(1, 0, d)?, candle_nn::ops::sigmoid(&part.narrow(1, d, d)?.contiguous()?)?);
        let index: Vec<u32> = before[first..end].iter().map(|row| row.unwrap_or(0)).collect();
        let started: Vec<f32> = before[first..end].iter().map(|row| if row.is_some() { 1.0 } else { 0.0 }).collect();
        let index = Tensor::from_vec(index, end - first, gates.device())?;
        let started = Tensor::from_vec(started, (end - first, 1), gates.device())?;
        let old = cells.index_select(&index, 0)?.broadcast_mul(&started)?;
        // f·old + (1 − f)·input
        let cell = (&input + forget.mul(&(old - &input)?)?)?;
        composed::scatter_rows(cells, &cell, &rows[first..end])?;
        outputs.push(cell.relu()?);
        first = end;
    }
    Ok(Tensor::cat(&outputs, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn cells_follow_their_hypotheses_on_every_path() {
        let wave = |n: usize, f: f32| (0..n).map(|i| (i as f32 * f).sin() * 2.0).collect::<Vec<_>>();
        let d = 5;
        // two tokens of one sequence, another's first, and a fork of the second
        let (before, rows) = ([None, Some(2), None, Some(4)], [2, 4, 0, 1]);
        let gates = Tensor::from_vec(wave(4 * 2 * d, 0.7), (4, 2 * d), &Device::Cpu).unwrap();
        let run = |level| {
            let cells = Tensor::zeros((6, d), DType::F32, &Device::Cpu).unwrap();
            let out = ssru(&gates, &before, &rows, &cells, level).unwrap();
            (out.to_vec2::<f32>().unwrap(), cells.to_vec2::<f32>().unwrap())
        };
        let (out, cells) = run(Level::detect());
        let (other, other_cells) = run(Level::CANDLE);
        let close = |a: &[Vec<f32>], b: &[Vec<f32>]| {
            a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-6)
        };
        assert!(close(&out, &other) && close(&cells, &other_cells));
        let gates = gates.to_vec2::<f32>().unwrap();
        let cell = |old: f32, token: usize, i: usize| {
            let f = 1.0 / (1.0 + (-gates[token][d + i]).exp());
            f * old + (1.0 - f) * gates[token][i]
        };
        for i in 0..d {
            let first = cell(0.0, 0, i);
            let second = cell(first, 1, i);
            assert!((cells[2][i] - first).abs() < 1e-6 && (cells[4][i] - second).abs() < 1e-6);
            assert!((out[3][i] - cell(second, 3, i).max(0.0)).abs() < 1e-6);
        }
        assert!(
            ssru(
                &Tensor::zeros((1, 10), DType::F32, &Device::Cpu).unwrap(),
                &[None],
                &[9],
                &Tensor::zeros((6, d), DType::F32, &Device::Cpu).unwrap(),
                Level::detect()
            )
            .is_err()
        );
    }
}
