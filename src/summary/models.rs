//! The models behind a job's summaries, opened once for all its articles.
use super::made::Makers;
use super::model::SummaryModel;
use super::shorten::{Shorten, ShortenOptions, Shortener};
use super::{Language, MethodChoice, SummaryOptions};
use crate::Result;
use crate::assembly::Model;
use crate::engine::EngineOptions;

/// What summaries are made with; by default nothing, which gives whole sentences of the article.
#[derive(Default)]
pub struct SummaryModels {
    /// What writes in its own words.
    pub writer: Option<SummaryModel>,
    /// What leaves words out of the chosen sentences.
    pub shortener: Option<Shortener>,
}

impl SummaryModels {
    /// With a writer or none, and the shortener that the translating `model` has in it where `options` have a use for one.
    ///
    /// # Errors
    /// An adapter that is damaged or belongs to another model; engine options that contradict one another.
    pub fn new(
        writer: Option<SummaryModel>,
        options: &SummaryOptions,
        model: &Model,
        engine: EngineOptions,
    ) -> Result<Self> {
        let wanted = options.language == Language::English && options.method == MethodChoice::Auto;
        let shortener = if wanted { Shortener::of(model, engine, ShortenOptions::default())? } else { None };
        Ok(Self { writer, shortener })
    }

    /// What [`super::summarize`] takes.
    pub fn makers(&self) -> Makers<'_> {
        let shortener = self.shortener.as_ref().map(|s| s as &dyn Shorten);
        Makers { writer: self.writer.as_ref().map(SummaryModel::writer), shortener }
    }

    /// The names of the models, for settings that journals and caches keep.
    pub fn names(&self) -> (Option<String>, Option<String>) {
        let writer = self.writer.as_ref().map(|w| w.writer().model.to_string());
        (writer, self.shortener.as_ref().map(|s| s.model().to_string()))
    }
}
