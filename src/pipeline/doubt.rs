//! What to make of a sentence's confidence and findings: can it pass, or is it to be looked up?
use super::TranslatedSegment;
use crate::text::{Finding, Severity};

/// Below this chance of being good a sentence is doubtful: bad is likelier than good. Of the sentences below it, two in
/// three missed 40 chrF++ on the sets of `docs/CONFIDENCE.md`.
pub const DOUBTFUL: f32 = 0.5;
/// Below this one it is worth a second look: half of the sentences below it missed 40 chrF++.
pub const UNSURE: f32 = 0.7;

/// How far a sentence can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// To be looked up: probably wrong, or with a finding that would mislead a reader.
    Doubtful,
    /// Perhaps wrong in a detail.
    Unsure,
    /// Nothing speaks against it, which is no promise.
    Fair,
}

impl Trust {
    /// One word, for people and for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Doubtful => "doubtful",
            Self::Unsure => "unsure",
            Self::Fair => "fair",
        }
    }
}

/// The trust that a sentence deserves, given its own findings; none for one that was not translated because it is
/// English already.
pub fn trust<'a>(segment: &TranslatedSegment, findings: impl IntoIterator<Item = &'a Finding>) -> Option<Trust> {
    let worst = findings.into_iter().map(|f| f.severity).max();
    let by_findings = match worst {
        Some(Severity::Serious) => Some(Trust::Doubtful),
        Some(Severity::Warning) => Some(Trust::Unsure),
        Some(Severity::Note) | None => None,
    };
    let by_confidence = segment.confidence.map(|confidence| match confidence {
        c if c < DOUBTFUL => Trust::Doubtful,
        c if c < UNSURE => Trust::Unsure,
        _ => Trust::Fair,
    });
    by_findings.into_iter().chain(by_confidence).min()
}

/// How many sentences are doubtful, and how many were translated.
pub fn count(segments: &[TranslatedSegment], findings: &[Finding]) -> (usize, usize) {
    let of = |i: usize, s| trust(s, findings.iter().filter(|f| f.segment == Some(i)));
    let trusts: Vec<Trust> = segments.iter().enumerate().filter_map(|(i, s)| of(i, s)).collect();
    (trusts.iter().filter(|t| **t == Trust::Doubtful).count(), trusts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FindingKind;

    fn segment(confidence: Option<f32>) -> TranslatedSegment {
        TranslatedSegment {
            block: Some(0),
            sentence: 0,
            range: 0..1,
            source: "ক".into(),
            text: "a".into(),
            score: None,
            confidence,
            source_tokens: 1,
            target_tokens: 1,
            trace: Default::default(),
        }
    }

    fn finding(severity: Severity, segment: usize) -> Finding {
        Finding { kind: FindingKind::NumberChanged, severity, segment: Some(segment), message: String::new() }
    }

    #[test]
    fn the_worse_of_confidence_and_findings_counts() {
        let serious = finding(Severity::Serious, 0);
        assert_eq!(trust(&segment(Some(0.9)), [&serious]), Some(Trust::Doubtful));
        assert_eq!(trust(&segment(Some(0.9)), [&finding(Severity::Warning, 0)]), Some(Trust::Unsure));
        assert_eq!(trust(&segment(Some(0.9)), [&finding(Severity::Note, 0)]), Some(Trust::Fair));
        assert_eq!(trust(&segment(Some(0.1)), [&finding(Severity::Warning, 0)]), Some(Trust::Doubtful));
        assert_eq!(trust(&segment(Some(0.5)), []), Some(Trust::Unsure));
        assert_eq!(trust(&segment(None), []), None);
        // what could not be translated at all has no confidence, but a finding
        assert_eq!(trust(&segment(None), [&serious]), Some(Trust::Doubtful));
    }

    #[test]
    fn sentences_that_were_not_translated_do_not_count() {
        let segments = [segment(Some(0.2)), segment(None), segment(Some(0.8)), segment(Some(0.8))];
        assert_eq!(count(&segments, &[finding(Severity::Serious, 2)]), (2, 3));
    }
}
