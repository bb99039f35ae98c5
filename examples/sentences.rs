//! A stream of sentences, one a line on standard input, each printed as soon as it is done.
//!
//! `printf 'আমি ভাত খাই।\nতারা ভালো আছেন।\n' | cargo run --release --example sentences`
use anubad::Translator;
use anubad::pipeline::Quality;
use std::io::{BufRead, BufReader};

fn main() -> Result<(), anubad::Error> {
    let translator = Translator::builder().quality(Quality::Standard).build()?;
    let lines = BufReader::new(std::io::stdin()).lines().map_while(Result::ok);
    translator.sentences(lines, |done| {
        // The index says which sentence it is: a short one may overtake a long one.
        println!("{}\t{}", done.index + 1, done.segment.text);
        true
    })
}
