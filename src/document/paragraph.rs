//! Paragraphs as the formats' readers find them, and the article that they make.
use super::bijoy;
use crate::article::{Article, Block, BlockKind, plain};
use std::ops::Range;

/// A stretch of a paragraph's text, or what stands for white space in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub text: String,
    /// Bytes of the part that hold it: text may be put there, or the whole element be taken out.
    pub span: Range<usize>,
    pub kind: PieceKind,
    /// Set in a Bijoy font.
    pub bijoy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Text,
    /// An element that is white space or a sign.
    Mark,
    /// A line break.
    Break,
}

/// Row and column of a table's cell; rows are numbered through the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub row: usize,
    pub column: usize,
}

/// The open tables of a place, the innermost last, each with the cell that is read.
#[derive(Debug, Default)]
pub(super) struct Tables(Vec<Cell>);

impl Tables {
    pub fn open(&mut self) {
        self.0.push(Cell { row: 0, column: 0 });
    }

    /// A row begins; `rows` counts those of the whole document.
    pub fn row(&mut self, rows: &mut usize) {
        *rows += 1;
        if let Some(cell) = self.0.last_mut() {
            *cell = Cell { row: *rows, column: usize::MAX };
        }
    }

    /// A cell begins, the first of its row in column 0.
    pub fn cell(&mut self) {
        if let Some(cell) = self.0.last_mut() {
            cell.column = cell.column.wrapping_add(1);
        }
    }

    pub fn close(&mut self) {
        self.0.pop();
    }

    /// The cell of a table that stands in no other: what is in a table within a cell is text of the cell.
    pub fn outermost(&self) -> Option<Cell> {
        self.0.last().filter(|_| self.0.len() == 1).copied()
    }
}

/// A paragraph.
#[derive(Debug, Clone)]
pub(super) struct Paragraph {
    pub kind: BlockKind,
    pub title: bool,
    pub cell: Option<Cell>,
    /// Which part of the document it stands in.
    pub part: usize,
    /// The whole element, and what is between its tags.
    pub element: Range<usize>,
    pub inner: Range<usize>,
    pub pieces: Vec<Piece>,
    /// Takes part in the file that is written, not in the article (headers, tables of contents).
    pub aside: bool,
}

impl Paragraph {
    /// A plain one that begins at a byte of a part.
    pub fn new(part: usize, start: usize) -> Self {
        Self {
            kind: BlockKind::Paragraph,
            title: false,
            cell: None,
            part,
            element: start..start,
            inner: start..start,
            pieces: Vec::new(),
            aside: false,
        }
    }

    pub fn push(&mut self, text: &str, span: Range<usize>, kind: PieceKind, bijoy: bool) {
        // References come as pieces of their own; they belong to the text around them.
        if let Some(last) = self.pieces.last_mut()
            && last.kind == PieceKind::Text
            && kind == PieceKind::Text
            && last.span.end == span.start
            && last.bijoy == bijoy
        {
            last.text.push_str(text);
            last.span.end = span.end;
            return;
        }
        self.pieces.push(Piece { text: text.to_owned(), span, kind, bijoy });
    }

    fn is_empty(&self) -> bool {
        self.pieces.iter().all(|p| p.text.trim().is_empty())
    }
}

/// Where the English of a paragraph is found in the translated article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Title,
    /// A block; in a row of a table, the cell of it.
    Block {
        block: usize,
        cell: Option<usize>,
    },
}

/// A paragraph with its place in the article.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub paragraph: Paragraph,
    pub target: Target,
    /// For each piece its bytes in the slot's text (empty where it has none).
    pub ranges: Vec<Range<usize>>,
    /// Where the slot's text begins in the block's.
    pub offset: usize,
}

/// An article of the paragraphs, and where each of them went. `whole` is Bijoy text throughout.
pub(super) fn article(paragraphs: Vec<Paragraph>, all_bijoy: bool) -> (Article, Vec<Slot>) {
    let mut made = Made { all_bijoy, ..Made::default() };
    let mut paragraphs = paragraphs.into_iter().flat_map(split_lines).peekable();
    while let Some(first) = paragraphs.next() {
        let Some(cell) = first.cell else {
            made.single(first);
            continue;
        };
        let mut row = vec![first];
        while let Some(next) = paragraphs.next_if(|p| p.cell.is_some_and(|c| c.row == cell.row)) {
            row.push(next);
        }
        made.row(row);
    }
    (made.article, made.slots)
}

/// Lines of a verse or an address are paragraphs of their own; a break within a sentence is white space.
fn split_lines(paragraph: Paragraph) -> Vec<Paragraph> {
    if !paragraph.pieces.iter().any(|p| p.kind == PieceKind::Break) {
        return vec![paragraph];
    }
    let empty = Paragraph { pieces: Vec::new(), ..paragraph.clone() };
    let mut lines = vec![empty.clone()];
    let mut pieces = paragraph.pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let Some(line) = lines.last_mut() else { break };
        let text: String = line.pieces.iter().map(|p| p.text.as_str()).collect();
        let ends = plain::ends_sentence(text.trim()) || text.trim().chars().count() < 35;
        if piece.kind == PieceKind::Break && ends {
            if !text.trim().is_empty() && pieces.peek().is_some() {
                lines.push(Paragraph { title: false, ..empty.clone() });
            }
        } else {
            line.pieces.push(piece);
        }
    }
    lines
}

#[derive(Default)]
struct Made {
    article: Article,
    slots: Vec<Slot>,
    all_bijoy: bool,
}

impl Made {
    fn single(&mut self, paragraph: Paragraph) {
        if paragraph.is_empty() {
            return;
        }
        let (text, ranges) = self.text(&paragraph);
        if text.is_empty() {
            return;
        }
        let target = if paragraph.title && self.article.title.is_none() && self.article.blocks.is_empty() {
            self.article.title = Some(text);
            Target::Title
        } else {
            let kind = if paragraph.title { BlockKind::Heading { level: 1 } } else { paragraph.kind };
            self.article.blocks.push(Block { kind, text, range: 0..0 });
            Target::Block { block: self.article.blocks.len() - 1, cell: None }
        };
        self.slots.push(Slot { paragraph, target, ranges, offset: 0 });
    }

    /// A row of a table; where a cell holds several paragraphs, the table is a layout and not a table.
    fn row(&mut self, mut row: Vec<Paragraph>) {
        let columns = row.iter().filter_map(|p| p.cell).map(|c| c.column + 1).max().unwrap_or(0);
        row.retain(|p| !p.is_empty());
        let mut seen = vec![false; columns];
        let twice = row.iter().filter_map(|p| p.cell).any(|c| std::mem::replace(&mut seen[c.column], true));
        let long = row.iter().filter_map(|p| p.cell.map(|c| c.column)).collect::<std::collections::BTreeSet<_>>().len();
        if twice || (long == 1 && columns == 1) {
            row.into_iter().for_each(|p| self.single(p));
            return;
        }
        if row.is_empty() {
            return;
        }
        let block = self.article.blocks.len();
        let mut text = String::new();
        let mut column = 0;
        for paragraph in row {
            let Some(cell) = paragraph.cell else { continue };
            while column < cell.column {
                text.push('\t');
                column += 1;
            }
            let (own, ranges) = self.text(&paragraph);
            let (offset, cell) = (text.len(), Some(cell.column));
            text.push_str(&own);
            self.slots.push(Slot { paragraph, target: Target::Block { block, cell }, ranges, offset });
        }
        text.push_str(&"\t".repeat((columns - 1).saturating_sub(column)));
        self.article.blocks.push(Block { kind: BlockKind::TableRow, text, range: 0..0 });
    }

    /// A paragraph's text with single spaces, Bijoy converted, and where each piece is in it.
    fn text(&self, paragraph: &Paragraph) -> (String, Vec<Range<usize>>) {
        let pieces = &paragraph.pieces;
        let whole: String = pieces.iter().map(|p| p.text.as_str()).collect();
        let by_letters = bijoy::looks_like(&whole);
        let foreign = whole.chars().any(crate::lang::script::is_bengali);
        let is_bijoy = |p: &Piece| p.bijoy || by_letters || (self.all_bijoy && !foreign && bijoy::may_be(&whole));
        let mut out = String::new();
        let mut ranges = Vec::with_capacity(pieces.len());
        let mut at = 0;
        while at < pieces.len() {
            // Conjuncts reach across runs: what is Bijoy is converted together and counts as its first piece's.
            let group = match is_bijoy(&pieces[at]) {
                true => pieces[at..].iter().take_while(|p| is_bijoy(p)).count(),
                false => 1,
            };
            let text: String = pieces[at..at + group].iter().map(|p| p.text.as_str()).collect();
            let text = if is_bijoy(&pieces[at]) { bijoy::convert(&text) } else { text };
            let start = out.len();
            append(&mut out, &text);
            ranges.push(start..out.len());
            ranges.extend((1..group).map(|_| out.len()..out.len()));
            at += group;
        }
        out.truncate(out.trim_end().len());
        for range in &mut ranges {
            *range = range.start.min(out.len())..range.end.min(out.len());
        }
        (out, ranges)
    }
}

/// Adds text with white space made single; none at the start.
fn append(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\u{ad}' | '\u{feff}' => {}
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(texts: &[&str]) -> Paragraph {
        let mut p = Paragraph::new(0, 0);
        for (i, text) in texts.iter().enumerate() {
            let kind = if *text == "\n" { PieceKind::Break } else { PieceKind::Text };
            p.push(text, i * 100..i * 100 + text.len(), kind, false);
        }
        p
    }

    fn texts(paragraphs: Vec<Paragraph>) -> Vec<String> {
        article(paragraphs, false).0.blocks.into_iter().map(|b| b.text).collect()
    }

    #[test]
    fn pieces_know_where_they_went() {
        let (article, slots) = article(vec![paragraph(&["  আমি ", " ভাত", "\u{a0}খাই। "])], false);
        assert_eq!(article.blocks[0].text, "আমি ভাত খাই।");
        let said: Vec<&str> = slots[0].ranges.iter().map(|r| &article.blocks[0].text[r.clone()]).collect();
        assert_eq!(said, ["আমি ", "ভাত", " খাই।"]);
    }

    #[test]
    fn verses_are_lines_and_wrapped_sentences_are_not() {
        assert_eq!(texts(vec![paragraph(&["আমার সোনার বাংলা", "\n", "আমি তোমায় ভালোবাসি।"])]).len(), 2);
        let long = "এই বাক্যটি বেশ লম্বা এবং মাঝখানে একটি লাইন ভেঙে গেছে কারণ";
        assert_eq!(texts(vec![paragraph(&[long, "\n", "এটি চলছে।"])]).len(), 1);
    }

    #[test]
    fn rows_are_rows_and_layouts_are_paragraphs() {
        let cell = |row, column, text| Paragraph { cell: Some(Cell { row, column }), ..paragraph(&[text]) };
        let table = vec![
            cell(1, 0, "নাম"),
            cell(1, 1, ""),
            cell(1, 2, "বয়স"),
            cell(2, 0, "রহিম"),
            cell(2, 1, ""),
            cell(2, 2, ""),
        ];
        assert_eq!(texts(table), ["নাম\t\tবয়স", "রহিম\t\t"]);
        assert_eq!(texts(vec![cell(1, 0, "এক"), cell(1, 0, "দুই"), cell(1, 1, "তিন")]), ["এক", "দুই", "তিন"]);
    }

    #[test]
    fn bijoy_is_converted_across_pieces() {
        let mut p = Paragraph::new(0, 0);
        p.push("†", 0..3, PieceKind::Text, true);
        p.push("Kvb", 10..13, PieceKind::Text, true);
        p.push(" (UNO)", 20..26, PieceKind::Text, false);
        assert_eq!(texts(vec![p]), ["কোন (UNO)"]);
    }
}
