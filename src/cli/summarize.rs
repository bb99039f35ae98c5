//! `anubad summarize`: summarize an article in a few English (or Bengali) sentences.
use super::common::ModelArgs;
use super::sentence_args::SentenceArgs;
use super::summary_args::SummaryArgs;
use super::translate::InputFormat;
use crate::article::read::{ReadOptions, read};
use crate::article::segment;
use crate::pipeline::{self, Quality};
use crate::summary::{self, Language, Style, Summary, SummaryInput};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Version of the JSON that `--format json` prints.
const SCHEMA: u32 = 1;

/// Summarize an article in a few English (or Bengali) sentences
///
/// By default the article's most telling sentences are chosen and translated. With --summary-model a model writes the
/// summary; every number, date and name in it must be in the article, or the sentence is written again and then dropped.
/// What was used and what was dropped is said on standard error and in the JSON.
#[derive(Debug, clap::Args)]
pub struct SummarizeArgs {
    /// Article as text, HTML, Markdown, .docx, .odt, .epub, .pdf, .srt or .vtt; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What to print
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
    /// What the input is [default: by extension and content]
    #[arg(long, value_enum, value_name = "FORMAT")]
    input_format: Option<InputFormat>,
    #[command(flatten)]
    sentences: SentenceArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// The text is Bijoy (SutonnyMJ and its kin): convert it to Unicode first. Documents say so by their fonts
    #[arg(long)]
    bijoy: bool,
    /// Replace bytes that are no valid text instead of refusing the file
    #[arg(long)]
    lossy: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    summary: SummaryArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// The summary and nothing else
    #[default]
    Text,
    /// Markdown
    Md,
    /// JSON with the method, the chosen sentences and the findings
    Json,
}

/// Runs the command.
pub fn run(args: SummarizeArgs) -> anyhow::Result<ExitCode> {
    let format = args.input_format.map(Into::into);
    let article =
        read(&args.file, &ReadOptions { format, lossy: args.lossy, bijoy: args.bijoy, ..Default::default() })?;
    let segments = segment::segments(&article);
    let options = args.summary.options();
    let writer = args.summary.open_model(&args.model, &options, args.quiet)?;
    // a Bengali summary needs no translator
    let quality = Some(args.sentences.quality(Quality::Best));
    let loaded = if options.language == Language::English { Some(args.model.load(quality, args.quiet)?) } else { None };
    let checks = args.sentences.options(Quality::Best)?;
    let translate = loaded
        .as_ref()
        .map(|loaded| |sentences: &[String]| pipeline::sentences(&loaded.translator, sentences, &checks));
    let input = SummaryInput {
        article: &article,
        segments: &segments,
        translated: None,
        translate: translate.as_ref().map(|t| t as &summary::TranslateSentences),
    };
    let summary = summary::summarize(&input, &options, writer.as_ref().map(|w| w.writer()).as_ref())?;
    print(&summary, args.format)?;
    if !args.quiet {
        report(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary, format: OutputFormat) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        OutputFormat::Json => {
            let json = serde_json::json!({ "schema": SCHEMA, "text": summary.text(), "summary": summary });
            serde_json::to_writer_pretty(&mut out, &json).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        OutputFormat::Text => {
            if let Some(headline) = &summary.headline {
                writeln!(out, "{headline}\n")?;
            }
            writeln!(out, "{}", summary.text())?;
        }
        OutputFormat::Md => {
            if let Some(headline) = &summary.headline {
                writeln!(out, "# {headline}\n")?;
            }
            match summary.style {
                Style::Headline => writeln!(out, "# {}", summary.text())?,
                _ => writeln!(out, "{}", summary.text())?,
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// How the summary was made and what was found wrong, for a person at a terminal.
pub(super) fn report(summary: &Summary) {
    let parts = if summary.parts > 1 { format!(", read in {} parts", summary.parts) } else { String::new() };
    match &summary.model {
        Some(model) => eprintln!("anubad: {} summary by {model}{parts}", summary.method),
        None => eprintln!("anubad: {} summary", summary.method),
    }
    for finding in &summary.findings {
        eprintln!("anubad: {}", finding.message);
    }
}
