//! A record as a Markdown file with its particulars in front (YAML front matter; strings as JSON, which is YAML).
use crate::article::BlockKind;
use crate::bulk::record::Record;
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
    field("model", serde_json::to_string(&record.model));
    if !record.findings.is_empty() {
        field("findings", serde_json::to_string(&record.findings));
    }
    if !record.extra.is_empty() {
        field("extra", serde_json::to_string(&record.extra));
    }
    out.push_str("---\n");
    if let Some(title) = &record.title {
        let _ = write!(out, "\n# {title}\n");
    }
    blocks(&mut out, record);
    if let Some(source) = &record.source {
        let _ = write!(out, "\n<!-- source -->\n\n{}\n", source.text);
    }
    out.into_bytes()
}

fn blocks(out: &mut String, record: &Record) {
    let mut in_list = false;
    for block in &record.article.blocks {
        let text = &block.text;
        let item = matches!(block.kind, BlockKind::ListItem { .. });
        if !(item && in_list) {
            out.push('\n');
        }
        in_list = item;
        let _ = match block.kind {
            BlockKind::Heading { level } => writeln!(out, "{} {text}", "#".repeat(level.clamp(1, 6).into())),
            BlockKind::ListItem { depth, number } => {
                let mark = number.map_or("-".to_owned(), |n| format!("{n}."));
                writeln!(out, "{}{mark} {text}", "  ".repeat(depth.into()))
            }
            BlockKind::Quote => writeln!(out, "> {text}"),
            BlockKind::Caption | BlockKind::SourceLine => writeln!(out, "*{text}*"),
            BlockKind::Verbatim => writeln!(out, "```\n{text}\n```"),
            BlockKind::TableRow => writeln!(out, "{}", text.replace('\t', " | ")),
            BlockKind::Paragraph => writeln!(out, "{text}"),
        };
    }
}

/// `000017-rain-in-dhaka.md`: in the order of the input, readable, the same in every run.
pub fn file_name(record: &Record) -> String {
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
    if slug.is_empty() { format!("{:06}.md", record.n) } else { format!("{:06}-{slug}.md", record.n) }
}
