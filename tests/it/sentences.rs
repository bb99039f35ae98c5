//! The sentence splitter against a table of cases, and against whole articles.
use anubad::text::sentence;

/// The table's placeholders for characters that an editor would not show.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("{ZWJ}", "\u{200d}"),
    ("{ZWNJ}", "\u{200c}"),
    ("{ZWSP}", "\u{200b}"),
    ("{NBSP}", "\u{a0}"),
    ("{NL}", "\n"),
    ("{NUKTA}", "\u{9bc}"),
];

#[test]
fn table() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for (number, line) in include_str!("sentence_cases.tsv").lines().enumerate().filter(|(_, l)| !l.starts_with('#')) {
        let (group, marked) = line.split_once('\t').expect("two columns");
        let marked = PLACEHOLDERS.iter().fold(marked.to_string(), |text, (name, c)| text.replace(name, c));
        let text = marked.replace('¶', "");
        let expected: Vec<&str> = marked.split('¶').map(str::trim).filter(|piece| !piece.is_empty()).collect();
        let found = sentence::sentences(&text);
        if found != expected {
            wrong.push(format!("line {} ({group}):\n  expected {expected:?}\n  found    {found:?}", number + 1));
        }
        cases += 1;
    }
    assert!(cases >= 150, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whole articles: every character that is no white space lies in exactly one sentence, and no sentence is absurd.
#[test]
#[ignore = "needs ANUBAD_TEST_DATA: scripts/test-external"]
fn external_whole_articles() {
    let lines = super::external::text("articles_bnlpc.jsonl");
    let mut total = 0;
    for line in lines.lines() {
        let article: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let body = article["body"].as_str().expect("text");
        let pieces = sentence::sentences(body);
        let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(squeeze(&pieces.concat()), squeeze(body));
        let dandas = body.matches('।').count();
        assert!(
            pieces.len() * 2 >= dandas && pieces.len() <= dandas + 20,
            "{}: {} for {dandas}",
            article["id"],
            pieces.len()
        );
        total += pieces.len();
    }
    assert!(total > 2000, "{total}");
}
