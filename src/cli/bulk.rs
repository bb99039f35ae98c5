//! `anubad bulk`: translate a feed, a dump or a folder into one output file.
use super::addresses;
use super::bulk_progress::Shown;
use super::common::{ModelArgs, told};
use super::dry_run;
use super::exit::PARTLY;
use super::sentence_args::SentenceArgs;
use super::signals;
use super::summary_args::SummaryArgs;
use super::tables::{self, TableArgs};
use crate::bulk::{self, BulkOptions, Compression, Filters, OutputFormat, PipelineSteps, Report, Resume, Stop, Sync};
use crate::engine::{EngineOptions, Translator};
use crate::error::SettingsError;
use crate::feed::{self, BodyKind, FieldMap, Format, ReadOptions};
use crate::pipeline::{PipelineOptions, Quality};
use crate::summary::SummaryModels;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Translate a feed, a dump or a folder into one output file
///
/// Reads RSS, Atom, JSON Feed, JSONL, CSV, TSV, text, HTML, Markdown, .docx, .odt, .epub, .pdf, .srt and .vtt, plain or
/// packed (.gz .zst .bz2 .zip .tar), entry by entry. A run that was stopped, killed or cut off from power goes on where it stopped when the same
/// command is given again; its journal lies in OUT.journal, what could not be translated in OUT.errors.jsonl.
/// Exit codes: 0 all well, 1 the run failed, 3 some articles failed, 130 and 143 stopped by a signal.
#[derive(Debug, clap::Args)]
pub struct BulkArgs {
    /// Files, folders, addresses of feeds, or - for standard input
    #[arg(value_name = "FEED|URL", default_value = "-")]
    feeds: Vec<PathBuf>,
    /// Fetch nothing from the network, whatever is named (as ANUBAD_OFFLINE=1)
    #[arg(long)]
    offline: bool,
    /// Look first: read the input, say what would be translated and what left out, translate a sample for 20 seconds and
    /// estimate the rest. Nothing is written
    #[arg(long, conflicts_with_all = ["fresh", "resume_anyway", "retry_errors", "report"])]
    dry_run: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    tables: TableArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    resume: ResumeArgs,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

/// How the feed is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Input")]
struct InputArgs {
    /// What the feed is, instead of finding out by content and extension
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<Format>,
    /// Which fields of JSON and CSV records are what: title=…,body=…,id=…,url=…,date=…,author=… (dotted paths)
    #[arg(long, value_name = "ROLE=FIELD,…", default_value = "", hide_default_value = true)]
    fields: FieldMap,
    /// What the bodies of JSON and CSV records are written in
    #[arg(long, value_name = "KIND", value_parser = ["auto", "text", "html", "markdown"], default_value = "auto")]
    body: String,
    /// Texts are Bijoy (SutonnyMJ and its kin): convert them to Unicode first. Documents say so by their fonts
    #[arg(long)]
    bijoy: bool,
    /// Largest entry that is read
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16M")]
    max_entry: usize,
    /// Longest text of an article that is translated
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1M")]
    max_article: usize,
}

/// What is written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
struct OutputArgs {
    /// Where to; - is standard output, which is not journalled and has errors in their places
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    output: PathBuf,
    /// What to write; by default what OUT's extension says (a folder: markdown; html makes pages with an index), else jsonl
    #[arg(long, value_name = "FORMAT")]
    format: Option<OutputFormat>,
    /// Pack the output (by default if OUT ends in .gz or .zst)
    #[arg(long, value_name = "PACKING")]
    compress: Option<Compression>,
    /// Add the Bengali to each record
    #[arg(long)]
    include_source: bool,
    /// Leave cells of CSV as they are; by default an apostrophe goes before those that a spreadsheet would calculate
    #[arg(long)]
    csv_raw: bool,
    /// Title of an RSS or Atom feed
    #[arg(long, value_name = "TITLE", default_value = "Translated by anubad")]
    feed_title: String,
    /// Write figures of the run as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// Which entries are translated.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which articles")]
struct FilterArgs {
    /// Only articles of this date or later (2024-03-01, or with a time)
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<jiff::Timestamp>,
    /// Only articles before this date
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<jiff::Timestamp>,
    /// At most so many articles
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// This share of the articles, from 0 to 1, the same ones in every run
    #[arg(long, value_name = "SHARE", value_parser = share)]
    sample: Option<f64>,
    /// Another sample
    #[arg(long, value_name = "N", default_value_t = 0, requires = "sample")]
    seed: u64,
    /// Leave out articles that are English already
    #[arg(long)]
    skip_translated: bool,
}

/// What to do with an earlier run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Resuming")]
struct ResumeArgs {
    /// Start over, even if there is an output
    #[arg(long, conflicts_with_all = ["resume_anyway", "retry_errors"])]
    fresh: bool,
    /// Go on even if the input, the model or the settings have changed
    #[arg(long, conflicts_with = "retry_errors")]
    resume_anyway: bool,
    /// Run only what failed, and put it in its place
    #[arg(long)]
    retry_errors: bool,
    /// When the output is forced onto the disk: always, never, or so many seconds apart
    #[arg(long, value_name = "WHEN", default_value = "5")]
    fsync: Sync,
}

/// How it is worked on.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Work")]
struct WorkArgs {
    /// Keep translated sentences here, for other runs and for this one after a kill
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Memory for batches and what is in hand, beside the weights [default: an eighth of what is free, at most 2G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,
}

/// What is made of an article.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Translation and summary")]
struct PipelineArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Write no summary
    #[arg(long)]
    no_summary: bool,
    #[command(flatten)]
    sentences: SentenceArgs,
    #[command(flatten)]
    summary: SummaryArgs,
}

/// 512, 64K, 16M, 2G.
fn size(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let number = lower.trim_end_matches("ib").trim_end_matches('b');
    let (digits, shift) = match number.as_bytes().last() {
        Some(b'k') => (&number[..number.len() - 1], 10),
        Some(b'm') => (&number[..number.len() - 1], 20),
        Some(b'g') => (&number[..number.len() - 1], 30),
        _ => (number, 0),
    };
    let amount: f64 = digits.parse().map_err(|_| "expected a size like 512M or 2G".to_owned())?;
    let bytes = amount * (1u64 << shift) as f64;
    if (1.0..1e15).contains(&bytes) { Ok(bytes as usize) } else { Err("expected a size like 512M or 2G".into()) }
}

fn date(text: &str) -> Result<jiff::Timestamp, String> {
    feed::date::parse(text).ok_or_else(|| "expected a date like 2024-03-01 or 2024-03-01T12:00:00+06:00".into())
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a number above 0 and at most 1".into()),
    }
}

impl BulkArgs {
    /// The memory budget in bytes.
    fn memory(&self) -> usize {
        self.work.memory.unwrap_or_else(|| {
            let mut system = sysinfo::System::new();
            system.refresh_memory();
            (system.available_memory() as usize / 8).clamp(64 << 20, 2 << 30)
        })
    }

    /// Validated settings.
    fn options(&self) -> BulkOptions {
        let name = self.output.output.to_string_lossy();
        let by_name = |end: &str, packing| name.ends_with(end).then_some(packing);
        let compress =
            self.output.compress.or_else(|| by_name(".gz", Compression::Gz).or(by_name(".zst", Compression::Zst)));
        // Of the outputs that are folders, Markdown is the one that is not asked for by name.
        let folder = (name.ends_with('/') || self.output.output.is_dir()).then_some(OutputFormat::Markdown);
        let body = match self.input.body.as_str() {
            "text" => BodyKind::Text,
            "html" => BodyKind::Html,
            "markdown" => BodyKind::Markdown,
            _ => BodyKind::Unknown,
        };
        let resume = match &self.resume {
            ResumeArgs { fresh: true, .. } => Resume::Fresh,
            ResumeArgs { resume_anyway: true, .. } => Resume::Anyway,
            ResumeArgs { retry_errors: true, .. } => Resume::RetryErrors,
            _ => Resume::Auto,
        };
        let defaults = BulkOptions::default();
        // A small budget makes small windows; a large one does not make them larger than is of use.
        let portion = |most: usize| (self.memory() / 16).clamp(1 << 20, most);
        BulkOptions {
            input: self.feeds.clone(),
            read: ReadOptions {
                format: self.input.input_format,
                fields: self.input.fields.clone(),
                body,
                bijoy: self.input.bijoy,
                max_entry: self.input.max_entry,
                ..ReadOptions::default()
            },
            output: self.output.output.clone(),
            format: self.output.format.or_else(|| OutputFormat::by_name(&name)).or(folder).unwrap_or_default(),
            compress,
            include_source: self.output.include_source,
            csv_raw: self.output.csv_raw,
            feed_title: self.output.feed_title.clone(),
            filters: Filters {
                since: self.filters.since,
                until: self.filters.until,
                limit: self.filters.limit,
                sample: self.filters.sample,
                seed: self.filters.seed,
                skip_translated: self.filters.skip_translated,
            },
            resume,
            sync: self.resume.fsync,
            cache: self.work.cache.clone(),
            cache_bytes: portion(defaults.cache_bytes),
            window_bytes: portion(defaults.window_bytes),
            max_article: self.input.max_article,
            report: self.output.report.clone(),
            observer: (!self.output.quiet).then(|| Arc::new(Shown::on_stderr()) as Arc<dyn bulk::Observer>),
            ..defaults
        }
    }
}

impl BulkArgs {
    /// Whether its records go to standard output.
    pub(super) fn writes_to_stdout(&self) -> bool {
        matches!(Stream::of(&self.output.output), Some(Stream::Stdout))
    }
}

/// Runs the command.
pub fn run(args: BulkArgs) -> anyhow::Result<ExitCode> {
    let mut options = args.options();
    // Lives as long as the run that reads from it.
    let _fetched = addresses::fetch_all(&mut options.input, args.offline)?;
    check_name(&options)?;
    // A pipe, a terminal, /dev/stdout: nothing that could be read again to go on with.
    let stream = Stream::of(&options.output);
    if stream.is_some() {
        options.output = "-".into();
    }
    if options.format == OutputFormat::Html && options.compress.is_some() {
        let advice = "--format html is for a browser, which opens no packed files: leave --compress out";
        return Err(crate::Error::Settings(SettingsError::Conflict(advice.into())).into());
    }
    // What can be found out without the model is said before it is loaded.
    feed::Feed::open(&options.input, options.read.clone())?;
    if let Some(note) = tables::plan(&args.tables, &mut options)?.filter(|_| !args.output.quiet) {
        crate::error::say!("anubad: {note}");
    }
    let table = options.read.table.is_some();
    if args.dry_run {
        let wanted = args.pipeline.sentences.options(Quality::Standard)?;
        return dry_run::run(&options, &wanted, || Ok(load(&args, table)?.0));
    }
    if options.output == Path::new("-") {
        bulk::check_stream(&options)?;
    }
    bulk::check_files(&options)?;
    let (translator, steps) = load(&args, table)?;
    let engine = translator.engine_options();
    let options = options.suit(engine.workers * engine.hypotheses);
    let stop = Stop::default();
    signals::watch(&stop).context("signals cannot be watched")?;
    let report = if options.output == Path::new("-") {
        bulk::run_to(stream.unwrap_or(Stream::Stdout).open()?, &translator, &steps, &options, &stop)?
    } else {
        bulk::run(&translator, &steps, &options, &stop)?
    };
    if !args.output.quiet {
        say(&report, &options, &stop);
    }
    if options.output != Path::new("-") && !options.output.exists() {
        let gone = format!(
            "{}: the output was deleted while it was written, and what is done with it",
            options.output.display()
        );
        return Err(crate::Error::from(bulk::BulkError::Damaged(gone)).into());
    }
    Ok(ExitCode::from(code(&report, &stop)))
}

/// An output that is written and cannot be read again.
enum Stream {
    Stdout,
    /// A FIFO or a device.
    Path(std::path::PathBuf),
}

impl Stream {
    fn of(output: &Path) -> Option<Self> {
        const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
        if STDOUT.iter().any(|name| output == Path::new(name)) {
            return Some(Self::Stdout);
        }
        let kind = std::fs::metadata(output).ok()?.file_type();
        (!kind.is_file() && !kind.is_dir()).then(|| Self::Path(output.to_owned()))
    }

    /// Opens it; a FIFO waits for its reader.
    fn open(self) -> crate::Result<Box<dyn std::io::Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(std::io::stdout()),
            Self::Path(path) => {
                let file = std::fs::OpenOptions::new().write(true).open(&path);
                Box::new(file.map_err(|e| crate::Error::io(&path, e))?)
            }
        })
    }
}

/// An output is never something else than its name says.
fn check_name(options: &BulkOptions) -> crate::Result<()> {
    let output = &options.output;
    let name = output.to_string_lossy().to_ascii_lowercase();
    let wrong =
        |why: String| Err(crate::Error::Settings(SettingsError::Conflict(format!("{}: {why}", output.display()))));
    if let Some(end) = [".bz2", ".xz", ".zip", ".tar", ".tgz", ".7z"].iter().find(|end| name.ends_with(**end)) {
        return wrong(format!("{end} is not written; end the name in .gz or .zst to have it packed"));
    }
    if options.format.is_folder() || name.starts_with("/dev/") {
        return Ok(());
    }
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let extension = Path::new(plain).extension().map(|e| e.to_string_lossy().into_owned());
    match (extension, OutputFormat::by_name(&name)) {
        (Some(_), Some(named)) if named != options.format => wrong("--format says something else than the name".into()),
        (Some(extension), None) => wrong(format!(
            ".{extension} is not written; end the name in .jsonl, .csv, .tsv, .rss, .xml or .atom, or name a folder (with a / \
             at its end)"
        )),
        _ => Ok(()),
    }
}

/// The model and the pipeline.
fn load(args: &BulkArgs, table: bool) -> anyhow::Result<(Translator, PipelineSteps)> {
    let PipelineArgs { model: model_args, no_summary, summary, sentences } = &args.pipeline;
    let options = PipelineOptions {
        summary: (!no_summary && !table).then(|| summary.options()),
        ..sentences.options(Quality::Standard)?
    };
    let model = model_args.open(args.output.quiet)?;
    let models = match &options.summary {
        Some(wanted) => summary.open(model_args, wanted, &model, args.output.quiet)?,
        None => SummaryModels::default(),
    };
    let decode = model_args.decode_options(&model, Some(sentences.quality(Quality::Standard)))?;
    let engine = EngineOptions { cache_bytes: args.memory() / 2, ..model_args.engine_options()? };
    let translator = told(model.translator(decode, engine)?, options.checks.glossary.as_ref());
    let license = model.manifest.as_ref().map(|m| m.license.summary.clone());
    let steps = PipelineSteps::new(options, models, &translator).with_license(license);
    Ok((translator, steps))
}

fn code(report: &Report, stop: &Stop) -> u8 {
    match (report.complete, stop.signal()) {
        (false, signal) => 128 + signal.unwrap_or(0).clamp(0, 127) as u8,
        (true, _) if report.total_failed > 0 => PARTLY,
        (true, _) => 0,
    }
}

/// The readable report, and what to do next.
fn say(report: &Report, options: &BulkOptions, stop: &Stop) {
    eprint!("{}", crate::error::shown_lines(&report.to_string()));
    let to_file = options.output != Path::new("-");
    if !report.complete && stop.signal().is_some() && to_file {
        crate::error::say!("anubad: stopped; run the same command again to go on");
    }
    if report.complete && report.total_failed > 0 && to_file {
        let out = options.output.display();
        crate::error::say!("anubad: what failed is in {out}.errors.jsonl; --retry-errors runs only that");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, want) in [("512", 512), ("64K", 64 << 10), ("1.5M", 3 << 19), ("2gib", 2 << 30), ("2GB", 2 << 30)] {
            assert_eq!(size(text), Ok(want), "{text}");
        }
        for text in ["", "M", "-1", "0", "many", "9999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
