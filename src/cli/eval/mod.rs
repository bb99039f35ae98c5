//! `anubad eval`: measure translation or summary quality as sacrebleu and rouge-score define it.
mod input;
mod report;
mod tokenizer;

use super::common::ModelArgs;
use super::sentence_args::SentenceArgs;
use crate::check::{CheckOptions, CheckRates, check_segment};
use crate::engine::{Supply, Translate};
use crate::error::{InputError, SettingsError};
use crate::metrics::{Bleu, Chrf, CorpusMetric, Rouge, paired_bootstrap, sum};
use crate::metrics::{DEFAULT_RESAMPLES, DEFAULT_SEED};
use crate::pipeline::confidence::ConfidenceModel;
use crate::pipeline::features::{NAMES, features};
use crate::pipeline::stream::Finished;
use crate::pipeline::{PipelineOptions, Quality, Sentence, translate_sentences};
use crate::text::{Finding, FindingKind};
use crate::{Error, Result};
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;
use input::{Part, has_both, read};
use report::{MetricReport, PairedReport, Report, SegmentReport, SystemReport};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokenizer::Tokenizer;

/// Measure translation or summary quality as sacrebleu and rouge-score define it
///
/// Files hold one sentence a line; of a .tsv the first column is the source, the second the reference and the third
/// (or only one) the hypothesis, of a .jsonl the fields "source", "reference" and "hypothesis" are read (or src, ref, hyp, …).
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// Bengali sentences; needed for the checks and for translating. A .tsv or .jsonl may hold the references, too
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// What the translations should say
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,
    /// Translations to measure, - for standard input [default: translate the source with the model]
    #[arg(long, value_name = "FILE")]
    pub hypothesis: Option<PathBuf>,
    /// Translations of another system, compared with the first by paired bootstrap resampling
    #[arg(long, value_name = "FILE", requires = "hypothesis")]
    pub hypothesis2: Option<PathBuf>,
    /// Measures, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Metric::Bleu, Metric::Chrf, Metric::ChrfPlusPlus])]
    pub metric: Vec<Metric>,
    /// Resamples of the paired bootstrap
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RESAMPLES, value_parser = at_least_one())]
    pub bootstrap: usize,
    /// Seed of the resampling
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// Ignore case in BLEU and chrF
    #[arg(long)]
    pub lowercase: bool,
    /// How ROUGE splits text: ascii and stemmed are rouge-score's, words suits Bengali
    #[arg(long, value_enum, value_name = "NAME", default_value_t = Tokenizer::Stemmed)]
    pub rouge_tokenizer: Tokenizer,
    #[command(flatten)]
    pub sentences: SentenceArgs,
    /// Leave out how many numbers and names are kept
    #[arg(long)]
    pub no_checks: bool,
    /// Only the first N sentences
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Write the model's translations to a file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// In JSON, report every segment
    #[arg(long, requires = "json")]
    pub segments: bool,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Nothing but errors on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Measures that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    Bleu,
    Chrf,
    #[value(name = "chrf++")]
    ChrfPlusPlus,
    Rouge,
}

/// Sentences of one system.
struct System {
    name: String,
    texts: Vec<String>,
    /// What the model made, where it was run here.
    made: Vec<Option<Finished>>,
}

/// Runs the command.
pub fn run(args: EvalArgs) -> anyhow::Result<ExitCode> {
    let sources = args.source.as_deref().map(|path| read(path, Part::Source)).transpose()?;
    let references = match (&args.reference, &args.source) {
        (Some(path), _) => read(path, Part::Reference)?,
        (None, Some(path)) if has_both(path) => read(path, Part::Reference)?,
        _ => {
            return Err(Error::Settings(SettingsError::Missing(
                "--reference is missing: name the file of reference translations".into(),
            ))
            .into());
        }
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let cut = |mut lines: Vec<String>| {
        lines.truncate(limit);
        lines
    };
    let (sources, references) = (sources.map(cut), cut(references));
    if references.is_empty() {
        return Err(Error::Input(InputError::Empty("there are no reference sentences to compare with".into())).into());
    }
    let options = args.sentences.options(Quality::Standard)?;
    let checks = &options.checks;
    let systems = match &args.hypothesis {
        Some(first) => {
            std::iter::once(first).chain(&args.hypothesis2).map(|path| from_file(path, limit)).collect::<Result<_>>()?
        }
        None => vec![translate(&args, sources.as_deref(), &options)?],
    };
    for (what, count) in
        sources.iter().map(|s| ("source", s.len())).chain(systems.iter().map(|s| (s.name.as_str(), s.texts.len())))
    {
        if count != references.len() {
            return Err(Error::Input(InputError::damaged(format!(
                "{what} has {count} sentences and the reference {}: they must correspond line by line",
                references.len()
            )))
            .into());
        }
    }
    let report = measure(&args, sources.as_deref(), &references, &systems, checks);
    if args.json {
        report.print_json()?
    } else {
        report.print()?
    }
    Ok(ExitCode::SUCCESS)
}

fn from_file(path: &Path, limit: usize) -> Result<System> {
    let mut texts = read(path, Part::Hypothesis)?;
    texts.truncate(limit);
    let made = vec![None; texts.len()];
    Ok(System { name: path.display().to_string(), texts, made })
}

/// Runs the model over the sources, as `translate --lines` would.
fn translate(args: &EvalArgs, sources: Option<&[String]>, options: &PipelineOptions) -> Result<System> {
    let sources = sources.ok_or_else(|| {
        Error::Settings(SettingsError::Missing(
            "name the translations with --hypothesis, or the Bengali to translate with --source".into(),
        ))
    })?;
    let loaded = args.model.load(Some(args.sentences.quality(Quality::Standard)), args.quiet)?;
    let (mut texts, mut made) = (vec![String::new(); sources.len()], vec![None; sources.len()]);
    let mut left = sources.iter();
    let mut next = |_idle| left.next().map_or(Supply::End, |source| Supply::Job(Sentence::new(source.as_str())));
    let stats = translate_sentences(&loaded.translator, options, &mut next, &mut |done| {
        if let Some(failed) = done.findings.iter().find(|f| f.kind == FindingKind::Failed) {
            crate::error::say!("anubad: {}: {}", done.segment.source, failed.message);
        }
        let index = done.index as usize;
        texts[index] = done.segment.text.replace(['\n', '\r'], " ");
        made[index] = Some(done);
        true
    })?;
    if options.repair && !args.quiet {
        crate::error::say!(
            "anubad: {} of {} sentences had serious findings, {} after repair ({} translations)",
            stats.suspects,
            sources.len(),
            stats.left,
            stats.jobs
        );
    }
    if let Some(path) = &args.output {
        std::fs::write(path, texts.join("\n") + "\n").map_err(|e| Error::io(path, e))?;
    }
    Ok(System { name: loaded.translator.identity().id.clone(), texts, made })
}

fn measure(
    args: &EvalArgs,
    sources: Option<&[String]>,
    references: &[String],
    systems: &[System],
    checks: &CheckOptions,
) -> Report {
    let metrics = args.metric.iter().filter_map(|m| corpus_metric(*m, args.lowercase));
    let metrics: Vec<Box<dyn CorpusMetric>> = metrics.collect();
    let mut report = Report::new(references.len());
    // statistics of every sentence: [metric][system][sentence]
    let rows: Vec<Vec<Vec<Vec<f64>>>> = metrics
        .iter()
        .map(|metric| {
            let of = |s: &System| s.texts.iter().zip(references).map(|(h, r)| metric.statistics(h, &[r])).collect();
            systems.iter().map(of).collect()
        })
        .collect();
    for (i, system) in systems.iter().enumerate() {
        let mut out = SystemReport::new(system.name.clone());
        for (metric, rows) in metrics.iter().zip(&rows) {
            let total = sum(rows[i].iter().cloned());
            let (score, details) = (metric.score(&total), metric.details(&total));
            out.metrics.push(MetricReport {
                name: metric.name(),
                score,
                details,
                signature: metric.signature(1, None),
            });
        }
        if args.metric.contains(&Metric::Rouge) {
            let tokenizer = args.rouge_tokenizer.into();
            let scores: Vec<Rouge> =
                system.texts.iter().zip(references).map(|(h, r)| Rouge::score(r, h, tokenizer)).collect();
            out.metrics.extend(report::rouge(&Rouge::mean(&scores), args.rouge_tokenizer));
        }
        if let (Some(sources), false) = (sources, args.no_checks) {
            out.checks = Some(CheckRates::of(sources, &system.texts, checks));
        }
        if args.segments {
            out.segments = Some(segments(system, sources, references, checks));
        }
        report.systems.push(out);
    }
    if systems.len() == 2 {
        for (metric, rows) in metrics.iter().zip(&rows) {
            let result = paired_bootstrap(&**metric, &rows[0], &rows[1], args.bootstrap, args.seed);
            let signature = metric.signature(1, Some((args.bootstrap, args.seed)));
            report.paired.push(PairedReport { name: metric.name(), signature, result });
        }
    }
    report
}

fn corpus_metric(metric: Metric, lowercase: bool) -> Option<Box<dyn CorpusMetric>> {
    match metric {
        Metric::Bleu => Some(Box::new(Bleu { lowercase, ..Bleu::default() })),
        Metric::Chrf => Some(Box::new(Chrf { lowercase, ..Chrf::default() })),
        Metric::ChrfPlusPlus => Some(Box::new(Chrf { lowercase, ..Chrf::plus_plus() })),
        Metric::Rouge => None,
    }
}

fn segments(
    system: &System,
    sources: Option<&[String]>,
    references: &[String],
    checks: &CheckOptions,
) -> Vec<SegmentReport> {
    let chrf = Chrf::plus_plus();
    let model = ConfidenceModel::of(&system.name);
    (0..references.len())
        .map(|i| {
            let source = sources.map(|s| s[i].clone());
            let findings: Vec<Finding> =
                source.as_deref().map_or(Vec::new(), |s| check_segment(s, &system.texts[i], checks));
            let made = system.made[i].as_ref();
            let own = made.and_then(|made| features(&made.segment, &made.findings));
            SegmentReport {
                confidence: made.zip(model).and_then(|(made, model)| model.chance(&made.segment, &made.findings)),
                features: own.map(|own| NAMES.into_iter().zip(own).collect()),
                source,
                hypothesis: system.texts[i].clone(),
                reference: references[i].clone(),
                chrf: 100.0 * chrf.sentence(&system.texts[i], &references[i]),
                score: made.and_then(|made| made.segment.score),
                findings,
            }
        })
        .collect()
}
