//! The network as a [`Generator`].
use super::config::{DecoderKind, MarianConfig};
use super::layers::{FeedForward, Loader, Table};
use super::norm::Norm;
use super::shortlist::LexicalShortlist;
use crate::decode::{Cache, Generator, GeneratorSpec, StepBatch};
use crate::error::ModelError;
use crate::kernels::parallel;
use crate::model::encoder_decoder::attention::{AttentionNames, CrossAttention, SelfAttention, Sources};
use crate::model::encoder_decoder::network::wanted;
use crate::model::layers::op::map1;
use crate::model::layers::ssru::ssru;
use crate::model::layers::{KvStore, Linear, Placement, add};
use crate::model::weights::TensorSource;
use crate::model::weights::marian::MarianFile;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// Longest source and target that Firefox's engine translates.
const LONGEST: usize = 256;

/// A model of Marian's with its weights loaded.
pub struct MarianNative {
    config: MarianConfig,
    spec: GeneratorSpec,
    place: Placement,
    file: MarianFile,
    source_table: Table,
    target_table: Table,
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    head: Head,
    end: u32,
}

struct EncoderLayer {
    attention: SelfAttention,
    norm: Norm,
    ffn: FeedForward,
}

struct DecoderLayer {
    memory: Memory,
    norm: Norm,
    cross: CrossAttention,
    cross_norm: Norm,
    ffn: FeedForward,
}

/// How a layer remembers what was written. A network has a handful of layers: their size in memory does not matter.
#[allow(clippy::large_enum_variant)]
enum Memory {
    /// Input and forget gate side by side.
    Ssru(Linear),
    Attention(SelfAttention),
}

/// The output layer.
enum Head {
    /// Over the whole vocabulary.
    Whole(Linear),
    /// Over what the shortlist allows, made anew for every sentence.
    Short { list: LexicalShortlist, bias: Vec<f32>, scale: String, shared: bool },
}

/// What one session keeps.
struct State {
    own: Vec<Own>,
    cross: Vec<KvStore>,
    /// With a shortlist: the output layer of each sentence in work, by its first memory row.
    heads: BTreeMap<u32, Linear>,
}

enum Own {
    /// The cell after each token [rows, d].
    Cells(Tensor),
    Keys(KvStore),
}

impl MarianNative {
    /// Loads a network; `end` is the piece that ends a sentence. The shortlist, if there is one, limits the output.
    ///
    /// # Errors
    /// Each names the file and the tensor: missing, of another shape, with a scale that is no number.
    pub fn load(file: MarianFile, end: u32, shortlist: Option<LexicalShortlist>, place: Placement) -> Result<Self> {
        let config = MarianConfig::of(&file)?;
        let c = &config;
        let loader = Loader { file: &file, place: &place };
        let source_table = Table::find(&file, &["encoder_Wemb", "Wemb"], c.source_vocabulary, c.d)?;
        let target_table = Table::find(&file, &["decoder_Wemb", "Wemb"], c.target_vocabulary, c.d)?;
        if file.has("decoder_ff_logit_out_W") {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: its output layer is not tied to the embeddings, which is not supported; use another model",
                file.name()
            ))));
        }
        let encoder = (1..=c.encoder_layers).map(|l| EncoderLayer::load(&loader, l, c)).collect::<Result<_>>()?;
        let decoder = (1..=c.decoder_layers).map(|l| DecoderLayer::load(&loader, l, c)).collect::<Result<_>>()?;
        for (name, layers) in [("encoder", c.encoder_layers), ("decoder", c.decoder_layers)] {
            let beyond = format!("{name}_l{}_ffn_W1", layers + 1);
            if file.has(&beyond) {
                return Err(Error::Model(ModelError::Mismatch(format!(
                    "{}: tensor {beyond} is there, but the configuration has only {layers} layers; config and weights disagree",
                    file.name()
                ))));
            }
        }
        let tensors: &dyn TensorSource = &file;
        let bias = tensors.floats("decoder_ff_logit_out_b", &[c.target_vocabulary])?;
        // Marian's nodes have other names with and without a shortlist, and files name either.
        let scales = [&format!("{}_QuantMultA", target_table.name), "none_QuantMultA"].map(String::from);
        let order = if scales[0].starts_with("Wemb") { [1, 0] } else { [0, 1] };
        let scale = order.map(|i| scales[i].clone()).into_iter().find(|name| file.has(name));
        let scale = scale.unwrap_or_else(|| scales[1].clone());
        let head = match shortlist {
            Some(list) => Head::Short { list, bias, scale, shared: source_table.name == target_table.name },
            None => Head::Whole(target_table.head(&loader, &scale, &bias, None)?),
        };
        let row = match c.decoder {
            DecoderKind::Ssru => c.d,
            DecoderKind::SelfAttention => 2 * c.d,
        };
        let spec = GeneratorSpec {
            vocab_size: c.target_vocabulary,
            encoder_decoder: true,
            // What is fed first is a vector of zeros, whatever the token.
            decoder_start: Some(end),
            eos: vec![end],
            pad: None,
            max_source: LONGEST,
            max_target: LONGEST + 1,
            target_of_source: Some(|source| 2 * source + 4),
            row_bytes: c.decoder_layers * row * size_of::<f32>(),
            memory_row_bytes: c.decoder_layers * 2 * c.d * size_of::<f32>(),
        };
        Ok(Self { spec, end, source_table, target_table, encoder, decoder, head, config, file, place })
    }

    /// The configuration that the network was built from.
    pub fn config(&self) -> &MarianConfig {
        &self.config
    }

    /// The model's file.
    pub fn file(&self) -> &MarianFile {
        &self.file
    }

    /// Bytes of weights kept beside the mapped file.
    pub fn size(&self) -> usize {
        let encoder = self.encoder.iter().map(|l| l.attention.size() + l.ffn.size());
        let decoder = self.decoder.iter().map(|l| l.memory.size() + l.cross.size() + l.ffn.size());
        let head = if let Head::Whole(head) = &self.head { head.size() } else { 0 };
        encoder.chain(decoder).sum::<usize>() + head
    }

    /// Embeddings times √d plus positions; with `zero_start`, tokens at position 0 are zeros.
    fn embed(&self, table: &Table, tokens: &[u32], positions: &[u32], zero_start: bool) -> Result<Tensor> {
        let d = self.config.d;
        let scale = (d as f32).sqrt();
        let mut out = vec![0f32; tokens.len() * d];
        for ((row, &token), &position) in out.chunks_exact_mut(d).zip(tokens).zip(positions) {
            if !(zero_start && position == 0) {
                table.add_row(&self.file, token, scale, row)?;
            }
            add_position(row, position);
        }
        Ok(Tensor::from_vec(out, (tokens.len(), d), &self.place.device)?)
    }

    /// Encoder states of all sources, [tokens, d].
    fn encoder_states(&self, sources: &Sources) -> Result<Tensor> {
        let mut x = self.embed(&self.source_table, &sources.tokens, &sources.positions, false)?;
        for layer in &self.encoder {
            let y = layer.attention.encode(&x, sources, None, None)?;
            x = layer.ffn.forward(&layer.norm.forward(&add(&x, y)?)?)?;
        }
        Ok(x)
    }

    /// Logits with each sentence's own output layer, rows as long as the longest.
    fn short_logits(&self, x: &Tensor, batch: &StepBatch, heads: &BTreeMap<u32, Linear>) -> Result<Tensor> {
        let mut groups: Vec<(&Linear, usize, usize)> = Vec::new();
        let mut last = None;
        for (row, &output) in batch.outputs.iter().enumerate() {
            let first = batch.memory.get(output as usize).map(|memory| memory.0);
            match groups.last_mut() {
                Some((_, _, count)) if first == last => *count += 1,
                _ => {
                    let head = first.and_then(|first| heads.get(&first)).ok_or_else(|| {
                        Error::Model(ModelError::Defect(
                            "a sentence is decoded that was not encoded; its session must be dropped".into(),
                        ))
                    })?;
                    groups.push((head, row, 1));
                    last = first;
                }
            }
        }
        let (rows, width) = (batch.outputs.len(), groups.iter().map(|g| g.0.n()).max().unwrap_or(1));
        if self.place.device.is_cpu() && groups.iter().all(|g| g.0.forward_into(&[], 0, &mut [])) {
            return Ok(map1("shortlist", x, (rows, width), |x| short_products(x, &groups, rows, width))?);
        }
        let parts = groups.iter().map(|&(head, row, count)| -> Result<Tensor> {
            let y = head.forward(&x.narrow(0, row, count)?.contiguous()?)?;
            Ok(y.pad_with_zeros(1, 0, width - head.n())?)
        });
        Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
    }
}

/// Each group's product into its rows of [rows, width].
fn short_products(x: &[f32], groups: &[(&Linear, usize, usize)], rows: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0f32; rows * width];
    let d = x.len() / rows.max(1);
    let mut rest = &mut out[..];
    let mut work: Vec<(&Linear, &[f32], usize, &mut [f32])> = Vec::new();
    for &(head, row, count) in groups {
        let (own, after) = std::mem::take(&mut rest).split_at_mut(count * width);
        work.push((head, &x[row * d..][..count * d], count, own));
        rest = after;
    }
    parallel::each(&mut work, 8, |(head, x, count, out)| {
        let n = head.n();
        if *count == 1 {
            head.forward_into(x, 1, &mut out[..n]);
            return;
        }
        let mut packed = vec![0f32; *count * n];
        head.forward_into(x, *count, &mut packed);
        for (to, from) in out.chunks_exact_mut(width).zip(packed.chunks_exact(n)) {
            to[..n].copy_from_slice(from);
        }
    });
    drop(work);
    out
}

/// Sines in the first half, cosines in the second.
fn add_position(row: &mut [f32], position: u32) {
    let half = row.len() / 2;
    let step = 10_000f32.ln() / (half as f32 - 1.0).max(1.0);
    let (sines, cosines) = row.split_at_mut(half);
    for (i, (sine, cosine)) in sines.iter_mut().zip(cosines).enumerate() {
        let angle = position as f32 * (i as f32 * -step).exp();
        *sine += angle.sin();
        *cosine += angle.cos();
    }
}

impl EncoderLayer {
    fn load(loader: &Loader<'_>, layer: usize, c: &MarianConfig) -> Result<Self> {
        let prefix = format!("encoder_l{layer}");
        Ok(Self {
            attention: self_attention(loader, &format!("{prefix}_self"), c)?,
            norm: loader.norm(&format!("{prefix}_self_Wo"), c.d)?,
            ffn: FeedForward::load(loader, &prefix, (c.d, c.ffn), c.activation)?,
        })
    }
}

/// Sizes; the names are the loader's matter.
fn names(c: &MarianConfig) -> AttentionNames<'static> {
    let dim = c.d / c.heads;
    let scale = 1.0 / (dim as f32).sqrt();
    AttentionNames { projections: [""; 4], bias: true, d: c.d, heads: c.heads, dim, scale }
}

fn self_attention(loader: &Loader<'_>, prefix: &str, c: &MarianConfig) -> Result<SelfAttention> {
    let qkv = loader.projections(prefix, &["q", "k", "v"], c.d)?;
    Ok(SelfAttention::on(qkv, loader.projections(prefix, &["o"], c.d)?, &names(c), loader.place.level))
}

impl DecoderLayer {
    fn load(loader: &Loader<'_>, layer: usize, c: &MarianConfig) -> Result<Self> {
        let prefix = format!("decoder_l{layer}");
        let (memory, norm) = match c.decoder {
            DecoderKind::Ssru => {
                let gates = [
                    (format!("{prefix}_rnn_W"), None, c.d),
                    (format!("{prefix}_rnn_Wf"), Some(format!("{prefix}_rnn_bf")), c.d),
                ];
                (Memory::Ssru(loader.linear(&gates, c.d)?), format!("{prefix}_rnn_ffn"))
            }
            DecoderKind::SelfAttention => {
                let prefix = format!("{prefix}_self");
                (Memory::Attention(self_attention(loader, &prefix, c)?), format!("{prefix}_Wo"))
            }
        };
        let cross = format!("{prefix}_context");
        let projections = |letters: &[&str]| loader.projections(&cross, letters, c.d);
        let (q, kv, output) = (projections(&["q"])?, projections(&["k", "v"])?, projections(&["o"])?);
        Ok(Self {
            memory,
            norm: loader.norm(&norm, c.d)?,
            cross: CrossAttention::on(q, kv, output, &names(c), loader.place.level),
            cross_norm: loader.norm(&format!("{cross}_Wo"), c.d)?,
            ffn: FeedForward::load(loader, &prefix, (c.d, c.decoder_ffn), c.activation)?,
        })
    }

    fn step(&self, x: Tensor, batch: &StepBatch, own: &Own, cross: &KvStore, place: &Placement) -> Result<Tensor> {
        let y = match (&self.memory, own) {
            (Memory::Ssru(gates), Own::Cells(cells)) => {
                ssru(&gates.forward(&x)?, &rows_before(batch), &batch.rows, cells, place.level)?
            }
            (Memory::Attention(attention), Own::Keys(store)) => attention.step(&x, batch, store, None, None)?,
            _ => return Err(foreign()),
        };
        let x = self.norm.forward(&add(&x, y)?)?;
        let x = self.cross_norm.forward(&add(&x, self.cross.forward(&x, &batch.memory, cross)?)?)?;
        self.ffn.forward(&x)
    }
}

impl Memory {
    fn size(&self) -> usize {
        match self {
            Memory::Ssru(gates) => gates.size(),
            Memory::Attention(attention) => attention.size(),
        }
    }
}

/// For each token the row of the one before it.
fn rows_before(batch: &StepBatch) -> Vec<Option<u32>> {
    let before = |&(start, length): &(u32, u32)| {
        let index = (start + length).checked_sub(2).filter(|_| length > 1)?;
        batch.tables.get(index as usize).copied()
    };
    batch.spans.iter().map(before).collect()
}

fn foreign() -> Error {
    Error::Model(ModelError::Defect("the cache belongs to another network".into()))
}

impl Generator for MarianNative {
    fn spec(&self) -> &GeneratorSpec {
        &self.spec
    }

    fn output_ids(&self) -> Option<&[u32]> {
        None
    }

    fn output_ids_of(&self, source: &[u32]) -> Option<Vec<u32>> {
        match &self.head {
            Head::Whole(_) => None,
            Head::Short { list, shared, .. } => {
                let mut ids = list.candidates(source, *shared, self.config.target_vocabulary);
                // A sentence must be able to end.
                if let Err(at) = ids.binary_search(&self.end) {
                    ids.insert(at, self.end);
                }
                Some(ids)
            }
        }
    }

    fn new_cache(&self, rows: usize, memory_rows: usize) -> Result<Cache> {
        let (device, d): (&Device, usize) = (&self.place.device, self.config.d);
        let own = |layer: &DecoderLayer| -> Result<Own> {
            Ok(match layer.memory {
                Memory::Ssru(_) => Own::Cells(Tensor::zeros((rows.max(1), d), DType::F32, device)?),
                Memory::Attention(_) => Own::Keys(KvStore::new(rows, d, device)?),
            })
        };
        let state = State {
            own: self.decoder.iter().map(own).collect::<Result<_>>()?,
            cross: self.decoder.iter().map(|l| l.cross.new_store(memory_rows, device)).collect::<Result<_>>()?,
            heads: BTreeMap::new(),
        };
        Ok(Cache { rows, memory_rows, state: Box::new(state) })
    }

    fn encode(&self, cache: &mut Cache, sources: &[&[u32]], first_rows: &[u32]) -> Result<()> {
        let state: &mut State = cache.state.downcast_mut().ok_or_else(foreign)?;
        let states = self.encoder_states(&Sources::new(sources)?)?;
        let ranges = || sources.iter().zip(first_rows).map(|(s, &first)| first..first.saturating_add(s.len() as u32));
        let rows: Vec<u32> = ranges().flatten().collect();
        for (layer, store) in self.decoder.iter().zip(&state.cross) {
            layer.cross.remember(&states, &rows, store)?;
        }
        if let Head::Short { bias, scale, .. } = &self.head {
            let loader = Loader { file: &self.file, place: &self.place };
            for (range, source) in ranges().zip(sources) {
                // Whoever had these rows before is finished.
                let finished: Vec<u32> = state.heads.range(range.clone()).map(|(&first, _)| first).collect();
                finished.iter().for_each(|first| drop(state.heads.remove(first)));
                let ids = self.output_ids_of(source);
                let head = self.target_table.head(&loader, scale, bias, ids.as_deref())?;
                state.heads.insert(range.start, head);
            }
        }
        Ok(())
    }

    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor> {
        let state: &State = cache.state.downcast_ref().ok_or_else(foreign)?;
        let mut x = self.embed(&self.target_table, &batch.tokens, &batch.positions, true)?;
        for ((layer, own), cross) in self.decoder.iter().zip(&state.own).zip(&state.cross) {
            x = layer.step(x, batch, own, cross, &self.place)?;
        }
        let x = wanted(x, batch)?;
        match &self.head {
            Head::Whole(head) => head.forward(&x),
            Head::Short { .. } => self.short_logits(&x, batch, &state.heads),
        }
    }
}
