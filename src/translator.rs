//! The front door: a model by name, articles and sentences in, English out.
use crate::Result;
use crate::article::Article;
use crate::assembly::choice::{AUTO, choose, is_installed};
use crate::assembly::{Model, ModelOptions};
use crate::check::Glossary;
use crate::engine::{self, EngineOptions, Supply};
use crate::hub::{HubConfig, ResolveOptions, resolve};
use crate::manifest::{DEFAULT_MODEL, Registry};
use crate::model::layers::Compute;
use crate::pipeline::stream::Finished;
use crate::pipeline::{self, PipelineOptions, Quality, Sentence, Translation};
use crate::summary::{SummaryModels, SummaryOptions};
use std::sync::Arc;

/// Translates articles and sentences with one model, checks what comes out and repairs what the checks doubt.
///
/// It may be shared by threads; calls take turns at the model's workers.
pub struct Translator {
    engine: engine::Translator,
    options: PipelineOptions,
    summary: SummaryModels,
}

impl Translator {
    /// Settings that suit most: the built-in model, the best quality, all cores, no summary.
    pub fn builder() -> TranslatorBuilder {
        TranslatorBuilder {
            model: DEFAULT_MODEL.into(),
            download: false,
            quality: Quality::default(),
            threads: None,
            options: ModelOptions::default(),
            pipeline: PipelineOptions { summary: None, ..PipelineOptions::default() },
        }
    }

    /// The English article with what the checks found, and its summary if that was asked for.
    ///
    /// # Errors
    /// The engine's own. A sentence that cannot be translated stands in Bengali in its place, with a finding that says so.
    pub fn translate(&self, article: &Article) -> Result<Translation> {
        let prepared = pipeline::prepare(article.clone());
        pipeline::translate(&self.engine, &prepared, &self.options, &self.summary.makers(), &mut |_| true)
    }

    /// Translates sentences as they come and gives each to `done` as soon as it is finished, in whatever order that is
    /// ([`Finished::index`] says which it was). `done` returns false to stop.
    ///
    /// Batches fill up to what the sentences allow, so an iterator should not wait long for its next one; a source that
    /// has to is served by [`pipeline::translate_sentences`].
    ///
    /// # Errors
    /// The engine's own. A sentence that fails alone is handed out in Bengali with a finding that says so.
    pub fn sentences<S: Into<String>>(
        &self,
        sentences: impl IntoIterator<Item = S, IntoIter: Send>,
        mut done: impl FnMut(Finished) -> bool + Send,
    ) -> Result<()> {
        let mut sentences = sentences.into_iter();
        let mut source = |_idle| sentences.next().map_or(Supply::End, |s| Supply::Job(Sentence::new(s)));
        pipeline::translate_sentences(&self.engine, &self.options, &mut source, &mut done).map(drop)
    }

    /// What is checked and repaired, for [`pipeline::translate_sentences`] and its like.
    pub fn options(&self) -> &PipelineOptions {
        &self.options
    }

    /// The engine itself, for those who bring checks of their own.
    pub fn engine(&self) -> &engine::Translator {
        &self.engine
    }
}

/// See [`Translator::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct TranslatorBuilder {
    model: String,
    download: bool,
    quality: Quality,
    threads: Option<usize>,
    options: ModelOptions,
    pipeline: PipelineOptions,
}

impl TranslatorBuilder {
    /// The model: an id (`anubad model list` prints them), a folder in Hub layout, or a GGUF file; `auto` is the best one
    /// that is installed, by published quality.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = model.into();
        self
    }

    /// Downloads the model first if it is not there; otherwise the network is never touched.
    pub fn download(mut self, download: bool) -> Self {
        self.download = download;
        self
    }

    /// How much a translation may cost.
    pub fn quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }

    /// Threads in all, one worker each [default: one a core].
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// What the matrix products are computed with [default: 8 bits].
    pub fn compute(mut self, compute: Compute) -> Self {
        self.options.compute = compute;
        self
    }

    /// Terms that must be translated as given.
    pub fn glossary(mut self, glossary: Glossary) -> Self {
        self.pipeline.checks.glossary = Some(Arc::new(glossary));
        self
    }

    /// Makes a summary of each article from its most telling sentences, shortened where the model has learned to. A summary
    /// that another model writes takes [`pipeline::translate`] with a [`crate::summary::Writer`].
    pub fn summary(mut self, summary: SummaryOptions) -> Self {
        self.pipeline.summary = Some(summary);
        self
    }

    /// Finds and loads the model.
    ///
    /// # Errors
    /// The model is unknown, not on this machine, damaged or not supported; the settings contradict one another.
    pub fn build(self) -> Result<Translator> {
        let Self { model, download, quality, threads, options, mut pipeline } = self;
        let model = if model == AUTO {
            let config = HubConfig::from_env();
            choose(&Registry::load()?, None, &|manifest| is_installed(&config, manifest)).id
        } else {
            model
        };
        let resolved = resolve(&model, &ResolveOptions { download, config: None })?;
        let model = Model::open(&resolved, &options)?;
        let mut decode = model.decode.clone();
        quality.search(&mut decode);
        quality.repair(&mut pipeline);
        let options = EngineOptions::for_machine(threads, None)?;
        let summary = match &pipeline.summary {
            Some(wanted) => SummaryModels::new(None, wanted, &model, options.clone())?,
            None => SummaryModels::default(),
        };
        let engine = model.translator(decode, options)?;
        Ok(Translator { engine, options: pipeline, summary })
    }
}
