//! Summaries of shortened sentences, with a shortener that keeps the first words of each.
use super::made::Makers;
use super::shorten::{Shorten, Shortened};
use super::*;
use crate::Result;
use crate::article::{Article, Block, BlockKind, Segment};
use crate::text::FindingKind;
use std::sync::Mutex;

/// Keeps `keeps` words, or fewer where fewer are asked for, but never less than `least`.
struct FirstWords {
    keeps: usize,
    least: usize,
    asked: Mutex<Vec<Option<usize>>>,
}

impl Shorten for FirstWords {
    fn model(&self) -> &str {
        "first-words"
    }

    fn shorten(&self, sentences: &[String], most_words: Option<usize>) -> Result<Vec<Shortened>> {
        self.asked.lock().unwrap().push(most_words);
        let keep = self.keeps.min(most_words.unwrap_or(usize::MAX)).max(self.least);
        let one = |sentence: &String| {
            let words: Vec<&str> = sentence.split(' ').collect();
            let changed = words.len() > keep;
            let text = if changed { format!("{}.", words[..keep].join(" ")) } else { sentence.clone() };
            Shortened { text, changed }
        };
        Ok(sentences.iter().map(one).collect())
    }
}

fn first_words(keeps: usize, least: usize) -> FirstWords {
    FirstWords { keeps, least, asked: Mutex::default() }
}

const BENGALI: [&str; 4] = [
    "পদ্মা নদীর পানি রাজশাহীতে বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে বইছে।",
    "বন্যায় জেলার পাঁচটি উপজেলার ২০ হাজার মানুষ পানিবন্দী হয়েছে।",
    "জেলা প্রশাসক আবদুল করিম জানান, ৫০টি বিদ্যালয় বন্ধ ঘোষণা করা হয়েছে।",
    "ত্রাণ হিসেবে ১০০ টন চাল দেওয়া হয়েছে।",
];

fn summary_of(options: &SummaryOptions, shortener: &FirstWords) -> Summary {
    let text = BENGALI.join(" ");
    let block = Block { kind: BlockKind::Paragraph, range: 0..text.len(), text };
    let article = Article {
        title: Some("পদ্মায় পানি বাড়ছে".into()), blocks: vec![block], ..Default::default()
    };
    let segment = |(sentence, text): (usize, &&str)| Segment {
        block: Some(0),
        sentence,
        text: text.to_string(),
        range: 0..text.len(),
    };
    let segments: Vec<Segment> = BENGALI.iter().enumerate().map(segment).collect();
    // Twenty words each, all different.
    let word = |i: usize, n: u8| format!("{}{}", ["bar", "cod", "fig", "gum"][i], char::from(b'a' + n));
    let english = |i: usize| (0..20).map(|n| word(i, n)).collect::<Vec<_>>().join(" ");
    let translated: Vec<Translated> =
        (0..4).map(|i| Translated { text: format!("{}.", english(i)), ..Default::default() }).collect();
    let input = SummaryInput { article: &article, segments: &segments, translated: Some(&translated), translate: None };
    summarize(&input, options, &Makers { writer: None, shortener: Some(shortener) }).unwrap()
}

fn words(summary: &Summary) -> usize {
    summary.sentences.iter().map(|s| s.split(' ').count()).sum()
}

#[test]
fn chosen_sentences_are_shortened_and_the_summary_says_by_whom() {
    let summary = summary_of(&SummaryOptions::default(), &first_words(9, 1));
    assert_eq!((summary.method, summary.model.as_deref()), (Method::Shortened, Some("first-words")));
    assert_eq!((summary.sentences.len(), words(&summary)), (2, 18));
    assert!(summary.origins.iter().all(|o| o.shortened_by.as_deref() == Some("first-words")));
    let whole = summary_of(&SummaryOptions::default(), &first_words(20, 1));
    assert_eq!((whole.method, words(&whole), whole.model), (Method::Extractive, 40, None));
}

#[test]
fn whole_sentences_and_bengali_ones_are_never_shortened() {
    for options in [
        SummaryOptions { method: MethodChoice::Extractive, ..Default::default() },
        SummaryOptions { language: Language::Bengali, ..Default::default() },
    ] {
        let shortener = first_words(5, 1);
        assert_eq!(summary_of(&options, &shortener).method, Method::Extractive);
        assert!(shortener.asked.lock().unwrap().is_empty());
    }
}

#[test]
fn a_limit_of_words_counts_what_the_reader_sees() {
    for asked in [8, 12, 18, 20, 27, 36, 40, 60] {
        let options = SummaryOptions { length: Length::Words(asked), ..Default::default() };
        let summary = summary_of(&options, &first_words(9, 1));
        assert!(words(&summary) <= asked + asked / 5, "{asked}: {:?}", summary.sentences);
        assert!(words(&summary) * 2 >= asked.min(36), "{asked}: room is left: {:?}", summary.sentences);
        assert!(summary.findings.is_empty());
    }
    // Where nothing that is short enough keeps what must stay, the summary is longer and says so.
    let options = SummaryOptions { length: Length::Words(10), ..Default::default() };
    let summary = summary_of(&options, &first_words(15, 15));
    assert_eq!((summary.sentences.len(), words(&summary)), (1, 15));
    assert_eq!(summary.findings[0].kind, FindingKind::LengthLimit);
    assert!(summary.findings[0].message.contains("15 words, not 10"), "{}", summary.findings[0].message);
}

#[test]
fn a_headline_is_made_of_few_words() {
    let options = SummaryOptions { style: Style::Headline, ..Default::default() };
    let shortener = first_words(20, 1);
    let summary = summary_of(&options, &shortener);
    assert!(words(&summary) <= 12 && !summary.sentences[0].ends_with('.'), "{:?}", summary.sentences);
    assert_eq!(shortener.asked.lock().unwrap()[0], Some(12));
}
