//! From an article to its summary, by whichever way is asked for and can be had.
use super::evidence::Evidence;
use super::from_article::extract;
use super::generator::Request;
use super::input::SummaryInput;
use super::made::{Makers, Method, Summary, Writer};
use super::{Language, Length, MethodChoice, Style, SummaryOptions, english, long, tidy};
use crate::error::SettingsError;
use crate::text::{Finding, FindingKind, Severity};
use crate::{Error, Result};

/// How often a model may write again what the article does not bear out.
const ATTEMPTS: u32 = 3;
/// Likeness from which a sentence of a later attempt adds nothing to those that are kept.
const SAID_ALREADY: f64 = 0.6;

/// Summarizes an article.
///
/// With a writer the article is read whole, in parts where it is longer than the model; what the model writes is
/// held against the article, written again where it fails, then dropped; if nothing is left, sentences of the
/// article take its place. [`Summary::method`] and the findings say what happened.
///
/// # Errors
/// Options that contradict one another, an article without text, a translator or engine that fails.
pub fn summarize(input: &SummaryInput, options: &SummaryOptions, makers: &Makers) -> Result<Summary> {
    let Makers { writer: given, shortener } = *makers;
    let writer = choose_writer(options, given.as_ref())?;
    let mut summary = match writer {
        None => extract(input, options, shortener)?,
        Some(writer) => match write(input, options, writer) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Ok(Written { summary, .. }) if !summary.sentences.is_empty() => summary,
            outcome => {
                let (findings, parts) = match outcome {
                    Ok(written) => (written.summary.findings, written.summary.parts),
                    Err(error) => (vec![warning(FindingKind::Failed, format!("the summary model failed: {error}"))], 1),
                };
                let mut instead = extract(input, options, shortener)?;
                instead.findings.extend(findings);
                let read = if parts > 1 { format!(" (it read the article in {parts} parts)") } else { String::new() };
                let message = format!(
                    "nothing that {} wrote{read} is borne out by the article; sentences of the article stand in its place",
                    writer.model
                );
                instead.findings.push(warning(FindingKind::Unsupported, message));
                instead
            }
        },
    };
    if let (None, Some(other), MethodChoice::Auto) = (writer, given, options.method) {
        let message = format!(
            "{} does not write in the language that is asked for; sentences of the article stand in its place",
            other.model
        );
        summary.findings.push(warning(FindingKind::Unsupported, message));
    }
    if !input.is_titled() && options.style != Style::Headline {
        summary.headline = make_headline(input, options, &Makers { writer: writer.copied(), shortener })?;
    }
    Ok(summary)
}

/// The writer to use (`None`: extractive), or what is wrong with the options.
fn choose_writer<'w, 'g>(options: &SummaryOptions, writer: Option<&'w Writer<'g>>) -> Result<Option<&'w Writer<'g>>> {
    let wanted = match options.method {
        MethodChoice::Extractive => return Ok(None),
        MethodChoice::Auto => return Ok(writer.filter(|w| w.language == options.language)),
        MethodChoice::Abstractive => Method::Abstractive,
        MethodChoice::Direct => Method::Direct,
    };
    let complain = |what: String| Err(Error::Settings(SettingsError::SummaryModel(what)));
    match writer {
        None => complain(format!("an {wanted} summary needs a model that writes summaries")),
        Some(w) if w.method != wanted => {
            complain(format!("{} writes {} summaries, not {wanted} ones", w.model, w.method))
        }
        Some(w) if w.language != options.language => {
            complain(format!("{} does not write summaries in the language that is asked for", w.model))
        }
        Some(w) => Ok(Some(w)),
    }
}

/// What a model wrote, after the checks; the summary may be empty.
struct Written {
    summary: Summary,
}

/// What a writer reads, and what its words are held against.
struct Reading {
    blocks: Vec<String>,
    evidence: Evidence,
    language: Language,
    /// In the language of the blocks.
    title: Option<String>,
}

impl Reading {
    fn of(input: &SummaryInput, writer: &Writer) -> Result<Self> {
        let bengali = input.texts(Language::Bengali)?;
        let english = match writer.method {
            Method::Direct if input.translated.is_none() => Vec::new(),
            _ => input.texts(Language::English)?,
        };
        let evidence = Evidence::new(&english, &bengali);
        let sentences = if writer.method == Method::Direct { &bengali } else { &english };
        let blocks = input.blocks_to_read(sentences);
        let title = input.is_titled().then(|| blocks.first().cloned()).flatten();
        Ok(Self { blocks, evidence, language: writer.language, title })
    }

    /// What speaks against a sentence; `None` where nothing does.
    fn complaint(&self, sentence: &str) -> Option<Finding> {
        let drop = |kind, why: String| {
            Some(warning(kind, format!("a sentence was dropped from the summary, as {why}: {sentence}")))
        };
        if !english::is_in(self.language, sentence) {
            return drop(FindingKind::Unsupported, "it is in the wrong language".into());
        }
        if tidy::is_about_the_article(sentence) {
            return drop(FindingKind::Unsupported, "it speaks of the article and not of its matter".into());
        }
        if tidy::goes_in_circles(sentence) {
            return drop(FindingKind::Loop, "it goes round in circles".into());
        }
        match self.evidence.unsupported(sentence) {
            missing if missing.is_empty() => None,
            missing => {
                let missing = missing.iter().map(|m| format!("“{m}”")).collect::<Vec<_>>().join(", ");
                drop(FindingKind::Unsupported, format!("the article does not say {missing}"))
            }
        }
    }

    /// Whether a sentence only says the article's title again, which stands above the summary.
    fn is_title(&self, sentence: &str) -> bool {
        self.title
            .as_ref()
            .is_some_and(|title| english::overlap(title, sentence) >= 0.9 && within_a_third(title, sentence))
    }
}

/// Whether two texts are of about the same length.
fn within_a_third(a: &str, b: &str) -> bool {
    let (a, b) = (a.chars().count(), b.chars().count());
    a.max(b) * 3 <= a.min(b) * 4
}

/// A model's way: write, check, write again, drop.
fn write(input: &SummaryInput, options: &SummaryOptions, writer: &Writer) -> Result<Written> {
    let reading = Reading::of(input, writer)?;
    let wanted = wanted_sentences(input, options);
    let mut kept: Vec<String> = Vec::new();
    let mut findings = Vec::new();
    let (mut parts, mut unread) = (1, 0);
    for attempt in 0..ATTEMPTS {
        let request = request(options, wanted, attempt);
        let written = long::write(writer.generator, &reading.blocks, &request, &|s| reading.complaint(s).is_none())?;
        (parts, unread) = (written.parts, written.unread);
        let sentences = match options.style {
            Style::Headline => tidy::headline(&written.last).into_iter().collect(),
            _ => tidy::summary_sentences(&written.last),
        };
        let mut failed = sentences.is_empty();
        for sentence in sentences {
            if kept.len() >= wanted {
                break;
            }
            match reading.complaint(&sentence) {
                Some(complaint) => {
                    failed = true;
                    findings.push(complaint);
                }
                None if options.style != Style::Headline && reading.is_title(&sentence) => {}
                None => {
                    let fresh = attempt == 0 || kept.iter().all(|k| english::overlap(k, &sentence) < SAID_ALREADY);
                    if fresh {
                        kept.push(sentence);
                    }
                }
            }
        }
        if !failed || kept.len() >= wanted {
            break;
        }
    }
    if unread > 0 {
        let message = format!("of {unread} of the article's {parts} parts only the beginning went into the summary");
        findings.push(warning(FindingKind::PartlyRead, message));
    }
    let summary = Summary {
        sentences: within_length(kept, options.length, wanted),
        headline: None,
        style: options.style,
        language: options.language,
        method: writer.method,
        model: Some(writer.model.to_string()),
        parts,
        chosen: Vec::new(),
        origins: Vec::new(),
        findings,
    };
    Ok(Written { summary })
}

/// At most the sentences and words asked for; whole sentences, one at least.
fn within_length(sentences: Vec<String>, length: Length, wanted: usize) -> Vec<String> {
    let mut words = 0;
    let fits = |(i, sentence): &(usize, String)| {
        words += sentence.split_whitespace().count();
        *i == 0 || length.words().is_none_or(|most| words <= most)
    };
    sentences.into_iter().take(wanted).enumerate().take_while(fits).map(|(_, s)| s).collect()
}

fn wanted_sentences(input: &SummaryInput, options: &SummaryOptions) -> usize {
    let body = input.segments.iter().filter(|s| s.block.is_some()).count();
    match (options.style, options.length) {
        (Style::Headline, _) => 1,
        // a sentence of news has about twenty words
        (_, Length::Words(n)) => n.div_ceil(20).max(1),
        (_, length) => length.sentences(body),
    }
}

fn request(options: &SummaryOptions, sentences: usize, attempt: u32) -> Request {
    Request {
        text: String::new(),
        style: options.style,
        language: options.language,
        sentences,
        max_new_tokens: if options.style == Style::Headline { 48 } else { 32 + 64 * sentences.min(16) },
        attempt,
    }
}

/// A headline by the writer where it writes one that holds, else the most telling sentence, shortened.
fn make_headline(input: &SummaryInput, options: &SummaryOptions, makers: &Makers) -> Result<Option<String>> {
    // it stands over an English article, whatever language the summary has
    let language = if input.translated.is_some() { Language::English } else { options.language };
    let options = SummaryOptions { style: Style::Headline, length: Length::Auto, language, ..options.clone() };
    if let Some(writer) = makers.writer.filter(|w| w.language == language)
        && let Ok(Written { summary }) = write(input, &options, &writer)
        && let Some(line) = summary.sentences.into_iter().next()
    {
        return Ok(Some(line));
    }
    Ok(extract(input, &options, makers.shortener)?.sentences.into_iter().next().filter(|line| !line.is_empty()))
}

fn warning(kind: FindingKind, message: String) -> Finding {
    Finding { kind, severity: Severity::Warning, segment: None, message: message.replace('\n', " ") }
}

#[cfg(test)]
#[path = "summarize_tests.rs"]
mod tests;
