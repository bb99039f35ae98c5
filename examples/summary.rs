//! A summary of an article in at most two sentences.
//!
//! `cargo run --release --example summary -- samples/lavrov.txt`
use anubad::Translator;
use anubad::article::{ReadOptions, read};
use anubad::summary::{Length, SummaryOptions};

fn main() -> Result<(), anubad::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "samples/lavrov.txt".into());
    let article = read(&path, &ReadOptions::default())?;
    let options = SummaryOptions { length: Length::Sentences(2), ..SummaryOptions::default() };
    let translation = Translator::builder().summary(options).build()?.translate(&article)?;
    if let Some(summary) = &translation.summary {
        println!("{}", summary.text());
        for finding in &summary.findings {
            eprintln!("{}: {}", finding.severity.name(), finding.message);
        }
    }
    Ok(())
}
