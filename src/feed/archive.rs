//! Archives of files: `.zip` and `.tar`, member by member in the archive's own order, nothing unpacked to disk.
mod headers;

use self::headers::Headers;
use super::folder::{is_hidden, is_ours};
use super::{BadEntry, Place, ReadOptions, Sink, document, open};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

/// Longest name of a member: every entry in it carries it along.
const MAX_NAME: usize = 4096;

/// What became of an archive's members: one of which nothing could be taken is never a success.
#[derive(Default)]
struct Members {
    taken: u64,
    aside: u64,
}

impl Members {
    /// Reads a member, if it is a file of a kind that we read.
    fn read(
        &mut self,
        archive: &str,
        member: &str,
        stream: &mut dyn Read,
        options: &ReadOptions,
        depth: u8,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let path = plain_path(member);
        let hidden = path.split('/').any(is_hidden);
        let name = path.rsplit('/').next().unwrap_or(&path);
        if hidden || (options.format.is_none() && !is_ours(name)) {
            self.aside += 1;
            options.aside.add(&format!("{archive}!{path}"));
            return ControlFlow::Continue(());
        }
        self.taken += 1;
        if path.len() > MAX_NAME {
            let reason = format!("a member's name has {} bytes, more than {MAX_NAME}; it was not read", path.len());
            return sink(Err(bad(archive.into(), reason)));
        }
        open::read_stream(&format!("{archive}!{path}"), stream, None, options, depth, sink)
    }

    /// At the end of the archive: one of which nothing could be taken is an error.
    fn finish(&self, archive: &str, sink: &mut Sink<'_>) -> ControlFlow<()> {
        match (self.taken, self.aside) {
            (0, 0) => sink(Err(bad(archive.into(), "there is no file in the archive".into()))),
            (0, n) => {
                let reason = format!(
                    "nothing could be taken from the archive: none of its {n} files has a name that says a format \
                     (.xml, .jsonl, .html, .txt, ...) and is not hidden; or name the format (input-format)"
                );
                sink(Err(bad(archive.into(), reason)))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// A member's name without the `./` that archivers put in front of it (and may put anywhere), and with the
/// separators of Windows turned.
fn plain_path(member: &str) -> String {
    let parts = member.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

fn bad(file: String, reason: String) -> BadEntry {
    BadEntry { place: Place { file, ..Place::default() }, reason }
}

/// A tar archive as a stream. Damage in a header ends it; what came before is kept.
pub(super) fn read_tar(
    name: &str,
    stream: &mut dyn Read,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let headers = Headers::default();
    let mut archive = tar::Archive::new(headers.watch(stream));
    let members = match archive.entries() {
        Ok(members) => members,
        Err(error) => return sink(Err(bad(name.into(), format!("the tar archive cannot be read: {error}")))),
    };
    let mut found = Members::default();
    for member in members {
        let mut member = match member {
            Ok(member) => member,
            Err(error) => {
                return sink(Err(bad(name.into(), format!("the tar archive is damaged or cut off here: {error}"))));
            }
        };
        headers.expect(&member);
        if !member.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        found.read(name, &path, &mut member, options, depth, sink)?;
    }
    found.finish(name, sink)
}

/// A zip archive in a file, by its directory.
pub(super) fn read_zip(
    name: &str,
    file: impl Read + Seek,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut archive = match zip::ZipArchive::new(io::BufReader::new(file)) {
        Ok(archive) => archive,
        Err(error) => {
            return sink(Err(bad(name.into(), format!("the zip archive is damaged or cut off: {error}"))));
        }
    };
    let mut found = Members::default();
    for index in 0..archive.len() {
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                found.taken += 1;
                sink(Err(bad(format!("{name}!#{index}"), format!("the member cannot be read: {error}"))))?;
                continue;
            }
        };
        let path = String::from_utf8_lossy(member.name_raw()).into_owned();
        if !path.ends_with('/') {
            found.read(name, &path, &mut options.unpacked.bounded(&mut member), options, depth, sink)?;
        }
    }
    found.finish(name, sink)
}

/// A zip archive that cannot be sought in (standard input, a member of another archive).
pub(super) fn read_zip_stream(
    name: &str,
    stream: &mut dyn Read,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut stream = stream;
    let mut found = Members::default();
    loop {
        match zip::read::read_zipfile_from_stream(&mut stream) {
            Ok(None) => return found.finish(name, sink),
            Ok(Some(mut member)) => {
                let path = String::from_utf8_lossy(member.name_raw()).into_owned();
                let mut content = options.unpacked.bounded(&mut member);
                if !path.ends_with('/') {
                    found.read(name, &path, &mut content, options, depth, sink)?;
                }
                if let Err(error) = io::copy(&mut content, &mut io::sink()) {
                    return sink(Err(document::unreadable(Place { file: name.into(), ..Place::default() }, &error)));
                }
            }
            Err(error) => {
                return sink(Err(bad(name.into(), format!("the zip archive is damaged or cut off here: {error}"))));
            }
        }
    }
}
