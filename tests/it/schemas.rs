//! What the program writes is what `docs/schemas` says, on real runs. (That the schemas have every field of the types, and
//! no other, is a test of `src/cli/schema_tests.rs`.)
use super::schema_check::Schema;
use assert_cmd::Command;
use serde_json::Value;

fn anubad(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::cargo_bin("anubad").unwrap();
    command.env_remove("ANUBAD_MODEL").env("HF_HUB_OFFLINE", "1").args(arguments);
    command.output().unwrap().stdout
}

fn holds(schema: &str, json: &[u8]) {
    let value: Value = serde_json::from_slice(json).unwrap_or_else(|e| panic!("{schema}: {e}"));
    let complaints = Schema::read(schema).complaints(&value);
    assert!(complaints.is_empty(), "{schema}:\n{}", complaints.join("\n"));
}

#[test]
fn articles_and_summaries_are_as_their_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.html");
    let page =
        "<h1>ঢাকায় বৃষ্টি</h1><p>ঢাকায় আজ ২৫ মিলিমিটার বৃষ্টি হয়েছে। তাপমাত্রা ছিল ২৫ ডিগ্রি।</p><ol><li>সড়কে পানি জমেছে।</li></ol>";
    std::fs::write(&file, page).unwrap();
    let file = file.to_str().unwrap();
    holds("translation", &anubad(&["translate", "--quality", "draft", "--format", "json", file]));
    holds("summary", &anubad(&["summarize", "--quality", "draft", "--format", "json", file]));
}

#[test]
fn bulk_runs_are_as_their_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let good = r#"{"id": "a", "date": "2025-03-01", "title": "ঢাকায় বৃষ্টি", "body": "ঢাকায় আজ বৃষ্টি হয়েছে।", "desk": 7}"#;
    std::fs::write(path("in.jsonl"), format!("{good}\n{{\"id\": \"b\"}}\n")).unwrap();
    let (out, report) = (path("out.jsonl"), path("report.json"));
    let options = ["--quality", "draft", "--include-source", "--quiet", "--report"];
    anubad(&[&["bulk", &path("in.jsonl"), "-o", &out][..], &options, &[&report]].concat());
    holds("bulk-record", &std::fs::read(&out).unwrap());
    holds("bulk-error", &std::fs::read(format!("{out}.errors.jsonl")).unwrap());
    holds("bulk-report", &std::fs::read(&report).unwrap());
}

#[test]
fn what_breaks_a_schema_is_found() {
    let mut schema = Schema::read("bulk-error");
    let good = serde_json::json!({"n": 1, "error": "e", "place": {"file": "f"}});
    assert_eq!(schema.complaints(&good), [""; 0]);
    for bad in [
        serde_json::json!({"n": 1, "error": "e"}),
        serde_json::json!({"n": -1, "error": "e", "place": {"file": "f"}}),
        serde_json::json!({"n": 1, "error": "e", "place": {"file": 7}}),
        serde_json::json!({"n": 1, "error": "e", "place": {"file": "f"}, "more": 1}),
    ] {
        assert_eq!(schema.complaints(&bad).len(), 1, "{bad}");
    }
}
