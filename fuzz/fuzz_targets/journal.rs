//! A journal, and what was finished before its turn, of somebody else: a run on top of them ends, with an error or not,
//! and touches nothing beside its own output. Each line gets its checksum here, which no fuzzer would find.
#![no_main]
use anubad::bulk::{self, BulkOptions, OutputFormat, Resume, Stop};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../src/bulk/toy.rs"]
mod toy;

const FEED: &str = "{\"body\": \"আজ বৃষ্টি হয়েছে।\"}\nnot json\n{\"body\": \"কাল রোদ হবে।\"}\n";

fn with_checksums(lines: &str) -> String {
    let line = |line: &str| {
        let mut crc = flate2::Crc::new();
        crc.update(line.as_bytes());
        format!("{:08x} {line}\n", crc.sum())
    };
    lines.lines().map(line).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let (log, ahead) = text.split_once("\n\n").unwrap_or((text, ""));
    std::fs::create_dir(at("out.journal")).expect("a temporary folder");
    for (name, content) in [
        ("feed.jsonl", FEED.to_owned()),
        ("victim", "untouched".into()),
        ("out.journal/log", with_checksums(log)),
        ("out.journal/ahead", with_checksums(ahead)),
    ] {
        std::fs::write(at(name), content).expect("a temporary file");
    }
    let format = if first & 1 != 0 { OutputFormat::Markdown } else { OutputFormat::Jsonl };
    let resume = [Resume::Auto, Resume::Anyway, Resume::RetryErrors, Resume::Fresh][usize::from(first >> 1) % 4];
    let (input, output) = (vec![at("feed.jsonl")], at("out"));
    let options = BulkOptions { input, output, format, resume, ..BulkOptions::default() };
    let _ = bulk::run(&toy::Toy::new(), &toy::ToySteps, &options, &Stop::default());
    assert_eq!(std::fs::read(at("victim")).expect("it is still there"), b"untouched");
    assert_eq!(std::fs::read_to_string(at("feed.jsonl")).expect("it is still there"), FEED);
});
