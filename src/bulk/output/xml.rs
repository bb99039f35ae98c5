//! Writing XML by hand, safely: what two small feed formats need of it.
use crate::article::{Article, BlockKind};
use std::fmt::Write;

/// Namespace of the elements that RSS and Atom have no word for.
pub const NAMESPACE: &str = "urn:anubad:bulk:1";

/// Text for an element or an attribute; characters that XML 1.0 cannot hold are left out.
pub fn escape(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().filter(allowed).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}

/// `<name>text</name>` and a line end.
pub fn element(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "<{name}>{}</{name}>", escape(text));
}

/// An article's blocks as HTML.
pub fn html(article: &Article) -> String {
    let mut out = String::new();
    let mut list = None;
    for block in &article.blocks {
        let wanted = match block.kind {
            BlockKind::ListItem { number, .. } => Some(if number.is_some() { "ol" } else { "ul" }),
            _ => None,
        };
        if list != wanted {
            close(&mut out, list);
            if let Some(tag) = wanted {
                let _ = writeln!(out, "<{tag}>");
            }
            list = wanted;
        }
        let text = escape(&block.text);
        // The line breaks of verse.
        let text = if block.kind == BlockKind::Verbatim { text } else { text.replace('\n', "<br/>") };
        let _ = match block.kind {
            BlockKind::Heading { level } => writeln!(out, "<h{0}>{text}</h{0}>", level.clamp(1, 6)),
            BlockKind::ListItem { .. } => writeln!(out, "<li>{text}</li>"),
            BlockKind::Quote => writeln!(out, "<blockquote><p>{text}</p></blockquote>"),
            BlockKind::Caption => writeln!(out, "<p><em>{text}</em></p>"),
            BlockKind::SourceLine => writeln!(out, "<p><small>{text}</small></p>"),
            BlockKind::Verbatim => writeln!(out, "<pre>{text}</pre>"),
            BlockKind::TableRow => writeln!(out, "<p>{}</p>", text.replace('\t', " | ")),
            BlockKind::Paragraph => writeln!(out, "<p>{text}</p>"),
        };
    }
    close(&mut out, list);
    out
}

fn close(out: &mut String, list: Option<&str>) {
    if let Some(tag) = list {
        let _ = writeln!(out, "</{tag}>");
    }
}

/// Confidence, findings, model and (when asked for) source, which are the same in both formats.
pub fn extensions(out: &mut String, record: &crate::bulk::record::Record) {
    if let Some(confidence) = record.confidence {
        element(out, "anubad:confidence", &format!("{confidence:.3}"));
    }
    for doubtful in &record.doubtful {
        let confidence = doubtful.confidence.map_or(String::new(), |c| format!(" confidence=\"{c:.3}\""));
        let _ = writeln!(
            out,
            "<anubad:doubtful segment=\"{}\"{confidence}>{}</anubad:doubtful>",
            doubtful.segment,
            escape(&doubtful.text)
        );
    }
    for finding in &record.findings {
        let word = |value: serde_json::Result<serde_json::Value>| {
            value.ok().and_then(|v| v.as_str().map(escape)).unwrap_or_default()
        };
        let _ = writeln!(
            out,
            "<anubad:finding kind=\"{}\" severity=\"{}\">{}</anubad:finding>",
            word(serde_json::to_value(finding.kind)),
            word(serde_json::to_value(finding.severity)),
            escape(&finding.message)
        );
    }
    let model = &record.model;
    let _ = writeln!(
        out,
        "<anubad:model digest=\"{}\" compute=\"{}\">{}</anubad:model>",
        escape(&model.digest),
        escape(&model.compute),
        escape(&model.id)
    );
    if let Some(source) = &record.source {
        let text = [source.title.as_deref().unwrap_or(""), source.text.as_str()].join("\n\n");
        let _ = writeln!(out, "<anubad:source xml:lang=\"bn\">{}</anubad:source>", escape(text.trim()));
    }
    if !record.extra.is_empty() {
        element(out, "anubad:extra", &serde_json::to_string(&record.extra).unwrap_or_default());
    }
}
