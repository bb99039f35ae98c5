//! Entries that are not well formed and that every feed reader takes all the same: a bare `&` or `<`, an element that
//! is not closed or is closed in other letters, HTML that was put in without escaping, control characters. Only an
//! entry that the strict parser refuses comes here.

use crate::lang::{Words, tables};

/// Elements of HTML that have no end tag. `link` is not among them: in a feed it has one.
static VOID: Words = Words::new(tables::HTML_ELEMENTS, "void");
/// Elements of a feed that hold text alone: the next element of an entry ends them.
static TEXT_ONLY: Words = Words::new(tables::FEED_ELEMENTS, "text");
/// Elements that stand side by side in an entry.
static SIBLINGS: Words = Words::new(tables::FEED_ELEMENTS, "sibling");

/// The entry as well-formed XML. `None` where it cannot be told what was meant.
pub(super) fn repair(text: &str) -> Option<String> {
    let mut out = Out { text: String::with_capacity(text.len() + 64), open: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_text(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('&') { out.ampersand(rest) } else { out.markup(rest)? };
        rest = &rest[taken..];
    }
    out.push_text(rest);
    while out.close_last() {}
    Some(out.text)
}

struct Out<'a> {
    text: String,
    /// Names of the open elements.
    open: Vec<&'a str>,
}

impl<'a> Out<'a> {
    /// Text as it is, without the control characters that XML has no place for.
    fn push_text(&mut self, text: &str) {
        self.text.extend(text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}')));
    }

    /// A reference, or an `&` that stands for itself. How many bytes were taken.
    fn ampersand(&mut self, rest: &str) -> usize {
        let name = reference(&rest[1..]);
        match name {
            Some(name) if !name.starts_with('#') && !super::xml_entry::is_known(name) => {
                // A name of HTML's long list is its character; one that nobody knows stays for the parser to name.
                let whole = &rest[..name.len() + 2];
                match crate::article::html::unescape(whole) {
                    found if found != whole => self.text.push_str(&found.replace('&', "&amp;").replace('<', "&lt;")),
                    _ => self.text.push_str(whole),
                }
                whole.len()
            }
            Some(name) => {
                self.text.push_str(&rest[..name.len() + 2]);
                name.len() + 2
            }
            None => {
                self.text.push_str("&amp;");
                1
            }
        }
    }

    /// A tag, a comment, CDATA, or a `<` that stands for itself.
    fn markup(&mut self, rest: &'a str) -> Option<usize> {
        if rest.starts_with("<![CDATA[") {
            let end = rest.find("]]>")? + 3;
            self.text.push_str(&rest[..end]);
            return Some(end);
        }
        for (start, end) in [("<!--", "-->"), ("<?", "?>")] {
            if rest.starts_with(start) {
                return Some(rest.find(end)? + end.len());
            }
        }
        let tag = tag_end(rest).map(|end| &rest[1..end]);
        let name_of = |text: &'a str| {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"_:-.".contains(c)).unwrap_or(text.len());
            text[..end].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some(&text[..end])
        };
        let closing = tag.and_then(|tag| tag.strip_prefix('/'));
        match (tag, closing) {
            (_, Some(inner)) if name_of(inner).is_some() => self.end_tag(name_of(inner)?),
            (Some(inner), None) if name_of(inner).is_some() => self.start_tag(name_of(inner)?, inner),
            _ => {
                self.text.push_str("&lt;");
                return Some(1);
            }
        }
        Some(tag?.len() + 2)
    }

    fn start_tag(&mut self, name: &'a str, inner: &str) {
        let is = |list: &Words, name: &str| list.longest_first().iter().any(|known| known.eq_ignore_ascii_case(name));
        while self.open.len() > 1 && is(&SIBLINGS, name) && self.open.last().is_some_and(|last| is(&TEXT_ONLY, last)) {
            self.close_last();
        }
        let (inner, empty) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        self.text.push('<');
        self.text.push_str(name);
        attributes(&inner[name.len()..], &mut self.text);
        if empty || VOID.contains(&name.to_ascii_lowercase()) {
            self.text.push_str("/>");
        } else {
            self.text.push('>');
            self.open.push(name);
        }
    }

    /// Closes the element of this name and those inside of it; an end tag of nothing is left out.
    fn end_tag(&mut self, name: &str) {
        if self.open.iter().any(|open| open.eq_ignore_ascii_case(name)) {
            while self.open.last().is_some_and(|last| !last.eq_ignore_ascii_case(name)) {
                self.close_last();
            }
            self.close_last();
        }
    }

    fn close_last(&mut self) -> bool {
        let Some(name) = self.open.pop() else { return false };
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
        true
    }
}

/// Where the tag that `text` begins with ends: its `>`, unless another tag begins before.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices().skip(1) {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if text[..at].ends_with('=') => quote = Some(c),
            (None, '>') => return Some(at),
            (None, '<') => return None,
            _ => {}
        }
    }
    None
}

/// The name in front of the `;` of a reference.
fn reference(text: &str) -> Option<&str> {
    let name = &text[..text.find(';').filter(|end| (1..=32).contains(end))?];
    let digits = name.strip_prefix('#');
    let number = digits.and_then(|d| match d.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => d.parse().ok(),
    });
    let named = name.bytes().all(|b| b.is_ascii_alphanumeric()) && name.starts_with(|c: char| c.is_ascii_alphabetic());
    let usable = number.and_then(char::from_u32).is_some_and(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'));
    (named || usable).then_some(name)
}

/// Attributes as XML has them: quoted, each once, with a value.
fn attributes(mut rest: &str, out: &mut String) {
    let mut seen: Vec<&str> = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_:-.".contains(c)).unwrap_or(rest.len());
        if end == 0 {
            return;
        }
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        let value = match rest.strip_prefix('=').map(str::trim_start) {
            Some(value) => match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                Some(quote) => {
                    let end = value[1..].find(quote).map_or(value.len(), |at| at + 1);
                    rest = value.get(end + 1..).unwrap_or("");
                    &value[1..end]
                }
                None => {
                    let end = value.find(char::is_whitespace).unwrap_or(value.len());
                    rest = &value[end..];
                    &value[..end]
                }
            },
            None => name,
        };
        if !seen.contains(&name) {
            seen.push(name);
            let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            // What was a reference already stays one.
            let value = ["amp", "lt", "gt", "quot", "apos"]
                .iter()
                .fold(value, |value, name| value.replace(&format!("&amp;{name};"), &format!("&{name};")));
            out.push_str(&format!(" {name}=\"{value}\""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn what_was_meant_is_written_down() {
        for (text, want) in [
            ("<item><link>http://a/?x=1&y=2</link></item>", "<item><link>http://a/?x=1&amp;y=2</link></item>"),
            ("<item><t>৫ < ১০ ও A<B</t></item>", "<item><t>৫ &lt; ১০ ও A&lt;B</t></item>"),
            (
                "<item><title>এক<description>দুই</description></item>",
                "<item><title>এক</title><description>দুই</description></item>",
            ),
            ("<item><Title>এক</title></ITEM>", "<item><Title>এক</Title></item>"),
            (
                "<item><description>এক<br>দুই<p>তিন</description></item>",
                "<item><description>এক<br/>দুই<p>তিন</p></description></item>",
            ),
            ("<item>এক</b></item>", "<item>এক</item>"),
            ("<item><a href=x?a=1&amp;b=2 b b>ক</a></item>", "<item><a href=\"x?a=1&amp;b=2\" b=\"b\">ক</a></item>"),
            ("<item>&eacute;&#2453;&AB;&ক;</item>", "<item>é&#2453;&AB;&amp;ক;</item>"),
            ("<item>ক\u{1}<![CDATA[a & <b]]></item>", "<item>ক<![CDATA[a & <b]]></item>"),
        ] {
            assert_eq!(repair(text).as_deref(), Some(want), "{text}");
        }
        assert_eq!(repair("<item><![CDATA[ক</item>"), None);
    }
}
