//! How far an interrupted output is whole, by its journal and its bytes.
use super::journal::{Kind, Line, Mark, crc32, lines};
use super::paths::{Layout, Paths};
use crate::bulk::BulkError;
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Finds the last state that the files bear out.
pub(super) struct Recovery<'a> {
    pub(super) paths: &'a Paths,
    pub(super) layout: &'a Layout,
}

impl Recovery<'_> {
    /// The mark to go on from, the length of the journal up to it, and whether the output is complete.
    pub(super) fn find(&self) -> Result<(Option<Mark>, u64, bool)> {
        // First the last state that was forced onto the disk, …
        let (mut believed, mut header_end) = (None, 0);
        for (line, end) in lines(&self.paths.log)? {
            match line {
                Line::Header(_) if believed.is_none() => header_end = end,
                Line::Header(_) => {}
                Line::Mark(mark) if matches!(mark.kind, Kind::Synced | Kind::Frame) => believed = Some((mark, end)),
                // The last member holds the footer; nothing may follow it.
                Line::Mark(mark) if mark.kind == Kind::Last => return self.complete(mark, end),
                Line::Mark(_) => {}
                Line::End(mark) => return self.complete(mark, end),
            }
        }
        let (mut at, mut length) = match believed {
            Some((mark, end)) => (Some(mark), end),
            None => (None, header_end),
        };
        if at.as_ref().is_some_and(|mark| !self.is_long_enough(mark)) {
            return Err(self.too_short());
        }
        // … then everything behind it whose bytes are there and are the right ones.
        let from = length;
        for (line, end) in lines(&self.paths.log)?.skip_while(|(_, end)| *end <= from) {
            match line {
                Line::Mark(mark) if self.is_borne_out(at.as_ref(), &mark) => (at, length) = (Some(mark), end),
                Line::Header(_) => length = end,
                _ => break,
            }
        }
        Ok((at, length, false))
    }

    /// The journal says that all is done; the output must still be there to say so, too.
    fn complete(&self, mark: Mark, end: u64) -> Result<(Option<Mark>, u64, bool)> {
        let there = !self.layout.folder || mark.written == 0 || self.paths.out.is_dir();
        if there && self.is_long_enough(&mark) { Ok((Some(mark), end, true)) } else { Err(self.too_short()) }
    }

    fn too_short(&self) -> Error {
        let out = self.paths.out.display();
        let what = format!("{out}: the output is shorter than its journal says, so it was changed or damaged");
        BulkError::Damaged(what).into()
    }

    fn is_long_enough(&self, mark: &Mark) -> bool {
        let long = |path: &Path, length: u64| length == 0 || path.metadata().is_ok_and(|m| m.len() >= length);
        let tail = self.layout.compress.is_none() || self.layout.folder || long(&self.paths.tail, mark.raw - mark.base);
        tail && (self.layout.folder || long(&self.paths.out, mark.out)) && long(&self.paths.errors, mark.err)
    }

    /// The bytes that the mark adds have the checksum that it names.
    fn is_borne_out(&self, before: Option<&Mark>, mark: &Mark) -> bool {
        let start = Mark::default();
        let before = before.unwrap_or(&start);
        if !self.is_long_enough(mark) {
            return false;
        }
        let found = match (mark.kind, &mark.file) {
            (Kind::Skipped | Kind::Synced, _) => return true,
            (Kind::Failed, _) => crc_of(&self.paths.errors, before.err, mark.err),
            (Kind::Written, Some(file)) if self.layout.folder => {
                std::fs::read(self.paths.out.join(file)).map(|bytes| crc32(&bytes))
            }
            (Kind::Written, _) if self.layout.compress.is_some() => {
                crc_of(&self.paths.tail, before.raw - mark.base, mark.raw - mark.base)
            }
            (Kind::Written | Kind::Frame | Kind::Last, _) => crc_of(&self.paths.out, before.out, mark.out),
        };
        found.is_ok_and(|crc| crc == mark.crc)
    }
}

fn crc_of(path: &Path, from: u64, to: u64) -> io::Result<u32> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(crc32(&bytes))
}
