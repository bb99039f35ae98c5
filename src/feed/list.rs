//! A list of feeds: one path a line, relative to the list; blank lines and lines that begin with `#` are comments.
use super::source::Chunk;
use super::{BadEntry, ReadOptions, Sink, Source, document, open};
use std::ops::ControlFlow;
use std::path::Path;

/// Longest path that is read.
const MAX_PATH: usize = 1 << 16;

/// Reads every feed of a list in turn. Lists inside lists are followed `depth` deep.
pub(super) fn read(
    source: &mut Source<'_>,
    folder: &Path,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let mut place = source.place(Some(number));
        match source.read_until(b'\n', MAX_PATH, &mut line) {
            Ok(Chunk::End) if line.is_empty() => return ControlFlow::Continue(()),
            Ok(Chunk::TooLong) => return sink(Err(document::too_large(place, MAX_PATH))),
            Ok(_) => {}
            Err(error) => return sink(Err(document::unreadable(place, &error))),
        }
        let path = match std::str::from_utf8(&line) {
            Ok(text) => text.trim(),
            Err(error) => {
                sink(Err(document::not_utf8(place, &error)))?;
                continue;
            }
        };
        if path.is_empty() || path.starts_with('#') {
            continue;
        }
        place.entry = None;
        if depth == 0 || path.contains("://") {
            let reason = match depth {
                0 => "lists of lists are followed only three deep".into(),
                _ => format!("{path} is an address on the network; download the feed first and list the file"),
            };
            sink(Err(BadEntry { place, reason }))?;
            continue;
        }
        // A file of the list is read as what it is; the format that was asked for is that of the list.
        let options = ReadOptions { format: options.format.filter(|f| *f != super::Format::List), ..options.clone() };
        open::read_path(&folder.join(path), &options, depth - 1, sink)?;
    }
}
