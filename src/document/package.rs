//! The zip file that a document is: its members read within bounds, and written again with some of them changed.
use crate::error::InputError;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

/// Largest member that is unpacked, and all together: far more than any book's text, far less than a machine's memory.
const MAX_MEMBER: u64 = 64 << 20;
const MAX_ALL: u64 = 192 << 20;
/// Most members.
const MAX_MEMBERS: usize = 20_000;

/// An open package.
pub(super) struct Package<'a> {
    archive: zip::ZipArchive<Cursor<&'a [u8]>>,
    name: &'a str,
    unpacked: u64,
}

impl<'a> Package<'a> {
    /// Opens the zip file in `bytes`; `name` is for errors.
    pub fn open(bytes: &'a [u8], name: &'a str) -> Result<Self> {
        let archive = zip::ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| damaged(name, "its zip archive is damaged or cut off"))?;
        if archive.len() > MAX_MEMBERS {
            return Err(damaged(name, &format!("it has more than {MAX_MEMBERS} members, which no document has")));
        }
        Ok(Self { archive, name, unpacked: 0 })
    }

    /// The names of all members, in the archive's order.
    pub fn names(&self) -> Vec<String> {
        self.archive.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// A member's text, if there is such a member.
    pub fn text(&mut self, member: &str) -> Result<Option<String>> {
        let file = match self.archive.by_name(member) {
            Ok(file) => file,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(_) => return Err(damaged(self.name, &format!("its member {member} is damaged or encrypted"))),
        };
        if file.size() > MAX_MEMBER {
            return Err(damaged(
                self.name,
                &format!("its member {member} unpacks to more than {} MiB", MAX_MEMBER >> 20),
            ));
        }
        let mut bytes = Vec::new();
        file.take(MAX_MEMBER + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| damaged(self.name, &format!("its member {member} is damaged")))?;
        self.unpacked += bytes.len() as u64;
        // What the directory says of a size is not what comes out.
        if bytes.len() as u64 > MAX_MEMBER || self.unpacked > MAX_ALL {
            return Err(damaged(
                self.name,
                &format!("it unpacks to more than {} MiB, which no text does", MAX_MEMBER >> 20),
            ));
        }
        Ok(Some(decode(bytes)))
    }
}

/// XML is UTF-8, or UTF-16 with a mark.
fn decode(bytes: Vec<u8>) -> String {
    match encoding_rs::Encoding::for_bom(&bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    }
}

fn damaged(name: &str, why: &str) -> Error {
    Error::Input(InputError::damaged(format!("{name}: {why}; open it in a word processor and save it anew")))
}

/// The package in `bytes` with some members replaced; all others are copied as they are packed.
pub(super) fn replace(bytes: &[u8], name: &str, changed: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let failed = |_| Error::Input(InputError::damaged(format!("{name}: the translated document could not be packed")));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(failed)?;
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(failed)?;
        let member = String::from_utf8_lossy(file.name_raw()).into_owned();
        match changed.get(&member) {
            None => out.raw_copy_file(file).map_err(failed)?,
            Some(text) => {
                let time = file.last_modified().unwrap_or_default();
                let options = zip::write::SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Deflated)
                    .last_modified_time(time);
                out.start_file(member, options).map_err(failed)?;
                out.write_all(text.as_bytes()).map_err(|e| Error::io(name, e))?;
            }
        }
    }
    Ok(out.finish().map_err(failed)?.into_inner())
}

#[cfg(test)]
pub(super) fn pack(members: &[(&str, &str)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        let method =
            if *name == "mimetype" { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        out.start_file(*name, options).unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_and_replaced_and_the_rest_is_kept() {
        let bytes = pack(&[("a.xml", "এক"), ("b.bin", "\0\u{1}"), ("c/d.xml", "তিন")]);
        let changed = BTreeMap::from([("c/d.xml".to_owned(), "three".to_owned())]);
        let new = replace(&bytes, "x", &changed).unwrap();
        let mut package = Package::open(&new, "x").unwrap();
        assert_eq!(package.names(), ["a.xml", "b.bin", "c/d.xml"]);
        assert_eq!(package.text("c/d.xml").unwrap().as_deref(), Some("three"));
        assert_eq!(package.text("b.bin").unwrap().as_deref(), Some("\0\u{1}"));
        assert_eq!(package.text("none").unwrap(), None);
    }

    #[test]
    fn a_bomb_or_a_torn_file_is_one_sentence() {
        let bomb = pack(&[("word/document.xml", &" ".repeat((MAX_MEMBER + 1) as usize))]);
        assert!(bomb.len() < 1 << 20);
        let mut package = Package::open(&bomb, "bomb.docx").unwrap();
        let error = package.text("word/document.xml").unwrap_err().to_string();
        assert!(error.contains("bomb.docx") && error.contains("MiB") && !error.contains('\n'), "{error}");
        let error = Package::open(&bomb[..bomb.len() / 2], "torn.docx").err().unwrap().to_string();
        assert!(error.contains("torn.docx") && error.contains("cut off"), "{error}");
    }
}
