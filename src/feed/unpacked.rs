//! How much a packed file may become. Packing is bounded by nothing but its nesting: some kilobytes can hold terabytes,
//! and though nothing of it is kept, reading it takes days.
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What any file may become, …
const FREE: u64 = 256 << 20;
/// … and so many times its size beside: deflate reaches 1032 for nothing but zeros, text stays below 20.
const RATIO: u64 = 1000;

/// Bytes of one file before and behind unpacking, all levels and members together.
#[derive(Debug, Clone, Default)]
pub struct Unpacked(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    packed: AtomicU64,
    unpacked: AtomicU64,
}

/// No part of what the options say.
impl PartialEq for Unpacked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Unpacked {
    /// So many bytes lie in the file.
    pub(super) fn packed(&self, bytes: u64) {
        self.0.packed.fetch_max(bytes, Relaxed);
    }

    /// Counts a file's own bytes.
    pub(super) fn counted<R: Read>(&self, stream: R) -> Packed<R> {
        Packed { stream, counts: self.0.clone() }
    }

    /// Counts what a decoder gives, and ends it where it becomes absurd.
    pub(super) fn bounded<R: Read>(&self, stream: R) -> Bounded<R> {
        Bounded { stream, counts: self.0.clone() }
    }
}

pub(super) struct Packed<R> {
    stream: R,
    counts: Arc<Counts>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(buffer)?;
        self.counts.packed.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

pub(super) struct Bounded<R> {
    stream: R,
    counts: Arc<Counts>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(buffer)?;
        let unpacked = self.counts.unpacked.fetch_add(n as u64, Relaxed) + n as u64;
        let packed = self.counts.packed.load(Relaxed);
        if unpacked > FREE && unpacked / RATIO > packed {
            let said = format!(
                "it unpacks to more than {RATIO} times its size ({unpacked} bytes and more), which no feed does; \
                 unpack it yourself if it is one"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, said));
        }
        Ok(n)
    }
}
