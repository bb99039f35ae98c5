//! Many articles in: RSS, Atom, JSON Feed, JSONL, CSV/TSV, folders, archives, compressed or not.
//!
//! One trait, one file a format. A [`Reader`] pushes what it finds into a sink, entry by entry, and holds
//! at most one entry in memory (bounded by [`ReadOptions::max_entry`]). What it cannot read becomes a
//! [`BadEntry`] with its place, and the reader goes on with the next entry: a bad item never stops a run.
//!
//! ```no_run
//! use anubad::feed::{Feed, ReadOptions};
//! let feed = Feed::open(&["dump.jsonl.gz".into()], ReadOptions::default())?;
//! for item in feed.items() {
//!     match item {
//!         Ok(entry) => println!("{}: {}", entry.place, entry.title.unwrap_or_default()),
//!         Err(bad) => eprintln!("{}: {}", bad.place, bad.reason),
//!     }
//! }
//! # Ok::<(), anubad::Error>(())
//! ```
mod archive;
mod aside;
mod convert;
mod csv;
#[cfg_attr(not(feature = "bulk"), allow(dead_code))] // bulk filters by dates and writes them
pub(crate) mod date;
#[cfg_attr(not(feature = "bulk"), allow(dead_code))]
mod date_words;
mod document;
mod fields;
mod folder;
mod format;
mod json;
mod jsonl;
mod list;
mod open;
mod source;
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub(crate) mod table;
mod unpacked;
mod warc;
mod whole;
mod xml;
mod xml_entry;
mod xml_repair;

pub use crate::article::html::looks_like_html;
pub use aside::Aside;
pub use convert::to_article;
pub use fields::{FieldMap, Role};
pub use format::Format;
#[cfg(feature = "bulk")]
pub(crate) use list::named_files;
pub use open::{Feed, Items, read_bytes};
pub use source::Source;
pub use unpacked::Unpacked;

use crate::article::Meta;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::ControlFlow;

/// Where an entry was found: the file (members of archives after a `!`), its number there, its line and byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, or `standard input`.
    pub file: String,
    /// Number of the entry in its file, from 1; bad entries are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// Line on which it starts, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Byte at which it starts, from 0, in the decompressed (and, unless the file is UTF-8, transcoded) text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        let parts = [("entry", self.entry), ("line", self.line), ("byte", self.byte)];
        for (i, (name, number)) in parts.iter().filter_map(|(n, v)| v.map(|v| (n, v))).enumerate() {
            write!(f, "{} {name} {number}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// What the body of an entry is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// Plain text.
    Text,
    /// HTML, whole or a fragment.
    Html,
    /// Markdown.
    Markdown,
    /// HTML if it looks like it, else text.
    #[default]
    Unknown,
}

/// One article as its feed has it, not interpreted yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// Where it was found.
    pub place: Place,
    /// Its headline, as it stands there.
    pub title: Option<String>,
    /// Its text, as it stands there.
    pub body: String,
    /// What the body is written in.
    pub kind: BodyKind,
    /// Identity, and in `extra` every other field of the entry as it was.
    pub meta: Meta,
}

/// An entry that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadEntry {
    /// Where it was found.
    pub place: Place,
    /// One line, for a person.
    pub reason: String,
}

/// What a reader hands out.
pub type Item = Result<Entry, BadEntry>;

/// Where a reader puts what it finds; `Break` asks it to stop.
pub type Sink<'a> = dyn FnMut(Item) -> ControlFlow<()> + 'a;

/// How entries are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// `None`: by content and extension, for each file.
    pub format: Option<Format>,
    /// Which fields of JSON and CSV records are what.
    pub fields: FieldMap,
    /// What bodies of JSON and CSV records are written in.
    pub body: BodyKind,
    /// Texts are Bijoy and become Unicode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bijoy: bool,
    /// What separates the cells of a table; `None`: found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// Tables have no header row; their columns are called 1, 2, 3.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_header: bool,
    /// Tables are written as tables again: rows keep their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<table::Table>,
    /// Most bytes of one entry as it stands in its file; a larger one is reported and skipped.
    pub max_entry: usize,
    /// Counts the bytes that are read from files.
    #[serde(skip)]
    pub consumed: Consumed,
    /// Counts files of kinds that are not read.
    #[serde(skip)]
    pub aside: Aside,
    /// Counts what one packed file becomes.
    #[serde(skip)]
    pub unpacked: Unpacked,
}

/// Bytes read so far, for a progress bar; no part of what the options say.
#[derive(Debug, Clone, Default)]
pub struct Consumed(pub std::sync::Arc<std::sync::atomic::AtomicU64>);

impl PartialEq for Consumed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// 16 MiB: thousands of pages of text, and far less than a machine's memory.
pub const MAX_ENTRY: usize = 16 << 20;

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            fields: FieldMap::default(),
            body: BodyKind::Unknown,
            bijoy: false,
            delimiter: None,
            no_header: false,
            table: None,
            max_entry: MAX_ENTRY,
            consumed: Consumed::default(),
            aside: Aside::default(),
            unpacked: Unpacked::default(),
        }
    }
}

/// A format: bytes in, entries out.
pub trait Reader {
    /// Reads `source` to its end or until the sink breaks. Whatever is wrong goes to the sink as a [`BadEntry`].
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()>;
}

#[cfg(test)]
mod tests;
