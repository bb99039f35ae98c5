//! Measuring in turns, for ratios: what slows the machine down for a while slows every contestant down.
use std::time::Instant;

/// Calls each of the jobs `rounds` times, in turns, after one round that warms up; the least time of each in
/// seconds: what else the machine does only ever adds to it.
pub fn in_turns<const N: usize>(rounds: usize, mut jobs: [&mut dyn FnMut(); N]) -> [f64; N] {
    jobs.iter_mut().for_each(|job| job());
    let mut least = [f64::INFINITY; N];
    for _ in 0..rounds {
        for (job, least) in jobs.iter_mut().zip(&mut least) {
            let start = Instant::now();
            job();
            *least = start.elapsed().as_secs_f64().min(*least);
        }
    }
    least
}
