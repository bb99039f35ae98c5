//! From the feed to articles ready for translation, on a thread of its own: digest, filters, conversion, segments.
pub(in crate::bulk) mod filter;
pub(in crate::bulk) mod gate;

use crate::article::{Article, Segment};
use crate::bulk::BulkError;
use crate::bulk::input::filter::Reason;
use crate::bulk::input::gate::Gate;
use crate::bulk::message::{Message, What};
use crate::bulk::options::BulkOptions;
use crate::bulk::record::ErrorRecord;
use crate::bulk::schedule::steps::Steps;
use crate::bulk::schedule::window::Prepared;
use crate::bulk::stop::Stop;
use crate::feed::{BadEntry, Entry, Feed, Item, Place, to_article};
use crate::pipeline;
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, SyncSender};
use std::time::Duration;

/// Where an earlier run stopped: the last entry that is done and the digest of the input up to it.
#[derive(Debug, Default)]
pub struct Start {
    pub n: u64,
    pub input: String,
    /// `--resume-anyway`: a changed input is no matter.
    pub anyway: bool,
    /// The output is complete: nothing may follow.
    pub complete: bool,
    /// Only these entries (`--retry-errors`).
    pub only: Option<BTreeSet<u64>>,
    /// Entries that the earlier run finished before their turn.
    pub kept: BTreeMap<u64, Message>,
}

/// The end of the input: its last entry and the digest of all of it.
#[derive(Debug, Clone)]
pub struct End {
    pub n: u64,
    pub input: String,
    /// The input ended; else the run was stopped.
    pub whole: bool,
}

/// Where entries go.
pub struct Outlets<'a> {
    pub articles: SyncSender<Prepared>,
    pub writer: Sender<Message>,
    pub gate: &'a Gate,
    pub stop: &'a Stop,
}

/// Reads the feed to its end. Errors where the input is not the one that an earlier run had.
pub fn read(
    feed: Feed,
    options: &BulkOptions,
    steps: &dyn Steps,
    mut start: Start,
    outlets: &Outlets<'_>,
) -> Result<End> {
    let mut digest = Sha256::new();
    let (mut n, mut slot, mut passed, mut undated) = (0, 0, 0u64, 0u64);
    let consumed = feed.consumed();
    let mut items = feed.items();
    let mut whole = true;
    while options.filters.limit.is_none_or(|limit| passed < limit) {
        if outlets.stop.is_wished() {
            whole = false;
            break;
        }
        let item = match items.next_within(Duration::from_millis(100)) {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(_) => continue,
        };
        n += 1;
        update(&mut digest, &item);
        let skipped = item.as_ref().ok().and_then(|entry| options.filters.reason(n, entry));
        passed += u64::from(skipped.is_none());
        if let (Some(Reason::Undated), Ok(entry)) = (skipped, &item) {
            undated += 1;
            name_undated(undated, n, entry);
        }
        if n < start.n || start.only.as_ref().is_some_and(|only| !only.contains(&n)) {
            continue;
        }
        let input = short(&digest);
        if n == start.n && start.only.is_none() {
            if input != start.input && !start.anyway {
                return Err(changed(n));
            }
            continue;
        }
        if start.complete {
            return Err(changed(n));
        }
        let kept = start.kept.remove(&n).filter(|kept| kept.input == input && skipped.is_none());
        let turn = Turn { slot, n, input, consumed: consumed.load(Ordering::Relaxed) };
        let handed_out = match kept {
            Some(kept) => hand_on(kept, turn, outlets),
            None => hand_out(item, skipped, turn, options, steps, outlets),
        };
        if !handed_out {
            whole = false;
            break;
        }
        slot += 1;
    }
    if whole && n < start.n && start.only.is_none() && !start.anyway {
        let what = format!("the input has changed: it has {n} entries, {} were done already", start.n);
        return Err(BulkError::Changed { what, complete: true }.into());
    }
    Ok(End { n, input: short(&digest), whole })
}

/// Undated entries that are named; those after them are only counted.
const NAMED: u64 = 20;

/// Says which entry is left out because its date is not known, lest it be lost without a word.
fn name_undated(undated: u64, n: u64, entry: &Entry) {
    let what = match entry.meta.date.as_deref() {
        Some(date) => format!("its date cannot be read: {}", date.chars().take(60).collect::<String>()),
        None => "it has no date".into(),
    };
    if undated <= NAMED {
        tracing::warn!("{}: entry {n} is left out by its date: {what}", entry.place.file);
    } else if undated == NAMED + 1 {
        tracing::warn!("more entries without a date follow; the report counts them");
    }
}

fn changed(n: u64) -> Error {
    let what = format!("the input has changed: its first {n} entries are not those that were translated");
    BulkError::Changed { what, complete: false }.into()
}

/// An entry's place in the order of things.
struct Turn {
    slot: u64,
    n: u64,
    input: String,
    consumed: u64,
}

/// What is finished already goes to the writer. False: nobody takes it any more.
fn hand_on(kept: Message, turn: Turn, outlets: &Outlets<'_>) -> bool {
    let Turn { slot, consumed, .. } = turn;
    if !outlets.gate.enter(kept.bytes) {
        return false;
    }
    outlets.writer.send(Message { slot, consumed, kept: true, ..kept }).is_ok()
}

/// False: nobody takes it any more.
fn hand_out(
    item: Item,
    skipped: Option<Reason>,
    turn: Turn,
    options: &BulkOptions,
    steps: &dyn Steps,
    outlets: &Outlets<'_>,
) -> bool {
    let Turn { slot, n, input, consumed } = turn;
    let bytes = item.as_ref().map_or(0, |entry| entry.body.len());
    if !outlets.gate.enter(bytes) {
        return false;
    }
    let message = |what| {
        let (input, kept) = (input.clone(), false);
        outlets.writer.send(Message { slot, n, input, bytes, consumed, kept, what }).is_ok()
    };
    if let Some(reason) = skipped {
        return message(What::Skipped(reason));
    }
    let id = item.as_ref().ok().and_then(|entry| entry.meta.id.clone());
    match item.and_then(|entry| prepare(entry, options, steps)) {
        Ok((place, parts)) => {
            let words = words_of(&parts.segments);
            outlets.articles.send(Prepared { slot, n, place, parts, words, bytes, consumed, input }).is_ok()
        }
        Err(bad) => message(What::Failed(ErrorRecord::new(n, id, bad))),
    }
}

/// Words of sentences.
pub(in crate::bulk) fn words_of(segments: &[Segment]) -> u64 {
    segments.iter().map(|s| s.text.split_whitespace().count() as u64).sum()
}

/// An entry as an article and its pieces.
fn prepare(entry: Entry, options: &BulkOptions, steps: &dyn Steps) -> Result<(Place, pipeline::Prepared), BadEntry> {
    contained(entry, |entry| {
        let (place, article) = within_limit(entry, options)?;
        Ok((place, steps.prepare(article)))
    })
}

/// An entry as an article.
pub(in crate::bulk) fn article_of(entry: Entry, options: &BulkOptions) -> Result<(Place, Article), BadEntry> {
    contained(entry, |entry| within_limit(entry, options))
}

fn within_limit(entry: Entry, options: &BulkOptions) -> Result<(Place, Article), BadEntry> {
    let (place, article) = to_article(entry)?;
    let size: usize = article.blocks.iter().map(|b| b.text.len()).chain(article.title.iter().map(String::len)).sum();
    if size > options.max_article {
        let limit = options.max_article;
        let reason = format!(
            "the article has {size} bytes of text, more than {limit}; raise the limit (max-article) to translate it"
        );
        return Err(BadEntry { place, reason });
    }
    Ok((place, article))
}

/// A panic in a library costs its entry.
fn contained<T>(entry: Entry, take: impl FnOnce(Entry) -> Result<T, BadEntry>) -> Result<T, BadEntry> {
    let place = entry.place.clone();
    catch_unwind(AssertUnwindSafe(|| take(entry))).unwrap_or_else(|_| {
        let reason = "the article could not be taken apart (a defect, please report it)".into();
        Err(BadEntry { place, reason })
    })
}

/// Adds an entry to the digest: everything that has a say in its record.
fn update(digest: &mut Sha256, item: &Item) {
    let mut field = |text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    match item {
        Ok(entry) => {
            field(entry.title.as_deref().unwrap_or(""));
            field(&entry.body);
            for text in [&entry.meta.id, &entry.meta.url, &entry.meta.date, &entry.meta.author] {
                field(text.as_deref().unwrap_or(""));
            }
            field(&serde_json::to_string(&entry.meta.extra).unwrap_or_default());
        }
        Err(bad) => field(&bad.reason),
    }
}

/// Half of the digest so far, in hex.
fn short(digest: &Sha256) -> String {
    digest.clone().finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}
