//! The manifest: all that anubad must know of a model before it opens the weights, in one TOML file.
mod bounds;
mod registry;
mod url;

pub use registry::{DEFAULT_MODEL, Entry, Registry, config_folder, user_folder};
pub(crate) use url::{Packing, packing};
pub use url::{UrlFile, UrlSource};

use crate::decode::DecodeOptions;
use crate::error::ModelError;
use crate::hints::SourceStep;
use crate::tokenizer::normalize::Normalization;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The manifest format that this version reads.
pub const FORMAT: u32 = 1;

/// A model: where it comes from, what it may be used for, how it wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of this file; see [`FORMAT`].
    pub format: u32,
    /// Name on the command line: lower case, digits, `-` and `.`.
    pub id: String,
    /// Other names that it goes by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Name for humans.
    pub name: String,
    /// What it is for.
    pub task: Task,
    /// Network family: `gemma3`, `llama`, `qwen3`, `marian`, `nllb`, `m2m100`, `mbart`, `bart`, `indictrans2`, `t5`.
    pub architecture: String,
    /// Millions of parameters.
    pub parameters: Option<f64>,
    /// In order of preference.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    /// What one may do with the weights.
    #[serde(alias = "licence")]
    pub license: License,
    /// Languages read and written.
    pub languages: Languages,
    /// How text is presented to it.
    #[serde(default)]
    pub prompt: Prompt,
    /// How the model is asked to shorten an English sentence, where it has learned to.
    pub shorten: Option<Frame>,
    /// How it is best decoded.
    #[serde(default)]
    pub decoding: Decoding,
    /// How much text it takes.
    #[serde(default)]
    pub limits: Limits,
    /// Megabytes of weights in memory at each quantization (`f32`, `f16`, `q8_0`, `int8`, …).
    #[serde(default)]
    pub memory: BTreeMap<String, u32>,
    /// Published or measured figures, each with its source.
    #[serde(default)]
    pub quality: Vec<Quality>,
    /// What a user should know and nothing above says.
    pub notes: Option<String>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// It translates.
    Translate,
    /// It writes summaries.
    #[serde(alias = "summarise")]
    Summarize,
    /// It does both.
    Both,
}

impl Task {
    /// Whether a model of this task can do `wanted`.
    pub fn covers(self, wanted: Task) -> bool {
        self == Task::Both || self == wanted
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Task::Translate => "translate",
            Task::Summarize => "summarize",
            Task::Both => "both",
        })
    }
}

/// A place that a model can be had from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// Inside the program.
    Embedded,
    /// A repository on the Hugging Face Hub.
    Hub(HubSource),
    /// Files on a project's own servers.
    Url(UrlSource),
}

/// Files of one revision of a Hub repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `organization/name`.
    pub repo: String,
    /// A commit where one could be verified, else a branch.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// Weight files in order of preference: the first that the repository has is taken. Of a sharded
    /// checkpoint the index is named (`model.safetensors.index.json`) and its shards follow.
    pub weights: Vec<String>,
    /// Files without which the model cannot run.
    #[serde(default)]
    pub files: Vec<String>,
    /// Files that are taken where the repository has them.
    #[serde(default)]
    pub optional: Vec<String>,
    /// SHA-256 of files, where known beforehand; otherwise the Hub's own digest is checked.
    #[serde(default)]
    pub sha256: BTreeMap<String, String>,
}

fn main_branch() -> String {
    "main".into()
}

/// What one may do with the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// SPDX identifier, or `LicenseRef-…` where SPDX has none.
    pub spdx: String,
    /// One plain sentence.
    pub summary: String,
    /// Where the license can be read.
    pub url: Option<String>,
    /// Whether the weights may be used commercially, conditions in the summary; nothing where that is not known.
    pub commercial: Option<bool>,
    /// The Hub asks for an account and a click before it hands the files out.
    #[serde(default)]
    pub gated: bool,
}

/// Languages and the codes that the model knows them by, keyed by ISO 639-1 code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Languages {
    /// Languages read, each with the model's own code (empty: none is needed).
    pub source: BTreeMap<String, String>,
    /// Languages written, likewise.
    pub target: BTreeMap<String, String>,
}

/// How the text is presented. With `chat`, the model's own chat template goes around it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Before the text.
    #[serde(default)]
    pub prefix: String,
    /// After the text.
    #[serde(default)]
    pub suffix: String,
    /// Whether the prompt begins with the token that begins a text; where nothing is said, the model's files decide.
    pub bos: Option<bool>,
    /// The system's turn before the user's, for models that were trained with one.
    pub system: Option<String>,
    /// The user's turn of a chat; `{text}` stands for the text.
    pub chat: Option<String>,
    /// The user's turn where the glossary has terms for the text: `{terms}` stands for them, one a line.
    pub chat_glossary: Option<String>,
    /// How one such term is written, with `{source}` and `{target}`.
    pub glossary_term: Option<String>,
    /// The user's turn that tells the text before in `{context}`.
    pub chat_context: Option<String>,
    /// The user's turn that asks for a summary, for models that do both.
    pub chat_summary: Option<String>,
    /// The system's turn that asks for a summary of at most `{sentences}` ("three sentences"), and for a headline, for models that
    /// were trained with such; the text alone is the user's turn then.
    pub system_summary: Option<String>,
    /// The same for a headline.
    pub system_headline: Option<String>,
    /// The template takes the text and the two language codes in fields of their own (TranslateGemma).
    #[serde(default)]
    pub structured: bool,
    /// Extra normalization that the model was trained with (`csebuetnlp`, `indictrans2`, `compose-nukta`) or is better
    /// with (`latin-names`, `latin-digits`: see [`crate::hints::latin`]).
    #[serde(default, alias = "normalise")]
    pub normalize: Vec<String>,
}

impl Prompt {
    /// Every turn has the places that it needs.
    fn check(&self) -> std::result::Result<(), String> {
        let glossary = (&self.chat_glossary, "{terms}");
        let context = (&self.chat_context, "{context}");
        let turns = [(&self.chat, "{text}"), (&self.chat_summary, "{text}"), glossary, context];
        for (turn, place) in turns.iter().filter_map(|(turn, place)| turn.as_ref().map(|turn| (turn, *place))) {
            if let Some(lost) = [place, "{text}"].into_iter().find(|place| !turn.contains(place)) {
                return Err(format!("a chat prompt has no {lost}; say where it goes"));
            }
        }
        if self.chat_glossary.is_some() != self.glossary_term.is_some() {
            return Err("chat_glossary and glossary_term belong together; write both or none".into());
        }
        match &self.glossary_term {
            Some(term) if !term.contains("{source}") || !term.contains("{target}") => {
                Err("glossary_term has no {source} or no {target}; say where they go".into())
            }
            _ => Ok(()),
        }
    }
}

/// What stands around the text of a second task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Before the text.
    pub prefix: String,
    /// After the text.
    pub suffix: String,
    /// A LoRA adapter beside the weights that the task needs (GGUF); without one the weights as they are know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
}

/// Defaults that differ from those of [`DecodeOptions`] or of the model's `generation_config.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decoding {
    /// Hypotheses of a beam search; 1 is greedy.
    pub beams: Option<usize>,
    /// Exponent of the length that scores are divided by.
    pub length_penalty: Option<f32>,
    /// When a beam search may end.
    pub early_stopping: Option<crate::decode::EarlyStopping>,
    /// No run of so many tokens is generated twice.
    pub no_repeat_ngram: Option<usize>,
    /// Divides the logits of tokens that are there already.
    pub repetition_penalty: Option<f32>,
    /// Least tokens generated.
    pub min_new_tokens: Option<usize>,
    /// Most tokens generated.
    pub max_new_tokens: Option<usize>,
}

impl Decoding {
    /// Writes the defaults that are given over `options`.
    pub fn apply(&self, options: &mut DecodeOptions) {
        fn set<T: Copy>(to: &mut T, from: Option<T>) {
            if let Some(value) = from {
                *to = value;
            }
        }
        set(&mut options.beams, self.beams);
        set(&mut options.length_penalty, self.length_penalty);
        set(&mut options.early_stopping, self.early_stopping);
        set(&mut options.no_repeat_ngram, self.no_repeat_ngram);
        set(&mut options.repetition_penalty, self.repetition_penalty);
        set(&mut options.min_new_tokens, self.min_new_tokens);
        if self.max_new_tokens.is_some() {
            options.max_new_tokens = self.max_new_tokens;
        }
    }
}

/// Limits in tokens. Longer input is split, never cut.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most tokens of a source.
    pub input_tokens: Option<usize>,
    /// Most tokens of a translation.
    pub output_tokens: Option<usize>,
    /// One sentence at a time is what the model was trained on.
    #[serde(default)]
    pub sentence_only: bool,
}

/// One figure of quality and who published it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Test set.
    pub set: String,
    /// Measure: `chrF++`, `BLEU`, `ROUGE-2`, …
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// Paper, model card or leaderboard.
    pub source: String,
}

impl Manifest {
    /// Parses and checks a manifest; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: Option<u32>,
        }
        let version: Version = toml::from_str(text).map_err(|e| complaint(origin, &e))?;
        match version.format {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(Error::Model(ModelError::damaged(format!(
                    "{origin}: manifest format {other}, this version of anubad reads format {FORMAT}; update anubad or rewrite the manifest"
                ))));
            }
            None => {
                return Err(Error::Model(ModelError::Missing(format!(
                    "{origin}: no `format`; write `format = {FORMAT}` on the first line"
                ))));
            }
        }
        let manifest: Self = toml::from_str(text).map_err(|e| complaint(origin, &e))?;
        manifest.check(origin)?;
        Ok(manifest)
    }

    /// Reads a manifest file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = bounds::read(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// BLEU from Bengali to English on FLORES-200 devtest, as somebody published it: the one figure that most models have.
    pub fn published(&self) -> Option<f64> {
        self.figure("BLEU")
    }

    /// A published figure on FLORES-200 devtest.
    pub fn figure(&self, metric: &str) -> Option<f64> {
        let fits = |q: &&Quality| q.set.starts_with("FLORES-200 devtest") && q.metric == metric;
        self.quality.iter().find(fits).map(|q| q.value)
    }

    /// Megabytes of weights in memory in the smallest form.
    pub fn smallest(&self) -> Option<u32> {
        self.memory.values().min().copied()
    }

    /// Whether that leaves room for the rest in a machine of so many megabytes; what is not known does.
    pub fn fits(&self, memory: Option<u64>) -> bool {
        match (self.smallest(), memory) {
            (Some(weights), Some(memory)) => u64::from(weights) + 512 <= memory,
            _ => true,
        }
    }

    /// The Hub source, if it has one.
    pub fn hub(&self) -> Option<&HubSource> {
        self.sources.iter().find_map(|s| if let Source::Hub(hub) = s { Some(hub) } else { None })
    }

    /// The files on a project's own servers, if it has such a source.
    pub fn url(&self) -> Option<&UrlSource> {
        self.sources.iter().find_map(|s| if let Source::Url(url) = s { Some(url) } else { None })
    }

    /// Whether the weights are inside the program (in builds with the feature `embedded-model`).
    pub fn embedded(&self) -> bool {
        self.sources.contains(&Source::Embedded)
    }

    fn check(&self, origin: &str) -> Result<()> {
        let fail = |what: String| Err(Error::Model(ModelError::damaged(format!("{origin}: {what}"))));
        if let Some(id) = std::iter::once(&self.id).chain(&self.aliases).find(|id| !valid_id(id)) {
            return fail(format!("id {id:?} is not made of lower-case letters, digits, `-` and `.`; rename it"));
        }
        if self.sources.is_empty() {
            return fail("no [[source]]; say where the model comes from".into());
        }
        if let Some(hub) = self.hub() {
            if hub.repo.split('/').filter(|part| !part.is_empty()).count() != 2 {
                return fail(format!("repo {:?} is not of the form organization/name", hub.repo));
            }
            if hub.weights.is_empty() {
                return fail("no `weights` in the hub source; name the weight files in order of preference".into());
            }
            for name in hub.weights.iter().chain(&hub.files).chain(&hub.optional) {
                if !is_safe_file_name(name) {
                    return fail(format!("file name {name:?} leaves the model's folder; use a plain relative path"));
                }
            }
            if let Some((file, digest)) = hub.sha256.iter().find(|(_, d)| !is_hex(d, 64)) {
                return fail(format!("sha256 of {file} is {digest:?}, not 64 lower-case hex digits"));
            }
        }
        bounds::check(self).or_else(fail)?;
        if let Some(what) = self.url().and_then(UrlSource::complaint) {
            return fail(what);
        }
        self.prompt.check().or_else(fail)?;
        let known = |name: &str| Normalization::named(name).is_some() || SourceStep::named(name).is_some();
        if let Some(name) = self.prompt.normalize.iter().find(|name| !known(name)) {
            return fail(format!(
                "normalize names {name:?}, which is none of csebuetnlp, indictrans2, compose-nukta, latin-names, latin-digits"
            ));
        }
        if self.languages.target.is_empty() || self.languages.source.is_empty() {
            return fail("[languages] names no source or no target language".into());
        }
        Ok(())
    }
}

fn complaint(origin: &str, error: &toml::de::Error) -> Error {
    Error::Model(ModelError::damaged(format!("{origin}: {}", error.to_string().trim().replace('\n', " "))))
}

fn valid_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

/// `digits` lower-case hex digits.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A relative path of plain components: nothing that a hostile listing could escape the cache with.
pub(crate) fn is_safe_file_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', ':', '\0'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
pub(super) mod tests;
