//! JSONL (ndjson): one JSON object a line. Blank lines count for nothing.
use super::source::Chunk;
use super::{BadEntry, Item, Place, ReadOptions, Reader, Sink, Source};
use serde_json::{Map, Value};
use std::ops::ControlFlow;

/// One object a line.
pub struct Jsonl;

impl Reader for Jsonl {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            let start = source.place(None);
            let place = |entry| Place { entry: Some(entry), ..start.clone() };
            match source.read_until(b'\n', options.max_entry, &mut line) {
                Ok(Chunk::End) if line.is_empty() => return ControlFlow::Continue(()),
                Ok(Chunk::TooLong) => {
                    number += 1;
                    sink(Err(super::document::too_large(place(number), options.max_entry)))?;
                    if let Err(error) = source.skip_past(b'\n') {
                        return sink(Err(super::document::unreadable(place(number + 1), &error)));
                    }
                }
                Ok(Chunk::Whole | Chunk::End) if line.trim_ascii().is_empty() => {}
                Ok(Chunk::Whole | Chunk::End) => {
                    number += 1;
                    sink(parse(&line, place(number), options))?;
                }
                Err(error) => {
                    // The cut-off line and the failure are one and the same loss.
                    return sink(Err(super::document::unreadable(place(number + 1), &error)));
                }
            }
        }
    }
}

/// One JSON object to an entry.
pub(super) fn parse(bytes: &[u8], place: Place, options: &ReadOptions) -> Item {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(super::document::not_utf8(place, &error)),
    };
    let parsed = match serde_json::from_str::<Value>(text) {
        Err(error) => without_nan(text).and_then(|text| serde_json::from_str(&text).ok()).ok_or(error),
        parsed => parsed,
    };
    match parsed {
        Ok(Value::Object(record)) => options.fields.entry(record, options.body, place),
        Ok(Value::String(body)) => {
            let record = Map::from_iter([("body".to_owned(), Value::String(body))]);
            super::FieldMap::default().entry(record, options.body, place)
        }
        Ok(_) => Err(BadEntry { place, reason: "the entry is not a JSON object".into() }),
        Err(error) => Err(BadEntry { place, reason: format!("the entry is not valid JSON: {error}") }),
    }
}

/// Python writes `NaN` and `Infinity` where JSON has no such numbers; they mean that nothing is known.
fn without_nan(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut found) = (false, false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            found = true;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    found.then_some(out)
}
