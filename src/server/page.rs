//! The web page: a form that works without JavaScript, and with it shows sentences as they are done.
use super::App;
use super::answer::answer;
use super::article::{self, Wish};
use super::fields::Fields;
use super::refusal::Refusal;
use crate::page::{STYLE, escape, policy};
use crate::pipeline;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::Arc;

const PAGE: &str = include_str!("page.html");
const OWN_STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The page's words in both languages: key TAB English TAB Bengali.
const WORDS: &str = include_str!("words.tsv");

/// Word by key in one of the languages.
fn words(bengali: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    WORDS.lines().filter_map(move |line| {
        let mut cells = line.split('\t');
        let (key, english, other) = (cells.next()?, cells.next()?, cells.next()?);
        Some((key, if bengali { other } else { english }))
    })
}

/// `GET /`; `?lang=bn` and the browser's own wish choose the language.
pub async fn form(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let wished = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let bengali = query.get("lang").map_or(wished.starts_with("bn"), |lang| lang == "bn");
    reply(&app, bengali, None)
}

/// `POST /` of the plain form: the page of the article, or the form again with what was wrong.
pub async fn submit(State(app): State<Arc<App>>, request: Request) -> Response {
    let mut bengali = false;
    match submitted(&app, request, &mut bengali).await {
        Ok(page) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Err(refusal) => {
            let mut response = reply(&app, bengali, Some(&refusal.text));
            *response.status_mut() = refusal.status;
            response
        }
    }
}

async fn submitted(app: &Arc<App>, request: Request, bengali: &mut bool) -> Result<String, Refusal> {
    let fields = Fields::read(request).await?;
    *bengali = fields.text("lang")? == Some("bn");
    fields.authorize(app)?;
    let wish = Wish::of(&fields, app)?;
    answer(app, move |app, client| {
        let prepared = wish.prepare()?;
        let done = pipeline::translate(client, &prepared, &wish.options(app), &app.summary.makers(), &mut |_| {
            !client.is_gone()
        })?;
        Ok(article::page(app, &prepared, &done))
    })
    .await
}

fn reply(app: &App, bengali: bool, error: Option<&str>) -> Response {
    let page = render(app, bengali, error);
    let policy = format!(
        "{}; connect-src 'self'; frame-ancestors 'none'",
        policy(&[STYLE, OWN_STYLE], &[SCRIPT]).replace("form-action 'none'", "form-action 'self'")
    );
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, page).into_response()
}

fn render(app: &App, bengali: bool, error: Option<&str>) -> String {
    let table: serde_json::Map<String, serde_json::Value> =
        words(bengali).map(|(key, word)| (key.to_owned(), word.into())).collect();
    // In a script element nothing may look like its end.
    let table = serde_json::Value::Object(table).to_string().replace('<', "\\u003c");
    let mut page = PAGE.to_owned();
    for (key, word) in words(bengali) {
        page = page.replace(&format!("{{{{{key}}}}}"), &escape(word));
    }
    let error = error.map_or(String::new(), |text| format!("<p class=\"error\" role=\"alert\">{}</p>", escape(text)));
    let (lang, other) = if bengali { ("bn", "en") } else { ("en", "bn") };
    let key = if app.settings.keys.is_empty() { "hidden" } else { "" };
    // Last what is not ours to write, so that nothing in it is replaced.
    page.replace("{{lang}}", lang)
        .replace("{{other}}", other)
        .replace("{{key-hidden}}", key)
        .replace("{{style}}", &format!("<style>{STYLE}</style>\n<style>{OWN_STYLE}</style>"))
        .replace("{{table}}", &table)
        .replace("{{script}}", &format!("<script>{SCRIPT}</script>"))
        .replace("{{model}}", &escape(&app.desk.identity().id))
        .replace("{{error}}", &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_in_both_languages_and_used() {
        let lines: Vec<_> = WORDS.lines().collect();
        for line in &lines {
            let cells: Vec<&str> = line.split('\t').collect();
            assert!(cells.len() == 3 && cells.iter().all(|c| !c.trim().is_empty()), "{line}");
            let used = PAGE.contains(&format!("{{{{{}}}}}", cells[0])) || SCRIPT.contains(&format!("\"{}\"", cells[0]));
            assert!(used, "{} is used nowhere", cells[0]);
        }
        for (_, rest) in PAGE.match_indices("{{").map(|(at, _)| PAGE.split_at(at)) {
            let key = &rest[2..rest.find("}}").unwrap()];
            let own = ["lang", "other", "key-hidden", "style", "table", "script", "model", "error"];
            assert!(own.contains(&key) || lines.iter().any(|l| l.starts_with(&format!("{key}\t"))), "{key}");
        }
    }
}
