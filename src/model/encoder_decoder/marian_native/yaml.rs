//! The YAML that Marian writes: a flat list of keys with scalars or lists of scalars. Anything else, anchors and
//! references above all, stays unread, so that no file can grow while it is read.
use std::collections::BTreeMap;

/// Longer ones are nobody's configuration.
const MOST_BYTES: usize = 1 << 20;

/// What stands behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Scalar(String),
    List(Vec<String>),
}

/// Keys and values of the outermost level.
///
/// # Errors
/// What is wrong, and the line: a text too long, or a line that is neither `key: value` nor an entry of a list.
pub fn parse(text: &str) -> Result<BTreeMap<String, Value>, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("{} bytes are no configuration", text.len()));
    }
    let mut map: BTreeMap<String, Value> = BTreeMap::new();
    let mut open: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = without_comment(line);
        let content = line.trim();
        if content.is_empty() || content == "---" || content == "..." || content.starts_with('%') {
            continue;
        }
        if let Some(entry) = content.strip_prefix("- ").or((content == "-").then_some("")) {
            let Some(Value::List(list)) = open.as_ref().and_then(|key| map.get_mut(key)) else {
                return Err(format!("line {}: a list's entry without its list", number + 1));
            };
            list.push(scalar(entry));
            continue;
        }
        if line.starts_with([' ', '\t']) {
            continue; // inside a mapping that is not needed
        }
        let Some((key, value)) = content.split_once(':').filter(|(_, v)| v.is_empty() || v.starts_with([' ', '\t']))
        else {
            return Err(format!("line {}: not of the form `key: value`", number + 1));
        };
        let (key, value) = (scalar(key), value.trim());
        let flow = value.strip_prefix('[').and_then(|inside| inside.strip_suffix(']'));
        let parsed = match (value, flow) {
            ("", _) => Value::List(Vec::new()),
            (_, Some(inside)) => Value::List(inside.split(',').map(scalar).filter(|entry| !entry.is_empty()).collect()),
            _ => Value::Scalar(scalar(value)),
        };
        map.insert(key.clone(), parsed);
        open = Some(key);
    }
    Ok(map)
}

fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Without the quotation marks.
fn scalar(text: &str) -> String {
    let text = text.trim();
    let inside = |mark: char| text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    inside('"').or_else(|| inside('\'')).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_marian_writes() {
        let text = "---\n# a comment\nenc-depth: 6  # layers\ntransformer-preprocess: \"\"\ndim-vocabs:\n  - 32000\n  - 100\n\
                    vocabs: [a.spm, 'b.spm']\nulr:\n  nested: 1\n  other: 2\nmodels:\n- m.bin\nversion: v1.12 2d067af 2024-02-16 11:44:13 -0500\n";
        let map = parse(text).unwrap();
        let list = |entries: &[&str]| Value::List(entries.iter().map(|e| e.to_string()).collect());
        assert_eq!(map["enc-depth"], Value::Scalar("6".into()));
        assert_eq!(map["transformer-preprocess"], Value::Scalar(String::new()));
        assert_eq!(map["dim-vocabs"], list(&["32000", "100"]));
        assert_eq!(map["vocabs"], list(&["a.spm", "b.spm"]));
        assert_eq!(map["models"], list(&["m.bin"]));
        assert_eq!(map["ulr"], list(&[]));
    }

    #[test]
    fn what_is_no_configuration_is_refused_without_growing() {
        for text in ["- lost\n", "no colon here\n", "a: b\nc\n"] {
            assert!(parse(text).unwrap_err().contains("line"), "{text:?}");
        }
        let bomb = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n";
        assert!(parse(bomb).unwrap().len() == 3);
        assert!(parse(&"a: b\n".repeat(MOST_BYTES)).is_err());
    }
}
