//! What is done to one article beside translating its sentences: the seam between the bulk job and the pipeline.
use crate::article::Article;
use crate::bulk::record::{Aligned, Finished};
use crate::engine::{Outcome, Translate, Translator};
use crate::pipeline::{self, PipelineOptions, Prepared, Translation};
use crate::summary::model::SummaryModel;
use crate::{Error, Result};
use serde_json::{Value, json};

/// The pipeline as the bulk job sees it. Both functions may be called from several threads and may panic: that
/// costs one article.
pub trait Steps: Send + Sync {
    /// Everything that has a say in the result beside model and article; under `decoding` what has a say in the
    /// translation of a sentence (it keys the cache).
    fn settings(&self) -> Value;

    /// Cuts an article into the pieces that are to be translated.
    fn prepare(&self, article: Article) -> Prepared;

    /// Puts the English article together, checks it and summarizes it. `outcomes` has one entry a segment, `None`
    /// where there was nothing to translate; `engine` translates sentences once more with other options.
    fn finish(
        &self,
        prepared: &Prepared,
        outcomes: Vec<Option<Result<Outcome>>>,
        engine: &dyn Translate,
    ) -> Result<Finished>;
}

/// The steps of `anubad translate`.
pub struct PipelineSteps {
    options: PipelineOptions,
    /// What writes the summaries; `None`: they are extracted.
    writer: Option<SummaryModel>,
    settings: Value,
    /// What the model's license asks to be said, for pages.
    license: Option<String>,
}

/// Of so many sentences of an article one may fail; then its Bengali stands in its place and a finding says so. An
/// article of which more fails is an error, and can be retried.
const ONE_IN: usize = 10;

impl PipelineSteps {
    /// The pipeline with its options, for what `translator` translates.
    pub fn new(options: PipelineOptions, writer: Option<SummaryModel>, translator: &Translator) -> Self {
        let settings = json!({
            "decoding": {
                "options": translator.options(),
                "max_sentence_tokens": translator.engine_options().max_sentence_tokens,
                "preparation": translator.preparation(),
                // Its tables of names have a say in what the model is given.
                "program": env!("CARGO_PKG_VERSION"),
            },
            "summary": options.summary,
            "summary_model": writer.as_ref().map(|w| w.writer().model.to_string()),
            "repair": options.repair,
            // A glossary is part of it, term by term.
            "checks": format!("{:?}", options.checks),
        });
        Self { options, writer, settings, license: None }
    }

    /// The same, with a note on the model's license for formats that have room for it.
    pub fn with_license(self, license: Option<String>) -> Self {
        Self { license, ..self }
    }
}

impl Steps for PipelineSteps {
    fn settings(&self) -> Value {
        self.settings.clone()
    }

    fn prepare(&self, article: Article) -> Prepared {
        pipeline::prepare(article)
    }

    fn finish(
        &self,
        prepared: &Prepared,
        outcomes: Vec<Option<Result<Outcome>>>,
        engine: &dyn Translate,
    ) -> Result<Finished> {
        let asked = outcomes.iter().flatten().count();
        let failures = || outcomes.iter().flatten().filter_map(|o| o.as_ref().err());
        if let Some(error) = failures().next().filter(|_| failures().count() > asked / ONE_IN) {
            let failed = failures().count();
            return Err(Error::Bulk(format!("{failed} of {asked} sentences could not be translated: {error}")));
        }
        let writer = self.writer.as_ref().map(|w| w.writer());
        let done = pipeline::complete(engine, prepared, outcomes, &self.options, writer.as_ref())?;
        let mut finished = Finished::from(done);
        finished.aligned.source = prepared.article.clone();
        finished.aligned.license = self.license.clone();
        Ok(finished)
    }
}

impl From<Translation> for Finished {
    fn from(translation: Translation) -> Self {
        let Translation { mut article, mut findings, summary, segments, .. } = translation;
        if article.title.is_none() {
            article.title = summary.as_ref().and_then(|s| s.headline.clone());
        }
        findings.extend(summary.iter().flat_map(|s| s.findings.clone()));
        let aligned = Aligned {
            source: Article::default(),
            license: None,
            segments,
            summary: summary.iter().flat_map(|s| s.sentences.clone()).collect(),
            method: summary.as_ref().map(|s| s.method.to_string()),
        };
        Self { article, summary: summary.map(|s| s.text()), findings, aligned }
    }
}
