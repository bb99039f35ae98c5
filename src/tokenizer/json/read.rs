//! The `model` part of a tokenizer.json, read in one pass, spellings borrowed from the file.
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    bpe::{Bpe, Order, Unknown},
    segmenter::Segmenter,
    unigram::Unigram,
};
use crate::tokenizer::pieces::{Pieces, all_byte_pieces};

#[derive(Deserialize)]
#[serde(transparent)]
struct Spelling<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    vocab: Vocabulary<'a>,
    #[serde(borrow, default)]
    merges: Vec<Merge<'a>>,
    unk_id: Option<u32>,
    #[serde(borrow, default)]
    unk_token: Option<Cow<'a, str>>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
    dropout: Option<f64>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
}

/// `{"piece": id}` of BPE, `[["piece", score]]` of unigram.
enum Vocabulary<'a> {
    Ids(Vec<(Spelling<'a>, u32)>),
    Scores(Vec<(Spelling<'a>, f64)>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Vocabulary<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Vocabulary<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of pieces or a list of pieces with scores")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut ids = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    ids.push(entry);
                }
                Ok(Vocabulary::Ids(ids))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                let mut scores = Vec::new();
                while let Some(entry) = list.next_element()? {
                    scores.push(entry);
                }
                Ok(Vocabulary::Scores(scores))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `["left", "right"]`, or `"left right"` in older files.
struct Merge<'a>(Cow<'a, str>, Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Merge<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Merge<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("two pieces")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                let (left, right) = merge_sides(text).ok_or_else(|| E::custom("a merge is not two pieces"))?;
                Ok(Merge(left.into(), right.into()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let (left, right) = merge_sides(text).ok_or_else(|| E::custom("a merge is not two pieces"))?;
                Ok(Merge(Cow::Owned(left.to_owned()), Cow::Owned(right.to_owned())))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                let (left, right) = (list.next_element::<Spelling>()?, list.next_element::<Spelling>()?);
                match (left, right, list.next_element::<Spelling>()?) {
                    (Some(left), Some(right), None) => Ok(Merge(left.0, right.0)),
                    _ => Err(S::Error::custom("a merge is not two pieces")),
                }
            }
        }
        deserializer.deserialize_any(Pair)
    }
}

/// The two pieces of a merge that is written as a line; `None` where it is not two.
pub(in crate::tokenizer) fn merge_sides(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ').filter(|(_, right)| !right.contains(' '))
}

impl<'de> Deserialize<'de> for Segmenter {
    /// An error where the model is not of a kind that this reader knows in all its settings; it says nothing of whether
    /// the file is sound.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let kind = raw.kind.as_deref().unwrap_or_default();
        let model = match &raw.vocab {
            Vocabulary::Scores(vocabulary) if matches!(kind, "Unigram" | "") => {
                let vocabulary = vocabulary.iter().map(|(piece, score)| (&*piece.0, *score));
                Unigram::new(vocabulary, raw.unk_id, raw.byte_fallback.unwrap_or(false)).map(Segmenter::Unigram)
            }
            Vocabulary::Ids(vocabulary) if matches!(kind, "BPE" | "") => bpe(&raw, vocabulary).map(Segmenter::Bpe),
            _ => None,
        };
        model.ok_or_else(|| D::Error::custom("a tokenizer model for the tokenizers crate"))
    }
}

fn bpe(raw: &Raw, vocabulary: &[(Spelling, u32)]) -> Option<Bpe> {
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let unusual = is_set(&raw.continuing_subword_prefix) || is_set(&raw.end_of_word_suffix);
    if unusual || raw.dropout.is_some_and(|rate| rate != 0.0) {
        return None;
    }
    let pieces = in_order(vocabulary)?;
    let unknown = match (raw.byte_fallback, raw.unk_token.as_deref()) {
        (Some(true), _) => Unknown::Bytes(all_byte_pieces(&pieces)?),
        (_, Some(unk)) => Unknown::Piece { id: pieces.id(unk)?, fuse: raw.fuse_unk.unwrap_or(false) },
        (_, None) => Unknown::Skip,
    };
    let order = Order::of_list(&pieces, raw.merges.iter().map(|Merge(left, right)| (&**left, &**right)))?;
    Some(Bpe { pieces, order, unknown, ignore_merges: raw.ignore_merges.unwrap_or(false) })
}

/// The pieces by their ids, of which some may be missing; `None` where an id is given twice or lies far outside.
fn in_order(vocabulary: &[(Spelling, u32)]) -> Option<Pieces> {
    let count = vocabulary.iter().map(|(_, id)| *id as usize + 1).max().unwrap_or(0);
    // an id far outside is damage, and would ask for its weight in memory
    if count > vocabulary.len().saturating_mul(4) + 1024 {
        return None;
    }
    let mut spellings = vec![""; count];
    for (piece, id) in vocabulary {
        if !std::mem::replace(&mut spellings[*id as usize], &piece.0).is_empty() {
            return None;
        }
    }
    Some(Pieces::new(spellings))
}

/// The pieces of a vocab.json; an error says what is wrong with it.
pub(in crate::tokenizer) fn vocabulary(text: &str) -> Result<Pieces, String> {
    match serde_json::from_str(text) {
        Ok(Vocabulary::Ids(ids)) => in_order(&ids).ok_or_else(|| "its ids contradict one another".into()),
        Ok(Vocabulary::Scores(_)) => Err("it is a list, not an object".into()),
        Err(error) => Err(error.to_string()),
    }
}
