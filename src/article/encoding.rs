//! Bytes to text: UTF-8 and UTF-16 with and without a byte order mark, an HTML page's declared charset.
use super::Format;
use crate::error::InputError;
use crate::{Error, Result};

/// What binary files begin with, what they are, and what to do about them.
#[rustfmt::skip]
const MAGIC: &[(&[u8], &str, &str)] = &[
    (b"%PDF", "a PDF", "let its format be found out"),
    (b"PK\x03\x04", "a ZIP archive", "use `anubad bulk` for an archive of articles"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as plain text or HTML first"),
    (b"{\\rtf", "an RTF document", "save it as plain text or HTML first"),
    (b"\x89PNG", "a PNG image", "anubad reads text, not pictures; run OCR first (tesseract -l ben)"),
    (b"\xff\xd8\xff", "a JPEG image", "anubad reads text, not pictures; run OCR first (tesseract -l ben)"),
    (b"GIF8", "a GIF image", "anubad reads text, not pictures"),
    (b"RIFF", "a media file", "anubad reads text only"),
    (b"\x1f\x8b", "gzip-compressed", "decompress it first: gunzip -c FILE | anubad translate -"),
    (b"BZh", "bzip2-compressed", "decompress it first: bunzip2 -c FILE | anubad translate -"),
    (b"\xfd7zXZ", "xz-compressed", "decompress it first: xz -dc FILE | anubad translate -"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it first: zstd -dc FILE | anubad translate -"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "extract it first"),
    (b"Rar!", "a RAR archive", "extract it first"),
    (b"\x7fELF", "a program", "give it an article"),
    (b"GGUF", "a model file", "give an article, and name the model as the model"),
    (b"SQLite format 3", "a database", "export its articles as JSONL or CSV and use `anubad bulk`"),
];

/// The text of `bytes`, without a byte order mark. `name` is for the error's text.
///
/// # Errors
/// [`Error::Input`] where the bytes are empty, binary or wrongly encoded, with the byte offset and the remedy.
pub fn decode(bytes: &[u8], name: &str, format: Option<Format>, lossy: bool) -> Result<String> {
    if let Some((_, what, remedy)) = MAGIC.iter().find(|(magic, _, _)| bytes.starts_with(magic)) {
        return Err(Error::Input(InputError::Binary(format!("{name}: this is {what}, not text; {remedy}"))));
    }
    let utf32 = bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]);
    match bytes {
        [0xff, 0xfe, rest @ ..] if !utf32 => utf16(rest, u16::from_le_bytes, name, lossy),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes, name, lossy),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, 3, name, format, lossy),
        _ => utf8(bytes, 0, name, format, lossy),
    }
}

fn utf8(bytes: &[u8], skipped: usize, name: &str, format: Option<Format>, lossy: bool) -> Result<String> {
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        if let Some(encoding) = utf16_guess(bytes) {
            let order = if encoding == encoding_rs::UTF_16LE { u16::from_le_bytes } else { u16::from_be_bytes };
            return utf16(bytes, order, name, lossy);
        }
        let remedy = "anubad reads plain text, Markdown, HTML, documents and subtitles";
        return Err(Error::Input(InputError::Binary(format!(
            "{name}: not a text file (a NUL byte at byte {}); {remedy}",
            at + skipped
        ))));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_string()),
        Err(error) => {
            if let Some(text) = declared_charset(bytes, format) {
                return Ok(text);
            }
            if lossy {
                return Ok(String::from_utf8_lossy(bytes).into_owned());
            }
            let at = error.valid_up_to();
            let bad = bytes.get(at).copied().unwrap_or(0);
            Err(Error::Input(InputError::Encoding(format!(
                "{name}: not valid UTF-8 at byte {} (0x{bad:02x}); convert the file to UTF-8",
                at + skipped
            ))))
        }
    }
}

fn utf16(bytes: &[u8], order: fn([u8; 2]) -> u16, name: &str, lossy: bool) -> Result<String> {
    let units = bytes.chunks(2).map(|pair| match pair {
        [a, b] => order([*a, *b]),
        _ => 0xdfff, // half a unit: an unpaired surrogate, which is reported like any other
    });
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let mut at = 2;
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(c) => {
                at += 2 * c.len_utf16();
                text.push(c);
            }
            Err(_) if lossy => {
                at += 2;
                text.push(char::REPLACEMENT_CHARACTER);
            }
            Err(_) => {
                return Err(Error::Input(InputError::Encoding(format!(
                    "{name}: not valid UTF-16 at byte {at}; convert the file to UTF-8"
                ))));
            }
        }
    }
    Ok(text)
}

/// Byte order of Bengali (or Latin) UTF-16 text without a mark: the high bytes are nearly all 0x00, 0x09 or 0x20.
pub(crate) fn utf16_guess(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let high = |odd: usize| sample.chunks_exact(2).filter(|pair| matches!(pair[odd], 0x00 | 0x09 | 0x20)).count();
    let pairs = sample.len() / 2;
    let (first, second) = (high(0), high(1));
    match pairs {
        0 => None,
        _ if second * 4 > pairs * 3 && second > first => Some(encoding_rs::UTF_16LE),
        _ if first * 4 > pairs * 3 && first > second => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

/// A page that is not UTF-8 and says so: decoded by what it says.
fn declared_charset(bytes: &[u8], format: Option<Format>) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let html = format == Some(Format::Html) || head.contains("<html") || head.contains("<meta");
    let (_, rest) = head.split_once("charset=").filter(|_| html)?;
    let label: String = rest
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    if encoding == encoding_rs::UTF_8 {
        return None;
    }
    let (text, _, bad) = encoding.decode(bytes);
    (!bad).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> Result<String> {
        decode(bytes, "a.txt", None, false)
    }

    fn message(bytes: &[u8]) -> String {
        plain(bytes).expect_err("must fail").to_string()
    }

    #[test]
    fn marks_are_taken_off() {
        assert_eq!(plain("\u{feff}কথা".as_bytes()).expect("fine"), "কথা");
        let units: Vec<u16> = "\u{feff}কথা বলা হলো 😀।".encode_utf16().collect();
        let le: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
        let be: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
        assert_eq!(plain(&le).expect("fine"), "কথা বলা হলো 😀।");
        assert_eq!(plain(&be).expect("fine"), "কথা বলা হলো 😀।");
        assert_eq!(plain(&le[2..]).expect("no mark, and told by its bytes"), "কথা বলা হলো 😀।");
        assert_eq!(plain(&be[2..]).expect("no mark, and told by its bytes"), "কথা বলা হলো 😀।");
        assert!(message(&le[..le.len() - 1]).contains("not valid UTF-16 at byte"));
    }

    #[test]
    fn bad_bytes_are_placed() {
        let mut bytes = "কথা ".as_bytes().to_vec();
        bytes.extend([0xe0, b'A']);
        let text = message(&bytes);
        assert!(text.contains("a.txt: not valid UTF-8 at byte 10 (0xe0)"), "{text}");
        assert_eq!(decode(&bytes, "a.txt", None, true).expect("fine"), "কথা \u{fffd}A");
    }

    #[test]
    fn binary_files_are_named() {
        assert!(message(b"%PDF-1.7").contains("PDF"));
        assert!(message(b"PK\x03\x04zzz").contains("anubad bulk"));
        assert!(message(b"abc\0def").contains("NUL byte at byte 3"));
    }

    #[test]
    fn declared_charsets_are_honored() {
        let page = b"<html><head><meta charset=\"windows-1252\"></head><body>caf\xe9</body></html>";
        assert!(plain(page).expect("fine").contains("café"));
    }
}
