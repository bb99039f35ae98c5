//! `--mark` and the last line of a text: which sentences are doubtful, said where they stand.
use crate::article::write::MARK;
use crate::manifest::DEFAULT_MODEL;
use crate::pipeline::confidence::is_measured;
use crate::pipeline::doubt::{Trust, count, trust};
use crate::pipeline::finish::run_text;
use crate::pipeline::{Prepared, TranslatedSegment, Translation};
use crate::text::{Finding, Severity};

/// The sentences so far.
pub struct Marks {
    /// Marks are asked for.
    wanted: bool,
    /// Blocks that were shown.
    blocks: usize,
    segments: Vec<TranslatedSegment>,
    findings: Vec<Finding>,
}

impl Marks {
    pub fn new(wanted: bool) -> Self {
        Self { wanted, blocks: 0, segments: Vec::new(), findings: Vec::new() }
    }

    /// Takes sentences in as they are done.
    pub fn take(&mut self, segments: &[TranslatedSegment], findings: &[Finding]) {
        if !self.wanted {
            return;
        }
        self.segments.extend_from_slice(segments);
        self.findings = findings.to_vec();
    }

    /// The title, and the notes on it.
    pub fn title(&self, prepared: &Prepared, plain: &str) -> (String, Vec<String>) {
        self.text(prepared, None).unwrap_or_else(|| (plain.to_owned(), Vec::new()))
    }

    /// The next block, and the notes on it.
    pub fn next_block(&mut self, prepared: &Prepared, plain: &str) -> (String, Vec<String>) {
        self.blocks += 1;
        self.text(prepared, Some(self.blocks - 1)).unwrap_or_else(|| (plain.to_owned(), Vec::new()))
    }

    /// The English of a block (none: the title) with a mark behind each doubtful sentence, and a note for each mark.
    fn text(&self, prepared: &Prepared, block: Option<usize>) -> Option<(String, Vec<String>)> {
        if !self.wanted {
            return None;
        }
        let (_, range) = prepared.runs().into_iter().find(|(at, _)| *at == block)?;
        let mut notes = Vec::new();
        let mut texts: Vec<String> = self.segments.iter().map(|s| s.text.replace(MARK, "")).collect();
        for index in range.clone() {
            let Some(note) = self.note(index) else { continue };
            notes.push(note);
            texts.get_mut(index)?.push(MARK);
        }
        Some((run_text(prepared, block, &range, &texts), notes))
    }

    /// What is doubtful about a sentence, if something is.
    fn note(&self, index: usize) -> Option<String> {
        let segment = self.segments.get(index)?;
        let own: Vec<&Finding> = self.findings.iter().filter(|f| f.segment == Some(index)).collect();
        let doubtful = trust(segment, own.iter().copied()) == Some(Trust::Doubtful);
        let mut parts: Vec<&str> =
            own.iter().filter(|f| f.severity >= Severity::Warning).map(|f| f.message.as_str()).collect();
        if doubtful {
            parts.insert(0, "doubtful");
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// "9 of 31 sentences doubtful: built-in gist model".
pub fn verdict(translation: &Translation) -> Option<String> {
    let (doubtful, all) = count(&translation.segments, &translation.findings);
    let id = translation.model.id.as_str();
    let name = if id == DEFAULT_MODEL { "built-in gist model" } else { id };
    let ranked = if is_measured(id) { "" } else { " (the least sure of this article; nobody has measured this model)" };
    // Whoever translates a single sentence looks at it anyway.
    (all > 1).then(|| format!("{doubtful} of {all} sentences doubtful: {name}{ranked}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Article, Block, BlockKind};
    use crate::text::FindingKind;

    #[test]
    fn a_mark_stands_behind_its_sentence() {
        let text = "প্রথম বাক্য এখানে। দ্বিতীয় বাক্য এখানে। তৃতীয় বাক্য এখানে।";
        let block = Block { kind: BlockKind::Paragraph, text: text.into(), range: 0..text.len() };
        let prepared = crate::pipeline::prepare(Article { blocks: vec![block], ..Article::default() });
        let english = ["One.", "Two.", "Three."];
        let segments: Vec<TranslatedSegment> = prepared
            .segments
            .iter()
            .zip(english)
            .zip([0.9, 0.1, 0.9])
            .map(|((s, english), confidence)| TranslatedSegment {
                block: s.block,
                sentence: s.sentence,
                range: s.range.clone(),
                source: s.text.clone(),
                text: english.into(),
                score: Some(-1.0),
                confidence: Some(confidence),
                source_tokens: 3,
                target_tokens: 3,
                trace: Default::default(),
            })
            .collect();
        let finding = |severity, message: &str| Finding {
            kind: FindingKind::NumberChanged,
            severity,
            segment: Some(2),
            message: message.into(),
        };
        let findings = [finding(Severity::Warning, "5 became 6"), finding(Severity::Note, "a note")];
        let mut marks = Marks::new(true);
        marks.take(&segments, &findings);
        let (text, notes) = marks.next_block(&prepared, "");
        assert_eq!(text, format!("One. Two.{MARK} Three.{MARK}"));
        assert_eq!(notes, ["doubtful", "5 became 6"]);
        let mut unasked = Marks::new(false);
        unasked.take(&segments, &findings);
        assert_eq!(unasked.next_block(&prepared, "plain"), ("plain".to_owned(), Vec::new()));
    }
}
