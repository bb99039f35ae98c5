//! Matrix products at the shapes of real networks, for one token, a few and a batch: `cargo bench --bench kernels`.
//!
//! The throughput is in multiply-and-adds a second. `cargo bench --bench kernels -- 'int8/gemma'` runs a part.
use anubad::kernels::Level;
use anubad::kernels::matmul_f32::PackedF32;
use anubad::kernels::matmul_q8::{PackedQ8, QuantisedRows};
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

/// Reproducible numbers in -0.5..0.5.
fn noise(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5).collect()
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
                // Quantising the activations belongs to the product: a layer does both.
                b.iter(|| packed.multiply(&QuantisedRows::new(level, black_box(&x), m, k), &mut out));
            });
        }
    }
    group.finish();
}

fn float(c: &mut Criterion) {
    let level = Level::detect();
    let mut group = c.benchmark_group(format!("f32/{}", level.name()));
    for &(name, n, k) in SHAPES.iter().filter(|(_, n, _)| *n < 10_000) {
        let weights = noise(n * k);
        let packed = PackedF32::pack(n, k, |row, out| out.copy_from_slice(&weights[row * k..][..k]));
        for m in ROWS {
            let x = noise(m * k);
            let mut out = vec![0f32; m * n];
            group.throughput(Throughput::Elements((m * n * k) as u64));
            group.bench_function(BenchmarkId::new(name, m), |b| {
                b.iter(|| packed.multiply(level, black_box(&x), m, &mut out));
            });
        }
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = short(); targets = int8, float }
criterion_main!(benches);
