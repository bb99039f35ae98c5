//! `POST /v1/article`: a whole article, its sentences as events as they are done or everything at the end.
use super::answer::{Admitted, Presence, admit, answer, in_time};
use super::desk::Client;
use super::fields::Fields;
use super::refusal::Refusal;
use super::reply::Json;
use super::{App, files};
use crate::article::{self, Format, ReadOptions};
use crate::page::{Page, clean_text};
use crate::pipeline::doubt::{self, trust};
use crate::pipeline::{self, PipelineOptions, Prepared, Ready, TranslatedSegment, Translation, finish::tidy};
use crate::text::Finding;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Duration, Interval, MissedTickBehavior, interval_at};

/// How often a stream says that it is alive, so that nothing between takes it for dead.
const ALIVE: Duration = Duration::from_secs(10);

/// What is asked for.
pub struct Wish {
    bytes: Vec<u8>,
    name: String,
    read: ReadOptions,
    summary: bool,
    stream: bool,
    /// HTML, Markdown and text are wanted, too.
    render: bool,
}

impl Wish {
    /// An article from the field `text` or from a file.
    pub fn of(fields: &Fields, app: &App) -> Result<Self, Refusal> {
        let format = match fields.text("format")?.unwrap_or("auto") {
            "auto" | "" => None,
            "text" => Some(Format::Plain),
            "html" => Some(Format::Html),
            "markdown" | "md" => Some(Format::Markdown),
            other => return Err(Refusal::bad(format!("format {other}: use auto, text, html or markdown"))),
        };
        let text = fields.text("text")?.filter(|text| !text.trim().is_empty());
        let (bytes, name) = match (text, &fields.file) {
            (None, Some((name, bytes))) => (bytes.to_vec(), name.clone()),
            (Some(text), _) => (text.as_bytes().to_vec(), "the text".into()),
            (None, None) => return Err(Refusal::bad("there is no `text` and no file to translate")),
        };
        // A letter of Bengali takes three bytes.
        if bytes.len() > app.settings.max_chars.saturating_mul(4) {
            let limit = app.settings.max_chars;
            return Err(Refusal::too_large(format!("the article is longer than {limit} characters; send it in parts")));
        }
        Ok(Self {
            bytes,
            name,
            read: ReadOptions { format, ..ReadOptions::default() },
            summary: fields.switch("summary", true)?,
            stream: fields.switch("stream", false)?,
            render: fields.switch("render", false)?,
        })
    }

    pub fn prepare(&self) -> Result<Prepared, Refusal> {
        Ok(pipeline::prepare(article::parse(&self.bytes, &self.name, &self.read)?))
    }

    pub fn options(&self, app: &App) -> PipelineOptions {
        let mut options = app.pipeline.clone();
        if !self.summary {
            options.summary = None;
        }
        options
    }
}

/// `POST /v1/article`
pub async fn article(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let accepts = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let fields = Fields::read(request).await?;
    fields.authorize(&app)?;
    let mut wish = Wish::of(&fields, &app)?;
    wish.stream |= accepts.contains("text/event-stream");
    if wish.stream {
        return stream(&app, wish);
    }
    let reply = answer(&app, move |app, client| {
        let prepared = wish.prepare()?;
        let options = wish.options(app);
        let done = pipeline::translate(client, &prepared, &options, &app.summary.makers(), &mut |_| !client.is_gone())?;
        Ok(Json(whole(app, &wish, &prepared, &done)))
    });
    Ok(reply.await?.into_response())
}

/// The translation (schema 1) with its count of doubtful sentences, and in other forms where they are asked for.
fn whole(app: &App, wish: &Wish, prepared: &Prepared, done: &Translation) -> Value {
    let sources: Vec<String> = prepared.segments.iter().map(|s| s.text.clone()).collect();
    app.metrics.translated(&sources);
    let (doubtful, sentences) = doubt::count(&done.segments, &done.findings);
    // Strings and numbers: nothing that serde_json refuses.
    let mut reply = serde_json::to_value(done).unwrap_or_default();
    reply["doubt"] = json!({ "doubtful": doubtful, "sentences": sentences });
    if wish.render {
        reply["rendered"] = json!({
            "html": page(app, prepared, done),
            "markdown": files::markdown(&done.article),
            "text": clean_text(&done.article),
        });
    }
    reply
}

/// The side-by-side page of a translation.
pub fn page(app: &App, prepared: &Prepared, done: &Translation) -> String {
    let method = done.summary.as_ref().map(|s| s.method.to_string());
    let page = Page { license: app.license.as_deref(), ..Page::of(&prepared.article, done, method.as_deref()) };
    page.html()
}

/// Starts the work and answers with its events.
fn stream(app: &Arc<App>, wish: Wish) -> Result<Response, Refusal> {
    // What cannot be read is refused at once, with a status.
    let prepared = wish.prepare()?;
    let Admitted { client, presence, place } = admit(app)?;
    let (sender, receiver) = unbounded_channel();
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        run(&app, &wish, prepared, client, Events(sender));
    });
    let mut alive = interval_at(tokio::time::Instant::now() + ALIVE, ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let body = EventBody { receiver, alive, _presence: presence };
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")];
    Ok((headers, Body::new(body)).into_response())
}

/// Where events go; nobody may be listening any more.
#[derive(Clone)]
struct Events(UnboundedSender<Bytes>);

impl Events {
    fn send(&self, event: &str, data: &Value) -> bool {
        self.0.send(Bytes::from(format!("event: {event}\ndata: {data}\n\n"))).is_ok()
    }
}

/// The work of a stream. A client that reads slowly lets events pile up, which are no larger than its article is.
fn run(app: &App, wish: &Wish, prepared: Prepared, client: Client, events: Events) {
    let kinds = |s: &article::Segment| s.block.and_then(|b| prepared.article.blocks.get(b)).map(|b| b.kind);
    let start: Vec<Value> = prepared
        .segments
        .iter()
        .map(|s| json!({ "block": s.block, "sentence": s.sentence, "source": s.text, "kind": kinds(s) }))
        .collect();
    events.send("start", &json!({ "title": prepared.article.title, "segments": start }));
    let options = wish.options(app);
    let (drafts, checks) = (events.clone(), options.clone());
    // By what the engine is given; the same sentence may stand in several places.
    let mut places: HashMap<String, Vec<(usize, String)>> = HashMap::new();
    for (at, (segment, text)) in prepared.segments.iter().zip(&prepared.texts).enumerate() {
        if let Some(text) = text {
            places.entry(text.clone()).or_default().push((at, segment.text.clone()));
        }
    }
    let client = client.watched_by(Box::new(move |text, outcome| {
        for (at, source) in places.get(text).into_iter().flatten() {
            drafts.send("draft", &json!({ "segment": at, "text": tidy(source, &outcome.text, &checks) }));
        }
    }));
    let mut ready = |part: Ready<'_>| {
        if let Ready::Sentences { first, segments, findings } = part {
            sentences(&events, first, segments, findings);
        }
        !client.is_gone()
    };
    match pipeline::translate(&client, &prepared, &options, &app.summary.makers(), &mut ready) {
        Ok(done) => events.send("article", &whole(app, wish, &prepared, &done)),
        Err(error) => events.send("error", &json!({ "error": in_time(error.into(), &client).text })),
    };
}

/// Sentences as they will stay, with what is to be thought of them.
fn sentences(events: &Events, first: usize, segments: &[TranslatedSegment], findings: &[Finding]) {
    for (index, segment) in segments.iter().enumerate().map(|(i, s)| (first + i, s)) {
        let own: Vec<&Finding> = findings.iter().filter(|f| f.segment == Some(index)).collect();
        let trust = trust(segment, own.iter().copied()).map(doubt::Trust::word);
        let data = json!({
            "segment": index,
            "text": segment.text,
            "confidence": segment.confidence,
            "trust": trust,
            "findings": own,
        });
        events.send("sentence", &data);
    }
}

/// Events as the body of an answer. Dropped when the client goes, and with it the client's presence.
struct EventBody {
    receiver: UnboundedReceiver<Bytes>,
    alive: Interval,
    _presence: Presence,
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Poll::Ready(event) = this.receiver.poll_recv(context) {
            this.alive.reset();
            return Poll::Ready(event.map(|bytes| Ok(Frame::data(bytes))));
        }
        ready!(this.alive.poll_tick(context));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": still at work\n\n")))))
    }
}
