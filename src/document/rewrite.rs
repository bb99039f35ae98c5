//! The English put where the Bengali was, or below it.
use super::paragraph::{Paragraph, PieceKind, Slot, Target};
use super::{Kind, Part, bijoy, package, xml};
use crate::Result;
use crate::article::BlockKind;
use crate::pipeline::{TranslatedSegment, Translation};
use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::ops::Range;

/// A change to a part: these bytes become that text.
type Edit = (Range<usize>, String);

/// The font that English gets where the Bengali was in a Bijoy font, in which English letters are Bengali.
const FONT: &str = "Times New Roman";

/// The members that change, as they are then.
pub(super) fn members(
    kind: Kind,
    parts: &[Part],
    slots: &[Slot],
    translation: &Translation,
    bilingual: bool,
) -> BTreeMap<String, String> {
    let mut edits: Vec<Vec<Edit>> =
        parts.iter().map(|p| p.cuts.iter().map(|c| (c.clone(), String::new())).collect()).collect();
    for slot in slots {
        let Some(english) = english(slot, translation) else { continue };
        let part = slot.paragraph.part;
        if bilingual {
            edits[part].extend(below(kind, &parts[part].xml, slot, english));
        } else {
            edits[part].extend(instead(slot, english, &segments(slot, translation)));
        }
    }
    let changed = parts.iter().zip(edits).filter(|(_, edits)| !edits.is_empty());
    changed.map(|(part, edits)| (part.member.clone(), apply(&part.xml, edits))).collect()
}

/// The English of a slot, if it is not the text that was there.
fn english<'a>(slot: &Slot, translation: &'a Translation) -> Option<&'a str> {
    let text = match slot.target {
        Target::Title => translation.article.title.as_deref()?,
        Target::Block { block, cell } => {
            let text = &translation.article.blocks.get(block)?.text;
            match cell {
                Some(cell) => text.split('\t').nth(cell)?,
                None => text,
            }
        }
    };
    let source: String = slot.paragraph.pieces.iter().map(|p| p.text.as_str()).collect();
    let same = source.split_whitespace().eq(text.split_whitespace());
    (!same && !text.trim().is_empty()).then_some(text.trim())
}

/// The slot's sentences.
fn segments<'a>(slot: &Slot, translation: &'a Translation) -> Vec<&'a TranslatedSegment> {
    let end = slot.offset + slot.ranges.iter().map(|r| r.end).max().unwrap_or(0);
    let block = match slot.target {
        Target::Title => None,
        Target::Block { block, .. } => Some(block),
    };
    let inside = |s: &&TranslatedSegment| s.block == block && s.range.start >= slot.offset && s.range.end <= end;
    translation.segments.iter().filter(inside).collect()
}

/// Each sentence goes to the run that has most of it, so that bold and links stay where they were, to the sentence.
fn instead(slot: &Slot, english: &str, segments: &[&TranslatedSegment]) -> Vec<Edit> {
    let pieces = &slot.paragraph.pieces;
    let text = |i: &usize| pieces[*i].kind == PieceKind::Text && !slot.ranges[*i].is_empty();
    let homes: Vec<usize> = (0..pieces.len()).filter(text).collect();
    let Some(&largest) = homes.iter().max_by_key(|i| slot.ranges[**i].len()) else { return Vec::new() };
    let mut texts: BTreeMap<usize, String> = BTreeMap::new();
    let joined = segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
    if homes.len() > 1 && joined == english {
        for segment in segments {
            let range = segment.range.start - slot.offset..segment.range.end - slot.offset;
            let overlap = |i: &&usize| {
                let own = &slot.ranges[**i];
                own.end.min(range.end).saturating_sub(own.start.max(range.start))
            };
            // Of equal ones the first; never before what is placed already.
            let last = texts.keys().next_back().copied().unwrap_or(0);
            let home = homes.iter().rev().filter(|i| **i >= last).max_by_key(overlap).copied().unwrap_or(largest);
            let so_far = texts.entry(home).or_default();
            if !so_far.is_empty() {
                so_far.push(' ');
            }
            so_far.push_str(&segment.text);
        }
        let ends: Vec<usize> = texts.keys().copied().collect();
        for index in &ends[..ends.len().saturating_sub(1)] {
            texts.entry(*index).and_modify(|text| text.push(' '));
        }
    } else {
        texts.insert(largest, english.to_owned());
    }
    let (first, last) = (homes[0], homes[homes.len() - 1]);
    let changes = pieces.iter().enumerate().filter_map(|(i, piece)| match (piece.kind, texts.get(&i)) {
        (_, Some(text)) => Some((piece.span.clone(), xml::escape(text))),
        (PieceKind::Text, None) => Some((piece.span.clone(), String::new())),
        // White space around the text stays; what stood within it has no place in the English.
        (_, None) => (i > first && i < last).then(|| (piece.span.clone(), String::new())),
    });
    changes.collect()
}

/// The English behind the Bengali: in a paragraph of its own, or on a new line, where another paragraph would be
/// another heading or another item.
fn below(kind: Kind, source: &str, slot: &Slot, english: &str) -> Option<Edit> {
    let paragraph = &slot.paragraph;
    let text = xml::escape(english);
    let same = paragraph.title || matches!(paragraph.kind, BlockKind::Heading { .. } | BlockKind::ListItem { .. });
    match kind {
        Kind::Docx => Some(docx_below(source, paragraph, &text, same)),
        Kind::Odt => Some(odt_below(source, paragraph, &text, same)),
        _ => xhtml_below(source, paragraph, &text, same),
    }
}

fn docx_below(source: &str, paragraph: &Paragraph, text: &str, same: bool) -> Edit {
    let inner = &source[paragraph.inner.clone()];
    let properties = match inner.starts_with("<w:pPr") {
        true => inner.find("</w:pPr>").map_or("", |end| &inner[..end + "</w:pPr>".len()]),
        false => "",
    };
    let largest = paragraph.pieces.iter().filter(|p| p.kind == PieceKind::Text).max_by_key(|p| p.text.len());
    let run = largest.map_or(String::new(), |piece| {
        let before = &source[paragraph.inner.start..piece.span.start];
        let run = before.rfind("<w:r>").max(before.rfind("<w:r ")).map_or("", |at| &before[at..]);
        let properties = run.find("<w:rPr>").zip(run.find("</w:rPr>")).map(|(a, b)| &run[a + 7..b]).unwrap_or_default();
        let font = format!("<w:rFonts w:ascii=\"{FONT}\" w:hAnsi=\"{FONT}\" w:cs=\"{FONT}\"/>");
        let style = run.find("<w:rStyle ").and_then(|at| run[at..].find("/>").map(|end| &run[at..at + end + 2]));
        match piece.bijoy {
            true => format!("<w:rPr>{}{font}</w:rPr>", style.unwrap_or_default()),
            false => format!("<w:rPr>{properties}</w:rPr>"),
        }
    });
    let space = "xml:space=\"preserve\"";
    if same || properties.contains("<w:sectPr") {
        let at = paragraph.inner.end;
        return (at..at, format!("<w:r>{run}<w:br/><w:t {space}>{text}</w:t></w:r>"));
    }
    let at = paragraph.element.end;
    (at..at, format!("<w:p>{properties}<w:r>{run}<w:t {space}>{text}</w:t></w:r></w:p>"))
}

fn odt_below(source: &str, paragraph: &Paragraph, text: &str, same: bool) -> Edit {
    if same {
        let at = paragraph.inner.end;
        return (at..at, format!("<text:line-break/>{text}"));
    }
    let tag = without_ids(&source[paragraph.element.start..paragraph.inner.start]);
    let at = paragraph.element.end;
    (at..at, format!("{tag}{text}</text:p>"))
}

fn xhtml_below(source: &str, paragraph: &Paragraph, text: &str, same: bool) -> Option<Edit> {
    let element = source.get(paragraph.element.clone()).unwrap_or_default();
    if !same && element.starts_with("<p") && element.ends_with("</p>") && !paragraph.inner.is_empty() {
        let tag = without_ids(&source[paragraph.element.start..paragraph.inner.start]);
        let at = paragraph.element.end;
        return Some((at..at, format!("{tag}{text}</p>")));
    }
    let last = paragraph.pieces.iter().rfind(|p| p.kind == PieceKind::Text && !p.text.trim().is_empty())?;
    let at = last.span.end;
    // Titles and tables of contents hold no elements.
    let between = if paragraph.title || paragraph.aside { " – " } else { "<br/>" };
    Some((at..at, format!("{between}{text}")))
}

/// A start tag without what only one element may have.
fn without_ids(tag: &str) -> String {
    pattern(r#"\s(?:xml:id|id|w14:paraId|w14:textId)="[^"]*""#).replace_all(tag, "").into_owned()
}

/// Makes the changes; they do not overlap, and those at one place stay in their order.
fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    for (range, text) in edits {
        if range.start < at {
            continue;
        }
        out.push_str(&source[at..range.start]);
        out.push_str(&text);
        at = range.end;
    }
    out.push_str(&source[at..]);
    out
}

/// A pattern of this file; the tests compile every one.
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of this file are valid")
}

/// Languages and fonts: what is English now is not marked as Bengali, nor drawn with Bijoy's letters.
pub(super) fn with_styles(
    kind: Kind,
    bytes: &[u8],
    name: &str,
    mut changed: BTreeMap<String, String>,
    bilingual: bool,
) -> Result<BTreeMap<String, String>> {
    if kind == Kind::Docx {
        for text in changed.values_mut() {
            *text = text.replace("<w:t>", "<w:t xml:space=\"preserve\">");
        }
    }
    if bilingual {
        return Ok(changed);
    }
    let mut package = package::Package::open(bytes, name)?;
    let styles: &[&str] = match kind {
        Kind::Docx => &["word/styles.xml"],
        Kind::Odt => &["styles.xml"],
        _ => &[],
    };
    for member in styles {
        if !changed.contains_key(*member)
            && let Some(text) = package.text(member)?
        {
            changed.insert((*member).to_owned(), text);
        }
    }
    let rules: &[(&str, &str)] = match kind {
        Kind::Docx => &[(r#"(<w:lang [^>]*w:(?:val|bidi)=")bn[^"]*""#, "${1}en-US\"")],
        Kind::Odt => &[(r#"fo:language="bn"(\s+)fo:country="[A-Z]*""#, "fo:language=\"en\"${1}fo:country=\"US\"")],
        _ => &[(r#"([\s:]lang=")bn[^"]*""#, "${1}en\""), (r"(<dc:language[^>]*>)\s*bn[^<]*", "${1}en")],
    };
    let fonts = match kind {
        Kind::Docx => pattern(r#"(w:(?:ascii|hAnsi|cs|eastAsia)=")([^"]*)""#),
        Kind::Odt => pattern(r#"((?:svg|fo):font-family=")([^"]*)""#),
        _ => pattern(r"(font-family:\s*)([^;}]*)"),
    };
    let rules: Vec<(Regex, &str)> = rules.iter().map(|(find, put)| (pattern(find), *put)).collect();
    for text in changed.values_mut() {
        for (find, put) in &rules {
            *text = find.replace_all(text, *put).into_owned();
            *text = find.replace_all(text, *put).into_owned(); // two in one element
        }
        let font = |c: &Captures<'_>| match bijoy::is_font(c[2].trim_matches(['\'', '"'])) {
            true => c[0].replace(&c[2], FONT),
            false => c[0].to_owned(),
        };
        *text = fonts.replace_all(text, font).into_owned();
    }
    Ok(changed)
}
