//! `tokenizer.json`, through the tokenizers crate, with models of our own.
pub(super) mod bpe;
mod read;
pub(super) mod segmenter;
#[cfg(test)]
mod tests;
pub(super) mod unigram;

use crate::error::ModelError;
use base64::Engine;
use std::path::Path;

use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl, tokenizer::AddedToken,
};

pub(super) use self::read::{merge_sides, vocabulary};
use self::segmenter::Segmenter;
use super::{
    Stretch, Tokenizer,
    sentencepiece::charsmap_is_whole,
    specials::{END_TOKENS, Fragment, Run, Specials},
};
use crate::{Error, Result};

/// What goes around the ids of a source sentence.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub before: Vec<u32>,
    pub after: Vec<u32>,
    /// Text put before the sentence ("<2en> "), special tokens in it included.
    pub prefix: String,
    pub forced_bos: Option<u32>,
}

/// The special tokens that a model names.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub pad: Option<u32>,
    pub chat_template: Option<String>,
}

/// The crate's tokenizer around our model.
pub(super) type Pipeline =
    TokenizerImpl<Segmenter, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// What makes a [`Pipeline`]. A part that is not wanted is `None`.
pub(super) struct Parts {
    pub model: Segmenter,
    pub normalizer: Option<NormalizerWrapper>,
    pub pre_tokenizer: Option<PreTokenizerWrapper>,
    pub post_processor: Option<PostProcessorWrapper>,
    pub decoder: Option<DecoderWrapper>,
    /// Those that the model does not know get the ids after its own, in this order.
    pub added: Vec<AddedToken>,
}

impl Parts {
    fn assemble(self) -> tokenizers::Result<Pipeline> {
        let mut pipeline = Pipeline::new(self.model);
        pipeline.with_normalizer(self.normalizer)?;
        pipeline
            .with_pre_tokenizer(self.pre_tokenizer)
            .with_post_processor(self.post_processor)
            .with_decoder(self.decoder);
        pipeline.add_tokens(self.added)?;
        Ok(pipeline)
    }
}

/// Whether the character maps of a normalizer, if it has any, are whole; the crate looks them up without looking.
fn maps_are_whole(normalizer: &NormalizerWrapper) -> bool {
    match normalizer {
        NormalizerWrapper::Sequence(all) => all.as_ref().iter().all(maps_are_whole),
        NormalizerWrapper::Precompiled(map) => {
            let json = serde_json::to_value(map).unwrap_or_default();
            let text = json.get("precompiled_charsmap").and_then(|text| text.as_str()).unwrap_or_default();
            base64::engine::general_purpose::STANDARD.decode(text).is_ok_and(|blob| charsmap_is_whole(&blob))
        }
        _ => true,
    }
}

/// A tokenizer that our reader left to the crate, whole.
fn by_the_crate(bytes: &[u8]) -> tokenizers::Result<Pipeline> {
    let whole = tokenizers::Tokenizer::from_bytes(bytes)?;
    let mut pipeline = Pipeline::new(Segmenter::Other(Box::new(whole.get_model().clone())));
    pipeline.with_normalizer(whole.get_normalizer().cloned())?;
    pipeline
        .with_pre_tokenizer(whole.get_pre_tokenizer().cloned())
        .with_post_processor(whole.get_post_processor().cloned())
        .with_decoder(whole.get_decoder().cloned())
        .with_added_vocabulary(whole.get_added_vocabulary().clone());
    Ok(pipeline)
}

/// A tokenizer of the tokenizers crate. Special tokens that the text spells out are text, except where
/// [`Tokenizer::encode_with_specials`] is asked. (A unigram model knows their spellings as pieces and finds them all
/// the same; only encoder–decoder models are of that kind, and to them a stray `</s>` in the source does no harm.)
pub struct JsonTokenizer {
    inner: Pipeline,
    specials: Specials,
    frame: Frame,
    named: Named,
    name: String,
}

impl JsonTokenizer {
    /// Reads a `tokenizer.json`. The source frame is the one of its post-processor.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Model`], naming the file.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// Builds the tokenizer from the text of a `tokenizer.json`; `name` is for error texts.
    ///
    /// # Errors
    /// [`Error::Model`] where the text is no tokenizer.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        // what our reader does not know the crate may, and it has the better error texts
        let inner = match serde_json::from_slice(bytes) {
            Ok(inner) => Ok(inner),
            Err(_) => by_the_crate(bytes),
        };
        Self::around(inner, name)
    }

    /// The tokenizer that the parts make; `name` is for error texts.
    pub(super) fn from_parts(parts: Parts, name: &str) -> Result<Self> {
        Self::around(parts.assemble(), name)
    }

    fn around(inner: tokenizers::Result<Pipeline>, name: &str) -> Result<Self> {
        let mut inner = inner.map_err(|error| {
            let error = error.to_string().replace('\n', " ");
            Error::Model(ModelError::damaged_by(
                format!("{name} is not a readable tokenizer ({error}); download the file again"),
                error,
            ))
        })?;
        if !inner.get_normalizer().is_none_or(maps_are_whole) {
            return Err(Error::Model(ModelError::damaged(format!(
                "{name} has a damaged character map; download the file again"
            ))));
        }
        // a file may ask for padding or truncation; batches and lengths are the engine's business
        inner.with_padding(None);
        // without truncation parameters this cannot fail
        let _ = inner.with_truncation(None);
        inner.set_encode_special_tokens(true);
        let special = inner.get_added_tokens_decoder().into_iter().filter(|(_, token)| token.special);
        let specials = Specials::new(special.map(|(id, token)| (token.content, id)));
        let mut tokenizer =
            Self { inner, specials, frame: Frame::default(), named: Named::default(), name: name.to_owned() };
        tokenizer.frame = tokenizer.post_processor_frame()?;
        Ok(tokenizer)
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    pub(super) fn set_frame(&mut self, frame: Frame) {
        self.frame = frame;
    }

    pub(super) fn set_named(&mut self, named: Named) {
        self.named = named;
    }

    /// What the file's post-processor adds, found by trying it.
    fn post_processor_frame(&self) -> Result<Frame> {
        let bare = self.ids("a", false)?;
        let full = self.ids("a", true)?;
        let at = full.windows(bare.len().max(1)).position(|window| window == bare).unwrap_or(0);
        let end = (at + bare.len()).min(full.len());
        Ok(Frame { before: full[..at].to_vec(), after: full[end..].to_vec(), ..Frame::default() })
    }

    fn ids(&self, text: &str, add_specials: bool) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, add_specials).map_err(|error| {
            let error = error.to_string().replace('\n', " ");
            Error::Model(ModelError::Incapable(format!(
                "{} cannot tokenize this text ({error}); report the sentence",
                self.name
            )))
        })?;
        Ok(encoding.get_ids().to_vec())
    }
}

impl Tokenizer for JsonTokenizer {
    fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.ids(text, false)
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.frame.before.clone();
        let mut rest = text.to_owned();
        for fragment in self.specials.split(&self.frame.prefix) {
            match fragment {
                Fragment::Token(id) => ids.push(id),
                // the last stretch of the prefix is tokenized together with the text
                Fragment::Text(range) if range.end == self.frame.prefix.len() => {
                    rest = format!("{}{text}", &self.frame.prefix[range]);
                }
                Fragment::Text(range) => ids.extend(self.ids(&self.frame.prefix[range], false)?),
            }
        }
        ids.extend(self.ids(&rest, false)?);
        ids.extend(&self.frame.after);
        Ok(ids)
    }

    fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for fragment in self.specials.split(text) {
            match fragment {
                Fragment::Token(id) => ids.push(id),
                Fragment::Text(range) => ids.extend(self.ids(&text[range], false)?),
            }
        }
        Ok(ids)
    }

    fn encode_prompt(&self, stretches: &[Stretch<'_>]) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for run in self.specials.runs(stretches, |_| true) {
            match run {
                Run::Token(id) => ids.push(id),
                Run::Text(text) => ids.extend(self.ids(&text, false)?),
            }
        }
        Ok(ids)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|error| {
            Error::Model(ModelError::damaged_by(
                format!("{} cannot turn ids into text ({error}); download the file again", self.name),
                error,
            ))
        })
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.inner.token_to_id(piece)
    }

    fn bos(&self) -> Option<u32> {
        self.named.bos
    }

    fn eos(&self) -> Option<u32> {
        self.named.eos
    }

    fn pad(&self) -> Option<u32> {
        self.named.pad
    }

    fn adds_bos(&self) -> bool {
        self.named.bos.is_some_and(|bos| self.frame.before.first() == Some(&bos))
    }

    fn ends(&self) -> Vec<u32> {
        let spelled = END_TOKENS.iter().filter_map(|piece| self.specials.id(piece));
        let mut ends: Vec<u32> = self.eos().into_iter().chain(spelled).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    fn forced_bos(&self) -> Option<u32> {
        self.frame.forced_bos
    }

    fn chat_template(&self) -> Option<&str> {
        self.named.chat_template.as_deref()
    }
}
