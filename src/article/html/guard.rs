//! Makes hostile or merely huge HTML safe to build a tree from.
//!
//! HTML parsers are quadratic in places: in the depth of open elements, in unclosed formatting elements (each new
//! paragraph opens them all again) and in the attributes of one tag. Browsers cap the depth at 512; here one pass over
//! the tags does that and caps the rest, and drops scripts, styles and comments on the way, which are most of a page.
use std::collections::HashMap;

/// Open elements at once, all names together, and of one name.
const MAX_DEPTH: usize = 384;
const MAX_DEPTH_OF_ONE: usize = 96;
/// Elements in all; the text of later ones is kept, their tags are not.
const MAX_ELEMENTS: usize = 250_000;
/// A longer tag, or one with more attributes, loses its attributes (data URIs, attribute bombs).
const MAX_TAG_BYTES: usize = 8192;
const MAX_ATTRIBUTES: usize = 64;

/// Elements without content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that their successor closes, so that pages leave out the end tag. Not among them: those that it closes only
/// inside of another element (`rt` in `ruby`), since outside of it they nest.
const SELF_CLOSING: &[&str] =
    &["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "html", "head", "body", "colgroup"];
/// Elements whose end closes those that pages leave open inside of them.
const CLOSING: &[(&str, &[&str])] = &[("ruby", &["rt", "rp", "rb", "rtc"]), ("select", &["option", "optgroup"])];
/// Longest `<title>` that is looked at.
const MAX_TITLE: usize = 1000;
/// Elements whose content is not markup; dropped with it, JSON-LD aside.
const RAW: &[&str] = &["script", "style", "svg", "math", "iframe", "noframes", "xmp", "template", "textarea"];

/// Formatting: it says nothing about blocks or text, and unclosed it is opened again in every paragraph.
const FORMATTING: &[&str] = &["b", "big", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// The same page with nesting, attributes and the number of elements bounded.
pub fn tame(html: &str) -> String {
    let mut guard = Guard { out: String::with_capacity(html.len().min(1 << 20)), ..Guard::default() };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        guard.out.push_str(&rest[..at]);
        rest = guard.tag(&rest[at..]);
    }
    guard.out.push_str(rest);
    guard.out
}

#[derive(Default)]
struct Guard {
    out: String,
    open: HashMap<String, usize>,
    dropped: HashMap<String, usize>,
    depth: usize,
    elements: usize,
}

impl Guard {
    /// Copies or drops what begins at `<` and returns what follows it.
    fn tag<'a>(&mut self, html: &'a str) -> &'a str {
        let bytes = html.as_bytes();
        match bytes.get(1) {
            Some(b'!') | Some(b'?') => self.declaration(html),
            Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => self.end_tag(html),
            Some(c) if c.is_ascii_alphabetic() => self.start_tag(html),
            _ => {
                self.out.push_str("&lt;");
                &html[1..]
            }
        }
    }

    /// A comment (dropped), a CDATA section (its text is kept), a doctype.
    fn declaration<'a>(&mut self, html: &'a str) -> &'a str {
        if let Some(comment) = html.strip_prefix("<!--") {
            return after(comment, "-->");
        }
        if let Some(data) = html.strip_prefix("<![CDATA[") {
            let end = data.find("]]>").unwrap_or(data.len());
            self.out.push_str(&data[..end].replace('<', "&lt;"));
            return data.get(end + 3..).unwrap_or("");
        }
        after(html, ">")
    }

    fn end_tag<'a>(&mut self, html: &'a str) -> &'a str {
        let name = tag_name(&html[2..]);
        if FORMATTING.contains(&name.as_str()) {
            return after(html, ">");
        }
        if let Some(dropped) = self.dropped.get_mut(&name).filter(|n| **n > 0) {
            *dropped -= 1;
        } else if !RAW.contains(&name.as_str()) {
            if let Some(open) = self.open.get_mut(&name).filter(|n| **n > 0) {
                *open -= 1;
                self.depth -= 1;
            }
            let left_open = CLOSING.iter().find(|(closing, _)| *closing == name).map_or(&[][..], |(_, inner)| inner);
            for inner in left_open {
                self.depth -= self.open.insert((*inner).to_owned(), 0).unwrap_or(0);
            }
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
        after(html, ">")
    }

    fn start_tag<'a>(&mut self, html: &'a str) -> &'a str {
        let name = tag_name(&html[1..]);
        let (tag, rest) = html.split_at(tag_length(html));
        if FORMATTING.contains(&name.as_str()) {
            return rest;
        }
        if name == "title" {
            // Text up to its end tag, whatever it looks like; Readability compares it with every heading.
            let (content, rest) = raw_content(rest, &name, tag);
            let end = content.char_indices().nth(MAX_TITLE).map_or(content.len(), |(end, _)| end);
            self.out.push_str(&format!("<title>{}</title>", &content[..end]));
            return rest;
        }
        let json_ld = name == "script" && tag.contains("ld+json");
        if RAW.contains(&name.as_str()) {
            let (content, rest) = raw_content(rest, &name, tag);
            if json_ld && content.len() < 1 << 18 {
                self.out.push_str("<script type=\"application/ld+json\">");
                self.out.push_str(content);
                self.out.push_str("</script>");
            } else {
                self.out.push(' ');
            }
            return rest;
        }
        self.elements += 1;
        let counted = !VOID.contains(&name.as_str()) && !SELF_CLOSING.contains(&name.as_str());
        let open = self.open.get(&name).copied().unwrap_or(0);
        let too_deep = counted && (self.depth >= MAX_DEPTH || open >= MAX_DEPTH_OF_ONE);
        if too_deep || self.elements > MAX_ELEMENTS {
            if counted {
                *self.dropped.entry(name).or_default() += 1;
            }
            self.out.push(' ');
            return rest;
        }
        if counted {
            *self.open.entry(name.clone()).or_default() += 1;
            self.depth += 1;
        }
        if tag.len() > MAX_TAG_BYTES || tag.matches('=').count() > MAX_ATTRIBUTES || words(tag) > 8 * MAX_ATTRIBUTES {
            self.out.push('<');
            self.out.push_str(&name);
            self.out.push('>');
        } else {
            self.out.push_str(tag);
            if !tag.ends_with('>') {
                self.out.push('>');
            }
        }
        rest
    }
}

fn words(tag: &str) -> usize {
    tag.split(|c: char| c.is_whitespace() || c == '/').count()
}

/// What follows the next `end`; nothing if there is none.
fn after<'a>(html: &'a str, end: &str) -> &'a str {
    html.find(end).map_or("", |at| &html[at + end.len()..])
}

/// Lower-case name at the start of `html`, at most 32 bytes of it.
fn tag_name(html: &str) -> String {
    let name = html.bytes().take(32).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':'));
    name.map(|b| b.to_ascii_lowercase() as char).collect()
}

/// Bytes of the tag at the start of `html` up to and with its `>`, quotes respected. A quote that never ends does not
/// swallow the page: the tag then ends at its first `>`.
fn tag_length(html: &str) -> usize {
    let mut quote = None;
    let mut value = false;
    for (i, b) in html.bytes().enumerate().take(1 << 20) {
        match (quote, b) {
            (None, b'>') => return i + 1,
            (None, b'"' | b'\'') if value => quote = Some(b),
            (Some(q), _) if q == b => quote = None,
            _ => {}
        }
        value = b == b'=' || (value && b.is_ascii_whitespace());
    }
    html.find('>').map_or(html.len(), |at| at + 1)
}

/// Content of a raw element whose start tag is `tag`, and what follows its end tag.
fn raw_content<'a>(html: &'a str, name: &str, tag: &str) -> (&'a str, &'a str) {
    if tag.ends_with("/>") && matches!(name, "svg" | "math") {
        return ("", html);
    }
    let bytes = html.as_bytes();
    let mut from = 0;
    while let Some(at) = html[from..].find("</").map(|at| at + from) {
        let end = at + 2 + name.len();
        if bytes.get(at + 2..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return (&html[..at], after(&html[at..], ">"));
        }
        from = at + 2;
    }
    (html, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_html_is_left_alone() {
        let html = "<div class=\"a > b\"><p>এক<p>দুই<br/><a href=x>তিন</a></div>";
        assert_eq!(tame(html), html);
        assert_eq!(tame("<p>জো<b>র</b><strong>ে"), "<p>জোরে");
    }

    #[test]
    fn scripts_styles_and_comments_go() {
        assert_eq!(tame("<p>এক<script>if (a<b) '</p>'</script><!-- <p> --><STYLE>x</STYLE>দুই"), "<p>এক  দুই");
        assert_eq!(tame("৫ < ৬"), "৫ &lt; ৬");
        assert!(tame("<script type=\"application/ld+json\">{}</script>").contains("{}"));
    }

    #[test]
    fn depth_is_bounded() {
        let bomb = format!("{}কথা{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let tamed = tame(&bomb);
        assert_eq!(tamed.matches("<div>").count(), MAX_DEPTH_OF_ONE);
        assert_eq!(tamed.matches("</div>").count(), MAX_DEPTH_OF_ONE);
        assert!(tamed.contains("কথা"));
    }

    #[test]
    fn attribute_bombs_lose_their_attributes() {
        let bomb = format!("<p {}>কথা", (0..10_000).map(|i| format!("a{i}=1 ")).collect::<String>());
        assert_eq!(tame(&bomb), "<p>কথা");
    }

    #[test]
    fn what_nests_outside_of_its_parent_is_bounded_and_inside_it_is_not() {
        for name in ["rt", "rp", "rb", "rtc", "option", "optgroup", "div", "article", "blockquote", "q", "a", "ruby"] {
            let tag = format!("<{name}>");
            let tamed = tame(&format!("{}কথা", tag.repeat(50_000)));
            assert!(tamed.matches(&tag).count() <= MAX_DEPTH_OF_ONE, "{name}");
            assert!(tamed.contains("কথা"), "{name}");
        }
        let ruby = "<ruby>漢<rp>(<rt>কান<rp>)</ruby>".repeat(1000) + "<div>শেষ</div>";
        assert_eq!(tame(&ruby), ruby);
        let select = "<select><option>এক<option>দুই</select>".repeat(1000) + "<div>শেষ</div>";
        assert_eq!(tame(&select), select);
    }

    #[test]
    fn titles_are_cut() {
        let page = format!("<title x>{}</title><p>কথা", "শি<রোনাম ".repeat(10_000));
        let tamed = tame(&page);
        assert!(tamed.starts_with("<title>শি<রোনাম ") && tamed.ends_with("</title><p>কথা"), "{tamed}");
        assert!(tamed.chars().count() < MAX_TITLE + 40);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[<>/!a-c\"'= -ক\u{00e9}]{0,80}") {
            let _ = tame(&text);
        }
    }
}
