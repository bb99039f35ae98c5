//! What a request says, however it is written: JSON, a form, or a form with a file.
use super::App;
use super::refusal::Refusal;
use axum::Form;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Parts of a form; more are nonsense.
const PARTS: usize = 32;

/// Names and values, and a file where there is one.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    pub file: Option<(String, Bytes)>,
    headers: HeaderMap,
}

impl Fields {
    /// Reads the body by its content type.
    pub async fn read(request: Request) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        let mut fields = Self { headers, ..Self::default() };
        if kind.starts_with("application/json") {
            let bytes = Bytes::from_request(request, &()).await.map_err(|e| Refusal::bad(e.body_text()))?;
            let value =
                serde_json::from_slice(&bytes).map_err(|e| Refusal::bad(format!("the request is no JSON: {e}")))?;
            let Value::Object(values) = value else {
                return Err(Refusal::bad("the request must be a JSON object"));
            };
            fields.values = values;
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, &())
                .await
                .map_err(|e| Refusal::bad(e.body_text()))?;
            pairs.into_iter().for_each(|(name, value)| fields.add(name, value));
        } else if kind.starts_with("multipart/form-data") {
            fields.read_parts(request).await?;
        } else {
            let text = "send application/json, a form, or multipart/form-data";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        Ok(fields)
    }

    async fn read_parts(&mut self, request: Request) -> Result<(), Refusal> {
        let broken = |e: &dyn std::fmt::Display| Refusal::bad(format!("the form is broken: {e}"));
        let mut parts = Multipart::from_request(request, &()).await.map_err(|e| Refusal::bad(e.body_text()))?;
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(|e| broken(&e.body_text()))? {
            count += 1;
            if count > PARTS {
                return Err(broken(&format!("more than {PARTS} parts")));
            }
            let name = part.name().unwrap_or("").to_owned();
            match part.file_name().map(str::to_owned) {
                Some(file) => {
                    let bytes = part.bytes().await.map_err(|e| broken(&e.body_text()))?;
                    // A form whose file was left empty sends one without name and content.
                    if !(file.is_empty() && bytes.is_empty()) {
                        self.file = Some((file, bytes));
                    }
                }
                None => {
                    let text = part.text().await.map_err(|e| broken(&e.body_text()))?;
                    self.add(name, text);
                }
            }
        }
        Ok(())
    }

    /// The same name twice makes a list.
    fn add(&mut self, name: String, value: String) {
        match self.values.get_mut(&name) {
            None => drop(self.values.insert(name, Value::String(value))),
            Some(Value::Array(list)) => list.push(Value::String(value)),
            Some(one) => *one = Value::Array(vec![one.take(), Value::String(value)]),
        }
    }

    /// A value as it was sent.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|v| !v.is_null())
    }

    /// A text; an error where it is something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad(format!("`{name}` must be a text"))),
        }
    }

    /// A switch: `true`, `1` and `on` in forms.
    pub fn switch(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        let value = match self.value(name) {
            // A box in a form follows a hidden field with what it means when it is not ticked.
            Some(Value::Array(list)) => list.last(),
            value => value,
        };
        match value {
            None => Ok(default),
            Some(Value::Bool(on)) => Ok(*on),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1" | "on" | "yes") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0" | "off" | "no" | "") => Ok(false),
            Some(_) => Err(Refusal::bad(format!("`{name}` must be true or false"))),
        }
    }

    /// A whole number, not below 0.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let wrong = || Refusal::bad(format!("`{name}` must be a whole number"));
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(n)) => n.as_u64().map(Some).ok_or_else(wrong),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    /// Refuses who brings no key that is known, where keys are asked for: in `api_key`, in `X-Api-Key` or as a bearer.
    pub fn authorize(&self, app: &App) -> Result<(), Refusal> {
        if app.settings.keys.is_empty() {
            return Ok(());
        }
        let header = |name: &str| self.headers.get(name).and_then(|v| v.to_str().ok());
        let bearer = header("authorization").and_then(|v| v.strip_prefix("Bearer "));
        let given = self.text("api_key")?.or(header("x-api-key")).or(bearer).filter(|key| !key.is_empty());
        let Some(given) = given else {
            return Err(Refusal::forbidden("this server wants an API key; ask whoever runs it"));
        };
        // Digests are compared, so that the time that it takes says nothing about a key.
        let digest = |key: &str| Sha256::digest(key.as_bytes());
        let given = digest(given);
        match app.settings.keys.iter().any(|key| digest(key) == given) {
            true => Ok(()),
            false => Err(Refusal::forbidden("invalid API key")),
        }
    }
}
