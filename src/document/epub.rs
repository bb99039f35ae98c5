//! EPUB: a package of web pages with a reading order (EPUB 3.3).
use super::package::Package;
use super::paragraph::{Paragraph, PieceKind};
use super::xml::{Tokens, What};
use super::{Part, Parts, xhtml};
use crate::error::InputError;
use crate::{Error, Result};
use std::collections::HashMap;

/// What the package document lists.
#[derive(Default)]
struct Listing {
    /// id → (path, media type, is navigation)
    items: HashMap<String, (String, String, bool)>,
    /// Ids in the order of reading.
    order: Vec<String>,
}

/// Reads the book in a package. With `aside` its tables of contents, too.
pub(super) fn read(package: &mut Package<'_>, name: &str, aside: bool) -> Result<Parts> {
    let bad = |what: &str| Error::Input(InputError::damaged(format!("{name}: this .epub is damaged: {what}")));
    let container = package.text("META-INF/container.xml")?.ok_or_else(|| bad("it has no META-INF/container.xml"))?;
    let root = root_file(&container).ok_or_else(|| bad("its container names no package document"))?;
    let opf = package.text(&root)?.ok_or_else(|| bad(&format!("{root} is missing")))?;
    let mut parts = Parts::default();
    let (listing, title) = list(&opf, &root).map_err(|e| bad(&format!("{root}: {e}")))?;
    parts.paragraphs.extend(title);
    parts.parts.push(Part { member: root, xml: opf, cuts: Vec::new() });
    let mut pages: Vec<(String, bool)> = Vec::new();
    for id in &listing.order {
        if let Some((path, _, navigation)) = listing.items.get(id) {
            pages.push((path.clone(), *navigation));
        }
    }
    let mut rest: Vec<&(String, String, bool)> =
        listing.items.values().filter(|i| i.2 || i.1.ends_with("dtbncx+xml")).collect();
    rest.sort();
    for (path, _, _) in rest {
        if !pages.iter().any(|(p, _)| p == path) {
            pages.push((path.clone(), true));
        }
    }
    for (path, margin) in pages.into_iter().filter(|p| aside || !p.1) {
        // A page that is listed and not there costs itself.
        let Some(xml) = package.text(&path)? else { continue };
        let index = parts.parts.len();
        let found = xhtml::read(&xml, index, margin).map_err(|e| bad(&format!("{path}: {e}")))?;
        parts.paragraphs.extend(found);
        parts.parts.push(Part { member: path, xml, cuts: Vec::new() });
    }
    Ok(parts)
}

fn root_file(container: &str) -> Option<String> {
    let mut tokens = Tokens::new(container);
    while let Ok(Some(token)) = tokens.next() {
        if let What::Open(tag) = token.what
            && tag.name.ends_with("rootfile")
        {
            return tag.attribute("full-path").map(|path| path.into_owned());
        }
    }
    None
}

/// The package document's list of files, and the book's title as a paragraph.
fn list(opf: &str, root: &str) -> Result<(Listing, Option<Paragraph>), String> {
    let mut listing = Listing::default();
    let (mut title, mut in_title) = (None::<Paragraph>, false);
    let mut tokens = Tokens::new(opf);
    while let Some(token) = tokens.next()? {
        match token.what {
            What::Open(tag) => match tag.name.rsplit(':').next().unwrap_or_default() {
                "item" => {
                    let said = |name: &str| tag.attribute(name).unwrap_or_default().into_owned();
                    let navigation = said("properties").split_whitespace().any(|p| p == "nav");
                    let path = resolve(root, &said("href"));
                    listing.items.insert(said("id"), (path, said("media-type"), navigation));
                }
                "itemref" => listing.order.extend(tag.attribute("idref").map(|id| id.into_owned())),
                "title" if title.is_none() => {
                    let mut paragraph = Paragraph { title: true, ..Paragraph::new(0, token.range.start) };
                    paragraph.inner = token.range.end..token.range.end;
                    title = Some(paragraph);
                    in_title = true;
                }
                _ => {}
            },
            What::Text(text) if in_title => {
                if let Some(title) = &mut title {
                    title.push(&text, token.range, PieceKind::Text, false);
                }
            }
            What::Close(name) if in_title && name.ends_with("title") => {
                in_title = false;
                if let Some(title) = &mut title {
                    title.inner.end = token.range.start;
                    title.element.end = token.range.end;
                }
            }
            _ => {}
        }
    }
    Ok((listing, title))
}

/// A reference from one file to another, percent signs resolved.
fn resolve(from: &str, to: &str) -> String {
    let to = to.split('#').next().unwrap_or_default();
    let base = url::Url::parse("file:///").and_then(|b| b.join(from)).and_then(|b| b.join(to));
    let path = base.map_or(to.to_owned(), |url| url.path().trim_start_matches('/').to_owned());
    percent(&path)
}

fn percent(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        assert_eq!(resolve("OEBPS/content.opf", "text/ch%201.xhtml#x"), "OEBPS/text/ch 1.xhtml");
        assert_eq!(resolve("content.opf", "../a.xhtml"), "a.xhtml");
        assert_eq!(resolve("a/b.opf", "অধ্যায়.xhtml"), "a/অধ্যায়.xhtml");
    }
}
