//! One article: its structure in, the same structure out.
pub(crate) mod encoding;
pub mod furniture;
pub(crate) mod headings;
pub(crate) mod html;
mod labels;
pub(crate) mod markdown;
mod packed;
pub(crate) mod plain;
pub(crate) mod read;
mod row;
pub mod segment;
pub(crate) mod write;

pub use read::{Format, ReadOptions, parse, read};
pub use row::{Column, Row};
pub use segment::Segment;
pub use write::{BlockWriter, Style};

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a block is; the kind survives translation unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum BlockKind {
    /// Prose.
    Paragraph,
    /// `level` 1 to 6.
    Heading {
        /// 1 (the most important) to 6.
        level: u8,
    },
    /// `number` is set in an ordered list; `depth` 0 is the outermost list.
    ListItem {
        /// Lists around it: 0 in the outermost one.
        depth: u8,
        /// Its number in an ordered list.
        number: Option<u32>,
    },
    /// A quotation set off from the text.
    Quote,
    /// What stands under a picture or over a table.
    Caption,
    /// "তথ্য সূত্র: সিএনএন": where the story comes from.
    SourceLine,
    /// One row of a table, its cells separated by a tab.
    TableRow,
    /// Code and other text that is passed through as it is.
    Verbatim,
}

/// One paragraph-like unit of text, without line breaks except in [`BlockKind::Verbatim`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    #[serde(flatten)]
    pub kind: BlockKind,
    /// Its text, without the signs of a markup.
    pub text: String,
    /// Bytes of the decoded input that the block came from (empty where that is not known).
    pub range: Range<usize>,
}

/// The text of a web page as it came from its server, bad bytes replaced.
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub(crate) fn decode_page(bytes: &[u8]) -> Result<String, String> {
    encoding::decode(bytes, "the page", Some(Format::Html), true).map_err(|error| error.to_string())
}

/// What is known about an article beside its text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// What its feed calls it.
    pub id: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// When it was published, as its feed writes it.
    pub date: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Fields of a feed entry that anubad does not interpret; they travel along untouched.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// The row of a table that the article stands in, where the table stays a table.
    #[serde(skip)]
    pub row: Option<std::sync::Arc<Row>>,
}

/// A document as a title and a sequence of blocks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// The headline.
    pub title: Option<String>,
    /// What follows it, in order.
    pub blocks: Vec<Block>,
    /// What is known of it beside its text.
    pub meta: Meta,
}

impl Article {
    /// Reads plain text: paragraphs, and the first line as the title where it looks like one. Page furniture (share lines,
    /// comment forms) is left out.
    ///
    /// Files, web pages, Markdown and bytes of unknown encoding are read by [`parse`] and [`read()`], which also say what
    /// is wrong with them.
    pub fn from_text(text: &str) -> Self {
        read::cleaned(plain::parse(text), &ReadOptions::default())
    }
}
