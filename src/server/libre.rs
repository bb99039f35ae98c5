//! LibreTranslate's interface, so that its clients work unchanged.
use super::answer::answer;
use super::fields::Fields;
use super::refusal::Refusal;
use super::reply::Json;
use super::{App, files, texts};
use crate::lang::script::Scripts;
use axum::extract::{Request, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// Other translations of a text that are found at most.
const ALTERNATIVES: u64 = 3;
/// Texts of one request.
const TEXTS: usize = 1000;

/// What `/translate` is asked for.
struct Asked {
    texts: Vec<String>,
    /// The texts came as a list, and so go the answers.
    list: bool,
    detect: bool,
    html: bool,
    /// English into English: nothing to do.
    same: bool,
    alternatives: usize,
}

impl Asked {
    fn of(fields: &Fields, app: &App) -> Result<Self, Refusal> {
        let wrong = || Refusal::bad("`q` must be a text or a list of texts");
        let (texts, list) = match fields.value("q") {
            None => return Err(Refusal::bad("Invalid request: missing q parameter")),
            Some(Value::String(text)) => (vec![text.clone()], false),
            Some(Value::Array(all)) => {
                let text = |v: &Value| v.as_str().map(str::to_owned).ok_or_else(wrong);
                (all.iter().map(text).collect::<Result<Vec<_>, _>>()?, true)
            }
            Some(_) => return Err(wrong()),
        };
        if texts.len() > TEXTS {
            return Err(Refusal::too_large(format!("more than {TEXTS} texts in one request")));
        }
        check_length(texts.iter(), app)?;
        let source = fields.text("source")?.unwrap_or("auto");
        let target = fields.text("target")?.unwrap_or("en");
        if !matches!(source, "bn" | "auto" | "en") {
            return Err(Refusal::bad(format!("{source} is not supported: texts are read in bn")));
        }
        if target != "en" {
            return Err(Refusal::bad(format!("{target} is not supported: texts are translated into en")));
        }
        let format = fields.text("format")?.unwrap_or("text");
        if !matches!(format, "text" | "html") {
            return Err(Refusal::bad(format!("{format} format is not supported: use text or html")));
        }
        let alternatives = fields.number("alternatives")?.unwrap_or(0).min(ALTERNATIVES) as usize;
        Ok(Self { texts, list, detect: source == "auto", html: format == "html", same: source == "en", alternatives })
    }
}

/// Refuses more characters than the server takes.
pub fn check_length<'a>(texts: impl Iterator<Item = &'a String>, app: &App) -> Result<(), Refusal> {
    let (length, limit) = (texts.map(|t| t.chars().count()).sum::<usize>(), app.settings.max_chars);
    match length > limit {
        true => Err(Refusal::too_large(format!("Invalid request: request ({length}) exceeds text limit ({limit})"))),
        false => Ok(()),
    }
}

/// `POST /translate`
pub async fn translate(State(app): State<Arc<App>>, request: Request) -> Result<Json, Refusal> {
    let fields = Fields::read(request).await?;
    fields.authorize(&app)?;
    let asked = Asked::of(&fields, &app)?;
    answer(&app, move |app, client| {
        let english = match (asked.same, asked.html) {
            (true, _) => asked.texts.clone(),
            (_, true) => texts::translate_html(client, &asked.texts, &app.pipeline)?,
            _ => texts::translate(client, &asked.texts, &app.pipeline)?,
        };
        app.metrics.translated(&asked.texts);
        let mut reply = json!({});
        let mut put = |name: &str, mut values: Vec<Value>| {
            reply[name] = if asked.list { Value::Array(values) } else { values.pop().unwrap_or_default() };
        };
        put("translatedText", english.into_iter().map(Value::String).collect());
        if asked.detect {
            put("detectedLanguage", asked.texts.iter().map(|text| detected(text)).collect());
        }
        if asked.alternatives > 0 {
            let found = match asked.same || asked.html {
                true => vec![Vec::new(); asked.texts.len()],
                false => texts::alternatives(client, &asked.texts, asked.alternatives, &app.pipeline)?,
            };
            put("alternatives", found.into_iter().map(Value::from).collect());
        }
        Ok(Json(reply))
    })
    .await
}

/// Bengali or English, by the letters; how sure that is, in percent.
fn detected(text: &str) -> Value {
    let scripts = Scripts::of(text);
    let (bengali, all) = (scripts.bengali, scripts.letters());
    let percent = |part: usize| (part as f64 / all.max(1) as f64 * 1000.0).round() / 10.0;
    match bengali * 2 >= scripts.latin && bengali > 0 {
        true => json!({ "confidence": percent(bengali), "language": "bn" }),
        false => json!({ "confidence": percent(scripts.latin), "language": "en" }),
    }
}

/// `POST /detect`
pub async fn detect(State(app): State<Arc<App>>, request: Request) -> Result<Json, Refusal> {
    let fields = Fields::read(request).await?;
    fields.authorize(&app)?;
    let text = fields.text("q")?.ok_or_else(|| Refusal::bad("Invalid request: missing q parameter"))?;
    Ok(Json(json!([detected(text)])))
}

/// `GET /languages`
pub async fn languages() -> Json {
    Json(json!([
        { "code": "bn", "name": "Bengali", "targets": ["en"] },
        { "code": "en", "name": "English", "targets": ["en"] },
    ]))
}

/// `GET /frontend/settings`
pub async fn settings(State(app): State<Arc<App>>) -> Json {
    let keys = !app.settings.keys.is_empty();
    Json(json!({
        "apiKeys": keys,
        "keyRequired": keys,
        "charLimit": app.settings.max_chars,
        "filesTranslation": true,
        "frontendTimeout": 500,
        "language": {
            "source": { "code": "bn", "name": "Bengali" },
            "target": { "code": "en", "name": "English" },
        },
        "suggestions": false,
        "supportedFilesFormat": files::KINDS,
    }))
}

/// `POST /suggest`: nothing is stored here, so there is nobody to give a suggestion to.
pub async fn suggest(State(app): State<Arc<App>>, request: Request) -> Result<Json, Refusal> {
    Fields::read(request).await?.authorize(&app)?;
    Err(Refusal::forbidden("this server stores nothing, suggestions included"))
}
