//! The journal: what of the output is whole. Lines of JSON behind their own checksum, only ever appended.
//!
//! A run is killed at any byte: the last line may be torn, then it is dropped and the output cut back to the line
//! before. Power is lost: lines may have reached the disk before the output that they speak of, so those behind the
//! last sync line are believed only as far as the output's bytes have the checksums that they name.
use crate::bulk::options::Sync;
use crate::engine::ModelIdentity;
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// What a run is a run of; another of these is another output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the journal.
    pub version: u32,
    pub model: ModelIdentity,
    /// Everything that has a say in what is written.
    pub settings: Value,
    /// Names and sizes of the input, as far as it has any.
    pub input: Value,
}

/// Longest line; the header, with all settings, takes some kilobytes.
const MAX_LINE: u64 = 16 << 20;

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[serde(rename = "w")]
    Written,
    #[serde(rename = "e")]
    Failed,
    /// Left out by a filter; written down only now and then.
    #[serde(rename = "s")]
    Skipped,
    /// No entry: the tail became a packed member.
    #[serde(rename = "f")]
    Frame,
    /// No entry: the last packed member, with the footer in it.
    #[serde(rename = "l")]
    Last,
    /// No entry: everything up to here is on the disk.
    #[serde(rename = "y")]
    Synced,
}

/// State after an entry. All lengths in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The last entry that is done.
    pub n: u64,
    pub kind: Kind,
    /// Length of the output before packing.
    pub raw: u64,
    /// Where in `raw` the part begins that is not packed yet (0 without packing).
    pub base: u64,
    /// Length of the output file, without the footer.
    pub out: u64,
    /// Length of the errors file.
    pub err: u64,
    /// CRC-32 of what was appended last, to whichever file.
    pub crc: u32,
    pub written: u64,
    pub failed: u64,
    pub skipped: u64,
    /// Digest of all entries of the input so far.
    pub input: String,
    /// The file of this article, where each has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl Default for Mark {
    fn default() -> Self {
        Self {
            n: 0,
            kind: Kind::Synced,
            raw: 0,
            base: 0,
            out: 0,
            err: 0,
            crc: 0,
            written: 0,
            failed: 0,
            skipped: 0,
            input: String::new(),
            file: None,
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    Header(Header),
    Mark(Mark),
    /// The output is complete.
    End(Mark),
}

/// A line of JSON behind its checksum.
pub(in crate::bulk) fn encode(value: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(value).unwrap_or_default();
    format!("{:08x} {json}\n", crc32(json.as_bytes())).into_bytes()
}

/// `None`: the line is torn or damaged.
pub(in crate::bulk) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (crc, json) = text.split_once(' ')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32(json.as_bytes())).then(|| serde_json::from_str(json).ok())?
}

/// CRC-32 as gzip has it.
pub(in crate::bulk) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// A new journal.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        let file = File::create(path).map_err(|e| Error::io(path, e))?;
        let mut journal = Self { path: path.to_owned(), file };
        journal.append(&Line::Header(header.clone()))?;
        Ok(journal)
    }

    /// Goes on with a journal, cut back to `length` bytes.
    pub fn reopen(path: &Path, length: u64) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let mut file = OpenOptions::new().write(true).open(path).map_err(io)?;
        file.set_len(length).map_err(io)?;
        file.seek(std::io::SeekFrom::End(0)).map_err(io)?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a line; it survives this process from here on.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        self.file.write_all(&encode(line)).map_err(|e| Error::io(&self.path, e))
    }

    /// Makes what was appended survive the machine, if the policy wants that at all.
    pub fn sync(&self, policy: Sync) -> Result<()> {
        if policy == Sync::Never {
            return Ok(());
        }
        self.file.sync_data().map_err(|e| Error::io(&self.path, e))
    }
}

impl Line {
    /// Whether this program can have written the line behind `before`. A journal may come from elsewhere, along with its
    /// output; it must not lead outside of that, nor into sums that are less than nothing.
    fn may_follow(&self, before: &Mark) -> bool {
        let (Self::Mark(mark) | Self::End(mark)) = self else { return true };
        mark.file.as_deref().is_none_or(is_plain_name)
            && mark.base <= mark.raw
            && before.raw <= mark.raw
            && before.base <= mark.base
            && before.err <= mark.err
            && before.n <= mark.n
    }
}

/// A name in a folder, and no way out of it.
pub fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(std::path::Component::Normal(_)), None))
        && !name.contains(['/', '\\', '\0'])
}

/// Reads a journal's lines one by one with the byte at which each ends; stops before the first that is damaged.
pub fn lines(path: &Path) -> Result<impl Iterator<Item = (Line, u64)> + use<>> {
    let mut reader = BufReader::new(File::open(path).map_err(|e| Error::io(path, e))?);
    let mut end = 0;
    let mut bytes = Vec::new();
    let mut before = Mark::default();
    Ok(std::iter::from_fn(move || {
        bytes.clear();
        let n = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes).ok()?;
        end += n as u64;
        let line: Line = decode(&bytes)?;
        if !line.may_follow(&before) {
            return None;
        }
        if let Line::Mark(mark) = &line {
            before = mark.clone();
        }
        Some((line, end))
    }))
}

/// What a journal says of its run.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Of several the last, since `--resume-anyway` adds one.
    pub header: Header,
    pub complete: bool,
}

/// The run that a journal is of, if there is one whose header is whole.
pub fn earlier(path: &Path) -> Result<Option<Earlier>> {
    if !path.exists() {
        return Ok(None);
    }
    let (mut found, mut complete) = (None, false);
    for (line, _) in lines(path)? {
        match line {
            Line::Header(header) => found = Some(header),
            _ if found.is_none() => break,
            Line::Mark(mark) => complete |= mark.kind == Kind::Last,
            Line::End(_) => complete = true,
        }
    }
    Ok(found.map(|header| Earlier { header, complete }))
}

/// Takes the end off a journal, so that the run can go on; false where the output was closed by packing its end.
pub fn reopen(path: &Path) -> Result<bool> {
    let mut length = 0;
    for (line, end) in lines(path)? {
        match line {
            Line::Mark(mark) if mark.kind == Kind::Last => return Ok(false),
            Line::End(_) => break,
            _ => length = end,
        }
    }
    let file = OpenOptions::new().write(true).open(path).map_err(|e| Error::io(path, e))?;
    file.set_len(length).and_then(|()| file.sync_data()).map_err(|e| Error::io(path, e))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leads_elsewhere_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let good = Mark { n: 1, raw: 10, base: 5, err: 3, ..Mark::default() };
        let count = |second: Mark| {
            let lines_of: Vec<u8> = [good.clone(), second].into_iter().flat_map(|m| encode(&Line::Mark(m))).collect();
            std::fs::write(&path, lines_of).unwrap();
            lines(&path).unwrap().count()
        };
        assert_eq!(count(Mark { n: 2, raw: 12, ..good.clone() }), 2);
        for file in ["/etc/passwd", "../x.md", "a/b.md", "..", ".", "", "a\\b.md", "C:/x"] {
            assert_eq!(count(Mark { file: Some(file.into()), ..good.clone() }), 1, "{file}");
        }
        assert_eq!(count(Mark { file: Some("000001-a.md".into()), ..good.clone() }), 2);
        for back in [
            Mark { raw: 9, ..good.clone() },
            Mark { base: 11, ..good.clone() },
            Mark { base: 4, ..good.clone() },
            Mark { err: 2, ..good.clone() },
            Mark { n: 0, ..good.clone() },
        ] {
            assert_eq!(count(back.clone()), 1, "{back:?}");
        }
    }

    #[test]
    fn a_torn_or_flipped_line_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let model = ModelIdentity { id: "m".into(), digest: "d".into(), architecture: "a".into(), compute: "c".into() };
        let header = Header { version: 1, model, settings: Value::Null, input: Value::Null };
        let mut journal = Journal::create(&path, &header).unwrap();
        for n in 1..=3 {
            journal.append(&Line::Mark(Mark { n, ..Mark::default() })).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        let ends: Vec<u64> = lines(&path).unwrap().map(|(_, end)| end).collect();
        assert_eq!((ends.len(), ends[3]), (4, whole.len() as u64));
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let want = ends.iter().filter(|&&end| end <= cut as u64).count();
            assert_eq!(lines(&path).unwrap().count(), want, "cut at {cut}");
            let mut flipped = whole.clone();
            flipped[cut] ^= 4;
            std::fs::write(&path, &flipped).unwrap();
            let want = ends.iter().filter(|&&end| end <= cut as u64).count();
            assert_eq!(lines(&path).unwrap().count(), want, "flipped at {cut}");
        }
    }
}
