//! Continuous batching: sentences are admitted at any step, their prompts are read in the same flat step as the
//! tokens of those that run, and whoever is finished leaves at once.
use super::{
    Cache, Finished, Generator, Limits, Request, SessionStats, StepBatch,
    beam::Beam,
    columns::Columns,
    constraint::Constraints,
    greedy::Independent,
    rows::{RangePool, RowPool},
    search::{Bounds, Fork, Search, with_rows},
    sentence::{Lane, Sentence, expected_rows, max_new_tokens, width},
};
use crate::error::{InputError, ModelError, SettingsError};
use crate::{Error, Result};
use candle_core::Tensor;
use rayon::prelude::*;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// Decodes sentences with one generator and one preallocated key/value store.
///
/// After an error or a panic of the generator the session must be dropped: its store may be half written.
pub struct Session {
    generator: Arc<dyn Generator>,
    columns: Arc<Columns>,
    limits: Limits,
    cache: Cache,
    rows: RowPool,
    memory: RangePool,
    /// In order of admission: when the store is full, the last one starts again.
    active: Vec<Sentence>,
    /// Sent back for want of room.
    waiting: VecDeque<Request>,
    /// Tokens that most prompts begin with (an instruction), and their rows once a sentence has read them:
    /// the sentences after it need not.
    prefix: Vec<u32>,
    prefix_rows: Vec<u32>,
    batch: StepBatch,
    stats: SessionStats,
}

impl Session {
    /// A session with a store of its own. An error when the options for the model contradict themselves.
    pub fn new(generator: Arc<dyn Generator>, limits: Limits) -> Result<Self> {
        let columns = Arc::new(Columns::of(&*generator)?);
        Self::with_prefix(generator, columns, &[], limits)
    }

    /// Like [`new`](Self::new), for those who have many sessions, and whose prompts (decoder-only) mostly begin with
    /// `prefix`: it is read once and its rows are kept, beside those of the limits.
    pub fn with_prefix(
        generator: Arc<dyn Generator>,
        columns: Arc<Columns>,
        prefix: &[u32],
        limits: Limits,
    ) -> Result<Self> {
        let encoder_decoder = generator.spec().encoder_decoder;
        let memory_rows = if encoder_decoder { limits.memory_rows } else { 0 };
        let prefix = if encoder_decoder { Vec::new() } else { prefix.to_vec() };
        let rows = limits.rows + prefix.len();
        let cache = generator.new_cache(rows, memory_rows)?;
        Ok(Self {
            columns,
            limits,
            cache,
            rows: RowPool::new(rows),
            memory: RangePool::new(memory_rows),
            active: Vec::new(),
            waiting: VecDeque::new(),
            prefix,
            prefix_rows: Vec::new(),
            batch: StepBatch::default(),
            stats: SessionStats::default(),
            generator,
        })
    }

    /// How much it may do at once.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was done since the last call.
    pub fn take_stats(&mut self) -> SessionStats {
        std::mem::take(&mut self.stats)
    }

    /// Sentences in work.
    pub fn len(&self) -> usize {
        self.active.len() + self.waiting.len()
    }

    /// Whether nothing runs and nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nothing in work and nothing held.
    #[cfg(test)]
    pub(crate) fn is_clean(&self) -> bool {
        self.is_empty()
            && self.rows.free() + self.prefix_rows.len() == self.cache.rows
            && self.memory.has(self.cache.memory_rows as u32)
    }

    /// True when no sentence whatever would be admitted now.
    pub fn is_full(&self) -> bool {
        !self.waiting.is_empty() || self.lanes() >= self.limits.hypotheses || self.backlog() >= self.limits.step_tokens
    }

    /// Forgets all that is in work.
    pub fn clear(&mut self) {
        self.waiting.clear();
        for sentence in std::mem::take(&mut self.active).iter().rev() {
            self.release(sentence);
        }
    }

    /// Hypotheses that the sentences in work grow at most.
    fn lanes(&self) -> usize {
        self.active.iter().map(Sentence::width).sum()
    }

    /// Tokens of prompts and sources still to be read.
    fn backlog(&self) -> usize {
        self.active.iter().map(Sentence::backlog).sum()
    }

    /// Rows that the sentence may need in the worst case (decoder, encoder). A session with fewer cannot take it.
    pub fn rows_needed(generator: &dyn Generator, request: &Request) -> (usize, usize) {
        let generated = width(&request.options) * max_new_tokens(generator, request);
        if generator.spec().encoder_decoder {
            (generated + 2, request.source.len())
        } else {
            (generated + request.source.len(), 0)
        }
    }

    /// True when the session could take the sentence if it were empty.
    pub fn fits(&self, request: &Request) -> bool {
        let (rows, memory_rows) = Self::rows_needed(&*self.generator, request);
        rows <= self.limits.rows && memory_rows <= self.limits.memory_rows
    }

    /// True when the sentence is better admitted now than later. It counts on sentences that end well before
    /// their limit; if they don't, the last one starts again.
    pub fn has_room(&self, request: &Request) -> bool {
        self.fits(request) && self.waiting.is_empty() && self.has_room_beside_active(request)
    }

    fn has_room_beside_active(&self, request: &Request) -> bool {
        if self.active.is_empty() {
            return true;
        }
        let spec = self.generator.spec();
        let promised: usize = self
            .active
            .iter()
            .map(|s| {
                let expected = expected_rows(spec.encoder_decoder, &s.request);
                let used = s.prompt_rows.len() + s.lanes.iter().map(|l| l.table.len() - s.prompt.len()).sum::<usize>();
                expected.saturating_sub(used)
            })
            .sum();
        self.lanes() + width(&request.options) <= self.limits.hypotheses
            && self.backlog() < self.limits.step_tokens
            && promised + expected_rows(spec.encoder_decoder, request) <= self.rows.free()
            && (!spec.encoder_decoder || self.memory.has(request.source.len() as u32))
    }

    /// Takes a sentence in; it starts with the next step. An error concerns this sentence alone.
    pub fn admit(&mut self, request: Request) -> Result<()> {
        if !self.fits(&request) {
            let (rows, memory_rows) = Self::rows_needed(&*self.generator, &request);
            return Err(Error::Settings(SettingsError::Missing(format!(
                "a sentence of {} tokens needs {rows} decoder and {memory_rows} encoder rows, the session has {} and {}; \
                 allow more memory, fewer beams or fewer new tokens",
                request.source.len(),
                self.limits.rows,
                self.limits.memory_rows
            ))));
        }
        if !self.waiting.is_empty() || !self.has_room_beside_active(&request) {
            self.waiting.push_back(request);
            return Ok(());
        }
        let sentence = self.start(request)?;
        self.active.push(sentence);
        Ok(())
    }

    fn start(&mut self, request: Request) -> Result<Sentence> {
        let spec = self.generator.spec();
        let options = &request.options;
        let (mut prompt, start) = if spec.encoder_decoder {
            let start = spec.decoder_start.ok_or_else(|| {
                Error::Model(ModelError::Missing(
                    "the model names no decoder start token; add `decoder_start_token_id` to its config".into(),
                ))
            })?;
            (vec![start], 1)
        } else {
            (request.source.clone(), request.source.len())
        };
        if request.source.is_empty() {
            return Err(Error::Input(InputError::Empty(
                "a sentence without tokens cannot be translated; leave empty lines out".into(),
            )));
        }
        if options.beams == 0 {
            return Err(Error::Settings(SettingsError::Range(
                "0 beams cannot find anything; use 1 for greedy search".into(),
            )));
        }
        if options.sampling.is_some() && options.beams > 1 {
            return Err(Error::Settings(SettingsError::Conflict(
                "sampling and beam search exclude one another; set beams to 1".into(),
            )));
        }
        let bounds = Bounds {
            prompt: start,
            max_length: start + max_new_tokens(&*self.generator, &request),
            eos: spec.eos.clone(),
        };
        // transformers forces it where the sequence is one token long: all that a decoder starts from.
        if let Some(forced) = options.forced_bos
            && prompt.len() == 1
            && bounds.max_length > 2
        {
            prompt.push(forced);
        }
        let own = self.generator.output_ids_of(&request.source).map(|ids| Arc::new(Columns::few(ids)));
        let columns = own.unwrap_or_else(|| self.columns.clone());
        let constraints = Arc::new(Constraints::new(options, &spec.eos, &columns)?);
        let search: Box<dyn Search> = if options.beams > 1 {
            Box::new(Beam::new(bounds, options, constraints))
        } else {
            Box::new(Independent::new(bounds, options, constraints, &request.source))
        };
        let memory = if spec.encoder_decoder {
            let length = request.source.len() as u32;
            let first = self.memory.take(length).ok_or_else(|| {
                Error::Settings(SettingsError::Conflict("no encoder rows are left; allow more memory".into())) // has_room was asked before
            })?;
            Some((first, length))
        } else {
            None
        };
        let encoded = !spec.encoder_decoder;
        // At least the last token must be fed, for its logits.
        let known = prompt.len() > self.prefix.len() && prompt.starts_with(&self.prefix);
        let prompt_rows = if known { self.prefix_rows.clone() } else { Vec::new() };
        self.rows.share(&prompt_rows);
        Ok(Sentence {
            request,
            prompt,
            prompt_rows,
            memory,
            // A decoder-only source is its prompt.
            encoded,
            search,
            columns,
            lanes: Vec::new(),
            outputs: 0..0,
        })
    }

    /// Runs one step of the network for everything in work and returns what it finished.
    pub fn step(&mut self) -> Result<Vec<Finished>> {
        let mut finished = Vec::new();
        self.readmit(&mut finished);
        self.make_room();
        self.encode()?;
        self.fill_batch();
        if self.batch.tokens.is_empty() {
            return Ok(finished);
        }
        let begun = Instant::now();
        let logits = self.generator.step(&mut self.cache, &self.batch)?;
        self.stats.network += begun.elapsed();
        self.stats.steps += 1;
        self.stats.rows += self.batch.tokens.len() as u64;
        self.stats.outputs += self.batch.outputs.len() as u64;
        let begun = Instant::now();
        let forks = self.search(&logits)?;
        self.grow(forks, &mut finished);
        self.stats.search += begun.elapsed();
        Ok(finished)
    }

    /// Takes back in what was sent back, as far as there is room.
    fn readmit(&mut self, finished: &mut Vec<Finished>) {
        while self.waiting.front().is_some_and(|request| self.has_room_beside_active(request)) {
            let Some(request) = self.waiting.pop_front() else { break };
            let id = request.id;
            match self.start(request) {
                Ok(sentence) => self.active.push(sentence),
                Err(error) => finished.push(Finished { id, result: Err(error) }),
            }
        }
    }

    /// Sends the youngest sentences back until every running hypothesis can have its next row and the oldest
    /// sentence can go on. That one always stays: it fits alone, so the work comes to an end.
    fn make_room(&mut self) {
        let mut needed: usize = self.active.iter().map(|s| s.lanes.len()).sum();
        needed += usize::from(self.active.first().is_some_and(|oldest| !oldest.is_prefilled()));
        while self.rows.free() < needed && self.active.len() > 1 {
            let Some(sentence) = self.active.pop() else { break };
            needed -= sentence.lanes.len();
            self.release(&sentence);
            self.waiting.push_front(sentence.request);
            self.stats.preempted += 1;
        }
    }

    /// Encodes the sources that are not yet encoded, oldest first, at most a step's tokens (at least one source).
    fn encode(&mut self) -> Result<()> {
        let mut budget = self.limits.step_tokens;
        let mut group = Vec::new();
        for (index, sentence) in self.active.iter().enumerate().filter(|(_, s)| !s.encoded) {
            let length = sentence.request.source.len();
            if length > budget && !group.is_empty() {
                break;
            }
            budget = budget.saturating_sub(length);
            group.push(index);
        }
        if group.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let sources: Vec<&[u32]> = group.iter().map(|&i| self.active[i].request.source.as_slice()).collect();
        let first_rows: Vec<u32> = group.iter().map(|&i| self.active[i].memory.map_or(0, |m| m.0)).collect();
        self.generator.encode(&mut self.cache, &sources, &first_rows)?;
        let tokens = sources.iter().map(|s| s.len() as u64).sum::<u64>();
        self.stats.encoded += tokens;
        self.stats.rows += tokens; // sources are encoded end to end, none is made as long as another
        self.stats.network += begun.elapsed();
        for index in group {
            self.active[index].encoded = true;
        }
        Ok(())
    }

    /// Puts together the next step: one token of every running hypothesis, then prompts as far as they fit.
    fn fill_batch(&mut self) {
        let Self { active, rows, batch, stats, limits, prefix, prefix_rows, .. } = self;
        for list in [&mut batch.tokens, &mut batch.positions, &mut batch.rows, &mut batch.tables, &mut batch.outputs] {
            list.clear();
        }
        batch.spans.clear();
        batch.memory.clear();
        for sentence in active.iter_mut() {
            let first = batch.outputs.len();
            for lane in &mut sentence.lanes {
                // make_room saw to it that there is one.
                let (Some(row), Some(&token)) = (rows.take(), lane.history.last()) else { continue };
                lane.table.push(row);
                let start = batch.tables.len() as u32;
                batch.tables.extend_from_slice(&lane.table);
                batch.outputs.push(batch.tokens.len() as u32);
                push_token(batch, token, row, (start, lane.table.len() as u32), sentence.memory);
                stats.decoded += 1;
            }
            sentence.outputs = first..batch.outputs.len();
        }
        let mut budget = limits.step_tokens.saturating_sub(batch.tokens.len()).max(1);
        for sentence in active.iter_mut().filter(|s| s.encoded && !s.is_prefilled()) {
            let fed = sentence.prompt_rows.len();
            let count = (sentence.prompt.len() - fed).min(budget).min(rows.free());
            if count == 0 {
                break;
            }
            sentence.prompt_rows.extend((0..count).filter_map(|_| rows.take()));
            let start = batch.tables.len() as u32;
            batch.tables.extend_from_slice(&sentence.prompt_rows);
            for i in fed..fed + count {
                push_token(batch, sentence.prompt[i], sentence.prompt_rows[i], (start, i as u32 + 1), sentence.memory);
            }
            if sentence.is_prefilled() {
                sentence.outputs = batch.outputs.len()..batch.outputs.len() + 1;
                batch.outputs.push(batch.tokens.len() as u32 - 1);
            }
            if prefix_rows.is_empty()
                && sentence.prompt_rows.len() >= prefix.len()
                && sentence.prompt.starts_with(prefix)
            {
                prefix_rows.extend_from_slice(&sentence.prompt_rows[..prefix.len()]);
                rows.share(prefix_rows);
            }
            stats.prefilled += count as u64;
            budget -= count;
        }
    }

    /// Lets every sentence that has logits choose its next tokens, on all threads of the pool.
    fn search(&mut self, logits: &Tensor) -> Result<Vec<Option<Result<Vec<Fork>>>>> {
        with_rows(logits, |values, width| {
            let choose = |sentence: &mut Sentence| {
                if sentence.outputs.is_empty() {
                    return None;
                }
                let columns = &*sentence.columns;
                let own = columns.len().min(width);
                let rows: Vec<&[f32]> = sentence.outputs.clone().map(|i| &values[i * width..][..own]).collect();
                let histories: Vec<&[u32]> = if sentence.lanes.is_empty() {
                    vec![&sentence.prompt]
                } else {
                    sentence.lanes.iter().map(|l| l.history.as_slice()).collect()
                };
                Some(sentence.search.advance(columns, &histories, &rows))
            };
            if rayon::current_num_threads() > 1 {
                self.active.par_iter_mut().map(choose).collect()
            } else {
                self.active.iter_mut().map(choose).collect()
            }
        })
    }

    /// Replaces the hypotheses by their continuations and retires the sentences that have none.
    fn grow(&mut self, forks: Vec<Option<Result<Vec<Fork>>>>, finished: &mut Vec<Finished>) {
        let sentences = std::mem::take(&mut self.active);
        for (mut sentence, forks) in sentences.into_iter().zip(forks) {
            let result = match forks {
                Some(Ok(forks)) if forks.is_empty() => {
                    let mut all = sentence.search.finish();
                    all.truncate(1 + sentence.request.options.alternatives);
                    Ok(all)
                }
                Some(Err(error)) => Err(error),
                None => {
                    self.active.push(sentence);
                    continue;
                }
                Some(Ok(forks)) => {
                    self.fork(&mut sentence, &forks);
                    self.active.push(sentence);
                    continue;
                }
            };
            self.release(&sentence);
            finished.push(Finished { id: sentence.request.id, result });
        }
    }

    fn fork(&mut self, sentence: &mut Sentence, forks: &[Fork]) {
        let parents = std::mem::take(&mut sentence.lanes);
        let grown = |history: &[u32], table: &[u32], token: u32| {
            let mut history = history.to_vec();
            history.push(token);
            Lane { history, table: table.to_vec() }
        };
        if parents.is_empty() {
            // The prompt's rows belong to the sentence; its hypotheses are counted on top of that.
            sentence.lanes = forks.iter().map(|f| grown(&sentence.prompt, &sentence.prompt_rows, f.token)).collect();
        } else if forks.len() == parents.len() && forks.iter().enumerate().all(|(i, f)| f.parent == i) {
            // Each goes on by itself, as always in greedy search: nothing to copy or count.
            sentence.lanes = parents;
            for (lane, fork) in sentence.lanes.iter_mut().zip(forks) {
                lane.history.push(fork.token);
            }
        } else {
            let shared = sentence.prompt.len();
            for fork in forks {
                let parent = &parents[fork.parent];
                self.rows.share(&parent.table[shared..]);
                sentence.lanes.push(grown(&parent.history, &parent.table, fork.token));
            }
            for parent in &parents {
                self.rows.release(&parent.table[shared..]);
            }
        }
    }

    /// Gives back everything that a sentence holds.
    fn release(&mut self, sentence: &Sentence) {
        for lane in sentence.lanes.iter().rev() {
            self.rows.release(&lane.table[sentence.prompt.len()..]);
        }
        self.rows.release(&sentence.prompt_rows);
        if let Some((first, length)) = sentence.memory {
            self.memory.release(first, length);
        }
    }
}

fn push_token(batch: &mut StepBatch, token: u32, row: u32, span: (u32, u32), memory: Option<(u32, u32)>) {
    batch.tokens.push(token);
    batch.positions.push(span.1 - 1);
    batch.rows.push(row);
    batch.spans.push(span);
    batch.memory.extend(memory);
}
