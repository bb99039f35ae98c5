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
    let mut names = vec!["n", "id", "url", "date", "author", "title", "text", "summary", "findings", "model", "extra"];
    if include_source {
        names.extend(["source_title", "source_text"]);
    }
    row(&names)
}

/// One row.
pub fn record(record: &Record, include_source: bool) -> Vec<u8> {
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
        json(serde_json::to_string(&record.findings)),
        json(serde_json::to_string(&record.model)),
        json(serde_json::to_string(&record.extra)),
    ];
    if include_source {
        let source = record.source.as_ref();
        cells.push(source.and_then(|s| s.title.clone()).unwrap_or_default());
        cells.push(source.map(|s| s.text.clone()).unwrap_or_default());
    }
    row(&cells.iter().map(String::as_str).collect::<Vec<_>>())
}
