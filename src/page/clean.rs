//! The English alone, as an editor pastes it into a content management system.
use super::escape;
use crate::article::{Article, BlockKind, BlockWriter, Style};
use std::fmt::Write;

/// Title and blocks as plain text.
pub fn clean_text(article: &Article) -> String {
    let mut writer = BlockWriter::new(Vec::new(), Style::Text);
    // Writing into memory does not fail.
    if let Some(title) = &article.title {
        let _ = writer.title(title);
    }
    for block in &article.blocks {
        let _ = writer.block(block.kind, &block.text);
    }
    String::from_utf8_lossy(&writer.finish().unwrap_or_default()).trim_end().to_owned()
}

/// Title and blocks as HTML without any style, lists and tables as such.
pub fn clean_html(article: &Article) -> String {
    let mut out = String::new();
    if let Some(title) = &article.title {
        let _ = writeln!(out, "<h1>{}</h1>", escape(title));
    }
    let mut open: Vec<&'static str> = Vec::new();
    for block in &article.blocks {
        match block.kind {
            BlockKind::ListItem { depth, number } => {
                list(&mut out, &mut open, usize::from(depth) + 1, if number.is_some() { "ol" } else { "ul" });
                let _ = writeln!(out, "<li>{}</li>", escape(&block.text));
            }
            BlockKind::TableRow => {
                if open != ["table"] {
                    close(&mut out, &mut open, 0);
                    out.push_str("<table>\n");
                    open.push("table");
                }
                let cells: String = block.text.split('\t').map(|c| format!("<td>{}</td>", escape(c))).collect();
                let _ = writeln!(out, "<tr>{cells}</tr>");
            }
            kind => {
                close(&mut out, &mut open, 0);
                simple(&mut out, kind, &escape(&block.text));
            }
        }
    }
    close(&mut out, &mut open, 0);
    out
}

fn simple(out: &mut String, kind: BlockKind, text: &str) {
    let _ = match kind {
        BlockKind::Heading { level } => writeln!(out, "<h{0}>{text}</h{0}>", level.clamp(1, 6)),
        BlockKind::Quote => writeln!(out, "<blockquote><p>{text}</p></blockquote>"),
        BlockKind::Caption => writeln!(out, "<p><em>{text}</em></p>"),
        BlockKind::SourceLine => writeln!(out, "<p><small>{text}</small></p>"),
        BlockKind::Verbatim => writeln!(out, "<pre>{text}</pre>"),
        _ => writeln!(out, "<p>{text}</p>"),
    };
}

/// Opens and closes lists until one of this kind is open at this depth. (A list within a list without an item between
/// is what editors make of it, too.)
fn list(out: &mut String, open: &mut Vec<&'static str>, depth: usize, tag: &'static str) {
    if open.first() == Some(&"table") {
        close(out, open, 0);
    }
    close(out, open, depth);
    if open.len() == depth && open.last() != Some(&tag) {
        close(out, open, depth - 1);
    }
    while open.len() < depth {
        let _ = writeln!(out, "<{tag}>");
        open.push(tag);
    }
}

fn close(out: &mut String, open: &mut Vec<&'static str>, depth: usize) {
    while open.len() > depth {
        if let Some(tag) = open.pop() {
            let _ = writeln!(out, "</{tag}>");
        }
    }
}
