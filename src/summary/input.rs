//! What is summarized: the article, its sentences, and their English where it is there or can be made.
use super::Language;
use crate::article::Segment;
use crate::article::{Article, BlockKind};
use crate::error::SettingsError;
use crate::text::Finding;
use crate::{Error, Result};

/// A sentence in English, and the worst that the checks of the translation found in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Translated {
    /// The English.
    pub text: String,
    /// A serious finding: such a sentence is chosen for a summary only where there is no better one.
    pub doubt: Option<Finding>,
    /// Chance, 0 to 1, that it is translated well, where that is known: of two sentences that say alike the surer is chosen.
    pub confidence: Option<f32>,
}

/// Translates Bengali sentences, in order.
pub type TranslateSentences<'a> = dyn Fn(&[String]) -> Result<Vec<Translated>> + 'a;

/// What is summarized.
pub struct SummaryInput<'a> {
    /// The Bengali article.
    pub article: &'a Article,
    /// Its sentences, the title's included.
    pub segments: &'a [Segment],
    /// Their translations, parallel to `segments`, where the article has been translated.
    pub translated: Option<&'a [Translated]>,
    /// Otherwise what translates the sentences that are needed. Not needed for a Bengali summary.
    pub translate: Option<&'a TranslateSentences<'a>>,
}

impl SummaryInput<'_> {
    /// Sentences of the article in the language wanted.
    pub(super) fn in_language(&self, language: Language, chosen: &[usize]) -> Result<Vec<Translated>> {
        let source = || chosen.iter().map(|&i| self.segments[i].text.clone());
        if language == Language::Bengali {
            return Ok(source().map(|text| Translated { text, ..Translated::default() }).collect());
        }
        if let Some(translated) = self.translated {
            return Ok(chosen.iter().map(|&i| translated.get(i).cloned().unwrap_or_default()).collect());
        }
        match self.translate {
            Some(translate) => translate(&source().collect::<Vec<_>>()),
            None => Err(Error::Settings(SettingsError::NoTranslationModel(
                "an English summary needs a translation model".into(),
            ))),
        }
    }

    /// As [`SummaryInput::in_language`], of all sentences, without the doubts.
    pub(super) fn texts(&self, language: Language) -> Result<Vec<String>> {
        let all: Vec<usize> = (0..self.segments.len()).collect();
        Ok(self.in_language(language, &all)?.into_iter().map(|t| t.text).collect())
    }

    /// Whether the article has a title.
    pub(super) fn is_titled(&self) -> bool {
        self.article.title.as_ref().is_some_and(|t| !t.trim().is_empty())
    }

    /// The text that a writer reads, block by block: `sentences` (parallel to the segments) without page furniture.
    pub(super) fn blocks_to_read(&self, sentences: &[String]) -> Vec<String> {
        let mut blocks: Vec<(Option<usize>, String)> = Vec::new();
        for (segment, sentence) in self.segments.iter().zip(sentences) {
            let kind = segment.block.and_then(|b| self.article.blocks.get(b)).map(|b| b.kind);
            let furniture = matches!(kind, Some(BlockKind::Caption | BlockKind::SourceLine | BlockKind::Verbatim));
            if furniture || sentence.trim().is_empty() {
                continue;
            }
            match blocks.last_mut() {
                Some((block, text)) if *block == segment.block => {
                    text.push(' ');
                    text.push_str(sentence.trim());
                }
                _ => blocks.push((segment.block, sentence.trim().to_string())),
            }
        }
        blocks.into_iter().map(|(_, text)| text).collect()
    }
}
