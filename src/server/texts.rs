//! Texts that belong to no article, as LibreTranslate's clients send them: white space stays, markup stays.
use super::desk::Client;
use crate::Result;
use crate::article::{Article, Block, BlockKind};
use crate::decode::DecodeOptions;
use crate::engine::{Job, Translate};
use crate::lang::normalize;
use crate::pipeline::{self, PipelineOptions, finish::tidy};
use crate::summary::Makers;
use scraper::{Html, Node};

/// Elements whose text is no prose.
const SILENT: [&str; 6] = ["script", "style", "noscript", "template", "code", "pre"];

/// Each text in English, line by line.
pub fn translate(client: &Client, texts: &[String], options: &PipelineOptions) -> Result<Vec<String>> {
    let options = PipelineOptions { summary: None, ..options.clone() };
    let mut blocks = Vec::new();
    for line in texts.iter().flat_map(|text| text.split('\n')).filter(|line| !line.trim().is_empty()) {
        blocks.push(Block { kind: BlockKind::Paragraph, text: line.trim().to_owned(), range: 0..0 });
    }
    let prepared = pipeline::prepare(Article { blocks, ..Article::default() });
    let done = pipeline::translate(client, &prepared, &options, &Makers::default(), &mut |_| !client.is_gone())?;
    let mut english = done.article.blocks.into_iter().map(|b| b.text);
    let mut line = |line: &str| {
        let bare = line.trim();
        if bare.is_empty() {
            return line.to_owned();
        }
        let (before, after) = line.split_once(bare).unwrap_or_default();
        format!("{before}{}{after}", english.next().unwrap_or_default())
    };
    Ok(texts.iter().map(|text| text.split('\n').map(&mut line).collect::<Vec<_>>().join("\n")).collect())
}

/// Pieces of HTML in English: what stands between tags is translated, the tags stay. (A sentence that a tag divides is
/// translated in parts; whole pages are better read as articles.)
pub fn translate_html(client: &Client, pieces: &[String], options: &PipelineOptions) -> Result<Vec<String>> {
    let mut trees: Vec<(Html, bool)> = pieces
        .iter()
        .map(|piece| {
            let start = piece.trim_start().get(..9).unwrap_or("").to_ascii_lowercase();
            let whole = start.starts_with("<!doctype") || start.starts_with("<html");
            (if whole { Html::parse_document(piece) } else { Html::parse_fragment(piece) }, whole)
        })
        .collect();
    let mut places = Vec::new();
    let mut texts = Vec::new();
    for (at, (tree, _)) in trees.iter().enumerate() {
        for node in tree.tree.nodes() {
            let Node::Text(text) = node.value() else { continue };
            let silent = node
                .ancestors()
                .any(|a| a.value().as_element().is_some_and(|element| SILENT.contains(&element.name())));
            if !silent && !text.trim().is_empty() {
                places.push((at, node.id()));
                // A line break within a paragraph means no more than a space.
                texts.push(text.replace('\n', " "));
            }
        }
    }
    for ((at, id), english) in places.into_iter().zip(translate(client, &texts, options)?) {
        if let Some(mut node) = trees[at].0.tree.get_mut(id)
            && let Node::Text(text) = node.value()
        {
            text.text = english.as_str().into();
        }
    }
    Ok(trees.iter().map(|(tree, whole)| if *whole { tree.html() } else { tree.root_element().inner_html() }).collect())
}

/// Up to so many other translations of each text, by a wider search.
pub fn alternatives(
    client: &Client,
    texts: &[String],
    count: usize,
    options: &PipelineOptions,
) -> Result<Vec<Vec<String>>> {
    let usual = client.decode_options();
    let decode = DecodeOptions { beams: (count + 1).max(usual.beams), alternatives: count, sampling: None, ..usual };
    let mut found = vec![Vec::new(); texts.len()];
    let mut jobs = texts.iter().enumerate().map(|(i, text)| Job {
        id: i as u64,
        text: normalize::canonical(text),
        options: Some(decode.clone()),
    });
    client.translate_stream(&mut jobs, &mut |id, outcome| {
        if let (Ok(outcome), Some(place)) = (outcome, found.get_mut(id as usize)) {
            let others = outcome.alternatives.iter().map(|(text, _)| tidy(&texts[id as usize], text, options));
            *place = others.take(count).collect();
        }
        true
    })?;
    Ok(found)
}
