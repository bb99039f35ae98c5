//! HTML: the main content of a page, or all of a fragment, as an article.
mod blocks;
mod choose;
mod elements;
mod guard;
mod linked_data;
mod markup;

#[cfg(feature = "feed")]
pub(crate) use guard::tame;

pub use markup::looks_like_html;
pub(crate) use markup::unescape;

use super::{Article, Block, Meta, ReadOptions, furniture};
use scraper::{ElementRef, Html, Selector};

/// The article in a page or in a fragment (the HTML body of a feed entry), without its furniture unless
/// [`ReadOptions::keep_furniture`] is set. Never fails: what holds no text gives an article without blocks.
///
/// A page's main content is found in the manner of Mozilla's Readability; where that loses prose that a semantic
/// element (`itemprop="articleBody"`, `<article>`, `<main>`) or the page's JSON-LD has, or has found another part of the
/// page than they name, theirs is taken instead.
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
        choose::main_content(&document, &linked_data::objects(&document))
    } else {
        blocks::blocks(document.tree.root(), options.keep_furniture)
    };
    if article.title.is_none() && page {
        article.title = take_first_heading(&mut article.blocks);
    }
    furniture::clean(&mut article, options);
    if page && !options.keep_furniture {
        choose::say_what_was_left_out(&document, &article);
    }
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
    let json = linked_data::objects(document);
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
