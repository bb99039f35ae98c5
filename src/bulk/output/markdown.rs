//! A record as a Markdown file with its particulars in front (YAML front matter; strings as JSON, which is YAML).
use crate::article::{BlockKind, BlockWriter, Style};
use crate::bulk::record::{Record, written};
use std::fmt::Write;

/// The whole file.
pub fn document(record: &Record) -> Vec<u8> {
    let mut out = String::from("---\n");
    let _ = writeln!(out, "n: {}", record.n);
    let mut field = |name: &str, value: serde_json::Result<String>| {
        if let Ok(value) = value {
            let _ = writeln!(out, "{name}: {value}");
        }
    };
    for (name, value) in [
        ("id", &record.id),
        ("url", &record.url),
        ("date", &record.date),
        ("author", &record.author),
        ("summary", &record.summary),
    ] {
        if let Some(value) = value {
            field(name, serde_json::to_string(value));
        }
    }
    if let Some(confidence) = record.confidence {
        field("confidence", serde_json::to_string(&confidence));
    }
    if !record.doubtful.is_empty() {
        field("doubtful", serde_json::to_string(&record.doubtful));
    }
    field("model", serde_json::to_string(&record.model));
    if !record.findings.is_empty() {
        field("findings", serde_json::to_string(&record.findings));
    }
    if !record.extra.is_empty() {
        field("extra", serde_json::to_string(&record.extra));
    }
    out.push_str("---\n");
    let mut writer = BlockWriter::new(Vec::new(), Style::Markdown);
    if let Some(title) = &record.title {
        // Writing into memory does not fail.
        let _ = writer.title(title);
    }
    let title = String::from_utf8(writer.finish().unwrap_or_default()).unwrap_or_default();
    let _ = write!(
        out,
        "\n{title}{}{}\n",
        if title.is_empty() { "" } else { "\n" },
        written(&record.article, Style::Markdown)
    );
    if let Some(source) = &record.source {
        let mut writer = BlockWriter::new(Vec::new(), Style::Markdown);
        for paragraph in source.text.split("\n\n") {
            let _ = writer.block(BlockKind::Paragraph, paragraph);
        }
        let text = String::from_utf8(writer.finish().unwrap_or_default()).unwrap_or_default();
        let _ = write!(out, "\n<!-- source -->\n\n{text}");
    }
    out.into_bytes()
}

/// `000017-rain-in-dhaka.md`: in the order of the input, readable, the same in every run.
pub fn file_name(record: &Record, extension: &str) -> String {
    let mut slug = String::new();
    for c in record.title.as_deref().unwrap_or("").chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
        if slug.len() >= 60 {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { format!("{:06}.{extension}", record.n) } else { format!("{:06}-{slug}.{extension}", record.n) }
}
