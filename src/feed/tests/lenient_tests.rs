//! Feeds that break a rule and are read all the same.
use super::*;

#[test]
fn xml_that_every_reader_takes_is_repaired() {
    let items = read(
        "f.xml",
        format!(
            "<RSS version=\"2.0\"><Channel><link>http://a/?x=1&y=2</link>
             <item><title>এক</title><link>http://a/?x=1&y=2</link><description>{BODY} ৫ < ১০ ও R&D।</description></item>
             <ITEM><GUID>2</GUID><TITLE>দুই</TITLE><DESCRIPTION>{BODY}</DESCRIPTION><PUBDATE>2025-01-01</PUBDATE></ITEM>
             <item><title>তিন<description>{BODY}</description></item>
             <item><title>চার</title><description><p>{BODY}</p><p>শেষ <b>কথা</b>।</p></description></item>
             <item><title>পাঁচ</titel><description>{BODY}<br>আরও।</description></item>
             <item><title>৬ < ৭ <![CDATA[<b>ছয়</b>]]></title><description><![CDATA[{BODY}]]></description></item>
             </Channel></RSS>"
        ),
    );
    let entries: Vec<_> = items.into_iter().map(Result::unwrap).collect();
    let titles: Vec<_> = entries.iter().map(|e| e.title.as_deref().unwrap()).collect();
    assert_eq!(titles, ["এক", "দুই", "তিন", "চার", "পাঁচ", "৬ < ৭ <b>ছয়</b>"]);
    assert_eq!(entries[0].meta.url.as_deref(), Some("http://a/?x=1&y=2"));
    assert!(entries[0].body.ends_with("৫ < ১০ ও R&D।"), "{}", entries[0].body);
    assert_eq!((entries[1].meta.id.as_deref(), entries[1].meta.date.as_deref()), (Some("2"), Some("2025-01-01")));
    assert_eq!(entries[3].kind, BodyKind::Html);
    let (_, article) = to_article(entries[3].clone()).unwrap();
    assert_eq!(article.blocks[1].text, "শেষ কথা।");
    assert!(entries.iter().all(|e| e.body.contains(BODY)));
}

#[test]
fn a_declared_encoding_is_believed_only_where_the_bytes_are_not_utf8() {
    let item = format!("<item><title>t</title><description>{BODY}</description></item>");
    for label in ["ISO-8859-1", "windows-1252", "us-ascii", "GBK", "UTF-16"] {
        // The first letter that is not ASCII may come late.
        for padding in [0, 100, 8190, 8191, 8192, 20_000] {
            let xml = format!(
                "<?xml version=\"1.0\" encoding=\"{label}\"?><rss><channel><t>{}</t>{item}</channel></rss>",
                "x".repeat(padding)
            );
            let items = read("f.xml", &xml);
            assert_eq!(items[0].as_ref().unwrap().body, BODY, "{label}, {padding}");
        }
    }
}

#[test]
fn lists_in_wrappers_are_lists() {
    let one = format!("{{\"title\": \"t\", \"body\": \"{BODY}\", \"data\": [{{\"x\": 1}}], \"score\": NaN}}");
    for text in [
        format!("{{\"status\": \"ok\", \"articles\": [{one}, {one}], \"total\": 2}}"),
        format!("{{\"response\": {{\"n\": [1], \"docs\": [{one},\n{one}]}}, \"x\": {{}}}}"),
        format!("{{\"hits\": {{\"hits\": [{{\"_source\": {one}}}, {{\"_source\": {one}}}]}}}}"),
        format!("{one}\n{one}"),
    ] {
        let items = read("f.json", &text);
        assert_eq!(items.iter().filter(|i| i.as_ref().is_ok_and(|e| e.body == BODY)).count(), 2, "{text}: {items:?}");
        assert_eq!(items.len(), 2, "{text}: {items:?}");
    }
    // An array, or an object over several lines, under the name of JSONL.
    assert_eq!(read("f.jsonl", format!("[{one},\n{one}]")).len(), 2);
    assert!(read("f.jsonl", format!("{{\n\"body\": \"{BODY}\"\n}}\n"))[0].is_ok());
}

#[test]
fn a_line_that_names_the_separator_is_no_header() {
    for (line, separator) in [("sep=;", ';'), ("\u{feff}\"sep=|\"", '|'), ("SEP=\t", '\t'), ("sep=,", ',')] {
        let text = format!("{line}\r\nTitle{separator}Body\r\nt{separator}\"{BODY}{separator}\"\r\n");
        let entry = read("f.csv", &text).remove(0).unwrap();
        assert_eq!((entry.title.as_deref(), entry.body), (Some("t"), format!("{BODY}{separator}")), "{line}");
    }
}
