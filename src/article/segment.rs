//! An article as the sentences that a model translates, and a block put together again from them.
use super::labels;
use super::{Article, Block, BlockKind};
use crate::lang::digits::to_latin;
use crate::lang::normalize;
use crate::lang::script::{Scripts, is_bengali};
use crate::text::sentence;
use std::ops::Range;

/// One piece of text that is translated at once, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Index of the block in the article; `None` is the title.
    pub block: Option<usize>,
    /// Index of the sentence within its block.
    pub sentence: usize,
    /// The sentence, trimmed, in its original spelling.
    pub text: String,
    /// Bytes of the block's text (or of the title) that the sentence covers.
    pub range: Range<usize>,
}

/// Below this share of Bengali among the letters a sentence counts as English already.
const BENGALI_SHARE: f64 = 0.12;

/// The sentences of an article, the title's first, in order. Blocks that are passed through whole
/// ([`BlockKind::Verbatim`]) and labels that are known by heart ("তথ্য সূত্র:") give none.
pub fn segments(article: &Article) -> Vec<Segment> {
    let mut out = Vec::new();
    if let Some(title) = &article.title {
        append(&mut out, None, title, &block_ranges(BlockKind::Heading { level: 1 }, title));
    }
    for (index, Block { kind, text, .. }) in article.blocks.iter().enumerate() {
        append(&mut out, Some(index), text, &block_ranges(*kind, text));
    }
    out
}

fn append(out: &mut Vec<Segment>, block: Option<usize>, text: &str, ranges: &[Range<usize>]) {
    for (index, range) in ranges.iter().enumerate() {
        out.push(Segment { block, sentence: index, text: text[range.clone()].to_string(), range: range.clone() });
    }
}

/// Byte ranges of a block's sentences.
fn block_ranges(kind: BlockKind, text: &str) -> Vec<Range<usize>> {
    let shifted = |from: usize, part: &str| -> Vec<Range<usize>> {
        sentence::split(part).into_iter().map(|r| r.start + from..r.end + from).collect()
    };
    match kind {
        BlockKind::Verbatim => Vec::new(),
        BlockKind::TableRow => {
            let mut from = 0;
            let mut out = Vec::new();
            for cell in text.split('\t') {
                out.extend(shifted(from, cell));
                from += cell.len() + 1;
            }
            out
        }
        BlockKind::SourceLine | BlockKind::Caption => {
            let from = label(text).map_or(0, |(end, _)| end);
            shifted(from, &text[from..])
        }
        // Verse: each line by itself.
        _ => {
            let mut from = 0;
            let mut out = Vec::new();
            for line in text.split('\n') {
                out.extend(shifted(from, line));
                from += line.len() + 1;
            }
            out
        }
    }
}

/// The known label at the start of a source line or caption: the byte after it and its colon, and its English.
fn label(text: &str) -> Option<(usize, &'static str)> {
    let whole = text.trim().trim_end_matches(['।', '.']).trim_matches(['(', ')', '[', ']']);
    let whole = normalize::canonical(whole).replace(" :", ":");
    if let Some(english) = labels::line(&whole) {
        return Some((text.len(), english));
    }
    labels::of("label").find_map(|(bengali, english)| {
        let rest = text.strip_prefix(bengali)?;
        let value = rest.trim_start().strip_prefix([':', 'ঃ', '-', '–', '—'])?;
        Some((text.len() - value.len(), english))
    })
}

/// Whether a sentence is to be translated: it has Bengali in it, and not just a word in an English sentence.
pub fn needs_translation(text: &str) -> bool {
    if super::headings::english(text).is_some() {
        return false;
    }
    // A hashtag is not translated, and neither is an address, whatever its letters.
    let scripts = Scripts::of(&crate::text::tokens::without(text));
    scripts.bengali > 0 && scripts.bengali_share() >= BENGALI_SHARE
}

/// What stands for a sentence that needs no translation: English untouched, Bengali digits and dandas as English has
/// them.
pub fn passed_through(text: &str) -> String {
    if let Some(english) = super::headings::english(text) {
        return english;
    }
    if text.chars().any(is_bengali) { text.to_string() } else { to_latin(text).replace(['।', '॥'], ".") }
}

/// The English text of a block from its sentences' translations, with their byte ranges in the Bengali text, in order.
/// Sentences are joined with a space, table cells with the tabs that were there; labels get their English. A block
/// without sentences keeps its text.
pub fn assemble(kind: BlockKind, source: &str, pieces: &[(Range<usize>, &str)]) -> String {
    if kind == BlockKind::Verbatim {
        return source.to_string();
    }
    let known = matches!(kind, BlockKind::SourceLine | BlockKind::Caption).then(|| label(source)).flatten();
    let mut out = String::new();
    if let Some((end, english)) = known {
        out.push_str(english);
        if end < source.len() && !pieces.is_empty() {
            out.push(':');
        }
    } else if pieces.is_empty() {
        return passed_through(source);
    }
    let mut previous = 0;
    for (range, text) in pieces {
        let tabs = if kind == BlockKind::TableRow { tabs(source, previous..range.start) } else { 0 };
        let new_line = source.get(previous..range.start).is_some_and(|gap| gap.contains('\n'));
        match tabs {
            0 if new_line && !out.is_empty() => out.push('\n'),
            0 if out.is_empty() || text.is_empty() => {}
            0 => out.push(' '),
            _ => out.push_str(&"\t".repeat(tabs)),
        }
        out.push_str(text);
        previous = range.end;
    }
    if kind == BlockKind::TableRow {
        out.push_str(&"\t".repeat(tabs(source, previous..source.len())));
    }
    out
}

fn tabs(source: &str, range: Range<usize>) -> usize {
    source.as_bytes().get(range).map_or(0, |gap| gap.iter().filter(|&&b| b == b'\t').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: BlockKind, text: &str) -> Block {
        Block { kind, text: text.into(), range: 0..0 }
    }

    fn article() -> Article {
        Article {
            title: Some("যুদ্ধ গভীর! কে যাচ্ছে?".into()),
            blocks: vec![
                block(BlockKind::Paragraph, "প্রথম বাক্য। দ্বিতীয় বাক্য।"),
                block(BlockKind::TableRow, "সাল\t\tধান। গম।\t"),
                block(BlockKind::Verbatim, "ls। -l।"),
                block(BlockKind::SourceLine, "তথ্য সূত্র: সিএনএন"),
                block(BlockKind::Caption, "ফাইল ছবি"),
            ],
            ..Article::default()
        }
    }

    #[test]
    fn every_sentence_knows_its_place() {
        let article = article();
        let segments = segments(&article);
        let found: Vec<_> = segments.iter().map(|s| (s.block, s.sentence, s.text.as_str())).collect();
        assert_eq!(
            found,
            [
                (None, 0, "যুদ্ধ গভীর!"),
                (None, 1, "কে যাচ্ছে?"),
                (Some(0), 0, "প্রথম বাক্য।"),
                (Some(0), 1, "দ্বিতীয় বাক্য।"),
                (Some(1), 0, "সাল"),
                (Some(1), 1, "ধান।"),
                (Some(1), 2, "গম।"),
                (Some(3), 0, "সিএনএন"),
            ]
        );
        for s in &segments {
            let text = s.block.map_or(article.title.as_deref().unwrap_or(""), |b| &article.blocks[b].text);
            assert_eq!(&text[s.range.clone()], s.text);
        }
    }

    #[test]
    fn blocks_are_put_together_again() {
        let article = article();
        let segments = segments(&article);
        let english = |index: usize, words: &[&str]| {
            let ranges = segments.iter().filter(|s| s.block == Some(index)).map(|s| s.range.clone());
            let pieces: Vec<_> = ranges.zip(words.iter().copied()).collect();
            assemble(article.blocks[index].kind, &article.blocks[index].text, &pieces)
        };
        assert_eq!(english(0, &["First.", "Second."]), "First. Second.");
        assert_eq!(english(1, &["Year", "Rice.", "Wheat."]), "Year\t\tRice. Wheat.\t");
        assert_eq!(english(2, &[]), "ls। -l।");
        assert_eq!(english(3, &["CNN"]), "Source: CNN");
        assert_eq!(english(4, &[]), "File photo");
    }

    #[test]
    fn lines_of_verse_stay_lines() {
        let article =
            Article { blocks: vec![block(BlockKind::Quote, "এক\nদুই। তিন")], ..Article::default() };
        let segments = segments(&article);
        assert_eq!(segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(), ["এক", "দুই।", "তিন"]);
        let pieces: Vec<_> = segments.iter().map(|s| s.range.clone()).zip(["One", "Two.", "Three"]).collect();
        assert_eq!(assemble(BlockKind::Quote, &article.blocks[0].text, &pieces), "One\nTwo. Three");
    }

    #[test]
    fn english_passes_through() {
        assert!(!needs_translation("This is already English, by BBC News."));
        assert!(!needs_translation("He shouted ‘জয়’ and the whole crowd answered him at once."));
        assert!(!needs_translation("২০২৪ – ১২%"));
        assert!(needs_translation("WHO জানিয়েছে, COVID-19 শেষ।"));
        assert_eq!(passed_through("২০২৪ – ১২%"), "2024 – 12%");
    }
}
