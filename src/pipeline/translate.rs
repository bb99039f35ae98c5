//! One article through the engine, in waves, with every block handed out as soon as it is done.
use super::confidence::judge;
use super::finish::{article_findings, assemble, run_text};
use super::prepare::Prepared;
use super::stream::{self, First, Sentence};
use super::{PipelineOptions, Ready, SCHEMA, Timings, TranslatedSegment, Translation, seconds};
use crate::article::{Article, Block, BlockKind, Segment, segment};
use crate::check::Spellings;
use crate::engine::{Outcome, Supply, Translate};
use crate::summary::{Makers, SummaryInput, Translated, summarize};
use crate::text::{Finding, Severity};
use crate::{Error, Result};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Sentences of the first wave.
const FIRST_WAVE: usize = 4;

/// Translates an article. `ready` sees the title and each block as soon as it and all before it are done, and returns
/// false to stop. `makers` are what the summary is made with beside the translation.
///
/// # Errors
/// The engine's own; a segment that fails alone is a finding, not an error.
pub fn translate(
    engine: &dyn Translate,
    prepared: &Prepared,
    options: &PipelineOptions,
    makers: &Makers,
    ready: &mut dyn FnMut(Ready<'_>) -> bool,
) -> Result<Translation> {
    let mut work = Work::new(engine, prepared, options);
    let mut repairing = Duration::ZERO;
    for wave in prepared.waves(FIRST_WAVE) {
        repairing += work.sentences(wave.clone(), None)?;
        if options.repair {
            work.settle_names(wave.clone());
        }
        if !work.show(wave.end, ready) {
            return Err(Error::Interrupted);
        }
    }
    if !work.show(usize::MAX, ready) {
        return Err(Error::Interrupted);
    }
    work.timings.repair_s = seconds(repairing);
    work.timings.translate_s = seconds(work.started.elapsed());
    work.finish(makers)
}

/// Completes an article whose segments were translated elsewhere, together with those of others (the bulk job):
/// `outcomes` has one entry a segment, `None` where there was nothing to translate. `engine` makes the repairs.
///
/// # Errors
/// As for [`translate`].
pub fn complete(
    engine: &dyn Translate,
    prepared: &Prepared,
    outcomes: Vec<Option<Result<Outcome>>>,
    options: &PipelineOptions,
    makers: &Makers,
) -> Result<Translation> {
    let mut work = Work::new(engine, prepared, options);
    let all = 0..prepared.segments.len();
    work.sentences(all, Some(outcomes))?;
    if options.repair {
        // In the same waves as an article by itself, so that both come out alike.
        prepared.waves(FIRST_WAVE).into_iter().for_each(|wave| work.settle_names(wave));
    }
    work.finish(makers)
}

struct Work<'a> {
    engine: &'a dyn Translate,
    prepared: &'a Prepared,
    options: &'a PipelineOptions,
    done: Vec<TranslatedSegment>,
    findings: Vec<Finding>,
    spellings: Spellings,
    /// Blocks handed out, and sentences.
    shown: usize,
    said: usize,
    started: Instant,
    timings: Timings,
}

impl<'a> Work<'a> {
    fn new(engine: &'a dyn Translate, prepared: &'a Prepared, options: &'a PipelineOptions) -> Self {
        Self {
            engine,
            prepared,
            options,
            done: Vec::new(),
            findings: Vec::new(),
            spellings: Spellings::default(),
            shown: 0,
            said: 0,
            started: Instant::now(),
            timings: Timings::default(),
        }
    }

    /// Translates, checks and repairs the segments of a wave; how long only repairs were left to do. `outcomes` has one
    /// entry a segment where they have been translated elsewhere.
    fn sentences(&mut self, wave: Range<usize>, outcomes: Option<Vec<Option<Result<Outcome>>>>) -> Result<Duration> {
        let (prepared, start) = (self.prepared, wave.start);
        let mut made = outcomes.map(Vec::into_iter);
        let mut left = wave.clone();
        let mut source = |_idle| {
            let Some(index) = left.next() else { return Supply::End };
            let (segment, text) = (prepared.segments[index].clone(), prepared.texts[index].clone());
            let first = match &mut made {
                None => First::Wanted,
                Some(made) => First::Made(match (made.next().flatten(), &text) {
                    (None, Some(_)) => Some(Err(Error::Interrupted)),
                    (outcome, _) => outcome,
                }),
            };
            Supply::Job(Sentence { segment, text, first })
        };
        let mut done: Vec<Option<TranslatedSegment>> = wave.map(|_| None).collect();
        let findings = &mut self.findings;
        let mut take = |translated: stream::Finished| {
            let at = translated.index as usize;
            findings.extend(translated.findings.into_iter().map(|f| Finding { segment: Some(start + at), ..f }));
            done[at] = Some(translated.segment);
            true
        };
        let (_, repairing) = stream::timed(self.engine, self.options, &mut source, &mut take)?;
        self.done.extend(done.into_iter().flatten());
        // In the order of the text, whichever sentence was done first.
        self.findings.sort_by_key(|f| f.segment);
        Ok(repairing)
    }

    /// Gives the names of a wave's segments the spelling that they have in the article so far.
    fn settle_names(&mut self, wave: Range<usize>) {
        if !self.options.checks.names {
            return;
        }
        // Nothing was generated for the others: they are the source's own words.
        let generated: Vec<usize> = wave.filter(|&i| self.done[i].score.is_some()).collect();
        let sentences: Vec<(&str, &str)> =
            generated.iter().map(|&i| (self.done[i].source.as_str(), self.done[i].text.as_str())).collect();
        for (at, text, notes) in self.spellings.settle(&sentences) {
            let index = generated[at];
            self.done[index].text = text;
            self.findings.extend(notes.into_iter().map(|f| Finding { segment: Some(index), ..f }));
        }
    }

    /// Hands out the title and the blocks whose segments all lie below `end`.
    fn show(&mut self, end: usize, ready: &mut dyn FnMut(Ready<'_>) -> bool) -> bool {
        if self.said < self.done.len() {
            let first = std::mem::replace(&mut self.said, self.done.len());
            self.judge(first..self.done.len());
            if !ready(Ready::Sentences { first, segments: &self.done[first..], findings: &self.findings }) {
                return false;
            }
        }
        let texts: Vec<String> = self.done.iter().map(|s| s.text.clone()).collect();
        let runs = self.prepared.runs();
        let blocks = &self.prepared.article.blocks;
        if self.timings.first_block_s == 0.0 {
            self.timings.first_block_s = seconds(self.started.elapsed());
            if let Some((None, range)) = runs.first()
                && !ready(Ready::Title(&run_text(self.prepared, None, range, &texts)))
            {
                return false;
            }
        }
        while let Some(source) = blocks.get(self.shown) {
            let run = runs.iter().find(|(block, _)| *block == Some(self.shown)).map(|(_, range)| range.clone());
            if run.as_ref().is_some_and(|range| range.end > end.min(self.done.len())) {
                return true;
            }
            let text = match &run {
                Some(range) => run_text(self.prepared, Some(self.shown), range, &texts),
                None => segment::assemble(source.kind, &source.text, &[]),
            };
            let inside = |f: &&Finding| f.segment.zip(run.clone()).is_some_and(|(s, run)| run.contains(&s));
            let findings: Vec<Finding> = self.findings.iter().filter(inside).cloned().collect();
            let block = Block { kind: source.kind, text, range: source.range.clone() };
            if !ready(Ready::Block(&block, &findings)) {
                return false;
            }
            self.shown += 1;
        }
        true
    }

    /// Says how far segments can be trusted.
    fn judge(&mut self, range: Range<usize>) {
        let first = range.start;
        judge(&self.engine.identity().id, &mut self.done[range], first, &self.findings);
    }

    /// Everything together, and the summary.
    fn finish(mut self, makers: &Makers) -> Result<Translation> {
        let texts: Vec<String> = self.done.iter().map(|s| s.text.clone()).collect();
        self.findings.extend(article_findings(&self.done, self.options));
        self.judge(0..self.done.len());
        let article = assemble(self.prepared, &texts);
        let start = Instant::now();
        let summary = match &self.options.summary {
            Some(options) if !self.prepared.segments.is_empty() => {
                let sentences = with_doubts(&self.done, &self.findings);
                let input = SummaryInput {
                    article: &self.prepared.article,
                    segments: &self.prepared.segments,
                    translated: Some(&sentences),
                    translate: None,
                };
                Some(summarize(&input, options, makers)?)
            }
            _ => None,
        };
        self.timings.summary_s = seconds(start.elapsed());
        self.findings.sort_by_key(|f| (f.segment, std::cmp::Reverse(f.severity)));
        Ok(Translation {
            schema: SCHEMA,
            article,
            segments: self.done,
            findings: self.findings,
            summary,
            model: self.engine.identity().clone(),
            model_choice: None,
            timings: self.timings,
        })
    }
}

/// Translates sentences that belong to no article (those that a summary needs), checked and repaired like one.
///
/// # Errors
/// The engine's own; a sentence that fails alone carries its finding.
pub fn sentences(engine: &dyn Translate, sources: &[String], options: &PipelineOptions) -> Result<Vec<Translated>> {
    let options = PipelineOptions { summary: None, ..options.clone() };
    let translation = translate(engine, &separate(sources), &options, &Makers::default(), &mut |_| true)?;
    Ok(with_doubts(&translation.segments, &translation.findings))
}

/// Each sentence as a paragraph of its own.
fn separate(sources: &[String]) -> Prepared {
    let block = |text: &String| Block { kind: BlockKind::Paragraph, text: text.clone(), range: 0..text.len() };
    let segment =
        |(i, text): (usize, &String)| Segment { block: Some(i), sentence: 0, text: text.clone(), range: 0..text.len() };
    let article = Article { blocks: sources.iter().map(block).collect(), ..Article::default() };
    Prepared::of(article, sources.iter().enumerate().map(segment).collect())
}

/// The English sentences, each with the first of its serious findings.
fn with_doubts(segments: &[TranslatedSegment], findings: &[Finding]) -> Vec<Translated> {
    let doubt = |i| findings.iter().find(|f| f.segment == Some(i) && f.severity == Severity::Serious).cloned();
    segments
        .iter()
        .enumerate()
        .map(|(i, s)| Translated { text: s.text.clone(), doubt: doubt(i), confidence: s.confidence })
        .collect()
}

/// Whether a translation has findings that would mislead a reader.
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub fn has_serious(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Serious)
}
