//! A row of a table as it was, and behind it the English of its columns, how far it can be trusted, and what was found.
use crate::article::Row;
use crate::bulk::record::Record;
use crate::text::Severity;

/// What stands before the first row: the table's own header with the new columns.
pub fn header(header: &str, columns: &[String], delimiter: u8) -> Vec<u8> {
    if header.is_empty() {
        return Vec::new();
    }
    let (line, end) = match header.strip_suffix("\r\n") {
        Some(line) => (line, "\r\n"),
        None => header.strip_suffix('\n').map_or((header, "\n"), |line| (line, "\n")),
    };
    let names: Vec<String> =
        columns.iter().flat_map(|name| ["en", "confidence", "findings"].map(|what| format!("{name}_{what}"))).collect();
    let mut out = line.as_bytes().to_vec();
    append(&mut out, &names, delimiter);
    out.extend_from_slice(end.as_bytes());
    out
}

/// One row: its own cells as they were, new ones harmless to spreadsheets unless they are to be `raw`.
pub fn row(record: &Record, row: &Row, raw: bool) -> Vec<u8> {
    let mut cells = Vec::with_capacity(3 * row.columns.len());
    let english = |block: usize| record.article.blocks.get(block).map_or("", |b| b.text.as_str());
    for (column, blocks) in row.blocks() {
        cells.push(column.with(blocks.clone().map(english)));
        let own = |block: Option<usize>| block.is_some_and(|block| blocks.contains(&block));
        let sure: Vec<f32> =
            record.aligned.segments.iter().filter(|s| own(s.block)).filter_map(|s| s.confidence).collect();
        // No figure where nothing was translated.
        cells.push(match sure.len() {
            0 => String::new(),
            n => format!("{:.3}", sure.iter().sum::<f32>() / n as f32),
        });
        let findings = record.findings.iter().filter(|f| f.severity > Severity::Note);
        let here = findings.filter(|f| {
            f.segment.and_then(|index| record.aligned.segments.get(index)).is_some_and(|segment| own(segment.block))
        });
        cells.push(here.map(|f| f.message.as_str()).collect::<Vec<_>>().join("; "));
    }
    if !raw {
        cells = cells.into_iter().map(super::csv::defused).collect();
    }
    let mut out = row.source.as_bytes().to_vec();
    append(&mut out, &cells, row.delimiter);
    out.extend_from_slice(row.end.as_bytes());
    out
}

/// Adds cells to a line.
fn append(line: &mut Vec<u8>, cells: &[String], delimiter: u8) {
    for cell in cells {
        line.push(delimiter);
        let plain = !cell.bytes().any(|b| b == delimiter || matches!(b, b'"' | b'\n' | b'\r'));
        if plain {
            line.extend_from_slice(cell.as_bytes());
        } else {
            line.push(b'"');
            line.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        }
    }
}
