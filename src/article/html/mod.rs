//! HTML: the main content of a page, or all of a fragment, as an article.
mod blocks;
mod guard;

pub(crate) use guard::tame;

use super::{Article, Block, Meta, ReadOptions, furniture};
use crate::text::script::Scripts;
use scraper::{ElementRef, Html, Selector};

/// A page with more tags than this is not given to Readability.
const READABLE_TAGS: usize = 40_000;
/// Nor is one with more headings: each is compared with the title, word by word.
const READABLE_HEADINGS: usize = 300;

/// The article in a page or in a fragment (the HTML body of a feed entry), without its furniture unless
/// [`ReadOptions::keep_furniture`] is set. Never fails: what holds no text gives an article without blocks.
///
/// A page's main content is found in the manner of Mozilla's Readability; where that loses prose that a semantic
/// element (`itemprop="articleBody"`, `<article>`, `<main>`) has, the element is taken instead.
pub fn extract(html: &str, options: &ReadOptions) -> Article {
    let tamed = guard::tame(html);
    let document = Html::parse_document(&tamed);
    let page = is_page(html);
    let mut article = Article { title: None, blocks: Vec::new(), meta: Meta::default() };
    if page {
        article.title = title(&document);
        article.meta = meta(&document);
    }
    article.blocks = if page && !options.keep_furniture {
        main_content(&document, &tamed)
    } else {
        blocks::blocks(document.tree.root(), options.keep_furniture)
    };
    if article.title.is_none() && page {
        article.title = take_first_heading(&mut article.blocks);
    }
    furniture::clean(&mut article, options);
    article
}

/// Whether this is a whole page and not a fragment.
fn is_page(html: &str) -> bool {
    let bytes = html.as_bytes();
    let head = &bytes[..bytes.len().min(8192)];
    ["<!doctype", "<html", "<head", "<body"].iter().any(|tag| find_ignoring_case(head, tag.as_bytes()))
}

fn find_ignoring_case(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window.eq_ignore_ascii_case(what))
}

/// The blocks of the page's main content.
fn main_content(document: &Html, tamed: &str) -> Vec<Block> {
    let whole = blocks::blocks(document.tree.root(), false);
    let marked = marked_content(document);
    let readable = readable_content(tamed).unwrap_or_default();
    match marked {
        Some(marked) if prose(&readable) * 10 < prose(&marked) * 9 => marked,
        None if prose(&readable) * 20 < prose(&whole) * 7 || readable.is_empty() => whole,
        _ => readable,
    }
}

/// The smallest element that says of itself that it holds the article.
fn marked_content(document: &Html) -> Option<Vec<Block>> {
    ["[itemprop=articleBody]", "article", "main", "[role=main]"].iter().find_map(|css| {
        let selector = Selector::parse(css).ok()?;
        let mut found = document.select(&selector);
        let only = found.next().filter(|_| found.next().is_none())?;
        let blocks = blocks::blocks(*only, false);
        (prose(&blocks) > 0).then_some(blocks)
    })
}

/// Main content as Readability sees it.
fn readable_content(tamed: &str) -> Option<Vec<Block>> {
    // It copies and walks the tree several times; no news page comes near this size.
    let is_heading = |tag: &&str| matches!(tag.as_bytes(), [b'h' | b'H', b'1' | b'2', ..]);
    let headings = tamed.split('<').skip(1).filter(is_heading).count();
    if tamed.matches('<').count() > READABLE_TAGS || headings > READABLE_HEADINGS {
        return None;
    }
    let config = dom_smoothie::Config { keep_classes: true, disable_json_ld: true, ..Default::default() };
    let mut readability = dom_smoothie::Readability::new(tamed, None, Some(config)).ok()?;
    let content = readability.parse().ok()?.content;
    let fragment = Html::parse_fragment(&content);
    Some(blocks::blocks(fragment.tree.root(), false))
}

/// Characters of the blocks that read like prose and not like a list of links.
fn prose(blocks: &[Block]) -> usize {
    let counts = blocks.iter().map(|block| {
        let letters = Scripts::of(&block.text).letters();
        let sentence = super::plain::ends_sentence(&block.text) || block.text.contains('।');
        if letters >= 60 || (letters >= 12 && sentence) { letters } else { 0 }
    });
    counts.sum()
}

/// The headline: `<h1>` where og:title agrees with it, else og:title, else the only `<h1>`, else `<title>` without the
/// site's name.
fn title(document: &Html) -> Option<String> {
    let headings: Vec<String> = select(document, "h1").map(text_of).filter(|text| !text.is_empty()).collect();
    let og = meta_content(document, &["og:title", "twitter:title"]);
    if let Some(og) = og {
        let agreed = headings.iter().find(|h| og.starts_with(h.as_str()) || h.starts_with(og.as_str()));
        return Some(agreed.cloned().unwrap_or_else(|| without_site_name(&og)));
    }
    if let [only] = headings.as_slice() {
        return Some(only.clone());
    }
    let title = select(document, "title").map(text_of).find(|text| !text.is_empty())?;
    let agreed = headings.into_iter().find(|h| title.contains(h.as_str()));
    Some(agreed.unwrap_or_else(|| without_site_name(&title)))
}

/// "Headline | Site" → "Headline".
fn without_site_name(title: &str) -> String {
    for separator in [" | ", " || ", " :: ", " » ", " – ", " — ", " - "] {
        if let Some((head, _)) = title.rsplit_once(separator)
            && head.chars().count() >= 12
        {
            return head.trim().to_string();
        }
    }
    title.to_string()
}

/// Date, author and address, where the page states them.
fn meta(document: &Html) -> Meta {
    let time = select(document, "time[datetime], [itemprop=datePublished]")
        .find_map(|e| e.attr("datetime").or(e.attr("content")).map(|d| d.trim().to_string()));
    let json = json_ld(document);
    let from_json = |key: &str| json.iter().find_map(|value| value.get(key)?.as_str().map(str::to_string));
    let json_author = json.iter().find_map(|value| {
        let author = value.get("author")?;
        let author = author.get(0).unwrap_or(author);
        author.get("name").unwrap_or(author).as_str().map(str::to_string)
    });
    Meta {
        date: meta_content(document, &["article:published_time", "datePublished", "date", "pubdate"])
            .or_else(|| from_json("datePublished"))
            .or(time),
        author: meta_content(document, &["author", "article:author"])
            .filter(|author| !author.starts_with("http"))
            .or(json_author),
        url: select(document, "link[rel=canonical]")
            .find_map(|e| e.attr("href").map(str::to_string))
            .or_else(|| meta_content(document, &["og:url"])),
        ..Meta::default()
    }
}

/// All objects of the page's JSON-LD, one level of lists and `@graph` taken apart.
fn json_ld(document: &Html) -> Vec<serde_json::Value> {
    let mut objects = Vec::new();
    for script in select(document, "script[type=\"application/ld+json\"]") {
        let text: String = script.text().collect();
        match serde_json::from_str(&text) {
            Ok(serde_json::Value::Array(list)) => objects.extend(list),
            Ok(value) => match value.get("@graph").and_then(|graph| graph.as_array()) {
                Some(graph) => objects.extend(graph.iter().cloned()),
                None => objects.push(value),
            },
            Err(_) => {}
        }
    }
    objects
}

fn meta_content(document: &Html, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        select(document, "meta[content]")
            .find(|e| ["property", "name", "itemprop"].iter().any(|key| e.attr(key) == Some(name)))
            .and_then(|e| e.attr("content"))
            .map(|content| content.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|content| !content.is_empty())
    })
}

/// Elements by a selector that is known to be valid (an invalid one selects nothing).
fn select<'a>(document: &'a Html, css: &str) -> impl Iterator<Item = ElementRef<'a>> {
    let found: Vec<_> = Selector::parse(css).map(|s| document.select(&s).collect()).unwrap_or_default();
    found.into_iter()
}

fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page without any title: its first heading, if the content begins with it.
fn take_first_heading(blocks: &mut Vec<Block>) -> Option<String> {
    let first = blocks.first()?;
    matches!(first.kind, super::BlockKind::Heading { .. }).then(|| blocks.remove(0).text)
}

#[cfg(test)]
mod tests;
