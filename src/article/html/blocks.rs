//! From a tree of elements to a sequence of blocks.
use crate::article::{Block, BlockKind};
use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};
use std::collections::HashSet;

/// Never text, whatever is wanted.
const NO_TEXT: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video", "head",
    "select", "textarea", "rt", "rp", "datalist", "dialog",
];
/// Page furniture by element.
const FURNITURE: &[&str] = &["nav", "aside", "footer", "form", "button", "menu", "label", "input"];
/// Page furniture by a whole class name or id.
const FURNITURE_CLASSES: &[&str] = &[
    "social",
    "social-share",
    "social-links",
    "share",
    "shares",
    "sharing",
    "share-buttons",
    "share-bar",
    "sharedaddy",
    "addtoany",
    "addtoany_content",
    "related",
    "related-posts",
    "related-news",
    "related-articles",
    "jp-relatedposts",
    "read-more",
    "readmore",
    "more-news",
    "also-read",
    "comments",
    "comment-form",
    "comment-respond",
    "comments-area",
    "comment-list",
    "respond",
    "breadcrumb",
    "breadcrumbs",
    "newsletter",
    "subscribe",
    "ad",
    "ads",
    "advert",
    "advertisement",
    "adsbygoogle",
    "tags",
    "tag-list",
    "post-tags",
    "pagination",
    "post-navigation",
    "nav-links",
    "screen-reader-text",
    "sr-only",
    "visually-hidden",
    "cookie",
    "cookie-notice",
    "cookie-banner",
    "gdpr",
    "popup",
    "sidebar",
    "site-header",
    "site-footer",
    "menu",
    "navbar",
    "topbar",
    "print-only",
    "copyright",
];
/// Elements that begin and end a block.
const BLOCK_LEVEL: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Stands in the buffer for `<br>`.
const LINE_BREAK: char = '\u{2028}';

/// The blocks below `root`, in document order. `furniture`: keep navigation, forms, share bars and the like.
pub fn blocks(root: NodeRef<'_, Node>, furniture: bool) -> Vec<Block> {
    let mut builder = Builder { furniture, ..Builder::default() };
    let mut skipping: Option<NodeId> = None;
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if skipping.is_none() => match node.value() {
                Node::Text(text) => builder.text(&text.text),
                Node::Element(_) => {
                    if let Some(element) = ElementRef::wrap(node) {
                        if node.id() != root.id() && builder.skips(element) {
                            skipping = Some(node.id());
                            builder.skipped(element);
                        } else {
                            builder.open(element);
                        }
                    }
                }
                _ => {}
            },
            Edge::Close(node) if skipping == Some(node.id()) => skipping = None,
            Edge::Close(node) if skipping.is_none() => {
                if let Some(element) = ElementRef::wrap(node) {
                    builder.close(element);
                }
            }
            _ => {}
        }
    }
    builder.flush();
    builder.blocks
}

/// One open list: its next number (ordered lists only).
struct List {
    next: Option<u32>,
}

#[derive(Default)]
struct Builder {
    blocks: Vec<Block>,
    buffer: String,
    furniture: bool,
    heading: Option<u8>,
    /// Open captions, quotes and preformatted elements.
    captions: usize,
    quotes: usize,
    preformatted: usize,
    lists: Vec<List>,
    /// The list item whose first block has not been written yet.
    item: Option<(u8, Option<u32>)>,
    /// Tables laid out by hand: their cells are blocks of their own.
    layout: HashSet<NodeId>,
    /// Cells of the open row of a data table.
    row: Option<Vec<String>>,
    in_cell: bool,
}

impl Builder {
    fn skips(&self, element: ElementRef<'_>) -> bool {
        let value = element.value();
        let name = value.name();
        if NO_TEXT.contains(&name) || (name == "sup" && is_footnote_mark(element)) {
            return true;
        }
        if self.furniture || matches!(name, "html" | "body" | "main" | "article") {
            return false;
        }
        let hidden = value.attr("hidden").is_some()
            || value.attr("aria-hidden") == Some("true")
            || value.attr("style").is_some_and(|style| {
                let style = style.replace(' ', "").to_ascii_lowercase();
                style.contains("display:none") || style.contains("visibility:hidden")
            });
        let by_class = value.classes().chain(value.id()).any(|class| {
            let class = class.to_ascii_lowercase();
            FURNITURE_CLASSES.contains(&class.as_str())
        });
        hidden || by_class || FURNITURE.contains(&name)
    }

    fn skipped(&mut self, element: ElementRef<'_>) {
        if BLOCK_LEVEL.contains(&element.value().name()) {
            self.flush();
        } else {
            self.text(" ");
        }
    }

    fn text(&mut self, text: &str) {
        self.buffer.push_str(text);
    }

    fn open(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        let name = value.name();
        match name {
            "br" if self.preformatted > 0 => self.buffer.push('\n'),
            "br" => self.buffer.push(LINE_BREAK),
            "q" => self.buffer.push('“'),
            "tr" if !self.in_layout(element) => {
                self.flush();
                self.row = Some(Vec::new());
            }
            "td" | "th" if self.row.is_some() => {
                self.buffer.clear();
                self.in_cell = true;
            }
            _ if BLOCK_LEVEL.contains(&name) => self.flush(),
            _ => {}
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = name[1..].parse().ok(),
            "figcaption" | "caption" => self.captions += 1,
            "blockquote" => self.quotes += 1,
            "pre" => self.preformatted += 1,
            "ul" | "menu" => self.lists.push(List { next: None }),
            "ol" => {
                let first = value.attr("start").and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                self.lists.push(List { next: Some(first) });
            }
            "li" => self.open_item(value.attr("value").and_then(|n| n.trim().parse().ok())),
            "table" if is_layout(element) => {
                self.layout.insert(element.id());
            }
            _ => {}
        }
        if is_caption_class(element) {
            self.flush();
            self.captions += 1;
        }
    }

    fn open_item(&mut self, value: Option<u32>) {
        let depth = self.lists.len().saturating_sub(1).min(usize::from(u8::MAX)) as u8;
        let number = self.lists.last_mut().and_then(|list| {
            let number = value.or(list.next).filter(|_| list.next.is_some());
            list.next = number.map(|n| n.saturating_add(1));
            number
        });
        self.item = Some((depth, number));
    }

    fn close(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        match name {
            "q" => self.buffer.push('”'),
            "td" | "th" if self.in_cell && self.row.is_some() => {
                let cell = squeeze(&self.buffer.replace(LINE_BREAK, " "));
                self.buffer.clear();
                self.in_cell = false;
                if let Some(row) = &mut self.row {
                    row.push(cell);
                }
                return;
            }
            "tr" if self.row.is_some() => {
                let row = self.row.take().unwrap_or_default();
                self.push_row(row);
                self.buffer.clear();
                return;
            }
            _ if BLOCK_LEVEL.contains(&name) => self.flush(),
            _ => {}
        }
        if is_caption_class(element) {
            self.flush();
            self.captions = self.captions.saturating_sub(1);
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "figcaption" | "caption" => self.captions = self.captions.saturating_sub(1),
            "blockquote" => self.quotes = self.quotes.saturating_sub(1),
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "ul" | "ol" | "menu" => {
                self.lists.pop();
                self.item = None;
            }
            "li" => self.item = None,
            _ => {}
        }
    }

    /// Ends the open block, if it holds anything.
    fn flush(&mut self) {
        if self.in_cell {
            // A paragraph within a table cell is a word space there.
            self.buffer.push(' ');
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        if self.preformatted > 0 {
            return self.flush_preformatted(&buffer);
        }
        for line in lines(&buffer) {
            let kind = self.kind();
            self.blocks.push(Block { kind, text: line, range: 0..0 });
        }
    }

    fn kind(&mut self) -> BlockKind {
        if let Some(level) = self.heading {
            return BlockKind::Heading { level };
        }
        if self.captions > 0 {
            return BlockKind::Caption;
        }
        match self.item.take() {
            Some((depth, number)) => BlockKind::ListItem { depth, number },
            None if self.quotes > 0 => BlockKind::Quote,
            None => BlockKind::Paragraph,
        }
    }

    /// Preformatted text stays as it is, unless it is Bengali: then it is prose that someone wanted to indent.
    fn flush_preformatted(&mut self, buffer: &str) {
        if buffer.trim().is_empty() {
            return;
        }
        if !crate::text::script::has_bengali(buffer) {
            let text = buffer.trim_matches('\n').trim_end().to_string();
            return self.blocks.push(Block { kind: BlockKind::Verbatim, text, range: 0..0 });
        }
        for line in buffer.lines().map(squeeze).filter(|line| !line.is_empty()) {
            let kind = self.kind();
            self.blocks.push(Block { kind, text: line, range: 0..0 });
        }
    }

    fn push_row(&mut self, cells: Vec<String>) {
        if cells.iter().all(String::is_empty) {
            return;
        }
        self.blocks.push(Block { kind: BlockKind::TableRow, text: cells.join("\t"), range: 0..0 });
    }

    fn in_layout(&self, element: ElementRef<'_>) -> bool {
        let table = element.ancestors().find(|a| a.value().as_element().is_some_and(|e| e.name() == "table"));
        table.is_none_or(|table| self.layout.contains(&table.id()))
    }
}

/// A table that arranges a page rather than data: it nests tables, headings or lists, or has one column.
fn is_layout(table: ElementRef<'_>) -> bool {
    let mut widest = 0;
    let mut cells = 0;
    for element in table.descendent_elements().skip(1) {
        match element.value().name() {
            "table" | "h1" | "h2" | "h3" | "h4" | "ul" | "ol" | "figure" | "article" | "section" => return true,
            "tr" => cells = 0,
            "td" | "th" => {
                cells += 1;
                widest = widest.max(cells);
            }
            _ => {}
        }
    }
    widest < 2
}

/// Captions that are marked by class only.
fn is_caption_class(element: ElementRef<'_>) -> bool {
    const CLASSES: &[&str] = &["wp-caption-text", "caption", "image-caption", "photo-caption", "img-caption"];
    !matches!(element.value().name(), "figcaption" | "caption" | "figure" | "body" | "article")
        && element.value().classes().any(|class| CLASSES.contains(&class))
}

/// `<sup>[১]</sup>` and the like.
fn is_footnote_mark(element: ElementRef<'_>) -> bool {
    let text: String = element.text().take(8).collect();
    let text = text.trim();
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    text.starts_with('[') && !inner.is_empty() && inner.chars().all(|c| c.is_numeric() || c.is_ascii_lowercase())
}

/// Lines of a block: two `<br>` make a new one, and so does one after a finished sentence.
fn lines(buffer: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for piece in buffer.split(LINE_BREAK) {
        let piece = squeeze(piece);
        match out.last_mut() {
            _ if piece.is_empty() => open = false,
            Some(last) if open && !crate::article::plain::ends_sentence(last) => {
                last.push(' ');
                last.push_str(&piece);
            }
            _ => {
                out.push(piece);
                open = true;
            }
        }
    }
    out
}

/// White space made single and trimmed.
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
