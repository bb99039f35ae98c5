//! Which instruction set the kernels use.
use std::sync::OnceLock;

/// Instruction sets that kernels are written for, weakest first on each architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No kernels: the layers run on candle's own operations, as they do on a GPU. For tests and comparisons.
    Candle,
    /// Plain Rust; what other processors get (LLVM vectorizes it for their baseline).
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// AVX2 with 256-bit `vpdpbusd` (Alder Lake, Zen 5 and later).
    AvxVnni,
    /// AVX-512 F/BW/DQ/VL with 512-bit `vpdpbusd` (Ice Lake, Zen 4 and later).
    Avx512Vnni,
    /// Any 64-bit ARM (Cortex-A53, A72 and later).
    Neon,
    /// ARM with `sdot` (Cortex-A55, A76, Neoverse N1, Apple M1 and later).
    NeonDotprod,
    /// ARM with `sdot` and `smmla` (Cortex-X2, Neoverse N2 and V1, Apple M2 and later).
    NeonI8mm,
}

impl Level {
    /// Every level of the kernels, weakest first on each architecture.
    pub const ALL: [Level; 7] = [
        Level::Scalar,
        Level::Avx2,
        Level::AvxVnni,
        Level::Avx512Vnni,
        Level::Neon,
        Level::NeonDotprod,
        Level::NeonI8mm,
    ];

    /// The best level of this processor, or the one that `ANUBAD_KERNELS` names if the processor has it.
    pub fn detect() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let wanted = std::env::var("ANUBAD_KERNELS").ok();
            let mut names = Level::ALL.into_iter().chain([Level::Candle]);
            let wanted = wanted.as_deref().and_then(|name| names.find(|l| l.name() == name));
            let best = Level::ALL.into_iter().rfind(|l| l.available()).unwrap_or(Level::Scalar);
            wanted.filter(|l| l.available()).unwrap_or(best)
        })
    }

    /// Whether this processor can run the level's kernels.
    pub fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            match self {
                Level::Candle | Level::Scalar => true,
                Level::Avx2 => avx2,
                Level::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
                Level::Avx512Vnni => {
                    avx2 && is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512bw")
                        && is_x86_feature_detected!("avx512dq")
                        && is_x86_feature_detected!("avx512vl")
                        && is_x86_feature_detected!("avx512vnni")
                }
                Level::Neon | Level::NeonDotprod | Level::NeonI8mm => false,
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected as has;
            match self {
                Level::Candle | Level::Scalar => true,
                Level::Neon => has!("neon"),
                Level::NeonDotprod => has!("neon") && has!("dotprod"),
                Level::NeonI8mm => has!("neon") && has!("dotprod") && has!("i8mm"),
                Level::Avx2 | Level::AvxVnni | Level::Avx512Vnni => false,
            }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            matches!(self, Level::Candle | Level::Scalar)
        }
    }

    /// The name that `ANUBAD_KERNELS` takes and `anubad -V` prints.
    pub fn name(self) -> &'static str {
        match self {
            Level::Candle => "candle",
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::AvxVnni => "avx-vnni",
            Level::Avx512Vnni => "avx512-vnni",
            Level::Neon => "neon",
            Level::NeonDotprod => "neon-dotprod",
            Level::NeonI8mm => "neon-i8mm",
        }
    }

    /// Whether 8-bit weights are packed as unsigned bytes (`vpdpbusd`'s first operand).
    pub fn unsigned_weights(self) -> bool {
        matches!(self, Level::AvxVnni | Level::Avx512Vnni)
    }

    /// Inputs of one output column that lie together in a panel of 8-bit weights: what one dot-product instruction
    /// takes in (`smmla` takes 8, the others 4).
    pub fn run(self) -> usize {
        if self == Level::NeonI8mm { 8 } else { 4 }
    }
}

/// Defines `pub(crate) fn $name(level, args…)` that runs `$body` compiled for the level's instruction set.
/// `$body` must be `#[inline(always)]` plain Rust: LLVM vectorizes it anew in each version. (On ARM there is one: every
/// 64-bit ARM has NEON, so that the portable build of `$body` is the NEON version.)
macro_rules! multiversion {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path) => {
        $(#[$doc])*
        $vis fn $name(level: $crate::kernels::Level, $($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn wide($($arg: $ty),*) $(-> $ret)? { $body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($arg: $ty),*) $(-> $ret)? { $body($($arg),*) }
                match level {
                    // SAFETY: a level is only ever chosen if `Level::available` found its features.
                    $crate::kernels::Level::Avx512Vnni => return unsafe { wide($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernels::Level::Avx2 | $crate::kernels::Level::AvxVnni => return unsafe { narrow($($arg),*) },
                    _ => {}
                }
            }
            let _ = level;
            $body($($arg),*)
        }
    };
}
pub(crate) use multiversion;
