use anubad::kernels::{Level, matmul_q8::*};
use std::time::Instant;
fn main() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(std::env::args().nth(1).map_or(1, |a| a.parse().unwrap()))
        .build_global()
        .unwrap();
    let level = Level::detect();
    println!("{}", level.name());
    for (n, k) in [(4096usize, 640usize), (640, 2048), (1536, 640), (56143, 640)] {
        let w: Vec<f32> = (0..n * k).map(|i| (i as f32 * 0.37).sin()).collect();
        let p = PackedQ8::from_f32(level, n, k, &w);
        for m in [1usize, 4, 12, 32, 64, 256] {
            let x: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.11).cos()).collect();
            let mut out = vec![0f32; m * n];
            let reps = (2_000_000_000 / (n * k * m)).max(2);
            let mut best = f64::MAX;
            let mut bq = f64::MAX;
            for _ in 0..3 {
                let t = Instant::now();
                for _ in 0..reps {
                    std::hint::black_box(QuantisedRows::new(level, &x, m, k));
                }
                bq = bq.min(t.elapsed().as_secs_f64() / reps as f64);
                let q = QuantisedRows::new(level, &x, m, k);
                let t = Instant::now();
                for _ in 0..reps {
                    p.multiply(&q, &mut out);
                }
                best = best.min(t.elapsed().as_secs_f64() / reps as f64);
            }
            println!(
                "n={n} k={k} m={m}: {:.1} GMAC/s ({:.1} us, quantise {:.1} us)",
                (n * k * m) as f64 / best / 1e9,
                best * 1e6,
                bq * 1e6
            );
        }
    }
}
