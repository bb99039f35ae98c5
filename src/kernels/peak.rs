//! The most 8-bit multiply-and-adds that this processor does: a loop of a level's own instructions that touches registers
//! only. `benches/kernels.rs` states the matrix product as a share of it.
#[cfg(target_arch = "x86_64")]
use super::level::Isa;
use super::level::Level;

/// The instructions that [`int8`] runs at a level; `None` where there is no such loop.
pub fn instructions(level: Level) -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    match level.isa() {
        Isa::Avx512Vnni | Isa::AvxVnni => return Some("vpdpbusd"),
        Isa::Avx2 => return Some("vpmaddubsw, vpmaddwd and vpaddd"),
        _ => {}
    }
    let _ = level;
    None
}

/// Runs `rounds` rounds of the level's [`instructions`] on this thread and returns how many multiply-and-adds they were;
/// `None` where there is no such loop.
pub fn int8(level: Level, rounds: u64) -> Option<u64> {
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
        Isa::Avx2 => {
            // SAFETY: as above.
            unsafe { x86::avx2(rounds) };
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

    /// Independent sums, more than the instructions' latency needs.
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
    register_loop!(avx2, "avx2", _mm256_set1_epi32, dot_avx2);

    /// The sum itself is what is multiplied: otherwise the product would be the same each time and be computed once.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn dot_avx2(sum: __m256i, a: __m256i, _: __m256i) -> __m256i {
        let pairs = _mm256_maddubs_epi16(a, sum);
        _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    }
}
