//! The summary's own arguments, the same for every command that writes one.
use super::common::ModelArgs;
use crate::Result;
use crate::assembly::Model;
use crate::summary::model::SummaryModel;
use crate::summary::{Language, Length, MethodChoice, Style, SummaryModels, SummaryOptions};

/// What the summary looks like and how it is made.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Summary")]
pub struct SummaryArgs {
    /// The summary: brief, bullets, headline, long, or extractive (whole sentences, whatever the model could do)
    #[arg(long = "summary", value_name = "FORM", value_enum, conflicts_with = "style")]
    form: Option<Form>,
    /// At most this many sentences (by default one to five, by the article's length)
    #[arg(long, value_name = "N", value_parser = count, conflicts_with = "words")]
    sentences: Option<u32>,
    /// About this many words, a fifth more at most; at least one sentence, the shortest where none can be cut to that
    #[arg(long, value_name = "N", value_parser = count)]
    words: Option<u32>,
    /// The form of the summary
    #[arg(long, value_name = "STYLE", value_enum, default_value_t)]
    style: Style,
    /// Language of the summary
    #[arg(long, value_name = "LANG", value_enum, default_value_t)]
    lang: Language,
    /// How the summary is made
    #[arg(long, value_name = "METHOD", value_enum, default_value_t)]
    summary_method: MethodChoice,
    /// A model that writes summaries: manifest id, model folder or GGUF file
    #[arg(long, value_name = "ID|DIR|FILE")]
    pub summary_model: Option<String>,
}

/// What `--summary` can ask for: a form, a length or a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A few sentences in one paragraph
    Brief,
    /// A list, one sentence an item
    Bullets,
    /// One line
    Headline,
    /// A paragraph of twice the usual length
    Long,
    /// Whole sentences of the article, as they are translated
    Extractive,
}

/// A number of sentences or words.
fn count(text: &str) -> std::result::Result<u32, String> {
    match text.parse() {
        Ok(0) => Err("a summary has at least one; --no-summary of translate and bulk leaves it out".into()),
        Ok(n) if n <= 100_000 => Ok(n),
        _ => Err("expected a number from 1 to 100000".into()),
    }
}

impl SummaryArgs {
    /// Whether a form of summary was named, and so a summary is wanted even of one sentence.
    pub fn is_asked_for(&self) -> bool {
        self.form.is_some()
    }

    /// The options for a summary.
    pub fn options(&self) -> SummaryOptions {
        let length = match (self.sentences, self.words) {
            (Some(n), _) => Length::Sentences(n as usize),
            (_, Some(n)) => Length::Words(n as usize),
            _ if self.form == Some(Form::Long) => Length::Long,
            _ => Length::Auto,
        };
        let style = match self.form {
            Some(Form::Bullets) => Style::Bullets,
            Some(Form::Headline) => Style::Headline,
            Some(_) => Style::Brief,
            None => self.style,
        };
        let method = if self.form == Some(Form::Extractive) { MethodChoice::Extractive } else { self.summary_method };
        SummaryOptions { length, style, language: self.lang, method }
    }

    /// Opens what the summary is made with: the model that writes it, where one is named and wanted, and what shortens
    /// sentences in the model that translates.
    pub fn open(
        &self,
        device: &ModelArgs,
        options: &SummaryOptions,
        translating: &Model,
        quiet: bool,
    ) -> Result<SummaryModels> {
        let writer = self.open_writer(device, options, quiet)?;
        SummaryModels::new(writer, options, translating, device.engine_options()?)
    }

    /// Opens the model that writes the summary, where one is named and wanted.
    pub fn open_writer(
        &self,
        device: &ModelArgs,
        options: &SummaryOptions,
        quiet: bool,
    ) -> Result<Option<SummaryModel>> {
        let Some(name) = self.summary_model.as_ref().filter(|_| options.method != MethodChoice::Extractive) else {
            return Ok(None);
        };
        // beams and penalties on the command line are those of the translation
        let model = ModelArgs { model: Some(name.clone()), whole_vocabulary: true, ..device.clone() }.open(quiet)?;
        SummaryModel::new(model, options).map(Some)
    }
}
