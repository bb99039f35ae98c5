//! May a run go on with what an earlier one has left?
use crate::Result;
use crate::bulk::BulkError;
use crate::bulk::store::journal::{Earlier, Header};
use serde_json::Value;
use std::path::Path;

/// Refuses to go on with something else than what was begun.
pub(super) fn compare(earlier: &Earlier, now: &Header, output: &Path) -> Result<()> {
    let out = output.display();
    let Earlier { header: then, complete } = earlier;
    let refuse = |what: String| Err(BulkError::Changed { what: format!("{out}: {what}"), complete: *complete }.into());
    if then.version != now.version {
        return Err(BulkError::Version(out.to_string()).into());
    }
    if then.model != now.model {
        let name = |m: &crate::engine::ModelIdentity| {
            format!("{} ({}, {})", m.id, m.digest.chars().take(12).collect::<String>(), m.compute)
        };
        return refuse(format!("was begun with the model {}, not {}", name(&then.model), name(&now.model)));
    }
    let changed = differences("", &then.settings, &now.settings);
    if !changed.is_empty() {
        return refuse(format!("was begun with other settings ({})", changed.join(", ")));
    }
    if sizes(&then.input) != sizes(&now.input) {
        return refuse("the input has changed since (its size differs)".into());
    }
    Ok(())
}

/// Nothing but the number of articles has changed, and it has grown: the run goes on where it stopped.
pub(super) fn only_grows(earlier: &Earlier, now: &Header, output: &Path) -> bool {
    let limit = |settings: &Value| settings["filters"]["limit"].as_u64();
    let Some(then) = limit(&earlier.header.settings) else { return false };
    let grows = limit(&now.settings).is_none_or(|now| now > then);
    let mut same = earlier.clone();
    same.header.settings["filters"]["limit"] = now.settings["filters"]["limit"].clone();
    grows && compare(&same, now, output).is_ok()
}

/// Which settings differ, by their dotted names.
fn differences(prefix: &str, then: &Value, now: &Value) -> Vec<String> {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let mut names: Vec<&String> = then.keys().chain(now.keys().filter(|k| !then.contains_key(*k))).collect();
            names.dedup();
            let at = |map: &serde_json::Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or(Value::Null);
            let dot = if prefix.is_empty() { "" } else { "." };
            names.iter().flat_map(|n| differences(&format!("{prefix}{dot}{n}"), &at(then, n), &at(now, n))).collect()
        }
        _ if then == now => Vec::new(),
        _ => vec![format!("{prefix}: {then} then, {now} now")],
    }
}

/// The input without its times: a copy of a file is the same file.
fn sizes(input: &Value) -> Vec<Value> {
    input.as_array().into_iter().flatten().map(|file| file["bytes"].clone()).collect()
}
