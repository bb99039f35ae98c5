//! A bound on what stands between the members of a tar archive: the library reads long names and extended headers into
//! memory whole, however long the archive says that they are.
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes of headers before one member. A name takes some hundreds.
const MAX_HEADERS: u64 = 1 << 20;

/// Watches over what is read of an archive.
#[derive(Clone)]
pub(super) struct Headers {
    at: Rc<Cell<u64>>,
    /// Where the next member's content must have begun.
    limit: Rc<Cell<u64>>,
}

impl Default for Headers {
    fn default() -> Self {
        Self { at: Rc::default(), limit: Rc::new(Cell::new(MAX_HEADERS)) }
    }
}

impl Headers {
    /// The archive's bytes.
    pub fn watch<R: Read>(&self, archive: R) -> Watched<R> {
        Watched { archive, headers: self.clone() }
    }

    /// A member begins here; behind its content come the headers of the next.
    pub fn expect<R: Read>(&self, member: &tar::Entry<'_, R>) {
        // A sparse file says how long it is with its holes, of which the archive has nothing.
        let header = member.header();
        let size = match header.entry_type().is_gnu_sparse() {
            true => header.entry_size().unwrap_or(0),
            false => member.size(),
        };
        self.limit.set(self.at.get().saturating_add(size).saturating_add(512 + MAX_HEADERS));
    }
}

pub(super) struct Watched<R> {
    archive: R,
    headers: Headers,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Headers { at, limit } = &self.headers;
        let room = limit.get().saturating_sub(at.get());
        if room == 0 && !buffer.is_empty() {
            let said = format!("a member's name or headers are larger than {} KiB", MAX_HEADERS >> 10);
            return Err(io::Error::new(io::ErrorKind::InvalidData, said));
        }
        let most = usize::try_from(room).unwrap_or(usize::MAX).min(buffer.len());
        let n = self.archive.read(&mut buffer[..most])?;
        at.set(at.get() + n as u64);
        Ok(n)
    }
}
