//! Web archives: WARC with the answers of web servers, and WET with the text of pages, record by record.
//! Format: <https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/>.
use super::source::Chunk;
use super::{BadEntry, BodyKind, Entry, Place, ReadOptions, Reader, Sink, Source, document};
use crate::article::Meta;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// A web archive.
pub struct Warc;

/// Most bytes of a line of a header.
const MAX_LINE: usize = 64 << 10;

/// The names and values of a header, names in lower case.
struct Header(Vec<(String, String)>);

impl Header {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl Reader for Warc {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let (mut number, mut aside) = (0u64, 0u64);
        loop {
            let place = source.place(Some(number + 1));
            match next_record(source, options.max_entry) {
                Ok(None) => break,
                Ok(Some((header, body))) => match entry(&header, body, place) {
                    Some(item) => {
                        number += 1;
                        sink(item)?;
                    }
                    None => aside += 1,
                },
                Err(Trouble::TooLarge) => {
                    number += 1;
                    sink(Err(document::too_large(place, options.max_entry)))?;
                }
                Err(Trouble::Damaged(reason)) => {
                    return sink(Err(BadEntry { place, reason: format!("the web archive is damaged here: {reason}") }));
                }
                Err(Trouble::Read(error)) => return sink(Err(document::unreadable(place, &error))),
            }
        }
        if number == 0 {
            let reason = format!("there is no page in the web archive, only {aside} records of other kinds");
            return sink(Err(BadEntry { place: source.place(None), reason }));
        }
        tracing::debug!("{}: {aside} records that are no pages were left aside", source.name);
        ControlFlow::Continue(())
    }
}

enum Trouble {
    Read(io::Error),
    TooLarge,
    Damaged(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// The next record, its content read to the end whatever its size.
fn next_record(source: &mut Source<'_>, limit: usize) -> Result<Option<(Header, Vec<u8>)>, Trouble> {
    let mut line = Vec::new();
    loop {
        line.clear();
        match source.read_until(b'\n', MAX_LINE, &mut line)? {
            Chunk::End if line.is_empty() => return Ok(None),
            Chunk::TooLong => return Err(Trouble::Damaged("a line of a header has no end".into())),
            _ if line.trim_ascii().is_empty() => {}
            _ if line.starts_with(b"WARC/") => break,
            _ => return Err(Trouble::Damaged("a record does not begin with WARC/".into())),
        }
    }
    let header = read_header(source)?;
    let length = header.get("content-length").and_then(|n| n.parse::<u64>().ok());
    let Some(mut left) = length else { return Err(Trouble::Damaged("a record does not say how long it is".into())) };
    let large = left > limit as u64;
    let mut body = Vec::new();
    while left > 0 {
        let available = source.peek();
        if available.is_empty() {
            return Err(Trouble::Damaged("it ends inside a record: it is cut off".into()));
        }
        let n = available.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if !large {
            body.extend_from_slice(&available[..n]);
        }
        source.consume(n);
        left -= n as u64;
    }
    if large { Err(Trouble::TooLarge) } else { Ok(Some((header, body))) }
}

fn read_header(source: &mut Source<'_>) -> Result<Header, Trouble> {
    let mut fields = Vec::new();
    loop {
        let mut line = Vec::new();
        if source.read_until(b'\n', MAX_LINE, &mut line)? != Chunk::Whole || fields.len() > 200 {
            return Err(Trouble::Damaged("a header does not end".into()));
        }
        if line.trim_ascii().is_empty() {
            return Ok(Header(fields));
        }
        fields.extend(field(&line));
    }
}

fn field(line: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(line);
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

/// The page of a record; `None` for records of other kinds (requests, pictures, redirections).
fn entry(header: &Header, body: Vec<u8>, place: Place) -> Option<super::Item> {
    let (body, kind) = match header.get("warc-type")? {
        "conversion" | "resource" => {
            let media = header.get("content-type").unwrap_or("");
            (body, if media.contains("html") { BodyKind::Html } else { BodyKind::Text })
        }
        "response" => (answer(&body)?, BodyKind::Html),
        _ => return None,
    };
    let text = match crate::article::decode_page(&body) {
        Ok(text) => text,
        Err(reason) => return Some(Err(BadEntry { place, reason })),
    };
    let meta = Meta {
        id: header.get("warc-record-id").map(|id| id.trim_matches(['<', '>']).to_owned()),
        url: header.get("warc-target-uri").map(|uri| uri.trim_matches(['<', '>']).to_owned()),
        date: header.get("warc-date").map(str::to_owned),
        ..Meta::default()
    };
    Some(Ok(Entry { place, title: None, body: text, kind, meta }))
}

/// The page in a server's answer, if it is one: status 200 and HTML.
fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let ends = |mark: &[u8]| bytes.windows(mark.len()).position(|w| w == mark).map(|at| (at, at + mark.len()));
    let (end, start) = ends(b"\r\n\r\n").or_else(|| ends(b"\n\n"))?;
    let mut lines = bytes[..end].split(|&b| b == b'\n');
    let status = lines.next()?;
    if !status.starts_with(b"HTTP/") || !status.windows(5).any(|w| w == b" 200 " || w == b" 200\r") {
        return None;
    }
    let header = Header(lines.filter_map(field).collect());
    if !header.get("content-type").is_none_or(|media| media.contains("html")) {
        return None;
    }
    let mut body = bytes[start..].to_vec();
    if header.get("transfer-encoding").is_some_and(|e| e.eq_ignore_ascii_case("chunked")) {
        // Some crawlers put the chunks together and leave the header.
        body = dechunk(&body).unwrap_or(body);
    }
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut page = Vec::new();
        let unpacked =
            flate2::read::MultiGzDecoder::new(&body[..]).take(super::MAX_ENTRY as u64).read_to_end(&mut page);
        unpacked.ok()?;
        body = page;
    }
    Some(body)
}

fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let size = std::str::from_utf8(&bytes[..end]).ok()?.trim();
        let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(bytes.get(end + 1..end + 1 + size)?);
        bytes = bytes[end + 1 + size..].trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use crate::feed::{BodyKind, ReadOptions, read_bytes};

    fn record(kind: &str, content: &str) -> String {
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a/১\r\nWARC-Date: 2025-05-05T00:00:00Z\r\n\
             WARC-Record-ID: <urn:uuid:1>\r\nContent-Length: {}\r\n\r\n{content}\r\n\r\n",
            content.len()
        )
    }

    #[test]
    fn pages_are_read_and_the_rest_is_left_aside() {
        let page = "<html><body><p>ঢাকায় আজ বৃষ্টি হয়েছে।</p></body></html>";
        let chunked = format!("{:x}\r\n{page}\r\n0\r\n\r\n", page.len());
        let warc = [
            record("warcinfo", "software: x"),
            record("request", "GET / HTTP/1.1\r\n\r\n"),
            record("response", &format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}")),
            record("response", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nx"),
            record("response", "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>নেই।</p>"),
            record("response", &format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}")),
            record("conversion", "খুলনায় ঝড়।"),
        ]
        .concat();
        let items = read_bytes("a.warc", warc.as_bytes(), &ReadOptions::default());
        let found: Vec<_> = items.iter().map(|i| i.as_ref().map(|e| (e.kind, e.body.as_str()))).collect();
        assert_eq!(found, [Ok((BodyKind::Html, page)), Ok((BodyKind::Html, page)), Ok((BodyKind::Text, "খুলনায় ঝড়।"))]);
        let meta = &items[0].as_ref().unwrap().meta;
        assert_eq!((meta.url.as_deref(), meta.id.as_deref()), (Some("http://a/১"), Some("urn:uuid:1")));

        let cut = read_bytes("a.warc", &warc.as_bytes()[..warc.len() - 10], &ReadOptions::default());
        assert!(cut.last().unwrap().as_ref().unwrap_err().reason.contains("cut off"));
        let none = read_bytes("-", record("request", "x").as_bytes(), &ReadOptions::default());
        assert!(none[0].as_ref().unwrap_err().reason.contains("no page"));
    }
}
