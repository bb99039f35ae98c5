//! The checks of a translation against tables of cases made by hand (`tests/it/tables`).
use anubad::text::check::{CheckOptions, check_article, check_names, check_numbers};
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

/// Compares every row and reports all that differ.
fn check_table(name: &str, at_least: usize, check: impl Fn(&[String]) -> Vec<Finding>) {
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
    check_table("numbers", 300, |row| check_numbers(&row[0], &row[1]).findings);
}

#[test]
fn names() {
    check_table("names", 100, |row| check_names(&row[0], &row[1]).findings);
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
