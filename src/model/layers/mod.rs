//! The building blocks of every network, over flat, unpadded activations [tokens, width].
//!
//! On the CPU each is one kernel call ([`crate::kernels`]); on other devices the same functions are composed of
//! candle's own operations (`composed`), which tests compare with the kernels. `ANUBAD_KERNELS=candle` composes them on
//! the CPU, too.
pub(crate) mod attention;
mod blocks;
pub(crate) mod composed;
pub(crate) mod embedding;
mod fixed;
pub(crate) mod heads;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod op;
pub(crate) mod rotary;
pub(crate) mod ssru;

pub use crate::kernels::rows::Activation;
pub use attention::{AttentionRows, KvStore, RelativeBias, attend};
pub use embedding::Embedding;
pub use fixed::FixedPart;
pub use heads::{HeadNorm, HeadSlice};
pub use linear::Linear;
pub use norm::{LayerNorm, RmsNorm, add};
pub use rotary::Rotary;

use crate::kernels::Level;
use candle_core::Device;

/// What the matrix products are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compute {
    /// Weights and activations as f32: the reference.
    F32,
    /// Weights and activations as bfloat16, sums in f32.
    Bf16,
    /// Weights and activations in 8 bits with a scale for every 32; weights that have 4 bits in the file (Q4_0, Q4_1, Q4_K)
    /// keep them. On a GPU the weights stay as they are in the file:
    /// quantized, f16, bf16 or f32.
    Int8,
}

impl Compute {
    /// The name that options, identities and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Compute::F32 => "f32",
            Compute::Bf16 => "bf16",
            Compute::Int8 => "int8",
        }
    }
}

/// Whether layers on `device` are composed of candle's operations rather than calls of our kernels.
fn is_composed(device: &Device, level: Level) -> bool {
    !device.is_cpu() || level == Level::CANDLE
}

/// Where and how a network runs.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Where it runs.
    pub device: Device,
    /// With what numbers.
    pub compute: Compute,
    /// Kernels of the CPU path.
    pub level: Level,
}

impl Placement {
    /// This machine's CPU with its best kernels.
    pub fn cpu(compute: Compute) -> Self {
        Self { device: Device::Cpu, compute, level: Level::detect() }
    }
}
