//! Which instruction set the kernels use.
use std::sync::OnceLock;

/// Instruction sets that kernels are written for, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust; what other processors get (LLVM vectorises it for their baseline).
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// AVX2 with 256-bit `vpdpbusd` (Alder Lake, Zen 5 and later).
    AvxVnni,
    /// AVX-512 F/BW/DQ/VL with 512-bit `vpdpbusd` (Ice Lake, Zen 4 and later).
    Avx512Vnni,
}

impl Level {
    /// Every level, weakest first.
    pub const ALL: [Level; 4] = [Level::Scalar, Level::Avx2, Level::AvxVnni, Level::Avx512Vnni];

    /// The best level of this processor, or the one that `ANUBAD_KERNELS` names if the processor has it.
    pub fn detect() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let wanted = std::env::var("ANUBAD_KERNELS").ok();
            let wanted = wanted.as_deref().and_then(|name| Level::ALL.into_iter().find(|l| l.name() == name));
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
                Level::Scalar => true,
                Level::Avx2 => avx2,
                Level::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
                Level::Avx512Vnni => {
                    avx2 && is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512bw")
                        && is_x86_feature_detected!("avx512dq")
                        && is_x86_feature_detected!("avx512vl")
                        && is_x86_feature_detected!("avx512vnni")
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Level::Scalar
        }
    }

    /// The name that `ANUBAD_KERNELS` takes and `anubad -V` prints.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::AvxVnni => "avx-vnni",
            Level::Avx512Vnni => "avx512-vnni",
        }
    }

    /// Whether 8-bit weights are packed as unsigned bytes (`vpdpbusd`'s first operand).
    pub fn unsigned_weights(self) -> bool {
        matches!(self, Level::AvxVnni | Level::Avx512Vnni)
    }
}

/// Defines `pub(crate) fn $name(level, args…)` that runs `$body` compiled for the level's instruction set.
/// `$body` must be `#[inline(always)]` plain Rust: LLVM vectorises it anew in each version.
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
                    $crate::kernels::Level::Scalar => {}
                }
            }
            let _ = level;
            $body($($arg),*)
        }
    };
}
pub(crate) use multiversion;
