//! Which part of a page is its article: what its elements say, what Readability finds, what JSON-LD holds.
use super::{blocks, linked_data};
use crate::article::{Article, Block, BlockKind, plain};
use crate::lang::script::{Scripts, has_bengali};
use scraper::{ElementRef, Html, Selector};
use std::collections::{HashMap, HashSet};

/// A page with more tags than this is not given to Readability.
const READABLE_TAGS: usize = 40_000;
/// Nor is one with more headings: each is compared with the title, word by word.
const READABLE_HEADINGS: usize = 300;
/// Lines that were left out are named up to this number.
const NAMED: usize = 5;

/// The blocks of the page's main content.
pub(super) fn main_content(document: &Html, linked: &[serde_json::Value]) -> Vec<Block> {
    let whole = blocks::blocks(document.tree.root(), false);
    let mut readable = readable_content(document).unwrap_or_default();
    restore_kinds(&mut readable, &whole);
    let chosen = match marked_content(document) {
        // The page names its article, and Readability found less of it or something else.
        Some(marked) if prose(&readable) * 10 < prose(&marked) * 9 || overlap(&readable, &marked) < 0.5 => marked,
        None if prose(&readable) * 20 < prose(&whole) * 7 || readable.is_empty() => whole,
        _ => readable,
    };
    match linked_data::body(linked) {
        // What a script would put in, or what is behind "read on".
        Some(body) if prose(&chosen) * 10 < prose(&body) * 7 => body,
        _ => chosen,
    }
}

/// The smallest element that says of itself that it holds the article.
fn marked_content(document: &Html) -> Option<Vec<Block>> {
    ["[itemprop=articleBody]", "article", "main", "[role=main]"].iter().find_map(|css| {
        let selector = Selector::parse(css).ok()?;
        let found: Vec<ElementRef<'_>> = document.select(&selector).collect();
        // Teasers of other articles stand in elements of the same name, next to it or in it.
        let outer = found.iter().filter(|e| !found.iter().any(|other| e.ancestors().any(|a| a.id() == other.id())));
        let mut parts: Vec<Vec<Block>> = outer.map(|element| blocks::blocks(**element, false)).collect();
        if *css == "[itemprop=articleBody]" {
            // One article in several parts.
            let all: Vec<Block> = parts.into_iter().flatten().collect();
            return (prose(&all) > 0).then_some(all);
        }
        let total: usize = parts.iter().map(|part| prose(part)).sum();
        let largest = parts.iter().enumerate().max_by_key(|(_, part)| prose(part))?.0;
        let largest = parts.swap_remove(largest);
        (total > 0 && prose(&largest) * 2 > total).then_some(largest)
    })
}

/// Main content as Readability sees it in a page without its furniture, lest a long footer win.
fn readable_content(document: &Html) -> Option<Vec<Block>> {
    let mut document = document.clone();
    for id in blocks::furniture_of(&document) {
        if let Some(mut node) = document.tree.get_mut(id) {
            node.detach();
        }
    }
    let html = document.html();
    // It copies and walks the tree several times; no news page comes near this size.
    let is_heading = |tag: &&str| matches!(tag.as_bytes(), [b'h' | b'H', b'1' | b'2', ..]);
    let headings = html.split('<').skip(1).filter(is_heading).count();
    if html.matches('<').count() > READABLE_TAGS || headings > READABLE_HEADINGS {
        return None;
    }
    let config = dom_smoothie::Config { keep_classes: true, disable_json_ld: true, ..Default::default() };
    let mut readability = dom_smoothie::Readability::new(html, None, Some(config)).ok()?;
    let content = readability.parse().ok()?.content;
    let fragment = Html::parse_fragment(&content);
    Some(blocks::blocks(fragment.tree.root(), false))
}

/// Readability rewrites elements and loses what they were: a caption is one still.
fn restore_kinds(readable: &mut [Block], whole: &[Block]) {
    let kinds: HashMap<&str, BlockKind> = whole.iter().map(|block| (block.text.as_str(), block.kind)).collect();
    for block in readable.iter_mut().filter(|block| block.kind == BlockKind::Paragraph) {
        if kinds.get(block.text.as_str()) == Some(&BlockKind::Caption) {
            block.kind = BlockKind::Caption;
        }
    }
}

/// Characters of the blocks that read like prose and not like a list of links: long ones, and sentences of any length,
/// for a dialogue is made of short ones.
fn prose(blocks: &[Block]) -> usize {
    blocks.iter().map(letters_of_prose).sum()
}

fn letters_of_prose(block: &Block) -> usize {
    let letters = Scripts::of(&block.text).letters();
    let sentence = plain::ends_sentence(&block.text) || block.text.contains('।');
    if letters >= 60 || sentence || block.text.contains('\n') { letters } else { 0 }
}

/// The share of the prose of `some` that `all` has too.
fn overlap(some: &[Block], all: &[Block]) -> f64 {
    let known: HashSet<&str> = all.iter().map(|block| block.text.as_str()).collect();
    let shared: usize = some.iter().filter(|b| known.contains(b.text.as_str())).map(letters_of_prose).sum();
    shared as f64 / prose(some).max(1) as f64
}

/// Says (to who asked for it) how many lines of the page are not in the article, and which come first.
pub(super) fn say_what_was_left_out(document: &Html, article: &Article) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let mut kept: HashSet<&str> = article.blocks.iter().map(|block| block.text.as_str()).collect();
    kept.extend(article.title.as_deref());
    let all = blocks::blocks(document.tree.root(), true);
    let left: Vec<&str> =
        all.iter().map(|b| b.text.as_str()).filter(|text| has_bengali(text) && !kept.contains(text)).collect();
    if !left.is_empty() {
        let named: Vec<String> = left.iter().take(NAMED).map(|text| text.chars().take(60).collect()).collect();
        let more = if left.len() > NAMED { "; ..." } else { "" };
        tracing::info!(
            "{} lines of the page are left out as not being of the article (keep_furniture keeps them): {}{more}",
            left.len(),
            named.join("; ")
        );
    }
}
