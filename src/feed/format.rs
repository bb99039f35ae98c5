//! Which format a file is in: by its content first, its extension second.
use serde::{Deserialize, Serialize};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RSS 0.9 to 2.0 or Atom
    #[cfg_attr(feature = "cli", value(alias = "rss", alias = "atom", alias = "rdf"))]
    Xml,
    /// JSON Feed, an array of objects, or single objects
    #[cfg_attr(feature = "cli", value(alias = "jsonfeed"))]
    Json,
    /// One JSON object a line
    #[cfg_attr(feature = "cli", value(alias = "ndjson"))]
    Jsonl,
    /// Comma-separated values with a header row
    Csv,
    /// Tab-separated values with a header row
    Tsv,
    /// One article of plain text
    Text,
    /// One web page
    Html,
    /// One article in Markdown
    #[cfg_attr(feature = "cli", value(alias = "md"))]
    Markdown,
    /// One .docx, .odt, .epub, .srt, .vtt or .pdf
    #[cfg_attr(
        feature = "cli",
        value(alias = "docx", alias = "odt", alias = "epub", alias = "srt", alias = "vtt", alias = "pdf")
    )]
    Document,
    /// Pages of a web archive (WARC), or their text (WET)
    #[cfg_attr(feature = "cli", value(alias = "wet"))]
    Warc,
    /// One path of a feed a line
    List,
}

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Bzip2,
    Zip,
    Tar,
}

impl Packing {
    /// By the magic number.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ if head.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => None,
        }
    }

    /// By the extension, for a packed file that is too damaged to show its magic number.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        [
            (".gz", Self::Gzip),
            (".tgz", Self::Gzip),
            (".zst", Self::Zstd),
            (".bz2", Self::Bzip2),
            (".zip", Self::Zip),
            (".tar", Self::Tar),
        ]
        .into_iter()
        .find_map(|(end, packing)| name.ends_with(end).then_some(packing))
    }
}

/// The name without the extension of its packing: `dump.jsonl.gz` is `dump.jsonl`.
pub(super) fn unpacked_name(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    match [".gz", ".zst", ".bz2"].iter().find(|end| lower.ends_with(**end)) {
        Some(end) => &name[..name.len() - end.len()],
        None => name,
    }
}

impl Format {
    /// By the extension alone; `None` for one that is not ours.
    pub fn by_name(name: &str) -> Option<Self> {
        if crate::document::Kind::by_name(unpacked_name(name)).is_some() {
            return Some(Self::Document);
        }
        let extension = unpacked_name(name).rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match extension.as_str() {
            "xml" | "rss" | "atom" | "rdf" => Self::Xml,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::Jsonl,
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "txt" | "text" => Self::Text,
            "html" | "htm" | "xhtml" => Self::Html,
            "md" | "markdown" => Self::Markdown,
            "warc" | "wet" => Self::Warc,
            "list" => Self::List,
            _ => return None,
        })
    }

    /// By the first bytes of the (unpacked) content and the name.
    pub fn detect(head: &[u8], name: &str) -> Self {
        let named = Self::by_name(name);
        if head.starts_with(b"WARC/") {
            return Self::Warc;
        }
        // A list, or an object over several lines, under the name of records line by line.
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if named == Some(Self::Jsonl) && (text.starts_with(b"[") || (text.starts_with(b"{") && begins_open(text))) {
            return Self::Json;
        }
        if matches!(named, Some(Self::Csv | Self::Tsv | Self::Jsonl | Self::List | Self::Markdown)) {
            return named.unwrap_or(Self::Text);
        }
        let text = head.trim_ascii_start();
        let lower = text[..text.len().min(512)].to_ascii_lowercase();
        match text.first() {
            Some(b'<') if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") => Self::Html,
            Some(b'<') if shows_feed(&text[..text.len().min(4096)]) => Self::Xml,
            Some(b'<') => named.unwrap_or(Self::Html),
            Some(b'{') if lines_are_objects(text) => Self::Jsonl,
            Some(b'{') => Self::Json,
            Some(b'[') if named != Some(Self::Text) && text[1..].trim_ascii_start().starts_with(b"{") => Self::Json,
            _ => named.unwrap_or(Self::Text),
        }
    }
}

/// The root element of a feed stands in the first bytes.
pub(super) fn shows_feed(text: &[u8]) -> bool {
    [&b"<rss"[..], b"<feed", b":feed", b":RDF", b"<RDF"].iter().any(|root| text.windows(root.len()).any(|w| w == *root))
}

/// A first line that is the beginning of an object and nothing else.
fn begins_open(text: &[u8]) -> bool {
    text.iter().position(|&b| b == b'\n').is_some_and(|end| text[..end].trim_ascii_end() == b"{")
}

/// A first line that is an object by itself.
fn lines_are_objects(text: &[u8]) -> bool {
    let Some(end) = text.iter().position(|&b| b == b'\n') else { return false };
    let line = text[..end].trim_ascii_end();
    line.ends_with(b"}") && text[end..].trim_ascii_start().first().is_none_or(|&b| b == b'{')
}
