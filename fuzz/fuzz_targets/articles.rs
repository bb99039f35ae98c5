//! One article in any format (the first byte chooses it): it is read and written without a panic, and nothing that a
//! terminal obeys comes out.
#![no_main]
use anubad::article::{BlockWriter, Format, ReadOptions, Style, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let format = [Some(Format::Html), Some(Format::Markdown), Some(Format::Plain), None][first as usize % 4];
    let options = ReadOptions { format, lossy: first & 4 != 0, bijoy: first & 8 != 0, ..ReadOptions::default() };
    let Ok(article) = parse(bytes, "a", &options) else { return };
    let style = if first & 16 != 0 { Style::Markdown } else { Style::Text };
    let mut writer = BlockWriter::new(Vec::new(), style);
    for block in &article.blocks {
        writer.block(block.kind, &block.text).expect("writes into memory");
    }
    let written = String::from_utf8(writer.finish().expect("writes into memory")).expect("text stays text");
    assert!(!written.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n')), "{written:?}");
});
