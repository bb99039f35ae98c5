//! Archives of files: `.zip` and `.tar`, member by member in the archive's own order, nothing unpacked to disk.
mod headers;

use self::headers::Headers;
use super::folder::{is_hidden, is_ours};
use super::{BadEntry, Place, ReadOptions, Sink, document, open};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

/// Longest name of a member: every entry in it carries it along.
const MAX_NAME: usize = 4096;

/// Reads a member, if it is a file of a kind that we read.
fn read_member(
    archive: &str,
    member: &str,
    stream: &mut dyn Read,
    options: &ReadOptions,
    depth: u8,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let hidden = member.split('/').any(is_hidden);
    let name = member.rsplit('/').next().unwrap_or(member);
    if hidden || (options.format.is_none() && !is_ours(name)) {
        tracing::debug!("{archive}!{member}: not a format that is read; left aside");
        return ControlFlow::Continue(());
    }
    if member.len() > MAX_NAME {
        let reason = format!("a member's name has {} bytes, more than {MAX_NAME}; it was not read", member.len());
        return sink(Err(bad(archive.into(), reason)));
    }
    open::read_stream(&format!("{archive}!{member}"), stream, None, options, depth, sink)
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
        read_member(name, &path, &mut member, options, depth, sink)?;
    }
    ControlFlow::Continue(())
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
    for index in 0..archive.len() {
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                sink(Err(bad(format!("{name}!#{index}"), format!("the member cannot be read: {error}"))))?;
                continue;
            }
        };
        let path = String::from_utf8_lossy(member.name_raw()).into_owned();
        if !path.ends_with('/') {
            read_member(name, &path, &mut options.unpacked.bounded(&mut member), options, depth, sink)?;
        }
    }
    ControlFlow::Continue(())
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
    loop {
        match zip::read::read_zipfile_from_stream(&mut stream) {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some(mut member)) => {
                let path = String::from_utf8_lossy(member.name_raw()).into_owned();
                let mut content = options.unpacked.bounded(&mut member);
                if !path.ends_with('/') {
                    read_member(name, &path, &mut content, options, depth, sink)?;
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
