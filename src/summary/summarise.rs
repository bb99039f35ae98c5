//! From an article to its summary, by whichever way is asked for and can be had.
use super::evidence::Evidence;
use super::generator::{Request, TextGenerator};
use super::{Language, Length, MethodChoice, Style, SummaryOptions, english, extractive, headline, long, tidy};
use crate::article::{Article, BlockKind};
use crate::text::{Finding, FindingKind, Segment, Severity};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How often a model may write again what the article does not bear out.
const ATTEMPTS: u32 = 3;
/// Likeness from which a sentence of a later attempt adds nothing to those that are kept.
const SAID_ALREADY: f64 = 0.6;

/// How a summary was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Sentences of the article, translated one by one.
    Extractive,
    /// A model's words about the English translation.
    Abstractive,
    /// A model's words about the Bengali article.
    Direct,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Extractive => "extractive",
            Self::Abstractive => "abstractive",
            Self::Direct => "direct",
        })
    }
}

/// Translates Bengali sentences, in order.
pub type TranslateSentences<'a> = dyn Fn(&[String]) -> Result<Vec<String>> + 'a;

/// What is summarised.
pub struct SummaryInput<'a> {
    /// The Bengali article.
    pub article: &'a Article,
    /// Its sentences, the title's included.
    pub segments: &'a [Segment],
    /// Their translations, parallel to `segments`, where the article has been translated.
    pub translated: Option<&'a [String]>,
    /// Otherwise what translates the sentences that are needed. Not needed for a Bengali summary.
    pub translate: Option<&'a TranslateSentences<'a>>,
}

/// A model that writes summaries, and how.
pub struct Writer<'a> {
    pub generator: &'a dyn TextGenerator,
    /// [`Method::Abstractive`]: it reads English; [`Method::Direct`]: it reads Bengali.
    pub method: Method,
    /// The language that it writes.
    pub language: Language,
    /// Its name, for the output.
    pub model: &'a str,
}

/// A summary and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its sentences; one line without a full stop in the style of a headline.
    pub sentences: Vec<String>,
    /// A headline, for articles that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    pub style: Style,
    pub language: Language,
    /// The way that was used in the end.
    pub method: Method,
    /// The model that wrote it (none: extractive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Into how many parts the article was split to be read by the model.
    pub parts: usize,
    /// Indices of the sentences that it consists of (extractive).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<usize>,
    pub findings: Vec<Finding>,
}

impl Summary {
    /// The summary as it is shown: a paragraph, a list, or one line.
    pub fn text(&self) -> String {
        match self.style {
            Style::Bullets => self.sentences.iter().map(|s| format!("- {s}")).collect::<Vec<_>>().join("\n"),
            Style::Brief | Style::Headline => self.sentences.join(" "),
        }
    }
}

/// Summarises an article.
///
/// With a `writer` the article is read whole, in parts where it is longer than the model; what the model writes is
/// held against the article, written again where it fails, then dropped; if nothing is left, sentences of the
/// article take its place. [`Summary::method`] and the findings say what happened.
///
/// # Errors
/// Options that contradict one another, an article without text, a translator or engine that fails.
pub fn summarise(input: &SummaryInput, options: &SummaryOptions, writer: Option<&Writer>) -> Result<Summary> {
    let writer = choose_writer(options, writer)?;
    let mut summary = match writer {
        None => extract(input, options)?,
        Some(writer) => match write(input, options, writer) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Ok(Written { summary, .. }) if !summary.sentences.is_empty() => summary,
            outcome => {
                let findings = match outcome {
                    Ok(written) => written.summary.findings,
                    Err(error) => vec![warning(FindingKind::Failed, format!("the summary model failed: {error}"))],
                };
                let mut instead = extract(input, options)?;
                instead.findings.extend(findings);
                let message = format!(
                    "nothing that {} wrote is borne out by the article; sentences of the article stand in its place",
                    writer.model
                );
                instead.findings.push(warning(FindingKind::Unsupported, message));
                instead
            }
        },
    };
    let titled = input.article.title.as_ref().is_some_and(|t| !t.trim().is_empty());
    if !titled && options.style != Style::Headline {
        summary.headline = make_headline(input, options, writer)?;
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
    let complain = |what: String| Err(Error::Settings(what));
    match writer {
        None => complain(format!(
            "an {wanted} summary needs a model that writes summaries; name one with --summary-model, or use --summary-method extractive"
        )),
        Some(w) if w.method != wanted => complain(format!(
            "{} writes {} summaries, not {wanted} ones; use --summary-method {} or another --summary-model",
            w.model, w.method, w.method
        )),
        Some(w) if w.language != options.language => complain(format!(
            "{} does not write summaries in the language of --lang; use --summary-method extractive or another --summary-model",
            w.model
        )),
        Some(w) => Ok(Some(w)),
    }
}

/// The extractive way.
fn extract(input: &SummaryInput, options: &SummaryOptions) -> Result<Summary> {
    let title = input.segments.iter().position(|s| s.block.is_none() && !s.text.trim().is_empty());
    let (mut chosen, from_title) = match (options.style, title) {
        (Style::Headline, Some(title)) => (vec![title], true),
        _ => (select_in_language(input, options), false),
    };
    if chosen.is_empty() {
        return Err(Error::Input("the article has no text to summarise; check the input".into()));
    }
    let mut sentences = in_language(input, options.language, &chosen)?;
    if options.style == Style::Headline {
        let line =
            if from_title { bare_line(&sentences[0]) } else { headline::compress(&sentences[0], options.language) };
        sentences = vec![line];
    } else {
        (sentences, chosen) = without_repetitions(sentences, chosen);
    }
    Ok(Summary {
        sentences,
        headline: None,
        style: options.style,
        language: options.language,
        method: Method::Extractive,
        model: None,
        parts: 1,
        chosen,
        findings: Vec::new(),
    })
}

/// Indices of the sentences, a word budget being counted in the words that the reader will see where those are known.
fn select_in_language(input: &SummaryInput, options: &SummaryOptions) -> Vec<usize> {
    match (options.language, input.translated) {
        (Language::English, Some(translated)) => extractive::select_by(input.article, input.segments, options, |i| {
            translated.get(i).map_or(0, |t| t.split_whitespace().count())
        }),
        // English news has about a third more words than its Bengali original
        (Language::English, None) => extractive::select_by(input.article, input.segments, options, |i| {
            input.segments[i].text.split_whitespace().count() * 4 / 3
        }),
        (Language::Bengali, _) => extractive::select(input.article, input.segments, options),
    }
}

/// Sentences of the article in the language wanted.
fn in_language(input: &SummaryInput, language: Language, chosen: &[usize]) -> Result<Vec<String>> {
    let source = || chosen.iter().map(|&i| input.segments[i].text.clone()).collect::<Vec<_>>();
    if language == Language::Bengali {
        return Ok(source());
    }
    if let Some(translated) = input.translated {
        return Ok(chosen.iter().filter_map(|&i| translated.get(i).cloned()).collect());
    }
    match input.translate {
        Some(translate) => translate(&source()),
        None => Err(Error::Settings("an English summary needs a translation model; name one with --model".into())),
    }
}

/// Two sentences of the source may come out alike in translation: the first stays.
fn without_repetitions(sentences: Vec<String>, chosen: Vec<usize>) -> (Vec<String>, Vec<usize>) {
    let mut kept: Vec<(String, usize)> = Vec::with_capacity(sentences.len());
    for (sentence, i) in sentences.into_iter().zip(chosen) {
        let said = |(earlier, _): &(String, usize)| english::overlap(earlier, &sentence) >= 0.95;
        if !sentence.trim().is_empty() && !kept.iter().any(said) {
            kept.push((sentence, i));
        }
    }
    kept.into_iter().unzip()
}

fn bare_line(text: &str) -> String {
    text.trim().trim_end_matches(['.', '।']).to_string()
}

/// What a model wrote, after the checks; the summary may be empty.
struct Written {
    summary: Summary,
}

/// The text that a writer reads, block by block.
fn blocks_to_read(input: &SummaryInput, sentences: &[String]) -> Vec<String> {
    let mut blocks: Vec<(Option<usize>, String)> = Vec::new();
    for (segment, sentence) in input.segments.iter().zip(sentences) {
        let kind = segment.block.and_then(|b| input.article.blocks.get(b)).map(|b| b.kind);
        let furniture = matches!(kind, Some(BlockKind::Caption | BlockKind::SourceLine | BlockKind::Verbatim));
        if furniture || sentence.trim().is_empty() {
            continue;
        }
        match blocks.last_mut() {
            Some((block, text)) if *block == segment.block => {
                text.push(' ');
                text.push_str(sentence.trim());
            }
            _ => blocks.push((segment.block, sentence.trim().to_string())),
        }
    }
    blocks.into_iter().map(|(_, text)| text).collect()
}

/// What a writer reads, and what its words are held against.
struct Reading {
    blocks: Vec<String>,
    evidence: Evidence,
}

impl Reading {
    fn of(input: &SummaryInput, writer: &Writer) -> Result<Self> {
        let all: Vec<usize> = (0..input.segments.len()).collect();
        let bengali = in_language(input, Language::Bengali, &all)?;
        let english = match writer.method {
            Method::Direct => input.translated.map(<[String]>::to_vec).unwrap_or_default(),
            _ => in_language(input, Language::English, &all)?,
        };
        let evidence = Evidence::new(&english, &bengali);
        let blocks = blocks_to_read(input, if writer.method == Method::Direct { &bengali } else { &english });
        Ok(Self { blocks, evidence })
    }
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
        let written = long::write(writer.generator, &reading.blocks, &request, &|s| reading.evidence.supports(s))?;
        (parts, unread) = (written.parts, written.unread);
        let sentences = match options.style {
            Style::Headline => tidy::headline(&written.last).into_iter().collect(),
            _ => tidy::summary_sentences(&written.last),
        };
        let mut failed = sentences.is_empty();
        for sentence in within_length(sentences, options.length, wanted) {
            let missing = reading.evidence.unsupported(&sentence);
            if missing.is_empty() {
                let fresh = attempt == 0 || kept.iter().all(|k| english::overlap(k, &sentence) < SAID_ALREADY);
                if fresh && kept.len() < wanted {
                    kept.push(sentence);
                }
            } else {
                failed = true;
                findings.push(warning(FindingKind::Unsupported, unsupported_message(&sentence, &missing)));
            }
        }
        if !failed || (kept.len() >= wanted && attempt > 0) {
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
fn make_headline(input: &SummaryInput, options: &SummaryOptions, writer: Option<&Writer>) -> Result<Option<String>> {
    let options = SummaryOptions { style: Style::Headline, length: Length::Auto, ..options.clone() };
    if let Some(writer) = writer
        && let Ok(Written { summary }) = write(input, &options, writer)
        && let Some(line) = summary.sentences.into_iter().next()
    {
        return Ok(Some(line));
    }
    Ok(extract(input, &options)?.sentences.into_iter().next().filter(|line| !line.is_empty()))
}

fn unsupported_message(sentence: &str, missing: &[String]) -> String {
    let missing = missing.iter().map(|m| format!("“{m}”")).collect::<Vec<_>>().join(", ");
    format!("a sentence was dropped from the summary, as the article does not say {missing}: {sentence}")
}

fn warning(kind: FindingKind, message: String) -> Finding {
    Finding { kind, severity: Severity::Warning, segment: None, message: message.replace('\n', " ") }
}

#[cfg(test)]
#[path = "summarise_tests.rs"]
mod tests;
