//! The checks of a translation against tables of cases made by hand (`tests/it/tables`).
use anubad::check::{CheckOptions, check_article, check_names, check_numbers, check_segment};
use anubad::text::{Finding, FindingKind, Severity};

/// Rows of a table: fields separated by tabs, lines with # left out.
fn table(name: &str) -> Vec<Vec<String>> {
    let path = format!("{}/tests/it/tables/{name}.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    rows.map(|l| l.split('\t').map(str::to_string).collect()).collect()
}

/// The findings that say that something is wrong, in the table's words.
fn words(findings: &[Finding]) -> String {
    let word = |f: &Finding| match f.kind {
        FindingKind::NumberMissing => "missing",
        FindingKind::NumberChanged => "changed",
        FindingKind::NumberInvented => "invented",
        FindingKind::NameMissing => "missing",
        FindingKind::NameInvented => "invented",
        FindingKind::NameInconsistent => "inconsistent",
        FindingKind::GlossaryMissed => "glossary",
        _ => "other",
    };
    let mut words: Vec<&str> = findings.iter().filter(|f| f.severity > Severity::Note).map(word).collect();
    words.sort_unstable();
    if words.is_empty() { "ok".into() } else { words.join(",") }
}

/// Kinds of the findings above notes, as JSON has them.
fn kinds(findings: &[Finding]) -> String {
    let kind = |f: &Finding| serde_json::to_value(f.kind).unwrap().as_str().unwrap().to_string();
    let mut kinds: Vec<String> = findings.iter().filter(|f| f.severity > Severity::Note).map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() { "ok".into() } else { kinds.join(",") }
}

/// Compares every row and reports all that differ.
fn check_table(
    name: &str,
    at_least: usize,
    words: impl Fn(&[Finding]) -> String,
    check: impl Fn(&[String]) -> Vec<Finding>,
) {
    let rows = table(name);
    assert!(rows.len() >= at_least, "{name} has only {} cases", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let findings = check(row);
        let (got, wanted) = (words(&findings), row.last().unwrap());
        if got != *wanted {
            let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
            wrong.push(format!("{} | {}: {got}, not {wanted} {messages:?}", row[0], row[1]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn numbers() {
    check_table("numbers", 440, words, |row| check_numbers(&row[0], &row[1]).findings);
}

#[test]
fn names() {
    check_table("names", 100, words, |row| check_names(&row[0], &row[1]).findings);
}

#[test]
fn planted_faults_of_every_kind() {
    let options = CheckOptions::default();
    check_table("faults", 30, kinds, |row| check_segment(&row[0], &row[1], &options));
    let planted: Vec<String> = table("faults").into_iter().map(|row| row[2].clone()).collect();
    for kind in [
        "loop",
        "omission",
        "addition",
        "untranslated",
        "wrong_script",
        "length_ratio",
        "punctuation",
        "sentence_count",
    ] {
        assert!(planted.iter().any(|p| p == kind), "{kind} is not planted");
    }
}

#[test]
fn one_name_is_spelled_one_way_in_an_article() {
    let segments = [
        ("শেখ হাসিনা বলেন।", "Sheikh Hasina said."),
        ("হাসিনার সঙ্গে ছিলেন করিম।", "Karim was with Hassina."),
        ("হাসিনা চলে যান।", "Hasina left."),
        ("করিম থাকেন।", "Karim stays."),
    ];
    let findings = check_article(&segments, &CheckOptions::default());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].kind, findings[0].segment), (FindingKind::NameInconsistent, Some(1)));
    assert_eq!(findings[0].message, "হাসিনা is Hassina here and Hasina elsewhere in the article");
}
