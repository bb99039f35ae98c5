//! An entry as its feed has it → an [`Article`].
use super::{BadEntry, BodyKind, Entry};
use crate::article::html::{looks_like_html, unescape};
use crate::article::{self, Article, Block, BlockKind, Format, ReadOptions};
use crate::lang::{Words, tables};

/// Deepest nesting of tags that is handed to the HTML library; real pages stay far below, bombs do not.
const MAX_DEPTH: usize = 512;

/// Longest title, in bytes as the feed has it and in characters of its text; what is longer is cut.
const MAX_RAW_TITLE: usize = 16 << 10;
const MAX_TITLE: usize = 4000;

/// Interprets the body of an entry. What the feed says of title, author and date wins over what the body says.
pub fn to_article(entry: Entry) -> Result<(super::Place, Article), BadEntry> {
    let Entry { place, title, body, kind, meta } = entry;
    if let Some(row) = &meta.row {
        let article = super::table::article(row, &meta);
        return Ok((place, article));
    }
    let (body, kind) = escaped_once_too_often(body, kind);
    let bad = |reason: String| BadEntry { place: place.clone(), reason };
    let format = match kind {
        BodyKind::Html => Format::Html,
        BodyKind::Markdown => Format::Markdown,
        BodyKind::Unknown if looks_like_html(&body) => Format::Html,
        BodyKind::Text | BodyKind::Unknown => Format::Plain,
    };
    if format == Format::Html {
        check_depth(&body).map_err(bad)?;
    }
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let mut article = match article::parse(body.as_bytes(), "the entry", &options) {
        Ok(article) => article,
        Err(error) => return Err(bad(error.to_string())),
    };
    if let Some(title) = title.map(|t| plain_title(&t)).filter(|t| !t.is_empty()) {
        let own = article.title.replace(title.clone());
        // A first line that was taken for a title is text, unless it says the title again; a page's title is not.
        if let Some(text) = own.filter(|own| format != Format::Html && *own != title) {
            let block = Block { kind: BlockKind::Heading { level: 2 }, text, range: 0..0 };
            article.blocks.insert(0, block);
        }
    }
    article.meta = meta;
    if article.blocks.iter().all(|b| b.text.trim().is_empty()) {
        return Err(bad("the entry has no text".into()));
    }
    Ok((place, article))
}

/// A bomb of nested tags is told by counting, before any tree is built.
fn check_depth(html: &str) -> Result<(), String> {
    let (mut depth, mut most) = (0usize, 0usize);
    for tag in html.split('<').skip(1) {
        match tag.as_bytes().first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(c) if c.is_ascii_alphabetic() && !is_void(tag) => depth += 1,
            _ => {}
        }
        most = most.max(depth);
    }
    // Unclosed <p> and <li> are common and harmless: the parser closes them itself.
    let implied = html.matches("<p>").count() + html.matches("<li>").count();
    if most > MAX_DEPTH + implied {
        return Err(format!("the HTML is nested {most} tags deep: no article is; it was not read"));
    }
    Ok(())
}

fn is_void(tag: &str) -> bool {
    const VOID: [&str; 10] = ["br", "img", "hr", "input", "meta", "link", "wbr", "source", "col", "area"];
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("").to_ascii_lowercase();
    VOID.contains(&name.as_str()) || tag.split('>').next().is_some_and(|t| t.ends_with('/'))
}

/// HTML that was escaped twice looks like text with `&lt;p&gt;` in it. It is told from an article about HTML by having
/// no tag of its own and being marked up from its first or to its last character, or in paragraphs and lines.
fn escaped_once_too_often(mut body: String, kind: BodyKind) -> (String, BodyKind) {
    if matches!(kind, BodyKind::Text | BodyKind::Markdown) {
        return (body, kind);
    }
    let mut found = kind;
    // Three times is the most that anything was seen with.
    for _ in 0..3 {
        if looks_like_html(&body) || !is_escaped_html(&body) {
            break;
        }
        body = unescape(&body);
        found = BodyKind::Html;
    }
    // Text of a feed with references in it and no tags: only the references are read.
    if found == BodyKind::Unknown && !looks_like_html(&body) && has_reference(&body) {
        body = body.split('\n').map(unescape).collect::<Vec<_>>().join("\n");
        found = BodyKind::Text;
    }
    (body, found)
}

fn is_escaped_html(body: &str) -> bool {
    let text = body.trim().to_ascii_lowercase().replace("&amp;lt;", "&lt;").replace("&amp;gt;", "&gt;");
    static TAGS: Words = Words::new(tables::HTML_ELEMENTS, "escaped");
    let opens = |tag: &&str| {
        text.match_indices("&lt;").any(|(at, _)| {
            let rest = &text[at + 4..];
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            rest.strip_prefix(*tag).is_some_and(|rest| rest.starts_with([' ', '/', '\n']) || rest.starts_with("&gt;"))
        })
    };
    let framed = text.starts_with("&lt;") || text.ends_with("&gt;");
    let structured = ["&lt;/p&gt;", "&lt;br&gt;", "&lt;br/&gt;", "&lt;br /&gt;"].iter().any(|tag| text.contains(tag));
    (framed || structured) && TAGS.longest_first().iter().any(opens)
}

/// A reference of HTML: `&nbsp;`, `&#2453;`.
fn has_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = &text[at + 1..];
        rest.find(';').is_some_and(|end| {
            let name = rest[..end].strip_prefix('#').unwrap_or(&rest[..end]);
            (2..=8).contains(&end) && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    })
}

/// A title as text: feeds put escaped HTML into it, some of them twice. No title fills pages; markup
/// that tries to is cut before anything is built of it.
fn plain_title(title: &str) -> String {
    let mut end = title.len().min(MAX_RAW_TITLE);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    let mut text = title[..end].to_owned();
    // Not in the middle of a tag.
    let open = text.rfind('<').filter(|&at| end < title.len() && !text[at..].contains('>'));
    text.truncate(open.unwrap_or(text.len()));
    for _ in 0..2 {
        if text.contains('<') && looks_like_tags(&text) {
            text = scraper::Html::parse_fragment(&article::html::tame(&text)).root_element().text().collect::<String>();
        } else if has_reference(&text) {
            text = unescape(&text);
        }
    }
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(MAX_TITLE) {
        text.truncate(end);
    }
    text
}

/// A tag, and not a `<` that means "less than".
fn looks_like_tags(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!')
            && text[at..].contains('>')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Vec<String> {
        let entry = Entry { body: text.into(), title: Some("শিরোনাম".into()), ..Entry::default() };
        let (_, article) = to_article(entry).expect("an article");
        article.blocks.into_iter().map(|b| b.text).collect()
    }

    #[test]
    fn html_that_was_escaped_again_is_html() {
        for text in [
            "&lt;p&gt;ঢাকায় বৃষ্টি হয়েছে।&lt;/p&gt;&lt;p&gt;খুলনায় ঝড়।&lt;/p&gt;",
            "&amp;lt;p&amp;gt;ঢাকায় বৃষ্টি হয়েছে।&amp;lt;/p&amp;gt;&amp;lt;p&amp;gt;খুলনায় ঝড়।&amp;lt;/p&amp;gt;",
            "ঢাকায় বৃষ্টি হয়েছে।&lt;br/&gt;খুলনায় ঝড়।",
            "&lt;div class=&quot;a&quot;&gt;ঢাকায় বৃষ্টি হয়েছে।&lt;/div&gt;খুলনায় ঝড়।",
        ] {
            assert_eq!(body(text), ["ঢাকায় বৃষ্টি হয়েছে।", "খুলনায় ঝড়।"], "{text}");
        }
        assert_eq!(body("ঢাকায়&nbsp;বৃষ্টি &quot;ভারী&quot; ও R&amp;D।"), ["ঢাকায় বৃষ্টি \"ভারী\" ও R&D।"]);
    }

    #[test]
    fn code_keeps_its_text() {
        let text = "<p>পাতা বানাতে <code>&lt;div class=\"a\"&gt;</code> লিখতে হয়।</p>";
        assert_eq!(body(text), ["পাতা বানাতে <div class=\"a\"> লিখতে হয়।"]);
        assert_eq!(body("এখানে &lt;div&gt; লিখতে হয়।"), ["এখানে <div> লিখতে হয়।"]);
        assert_eq!(body("এখানে ৫ < ১০ সত্য।"), ["এখানে ৫ < ১০ সত্য।"]);
    }

    #[test]
    fn titles_lose_their_markup_and_keep_their_signs() {
        for (title, want) in [
            ("পাঠাগার &amp; বই", "পাঠাগার & বই"),
            ("পাঠাগার &amp;amp; বই", "পাঠাগার & বই"),
            ("&lt;b&gt;ঝড়&lt;/b&gt;", "ঝড়"),
            ("৫ < ১০ ও A&B", "৫ < ১০ ও A&B"),
        ] {
            assert_eq!(plain_title(title), want);
        }
    }

    #[test]
    fn titles_are_text_and_bounded() {
        assert_eq!(plain_title("বৃষ্টি &amp; <b>ঝড়</b>\n আজ"), "বৃষ্টি & ঝড় আজ");
        assert_eq!(plain_title(&"ক".repeat(100_000)).chars().count(), MAX_TITLE);
        // Unclosed tags cost the square of their number, and a title had no bound on them.
        let bomb = format!("শিরোনাম{}", "<div a=1>".repeat(2_000_000));
        assert_eq!(plain_title(&bomb), "শিরোনাম");
    }
}
