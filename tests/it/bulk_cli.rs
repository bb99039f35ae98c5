//! `anubad bulk` as a user or an engine like Spark meets it: arguments, exit codes, standard input and output. One
//! run with the default model; what the job does in all its cases is tested with a toy.
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn anubad(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anubad"));
    command.arg("bulk").args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let cases: [&[&str]; 7] = [
        &["--sample", "2"],
        &["--since", "yesterday"],
        &["--fields", "titel=a"],
        &["--fresh", "--resume-anyway"],
        &["--memory", "lots"],
        &["--fsync", "sometimes"],
        &["--sentences", "0"],
    ];
    for arguments in cases {
        let output = anubad(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(arguments[0]), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn what_cannot_work_is_said_in_one_line_before_the_model_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let feed = dir.path().join("feed.jsonl");
    std::fs::write(&feed, "{}\n").unwrap();
    let feed = feed.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 4] = [
        (&[feed, "-o", "out.jsonl.bz2"], 2, "end the name in .gz or .zst"),
        (&["no/such/feed.rss", "-o", "out"], 1, "no/such/feed.rss: no such file or folder"),
        (&[feed, "--format", "markdown"], 2, "name an output with -o"),
        (&[feed, "--retry-errors"], 2, "name it with -o"),
    ];
    for (arguments, code, want) in cases {
        let output = anubad(arguments).env("ANUBAD_MODEL", "no/such/model.gguf").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(said(&output).contains(want) && said(&output).lines().count() == 1, "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty());
    }
}

/// What Spark relies on: a line out for each line in, in order, errors in their places, exit code 3.
#[test]
fn lines_in_lines_out_with_the_default_model() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"id\": \"a\", \"title\": \"বৃষ্টি\", \"body\": \"আজ বৃষ্টি হয়েছে।\", \"tag\": 1}\nnot json\n\n{\"id\": \"c\", \"body\": \"আজ বৃষ্টি হয়েছে।\"}\n";
    let cache = dir.path().join("cache");
    let arguments = ["-", "--quiet", "--input-format", "jsonl", "--cache", cache.to_str().unwrap()];
    let mut child =
        anubad(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let records: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(records.iter().map(|r| r["n"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(records[1]["error"].as_str().unwrap().contains("not valid JSON"), "{:?}", records[1]);
    for (i, id) in [(0, "a"), (2, "c")] {
        let text = records[i]["text"].as_str().unwrap();
        assert_eq!(records[i]["id"], id);
        assert!(text.to_lowercase().contains("rain"), "{text}");
    }
    assert_eq!((&records[0]["extra"]["tag"], &records[0]["text"]), (&1.into(), &records[2]["text"]));

    // The same through files: an RSS feed that a feed reader reads, from the cache this time.
    let feed = dir.path().join("feed.jsonl");
    std::fs::write(&feed, lines).unwrap();
    let out = dir.path().join("out.rss");
    let report = dir.path().join("report.json");
    let output = anubad(&[feed.to_str().unwrap(), "-o", out.to_str().unwrap(), "--cache", cache.to_str().unwrap()])
        .args(["--report", report.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("2 written, 1 failed") && said(&output).contains("--retry-errors"),
        "{}",
        said(&output)
    );
    let feed = feed_rs::parser::parse(&std::fs::read(&out).unwrap()[..]).unwrap();
    assert_eq!(feed.entries.len(), 2);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["complete"], true);
    assert!(report["sentences_reused"].as_u64().unwrap() >= 2, "{report}");
}
