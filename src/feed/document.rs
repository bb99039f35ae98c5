//! A file that is one article (text, HTML, Markdown), and the words for what can be wrong with any entry.
use super::{BadEntry, BodyKind, Entry, Format, Place, ReadOptions, Reader, Sink, Source};
use crate::article::Meta;
use std::io;
use std::ops::ControlFlow;

/// One article a file; its id is the file's name.
pub struct Document(pub Format);

impl Reader for Document {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let place = Place { file: source.name.clone(), entry: Some(1), line: None, byte: None };
        let bytes = match source.read_all(options.max_entry) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return sink(Err(too_large(place, options.max_entry))),
            Err(error) => return sink(Err(unreadable(place, &error))),
        };
        let body = match String::from_utf8(bytes) {
            Ok(body) => body,
            Err(error) => return sink(Err(not_utf8(place, &error.utf8_error()))),
        };
        if body.contains('\0') {
            return sink(Err(BadEntry { place, reason: "the file is binary, not text".into() }));
        }
        if body.trim().is_empty() {
            return sink(Err(BadEntry { place, reason: "the file is empty".into() }));
        }
        let kind = match self.0 {
            Format::Html => BodyKind::Html,
            Format::Markdown => BodyKind::Markdown,
            _ => BodyKind::Text,
        };
        let meta = Meta { id: Some(source.name.clone()), ..Meta::default() };
        sink(Ok(Entry { place, title: None, body, kind, meta }))
    }
}

/// Larger than an entry may be.
pub(super) fn too_large(place: Place, limit: usize) -> BadEntry {
    let reason = format!("the entry is larger than {}; raise the limit (max-entry) to read it", size(limit));
    BadEntry { place, reason }
}

/// 16 MiB, 12 KiB, 7 bytes.
fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

/// The stream itself failed: a damaged or cut-off archive, a disk error.
pub(super) fn unreadable(place: Place, error: &io::Error) -> BadEntry {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data ends too early: the file is cut off".into(),
        io::ErrorKind::NotFound => "no such file or folder".into(),
        _ => format!("reading stopped here: {error}"),
    };
    BadEntry { place, reason }
}

/// Not UTF-8: at which byte of the entry.
pub(super) fn not_utf8(place: Place, error: &std::str::Utf8Error) -> BadEntry {
    let reason = format!("invalid UTF-8 at byte {} of the entry", error.valid_up_to());
    BadEntry { place, reason }
}
