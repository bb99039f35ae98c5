//! The article's most telling sentences, chosen without a model.
//!
//! Each sentence is scored by what it says (LexRank centrality, overlap with the headline, numbers, names), where
//! it stands and how it is made; then the best are taken one by one, each against what is already said by those
//! taken before it (maximal marginal relevance, Carbonell and Goldstein 1998). The weights were found on half of
//! the BNLPC articles (`scripts/eval-summaries.py` reports both halves), inside bounds that keep them sensible.
use super::SummaryOptions;
use super::bengali;
use super::vectors::{Vectors, stems_of};
use crate::article::Segment;
use crate::article::{Article, BlockKind};
use std::collections::HashSet;

/// Weights of the features, in units of the score.
mod weight {
    pub const CENTRALITY: f64 = 0.66;
    pub const HEADLINE_COSINE: f64 = 0.1;
    pub const HEADLINE_COVERED: f64 = 0.4;
    pub const FIRST: f64 = 0.7;
    pub const EARLY: f64 = 0.15;
    pub const LENGTH: f64 = 1.5;
    pub const SHORT: f64 = -1.0;
    pub const LONG: f64 = -0.1;
    pub const NUMBERS: f64 = 0.5;
    pub const NAMES: f64 = 0.2;
    pub const QUOTE: f64 = -0.2;
    pub const OPEN_QUOTE: f64 = -0.3;
    pub const LEANS_BACK: f64 = -0.2;
    /// Needs the sentence before it, which is not in the summary. Not found on those articles, whose human summaries
    /// are full of such sentences: a reader who does not know the article stumbles over them.
    pub const ALONE: f64 = -0.5;
    pub const LIST: f64 = -0.55;
    pub const QUESTION: f64 = -0.4;
    pub const ASIDE: f64 = -0.6;
    /// Not found on those articles, which have no translation: about what a lead or a middling length is worth.
    pub const DOUBTFUL: f64 = -0.6;
    /// How much a sentence loses for being like one already taken.
    pub const REDUNDANCY: f64 = 0.5;
}

/// Words from which a sentence gains nothing more by its length.
const FULL_LENGTH: usize = 30;
const TOO_SHORT: usize = 7;
const TOO_LONG: usize = 40;
/// Likeness to a sentence already taken from which this one is its repetition.
const REPEATED: f64 = 0.75;

/// Chooses the sentences of a summary: indices into `segments`, in the article's order.
///
/// Headings, captions, source lines, tables and the title are never chosen unless there is nothing else;
/// neither is a sentence that only repeats the headline. The same input gives the same choice.
/// With [`super::Length::Words`] the Bengali words are counted; see [`select_by`].
pub fn select(article: &Article, segments: &[Segment], options: &SummaryOptions) -> Vec<usize> {
    select_by(article, segments, options, &|_| 0.0, |i| segments[i].text.split_whitespace().count())
}

/// As [`select`], with the caller's own count of a sentence's words (of its translation, say) and what it knows of
/// sentences that had better not be chosen (badly translated ones).
pub fn select_by(
    article: &Article,
    segments: &[Segment],
    options: &SummaryOptions,
    doubt: &dyn Fn(usize) -> f64,
    count_words: impl Fn(usize) -> usize,
) -> Vec<usize> {
    let wanted = match options.style {
        super::Style::Headline => 1,
        _ => options.length.sentences(segments.iter().filter(|s| s.block.is_some()).count()),
    };
    let ranked = rank(article, segments, doubt).take(wanted, options.length.words().is_some());
    let most = options.length.words();
    let mut chosen: Vec<usize> = Vec::new();
    let mut words = 0;
    for &i in &ranked {
        let more = count_words(i);
        // The first may be a fifth longer than asked for: "about so many words".
        let room = most.map(|most| if chosen.is_empty() { most + most / 5 } else { most });
        if room.is_some_and(|room| words + more > room) {
            continue;
        }
        chosen.push(i);
        words += more;
        if chosen.len() == wanted {
            break;
        }
    }
    if chosen.is_empty() {
        chosen.extend(ranked.iter().copied().min_by_key(|&i| count_words(i)));
    }
    chosen.sort_unstable();
    chosen
}

/// The sentences that may stand in a summary, with their scores.
struct Ranking {
    /// Indices into the segments; row `k` of the vectors is candidate `k`.
    candidates: Vec<usize>,
    scores: Vec<f64>,
    /// Candidates that need the one before them to be understood.
    leaning: Vec<bool>,
    vectors: Vectors,
}

impl Ranking {
    /// The best `wanted` candidates in the order they are taken, or all of them where a word budget decides.
    fn take(self, wanted: usize, all: bool) -> Vec<usize> {
        let n = self.candidates.len();
        // with a word budget the tail of the order hardly matters; a bound keeps a book of sentences affordable
        let rounds = if all { n.min(wanted.saturating_mul(2)).min(500) } else { n.min(wanted) };
        let mut likeness = vec![0.0f64; n];
        let mut left: Vec<usize> = (0..n).collect();
        let mut taken = Vec::with_capacity(rounds);
        let mut in_summary = vec![false; n];
        while taken.len() < rounds && !left.is_empty() {
            let alone = |k: usize| self.leaning[k] && (k == 0 || !in_summary[k - 1]);
            let value = |k: usize| {
                let alone = if alone(k) { weight::ALONE } else { 0.0 };
                self.scores[k] + alone - weight::REDUNDANCY * likeness[k]
            };
            // the first of equals, so that the choice never depends on anything but the text
            let (at, &best) = left
                .iter()
                .enumerate()
                .max_by(|(_, a), (_, b)| value(**a).total_cmp(&value(**b)).then(b.cmp(a)))
                .unwrap_or((0, &left[0]));
            left.remove(at);
            taken.push(self.candidates[best]);
            in_summary[best] = true;
            left.retain(|&k| {
                likeness[k] = likeness[k].max(self.vectors.cosine(best, k));
                likeness[k] < REPEATED
            });
        }
        taken
    }
}

fn rank(article: &Article, segments: &[Segment], doubt: &dyn Fn(usize) -> f64) -> Ranking {
    let candidates = candidates(article, segments);
    let title = article.title.as_deref().unwrap_or("");
    let stems = stems_of(candidates.iter().map(|&i| segments[i].text.as_str()).chain([title]));
    let vectors = Vectors::new(&stems);
    let n = candidates.len();
    let centrality = vectors.lex_rank(&(0..n).collect::<Vec<_>>());
    let headline: HashSet<&String> = stems[n].iter().collect();
    let score = |k: usize| {
        let said: HashSet<&String> = stems[k].iter().collect();
        let covered = said.intersection(&headline).count() as f64 / headline.len().max(1) as f64;
        weight::CENTRALITY * centrality[k]
            + weight::HEADLINE_COSINE * vectors.cosine(k, n)
            + weight::HEADLINE_COVERED * covered
            + weight::FIRST * f64::from(u8::from(k == 0))
            + weight::EARLY / (k + 1) as f64
            + weight::DOUBTFUL * doubt(candidates[k])
            + form(article, &segments[candidates[k]])
    };
    let scores = (0..n).map(score).collect();
    let leaning = candidates.iter().map(|&i| bengali::needs_the_one_before(&segments[i].text)).collect();
    Ranking { candidates, scores, leaning, vectors }
}

/// Indices of the segments that may be chosen: running text that does more than repeat the headline; failing that,
/// whatever there is.
fn candidates(article: &Article, segments: &[Segment]) -> Vec<usize> {
    let kind = |s: &Segment| s.block.and_then(|b| article.blocks.get(b)).map(|b| b.kind);
    let has_words = |s: &Segment| s.text.chars().any(char::is_alphanumeric);
    let running = |s: &Segment| {
        has_words(s) && matches!(kind(s), Some(BlockKind::Paragraph | BlockKind::Quote | BlockKind::ListItem { .. }))
    };
    let title: HashSet<String> = bengali::content_stems(article.title.as_deref().unwrap_or("")).into_iter().collect();
    let new = |s: &Segment| running(s) && !repeats(&title, &s.text);
    let body = |s: &Segment| has_words(s) && s.block.is_some();
    let choose = |f: &dyn Fn(&Segment) -> bool| -> Vec<usize> {
        segments.iter().enumerate().filter(|(_, s)| f(s)).map(|(i, _)| i).collect()
    };
    [&new as &dyn Fn(&Segment) -> bool, &running, &body, &has_words]
        .into_iter()
        .map(choose)
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Whether a sentence says the headline over again and nothing else.
fn repeats(title: &HashSet<String>, sentence: &str) -> bool {
    let said: HashSet<String> = bengali::content_stems(sentence).into_iter().collect();
    let shared = said.intersection(title).count();
    title.len() > 1 && shared * 5 >= title.len() * 4 && shared * 5 >= said.len() * 4
}

/// What a sentence's own form is worth: its length, numbers and names, and what speaks against quoting it alone.
fn form(article: &Article, segment: &Segment) -> f64 {
    let text = segment.text.as_str();
    let words = bengali::words(text);
    let length = text.split_whitespace().count();
    let up_to_two = |f: fn(&str) -> bool| words.iter().filter(|w| f(w)).count().min(2) as f64 / 2.0;
    let kind = segment.block.and_then(|b| article.blocks.get(b)).map(|b| b.kind);
    let flags = [
        (weight::SHORT, length < TOO_SHORT),
        (weight::LONG, length > TOO_LONG),
        (weight::QUOTE, text.contains(['"', '“', '”'])),
        (weight::OPEN_QUOTE, has_open_quote(text)),
        (weight::LEANS_BACK, words.first().is_some_and(|w| bengali::leans_back(w))),
        (weight::LIST, is_list(text)),
        (weight::QUESTION, text.contains('?')),
        (weight::ASIDE, !matches!(kind, Some(BlockKind::Paragraph))),
    ];
    weight::LENGTH * length.min(FULL_LENGTH) as f64 / FULL_LENGTH as f64
        + weight::NUMBERS * up_to_two(bengali::is_number)
        + weight::NAMES * up_to_two(bengali::goes_with_names)
        + flags.iter().filter(|(_, holds)| *holds).map(|(w, _)| w).sum::<f64>()
}

/// A quotation that goes on in the next sentence or comes from the one before.
fn has_open_quote(text: &str) -> bool {
    text.matches('"').count() % 2 == 1 || text.matches('“').count() != text.matches('”').count()
}

/// Who was there, and other enumerations.
fn is_list(text: &str) -> bool {
    text.contains("প্রমুখ") || text.contains("উপস্থিত ছিলেন") || text.matches(',').count() >= 6
}

#[cfg(test)]
mod tests {
    use super::super::{Length, Style};
    use super::*;
    use crate::article::Block;

    /// An article of one paragraph a line, and one segment a sentence ("।" ends it).
    fn article(title: &str, blocks: &[(BlockKind, &str)]) -> (Article, Vec<Segment>) {
        let make = |(kind, text): &(BlockKind, &str)| Block { kind: *kind, text: text.to_string(), range: 0..0 };
        let article = Article {
            title: (!title.is_empty()).then(|| title.to_string()),
            blocks: blocks.iter().map(make).collect(),
            ..Default::default()
        };
        let mut segments = Vec::new();
        if !title.is_empty() {
            segments.push(Segment { block: None, sentence: 0, text: title.into(), range: 0..title.len() });
        }
        for (b, block) in article.blocks.iter().enumerate() {
            let mut start = 0;
            for (sentence, text) in block.text.split_inclusive('।').enumerate() {
                let range = start..start + text.len();
                start = range.end;
                segments.push(Segment { block: Some(b), sentence, text: text.trim().into(), range });
            }
        }
        (article, segments)
    }

    fn sentences(n: usize) -> SummaryOptions {
        SummaryOptions { length: Length::Sentences(n), ..Default::default() }
    }

    const STORY: &str = "রাজশাহীতে পদ্মা নদীর পানি বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে প্রবাহিত হচ্ছে বলে পানি উন্নয়ন বোর্ড জানিয়েছে।\
        তিনি হাসলেন।\
        পদ্মা নদীর পানি রাজশাহীতে বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে প্রবাহিত হচ্ছে বলে পানি উন্নয়ন বোর্ড জানায়।\
        বন্যায় জেলার পাঁচটি উপজেলার ২০ হাজার মানুষ পানিবন্দী হয়ে পড়েছে এবং ৫০টি বিদ্যালয় বন্ধ ঘোষণা করা হয়েছে।\
        সভায় করিম, রহিম, সালাম, বরকত, জব্বার, শফিক, রফিক ও জামাল প্রমুখ উপস্থিত ছিলেন বলে আয়োজকেরা জানান।";

    #[test]
    fn says_each_thing_once_and_leaves_out_what_says_nothing() {
        let (article, segments) = article("পদ্মায় পানি বাড়ছে", &[(BlockKind::Paragraph, STORY)]);
        assert_eq!(select(&article, &segments, &sentences(2)), [1, 4]);
    }

    #[test]
    fn a_repetition_is_never_taken_even_when_more_is_asked_for() {
        let (article, segments) = article("পদ্মায় পানি বাড়ছে", &[(BlockKind::Paragraph, STORY)]);
        let all = select(&article, &segments, &sentences(99));
        assert_eq!(all, [1, 2, 4, 5]);
    }

    #[test]
    fn neither_title_nor_heading_nor_caption_nor_the_headline_again() {
        let (article, segments) = article(
            "বুয়েট অনির্দিষ্টকালের জন্য বন্ধ ঘোষণা",
            &[
                (BlockKind::Heading { level: 2 }, "বিশ্ববিদ্যালয় প্রশাসনের নতুন সিদ্ধান্ত নিয়ে শিক্ষার্থীদের মধ্যে ব্যাপক প্রতিক্রিয়া"),
                (BlockKind::Caption, "বুয়েটের ছবি তুলেছেন আমাদের আলোকচিত্রী হাসান রাজা গতকাল বৃহস্পতিবার দুপুরে ক্যাম্পাস থেকে"),
                (BlockKind::Paragraph, "বুয়েট অনির্দিষ্টকালের জন্য বন্ধ ঘোষণা।ছাত্রদের বিকেল ৫টার মধ্যে হল ছাড়তে বলা হয়েছে।"),
            ],
        );
        assert_eq!(select(&article, &segments, &sentences(3)), [4]);
    }

    #[test]
    fn something_is_said_even_of_an_article_of_headings() {
        let (only_headings, segments) = article("", &[(BlockKind::Heading { level: 1 }, "মেলা শুরু")]);
        assert_eq!(select(&only_headings, &segments, &sentences(3)), [0]);
        let (empty, none) = article("", &[]);
        assert!(select(&empty, &none, &sentences(3)).is_empty());
        let (only_title, segments) = article("মেলা শুরু", &[]);
        assert_eq!(select(&only_title, &segments, &sentences(3)), [0]);
    }

    #[test]
    fn a_word_budget_holds_and_gives_one_sentence_at_least() {
        let (article, segments) = article("পদ্মায় পানি বাড়ছে", &[(BlockKind::Paragraph, STORY)]);
        let count =
            |chosen: &[usize]| chosen.iter().map(|&i| segments[i].text.split_whitespace().count()).sum::<usize>();
        for words in [1, 25, 40, 60] {
            let options = SummaryOptions { length: Length::Words(words), ..Default::default() };
            let chosen = select(&article, &segments, &options);
            assert!(chosen.len() == 1 || count(&chosen) <= words, "{words}: {chosen:?}");
            assert!(!chosen.is_empty());
        }
        let headline = SummaryOptions { style: Style::Headline, ..sentences(4) };
        assert_eq!(select(&article, &segments, &headline).len(), 1);
    }

    #[test]
    fn ten_thousand_sentences_are_no_trouble() {
        let text: String =
            (0..10_000).map(|i| format!("প্রতিবেদন নম্বর {i} অনুযায়ী জেলা {} শহরে উন্নয়ন কাজ চলছে।", i % 64)).collect();
        let (article, segments) = article("উন্নয়ন", &[(BlockKind::Paragraph, &text)]);
        assert_eq!(select(&article, &segments, &sentences(3)), select(&article, &segments, &sentences(3)));
    }
}
