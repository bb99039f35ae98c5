//! An entry as its feed has it → an [`Article`].
use super::{BadEntry, BodyKind, Entry};
use crate::Error;
use crate::article::{self, Article, Block, BlockKind, Format, ReadOptions};

/// Deepest nesting of tags that is handed to the HTML library; real pages stay far below, bombs do not.
const MAX_DEPTH: usize = 512;

/// Longest title, in bytes as the feed has it and in characters of its text; what is longer is cut.
const MAX_RAW_TITLE: usize = 16 << 10;
const MAX_TITLE: usize = 4000;

/// The text has tags in it.
pub fn looks_like_html(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["</", "<br", "<p>", "<p ", "<img ", "<div", "<!doctype html"].iter().any(|tag| lower.contains(tag))
}

/// Interprets the body of an entry. What the feed says of title, author and date wins over what the body says.
pub fn to_article(entry: Entry) -> Result<(super::Place, Article), BadEntry> {
    let Entry { place, title, body, kind, meta } = entry;
    if let Some(row) = &meta.row {
        let article = super::table::article(row, &meta);
        return Ok((place, article));
    }
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
        Err(Error::Input(reason)) => return Err(bad(reason)),
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

/// A title as text: feeds put escaped HTML into it. No title fills pages; markup that tries to is cut before anything
/// is built of it.
fn plain_title(title: &str) -> String {
    let mut end = title.len().min(MAX_RAW_TITLE);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    let title = &title[..end];
    let text = if title.contains(['<', '&']) {
        let tamed = article::html::tame(title);
        scraper::Html::parse_fragment(&tamed).root_element().text().collect::<String>()
    } else {
        title.to_owned()
    };
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(MAX_TITLE) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_text_and_bounded() {
        assert_eq!(plain_title("বৃষ্টি &amp; <b>ঝড়</b>\n আজ"), "বৃষ্টি & ঝড় আজ");
        assert_eq!(plain_title(&"ক".repeat(100_000)).chars().count(), MAX_TITLE);
        // Unclosed tags cost the square of their number, and a title had no bound on them.
        let bomb = format!("শিরোনাম{}", "<div a=1>".repeat(2_000_000));
        assert_eq!(plain_title(&bomb), "শিরোনাম");
    }
}
