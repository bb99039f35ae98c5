//! Memory between the steps.
use std::hint::black_box;

/// Just below the size from which glibc never learns (32 MB on 64 bits).
const LARGEST: usize = (32 << 20) - (64 << 10);

/// Has glibc keep what a step frees for the next one. By default it hands freed memory back to the system as soon as there
/// is some, and every step has it cleared page by page anew, which took 7 % of the time. How much it keeps it learns from
/// the largest block that was mapped by itself and freed: here is one, which is never touched and so takes no memory.
/// Elsewhere this does nothing.
pub(super) fn keep_between_steps() {
    drop(black_box(Vec::<u8>::with_capacity(LARGEST)));
}
