//! An English article as text or Markdown, block by block, so that each can be read as soon as it is done.
use super::BlockKind;
use std::io::{Result, Write};

/// Stands in a text where a note belongs to what is before it: see [`BlockWriter::block_with_notes`].
pub const MARK: char = '\u{e000}';

/// What the article is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text for a terminal.
    Text,
    /// CommonMark with tables and footnotes.
    Markdown,
}

/// Writes blocks as they come, with the right blank lines between them. No line is wrapped. Every call flushes, so that
/// a reader at the other end of a pipe sees the block at once.
pub struct BlockWriter<W> {
    out: W,
    style: Style,
    previous: Option<BlockKind>,
    notes: Vec<String>,
}

impl<W: Write> BlockWriter<W> {
    /// A writer that has written nothing yet.
    pub fn new(out: W, style: Style) -> Self {
        Self { out, style, previous: None, notes: Vec::new() }
    }

    /// The article's title.
    pub fn title(&mut self, text: &str) -> Result<()> {
        self.block(BlockKind::Heading { level: 1 }, text)
    }

    /// One block; an empty one writes nothing.
    pub fn block(&mut self, kind: BlockKind, text: &str) -> Result<()> {
        self.block_with_notes(kind, text, &[])
    }

    /// One block with notes on it (doubtful places, for instance), which are numbered and written by [`Self::finish`]. A
    /// `MARK` (U+E000) in the text is where the next note belongs; those without a mark belong to the block's end.
    pub fn block_with_notes(&mut self, kind: BlockKind, text: &str, notes: &[String]) -> Result<()> {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.separate(kind)?;
        let text = &*harmless(text);
        let line = match self.style {
            Style::Text => as_text(kind, text),
            Style::Markdown => as_markdown(kind, text),
        };
        let mut notes = notes.iter();
        let mut rest = line.as_str();
        while let Some((before, after)) = rest.split_once(MARK) {
            write!(self.out, "{before}")?;
            notes.next().map_or(Ok(()), |note| self.refer(note))?;
            rest = after;
        }
        write!(self.out, "{rest}")?;
        notes.try_for_each(|note| self.refer(note))?;
        writeln!(self.out)?;
        if self.style == Style::Markdown && kind == BlockKind::TableRow && self.previous != Some(BlockKind::TableRow) {
            let columns = text.split('\t').count();
            writeln!(self.out, "|{}", " --- |".repeat(columns))?;
        }
        self.previous = Some(kind);
        self.out.flush()
    }

    /// The number of a new note.
    fn refer(&mut self, note: &str) -> Result<()> {
        self.notes.push(note.to_owned());
        match self.style {
            Style::Text => write!(self.out, " [{}]", self.notes.len()),
            Style::Markdown => write!(self.out, "[^{}]", self.notes.len()),
        }
    }

    /// A summary under a heading of its own, one sentence a line, as a list in Markdown.
    pub fn summary(&mut self, heading: &str, sentences: &[String]) -> Result<()> {
        self.block(BlockKind::Heading { level: 2 }, heading)?;
        for sentence in sentences {
            self.block(BlockKind::ListItem { depth: 0, number: None }, sentence)?;
        }
        Ok(())
    }

    /// Writes the notes, if there are any, and hands the writer back.
    pub fn finish(mut self) -> Result<W> {
        if !self.notes.is_empty() {
            writeln!(self.out)?;
        }
        for (index, note) in self.notes.iter().enumerate() {
            let note = &harmless(note);
            match self.style {
                Style::Text => writeln!(self.out, "[{}] {note}", index + 1)?,
                Style::Markdown => writeln!(self.out, "[^{}]: {}", index + 1, escape(note))?,
            }
        }
        self.out.flush()?;
        Ok(self.out)
    }

    /// The blank line between two blocks: none within a list or a table.
    fn separate(&mut self, kind: BlockKind) -> Result<()> {
        let Some(previous) = self.previous else { return Ok(()) };
        let same = match (previous, kind) {
            (BlockKind::ListItem { number: a, depth: x }, BlockKind::ListItem { number: b, depth: y }) => {
                // Bullets after numbers at the same depth are another list.
                x != y || a.is_some() == b.is_some()
            }
            (BlockKind::TableRow, BlockKind::TableRow) => true,
            _ => false,
        };
        if same { Ok(()) } else { writeln!(self.out) }
    }
}

/// Without what a terminal obeys instead of showing (escape sequences, bells, backspaces): the article is somebody
/// else's, and its text means none of them.
pub fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    if text.contains(obeyed) { text.replace(obeyed, "").into() } else { text.into() }
}

fn marker(number: Option<u32>) -> String {
    number.map_or_else(|| "-".into(), |n| format!("{n}."))
}

fn as_text(kind: BlockKind, text: &str) -> String {
    match kind {
        BlockKind::ListItem { depth, number } => {
            format!("{}{} {text}", "  ".repeat(usize::from(depth)), marker(number))
        }
        BlockKind::Quote => format!("> {}", text.replace('\n', "\n> ")),
        BlockKind::Caption => format!("[{text}]"),
        BlockKind::Verbatim => text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
        _ => text.to_string(),
    }
}

fn as_markdown(kind: BlockKind, text: &str) -> String {
    match kind {
        BlockKind::Heading { level } => format!("{} {}", "#".repeat(usize::from(level.clamp(1, 6))), escape(text)),
        // Three spaces a level nest under "- " and "1. " alike.
        BlockKind::ListItem { depth, number } => {
            format!("{}{} {}", "   ".repeat(usize::from(depth)), marker(number), escape(text))
        }
        BlockKind::Quote => format!("> {}", verse(text, "  \n> ")),
        BlockKind::Caption => format!("*{}*", escape(text)),
        BlockKind::TableRow => {
            let cells: Vec<String> = text.split('\t').map(|cell| escape(cell).replace('|', "\\|")).collect();
            format!("| {} |", cells.join(" | "))
        }
        BlockKind::Verbatim => {
            let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(longest.max(2) + 1);
            format!("{fence}\n{text}\n{fence}")
        }
        BlockKind::Paragraph | BlockKind::SourceLine => verse(text, "  \n"),
    }
}

/// Lines of verse, each escaped by itself, with hard line breaks between them.
fn verse(text: &str, line_break: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join(line_break)
}

/// Escapes what Markdown would take for markup: at the start of a line, and emphasis, code, links and tags within.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let escaped = match c {
            '*' | '`' | '\\' | '[' | ']' => true,
            // An underscore inside a word, and "<" before a space or a digit, mean nothing.
            '_' => !(previous.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_alphabetic() || matches!(next, '/' | '!' | '?'),
            '~' => next == '~' || previous == '~',
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
        previous = c;
    }
    escape_start(out)
}

fn escape_start(text: String) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = text.as_bytes().get(digits).copied();
    let spaced = text.as_bytes().get(digits + 1).is_none_or(|b| *b == b' ');
    if (1..=9).contains(&digits) && matches!(after, Some(b'.' | b')')) && spaced {
        return format!("{}\\{}", &text[..digits], &text[digits..]);
    }
    let bullet = text.starts_with(['-', '+']) && text[1..].starts_with([' ', '-']) || text == "-" || text == "+";
    let heading = text.starts_with('#') && text.trim_start_matches('#').starts_with([' ']) || text.starts_with("===");
    if bullet || heading || text.starts_with('>') || text.starts_with('|') { format!("\\{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(style: Style) -> String {
        let mut w = BlockWriter::new(Vec::new(), style);
        let item = |depth, number| BlockKind::ListItem { depth, number };
        w.title("War deepens!").expect("writes");
        w.block(BlockKind::Caption, "File photo").expect("writes");
        w.block(BlockKind::Paragraph, "1. Not a *list*.").expect("writes");
        w.block(item(0, None), "one").expect("writes");
        w.block(item(1, Some(1)), "two").expect("writes");
        w.block(item(0, None), "three").expect("writes");
        w.block(BlockKind::Quote, "Said so.").expect("writes");
        w.block(BlockKind::TableRow, "Year\tRice|wheat").expect("writes");
        w.block(BlockKind::TableRow, "2024\t12").expect("writes");
        w.block(BlockKind::Paragraph, "  ").expect("writes");
        w.block(BlockKind::Verbatim, "a\n```\nb").expect("writes");
        w.block_with_notes(BlockKind::Paragraph, "End.", &["231 became 239".into()]).expect("writes");
        w.summary("Summary", &["It ended.".into()]).expect("writes");
        String::from_utf8(w.finish().expect("writes")).expect("UTF-8")
    }

    #[test]
    fn text() {
        assert_eq!(
            sample(Style::Text),
            "War deepens!\n\n[File photo]\n\n1. Not a *list*.\n\n- one\n  1. two\n- three\n\n> Said so.\n\nYear\tRice|wheat\n2024\t12\n\n    a\n    ```\n    b\n\nEnd. [1]\n\nSummary\n\n- It ended.\n\n[1] 231 became 239\n"
        );
    }

    #[test]
    fn markdown() {
        assert_eq!(
            sample(Style::Markdown),
            "# War deepens!\n\n*File photo*\n\n1\\. Not a \\*list\\*.\n\n- one\n   1. two\n- three\n\n> Said so.\n\n| Year | Rice\\|wheat |\n| --- | --- |\n| 2024 | 12 |\n\n````\na\n```\nb\n````\n\nEnd.[^1]\n\n## Summary\n\n- It ended.\n\n[^1]: 231 became 239\n"
        );
    }

    #[test]
    fn what_a_terminal_obeys_is_left_out() {
        for style in [Style::Text, Style::Markdown] {
            let mut w = BlockWriter::new(Vec::new(), style);
            let hostile = "Hel\u{1b}]52;c;eA==\u{7}lo\u{1b}[2J\u{9b}31m\u{8}\u{7f}\r wor\tld";
            w.title(hostile).expect("writes");
            w.block(BlockKind::Verbatim, hostile).expect("writes");
            w.block_with_notes(BlockKind::TableRow, hostile, &[hostile.into()]).expect("writes");
            w.summary(hostile, &[hostile.into()]).expect("writes");
            let written = String::from_utf8(w.finish().expect("writes")).expect("UTF-8");
            assert!(!written.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n')), "{written:?}");
            assert!(written.contains("lo"));
        }
    }

    #[test]
    fn notes_stand_where_their_marks_are() {
        for (style, line) in
            [(Style::Text, "One. [1] Two. Three. [2] [3]"), (Style::Markdown, "One.[^1] Two. Three.[^2][^3]")]
        {
            let mut w = BlockWriter::new(Vec::new(), style);
            let notes = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
            let text = format!("One.{MARK} Two. Three.{MARK}");
            w.block_with_notes(BlockKind::Paragraph, &text, &notes).expect("writes");
            w.block(BlockKind::Paragraph, &format!("A mark{MARK} of nobody's")).expect("writes");
            let written = String::from_utf8(w.finish().expect("writes")).expect("UTF-8");
            assert!(written.starts_with(&format!("{line}\n\nA mark of nobody's\n")), "{written}");
        }
    }

    /// What is written as Markdown reads back as the same blocks.
    #[test]
    fn round_trip() {
        let texts = [
            "5 < 6 and a_b",
            "# no heading",
            "> no quote",
            "* star",
            "- dash",
            "<b>tag</b>",
            "[a](b)",
            "2024. year",
            "~~x~~",
        ];
        for text in texts {
            let mut w = BlockWriter::new(Vec::new(), Style::Markdown);
            w.block(BlockKind::Paragraph, text).expect("writes");
            let written = String::from_utf8(w.finish().expect("writes")).expect("UTF-8");
            let article = crate::article::markdown::parse(&written, &crate::article::ReadOptions::default());
            assert_eq!(article.blocks[0].text, text, "{written}");
            assert_eq!(article.blocks[0].kind, BlockKind::Paragraph);
        }
    }
}
