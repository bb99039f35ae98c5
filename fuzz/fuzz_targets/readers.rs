//! Any bytes under any name (the first byte chooses it): the readers never panic, never hang, and hand out entries that can be converted.
#![no_main]
use anubad::feed::{MAX_ENTRY, ReadOptions, read_bytes, to_article};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 14] = [
    "f.rss", "f.atom", "f.json", "f.jsonl", "f.csv", "f.tsv", "f.html", "f.md", "f.txt", "f.gz", "f.zst", "f.bz2", "f.zip",
    "f.tar",
];

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let name = NAMES[first as usize % NAMES.len()];
    let max_entry = if first >= 128 { 200 } else { MAX_ENTRY };
    let options = ReadOptions { max_entry, ..ReadOptions::default() };
    for entry in read_bytes(name, bytes, &options).into_iter().flatten() {
        assert!(entry.body.len() <= 8 * max_entry.max(bytes.len()) + 64);
        let _ = to_article(entry);
    }
});
