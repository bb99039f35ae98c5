//! Translations that need not be made twice: remembered within a run up to a bound of bytes and, where a folder is
//! given, between runs, keyed by model, settings and text.
use crate::decode::DecodeOptions;
use crate::decode::Trace;
use crate::engine::{Job, ModelIdentity, Outcome};
use crate::{Error, Result};
use lru::LruCache;
use redb::{Database, Durability, ReadableDatabase, TableDefinition};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("sentences");
/// Translations written to the database at a time, and how long they may wait for it.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(10);
/// What an entry of the in-run cache costs beside its texts.
const OVERHEAD: usize = 200;
/// Memory of the database's own page cache.
const PAGES: usize = 8 << 20;

/// An outcome as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    score: f32,
    source_tokens: usize,
    target_tokens: usize,
    parts: usize,
    truncated: bool,
    /// What earlier versions kept has none, and is translated anew.
    trace: Trace,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<(String, f32)>,
}

/// Digest of model, settings, options and text.
pub type Key = [u8; 32];

/// A cache that the first pass and the repairs share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<SentenceCache>>);

impl Shared {
    pub fn new(cache: SentenceCache) -> Self {
        Self(Arc::new(Mutex::new(cache)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut SentenceCache) -> T) -> T {
        // What a panicking thread leaves behind is whole: every change is made by one call.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The job's key, and its translation if it is known.
    pub fn find(&self, job: &Job) -> (Key, Option<Outcome>) {
        self.with(|cache| {
            let key = cache.key(&job.text, job.options.as_ref());
            (key, cache.get(key))
        })
    }

    /// Keeps a translation.
    pub fn put(&self, key: Key, outcome: &Outcome) {
        self.with(|cache| cache.put(key, outcome));
    }

    /// Writes what is still waiting to the database.
    pub fn flush(&self) {
        self.with(SentenceCache::flush);
    }
}

/// Finished translations by their source text.
pub struct SentenceCache {
    recent: LruCache<Key, Outcome>,
    bytes: usize,
    bound: usize,
    prefix: Sha256,
    disk: Option<Disk>,
}

struct Disk {
    /// `None`: it turned out to be damaged, and the run does without.
    database: Option<Database>,
    path: PathBuf,
    waiting: Vec<(Key, Vec<u8>)>,
    written: Instant,
}

impl SentenceCache {
    /// A cache of at most `bound` bytes; `folder` keeps it between runs. Where another process has the folder's
    /// database open, or it is damaged, this run does without, and says so.
    pub fn new(
        bound: usize,
        folder: Option<&Path>,
        model: &ModelIdentity,
        settings: &serde_json::Value,
    ) -> Result<Self> {
        let mut prefix = Sha256::new();
        prefix.update(serde_json::to_vec(&(model, settings.get("decoding"))).unwrap_or_default());
        let disk = folder.map(Disk::open).transpose()?.flatten();
        Ok(Self { recent: LruCache::unbounded(), bytes: 0, bound, prefix, disk })
    }

    /// `options`: those of a repair, which are not the model's own.
    fn key(&self, text: &str, options: Option<&DecodeOptions>) -> Key {
        let mut digest = self.prefix.clone().chain_update([0]).chain_update(text.as_bytes());
        if let Some(options) = options {
            digest = digest.chain_update([0]).chain_update(serde_json::to_vec(options).unwrap_or_default());
        }
        digest.finalize().into()
    }

    fn get(&mut self, key: Key) -> Option<Outcome> {
        if let Some(outcome) = self.recent.get(&key) {
            return Some(outcome.clone());
        }
        let outcome = self.disk.as_mut()?.get(&key)?;
        self.remember(key, outcome.clone());
        Some(outcome)
    }

    fn put(&mut self, key: Key, outcome: &Outcome) {
        if let Some(disk) = &mut self.disk {
            disk.put(key, outcome);
        }
        self.remember(key, outcome.clone());
    }

    fn remember(&mut self, key: Key, outcome: Outcome) {
        self.bytes += size(&outcome);
        if let Some(old) = self.recent.put(key, outcome) {
            self.bytes -= size(&old);
        }
        while self.bytes > self.bound {
            let Some((_, old)) = self.recent.pop_lru() else { break };
            self.bytes -= size(&old);
        }
    }

    fn flush(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.flush();
        }
    }
}

/// What an outcome costs in the in-run cache.
fn size(outcome: &Outcome) -> usize {
    OVERHEAD + outcome.text.len() + outcome.alternatives.iter().map(|(text, _)| text.len() + 32).sum::<usize>()
}

impl Disk {
    fn open(folder: &Path) -> Result<Option<Self>> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        let path = folder.join("sentences.redb");
        match quietly(|| redb::Builder::new().set_cache_size(PAGES).create(&path)) {
            Ok(database) => {
                Ok(Some(Self { database: Some(database), path, waiting: Vec::new(), written: Instant::now() }))
            }
            Err(error) => {
                tracing::warn!("{}: the cache cannot be used, going on without it: {error}", path.display());
                Ok(None)
            }
        }
    }

    fn get(&mut self, key: &Key) -> Option<Outcome> {
        if let Some((_, bytes)) = self.waiting.iter().find(|(k, _)| k == key) {
            return decode(bytes);
        }
        let database = self.database.as_ref()?;
        let found = quietly(|| -> std::result::Result<Option<Outcome>, redb::Error> {
            let table = match database.begin_read()?.open_table(TABLE) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            Ok(table.get(key.as_slice())?.and_then(|value| decode(value.value())))
        });
        found.unwrap_or_else(|error| {
            self.give_up("read", &error);
            None
        })
    }

    /// A damaged cache costs speed and nothing else.
    fn give_up(&mut self, what: &str, error: &str) {
        let path = self.path.display();
        tracing::warn!("{path}: the cache cannot be {what}, going on without it; remove it if it is damaged: {error}");
        self.waiting.clear();
        self.close();
    }

    fn close(&mut self) {
        let database = self.database.take();
        // Closing a damaged database may fail, too, and then there is nothing left to do about it.
        let _ = quietly(|| {
            drop(database);
            Ok::<_, redb::Error>(())
        });
    }

    fn put(&mut self, key: Key, outcome: &Outcome) {
        let kept = Kept {
            text: outcome.text.clone(),
            score: outcome.score,
            source_tokens: outcome.source_tokens,
            target_tokens: outcome.target_tokens,
            parts: outcome.parts,
            truncated: outcome.truncated,
            trace: outcome.trace,
            alternatives: outcome.alternatives.clone(),
        };
        if let Ok(bytes) = serde_json::to_vec(&kept) {
            self.waiting.push((key, bytes));
        }
        if self.waiting.len() >= BATCH || self.written.elapsed() >= PATIENCE {
            self.flush();
        }
    }

    /// What is written survives a kill. A cache that cannot be written costs speed and nothing else.
    fn flush(&mut self) {
        self.written = Instant::now();
        let batch = std::mem::take(&mut self.waiting);
        let Some(database) = self.database.as_ref().filter(|_| !batch.is_empty()) else { return };
        let written = quietly(|| -> std::result::Result<(), redb::Error> {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            {
                let mut table = transaction.open_table(TABLE)?;
                for (key, bytes) in &batch {
                    table.insert(key.as_slice(), bytes.as_slice())?;
                }
            }
            transaction.commit()?;
            Ok(())
        });
        if let Err(error) = written {
            self.give_up("written", &error);
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.close();
    }
}

/// Calls the database, which panics on some kinds of damage, as if those were errors.
fn quietly<T, E: std::fmt::Display>(
    call: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, String> {
    match crate::error::contained(call) {
        Some(result) => result.map_err(|e| e.to_string()),
        None => Err("it is damaged".into()),
    }
}

fn decode(bytes: &[u8]) -> Option<Outcome> {
    let Kept { text, score, source_tokens, target_tokens, parts, truncated, trace, alternatives } =
        serde_json::from_slice(bytes).ok()?;
    Some(Outcome { text, score, source_tokens, target_tokens, parts, truncated, trace, alternatives })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str) -> ModelIdentity {
        ModelIdentity { id: id.into(), digest: "d".into(), architecture: "a".into(), compute: "c".into() }
    }

    fn outcome(text: &str) -> Outcome {
        Outcome {
            text: text.into(),
            score: -0.123_456_7,
            source_tokens: 3,
            target_tokens: 4,
            parts: 1,
            truncated: false,
            trace: Trace::default().with(-0.7, 1.5).with(-0.123_456_7, 0.25),
            alternatives: vec![(format!("{text}, too"), -0.7)],
        }
    }

    /// A cache with the calls of [`Shared`], by text.
    fn put(cache: &mut SentenceCache, text: &str, outcome: &Outcome) {
        let key = cache.key(text, None);
        cache.put(key, outcome);
    }

    fn get(cache: &mut SentenceCache, text: &str) -> Option<Outcome> {
        let key = cache.key(text, None);
        cache.get(key)
    }

    #[test]
    fn the_bound_is_kept_and_the_oldest_goes_first() {
        let mut cache =
            SentenceCache::new(10 * size(&outcome("text")), None, &model("m"), &serde_json::Value::Null).unwrap();
        for i in 0..100 {
            put(&mut cache, &format!("ক{i}"), &outcome("text"));
        }
        let known: Vec<u32> = (0..100).filter(|i| get(&mut cache, &format!("ক{i}")).is_some()).collect();
        assert_eq!(known, (90..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_database_costs_speed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sentences.redb");
        let open = || SentenceCache::new(1 << 16, Some(dir.path()), &model("m"), &serde_json::Value::Null).unwrap();
        let mut cache = open();
        (0..2000).for_each(|i| put(&mut cache, &format!("ক{i}"), &outcome(&format!("t{i}"))));
        cache.flush();
        drop(cache);
        let whole = std::fs::read(&path).unwrap();
        // Every byte of the header counts, and every page's beginning.
        let places = (0..320).step_by(8).chain((4096..whole.len()).step_by(4096)).take(150);
        for (round, place) in places.enumerate() {
            let mut damaged = whole.clone();
            let end = (place + 4).min(damaged.len());
            damaged[place..end].iter_mut().for_each(|b| *b ^= [0xff, 0x01, 0x80][round % 3]);
            std::fs::write(&path, &damaged).unwrap();
            let mut cache = open();
            for i in (0..2000).step_by(97) {
                let found = get(&mut cache, &format!("ক{i}"));
                assert!(found.is_none_or(|o| o.text.starts_with('t')), "byte {place}");
            }
            put(&mut cache, "নতুন", &outcome("new"));
            cache.flush();
            assert_eq!(get(&mut cache, "নতুন").unwrap().text, "new");
        }
        for bytes in [&b""[..], b"x", &whole[..whole.len() / 2], &[0; 8192]] {
            std::fs::write(&path, bytes).unwrap();
            let mut cache = open();
            put(&mut cache, "নতুন", &outcome("new"));
            cache.flush();
        }
    }

    #[test]
    fn a_folder_keeps_translations_between_runs_for_this_model_and_these_settings_alone() {
        let dir = tempfile::tempdir().unwrap();
        let open = |id: &str, beams: u32| {
            SentenceCache::new(
                1000,
                Some(dir.path()),
                &model(id),
                &serde_json::json!({ "decoding": beams, "summary": 0 }),
            )
            .unwrap()
        };
        let mut first = open("m", 1);
        for i in 0..600 {
            put(&mut first, &format!("ক{i}"), &outcome(&format!("t{i}")));
        }
        first.flush();
        // The database is open in the first cache: the second does without instead of failing.
        assert!(get(&mut open("m", 1), "ক1").is_none());
        drop(first);
        let mut again = open("m", 1);
        assert_eq!(get(&mut again, "ক1"), Some(outcome("t1")));
        assert_eq!(get(&mut again, "ক599"), Some(outcome("t599")));
        let repair = again.key("ক1", Some(&DecodeOptions { beams: 4, ..DecodeOptions::default() }));
        assert!(again.get(repair).is_none());
        drop(again);
        assert!(get(&mut open("m", 2), "ক1").is_none() && get(&mut open("n", 1), "ক1").is_none());
    }
}
