//! Counts, in Prometheus' text form.
use super::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds up to which answers are counted.
const BOUNDS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// What has happened since the start.
#[derive(Default)]
pub struct Metrics {
    /// By route and status.
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Answers up to each bound.
    within: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
    words: AtomicU64,
}

impl Metrics {
    /// A request was answered (of a stream: its head).
    pub fn answered(&self, path: &'static str, status: u16, took: Duration) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry((path, status)).or_default() += 1;
        for (bound, within) in BOUNDS.iter().zip(&self.within) {
            if took.as_secs_f64() <= *bound {
                within.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// Texts were translated.
    pub fn translated(&self, texts: &[String]) {
        let words: usize = texts.iter().map(|t| t.split_whitespace().count()).sum();
        self.words.fetch_add(words as u64, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String) {
        heading(out, "anubad_http_requests_total", "counter", "Requests answered, by route and status.");
        for ((path, status), count) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "anubad_http_requests_total{{route=\"{path}\",status=\"{status}\"}} {count}");
        }
        let name = "anubad_http_request_seconds";
        heading(out, name, "histogram", "Time until an answer began.");
        for (bound, within) in BOUNDS.iter().zip(&self.within) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {}", within.load(Ordering::Relaxed));
        }
        let count = self.count.load(Ordering::Relaxed);
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {seconds}\n{name}_count {count}");
        heading(out, "anubad_source_words_total", "counter", "Words of the texts that were translated.");
        let _ = writeln!(out, "anubad_source_words_total {}", self.words.load(Ordering::Relaxed));
    }
}

fn heading(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// `GET /metrics`
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut out = String::new();
    app.metrics.write(&mut out);
    let (waiting, taken) = app.desk.load();
    let hand = app.settings.queue - app.places.available_permits().min(app.settings.queue);
    let fill = app.desk.batch_fill().unwrap_or_default();
    for (name, kind, help, value) in [
        ("anubad_requests_in_hand", "gauge", "Requests that are being worked on.", hand as u64),
        ("anubad_sentences_waiting", "gauge", "Sentences that wait for the engine.", waiting as u64),
        ("anubad_sentences_in_engine", "gauge", "Sentences that the engine has.", taken as u64),
        ("anubad_engine_steps_total", "counter", "Steps of the network.", fill.steps),
        ("anubad_engine_hypotheses_total", "counter", "Hypotheses that grew in those steps.", fill.hypotheses),
    ] {
        heading(&mut out, name, kind, help);
        let _ = writeln!(out, "{name} {value}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}
