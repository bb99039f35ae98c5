//! Which kind of document a file is: by its content first, its extension second.
use std::path::Path;

/// Documents that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Office Open XML (Word).
    Docx,
    /// OpenDocument text (LibreOffice).
    Odt,
    /// An electronic book.
    Epub,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
    /// A PDF, read through poppler's pdftotext and never written.
    Pdf,
}

impl Kind {
    /// By the extension.
    pub fn by_name(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "docx" | "docm" | "dotx" => Self::Docx,
            "odt" | "ott" => Self::Odt,
            "epub" => Self::Epub,
            "srt" => Self::Srt,
            "vtt" => Self::Vtt,
            "pdf" => Self::Pdf,
            _ => return None,
        })
    }

    /// By the first bytes, where they tell; a zip archive is told by its first members.
    pub fn by_content(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"%PDF") {
            return Some(Self::Pdf);
        }
        if head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).starts_with(b"WEBVTT") {
            return Some(Self::Vtt);
        }
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let head = &head[..head.len().min(8192)];
        let has = |what: &[u8]| head.windows(what.len()).any(|w| w == what);
        // OpenDocument and EPUB begin with a member that says what they are, unpacked.
        if has(b"mimetypeapplication/vnd.oasis.opendocument.text") {
            return Some(Self::Odt);
        }
        if has(b"mimetypeapplication/epub+zip") {
            return Some(Self::Epub);
        }
        (has(b"[Content_Types].xml") && (has(b"word/") || has(b"_rels/.rels"))).then_some(Self::Docx)
    }

    /// By the extension, unless the content says otherwise.
    pub fn of(head: &[u8], name: &str) -> Option<Self> {
        let named = Self::by_name(name);
        match named {
            // Named so and no archive: damaged, which its reader says best.
            Some(_) => named,
            None => Self::by_content(head),
        }
    }

    /// The usual extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Docx => ".docx",
            Self::Odt => ".odt",
            Self::Epub => ".epub",
            Self::Srt => ".srt",
            Self::Vtt => ".vtt",
            Self::Pdf => ".pdf",
        }
    }
}
