//! Exit codes.
/// The run failed.
pub const FAILED: u8 = 1;
/// Options that contradict one another or are out of range (clap's own exit code, too).
pub const USAGE: u8 = 2;
/// Some items failed; the rest is written.
pub const PARTLY: u8 = 3;
