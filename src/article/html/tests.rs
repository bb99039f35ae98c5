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

const FOOTER: &str = "<footer><p>আমাদের ঠিকানা: ১২ নম্বর সড়ক, ঢাকা। ফোন, ইমেইল ও ফেসবুকে যোগাযোগ করুন, মতামত দিন, বিজ্ঞাপন দিতে লিখুন, সম্পাদক ও প্রকাশক একজন, মুদ্রণ অন্যজন।</p></footer>";

#[test]
fn a_short_article_wins_over_a_long_footer() {
    let news = "<h1>ঢাকায় বৃষ্টি</h1><p>ঢাকায় আজ ভারী বৃষ্টি হয়েছে।</p><p>বিকেলে রোদ উঠেছে।</p>";
    for (open, close) in
        [("<article>", "</article>"), ("<main>", "</main>"), ("<div>", "</div>"), ("<div class=story>", "</div>")]
    {
        for footer in
            [FOOTER.to_string(), FOOTER.replace("footer>", "div>").replacen("<div", "<div class=site-footer", 1)]
        {
            let html =
                format!("<html><head><title>ঢাকায় বৃষ্টি</title></head><body>{open}{news}{close}{footer}</body></html>");
            assert_eq!(texts(&html), ["ঢাকায় আজ ভারী বৃষ্টি হয়েছে।", "বিকেলে রোদ উঠেছে।"], "{html}");
        }
    }
}

#[test]
fn a_dialogue_of_short_lines_is_prose() {
    let lines: String =
        ["কে ওখানে?", "আমি।", "কী চাও?", "একটু জল।", "ভেতরে এসো।"].iter().map(|l| format!("<p>{l}</p>")).collect();
    for tag in ["article", "div"] {
        let html = format!(
            "<html><head><title>নাটক</title></head><body><{tag}><h1>নাটক</h1>{lines}</{tag}>{FOOTER}</body></html>"
        );
        assert_eq!(texts(&html).len(), 5, "{html}");
    }
}

#[test]
fn a_body_in_json_ld_is_taken_where_the_page_has_none() {
    let body = "বরিশালের একটি গ্রামে নতুন পাঠাগার চালু হয়েছে। গ্রামের তরুণেরা চাঁদা তুলে ঘরটি বানিয়েছেন।";
    let page = |json: &str, html: &str| {
        format!(
            "<!doctype html><html><head><title>পাঠাগার</title><script type=\"application/ld+json\">{json}</script></head><body>{html}</body></html>"
        )
    };
    let json =
        format!("{{\"@graph\": [{{\"@type\": \"WebSite\"}}, {{\"mainEntity\": {{\"articleBody\": \"{body}\"}}}}]}}");
    assert_eq!(texts(&page(&json, "<div id=root><p>লোড হচ্ছে…</p></div>")), [body]);
    let escaped = format!("{{\"articleBody\": \"&lt;p&gt;{body}&lt;/p&gt;\"}}");
    assert_eq!(texts(&page(&escaped, "")), [body]);
    // Where the page has the text, its own structure is better.
    assert_eq!(texts(&page(&json, &format!("<article><h2>ভূমিকা</h2><p>{body}</p></article>"))), ["ভূমিকা", body]);
    // A placeholder is no article.
    let error = crate::article::parse(page("{}", "<p>লোড হচ্ছে…</p>").as_bytes(), "a.html", &ReadOptions::default());
    assert!(error.expect_err("must fail").to_string().contains("no article found"));
}

#[test]
fn captions_by_class_are_captions() {
    let caption =
        |html: &str| outline(html).into_iter().any(|(kind, text)| kind == BlockKind::Caption && text == "শিশুদের ভিড়");
    for html in [
        "<p class='image-credit-wrap'><span>শিশুদের ভিড়</span></p>",
        "<div class='img_caption'>শিশুদের ভিড়</div>",
        "<p>খবর। <span class='photo-credit'>শিশুদের ভিড়</span></p>",
        "<span class=cutline>শিশুদের ভিড়</span>",
        "<figure><img src=a><p>শিশুদের ভিড়</p></figure>",
    ] {
        assert!(caption(html), "{html}: {:?}", outline(html));
    }
    for html in
        ["<div class=credit-card-offers>শিশুদের ভিড়</div>", "<figure><blockquote>শিশুদের ভিড়</blockquote></figure>"]
    {
        assert!(!caption(html), "{html}");
    }
}

#[test]
fn superscripts_say_what_they_stand_for() {
    for (html, want) in [
        ("<p>তাপ ৩৫<sup>০</sup> সেলসিয়াস।</p>", "তাপ ৩৫° সেলসিয়াস।"),
        ("<p>তাপ ৩৫<sup>o</sup>সে.</p>", "তাপ ৩৫°সে."),
        ("<p>২১<sup>শে</sup> ফেব্রুয়ারি</p>", "২১শে ফেব্রুয়ারি"),
        ("<p>ঘরটি ২০ মিটার<sup>২</sup> বড়।</p>", "ঘরটি ২০ মিটার² বড়।"),
        ("<p>১০<sup>৬</sup> গুণ।</p>", "১০^৬ গুণ।"),
        ("<p>কথা<sup><a href=x>২</a></sup> শেষ।<sup>৩</sup></p>", "কথা শেষ।"),
        ("<p>CO<sub>2</sub> বেড়েছে<sup>[ক]</sup>।</p>", "CO2 বেড়েছে ।"),
    ] {
        assert_eq!(texts(html), [want], "{html}");
    }
}

#[test]
fn labels_are_set_apart_and_words_are_not() {
    for (html, want) in [
        ("<div><span class=label>সর্বশেষ</span><span class=time>১০ মিনিট আগে</span></div>", "সর্বশেষ ১০ মিনিট আগে"),
        ("<div><span class=a>ঢাকা</span><time class=b>সোমবার</time></div>", "ঢাকা সোমবার"),
        ("<p><b>বৃ</b><i>ষ্টি</i> <span>ঢা</span><span>কায়</span></p>", "বৃষ্টি ঢাকায়"),
        ("<p><span>ঢা</span>কায় ২১<b>শে</b></p>", "ঢাকায় ২১শে"),
    ] {
        assert_eq!(texts(html), [want], "{html}");
    }
}

#[test]
fn verse_keeps_its_lines() {
    let poem = "নদীর ধারে কাশের বনে\nহাওয়া এসে দোলে,\nমেঘের ছায়া জলের বুকে\nআপন কথা বলে।";
    let br = poem.replace('\n', "<br>\n");
    assert_eq!(texts(&format!("<p>{br}</p><p>{br}</p>")), [poem, poem]);
    assert_eq!(texts(&format!("<div>{br}<br><br>{br}</div>")), [poem, poem]);
    assert_eq!(texts(&format!("<pre>{poem}\n\n{poem}</pre>")), [poem, poem]);
}

#[test]
fn lists_stay_in_their_cells_and_header_cells_stay() {
    let html = "<table><tr><th>জেলা</th><th class=comments>মন্তব্য</th></tr><tr><td>ঢাকা</td><td><ul><li>বৃষ্টি<li>ঝড়</ul></td></tr></table>";
    assert_eq!(texts(html), ["জেলা\tমন্তব্য", "ঢাকা\tবৃষ্টি; ঝড়"]);
}
