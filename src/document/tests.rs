//! Documents made by hand, read and written again.
use super::package::{Package, pack};
use super::*;
use crate::article::BlockKind;
use crate::engine::ModelIdentity;
use crate::pipeline::{TranslatedSegment, Translation, prepare};

fn open(bytes: Vec<u8>, kind: Kind) -> Document {
    Document::open(bytes, "a document", kind, &ReadOptions::default(), true).unwrap()
}

/// A translation that says of each sentence which one it is.
fn translation(document: &Document) -> Translation {
    let prepared = prepare(document.article.clone());
    let segments: Vec<TranslatedSegment> = prepared
        .segments
        .iter()
        .enumerate()
        .map(|(i, s)| TranslatedSegment {
            block: s.block,
            sentence: s.sentence,
            range: s.range.clone(),
            source: s.text.clone(),
            text: format!("English & {i}."),
            score: None,
            confidence: None,
            source_tokens: 0,
            target_tokens: 0,
            trace: Default::default(),
        })
        .collect();
    let texts: Vec<String> = segments.iter().map(|s| s.text.clone()).collect();
    let article = crate::pipeline::finish::assemble(&prepared, &texts);
    let model =
        ModelIdentity { id: "toy".into(), digest: String::new(), architecture: String::new(), compute: String::new() };
    Translation {
        schema: 1,
        article,
        segments,
        findings: Vec::new(),
        summary: None,
        model,
        model_choice: None,
        timings: Default::default(),
    }
}

fn member(bytes: &[u8], name: &str) -> String {
    Package::open(bytes, "out").unwrap().text(name).unwrap().unwrap()
}

const DOCUMENT: &str = r#"<?xml version="1.0"?><w:document><w:body>
<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>নদীর কথা</w:t></w:r></w:p>
<w:p w14:paraId="1"><w:pPr><w:jc w:val="both"/><w:rPr><w:rFonts w:ascii="X"/></w:rPr></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">প্রথম বাক্যটি মোটা। </w:t></w:r><w:r><w:rPr><w:lang w:val="bn-BD" w:bidi="bn-BD"/></w:rPr><w:t>দ্বিতীয় বাক্য</w:t></w:r><w:r><w:t xml:space="preserve"> সাধারণ।</w:t></w:r><w:del><w:r><w:delText>মোছা</w:delText></w:r></w:del></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="3"/></w:numPr></w:pPr><w:r><w:t>প্রথম দফা</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="3"/></w:numPr></w:pPr><w:r><w:t>দ্বিতীয় দফা</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>নাম</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>বয়স</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>রহিম</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>
<w:p><w:r><w:rPr><w:rFonts w:ascii="SutonnyMJ" w:hAnsi="SutonnyMJ"/></w:rPr><w:t>Avgvi †mvbvi evsjv</w:t></w:r></w:p>
<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>বাক্সের লেখা</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:p><w:r><w:t>বাক্সের লেখা</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent></w:r></w:p>
<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>৭</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>
<w:sectPr/></w:body></w:document>"#;

fn docx() -> Vec<u8> {
    pack(&[
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", DOCUMENT),
        (
            "word/styles.xml",
            r#"<w:styles><w:style w:styleId="Title" w:type="paragraph"><w:name w:val="Title"/></w:style></w:styles>"#,
        ),
        (
            "word/numbering.xml",
            r#"<w:numbering><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum><w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num></w:numbering>"#,
        ),
        (
            "word/footnotes.xml",
            "<w:footnotes><w:footnote><w:p><w:r><w:t>টীকা।</w:t></w:r></w:p></w:footnote></w:footnotes>",
        ),
        ("word/header1.xml", "<w:hdr><w:p><w:r><w:t>পাতার মাথা</w:t></w:r></w:p></w:hdr>"),
        ("word/media/image1.png", "\u{89}PNG"),
    ])
}

fn said(document: &Document) -> Vec<(BlockKind, &str)> {
    document.article.blocks.iter().map(|b| (b.kind, b.text.as_str())).collect()
}

#[test]
fn a_docx_is_read_with_its_structure() {
    let document = open(docx(), Kind::Docx);
    assert_eq!(document.article.title.as_deref(), Some("নদীর কথা"));
    let item = |n| BlockKind::ListItem { depth: 0, number: Some(n) };
    assert_eq!(
        said(&document),
        [
            (BlockKind::Paragraph, "প্রথম বাক্যটি মোটা। দ্বিতীয় বাক্য সাধারণ।"),
            (item(1), "প্রথম দফা"),
            (item(2), "দ্বিতীয় দফা"),
            (BlockKind::TableRow, "নাম\tবয়স"),
            (BlockKind::TableRow, "রহিম\t"),
            (BlockKind::Paragraph, "আমার সোনার বাংলা"),
            (BlockKind::Paragraph, "বাক্সের লেখা"),
            (BlockKind::Paragraph, "টীকা।"),
            (BlockKind::Paragraph, "পাতার মাথা"),
        ]
    );
    let article = Document::open(docx(), "x", Kind::Docx, &ReadOptions::default(), false).unwrap().article;
    assert_eq!(article.blocks.last().unwrap().text, "টীকা।", "headers are no part of the article");
}

#[test]
fn a_docx_comes_back_with_english_in_its_runs() {
    let document = open(docx(), Kind::Docx);
    let out = document.write(&translation(&document), Kind::Docx, false).unwrap();
    let xml = member(&out, "word/document.xml");
    assert!(xml.contains("<w:b/></w:rPr><w:t xml:space=\"preserve\">English &amp; 1. </w:t>"), "{xml}");
    assert!(xml.contains("<w:lang w:val=\"en-US\" w:bidi=\"en-US\"/>"), "{xml}");
    assert!(xml.contains("w:ascii=\"Times New Roman\"") && !xml.contains("Sutonny"), "{xml}");
    assert!(!xml.contains("mc:Fallback") && xml.contains("৭"), "{xml}");
    assert!(member(&out, "word/header1.xml").contains("English"));
    assert_eq!(member(&out, "word/media/image1.png"), "\u{89}PNG");
    let again = open_english(out);
    assert_eq!(again, document.article.blocks.iter().map(|b| b.kind).collect::<Vec<_>>());
}

/// The kinds of a written document's blocks; it has hardly any Bengali, so one word of it is put in.
fn open_english(bytes: Vec<u8>) -> Vec<BlockKind> {
    let xml = member(&bytes, "word/footnotes.xml").replace("English", "বাংলা");
    let changed = std::collections::BTreeMap::from([("word/footnotes.xml".to_owned(), xml)]);
    let document = open(package::replace(&bytes, "x", &changed).unwrap(), Kind::Docx);
    document.article.blocks.into_iter().map(|b| b.kind).collect()
}

#[test]
fn a_bilingual_docx_has_both() {
    let document = open(docx(), Kind::Docx);
    let out = document.write(&translation(&document), Kind::Docx, true).unwrap();
    let xml = member(&out, "word/document.xml");
    assert!(xml.contains("</w:p><w:p><w:pPr><w:jc w:val=\"both\"/>"), "{xml}");
    assert!(xml.contains("প্রথম দফা</w:t></w:r><w:r><w:rPr></w:rPr><w:br/><w:t xml:space=\"preserve\">English"), "{xml}");
    assert!(xml.contains("Sutonny") && xml.contains("Times New Roman"), "{xml}");
    let both = open(out, Kind::Docx);
    assert!(both.article.blocks.iter().any(|b| b.text.starts_with("English")));
    assert!(both.article.blocks.len() > document.article.blocks.len());
}

fn odt() -> Vec<u8> {
    let content = r#"<office:document-content><office:automatic-styles>
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>
<style:style style:name="T1" style:family="text"><style:text-properties style:font-name="F1"/></style:style>
<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style></office:automatic-styles>
<office:body><office:text><text:tracked-changes><text:p>মোছা</text:p></text:tracked-changes>
<text:p text:style-name="P1">শিরোনাম</text:p><text:h text:outline-level="2">অধ্যায়</text:h>
<text:p xml:id="x">এক<text:s/>দুই<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>টীকা</text:p></text:note-body></text:note> তিন।</text:p>
<text:list text:style-name="L1"><text:list-item><text:p>ক</text:p></text:list-item><text:list-item><text:p>খ</text:p></text:list-item></text:list>
<text:p><text:span text:style-name="T1">evsjv‡`k</text:span></text:p>
<table:table><table:table-row><table:table-cell><text:p>নাম</text:p></table:table-cell><table:table-cell><text:p>১</text:p></table:table-cell></table:table-row></table:table>
</office:text></office:body></office:document-content>"#;
    let styles = r#"<office:document-styles><office:font-face-decls><style:font-face style:name="F1" svg:font-family="SutonnyMJ"/></office:font-face-decls>
<style:default-style><style:text-properties fo:language="bn" fo:country="BD"/></style:default-style></office:document-styles>"#;
    pack(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content), ("styles.xml", styles)])
}

#[test]
fn an_odt_is_read_and_written() {
    let bytes = odt();
    let document = open(bytes, Kind::Odt);
    assert_eq!(document.article.title.as_deref(), Some("শিরোনাম"));
    let item = |n| BlockKind::ListItem { depth: 0, number: Some(n) };
    assert_eq!(
        said(&document),
        [
            (BlockKind::Heading { level: 2 }, "অধ্যায়"),
            (BlockKind::Paragraph, "টীকা"),
            (BlockKind::Paragraph, "এক দুই তিন।"),
            (item(1), "ক"),
            (item(2), "খ"),
            (BlockKind::Paragraph, "বাংলাদেশ"),
            (BlockKind::TableRow, "নাম\t১"),
        ]
    );
    let out = document.write(&translation(&document), Kind::Odt, false).unwrap();
    let xml = member(&out, "content.xml");
    assert!(
        xml.contains("<text:p xml:id=\"x\">") && xml.contains("<text:note-citation>1</text:note-citation>"),
        "{xml}"
    );
    assert!(member(&out, "styles.xml").contains("svg:font-family=\"Times New Roman\""));
    assert!(member(&out, "styles.xml").contains("fo:language=\"en\" fo:country=\"US\""));
    let both = document.write(&translation(&document), Kind::Odt, true).unwrap();
    let xml = member(&both, "content.xml");
    assert!(xml.contains("ক<text:line-break/>English") && xml.contains("</text:p><text:p>English"), "{xml}");
}

fn epub() -> Vec<u8> {
    let opf = r#"<package><metadata><dc:title id="t">বই</dc:title><dc:language>bn</dc:language></metadata><manifest>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="two.xhtml" media-type="application/xhtml+xml"/><item id="a" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>
</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>"#;
    pack(&[
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            r#"<container><rootfiles><rootfile full-path="OEBPS/c.opf"/></rootfiles></container>"#,
        ),
        ("OEBPS/c.opf", opf),
        ("OEBPS/nav.xhtml", "<html><body><nav><ol><li><a href='a'>অধ্যায়</a></li></ol></nav></body></html>"),
        ("OEBPS/two.xhtml", "<html><body><p>শেষ।</p></body></html>"),
        (
            "OEBPS/text/one a.xhtml",
            "<html xml:lang=\"bn\"><body><h1>এক</h1><p id=\"p\">প্রথম <i>কথা</i>।</p></body></html>",
        ),
    ])
}

#[test]
fn an_epub_is_read_in_its_order_and_written() {
    let document = open(epub(), Kind::Epub);
    assert_eq!(document.article.title.as_deref(), Some("বই"));
    let texts: Vec<&str> = said(&document).into_iter().map(|b| b.1).collect();
    assert_eq!(texts, ["এক", "প্রথম কথা।", "শেষ।", "অধ্যায়"]);
    let out = document.write(&translation(&document), Kind::Epub, false).unwrap();
    let page = member(&out, "OEBPS/text/one a.xhtml");
    assert!(page.contains("xml:lang=\"en\"") && page.contains("<p id=\"p\">English &amp; 2.<i></i></p>"), "{page}");
    assert!(member(&out, "OEBPS/c.opf").contains("<dc:language>en</dc:language>"));
    assert!(member(&out, "OEBPS/nav.xhtml").contains("<a href='a'>English"));
    let both = document.write(&translation(&document), Kind::Epub, true).unwrap();
    let page = member(&both, "OEBPS/text/one a.xhtml");
    assert!(page.contains("<h1>এক<br/>English") && page.contains("।</p><p>English &amp; 2.</p>"), "{page}");
}

#[test]
fn kinds_are_told_by_content_too() {
    assert_eq!(Kind::of(&docx(), "x"), Some(Kind::Docx));
    assert_eq!(Kind::of(&odt(), "-"), Some(Kind::Odt));
    assert_eq!(Kind::of(&epub(), "x.zip"), Some(Kind::Epub));
    assert_eq!(Kind::of(b"%PDF-1.5", "x"), Some(Kind::Pdf));
    assert_eq!(Kind::of(b"WEBVTT\n", "x"), Some(Kind::Vtt));
    assert_eq!(Kind::of(&pack(&[("a.txt", "x")]), "x"), None);
}

#[test]
fn what_cannot_be_read_or_written_is_one_sentence() {
    let refuse = |bytes: Vec<u8>, kind| {
        let error = Document::open(bytes, "x.docx", kind, &ReadOptions::default(), false).err().unwrap().to_string();
        assert!(error.starts_with("x.docx: ") && !error.contains('\n'), "{error}");
        error
    };
    assert!(refuse(b"PK\x03\x04rest".to_vec(), Kind::Docx).contains("damaged"));
    assert!(refuse(pack(&[("word/document.xml", "<w:document><w:p><w:r")]), Kind::Docx).contains("damaged XML"));
    assert!(refuse(pack(&[("a", "")]), Kind::Odt).contains("content.xml is missing"));
    assert!(refuse(pack(&[("a", "")]), Kind::Epub).contains("container.xml"));
    let latin = pack(&[("word/document.xml", "<w:document><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:document>")]);
    assert!(refuse(latin, Kind::Docx).contains("no Bengali"));
    let document = open(docx(), Kind::Docx);
    let error = document.write(&translation(&document), Kind::Odt, false).unwrap_err().to_string();
    assert!(error.contains("a .docx is not written as a .odt"), "{error}");
}

#[test]
fn subtitles_may_change_their_kind() {
    let document = open("1\n00:00:01,000 --> 00:00:02,000\nকেমন আছ?\n".as_bytes().to_vec(), Kind::Srt);
    let out = document.write(&translation(&document), Kind::Vtt, false).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nEnglish & 0.\n");
}
