//! What is done to one article beside translating its sentences: the seam between the bulk job and the pipeline.
use super::record::Finished;
use crate::article::Article;
use crate::engine::{Outcome, Translate};
use crate::text::Segment;

/// The pipeline as the bulk job sees it. Both functions may be called from several threads and may panic: that
/// costs one article.
pub trait Steps: Send + Sync {
    /// Everything that has a say in the result beside model and article, for the journal and the cache's key.
    fn settings(&self) -> serde_json::Value;

    /// The pieces of an article that are to be translated.
    fn segments(&self, article: &Article) -> Vec<Segment>;

    /// Puts the English article together, checks it and summarises it. `outcomes` has one entry a segment; `retry`
    /// translates sentences once more with other options. The error is one line for a person.
    fn finish(
        &self,
        article: &Article,
        segments: &[Segment],
        outcomes: Vec<Result<Outcome, String>>,
        retry: &dyn Translate,
    ) -> Result<Finished, String>;
}
