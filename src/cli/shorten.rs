//! `anubad summarize --shorten --lines`: each English line in its short form.
use super::common::ModelArgs;
use crate::Error;
use crate::error::SettingsError;
use crate::summary::shorten::{Shorten, ShortenOptions, Shortener};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lines that go through the model together.
const TOGETHER: usize = 256;

/// Runs the command: one line in, one line out; empty lines stay empty.
pub(super) fn run(files: &[PathBuf], model: &ModelArgs, protect: bool, quiet: bool) -> anyhow::Result<ExitCode> {
    let opened = model.open(quiet)?;
    let mut options = ShortenOptions { protect, ..ShortenOptions::default() };
    options.beams = model.beam.unwrap_or(options.beams);
    options.length_penalty = model.length_penalty.unwrap_or(options.length_penalty);
    let shortener = Shortener::of(&opened, model.engine_options()?, options)?;
    let shortener = shortener.ok_or_else(|| no_task(&opened.identity.id))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for file in files {
        shorten(file, &shortener, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shorten(file: &Path, shortener: &Shortener, out: &mut impl Write) -> anyhow::Result<()> {
    let input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::io::BufReader::new(std::fs::File::open(file).map_err(|e| Error::io(file, e))?))
    };
    let mut lines = input.lines();
    loop {
        let batch: Vec<String> =
            lines.by_ref().take(TOGETHER).collect::<std::io::Result<_>>().map_err(|e| Error::io(file, e))?;
        if batch.is_empty() {
            return Ok(());
        }
        for line in shortener.shorten(&batch, None)? {
            writeln!(out, "{}", line.text)?;
        }
        out.flush()?;
    }
}

fn no_task(model: &str) -> Error {
    Error::Settings(SettingsError::Missing(format!(
        "{model} has not learned to shorten sentences; name a model whose manifest has a [shorten] section with --model"
    )))
}
