//! The vocabulary that a GGUF file carries in its metadata, tokenized to the ids that llama.cpp gives.
use super::{
    Stretch, Tokenizer,
    byte_level::{Merges, Splitter, to_bytes, to_characters},
    merge::{Score, characters, merge},
    pieces::{Pieces, byte_of_piece, byte_pieces},
    specials::{END_TOKENS, Fragment, Run, Specials},
};
use crate::error::ModelError;
use crate::{Error, Result};

/// The metadata `tokenizer.ggml.*` of a GGUF file as it stands there, and the chat template.
#[derive(Clone, Debug, Default)]
pub struct GgufVocabulary {
    /// `tokenizer.ggml.model`: "llama" (SentencePiece-style BPE) or "gpt2" (byte-level BPE).
    pub model: String,
    /// `tokenizer.ggml.pre`: how "gpt2" splits text before merging.
    pub pre: String,
    /// `tokenizer.ggml.tokens`: the pieces, by id.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.scores`: one a piece ("llama"), or empty ("gpt2").
    pub scores: Vec<f32>,
    /// `tokenizer.ggml.token_type`: one a piece, or empty for "all normal". See [`TokenType`].
    pub token_types: Vec<i32>,
    /// `tokenizer.ggml.merges`: "left right" in order of rank ("gpt2").
    pub merges: Vec<String>,
    /// `tokenizer.ggml.bos_token_id`
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`
    pub eos: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`
    pub unk: Option<u32>,
    /// `tokenizer.ggml.padding_token_id`
    pub pad: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`; absent means what llama.cpp takes it to mean.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`
    pub add_eos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`; absent means true for "llama".
    pub add_space_prefix: Option<bool>,
    /// `tokenizer.chat_template`
    pub chat_template: Option<String>,
}

/// The values of `tokenizer.ggml.token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Text.
    Normal,
    /// Stands for what has no piece.
    Unknown,
    /// Marks the structure of a prompt; no text is ever it.
    Control,
    /// Text that is never cut.
    UserDefined,
    /// Never used.
    Unused,
    /// One byte of a character that has no piece.
    Byte,
}

impl TokenType {
    /// Unknown numbers count as normal, as they do in llama.cpp.
    fn of(number: i32) -> Self {
        match number {
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// What turns text between special tokens into ids.
enum Kind {
    /// SentencePiece-style BPE: the merge order is the order of the pieces' scores.
    Scores { scores: Vec<f32>, bytes: Box<[Option<u32>; 256]>, space_prefix: bool },
    /// Byte-level BPE: the merge order is that of a list, within words.
    Merges { merges: Merges, splitter: Splitter },
}

/// A tokenizer over a GGUF vocabulary. Cheap to share between threads.
pub struct GgufTokenizer {
    pieces: Pieces,
    types: Vec<TokenType>,
    kind: Kind,
    /// User-defined tokens, recognized always.
    user: Specials,
    /// User-defined, control and unknown tokens, recognized in chat prompts.
    all: Specials,
    bos: Option<u32>,
    eos: Option<u32>,
    unk: Option<u32>,
    pad: Option<u32>,
    add_bos: bool,
    add_eos: bool,
    chat_template: Option<String>,
    ends: Vec<u32>,
}

impl GgufTokenizer {
    /// Checks the vocabulary and builds its tables.
    ///
    /// # Errors
    /// [`Error::Model`] where the lists differ in length, a special id lies outside the vocabulary, a list the
    /// kind needs is missing, or the kind is not supported.
    pub fn new(vocabulary: GgufVocabulary) -> Result<Self> {
        let count = check(&vocabulary)?;
        let mut types: Vec<TokenType> = vocabulary.token_types.iter().map(|number| TokenType::of(*number)).collect();
        types.resize(count, TokenType::Normal);
        let mut ends: Vec<u32> = vocabulary.eos.into_iter().collect();
        for (id, text) in vocabulary.tokens.iter().enumerate() {
            if END_TOKENS.contains(&text.as_str()) {
                types[id] = TokenType::Control;
                ends.push(id as u32);
            }
        }
        ends.sort_unstable();
        ends.dedup();
        let specials = |wanted: fn(TokenType) -> bool| {
            let chosen = types.iter().enumerate().filter(|(_, kind)| wanted(**kind));
            Specials::new(chosen.map(|(id, _)| (vocabulary.tokens[id].clone(), id as u32)))
        };
        let user = specials(|kind| kind == TokenType::UserDefined);
        let all = specials(|kind| matches!(kind, TokenType::UserDefined | TokenType::Control | TokenType::Unknown));
        let pieces = Pieces::new(vocabulary.tokens.iter().map(String::as_str));
        let (kind, bos_by_default) = match vocabulary.model.as_str() {
            "llama" => {
                let space_prefix = vocabulary.add_space_prefix.unwrap_or(true);
                (Kind::Scores { scores: vocabulary.scores, bytes: Box::new(byte_pieces(&pieces)), space_prefix }, true)
            }
            "gpt2" => {
                let pre = &vocabulary.pre;
                let splitter = Splitter::of(pre).ok_or_else(|| {
                    Error::Model(ModelError::Unsupported(format!(
                        "the GGUF vocabulary splits words in the manner of '{pre}', which is not supported; use the \
                         model's folder in Hub layout with its tokenizer.json"
                    )))
                })?;
                let merges = Merges::new(vocabulary.merges).map_err(|place| {
                    let place = format!("tokenizer.ggml.merges[{place}] is not two pieces");
                    Error::Model(ModelError::damaged(format!(
                        "damaged GGUF vocabulary: {place}; download the file again"
                    )))
                })?;
                let bos = splitter.bos_by_default;
                (Kind::Merges { merges, splitter }, bos)
            }
            other => {
                return Err(Error::Model(ModelError::Unsupported(format!(
                    "the GGUF vocabulary is of kind '{other}', which is not supported; use a GGUF with a 'llama' or \
                     'gpt2' vocabulary, or the model's folder in Hub layout"
                ))));
            }
        };
        let (bos, eos) = (vocabulary.bos, vocabulary.eos);
        Ok(Self {
            pieces,
            types,
            kind,
            user,
            all,
            bos,
            eos,
            unk: vocabulary.unk,
            pad: vocabulary.pad,
            add_bos: vocabulary.add_bos.unwrap_or(bos_by_default) && bos.is_some(),
            add_eos: vocabulary.add_eos.unwrap_or(false) && eos.is_some(),
            chat_template: vocabulary.chat_template,
            ends,
        })
    }

    /// The type of a piece; ids outside the vocabulary are unused.
    pub fn token_type(&self, id: u32) -> TokenType {
        self.types.get(id as usize).copied().unwrap_or(TokenType::Unused)
    }

    fn encode_fragments(&self, text: &str, specials: &Specials) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        self.encode_run(text, specials, &mut true, &mut ids)?;
        Ok(ids)
    }

    /// Appends the ids of a text. `after_special`: what came before it was a special token, or nothing.
    fn encode_run(&self, text: &str, specials: &Specials, after_special: &mut bool, ids: &mut Vec<u32>) -> Result<()> {
        for fragment in specials.split(text) {
            match fragment {
                Fragment::Token(id) => {
                    ids.push(id);
                    *after_special = true;
                }
                Fragment::Text(range) => {
                    match &self.kind {
                        Kind::Scores { scores, bytes, space_prefix } => {
                            let prefix = if *space_prefix && *after_special { "▁" } else { "" };
                            let escaped = format!("{prefix}{}", text[range].replace(' ', "▁"));
                            self.encode_by_scores(&escaped, scores, bytes, ids)?;
                        }
                        Kind::Merges { merges, splitter } => {
                            let text = &text[range];
                            for word in splitter.split(text) {
                                self.encode_word(&to_characters(&text[word]), merges, splitter, ids)?;
                            }
                        }
                    }
                    *after_special = false;
                }
            }
        }
        Ok(())
    }

    fn encode_by_scores(
        &self,
        text: &str,
        scores: &[f32],
        bytes: &[Option<u32>; 256],
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        let merged = merge(characters(text), |left, right| {
            let id = self.pieces.id(&text[left.start..right.end])?;
            Some(Score(scores[id as usize]))
        });
        for range in merged {
            match self.pieces.id(&text[range.clone()]) {
                Some(id) => ids.push(id),
                None => {
                    for byte in text[range.clone()].bytes() {
                        let id = bytes[byte as usize].or(self.unk).ok_or_else(|| {
                            Error::Model(ModelError::Missing(format!(
                                "the GGUF vocabulary has no piece for {:?}, no byte piece <0x{byte:02X}> and no unknown \
                                 token; convert the model again",
                                &text[range.clone()]
                            )))
                        })?;
                        ids.push(id);
                    }
                }
            }
        }
        Ok(())
    }

    fn encode_word(&self, word: &str, merges: &Merges, splitter: &Splitter, ids: &mut Vec<u32>) -> Result<()> {
        if let Some(id) = self.pieces.id(word).filter(|_| splitter.ignore_merges) {
            ids.push(id);
            return Ok(());
        }
        for range in merges.apply(word) {
            let piece = &word[range];
            let id = self.pieces.id(piece).or(self.unk).ok_or_else(|| {
                Error::Model(ModelError::Missing(format!(
                    "the GGUF vocabulary has no piece {piece:?} and no unknown token; convert the model again"
                )))
            })?;
            ids.push(id);
        }
        Ok(())
    }

    /// The bytes of one piece as they appear in text.
    fn bytes_of(&self, id: u32, out: &mut Vec<u8>) {
        let Some(piece) = self.pieces.text(id) else { return };
        match (&self.kind, self.token_type(id)) {
            (_, TokenType::Control | TokenType::Unknown) => {}
            (_, TokenType::UserDefined) => out.extend_from_slice(piece.as_bytes()),
            (Kind::Scores { .. }, TokenType::Byte) => out.extend(byte_of_piece(piece)),
            (Kind::Merges { .. }, _) => to_bytes(piece, out),
            (Kind::Scores { .. }, _) => out.extend_from_slice(piece.replace('▁', " ").as_bytes()),
        }
    }
}

/// Lengths and ids agree; returns the number of pieces.
fn check(vocabulary: &GgufVocabulary) -> Result<usize> {
    let count = vocabulary.tokens.len();
    let wrong = |what: String| {
        Err(Error::Model(ModelError::damaged(format!("damaged GGUF vocabulary: {what}; download the file again"))))
    };
    if count == 0 || u32::try_from(count).is_err() {
        return wrong(format!("{count} pieces in tokenizer.ggml.tokens"));
    }
    let (scores, types) = (vocabulary.scores.len(), vocabulary.token_types.len());
    if scores != count && (scores != 0 || vocabulary.model == "llama") {
        return wrong(format!("{count} pieces but {scores} in tokenizer.ggml.scores"));
    }
    if types != count && types != 0 {
        return wrong(format!("{count} pieces but {types} in tokenizer.ggml.token_type"));
    }
    let named =
        [("bos", vocabulary.bos), ("eos", vocabulary.eos), ("unknown", vocabulary.unk), ("padding", vocabulary.pad)];
    for (name, id) in named {
        if id.is_some_and(|id| id as usize >= count) {
            return wrong(format!("tokenizer.ggml.{name}_token_id is {} of {count} pieces", id.unwrap_or_default()));
        }
    }
    Ok(count)
}

impl Tokenizer for GgufTokenizer {
    fn vocab_size(&self) -> usize {
        self.pieces.len()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_fragments(text, &self.user)
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids: Vec<u32> = self.bos.filter(|_| self.add_bos).into_iter().collect();
        ids.extend(self.encode(text)?);
        ids.extend(self.eos.filter(|_| self.add_eos));
        Ok(ids)
    }

    fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_fragments(text, &self.all)
    }

    fn encode_prompt(&self, stretches: &[Stretch<'_>]) -> Result<Vec<u32>> {
        let (mut ids, mut after_special) = (Vec::new(), true);
        for run in self.all.runs(stretches, |id| self.token_type(id) != TokenType::UserDefined) {
            match run {
                Run::Token(id) => {
                    ids.push(id);
                    after_special = true;
                }
                Run::Text(text) => self.encode_run(&text, &self.user, &mut after_special, &mut ids)?,
            }
        }
        Ok(ids)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        let mut bytes = Vec::with_capacity(ids.len() * 4);
        for id in ids {
            self.bytes_of(*id, &mut bytes);
        }
        let mut text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if matches!(self.kind, Kind::Scores { space_prefix: true, .. }) && text.starts_with(' ') {
            text.remove(0);
        }
        Ok(text)
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.pieces.text(id).map(str::to_owned)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.pieces.id(piece)
    }

    fn bos(&self) -> Option<u32> {
        self.bos
    }

    fn eos(&self) -> Option<u32> {
        self.eos
    }

    fn pad(&self) -> Option<u32> {
        self.pad
    }

    fn adds_bos(&self) -> bool {
        self.add_bos
    }

    fn ends(&self) -> Vec<u32> {
        self.ends.clone()
    }

    fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }
}

#[cfg(test)]
#[path = "gguf_tests.rs"]
mod tests;
