//! An article in a compressed file, as browsers and archives leave them: unpacked within the limit of an article.
use super::read::{MAX_BYTES, too_large};
use crate::error::InputError;
use crate::{Error, Result};
use std::io::Read;

/// What a compressed file holds and its name without the extension of the packing; none: it is not compressed.
///
/// # Errors
/// [`Error::Input`] where it is damaged, too large, an archive of several files, or packed in a way that is
/// not unpacked here.
pub(super) fn unpack(bytes: &[u8], name: &str) -> Result<Option<(Vec<u8>, String)>> {
    let (what, reader): (_, Box<dyn Read + '_>) = match bytes {
        [0x1f, 0x8b, ..] => ("gzip", Box::new(flate2::read::MultiGzDecoder::new(bytes))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match zstd::Decoder::new(bytes) {
            Ok(decoder) => ("zstd", Box::new(decoder)),
            Err(error) => return Err(damaged(name, "zstd", &error)),
        },
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => return Err(refused(name, "bzip2", "unpack it first")),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Err(refused(name, "xz", "unpack it first (xz -d)")),
        _ => return Ok(None),
    };
    let mut unpacked = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut unpacked).map_err(|error| damaged(name, what, &error))?;
    if unpacked.len() > MAX_BYTES {
        return Err(too_large(name));
    }
    if unpacked.get(257..262) == Some(b"ustar") {
        return Err(refused(name, what, "there is an archive of files in it, not one article"));
    }
    let lower = name.to_ascii_lowercase();
    let extension = [".gz", ".zst", ".gzip", ".zstd"].iter().find(|extension| lower.ends_with(**extension));
    Ok(Some((unpacked, name[..name.len() - extension.map_or(0, |extension| extension.len())].to_owned())))
}

fn damaged(name: &str, what: &str, error: &std::io::Error) -> Error {
    let what = format!("{name}: compressed with {what}, and damaged ({error}); get it once more");
    Error::Input(InputError::Damaged { what, source: None })
}

fn refused(name: &str, what: &str, remedy: &str) -> Error {
    Error::Input(InputError::Binary(format!("{name}: compressed with {what}; {remedy}")))
}

#[cfg(test)]
mod tests {
    use crate::article::{ReadOptions, parse};
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_compressed_article_is_unpacked_whatever_its_name() {
        let page = "<html><body><p>ঢাকায় আজ বৃষ্টি হয়েছে।</p></body></html>".as_bytes();
        for (bytes, name) in [
            (gzip(page), "a.html"),
            (gzip(page), "a.html.gz"),
            (gzip(page), "standard input"),
            (zstd::encode_all(page, 1).unwrap(), "a.html.zst"),
        ] {
            let article = parse(&bytes, name, &ReadOptions::default()).unwrap();
            assert_eq!(article.blocks[0].text, "ঢাকায় আজ বৃষ্টি হয়েছে।", "{name}");
        }
        let markdown = gzip("# শিরোনাম\n\nকথা হলো।".as_bytes());
        let article = parse(&markdown, "a.md.gz", &ReadOptions::default()).unwrap();
        assert!(article.title.is_some(), "the name inside says what it is");
    }

    #[test]
    fn what_cannot_be_unpacked_is_named_in_a_line() {
        let mut archive = vec![0; 512];
        archive[257..262].copy_from_slice(b"ustar");
        let whole = gzip("ঢাকায় আজ বৃষ্টি হয়েছে।".as_bytes());
        for (bytes, part) in [
            (whole[..whole.len() / 2].to_vec(), "gzip, and damaged"),
            (gzip(&archive), "archive of files"),
            (gzip(&vec![b'a'; super::MAX_BYTES + 1]), "16 MiB"),
            (gzip(&gzip(b"a")), "twice"),
            (b"BZh91AY".to_vec(), "bzip2"),
            (b"\xfd7zXZ\0".to_vec(), "xz -d"),
            (b"\x28\xb5\x2f\xfdxx".to_vec(), "zstd"),
        ] {
            let error = parse(&bytes, "a.txt", &ReadOptions::default()).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{part}: {error}");
        }
    }
}
