//! What the two families have in common: memory rows, the output layer, the [`Generator`] trait.
use super::attention::{CrossAttention, Sources};
use super::config::Config;
use super::fairseq::Fairseq;
use super::generation::Generation;
use super::t5::T5;
use super::weights::Weights;
use crate::decode::{Cache, Generator, GeneratorSpec, StepBatch};
use crate::error::ModelError;
use crate::model::layers::{KvStore, Linear, Placement};
use crate::model::weights::TensorSource;
use crate::{Error, Result};
use candle_core::Tensor;
use std::sync::Arc;

/// A loaded encoder–decoder network.
pub struct EncoderDecoder {
    config: Config,
    spec: GeneratorSpec,
    place: Placement,
    body: Box<dyn Body>,
    head: Linear,
    output_ids: Option<Vec<u32>>,
}

/// Encoder and decoder of one family.
pub(super) trait Body: Send + Sync {
    /// Encoder states of all sources, [tokens, d], the final norm applied.
    fn encode(&self, sources: &Sources) -> Result<Tensor>;
    /// Feeds the batch; returns what the output layer reads, [outputs, d].
    fn step(&self, batch: &StepBatch, stores: &Stores) -> Result<Tensor>;
    /// Cross-attention of each decoder layer.
    fn cross(&self) -> Vec<&CrossAttention>;
    /// Width of a row of the decoder's own keys.
    fn kv_width(&self) -> usize;
    /// Bytes of weights kept, the output layer not counted.
    fn size(&self) -> usize;
}

/// Keys and values of one session, a store a decoder layer.
pub(super) struct Stores {
    pub own: Vec<KvStore>,
    pub cross: Vec<KvStore>,
}

impl EncoderDecoder {
    /// Loads a network. `keep` restricts the output to these token ids (ascending); `generation` names the special
    /// tokens.
    ///
    /// # Errors
    /// A missing tensor, one of another shape (both shapes are named), weights that hold NaN, weights with more
    /// layers than the configuration.
    pub fn load(
        source: Arc<dyn TensorSource>,
        config: Config,
        generation: &Generation,
        keep: Option<Vec<u32>>,
        place: Placement,
    ) -> Result<Self> {
        let keep = keep.as_deref();
        let weights = Weights { source: &*source, place: &place };
        let (body, head): (Box<dyn Body>, Linear) = match &config {
            Config::Fairseq(c) => {
                let (body, head) = Fairseq::load(&weights, source.clone(), c, keep)?;
                (Box::new(body), head)
            }
            Config::T5(c) => {
                let (body, head) = T5::load(&weights, source.clone(), c, keep)?;
                (Box::new(body), head)
            }
        };
        let (vocab_size, max_source, max_target) = match &config {
            Config::Fairseq(c) => (c.decoder.vocab_size, c.encoder.max_positions, c.decoder.max_positions),
            Config::T5(c) => (c.vocab_size, c.max_positions, c.max_positions),
        };
        let row_bytes = body.cross().len() * 2 * body.kv_width() * size_of::<f32>();
        let spec = GeneratorSpec {
            vocab_size,
            encoder_decoder: true,
            decoder_start: generation.decoder_start,
            eos: generation.eos.clone(),
            pad: generation.pad,
            max_source,
            max_target,
            target_of_source: None,
            row_bytes,
            memory_row_bytes: row_bytes,
        };
        Ok(Self { spec, body, head, output_ids: keep.map(<[u32]>::to_vec), place, config })
    }

    /// The configuration that the network was built from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Bytes of weights kept in memory beside the mapped file.
    pub fn size(&self) -> usize {
        self.body.size() + self.head.size()
    }

    /// Encoder states of all sources, one after another: [tokens, d].
    pub fn encoder_states(&self, sources: &[&[u32]]) -> Result<Tensor> {
        self.body.encode(&Sources::new(sources)?)
    }
}

fn stores(cache: &Cache) -> Result<&Stores> {
    cache
        .state
        .downcast_ref()
        .ok_or_else(|| Error::Model(ModelError::Defect("the cache belongs to another network".into())))
}

impl Generator for EncoderDecoder {
    fn spec(&self) -> &GeneratorSpec {
        &self.spec
    }

    fn output_ids(&self) -> Option<&[u32]> {
        self.output_ids.as_deref()
    }

    fn new_cache(&self, rows: usize, memory_rows: usize) -> Result<Cache> {
        let device = &self.place.device;
        let (mut own, mut cross) = (Vec::new(), Vec::new());
        for layer in self.body.cross() {
            own.push(KvStore::new(rows, self.body.kv_width(), device)?);
            cross.push(layer.new_store(memory_rows, device)?);
        }
        Ok(Cache { rows, memory_rows, state: Box::new(Stores { own, cross }) })
    }

    fn encode(&self, cache: &mut Cache, sources: &[&[u32]], first_rows: &[u32]) -> Result<()> {
        let stores = stores(cache)?;
        let states = self.encoder_states(sources)?;
        let rows: Vec<u32> = sources
            .iter()
            .zip(first_rows)
            .flat_map(|(source, &first)| first..first.saturating_add(source.len() as u32))
            .collect();
        if rows.len() != states.dim(0)? {
            return Err(Error::Model(ModelError::Defect("sources and their memory rows differ in number".into())));
        }
        for (layer, store) in self.body.cross().into_iter().zip(&stores.cross) {
            layer.remember(&states, &rows, store)?;
        }
        Ok(())
    }

    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor> {
        self.head.forward(&self.body.step(batch, stores(cache)?)?)
    }
}

/// The rows of `x` whose logits are wanted.
pub(super) fn wanted(x: Tensor, batch: &StepBatch) -> Result<Tensor> {
    if batch.outputs.len() == batch.tokens.len() && batch.outputs.iter().copied().eq(0..batch.tokens.len() as u32) {
        return Ok(x);
    }
    let rows = Tensor::from_slice(&batch.outputs, batch.outputs.len(), x.device())?;
    Ok(x.index_select(&rows, 0)?)
}
