//! What every request must pass: the right host, no foreign origin, a body that is not too large and comes in time.
//!
//! A page in the user's own browser can reach a server on the same machine. So a request that such a page makes is
//! refused unless its origin is this server or one that is allowed, and so is one that calls the server by a name that
//! is not its own (a name that was made to point here).
use super::App;
use super::refusal::Refusal;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Bytes of request bodies that are held; given back when the request is done.
struct Held<'a> {
    app: &'a App,
    bytes: usize,
}

impl Held<'_> {
    fn add(&mut self, bytes: usize) -> Result<(), Refusal> {
        let before = self.app.bodies.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before + bytes > self.app.settings.max_bodies { Err(Refusal::busy()) } else { Ok(()) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.app.bodies.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The layer around all routes.
pub async fn intake(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = super::routes::known(request.uri().path());
    let origin = match check(request.headers(), request.method(), &app.settings.origins) {
        Ok(origin) => origin,
        Err(refusal) => return finish(&app, path, began, None, refusal.into_response()),
    };
    if request.method() == Method::OPTIONS && origin.is_some() {
        return finish(&app, path, began, origin, StatusCode::NO_CONTENT.into_response());
    }
    let mut held = Held { app: &app, bytes: 0 };
    let response = match read(request, &app, &mut held).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    finish(&app, path, began, origin, response)
}

/// The request with its body in memory.
async fn read(request: Request, app: &App, held: &mut Held<'_>) -> Result<Request, Refusal> {
    let (parts, body) = request.into_parts();
    let limit = app.settings.max_body;
    let too_large = || Refusal::too_large(format!("the request is larger than {limit} bytes; send it in parts"));
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let arrive = async {
        let (mut body, mut bytes) = (body, Vec::new());
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|e| Refusal::bad(format!("the request broke off: {e}")))?;
            let Ok(data) = frame.into_data() else { continue };
            held.add(data.len())?;
            if bytes.len() + data.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(app.settings.arrival, arrive)
        .await
        .unwrap_or_else(|_| Err(Refusal::late("the request did not arrive in time")))?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// The allowed foreign origin of a request, if it has one.
fn check(headers: &HeaderMap, method: &Method, allowed: &[String]) -> Result<Option<HeaderValue>, Refusal> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(host) = text(header::HOST) else {
        return Err(Refusal::bad("the request names no host"));
    };
    let is_allowed = |origin: &str| allowed.iter().any(|a| a.trim_end_matches('/') == origin);
    let by_name =
        allowed.iter().any(|a| a.trim_end_matches('/').split_once("://").is_some_and(|(_, name)| name == host));
    if !is_own_host(host) && !by_name {
        return Err(Refusal::forbidden(
            "this server goes by another name; --allow-origin names those that may be used",
        ));
    }
    let foreign = || Refusal::forbidden("requests from other sites are refused; --allow-origin allows one");
    if let Some(origin) = headers.get(header::ORIGIN) {
        let text = origin.to_str().unwrap_or("null");
        if text.split_once("://").is_some_and(|(_, own)| own == host) {
            return Ok(None);
        }
        return if is_allowed(text) { Ok(Some(origin.clone())) } else { Err(foreign()) };
    }
    // Browsers say so even where they name no origin. Following a link to the page is no harm.
    let fetch = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let crosses = matches!(fetch("sec-fetch-site"), Some("cross-site" | "same-site"));
    if crosses && !(method == Method::GET && fetch("sec-fetch-mode") == Some("navigate")) {
        return Err(foreign());
    }
    Ok(None)
}

/// An address or `localhost`, with any port: names that nobody else can make point here.
fn is_own_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Headers that every answer has, and the count.
fn finish(
    app: &App,
    path: &'static str,
    began: Instant,
    origin: Option<HeaderValue>,
    mut response: Response,
) -> Response {
    app.metrics.answered(path, response.status().as_u16(), began.elapsed());
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type, authorization, x-api-key"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&str, &str)], allowed: &[&str]) -> Result<bool, StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let allowed: Vec<String> = allowed.iter().map(|a| (*a).to_owned()).collect();
        check(&map, &Method::POST, &allowed).map(|origin| origin.is_some()).map_err(|r| r.status)
    }

    #[test]
    fn foreign_pages_and_foreign_names_are_refused() {
        let refused = Err(StatusCode::FORBIDDEN);
        let here = ("host", "127.0.0.1:5000");
        assert_eq!(checked(&[], &[]), Err(StatusCode::BAD_REQUEST));
        for host in ["127.0.0.1:5000", "localhost:5000", "LOCALHOST", "[::1]:5000", "192.168.1.4"] {
            assert_eq!(checked(&[("host", host)], &[]), Ok(false), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:5000", "127.0.0.1.evil.example", ""] {
            assert_eq!(checked(&[("host", host)], &[]), refused, "{host}");
        }
        assert_eq!(checked(&[here, ("origin", "http://127.0.0.1:5000")], &[]), Ok(false));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:5001", "http://127.0.0.1:5000.evil.example"] {
            assert_eq!(checked(&[here, ("origin", origin)], &[]), refused, "{origin}");
        }
        let desk = "https://desk.example";
        assert_eq!(checked(&[here, ("origin", desk)], &[desk]), Ok(true));
        assert_eq!(checked(&[("host", "desk.example")], &[desk]), Ok(false));
        assert_eq!(checked(&[here, ("sec-fetch-site", "cross-site")], &[]), refused);
        assert_eq!(checked(&[here, ("sec-fetch-site", "same-origin")], &[]), Ok(false));
    }
}
