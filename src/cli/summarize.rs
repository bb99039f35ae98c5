//! `anubad summarize`: summarize an article in a few English (or Bengali) sentences.
use super::common::ModelArgs;
use super::input::Input;
use super::output::{self, Form};
use super::sentence_args::SentenceArgs;
use super::summary_args::SummaryArgs;
use super::translate::{InputFormat, OutputFormat as Printed};
use crate::article::ReadOptions;
use crate::article::segment;
use crate::error::SettingsError;
use crate::pipeline::{self, Quality};
use crate::summary::{self, Language, Style, Summary, SummaryInput, SummaryModels};
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
    #[arg(value_name = "FILE|URL", default_value = "-")]
    files: Vec<PathBuf>,
    /// Where to [default: standard output]: a name that ends in .txt, .md or .json; with several files, a folder
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// What to write [default: text, or what OUT's name says]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<OutputFormat>,
    /// Fetch nothing from the network, whatever is named (as ANUBAD_OFFLINE=1)
    #[arg(long)]
    offline: bool,
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
    /// Say which file is at work
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    summary: SummaryArgs,
    /// With --lines: print the short form of each English line, made by leaving words out
    #[arg(long, requires = "lines")]
    shorten: bool,
    /// Treat the input as one English sentence a line (with --shorten)
    #[arg(long, requires = "shorten")]
    lines: bool,
    /// Let --shorten leave out negations, doubt, attribution and numbers, too
    #[arg(long, requires = "shorten")]
    unprotected: bool,
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
    if args.shorten {
        return super::shorten::run(&args.files, &args.model, !args.unprotected, args.quiet);
    }
    let targets = targets(&args)?;
    let options = args.summary.options();
    let read = |path: &PathBuf| {
        let format = args.input_format.map(Into::into);
        let read = ReadOptions { format, lossy: args.lossy, bijoy: args.bijoy, ..Default::default() };
        Input::open(path, &read, false, args.offline)
    };
    // What is wrong with the first input is said before a model is loaded.
    let mut first = Some(read(&args.files[0])?);
    // a Bengali summary needs no translator
    let quality = Some(args.sentences.quality(Quality::Best));
    let loaded = if options.language == Language::English { Some(args.model.load(quality, args.quiet)?) } else { None };
    let models = match &loaded {
        Some(loaded) => args.summary.open(&args.model, &options, &loaded.model, args.quiet)?,
        None => SummaryModels { writer: args.summary.open_writer(&args.model, &options, args.quiet)?, shortener: None },
    };
    let checks = args.sentences.options(Quality::Best)?;
    let translate = loaded
        .as_ref()
        .map(|loaded| |sentences: &[String]| pipeline::sentences(&loaded.translator, sentences, &checks));
    let several = args.files.len() > 1;
    for (path, (target, format)) in args.files.iter().zip(targets) {
        let input = match first.take() {
            Some(input) => input,
            None => read(path)?,
        };
        if args.verbose > 0 && !args.quiet {
            eprintln!("anubad: {}", path.display());
        }
        let segments = segment::segments(input.article());
        let input = SummaryInput {
            article: input.article(),
            segments: &segments,
            translated: None,
            translate: translate.as_ref().map(|t| t as &summary::TranslateSentences),
        };
        let summary = summary::summarize(&input, &options, &models.makers())?;
        let mut text = Vec::new();
        if several && target.is_none() && format == OutputFormat::Text {
            writeln!(text, "==> {} <==\n", path.display())?;
        }
        write(&mut text, &summary, format)?;
        match target {
            Some(target) => output::save(&target, &text)?,
            None => std::io::stdout().lock().write_all(&text)?,
        }
        if !args.quiet {
            report(&summary);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where each summary goes and as what.
fn targets(args: &SummarizeArgs) -> crate::Result<Vec<(Option<PathBuf>, OutputFormat)>> {
    let format = args.format.map(|format| match format {
        OutputFormat::Text => Printed::Text,
        OutputFormat::Md => Printed::Md,
        OutputFormat::Json => Printed::Json,
    });
    // Of a document the summary is text.
    let format = format.or(args.output.as_ref().is_some_and(|o| o.extension().is_none()).then_some(Printed::Text));
    let targets = output::targets(&args.files, args.output.as_deref(), format)?;
    let own = |target: output::Target| match target.form {
        Form::Printed(Printed::Text) => Ok((target.path, OutputFormat::Text)),
        Form::Printed(Printed::Md) => Ok((target.path, OutputFormat::Md)),
        Form::Printed(Printed::Json) => Ok((target.path, OutputFormat::Json)),
        _ => {
            let name = target.path.unwrap_or_default();
            let why = "a summary is written as .txt, .md or .json";
            Err(crate::Error::Settings(SettingsError::Conflict(format!("-o {}: {why}", name.display()))))
        }
    };
    targets.into_iter().map(own).collect()
}

fn write(out: &mut Vec<u8>, summary: &Summary, format: OutputFormat) -> anyhow::Result<()> {
    match format {
        OutputFormat::Json => {
            let json = serde_json::json!({ "schema": SCHEMA, "text": summary.text(), "summary": summary });
            serde_json::to_writer_pretty(&mut *out, &json).map_err(std::io::Error::from)?;
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
    Ok(())
}

/// How the summary was made and what was found wrong, for a person at a terminal.
pub(super) fn report(summary: &Summary) {
    let parts = if summary.parts > 1 { format!(", read in {} parts", summary.parts) } else { String::new() };
    match &summary.model {
        Some(model) => crate::error::say!("anubad: {} summary by {model}{parts}", summary.method),
        None => crate::error::say!("anubad: {} summary", summary.method),
    }
    for finding in &summary.findings {
        crate::error::say!("anubad: {}", finding.message);
    }
}
