//! Documents against what pandoc sees in them (`scripts/golden/documents.py` makes the files and the goldens), and pages
//! by address against a server on this machine.
use anubad::article::ReadOptions;
use anubad::document::{Document, Kind};
use anubad::fetch::{FetchOptions, Known, fetch};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

#[test]
fn the_paragraphs_that_pandoc_sees_are_seen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/documents");
    for (extension, kind) in [("docx", Kind::Docx), ("odt", Kind::Odt), ("epub", Kind::Epub)] {
        let file = folder.join(format!("story.{extension}"));
        let name = file.display().to_string();
        let bytes = std::fs::read(&file).unwrap();
        let article = Document::open(bytes, &name, kind, &ReadOptions::default(), false).unwrap().article;
        assert_eq!(article.title.as_deref(), Some("নদীর কথা"), "{name}");
        let texts: Vec<&str> = article
            .title
            .iter()
            .map(String::as_str)
            .chain(article.blocks.iter().flat_map(|b| b.text.split('\t')))
            .collect();
        let golden = std::fs::read_to_string(folder.join(format!("story.{extension}.txt"))).unwrap();
        // pandoc prints the arrow that leads back from a note; it is no word of it.
        let arrow = ['\u{21a9}', '\u{fe0e}'];
        let lines = golden.lines().map(|line| line.trim_end_matches(arrow));
        let wanted: Vec<&str> = lines.filter(|line| line.chars().any(char::is_alphanumeric)).collect();
        assert!(wanted.len() > 10, "{name}: the golden is whole");
        let missing: Vec<&&str> = wanted.iter().filter(|text| !texts.contains(*text)).collect();
        assert!(missing.len() * 20 <= wanted.len(), "{name}: {missing:?} of {texts:?}");
    }
}

/// Answers each request in turn and returns the server's address and what was asked.
fn server(answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut head).unwrap() > 2 {}
            asked.push(head);
            stream.write_all(&answer).unwrap();
        }
        asked
    });
    (address, serving)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn options() -> FetchOptions {
    FetchOptions { offline: false, ..FetchOptions::default() }
}

#[test]
fn a_page_is_fetched_through_a_redirect_in_its_charset() {
    let page = b"<html><body>caf\xe9</body></html>";
    let (address, serving) = server(vec![
        answer("302 Found", "Location: /story?x=1\r\n", b""),
        answer("200 OK", "Content-Type: text/html; charset=ISO-8859-1\r\nETag: \"7\"\r\n", page),
    ]);
    let fetched = fetch(&format!("{address}/a"), &options()).unwrap();
    assert_eq!(fetched.url, format!("{address}/story?x=1"));
    assert_eq!(String::from_utf8(fetched.bytes.clone()).unwrap(), "<html><body>café</body></html>");
    assert_eq!((fetched.known.etag.as_deref(), fetched.name()), (Some("\"7\""), format!("{address}/story.html")));
    let asked = serving.join().unwrap();
    assert!(
        asked[1].starts_with("GET /story?x=1 ") && asked[1].to_lowercase().contains("user-agent: anubad/"),
        "{asked:?}"
    );
    assert!(!asked[1].to_lowercase().contains("cookie"), "{asked:?}");
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (address, serving) = server(vec![answer("304 Not Modified", "", b"")]);
    let known = Known { etag: Some("\"7\"".into()), last_modified: None };
    let fetched = fetch(&address, &FetchOptions { known: known.clone(), ..options() }).unwrap();
    assert!(fetched.unchanged && fetched.known == known);
    assert!(serving.join().unwrap()[0].to_lowercase().contains("if-none-match: \"7\""));
}

#[test]
fn private_networks_are_entered_only_where_they_are_named() {
    let (other, _) = server(Vec::new());
    let (address, serving) = server(vec![answer("302 Found", &format!("Location: {other}/secret\r\n"), b"")]);
    let error = fetch(&address, &options()).unwrap_err().to_string();
    assert!(error.contains("private network") && !error.contains('\n'), "{error}");
    serving.join().unwrap();
}

#[test]
fn refusals_and_floods_are_one_sentence() {
    let (address, serving) = server(vec![answer("429 Too Many Requests", "Retry-After: 30\r\n", b"")]);
    let error = fetch(&address, &options()).unwrap_err().to_string();
    assert!(error.contains("429") && error.contains("in 30 s"), "{error}");
    serving.join().unwrap();
    let (address, serving) = server(vec![answer("200 OK", "", &[b'x'; 5000])]);
    let error = fetch(&address, &FetchOptions { max_bytes: 1000, ..options() }).unwrap_err().to_string();
    assert!(error.contains("larger than") && !error.contains('\n'), "{error}");
    serving.join().unwrap();
    let forever = answer("302 Found", "Location: /\r\n", b"");
    let (address, serving) = server(vec![forever; 6]);
    let error = fetch(&address, &options()).unwrap_err().to_string();
    assert!(error.contains("redirected more than"), "{error}");
    serving.join().unwrap();
}
