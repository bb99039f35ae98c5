//! A look before a long run: the whole input is read, nothing is translated and nothing written.
use crate::bulk::input::filter::Reason;
use crate::bulk::input::{article_of, words_of};
use crate::bulk::options::BulkOptions;
use crate::bulk::record::ErrorRecord;
use crate::bulk::stop::Stop;
use crate::feed::{Feed, Role};
use crate::pipeline::{Prepared, prepare};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// Articles kept for a trial, spread evenly over the input.
const SAMPLE: usize = 128;
/// Failures that are named.
const NAMED: usize = 5;

/// What a run with the same options would read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Look {
    /// Entries in the input, those that are left out and those that would fail among them.
    pub entries: u64,
    /// Articles that would be translated.
    pub articles: u64,
    /// Entries that would be left out, by the reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// Entries that would fail before they are translated, …
    pub failed: u64,
    /// … and the first of them.
    pub failures: Vec<ErrorRecord>,
    /// The field of JSON and CSV records that was taken for each role, the most frequent one.
    pub fields: BTreeMap<Role, String>,
    /// Files of folders and archives that are of no kind that is read, and the first of them.
    pub aside: (u64, Vec<String>),
    /// Bengali words to translate.
    pub words: u64,
    /// Bytes of Bengali to translate.
    pub bytes: u64,
    /// Some of the articles, spread over the input.
    pub sample: Vec<Prepared>,
}

/// Reads the input to its end or its limit.
///
/// # Errors
/// An input that is not there, as a run has it; [`Error::Interrupted`] where `stop` is wished.
pub fn look(options: &BulkOptions, stop: &Stop) -> Result<Look> {
    let feed = Feed::open(&options.input, options.read.clone())?;
    let mut items = feed.items();
    let mut look = Look::default();
    let (mut passed, mut stride) = (0u64, 1u64);
    while options.filters.limit.is_none_or(|limit| passed < limit) {
        if stop.is_wished() {
            return Err(Error::Interrupted);
        }
        let item = match items.next_within(Duration::from_millis(100)) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(_) => continue,
        };
        look.entries += 1;
        if let Some(reason) = item.as_ref().ok().and_then(|entry| options.filters.reason(look.entries, entry)) {
            *look.skipped.entry(reason).or_default() += 1;
            continue;
        }
        passed += 1;
        let id = item.as_ref().ok().and_then(|entry| entry.meta.id.clone());
        match item.and_then(|entry| article_of(entry, options)) {
            Ok((_, article)) => {
                let article = prepare(article);
                look.words += words_of(&article.segments);
                look.bytes += article.segments.iter().map(|s| s.text.len() as u64).sum::<u64>();
                if look.articles.is_multiple_of(stride) {
                    look.sample.push(article);
                }
                look.articles += 1;
                if look.sample.len() > SAMPLE {
                    // Every second one stays, and from here on every second one comes.
                    let mut kept = 0;
                    look.sample.retain(|_| {
                        kept += 1;
                        kept % 2 == 1
                    });
                    stride *= 2;
                }
            }
            Err(bad) => {
                look.failed += 1;
                if look.failures.len() < NAMED {
                    look.failures.push(ErrorRecord::new(look.entries, id, bad));
                }
            }
        }
    }
    look.fields = options.read.fields.taken();
    look.aside = options.read.aside.found();
    Ok(look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_counted_and_the_sample_is_spread() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.jsonl");
        let line = |i: usize| format!("{{\"headline\": \"খবর {i}\", \"text\": \"এটি খবর নম্বর {i}।\"}}\n");
        let mut text: String = (0..1000).map(line).collect();
        text.push_str("{\"headline\": \"শেষ\"}\n");
        std::fs::write(&input, text).unwrap();
        let output = folder.path().join("out.jsonl");
        let options = BulkOptions { input: vec![input], output, ..BulkOptions::default() };
        let look = look(&options, &Stop::default()).unwrap();
        assert_eq!((look.entries, look.articles, look.failed), (1001, 1000, 1));
        assert_eq!(look.words, 1000 * 6);
        assert_eq!(look.failures[0].n, 1001);
        assert_eq!(look.fields[&Role::Title], "headline");
        assert_eq!(look.fields[&Role::Body], "text");
        assert!((SAMPLE / 2..=SAMPLE).contains(&look.sample.len()), "{}", look.sample.len());
        let last = look.sample.last().unwrap().article.title.clone().unwrap();
        assert!(last.as_str() > "খবর 9", "the sample ends at {last}");
        assert!(!folder.path().join("out.jsonl").exists(), "nothing is written");
    }
}
