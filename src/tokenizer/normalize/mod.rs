//! Normal forms that some models were trained on, put before a tokenizer; manifests name them.
mod csebuetnlp;

use super::{Decoded, Stretch, Tokenizer};
use crate::Result;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// A step that a manifest's `normalize` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// What BanglaT5 and the mT5 models of csebuetnlp read: their `normalizer` package.
    Csebuetnlp,
    /// IndicTrans2's preparation, placeholders included. Its tokenizer does that itself, with manifest or without.
    Indictrans2,
    /// Nukta letters in one code point: what [`crate::lang::normalize`] makes of every text anyway.
    ComposeNukta,
}

impl Normalization {
    /// The step of this name in a manifest; other names may be steps of the text, before it comes here.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "csebuetnlp" => Some(Self::Csebuetnlp),
            "indictrans2" => Some(Self::Indictrans2),
            "compose-nukta" => Some(Self::ComposeNukta),
            _ => None,
        }
    }

    fn apply<'t>(self, text: Cow<'t, str>) -> Cow<'t, str> {
        match self {
            Self::Csebuetnlp => Cow::Owned(csebuetnlp::normalize(&text)),
            Self::Indictrans2 | Self::ComposeNukta => text,
        }
    }
}

/// `tokenizer` with `steps` before it; the tokenizer itself where none of them changes anything.
pub(super) fn before(tokenizer: Arc<dyn Tokenizer>, steps: &[Normalization]) -> Arc<dyn Tokenizer> {
    match steps.contains(&Normalization::Csebuetnlp) {
        true => Arc::new(Normalized { inner: tokenizer, steps: steps.to_vec() }),
        false => tokenizer,
    }
}

struct Normalized {
    inner: Arc<dyn Tokenizer>,
    steps: Vec<Normalization>,
}

impl Normalized {
    fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.steps.iter().fold(Cow::Borrowed(text), |text, step| step.apply(text))
    }
}

impl Tokenizer for Normalized {
    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode(&self.apply(text))
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode_source(&self.apply(text))
    }

    fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode_with_specials(text)
    }

    fn encode_prompt(&self, stretches: &[Stretch<'_>]) -> Result<Vec<u32>> {
        let normal: Vec<Cow<'_, str>> = stretches
            .iter()
            .map(|stretch| match stretch {
                Stretch::Trusted(text) => Cow::Borrowed(*text),
                Stretch::Text(text) => self.apply(text),
            })
            .collect();
        let again = stretches.iter().zip(&normal).map(|(stretch, text)| match stretch {
            Stretch::Trusted(_) => Stretch::Trusted(text),
            Stretch::Text(_) => Stretch::Text(text),
        });
        self.inner.encode_prompt(&again.collect::<Vec<_>>())
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids)
    }

    fn decode_target(&self, source: &str, ids: &[u32]) -> Result<Decoded> {
        self.inner.decode_target(&self.apply(source), ids)
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.inner.piece(id)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.inner.id(piece)
    }

    fn bos(&self) -> Option<u32> {
        self.inner.bos()
    }

    fn eos(&self) -> Option<u32> {
        self.inner.eos()
    }

    fn pad(&self) -> Option<u32> {
        self.inner.pad()
    }

    fn adds_bos(&self) -> bool {
        self.inner.adds_bos()
    }

    fn ends(&self) -> Vec<u32> {
        self.inner.ends()
    }

    fn forced_bos(&self) -> Option<u32> {
        self.inner.forced_bos()
    }

    fn chat_template(&self) -> Option<&str> {
        self.inner.chat_template()
    }
}
