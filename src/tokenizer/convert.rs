//! The parts of a tokenizer.json for models that come without one, as transformers 5 puts them together.
use crate::error::ModelError;
use std::path::Path;

use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper,
    decoders::{self, byte_fallback::ByteFallback},
    normalizers::{
        self, Precompiled,
        replace::{Replace, ReplacePattern},
    },
    pre_tokenizers::{
        self,
        byte_level::ByteLevel,
        metaspace::{Metaspace, PrependScheme},
        whitespace::WhitespaceSplit,
    },
    processors::{roberta::RobertaProcessing, template::TemplateProcessing},
    tokenizer::AddedToken,
};

use super::{
    json::{
        self, Parts,
        bpe::{Bpe, Order, Unknown},
        segmenter::Segmenter,
        unigram::Unigram,
    },
    languages::{MBART50, NLLB200},
    pieces::Pieces,
    sentencepiece::{ModelFile, PieceType},
};
use crate::{Error, Result};

/// A special token as a tokenizer.json has it.
fn special(content: &str) -> AddedToken {
    AddedToken::from(content, true).lstrip(content == "<mask>")
}

fn metaspace() -> Metaspace {
    Metaspace::new('▁', PrependScheme::Always, true)
}

fn precompiled(file: &ModelFile, name: &str) -> Result<Option<NormalizerWrapper>> {
    if file.charsmap.is_empty() {
        return Ok(None);
    }
    match Precompiled::from(&file.charsmap) {
        Ok(map) => Ok(Some(map.into())),
        Err(_) => Err(Error::Model(ModelError::damaged(format!(
            "{name} has a damaged character map; download the file again"
        )))),
    }
}

fn unigram(vocabulary: &[(&str, f32)], unk: Option<usize>, byte_fallback: bool, name: &str) -> Result<Segmenter> {
    let entries = vocabulary.iter().map(|(piece, score)| (*piece, f64::from(*score)));
    let model = Unigram::new(entries, unk.map(|unk| unk as u32), byte_fallback);
    model.map(Segmenter::Unigram).ok_or_else(|| {
        Error::Model(ModelError::Missing(format!(
            "{name} asks for byte fallback and lacks a byte piece; download the file again"
        )))
    })
}

/// T5, mT5, umT5, BanglaT5, MADLAD: the pieces as they are, then `<extra_id_N>` downwards; `</s>` at the end. `name` is
/// for error texts.
///
/// # Errors
/// [`Error::Model`] where the file contradicts itself.
pub(super) fn t5(file: &ModelFile, extra_ids: usize, name: &str) -> Result<Parts> {
    let sentinels: Vec<String> = (0..extra_ids).rev().map(|number| format!("<extra_id_{number}>")).collect();
    let mut vocabulary: Vec<(&str, f32)> = file.pieces.iter().map(|piece| (piece.text.as_str(), piece.score)).collect();
    vocabulary.extend(sentinels.iter().map(|text| (text.as_str(), 0.0)));
    let is_special = |id: usize| match file.pieces.get(id) {
        Some(piece) => matches!(piece.kind, PieceType::Control | PieceType::Unknown),
        None => true,
    };
    let specials = vocabulary.iter().enumerate().filter(|(id, _)| is_special(*id)).map(|(_, (text, _))| special(text));
    let added = specials.chain(user_defined(file)).collect();
    let unk = file.pieces.iter().position(|piece| piece.kind == PieceType::Unknown);
    let post_processor = match vocabulary.iter().position(|(text, _)| *text == "</s>") {
        None => None,
        Some(end) => Some(
            TemplateProcessing::builder()
                .try_single("$A </s>")
                .and_then(|builder| {
                    builder.special_tokens(vec![("</s>", end as u32)]).build().map_err(|e| e.to_string())
                })
                .map_err(|error| {
                    Error::Model(ModelError::damaged_by(
                        format!("{name}: no template ends in </s> ({error}); report this"),
                        error,
                    ))
                })?
                .into(),
        ),
    };
    let words: Vec<PreTokenizerWrapper> = vec![WhitespaceSplit.into(), metaspace().into()];
    let decoder: DecoderWrapper = match file.byte_fallback {
        true => decoders::sequence::Sequence::new(vec![ByteFallback::new().into(), metaspace().into()]).into(),
        false => metaspace().into(),
    };
    Ok(Parts {
        model: unigram(&vocabulary, unk, file.byte_fallback, name)?,
        normalizer: precompiled(file, name)?,
        pre_tokenizer: Some(pre_tokenizers::sequence::Sequence::new(words).into()),
        post_processor,
        decoder: Some(decoder),
        added,
    })
}

/// User-defined pieces are recognized in text but are no special tokens.
fn user_defined(file: &ModelFile) -> impl Iterator<Item = AddedToken> {
    let pieces = file.pieces.iter().filter(|piece| piece.kind == PieceType::UserDefined);
    pieces.map(|piece| AddedToken { special: false, ..special(&piece.text) })
}

/// The normalizer of NLLB and mBART: the character map, then runs of spaces to one.
fn map_and_single_spaces(file: &ModelFile, name: &str) -> Result<NormalizerWrapper> {
    let single = Replace::new(ReplacePattern::Regex(" {2,}".into()), " ").map_err(|error| {
        Error::Model(ModelError::damaged_by(format!("{name}: spaces cannot be joined ({error}); report this"), error))
    })?;
    let steps: Vec<NormalizerWrapper> = precompiled(file, name)?.into_iter().chain([single.into()]).collect();
    Ok(normalizers::Sequence::new(steps).into())
}

/// What NLLB and mBART have in common.
fn fairseq(file: &ModelFile, model: Segmenter, added: Vec<AddedToken>, name: &str) -> Result<Parts> {
    Ok(Parts {
        model,
        normalizer: Some(map_and_single_spaces(file, name)?),
        pre_tokenizer: Some(metaspace().into()),
        post_processor: None,
        decoder: Some(metaspace().into()),
        added,
    })
}

/// mBART and mBART-50: fairseq's four special tokens, the pieces, the languages, `<mask>`.
/// `languages` is [`MBART50`] or its first twenty-five; `name` is for error texts.
///
/// # Errors
/// As [`t5`].
pub(super) fn mbart(file: &ModelFile, languages: usize, name: &str) -> Result<Parts> {
    let mut vocabulary: Vec<(&str, f32)> = ["<s>", "<pad>", "</s>", "<unk>"].map(|text| (text, 0.0)).to_vec();
    vocabulary.extend(file.pieces.iter().skip(3).map(|piece| (piece.text.as_str(), piece.score)));
    let first_language = vocabulary.len();
    vocabulary.extend(MBART50.split(' ').take(languages).chain(["<mask>"]).map(|text| (text, 0.0)));
    let specials = (0..4).chain(first_language..vocabulary.len());
    let added = specials.map(|id| special(vocabulary[id].0)).chain(user_defined(file)).collect();
    fairseq(file, unigram(&vocabulary, Some(3), false, name)?, added, name)
}

/// Where NLLB's languages stand after the pieces.
pub(super) enum NllbLanguages {
    /// The published checkpoints: all 202, then `<mask>`.
    Published,
    /// What transformers 5 writes: `<mask>`, then the listed ones.
    Listed(Vec<String>),
}

/// NLLB: fairseq's four special tokens, the pieces in their order, then languages. The pieces are merged in the
/// order of their ids; `name` is for error texts.
///
/// # Errors
/// As [`t5`].
pub(super) fn nllb(file: &ModelFile, languages: NllbLanguages, name: &str) -> Result<Parts> {
    let first = ["<s>", "<pad>", "</s>", "<unk>"];
    let others = file.pieces.iter().map(|piece| piece.text.as_str()).filter(|text| !first.contains(text));
    let pieces = Pieces::new(first.into_iter().chain(others));
    let after: Vec<String> = match languages {
        NllbLanguages::Published => NLLB200.split(' ').chain(["<mask>"]).map(str::to_owned).collect(),
        NllbLanguages::Listed(codes) => std::iter::once("<mask>".to_owned()).chain(codes).collect(),
    };
    let new = after.iter().filter(|text| pieces.id(text).is_none()).map(|text| special(text));
    let added = first.map(special).into_iter().chain(user_defined(file)).chain(new).collect();
    let unknown = Unknown::Piece { id: 3, fuse: true };
    let model = Segmenter::Bpe(Bpe { pieces, order: Order::Pieces, unknown, ignore_merges: false });
    fairseq(file, model, added, name)
}

/// BART and other byte-level models: vocab.json and merges.txt; `<s>` and `</s>` around a text where they exist.
///
/// # Errors
/// [`Error::Io`] or [`Error::Model`], naming the file.
pub(super) fn byte_level(vocabulary: &Path, merges: &Path, add_prefix_space: bool) -> Result<Parts> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| Error::io(path, error));
    let text = read(vocabulary)?;
    let pieces = json::vocabulary(&text).map_err(|error| {
        Error::Model(ModelError::damaged_by(
            format!("{} is no vocabulary ({error}); download the file again", vocabulary.display()),
            error,
        ))
    })?;
    let text = read(merges)?;
    let lines = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (number, line) in lines.enumerate() {
        pairs.push(json::merge_sides(line).ok_or_else(|| {
            let place = merges.display();
            Error::Model(ModelError::damaged(format!(
                "{place}: merge {} is not two pieces; download the file again",
                number + 1
            )))
        })?);
    }
    let order = Order::of_list(&pieces, pairs.into_iter()).ok_or_else(|| {
        let (merges, vocabulary) = (merges.display(), vocabulary.display());
        Error::Model(ModelError::damaged(format!(
            "{merges} merges what {vocabulary} does not have; download both files again"
        )))
    })?;
    let names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"];
    let added = names.iter().filter(|name| pieces.id(name).is_some()).map(|name| special(name)).collect();
    let post_processor = pieces.id("<s>").zip(pieces.id("</s>")).map(|(begin, end)| {
        RobertaProcessing::new(("</s>".into(), end), ("<s>".into(), begin))
            .trim_offsets(true)
            .add_prefix_space(add_prefix_space)
            .into()
    });
    let model = Segmenter::Bpe(Bpe { pieces, order, unknown: Unknown::Skip, ignore_merges: false });
    Ok(Parts {
        model,
        normalizer: None,
        pre_tokenizer: Some(ByteLevel::new(add_prefix_space, true, true).into()),
        post_processor,
        decoder: Some(ByteLevel::new(true, true, true).into()),
        added,
    })
}
