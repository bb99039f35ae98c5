//! The translator: a network, a tokenizer, a prompt and options behind [`Translate`](super::Translate).
use super::{
    EngineOptions, EngineStats, Hints, Job, ModelIdentity, Outcome, Prompt, Terms,
    prepared::{Part, Prepared},
};
use crate::error::SettingsError;
use crate::{
    Error, Result,
    decode::{Choice, Columns, DecodeOptions, Generator, Hypothesis, Limits, Request, Session, Trace, consensus},
    hints::SourceStep,
    metrics::Chrf,
    text::{answer, clause},
    tokenizer::Tokenizer,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Threads of a worker that is alone, at most: waking more costs more than the memory's rate has left to give.
const TOGETHER: usize = 4;

/// Bytes of a row where the network does not say: about that of a 12-layer network of width 1024.
const UNKNOWN_ROW_BYTES: usize = 96 << 10;

/// Translates sentences with one model.
pub struct Translator {
    pub(super) generator: Arc<dyn Generator>,
    pub(super) tokenizer: Arc<dyn Tokenizer>,
    pub(super) columns: Arc<Columns>,
    pub(super) identity: ModelIdentity,
    prompt: Prompt,
    pub(super) options: Arc<DecodeOptions>,
    pub(super) engine: EngineOptions,
    /// Tokens that the prompt adds to a sentence.
    overhead: usize,
    /// Tokens that it begins with.
    prefix: Vec<u32>,
    /// What is done to a sentence before the model sees it.
    steps: Vec<SourceStep>,
    /// Finds the terms that the prompt is to tell.
    terms: Option<Terms>,
    /// One a worker.
    pub(super) pools: Vec<ThreadPool>,
    /// For a worker that has the machine to itself. Reading the weights is what a lone sentence costs, and one core
    /// does not get all that the memory gives: on two cores a sentence is done 1.5 times as fast.
    together: Option<ThreadPool>,
    /// Sessions of workers that are done, for the next call.
    idle: Mutex<Vec<Session>>,
    stats: Mutex<EngineStats>,
}

/// See [`Translator::preparation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Preparation<'a> {
    /// What is done to the text.
    pub steps: &'a [SourceStep],
    /// What stands around it.
    pub prompt: &'a Prompt,
    /// What tells apart the glossaries whose terms stand in the prompt.
    pub terms: Option<&'a str>,
}

impl Translator {
    /// An error when the options are out of range or the model cannot be decoded with.
    pub fn new(
        generator: Arc<dyn Generator>,
        tokenizer: Arc<dyn Tokenizer>,
        identity: ModelIdentity,
        prompt: Prompt,
        options: DecodeOptions,
        engine: EngineOptions,
    ) -> Result<Self> {
        engine.check()?;
        options.check().map_err(SettingsError::Range)?;
        super::memory::keep_between_steps();
        let columns = Arc::new(Columns::of(&*generator)?);
        let (mut prefix, other) = (prompt.encode(&*tokenizer, "ক")?, prompt.encode(&*tokenizer, "১")?);
        let overhead = prefix.len().saturating_sub(tokenizer.encode("ক")?.len());
        prefix.truncate(prefix.iter().zip(&other).take_while(|(a, b)| a == b).count());
        let pools =
            (0..engine.workers).map(|worker| pool(engine.threads, worker.to_string())).collect::<Result<_>>()?;
        let most = (engine.workers * engine.threads).min(TOGETHER);
        let together = (most > engine.threads).then(|| pool(most, "alone".into())).transpose()?;
        Ok(Self {
            generator,
            tokenizer,
            columns,
            identity,
            prompt,
            options: Arc::new(options),
            engine,
            overhead,
            prefix,
            steps: Vec::new(),
            terms: None,
            pools,
            together,
            idle: Mutex::default(),
            stats: Mutex::default(),
        })
    }

    /// The same with sentences prepared in the ways that the model's manifest asks for.
    pub fn with_source_steps(self, steps: Vec<SourceStep>) -> Self {
        Self { steps, ..self }
    }

    /// The same with terms of a glossary in the prompt, where the model has a place for them.
    pub fn with_terms(self, terms: Terms) -> Self {
        let terms = Some(terms).filter(|_| self.prompt.takes_terms());
        Self { terms, ..self }
    }

    /// All that is done to a sentence between the caller and the network: two translators that differ in it differ in what
    /// they give.
    pub fn preparation(&self) -> Preparation<'_> {
        let terms = self.terms.as_ref().map(|terms| terms.name.as_str());
        Preparation { steps: &self.steps, prompt: &self.prompt, terms }
    }

    /// How sentences are decoded that have no options of their own.
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// Its workers, threads and batches.
    pub fn engine_options(&self) -> &EngineOptions {
        &self.engine
    }

    /// The network.
    pub fn generator(&self) -> &Arc<dyn Generator> {
        &self.generator
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Arc<dyn Tokenizer> {
        &self.tokenizer
    }

    /// What was done so far, by all calls.
    pub fn stats(&self) -> EngineStats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut EngineStats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Tokens of a sentence that is translated whole.
    pub fn sentence_limit(&self) -> usize {
        let spec = self.generator.spec();
        let room = spec.max_source.saturating_sub(self.overhead);
        // A decoder-only model must also have room for the output, which may be 2.5 times as long.
        let model = if spec.encoder_decoder { room } else { room.saturating_sub(24) * 2 / 7 };
        self.engine.max_sentence_tokens.min(model).max(1)
    }

    /// Most tokens to generate for a sentence of `source` tokens, unless the options say so.
    fn max_new_tokens(&self, source: usize) -> usize {
        (source * 5 / 2 + 24).min(self.generator.spec().max_target)
    }

    /// Tokenizes a job, in parts where it is too long.
    pub(super) fn prepare(&self, job: Job) -> Result<Prepared> {
        let options = job.options.as_ref().map_or_else(|| self.options.clone(), |o| Arc::new(o.clone()));
        // The splitter asks for sizes only; what the tokenizer had to complain of comes out here.
        let complaint = RefCell::new(None);
        let measure = |text: &str| match self.tokenizer.encode(text) {
            Ok(ids) => ids.len(),
            Err(error) => {
                complaint.replace(Some(error));
                0
            }
        };
        let text = self.steps.iter().fold(Cow::Borrowed(job.text.as_str()), |text, step| step.apply(text));
        let pieces = clause::split(&text, &measure, self.sentence_limit());
        if let Some(error) = complaint.into_inner() {
            return Err(error);
        }
        let parts = pieces
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| {
                let terms = self.terms.as_ref().map(|terms| (terms.find)(text)).unwrap_or_default();
                let ids = self.prompt.encode_with(&*self.tokenizer, text, &Hints { terms, context: None })?;
                // Terms in the prompt make it longer, but not the translation.
                let source = match self.terms {
                    Some(_) => self.tokenizer.encode(text)?.len(),
                    None => ids.len().saturating_sub(self.overhead),
                };
                let most = self.max_new_tokens(source);
                Ok(Part { text: text.to_string(), ids, max_new_tokens: options.max_new_tokens.unwrap_or(most) })
            })
            .collect::<Result<_>>()?;
        Ok(Prepared { job, options, parts })
    }

    /// Puts the parts of a job together.
    pub(super) fn assemble(&self, prepared: &Prepared, parts: &[Vec<Hypothesis>]) -> Result<Outcome> {
        let mut parts: Vec<Vec<(&Hypothesis, String)>> = prepared
            .parts
            .iter()
            .zip(parts)
            .map(|(part, hypotheses)| hypotheses.iter().map(|h| Ok((h, self.text(&part.text, h)?))).collect())
            .collect::<Result<_>>()?;
        if prepared.options.choice == Choice::Consensus {
            parts.iter_mut().for_each(|hypotheses| best_first(hypotheses));
        }
        let (best, texts): (Vec<&Hypothesis>, Vec<&str>) =
            parts.iter().filter_map(|hypotheses| hypotheses.first()).map(|(h, text)| (*h, text.as_str())).unzip();
        let target_tokens: usize = best.iter().map(|h| h.tokens.len()).sum();
        let alternatives = match &parts[..] {
            [hypotheses] => hypotheses[1..].iter().map(|(h, text)| (text.clone(), h.mean_log_prob())).collect(),
            // Alternatives of parts cannot be combined in a useful way.
            _ => Vec::new(),
        };
        Ok(Outcome {
            text: texts.iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(" "),
            score: best.iter().map(|h| h.log_prob).sum::<f32>() / target_tokens.max(1) as f32,
            source_tokens: prepared.parts.iter().map(|part| part.ids.len()).sum(),
            target_tokens,
            parts: parts.len().max(1),
            truncated: best.iter().any(|h| h.truncated),
            trace: best.iter().map(|h| h.trace).reduce(Trace::joined).unwrap_or_default(),
            alternatives,
        })
    }

    /// The translation of `source`, what the tokenizer had replaced by placeholders put back.
    fn text(&self, source: &str, hypothesis: &Hypothesis) -> Result<String> {
        let eos = &self.generator.spec().eos;
        let tokens = hypothesis.tokens.as_slice();
        let end = if tokens.last().is_some_and(|t| eos.contains(t)) { tokens.len() - 1 } else { tokens.len() };
        let decoded = self.tokenizer.decode_target(source, &tokens[..end])?;
        if !decoded.lost.is_empty() {
            // The checks of numbers and addresses miss them in the text and have the sentence repaired.
            tracing::debug!("the model dropped the placeholders of {}", decoded.lost.join(", "));
        }
        let text = decoded.text.trim();
        Ok(if self.prompt.is_chat() { answer::translation(source, text).to_owned() } else { text.to_owned() })
    }

    /// An idle session that takes `request`, or a new one, made larger than usual if need be.
    pub(super) fn session(&self, request: &Request) -> Result<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = idle.iter().position(|session| session.fits(request)) {
            return Ok(idle.swap_remove(index));
        }
        drop(idle);
        let mut limits = self.limits();
        let (rows, memory_rows) = Session::rows_needed(&*self.generator, request);
        limits.rows = limits.rows.max(rows);
        limits.memory_rows = limits.memory_rows.max(memory_rows);
        Session::with_prefix(self.generator.clone(), self.columns.clone(), &self.prefix, limits)
    }

    /// Runs a step of a worker, on more threads if no other worker has anything to do.
    pub(super) fn on_threads<T: Send>(&self, alone: bool, step: impl FnOnce() -> T + Send) -> T {
        match &self.together {
            Some(pool) if alone => pool.install(step),
            _ => step(),
        }
    }

    /// Keeps a session for the next call.
    pub(super) fn keep(&self, mut session: Session) {
        session.clear();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.engine.workers {
            idle.push(session);
        }
    }

    /// What a worker's session may use: what its hypotheses could use at most, within the bytes allowed.
    fn limits(&self) -> Limits {
        let spec = self.generator.spec();
        let sentences = self.engine.hypotheses.div_ceil(self.options.beams.max(1));
        let source = self.sentence_limit() + self.overhead;
        let generated = self.options.max_new_tokens.unwrap_or_else(|| self.max_new_tokens(self.sentence_limit()));
        let known = |bytes: usize| if bytes == 0 { UNKNOWN_ROW_BYTES } else { bytes };
        let (row, memory_row) = (known(spec.row_bytes), known(spec.memory_row_bytes));
        let bytes = self.engine.cache_bytes / self.engine.workers;
        let (rows, memory_rows) = if spec.encoder_decoder {
            // Sources and outputs are about equally long; beams need more, but share most of it.
            (
                (bytes / 2 / row).min(self.engine.hypotheses * generated),
                (bytes / 2 / memory_row).min(sentences * source),
            )
        } else {
            ((bytes / row).min(sentences * source + self.engine.hypotheses * generated), 0)
        };
        Limits { rows, memory_rows, hypotheses: self.engine.hypotheses, step_tokens: self.engine.step_tokens }
    }
}

fn pool(threads: usize, name: String) -> Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |thread| format!("anubad-{name}-{thread}"))
        .build()
        .map_err(|e| {
            let text = format!("{threads} threads cannot be started ({e}); raise ulimit -u, or use one thread");
            Error::Settings(SettingsError::Conflict(text))
        })
}

/// Puts the hypothesis that the others agree with before them.
fn best_first(hypotheses: &mut [(&Hypothesis, String)]) {
    let texts: Vec<(&str, bool)> = hypotheses.iter().map(|(h, text)| (text.as_str(), h.truncated)).collect();
    if let Some(best) = consensus(&texts, |all| Chrf::default().pairwise(all)) {
        hypotheses[..=best].rotate_right(1);
    }
}
