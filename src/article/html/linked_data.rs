//! What a page says of itself in JSON-LD (<https://schema.org/NewsArticle>).
use crate::article::{Block, plain};
use scraper::{Html, Selector};
use serde_json::Value;

/// How deep articles are looked for inside of other objects.
const MAX_DEPTH: usize = 6;

/// All objects of the page's JSON-LD, those inside of lists, `@graph` and other objects too, outer ones first.
pub(super) fn objects(document: &Html) -> Vec<Value> {
    let Ok(selector) = Selector::parse("script[type=\"application/ld+json\"]") else { return Vec::new() };
    let mut objects = Vec::new();
    for script in document.select(&selector) {
        let text: String = script.text().collect();
        // Some pages write the line breaks of their text into the string as they are, which JSON forbids.
        let parsed =
            serde_json::from_str(&text).or_else(|_| serde_json::from_str(&text.replace(['\n', '\r', '\t'], " ")));
        if let Ok(value) = parsed {
            collect(value, 0, &mut objects);
        }
    }
    objects
}

fn collect(value: Value, depth: usize, objects: &mut Vec<Value>) {
    if depth > MAX_DEPTH || objects.len() > 500 {
        return;
    }
    match value {
        Value::Array(list) => list.into_iter().for_each(|value| collect(value, depth + 1, objects)),
        Value::Object(map) => {
            let inner: Vec<Value> = map.values().filter(|v| v.is_object() || v.is_array()).cloned().collect();
            objects.push(Value::Object(map));
            inner.into_iter().for_each(|value| collect(value, depth + 1, objects));
        }
        _ => {}
    }
}

/// The longest `articleBody`, as blocks.
pub(super) fn body(objects: &[Value]) -> Option<Vec<Block>> {
    let body = objects.iter().filter_map(|o| o.get("articleBody")?.as_str()).max_by_key(|body| body.len())?;
    let mut body = body.to_owned();
    if !super::looks_like_html(&body) && body.contains('&') {
        body = super::unescape(&body);
    }
    let blocks = if super::looks_like_html(&body) {
        super::blocks::blocks(Html::parse_fragment(&super::guard::tame(&body)).tree.root(), false)
    } else {
        let article = plain::parse(&body);
        let title = article.title.map(|text| plain::paragraph(&text));
        title.into_iter().chain(article.blocks).collect()
    };
    (!blocks.is_empty()).then_some(blocks)
}
