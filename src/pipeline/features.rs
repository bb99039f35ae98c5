//! What a sentence's confidence is judged by: how sure the model was, and what can be seen from outside.
use super::TranslatedSegment;
use crate::check::coverage;
use crate::lang::script::is_bengali;
use crate::text::{Finding, FindingKind, Severity};

/// Names of the features, in the order of [`features`]; a model of confidence names its weights by them.
pub const NAMES: [&str; 18] = [
    "mean",
    "stretch",
    "lowest",
    "entropy",
    "guesses",
    "length",
    "ratio",
    "serious",
    "warnings",
    "numbers",
    "names",
    "short",
    "margin",
    "dissent",
    "fragments",
    "covered",
    "longer",
    "letters",
];

/// The features of a sentence that was translated, given its own findings.
pub fn features<'a>(
    segment: &TranslatedSegment,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Option<[f32; NAMES.len()]> {
    let score = segment.score?;
    let trace = &segment.trace;
    let (mut serious, mut warnings, mut numbers, mut names) = (0u8, 0u8, 0u8, 0u8);
    for finding in findings {
        match finding.severity {
            Severity::Serious => serious += 1,
            Severity::Warning => warnings += 1,
            Severity::Note => continue,
        }
        use FindingKind::{NameInvented, NameMissing, NumberChanged, NumberInvented, NumberMissing};
        numbers += u8::from(matches!(finding.kind, NumberMissing | NumberChanged | NumberInvented));
        names += u8::from(matches!(finding.kind, NameMissing | NameInvented));
    }
    let few = |count: u8| f32::from(count.min(3));
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count().max(1) as f32;
    let ratio = (letters(&segment.text) / letters(&segment.source)).ln();
    let words = segment.source.split_whitespace().count().max(1) as f32;
    let bounded = |x: f32, low: f32| if x.is_finite() { x.clamp(low, 0.0) } else { low };
    Some([
        bounded(score, -10.0),
        bounded(trace.worst_stretch(), -10.0),
        bounded(trace.lowest(), -15.0),
        trace.mean_entropy().clamp(0.0, 12.0),
        trace.guesses(),
        words.ln(),
        ratio.clamp(-2.0, 2.0).abs(),
        few(serious),
        few(warnings),
        few(numbers),
        few(names),
        (1.0 / words).min(1.0),
        trace.others().map_or(f32::NAN, |others| others.margin.clamp(0.0, 2.0)),
        trace.others().map_or(f32::NAN, |others| others.dissent),
        (segment.source_tokens as f32 / words).min(10.0),
        coverage(&segment.source, &segment.text),
        ratio.clamp(-2.0, 2.0),
        word_length(&segment.source),
    ])
}

/// Mean letters of a Bengali word: long ones are rarer and harder.
fn word_length(source: &str) -> f32 {
    let source = crate::lang::normalize::canonical(source);
    let words: Vec<usize> =
        source.split(|c| !is_bengali(c)).filter(|word| !word.is_empty()).map(|word| word.chars().count()).collect();
    words.iter().sum::<usize>() as f32 / words.len().max(1) as f32
}
