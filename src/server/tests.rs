//! The server over loopback, with a toy in the engine's place: what it answers, what it refuses, and that nothing gets
//! mixed up.
use super::routes::ROUTES;
use super::*;
use crate::bulk::toy::Toy;
use crate::summary::SummaryModels;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

struct Running {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<()>>>,
    toy: Arc<Toy>,
    app: Arc<App>,
}

impl Running {
    fn start(toy: Toy, settings: Settings) -> Self {
        let settings = Settings { address: SocketAddr::from(([127, 0, 0, 1], 0)), ..settings };
        let toy = Arc::new(toy);
        let server =
            Server::bind(settings, toy.clone(), PipelineOptions::default(), SummaryModels::default(), None).unwrap();
        let (address, stopper, app) = (server.address().unwrap(), server.stopper(), server.app.clone());
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { address, stopper, thread, toy, app }
    }

    fn usual() -> Self {
        Self::start(Toy::new(), Settings::default())
    }

    fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // The server may have answered and hung up before it has read everything.
        let _ = stream.write_all(request);
        read_answer(&mut stream)
    }

    fn send(&self, method: &str, path: &str, kind: &str, extra: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {kind}\r\n{extra}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.send("POST", path, "application/json", "", body.to_string().as_bytes());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "text/plain", "", b"")
    }

    fn end(mut self) -> Result<()> {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Status and body, chunks put together.
fn read_answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return (0, text) };
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { unchunked(body) } else { body.to_owned() })
}

fn unchunked(body: &str) -> String {
    let (mut rest, mut out) = (body.as_bytes(), Vec::new());
    while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = &rest[at + 4 + size..];
    }
    String::from_utf8(out).unwrap()
}

/// What the toy makes of a sentence, tidied.
fn toy(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().rev().collect();
    crate::pipeline::finish::tidy(text, &format!("en({})", words.join(" ")), &PipelineOptions::default())
}

/// How many sentences the toy has had a hand in.
fn sentences(english: &str) -> usize {
    english.to_lowercase().matches("en(").count()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn texts_come_back_as_they_were_sent() {
    let server = Running::usual();
    let (status, reply) = server.post("/translate", &json!({ "q": "আমি যাই", "source": "bn", "target": "en" }));
    assert_eq!(status, 200, "{reply}");
    let one = reply["translatedText"].as_str().unwrap().to_owned();
    assert!(one.contains("যাই আমি"), "{one}");
    assert!(reply.get("detectedLanguage").is_none());
    // a list, white space, empty lines, English
    let q = json!(["আমি যাই", "", "  আমি যাই\n\nআমি যাই\t\n", "Plain English."]);
    let (_, reply) = server.post("/translate", &json!({ "q": q, "source": "auto", "target": "en" }));
    assert_eq!(reply["translatedText"], json!([one, "", format!("  {one}\n\n{one}\t\n"), "Plain English."]));
    assert_eq!(reply["detectedLanguage"][0], json!({ "confidence": 100.0, "language": "bn" }));
    assert_eq!(reply["detectedLanguage"][3]["language"], "en");
    // markup stays, and what stands in a script is none of ours
    let html = "<p class=\"a\">আমি <b>যাই</b></p><script>var a = 'আমি';</script>";
    let (_, reply) = server.post("/translate", &json!({ "q": html, "source": "bn", "target": "en", "format": "html" }));
    let english = reply["translatedText"].as_str().unwrap();
    let want = format!("<p class=\"a\">{} <b>{}</b></p>", toy("আমি"), toy("যাই"));
    assert!(english.starts_with(&want), "{english}");
    assert!(english.ends_with("<script>var a = 'আমি';</script>"), "{english}");
    // a form, as libretranslatepy sends it
    let form = "q=%E0%A6%86%E0%A6%AE%E0%A6%BF&source=bn&target=en";
    let (status, text) = server.send("POST", "/translate", FORM, "", form.as_bytes());
    assert_eq!((status, text), (200, json!({ "translatedText": toy("আমি") }).to_string()));
}

#[test]
fn what_cannot_be_done_is_said() {
    let server = Running::usual();
    let cases = [
        ("/translate", json!({ "source": "bn", "target": "en" }), 400, "q"),
        ("/translate", json!({ "q": 5 }), 400, "text"),
        ("/translate", json!({ "q": ["ক", 5] }), 400, "text"),
        ("/translate", json!({ "q": "ক", "source": "hi" }), 400, "hi is not supported"),
        ("/translate", json!({ "q": "ক", "target": "fr" }), 400, "fr is not supported"),
        ("/translate", json!({ "q": "ক", "format": "pdf" }), 400, "pdf"),
        ("/translate", json!({ "q": "ক", "alternatives": -1 }), 400, "alternatives"),
        ("/translate", json!({ "q": vec!["ক"; 1001] }), 413, "1000"),
        ("/translate", json!(["ক"]), 400, "object"),
        ("/detect", json!({}), 400, "q"),
        ("/suggest", json!({ "q": "ক", "s": "k" }), 403, "stores nothing"),
        ("/v1/article", json!({ "text": "Only English." }), 400, "Bengali"),
        ("/v1/article", json!({ "text": " " }), 400, "text"),
        ("/v1/article", json!({ "text": "ক", "format": "docx" }), 400, "docx"),
        ("/nothing", json!({}), 404, "/spec"),
    ];
    for (path, body, status, part) in cases {
        let (got, reply) = server.post(path, &body);
        assert_eq!(got, status, "{path} {body}: {reply}");
        assert!(reply["error"].as_str().is_some_and(|e| e.contains(part)), "{path} {body}: {reply}");
    }
    assert_eq!(server.send("POST", "/translate", "text/plain", "", "ক".as_bytes()).0, 415);
    assert_eq!(server.send("POST", "/translate", "application/json", "", b"{\"q\": ").0, 400);
    assert_eq!(server.send("DELETE", "/translate", "application/json", "", b"").0, 405);
    assert_eq!(server.post("/translate", &json!({ "q": "ক" })).0, 200, "it is as well as before");
}

#[test]
fn the_description_and_the_server_agree() {
    let server = Running::usual();
    let (_, text) = server.get("/spec");
    let spec: Value = serde_json::from_str(&text).unwrap();
    let mut described = Vec::new();
    for (path, methods) in spec["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.push((method.as_str(), path.as_str()));
            let (status, body) = server.send(&method.to_uppercase(), path, "application/json", "", b"{}");
            let known = operation["responses"].as_object().unwrap();
            assert!(known.contains_key(&status.to_string()), "{method} {path} gives {status}: {body}");
            assert!(status != 405 && (status != 404 || path.contains('{')), "{method} {path}: {status}");
        }
    }
    let mut routes = ROUTES.to_vec();
    described.sort_unstable();
    routes.sort_unstable();
    assert_eq!(described, routes);
}

#[test]
fn an_article_comes_whole_or_as_events() {
    let server = Running::usual();
    let text = "# শিরোনাম এক\n\nআমি যাই। তুমি যাও।\n\n- তালিকা এক\n";
    let body = json!({ "text": text, "format": "markdown", "render": true });
    let (status, whole) = server.post("/v1/article", &body);
    assert_eq!(status, 200, "{whole}");
    assert_eq!(whole["segments"].as_array().unwrap().len(), 4);
    assert!(whole["rendered"]["html"].as_str().unwrap().starts_with("<!DOCTYPE html>"));
    let accept = "Accept: text/event-stream\r\n";
    let (status, events) = server.send("POST", "/v1/article", "application/json", accept, body.to_string().as_bytes());
    assert_eq!(status, 200);
    let names: Vec<&str> = events.lines().filter_map(|l| l.strip_prefix("event: ")).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("start", "article"));
    for name in ["draft", "sentence"] {
        assert_eq!(names.iter().filter(|n| **n == name).count(), 4, "{names:?}");
    }
    let data: Vec<Value> =
        events.lines().filter_map(|l| l.strip_prefix("data: ")).map(|d| serde_json::from_str(d).unwrap()).collect();
    assert_eq!(data[0]["segments"][1]["source"], "আমি যাই।");
    // what came in pieces is what came whole
    let said: Vec<&Value> = data.iter().filter(|d| d["trust"].is_string()).map(|d| &d["text"]).collect();
    let segments: Vec<&Value> = whole["segments"].as_array().unwrap().iter().map(|s| &s["text"]).collect();
    assert_eq!(said, segments);
    assert_eq!(data.last().unwrap()["segments"], whole["segments"]);
}

#[test]
fn many_clients_and_no_answer_mixed_up() {
    let server = Running::start(Toy::new(), Settings { queue: 16, ..Settings::default() });
    const CLIENTS: usize = 16;
    const EACH: usize = 60;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let server = &server;
            scope.spawn(move || {
                for n in 0..EACH {
                    let number = client * EACH + n;
                    let text = format!("সংখ্যা {number} এখানে। আরেক {number} ওখানে।");
                    let (status, reply) = server.post("/translate", &json!({ "q": text, "source": "bn" }));
                    assert_eq!(status, 200, "{reply}");
                    let english = reply["translatedText"].as_str().unwrap();
                    assert_eq!(english.matches(&format!(" {number} ")).count(), 2, "{text}: {english}");
                    assert_eq!(sentences(english), 2, "{english}");
                }
            });
        }
    });
    assert_eq!(server.app.desk.load(), (0, 0));
    assert_eq!(server.app.places.available_permits(), 16);
    assert_eq!(server.app.bodies.load(Ordering::Relaxed), 0);
    let (_, metrics) = server.get("/metrics");
    let count = format!("anubad_http_requests_total{{route=\"/translate\",status=\"200\"}} {}", CLIENTS * EACH);
    assert!(metrics.contains(&count), "{metrics}");
}

#[test]
fn huge_slow_and_broken_requests_are_refused() {
    let settings = Settings {
        max_body: 4096,
        max_chars: 100,
        arrival: Duration::from_millis(300),
        connections: 8,
        ..Settings::default()
    };
    let server = Running::start(Toy::new(), settings);
    let host = server.address;
    // too large, by its own word and by what it sends
    assert_eq!(server.send("POST", "/translate", FORM, "", &[b'a'; 5000]).0, 413);
    let chunks = format!("{:x}\r\n{}\r\n", 3000, "a".repeat(3000)).repeat(3);
    let chunked = format!(
        "POST /translate HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nContent-Type: {FORM}\r\n\r\n{chunks}0\r\n\r\n"
    );
    assert_eq!(server.raw(chunked.as_bytes()).0, 413);
    assert_eq!(server.post("/translate", &json!({ "q": "ক".repeat(101) })).0, 413);
    // a body that does not come
    let promised =
        format!("POST /translate HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50\r\nContent-Type: {FORM}\r\n\r\nq=");
    assert_eq!(server.raw(promised.as_bytes()).0, 408);
    // heads that do not come to an end hold no connection for ever: there are eight, and these are twenty
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.write_all(b"POST /translate HTTP/1.1\r\nHos").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.post("/detect", &json!({ "q": "ক" })).0, 200);
    drop(slow);
    // nonsense
    for request in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost\r\n\r\n"]
    {
        let (status, _) = server.raw(request);
        assert!(matches!(status, 0 | 400), "{status}");
    }
    let many = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", "A: b\r\n".repeat(5000));
    assert!(matches!(server.raw(many.as_bytes()).0, 0 | 431));
    assert_eq!(server.app.bodies.load(Ordering::Relaxed), 0);
    assert_eq!(server.get("/health").0, 200);
}

#[test]
fn too_many_at_once_are_told_to_come_again_and_gone_ones_are_forgotten() {
    let toy = Toy { slow: Duration::from_millis(40), ..Toy::new() };
    let server = Running::start(toy, Settings { queue: 1, ..Settings::default() });
    let text = (0..200).map(|n| format!("বাক্য {n} এখানে।")).collect::<Vec<_>>().join(" ");
    let body = json!({ "text": text, "stream": true }).to_string();
    let head = format!(
        "POST /v1/article HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all([head, body].concat().as_bytes()).unwrap();
    let mut first = [0; 64];
    stream.read_exact(&mut first).unwrap(); // it is in hand
    let (status, text) =
        server.send("POST", "/translate", "application/json", "", json!({ "q": "ক" }).to_string().as_bytes());
    assert_eq!(status, 429, "{text}");
    drop(stream);
    // its place is free again long before its sentences would have been done
    while server.post("/translate", &json!({ "q": "ক" })).0 == 429 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.toy.translated.load(Ordering::Relaxed) < 200, "what nobody waits for is not translated");
}

#[test]
fn a_panic_of_the_engine_costs_what_it_had_and_no_more() {
    let server = Running::start(Toy { panics: std::sync::Mutex::new(1), ..Toy::new() }, Settings::default());
    let (status, reply) = server.post("/translate", &json!({ "q": crate::bulk::toy::PANIC, "source": "bn" }));
    // the sentence stands as it was: that is what the pipeline does with one that fails
    assert_eq!((status, reply["translatedText"].as_str()), (200, Some(crate::bulk::toy::PANIC)));
    assert_eq!(server.post("/translate", &json!({ "q": "আমি", "source": "bn" })).1["translatedText"], toy("আমি"));
}

#[test]
fn stopping_finishes_what_is_in_hand() {
    let toy = Toy { slow: Duration::from_millis(30), ..Toy::new() };
    let server = Running::start(toy, Settings::default());
    let (address, stopper) = (server.address, server.stopper.clone());
    let text = (0..20).map(|n| format!("বাক্য {n} এখানে।")).collect::<Vec<_>>().join("\n");
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.post("/translate", &json!({ "q": text, "source": "bn" })));
        while server.app.desk.load() == (0, 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
        stopper.stop();
        let (status, reply) = asking.join().unwrap();
        assert_eq!(status, 200, "{reply}");
        assert_eq!(sentences(reply["translatedText"].as_str().unwrap()), 20);
    });
    server.end().unwrap();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn what_takes_too_long_is_cut_off() {
    let toy = Toy { slow: Duration::from_millis(20), ..Toy::new() };
    let server = Running::start(toy, Settings { work: Duration::from_millis(100), ..Settings::default() });
    let text = (0..100).map(|n| format!("বাক্য {n} এখানে।")).collect::<Vec<_>>().join("\n");
    let (status, reply) = server.post("/translate", &json!({ "q": text, "source": "bn" }));
    assert_eq!(status, 408, "{reply}");
    assert!(reply["error"].as_str().unwrap().contains("longer than this server allows"));
}

#[test]
fn keys_are_asked_for_where_there_are_some() {
    let settings = Settings { keys: vec!["open sesame".into(), "second".into()], ..Settings::default() };
    let server = Running::start(Toy::new(), settings);
    let body = json!({ "q": "আমি", "source": "bn" });
    assert_eq!(server.post("/translate", &body).0, 403);
    let with = |key: &str| json!({ "q": "আমি", "source": "bn", "api_key": key });
    assert_eq!(server.post("/translate", &with("sesame")).0, 403);
    assert_eq!(server.post("/translate", &with("second")).0, 200);
    let bytes = body.to_string();
    for header in ["Authorization: Bearer open sesame\r\n", "X-Api-Key: second\r\n"] {
        let (status, _) = server.send("POST", "/translate", "application/json", header, bytes.as_bytes());
        assert_eq!(status, 200, "{header}");
    }
    for path in ["/detect", "/suggest", "/translate_file", "/v1/article", "/"] {
        assert_eq!(server.post(path, &json!({ "q": "আমি", "text": "আমি" })).0, 403, "{path}");
    }
    assert_eq!(server.get("/health").0, 200);
}

#[test]
fn other_sites_are_refused_unless_allowed() {
    let settings = Settings { origins: vec!["https://desk.example".into()], ..Settings::default() };
    let server = Running::start(Toy::new(), settings);
    let body = json!({ "q": "আমি" }).to_string();
    let send = |extra: &str| server.send("POST", "/translate", "application/json", extra, body.as_bytes()).0;
    assert_eq!(send("Origin: https://evil.example\r\n"), 403);
    assert_eq!(send("Origin: https://desk.example\r\n"), 200);
    assert_eq!(send("Sec-Fetch-Site: cross-site\r\n"), 403);
    let (status, _) = server.send("OPTIONS", "/translate", "text/plain", "Origin: https://desk.example\r\n", b"");
    assert_eq!(status, 204);
    let (status, _) = server.raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_eq!(status, 403, "a name that was made to point here");
}

#[test]
fn the_page_works_without_javascript() {
    let server = Running::usual();
    let (status, page) = server.get("/?lang=bn");
    assert_eq!(status, 200);
    assert!(page.contains("<html lang=\"bn\">") && page.contains("অনুবাদ করুন"));
    assert!(!page.contains("{{"), "every place is filled in");
    assert!(server.get("/").1.contains(">Translate<"));
    let (kind, boundary) = ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=");
    let form = |text: &str| {
        format!(
            "{boundary}\"text\"\r\n\r\n{text}\r\n{boundary}\"file\"; filename=\"\"\r\n\r\n\r\n{boundary}\"summary\"\r\n\r\nfalse\r\n{boundary}\"summary\"\r\n\r\ntrue\r\n--x--\r\n"
        )
    };
    let (status, page) = server.send("POST", "/", kind, "", form("আমি যাই। <b>তুমি</b>").as_bytes());
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("class=\"pair") && page.contains("lang=\"bn\">আমি যাই।<"), "{page}");
    // what is wrong is shown in the form, as text
    let (status, page) = server.send("POST", "/", kind, "", form("<script>alert(1)</script>").as_bytes());
    assert_eq!(status, 400);
    assert!(page.contains("role=\"alert\"") && !page.contains("<script>alert"), "{page}");
}

#[test]
fn files_are_translated_and_fetched() {
    let server = Running::usual();
    let send = |name: &str, text: &str| {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n--x--\r\n"
        );
        server.send("POST", "/translate_file", "multipart/form-data; boundary=x", "", body.as_bytes())
    };
    for (name, text, part) in [
        ("a.txt", "আমি\n\nতুমি", format!("{}\n\n{}", toy("আমি"), toy("তুমি"))),
        ("a.HTML", "<html><body><p>আমি</p></body></html>", format!("<p>{}</p>", toy("আমি"))),
        ("a.md", "# আমি\n\n- তুমি\n", format!("# {}\n\n- {}\n", toy("আমি"), toy("তুমি"))),
    ] {
        let (status, reply) = send(name, text);
        assert_eq!(status, 200, "{name}: {reply}");
        let url = serde_json::from_str::<Value>(&reply).unwrap()["translatedFileUrl"].as_str().unwrap().to_owned();
        let path = url.strip_prefix(&format!("http://{}", server.address)).unwrap();
        let (status, file) = server.get(path);
        assert_eq!(status, 200);
        assert!(file.contains(&part), "{name}: {file}");
    }
    assert_eq!(send("a.exe", "আমি").0, 400);
    assert_eq!(server.get("/download_file/../../etc/passwd").0, 404);
    assert_eq!(server.get("/download_file/0123.txt").0, 404);
}
