//! Matrix products at the shapes of real networks, for one token, a few and a batch: `cargo bench --bench kernels`.
//!
//! The throughput is in multiply-and-adds a second. `cargo bench --bench kernels -- int8/` runs a part. First come
//! tables measured in turns: the int8 product as a share of what its instructions do at most, candle's own quantized
//! product beside ours, and weights in 4 bits beside 8 (`-- tables` for these alone).
mod shared;

use anubad::kernels::matmul_bf16::PackedBf16;
use anubad::kernels::matmul_f32::PackedF32;
use anubad::kernels::matmul_q4::PackedQ4;
use anubad::kernels::matmul_q8::{PackedQ8, QuantizedRows};
use anubad::kernels::{Level, peak};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// Rows of activations: tokens in flight.
const ROWS: [usize; 5] = [1, 4, 16, 64, 256];

/// (name, outputs, inputs), as the networks fuse them.
const SHAPES: &[(&str, usize, usize)] = &[
    ("gemma270m-qkv", 1536, 640),
    ("gemma270m-attention-out", 640, 1024),
    ("gemma270m-gate-up", 4096, 640),
    ("gemma270m-down", 640, 2048),
    ("gemma270m-vocabulary", 66_122, 640),
    ("opus-qkv", 1536, 512),
    ("opus-fc1", 2048, 512),
    ("opus-fc2", 512, 2048),
    ("opus-vocabulary", 32_000, 512),
    ("nllb600m-qkv", 3072, 1024),
    ("nllb600m-fc1", 4096, 1024),
    ("nllb600m-fc2", 1024, 4096),
    ("nllb600m-shortlist", 32_000, 1024),
];

/// Those of [`SHAPES`] that are feed-forward layers.
const FEED_FORWARD: [&str; 6] =
    ["gemma270m-gate-up", "gemma270m-down", "opus-fc1", "opus-fc2", "nllb600m-fc1", "nllb600m-fc2"];

/// Reproducible numbers in -0.5..0.5.
fn noise(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5).collect()
}

/// Whether the command line asks for the tables, or for nothing in particular.
fn wants_tables() -> bool {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    filter.is_none_or(|filter| filter == "tables")
}

/// The int8 product of the feed-forward shapes on one thread, beside a loop of its instructions alone.
fn share_of_peak(_: &mut Criterion) {
    let level = Level::detect();
    let Some(instructions) = peak::instructions(level).filter(|_| wants_tables()) else { return };
    println!("int8 product on one thread as a share of the rate of a loop of {instructions} ({}):", level.name());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for &(name, n, k) in SHAPES.iter().filter(|shape| FEED_FORWARD.contains(&shape.0)) {
        let packed = PackedQ8::from_f32(level, n, k, &noise(n * k));
        for m in ROWS.into_iter().filter(|&m| m >= 64) {
            let (x, mut out, products) = (noise(m * k), vec![0f32; m * n], (m * n * k) as f64);
            // About as long as the product itself, so that both see the same machine.
            let rounds = (m * n * k) as u64 / peak::int8(level, 1).unwrap_or(1).max(1);
            let mut most = 0u64;
            let mut product =
                || pool.install(|| packed.multiply(&QuantizedRows::new(level, black_box(&x), m, k), &mut out));
            let mut alone = || most = peak::int8(level, black_box(rounds)).unwrap_or_default();
            let [ours, peak] = shared::in_turns(51, [&mut product, &mut alone]);
            let (ours, peak) = (products / ours / 1e9, most as f64 / peak / 1e9);
            println!("{name:<24} m {m:>3}: {ours:7.1} of {peak:7.1} billion/s, {:.0} %", 100.0 * ours / peak);
        }
    }
}

/// candle's quantized product (Q8_0, its own choice of kernel) and ours, with the same threads.
fn beside_candle(_: &mut Criterion) {
    if !wants_tables() {
        return;
    }
    let level = Level::detect();
    println!("candle's QMatMul (Q8_0) beside ours ({}), {} threads:", level.name(), rayon::current_num_threads());
    for &(name, n, k) in SHAPES.iter().filter(|(_, n, _)| *n < 10_000) {
        let weights = noise(n * k);
        let packed = PackedQ8::from_f32(level, n, k, &weights);
        let tensor = Tensor::from_vec(weights, (n, k), &Device::Cpu).expect("a matrix");
        let theirs = QTensor::quantize(&tensor, GgmlDType::Q8_0).and_then(QMatMul::from_qtensor).expect("Q8_0");
        let mut line = format!("{name:<24}");
        for m in ROWS {
            let (x, mut out) = (noise(m * k), vec![0f32; m * n]);
            let input = Tensor::from_slice(&x, (m, k), &Device::Cpu).expect("activations");
            let mut product = || packed.multiply(&QuantizedRows::new(level, black_box(&x), m, k), &mut out);
            let mut candle = || drop(black_box(theirs.forward(&input).expect("candle's product")));
            let [ours, candle] = shared::in_turns(11, [&mut product, &mut candle]);
            line += &format!("  m {m}: {:.3}/{:.3} ms, {:.1}x", candle * 1e3, ours * 1e3, candle / ours);
        }
        println!("{line}");
    }
}

/// Weights in 4 bits beside 8 with the same threads. Many matrices in turn, so that they come from memory as a network's
/// do, not from the cache.
fn four_bits(_: &mut Criterion) {
    let level = Level::detect();
    if !wants_tables() || !PackedQ4::pays(level) {
        return;
    }
    println!("weights in 8 bits and in 4 ({}), {} threads:", level.name(), rayon::current_num_threads());
    for &(name, n, k) in SHAPES.iter().filter(|(_, n, _)| *n < 10_000) {
        let weights = noise(n * k);
        let copies = 64 * 1024 * 1024 / (n * k) + 1;
        let eight: Vec<PackedQ8> = (0..copies).map(|_| PackedQ8::from_f32(level, n, k, &weights)).collect();
        let four: Vec<PackedQ4> = (0..copies)
            .map(|_| {
                PackedQ4::pack(level, n, k, |j, values, scales, _| {
                    values.iter_mut().zip(&weights[j * k..]).for_each(|(v, w)| *v = (w * 15.0 + 7.5) as u8);
                    scales.fill(half::f16::from_f32(0.1));
                })
            })
            .collect();
        let mut line = format!("{name:<24}");
        for m in ROWS {
            let (x, mut out) = (noise(m * k), vec![0f32; m * n]);
            let mut other = out.clone();
            let rows = || QuantizedRows::new(level, black_box(&x), m, k);
            let mut with_eight = || eight.iter().for_each(|matrix| matrix.multiply(&rows(), &mut out));
            let mut with_four = || four.iter().for_each(|matrix| matrix.multiply(&rows(), &mut other));
            let [eight, four] = shared::in_turns(5, [&mut with_eight, &mut with_four]);
            let each = 1e3 / copies as f64;
            line += &format!("  m {m}: {:.3}/{:.3} ms, {:.2}x", eight * each, four * each, eight / four);
        }
        println!("{line}");
    }
}

fn int8(c: &mut Criterion) {
    let level = Level::detect();
    let mut group = c.benchmark_group(format!("int8/{}", level.name()));
    for &(name, n, k) in SHAPES {
        let packed = PackedQ8::from_f32(level, n, k, &noise(n * k));
        for m in ROWS {
            let x = noise(m * k);
            let mut out = vec![0f32; m * n];
            group.throughput(Throughput::Elements((m * n * k) as u64));
            group.bench_function(BenchmarkId::new(name, m), |b| {
                // Quantizing the activations belongs to the product: a layer does both.
                b.iter(|| packed.multiply(&QuantizedRows::new(level, black_box(&x), m, k), &mut out));
            });
        }
    }
    group.finish();
}

/// f32, and bfloat16 beside it.
fn float(c: &mut Criterion) {
    let level = Level::detect();
    for bf16 in [false, true] {
        let mut group = c.benchmark_group(format!("{}/{}", if bf16 { "bf16" } else { "f32" }, level.name()));
        for &(name, n, k) in SHAPES.iter().filter(|(_, n, _)| *n < 10_000) {
            let weights = noise(n * k);
            let row = |row: usize, out: &mut [f32]| out.copy_from_slice(&weights[row * k..][..k]);
            let (wide, half) = (PackedF32::pack(n, k, row), PackedBf16::pack(n, k, row));
            for m in ROWS {
                let x = noise(m * k);
                let mut out = vec![0f32; m * n];
                group.throughput(Throughput::Elements((m * n * k) as u64));
                group.bench_function(BenchmarkId::new(name, m), |b| {
                    b.iter(|| match bf16 {
                        true => half.multiply(level, black_box(&x), m, &mut out),
                        false => wide.multiply(level, black_box(&x), m, &mut out),
                    });
                });
            }
        }
        group.finish();
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = short(); targets = share_of_peak, beside_candle, four_bits, int8, float }
criterion_main!(benches);
