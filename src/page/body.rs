//! The article itself: a row a sentence, in blocks that look like what they are.
use super::notes::Notes;
use super::{Page, badge, escape, table};
use crate::article::BlockKind;
use crate::pipeline::doubt::{Trust, trust};
use std::fmt::Write;
use std::ops::Range;

/// The title in both languages. (The English one stands in the head as well; here it has its Bengali beside it.)
pub fn title(out: &mut String, page: &Page<'_>, notes: &mut Notes<'_>) {
    let range = segments_of(page, None);
    if range.is_empty() {
        return;
    }
    out.push_str("<div class=\"block title\">\n");
    range.for_each(|index| sentence(out, page, index, "p", "", notes));
    out.push_str("</div>\n");
}

/// All blocks in order.
pub fn blocks(out: &mut String, page: &Page<'_>, notes: &mut Notes<'_>) {
    let blocks = &page.english.blocks;
    let (mut at, mut in_list) = (0, false);
    while let Some(block) = blocks.get(at) {
        let is_item = matches!(block.kind, BlockKind::ListItem { .. });
        if is_item != in_list {
            out.push_str(if is_item { "<div role=\"list\">\n" } else { "</div>\n" });
            in_list = is_item;
        }
        if block.kind == BlockKind::TableRow {
            let rows = blocks[at..].iter().take_while(|b| b.kind == BlockKind::TableRow).count();
            table::write(out, page, at..at + rows, notes);
            at += rows;
        } else {
            one(out, page, at, notes);
            at += 1;
        }
    }
    if in_list {
        out.push_str("</div>\n");
    }
}

/// A block that is no table.
fn one(out: &mut String, page: &Page<'_>, at: usize, notes: &mut Notes<'_>) {
    let block = &page.english.blocks[at];
    let range = segments_of(page, Some(at));
    let (open, close, tag, marker) = match block.kind {
        BlockKind::Heading { level } => {
            ("<div class=\"block heading\">".into(), "</div>", heading(level), String::new())
        }
        BlockKind::ListItem { depth, number } => (
            format!("<div class=\"block item depth-{}\" role=\"listitem\">", depth.min(5)),
            "</div>",
            "p",
            number.map_or_else(|| "• ".into(), |n| format!("{n}. ")),
        ),
        BlockKind::Quote => ("<blockquote class=\"block\">".into(), "</blockquote>", "p", String::new()),
        BlockKind::Caption => ("<div class=\"block caption\">".into(), "</div>", "p", String::new()),
        BlockKind::SourceLine => ("<div class=\"block origin\">".into(), "</div>", "p", String::new()),
        BlockKind::Verbatim => {
            let _ = writeln!(out, "<pre class=\"block\">{}</pre>", escape(&block.text));
            return;
        }
        _ => ("<div class=\"block\">".into(), "</div>", "p", String::new()),
    };
    let _ = writeln!(out, "{open}");
    // Labels ("Source:", "Photo:") belong to no sentence: such a block is shown whole.
    if range.is_empty() || matches!(block.kind, BlockKind::Caption | BlockKind::SourceLine) {
        whole(out, page, at, range, tag, notes);
    } else {
        let mut marker = marker.as_str();
        for index in range {
            sentence(out, page, index, tag, marker, notes);
            marker = "";
        }
    }
    let _ = writeln!(out, "{close}");
}

fn heading(level: u8) -> &'static str {
    // The page's own title is the only one of the first level.
    match level {
        0..=2 => "h2",
        3 => "h3",
        4 => "h4",
        _ => "h5",
    }
}

/// The segments of a block (none: the title). They lie side by side.
pub fn segments_of(page: &Page<'_>, block: Option<usize>) -> Range<usize> {
    let start = page.segments.iter().position(|s| s.block == block).unwrap_or(0);
    let length = page.segments[start..].iter().take_while(|s| s.block == block).count();
    start..start + length
}

/// A sentence in both languages.
fn sentence(out: &mut String, page: &Page<'_>, index: usize, tag: &str, marker: &str, notes: &mut Notes<'_>) {
    let segment = &page.segments[index];
    let (class, mark) = marked(page, index, notes);
    pair(out, index, class, tag, (&format!("{marker}{}", segment.source), &format!("{marker}{}", segment.text)), &mark);
}

/// A block that is not taken apart.
fn whole(out: &mut String, page: &Page<'_>, at: usize, range: Range<usize>, tag: &str, notes: &mut Notes<'_>) {
    let source = page.source.blocks.get(at).map_or("", |b| b.text.as_str());
    let (mut class, mut marks) = ("", String::new());
    let first = range.start;
    for index in range {
        let (one, mark) = marked(page, index, notes);
        if class != "doubtful" && !one.is_empty() {
            class = one;
        }
        marks.push_str(&mark);
    }
    pair(out, first, class, tag, (source, &page.english.blocks[at].text), &marks);
}

/// The class of a sentence, and what is written behind it.
pub fn marked(page: &Page<'_>, index: usize, notes: &mut Notes<'_>) -> (&'static str, String) {
    let segment = &page.segments[index];
    let references = notes.references(index);
    let trust = trust(segment, page.findings.iter().filter(|f| f.segment == Some(index))).unwrap_or(Trust::Fair);
    match badge(trust, segment.confidence) {
        Some((class, words)) => (class, format!("{references} <span class=\"badge\">{words}</span>")),
        None => ("", references),
    }
}

fn pair(out: &mut String, index: usize, class: &str, tag: &str, (source, english): (&str, &str), mark: &str) {
    let class = if class.is_empty() { "pair".to_owned() } else { format!("pair {class}") };
    let _ = writeln!(
        out,
        "<div class=\"{class}\" tabindex=\"0\" role=\"group\" aria-label=\"Sentence {}\"><p class=\"bn\" lang=\"bn\">{}</p><{tag} class=\"en\">{}{mark}</{tag}></div>",
        index + 1,
        escape(source),
        escape(english)
    );
}
