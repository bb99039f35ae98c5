//! The extractive way: sentences of the article, chosen, translated, and made to stand by themselves.
use super::input::{SummaryInput, Translated};
use super::made::{Method, Origin, Summary};
use super::shorten::{Shorten, Shortened};
use super::{Language, MethodChoice, Style, SummaryOptions, english, extractive, headline};
use crate::error::InputError;
use crate::text::{Finding, FindingKind, Severity};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// How often sentences are chosen again because the translation of some is doubtful.
const ROUNDS: usize = 3;
/// Likeness in translation from which a sentence repeats an earlier one.
const REPEATED: f64 = 0.95;

/// More words than any summary has room for.
const NEVER: usize = usize::MAX / 2;
/// Words of a headline, from which words are left out of the sentence that it is made of.
const HEADLINE_WORDS: usize = 12;

/// A chosen sentence: its translation, and what stands in the summary for it.
#[derive(Debug, Clone, Default)]
struct Chosen {
    sentence: Translated,
    short: Option<Shortened>,
}

impl Chosen {
    fn text(&self) -> &str {
        self.short.as_ref().map_or(&self.sentence.text, |short| &short.text)
    }

    fn words(&self) -> usize {
        self.text().split_whitespace().count()
    }
}

/// A summary of the article's own sentences, with words left out of them where there is a shortener that may.
pub(super) fn extract(
    input: &SummaryInput,
    options: &SummaryOptions,
    shortener: Option<&dyn Shorten>,
) -> Result<Summary> {
    let may = options.language == Language::English && options.method != MethodChoice::Extractive;
    let shortener = shortener.filter(|_| may);
    let title = input.segments.iter().position(|s| s.block.is_none() && !s.text.trim().is_empty());
    let from_title = title.filter(|_| options.style == Style::Headline);
    let chosen = match from_title {
        Some(title) => {
            let line = input.in_language(options.language, &[title])?;
            let whole = |sentence| Chosen { sentence, short: None };
            BTreeMap::from_iter([title].into_iter().zip(line.into_iter().map(whole)))
        }
        None => choose(input, options, shortener)?,
    };
    if chosen.is_empty() {
        return Err(Error::Input(InputError::Empty("the article has no text to summarize; check the input".into())));
    }
    let mut findings = doubts(input, &chosen);
    let model = shortener.map(Shorten::model);
    let origins: BTreeMap<usize, Origin> = chosen.iter().map(|(&i, c)| (i, origin(i, c, model))).collect();
    let (sentences, chosen) = match options.style {
        Style::Headline => {
            let (index, line) = chosen.into_iter().next().unwrap_or_default();
            let line = match from_title {
                Some(_) => line.text().trim().trim_end_matches(['.', '।']).to_string(),
                None => headline::compress(line.text(), options.language),
            };
            (vec![line], vec![index])
        }
        _ => stand_alone(input, options.language, chosen),
    };
    findings.extend(too_long(&sentences, options));
    let origins: Vec<Origin> = chosen.iter().filter_map(|i| origins.get(i).cloned()).collect();
    let shortened_by = origins.iter().find_map(|origin| origin.shortened_by.clone());
    Ok(Summary {
        sentences,
        headline: None,
        style: options.style,
        language: options.language,
        method: if shortened_by.is_some() { Method::Shortened } else { Method::Extractive },
        model: shortened_by,
        parts: 1,
        origins,
        chosen,
        findings,
    })
}

fn origin(index: usize, chosen: &Chosen, shortener: Option<&str>) -> Origin {
    let Chosen { sentence, short } = chosen;
    Origin {
        segments: vec![index],
        shortened_by: shortener.filter(|_| short.as_ref().is_some_and(|s| s.changed)).map(str::to_string),
        confidence: sentence.confidence,
        findings: sentence.doubt.iter().cloned().map(|doubt| Finding { segment: Some(index), ..doubt }).collect(),
    }
}

/// What is said where a summary came out longer than was asked for: no sentence of it can be made shorter without a change
/// of what it says.
fn too_long(sentences: &[String], options: &SummaryOptions) -> Option<Finding> {
    let asked = options.length.words().filter(|_| options.style != Style::Headline)?;
    let words: usize = sentences.iter().map(|s| s.split_whitespace().count()).sum();
    (words > most_words(asked)).then(|| Finding {
        kind: FindingKind::LengthLimit,
        severity: Severity::Warning,
        segment: None,
        message: format!("the summary has {words} words, not {asked}: its shortest sentence cannot be cut further"),
    })
}

/// "About so many words" is at most a fifth more.
fn most_words(asked: usize) -> usize {
    asked + asked / 5
}

/// How much speaks against a sentence in English, 0 to 1: a serious finding, words that lean on a sentence that may not
/// be there, or a translation that the model itself was not sure of.
fn doubt_in(sentence: &Translated) -> f64 {
    if sentence.doubt.is_some() || english::leans_back(&sentence.text) {
        return 1.0;
    }
    sentence.confidence.map_or(0.0, |confidence| f64::from(1.0 - confidence.clamp(0.0, 1.0)) / 2.0)
}

/// The sentences chosen, in the article's order. Where the article has not been translated yet, only those chosen are,
/// and a doubtful one makes room for the next best. Where words are counted, those of the shortened sentences count, so
/// that more of them find room.
fn choose(
    input: &SummaryInput,
    options: &SummaryOptions,
    shortener: Option<&dyn Shorten>,
) -> Result<BTreeMap<usize, Chosen>> {
    let mut known: BTreeMap<usize, Chosen> = BTreeMap::new();
    let mut doubts: BTreeMap<usize, f64> = match (options.language, input.translated) {
        (Language::English, Some(all)) => all.iter().enumerate().map(|(i, t)| (i, doubt_in(t))).collect(),
        _ => BTreeMap::new(),
    };
    let limit = match options.style {
        Style::Headline => Some(HEADLINE_WORDS),
        _ => options.length.words().map(most_words),
    };
    let fits_words = shortener.filter(|_| options.length.words().is_some());
    let mut chosen = Vec::new();
    for _ in 0..ROUNDS {
        let doubt = |i: usize| doubts.get(&i).copied().unwrap_or(0.0);
        let guess = |words: usize| if fits_words.is_some() { words.div_ceil(2) } else { words };
        chosen = select(input, options, &known, &doubt, &guess);
        let new: Vec<usize> = chosen.iter().copied().filter(|i| !known.contains_key(i)).collect();
        let sentences = input.in_language(options.language, &new)?;
        known.extend(new.iter().copied().zip(shortened(sentences, fits_words, limit)?));
        if input.translated.is_none() {
            doubts.extend(new.iter().map(|i| (*i, doubt_in(&known[i].sentence))));
        }
        let settled = options.language == Language::Bengali || new.iter().all(|i| doubts[i] < 1.0);
        if new.is_empty() || fits_words.is_none() && (settled || input.translated.is_some()) {
            break;
        }
    }
    if fits_words.is_some() {
        // The last that came in were taken for shorter than they may be.
        let doubt = |i: usize| doubts.get(&i).copied().unwrap_or(0.0);
        chosen = select(input, options, &known, &doubt, &|_| NEVER);
    }
    known.retain(|i, _| chosen.contains(i));
    if fits_words.is_none() && shortener.is_some() {
        let (indices, sentences): (Vec<usize>, Vec<_>) = known.into_iter().map(|(i, c)| (i, c.sentence)).unzip();
        known = indices.into_iter().zip(shortened(sentences, shortener, limit)?).collect();
    }
    Ok(known)
}

/// The sentences with what is left of them where there is a shortener.
fn shortened(
    sentences: Vec<Translated>,
    shortener: Option<&dyn Shorten>,
    most_words: Option<usize>,
) -> Result<Vec<Chosen>> {
    let short = match shortener {
        Some(shortener) => {
            let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).collect();
            shortener.shorten(&texts, most_words)?.into_iter().map(Some).collect()
        }
        None => vec![None; sentences.len()],
    };
    Ok(sentences.into_iter().zip(short).map(|(sentence, short)| Chosen { sentence, short }).collect())
}

/// Indices of the sentences, a word budget being counted in the words that the reader will see where those are known;
/// `guess` says from a whole sentence's words how many the others will have.
fn select(
    input: &SummaryInput,
    options: &SummaryOptions,
    known: &BTreeMap<usize, Chosen>,
    doubt: &dyn Fn(usize) -> f64,
    guess: &dyn Fn(usize) -> usize,
) -> Vec<usize> {
    let words = |text: &str| text.split_whitespace().count();
    let english = |i: usize| {
        let translated = input.translated.and_then(|all| all.get(i));
        // English news has about a third more words than its Bengali original
        guess(translated.map_or(words(&input.segments[i].text) * 4 / 3, |t| words(&t.text)))
    };
    extractive::select_by(input.article, input.segments, options, doubt, |i| match options.language {
        Language::English => known.get(&i).map_or_else(|| english(i), Chosen::words),
        Language::Bengali => words(&input.segments[i].text),
    })
}

/// What the checks doubt in the sentences, unless the caller has translated the article and knows.
fn doubts(input: &SummaryInput, chosen: &BTreeMap<usize, Chosen>) -> Vec<Finding> {
    if input.translated.is_some() {
        return Vec::new();
    }
    let of = |(&i, c): (&usize, &Chosen)| c.sentence.doubt.clone().map(|doubt| Finding { segment: Some(i), ..doubt });
    chosen.iter().filter_map(of).collect()
}

/// The sentences as they stand in the summary: none twice (two of the source may come out alike in translation), none
/// with a connective that ties it to a sentence that is not there, none with half a pair of quotation marks.
fn stand_alone(input: &SummaryInput, language: Language, chosen: BTreeMap<usize, Chosen>) -> (Vec<String>, Vec<usize>) {
    let mut kept: Vec<(String, usize)> = Vec::with_capacity(chosen.len());
    let follows = |before: usize, i: usize| before + 1 == i && input.segments[before].block == input.segments[i].block;
    for (i, sentence) in chosen {
        let text = sentence.text();
        let said = |(earlier, _): &(String, usize)| english::overlap(earlier, text) >= REPEATED;
        if text.trim().is_empty() || kept.iter().any(said) {
            continue;
        }
        let text = match kept.last() {
            Some((_, before)) if follows(*before, i) => text.to_string(),
            _ => headline::without_connective(text, language),
        };
        kept.push((english::with_both_quotes(&text), i));
    }
    kept.into_iter().unzip()
}
