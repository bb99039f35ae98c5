//! The extractive way: sentences of the article, chosen, translated, and made to stand by themselves.
use super::input::{SummaryInput, Translated};
use super::made::{Method, Origin, Summary};
use super::{Language, Style, SummaryOptions, english, extractive, headline};
use crate::text::Finding;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// How often sentences are chosen again because the translation of some is doubtful.
const ROUNDS: usize = 3;
/// Likeness in translation from which a sentence repeats an earlier one.
const REPEATED: f64 = 0.95;

/// A summary of the article's own sentences.
pub(super) fn extract(input: &SummaryInput, options: &SummaryOptions) -> Result<Summary> {
    let title = input.segments.iter().position(|s| s.block.is_none() && !s.text.trim().is_empty());
    let from_title = title.filter(|_| options.style == Style::Headline);
    let chosen = match from_title {
        Some(title) => {
            let line = input.in_language(options.language, &[title])?;
            BTreeMap::from_iter([title].into_iter().zip(line))
        }
        None => choose(input, options)?,
    };
    if chosen.is_empty() {
        return Err(Error::Input("the article has no text to summarize; check the input".into()));
    }
    let findings = doubts(input, &chosen);
    let origins: BTreeMap<usize, Origin> = chosen.iter().map(|(&i, t)| (i, origin(i, t))).collect();
    let (sentences, chosen) = match options.style {
        Style::Headline => {
            let (index, line) = chosen.into_iter().next().unwrap_or_default();
            let line = match from_title {
                Some(_) => line.text.trim().trim_end_matches(['.', '।']).to_string(),
                None => headline::compress(&line.text, options.language),
            };
            (vec![line], vec![index])
        }
        _ => stand_alone(input, options.language, chosen),
    };
    Ok(Summary {
        sentences,
        headline: None,
        style: options.style,
        language: options.language,
        method: Method::Extractive,
        model: None,
        parts: 1,
        origins: chosen.iter().filter_map(|i| origins.get(i).cloned()).collect(),
        chosen,
        findings,
    })
}

fn origin(index: usize, sentence: &Translated) -> Origin {
    Origin {
        segments: vec![index],
        shortened_by: None,
        confidence: sentence.confidence,
        findings: sentence.doubt.iter().cloned().map(|doubt| Finding { segment: Some(index), ..doubt }).collect(),
    }
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
/// and a doubtful one makes room for the next best.
fn choose(input: &SummaryInput, options: &SummaryOptions) -> Result<BTreeMap<usize, Translated>> {
    let mut known: BTreeMap<usize, Translated> = BTreeMap::new();
    let mut doubts: BTreeMap<usize, f64> = match (options.language, input.translated) {
        (Language::English, Some(all)) => all.iter().enumerate().map(|(i, t)| (i, doubt_in(t))).collect(),
        _ => BTreeMap::new(),
    };
    let mut chosen = Vec::new();
    for _ in 0..ROUNDS {
        chosen = select(input, options, &known, &|i| doubts.get(&i).copied().unwrap_or(0.0));
        let new: Vec<usize> = chosen.iter().copied().filter(|i| !known.contains_key(i)).collect();
        known.extend(new.iter().copied().zip(input.in_language(options.language, &new)?));
        if options.language == Language::Bengali || input.translated.is_some() {
            break;
        }
        doubts.extend(new.iter().map(|i| (*i, doubt_in(&known[i]))));
        if new.iter().all(|i| doubts[i] < 1.0) {
            break;
        }
    }
    known.retain(|i, _| chosen.contains(i));
    Ok(known)
}

/// Indices of the sentences, a word budget being counted in the words that the reader will see where those are known.
fn select(
    input: &SummaryInput,
    options: &SummaryOptions,
    known: &BTreeMap<usize, Translated>,
    doubt: &dyn Fn(usize) -> f64,
) -> Vec<usize> {
    let words = |text: &str| text.split_whitespace().count();
    let english = |i: usize| input.translated.and_then(|all| all.get(i)).or_else(|| known.get(&i));
    extractive::select_by(input.article, input.segments, options, doubt, |i| match options.language {
        // English news has about a third more words than its Bengali original
        Language::English => english(i).map_or(words(&input.segments[i].text) * 4 / 3, |t| words(&t.text)),
        Language::Bengali => words(&input.segments[i].text),
    })
}

/// What the checks doubt in the sentences, unless the caller has translated the article and knows.
fn doubts(input: &SummaryInput, chosen: &BTreeMap<usize, Translated>) -> Vec<Finding> {
    if input.translated.is_some() {
        return Vec::new();
    }
    let of = |(&i, t): (&usize, &Translated)| t.doubt.clone().map(|doubt| Finding { segment: Some(i), ..doubt });
    chosen.iter().filter_map(of).collect()
}

/// The sentences as they stand in the summary: none twice (two of the source may come out alike in translation), none
/// with a connective that ties it to a sentence that is not there, none with half a pair of quotation marks.
fn stand_alone(
    input: &SummaryInput,
    language: Language,
    chosen: BTreeMap<usize, Translated>,
) -> (Vec<String>, Vec<usize>) {
    let mut kept: Vec<(String, usize)> = Vec::with_capacity(chosen.len());
    let follows = |before: usize, i: usize| before + 1 == i && input.segments[before].block == input.segments[i].block;
    for (i, sentence) in chosen {
        let said = |(earlier, _): &(String, usize)| english::overlap(earlier, &sentence.text) >= REPEATED;
        if sentence.text.trim().is_empty() || kept.iter().any(said) {
            continue;
        }
        let text = match kept.last() {
            Some((_, before)) if follows(*before, i) => sentence.text,
            _ => headline::without_connective(&sentence.text, language),
        };
        kept.push((english::with_both_quotes(&text), i));
    }
    kept.into_iter().unzip()
}
