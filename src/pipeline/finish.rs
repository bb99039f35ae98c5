//! From outcomes to English sentences and blocks: tidying, checks, assembly.
use super::prepare::Prepared;
use super::repair::Attempt;
use super::{PipelineOptions, TranslatedSegment};
use crate::Result;
use crate::article::{Article, Block};
use crate::article::{Segment, segment};
use crate::check::{
    check_article, check_segment, mend_acronyms, mend_units, mend_wording, respell_names, restore_tokens,
};
use crate::engine::Outcome;
use crate::text::{Finding, FindingKind, Severity, english};
use std::ops::Range;

/// A segment with its outcome, tidied, and what the checks say of it.
pub(super) fn segment_result(
    segment: &Segment,
    outcome: Option<Result<Outcome>>,
    options: &PipelineOptions,
) -> (TranslatedSegment, Vec<Finding>) {
    let mut out = TranslatedSegment {
        block: segment.block,
        sentence: segment.sentence,
        range: segment.range.clone(),
        source: segment.text.clone(),
        text: String::new(),
        score: None,
        confidence: None,
        source_tokens: 0,
        target_tokens: 0,
        trace: Default::default(),
    };
    let mut findings = Vec::new();
    match outcome {
        None => out.text = segment::passed_through(&segment.text),
        Some(Err(error)) => {
            // The reader sees what could not be translated rather than nothing.
            out.text = segment.text.clone();
            findings.push(finding(FindingKind::Failed, Severity::Serious, format!("not translated: {error}")));
        }
        Some(Ok(outcome)) => {
            let (text, notes) = respelled(&segment.text, tidy(&segment.text, &outcome.text, options));
            out.text = text;
            out.score = Some(outcome.score);
            out.trace = outcome.trace;
            out.source_tokens = outcome.source_tokens;
            out.target_tokens = outcome.target_tokens;
            findings = check_segment(&segment.text, &out.text, &options.checks);
            findings.extend(notes);
            if outcome.parts > 1 {
                let message = format!("too long for the model; translated in {} parts", outcome.parts);
                findings.push(finding(FindingKind::SplitSegment, Severity::Note, message));
            }
            if outcome.truncated {
                findings.extend(length_limit(&findings));
            }
        }
    }
    (out, findings)
}

/// What is said of a sentence that the model did not end, unless something in `findings` says so already.
pub(super) fn length_limit(findings: &[Finding]) -> Option<Finding> {
    let said = findings.iter().any(|f| matches!(f.kind, FindingKind::Loop | FindingKind::LengthLimit));
    let message = || "the model did not end the sentence; its end may be missing".to_string();
    (!said).then(|| finding(FindingKind::LengthLimit, Severity::Serious, message()))
}

/// A translated segment as the repair sees it.
pub(super) fn settled(done: &TranslatedSegment, findings: &[Finding]) -> Attempt {
    Attempt {
        text: done.text.clone(),
        score: done.score.unwrap_or(f32::NEG_INFINITY),
        source_tokens: done.source_tokens,
        target_tokens: done.target_tokens,
        truncated: findings.iter().any(|f| f.kind == FindingKind::LengthLimit),
        trace: done.trace,
        findings: findings.to_vec(),
    }
}

/// What a model wrote, as it is printed.
pub fn tidy(source: &str, text: &str, options: &PipelineOptions) -> String {
    let text = english::match_ending(&english::tidy(text), source);
    match &options.checks.glossary {
        Some(glossary) => glossary.enforce(source, &text),
        None => text,
    }
}

/// A tidied translation with known names in their usual spelling, and notes of what was changed.
pub(super) fn respelled(source: &str, text: String) -> (String, Vec<Finding>) {
    let (mut text, mut notes) = respell_names(source, &text).unwrap_or((text, Vec::new()));
    for mend in [mend_units, mend_wording] {
        if let Some((mended, more)) = mend(source, &text) {
            text = mended;
            notes.extend(more);
        }
    }
    if let Some(mended) = mend_acronyms(source, &text) {
        text = mended;
    }
    if let Some(restored) = restore_tokens(source, &text) {
        text = restored;
    }
    (text, notes)
}

fn finding(kind: FindingKind, severity: Severity, message: String) -> Finding {
    Finding { kind, severity, segment: None, message }
}

/// The English of one run of segments (see [`Prepared::runs`]).
pub fn run_text(prepared: &Prepared, block: Option<usize>, range: &Range<usize>, texts: &[String]) -> String {
    let pieces: Vec<_> = range.clone().map(|i| (prepared.segments[i].range.clone(), texts[i].as_str())).collect();
    match block {
        Some(index) => {
            let source = &prepared.article.blocks[index];
            segment::assemble(source.kind, &source.text, &pieces)
        }
        None => pieces.iter().map(|p| p.1).collect::<Vec<_>>().join(" "),
    }
}

/// The whole article in English, from the translations of all segments.
pub fn assemble(prepared: &Prepared, texts: &[String]) -> Article {
    let source = &prepared.article;
    let mut article =
        Article { title: None, blocks: Vec::with_capacity(source.blocks.len()), meta: source.meta.clone() };
    let mut english: Vec<Option<String>> = vec![None; source.blocks.len()];
    for (block, range) in prepared.runs() {
        let text = run_text(prepared, block, &range, texts);
        match block {
            Some(index) => english[index] = Some(text),
            None => article.title = Some(text),
        }
    }
    for (block, text) in source.blocks.iter().zip(english) {
        let text = text.unwrap_or_else(|| segment::assemble(block.kind, &block.text, &[]));
        article.blocks.push(Block { kind: block.kind, text, range: block.range.clone() });
    }
    article
}

/// What only shows across segments.
pub(super) fn article_findings(segments: &[TranslatedSegment], options: &PipelineOptions) -> Vec<Finding> {
    let pairs: Vec<(&str, &str)> = segments.iter().map(|s| (s.source.as_str(), s.text.as_str())).collect();
    check_article(&pairs, &options.checks)
}
