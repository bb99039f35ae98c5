//! A document of any kind (the first byte chooses it, except PDF, which another program reads).
#![no_main]
use anubad::article::ReadOptions;
use anubad::document::{Kind, read};
use libfuzzer_sys::fuzz_target;

const KINDS: [Kind; 5] = [Kind::Docx, Kind::Odt, Kind::Epub, Kind::Srt, Kind::Vtt];

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let _ = read(bytes, "d", KINDS[first as usize % KINDS.len()], &ReadOptions::default(), first >= 128);
});
