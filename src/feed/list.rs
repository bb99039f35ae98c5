//! A list of feeds: one path a line, relative to the list; blank lines and lines that begin with `#` are comments.
use super::source::Chunk;
use super::{BadEntry, ReadOptions, Sink, Source, document, open};
use std::ops::ControlFlow;
use std::path::Path;
#[cfg(feature = "bulk")]
use std::{fs::File, io::Read, path::PathBuf};

/// Longest path that is read.
const MAX_PATH: usize = 1 << 16;

/// Largest list that is looked through beforehand.
#[cfg(feature = "bulk")]
const MAX_LIST: u64 = 16 << 20;

/// The files and folders that the user has named, those in lists included, as far as that can be told beforehand:
/// standard input too, where it is a file.
#[cfg(feature = "bulk")]
pub(crate) fn named_files(paths: &[PathBuf], options: &ReadOptions) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.extend(Some(PathBuf::from("/dev/stdin")).filter(|p| p.metadata().is_ok_and(|m| m.is_file())));
        } else {
            add(path, options.format, 4, &mut found);
        }
    }
    found
}

#[cfg(feature = "bulk")]
fn add(path: &Path, format: Option<super::Format>, depth: u8, found: &mut Vec<PathBuf>) {
    found.push(path.to_owned());
    let is_list = match format {
        Some(format) => format == super::Format::List,
        None => super::Format::by_name(&path.to_string_lossy()) == Some(super::Format::List),
    };
    let is_file = path.metadata().is_ok_and(|m| m.is_file());
    let Some(file) = (depth > 0 && is_list && is_file).then(|| File::open(path).ok()).flatten() else { return };
    let mut bytes = Vec::new();
    let _ = file.take(MAX_LIST).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let folder = path.parent().unwrap_or(Path::new("."));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        add(&folder.join(line), format.filter(|f| *f != super::Format::List), depth - 1, found);
    }
}

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
        open::read_listed(&folder.join(path), &options, depth - 1, sink)?;
    }
}
