//! An article from a file, its English on standard output, and what the checks doubt.
//!
//! `cargo run --release --example article -- samples/lavrov.txt`
use anubad::Translator;
use anubad::article::{ReadOptions, read};

fn main() -> Result<(), anubad::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "samples/lavrov.txt".into());
    let article = read(&path, &ReadOptions::default())?;
    let translation = Translator::builder().build()?.translate(&article)?;
    if let Some(title) = &translation.article.title {
        println!("{title}\n");
    }
    for block in &translation.article.blocks {
        println!("{}\n", block.text);
    }
    for finding in &translation.findings {
        eprintln!("{}: {}", finding.severity.name(), finding.message);
    }
    Ok(())
}
