//! The program as a user runs it: output on stdout, one-line errors on stderr, exit codes.
use assert_cmd::Command;
use std::io::Write;
use std::path::Path;

fn anubad() -> Command {
    let mut command = Command::cargo_bin("anubad").unwrap();
    command.env_remove("ANUBAD_MODEL").env("HF_HUB_OFFLINE", "1").env("NO_COLOR", "1");
    command
}

/// Runs with arguments and standard input: (exit code, stdout, stderr).
fn run(args: &[&str], input: &[u8]) -> (i32, String, String) {
    let output = anubad().args(args).write_stdin(input).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn sample() -> String {
    format!("{}/samples/lavrov.txt", env!("CARGO_MANIFEST_DIR"))
}

/// An error: the exit code, nothing on stdout, one line on stderr with all of `parts`.
fn fails(args: &[&str], input: &[u8], code: i32, parts: &[&str]) {
    let (got, stdout, stderr) = run(args, input);
    assert_eq!(got, code, "{args:?}: {stderr}");
    assert_eq!(stdout, "", "{args:?}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{args:?}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{args:?}: {stderr} lacks {part}");
    }
}

#[test]
fn an_article_comes_out_with_its_paragraphs_and_a_summary() {
    let (code, stdout, _) = run(&["translate", &sample()], b"");
    assert_eq!(code, 0);
    let source = std::fs::read_to_string(sample()).unwrap();
    // The comment form at its end is furniture; the source line stays.
    assert!(source.contains("Leave a Reply") || source.contains("required"), "the sample has furniture");
    assert!(!stdout.contains("Required fields") && !stdout.contains("Leave a Reply"), "{stdout}");
    assert!(stdout.contains("Source: CNN"), "{stdout}");
    assert!(stdout.contains("Summary"), "{stdout}");
    assert!(!stdout.chars().any(|c| ('\u{980}'..='\u{9ff}').contains(&c)), "Bengali left over: {stdout}");
    assert!(stdout.contains("North Korea") && stdout.split("\n\n").count() > 12, "{stdout}");
}

#[test]
fn json_carries_schema_segments_model_and_timings() {
    let (code, stdout, _) = run(&["translate", "--format", "json", &sample()], b"");
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert!(json["segments"].as_array().unwrap().len() > 20);
    for segment in json["segments"].as_array().unwrap() {
        assert!(segment["source"].as_str().is_some_and(|s| !s.is_empty()));
        assert!(segment["score"].is_null() || segment["score"].as_f64().unwrap() <= 0.0);
    }
    assert_eq!(json["model"]["id"], "anubad-270m-bn-en");
    assert!(json["timings"]["translate_s"].as_f64().unwrap() > 0.0);
    let sentences = json["summary"]["sentences"].as_array().unwrap().len();
    assert!((2..=3).contains(&sentences), "{sentences} sentences");
}

#[test]
fn lines_in_are_lines_out() {
    let input = "তারা শেখ হাসিনার সুস্বাস্থ্য ও দীর্ঘায়ু কামনা করেন।\n\nAlready English.\nতারা ভালো আছেন।";
    let (code, stdout, stderr) = run(&["translate", "--lines"], input.as_bytes());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{stdout}");
    assert!(!lines[0].is_empty() && !lines[3].is_empty());
    assert_eq!((lines[1], lines[2]), ("", "Already English."));
    let (_, alone, _) = run(&["translate", "--lines", "--threads", "1"], "তারা ভালো আছেন।\n".as_bytes());
    assert_eq!(alone.trim(), lines[3], "a sentence does not depend on its company");
}

#[test]
fn lines_are_checked_and_repaired_in_their_order() {
    let rate = "পরীক্ষায় পাসের হার ৭৮.৩৬ শতাংশ থেকে কমে ৭৩.৯১ শতাংশ হয়েছে এবং জিপিএ-৫ পেয়েছে ২৯ হাজার ২৬২ জন।";
    let input = format!("{rate}\nতারা ভালো আছেন।\n");
    let (code, raw, stderr) = run(&["translate", "--lines", "--quality", "draft", "--strict", "-v"], input.as_bytes());
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("line 1: ") && stderr.contains("29262") && stderr.contains("(serious)"), "{stderr}");
    let (code, repaired, stderr) =
        run(&["translate", "--lines", "--quality", "standard", "--strict"], input.as_bytes());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (raw, repaired): (Vec<_>, Vec<_>) = (raw.lines().collect(), repaired.lines().collect());
    assert_eq!((raw.len(), repaired.len()), (2, 2));
    assert!(!raw[0].contains("29,262") && repaired[0].contains("29,262"), "{raw:?} {repaired:?}");
    assert_eq!(raw[1], repaired[1]);
}

#[test]
fn a_sentence_longer_than_the_model_takes_is_not_cut() {
    let long = "রাশিয়ার পররাষ্ট্রমন্ত্রী উত্তর কোরিয়া সফরে যাচ্ছেন এবং ".repeat(24) + "১৯৭১ সালে যুদ্ধ শেষ হয়।";
    let (code, stdout, _) = run(&["translate", "--format", "json", "--no-summary"], long.as_bytes());
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert!(stdout.contains("split_segment"), "{stdout}");
    assert!(
        json["segments"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().contains("1971"),
        "{stdout}"
    );
}

#[test]
fn bad_input_is_one_line_with_its_place_and_remedy() {
    fails(&["translate", "/no/such/file.txt"], b"", 1, &["/no/such/file.txt", "no such file"]);
    fails(&["translate", env!("CARGO_MANIFEST_DIR")], b"", 1, &["folder", "bulk"]);
    fails(&["translate"], b"", 1, &["standard input", "empty"]);
    fails(&["translate"], b" \n\t\n", 1, &["standard input"]);
    fails(&["translate"], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, &["standard input"]);
    fails(&["translate"], "ভালো \u{0}".as_bytes(), 1, &["standard input"]);
    fails(&["translate"], b"\xe0\xa6\xad\xff\xfe", 1, &["byte 3", "--lossy"]);
    fails(&["translate"], b"Nothing but English here.", 1, &["no Bengali"]);
    fails(&["translate", "--beam", "0", &sample()], b"", 2, &["--beam 0"]);
    fails(&["translate", "--compute", "int3", &sample()], b"", 2, &["int8"]);
    fails(&["translate", "--device", "gpu", &sample()], b"", 2, &["cuda"]);
    fails(&["translate", "--model", "no-such-model", &sample()], b"", 1, &["no-such-model", "anubad model list"]);
    fails(
        &["translate", "--model", "nllb-200-distilled-600m", &sample()],
        b"",
        1,
        &["anubad model pull nllb-200-distilled-600m"],
    );
    if !candle_core::utils::cuda_is_available() {
        fails(&["translate", "--device", "cuda", &sample()], b"", 2, &["no CUDA", "--device cpu"]);
    }
    let (code, _, stderr) = run(&["translate", "--sentences", "0", &sample()], b"");
    assert!(code == 2 && stderr.contains("--no-summary"), "{stderr}");
    assert_eq!(run(&["translate", "--no-such-option"], b"").0, 2);
}

#[test]
fn bad_bytes_can_be_replaced_and_utf16_is_read() {
    let mut lossy = "তারা ভালো আছেন।".as_bytes().to_vec();
    lossy.extend(b"\xff\xfe");
    let (code, stdout, _) = run(&["translate", "--lossy", "--no-summary"], &lossy);
    assert!(code == 0 && !stdout.trim().is_empty());
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain("তারা ভালো আছেন।".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (code, stdout, _) = run(&["translate", "--no-summary"], &utf16);
    assert!(code == 0 && !stdout.trim().is_empty());
}

#[test]
fn hostile_model_files_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let shard = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf");
    let whole = std::fs::read(shard).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path.display().to_string()
    };
    let mut counts = whole[..4096].to_vec();
    counts[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    let cases = [
        (write("magic.gguf", b"PK\x03\x04 this is a zip"), "not a GGUF file"),
        (write("empty.gguf", b""), "empty"),
        (write("cut.gguf", &whole[..100_000]), "download it again"),
        (write("counts.gguf", &counts), "damaged"),
        (write("first-00001-of-00002.gguf", &whole), "first-00002-of-00002.gguf"),
        (write("renamed.gguf", &whole), "one of 2 parts"),
    ];
    for (path, part) in &cases {
        fails(&["translate", "--model", path, &sample()], b"", 1, &[part]);
    }
}

#[test]
fn version_completions_and_manual() {
    let (code, stdout, _) = run(&["-V"], b"");
    assert!(code == 0 && stdout.contains(env!("CARGO_PKG_VERSION")) && stdout.contains("kernels: "), "{stdout}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell], b"").1.contains("anubad"));
    }
    assert!(run(&["man"], b"").1.contains(".TH anubad"));
}
