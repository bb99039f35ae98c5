//! IndicTrans2: its own dictionaries and SentencePiece models, and the preparation of text that it was trained with.
mod placeholders;
mod text;

use super::{Decoded, Tokenizer, mapped::MappedTokenizer};
use crate::Result;

/// The tokenizer of an IndicTrans2 folder. Text is prepared before it is split (Bengali as it stands would be unknown
/// letters, many of them one token), and [`Tokenizer::decode_target`] undoes that.
pub struct IndicTransTokenizer {
    inner: MappedTokenizer,
}

/// Text as the model wants it, and what its placeholders stand for.
#[derive(Debug, PartialEq, Eq)]
struct Prepared {
    text: String,
    entities: Vec<String>,
}

/// Punctuation, digits, placeholders, normal form, tokens, script: in the order of IndicTransToolkit.
fn prepare(source: &str) -> Prepared {
    let (covered, entities) = placeholders::insert(&text::latin_digits(&text::punctuation(source)));
    let tokens = text::tokenize(&text::normalize(&covered));
    Prepared { text: text::to_devanagari(&tokens).trim().to_owned(), entities }
}

impl IndicTransTokenizer {
    pub(super) fn new(inner: MappedTokenizer) -> Self {
        Self { inner }
    }

    /// The text that the model sees of a Bengali sentence: for inspection and tests.
    pub fn prepared(&self, source: &str) -> String {
        prepare(source).text
    }
}

impl Tokenizer for IndicTransTokenizer {
    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode(&prepare(text).text)
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode_source(&prepare(text).text)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids)
    }

    fn decode_target(&self, source: &str, ids: &[u32]) -> Result<Decoded> {
        let (text, lost) = placeholders::restore(&self.inner.decode(ids)?, &prepare(source).entities);
        Ok(Decoded { text: text::detokenize(&text), lost })
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.inner.piece(id)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.inner.id(piece).or_else(|| self.inner.source.dictionary.id(piece))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preparation_is_that_of_indictranstoolkit() {
        #[derive(serde::Deserialize)]
        struct Case {
            source: String,
            prepared: String,
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tokenizer/indictrans2.json");
        let golden = std::fs::read_to_string(path).unwrap();
        let cases: Vec<Case> = serde_json::from_str(&golden).unwrap();
        let mut wrong = Vec::new();
        for case in &cases {
            let got = prepare(&case.source).text;
            if got != case.prepared {
                wrong.push(format!("{}\n  ours {got}\n  want {}", case.source, case.prepared));
            }
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    #[test]
    fn english_is_put_together_in_the_manner_of_moses() {
        for (tokens, expected) in [
            ("He said , \" I 'm here ! \"", "He said, \"I'm here!\""),
            ("The boys ' house costs $ 5 ( five ) .", "The boys' house costs $5 (five)."),
            ("a &amp; b &lt; c", "a & b < c"),
            ("state @-@ of @-@ the @-@ art", "state-of-the-art"),
            ("12.5 % of [ them ] ; ok ?", "12.5% of [them]; ok?"),
            ("", ""),
        ] {
            assert_eq!(text::detokenize(tokens), expected);
        }
    }
}
