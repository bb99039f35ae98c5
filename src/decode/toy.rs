//! A network for tests: its logits are a function of the tokens that a step's tables lead to, so that a wrong row,
//! position or table changes the output. `scripts/golden/decode.py` computes the same function.
use super::{Cache, Generator, GeneratorSpec, StepBatch};
use crate::{Error, Result};
use candle_core::{Device, Tensor};

pub(crate) const VOCAB: usize = 48;
pub(crate) const EOS: u32 = 1;
pub(crate) const START: u32 = 2;

/// The network. A token of [`Toy::poison`] in a step makes it panic.
pub(crate) struct Toy {
    spec: GeneratorSpec,
    pub seed: u32,
    /// How fast the end token becomes likely; the network's weights, so to say.
    pub eos_slope: f32,
    pub output_ids: Option<Vec<u32>>,
    pub poison: Option<u32>,
    /// Makes all logits NaN after this token.
    pub nan_after: Option<u32>,
}

/// What a row of the store remembers.
struct State {
    rows: Vec<Option<(u32, u32)>>,
    memory: Vec<Option<u32>>,
}

impl Toy {
    pub fn new(encoder_decoder: bool, seed: u32) -> Self {
        let spec = GeneratorSpec {
            vocab_size: VOCAB,
            encoder_decoder,
            decoder_start: encoder_decoder.then_some(START),
            eos: vec![EOS],
            pad: Some(0),
            max_source: 256,
            max_target: 128,
            target_of_source: None,
            row_bytes: 8,
            memory_row_bytes: 4,
        };
        Self { spec, seed, eos_slope: 0.25, output_ids: None, poison: None, nan_after: None }
    }

    pub fn with_spec(mut self, change: impl FnOnce(&mut GeneratorSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// Logits after `tokens`, for all of the vocabulary.
    pub fn logits(&self, source: &[u32], tokens: &[u32]) -> Vec<f32> {
        let sum = |tokens: &[u32]| {
            tokens.iter().zip(1u32..).fold(0u32, |sum, (&t, i)| sum.wrapping_add((t + 1).wrapping_mul(i)))
        };
        let last = tokens[tokens.len() - 1];
        let all = sum(tokens).wrapping_add(sum(source).wrapping_mul(31));
        (0..VOCAB as u32)
            .map(|column| {
                let near = unit(self.seed, last, column);
                let far = unit(self.seed ^ 0x5bd1, all, column);
                let end = if column == EOS { self.eos_slope * tokens.len() as f32 } else { 0.0 };
                4.0 * near + 2.0 * far + end
            })
            .collect()
    }
}

/// A number in [0, 1) with 16 bits, from murmur3's finalizer.
fn unit(seed: u32, a: u32, b: u32) -> f32 {
    let mut h = seed.wrapping_add(a.wrapping_mul(0x9e37_79b1)).wrapping_add(b.wrapping_mul(0x85eb_ca77));
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^= h >> 16;
    (h >> 16) as f32 / 65536.0
}

impl Generator for Toy {
    fn spec(&self) -> &GeneratorSpec {
        &self.spec
    }

    fn output_ids(&self) -> Option<&[u32]> {
        self.output_ids.as_deref()
    }

    fn new_cache(&self, rows: usize, memory_rows: usize) -> Result<Cache> {
        let state = State { rows: vec![None; rows], memory: vec![None; memory_rows] };
        Ok(Cache { rows, memory_rows, state: Box::new(state) })
    }

    fn encode(&self, cache: &mut Cache, sources: &[&[u32]], first_rows: &[u32]) -> Result<()> {
        assert!(self.spec.encoder_decoder);
        let state = cache.state.downcast_mut::<State>().unwrap();
        for (source, &first) in sources.iter().zip(first_rows) {
            for (i, &token) in source.iter().enumerate() {
                assert!(self.poison != Some(token), "poisoned source");
                state.memory[first as usize + i] = Some(token);
            }
        }
        Ok(())
    }

    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor> {
        let state = cache.state.downcast_mut::<State>().unwrap();
        let n = batch.tokens.len();
        assert!(batch.positions.len() == n && batch.rows.len() == n && batch.spans.len() == n);
        assert_eq!(batch.memory.len(), if self.spec.encoder_decoder { n } else { 0 });
        let mut rows = batch.rows.clone();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), n, "two tokens are written to one row");
        for i in 0..n {
            assert!(self.poison != Some(batch.tokens[i]), "poisoned token");
            state.rows[batch.rows[i] as usize] = Some((batch.tokens[i], batch.positions[i]));
        }
        let mut values = Vec::new();
        for &output in &batch.outputs {
            let output = output as usize;
            let (start, length) = batch.spans[output];
            let table = &batch.tables[start as usize..(start + length) as usize];
            assert_eq!(table.last(), Some(&batch.rows[output]));
            let mut tokens = Vec::new();
            for (position, &row) in table.iter().enumerate() {
                let (token, at) = state.rows[row as usize].expect("a row that nobody wrote");
                assert_eq!(at as usize, position);
                tokens.push(token);
            }
            let source: Vec<u32> = match batch.memory.get(output) {
                Some(&(first, length)) => {
                    (first..first + length).map(|row| state.memory[row as usize].expect("not encoded")).collect()
                }
                None => Vec::new(),
            };
            let mut logits = self.logits(&source, &tokens);
            if self.nan_after.is_some_and(|token| tokens.last() == Some(&token)) {
                logits.fill(f32::NAN);
            }
            match &self.output_ids {
                Some(ids) => values.extend(ids.iter().map(|&id| logits[id as usize])),
                None => values.extend(logits),
            }
        }
        let columns = self.output_ids.as_ref().map_or(VOCAB, Vec::len);
        Tensor::from_vec(values, (batch.outputs.len(), columns), &Device::Cpu).map_err(Error::from)
    }
}
