//! What a page says, and that nothing in it comes alive.
use super::*;
use crate::article::{Block, BlockKind, Meta};
use crate::text::{FindingKind, Severity};
use scraper::{Html, Selector};

const HOSTILE: &str = "</textarea></style></script><script>alert(1)</script><img src=x onerror=alert(2)> \" onload='x' \u{202e}&amp;\u{0}";

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: text.into(), range: 0..0 }
}

fn segment(block: Option<usize>, sentence: usize, source: &str, text: &str, confidence: f32) -> TranslatedSegment {
    TranslatedSegment {
        block,
        sentence,
        range: 0..source.len(),
        source: source.into(),
        text: text.into(),
        score: Some(-1.0),
        confidence: Some(confidence),
        source_tokens: 3,
        target_tokens: 3,
        trace: Default::default(),
    }
}

fn finding(segment: Option<usize>, severity: Severity, message: &str) -> Finding {
    Finding { kind: FindingKind::NumberChanged, severity, segment, message: message.into() }
}

struct Sample {
    source: Article,
    english: Article,
    segments: Vec<TranslatedSegment>,
    findings: Vec<Finding>,
    model: ModelIdentity,
}

impl Sample {
    fn new(words: &str) -> Self {
        let item = |number| BlockKind::ListItem { depth: 1, number };
        let kinds = [
            BlockKind::Paragraph,
            BlockKind::Heading { level: 2 },
            item(None),
            item(Some(3)),
            BlockKind::Caption,
            BlockKind::TableRow,
            BlockKind::TableRow,
            BlockKind::Quote,
            BlockKind::Verbatim,
        ];
        let text = |kind: &BlockKind| if *kind == BlockKind::TableRow { format!("{words}\t12") } else { words.into() };
        let meta = Meta { date: Some(words.into()), url: Some(words.into()), ..Meta::default() };
        let article = |title: &str| Article {
            title: Some(title.into()),
            blocks: kinds.iter().map(|k| block(*k, &text(k))).collect(),
            meta: meta.clone(),
        };
        let mut segments = vec![segment(None, 0, words, words, 0.9)];
        segments.push(segment(Some(0), 0, words, "Five died.", 0.2));
        segments.push(segment(Some(0), 1, "দ্বিতীয়", words, 0.5));
        for at in 1..8 {
            segments.push(segment(Some(at), 0, words, words, 0.9));
        }
        let findings = vec![
            finding(None, Severity::Warning, words),
            finding(Some(2), Severity::Serious, words),
            finding(Some(8), Severity::Note, "in the table"),
        ];
        let model =
            ModelIdentity { id: words.into(), digest: "00".into(), architecture: "toy".into(), compute: "f32".into() };
        Self { source: article(words), english: article(words), segments, findings, model }
    }

    fn html(&self) -> String {
        let summary = [self.segments[0].source.clone()];
        let page = Page {
            source: &self.source,
            english: &self.english,
            segments: &self.segments,
            findings: &self.findings,
            headline: None,
            summary: &summary,
            method: Some("extractive"),
            model: &self.model,
            license: Some(&self.segments[0].source),
            translated: Some("2026-11-28"),
        };
        page.html()
    }
}

fn count(html: &Html, selector: &str) -> usize {
    html.select(&Selector::parse(selector).unwrap()).count()
}

fn text(html: &Html, selector: &str) -> String {
    html.select(&Selector::parse(selector).unwrap()).flat_map(|e| e.text()).collect()
}

#[test]
fn hostile_text_is_inert() {
    let page = Sample::new(HOSTILE).html();
    let html = Html::parse_document(&page);
    // nothing but the page's own elements, and no attribute that runs anything
    assert_eq!((count(&html, "script"), count(&html, "style"), count(&html, "img")), (1, 1, 0));
    for element in html.select(&Selector::parse("*").unwrap()) {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{value}");
        }
    }
    assert!(text(&html, "h1").contains("<script>alert(1)</script>"), "the title is shown as it is");
    assert!(!page.contains(['\u{202e}', '\u{0}']), "no controls, no turned text");
    assert!(text(&html, "#plain").contains("</textarea>"), "what is copied is the text itself");
}

#[test]
fn the_policy_allows_this_style_and_this_script_alone() {
    let page = Sample::new("ক").html();
    let html = Html::parse_document(&page);
    let meta = Selector::parse("meta[http-equiv]").unwrap();
    let given = html.select(&meta).next().unwrap().value().attr("content").unwrap();
    assert_eq!(given, policy(&[&text(&html, "style")], &[&text(&html, "script")]), "digests of what stands there");
    assert!(given.starts_with("default-src 'none'") && !given.contains("unsafe"), "{given}");
    let at = page.find("Content-Security-Policy").unwrap();
    assert!(at < page.find("<style").unwrap() && at < page.find("<title").unwrap(), "before all that it governs");
    // a digest that is known from elsewhere (printf '' | openssl dgst -sha256 -binary | base64)
    assert!(policy(&[""], &[]).contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
}

#[test]
fn sentences_stand_side_by_side_with_their_doubts() {
    let html = Html::parse_document(&Sample::new("বৃষ্টি").html());
    assert_eq!(count(&html, ".block .pair"), 8, "a row a sentence, the table's aside");
    assert_eq!(text(&html, ".pair.doubtful .en"), "Five died. doubtful 20%বৃষ্টি1 doubtful 50%");
    assert!(text(&html, ".verdict").starts_with("2 of 10 sentences are doubtful"), "{}", text(&html, ".verdict"));
    // every note can be reached from its sentence and back
    assert_eq!((count(&html, ".notes li"), count(&html, "sup a"), count(&html, ".notes li a")), (3, 2, 2));
    for link in html.select(&Selector::parse("a[href^='#']").unwrap()) {
        let id = &link.value().attr("href").unwrap()[1..];
        assert_eq!(count(&html, &format!("[id='{id}']")), 1, "{id}");
    }
    assert_eq!(count(&html, ".en sup"), 2, "the table's cell has its note");
    assert!(text(&html, ".notes").contains("Serious:") && !text(&html, ".notes").contains("NumberChanged"));
}

#[test]
fn the_structure_survives() {
    let html = Html::parse_document(&Sample::new("বৃষ্টি").html());
    let structure =
        [".block h2", "[role=list] > [role=listitem]", ".caption", "blockquote", "pre", "table.bn tr", "table.en th"];
    let counts: Vec<usize> = structure.iter().map(|s| count(&html, s)).collect();
    assert_eq!(counts, [1, 2, 1, 2, 2, 2, 2], "quotes and code stand on both sides");
    assert!(text(&html, ".item .en").contains("3. বৃষ্টি"));
    let clean = clean_html(&Sample::new("x").english);
    assert!(
        clean.contains(
            "<ul>\n<ul>\n<li>x</li>\n</ul>\n<ol>\n<li>x</li>\n</ol>\n</ul>\n<p><em>x</em></p>\n<table>\n<tr>"
        ),
        "{clean}"
    );
}

#[test]
fn an_index_lists_what_pages_say_of_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["000001-a.html", "000002-b.html"];
    for (name, words) in names.iter().zip(["Rain & \"storm\"", HOSTILE]) {
        std::fs::write(folder.path().join(name), Sample::new(words).html()).unwrap();
    }
    std::fs::write(folder.path().join("notes.html"), "<p>somebody else's</p>").unwrap();
    std::fs::write(folder.path().join("000003-c.html"), "not a page of ours").unwrap();
    let entries = entries(folder.path()).unwrap();
    assert_eq!(entries.iter().map(|e| e.file.as_str()).collect::<Vec<_>>(), names);
    assert_eq!((entries[0].title.as_str(), entries[0].doubtful, entries[0].sentences), ("Rain & \"storm\"", 2, 10));
    let page = index("News <&>", &entries);
    let html = Html::parse_document(&page);
    assert_eq!((count(&html, "tbody tr"), count(&html, "script"), count(&html, "img")), (2, 1, 0));
    assert_eq!(text(&html, "h1"), "News <&>");
    assert!(page.contains(&escape(&policy(&[&text(&html, "style")], &[&text(&html, "script")]))));
}
