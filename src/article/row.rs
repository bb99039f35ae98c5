//! A row of a table whose columns are translated: what it takes to write the row again as it was, with the English
//! beside it.
use super::{Article, Block, BlockKind};
use std::ops::Range;
use std::sync::Arc;

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// As it stands in its file, without its line end.
    pub source: String,
    /// `\n`, `\r\n`, or nothing in a last line without one.
    pub end: String,
    /// What separates its cells: a byte of ASCII.
    pub delimiter: u8,
    /// The lines before the first row, as they are: the header with its line end, an empty text where there is none.
    pub header: Arc<str>,
    /// The columns that are translated.
    pub columns: Vec<Column>,
}

/// A cell that is translated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// The cell as it stands, unquoted.
    pub text: String,
    /// What the article has of it: lines, or the paragraphs of a cell that is HTML.
    pub pieces: Vec<String>,
    /// The cell is HTML and stays so.
    pub html: bool,
}

impl Column {
    /// A cell of text, line by line.
    pub fn of_text(name: String, text: String) -> Self {
        let pieces = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Self { name, text, pieces, html: false }
    }

    /// A cell of HTML.
    pub fn of_html(name: String, text: String) -> Self {
        let article = super::html::extract(&text, &super::ReadOptions { keep_furniture: true, ..Default::default() });
        let pieces = article.title.into_iter().chain(article.blocks.into_iter().map(|block| block.text)).collect();
        Self { name, text, pieces, html: true }
    }

    /// The cell with its pieces in English.
    pub fn with<'a>(&self, english: impl IntoIterator<Item = &'a str>) -> String {
        let mut english = english.into_iter();
        if self.html {
            return english.collect::<Vec<_>>().join("\n\n");
        }
        let lines =
            self.text.lines().map(|line| if line.trim().is_empty() { "" } else { english.next().unwrap_or("") });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Row {
    /// The cells as an article without a title.
    pub fn article(&self) -> Article {
        let texts = self.columns.iter().flat_map(|column| column.pieces.iter());
        let block = |text: &String| Block { kind: BlockKind::Paragraph, text: text.clone(), range: 0..0 };
        Article { blocks: texts.map(block).collect(), ..Article::default() }
    }

    /// Each column with its blocks of the article.
    pub fn blocks(&self) -> impl Iterator<Item = (&Column, Range<usize>)> {
        let mut at = 0;
        self.columns.iter().map(move |column| {
            let start = at;
            at += column.pieces.len();
            (column, start..at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        let column = Column::of_text("a".into(), "এক\n\n  দুই\r\nতিন".into());
        assert_eq!(column.pieces, ["এক", "দুই", "তিন"]);
        assert_eq!(column.with(["one", "two", "three"]), "one\n\ntwo\nthree");
        let html = Column::of_html("a".into(), "<p>এক</p><p>দুই</p>".into());
        assert_eq!(html.with(["one", "two"]), "one\n\ntwo");
        let row = Row { columns: vec![column, Column::default(), html], ..Row::default() };
        let ranges: Vec<_> = row.blocks().map(|(_, range)| range).collect();
        assert_eq!((row.article().blocks.len(), ranges), (5, vec![0..3, 3..3, 3..5]));
    }
}
