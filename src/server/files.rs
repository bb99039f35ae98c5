//! `POST /translate_file` and where its result is fetched.
use super::answer::answer;
use super::fields::Fields;
use super::refusal::Refusal;
use super::reply::Json;
use super::{App, libre, texts};
use crate::article::{self, BlockWriter, ReadOptions, Style};
use crate::pipeline::{self, PipelineOptions};
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Files that are translated, by their extensions.
pub const KINDS: [&str; 4] = [".txt", ".html", ".htm", ".md"];
/// A result that is not fetched is kept for so long, and no more bytes than this together.
const KEPT: Duration = Duration::from_secs(600);
const SHELF: usize = 16 << 20;

/// Results that wait to be fetched, in memory alone.
#[derive(Default)]
pub struct Shelf(Mutex<VecDeque<(String, Instant, Bytes)>>);

impl Shelf {
    /// Keeps a file under a name that cannot be guessed.
    fn put(&self, extension: &str, bytes: Bytes) -> String {
        let name = format!("{:032x}{extension}", rand::random::<u128>());
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.push_back((name.clone(), Instant::now(), bytes));
        while shelf.len() > 1 && shelf.iter().map(|f| f.2.len()).sum::<usize>() > SHELF {
            shelf.pop_front();
        }
        name
    }

    fn get(&self, name: &str) -> Option<Bytes> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|(_, since, _)| since.elapsed() < KEPT);
        shelf.iter().find(|(kept, ..)| kept == name).map(|(.., bytes)| bytes.clone())
    }
}

/// The extension of a file that can be translated.
fn kind(name: &str) -> Result<&'static str, Refusal> {
    let lower = name.to_ascii_lowercase();
    KINDS
        .into_iter()
        .find(|kind| lower.ends_with(kind))
        .ok_or_else(|| Refusal::bad(format!("files of this kind are not translated; send one of {}", KINDS.join(" "))))
}

/// `POST /translate_file`
pub async fn translate(State(app): State<Arc<App>>, headers: HeaderMap, request: Request) -> Result<Json, Refusal> {
    let fields = Fields::read(request).await?;
    fields.authorize(&app)?;
    let Some((name, bytes)) = fields.file.clone() else {
        return Err(Refusal::bad("Invalid request: missing file parameter"));
    };
    let kind = kind(&name)?;
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost").to_owned();
    answer(&app, move |app, client| {
        let text = article::encoding::decode(&bytes, &name, None, false)?;
        libre::check_length([&text].into_iter(), app)?;
        let pieces = [text];
        let english = match kind {
            ".md" => {
                let prepared = pipeline::prepare(article::parse(&bytes, &name, &ReadOptions::default())?);
                let options = PipelineOptions { summary: None, ..app.pipeline.clone() };
                let done = pipeline::translate(client, &prepared, &options, &app.summary.makers(), &mut |_| {
                    !client.is_gone()
                })?;
                markdown(&done.article)
            }
            ".txt" => texts::translate(client, &pieces, &app.pipeline)?.concat(),
            _ => texts::translate_html(client, &pieces, &app.pipeline)?.concat(),
        };
        app.metrics.translated(&pieces);
        let name = app.files.put(kind, english.into());
        Ok(Json(json!({ "translatedFileUrl": format!("http://{host}/download_file/{name}") })))
    })
    .await
}

/// An article as Markdown.
pub fn markdown(article: &crate::article::Article) -> String {
    let mut writer = BlockWriter::new(Vec::new(), Style::Markdown);
    // Writing into memory does not fail.
    if let Some(title) = &article.title {
        let _ = writer.title(title);
    }
    for block in &article.blocks {
        let _ = writer.block(block.kind, &block.text);
    }
    String::from_utf8_lossy(&writer.finish().unwrap_or_default()).into_owned()
}

/// `GET /download_file/{name}`: always as a file, never as a page of this server.
pub async fn download(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    match app.files.get(&name) {
        Some(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_DISPOSITION, "attachment".to_owned()),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
            ];
            (headers, bytes).into_response()
        }
        None => Refusal::new(StatusCode::NOT_FOUND, "no such file; results are kept for ten minutes").into_response(),
    }
}
