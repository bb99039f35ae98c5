//! Which fields of a JSON or CSV record are the title, the body, …
use super::{BadEntry, BodyKind, Entry, Place};
use crate::article::Meta;
use crate::error::SettingsError;
use crate::lang::{rows, tables};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What a field is to an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The headline.
    Title,
    /// The text.
    Body,
    /// What the feed calls it.
    Id,
    /// Its address.
    Url,
    /// When it was published.
    Date,
    /// Who wrote it.
    Author,
}

impl Role {
    /// The names that feeds use, in the order in which they are tried.
    fn usual(self) -> &'static [&'static str] {
        static NAMES: LazyLock<[Vec<&'static str>; 6]> = LazyLock::new(|| Role::ALL.map(names_of));
        &NAMES[self as usize]
    }

    const ALL: [Self; 6] = [Self::Title, Self::Body, Self::Id, Self::Url, Self::Date, Self::Author];

    /// As `--fields` and the table of names have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Id => "id",
            Self::Url => "url",
            Self::Date => "date",
            Self::Author => "author",
        }
    }
}

/// The names of a role in `data/feed/fields.tsv`, in their turn.
fn names_of(role: Role) -> Vec<&'static str> {
    let row = |line: &'static str| {
        let mut columns = line.split('\t');
        let (name, of, turn) = (columns.next()?, columns.next()?, columns.next()?);
        (of == role.name()).then_some((turn.parse::<u32>().ok()?, name))
    };
    let mut names: Vec<(u32, &str)> = rows(tables::FEED_FIELDS).filter_map(row).collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

/// A name by which fields are compared: capitals, signs between words and the two spellings of Bengali letters make no
/// difference.
fn folded(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '\u{feff}' | '"'));
    crate::lang::normalize::canonical(&kept.collect::<String>().to_lowercase())
}

/// Explicit names for roles, from `--fields title=a,body=b.c`; a role that is not named takes the usual names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMap {
    named: Vec<(Role, String)>,
    #[serde(skip)]
    taken: Taken,
}

/// Which fields were taken for each role, and how often; no part of what the map says, and shared by its copies.
#[derive(Debug, Clone, Default)]
struct Taken(Arc<Mutex<BTreeMap<(Role, String), u64>>>);

impl PartialEq for Taken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Taken {}

impl FromStr for FieldMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut named: Vec<(Role, String)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((role, path)) = part.split_once('=') else {
                return Err(Error::Settings(SettingsError::Fields(format!("`{part}` is not of the form role=field"))));
            };
            let Some(role) = Role::ALL.into_iter().find(|known| known.name() == role.trim()) else {
                let roles = "title, body, id, url, date and author";
                let role = role.trim();
                return Err(SettingsError::Fields(format!("there is no role `{role}`; the roles are {roles}")).into());
            };
            if path.trim().is_empty() || named.iter().any(|(r, _)| *r == role) {
                return Err(Error::Settings(SettingsError::Fields(format!(
                    "`{part}` names no field, or a role a second time"
                ))));
            }
            named.push((role, path.trim().to_owned()));
        }
        Ok(Self { named, taken: Taken::default() })
    }
}

impl FieldMap {
    /// The paths to try for a role.
    fn paths(&self, role: Role) -> Vec<&str> {
        match self.named.iter().find(|(r, _)| *r == role) {
            Some((_, path)) => vec![path.as_str()],
            None => role.usual().to_vec(),
        }
    }

    /// The column of a table that has a role: by its own name, or by one that differs in capitals.
    pub(super) fn name_of(&self, role: Role, names: &[String]) -> Option<String> {
        let same = |path: &str| names.iter().find(|name| folded(name) == folded(path));
        let found = |path: &&str| names.iter().find(|name| name == path).or_else(|| same(path)).cloned();
        self.paths(role).iter().find_map(found)
    }

    /// Takes the role's field out of the record: its path and its value.
    fn take(&self, record: &mut Map<String, Value>, role: Role) -> Option<(String, Value)> {
        self.paths(role).into_iter().find_map(|path| {
            let found = take_path(record, path).or_else(|| take_path(record, &same_name(record, path)?))?;
            // A poisoned lock holds counts all the same.
            let mut taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner);
            *taken.entry((role, path.to_owned())).or_default() += 1;
            Some((path.to_owned(), found))
        })
    }

    /// The field that was taken for each role so far, the most frequent one.
    pub fn taken(&self) -> BTreeMap<Role, String> {
        let taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_count: Vec<_> = taken.iter().collect();
        by_count.sort_by_key(|(_, count)| **count);
        by_count.into_iter().map(|((role, path), _)| (*role, path.clone())).collect()
    }

    /// The record itself, or the object in it that is the article: `{"_index": …, "_source": {…}}`. What stands around
    /// it stays in the record under its own names.
    fn unwrapped(&self, mut record: Map<String, Value>) -> Map<String, Value> {
        let has_body = |map: &Map<String, Value>| self.take(&mut map.clone(), Role::Body).is_some();
        if record.len() > 64 || has_body(&record) {
            return record;
        }
        let wrapper = WRAPPERS.iter().find(|name| record.get(**name).and_then(Value::as_object).is_some_and(has_body));
        if let Some(Value::Object(inner)) = wrapper.and_then(|name| record.shift_remove(*name)) {
            for (name, value) in inner {
                record.insert(name, value);
            }
        }
        record
    }

    /// Makes an entry of a record; what has no role stays in `meta.extra`, untouched.
    pub fn entry(&self, record: Map<String, Value>, kind: BodyKind, place: Place) -> Result<Entry, BadEntry> {
        let mut record = self.unwrapped(record);
        let names = || record.keys().take(12).cloned().collect::<Vec<_>>().join(", ");
        let known = names();
        let body = self.take(&mut record, Role::Body);
        let (path, body) = match body {
            Some((path, value)) => (path, text_of(value).map(written_out)),
            None => (String::new(), None),
        };
        let Some(body) = body.filter(|b| !is_nothing(b)) else {
            let fields = if known.is_empty() { "none".into() } else { known };
            let reason = format!("the entry has no text (its fields: {fields}); name the field of the body (fields)");
            return Err(BadEntry { place, reason });
        };
        let kind = match (kind, path.as_str()) {
            (BodyKind::Unknown, "content_html" | "html") => BodyKind::Html,
            (BodyKind::Unknown, "content_text") => BodyKind::Text,
            (kind, _) => kind,
        };
        let mut text = |role| self.take(&mut record, role).and_then(|(_, v)| text_of(v)).filter(|t| !is_nothing(t));
        let title = text(Role::Title);
        let mut meta = Meta {
            id: text(Role::Id),
            url: text(Role::Url),
            date: text(Role::Date),
            author: text(Role::Author),
            ..Meta::default()
        };
        meta.extra = record;
        Ok(Entry { place, title, body, kind, meta })
    }
}

/// Removes and returns what a dotted path names: a key that contains the dots itself, else key by key;
/// numbers index arrays. Null counts as absent.
fn take_path(record: &mut Map<String, Value>, path: &str) -> Option<Value> {
    if record.contains_key(path) {
        let usable = record.get(path).is_some_and(is_text);
        return if usable { record.shift_remove(path) } else { None };
    }
    let (parents, leaf) = path.rsplit_once('.')?;
    let mut parents = parents.split('.');
    let mut at = record.get_mut(parents.next()?)?;
    for key in parents {
        at = match at {
            Value::Object(map) => map.get_mut(key)?,
            Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    match at {
        Value::Object(map) if map.get(leaf).is_some_and(is_text) => map.shift_remove(leaf),
        // Removing from a list would shift its other members.
        Value::Array(list) => list.get(leaf.parse::<usize>().ok()?).filter(|v| is_text(v)).cloned(),
        _ => None,
    }
}

/// Objects that records of search engines, APIs and exports are wrapped in.
const WRAPPERS: &[&str] =
    &["_source", "attributes", "article", "data", "fields", "node", "item", "post", "story", "document", "record"];

/// The record's own name for a field that is called the same but for capitals, spaces, `_`, `-` and a byte order mark.
fn same_name(record: &Map<String, Value>, path: &str) -> Option<String> {
    let wanted = folded(path);
    record.iter().find(|(name, value)| folded(name) == wanted && is_text(value)).map(|(name, _)| name.clone())
}

/// The text in an object that holds nothing else of interest: `{"rendered": "<p>…"}` of WordPress, `{"#text": …}`
/// of XML turned into JSON, a block of an editor.
fn inner_text(value: &Value) -> Option<&Value> {
    let map = value.as_object()?;
    let found =
        ["rendered", "#text", "$t", "_text", "__text", "value", "text", "content"].iter().find_map(|key| map.get(*key));
    found.or_else(|| map.get("data")?.as_object()?.get("text"))
}

fn is_text(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Number(_) => true,
        Value::Array(list) => !list.is_empty() && list.iter().all(|v| !v.is_number() && is_text(v)),
        Value::Object(map) => map.get("blocks").or_else(|| inner_text(value)).is_some_and(is_text),
        _ => false,
    }
}

/// Strings as they are, numbers as written, lists of strings as paragraphs, lists of lists as paragraphs of sentences.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => {
            let paragraphs = list.into_iter().filter_map(|value| match value {
                Value::Array(sentences) => {
                    let sentences: Vec<_> = sentences.into_iter().filter_map(text_of).collect();
                    Some(sentences.join(" "))
                }
                other => text_of(other),
            });
            Some(paragraphs.collect::<Vec<_>>().join("\n\n"))
        }
        Value::Object(ref map) => match map.get("blocks") {
            Some(blocks) => text_of(blocks.clone()),
            None => text_of(inner_text(&value)?.clone()),
        },
        _ => None,
    }
}

/// What exports write where there is nothing.
fn is_nothing(text: &str) -> bool {
    matches!(text.trim(), "" | "NaN" | "nan" | "NULL" | "null" | "None" | "N/A" | "n/a" | "\\N" | "[]" | "{}")
}

/// A body that an export wrote down as the source code of a string: `\n` in two characters, a list in brackets.
fn written_out(text: String) -> String {
    let text = if text.contains("\\r\\n") { text.replace("\\r\\n", "\\n") } else { text };
    let trimmed = text.trim();
    if let Some(list) = code_list(trimmed) {
        return list.join("\n\n");
    }
    if trimmed.contains('\n') || !trimmed.contains("\\n") {
        return text;
    }
    // `C:\new` is no line break: beside one stands a line's end, a space, or a letter that paths do not have.
    let is_break = |at: usize| {
        let before = trimmed[..at].ends_with("\\n")
            || trimmed[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric() && c != ':');
        let after = trimmed[at + 2..].chars().next().is_none_or(|c| !c.is_ascii_lowercase());
        before && after
    };
    let mut out = String::with_capacity(trimmed.len());
    let mut from = 0;
    for (at, _) in trimmed.match_indices("\\n").filter(|(at, _)| is_break(*at)) {
        out.push_str(&trimmed[from..at]);
        out.push('\n');
        from = at + 2;
    }
    out.push_str(&trimmed[from..]);
    out
}

/// `['এক।', "দুই।"]`: a list as Python or JSON writes it, if it is one to its end.
fn code_list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut list = Vec::new();
    loop {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut item = String::new();
        let mut chars = rest[1..].char_indices();
        let end = loop {
            match chars.next()? {
                (at, c) if c == quote => break at + 2,
                (_, '\\') => match chars.next()?.1 {
                    'n' => item.push('\n'),
                    'r' => {}
                    't' => item.push(' '),
                    other => item.push(other),
                },
                (_, c) => item.push(c),
            }
        };
        list.push(item);
        rest = rest[end..].trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return rest.is_empty().then_some(list),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(fields: &str, record: Value) -> Result<Entry, BadEntry> {
        let Value::Object(record) = record else { panic!("an object") };
        fields.parse::<FieldMap>().unwrap().entry(record, BodyKind::Unknown, Place::default())
    }

    #[test]
    fn dotted_paths_are_followed_and_the_rest_travels_along() {
        let record = json!({"a": {"b": [{"t": "শিরোনাম", "u": 1}]}, "x.y": "দেহ", "n": 7, "keep": {"deep": [1, null]}});
        let e = entry("title=a.b.0.t, body=x.y, id=n", record).unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str(), e.meta.id.as_deref()), (Some("শিরোনাম"), "দেহ", Some("7")));
        assert_eq!(Value::Object(e.meta.extra), json!({"a": {"b": [{"u": 1}]}, "keep": {"deep": [1, null]}}));
    }

    #[test]
    fn usual_names_are_found_without_being_told() {
        let e = entry("", json!({"headline": "h", "content_html": "<p>ক</p>", "authors": [{"name": "আ"}]})).unwrap();
        assert_eq!((e.title.as_deref(), e.kind, e.meta.author.as_deref()), (Some("h"), BodyKind::Html, Some("আ")));
        let e = entry("", json!({"body": ["এক", "দুই"], "date": 1709274600})).unwrap();
        assert_eq!((e.body.as_str(), e.meta.date.as_deref()), ("এক\n\nদুই", Some("1709274600")));
    }

    #[test]
    fn a_record_without_text_says_which_fields_it_has() {
        for record in
            [json!({"kop": "x", "body": " \n"}), json!({"kop": 1, "body": null}), json!({"kop": 1, "body": {}})]
        {
            let bad = entry("", record).unwrap_err();
            assert!(bad.reason.contains("no text") && bad.reason.contains("kop") && bad.reason.contains("(fields)"));
        }
    }

    #[test]
    fn a_bad_field_list_is_refused_with_advice() {
        for bad in ["title", "titel=a", "title=", "title=a,title=b"] {
            let error = bad.parse::<FieldMap>().unwrap_err();
            assert!(matches!(error, Error::Settings(SettingsError::Fields(_))), "{bad}: {error}");
        }
    }

    #[test]
    fn capitals_and_spaces_in_names_are_no_matter() {
        let e = entry("", json!({"TITLE": "h", "Body": "ক", "Date": "2024-05-06", "Article Text": "x"})).unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str(), e.meta.date.as_deref()), (Some("h"), "ক", Some("2024-05-06")));
        let e = entry("", json!({"\u{feff}শিরোনাম": "h", "লেখা": "ক"})).unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str()), (Some("h"), "ক"));
        let e = entry("title=head lines", json!({"Head_Lines": "h", "Content": "ক"})).unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str()), (Some("h"), "ক"));
    }

    #[test]
    fn wrapped_records_and_texts_are_unwrapped() {
        let e = entry("", json!({"_id": "7", "_source": {"title": "h", "body": "ক"}})).unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str(), e.meta.id.as_deref()), (Some("h"), "ক", Some("7")));
        let e = entry(
            "",
            json!({"id": 3, "title": {"rendered": "h"}, "content": {"rendered": "<p>ক</p>", "protected": false}}),
        );
        let e = e.unwrap();
        assert_eq!((e.title.as_deref(), e.body.as_str()), (Some("h"), "<p>ক</p>"));
        let e = entry("", json!({"body": {"blocks": [{"type": "paragraph", "data": {"text": "ক"}}, {"text": "খ"}]}}));
        assert_eq!(e.unwrap().body, "ক\n\nখ");
        assert_eq!(entry("", json!({"text": [["ক।", "খ।"], ["গ।"]]})).unwrap().body, "ক। খ।\n\nগ।");
    }

    #[test]
    fn what_exports_write_for_lines_lists_and_nothing_is_read() {
        let body = |text: &str| entry("", json!({"body": text})).map(|e| e.body);
        assert_eq!(body("এক।\\nদুই।\\r\\n\\nতিন।").unwrap(), "এক।\nদুই।\n\nতিন।");
        assert_eq!(body("ফাইল C:\\new এ আছে।").unwrap(), "ফাইল C:\\new এ আছে।");
        assert_eq!(body("['এক।', \"দু'ই।\", 'তি\\'ন।']").unwrap(), "এক।\n\nদু'ই।\n\nতি'ন।");
        assert_eq!(body("['এক', বাকি]").unwrap(), "['এক', বাকি]");
        for text in ["NaN", "None", " null ", "\\N", "[]"] {
            assert!(body(text).is_err(), "{text}");
        }
        assert_eq!(entry("", json!({"body": "ক", "title": "NaN"})).unwrap().title, None);
    }
}
