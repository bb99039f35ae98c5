//! Which address is what.
use super::refusal::Refusal;
use super::reply::Json;
use super::{App, article, files, intake, libre, metrics, page};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde_json::json;
use std::sync::Arc;

/// The description of the interface, which the tests hold against what the server does.
pub const OPENAPI: &str = include_str!("openapi.json");

/// All routes with their methods, as the description has them.
pub const ROUTES: [(&str, &str); 13] = [
    ("get", "/"),
    ("post", "/"),
    ("post", "/translate"),
    ("post", "/detect"),
    ("get", "/languages"),
    ("get", "/frontend/settings"),
    ("post", "/suggest"),
    ("post", "/translate_file"),
    ("get", "/download_file/{name}"),
    ("get", "/spec"),
    ("post", "/v1/article"),
    ("get", "/health"),
    ("get", "/metrics"),
];

/// The route that a path belongs to, for the counts: what is asked for in vain is one line, not one a path.
pub fn known(path: &str) -> &'static str {
    if path.starts_with("/download_file/") {
        return "/download_file/{name}";
    }
    ROUTES.iter().find(|(_, route)| *route == path).map_or("other", |(_, route)| *route)
}

/// Everything.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::form).post(page::submit))
        .route("/translate", post(libre::translate))
        .route("/detect", post(libre::detect))
        .route("/languages", get(libre::languages))
        .route("/frontend/settings", get(libre::settings))
        .route("/suggest", post(libre::suggest))
        .route("/translate_file", post(files::translate))
        .route("/download_file/{name}", get(files::download))
        .route("/spec", get(spec))
        .route("/v1/article", post(article::article))
        .route("/health", get(health))
        .route("/metrics", get(metrics::metrics))
        .fallback(|| async {
            Refusal::new(StatusCode::NOT_FOUND, "there is nothing here; GET /spec says what there is")
        })
        .method_not_allowed_fallback(|| async {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method; GET /spec says which")
        })
        // What is too large is refused before, by the intake.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(app.clone(), intake::intake))
        .with_state(app)
}

async fn spec() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn health(State(app): State<Arc<App>>) -> impl IntoResponse {
    match app.is_stopping() {
        true => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "stopping" }))),
        false => (StatusCode::OK, Json(json!({ "status": "ok" }))),
    }
}
