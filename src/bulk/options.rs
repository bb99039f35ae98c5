//! What a bulk job is to do.
use crate::bulk::observer::Observer;
use crate::bulk::output::{Compression, OutputFormat, table};
use crate::feed::ReadOptions;
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// When the output is forced onto the disk. Whatever is chosen, a killed process loses nothing that is journalled;
/// this is about the machine itself losing power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// After every article.
    Always,
    /// At most so much time apart, and at the end.
    Every(Duration),
    /// Left to the operating system; after a power loss the output is cut back to what its checksums vouch for.
    Never,
}

impl Default for Sync {
    fn default() -> Self {
        Self::Every(Duration::from_secs(5))
    }
}

impl FromStr for Sync {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            seconds => match seconds.parse::<f64>() {
                Ok(s) if s > 0.0 && s < 86400.0 => Ok(Self::Every(Duration::from_secs_f64(s))),
                _ => Err("expected always, never or a number of seconds".into()),
            },
        }
    }
}

/// What to do with what an earlier run has left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Resume {
    /// Go on where it stopped, unless something has changed.
    #[default]
    Auto,
    /// Go on even so.
    Anyway,
    /// Start over.
    Fresh,
    /// Run those entries again that failed.
    RetryErrors,
}

/// Which entries are translated.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Filters {
    /// Entries dated from then on; those without a date that can be read are left out.
    #[serde(serialize_with = "as_text")]
    pub since: Option<jiff::Timestamp>,
    /// Entries dated before.
    #[serde(serialize_with = "as_text")]
    pub until: Option<jiff::Timestamp>,
    /// At most so many articles.
    pub limit: Option<u64>,
    /// This share of the entries, 0 to 1, chosen by `seed` and the entry's number.
    pub sample: Option<f64>,
    /// Chooses the sample: the same seed takes the same entries.
    pub seed: u64,
    /// Leave out what is English already.
    pub skip_translated: bool,
}

fn as_text<S: serde::Serializer>(time: &Option<jiff::Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|t| t.to_string()).serialize(serializer)
}

/// Everything about a job but its model.
#[derive(Debug, Clone)]
pub struct BulkOptions {
    /// Files, folders and archives, in order; `-` is standard input.
    pub input: Vec<PathBuf>,
    /// How entries are read.
    pub read: ReadOptions,
    /// `-` is standard output: nothing is journalled, and errors stand in their places.
    pub output: PathBuf,
    /// What the output is written as.
    pub format: OutputFormat,
    /// What the output is packed with.
    pub compress: Option<Compression>,
    /// The Bengali goes into the output, too.
    pub include_source: bool,
    /// Leaves cells of CSV as they are that a spreadsheet would take for formulas.
    pub csv_raw: bool,
    /// Title of an RSS or Atom feed.
    pub feed_title: String,
    /// Which entries are translated.
    pub filters: Filters,
    /// What is done with what an earlier run has left.
    pub resume: Resume,
    /// When the output is forced onto the disk.
    pub sync: Sync,
    /// Directory of translations kept between runs.
    pub cache: Option<PathBuf>,
    /// Bytes of translations remembered within the run.
    pub cache_bytes: usize,
    /// Most articles in hand at once.
    pub window_articles: usize,
    /// Most bytes of article text in hand at once.
    pub window_bytes: usize,
    /// Most bytes of one article's text; a longer one is an error record.
    pub max_article: usize,
    /// Threads that finish articles: checks, repairs, summary. Most of the time they wait for the translator, so there
    /// must be enough of them to fill its batches with what they ask for.
    pub finishers: usize,
    /// Where [`Report`](crate::bulk::Report) is written as JSON.
    pub report: Option<PathBuf>,
    /// Is told how far the run is.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            read: ReadOptions::default(),
            output: PathBuf::from("-"),
            format: OutputFormat::default(),
            compress: None,
            include_source: false,
            csv_raw: false,
            feed_title: "Translated by anubad".into(),
            filters: Filters::default(),
            resume: Resume::default(),
            sync: Sync::default(),
            cache: None,
            cache_bytes: 16 << 20,
            window_articles: 256,
            window_bytes: 8 << 20,
            max_article: 1 << 20,
            finishers: 32,
            report: None,
            observer: None,
        }
    }
}

impl BulkOptions {
    /// What stands before the first record.
    pub(super) fn header(&self) -> Vec<u8> {
        let known = self.read.table.as_ref().and_then(|t| t.header.as_ref().map(|header| (t, header)));
        match known {
            Some((t, header)) if self.format == OutputFormat::Csv => {
                table::header(header, &t.columns, self.read.delimiter.unwrap_or(b','))
            }
            _ => self.format.header(self.include_source, &self.feed_title),
        }
    }

    /// Articles in hand and finishers as they suit a translator that grows so many hypotheses at once: enough
    /// sentences are at hand at any time, and repairs (a beam of four each) alone could fill its batches.
    pub fn suit(self, hypotheses: usize) -> Self {
        Self { window_articles: (8 * hypotheses).clamp(256, 8192), finishers: (hypotheses / 4).clamp(16, 256), ..self }
    }

    /// Everything that has a say in what is written, for the journal.
    pub(super) fn fingerprint(&self, pipeline: serde_json::Value) -> serde_json::Value {
        let mut fingerprint = serde_json::json!({
            "format": self.format,
            "compress": self.compress,
            "include_source": self.include_source,
            "feed_title": self.feed_title,
            "read": self.read,
            "filters": self.filters,
            "max_article": self.max_article,
            "pipeline": pipeline,
        });
        if self.csv_raw {
            fingerprint["csv_raw"] = true.into();
        }
        fingerprint
    }
}
