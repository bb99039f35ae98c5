//! Every format says the same, and feed readers understand it.
use super::*;
use crate::article::{Article, Block, BlockKind, Meta};
use crate::bulk::record::{Doubtful, Finished, Source};
use crate::engine::ModelIdentity;
use crate::text::{Finding, FindingKind, Severity};

fn record() -> Record {
    let block = |kind, text: &str| Block { kind, text: text.into(), range: 0..0 };
    let article = Article {
        title: Some("Rain & \"storm\" in <Dhaka>".into()),
        blocks: vec![
            block(BlockKind::Paragraph, "It rained, heavily & long.\u{1}"),
            block(BlockKind::ListItem { depth: 0, number: None }, "one"),
            block(BlockKind::ListItem { depth: 0, number: None }, "two"),
            block(BlockKind::Quote, "We saw ]]> it"),
        ],
        meta: Meta::default(),
    };
    let finding = Finding {
        kind: FindingKind::NumberMissing,
        severity: Severity::Warning,
        segment: Some(3),
        message: "২৫ is missing".into(),
    };
    let meta = Meta {
        id: Some("g 1".into()),
        url: Some("http://a/?x=1&y=2".into()),
        date: Some("Fri, 01 Mar 2024 12:30:00 +0600".into()),
        author: Some("আনিস".into()),
        extra: serde_json::from_str(r#"{"category": ["ক", {"deep": null}]}"#).unwrap(),
        row: None,
    };
    let model =
        ModelIdentity { id: "toy".into(), digest: "00ff".into(), architecture: "toy".into(), compute: "f32".into() };
    let done = Finished { article, summary: Some("It rained.".into()), findings: vec![finding], ..Finished::default() };
    let source =
        Source { title: Some("বৃষ্টি".into()), text: "বৃষ্টি হয়েছে।".into() };
    let doubtful = Doubtful { segment: 2, source: "ক".into(), text: "a < b".into(), confidence: Some(0.25) };
    let record = Record::new(7, meta, done, &model, Some(source));
    Record { confidence: Some(0.5), doubtful: vec![doubtful], ..record }
}

fn whole(format: OutputFormat, n: usize) -> Vec<u8> {
    let records = (0..n).flat_map(|_| format.record(&record(), true));
    [format.header(true, "Title & co"), records.collect(), format.footer().to_vec()].concat()
}

#[test]
fn feed_readers_understand_the_feeds() {
    for format in [OutputFormat::Rss, OutputFormat::Atom] {
        for n in [0, 2] {
            let feed = feed_rs::parser::parse(&whole(format, n)[..]).unwrap();
            assert_eq!(feed.entries.len(), n, "{format:?}");
            assert_eq!(feed.title.unwrap().content, "Title & co");
            for entry in feed.entries {
                assert_eq!(entry.title.unwrap().content, "Rain & \"storm\" in <Dhaka>");
                assert_eq!(entry.summary.unwrap().content, "It rained.");
                assert_eq!(entry.links[0].href, "http://a/?x=1&y=2");
                assert_eq!(entry.authors[0].name.as_deref(), Some("আনিস"));
                let time = entry.published.or(entry.updated).unwrap();
                assert_eq!(time.timestamp(), 1709274600);
                let html = entry.content.unwrap().body.unwrap();
                assert!(
                    html.contains("<p>It rained, heavily &amp; long.</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
                    "{html}"
                );
                assert!(html.contains("We saw ]]&gt; it"));
            }
        }
    }
    let text = String::from_utf8(whole(OutputFormat::Rss, 1)).unwrap();
    assert!(
        text.contains("<anubad:finding kind=\"number_missing\" severity=\"warning\">২৫ is missing</anubad:finding>")
    );
    for format in [OutputFormat::Rss, OutputFormat::Atom] {
        let text = String::from_utf8(whole(format, 1)).unwrap();
        assert!(text.contains("<anubad:confidence>0.500</anubad:confidence>"), "{text}");
        assert!(
            text.contains("<anubad:doubtful segment=\"2\" confidence=\"0.250\">a &lt; b</anubad:doubtful>"),
            "{text}"
        );
    }
    // Strict readers of either format alone.
    ::rss::Channel::read_from(&whole(OutputFormat::Rss, 2)[..]).unwrap().validate_items();
    let atom = atom_syndication::Feed::read_from(&whole(OutputFormat::Atom, 2)[..]).unwrap();
    assert!(atom.entries()[0].id().starts_with("urn:anubad:"));
}

trait ValidateItems {
    fn validate_items(&self);
}

impl ValidateItems for ::rss::Channel {
    fn validate_items(&self) {
        assert_eq!(self.items().len(), 2);
        assert!(self.items().iter().all(|i| i.guid().is_some_and(|g| !g.is_permalink()) && i.pub_date().is_some()));
    }
}

#[test]
fn rows_and_lines_hold_everything() {
    let bytes = whole(OutputFormat::Csv, 2);
    let mut reader = ::csv::Reader::from_reader(&bytes[..]);
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let cell = |name| rows[1].get(header.iter().position(|h| h == name).unwrap()).unwrap();
    assert_eq!((rows.len(), cell("n"), cell("id"), cell("source_text")), (2, "7", "g 1", "বৃষ্টি হয়েছে।"));
    assert_eq!(cell("text"), "It rained, heavily & long.\n\n- one\n- two\n\n> We saw ]]> it");
    assert_eq!(cell("confidence"), "0.500");
    let doubtful: Vec<Doubtful> = serde_json::from_str(cell("doubtful")).unwrap();
    assert_eq!(doubtful, record().doubtful);
    let findings: Vec<Finding> = serde_json::from_str(cell("findings")).unwrap();
    assert_eq!(findings, record().findings);

    let line = OutputFormat::Jsonl.record(&record(), true);
    let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((json["extra"]["category"][0].as_str(), json["model"]["digest"].as_str()), (Some("ক"), Some("00ff")));
    assert_eq!(line.iter().filter(|&&b| b == b'\n').count(), 1);
}

#[test]
fn a_markdown_file_has_its_particulars_in_front() {
    let text = String::from_utf8(markdown(&record())).unwrap();
    let (front, body) = text.strip_prefix("---\n").unwrap().split_once("---\n").unwrap();
    assert!(front.contains("n: 7\nid: \"g 1\"\n") && front.contains("summary: \"It rained.\"\n"), "{front}");
    assert!(body.starts_with("\n# Rain & \"storm\" in \\<Dhaka>\n\nIt rained"), "{body}");
    assert!(body.contains("\n- one\n- two\n\n> We saw"), "{body}");
    assert_eq!(file_name(&record(), "md"), "000007-rain-storm-in-dhaka.md");
}

#[test]
fn packed_members_can_be_joined() {
    use std::io::Read;
    for packing in [Compression::Gz, Compression::Zst] {
        let joined = [packing.pack(b"one\n").unwrap(), packing.pack(b"two\n").unwrap()].concat();
        let mut text = String::new();
        packing.unpack(&joined[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}
