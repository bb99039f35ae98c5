//! The two 4-bit kinds of GGUF whose levels are not evenly spaced: IQ4_NL and IQ4_XS.

/// The sixteen levels.
const LEVELS: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// Numbers and bytes of a block of IQ4_NL: a scale, then two numbers a byte.
pub(super) const NL: (usize, usize) = (32, 18);
/// The same of IQ4_XS: a scale, six bits of a scale for each of eight groups of 32, then two numbers a byte.
pub(super) const XS: (usize, usize) = (256, 136);

/// Sixteen bytes as 32 numbers: the low halves first.
fn group(scale: f32, bytes: &[u8], out: &mut [f32]) {
    let (low, high) = out.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
        *low = scale * f32::from(LEVELS[usize::from(byte & 15)]);
        *high = scale * f32::from(LEVELS[usize::from(byte >> 4)]);
    }
}

fn half(bytes: &[u8]) -> f32 {
    half::f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}

/// A row of IQ4_NL blocks.
pub(super) fn read_nl(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in bytes.as_chunks::<{ NL.1 }>().0.iter().zip(out.as_chunks_mut::<{ NL.0 }>().0) {
        group(half(block), &block[2..], out);
    }
}

/// A row of IQ4_XS blocks.
pub(super) fn read_xs(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in bytes.as_chunks::<{ XS.1 }>().0.iter().zip(out.as_chunks_mut::<{ XS.0 }>().0) {
        let high = u16::from_le_bytes([block[2], block[3]]);
        for (i, (bytes, out)) in block[8..].chunks_exact(16).zip(out.chunks_exact_mut(32)).enumerate() {
            let low = block[4 + i / 2] >> (4 * (i % 2)) & 15;
            let scale = i32::from(low) | i32::from(high >> (2 * i) & 3) << 4;
            group(half(block) * (scale - 32) as f32, bytes, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a block, by a rule that the golden numbers were made with, too.
    fn bytes(n: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..n).map(|i| (i * 37 + 11) as u8).collect();
        bytes[..2].copy_from_slice(&half::f16::from_f32(0.25).to_le_bytes());
        bytes
    }

    /// Against gguf-py 0.19's `quants.dequantize` of the same bytes: sum, some numbers, and the sum of i·x.
    fn check(numbers: &[f32], sum: f64, weighted: f64, some: &[(usize, f32)]) {
        let total: f64 = numbers.iter().map(|x| f64::from(*x)).sum();
        let by_place: f64 = numbers.iter().enumerate().map(|(i, x)| i as f64 * f64::from(*x)).sum();
        assert_eq!((total, by_place), (sum, weighted));
        some.iter().for_each(|(at, want)| assert_eq!(numbers[*at], *want, "number {at}"));
    }

    #[test]
    fn blocks_hold_what_gguf_py_reads_in_them() {
        let mut out = vec![0f32; 64];
        read_nl(&bytes(18).repeat(2), &mut out);
        assert_eq!(out[..32], out[32..]);
        check(&out[..32], NL_SUM, NL_WEIGHTED, &NL_SOME);
        let mut out = vec![0f32; 256];
        read_xs(&bytes(136), &mut out);
        check(&out, XS_SUM, XS_WEIGHTED, &XS_SOME);
    }

    const NL_SUM: f64 = -64.25;
    const NL_WEIGHTED: f64 = -1665.5;
    const NL_SOME: [(usize, f32); 4] = [(0, -8.75), (1, 6.25), (17, -2.5), (31, 0.25)];
    const XS_SUM: f64 = -2751.25;
    const XS_WEIGHTED: f64 = -520032.25;
    const XS_SOME: [(usize, f32); 5] = [(0, 16.25), (31, 8.75), (40, -66.5), (100, 10.0), (255, -4.0)];
}
