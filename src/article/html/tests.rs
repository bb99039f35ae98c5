use super::*;
use crate::article::BlockKind;
use proptest::prelude::*;

fn outline(html: &str) -> Vec<(BlockKind, String)> {
    extract(html, &ReadOptions::default()).blocks.into_iter().map(|b| (b.kind, b.text)).collect()
}

fn texts(html: &str) -> Vec<String> {
    outline(html).into_iter().map(|(_, text)| text).collect()
}

const BODY: &str = "<p>রাজধানী ঢাকায় আজ সকালে ভারী বৃষ্টি হয়েছে, বিভিন্ন সড়কে পানি জমেছে।</p><p>আবহাওয়া অধিদপ্তর জানিয়েছে, আগামী দুই দিন বৃষ্টি থাকবে।</p>";

#[test]
fn structure_of_a_fragment() {
    let item = |depth, number| BlockKind::ListItem { depth, number };
    let html = "<h2>দুই</h2><p>এক <b>দুই</b> <a href=x>তিন</a>&nbsp;&amp; চার।</p><ul><li>ক<ol start=3><li>খ</li><li>গ</ol></li><li><p>ঘ</p></li></ul>\
        <blockquote><p>উদ্ধৃতি।</p></blockquote><figure><img src=a><figcaption>ছবির কথা</figcaption></figure>\
        <table><tr><th>সাল</th><th>ধান</th></tr><tr><td><p>২০২৪</p></td><td>১২</td></tr></table><pre>ls  -l</pre>";
    assert_eq!(
        outline(html),
        [
            (BlockKind::Heading { level: 2 }, "দুই".into()),
            (BlockKind::Paragraph, "এক দুই তিন & চার।".into()),
            (item(0, None), "ক".into()),
            (item(1, Some(3)), "খ".into()),
            (item(1, Some(4)), "গ".into()),
            (item(0, None), "ঘ".into()),
            (BlockKind::Quote, "উদ্ধৃতি।".into()),
            (BlockKind::Caption, "ছবির কথা".into()),
            (BlockKind::TableRow, "সাল\tধান".into()),
            (BlockKind::TableRow, "২০২৪\t১২".into()),
            (BlockKind::Verbatim, "ls  -l".into()),
        ]
    );
}

#[test]
fn line_breaks() {
    assert_eq!(texts("প্রথম বাক্য।<br>দ্বিতীয় বাক্য।<br><br>তৃতীয়<br>বাক্য।"), ["প্রথম বাক্য।", "দ্বিতীয় বাক্য।", "তৃতীয় বাক্য।"]);
    assert_eq!(texts("<p>এক<p>দুই<div>তিন</div>চার"), ["এক", "দুই", "তিন", "চার"]);
}

#[test]
fn layout_tables_are_paragraphs() {
    assert_eq!(texts("<table><tr><td><p>এক।</p><p>দুই।</p></td></tr></table>"), ["এক।", "দুই।"]);
    assert_eq!(
        texts("<table><tr><td>পাশ</td><td><table><tr><td>ক</td><td>খ</td></tr></table></td></tr></table>"),
        ["পাশ", "ক\tখ"]
    );
}

#[test]
fn a_page_without_its_surroundings() {
    let html = format!(
        "<!doctype html><html><head><title>বৃষ্টিতে ডুবল ঢাকা | দৈনিক উদাহরণ</title>\
        <meta property='og:title' content='বৃষ্টিতে ডুবল ঢাকা'><meta property='article:published_time' content='2025-07-08T10:00:00+06:00'>\
        <link rel=canonical href='https://example.org/a'><style>p{{}}</style></head><body>\
        <nav><ul><li><a href=/>হোম</a><li><a href=/n>জাতীয়</a></ul></nav><h1>বৃষ্টিতে ডুবল ঢাকা</h1>\
        <div class='social-share'>শেয়ার</div><div class=content>{BODY}<script>var x = '<p>';</script></div>\
        <aside><p>অন্য খবর পড়ুন এখানে, অনেক খবর আছে।</p></aside><form><label>নাম</label></form><footer>© দৈনিক উদাহরণ</footer></body></html>"
    );
    let article = extract(&html, &ReadOptions::default());
    assert_eq!(article.title.as_deref(), Some("বৃষ্টিতে ডুবল ঢাকা"));
    assert_eq!(article.meta.date.as_deref(), Some("2025-07-08T10:00:00+06:00"));
    assert_eq!(article.meta.url.as_deref(), Some("https://example.org/a"));
    assert_eq!(article.blocks.len(), 2, "{:?}", article.blocks);
    let kept = extract(&html, &ReadOptions { keep_furniture: true, ..ReadOptions::default() });
    assert!(kept.blocks.iter().any(|b| b.text.contains("© দৈনিক উদাহরণ")));
    assert!(!kept.blocks.iter().any(|b| b.text.contains("var x")));
}

#[test]
fn prose_that_readability_would_lose_is_kept() {
    let article = extract(&format!("<html><body><main><h1>ক</h1>{BODY}</main></body></html>"), &ReadOptions::default());
    assert_eq!(article.title.as_deref(), Some("ক"));
    assert_eq!(article.blocks.len(), 2);
}

#[test]
fn hostile_pages_end_soon() {
    let deep = |tag: &str| format!("<html><body>{}{BODY}", format!("<{tag}>").repeat(100_000));
    for tag in ["div", "b", "table", "blockquote", "ul><li", "p><b", "a href=x", "span class=x", "font"] {
        let article = extract(&deep(tag), &ReadOptions::default());
        let found = article.blocks.iter().any(|b| b.text.contains("আবহাওয়া অধিদপ্তর"));
        assert!(found, "{tag}: {:?}", article.blocks.len());
    }
    let formatting: String = (0..20_000).map(|i| format!("<p><b id=a{i}>ক</p>")).collect();
    assert!(!extract(&formatting, &ReadOptions::default()).blocks.is_empty());
    for broken in ["<", "<a", "<a b='", "<!--", "</", "<script>", "<p", "<![CDATA[", "<table><td>", "&#xffffffff;", ""]
    {
        let _ = extract(broken, &ReadOptions::default());
    }
}

proptest! {
    #[test]
    fn tag_soup_never_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "<p>", "</p>", "<div class=share>", "</div>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<ul>", "<li>", "</ul>", "<b>", "<br>",
        "<h1>", "</h1>", "<figure>", "<figcaption>", "<pre>", "</pre>", "<html>", "<body>", "<article>", "<select>", "<q>", "কথা।", " শব্দ ", "&lt;", "<svg>", "<form>"
    ]), 0..60)) {
        let _ = extract(&parts.concat(), &ReadOptions::default());
    }
}
