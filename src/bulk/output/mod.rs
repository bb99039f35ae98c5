//! Records as bytes: one file a format, no state, no files. The same record always gives the same bytes.
mod atom;
mod csv;
mod html;
mod markdown;
mod rss;
pub(super) mod table;
mod xml;

pub use html::write_index;
pub use markdown::{document as markdown, file_name};

use super::record::{Record, json_line};
use serde::{Deserialize, Serialize};

/// What the output is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// One JSON object a line
    #[default]
    #[cfg_attr(feature = "cli", value(alias = "ndjson"))]
    Jsonl,
    /// Comma-separated values with a header row
    Csv,
    /// An RSS 2.0 feed
    Rss,
    /// An Atom feed
    Atom,
    /// A folder with one Markdown file an article
    #[cfg_attr(feature = "cli", value(alias = "md"))]
    Markdown,
    /// A folder with one web page an article, Bengali and English side by side, and an index
    Html,
}

/// How the output is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip
    Gz,
    /// Zstandard
    Zst,
}

impl Compression {
    /// The usual extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gz => "gz",
            Self::Zst => "zst",
        }
    }

    /// One member or frame, complete in itself.
    pub fn pack(self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        use std::io::Write;
        match self {
            Self::Gz => {
                // No time and no name in the header: the same bytes in every run.
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Zst => zstd::encode_all(bytes, 3),
        }
    }

    /// Opens a stream of one or more members or frames.
    pub fn unpack<'a>(self, stream: impl std::io::Read + 'a) -> std::io::Result<Box<dyn std::io::Read + 'a>> {
        Ok(match self {
            Self::Gz => Box::new(flate2::read::MultiGzDecoder::new(stream)),
            Self::Zst => Box::new(zstd::Decoder::new(stream)?),
        })
    }
}

impl OutputFormat {
    /// By the extension of the output's name, that of its packing left aside.
    pub fn by_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let plain = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
        Some(match plain.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" => Self::Jsonl,
            "csv" | "tsv" => Self::Csv,
            "rss" | "xml" => Self::Rss,
            "atom" => Self::Atom,
            _ => return None,
        })
    }

    /// The output is a folder with a file an article.
    pub fn is_folder(self) -> bool {
        matches!(self, Self::Markdown | Self::Html)
    }

    /// The extension of an article's own file.
    pub fn file_extension(self) -> &'static str {
        if self == Self::Html { "html" } else { "md" }
    }

    /// What stands before the first record.
    pub fn header(self, include_source: bool, feed_title: &str) -> Vec<u8> {
        match self {
            Self::Jsonl | Self::Markdown | Self::Html => Vec::new(),
            Self::Csv => csv::header(include_source),
            Self::Rss => rss::header(feed_title),
            Self::Atom => atom::header(feed_title),
        }
    }

    /// One record.
    pub fn record(self, record: &Record, include_source: bool) -> Vec<u8> {
        match self {
            Self::Jsonl => json_line(record),
            Self::Csv => match &record.row {
                Some(row) => table::row(record, row, false),
                None => csv::record(record, include_source, false),
            },
            Self::Rss => rss::item(record),
            Self::Atom => atom::entry(record),
            Self::Markdown => markdown(record),
            Self::Html => html::document(record),
        }
    }

    /// As [`Self::record`], with the cells of CSV as they are even where a spreadsheet would calculate with them.
    pub fn raw_record(self, record: &Record, include_source: bool) -> Vec<u8> {
        match self {
            Self::Csv => match &record.row {
                Some(row) => table::row(record, row, true),
                None => csv::record(record, include_source, true),
            },
            _ => self.record(record, include_source),
        }
    }

    /// What stands behind the last record.
    pub fn footer(self) -> &'static [u8] {
        match self {
            Self::Jsonl | Self::Csv | Self::Markdown | Self::Html => b"",
            Self::Rss => rss::FOOTER,
            Self::Atom => atom::FOOTER,
        }
    }
}

#[cfg(test)]
mod tests;
