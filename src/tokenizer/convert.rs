//! A `tokenizer.json` for models that come without one, put together as transformers 5 does it.
use std::{collections::HashMap, path::Path};

use serde_json::{Value, json};

use super::{
    languages::{MBART50, NLLB200},
    sentencepiece::{ModelFile, PieceType},
};
use crate::{Error, Result};

/// A special token of a tokenizer.json.
fn special(id: usize, content: &str) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": content == "<mask>", "rstrip": false,
        "normalized": false, "special": true
    })
}

fn metaspace() -> Value {
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})
}

fn precompiled(file: &ModelFile) -> Option<Value> {
    (!file.charsmap.is_empty()).then(|| json!({"type": "Precompiled", "precompiled_charsmap": base64(&file.charsmap)}))
}

/// Standard base64 with padding, which is how a tokenizer.json holds the character map.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * position)) as usize & 63];
            out.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn assemble(
    added: Vec<Value>,
    normalizer: Value,
    pre_tokenizer: Value,
    post: Value,
    decoder: Value,
    model: Value,
) -> Vec<u8> {
    let whole = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "post_processor": post, "decoder": decoder, "model": model
    });
    whole.to_string().into_bytes()
}

/// T5, mT5, umT5, BanglaT5, MADLAD: the pieces as they are, then `<extra_id_N>` downwards; `</s>` at the end.
pub(super) fn t5(file: &ModelFile, extra_ids: usize) -> Vec<u8> {
    let mut vocabulary: Vec<(String, f32)> =
        file.pieces.iter().map(|piece| (piece.text.clone(), piece.score)).collect();
    vocabulary.extend((0..extra_ids).rev().map(|number| (format!("<extra_id_{number}>"), 0.0)));
    let is_special = |id: usize| match file.pieces.get(id) {
        Some(piece) => matches!(piece.kind, PieceType::Control | PieceType::Unknown),
        None => true,
    };
    let added =
        vocabulary.iter().enumerate().filter(|(id, _)| is_special(*id)).map(|(id, (text, _))| special(id, text));
    let added: Vec<Value> = added.chain(user_defined(file, |id| id)).collect();
    let unk = file.pieces.iter().position(|piece| piece.kind == PieceType::Unknown);
    let end = vocabulary.iter().position(|(text, _)| text == "</s>");
    let post = end.map(|id| {
        json!({
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [id], "tokens": ["</s>"]}}
        })
    });
    let pre = json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace()]});
    let model = json!({"type": "Unigram", "unk_id": unk, "vocab": vocabulary, "byte_fallback": file.byte_fallback});
    let decoder = if file.byte_fallback {
        json!({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, metaspace()]})
    } else {
        metaspace()
    };
    assemble(added, json!(precompiled(file)), pre, json!(post), decoder, model)
}

/// User-defined pieces are recognised in text but are no special tokens.
fn user_defined(file: &ModelFile, id_of: impl Fn(usize) -> usize) -> Vec<Value> {
    let pieces = file.pieces.iter().enumerate().filter(|(_, piece)| piece.kind == PieceType::UserDefined);
    pieces
        .map(|(id, piece)| {
            let mut token = special(id_of(id), &piece.text);
            token["special"] = json!(false);
            token
        })
        .collect()
}

/// The normaliser of NLLB and mBART: the character map, then runs of spaces to one.
fn map_and_single_spaces(file: &ModelFile) -> Value {
    let single = json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "});
    let steps: Vec<Value> = precompiled(file).into_iter().chain([single]).collect();
    json!({"type": "Sequence", "normalizers": steps})
}

/// mBART and mBART-50: fairseq's four special tokens, the pieces, the languages, `<mask>`.
/// `languages` is [`MBART50`] or its first twenty-five.
pub(super) fn mbart(file: &ModelFile, languages: usize) -> Vec<u8> {
    let mut vocabulary: Vec<(&str, f32)> = ["<s>", "<pad>", "</s>", "<unk>"].map(|text| (text, 0.0)).to_vec();
    vocabulary.extend(file.pieces.iter().skip(3).map(|piece| (piece.text.as_str(), piece.score)));
    let first_language = vocabulary.len();
    vocabulary.extend(MBART50.split(' ').take(languages).chain(["<mask>"]).map(|text| (text, 0.0)));
    let specials = (0..4).chain(first_language..vocabulary.len());
    let mut added: Vec<Value> = specials.map(|id| special(id, vocabulary[id].0)).collect();
    added.extend(user_defined(file, |id| id + 1));
    let model = json!({"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": false});
    assemble(added, map_and_single_spaces(file), metaspace(), Value::Null, metaspace(), model)
}

/// Where NLLB's languages stand after the pieces.
pub(super) enum NllbLanguages {
    /// The published checkpoints: all 202, then `<mask>`.
    Published,
    /// What transformers 5 writes: `<mask>`, then the listed ones.
    Listed(Vec<String>),
}

/// NLLB: fairseq's four special tokens, the pieces in their order, then languages. The pieces are merged in the
/// order of their ids.
pub(super) fn nllb(file: &ModelFile, languages: NllbLanguages) -> Vec<u8> {
    let mut vocabulary: Vec<&str> = vec!["<s>", "<pad>", "</s>", "<unk>"];
    vocabulary.extend(
        file.pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .filter(|text| !["<s>", "<pad>", "</s>", "<unk>"].contains(text)),
    );
    let mut added: Vec<Value> = (0..4).map(|id| special(id, vocabulary[id])).collect();
    added.extend(user_defined(file, |id| id + 1));
    let after: Vec<String> = match languages {
        NllbLanguages::Published => NLLB200.split(' ').chain(["<mask>"]).map(str::to_owned).collect(),
        NllbLanguages::Listed(codes) => std::iter::once("<mask>".to_owned()).chain(codes).collect(),
    };
    let base = vocabulary.len();
    let after: Vec<&String> = after.iter().filter(|text| !vocabulary.contains(&text.as_str())).collect();
    added.extend(after.iter().enumerate().map(|(index, text)| special(base + index, text)));
    let merges = merges_of(&vocabulary);
    let ids: serde_json::Map<String, Value> =
        vocabulary.iter().enumerate().map(|(id, text)| ((*text).to_owned(), json!(id))).collect();
    let model = json!({
        "type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": false, "vocab": ids, "merges": merges
    });
    assemble(added, map_and_single_spaces(file), metaspace(), Value::Null, metaspace(), model)
}

/// The merges that build the pieces of a SentencePiece BPE model: every way to cut a piece in two known ones, in
/// the order of the piece's id, then of the lengths in characters.
fn merges_of<'a>(vocabulary: &[&'a str]) -> Vec<[&'a str; 2]> {
    let ids: HashMap<&str, usize, ahash::RandomState> =
        vocabulary.iter().enumerate().map(|(id, text)| (*text, id)).collect();
    let mut merges = Vec::new();
    for piece in vocabulary {
        let cuts = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
        let mut ways: Vec<[&str; 2]> = cuts
            .filter(|(left, right)| ids.contains_key(left) && ids.contains_key(right))
            .map(|(l, r)| [l, r])
            .collect();
        ways.sort_by_key(|[left, right]| (left.chars().count(), right.chars().count()));
        merges.extend(ways);
    }
    merges
}

/// BART and other byte-level models: vocab.json and merges.txt; `<s>` and `</s>` around a text where they exist.
///
/// # Errors
/// [`Error::Io`] or [`Error::Model`], naming the file.
pub(super) fn byte_level(vocabulary: &Path, merges: &Path, add_prefix_space: bool) -> Result<Vec<u8>> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| Error::io(path, error));
    let ids: Value = serde_json::from_str(&read(vocabulary)?).map_err(|error| {
        Error::Model(format!("{} is not JSON ({error}); download the file again", vocabulary.display()))
    })?;
    let text = read(merges)?;
    let pairs = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
    let pairs: Vec<Vec<&str>> = pairs.map(|line| line.split(' ').collect()).collect();
    if let Some(wrong) = pairs.iter().position(|pair| pair.len() != 2) {
        let place = merges.display();
        return Err(Error::Model(format!("{place}: merge {} is not two pieces; download the file again", wrong + 1)));
    }
    let id = |text: &str| ids.get(text).and_then(Value::as_u64).map(|id| id as usize);
    let names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"];
    let added = names.iter().filter_map(|name| Some(special(id(name)?, name))).collect();
    let post = match (id("<s>"), id("</s>")) {
        (Some(begin), Some(end)) => json!({
            "type": "RobertaProcessing", "sep": ["</s>", end], "cls": ["<s>", begin], "trim_offsets": true,
            "add_prefix_space": add_prefix_space
        }),
        _ => Value::Null,
    };
    let level = |prefix: bool| json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": true});
    let model = json!({"type": "BPE", "vocab": ids, "merges": pairs, "fuse_unk": false, "byte_fallback": false});
    Ok(assemble(added, Value::Null, level(add_prefix_space), post, level(true), model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn merges_follow_the_ids() {
        let merges = merges_of(&["a", "b", "ab", "ba", "aba"]);
        assert_eq!(merges, [["a", "b"], ["b", "a"], ["a", "ba"], ["ab", "a"]]);
    }
}
