//! RSS 0.9 to 2.0 and Atom as a stream: the document is cut into entries by looking at its markup alone, each
//! entry is parsed by itself ([`super::xml_entry`]), so that a damaged one costs nothing but itself and a
//! document of any size is read in constant memory. Entity definitions are never expanded.
use super::source::Chunk;
use super::{BadEntry, Place, ReadOptions, Reader, Sink, Source, document, xml_entry};
use std::ops::ControlFlow;

/// An RSS or Atom document.
pub struct XmlFeed;

impl Reader for XmlFeed {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut cutter = Cutter { options, number: 0, at: At::Between, root: None, entry: None, repaired: None };
        let mut chunk = Vec::new();
        loop {
            chunk.clear();
            let start = source.place(None);
            match source.read_until(b'>', options.max_entry, &mut chunk) {
                Ok(Chunk::End) => {
                    cutter.append(&chunk);
                    return cutter.finish(source, sink);
                }
                Ok(Chunk::TooLong) => cutter.append(&chunk),
                Ok(Chunk::Whole) => cutter.take(&chunk, start, sink)?,
                Err(error) => {
                    let place =
                        cutter.entry.as_ref().map_or(source.place(Some(cutter.number + 1)), |e| e.place.clone());
                    return sink(Err(document::unreadable(place, &error)));
                }
            }
        }
    }
}

/// What kind of markup the bytes stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Between,
    Comment,
    Cdata,
}

/// An entry that has begun.
struct Open {
    place: Place,
    bytes: Vec<u8>,
    too_large: bool,
    /// Its end tag was seen inside CDATA or a comment at this length; so it is if another entry follows at once.
    hidden_end: Option<usize>,
}

struct Cutter<'a> {
    options: &'a ReadOptions,
    number: u64,
    at: At,
    root: Option<Root>,
    entry: Option<Open>,
    /// How many entries were repaired, and the first of them with what was wrong.
    repaired: Option<(u64, Place, String)>,
}

/// The document's element and how its entries are called.
struct Root {
    name: String,
    entry: String,
    closed: bool,
    /// RSS 0.90, whose items have a headline and a link and nothing else.
    headlines: bool,
}

/// The namespace of RSS 0.90.
const HEADLINES: &[u8] = b"http://my.netscape.com/rdf/simple/0.9/";

impl Root {
    fn new(name: &str, tag: &[u8]) -> Option<Self> {
        let (prefix, local) = name.rsplit_once(':').map_or(("", name), |(p, l)| (p, l));
        let entry = match local {
            "rss" | "RSS" | "Rss" | "RDF" => "item".to_owned(),
            "feed" if prefix.is_empty() => "entry".to_owned(),
            "feed" => format!("{prefix}:entry"),
            _ => return None,
        };
        let headlines = tag.windows(HEADLINES.len()).any(|w| w == HEADLINES);
        Some(Self { name: name.to_owned(), entry, closed: false, headlines })
    }
}

impl Cutter<'_> {
    /// Adds bytes to the entry that is open, if one is.
    fn append(&mut self, bytes: &[u8]) {
        if let Some(open) = &mut self.entry {
            open.too_large |= open.bytes.len() + bytes.len() > self.options.max_entry;
            if open.too_large {
                open.bytes = Vec::new();
            } else {
                open.bytes.extend_from_slice(bytes);
            }
        }
    }

    /// Takes the bytes up to and including a `>`.
    fn take(&mut self, chunk: &[u8], start: Place, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if self.at != At::Between {
            return self.take_hidden(chunk, start, sink);
        }
        // A `<` that stands for itself may come before a section's own.
        let hides = |at: &usize| chunk[*at..].starts_with(b"<!--") || chunk[*at..].starts_with(b"<![CDATA[");
        let mut tags = (0..chunk.len()).filter(|&at| chunk[at] == b'<');
        let first = tags.find(hides).map_or(&[][..], |i| &chunk[i..]);
        if first.starts_with(b"<!--") {
            self.append(chunk);
            if !first.ends_with(b"-->") || first.len() < 7 {
                self.at = At::Comment;
            }
            return ControlFlow::Continue(());
        }
        if first.starts_with(b"<![CDATA[") {
            self.append(chunk);
            if !first.ends_with(b"]]>") {
                self.at = At::Cdata;
            }
            return ControlFlow::Continue(());
        }
        self.tag(chunk, start, sink)
    }

    /// Inside CDATA or a comment: until it ends, or until an entry's end and the next one's start show that its
    /// own end was lost.
    fn take_hidden(&mut self, chunk: &[u8], start: Place, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let end: &[u8] = if self.at == At::Cdata { b"]]>" } else { b"-->" };
        let Some(root) = &self.root else {
            if chunk.ends_with(end) {
                self.at = At::Between;
            }
            return ControlFlow::Continue(());
        };
        let boundary = [format!("<{}", root.entry), "</channel".into(), format!("</{}", root.name)];
        let text = chunk.trim_ascii_start();
        let at_boundary = boundary.iter().any(|tag| text.starts_with(tag.as_bytes()));
        let end_tag = format!("</{}>", root.entry);
        if let Some(open) = &mut self.entry {
            if open.hidden_end.take().is_some() && at_boundary {
                self.at = At::Between;
                self.close(Some("a CDATA section or a comment in it does not end"), sink)?;
                return self.tag(chunk, start, sink);
            }
            open.hidden_end = chunk.ends_with(end_tag.as_bytes()).then_some(open.bytes.len());
        }
        self.append(chunk);
        if chunk.ends_with(end) {
            self.at = At::Between;
        }
        ControlFlow::Continue(())
    }

    /// Text and one tag.
    fn tag(&mut self, chunk: &[u8], start: Place, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = chunk.iter().rposition(|&b| b == b'<') else {
            self.append(chunk);
            return ControlFlow::Continue(());
        };
        let tag = &chunk[open + 1..chunk.len() - 1];
        let (closing, tag) = tag.strip_prefix(b"/").map_or((false, tag), |t| (true, t));
        let end = tag.iter().position(|b| b.is_ascii_whitespace() || *b == b'/').unwrap_or(tag.len());
        let name = String::from_utf8_lossy(&tag[..end]);
        let Some(root) = &mut self.root else {
            return self.before_root(&name, tag, closing, start, sink);
        };
        if name.eq_ignore_ascii_case(&root.entry) {
            if closing {
                self.append(chunk);
                if self.entry.is_none() {
                    self.number += 1;
                    let place = Place { entry: Some(self.number), ..start };
                    let reason = "an entry ends here whose start tag is missing or damaged";
                    return sink(Err(BadEntry { place, reason: reason.into() }));
                }
                return self.close(None, sink);
            }
            self.append(&chunk[..open]);
            if self.entry.is_some() {
                self.close(Some("the entry has no end tag"), sink)?;
            }
            self.open_entry(&chunk[..open], start);
            self.append(&chunk[open..]);
            return if tag.ends_with(b"/") { self.close(None, sink) } else { ControlFlow::Continue(()) };
        }
        let is_root = name.eq_ignore_ascii_case(&root.name);
        let ends_document = closing && is_root;
        if ends_document {
            root.closed = true;
        } else if !closing && is_root && self.entry.is_none() {
            root.closed = false;
        }
        if self.entry.is_some() && (ends_document || (closing && name.eq_ignore_ascii_case("channel"))) {
            return self.close(Some("the entry has no end tag"), sink);
        }
        self.append(chunk);
        ControlFlow::Continue(())
    }

    fn before_root(
        &mut self,
        name: &str,
        tag: &[u8],
        closing: bool,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        if closing || name.starts_with(['?', '!']) || name.starts_with(|c: char| !c.is_alphabetic()) {
            return ControlFlow::Continue(());
        }
        self.root = Root::new(name, tag);
        if self.root.is_none() {
            let name: String = name.chars().take(40).collect();
            let reason = format!(
                "not an RSS or Atom feed: its element is <{name}>; another format must be named (input-format)"
            );
            sink(Err(BadEntry { place, reason }))?;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// `text` stands between the chunk's start and the tag.
    fn open_entry(&mut self, text: &[u8], start: Place) {
        self.number += 1;
        let place = Place {
            entry: Some(self.number),
            line: start.line.map(|l| l + text.iter().filter(|&&b| b == b'\n').count() as u64),
            byte: start.byte.map(|b| b + text.len() as u64),
            ..start
        };
        self.entry = Some(Open { place, bytes: Vec::new(), too_large: false, hidden_end: None });
    }

    /// Hands the open entry out: parsed, or as the damage that is known of it.
    fn close(&mut self, damage: Option<&str>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let Some(open) = self.entry.take() else { return ControlFlow::Continue(()) };
        if open.too_large {
            return sink(Err(document::too_large(open.place, self.options.max_entry)));
        }
        match damage {
            Some(reason) => sink(Err(BadEntry { place: open.place, reason: reason.into() })),
            None => {
                let headlines = self.root.as_ref().is_some_and(|root| root.headlines);
                let place = open.place.clone();
                let parsed = xml_entry::parse(&open.bytes, open.place, headlines);
                if let Some(reason) = parsed.repaired {
                    self.repaired.get_or_insert((0, place, reason)).0 += 1;
                }
                sink(parsed.item)
            }
        }
    }

    fn finish(mut self, source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if let Some((n, place, reason)) = &self.repaired {
            tracing::warn!("{place}: {reason}; repaired, as were {} entries in all of this feed", n);
        }
        if self.entry.is_some() {
            return self.close(Some("the document ends inside this entry: it is cut off"), sink);
        }
        let reason = match &self.root {
            None => "not an RSS or Atom feed: it has no element at all".to_owned(),
            Some(root) if !root.closed => format!("the document ends without </{}>: entries may be missing", root.name),
            Some(_) => return ControlFlow::Continue(()),
        };
        sink(Err(BadEntry { place: source.place(None), reason }))
    }
}
