//! Segments whose translation has serious findings are translated again: first with a wider search and its n-best
//! list, then with repetition forbidden, then in smaller pieces. The candidate that the checks like best wins, the
//! model's own score deciding between equals; what isn't cured keeps its findings.
//!
//! Each sentence goes through the rounds by itself; [`super::stream`] sends its jobs to the engine among those of all
//! others.
use super::TranslatedSegment;
use super::finish::{length_limit, respelled};
use crate::Result;
use crate::check::{CheckOptions, check_segment, patch_numbers};
use crate::decode::{DecodeOptions, Trace};
use crate::engine::Outcome;
use crate::lang::words::is_common_english;
use crate::text::{Finding, FindingKind, Severity, clause};

/// Turns what a model wrote (second argument) for a source (first) into what is printed.
pub(super) type Tidy<'a> = &'a dyn Fn(&str, &str) -> String;

/// One translation of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Tidied output.
    pub text: String,
    /// Mean log-probability of the tokens.
    pub score: f32,
    pub source_tokens: usize,
    pub target_tokens: usize,
    pub truncated: bool,
    pub trace: Trace,
    pub findings: Vec<Finding>,
}

/// What is tried.
#[derive(Debug, Clone)]
pub struct RepairOptions {
    pub checks: CheckOptions,
    /// Decoding of the first pass, from which the rounds depart.
    pub decode: DecodeOptions,
    /// Width of the search in the rounds.
    pub beams: usize,
    /// Whether smaller pieces are tried.
    pub pieces: bool,
    /// Whether a wrong number may be replaced by the source's when nothing else helps.
    pub patch: bool,
}

impl Default for RepairOptions {
    fn default() -> Self {
        Self { checks: CheckOptions::default(), decode: DecodeOptions::default(), beams: 4, pieces: true, patch: true }
    }
}

/// How often each way helped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairStats {
    /// Segments with serious findings before and after.
    pub suspects: usize,
    /// Segments with serious findings that are left.
    pub left: usize,
    /// Translations asked of the engine.
    pub jobs: usize,
}

/// A doubtful sentence on its way through the rounds.
#[derive(Debug)]
pub(super) struct Mending {
    /// As the checks see it.
    source: String,
    /// As it is given to the engine.
    text: String,
    /// The best so far.
    best: Attempt,
    /// Rounds that have begun.
    rounds: usize,
    /// What the round's jobs came to.
    outcomes: Vec<Option<Result<Outcome>>>,
}

impl Mending {
    /// A sentence whose first translation, `best`, has serious findings.
    pub fn new(source: String, text: Option<String>, best: Attempt) -> Self {
        Self { text: text.unwrap_or_else(|| source.clone()), source, best, rounds: 0, outcomes: Vec::new() }
    }

    /// The best translation so far.
    pub fn best(&self) -> &Attempt {
        &self.best
    }

    /// Weighs what the last round has brought and begins the next that may help. None of its jobs: it is over.
    pub fn next_round(&mut self, options: &RepairOptions, tidy: Tidy<'_>) -> Vec<(String, DecodeOptions)> {
        self.judge(options, tidy);
        while let Some(round) = Round::ALL.get(self.rounds).filter(|_| is_serious(&self.best)) {
            self.rounds += 1;
            let jobs = if round.may_help(&self.best, options) { round.jobs(&self.text, options) } else { Vec::new() };
            if !jobs.is_empty() {
                self.outcomes = jobs.iter().map(|_| None).collect();
                return jobs;
            }
        }
        if options.patch && is_serious(&self.best) {
            self.patch(options);
        }
        Vec::new()
    }

    /// Takes the outcome of one of the round's jobs; true: it was the last.
    pub fn take(&mut self, part: usize, outcome: Result<Outcome>) -> bool {
        if let Some(slot) = self.outcomes.get_mut(part) {
            *slot = Some(outcome);
        }
        self.outcomes.iter().all(Option::is_some)
    }

    /// A round counts if none of its jobs has failed.
    fn judge(&mut self, options: &RepairOptions, tidy: Tidy<'_>) {
        let outcomes: Option<Vec<Outcome>> = self.outcomes.drain(..).map(|o| o.and_then(Result::ok)).collect();
        for attempt in attempts(&self.source, &outcomes.unwrap_or_default(), options, tidy) {
            if penalty(&attempt) < penalty(&self.best) {
                self.best = attempt;
            }
        }
    }

    /// Puts the source's number where the only thing wrong is a number of the same form.
    fn patch(&mut self, options: &RepairOptions) {
        let Some((text, notes)) = patch_numbers(&self.source, &self.best.text) else { return };
        let mut findings = check_segment(&self.source, &text, &options.checks);
        findings.extend(notes);
        let attempt = Attempt { text, findings, ..self.best.clone() };
        if penalty(&attempt) < penalty(&self.best) {
            self.best = attempt;
        }
    }

    /// The sentence as it is now, from what it was before with its findings.
    pub fn settle(self, mut done: TranslatedSegment, mut findings: Vec<Finding>) -> (TranslatedSegment, Vec<Finding>) {
        let best = self.best;
        // That the source was too long for the model stays true, whatever the text is now.
        findings.retain(|f| f.kind == FindingKind::SplitSegment);
        findings.extend(best.findings.into_iter().filter(|f| f.kind != FindingKind::SplitSegment));
        if best.truncated {
            findings.extend(length_limit(&findings));
        }
        done.text = best.text;
        done.score = Some(best.score);
        done.trace = best.trace;
        (done.source_tokens, done.target_tokens) = (best.source_tokens, best.target_tokens);
        (done, findings)
    }
}

/// Has it a finding that would mislead a reader?
pub fn is_serious(attempt: &Attempt) -> bool {
    attempt.truncated || attempt.findings.iter().any(|f| f.severity == Severity::Serious)
}

/// How bad an attempt is: findings first, the model's doubt second.
fn penalty(attempt: &Attempt) -> f32 {
    let findings: f32 = attempt
        .findings
        .iter()
        .map(|f| match (f.severity, f.kind) {
            // text that loops or is cut off is of no use at all
            (Severity::Serious, FindingKind::Loop | FindingKind::Omission | FindingKind::Untranslated) => 12.0,
            (Severity::Serious, _) => 8.0,
            (Severity::Warning, _) => 2.0,
            (Severity::Note, _) => 0.1,
        })
        .sum();
    findings + if attempt.truncated { 12.0 } else { 0.0 } - attempt.score.clamp(-5.0, 0.0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Beam,
    NoRepeat,
    Pieces,
}

impl Round {
    const ALL: [Self; 3] = [Self::Beam, Self::NoRepeat, Self::Pieces];

    /// A name that the model can't spell is worth a wider search, no more; the later rounds are for text that loops,
    /// breaks off, leaves something out or gets its numbers wrong.
    fn may_help(self, attempt: &Attempt, options: &RepairOptions) -> bool {
        use FindingKind::{GlossaryMissed, NameInvented, NameMissing};
        let only_names = |f: &Finding| matches!(f.kind, NameInvented | NameMissing | GlossaryMissed);
        let serious = |f: &&Finding| f.severity == Severity::Serious;
        let grave = attempt.truncated || attempt.findings.iter().filter(serious).any(|f| !only_names(f));
        match self {
            Self::Beam => true,
            Self::NoRepeat => grave,
            Self::Pieces => grave && options.pieces,
        }
    }

    /// What is asked of the engine for the sentence `text`.
    fn jobs(self, text: &str, options: &RepairOptions) -> Vec<(String, DecodeOptions)> {
        let beams = options.beams.max(options.decode.beams);
        let beam = DecodeOptions { beams, alternatives: beams - 1, sampling: None, ..options.decode.clone() };
        let text = match &options.checks.glossary {
            Some(glossary) => glossary.write_into(text),
            None => text.to_owned(),
        };
        match self {
            Self::Beam => vec![(text, beam)],
            Self::NoRepeat => {
                let decode = DecodeOptions {
                    no_repeat_ngram: 3,
                    repetition_penalty: 1.1,
                    length_penalty: 1.2,
                    ignore_prompt: true,
                    ..beam
                };
                vec![(text, decode)]
            }
            Self::Pieces => {
                let decode = DecodeOptions { alternatives: 0, ..beam };
                pieces(&text).into_iter().map(|piece| (piece, decode.clone())).collect()
            }
        }
    }
}

/// Longest piece of a sentence that is translated piece by piece, in characters: what a small model takes in at once.
const LONGEST_PIECE: usize = 240;

/// Two or more clauses of a sentence, none if it is too short to be cut.
fn pieces(text: &str) -> Vec<String> {
    let length = text.chars().count();
    if length < 36 {
        return Vec::new();
    }
    let pieces = clause::split(text, &|piece| piece.chars().count(), (length * 3 / 5).min(LONGEST_PIECE));
    if pieces.len() > 1 { pieces } else { Vec::new() }
}

/// The candidates that a segment's outcomes offer: the best and its alternatives, or the pieces joined.
fn attempts(source: &str, outcomes: &[Outcome], options: &RepairOptions, tidy: Tidy<'_>) -> Vec<Attempt> {
    let source_tokens = outcomes.iter().map(|o| o.source_tokens).sum();
    let target_tokens = outcomes.iter().map(|o| o.target_tokens).sum();
    let truncated = outcomes.iter().any(|o| o.truncated);
    // Of an alternative nothing more is known than of the best.
    let trace = outcomes.iter().map(|o| o.trace).reduce(Trace::joined).unwrap_or_default();
    let texts: Vec<(String, f32)> = match outcomes {
        [] => Vec::new(),
        [one] => std::iter::once((one.text.clone(), one.score)).chain(one.alternatives.iter().cloned()).collect(),
        many => {
            let weight = |o: &Outcome| o.target_tokens.max(1) as f32;
            let score = many.iter().map(|o| o.score * weight(o)).sum::<f32>() / many.iter().map(weight).sum::<f32>();
            // what was cut reads less well than what was not
            vec![(join(many.iter().map(|o| o.text.trim())), score - 0.3)]
        }
    };
    texts
        .into_iter()
        .map(|(text, score)| {
            let (text, notes) = respelled(source, tidy(source, &text));
            let mut findings = check_segment(source, &text, &options.checks);
            findings.extend(notes);
            Attempt { text, score, source_tokens, target_tokens, truncated, trace, findings }
        })
        .collect()
}

/// Translated clauses as one sentence: inner full stops become commas, inner capitals of common words small.
fn join<'a>(pieces: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for piece in pieces.filter(|p| !p.is_empty()) {
        if out.is_empty() {
            out.push_str(piece);
            continue;
        }
        let continues = !out.ends_with(['?', '!']);
        if let (true, Some(rest)) = (continues, out.strip_suffix('.')) {
            out.truncate(rest.len());
            out.push(',');
        }
        out.push(' ');
        let first = piece.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
        if continues && is_common_english(&first.to_lowercase()) && first != "I" {
            out.extend(piece.chars().next().map(|c| c.to_ascii_lowercase()));
            out.extend(piece.chars().skip(1));
        } else {
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Job, ModelIdentity, Supply, Translate};
    use crate::pipeline::PipelineOptions;
    use crate::pipeline::stream::{self, First, Sentence};
    use std::sync::Mutex;

    /// Answers by a function of text and options and remembers what it was asked.
    struct Scripted<F> {
        identity: ModelIdentity,
        answer: F,
        passes: Mutex<Vec<Vec<(String, usize)>>>,
    }

    impl<F: Fn(&str, &DecodeOptions) -> Result<(String, Vec<String>)> + Send + Sync> Scripted<F> {
        fn new(answer: F) -> Self {
            let identity = ModelIdentity {
                id: "scripted".into(),
                digest: String::new(),
                architecture: String::new(),
                compute: String::new(),
            };
            Self { identity, answer, passes: Mutex::new(Vec::new()) }
        }
    }

    impl<F: Fn(&str, &DecodeOptions) -> Result<(String, Vec<String>)> + Send + Sync> Translate for Scripted<F> {
        fn identity(&self) -> &ModelIdentity {
            &self.identity
        }

        fn translate_stream(
            &self,
            jobs: &mut (dyn Iterator<Item = Job> + Send),
            done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
        ) -> Result<()> {
            let jobs: Vec<Job> = jobs.collect();
            if jobs.is_empty() {
                return Ok(());
            }
            let options = |job: &Job| job.options.clone().unwrap_or_default();
            self.passes
                .lock()
                .unwrap()
                .push(jobs.iter().map(|j| (j.text.clone(), options(j).no_repeat_ngram)).collect());
            for job in jobs.iter().rev() {
                let outcome = (self.answer)(&job.text, &options(job)).map(|(text, others)| Outcome {
                    text,
                    score: -0.5,
                    source_tokens: 5,
                    target_tokens: 5,
                    parts: 1,
                    truncated: false,
                    trace: Default::default(),
                    alternatives: others.into_iter().map(|t| (t, -0.9)).collect(),
                });
                if !done(job.id, outcome) {
                    break;
                }
            }
            Ok(())
        }
    }

    /// Repairs sentences, given as source and first translation: their texts and findings afterwards.
    fn mend(engine: &dyn Translate, pairs: &[(&str, &str)], patch: bool) -> (Vec<(String, Vec<Finding>)>, RepairStats) {
        let options = PipelineOptions::default();
        let repair = RepairOptions { patch, ..Default::default() };
        let mut left = pairs.iter();
        let mut source = |_idle| {
            left.next().map_or(Supply::End, |(source, output)| {
                let first = Outcome {
                    text: (*output).into(),
                    score: -0.4,
                    source_tokens: 5,
                    target_tokens: 5,
                    parts: 1,
                    truncated: false,
                    trace: Default::default(),
                    alternatives: Vec::new(),
                };
                Supply::Job(Sentence { first: First::Made(Some(Ok(first))), ..Sentence::new(*source) })
            })
        };
        let mut done = vec![(String::new(), Vec::new()); pairs.len()];
        let stats = stream::run(engine, &options, Some(&repair), &mut source, &mut |translated| {
            done[translated.index as usize] = (translated.segment.text, translated.findings);
            true
        });
        (done, stats.unwrap().0)
    }

    #[test]
    fn an_alternative_without_faults_wins_and_good_segments_are_left_alone() {
        let engine = Scripted::new(|_: &str, _: &DecodeOptions| {
            Ok(("In all, 239 people died.".into(), vec!["In all, 231 people died.".into()]))
        });
        let pairs = [("মোট ২৩১ জন মারা গেছেন।", "In all, 230 people died."), ("তিনি বাড়ি গেছেন।", "He has gone home.")];
        let (done, stats) = mend(&engine, &pairs, false);
        assert_eq!(done[0].0, "In all, 231 people died.");
        assert_eq!(done[1].0, "He has gone home.");
        assert_eq!(stats, RepairStats { suspects: 1, left: 0, jobs: 1 });
        assert_eq!(engine.passes.lock().unwrap().len(), 1, "nothing was left for the later rounds");
    }

    #[test]
    fn a_loop_is_broken_by_forbidding_repetition_in_one_pass_for_all() {
        let engine = Scripted::new(|_: &str, o: &DecodeOptions| {
            Ok((
                if o.no_repeat_ngram > 0 { "He has gone home today." } else { "He has gone has gone has gone home." }
                    .into(),
                Vec::new(),
            ))
        });
        let looping = "He went to the house to the house to the house.";
        let pairs = [("তিনি আজ বাড়ি গেছেন।", looping), ("তিনি আজ বাড়ি গেলেন।", looping)];
        let (done, stats) = mend(&engine, &pairs, false);
        assert!(done.iter().all(|d| d.0 == "He has gone home today."), "{done:?}");
        assert_eq!((stats.left, stats.jobs), (0, 4));
        assert_eq!(engine.passes.lock().unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn pieces_are_tried_last_and_joined() {
        let source = "সভায় ১২ জন সদস্য উপস্থিত ছিলেন, কিন্তু পরে ৪৫ জন সদস্য এসে সভায় যোগ দেন।";
        let engine = Scripted::new(|text: &str, _: &DecodeOptions| {
            Ok((
                match (text.contains("১২"), text.contains("৪৫")) {
                    (true, true) => "There were 13 members at the meeting and later 46 members came and joined it.",
                    (true, false) => "There were 12 members at the meeting.",
                    _ => "But later 45 members came and joined the meeting.",
                }
                .into(),
                Vec::new(),
            ))
        });
        let first = "There were 13 members at the meeting and later 46 members came and joined it.";
        let (done, _) = mend(&engine, &[(source, first)], false);
        assert_eq!(
            done[0].0,
            "There were 12 members at the meeting, but later 45 members came and joined the meeting."
        );
    }

    #[test]
    fn what_is_not_cured_keeps_its_finding_and_failed_jobs_do_no_harm() {
        let engine = Scripted::new(|text: &str, _: &DecodeOptions| {
            if text.contains("৫০") {
                Err(crate::error::ModelError::damaged("broken").into())
            } else {
                Ok(("In all 233 died.".into(), Vec::new()))
            }
        });
        let pairs = [("মোট ২৩১ জন মারা যান।", "In all 232 died."), ("মোট ৫০ জন মারা যান।", "In all 51 died.")];
        let (done, stats) = mend(&engine, &pairs, false);
        assert_eq!(stats.left, 2);
        assert!(done.iter().all(|d| d.1.iter().any(|f| f.kind == FindingKind::NumberChanged)));
        // allowed to, it takes the number from the source and says so
        let (done, stats) = mend(&engine, &pairs, true);
        assert_eq!(stats.left, 0);
        assert_eq!(done[1].0, "In all 50 died.");
        assert!(done[1].1.iter().any(|f| f.severity == Severity::Note && f.message.contains("51")));
    }

    #[test]
    fn clauses_become_one_sentence() {
        assert_eq!(
            join(["He came.", "But Karim left.", "Karim slept."].into_iter()),
            "He came, but Karim left, Karim slept."
        );
        assert_eq!(join(["Is it so?", "He left."].into_iter()), "Is it so? He left.");
    }
}
