//! Records as rows of CSV (RFC 4180); lists and objects as JSON in their cells.
use crate::bulk::record::Record;

fn row(cells: &[&str]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    // Writing into memory cannot fail, and the row is as wide as itself.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

/// The header row.
pub fn header(include_source: bool) -> Vec<u8> {
    let mut names = vec!["n", "id", "url", "date", "author", "title", "text", "summary", "confidence", "doubtful"];
    names.extend(["findings", "model", "extra"]);
    if include_source {
        names.extend(["source_title", "source_text"]);
    }
    row(&names)
}

/// A cell that spreadsheets do not take for a formula: an apostrophe before its first character says that it is text.
pub(super) fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// One row. `raw`: as it is, though cells from a feed may be formulas to the spreadsheet that opens the file.
pub fn record(record: &Record, include_source: bool, raw: bool) -> Vec<u8> {
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut cells = vec![
        record.n.to_string(),
        text(&record.id),
        text(&record.url),
        text(&record.date),
        text(&record.author),
        text(&record.title),
        record.text.clone(),
        text(&record.summary),
        record.confidence.map_or(String::new(), |confidence| format!("{confidence:.3}")),
        json(serde_json::to_string(&record.doubtful)),
        json(serde_json::to_string(&record.findings)),
        json(serde_json::to_string(&record.model)),
        json(serde_json::to_string(&record.extra)),
    ];
    if include_source {
        let source = record.source.as_ref();
        cells.push(source.and_then(|s| s.title.clone()).unwrap_or_default());
        cells.push(source.map(|s| s.text.clone()).unwrap_or_default());
    }
    if !raw {
        cells = cells.into_iter().map(defused).collect();
    }
    row(&cells.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_start_a_formula_are_text() {
        for cell in ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(defused(cell.into()), format!("'{cell}"));
        }
        for cell in ["", "Rain", "a=b", "'=x", "[]", " =x"] {
            assert_eq!(defused(cell.into()), cell);
        }
    }
}
