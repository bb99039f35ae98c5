//! `anubad model quantize`: a model's weights in fewer bits.
use crate::assembly::MANIFEST_KEY;
use crate::assembly::embedded;
use crate::hub::pull::human;
use crate::hub::{ModelKind, ResolveOptions, resolve};
use crate::model::quantize::{Report, Target, quantize, quantize_folder};
use crate::model::weights::gguf::Gguf;
use anyhow::{Context, ensure};
use candle_core::quantized::gguf_file::{Content, Value};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct QuantizeArgs {
    /// Model id, folder, GGUF file or Hub repository
    input: String,
    /// A .gguf file for a GGUF model; a new folder for a model in Hub layout
    output: PathBuf,
    /// What to store matrices as
    #[arg(long = "type", value_enum)]
    kind: Kind,
    /// Split into files of at most so many bytes (K, M and G are understood)
    #[arg(long, value_parser = parse_size)]
    shard_size: Option<u64>,
    /// Overwrite the output
    #[arg(long)]
    force: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    /// 8.5 bits a weight; next to no loss
    #[value(name = "q8_0")]
    Q8_0,
    /// 4.5 bits, blocks of 32
    #[value(name = "q4_0")]
    Q4_0,
    /// 5.5 bits, blocks of 32
    #[value(name = "q5_0")]
    Q5_0,
    /// 4.5 bits, blocks of 256
    #[value(name = "q4_k")]
    Q4K,
    /// 6.6 bits, blocks of 256
    #[value(name = "q6_k")]
    Q6K,
    /// What the int8 kernels compute with (stored as q8_0)
    Int8,
    /// Feed-forward layers in about 6 bits, the rest in 8.5
    Mixed,
}

fn parse_size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.trim_end_matches('B').trim_end_matches(['K', 'M', 'G']);
    let factor = match upper[digits.len()..].chars().next() {
        Some('K') => 1_000,
        Some('M') => 1_000_000,
        Some('G') => 1_000_000_000,
        _ => 1,
    };
    let value: f64 = digits.trim().parse().map_err(|_| format!("{text:?} is no size; write 95M, for instance"))?;
    if value * f64::from(factor) < 1.0 {
        Err("a shard needs room".into())
    } else {
        Ok((value * f64::from(factor)) as u64)
    }
}

/// Runs the command.
pub(super) fn run(args: QuantizeArgs) -> anyhow::Result<ExitCode> {
    let target = match args.kind {
        Kind::Q8_0 => Target::Q8_0,
        Kind::Q4_0 => Target::Q4_0,
        Kind::Q5_0 => Target::Q5_0,
        Kind::Q4K => Target::Q4K,
        Kind::Q6K => Target::Q6K,
        Kind::Int8 => Target::Int8,
        Kind::Mixed => Target::Mixed,
    };
    let model = resolve(&args.input, &ResolveOptions::default())?;
    ensure!(
        args.force || !args.output.exists(),
        "{}: is there already; give --force to overwrite it",
        args.output.display()
    );
    let known = model.manifest.as_ref().map(|manifest| manifest.id.as_str());
    let report = match model.kind {
        ModelKind::Embedded => from_gguf(&embedded::open()?, known, target, &args)?,
        ModelKind::Gguf => from_gguf(&Gguf::open(&model.path)?, known, target, &args)?,
        ModelKind::Folder => {
            let into_file = args.output.extension().is_some_and(|e| e == "gguf");
            ensure!(!into_file, "{}: the model's tokenizer and config go along; give a folder", args.output.display());
            ensure!(args.shard_size.is_none(), "--shard-size is for GGUF models; a folder's weights stay in one file");
            quantize_folder(&model.path, target, &args.output)?
        }
    };
    print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// `known` is the id of the manifest that the model goes by; it is written into the file.
fn from_gguf(source: &Gguf, known: Option<&str>, target: Target, args: &QuantizeArgs) -> anyhow::Result<Report> {
    ensure!(
        args.output.extension().is_some_and(|e| e == "gguf"),
        "{}: the output of a GGUF model is a GGUF file; give it a name that ends in .gguf",
        args.output.display()
    );
    // candle's reader keeps the type of every value, which llama.cpp insists on.
    let first = source.shards().next().unwrap_or_default();
    let content = Content::read(&mut std::io::Cursor::new(first)).with_context(|| source.name.clone())?;
    let mut metadata: Vec<(String, Value)> = content.metadata.into_iter().collect();
    if let Some(id) = known {
        metadata.retain(|(key, _)| key != MANIFEST_KEY);
        metadata.push((MANIFEST_KEY.into(), Value::String(id.into())));
    }
    // llama.cpp's own tools write the architecture first; the rest in the order of the alphabet.
    metadata.sort_by(|a, b| (a.0 != "general.architecture", &a.0).cmp(&(b.0 != "general.architecture", &b.0)));
    Ok(quantize(source, metadata, target, &args.output, args.shard_size, &mut |_| {})?)
}

fn print(report: &Report, as_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if as_json {
        let types =
            report.types.iter().map(|(name, count, bytes)| json!({ "type": name, "tensors": count, "bytes": bytes }));
        let value = json!({
            "version": 1,
            "files": report.files,
            "tensors": report.tensors,
            "types": types.collect::<Vec<_>>(),
            "fallbacks": report.fallbacks,
            "dropped": report.dropped,
            "bytes_before": report.bytes_before,
            "bytes_after": report.bytes_after,
        });
        writeln!(out, "{value:#}")?;
        return Ok(());
    }
    for (name, count, bytes) in &report.types {
        writeln!(out, "{name:<5} {count:>5} tensors  {}", human(*bytes))?;
    }
    writeln!(out, "{} before, {} after", human(report.bytes_before), human(report.bytes_after))?;
    for file in &report.files {
        writeln!(out, "{} ({})", file.display(), human(file.metadata().map_or(0, |m| m.len())))?;
    }
    for (what, lines) in [("not as asked", &report.fallbacks), ("left out", &report.dropped)] {
        if let Some(first) = lines.first() {
            let more = if lines.len() > 1 {
                format!(" (and {} more; --json lists them)", lines.len() - 1)
            } else {
                String::new()
            };
            crate::error::say!("{what}: {first}{more}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("95M"), Ok(95_000_000));
        assert_eq!(parse_size("1.5gb"), Ok(1_500_000_000));
        assert_eq!(parse_size("4096"), Ok(4096));
        assert!(parse_size("big").is_err() && parse_size("0").is_err());
    }
}
