//! As much of JSON Schema (draft 2020-12) as `docs/schemas` uses: `type`, `properties`, `required`,
//! `additionalProperties`, `items`, `enum`, `const`, `anyOf`, `minimum`, `maximum` and references to `$defs`. Any other
//! keyword is an error, so that no promise goes unchecked.
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A schema of `docs/schemas`, with the properties of each of its objects that values have had.
pub struct Schema {
    root: Value,
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    pub fn read(name: &str) -> Self {
        let path = format!("{}/docs/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let root: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema", "{path}");
        Self { root, seen: BTreeMap::new() }
    }

    /// What is wrong with a value.
    pub fn complaints(&mut self, value: &Value) -> Vec<String> {
        let (root, mut found) = (self.root.clone(), Vec::new());
        self.check(&root, "#", value, "", &mut found);
        found
    }

    /// Properties that no value has had.
    pub fn unseen(&self) -> Vec<String> {
        let mut objects = vec![("#".to_owned(), &self.root)];
        let defs = self.root["$defs"].as_object();
        objects.extend(defs.into_iter().flatten().map(|(name, schema)| (format!("#/$defs/{name}"), schema)));
        let empty = BTreeSet::new();
        let mut out = Vec::new();
        for (at, schema) in objects {
            let seen = self.seen.get(&at).unwrap_or(&empty);
            let properties = schema["properties"].as_object().into_iter().flatten();
            out.extend(properties.filter(|(name, _)| !seen.contains(*name)).map(|(name, _)| format!("{at}: {name}")));
        }
        out
    }

    fn check(&mut self, schema: &Value, at: &str, value: &Value, path: &str, found: &mut Vec<String>) {
        let schema = schema.as_object().expect("a schema is an object");
        let mut wrong = |what: String| found.push(format!("{path}: {what}: {value}"));
        for (keyword, wanted) in schema {
            match keyword.as_str() {
                "type" => {
                    let kinds = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                    if !kinds.iter().any(|kind| is(value, kind.as_str().expect("a type"))) {
                        wrong(format!("is no {wanted}"));
                    }
                }
                "enum" if !wanted.as_array().expect("a list").contains(value) => wrong("is none of the values".into()),
                "const" if wanted != value => wrong(format!("is not {wanted}")),
                "minimum" if value.as_f64().is_some_and(|n| n < wanted.as_f64().expect("a number")) => {
                    wrong("is too small".into());
                }
                "maximum" if value.as_f64().is_some_and(|n| n > wanted.as_f64().expect("a number")) => {
                    wrong("is too large".into());
                }
                "required" => {
                    for name in wanted.as_array().expect("a list").iter().filter_map(Value::as_str) {
                        if value.as_object().is_some_and(|object| !object.contains_key(name)) {
                            wrong(format!("lacks {name}"));
                        }
                    }
                }
                "enum" | "const" | "minimum" | "maximum" | "description" | "title" | "$schema" | "$defs" => {}
                "properties" | "additionalProperties" | "items" | "anyOf" | "$ref" => {}
                other => wrong(format!("the schema has {other}, which is not checked")),
            }
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name}")).clone();
            self.check(&target, name, value, path, found);
        }
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            let mut tries = choices.iter().map(|choice| {
                let mut complaints = Vec::new();
                self.check(choice, at, value, path, &mut complaints);
                complaints
            });
            if !tries.any(|complaints| complaints.is_empty()) {
                found.push(format!("{path}: is none of the alternatives: {value}"));
            }
        }
        if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
            for (index, item) in list.iter().enumerate() {
                self.check(items, &format!("{at}[]"), item, &format!("{path}[{index}]"), found);
            }
        }
        if let Some(object) = value.as_object() {
            self.check_object(schema, at, object, path, found);
        }
    }

    fn check_object(
        &mut self,
        schema: &serde_json::Map<String, Value>,
        at: &str,
        object: &serde_json::Map<String, Value>,
        path: &str,
        found: &mut Vec<String>,
    ) {
        for (name, value) in object {
            let place = format!("{path}.{name}");
            match (schema.get("properties").and_then(|all| all.get(name)), schema.get("additionalProperties")) {
                (Some(property), _) => {
                    self.seen.entry(at.to_owned()).or_default().insert(name.clone());
                    self.check(property, &format!("{at}.{name}"), value, &place, found);
                }
                (None, Some(Value::Bool(false))) => found.push(format!("{place}: is not in the schema")),
                (None, Some(other)) if other.is_object() => self.check(other, at, value, &place, found),
                (None, _) => {}
            }
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the schema has a type {other}"),
    }
}
