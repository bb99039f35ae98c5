//! Operations on one row of activations at a time: norms, rotary positions, gated activations, log-sum-exp.
use super::float::{self, LANES};
use super::level::{Level, multiversion};
use super::parallel;

/// The nonlinearities of the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Identity,
    /// max(x, 0).
    Relu,
    /// GELU by tanh, as Gemma and T5 1.1 have it.
    GeluTanh,
    /// GELU by the error function.
    GeluErf,
    /// x · σ(x), also called swish.
    Silu,
}

/// Calls `row(i, out_row)` for each of the `width`-wide rows of `out`, in parallel.
fn for_rows(out: &mut [f32], width: usize, row: impl Fn(usize, &mut [f32]) + Sync) {
    parallel::rows(out, width, 16_384 / width, row);
}

/// Root-mean-square norm: out = x / √(mean(x²) + eps) · weight, row by row.
pub fn rms_norm(level: Level, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let d = weight.len();
    for_rows(out, d, |i, out| rms_row(level, &x[i * d..][..d], weight, eps, out));
}

/// `residual` += rms_norm(x): Gemma's post-norm and residual connection in one pass.
pub fn add_rms_norm(level: Level, residual: &mut [f32], x: &[f32], weight: &[f32], eps: f32) {
    let d = weight.len();
    for_rows(residual, d, |i, out| add_rms_row(level, &x[i * d..][..d], weight, eps, out));
}

/// Layer norm with weight and bias, row by row.
pub fn layer_norm(level: Level, x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let d = weight.len();
    for_rows(out, d, |i, out| layer_row(level, &x[i * d..][..d], weight, bias, eps, out));
}

/// Applies an activation in place.
pub fn activate(level: Level, activation: Activation, x: &mut [f32]) {
    if activation != Activation::Identity && !x.is_empty() {
        let width = x.len().min(1024);
        let whole = x.len() / width * width;
        let (body, tail) = x.split_at_mut(whole);
        for_rows(body, width, |_, row| activate_row(level, activation, row));
        activate_row(level, activation, tail);
    }
}

/// Adds `bias` to each row of `out`.
pub fn add_bias(level: Level, bias: &[f32], out: &mut [f32]) {
    for_rows(out, bias.len(), |_, row| add_row(level, bias, row));
}

/// Gated activation: `x` [m, 2·d] holds gate and up side by side; out [m, d] = activation(gate) · up.
pub fn gated(level: Level, activation: Activation, x: &[f32], d: usize, out: &mut [f32]) {
    for_rows(out, d, |i, out| {
        let (gate, up) = x[i * 2 * d..][..2 * d].split_at(d);
        out.copy_from_slice(gate);
        activate_row(level, activation, out);
        multiply_row(level, up, out);
    });
}

/// Rotates the pairs (i, i + half) of one head by `angles` = cos half, then sin half (GPT-NeoX order).
pub fn rotate_half(head: &mut [f32], angles: &[f32]) {
    let half = head.len() / 2;
    let (cos, sin) = angles.split_at(half);
    let (a, b) = head.split_at_mut(half);
    for i in 0..half {
        let (x, y) = (a[i], b[i]);
        a[i] = x * cos[i] - y * sin[i];
        b[i] = y * cos[i] + x * sin[i];
    }
}

/// Rotates the adjacent pairs (2i, 2i + 1) of one head (the original, interleaved order).
pub fn rotate_pairs(head: &mut [f32], angles: &[f32]) {
    let (cos, sin) = angles.split_at(head.len() / 2);
    for (i, pair) in head.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let [x, y] = *pair;
        *pair = [x * cos[i] - y * sin[i], y * cos[i] + x * sin[i]];
    }
}

multiversion! {
    fn rms_row(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = rms_row_body
}
#[inline(always)]
fn rms_row_body(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let scale = 1.0 / (float::sum_squares(x) / x.len() as f32 + eps).sqrt();
    for ((o, x), w) in out.iter_mut().zip(x).zip(weight) {
        *o = x * scale * w;
    }
}

multiversion! {
    fn add_rms_row(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = add_rms_row_body
}
#[inline(always)]
fn add_rms_row_body(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let scale = 1.0 / (float::sum_squares(x) / x.len() as f32 + eps).sqrt();
    for ((o, x), w) in out.iter_mut().zip(x).zip(weight) {
        *o += x * scale * w;
    }
}

multiversion! {
    fn layer_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) = layer_row_body
}
#[inline(always)]
fn layer_row_body(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let n = x.len() as f32;
    let mut lanes = [0f32; LANES];
    for chunk in x.chunks(LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    let mean = float::sum_lanes(lanes) / n;
    for (o, x) in out.iter_mut().zip(x) {
        *o = x - mean;
    }
    let scale = 1.0 / (float::sum_squares(out) / n + eps).sqrt();
    for ((o, w), b) in out.iter_mut().zip(weight).zip(bias) {
        *o = *o * scale * w + b;
    }
}

multiversion! {
    fn activate_row(activation: Activation, x: &mut [f32]) = activate_row_body
}
#[inline(always)]
fn activate_row_body(activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => x.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { 0.0 }),
        Activation::GeluTanh => x.iter_mut().for_each(|x| *x = float::gelu_tanh(*x)),
        Activation::GeluErf => x.iter_mut().for_each(|x| *x = float::gelu_erf(*x)),
        Activation::Silu => x.iter_mut().for_each(|x| *x = float::silu(*x)),
    }
}

multiversion! {
    fn multiply_row(x: &[f32], out: &mut [f32]) = multiply_row_body
}
#[inline(always)]
fn multiply_row_body(x: &[f32], out: &mut [f32]) {
    for (o, x) in out.iter_mut().zip(x) {
        *o *= x;
    }
}

multiversion! {
    fn add_row(x: &[f32], out: &mut [f32]) = add_row_body
}
#[inline(always)]
fn add_row_body(x: &[f32], out: &mut [f32]) {
    for (o, x) in out.iter_mut().zip(x) {
        *o += x;
    }
}

multiversion! {
    /// log Σ eˣ of one row.
    pub fn log_sum_exp(x: &[f32]) -> f32 = log_sum_exp_body
}
#[inline(always)]
fn log_sum_exp_body(x: &[f32]) -> f32 {
    let largest = float::max(x);
    if !largest.is_finite() {
        return largest;
    }
    let mut lanes = [0f32; LANES];
    let (body, tail) = x.as_chunks::<LANES>();
    for chunk in body {
        for i in 0..LANES {
            lanes[i] += float::exp(chunk[i] - largest);
        }
    }
    for (i, x) in tail.iter().enumerate() {
        lanes[i] += float::exp(x - largest);
    }
    largest + float::sum_lanes(lanes).ln()
}

multiversion! {
    /// Index of the largest element, the first of equals; 0 for an empty row.
    pub fn argmax(x: &[f32]) -> usize = argmax_body
}
#[inline(always)]
fn argmax_body(x: &[f32]) -> usize {
    // Blocks first: the maximum vectorizes, the search for its index need only run in one block.
    const BLOCK: usize = 256;
    let mut best = (f32::NEG_INFINITY, 0usize);
    for (b, block) in x.chunks(BLOCK).enumerate() {
        let largest = float::max(block);
        if largest > best.0 {
            best = (largest, b);
        }
    }
    let start = best.1 * BLOCK;
    x[start..].iter().take(BLOCK).position(|&v| v == best.0).map_or(0, |i| start + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> impl Iterator<Item = Level> {
        Level::all()
    }

    #[test]
    fn norms_match_their_definitions() {
        let (m, d) = (5, 70);
        let x: Vec<f32> = (0..m * d).map(|i| (i as f32 * 0.31).sin() * 3.0 + 0.5).collect();
        let w: Vec<f32> = (0..d).map(|i| 1.0 + i as f32 * 0.01).collect();
        let b: Vec<f32> = (0..d).map(|i| i as f32 * 0.02).collect();
        for level in levels() {
            let (mut rms, mut added, mut layer) = (vec![0.0; m * d], vec![1.0; m * d], vec![0.0; m * d]);
            rms_norm(level, &x, &w, 1e-6, &mut rms);
            add_rms_norm(level, &mut added, &x, &w, 1e-6);
            layer_norm(level, &x, &w, &b, 1e-5, &mut layer);
            for r in 0..m {
                let row: Vec<f64> = x[r * d..][..d].iter().map(|&v| f64::from(v)).collect();
                let square = row.iter().map(|v| v * v).sum::<f64>() / d as f64;
                let mean = row.iter().sum::<f64>() / d as f64;
                let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / d as f64;
                for i in 0..d {
                    let want = row[i] / (square + 1e-6).sqrt() * f64::from(w[i]);
                    assert!((f64::from(rms[r * d + i]) - want).abs() < 1e-5);
                    assert!((f64::from(added[r * d + i]) - want - 1.0).abs() < 1e-5);
                    let want = (row[i] - mean) / (variance + 1e-5).sqrt() * f64::from(w[i]) + f64::from(b[i]);
                    assert!((f64::from(layer[r * d + i]) - want).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn argmax_and_log_sum_exp() {
        for n in [1usize, 5, 255, 256, 257, 5000] {
            let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 10007) as f32 / 1000.0).collect();
            let want = x.iter().enumerate().fold(0, |b, (i, v)| if *v > x[b] { i } else { b });
            let lse = x.iter().map(|&v| f64::from(v).exp()).sum::<f64>().ln();
            for level in levels() {
                assert_eq!(argmax(level, &x), want);
                assert!((f64::from(log_sum_exp(level, &x)) - lse).abs() < 1e-5);
            }
        }
        assert_eq!(argmax(Level::detect(), &[1.0, 3.0, 3.0]), 1);
    }

    #[test]
    fn gated_multiplies_the_activated_gate() {
        let x = [1.0, -2.0, 10.0, 20.0];
        let mut out = [0.0; 2];
        gated(Level::detect(), Activation::Relu, &x, 2, &mut out);
        assert_eq!(out, [10.0, 0.0]);
    }

    #[test]
    fn rotations_keep_length_and_turn_by_the_angle() {
        let angles = [0.0, -1.0, 1.0, 0.0]; // cos 90°, cos 180°, sin 90°, sin 180°
        let mut head = [1.0, 2.0, 3.0, 4.0];
        rotate_half(&mut head, &angles);
        assert_eq!(head, [-3.0, -2.0, 1.0, -4.0]);
        let mut head = [1.0, 2.0, 3.0, 4.0];
        rotate_pairs(&mut head, &angles);
        assert_eq!(head, [-2.0, 1.0, -3.0, -4.0]);
    }
}
