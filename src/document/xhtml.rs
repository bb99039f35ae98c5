//! The pages of a book: XHTML as paragraphs that know their bytes.
use super::paragraph::{Paragraph, PieceKind, Tables};
use super::xml::{Tag, Tokens, What};
use crate::article::BlockKind;
use crate::lang::{Words, tables};
use std::ops::Range;

/// Elements that begin and end paragraphs; all others stand within one.
static BLOCKS: Words = Words::new(tables::HTML_ELEMENTS, "book");
/// Elements without text of their own.
static SKIPPED: Words = Words::new(tables::HTML_ELEMENTS, "silent-book");

/// Reads a page (or an NCX table of contents).
pub(super) fn read(xml: &str, part: usize, aside: bool) -> Result<Vec<Paragraph>, String> {
    let mut walk = Walk { part, aside, ..Walk::default() };
    let mut tokens = Tokens::new(xml);
    while let Some(token) = tokens.next()? {
        if walk.skip(&token.what) {
            continue;
        }
        match token.what {
            What::Open(tag) => walk.start(tag, token.range),
            What::Close(name) => walk.end(name, token.range),
            What::Text(text) => walk.text(&text, token.range),
        }
    }
    walk.flush();
    Ok(walk.found)
}

#[derive(Default)]
struct Walk {
    part: usize,
    aside: bool,
    open: Option<Paragraph>,
    /// Open block elements: name, where its content begins, and what its text is.
    elements: Vec<(String, Range<usize>)>,
    lists: Vec<Option<u32>>,
    /// A list item whose first paragraph is still to come.
    item: Option<Option<u32>>,
    tables: Tables,
    rows: usize,
    skipped: Option<(String, usize)>,
    found: Vec<Paragraph>,
}

/// The mark of a note, or the arrow back from it: no word of the text.
fn is_note_link(tag: &Tag<'_>) -> bool {
    let says = |name: &str, values: &[&str]| tag.attribute(name).is_some_and(|value| values.contains(&&*value));
    tag.name == "a" && (says("epub:type", &["noteref", "backlink"]) || says("role", &["doc-noteref", "doc-backlink"]))
}

impl Walk {
    fn skip(&mut self, what: &What<'_>) -> bool {
        match (&mut self.skipped, what) {
            (Some((name, depth)), What::Open(tag)) if tag.name == name => *depth += 1,
            (Some((name, depth)), What::Close(closed)) if closed == name => {
                *depth -= 1;
                if *depth == 0 {
                    self.skipped = None;
                }
            }
            (Some(_), _) => {}
            (None, What::Open(tag)) if SKIPPED.contains(tag.name) || is_note_link(tag) => {
                self.skipped = Some((tag.name.to_owned(), 1))
            }
            _ => return false,
        }
        true
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        if tag.name == "br" {
            if let Some(open) = &mut self.open {
                open.push("\n", range, PieceKind::Break, false);
            }
            return;
        }
        if !BLOCKS.contains(tag.name) {
            return;
        }
        self.flush();
        match tag.name {
            "ul" => self.lists.push(None),
            "ol" => {
                let first = tag.attribute("start").and_then(|s| s.parse::<u32>().ok()).unwrap_or(1);
                self.lists.push(Some(first.saturating_sub(1)));
            }
            "li" => {
                if let Some(Some(count)) = self.lists.last_mut() {
                    *count = count.saturating_add(1);
                }
                self.item = Some(self.lists.last().copied().flatten());
            }
            "table" => self.tables.open(),
            "tr" => self.tables.row(&mut self.rows),
            "td" | "th" => self.tables.cell(),
            _ => {}
        }
        self.elements.push((tag.name.to_owned(), range));
        if matches!(tag.name, "td" | "th") {
            // An empty cell is a cell, too.
            self.begin(self.elements.last().map_or(0, |e| e.1.end));
        }
    }

    fn end(&mut self, name: &str, range: Range<usize>) {
        if !BLOCKS.contains(name) {
            return;
        }
        if let Some(open) = &mut self.open {
            open.inner.end = range.start;
            open.element.end = range.end;
        }
        self.flush();
        while let Some((open, _)) = self.elements.pop() {
            match open.as_str() {
                "ul" | "ol" => drop(self.lists.pop()),
                "table" => self.tables.close(),
                "li" => self.item = None,
                _ => {}
            }
            if open == name {
                break;
            }
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.open.is_none() {
            if text.trim().is_empty() || self.elements.is_empty() {
                return;
            }
            self.begin(range.start);
        }
        if let Some(open) = &mut self.open {
            open.push(text, range, PieceKind::Text, false);
        }
    }

    /// Begins a paragraph whose kind the elements around it say.
    fn begin(&mut self, at: usize) {
        let innermost = self.elements.last();
        let within = |name: &str| self.elements.iter().any(|(open, _)| open == name);
        let name = innermost.map_or("", |(name, _)| name.as_str());
        let level = name.strip_prefix('h').and_then(|l| l.parse::<u8>().ok());
        let kind = match (level, name) {
            (Some(level), _) => BlockKind::Heading { level: level.clamp(1, 6) },
            (None, "figcaption" | "caption") => BlockKind::Caption,
            _ if within("figcaption") => BlockKind::Caption,
            _ if self.item.is_some() => {
                let depth = self.lists.len().saturating_sub(1).min(8) as u8;
                BlockKind::ListItem { depth, number: self.item.take().flatten() }
            }
            _ if within("blockquote") => BlockKind::Quote,
            _ => BlockKind::Paragraph,
        };
        let mut paragraph = Paragraph { kind, aside: self.aside, ..Paragraph::new(self.part, at) };
        let in_cell = within("td") || within("th");
        paragraph.cell = self.tables.outermost().filter(|_| in_cell);
        // A whole element can be written again behind itself; loose text cannot.
        if let Some((name, tag)) = innermost
            && (name == "p" || level.is_some())
        {
            paragraph.element = tag.clone();
            paragraph.inner = tag.end..tag.end;
        }
        self.open = Some(paragraph);
    }

    fn flush(&mut self) {
        self.found.extend(self.open.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraph::article;

    fn blocks(xml: &str) -> Vec<(BlockKind, String)> {
        article(read(xml, 0, false).unwrap(), false).0.blocks.into_iter().map(|b| (b.kind, b.text)).collect()
    }

    #[test]
    fn structure_is_kept() {
        let page = "<html><head><title>না</title></head><body><h2>শিরোনাম</h2><p>এক <b>দুই</b>&nbsp;তিন।</p>\
            <ol start='3'><li>ক</li><li><p>খ</p><p>আরও</p><ul><li>গ</li></ul></li></ol><blockquote><p>কথা।</p></blockquote>\
            <table><tr><th>নাম</th><th></th></tr><tr><td>রহিম</td><td>১০</td></tr></table>\
            <figure><figcaption>ছবি</figcaption></figure><div>খোলা <p>ভিতরে</p> বাকি</div></body></html>";
        let item = |depth, number| BlockKind::ListItem { depth, number };
        let said = blocks(page);
        let said: Vec<(BlockKind, &str)> = said.iter().map(|(k, t)| (*k, t.as_str())).collect();
        assert_eq!(
            said,
            [
                (BlockKind::Heading { level: 2 }, "শিরোনাম"),
                (BlockKind::Paragraph, "এক দুই তিন।"),
                (item(0, Some(3)), "ক"),
                (item(0, Some(4)), "খ"),
                (BlockKind::Paragraph, "আরও"),
                (item(1, None), "গ"),
                (BlockKind::Quote, "কথা।"),
                (BlockKind::TableRow, "নাম\t"),
                (BlockKind::TableRow, "রহিম\t১০"),
                (BlockKind::Caption, "ছবি"),
                (BlockKind::Paragraph, "খোলা"),
                (BlockKind::Paragraph, "ভিতরে"),
                (BlockKind::Paragraph, "বাকি"),
            ]
        );
    }
}
