//! What a .docx says of its styles and lists.
use super::xml::{Tokens, What};
use crate::article::BlockKind;
use std::collections::HashMap;

/// What a style makes of a paragraph.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    pub heading: Option<u8>,
    pub title: bool,
    pub kind: Option<BlockKind>,
    /// Its list and the level in it.
    pub list: Option<(String, u8)>,
    font: Option<String>,
    based_on: Option<String>,
}

/// All styles, each with what it takes from those that it is based on.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// The font and the paragraph style of what names none.
    font: Option<String>,
    usual: Option<String>,
    empty: Style,
}

impl Styles {
    /// Reads `styles.xml`. Damage in it costs what stands behind.
    pub fn read(xml: &str) -> Self {
        let mut all = Self::default();
        let mut id = String::new();
        let mut tokens = Tokens::new(xml);
        while let Ok(Some(token)) = tokens.next() {
            let What::Open(tag) = token.what else { continue };
            if tag.name == "w:style" {
                id = tag.attribute("w:styleId").unwrap_or_default().into_owned();
                let usual = tag.attribute("w:default").is_some_and(|d| d == "1" || d == "true");
                if usual && tag.attribute("w:type").is_some_and(|t| t == "paragraph") {
                    all.usual = Some(id.clone());
                }
                all.styles.insert(id.clone(), Style::default());
                continue;
            }
            let font = || ["w:ascii", "w:hAnsi", "w:cs"].iter().find_map(|a| tag.attribute(a)).map(|f| f.into_owned());
            let Some(style) = all.styles.get_mut(&id) else {
                if tag.name == "w:rFonts" && all.font.is_none() {
                    all.font = font();
                }
                continue;
            };
            let val = || tag.val().unwrap_or_default();
            match tag.name {
                "w:name" => name_style(style, &val().to_lowercase()),
                "w:basedOn" => style.based_on = Some(val().into_owned()),
                "w:rFonts" => style.font = font(),
                "w:outlineLvl" => {
                    style.heading = style.heading.or(val().parse().ok().filter(|l: &u8| *l < 9).map(|l| l + 1));
                }
                "w:numId" => style.list.get_or_insert_default().0 = val().into_owned(),
                "w:ilvl" => style.list.get_or_insert_default().1 = val().parse().unwrap_or(0u8).min(8),
                _ => {}
            }
        }
        all.inherit();
        all
    }

    fn inherit(&mut self) {
        let ids: Vec<String> = self.styles.keys().cloned().collect();
        for id in ids {
            let mut own = self.styles.get(&id).cloned().unwrap_or_default();
            let mut parent = own.based_on.clone();
            // A chain that bites its tail ends here.
            for _ in 0..16 {
                let Some(above) = parent.as_ref().and_then(|p| self.styles.get(p)) else { break };
                own.heading = own.heading.or(above.heading);
                own.title |= above.title;
                own.kind = own.kind.or(above.kind);
                own.list = own.list.or_else(|| above.list.clone());
                own.font = own.font.or_else(|| above.font.clone());
                parent = above.based_on.clone();
            }
            self.styles.insert(id, own);
        }
    }

    /// A paragraph's style.
    pub fn get(&self, id: &str) -> &Style {
        let id = if id.is_empty() { self.usual.as_deref().unwrap_or_default() } else { id };
        self.styles.get(id).unwrap_or(&self.empty)
    }

    /// The font of a run by its character style, its paragraph's style and the document's default.
    pub fn font(&self, character: &str, paragraph: &str) -> Option<&str> {
        let own = self.styles.get(character).and_then(|s| s.font.as_deref());
        own.or(self.get(paragraph).font.as_deref()).or(self.font.as_deref())
    }
}

/// What the names of Word's own styles (and pandoc's) mean; they are English in every language's Word.
fn name_style(style: &mut Style, name: &str) {
    if let Some(level) = name.strip_prefix("heading ").and_then(|l| l.trim().parse::<u8>().ok()) {
        style.heading = Some(level.clamp(1, 9));
    }
    match name {
        "title" => style.title = true,
        "quote" | "intense quote" | "block text" | "block quotation" | "quotations" => {
            style.kind = Some(BlockKind::Quote)
        }
        "caption" | "image caption" | "table caption" | "figure caption" => style.kind = Some(BlockKind::Caption),
        _ => {}
    }
}

/// Lists and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// List to its abstract one; (abstract list, level) to its first number, where it has numbers.
    lists: HashMap<String, String>,
    levels: HashMap<(String, u8), u32>,
    counted: HashMap<(String, u8), u32>,
}

impl Numbering {
    /// Reads `numbering.xml`.
    pub fn read(xml: &str) -> Self {
        let mut all = Self::default();
        let (mut of, mut list, mut level) = (String::new(), String::new(), 0u8);
        let (mut first, mut numbered) = (1u32, false);
        let mut tokens = Tokens::new(xml);
        while let Ok(Some(token)) = tokens.next() {
            match token.what {
                What::Open(tag) => match tag.name {
                    "w:abstractNum" => of = tag.attribute("w:abstractNumId").unwrap_or_default().into_owned(),
                    "w:lvl" => {
                        level = tag.attribute("w:ilvl").and_then(|v| v.parse().ok()).unwrap_or(0);
                        (first, numbered) = (1, false);
                    }
                    "w:start" => first = tag.val().and_then(|v| v.parse().ok()).unwrap_or(1),
                    "w:numFmt" => numbered = tag.val().is_some_and(|v| v != "bullet" && v != "none"),
                    "w:num" => list = tag.attribute("w:numId").unwrap_or_default().into_owned(),
                    "w:abstractNumId" => {
                        all.lists.insert(list.clone(), tag.val().unwrap_or_default().into_owned());
                    }
                    _ => {}
                },
                What::Close("w:lvl") if numbered && !of.is_empty() => {
                    all.levels.insert((of.clone(), level), first);
                }
                _ => {}
            }
        }
        all
    }

    /// The number of a list's next item; none in a list of bullets.
    pub fn next(&mut self, list: &str, level: u8) -> Option<u32> {
        let of = self.lists.get(list)?;
        let first = *self.levels.get(&(of.clone(), level))?;
        let number = self.counted.get(&(list.to_owned(), level)).map_or(first, |n| n.saturating_add(1));
        self.counted.insert((list.to_owned(), level), number);
        self.counted.retain(|(l, deeper), _| l != list || *deeper <= level);
        Some(number)
    }
}
