//! What stands around a sentence when it is given to the model.
use crate::{
    Result,
    tokenizer::{Stretch, Tokenizer},
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// What stands around a sentence when it is given to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// What the tokenizer itself puts there: [`Tokenizer::encode_source`].
    Source,
    /// `bos`, then the tokens of `prefix`, sentence and `suffix` written as one text. Special tokens that prefix and
    /// suffix spell out are tokens.
    Text {
        /// The token that begins a text, where the prompt begins with one.
        bos: Option<u32>,
        /// Before the sentence.
        prefix: String,
        /// After the sentence.
        suffix: String,
    },
    /// A turn of a conversation.
    Chat(Chat),
}

/// A rendered conversation, for a sentence with and without what else may be told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The token that begins a text, where the template does not spell it.
    pub bos: Option<u32>,
    /// The sentence alone.
    pub plain: Vec<Slot>,
    /// With terms that are to be translated as given, and how one of them is written.
    pub glossary: Option<(Vec<Slot>, String)>,
    /// With the text before the sentence.
    pub context: Option<Vec<Slot>>,
}

/// A stretch of a rendered conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// As the template has it, special tokens included.
    Fixed(String),
    /// Where the sentence goes.
    Text,
    /// Where the terms go, one a line.
    Terms,
    /// Where the text before the sentence goes.
    Context,
}

/// What may be told of a sentence beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Bengali and English of terms that occur in it.
    pub terms: Vec<(String, String)>,
    /// The text before it.
    pub context: Option<String>,
}

/// The terms of a glossary, as a translator sees them.
#[derive(Clone)]
pub struct Terms {
    /// Tells two glossaries apart.
    pub name: String,
    /// Bengali and English of the terms that occur in a sentence.
    pub find: Arc<dyn Fn(&str) -> Vec<(String, String)> + Send + Sync>,
}

impl Prompt {
    /// Token ids of a sentence as the model wants them. Line breaks and other control characters, which could
    /// end a prompt, become spaces.
    pub fn encode(&self, tokenizer: &dyn Tokenizer, sentence: &str) -> Result<Vec<u32>> {
        self.encode_with(tokenizer, sentence, &Hints::default())
    }

    /// The same with what else is known of the sentence, where the prompt has a place for it. Terms go before context:
    /// no model is known that was trained on both at once.
    pub fn encode_with(&self, tokenizer: &dyn Tokenizer, sentence: &str, hints: &Hints) -> Result<Vec<u32>> {
        let sentence = &*one_line(sentence);
        match self {
            Self::Source => tokenizer.encode_source(sentence),
            Self::Text { bos, prefix, suffix } => {
                let stretches = [Stretch::Trusted(prefix), Stretch::Text(sentence), Stretch::Trusted(suffix)];
                framed(tokenizer, *bos, &stretches)
            }
            // Templates trim what they are given.
            Self::Chat(chat) => chat.encode(tokenizer, sentence.trim(), hints),
        }
    }

    /// Whether the answer is that of a chat model, which may say more than the translation.
    pub fn is_chat(&self) -> bool {
        matches!(self, Self::Chat(_))
    }

    /// Whether the prompt has a place for terms of a glossary.
    pub fn takes_terms(&self) -> bool {
        matches!(self, Self::Chat(chat) if chat.glossary.is_some())
    }
}

impl Chat {
    fn encode(&self, tokenizer: &dyn Tokenizer, sentence: &str, hints: &Hints) -> Result<Vec<u32>> {
        let mut terms = String::new();
        let context = hints.context.as_deref().map(one_line).unwrap_or_default();
        let slots = match (&self.glossary, &self.context) {
            (Some((slots, form)), _) if !hints.terms.is_empty() => {
                let line = |(source, target): &(String, String)| {
                    form.replace("{source}", &one_line(source)).replace("{target}", &one_line(target))
                };
                terms = hints.terms.iter().map(line).collect::<Vec<_>>().join("\n");
                slots
            }
            (_, Some(slots)) if !context.is_empty() => slots,
            _ => &self.plain,
        };
        let stretches: Vec<Stretch<'_>> = slots
            .iter()
            .map(|slot| match slot {
                Slot::Fixed(text) => Stretch::Trusted(text),
                Slot::Text => Stretch::Text(sentence),
                Slot::Terms => Stretch::Text(&terms),
                Slot::Context => Stretch::Text(&context),
            })
            .collect();
        framed(tokenizer, self.bos, &stretches)
    }
}

/// The prompt's ids; `bos` goes before them unless they begin with it.
fn framed(tokenizer: &dyn Tokenizer, bos: Option<u32>, stretches: &[Stretch<'_>]) -> Result<Vec<u32>> {
    let mut ids = tokenizer.encode_prompt(stretches)?;
    if let Some(bos) = bos
        && ids.first() != Some(&bos)
    {
        ids.insert(0, bos);
    }
    Ok(ids)
}

fn one_line(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => Cow::Owned(text.replace(char::is_control, " ")),
        false => Cow::Borrowed(text),
    }
}
