//! Tables: one in each language, row beside row.
use super::body::{marked, segments_of};
use super::notes::Notes;
use super::{Page, escape};
use std::fmt::Write;
use std::ops::Range;

/// Rows of a run of table rows; the first one is taken for its head.
pub fn write(out: &mut String, page: &Page<'_>, rows: Range<usize>, notes: &mut Notes<'_>) {
    out.push_str("<div class=\"block tables\">\n<table class=\"bn\" lang=\"bn\">\n");
    for (number, row) in rows.clone().enumerate() {
        let text = page.source.blocks.get(row).map_or("", |b| b.text.as_str());
        let cells: Vec<(&str, &'static str, String)> = text.split('\t').map(|cell| (cell, "", String::new())).collect();
        line(out, number, &cells);
    }
    out.push_str("</table>\n<table class=\"en\">\n");
    for (number, row) in rows.enumerate() {
        let marks = marks(page, row, notes);
        let cells = page.english.blocks[row].text.split('\t').enumerate();
        let cells: Vec<(&str, &'static str, String)> = cells
            .map(|(column, cell)| {
                let own = marks.iter().filter(|(at, ..)| *at == column);
                let class = own.clone().map(|(_, class, _)| *class).find(|c| !c.is_empty()).unwrap_or("");
                (cell, class, own.map(|(.., mark)| mark.as_str()).collect())
            })
            .collect();
        line(out, number, &cells);
    }
    out.push_str("</table>\n</div>\n");
}

fn line(out: &mut String, number: usize, cells: &[(&str, &'static str, String)]) {
    let tag = if number == 0 { "th" } else { "td" };
    out.push_str("<tr tabindex=\"0\">");
    for (text, class, mark) in cells {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(out, "<{tag}{class}>{}{mark}</{tag}>", escape(text));
    }
    out.push_str("</tr>\n");
}

/// Column, class and marks of each sentence of a row.
fn marks(page: &Page<'_>, row: usize, notes: &mut Notes<'_>) -> Vec<(usize, &'static str, String)> {
    let source = page.source.blocks.get(row).map_or("", |b| b.text.as_str());
    segments_of(page, Some(row))
        .map(|index| {
            let before = source.get(..page.segments[index].range.start).unwrap_or("");
            let (class, mark) = marked(page, index, notes);
            (before.matches('\t').count(), class, mark)
        })
        .collect()
}
