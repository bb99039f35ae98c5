//! One `<item>` or `<entry>` to an [`Entry`]. Elements are told by their names and the usual prefixes (`dc:`,
//! `content:`, `atom:`); all others travel along in `meta.extra` as JSON.
//! Formats: RSS <https://www.rssboard.org/rss-specification>, Atom RFC 4287.
use super::{BadEntry, BodyKind, Entry, Item, Place, document, xml_repair};
use crate::article::Meta;
use crate::lang::{Words, tables};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// Deepest nesting inside an entry; XHTML bodies are not counted, they are taken as they are.
const MAX_DEPTH: usize = 32;

/// An element with its text and its children.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
    /// Where its content begins in the entry.
    from: usize,
    /// Its text is HTML that stood there as elements.
    markup: bool,
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The name without the prefix that stands for Atom or RSS themselves.
    fn plain_name(&self) -> &str {
        self.name.strip_prefix("atom:").or_else(|| self.name.strip_prefix("a10:")).unwrap_or(&self.name)
    }

    /// The text of an XML element as a JSON value: a string, or an object where it has attributes or children.
    fn into_value(self) -> Value {
        if self.attributes.is_empty() && self.children.is_empty() {
            return Value::String(self.text.trim().to_owned());
        }
        let mut map: Map<String, Value> =
            self.attributes.into_iter().map(|(name, value)| (format!("@{name}"), Value::String(value))).collect();
        if !self.text.trim().is_empty() {
            map.insert("#text".into(), Value::String(self.text.trim().to_owned()));
        }
        for child in self.children {
            insert(&mut map, child);
        }
        Value::Object(map)
    }
}

/// Adds an element under its name; a second one of that name makes a list.
fn insert(map: &mut Map<String, Value>, node: Node) {
    let name = node.name.clone();
    let value = node.into_value();
    match map.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => {
            map.insert(name, value);
        }
    }
}

/// An entry, and what was wrong with its XML where that could be repaired.
pub(super) struct Parsed {
    pub item: Item,
    pub repaired: Option<String>,
}

/// Parses the bytes of one entry, from its start tag to its end tag. With `headlines` the title is the text of an entry
/// that has no other.
pub(super) fn parse(bytes: &[u8], place: Place, headlines: bool) -> Parsed {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Parsed { item: Err(document::not_utf8(place, &error)), repaired: None },
    };
    match tree(text) {
        Ok(node) => Parsed { item: entry(node, place, headlines), repaired: None },
        Err(reason) => match xml_repair::repair(text).map(|text| tree(&text)) {
            Some(Ok(node)) => Parsed { item: entry(node, place, headlines), repaired: Some(reason) },
            // What is wrong behind the repair is what cannot be repaired.
            Some(Err(reason)) => Parsed { item: Err(BadEntry { place, reason }), repaired: None },
            None => Parsed { item: Err(BadEntry { place, reason }), repaired: None },
        },
    }
}

fn tree(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Node> = Vec::new();
    loop {
        let at = reader.buffer_position();
        let event =
            reader.read_event().map_err(|e| format!("the XML is not well formed near byte {at} of the entry: {e}"))?;
        match event {
            Event::Start(tag) => {
                let mut node = start(&tag)?;
                if open.len() >= MAX_DEPTH {
                    return Err(format!("the XML of the entry is nested more than {MAX_DEPTH} elements deep"));
                }
                if node.attribute("type") == Some("xhtml") {
                    let inner = reader.read_text(tag.name()).map_err(|e| format!("the XHTML does not end: {e}"))?;
                    node.text = inner.into_inner().into_owned();
                    attach(&mut open, node)?;
                } else {
                    node.from = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
                    open.push(node);
                }
            }
            Event::Empty(tag) => {
                let node = start(&tag)?;
                if open.is_empty() {
                    return Ok(node);
                }
                attach(&mut open, node)?;
            }
            Event::End(_) => {
                let Some(mut node) = open.pop() else { return Err("the XML has an end tag too many".into()) };
                take_markup(&mut node, text, usize::try_from(at).unwrap_or(text.len()));
                if open.is_empty() {
                    return Ok(node);
                }
                attach(&mut open, node)?;
            }
            Event::Text(piece) => push(&mut open, &piece.xml10_content()),
            Event::CData(piece) => push(&mut open, &piece.xml10_content()),
            Event::GeneralRef(name) => {
                let piece = reference(&name)?;
                push(&mut open, &piece);
            }
            Event::Eof => return Err("the XML ends inside the entry".into()),
            _ => {}
        }
    }
}

/// HTML that was put into a body without escaping it: its elements are the body's text again.
fn take_markup(node: &mut Node, text: &str, end: usize) {
    static HTML: Words = Words::new(tables::HTML_ELEMENTS, "body");
    let is_body = matches!(node.plain_name(), "description" | "content:encoded" | "content" | "summary");
    let is_html = |child: &Node| HTML.contains(&child.name.to_ascii_lowercase());
    if is_body && !node.children.is_empty() && node.children.iter().all(is_html) {
        node.text = text.get(node.from..end).unwrap_or_default().to_owned();
        node.children.clear();
        node.markup = true;
    }
}

fn push(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn attach(open: &mut [Node], node: Node) -> Result<(), String> {
    let parent = open.last_mut().ok_or("the XML has text outside of the entry")?;
    parent.children.push(node);
    Ok(())
}

fn start(tag: &BytesStart<'_>) -> Result<Node, String> {
    let name: &str = tag.name().into_inner();
    let mut node = Node { name: usual_case(name).to_owned(), ..Node::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| format!("an attribute of <{name}> is not well formed: {e}"))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|e| format!("an attribute of <{name}> is not well formed: {e}"))?;
        node.attributes.push((attribute.key.into_inner().to_owned(), value.into_owned()));
    }
    Ok(node)
}

/// Names of elements are told apart by case in XML; feeds that write them otherwise mean the same.
fn usual_case(name: &str) -> &str {
    static NAMES: Words = Words::new(tables::FEED_ELEMENTS, "spelled");
    NAMES.longest_first().iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name)
}

/// Character references, XML's own entities and the names that feeds borrow from HTML; nothing is expanded
/// from a document's own definitions, which is how entity bombs work.
fn reference(name: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(c) = name.resolve_char_ref().map_err(|e| format!("a character reference is wrong: {e}"))? {
        return Ok(c.to_string());
    }
    let name: &str = name;
    named(name).map(str::to_owned).ok_or_else(|| {
        let other: String = name.chars().take(40).collect();
        format!("the entity &{other}; is not known (a document's own definitions are not expanded)")
    })
}

/// Whether [`reference`] knows the name.
pub(super) fn is_known(name: &str) -> bool {
    named(name).is_some()
}

fn named(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => "\u{a0}",
        "zwj" => "\u{200d}",
        "zwnj" => "\u{200c}",
        "ndash" => "–",
        "mdash" => "—",
        "lsquo" => "‘",
        "rsquo" => "’",
        "ldquo" => "“",
        "rdquo" => "”",
        "laquo" => "«",
        "raquo" => "»",
        "hellip" => "…",
        "bull" => "•",
        "middot" => "·",
        "copy" => "©",
        "reg" => "®",
        "trade" => "™",
        "deg" => "°",
        "times" => "×",
        _ => return None,
    })
}

/// A candidate for the body: later kinds win over earlier ones.
#[derive(PartialEq, PartialOrd)]
enum Rank {
    Summary,
    Full,
}

fn entry(item: Node, place: Place, headlines: bool) -> Item {
    let mut meta = Meta::default();
    let mut title = None;
    let mut body: Option<(Rank, BodyKind, String, Node)> = None;
    let mut updated = None;
    for node in item.children {
        let text = node.text.trim().to_owned();
        match node.plain_name() {
            "title" if title.is_none() && !text.is_empty() => title = Some(text),
            "guid" | "id" if meta.id.is_none() && !text.is_empty() => meta.id = Some(text),
            "pubDate" | "published" | "dc:date" | "issued" if meta.date.is_none() && !text.is_empty() => {
                meta.date = Some(text);
            }
            "updated" | "modified" if updated.is_none() && !text.is_empty() => updated = Some(text),
            "link" => link(&mut meta, node, text),
            "author" | "dc:creator" if meta.author.is_none() => author(&mut meta, node, text),
            "content:encoded" | "content" | "description" | "summary" | "dc:description" if !text.is_empty() => {
                let rank = if node.name.contains("content") { Rank::Full } else { Rank::Summary };
                let kind = match (node.attribute("type"), node.plain_name()) {
                    _ if node.markup => BodyKind::Html,
                    (Some("text" | "text/plain"), _) => BodyKind::Text,
                    (Some("html" | "xhtml" | "text/html" | "application/xhtml+xml"), _) => BodyKind::Html,
                    // Atom's default is text; in practice both hold either.
                    _ => BodyKind::Unknown,
                };
                match &body {
                    Some((have, ..)) if *have >= rank => insert(&mut meta.extra, node),
                    _ => {
                        if let Some((.., old)) = body.replace((rank, kind, text, node)) {
                            insert(&mut meta.extra, old);
                        }
                    }
                }
            }
            _ => insert(&mut meta.extra, node),
        }
    }
    for (name, value) in item.attributes {
        if name == "rdf:about" && meta.id.is_none() {
            meta.id = Some(value);
        }
    }
    match updated {
        Some(text) if meta.date.is_none() => meta.date = Some(text),
        Some(text) => drop(meta.extra.insert("updated".into(), Value::String(text))),
        None => {}
    }
    match body {
        Some((_, kind, body, _)) => Ok(Entry { place, title, body, kind, meta }),
        None if headlines && title.is_some() => {
            let body = title.clone().unwrap_or_default();
            Ok(Entry { place, title, body, kind: BodyKind::Unknown, meta })
        }
        None => {
            let title =
                title.map_or(String::new(), |t| format!(" (title: {})", t.chars().take(80).collect::<String>()));
            Err(BadEntry { place, reason: format!("the entry has no text{title}") })
        }
    }
}

/// RSS: the address is the text. Atom: an attribute, and only the alternate link is the article.
fn link(meta: &mut Meta, node: Node, text: String) {
    let href = node.attribute("href").map(str::to_owned);
    let alternate = matches!(node.attribute("rel"), None | Some("alternate"));
    match (text.is_empty(), href) {
        (false, _) if meta.url.is_none() => meta.url = Some(text),
        (true, Some(href)) if alternate && meta.url.is_none() => meta.url = Some(href),
        _ => insert(&mut meta.extra, node),
    }
}

/// RSS: the text. Atom: the child `name`.
fn author(meta: &mut Meta, node: Node, text: String) {
    let name = node.children.iter().find(|c| c.plain_name() == "name").map(|c| c.text.trim().to_owned());
    meta.author = name.or(Some(text)).filter(|t| !t.is_empty());
    if node.children.len() > 1 {
        insert(&mut meta.extra, node);
    }
}
