//! `anubad translate`: one article, or with `--lines` one segment a line.
use super::common::ModelArgs;
use super::sentence_args::SentenceArgs;
use super::summary_args::SummaryArgs;
use crate::article::read::Format;
use crate::pipeline::{PipelineOptions, Quality, Translation};
use crate::text::Severity;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Translate articles and documents, with a short summary
#[derive(Debug, Args)]
pub struct TranslateArgs {
    /// Bengali articles: text, HTML, Markdown, .docx, .odt, .epub, .pdf, .srt, .vtt, or the address of a page; `-` or
    /// nothing is standard input
    #[arg(default_value = "-", value_name = "FILE|URL")]
    pub files: Vec<PathBuf>,
    /// Where to [default: standard output]: the name says what is written (.txt, .md, .json, .html), and a .docx, .odt,
    /// .epub, .srt or .vtt comes back as the same file in English. With several files, a folder
    #[arg(long, short, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// What to write [default: text, or what OUT's name says]
    #[arg(long, value_enum)]
    pub format: Option<OutputFormat>,
    /// Keep the Bengali in a document or in subtitles, the English below it
    #[arg(long)]
    pub bilingual: bool,
    /// Fetch nothing from the network, whatever is named (as ANUBAD_OFFLINE=1)
    #[arg(long)]
    pub offline: bool,
    /// What the input is [default: by extension and content]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// One segment a line in, exactly one line a segment out, nothing else on standard output
    #[arg(long, conflicts_with_all = ["format", "output", "bilingual", "form", "sentences", "input_format", "keep_furniture", "mark"])]
    pub lines: bool,
    /// Print no summary
    #[arg(long, conflicts_with = "form")]
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
    /// Mark doubtful sentences in the output, with notes on why (Markdown: footnotes)
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

pub(super) fn pipeline_options(args: &TranslateArgs) -> crate::Result<PipelineOptions> {
    let summary = (!args.no_summary).then(|| args.summary_args.options());
    Ok(PipelineOptions { summary, ..args.sentences.options(Quality::Best)? })
}

pub(super) fn progress(args: &TranslateArgs, blocks: usize) -> ProgressBar {
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
pub(super) fn report(args: &TranslateArgs, translation: &Translation) {
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
            crate::error::say!("anubad: {place}: {} ({})", finding.message, finding.severity.name());
        }
    }
    let serious: Vec<_> = translation.findings_from(Severity::Serious).collect();
    if !serious.is_empty() && args.verbose == 0 {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &serious {
            *kinds.entry(finding.kind.name()).or_default() += 1;
        }
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let places = if serious.len() == 1 { "place" } else { "places" };
        let kinds = kinds.join(", ");
        crate::error::say!("anubad: the checks doubt {} {places} ({kinds}); -v lists them", serious.len());
    }
    if args.verbose > 1 {
        crate::error::say!(
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
