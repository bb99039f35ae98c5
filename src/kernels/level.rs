//! Which instruction set the kernels use.
use std::sync::OnceLock;

/// The name of the environment variable that asks for a level.
const VARIABLE: &str = "ANUBAD_KERNELS";

/// An instruction set that this processor has and that kernels are written for.
///
/// A value is proof: it comes from detection ([`Level::detect`], [`Level::all`]) or from a checked name
/// ([`Level::named`]), so that kernels may be called safely with any `Level` there is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level(Isa);

/// The instruction sets, weakest first on each architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Isa {
    /// No kernels: the layers run on candle's own operations, as they do on a GPU. For tests and comparisons.
    Candle,
    /// Plain Rust; what other processors get (LLVM vectorizes it for their baseline).
    Scalar,
    /// x86-64 with AVX2, FMA and F16C.
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

/// A level that was asked for by name and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LevelError {
    /// There are no such kernels.
    #[error("there are no kernels called `{name}`; this processor runs {choices}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that would do, separated by commas.
        choices: String,
    },
    /// The processor lacks the instructions.
    #[error("this processor lacks the instructions of the `{name}` kernels; it runs {choices}")]
    Unavailable {
        /// What was asked for.
        name: String,
        /// The names that would do, separated by commas.
        choices: String,
    },
}

/// Every instruction set that has kernels, weakest first on each architecture.
const KERNELS: [Isa; 7] =
    [Isa::Scalar, Isa::Avx2, Isa::AvxVnni, Isa::Avx512Vnni, Isa::Neon, Isa::NeonDotprod, Isa::NeonI8mm];

impl Level {
    /// Plain Rust, which runs anywhere.
    pub const SCALAR: Level = Level(Isa::Scalar);
    /// No kernels at all: candle's own operations, which run anywhere.
    pub const CANDLE: Level = Level(Isa::Candle);

    /// The levels of the kernels that this processor can run, weakest first.
    pub fn all() -> impl Iterator<Item = Level> {
        KERNELS.into_iter().filter(|isa| isa.available()).map(Level)
    }

    /// The best level of this processor.
    pub fn best() -> Level {
        Level::all().last().unwrap_or(Level::SCALAR)
    }

    /// The level called `name`, one of [`Level::all`]'s or "candle".
    ///
    /// # Errors
    /// There is no such level, or this processor lacks it; the text lists those that it has.
    pub fn named(name: &str) -> Result<Level, LevelError> {
        let isa = KERNELS.into_iter().chain([Isa::Candle]).find(|isa| isa.name() == name);
        let choices = || Level::all().chain([Level::CANDLE]).map(Level::name).collect::<Vec<_>>().join(", ");
        match isa {
            Some(isa) if isa.available() => Ok(Level(isa)),
            Some(_) => Err(LevelError::Unavailable { name: name.into(), choices: choices() }),
            None => Err(LevelError::Unknown { name: name.into(), choices: choices() }),
        }
    }

    /// The level that `ANUBAD_KERNELS` names, else the best one. The variable is read once.
    ///
    /// # Errors
    /// As for [`Level::named`].
    pub fn from_environment() -> Result<Level, LevelError> {
        static LEVEL: OnceLock<Result<Level, LevelError>> = OnceLock::new();
        let read = || match std::env::var_os(VARIABLE) {
            Some(name) if !name.is_empty() => Level::named(&name.to_string_lossy()),
            _ => Ok(Level::best()),
        };
        LEVEL.get_or_init(read).clone()
    }

    /// As [`Level::from_environment`], with the best level where the variable names none that can be had: for places
    /// that cannot fail. Opening a model and the command line report the error.
    pub fn detect() -> Level {
        Level::from_environment().unwrap_or_else(|_| Level::best())
    }

    /// The name that `ANUBAD_KERNELS` takes and `anubad -V` prints.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The instruction set, for the kernels' own choice.
    pub(crate) fn isa(self) -> Isa {
        self.0
    }

    /// Whether 8-bit weights are packed as unsigned bytes (`vpdpbusd`'s first operand).
    pub(crate) fn unsigned_weights(self) -> bool {
        matches!(self.0, Isa::AvxVnni | Isa::Avx512Vnni)
    }

    /// Inputs of one output column that lie together in a panel of 8-bit weights: what one dot-product instruction
    /// takes in (`smmla` takes 8, the others 4).
    pub(crate) fn run(self) -> usize {
        if self.0 == Isa::NeonI8mm { 8 } else { 4 }
    }
}

impl std::fmt::Debug for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Isa {
    /// Whether this processor has every instruction that the level's kernels are compiled for. Keep it in step with their
    /// `#[target_feature]` attributes.
    fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
            match self {
                Isa::Candle | Isa::Scalar => true,
                Isa::Avx2 => avx2,
                Isa::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
                Isa::Avx512Vnni => {
                    avx2 && is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512bw")
                        && is_x86_feature_detected!("avx512dq")
                        && is_x86_feature_detected!("avx512vl")
                        && is_x86_feature_detected!("avx512vnni")
                }
                Isa::Neon | Isa::NeonDotprod | Isa::NeonI8mm => false,
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected as has;
            match self {
                Isa::Candle | Isa::Scalar => true,
                Isa::Neon => has!("neon"),
                Isa::NeonDotprod => has!("neon") && has!("dotprod"),
                Isa::NeonI8mm => has!("neon") && has!("dotprod") && has!("i8mm"),
                Isa::Avx2 | Isa::AvxVnni | Isa::Avx512Vnni => false,
            }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            matches!(self, Isa::Candle | Isa::Scalar)
        }
    }

    fn name(self) -> &'static str {
        match self {
            Isa::Candle => "candle",
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::AvxVnni => "avx-vnni",
            Isa::Avx512Vnni => "avx512-vnni",
            Isa::Neon => "neon",
            Isa::NeonDotprod => "neon-dotprod",
            Isa::NeonI8mm => "neon-i8mm",
        }
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
                match level.isa() {
                    $crate::kernels::level::Isa::Avx512Vnni => {
                        // SAFETY: a `Level` exists only where the processor has its features.
                        return unsafe { wide($($arg),*) };
                    }
                    $crate::kernels::level::Isa::Avx2 | $crate::kernels::level::Isa::AvxVnni => {
                        // SAFETY: a `Level` exists only where the processor has its features.
                        return unsafe { narrow($($arg),*) };
                    }
                    _ => {}
                }
            }
            let _ = level;
            $body($($arg),*)
        }
    };
}
pub(crate) use multiversion;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_there_is_has_a_name_that_finds_it() {
        for level in Level::all().chain([Level::CANDLE]) {
            assert_eq!(Level::named(level.name()), Ok(level));
        }
        assert!(Level::all().any(|l| l == Level::SCALAR) && Level::all().any(|l| l == Level::best()));
    }

    #[test]
    fn names_that_cannot_be_had_are_errors_that_list_the_choices() {
        for name in ["", "avx", "AVX2", "avx512", "Scalar", "scalar ", "neon-i9mm"] {
            let error = Level::named(name).unwrap_err();
            assert!(matches!(error, LevelError::Unknown { .. }), "{name}");
            assert!(error.to_string().contains("scalar") && error.to_string().contains("candle"), "{error}");
        }
        let foreign = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
        assert!(matches!(Level::named(foreign), Err(LevelError::Unavailable { .. })));
    }
}
