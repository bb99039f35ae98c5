//! What is finished before its turn: records wait for those before them, and would be lost with the process. So they
//! are also put into a file beside the journal, from which the next run takes them instead of translating them again.
//!
//! The file is never forced onto the disk: a machine that loses power loses no more than the time that they took. Each
//! line has its checksum, and an entry that is taken from it must be the one that the input has at its place.
use crate::bulk::message::{Message, What};
use crate::bulk::store::journal::{decode, encode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file with less than this is not made smaller.
const SMALL: u64 = 256 << 10;

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
        let mut kept = BTreeMap::new();
        ahead.rewrite(|line| {
            let message = decode::<Message>(line).filter(|message| message.n > done && message.what.is_sound())?;
            let n = message.n;
            kept.insert(n, message).is_none().then_some(n)
        });
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
            let wanted = std::mem::take(&mut self.waiting);
            self.rewrite(|line| decode::<Number>(line).map(|line| line.n).filter(|n| wanted.contains_key(n)));
        }
    }

    /// The file with those lines alone of which `number` gives the entry's number, in one step: a kill finds the old
    /// file or the new one. Line by line, since the file may be larger than what is in hand.
    fn rewrite(&mut self, number: impl FnMut(&[u8]) -> Option<u64>) {
        (self.file, self.length) = (None, 0);
        if let Err(error) = self.try_rewrite(number) {
            self.give_up(&error);
        }
    }

    fn try_rewrite(&mut self, mut number: impl FnMut(&[u8]) -> Option<u64>) -> io::Result<()> {
        let path = self.path.with_extension("new");
        let mut new = BufWriter::new(File::create(&path)?);
        let mut line = Vec::new();
        let mut old = match File::open(&self.path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        while let Some(old) = &mut old
            && old.read_until(b'\n', &mut line)? > 0
        {
            if let Some(n) = number(&line) {
                new.write_all(&line)?;
                self.length += line.len() as u64;
                self.waiting.insert(n, line.len() as u64);
            }
            line.clear();
        }
        new.flush()?;
        std::fs::rename(&path, &self.path)?;
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

/// What is looked at of a line that is only copied.
#[derive(Deserialize)]
struct Number {
    n: u64,
}
