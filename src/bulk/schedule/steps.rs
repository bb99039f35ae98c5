//! What is done to one article beside translating its sentences: the seam between the bulk job and the pipeline.
use crate::Result;
use crate::article::Article;
use crate::bulk::BulkError;
use crate::bulk::record::{Aligned, Finished};
use crate::decode::DecodeOptions;
use crate::engine::{EngineOptions, Outcome, Preparation, Translate, Translator};
use crate::pipeline::{self, PipelineOptions, Prepared, Translation};
use crate::summary::SummaryModels;
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
    /// What the summaries are made with.
    models: SummaryModels,
    settings: Value,
    /// What the model's license asks to be said, for pages.
    license: Option<String>,
}

/// Of so many sentences of an article one may fail; then its Bengali stands in its place and a finding says so. An
/// article of which more fails is an error, and can be retried.
const ONE_IN: usize = 10;

/// Version of what [`settings`] says; it grows when a part of it changes its meaning or its form.
const SETTINGS: u32 = 2;

/// Everything that has a say in the result beside model and article, as journals and caches keep it: serialized values
/// under fixed names, so that a change of the program's types is not a change of the settings.
fn settings(
    options: &PipelineOptions,
    (writer, shortener): (Option<String>, Option<String>),
    decode: &DecodeOptions,
    preparation: &Preparation<'_>,
    engine: &EngineOptions,
) -> Value {
    let mut settings = json!({
        "version": SETTINGS,
        "decoding": {
            "options": decode,
            "max_sentence_tokens": engine.max_sentence_tokens,
            "preparation": preparation,
            // Its tables of names have a say in what the model is given.
            "program": env!("CARGO_PKG_VERSION"),
        },
        "summary": options.summary,
        "summary_model": writer,
        "repair": options.repair,
        // A glossary is part of it, term by term.
        "checks": options.checks,
    });
    // Left out where there is none, as before there were any.
    if let Some(shortener) = shortener {
        settings["summary_shortener"] = shortener.into();
    }
    settings
}

impl PipelineSteps {
    /// The pipeline with its options, for what `translator` translates.
    pub fn new(options: PipelineOptions, models: SummaryModels, translator: &Translator) -> Self {
        let settings = settings(
            &options,
            models.names(),
            translator.options(),
            &translator.preparation(),
            translator.engine_options(),
        );
        Self { options, models, settings, license: None }
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
        mut outcomes: Vec<Option<Result<Outcome>>>,
        engine: &dyn Translate,
    ) -> Result<Finished> {
        let asked = outcomes.iter().flatten().count();
        let failed = outcomes.iter().flatten().filter(|o| o.is_err()).count();
        if failed > asked / ONE_IN
            && let Some(source) = outcomes.iter_mut().find_map(|o| o.take_if(|o| o.is_err())?.err())
        {
            return Err(BulkError::Sentences { failed, asked, source: Box::new(source) }.into());
        }
        let done = pipeline::complete(engine, prepared, outcomes, &self.options, &self.models.makers())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{CheckOptions, Glossary};
    use crate::engine::Prompt;
    use crate::hints::SourceStep;
    use crate::summary::SummaryOptions;
    use std::sync::Arc;

    /// What lies in journals and caches on people's disks: whoever changes it makes them start over, so the version must
    /// grow with it, and this text.
    #[test]
    fn the_fingerprint_of_the_settings_is_stable() {
        let glossary = Glossary::parse("পদ্মা সেতু\tPadma Bridge|the Padma\n").unwrap();
        let options = PipelineOptions {
            checks: CheckOptions { glossary: Some(Arc::new(glossary)), ..CheckOptions::default() },
            repair: true,
            summary: Some(SummaryOptions::default()),
        };
        let prompt = Prompt::Text { bos: Some(2), prefix: "bn: ".into(), suffix: " en:".into() };
        let steps = [SourceStep::LatinNames, SourceStep::LatinDigits];
        let preparation = Preparation { steps: &steps, prompt: &prompt, terms: None };
        let engine = EngineOptions::default();
        let mut now =
            settings(&options, (Some("writer".into()), None), &DecodeOptions::default(), &preparation, &engine);
        assert_eq!(now["decoding"]["program"].take(), env!("CARGO_PKG_VERSION"));
        let text = serde_json::to_string_pretty(&now).unwrap();
        let want = include_str!("settings.snapshot.json");
        assert_eq!(
            text.trim(),
            want.trim(),
            "the settings have another form: let SETTINGS grow and take in the new text"
        );
    }
}
