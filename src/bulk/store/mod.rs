//! The output on disk: appended to record by record, never ahead of the journal, cut back when a run is resumed.
pub(in crate::bulk) mod ahead;
pub(in crate::bulk) mod journal;
pub(in crate::bulk) mod lock;
mod paths;
mod recovery;
pub(in crate::bulk) mod writer;

use crate::bulk::BulkError;
use crate::bulk::options::Sync;
use crate::bulk::store::journal::{Header, Journal, Kind, Line, Mark, crc32};
use crate::bulk::store::recovery::Recovery;
use crate::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use paths::{Layout, Paths};

/// Bytes of output that make a packed member.
const FRAME: u64 = 1 << 20;

/// An output that is being written.
#[derive(Debug)]
pub struct Store {
    paths: Paths,
    layout: Layout,
    policy: Sync,
    /// `None` for a folder.
    out: Option<File>,
    errors: File,
    tail: Option<File>,
    journal: Journal,
    at: Mark,
    /// Files written since the last sync.
    unsynced: Vec<PathBuf>,
    synced: Instant,
    dirty: bool,
}

/// What is appended for an entry.
#[derive(Debug)]
pub enum Append<'a> {
    /// The record's bytes, and its file's name where each has its own.
    Record(&'a [u8], Option<&'a str>),
    /// A line of the errors file.
    Error(&'a [u8]),
    Skipped,
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(|e| Error::io(path, e))
}

impl Store {
    /// A new output in the place of whatever was there.
    pub fn create(paths: &Paths, layout: Layout, policy: Sync, header: &Header) -> Result<Self> {
        for path in paths.all().into_iter().filter(|p| p.is_file()) {
            std::fs::remove_file(path).map_err(|e| Error::io(path, e))?;
        }
        if layout.folder {
            std::fs::create_dir_all(&paths.out).map_err(|e| Error::io(&paths.out, e))?;
        }
        let journal = Journal::create(&paths.log, header)?;
        let mut store = Self::open(paths, layout, policy, journal, Mark::default())?;
        store.start()?;
        if policy != Sync::Never {
            for folder in [paths.log.parent(), paths.out.parent()].into_iter().flatten() {
                sync_folder(folder);
            }
        }
        Ok(store)
    }

    /// The output's header; a mark of its own says that it is whole.
    fn start(&mut self) -> Result<()> {
        let header = self.layout.header.clone();
        let crc = self.append_raw(&header)?;
        self.mark(if header.is_empty() { Kind::Synced } else { Kind::Written }, crc, None)
    }

    /// Goes on where the journal says that the output is whole; the flag says that it is complete.
    pub fn resume(paths: &Paths, layout: Layout, policy: Sync) -> Result<(Self, bool)> {
        let (at, length, complete) = Recovery { paths, layout: &layout }.find()?;
        let journal = Journal::reopen(&paths.log, length)?;
        let started = at.is_some();
        let mut store = Self::open(paths, layout, policy, journal, at.unwrap_or_default())?;
        if !complete {
            store.cut_back()?;
            if !started {
                store.start()?;
            }
            store.pack_if_due()?;
        }
        Ok((store, complete))
    }

    fn open(paths: &Paths, layout: Layout, policy: Sync, journal: Journal, at: Mark) -> Result<Self> {
        let out = if layout.folder { None } else { Some(open(&paths.out)?) };
        let errors = open(&paths.errors)?;
        let tail = if layout.compress.is_some() && !layout.folder { Some(open(&paths.tail)?) } else { None };
        let (unsynced, synced) = (Vec::new(), Instant::now());
        Ok(Self {
            paths: paths.clone(),
            layout,
            policy,
            out,
            errors,
            tail,
            journal,
            at,
            unsynced,
            synced,
            dirty: false,
        })
    }

    /// The settings that hold from here on (`--resume-anyway`).
    pub fn change_header(&mut self, header: &Header) -> Result<()> {
        self.journal.append(&Line::Header(header.clone()))
    }

    /// State after the last append.
    pub fn at(&self) -> &Mark {
        &self.at
    }

    /// Appends what became of entry `n`; `input` is the digest of the input up to it. On an error the output is
    /// as it was before, as far as the disk lets us.
    pub fn append(&mut self, n: u64, what: Append<'_>, input: &str) -> Result<()> {
        let before = self.at.clone();
        let appended = self.append_entry(n, what, input);
        if appended.is_err() {
            self.at = before;
            let _ = self.cut_back();
        }
        appended?;
        self.pack_if_due()?;
        self.sync_if_due()
    }

    fn append_entry(&mut self, n: u64, what: Append<'_>, input: &str) -> Result<()> {
        self.at.n = n;
        self.at.input = input.to_owned();
        match what {
            Append::Record(bytes, file) => {
                let crc = match file {
                    Some(name) if self.layout.folder => self.write_file(name, bytes)?,
                    _ => self.append_raw(bytes)?,
                };
                self.at.written += 1;
                self.mark(Kind::Written, crc, file.map(str::to_owned))
            }
            Append::Error(line) => {
                let io = |e| Error::io(&self.paths.errors, e);
                self.errors.seek(SeekFrom::Start(self.at.err)).map_err(io)?;
                self.errors.write_all(line).map_err(io)?;
                self.at.err += line.len() as u64;
                self.at.failed += 1;
                self.mark(Kind::Failed, crc32(line), None)
            }
            Append::Skipped => {
                self.at.skipped += 1;
                // Worth a line only now and then: skipping again costs nothing.
                if self.at.skipped.is_multiple_of(1000) { self.mark(Kind::Skipped, 0, None) } else { Ok(()) }
            }
        }
    }

    fn mark(&mut self, kind: Kind, crc: u32, file: Option<String>) -> Result<()> {
        self.dirty = true;
        (self.at.kind, self.at.crc, self.at.file) = (kind, crc, file);
        self.journal.append(&Line::Mark(self.at.clone()))
    }

    /// Appends to the output or, where it is packed, to its tail. A plain file is whole after every append: its
    /// footer is written along and overwritten by the next record.
    fn append_raw(&mut self, bytes: &[u8]) -> Result<u32> {
        if let Some(tail) = &mut self.tail {
            let io = |e| Error::io(&self.paths.tail, e);
            tail.seek(SeekFrom::Start(self.at.raw - self.at.base)).map_err(io)?;
            tail.write_all(bytes).map_err(io)?;
        } else if let Some(out) = &mut self.out {
            let io = |e| Error::io(&self.paths.out, e);
            out.seek(SeekFrom::Start(self.at.out)).map_err(io)?;
            out.write_all(&[bytes, &self.layout.footer].concat()).map_err(io)?;
            self.at.out += bytes.len() as u64;
        }
        self.at.raw += bytes.len() as u64;
        Ok(crc32(bytes))
    }

    /// One article's own file: under another name first, so that it is never there by half.
    fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<u32> {
        let path = self.paths.out.join(name);
        let io = |e| Error::io(&path, e);
        let bytes = match self.layout.compress {
            Some(packing) => packing.pack(bytes).map_err(io)?,
            None => bytes.to_vec(),
        };
        // What a kill has left is in the way; were it a link, the link alone goes, and nothing is written through it.
        let unfinished = self.paths.out.join(".anubad-unfinished");
        let _ = std::fs::remove_file(&unfinished);
        let created = OpenOptions::new().write(true).create_new(true).open(&unfinished);
        created.and_then(|mut file| file.write_all(&bytes)).map_err(io)?;
        std::fs::rename(&unfinished, &path).map_err(io)?;
        self.at.raw += bytes.len() as u64;
        if self.policy != Sync::Never {
            self.unsynced.push(path);
        }
        Ok(crc32(&bytes))
    }

    /// Packs the tail when it is large enough: always at the same records, whatever happened in between.
    fn pack_if_due(&mut self) -> Result<()> {
        if self.tail.is_some() && self.at.raw - self.at.base >= FRAME { self.pack(Kind::Frame, &[]) } else { Ok(()) }
    }

    fn pack(&mut self, kind: Kind, footer: &[u8]) -> Result<()> {
        let (Some(tail), Some(out), Some(packing)) = (&mut self.tail, &mut self.out, self.layout.compress) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let length = self.at.raw - self.at.base;
        tail.seek(SeekFrom::Start(0)).map_err(|e| Error::io(&self.paths.tail, e))?;
        tail.take(length).read_to_end(&mut bytes).map_err(|e| Error::io(&self.paths.tail, e))?;
        bytes.extend_from_slice(footer);
        let io = |e| Error::io(&self.paths.out, e);
        let packed = packing.pack(&bytes).map_err(io)?;
        out.seek(SeekFrom::Start(self.at.out)).map_err(io)?;
        if let Err(error) = out.write_all(&packed) {
            let _ = out.set_len(self.at.out);
            return Err(io(error));
        }
        if self.policy != Sync::Never {
            out.sync_data().map_err(io)?;
            self.errors.sync_data().map_err(|e| Error::io(&self.paths.errors, e))?;
        }
        self.at.out += packed.len() as u64;
        self.at.base = self.at.raw;
        self.mark(kind, crc32(&packed), None)?;
        self.journal.sync(self.policy)?;
        // The journal says that the tail is empty now; whether the file is does not matter.
        if let Some(tail) = &self.tail {
            tail.set_len(0).map_err(|e| Error::io(&self.paths.tail, e))?;
        }
        Ok(())
    }

    fn sync_if_due(&mut self) -> Result<()> {
        let due = match self.policy {
            Sync::Always => true,
            Sync::Every(interval) => self.synced.elapsed() >= interval,
            Sync::Never => false,
        };
        if due { self.sync() } else { Ok(()) }
    }

    /// The output's name still leads to what is written: else all of it is lost as soon as this process ends.
    fn check_there(&self) -> Result<()> {
        let Some(file) = &self.out else { return Ok(()) };
        let own = file.metadata().map_err(|e| Error::io(&self.paths.out, e))?;
        if self.paths.out.metadata().is_ok_and(|there| is_same(&there, &own)) {
            return Ok(());
        }
        let out = self.paths.out.display();
        Err(BulkError::Damaged(format!("{out}: was removed or replaced while it was written")).into())
    }

    /// Forces everything onto the disk, the output before the journal, and writes that down.
    pub fn sync(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.check_there()?;
        if !self.dirty || self.policy == Sync::Never {
            return Ok(());
        }
        for (file, path) in [
            (self.out.as_ref(), &self.paths.out),
            (self.tail.as_ref(), &self.paths.tail),
            (Some(&self.errors), &self.paths.errors),
        ] {
            file.map_or(Ok(()), File::sync_data).map_err(|e| Error::io(path, e))?;
        }
        if self.layout.folder && !self.unsynced.is_empty() {
            for path in self.unsynced.drain(..) {
                File::open(&path).and_then(|f| f.sync_data()).map_err(|e| Error::io(&path, e))?;
            }
            sync_folder(&self.paths.out);
        }
        self.journal.sync(self.policy)?;
        self.mark(Kind::Synced, 0, None)?;
        self.journal.sync(self.policy)?;
        self.dirty = false;
        Ok(())
    }

    /// Makes the files what the last mark says.
    fn cut_back(&mut self) -> Result<()> {
        let footer: &[u8] = if self.tail.is_some() || self.at.raw == 0 { &[] } else { &self.layout.footer };
        if let Some(out) = &mut self.out {
            let io = |e| Error::io(&self.paths.out, e);
            out.set_len(self.at.out).map_err(io)?;
            out.seek(SeekFrom::Start(self.at.out)).map_err(io)?;
            out.write_all(footer).map_err(io)?;
        }
        if let Some(tail) = &self.tail {
            tail.set_len(self.at.raw - self.at.base).map_err(|e| Error::io(&self.paths.tail, e))?;
        }
        self.errors.set_len(self.at.err).map_err(|e| Error::io(&self.paths.errors, e))
    }

    /// The output is complete: what is left is packed, everything is on the disk, and the journal says so.
    pub fn finish(mut self, n: u64, input: &str) -> Result<Mark> {
        (self.at.n, self.at.input) = (n, input.to_owned());
        let footer = self.layout.footer.clone();
        if self.tail.is_some() && (self.at.raw > self.at.base || !footer.is_empty() || self.at.out == 0) {
            self.pack(Kind::Last, &footer)?;
        }
        self.dirty = true;
        self.sync()?;
        self.journal.append(&Line::End(self.at.clone()))?;
        self.journal.sync(self.policy)?;
        if self.tail.take().is_some() {
            let _ = std::fs::remove_file(&self.paths.tail);
        }
        let _ = std::fs::remove_file(&self.paths.ahead);
        if self.policy != Sync::Never {
            sync_folder(self.paths.out.parent().unwrap_or(Path::new(".")));
        }
        // No errors, no file.
        if self.at.err == 0 {
            let _ = std::fs::remove_file(&self.paths.errors);
        }
        Ok(self.at)
    }
}

#[cfg(unix)]
fn is_same(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_same(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}

/// Makes new names in a folder durable; not every system can, and then nothing is lost by trying.
pub(super) fn sync_folder(path: &Path) {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let _ = File::open(path).and_then(|f| f.sync_all());
}
