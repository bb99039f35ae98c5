//! `anubad translate`: one article, or with `--lines` one segment a line.
use super::common::ModelArgs;
use super::sentence_args::SentenceArgs;
use super::summary_args::SummaryArgs;
use crate::article::read::{Format, ReadOptions};
use crate::article::write::{BlockWriter, Style};
use crate::article::{self, Block};
use crate::pipeline::{self, PipelineOptions, Quality, Ready, Translation};
use crate::text::{Finding, Severity};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Translate one article, with a short summary
#[derive(Debug, Args)]
pub struct TranslateArgs {
    /// Bengali article: text, HTML, Markdown, .docx, .odt, .epub, .pdf, .srt or .vtt; `-` or nothing is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
    /// What the input is [default: by extension and content]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// One segment a line in, exactly one line a segment out, nothing else on standard output
    #[arg(long, conflicts_with_all = ["format", "summary", "sentences", "input_format", "keep_furniture", "mark"])]
    pub lines: bool,
    /// Print a summary (the default)
    #[arg(long, overrides_with = "no_summary")]
    pub summary: bool,
    /// Print no summary
    #[arg(long)]
    pub no_summary: bool,
    /// Keep comment forms, share lines and other page furniture
    #[arg(long)]
    pub keep_furniture: bool,
    /// The text is Bijoy (SutonnyMJ and its kin): convert it to Unicode first. Documents say so by their fonts
    #[arg(long)]
    pub bijoy: bool,
    /// Replace bytes that are not UTF-8 instead of refusing them
    #[arg(long)]
    pub lossy: bool,
    #[command(flatten)]
    pub sentences: SentenceArgs,
    /// Exit with 3 if serious findings remain
    #[arg(long)]
    pub strict: bool,
    /// Mark doubtful passages in the output (Markdown: footnotes)
    #[arg(long)]
    pub mark: bool,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Nothing but errors on standard error
    #[arg(long, short)]
    pub quiet: bool,
    /// Say on standard error what was found (-v: every finding; -vv: settings and timings)
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(flatten)]
    pub summary_args: SummaryArgs,
}

/// Formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    Md,
    Json,
    /// One self-contained page, Bengali and English side by side
    Html,
}

/// Formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    Text,
    Md,
    Html,
}

impl From<InputFormat> for Format {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Text => Format::Plain,
            InputFormat::Md => Format::Markdown,
            InputFormat::Html => Format::Html,
        }
    }
}

fn pipeline_options(args: &TranslateArgs) -> crate::Result<PipelineOptions> {
    let summary = (!args.no_summary).then(|| args.summary_args.options());
    Ok(PipelineOptions { summary, ..args.sentences.options(Quality::Best)? })
}

/// Runs the command on one whole article; [`super::lines`] has the other half.
pub fn run(args: &TranslateArgs) -> anyhow::Result<ExitCode> {
    let options = pipeline_options(args)?;
    let read = ReadOptions {
        format: args.input_format.map(Into::into),
        lossy: args.lossy,
        keep_furniture: args.keep_furniture,
        bijoy: args.bijoy,
    };
    let prepared = pipeline::prepare(article::read::read(&args.file, &read)?);
    let loaded = args.model.load(Some(args.sentences.quality(Quality::Best)), args.quiet)?;
    let summary_model = match &options.summary {
        Some(summary) => args.summary_args.open_model(&args.model, summary, args.quiet)?,
        None => None,
    };
    let summary_writer = summary_model.as_ref().map(|m| m.writer());
    let progress = progress(args, prepared.article.blocks.len());
    let stdout = std::io::stdout().lock();
    let style = if args.format == OutputFormat::Md { Style::Markdown } else { Style::Text };
    let mut writer = BlockWriter::new(stdout, style);
    let mut failure = None;
    let mut ready = |part: Ready<'_>| {
        progress.inc(1);
        let written = match (args.format, part) {
            (OutputFormat::Json | OutputFormat::Html, _) => Ok(()),
            (_, Ready::Title(title)) => progress.suspend(|| writer.title(title)),
            (_, Ready::Block(block, findings)) => {
                progress.suspend(|| write_block(&mut writer, block, findings, args.mark))
            }
        };
        failure = written.err();
        failure.is_none()
    };
    let result = pipeline::translate(&loaded.translator, &prepared, &options, summary_writer.as_ref(), &mut ready);
    progress.finish_and_clear();
    if let Some(error) = failure {
        return Err(error.into());
    }
    let translation = result?;
    match args.format {
        OutputFormat::Json => {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &translation).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        OutputFormat::Html => {
            let page = super::page::of(&prepared.article, &translation, loaded.model.manifest.as_ref());
            std::io::stdout().lock().write_all(page.as_bytes())?;
        }
        _ => {
            if let Some(summary) = &translation.summary {
                if let Some(headline) = summary.headline.as_deref().filter(|_| translation.article.title.is_none()) {
                    writer.summary("Headline", &[headline.to_string()])?;
                }
                writer.summary(&format!("Summary ({})", summary.method), &summary.sentences)?;
            }
            writer.finish()?.flush()?;
        }
    }
    report(args, &translation);
    let serious = pipeline::translate::has_serious(&translation.findings);
    Ok(if args.strict && serious { ExitCode::from(super::exit::PARTLY) } else { ExitCode::SUCCESS })
}

fn write_block(
    writer: &mut BlockWriter<impl Write>,
    block: &Block,
    findings: &[Finding],
    mark: bool,
) -> std::io::Result<()> {
    let notes: Vec<String> = match mark {
        true => findings.iter().filter(|f| f.severity >= Severity::Warning).map(|f| f.message.clone()).collect(),
        false => Vec::new(),
    };
    writer.block_with_notes(block.kind, &block.text, &notes)
}

fn progress(args: &TranslateArgs, blocks: usize) -> ProgressBar {
    if args.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(blocks as u64);
    if let Ok(style) = ProgressStyle::with_template("{spinner} translating, {pos} of {len} paragraphs, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// What the checks found, on stderr.
fn report(args: &TranslateArgs, translation: &Translation) {
    if args.quiet {
        return;
    }
    if args.verbose > 0 {
        for finding in &translation.findings {
            let place =
                finding.segment.and_then(|i| translation.segments.get(i)).map_or("article".into(), |s| match s.block {
                    Some(block) => format!("paragraph {}, sentence {}", block + 1, s.sentence + 1),
                    None => "title".into(),
                });
            eprintln!("anubad: {place}: {} ({})", finding.message, finding.severity.name());
        }
    }
    let serious: Vec<_> = translation.findings_from(Severity::Serious).collect();
    if !serious.is_empty() && args.verbose == 0 {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &serious {
            *kinds.entry(finding.kind.name()).or_default() += 1;
        }
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        eprintln!("anubad: the checks doubt {} places ({}); -v lists them", serious.len(), kinds.join(", "));
    }
    if args.verbose > 1 {
        eprintln!(
            "anubad: model {} ({}, {}); first paragraph after {} s, all after {} s, of that {} s for repairs alone; \
             summary {} s",
            translation.model.id,
            translation.model.architecture,
            translation.model.compute,
            translation.timings.first_block_s,
            translation.timings.translate_s,
            translation.timings.repair_s,
            translation.timings.summary_s
        );
    }
}
