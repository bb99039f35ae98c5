//! CPU kernels behind the layers: quantized and float matrix products, attention over cache rows, norms,
//! activations. SIMD is chosen at run time ([`Level`]); every kernel has a scalar twin that its test compares it with.
//!
//! Each output row depends on its input row alone, through the same operations in the same order whatever
//! the number of rows, so that a sentence's result does not depend on what else is in the batch.
// Register tiles are arrays that several loops index together.
#![allow(clippy::needless_range_loop)]
// SIMD and parts of a buffer for several threads; sound for any arguments, because a `Level` proves its instructions and
// the safe functions check all lengths.
#![allow(unsafe_code)]

pub(crate) mod attention;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod attention_simd;
pub(crate) mod float;
pub(crate) mod level;
pub mod matmul_bf16;
#[cfg(target_arch = "x86_64")]
mod matmul_bf16_x86;
pub mod matmul_f32;
pub mod matmul_q4;
#[cfg(target_arch = "x86_64")]
mod matmul_q4_x86;
pub mod matmul_q8;
#[cfg(target_arch = "aarch64")]
mod matmul_q8_neon;
#[cfg(target_arch = "x86_64")]
mod matmul_q8_x86;
pub(crate) mod parallel;
pub mod peak;
pub mod rows;

pub use level::{Level, LevelError};
