//! What a summary needs of a model: text in, text out. The engine implements it; tests implement it by hand.
use super::options::{Language, Style};
use crate::Result;

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is to be summarized; it fits [`TextGenerator::limit`].
    pub text: String,
    /// What is wanted of it.
    pub style: Style,
    /// The language of the answer.
    pub language: Language,
    /// Sentences to aim at.
    pub sentences: usize,
    /// Tokens after which the model is stopped.
    pub max_new_tokens: usize,
    /// 0 is the model's usual decoding; each further attempt must be decoded differently, and always in the same way.
    pub attempt: u32,
}

impl Request {
    /// What to ask a chat model for, ahead of the text. Plain and short, so that a small model follows it.
    pub fn instruction(&self) -> String {
        let language = match self.language {
            Language::English => "English",
            Language::Bengali => "Bengali",
        };
        match (self.style, self.sentences) {
            (Style::Headline, _) => {
                format!(
                    "Write one short newspaper headline in {language} for this news article. Answer with the headline only."
                )
            }
            (_, 1) => {
                format!("Summarize this news article in one {language} sentence. Use only facts from the article.")
            }
            (_, n) => format!(
                "Summarize this news article in {n} short {language} sentences. Use only facts from the article."
            ),
        }
    }
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The text.
    pub text: String,
    /// The model ended its text itself; false where it was stopped at the limit.
    pub finished: bool,
}

/// A model that writes a text about a text.
pub trait TextGenerator: Send + Sync {
    /// Answers each request, in order; many at once so that a batch can be decoded together.
    fn generate(&self, requests: &[Request]) -> Result<Vec<Generated>>;

    /// Tokens of a text, the prompt around it not counted.
    fn count_tokens(&self, text: &str) -> Result<usize>;

    /// The most tokens of a text that the model reads at once, after the prompt and the answer have had theirs.
    fn limit(&self) -> usize;
}
