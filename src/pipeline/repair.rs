//! Segments whose translation has serious findings are translated again: first with a wider search and its n-best
//! list, then with repetition forbidden, then in smaller pieces. The candidate that the checks like best wins, the
//! model's own score deciding between equals; what isn't cured keeps its findings.
//!
//! Every round is one pass through the engine for all segments that still need it.
use super::finish::respelled;
use crate::check::{CheckOptions, check_segment, is_common_english_word, patch_numbers};
use crate::decode::DecodeOptions;
use crate::engine::{Job, Outcome, Translate};
use crate::text::{Finding, FindingKind, Severity, clause};
use crate::{Error, Result};

/// A translated segment that may need repair.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// The segment as the checks see it.
    pub source: String,
    /// The segment as it is given to the engine.
    pub text: String,
    /// The best so far: what the first pass made of it, tidied, with its findings.
    pub best: Attempt,
}

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
pub struct RepairStats {
    /// Segments with serious findings before and after.
    pub suspects: usize,
    pub left: usize,
    /// Translations asked of the engine.
    pub jobs: usize,
}

/// Translates the segments with serious findings again and puts the best attempt in [`Suspect::best`]'s place.
///
/// `tidy` turns what a model wrote (second argument) for a source (first) into what is printed.
///
/// # Errors
/// Only where the engine as a whole fails; a job that fails leaves its segment as it was.
pub fn repair(
    engine: &dyn Translate,
    suspects: &mut [Suspect],
    options: &RepairOptions,
    tidy: &(dyn Fn(&str, &str) -> String + Sync),
) -> Result<RepairStats> {
    let mut stats =
        RepairStats { suspects: suspects.iter().filter(|s| is_serious(&s.best)).count(), ..Default::default() };
    for round in [Round::Beam, Round::NoRepeat, Round::Pieces] {
        if round == Round::Pieces && !options.pieces {
            continue;
        }
        let jobs = round.jobs(suspects, options);
        stats.jobs += jobs.len();
        if jobs.is_empty() {
            continue;
        }
        for (index, outcomes) in run(engine, jobs)? {
            let suspect = &mut suspects[index];
            for attempt in attempts(suspect, outcomes, options, tidy) {
                if penalty(&attempt) < penalty(&suspect.best) {
                    suspect.best = attempt;
                }
            }
        }
    }
    if options.patch {
        suspects.iter_mut().filter(|s| is_serious(&s.best)).for_each(|s| patch(s, options));
    }
    stats.left = suspects.iter().filter(|s| is_serious(&s.best)).count();
    Ok(stats)
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

/// The jobs of one segment: (index of the suspect, jobs' texts and options).
type Batch = Vec<(usize, Vec<(String, DecodeOptions)>)>;

impl Round {
    /// A name that the model can't spell is worth a wider search, no more; the later rounds are for text that loops,
    /// breaks off, leaves something out or gets its numbers wrong.
    fn may_help(self, attempt: &Attempt) -> bool {
        use FindingKind::{GlossaryMissed, NameInvented, NameMissing};
        let only_names = |f: &Finding| matches!(f.kind, NameInvented | NameMissing | GlossaryMissed);
        let serious = |f: &&Finding| f.severity == Severity::Serious;
        self == Self::Beam || attempt.truncated || attempt.findings.iter().filter(serious).any(|f| !only_names(f))
    }

    fn jobs(self, suspects: &[Suspect], options: &RepairOptions) -> Batch {
        let open = suspects.iter().enumerate().filter(|(_, s)| is_serious(&s.best) && self.may_help(&s.best));
        let beam = DecodeOptions {
            beams: options.beams.max(options.decode.beams),
            alternatives: options.beams.max(options.decode.beams) - 1,
            sampling: None,
            ..options.decode.clone()
        };
        open.filter_map(|(index, suspect)| {
            let text = match &options.checks.glossary {
                Some(glossary) => glossary.write_into(&suspect.text),
                None => suspect.text.clone(),
            };
            let jobs = match self {
                Self::Beam => vec![(text, beam.clone())],
                Self::NoRepeat => {
                    let decode = DecodeOptions {
                        no_repeat_ngram: 3,
                        repetition_penalty: 1.1,
                        length_penalty: 1.2,
                        ignore_prompt: true,
                        ..beam.clone()
                    };
                    vec![(text, decode)]
                }
                Self::Pieces => {
                    let pieces = pieces(&text);
                    let decode = DecodeOptions { alternatives: 0, ..beam.clone() };
                    pieces.into_iter().map(|piece| (piece, decode.clone())).collect()
                }
            };
            (!jobs.is_empty()).then_some((index, jobs))
        })
        .collect()
    }
}

/// Longest piece of a sentence that is translated piece by piece, in characters: what a small model takes in at once.
const LONGEST_PIECE: usize = 240;

/// Two or more clauses of a sentence, none if it is too short to be cut.
fn pieces(text: &str) -> Vec<String> {
    let length = text.chars().count();
    if length < 50 {
        return Vec::new();
    }
    let pieces = clause::split(text, &|piece| piece.chars().count(), (length * 3 / 5).min(LONGEST_PIECE));
    if pieces.len() > 1 { pieces } else { Vec::new() }
}

/// All jobs in one pass; for each suspect the outcomes of its jobs in order, if none of them failed.
fn run(engine: &dyn Translate, batch: Batch) -> Result<Vec<(usize, Vec<Outcome>)>> {
    let mut flat = Vec::new();
    let mut spans = Vec::new();
    for (index, jobs) in batch {
        spans.push((index, flat.len()..flat.len() + jobs.len()));
        flat.extend(jobs);
    }
    let mut outcomes: Vec<Option<Result<Outcome>>> = flat.iter().map(|_| None).collect();
    let mut jobs =
        flat.into_iter().enumerate().map(|(id, (text, options))| Job { id: id as u64, text, options: Some(options) });
    let mut interrupted = false;
    engine.translate_stream(&mut jobs, &mut |id, outcome| {
        interrupted |= matches!(outcome, Err(Error::Interrupted));
        if let Some(slot) = outcomes.get_mut(id as usize) {
            *slot = Some(outcome);
        }
        !interrupted
    })?;
    if interrupted {
        return Err(Error::Interrupted);
    }
    let mut out = Vec::with_capacity(spans.len());
    for (index, span) in spans {
        let complete: Option<Vec<Outcome>> = outcomes[span].iter_mut().map(|o| o.take().and_then(Result::ok)).collect();
        out.extend(complete.map(|outcomes| (index, outcomes)));
    }
    Ok(out)
}

/// The candidates that a segment's outcomes offer: the best and its alternatives, or the pieces joined.
fn attempts(
    suspect: &Suspect,
    outcomes: Vec<Outcome>,
    options: &RepairOptions,
    tidy: &(dyn Fn(&str, &str) -> String + Sync),
) -> Vec<Attempt> {
    let source_tokens = outcomes.iter().map(|o| o.source_tokens).sum();
    let target_tokens = outcomes.iter().map(|o| o.target_tokens).sum();
    let truncated = outcomes.iter().any(|o| o.truncated);
    let texts: Vec<(String, f32)> = match &outcomes[..] {
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
            let (text, notes) = respelled(&suspect.source, tidy(&suspect.source, &text));
            let mut findings = check_segment(&suspect.source, &text, &options.checks);
            findings.extend(notes);
            Attempt { text, score, source_tokens, target_tokens, truncated, findings }
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
        if continues && is_common_english_word(&first.to_lowercase()) && first != "I" {
            out.extend(piece.chars().next().map(|c| c.to_ascii_lowercase()));
            out.extend(piece.chars().skip(1));
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// Puts the source's number where the only thing wrong is a number of the same form.
fn patch(suspect: &mut Suspect, options: &RepairOptions) {
    let Some((text, notes)) = patch_numbers(&suspect.source, &suspect.best.text) else { return };
    let mut findings = check_segment(&suspect.source, &text, &options.checks);
    findings.extend(notes);
    let attempt = Attempt { text, findings, ..suspect.best.clone() };
    if penalty(&attempt) < penalty(&suspect.best) {
        suspect.best = attempt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ModelIdentity;
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
                    alternatives: others.into_iter().map(|t| (t, -0.9)).collect(),
                });
                if !done(job.id, outcome) {
                    break;
                }
            }
            Ok(())
        }
    }

    fn suspect(source: &str, output: &str) -> Suspect {
        let findings = check_segment(source, output, &CheckOptions::default());
        let first = Attempt {
            text: output.into(),
            score: -0.4,
            source_tokens: 5,
            target_tokens: 5,
            truncated: false,
            findings,
        };
        Suspect { source: source.into(), text: source.into(), best: first }
    }

    fn mend(engine: &dyn Translate, suspects: &mut [Suspect], patch: bool) -> RepairStats {
        repair(engine, suspects, &RepairOptions { patch, ..Default::default() }, &|_, text| text.to_string()).unwrap()
    }

    #[test]
    fn an_alternative_without_faults_wins_and_good_segments_are_left_alone() {
        let engine = Scripted::new(|_: &str, _: &DecodeOptions| {
            Ok(("In all, 239 people died.".into(), vec!["In all, 231 people died.".into()]))
        });
        let mut suspects = [
            suspect("মোট ২৩১ জন মারা গেছেন।", "In all, 230 people died."),
            suspect("তিনি বাড়ি গেছেন।", "He has gone home."),
        ];
        let stats = mend(&engine, &mut suspects, false);
        assert_eq!(suspects[0].best.text, "In all, 231 people died.");
        assert_eq!(suspects[1].best.text, "He has gone home.");
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
        let mut suspects = [suspect("তিনি আজ বাড়ি গেছেন।", looping), suspect("তিনি আজ বাড়ি গেলেন।", looping)];
        let stats = mend(&engine, &mut suspects, false);
        assert!(suspects.iter().all(|s| s.best.text == "He has gone home today."), "{suspects:?}");
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
        let mut suspects =
            [suspect(source, "There were 13 members at the meeting and later 46 members came and joined it.")];
        mend(&engine, &mut suspects, false);
        assert_eq!(
            suspects[0].best.text,
            "There were 12 members at the meeting, but later 45 members came and joined the meeting."
        );
    }

    #[test]
    fn what_is_not_cured_keeps_its_finding_and_failed_jobs_do_no_harm() {
        let engine = Scripted::new(|text: &str, _: &DecodeOptions| {
            if text.contains("৫০") {
                Err(Error::Model("broken".into()))
            } else {
                Ok(("In all 233 died.".into(), Vec::new()))
            }
        });
        let mut suspects =
            [suspect("মোট ২৩১ জন মারা যান।", "In all 232 died."), suspect("মোট ৫০ জন মারা যান।", "In all 51 died.")];
        let stats = mend(&engine, &mut suspects, false);
        assert_eq!(stats.left, 2);
        assert!(suspects.iter().all(|s| s.best.findings.iter().any(|f| f.kind == FindingKind::NumberChanged)));
        // allowed to, it takes the number from the source and says so
        let stats = mend(&engine, &mut suspects, true);
        assert_eq!(stats.left, 0);
        assert_eq!(suspects[1].best.text, "In all 50 died.");
        assert!(suspects[1].best.findings.iter().any(|f| f.severity == Severity::Note && f.message.contains("51")));
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
