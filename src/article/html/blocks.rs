//! From a tree of elements to a sequence of blocks.
use super::elements::{is_caption_class, is_layout, is_note_reference, is_picture, superscript};
use crate::article::{Block, BlockKind};
use crate::lang::{Words, tables};
use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};
use std::collections::HashSet;

/// Never text, whatever is wanted.
static NO_TEXT: Words = Words::new(tables::HTML_ELEMENTS, "silent");
/// Page furniture by element.
static FURNITURE: Words = Words::new(tables::HTML_ELEMENTS, "furniture");
/// Page furniture by a whole class name or id.
static FURNITURE_CLASSES: Words = Words::new(tables::HTML_CLASSES, "whole");
/// Page furniture by a part of a class name or id.
static FURNITURE_PARTS: Words = Words::new(tables::HTML_CLASSES, "part");
/// Cells and what holds them are data whatever they are called.
const TABLE: &[&str] = &["table", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// Elements that begin and end a block.
static BLOCK_LEVEL: Words = Words::new(tables::HTML_ELEMENTS, "block");

/// Stands in the buffer for `<br>`.
const LINE_BREAK: char = '\u{2028}';

/// The blocks below `root`, in document order. `furniture`: keep navigation, forms, share bars and the like.
pub fn blocks(root: NodeRef<'_, Node>, furniture: bool) -> Vec<Block> {
    let mut builder = Builder { furniture, ..Builder::default() };
    let mut skipping: Option<NodeId> = None;
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if skipping.is_none() => match node.value() {
                Node::Text(text) if builder.raised == 0 => builder.text(&text.text),
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

/// The elements of a page that are its furniture, outermost ones only.
pub fn furniture_of(document: &scraper::Html) -> Vec<NodeId> {
    let builder = Builder::default();
    let mut found = Vec::new();
    let mut skipping: Option<NodeId> = None;
    for edge in document.tree.root().traverse() {
        match edge {
            Edge::Open(node) if skipping.is_none() => {
                let furniture = ElementRef::wrap(node)
                    .is_some_and(|e| !matches!(e.value().name(), "head" | "sup") && builder.skips(e));
                if furniture {
                    skipping = Some(node.id());
                    found.push(node.id());
                }
            }
            Edge::Close(node) if skipping == Some(node.id()) => skipping = None,
            _ => {}
        }
    }
    found
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
    /// An inline element has just ended.
    gap: Option<Gap>,
    /// Open superscripts: what they say stands in the buffer already.
    raised: usize,
}

/// The place between two inline elements that follow one another without a space.
#[derive(Default)]
struct Gap {
    /// The class of the element before.
    class: Option<String>,
    /// Both have a class, not the same: a label and what it labels.
    labels: bool,
    /// Another element has begun.
    met: bool,
}

impl Gap {
    /// Whether a page shows a space there. Parts of one word are marked up by themselves, too; so it takes two labels,
    /// or a letter beside a digit.
    fn is_word_space(&self, last: char, first: char) -> bool {
        let digit = |c: char| c.is_numeric();
        // What a word cannot begin with belongs to the word before.
        let joins = ('\u{9be}'..='\u{9cd}').contains(&first)
            || matches!(first, '\u{981}'..='\u{983}' | '\u{200c}' | '\u{200d}');
        let apart = (self.labels && first.is_alphanumeric() && last.is_alphanumeric())
            || (last.is_alphabetic() && digit(first) && crate::lang::script::is_bengali(last));
        self.met && !joins && apart
    }
}

impl Builder {
    fn skips(&self, element: ElementRef<'_>) -> bool {
        let value = element.value();
        let name = value.name();
        if NO_TEXT.contains(name) {
            return true;
        }
        if is_note_reference(element) {
            return true;
        }
        if name == "sup" {
            return superscript(element, &self.buffer).is_none();
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
        let by_class = !TABLE.contains(&name)
            && value.classes().chain(value.id()).any(|class| {
                let class = class.to_ascii_lowercase();
                // "has-related-posts" is said of the whole page.
                let part = |part: &&str| {
                    class.contains(*part) && !["has-", "no-", "with-"].iter().any(|p| class.starts_with(p))
                };
                FURNITURE_CLASSES.contains(&class) || FURNITURE_PARTS.longest_first().iter().any(part)
            });
        hidden || by_class || FURNITURE.contains(name)
    }

    fn skipped(&mut self, element: ElementRef<'_>) {
        if BLOCK_LEVEL.contains(element.value().name()) {
            self.flush();
        } else {
            self.text(" ");
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(gap) = self.gap.take()
            && let (Some(last), Some(first)) = (self.buffer.chars().next_back(), text.chars().next())
            && gap.is_word_space(last, first)
        {
            self.buffer.push(' ');
        }
        self.buffer.push_str(text);
    }

    fn open(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        let name = value.name();
        match name {
            "sup" => {
                // Its own text is skipped over by what it stands for.
                let sign = superscript(element, &self.buffer).unwrap_or_default();
                self.text(&sign);
                self.raised += 1;
            }
            "li" if self.in_cell => {
                // A list stays in its cell, its items apart.
                if !self.buffer.trim().is_empty() {
                    let end = self.buffer.trim_end().len();
                    self.buffer.truncate(end);
                    self.buffer.push_str("; ");
                }
            }
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
            _ if BLOCK_LEVEL.contains(name) => self.flush(),
            _ => self.open_inline(element),
        }
        match name {
            _ if self.in_cell => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = name[1..].parse().ok(),
            "figcaption" | "caption" => self.captions += 1,
            "figure" if is_picture(element) => self.captions += 1,
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
        if !self.in_cell && is_caption_class(element) {
            self.flush();
            self.captions += 1;
        }
    }

    /// An inline element that begins where another ended.
    fn open_inline(&mut self, element: ElementRef<'_>) {
        if let Some(gap) = &mut self.gap {
            gap.labels |= gap.class.is_some() && element.attr("class").is_some_and(|c| gap.class.as_deref() != Some(c));
            // When a thing was said stands apart from what it is.
            gap.labels |= element.value().name() == "time";
            gap.met = true;
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
        if name == "sup" {
            self.raised = self.raised.saturating_sub(1);
        }
        if self.gap.is_none() && !BLOCK_LEVEL.contains(name) && name != "br" && name != "wbr" {
            let class = element.attr("class").map(str::to_owned);
            self.gap = Some(Gap { class, ..Gap::default() });
        }
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
            _ if BLOCK_LEVEL.contains(name) => self.flush(),
            _ => {}
        }
        if !self.in_cell && is_caption_class(element) {
            self.flush();
            self.captions = self.captions.saturating_sub(1);
        }
        match name {
            _ if self.in_cell => {}
            "figure" if is_picture(element) => self.captions = self.captions.saturating_sub(1),
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
        self.gap = None;
        if self.in_cell {
            // A paragraph within a table cell is a word space there.
            self.buffer.push(' ');
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        if self.preformatted > 0 {
            return self.flush_preformatted(&buffer);
        }
        let verse = verse(buffer.split(LINE_BREAK).map(squeeze).collect());
        for line in verse.unwrap_or_else(|| lines(&buffer)) {
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
        if !crate::lang::script::has_bengali(buffer) {
            let text = buffer.trim_matches('\n').trim_end().to_string();
            return self.blocks.push(Block { kind: BlockKind::Verbatim, text, range: 0..0 });
        }
        let lines: Vec<String> = buffer.lines().map(squeeze).collect();
        let lines = verse(lines.clone()).unwrap_or(lines);
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
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

/// Lines that are verse, by stanza, their line breaks kept. `None`: prose with breaks in it.
fn verse(pieces: Vec<String>) -> Option<Vec<String>> {
    let lines: Vec<&str> = pieces.iter().map(String::as_str).filter(|piece| !piece.is_empty()).collect();
    if !crate::article::plain::is_verse(&lines) {
        return None;
    }
    let stanzas = pieces.split(|piece| piece.is_empty()).filter(|lines| !lines.is_empty());
    Some(stanzas.map(|lines| lines.join("\n")).collect())
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
