//! Which fields of a JSON or CSV record are the title, the body, …
use super::{BadEntry, BodyKind, Entry, Place};
use crate::article::Meta;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::str::FromStr;

/// What a field is to an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Title,
    Body,
    Id,
    Url,
    Date,
    Author,
}

impl Role {
    /// The names that feeds use, tried in this order (those of JSON Feed and schema.org among them).
    fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Title => &["title", "headline", "name"],
            Self::Body => &[
                "content_html",
                "content_text",
                "body",
                "text",
                "content",
                "article",
                "articleBody",
                "article_body",
                "full_text",
                "html",
                "description",
                "summary",
            ],
            Self::Id => &["id", "guid", "_id", "uuid"],
            Self::Url => &["url", "link", "external_url", "href"],
            Self::Date => &[
                "date",
                "date_published",
                "published",
                "published_at",
                "publishedAt",
                "datePublished",
                "pubDate",
                "pub_date",
                "created_at",
                "time",
            ],
            Self::Author => &["author.name", "authors.0.name", "author", "authors.0", "byline", "creator"],
        }
    }
}

/// Explicit names for roles, from `--fields title=a,body=b.c`; a role that is not named takes the usual names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMap {
    named: Vec<(Role, String)>,
}

impl FromStr for FieldMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut named: Vec<(Role, String)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((role, path)) = part.split_once('=') else {
                return Err(Error::Settings(format!("--fields: `{part}` is not of the form role=field")));
            };
            let role = match role.trim() {
                "title" => Role::Title,
                "body" => Role::Body,
                "id" => Role::Id,
                "url" => Role::Url,
                "date" => Role::Date,
                "author" => Role::Author,
                other => {
                    let roles = "title, body, id, url, date and author";
                    return Err(Error::Settings(format!(
                        "--fields: there is no role `{other}`; the roles are {roles}"
                    )));
                }
            };
            if path.trim().is_empty() || named.iter().any(|(r, _)| *r == role) {
                return Err(Error::Settings(format!("--fields: `{part}` names no field, or a role a second time")));
            }
            named.push((role, path.trim().to_owned()));
        }
        Ok(Self { named })
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
        let same = |path: &str| names.iter().find(|name| name.to_lowercase() == path.to_lowercase());
        let found = |path: &&str| names.iter().find(|name| name == path).or_else(|| same(path)).cloned();
        self.paths(role).iter().find_map(found)
    }

    /// Takes the role's field out of the record: its path and its value.
    fn take(&self, record: &mut Map<String, Value>, role: Role) -> Option<(String, Value)> {
        self.paths(role).into_iter().find_map(|path| take_path(record, path).map(|value| (path.to_owned(), value)))
    }

    /// Makes an entry of a record; what has no role stays in `meta.extra`, untouched.
    pub fn entry(&self, mut record: Map<String, Value>, kind: BodyKind, place: Place) -> Result<Entry, BadEntry> {
        let names = || record.keys().take(12).cloned().collect::<Vec<_>>().join(", ");
        let known = names();
        let body = self.take(&mut record, Role::Body);
        let (path, body) = match body {
            Some((path, value)) => (path, text_of(value)),
            None => (String::new(), None),
        };
        let Some(body) = body.filter(|b| !b.trim().is_empty()) else {
            let fields = if known.is_empty() { "none".into() } else { known };
            let reason = format!("the entry has no text (its fields: {fields}); name the field with --fields body=…");
            return Err(BadEntry { place, reason });
        };
        let kind = match (kind, path.as_str()) {
            (BodyKind::Unknown, "content_html" | "html") => BodyKind::Html,
            (BodyKind::Unknown, "content_text") => BodyKind::Text,
            (kind, _) => kind,
        };
        let mut text =
            |role| self.take(&mut record, role).and_then(|(_, v)| text_of(v)).filter(|t| !t.trim().is_empty());
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

fn is_text(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Number(_) => true,
        Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_string),
        _ => false,
    }
}

/// Strings as they are, numbers as written, lists of strings as paragraphs.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n\n")),
        _ => None,
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
            assert!(bad.reason.contains("no text") && bad.reason.contains("kop") && bad.reason.contains("--fields"));
        }
    }

    #[test]
    fn a_bad_field_list_is_refused_with_advice() {
        for bad in ["title", "titel=a", "title=", "title=a,title=b"] {
            assert!(bad.parse::<FieldMap>().unwrap_err().to_string().starts_with("--fields: "), "{bad}");
        }
    }
}
