//! Word's .docx: WordprocessingML (ECMA-376, part 1).
use super::docx_styles::{Numbering, Styles};
use super::package::Package;
use super::paragraph::{Paragraph, PieceKind, Tables};
use super::xml::{Tag, Tokens, What};
use super::{Part, Parts};
use crate::article::BlockKind;
use crate::error::InputError;
use crate::{Error, Result};
use std::ops::Range;

/// Fields whose results are the word processor's business.
const COUNTED: &[&str] = &["PAGE", "NUMPAGES", "SECTIONPAGES", "PAGEREF", "DATE", "TIME"];

/// Reads the document in a package. With `aside` its headers and footers, too.
pub(super) fn read(package: &mut Package<'_>, name: &str, aside: bool) -> Result<Parts> {
    let main = main_part(package)?;
    let styles = Styles::read(&package.text(&beside(&main, "styles.xml"))?.unwrap_or_default());
    let numbering = Numbering::read(&package.text(&beside(&main, "numbering.xml"))?.unwrap_or_default());
    let mut wanted =
        vec![(main.clone(), false), (beside(&main, "footnotes.xml"), false), (beside(&main, "endnotes.xml"), false)];
    if aside {
        let folder = beside(&main, "");
        let margin = |n: &String| {
            let own = n.strip_prefix(folder.as_str()).unwrap_or_default();
            (own.starts_with("header") || own.starts_with("footer")) && own.ends_with(".xml")
        };
        wanted.extend(package.names().into_iter().filter(margin).map(|n| (n, true)));
    }
    let mut parts = Parts::default();
    let mut walk = Walk { styles: &styles, numbering, rows: 0 };
    for (member, margin) in wanted {
        let Some(xml) = package.text(&member)? else {
            if member == main {
                return Err(Error::Input(InputError::Empty(format!(
                    "{name}: this .docx has no text in it ({member} is missing)"
                ))));
            }
            continue;
        };
        let index = parts.parts.len();
        let (found, cuts) = walk
            .part(&xml, index, margin)
            .map_err(|e| Error::Input(InputError::damaged_by(format!("{name}: {member}: {e}"), e)))?;
        parts.paragraphs.extend(found);
        parts.parts.push(Part { member, xml, cuts });
    }
    Ok(parts)
}

/// The member that holds the text, by the package's relations.
fn main_part(package: &mut Package<'_>) -> Result<String> {
    let relations = package.text("_rels/.rels")?.unwrap_or_default();
    let mut tokens = Tokens::new(&relations);
    while let Ok(Some(token)) = tokens.next() {
        if let What::Open(tag) = token.what
            && tag.attribute("Type").is_some_and(|t| t.ends_with("/officeDocument"))
            && let Some(target) = tag.attribute("Target")
        {
            return Ok(target.trim_start_matches('/').to_owned());
        }
    }
    Ok("word/document.xml".into())
}

/// A member in the same folder.
fn beside(member: &str, name: &str) -> String {
    member.rsplit_once('/').map_or(name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
}

/// What stays from part to part.
struct Walk<'a> {
    styles: &'a Styles,
    numbering: Numbering,
    rows: usize,
}

/// A paragraph that is open, and what was said of its format.
struct Open {
    paragraph: Paragraph,
    style: String,
    list: Option<(String, u8)>,
    outline: Option<u8>,
    /// Inside `<w:pPr>`, whose run properties are those of the mark.
    properties: bool,
}

/// A field that has begun.
#[derive(Default)]
struct Field {
    code: String,
    result: bool,
}

#[derive(Default)]
struct State {
    open: Vec<Open>,
    tables: Tables,
    fields: Vec<Field>,
    /// Names of elements that are passed over, while inside one.
    skipped: Option<(String, usize, usize)>,
    in_text: bool,
    in_code: bool,
    run: Run,
    found: Vec<Paragraph>,
    cuts: Vec<Range<usize>>,
}

/// A run's font and character style.
#[derive(Default)]
struct Run {
    font: Option<String>,
    style: Option<String>,
}

impl Walk<'_> {
    fn part(&mut self, xml: &str, part: usize, aside: bool) -> Result<(Vec<Paragraph>, Vec<Range<usize>>), String> {
        let mut state = State::default();
        let mut tokens = Tokens::new(xml);
        while let Some(token) = tokens.next()? {
            if state.skip(&token.what, &token.range) {
                continue;
            }
            match token.what {
                What::Open(tag) => self.start(&mut state, tag, token.range, part, aside),
                What::Close(name) => self.end(&mut state, name, token.range),
                What::Text(text) => self.text(&mut state, &text, token.range),
            }
        }
        Ok((state.found, state.cuts))
    }

    fn start(&mut self, state: &mut State, tag: Tag<'_>, range: Range<usize>, part: usize, aside: bool) {
        match tag.name {
            "w:p" => {
                let mut paragraph = Paragraph { aside, ..Paragraph::new(part, range.start) };
                paragraph.inner = range.end..range.end;
                paragraph.cell = state.tables.outermost();
                let open = Open { paragraph, style: String::new(), list: None, outline: None, properties: false };
                state.open.push(open);
            }
            "w:tbl" => state.tables.open(),
            "w:tr" => state.tables.row(&mut self.rows),
            "w:tc" => state.tables.cell(),
            "w:r" => state.run = Run::default(),
            "w:t" => state.in_text = true,
            "w:instrText" => state.in_code = true,
            "w:fldSimple" => {
                let code = tag.attribute("w:instr").unwrap_or_default().into_owned();
                state.fields.push(Field { code, result: true });
            }
            "w:fldChar" => state.field(&tag.attribute("w:fldCharType").unwrap_or_default()),
            "w:tab" | "w:ptab" => state.mark(" ", range, PieceKind::Mark),
            "w:noBreakHyphen" => state.mark("-", range, PieceKind::Mark),
            "w:br" if tag.attribute("w:type").is_none_or(|t| t == "textWrapping") => {
                state.mark("\n", range, PieceKind::Break);
            }
            "w:cr" => state.mark("\n", range, PieceKind::Break),
            "w:rFonts" => {
                state.run.font = ["w:ascii", "w:hAnsi", "w:cs"].iter().find_map(|a| tag.attribute(a)).map(Into::into);
            }
            "w:rStyle" => state.run.style = tag.val().map(Into::into),
            _ => state.property(tag),
        }
    }

    fn end(&mut self, state: &mut State, name: &str, range: Range<usize>) {
        match name {
            "w:p" => {
                let Some(open) = state.open.pop() else { return };
                let inner_end = range.start;
                let paragraph = self.close(open, inner_end, range.end);
                state.found.push(paragraph);
            }
            "w:tbl" => state.tables.close(),
            "w:t" => state.in_text = false,
            "w:instrText" => state.in_code = false,
            "w:fldSimple" => drop(state.fields.pop()),
            "w:pPr" => {
                if let Some(open) = state.open.last_mut() {
                    open.properties = false;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, state: &mut State, text: &str, range: Range<usize>) {
        if state.in_code {
            if let Some(field) = state.fields.last_mut() {
                field.code.push_str(text);
            }
            return;
        }
        let counted = state.fields.iter().any(Field::is_counted);
        let Some(open) = state.open.last_mut().filter(|_| state.in_text && !counted) else { return };
        let style = state.run.style.as_deref().unwrap_or("");
        let font = state.run.font.as_deref();
        let bijoy = font.or_else(|| self.styles.font(style, &open.style)).is_some_and(super::bijoy::is_font);
        open.paragraph.push(text, range, PieceKind::Text, bijoy);
    }

    /// A paragraph at its end: its kind from its style, its list and its outline level.
    fn close(&mut self, open: Open, inner_end: usize, end: usize) -> Paragraph {
        let Open { mut paragraph, style, list, outline, .. } = open;
        paragraph.inner.end = inner_end;
        paragraph.element.end = end;
        let said = self.styles.get(&style);
        let list = list.or_else(|| said.list.clone());
        let heading = said.heading.or(outline.filter(|level| *level < 9).map(|level| level + 1));
        paragraph.title = said.title;
        paragraph.kind = match (heading, said.kind, list) {
            (Some(level), _, _) => BlockKind::Heading { level: level.clamp(1, 6) },
            (None, Some(kind), _) => kind,
            (None, None, Some((id, level))) if id != "0" => {
                let empty = paragraph.pieces.iter().all(|p| p.text.trim().is_empty());
                let number = if empty { None } else { self.numbering.next(&id, level) };
                BlockKind::ListItem { depth: level, number }
            }
            _ => BlockKind::Paragraph,
        };
        paragraph
    }
}

impl Field {
    fn is_counted(&self) -> bool {
        let word = self.code.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        !self.result || COUNTED.contains(&word.as_str())
    }
}

impl State {
    /// Whether a token is inside something that is passed over: text moved away or deleted, and the second version of
    /// what old programs cannot draw, which is cut from the file that is written.
    fn skip(&mut self, what: &What<'_>, range: &Range<usize>) -> bool {
        match (&mut self.skipped, what) {
            (Some((name, depth, start)), What::Open(tag)) if tag.name == name => {
                let _ = start;
                *depth += 1;
            }
            (Some((name, depth, start)), What::Close(closed)) if closed == name => {
                *depth -= 1;
                if *depth == 0 {
                    if name == "mc:Fallback" {
                        self.cuts.push(*start..range.end);
                    }
                    self.skipped = None;
                }
            }
            (Some(_), _) => {}
            (None, What::Open(tag)) if matches!(tag.name, "mc:Fallback" | "w:moveFrom" | "w:del" | "w:sectPr") => {
                self.skipped = Some((tag.name.to_owned(), 1, range.start));
            }
            _ => return false,
        }
        true
    }

    fn field(&mut self, kind: &str) {
        match kind {
            "begin" => self.fields.push(Field::default()),
            "separate" => {
                if let Some(field) = self.fields.last_mut() {
                    field.result = true;
                }
            }
            _ => drop(self.fields.pop()),
        }
    }

    /// An element that stands for a character.
    fn mark(&mut self, text: &str, range: Range<usize>, kind: PieceKind) {
        if let Some(open) = self.open.last_mut().filter(|open| !open.properties) {
            open.paragraph.push(text, range, kind, false);
        }
    }

    /// What a paragraph says of itself.
    fn property(&mut self, tag: Tag<'_>) {
        let Some(open) = self.open.last_mut() else { return };
        match tag.name {
            "w:pPr" => open.properties = true,
            "w:pStyle" => open.style = tag.val().unwrap_or_default().into_owned(),
            "w:ilvl" => {
                let level = tag.val().and_then(|v| v.parse().ok()).unwrap_or(0u8);
                open.list.get_or_insert_default().1 = level.min(8);
            }
            "w:numId" => open.list.get_or_insert_default().0 = tag.val().unwrap_or_default().into_owned(),
            "w:outlineLvl" => open.outline = tag.val().and_then(|v| v.parse().ok()),
            _ => {}
        }
    }
}
