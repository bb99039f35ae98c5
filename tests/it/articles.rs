//! Reading articles: the samples' structure, and input that is refused.
use anubad::article::segment;
use anubad::article::{self, Article, Block, BlockKind, BlockWriter, Format, ReadOptions, Style, furniture};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

fn sample(name: &str) -> Article {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    article::read(path, &ReadOptions::default()).expect("the sample reads")
}

/// One letter a block: what kind it is.
fn kinds(article: &Article) -> String {
    let letter = |block: &Block| match block.kind {
        BlockKind::Paragraph => 'p',
        BlockKind::Heading { .. } => 'h',
        BlockKind::ListItem { number: Some(_), .. } => 'n',
        BlockKind::ListItem { .. } => 'l',
        BlockKind::Quote => 'q',
        BlockKind::Caption => 'c',
        BlockKind::SourceLine => 's',
        BlockKind::TableRow => 't',
        BlockKind::Verbatim => 'v',
        _ => '?',
    };
    article.blocks.iter().map(letter).collect()
}

#[test]
fn plain_text_sample() {
    let article = sample("lavrov.txt");
    let title = article.title.as_deref().map(anubad::lang::normalize::canonical);
    assert_eq!(title.as_deref(), Some("যুদ্ধ আরো গভীর! উত্তর কোরিয়া যাচ্ছে রাশিয়ার শীর্ষ কূটনীতিক!"));
    assert_eq!(kinds(&article), "ppppppppppppppps");
    assert_eq!(article.blocks[15].text, "তথ্য সূত্র: সিএনএন");
    let segments = segment::segments(&article);
    assert_eq!(segments.iter().filter(|s| s.block.is_none()).count(), 2);
    assert_eq!(segments.len(), 2 + 25 + 1);
}

#[test]
fn html_sample() {
    let article = sample("rain.html");
    assert_eq!(article.title.as_deref(), Some("টানা বৃষ্টিতে ডুবল চট্টগ্রাম, পানিবন্দী দেড় লাখ মানুষ"));
    assert_eq!(article.meta.date.as_deref(), Some("2025-07-08T18:45:00+06:00"));
    assert_eq!(kinds(&article), "cpphnnlnpqppcttts");
    let numbers = article.blocks.iter().filter_map(|b| match b.kind {
        BlockKind::ListItem { depth, number } => Some((depth, number)),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [(0, Some(1)), (0, Some(2)), (1, None), (0, Some(3))]);
    let text: String = article.blocks.iter().map(|b| b.text.as_str()).collect();
    for furniture in ["ফেসবুক", "আরও পড়ুন", "ডলারের দাম", "মন্তব্য", "কুকি", "সর্বস্বত্ব", "dataLayer", "প্রচ্ছদ"]
    {
        assert!(!text.contains(furniture), "{furniture}");
    }
    assert!(text.contains("২৩১.৫ মিলিমিটার") && text.contains("র\u{200d}্যাব"));
}

#[test]
fn markdown_sample() {
    let article = sample("hilsa.md");
    assert_eq!(article.title.as_deref(), Some("ইলিশের দেশে ফেরা: একটি নদী, তিন প্রজন্ম"));
    assert_eq!(article.meta.date.as_deref(), Some("2025-08-22"));
    assert_eq!(kinds(&article), "cpphptttpnnnllqqhpppvhpps");
    let english = article.blocks.iter().find(|b| b.text.starts_with("The app was tested")).expect("kept");
    assert!(!segment::needs_translation(&english.text));
}

#[test]
fn structure_out_is_structure_in() {
    let article = sample("hilsa.md");
    let mut writer = BlockWriter::new(Vec::new(), Style::Markdown);
    writer.title(article.title.as_deref().expect("titled")).expect("writes");
    for block in &article.blocks {
        writer.block(block.kind, &block.text).expect("writes");
    }
    let written = writer.finish().expect("writes");
    let options = ReadOptions { format: Some(Format::Markdown), ..ReadOptions::default() };
    let again = article::parse(&written, "again", &options).expect("reads");
    assert_eq!(again.title, article.title);
    let texts = |a: &Article| a.blocks.iter().map(|b| b.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&again), texts(&article));
}

/// Nothing is taken out of clean articles: their bodies have no furniture.
#[test]
#[ignore = "needs ANUBAD_TEST_DATA: scripts/test-external"]
fn external_prose_is_never_dropped() {
    let lines = super::external::text("articles_bnlpc.jsonl");
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
        // One sentence a block is the hardest case: the shorter a block, the more it looks like furniture.
        let sentences = anubad::text::sentence::sentences(entry["body"].as_str().expect("text"));
        let blocks = sentences.iter().map(|s| Block { kind: BlockKind::Paragraph, text: s.to_string(), range: 0..0 });
        let title = entry["title"].as_str().map(str::to_string);
        let mut article = Article { title, blocks: blocks.collect(), ..Article::default() };
        let dropped = furniture::clean(&mut article, &ReadOptions::default());
        assert!(dropped.is_empty(), "{}: {dropped:?}", entry["id"]);
        assert_eq!(kinds(&article), "p".repeat(sentences.len()), "{}", entry["id"]);
    }
}

fn refused(bytes: &[u8], suffix: &str) -> String {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("a file");
    file.write_all(bytes).expect("writes");
    let error = article::read(file.path(), &ReadOptions::default()).expect_err("must be refused").to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    assert!(error.contains(&*file.path().to_string_lossy()), "names its file: {error}");
    error
}

#[test]
fn bad_input_is_refused_with_advice() {
    assert!(refused(b"", ".txt").contains("empty"));
    assert!(refused(b" \n\t\n", ".md").contains("white space"));
    assert!(refused(b"Plain English only.", ".txt").contains("Latin letters"));
    assert!(refused(b"<html><body><p>English.</p></body></html>", ".html").contains("Latin letters"));
    assert!(refused("কথা \u{0} কথা".as_bytes(), ".txt").contains("NUL byte at byte 10"));
    assert!(refused(b"%PDF-1.4 \xe2\xe3", ".pdf").contains("pdftotext"));
    assert!(refused(b"\x89PNG\r\n\x1a\n", ".txt").contains("PNG"));
    let mut bytes = "কথা ".repeat(1000).into_bytes();
    bytes[5003] = 0xff;
    let error = refused(&bytes, ".txt");
    assert!(error.contains("byte 500") && error.contains("UTF-8"), "{error}");
}

#[test]
fn an_enormous_line_is_refused_before_it_is_read() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.seek(SeekFrom::Start(200 << 20)).expect("seeks");
    file.write_all(b"x").expect("writes");
    let error = article::read(file.path(), &ReadOptions::default()).expect_err("must be refused").to_string();
    assert!(error.contains("larger than 16 MiB"), "{error}");
}

#[test]
fn the_largest_line_is_read() {
    let line = "এক লম্বা লাইন ".repeat(300_000);
    let article = article::parse(line.as_bytes(), "line.txt", &ReadOptions::default()).expect("reads");
    assert_eq!(article.blocks.len(), 1);
    let segments = segment::segments(&article);
    assert_eq!(segments.len(), 1);
    let words = |text: &str| text.split_whitespace().count();
    let pieces = anubad::text::clause::split(&segments[0].text, &words, 100);
    assert_eq!(pieces.iter().map(|p| words(p)).sum::<usize>(), 900_000);
}

#[test]
fn encodings_are_read() {
    let text = "শিরোনাম এখানে\n\nপ্রথম বাক্য।\n";
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    let little: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for bytes in [text.as_bytes().to_vec(), little, big, marked] {
        let article = article::parse(&bytes, "a.txt", &ReadOptions::default()).expect("reads");
        assert_eq!(article.title.as_deref(), Some("শিরোনাম এখানে"));
        assert_eq!(article.blocks[0].text, "প্রথম বাক্য।");
    }
    let mut bad = text.as_bytes().to_vec();
    bad.push(0xe0);
    let lossy = ReadOptions { lossy: true, ..ReadOptions::default() };
    assert!(article::parse(&bad, "a.txt", &lossy).expect("reads").blocks.len() == 2);
}
