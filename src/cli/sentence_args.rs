//! How sentences are translated and checked: the same arguments, in the same words, for every command that translates.
use crate::Result;
use crate::check::Glossary;
use crate::pipeline::{PipelineOptions, Quality};
use std::path::PathBuf;
use std::sync::Arc;

/// How carefully sentences are translated.
#[derive(Debug, Clone, clap::Args)]
pub struct SentenceArgs {
    /// What a translation may cost: draft (greedy, doubtful sentences only reported), standard (greedy, doubtful sentences
    /// translated again) or best (four hypotheses, doubtful sentences translated again). With the built-in model standard
    /// takes 2 times the processor time of draft, and best 3.3 times (200 news sentences) [default: best for translate and
    /// summarize, standard for bulk, eval and serve]
    #[arg(long, value_name = "draft|standard|best")]
    pub quality: Option<Quality>,
    /// Terms that must be translated as given: Bengali TAB English, one a line
    #[arg(long, value_name = "FILE")]
    pub glossary: Option<PathBuf>,
    /// Do not translate doubtful sentences again, whatever the quality
    #[arg(long)]
    pub no_repair: bool,
}

impl SentenceArgs {
    /// The quality that was asked for, or the command's own.
    pub fn quality(&self, default: Quality) -> Quality {
        self.quality.unwrap_or(default)
    }

    /// Checks and repair; summaries are the commands' own matter.
    ///
    /// # Errors
    /// The glossary cannot be read.
    pub fn options(&self, default: Quality) -> Result<PipelineOptions> {
        let mut options = PipelineOptions { summary: None, ..PipelineOptions::default() };
        self.quality(default).repair(&mut options);
        options.repair &= !self.no_repair;
        options.checks.glossary = self.glossary.as_deref().map(Glossary::load).transpose()?.map(Arc::new);
        Ok(options)
    }
}
