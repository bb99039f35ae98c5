//! Whole runs of the program under what users' systems do to it: closed outputs, limits, pipes as files, deleted outputs.
#![cfg(target_os = "linux")]
use std::path::Path;
use std::process::Output;

const PROGRAM: &str = env!("CARGO_BIN_EXE_anubad");
const NEWS: &str = "ঢাকায় আজ বৃষ্টি হয়েছে। পেঁয়াজ ১২০ টাকায় বিক্রি হচ্ছে।";

/// A shell command in a folder of its own with an article and a feed; `$P` is the program.
fn sh(command: &str) -> (tempfile::TempDir, Output) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), NEWS).unwrap();
    std::fs::write(dir.path().join("f.jsonl"), format!("{{\"title\": \"খবর\", \"body\": \"{NEWS}\"}}\n")).unwrap();
    let output = std::process::Command::new("bash")
        .args(["-c", command])
        .current_dir(dir.path())
        .env("P", PROGRAM)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    (dir, output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_closed_standard_output_is_an_error() {
    for command in ["\"$P\" translate a.txt >&-", "\"$P\" bulk f.jsonl -o - >&-"] {
        let (_dir, output) = sh(command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(text(&output.stderr).contains("standard output is closed"), "{}", text(&output.stderr));
    }
}

#[test]
fn too_little_memory_is_a_sentence() {
    let (_dir, output) = sh("ulimit -v 800000; exec \"$P\" translate a.txt");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("not enough memory"), "{}", text(&output.stderr));
}

#[test]
fn pipes_and_devices_are_outputs() {
    let (dir, output) = sh("mkfifo pipe; cat pipe > got & \"$P\" bulk f.jsonl -o pipe -q --no-summary; wait; cat got");
    assert!(text(&output.stdout).contains("120 taka"), "{} {}", text(&output.stdout), text(&output.stderr));
    assert!(!dir.path().join("pipe.journal").exists());
    let (_dir, output) = sh("\"$P\" bulk f.jsonl -o /dev/stdout -q --no-summary");
    assert!(text(&output.stdout).starts_with("{\"n\":1"), "{}", text(&output.stderr));
}

#[test]
fn an_archive_of_dot_is_read_and_an_empty_result_is_no_success() {
    let (_dir, output) = sh("mkdir in; mv a.txt in; tar -C in -cf x.tar .; \"$P\" bulk x.tar -o - -q --no-summary");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let (_dir, output) = sh("mkdir in; touch in/a.png; tar -cf x.tar in; \"$P\" bulk x.tar -o out.jsonl -q");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(Path::new(PROGRAM).exists());
}
