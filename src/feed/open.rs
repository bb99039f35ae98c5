//! From paths to entries: unpacks, detects the format, hands over to its reader.
use super::format::Packing;
use super::{
    BadEntry, Format, Item, Place, ReadOptions, Reader, Sink, Source, archive, document, folder, list,
    unpacked::Unpacked, whole,
};
use crate::error::SettingsError;
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

/// How deep packings, archives and lists may nest.
const MAX_NESTING: u8 = 5;
/// Entries read ahead of who takes them.
const READ_AHEAD: usize = 8;

/// Feeds to be read one after another.
#[derive(Debug, Clone)]
pub struct Feed {
    paths: Vec<PathBuf>,
    options: ReadOptions,
}

impl Feed {
    /// Names what will be read: files, folders, or `-` for standard input. Errors where a path does not exist
    /// or cannot be opened; everything that is found later is reported entry by entry.
    pub fn open(paths: &[PathBuf], options: ReadOptions) -> Result<Self> {
        if paths.is_empty() {
            return Err(Error::Settings(SettingsError::Missing(
                "no feed is named; give a file, a folder or - for standard input".into(),
            )));
        }
        for path in paths.iter().filter(|p| p.as_os_str() != "-") {
            let kind = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
            if kind.is_dir() {
                std::fs::read_dir(path).map_err(|e| Error::io(path, e))?;
            } else {
                File::open(path).map_err(|e| Error::io(path, e))?;
            }
        }
        Ok(Self { paths: paths.to_vec(), options })
    }

    /// Bytes read from files so far; grows while [`Feed::items`] is read.
    pub fn consumed(&self) -> Arc<AtomicU64> {
        self.options.consumed.0.clone()
    }

    /// Bytes of all files; `None` where standard input or a pipe is read.
    pub fn total_bytes(&self) -> Option<u64> {
        let size = |path: &PathBuf| match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                let files = walkdir::WalkDir::new(path).into_iter().flatten().filter_map(|f| f.metadata().ok());
                Some(files.filter(|m| m.is_file()).map(|m| m.len()).sum())
            }
            Ok(meta) if meta.is_file() => Some(meta.len()),
            _ => None,
        };
        self.paths.iter().map(size).sum()
    }

    /// Pushes all entries of all feeds into the sink, in order.
    pub fn for_each(&self, sink: &mut Sink<'_>) {
        for path in &self.paths {
            let flow = if path.as_os_str() == "-" {
                guarded("standard input", sink, |sink| {
                    read_stream(
                        "standard input",
                        &mut self.options.unpacked.counted(io::stdin().lock()),
                        Some(Path::new(".")),
                        &self.options,
                        MAX_NESTING,
                        sink,
                    )
                })
            } else {
                read_path(path, &self.options, MAX_NESTING, sink)
            };
            if flow.is_break() {
                return;
            }
        }
    }

    /// Reads on a thread of its own, a few entries ahead.
    pub fn items(self) -> Items {
        let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
        std::thread::spawn(move || {
            self.for_each(&mut |item| match sender.send(item) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
        });
        Items(receiver)
    }
}

/// The entries of a [`Feed`]; dropping it stops the reading.
pub struct Items(mpsc::Receiver<Item>);

impl Items {
    /// The next entry if it is there within `patience`: `Ok(None)` is the end, `Err` is "not yet".
    pub fn next_within(&mut self, patience: std::time::Duration) -> Result<Option<Item>, NotYet> {
        match self.0.recv_timeout(patience) {
            Ok(item) => Ok(Some(item)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(NotYet),
        }
    }
}

/// No entry came within the time; there may be more.
#[derive(Debug, PartialEq, Eq)]
pub struct NotYet;

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.0.recv().ok()
    }
}

/// Reads bytes that are already in memory, under a name that may say what they are (for tests and fuzzing).
pub fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> Vec<Item> {
    let mut items = Vec::new();
    let options = &ReadOptions { unpacked: Unpacked::default(), ..options.clone() };
    let _ = read_stream(name, &mut options.unpacked.counted(bytes), None, options, MAX_NESTING, &mut |item| {
        items.push(item);
        ControlFlow::Continue(())
    });
    items
}

/// A file or a folder that the user named; a pipe, too.
pub(super) fn read_path(path: &Path, options: &ReadOptions, depth: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
    read_file(path, path.parent(), options, depth, sink)
}

/// A file or a folder that a list names, and nothing that could block for ever.
pub(super) fn read_listed(path: &Path, options: &ReadOptions, depth: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() && !meta.is_dir() => {
            let place = Place { file: path.display().to_string(), ..Place::default() };
            let reason = "it is neither a file nor a folder; a list cannot name a pipe or a device".into();
            sink(Err(BadEntry { place, reason }))
        }
        _ => read_file(path, path.parent(), options, depth, sink),
    }
}

/// A file that was found in a folder: nobody named it, so that a list in it is not followed.
pub(super) fn read_found(path: &Path, options: &ReadOptions, depth: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
    read_file(path, None, options, depth, sink)
}

/// `lists`: the folder from which paths of a list start, if one may be followed here.
fn read_file(
    path: &Path,
    lists: Option<&Path>,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if path.is_dir() {
        return folder::read(path, options, depth, sink);
    }
    let name = path.display().to_string();
    let options = &ReadOptions { unpacked: Unpacked::default(), ..options.clone() };
    guarded(&name, sink, |sink| {
        let opened = File::open(path).and_then(|file| is_zip(&file, &name, options).map(|zip| (file, zip)));
        match opened {
            Ok((file, true)) => {
                // Members of a hostile archive share their bytes: what counts is the file, not what is read of it.
                options.unpacked.packed(file.metadata().map_or(0, |m| m.len()));
                archive::read_zip(&name, Counted { file, options }, options, depth.saturating_sub(1), sink)
            }
            Ok((file, false)) => {
                let mut stream = options.unpacked.counted(Counted { file, options });
                read_stream(&name, &mut stream, lists, options, depth, sink)
            }
            Err(error) => sink(Err(document::unreadable(Place { file: name.clone(), ..Place::default() }, &error))),
        }
    })
}

/// A file that says how much of it was read.
struct Counted<'a> {
    file: File,
    options: &'a ReadOptions,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.options.consumed.0.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl io::Seek for Counted<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A file with a zip archive's first bytes that is no document, its position left at the start. A pipe has no position
/// and is not asked.
fn is_zip(mut file: &File, name: &str, options: &ReadOptions) -> io::Result<bool> {
    use std::io::Seek;
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(Packing::of(&head) == Some(Packing::Zip) && whole::kind(&head, name, options).is_none())
}

/// A panic in a library that reads damaged input costs the rest of that file, not the run.
fn guarded(name: &str, sink: &mut Sink<'_>, read: impl FnOnce(&mut Sink<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    match catch_unwind(AssertUnwindSafe(|| read(sink))) {
        Ok(flow) => flow,
        Err(_) => {
            let place = Place { file: name.into(), ..Place::default() };
            let reason = "the reader failed on this file (a defect, please report it); the rest of it was not read";
            sink(Err(BadEntry { place, reason: reason.into() }))
        }
    }
}

/// A stream: unpacked level by level, then read by its format. `folder` is where a list's paths start from.
pub(super) fn read_stream(
    name: &str,
    stream: &mut dyn Read,
    folder: Option<&Path>,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    unpack(Named { shown: name, inner: name }, stream, folder, options, depth, sink)
}

/// A stream's name as places show it, and without the extensions of packings that are taken off already.
#[derive(Clone, Copy)]
struct Named<'a> {
    shown: &'a str,
    inner: &'a str,
}

fn unpack(
    name: Named<'_>,
    stream: &mut dyn Read,
    folder: Option<&Path>,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let place = || Place { file: name.shown.into(), ..Place::default() };
    let bad = |reason: &str| Err(BadEntry { place: place(), reason: reason.into() });
    let mut head = Vec::new();
    if let Err(error) = read_magic(stream, &mut head) {
        return sink(Err(document::unreadable(place(), &error)));
    }
    if let Some(kind) = whole::kind(&head, name.inner, options) {
        return whole::read(name.shown, kind, &mut io::Cursor::new(head).chain(stream), options, sink);
    }
    let packing = Packing::of(&head);
    if packing.is_some() && depth == 0 {
        return sink(bad("archives and compressed files are nested too deep; it was not read"));
    }
    if packing.is_none() && Packing::by_name(name.inner).is_some() && (head.is_empty() || head.contains(&0)) {
        return sink(bad("the file is empty or damaged: it does not begin as its extension says"));
    }
    let mut whole = io::Cursor::new(head).chain(stream);
    let unpacked: Box<dyn Read + '_> = match packing {
        Some(Packing::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        Some(Packing::Bzip2) => Box::new(bzip2::read::MultiBzDecoder::new(whole)),
        Some(Packing::Zstd) => match zstd::Decoder::new(whole) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => return sink(bad(&format!("the zstd decoder failed: {error}"))),
        },
        Some(Packing::Tar) => return archive::read_tar(name.shown, &mut whole, options, depth - 1, sink),
        Some(Packing::Zip) => return archive::read_zip_stream(name.shown, &mut whole, options, depth - 1, sink),
        None => return read_document(name, &mut whole, folder, options, depth, sink),
    };
    let inner = super::format::unpacked_name(name.inner);
    unpack(Named { inner, ..name }, &mut options.unpacked.bounded(unpacked), folder, options, depth - 1, sink)
}

/// Reads what tells packings apart: a few bytes, or a tar header's worth where they are binary.
fn read_magic(stream: &mut dyn Read, head: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 512];
    while head.len() < 6 || (head.len() < 512 && head.contains(&0)) {
        match stream.read(&mut piece[..512 - head.len()]) {
            Ok(0) => break,
            Ok(n) => head.extend_from_slice(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // What was read is worth looking at; the error comes again.
            Err(_) if !head.is_empty() => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Text at last.
fn read_document(
    name: Named<'_>,
    stream: &mut dyn Read,
    folder: Option<&Path>,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut source = match Source::new(name.shown, stream) {
        Ok(source) => source,
        Err(error) => {
            return sink(Err(document::unreadable(Place { file: name.shown.into(), ..Place::default() }, &error)));
        }
    };
    let format = options.format.unwrap_or_else(|| Format::detect(source.peek(), name.inner));
    let reader: Box<dyn Reader> = match format {
        Format::Xml => Box::new(super::xml::XmlFeed),
        Format::Json => Box::new(super::json::Json),
        Format::Jsonl => Box::new(super::jsonl::Jsonl),
        Format::Csv => Box::new(super::csv::Csv { delimiter: options.delimiter }),
        Format::Tsv => Box::new(super::csv::Csv { delimiter: options.delimiter.or(Some(b'\t')) }),
        // What is a document was read before; a file that is called one and is none is text.
        Format::Text | Format::Html | Format::Markdown | Format::Document => Box::new(document::Document(format)),
        Format::Warc => Box::new(super::warc::Warc),
        Format::List => match folder {
            Some(folder) => return list::read(&mut source, folder, options, depth.min(3), sink),
            None => {
                let reason =
                    "a list of files is followed only where you name it; this one lies in an archive or a folder";
                let place = Place { file: name.shown.into(), ..Place::default() };
                return sink(Err(BadEntry { place, reason: reason.into() }));
            }
        },
    };
    whole::with_bijoy(options, sink, |sink| reader.read(&mut source, options, sink))
}
