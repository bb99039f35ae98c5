//! A loaded model as a writer of summaries: greedy first, then seeded sampling where a sentence did not hold.
use super::generator::{Generated, Request, TextGenerator};
use super::{Language, Method, MethodChoice, Style, SummaryOptions, Writer};
use crate::assembly::Model;
use crate::decode::{self, DecodeOptions, Generator, Sampling};
use crate::error::{ModelError, SettingsError};
use crate::manifest::{Manifest, Prompt, Task};
use crate::tokenizer::Tokenizer;
use crate::tokenizer::chat::{ChatTemplate, Message};
use crate::{Error, Result};
use std::sync::Arc;

/// Tokens of context that are kept for the prompt around the text and for the answer (decoder-only models).
const RESERVED: usize = 512;
/// Tokens that are kept for language codes, a task prefix and the end token (encoder–decoder models).
const AROUND: usize = 16;
/// Tokens that T5 and its relatives were trained to read at once: their relative positions set no limit themselves.
const T5_READS: usize = 512;
/// Requests that are decoded together.
const TOGETHER: usize = 8;

/// Makes the token ids of a whole prompt from a request: a chat template around the instruction and the text, or
/// what an encoder–decoder model wants.
pub type EncodePrompt = dyn Fn(&dyn Tokenizer, &Request) -> Result<Vec<u32>> + Send + Sync;

/// A network, its tokenizer and its prompt behind [`TextGenerator`].
pub struct ModelGenerator {
    network: Arc<dyn Generator>,
    tokenizer: Arc<dyn Tokenizer>,
    prompt: Box<EncodePrompt>,
    options: DecodeOptions,
    limit: usize,
}

impl ModelGenerator {
    /// `options` are those of the first attempt; `input_tokens` lowers the network's own limit of what it reads at once.
    pub fn new(
        network: Arc<dyn Generator>,
        tokenizer: Arc<dyn Tokenizer>,
        prompt: Box<EncodePrompt>,
        options: DecodeOptions,
        input_tokens: Option<usize>,
    ) -> Self {
        let spec = network.spec();
        let whole = input_tokens.unwrap_or(usize::MAX);
        let room = if spec.encoder_decoder {
            whole.min(spec.max_source).saturating_sub(AROUND)
        } else {
            whole.min(spec.max_source.saturating_sub(RESERVED))
        };
        let limit = room.max(1);
        Self { network, tokenizer, prompt, options, limit }
    }

    /// The usual decoding first; after that the same seeds give the same samples, warmer with each attempt.
    fn options(&self, request: &Request) -> DecodeOptions {
        let max_new_tokens = Some(request.max_new_tokens.min(self.network.spec().max_target));
        let base = DecodeOptions { max_new_tokens, ..self.options.clone() };
        match request.attempt {
            0 => base,
            attempt => DecodeOptions {
                beams: 1,
                sampling: Some(Sampling {
                    temperature: 0.3 * f64::from(attempt),
                    top_k: Some(40),
                    top_p: Some(0.9),
                    seed: u64::from(attempt),
                }),
                ..base
            },
        }
    }
}

impl TextGenerator for ModelGenerator {
    fn generate(&self, requests: &[Request]) -> Result<Vec<Generated>> {
        let Some(first) = requests.first() else { return Ok(Vec::new()) };
        let prompts = requests.iter().map(|r| (self.prompt)(&*self.tokenizer, r)).collect::<Result<Vec<_>>>()?;
        let results = decode::generate(&self.network, &prompts, &self.options(first), TOGETHER)?;
        let read = |result: Result<Vec<decode::Hypothesis>>| {
            let best = result?
                .into_iter()
                .next()
                .ok_or_else(|| Error::Model(ModelError::Incapable("the summary model gave no answer".into())))?;
            Ok(Generated { text: self.tokenizer.decode(&best.tokens)?, finished: !best.truncated })
        };
        results.into_iter().map(read).collect()
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(self.tokenizer.encode(text)?.len())
    }

    fn limit(&self) -> usize {
        self.limit
    }
}

/// A model that writes summaries, with the way it is used.
pub struct SummaryModel {
    generator: ModelGenerator,
    method: Method,
    language: Language,
    id: String,
}

impl SummaryModel {
    /// Makes a writer of an opened model. The way follows from `options` and the manifest: encoder–decoder models that
    /// read Bengali summarize it directly, chat models and those that read English rewrite the translation.
    ///
    /// # Errors
    /// A model that only translates, or a decoder-only one without a chat template.
    pub fn new(model: Model, options: &SummaryOptions) -> Result<Self> {
        let id = model.identity.id.clone();
        let manifest = model.manifest.as_ref();
        if manifest.is_some_and(|m| !m.task.covers(Task::Summarize)) {
            return Err(Error::Settings(SettingsError::SummaryModel(format!(
                "{id} translates and does not summarize"
            ))));
        }
        let chat = !model.generator.spec().encoder_decoder;
        let (method, language) = way(options, manifest, chat);
        let t5 = ["t5", "mt5", "umt5"].contains(&model.identity.architecture.as_str()).then_some(T5_READS);
        let input_tokens = manifest.and_then(|m| m.limits.input_tokens).or(t5);
        let prompt: Box<EncodePrompt> = if chat {
            chat_prompt(&*model.tokenizer, manifest, &id)?
        } else {
            Box::new(|tokenizer, request| tokenizer.encode_source(&request.text.replace('\n', " ")))
        };
        let decode = DecodeOptions { ignore_prompt: true, ..model.decode };
        let generator = ModelGenerator::new(model.generator, model.tokenizer, prompt, decode, input_tokens);
        Ok(Self { generator, method, language, id })
    }

    /// The writer that [`super::summarize`] takes.
    pub fn writer(&self) -> Writer<'_> {
        Writer { generator: &self.generator, method: self.method, language: self.language, model: &self.id }
    }
}

/// The way and the language that a model writes in.
fn way(options: &SummaryOptions, manifest: Option<&Manifest>, chat: bool) -> (Method, Language) {
    let code = |language| if language == Language::Bengali { "bn" } else { "en" };
    let reads = |code: &str| manifest.is_some_and(|m| m.languages.source.contains_key(code));
    let writes = |code: &str| manifest.is_none_or(|m| m.languages.target.contains_key(code));
    let language = if writes(code(options.language)) { options.language } else { Language::English };
    // a model that writes several languages keeps to that of the text it reads
    let keeps_language = !chat && writes("bn") && writes("en");
    let method = match options.method {
        MethodChoice::Direct if reads("bn") || manifest.is_none() => Method::Direct,
        MethodChoice::Abstractive if reads("en") || manifest.is_none() => Method::Abstractive,
        _ if language == Language::Bengali => Method::Direct,
        _ if !chat && reads("bn") && !keeps_language => Method::Direct,
        _ => Method::Abstractive,
    };
    (method, language)
}

/// The model's own chat template around the manifest's request for a summary, or ours.
fn chat_prompt(tokenizer: &dyn Tokenizer, manifest: Option<&Manifest>, id: &str) -> Result<Box<EncodePrompt>> {
    let Some(template) = ChatTemplate::of(tokenizer)? else {
        return Err(Error::Model(ModelError::Incapable(format!(
            "{id} has no chat template, so it cannot be asked for a summary; use a chat model"
        ))));
    };
    let own = manifest.map(|m| m.prompt.clone()).unwrap_or_default();
    Ok(Box::new(move |tokenizer, request| {
        let text = without_specials(tokenizer, &request.text)?;
        // Qwen 3 would think aloud first
        let quiet = serde_json::Map::from_iter([("enable_thinking".to_string(), false.into())]);
        let prompt = template.render_with(&turns(&own, request, &text), true, &quiet)?;
        tokenizer.encode_with_specials(&prompt)
    }))
}

/// The conversation that asks for a summary: as the manifest says, or with our own instruction.
fn turns(own: &Prompt, request: &Request, text: &str) -> Vec<Message> {
    let english = request.language == Language::English;
    let headline = request.style == Style::Headline;
    let system = if headline { &own.system_headline } else { &own.system_summary };
    if let (Some(system), true) = (system, english) {
        let system = system.replace("{sentences}", &in_words(request.sentences));
        return vec![Message::new("system", &system), Message::user(text)];
    }
    let usual = !headline && english && (2..=3).contains(&request.sentences);
    let user = match own.chat_summary.as_ref().or(own.chat.as_ref()) {
        Some(own) if usual => own.replace("{text}", text),
        _ => format!("{}\n\n{text}", request.instruction()),
    };
    vec![Message::user(&user)]
}

/// "three sentences"
fn in_words(sentences: usize) -> String {
    const WORDS: [&str; 5] = ["one sentence", "two sentences", "three sentences", "four sentences", "five sentences"];
    WORDS.get(sentences.saturating_sub(1)).map_or_else(|| format!("{sentences} sentences"), |words| words.to_string())
}

/// A text from outside with nothing in it that a chat template could take for the end of a turn.
pub fn without_specials(tokenizer: &dyn Tokenizer, text: &str) -> Result<String> {
    let mut text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    if tokenizer.encode_with_specials(&text)? != tokenizer.encode(&text)? {
        text = text.replace(['<', '>', '[', ']', '|'], " ");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Registry;

    #[test]
    fn the_manifest_says_which_way_a_model_writes() {
        use Language::{Bengali, English};
        use Method::{Abstractive, Direct};
        let registry = Registry::built_in().unwrap();
        let asked = |id: &str, method, language, chat| {
            let options = SummaryOptions { method, language, ..Default::default() };
            way(&options, Some(registry.find(id).unwrap()), chat)
        };
        for (id, chat, english, bengali) in [
            ("mt5-m2o-english-crosssum", false, (Direct, English), (Direct, English)),
            ("mt5-multilingual-xlsum", false, (Abstractive, English), (Direct, Bengali)),
            ("distilbart-cnn", false, (Abstractive, English), (Abstractive, English)),
            ("flan-t5-base", false, (Abstractive, English), (Abstractive, English)),
            ("gemma-3-1b-it", true, (Abstractive, English), (Abstractive, English)),
        ] {
            assert_eq!(asked(id, MethodChoice::Auto, English, chat), english, "{id}");
            assert_eq!(asked(id, MethodChoice::Auto, Bengali, chat), bengali, "{id}");
        }
        // what is asked for is done where the model can
        assert_eq!(asked("gemma-3-1b-it", MethodChoice::Direct, English, true), (Direct, English));
        assert_eq!(
            asked("mt5-m2o-english-crosssum", MethodChoice::Abstractive, English, false),
            (Abstractive, English)
        );
        assert_eq!(asked("distilbart-cnn", MethodChoice::Direct, English, false), (Abstractive, English));
        // of a folder without a manifest the user knows more than anubad
        let options = SummaryOptions { method: MethodChoice::Direct, ..Default::default() };
        assert_eq!(way(&options, None, false), (Direct, English));
    }
}
