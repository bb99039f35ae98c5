//! OpenDocument text, .odt (OASIS OpenDocument 1.3).
use super::odt_styles::Styles;
use super::package::Package;
use super::paragraph::{Paragraph, PieceKind, Tables};
use super::xml::{Tag, Tokens, What};
use super::{Part, Parts};
use crate::article::BlockKind;
use crate::error::InputError;
use crate::{Error, Result};
use std::collections::HashMap;
use std::ops::Range;

/// Elements that hold no text of the document's own.
const SKIPPED: &[&str] = &[
    "text:tracked-changes",
    "office:annotation",
    "text:note-citation",
    "svg:title",
    "svg:desc",
    "text:page-number",
    "text:page-count",
    "text:ruby-text",
    "text:table-of-content-source",
    "office:settings",
    "office:forms",
];

/// Reads the document in a package. With `aside` its headers and footers, too.
pub(super) fn read(package: &mut Package<'_>, name: &str, aside: bool) -> Result<Parts> {
    let content = package.text("content.xml")?;
    let Some(content) = content else {
        return Err(Error::Input(InputError::Empty(format!(
            "{name}: this .odt has no text in it (content.xml is missing)"
        ))));
    };
    let common = package.text("styles.xml")?.unwrap_or_default();
    let styles = Styles::read(&[&common, &content]);
    let mut parts = Parts::default();
    let mut walk = Walk { styles: &styles, rows: 0, counted: HashMap::new() };
    let members = [("content.xml", content, false), ("styles.xml", common, true)];
    for (member, xml, margin) in members.into_iter().filter(|m| !m.2 || aside) {
        let index = parts.parts.len();
        let found = walk
            .part(&xml, index, margin)
            .map_err(|e| Error::Input(InputError::damaged_by(format!("{name}: {member}: {e}"), e)))?;
        parts.paragraphs.extend(found);
        parts.parts.push(Part { member: member.into(), xml, cuts: Vec::new() });
    }
    Ok(parts)
}

struct Walk<'a> {
    styles: &'a Styles,
    rows: usize,
    /// How far each list style has counted on each level.
    counted: HashMap<(String, usize), u32>,
}

#[derive(Default)]
struct State {
    open: Vec<(Paragraph, String)>,
    spans: Vec<String>,
    lists: Vec<String>,
    /// A list item has begun whose first paragraph is still to come.
    item: bool,
    tables: Tables,
    skipped: Option<(String, usize)>,
    found: Vec<Paragraph>,
}

impl Walk<'_> {
    fn part(&mut self, xml: &str, part: usize, aside: bool) -> Result<Vec<Paragraph>, String> {
        let mut state = State::default();
        let mut tokens = Tokens::new(xml);
        while let Some(token) = tokens.next()? {
            if state.skip(&token.what) {
                continue;
            }
            match token.what {
                What::Open(tag) => self.start(&mut state, tag, token.range, part, aside),
                What::Close(name) => state.end(name, token.range),
                What::Text(text) => self.text(&mut state, &text, token.range),
            }
        }
        Ok(state.found)
    }

    fn start(&mut self, state: &mut State, tag: Tag<'_>, range: Range<usize>, part: usize, aside: bool) {
        let style = || tag.attribute("text:style-name").unwrap_or_default().into_owned();
        match tag.name {
            "text:p" | "text:h" => {
                let mut paragraph = Paragraph { aside, ..Paragraph::new(part, range.start) };
                paragraph.inner = range.end..range.end;
                paragraph.cell = state.tables.outermost();
                self.describe(state, tag, &style(), &mut paragraph);
                state.open.push((paragraph, style()));
            }
            "text:span" => state.spans.push(style()),
            "text:list" => {
                let named = style();
                let named = if named.is_empty() { state.lists.last().cloned().unwrap_or_default() } else { named };
                if tag.attribute("text:continue-numbering").is_none_or(|c| c != "true") {
                    self.counted.remove(&(named.clone(), state.lists.len()));
                }
                state.lists.push(named);
            }
            "text:list-item" => state.item = true,
            "text:s" | "text:tab" => state.mark(" ", range, PieceKind::Mark),
            "text:line-break" => state.mark("\n", range, PieceKind::Break),
            "table:table" => state.tables.open(),
            "table:table-row" => state.tables.row(&mut self.rows),
            "table:table-cell" | "table:covered-table-cell" => state.tables.cell(),
            _ => {}
        }
    }

    /// A paragraph's kind, by its element, its style and the list around it.
    fn describe(&mut self, state: &mut State, tag: Tag<'_>, style: &str, paragraph: &mut Paragraph) {
        let said = self.styles.paragraph(style);
        paragraph.title = said.title;
        let level = tag.attribute("text:outline-level").and_then(|l| l.parse::<u8>().ok());
        paragraph.kind = match (tag.name, said.kind) {
            ("text:h", _) => BlockKind::Heading { level: level.unwrap_or(1).clamp(1, 6) },
            (_, Some(kind)) => kind,
            _ if state.item && !state.lists.is_empty() => {
                let depth = state.lists.len() - 1;
                let list = state.lists[depth].clone();
                let number = self.styles.is_numbered(&list, depth + 1).then(|| {
                    let counted = self.counted.entry((list, depth)).or_insert(0);
                    *counted = counted.saturating_add(1);
                    *counted
                });
                BlockKind::ListItem { depth: depth.min(8) as u8, number }
            }
            _ => BlockKind::Paragraph,
        };
        state.item = false;
    }

    fn text(&mut self, state: &mut State, text: &str, range: Range<usize>) {
        let Some((paragraph, style)) = state.open.last_mut() else { return };
        let span = state.spans.iter().rev().find_map(|s| self.styles.font(s));
        let bijoy = span.or_else(|| self.styles.font(style)).is_some_and(super::bijoy::is_font);
        paragraph.push(text, range, PieceKind::Text, bijoy);
    }
}

impl State {
    fn skip(&mut self, what: &What<'_>) -> bool {
        match (&mut self.skipped, what) {
            (Some((name, depth)), What::Open(tag)) if tag.name == name => *depth += 1,
            (Some((name, depth)), What::Close(closed)) if closed == name => {
                *depth -= 1;
                if *depth == 0 {
                    self.skipped = None;
                }
            }
            (Some(_), _) => {}
            (None, What::Open(tag)) if SKIPPED.contains(&tag.name) => self.skipped = Some((tag.name.to_owned(), 1)),
            _ => return false,
        }
        true
    }

    fn end(&mut self, name: &str, range: Range<usize>) {
        match name {
            "text:p" | "text:h" => {
                if let Some((mut paragraph, _)) = self.open.pop() {
                    paragraph.inner.end = range.start.max(paragraph.inner.start);
                    paragraph.element.end = range.end;
                    self.found.push(paragraph);
                }
            }
            "text:span" => drop(self.spans.pop()),
            "text:list" => drop(self.lists.pop()),
            "text:list-item" => self.item = false,
            "table:table" => self.tables.close(),
            _ => {}
        }
    }

    fn mark(&mut self, text: &str, range: Range<usize>, kind: PieceKind) {
        if let Some((paragraph, _)) = self.open.last_mut() {
            paragraph.push(text, range, kind, false);
        }
    }
}
