//! A document's XML as tokens that know their bytes, so that what is read can be put back in its place.
//!
//! Entities that a document type defines are never expanded, so there are no entity bombs; nesting is bounded.
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 1024;

/// A piece of XML.
#[derive(Debug)]
pub(super) enum What<'a> {
    /// A start tag, or an empty element, which is followed by a `Close` of its own.
    Open(Tag<'a>),
    Close(&'a str),
    Text(Cow<'a, str>),
}

/// A piece with the bytes that it stands in.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub what: What<'a>,
    pub range: Range<usize>,
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub name: &'a str,
    /// From its `<` to its `>`.
    source: &'a str,
}

impl<'a> Tag<'a> {
    fn new(source: &'a str) -> Self {
        let inner = source.trim_start_matches('<').trim_end_matches('>');
        let name = inner.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        Self { name, source }
    }

    /// An attribute's value by its whole name (prefix and all).
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let (start, end) = value_range(self.source, name)?;
        let raw = &self.source[start..end];
        Some(quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw)))
    }

    /// `w:val`, which is what most of OOXML's elements say.
    pub fn val(&self) -> Option<Cow<'a, str>> {
        self.attribute("w:val")
    }
}

/// Where an attribute's value stands in a start tag.
fn value_range(tag: &str, name: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = tag[from..].find(name).map(|at| at + from) {
        from = at + name.len();
        let before = tag[..at].ends_with(|c: char| c.is_ascii_whitespace());
        let rest = tag[from..].trim_start();
        let Some(value) = rest.strip_prefix('=').filter(|_| before).map(str::trim_start) else { continue };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let start = tag.len() - value.len() + 1;
        return Some((start, start + tag[start..].find(quote)?));
    }
    None
}

/// Hands out the tokens of a document.
pub(super) struct Tokens<'a> {
    source: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
    /// The end of an empty element that was just opened.
    empty: Option<(&'a str, usize)>,
}

impl<'a> Tokens<'a> {
    pub fn new(source: &'a str) -> Self {
        let mut reader = Reader::from_str(source);
        let config = reader.config_mut();
        // EPUBs are written by many hands; what is unbalanced is still text.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Self { source, reader, depth: 0, empty: None }
    }

    /// The next token, or what is wrong and at which byte.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, String> {
        if let Some((name, at)) = self.empty.take() {
            return Ok(Some(Token { what: What::Close(name), range: at..at }));
        }
        loop {
            let start = self.reader.buffer_position() as usize;
            let event = self.reader.read_event().map_err(|e| format!("damaged XML at byte {start} ({e})"))?;
            let range = start..self.reader.buffer_position() as usize;
            let source = self.source.get(range.clone()).unwrap_or_default();
            let what = match event {
                Event::Eof => return Ok(None),
                Event::Start(_) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(format!("XML nested more than {MAX_DEPTH} elements deep, which no document is"));
                    }
                    What::Open(Tag::new(source))
                }
                Event::Empty(_) => {
                    let tag = Tag::new(source);
                    self.empty = Some((tag.name, range.end));
                    What::Open(tag)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    What::Close(Tag::new(source.trim_start_matches("</")).name)
                }
                Event::Text(text) => What::Text(Cow::Owned(text.xml10_content().into_owned())),
                Event::CData(text) => What::Text(Cow::Owned(text.xml10_content().into_owned())),
                Event::GeneralRef(_) => What::Text(reference(source)),
                _ => continue,
            };
            return Ok(Some(Token { what, range }));
        }
    }
}

/// What a reference stands for; one that XML does not know stays as it is written, HTML's usual ones aside.
fn reference(source: &str) -> Cow<'_, str> {
    let name = source.trim_start_matches('&').trim_end_matches(';');
    let known = match name {
        "nbsp" => "\u{a0}",
        "zwnj" => "\u{200c}",
        "zwj" => "\u{200d}",
        "shy" => "",
        "ndash" => "–",
        "mdash" => "—",
        "lsquo" => "‘",
        "rsquo" => "’",
        "ldquo" => "“",
        "rdquo" => "”",
        "hellip" => "…",
        "middot" => "·",
        "bull" => "•",
        "copy" => "©",
        "times" => "×",
        _ => return quick_xml::escape::unescape(source).unwrap_or(Cow::Borrowed(source)),
    };
    Cow::Borrowed(known)
}

/// Text as it may stand in an element; characters that XML 1.0 cannot hold are left out.
pub(super) fn escape(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().filter(allowed).collect();
    quick_xml::escape::partial_escape(text.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_bytes() {
        let xml = "<?xml version=\"1.0\"?><a:p b='1' c = \"x &amp; y\">ক&amp;&nbsp;<br/><![CDATA[<খ>]]></a:p>";
        let mut tokens = Tokens::new(xml);
        let mut seen = Vec::new();
        while let Some(token) = tokens.next().unwrap() {
            let said = match token.what {
                What::Open(tag) => {
                    format!("+{}{}", tag.name, tag.attribute("c").map_or(String::new(), |c| format!("[{c}]")))
                }
                What::Close(name) => format!("-{name}"),
                What::Text(text) => text.into_owned(),
            };
            seen.push((said, &xml[token.range]));
        }
        let said: Vec<&str> = seen.iter().map(|s| s.0.as_str()).collect();
        assert_eq!(said, ["+a:p[x & y]", "ক", "&", "\u{a0}", "+br", "-br", "<খ>", "-a:p"]);
        assert_eq!(seen[1].1, "ক");
        assert_eq!(seen[6].1, "<![CDATA[<খ>]]>");
    }

    #[test]
    fn bombs_are_refused_and_entities_not_expanded() {
        let deep = "<a>".repeat(5000);
        let mut tokens = Tokens::new(&deep);
        let error = loop {
            match tokens.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("must fail"),
                Err(error) => break error,
            }
        };
        assert!(error.contains("nested"));
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        let mut tokens = Tokens::new(laughs);
        let mut text = String::new();
        while let Some(token) = tokens.next().unwrap() {
            if let What::Text(piece) = token.what {
                text.push_str(&piece);
            }
        }
        assert_eq!(text, "&c;");
    }

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let tag = Tag::new("<w:x w:valley=\"1\" w:val='২' val=\"3\"/>");
        assert_eq!((tag.name, tag.val().as_deref()), ("w:x", Some("২")));
        assert_eq!((tag.attribute("val").as_deref(), tag.attribute("al")), (Some("3"), None));
    }
}
