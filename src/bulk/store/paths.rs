//! Where the parts of an output lie and how they are laid out.
use crate::bulk::options::BulkOptions;
use crate::bulk::output::Compression;
use std::path::{Path, PathBuf};

/// Where the parts of an output lie.
#[derive(Debug, Clone)]
pub struct Paths {
    pub out: PathBuf,
    pub errors: PathBuf,
    pub log: PathBuf,
    /// What is not packed yet.
    pub tail: PathBuf,
    /// What is finished before its turn.
    pub ahead: PathBuf,
}

impl Paths {
    /// `OUT`, `OUT.errors.jsonl` and a folder `OUT.journal`.
    pub fn of(out: &Path) -> Self {
        let folder = Self::folder(out);
        let beside = |end: &str| beside(out, end);
        Self {
            out: out.to_owned(),
            errors: beside(".errors.jsonl"),
            log: folder.join("log"),
            tail: folder.join("tail"),
            ahead: folder.join("ahead"),
        }
    }

    /// The folder of the journal.
    pub fn folder(out: &Path) -> PathBuf {
        beside(out, ".journal")
    }

    /// The same parts of a side output that is kept in the journal's folder.
    pub fn side(out: &Path, name: &str) -> Self {
        let part = |end: &str| Self::folder(out).join(format!("{name}{end}"));
        Self {
            out: part(".out"),
            errors: part(".errors"),
            log: part(".log"),
            tail: part(".tail"),
            ahead: part(".ahead"),
        }
    }

    /// All of them that are files.
    pub fn all(&self) -> [&Path; 5] {
        [&self.out, &self.errors, &self.log, &self.tail, &self.ahead]
    }
}

/// The path with something behind it, and without the slash that completion puts behind a folder.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.components().collect::<PathBuf>().into_os_string();
    name.push(end);
    name.into()
}

/// How the output is laid out.
#[derive(Debug, Clone)]
pub struct Layout {
    pub header: Vec<u8>,
    pub footer: Vec<u8>,
    pub compress: Option<Compression>,
    /// A file an article in a folder, instead of one file.
    pub folder: bool,
}

impl Layout {
    /// The layout that the options ask for.
    pub fn of(options: &BulkOptions) -> Self {
        Self {
            header: options.header(),
            footer: options.format.footer().to_vec(),
            compress: options.compress,
            folder: options.format.is_folder(),
        }
    }
}
