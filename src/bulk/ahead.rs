//! What is finished before its turn: records wait for those before them, and would be lost with the process. So they
//! are also put into a file beside the journal, from which the next run takes them instead of translating them again.
//!
//! The file is never forced onto the disk: a machine that loses power loses no more than the time that they took. Each
//! line has its checksum, and an entry that is taken from it must be the one that the input has at its place.
use super::journal::{decode, encode};
use super::writer::{Message, What};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// A file with less than this is not made smaller.
const SMALL: u64 = 1 << 20;

/// The file, and how much of it is still of use.
pub struct Ahead {
    path: PathBuf,
    /// `None`: writing failed once; the run does without.
    file: Option<File>,
    length: u64,
    /// Bytes of those that still wait, by entry.
    waiting: BTreeMap<u64, u64>,
}

impl Ahead {
    /// Goes on with the file; also gives what it has of entries behind `done`.
    pub fn open(path: &Path, done: u64) -> (Self, BTreeMap<u64, Message>) {
        let mut ahead = Self { path: path.to_owned(), file: None, length: 0, waiting: BTreeMap::new() };
        let mut kept = read(path);
        kept.retain(|n, _| *n > done);
        ahead.rewrite(&kept);
        (ahead, kept)
    }

    /// Notes a record whose turn has not come.
    pub fn add(&mut self, message: &Message) {
        // What an earlier run has left is there already; what was left out costs nothing to leave out again.
        if self.waiting.contains_key(&message.n) || matches!(message.what, What::Skipped(_)) {
            return;
        }
        let Some(file) = &mut self.file else { return };
        let line = encode(message);
        match file.write_all(&line) {
            Ok(()) => {
                self.length += line.len() as u64;
                self.waiting.insert(message.n, line.len() as u64);
            }
            Err(error) => self.give_up(&error),
        }
    }

    /// A record is written where it belongs.
    pub fn written(&mut self, n: u64) {
        if self.waiting.remove(&n).is_none() || self.length <= SMALL {
            return;
        }
        if self.waiting.values().sum::<u64>() * 4 < self.length {
            let mut left = read(&self.path);
            left.retain(|n, _| self.waiting.contains_key(n));
            self.rewrite(&left);
        }
    }

    /// The file with these alone, in one step: a kill finds the old one or the new one.
    fn rewrite(&mut self, messages: &BTreeMap<u64, Message>) {
        (self.file, self.length) = (None, 0);
        self.waiting.clear();
        if let Err(error) = self.try_rewrite(messages) {
            self.give_up(&error);
        }
    }

    fn try_rewrite(&mut self, messages: &BTreeMap<u64, Message>) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        for message in messages.values() {
            let line = encode(message);
            file.write_all(&line)?;
            self.length += line.len() as u64;
            self.waiting.insert(message.n, line.len() as u64);
        }
        std::fs::rename(&new, &self.path)?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        Ok(())
    }

    /// The file saves time and nothing else; a full disk is for the output to report.
    fn give_up(&mut self, error: &io::Error) {
        tracing::debug!("{}: {error}", self.path.display());
        self.file = None;
        let _ = std::fs::remove_file(&self.path);
    }
}

/// All whole lines; of two of one entry the last.
fn read(path: &Path) -> BTreeMap<u64, Message> {
    let mut found = BTreeMap::new();
    let Ok(file) = File::open(path) else { return found };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        if let Some(message) = decode::<Message>(&line) {
            found.insert(message.n, message);
        }
        line.clear();
    }
    found
}
