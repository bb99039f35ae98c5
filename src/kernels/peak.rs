//! The most multiply-and-adds that `vpdpbusd` does on this processor: a loop that touches registers only.
//! `benches/kernels.rs` states the matrix product as a share of it.
#[cfg(target_arch = "x86_64")]
use super::level::Isa;
use super::level::Level;

/// Runs `rounds` rounds of the level's `vpdpbusd` on this thread and returns how many multiply-and-adds they were;
/// `None` where the processor or the level has no such instruction.
pub fn vpdpbusd(level: Level, rounds: u64) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    match level.isa() {
        Isa::Avx512Vnni => {
            // SAFETY: the processor has the level.
            unsafe { x86::avx512(rounds) };
            return Some(rounds * x86::SUMS as u64 * 64);
        }
        Isa::AvxVnni => {
            // SAFETY: as above.
            unsafe { x86::avxvnni(rounds) };
            return Some(rounds * x86::SUMS as u64 * 32);
        }
        _ => {}
    }
    let _ = (level, rounds);
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Independent sums, more than the instruction's latency needs.
    pub const SUMS: usize = 12;

    macro_rules! register_loop {
        ($name:ident, $features:literal, $set:ident, $dot:ident) => {
            #[target_feature(enable = $features)]
            pub fn $name(rounds: u64) {
                let (a, b) = ($set(black_box(3)), $set(black_box(5)));
                let mut sums = [$set(0); SUMS];
                for _ in 0..rounds {
                    for sum in &mut sums {
                        *sum = $dot(*sum, a, b);
                    }
                }
                black_box(sums);
            }
        };
    }
    register_loop!(avx512, "avx512f,avx512vnni", _mm512_set1_epi32, _mm512_dpbusd_epi32);
    register_loop!(avxvnni, "avxvnni,avx2", _mm256_set1_epi32, _mm256_dpbusd_avx_epi32);
}
