//! What an .odt says of its styles and lists.
use super::xml::{Tokens, What};
use crate::article::BlockKind;
use std::collections::{HashMap, HashSet};

#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    pub title: bool,
    pub kind: Option<BlockKind>,
    font: Option<String>,
    parent: Option<String>,
}

/// The styles of `styles.xml` and the automatic ones of `content.xml`.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// The families behind the names of fonts.
    faces: HashMap<String, String>,
    numbered: HashSet<(String, usize)>,
    usual: Style,
}

impl Styles {
    /// Reads the styles of some parts. Damage costs what stands behind it.
    pub fn read(parts: &[&str]) -> Self {
        let mut all = Self::default();
        for xml in parts {
            let (mut style, mut list) = (String::new(), String::new());
            let mut tokens = Tokens::new(xml);
            while let Ok(Some(token)) = tokens.next() {
                let What::Open(tag) = token.what else { continue };
                let named = |name: &str| tag.attribute(name).map(|v| v.into_owned());
                match tag.name {
                    "style:font-face" => {
                        if let (Some(name), Some(family)) = (named("style:name"), named("svg:font-family")) {
                            all.faces.insert(name, family.trim_matches(['\'', '"']).to_owned());
                        }
                    }
                    "style:style" => {
                        style = named("style:name").unwrap_or_default();
                        let parent = named("style:parent-style-name");
                        let (own, above) = (of_name(&style), of_name(parent.as_deref().unwrap_or_default()));
                        let (title, kind) = (own.title || above.title, own.kind.or(above.kind));
                        all.styles.insert(style.clone(), Style { title, kind, font: None, parent });
                    }
                    "style:default-style" => style = String::new(),
                    "style:text-properties" => {
                        let font = named("style:font-name").or_else(|| named("fo:font-family"));
                        let into = all.styles.get_mut(&style).unwrap_or(&mut all.usual);
                        into.font = font.or(into.font.take());
                    }
                    "text:list-style" => list = named("style:name").unwrap_or_default(),
                    "text:list-level-style-number" => {
                        let level = named("text:level").and_then(|l| l.parse().ok()).unwrap_or(1);
                        if named("style:num-format").is_some_and(|f| !f.is_empty()) {
                            all.numbered.insert((list.clone(), level));
                        }
                    }
                    _ => {}
                }
            }
        }
        all
    }

    /// The styles from this one up to the one that it goes back to.
    fn chain<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Style> {
        let mut at = self.styles.get(name);
        // A chain that bites its tail ends here.
        (0..16).map_while(move |_| {
            let style = at?;
            at = style.parent.as_ref().and_then(|p| self.styles.get(p));
            Some(style)
        })
    }

    /// What a style makes of a paragraph.
    pub fn paragraph(&self, name: &str) -> Style {
        Style {
            title: self.chain(name).any(|s| s.title) || name == "Title",
            kind: self.chain(name).find_map(|s| s.kind).or(of_name(name).kind),
            font: None,
            parent: None,
        }
    }

    /// The font family that a style says.
    pub fn font(&self, name: &str) -> Option<&str> {
        let font = self.chain(name).find_map(|s| s.font.as_deref())?;
        Some(self.faces.get(font).map_or(font, String::as_str))
    }

    /// Whether a list has numbers on a level (from 1).
    pub fn is_numbered(&self, list: &str, level: usize) -> bool {
        self.numbered.contains(&(list.to_owned(), level))
    }
}

/// What the names of LibreOffice's own styles (and pandoc's) mean.
fn of_name(name: &str) -> Style {
    let kind = match name {
        "Quotations" | "Quote" => Some(BlockKind::Quote),
        "Caption" | "Illustration" | "Figure" | "Drawing" | "FigureCaption" | "TableCaption" => {
            Some(BlockKind::Caption)
        }
        _ => None,
    };
    Style { title: name == "Title", kind, ..Style::default() }
}
