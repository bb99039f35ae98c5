//! Bengali lines as the built-in model sees them, for training: each line in canonical form, a tab, and the same with known
//! names and digits in Latin letters.
//!
//! `cargo run --release --example prepare < bengali.txt > prepared.tsv`
use anubad::hints::SourceStep;
use anubad::lang::normalize;
use std::borrow::Cow;
use std::io::{BufRead, BufWriter, Write};

fn main() -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let canonical = normalize::canonical(&line?);
        let steps = [SourceStep::LatinNames, SourceStep::LatinDigits];
        let prepared = steps.iter().fold(Cow::Borrowed(canonical.as_str()), |text, step| step.apply(text));
        writeln!(out, "{canonical}\t{prepared}")?;
    }
    out.flush()
}
