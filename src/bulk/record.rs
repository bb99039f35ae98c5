//! What is written for one article.
use crate::article::{Article, BlockWriter, Meta, Row, Style};
use crate::engine::ModelIdentity;
use crate::feed::{BadEntry, Place};
use crate::pipeline::TranslatedSegment;
use crate::pipeline::doubt::{Trust, trust};
use crate::text::Finding;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An article translated, as it goes into the output. No timings: the output is the same in every run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Number of the entry in the whole input, from 1; entries that were skipped or failed are counted.
    pub n: u64,
    /// The article's own id, address, date and author, as its feed has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only where it can be a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// As the feed writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// As the feed writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The English headline.
    pub title: Option<String>,
    /// The English text, paragraphs separated by an empty line.
    pub text: String,
    /// The summary as it is shown.
    pub summary: Option<String>,
    /// Mean confidence of the sentences, 0 to 1, and those that are to be looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// The sentences that are to be looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubtful: Vec<Doubtful>,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// Who translated.
    pub model: ModelIdentity,
    /// The Bengali, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Fields of the feed that anubad does not interpret.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
    /// The English article with its structure, for formats that can show it.
    #[serde(skip)]
    pub article: Article,
    /// Its sentences beside the Bengali, for formats that can show them.
    #[serde(skip)]
    pub aligned: Aligned,
    /// The row of a table that stays a table.
    #[serde(skip)]
    pub row: Option<std::sync::Arc<Row>>,
}

/// A sentence that is to be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doubtful {
    /// Its number in the article, as in [`Finding::segment`].
    pub segment: usize,
    /// The Bengali.
    pub source: String,
    /// The English.
    pub text: String,
    /// Chance, 0 to 1, that it is translated well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
}

/// The sentences of an article in both languages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aligned {
    /// The Bengali article with its structure.
    pub source: Article,
    /// Its sentences with their translations, in order.
    pub segments: Vec<TranslatedSegment>,
    /// Sentences of the summary, and how it was made.
    pub summary: Vec<String>,
    /// The name of the summary's method.
    pub method: Option<String>,
    /// What the model's license asks to be said.
    pub license: Option<String>,
}

/// The article as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The Bengali headline.
    pub title: Option<String>,
    /// The Bengali text, paragraphs separated by an empty line.
    pub text: String,
}

impl Source {
    /// Title and text of an article.
    pub fn of(article: &Article) -> Self {
        Self { title: article.title.clone(), text: plain_text(article) }
    }
}

/// What a pipeline makes of an article.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// The English article.
    pub article: Article,
    /// The summary as it is shown.
    pub summary: Option<String>,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// The sentences in both languages.
    pub aligned: Aligned,
}

impl Aligned {
    /// Mean confidence, and the doubtful sentences.
    fn doubts(&self, findings: &[Finding]) -> (Option<f32>, Vec<Doubtful>) {
        let known: Vec<f32> = self.segments.iter().filter_map(|s| s.confidence).collect();
        let mean = known.iter().sum::<f32>() / known.len().max(1) as f32;
        let confidence = (!known.is_empty()).then(|| (mean * 1000.0).round() / 1000.0);
        let doubtful = self.segments.iter().enumerate().filter(|(index, segment)| {
            trust(segment, findings.iter().filter(|f| f.segment == Some(*index))) == Some(Trust::Doubtful)
        });
        let doubtful = doubtful.map(|(segment, s)| Doubtful {
            segment,
            source: s.source.clone(),
            text: s.text.clone(),
            confidence: s.confidence,
        });
        (confidence, doubtful.collect())
    }
}

impl Record {
    /// Joins what the feed said of an article with what became of it.
    pub fn new(n: u64, meta: Meta, done: Finished, model: &ModelIdentity, source: Option<Source>) -> Self {
        let Meta { id, url, date, author, extra, row } = meta;
        let url = url.filter(|url| is_web_link(url));
        let Finished { article, summary, findings, aligned } = done;
        let (title, text) = (article.title.clone(), plain_text(&article));
        let model = model.clone();
        let (confidence, doubtful) = aligned.doubts(&findings);
        Self {
            n,
            id,
            url,
            date,
            author,
            title,
            text,
            summary,
            confidence,
            doubtful,
            findings,
            model,
            source,
            extra,
            article,
            aligned,
            row,
        }
    }
}

/// Whether an address can be a link in what is published: on the web, of a mailbox, or without a scheme. A feed may
/// name `javascript:` and the like, which run in whoever clicks on them.
fn is_web_link(url: &str) -> bool {
    // Browsers overlook white space and control characters here.
    let url: String = url.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let Some((scheme, _)) = url.split_once(':').filter(|(scheme, _)| !scheme.contains(['/', '?', '#'])) else {
        return true;
    };
    ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// An article's blocks as plain text.
pub fn plain_text(article: &Article) -> String {
    written(article, Style::Text)
}

/// An article's blocks as text or Markdown, without a line end at the end.
pub(super) fn written(article: &Article, style: Style) -> String {
    let mut writer = BlockWriter::new(Vec::new(), style);
    for block in &article.blocks {
        // Writing into memory does not fail.
        let _ = writer.block(block.kind, &block.text);
    }
    let bytes = writer.finish().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// A line of the errors file, and what stands in the place of a failed record in a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// Number of the entry in the whole input, from 1.
    pub n: u64,
    /// The article's own id, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What went wrong, in one line.
    pub error: String,
    /// Where the entry was found.
    pub place: Place,
}

impl ErrorRecord {
    /// An entry that could not be read, or an article that could not be translated.
    pub fn new(n: u64, id: Option<String>, bad: BadEntry) -> Self {
        Self { n, id, error: bad.reason, place: bad.place }
    }

    /// As a line of JSON, its line end included.
    pub fn line(&self) -> Vec<u8> {
        json_line(self)
    }
}

/// A value as a line of JSON.
pub(super) fn json_line(value: &impl Serialize) -> Vec<u8> {
    // Maps with string keys, strings and numbers: nothing that serde_json refuses.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_open_pages_are_kept() {
        for url in ["https://a/b", "HTTP://a", "mailto:a@b", "/a:b", "a/b", "?x=a:b", "#a:b", ""] {
            assert!(is_web_link(url), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            " java\nscript:x",
            "JaVaScRiPt:x",
            "\u{1}javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
        ] {
            assert!(!is_web_link(url), "{url}");
        }
    }
}
