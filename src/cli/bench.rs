//! `anubad bench`: how fast this machine is with this model.
use super::common::{Loaded, ModelArgs};
use super::summary_args::SummaryArgs;
use crate::Error;
use crate::decode::DecodeOptions;
use crate::engine::{EngineStats, Job, Outcome, Translate};
use crate::error::{InputError, SettingsError};
use crate::kernels::{Level, matmul_bf16::PackedBf16};
use crate::metrics::Timing;
use crate::pipeline::{self, PipelineOptions, Prepared, Quality};
use crate::summary::Makers;
use anyhow::Context;
use serde::Serialize;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// The sentences that are translated unless others are given: those of the sample article.
const SAMPLE: &str = include_str!("../../samples/lavrov.txt");
/// Sentences that warm up: every kernel and buffer has been used then.
const WARM_UP: usize = 500;
/// Sentences of the article that is translated with repair and summarized.
const ARTICLE: usize = 60;

/// Measure how fast this machine is with this model
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Sentences to translate, one a line (of a TSV the first column) [default: the sample article's]
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Use the first N sentences only
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Tokens of one step of a worker
    #[arg(long, value_name = "TOKENS")]
    pub batch: Option<usize>,
    /// Hypotheses that a worker grows at the same time
    #[arg(long, value_name = "N")]
    pub hypotheses: Option<usize>,
    /// Generate exactly so many tokens a sentence, as comparisons with other engines need
    #[arg(long, value_name = "TOKENS")]
    pub length: Option<usize>,
    /// Counted runs, after one that warms up
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub repeat: usize,
    /// Translate the first N sentences one after another as well, for latencies; a 99th percentile takes a hundred
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub one_by_one: usize,
    /// Measure sentences alone: leave out the article at each quality and its summary
    #[arg(long)]
    pub no_article: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub summary: SummaryArgs,
}

/// What a summary costs beside the translation of the same text as one article, checks and repair included. Medians.
#[derive(Debug, Serialize)]
struct SummaryCost {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    article_s: f64,
    summary_s: f64,
}

/// What the first sentences cost as one article at one quality, checks and repair included. Medians.
#[derive(Debug, Serialize)]
struct QualityCost {
    quality: Quality,
    article_s: f64,
    /// Times what a draft costs.
    price: f64,
}

/// All that is measured. Rates are medians over the runs.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    model: crate::engine::ModelIdentity,
    kernels: &'static str,
    cpu_features: Vec<&'static str>,
    workers: usize,
    threads_per_worker: usize,
    beams: usize,
    sentences: usize,
    source_words: usize,
    runs: usize,
    load_s: f64,
    first_token_s: f64,
    /// Of the whole run, in seconds.
    run_s: Timing,
    sentences_per_s: f64,
    source_words_per_s: f64,
    source_tokens_per_s: f64,
    generated_tokens_per_s: f64,
    /// Reading alone (one token generated a sentence).
    read_tokens_per_s: f64,
    /// Generating alone: what is left of a run after the time for reading.
    decode_tokens_per_s: f64,
    /// One sentence after another.
    sentence_s: Timing,
    one_by_one_generated_tokens_per_s: f64,
    /// Hypotheses in a step, and the share of real tokens among those computed.
    hypotheses_per_step: f64,
    real_token_share: f64,
    /// Absent with `--length`, which leaves nothing to repair, and with `--no-article`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    qualities: Vec<QualityCost>,
    /// Absent likewise: the summary's own model would not keep the length.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<SummaryCost>,
    peak_memory_mb: Option<f64>,
    warnings: Vec<String>,
}

/// Runs the command.
pub fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    if args.repeat == 0 || args.one_by_one == 0 {
        let flag = if args.repeat == 0 { "--repeat" } else { "--one-by-one" };
        let text = format!("{flag} 0 measures nothing; use 1 or more");
        return Err(Error::Settings(SettingsError::Range(text)).into());
    }
    let texts = sentences(&args)?;
    let mut warnings = Vec::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let load = sysinfo::System::load_average().one;
    if load > 0.5 * cores {
        warnings.push(format!(
            "the machine is busy with other work (load {load:.1}); close it for figures that mean something"
        ));
    }
    let start = Instant::now();
    let loaded = load_model(&args)?;
    let load_s = start.elapsed().as_secs_f64();
    let report = measure(&args, &loaded, &texts, load_s, warnings)?;
    if args.json {
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&report).context("cannot write the JSON")?)?;
    } else {
        print_report(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sentences(args: &BenchArgs) -> anyhow::Result<Vec<String>> {
    let mut texts: Vec<String> = match &args.input {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
            let first = |line: &str| line.split('\t').next().unwrap_or_default().trim().to_string();
            text.lines().map(first).filter(|line| !line.is_empty()).collect()
        }
        None => {
            let article = crate::article::read::parse(SAMPLE.as_bytes(), "sample.txt", &Default::default())?;
            pipeline::prepare(article).texts.into_iter().flatten().collect()
        }
    };
    texts.truncate(args.limit.unwrap_or(usize::MAX));
    if texts.is_empty() {
        return Err(Error::Input(InputError::Empty(
            "no sentences to measure with; give --input a file with one a line".into(),
        ))
        .into());
    }
    Ok(texts)
}

fn load_model(args: &BenchArgs) -> crate::Result<Loaded> {
    let loaded = args.model.load(None, args.json)?;
    let mut engine = args.model.engine_options()?;
    engine.step_tokens = args.batch.unwrap_or(engine.step_tokens);
    engine.hypotheses = args.hypotheses.unwrap_or(engine.hypotheses);
    let mut decode = args.model.decode_options(&loaded.model, None)?;
    if let Some(length) = args.length {
        decode.min_new_tokens = length;
        decode.max_new_tokens = Some(length);
        decode.loop_guard = false;
    }
    let translator = loaded.model.translator(decode, engine)?;
    Ok(Loaded { translator, ..loaded })
}

/// One pass over the texts: seconds and tokens generated.
fn pass(loaded: &Loaded, texts: &[String], options: Option<&DecodeOptions>) -> crate::Result<(f64, usize)> {
    let start = Instant::now();
    let mut generated = 0;
    let mut failure = None;
    let mut jobs =
        texts.iter().enumerate().map(|(i, text)| Job { id: i as u64, text: text.clone(), options: options.cloned() });
    loaded.translator.translate_stream(&mut jobs, &mut |_, outcome: crate::Result<Outcome>| {
        match outcome {
            Ok(outcome) => generated += outcome.target_tokens,
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    failure.map_or(Ok((start.elapsed().as_secs_f64(), generated)), Err)
}

fn measure(
    args: &BenchArgs,
    loaded: &Loaded,
    texts: &[String],
    load_s: f64,
    mut warnings: Vec<String>,
) -> crate::Result<Report> {
    let translator = &loaded.translator;
    let one = DecodeOptions { max_new_tokens: Some(1), min_new_tokens: 0, ..translator.options().clone() };
    let (first_token_s, _) = pass(loaded, &texts[..1], Some(&one))?;
    pass(loaded, &texts[..texts.len().min(WARM_UP)], None)?;
    let before = translator.stats();
    let mut runs = Vec::new();
    let mut generated = 0;
    for _ in 0..args.repeat {
        let (seconds, tokens) = pass(loaded, texts, None)?;
        runs.push(seconds);
        generated = tokens;
    }
    let stats = translator.stats();
    let fill = |stats: &EngineStats| stats.batch_fill(translator.engine_options().hypotheses);
    let fill = fill(&stats).since(&fill(&before));
    let read: Vec<f64> =
        (0..args.repeat).map(|_| Ok(pass(loaded, texts, Some(&one))?.0)).collect::<crate::Result<_>>()?;
    let mut alone = Vec::new();
    let mut alone_tokens = 0;
    for text in texts.iter().take(args.one_by_one) {
        let (seconds, tokens) = pass(loaded, std::slice::from_ref(text), None)?;
        alone.push(seconds);
        alone_tokens += tokens;
    }
    let run = Timing::of(&runs);
    if run.max > 1.1 * run.min {
        warnings.push(format!(
            "runs took {:.2} to {:.2} s: the machine was noisy; measure again with nothing else running",
            run.min, run.max
        ));
    }
    let source = per_run(&before, &stats, |s| s.sessions.encoded + s.sessions.prefilled, args.repeat);
    let steps = per_run(&before, &stats, |s| s.sessions.steps, args.repeat);
    let outputs = per_run(&before, &stats, |s| s.sessions.outputs, args.repeat);
    let reading = Timing::of(&read).median;
    let words: usize = texts.iter().map(|t| t.split_whitespace().count()).sum();
    let engine = translator.engine_options();
    let article = args.length.is_none() && !args.no_article;
    Ok(Report {
        schema: 1,
        model: translator.identity().clone(),
        kernels: Level::detect().name(),
        cpu_features: cpu_features(),
        workers: engine.workers,
        threads_per_worker: engine.threads,
        beams: translator.options().beams,
        sentences: texts.len(),
        source_words: words,
        runs: args.repeat,
        load_s,
        first_token_s,
        run_s: run,
        sentences_per_s: texts.len() as f64 / run.median,
        source_words_per_s: words as f64 / run.median,
        source_tokens_per_s: source / run.median,
        generated_tokens_per_s: generated as f64 / run.median,
        read_tokens_per_s: source / reading,
        decode_tokens_per_s: generated as f64 / (run.median - reading).max(1e-9),
        sentence_s: Timing::of(&alone),
        one_by_one_generated_tokens_per_s: alone_tokens as f64 / alone.iter().sum::<f64>(),
        hypotheses_per_step: outputs / steps.max(1.0),
        real_token_share: fill.real_tokens(),
        qualities: if article { quality_costs(args, loaded, texts)? } else { Vec::new() },
        summary: if article { Some(summary_cost(args, loaded, texts)?) } else { None },
        peak_memory_mb: super::common::peak_memory_mb(),
        warnings,
    })
}

/// The first texts as one article, a paragraph of four sentences each.
fn as_article(texts: &[String]) -> crate::Result<Prepared> {
    let paragraphs: Vec<String> =
        texts[..texts.len().min(ARTICLE)].chunks(4).map(|sentences| sentences.join(" ")).collect();
    let article = crate::article::read::parse(paragraphs.join("\n\n").as_bytes(), "sample.txt", &Default::default())?;
    Ok(pipeline::prepare(article))
}

/// The article at each quality, in turns, so that a machine that gets slower meanwhile slows all of them.
fn quality_costs(args: &BenchArgs, loaded: &Loaded, texts: &[String]) -> crate::Result<Vec<QualityCost>> {
    let prepared = as_article(texts)?;
    let mut costs = Vec::new();
    for quality in [Quality::Draft, Quality::Standard, Quality::Best] {
        let mut options = PipelineOptions { summary: None, ..PipelineOptions::default() };
        quality.repair(&mut options);
        let decode = args.model.decode_options(&loaded.model, Some(quality))?;
        let engine = loaded.translator.engine_options().clone();
        costs.push((quality, loaded.model.translator(decode, engine)?, options, Vec::new()));
    }
    for _ in 0..args.repeat {
        for (_, translator, options, seconds) in &mut costs {
            let done = pipeline::translate(translator, &prepared, options, &Makers::default(), &mut |_| true)?;
            seconds.push(done.timings.translate_s);
        }
    }
    let cost = |seconds: &[f64]| Timing::of(seconds).median;
    let draft = cost(&costs[0].3).max(1e-9);
    let costs = costs.iter().map(|(quality, _, _, seconds)| (*quality, cost(seconds)));
    Ok(costs.map(|(quality, article_s)| QualityCost { quality, article_s, price: article_s / draft }).collect())
}

/// The article translated and summarized.
fn summary_cost(args: &BenchArgs, loaded: &Loaded, texts: &[String]) -> crate::Result<SummaryCost> {
    let options = PipelineOptions { summary: Some(args.summary.options()), ..PipelineOptions::default() };
    let models = args.summary.open(&args.model, &args.summary.options(), &loaded.model, args.json)?;
    let prepared = as_article(texts)?;
    let (mut article_s, mut summary_s, mut method, mut name) = (Vec::new(), Vec::new(), String::new(), None);
    for _ in 0..args.repeat {
        let done = pipeline::translate(&loaded.translator, &prepared, &options, &models.makers(), &mut |_| true)?;
        article_s.push(done.timings.translate_s);
        summary_s.push(done.timings.summary_s);
        (method, name) = done.summary.map(|s| (s.method.to_string(), s.model)).unwrap_or_default();
    }
    Ok(SummaryCost {
        method,
        model: name,
        article_s: Timing::of(&article_s).median,
        summary_s: Timing::of(&summary_s).median,
    })
}

fn per_run(before: &EngineStats, after: &EngineStats, field: impl Fn(&EngineStats) -> u64, runs: usize) -> f64 {
    (field(after) - field(before)) as f64 / runs as f64
}

/// Instruction sets of this processor that the kernels know of.
pub fn cpu_features() -> Vec<&'static str> {
    let bf16 = Level::all().any(PackedBf16::is_native).then_some("avx512-bf16");
    Level::all().map(Level::name).chain(bf16).collect()
}

fn print_report(r: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut row = |name: &str, value: String| writeln!(out, "{name:<34}{value}");
    row("model", format!("{} ({}, {})", r.model.id, r.model.architecture, r.model.compute))?;
    row("kernels", format!("{} (of {})", r.kernels, r.cpu_features.join(", ")))?;
    row("workers x threads, beams", format!("{} x {}, {}", r.workers, r.threads_per_worker, r.beams))?;
    row("sentences (words)", format!("{} ({}), {} runs after a warm-up", r.sentences, r.source_words, r.runs))?;
    row("load", format!("{:.3} s", r.load_s))?;
    row("first token of one sentence", format!("{:.3} s", r.first_token_s))?;
    row("a run", format!("{:.3} s median, {:.3} to {:.3}", r.run_s.median, r.run_s.min, r.run_s.max))?;
    row("sentences", format!("{:.2} /s", r.sentences_per_s))?;
    row("source words", format!("{:.1} /s", r.source_words_per_s))?;
    row("tokens read, generated", format!("{:.0} /s, {:.0} /s", r.source_tokens_per_s, r.generated_tokens_per_s))?;
    row("tokens read, reading alone", format!("{:.0} /s", r.read_tokens_per_s))?;
    row("tokens generated, after reading", format!("{:.0} /s", r.decode_tokens_per_s))?;
    let s = &r.sentence_s;
    let percentiles = format!("p50 {:.3} s, p95 {:.3} s, p99 {:.3} s (of {})", s.median, s.p95, s.p99, s.count);
    row("one sentence alone", percentiles)?;
    row("tokens generated, one by one", format!("{:.0} /s", r.one_by_one_generated_tokens_per_s))?;
    row("hypotheses in a step", format!("{:.1}", r.hypotheses_per_step))?;
    row(
        "real tokens among those computed",
        format!("{:.0} % (steps are flat, not padded)", 100.0 * r.real_token_share),
    )?;
    for QualityCost { quality, article_s, price } in &r.qualities {
        let sentences = r.sentences.min(ARTICLE);
        row(
            &format!("an article of {sentences}, {}", quality.name()),
            format!("{article_s:.3} s, {price:.2} times draft"),
        )?;
    }
    if let Some(s) = &r.summary {
        let share = 100.0 * s.summary_s / s.article_s.max(1e-9);
        row("an article, with repair", format!("{:.3} s", s.article_s))?;
        row("its summary", format!("{:.3} s more ({share:.1} %, {})", s.summary_s, s.method))?;
    }
    row("peak memory", r.peak_memory_mb.map_or("not known here".into(), |mb| format!("{mb:.0} MB")))?;
    r.warnings.iter().for_each(|warning| crate::error::say!("anubad: {warning}"));
    Ok(())
}
