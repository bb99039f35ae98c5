//! A file that is one document (.docx, .odt, .epub, .srt, .vtt, .pdf) as one entry, and texts in Bijoy.
use super::{BadEntry, BodyKind, Entry, Format, Item, Place, ReadOptions, Sink};
use crate::article::{self, Article, BlockWriter, Meta, Style};
use crate::document::{self, Kind, bijoy};
use std::io::Read;
use std::ops::ControlFlow;

/// The kind of document that a file is, where it is one and may be read as one.
pub(super) fn kind(head: &[u8], name: &str, options: &ReadOptions) -> Option<Kind> {
    let wanted = options.format.is_none_or(|format| format == Format::Document);
    if wanted { Kind::of(head, name) } else { None }
}

/// Reads the document. Its text travels as Markdown, which keeps its structure.
pub(super) fn read(
    name: &str,
    kind: Kind,
    stream: &mut dyn Read,
    options: &ReadOptions,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let place = Place { file: name.to_owned(), entry: Some(1), ..Place::default() };
    let read = article::ReadOptions { bijoy: options.bijoy, ..article::ReadOptions::default() };
    match document::read(stream, name, kind, &read, false) {
        Ok(document) => sink(Ok(entry(document.article, place))),
        Err(error) => {
            // The place says the file already.
            let reason = error.to_string();
            let reason = reason.strip_prefix(&format!("{name}: ")).unwrap_or(&reason).to_owned();
            sink(Err(BadEntry { place, reason }))
        }
    }
}

fn entry(article: Article, place: Place) -> Entry {
    let mut writer = BlockWriter::new(Vec::new(), Style::Markdown);
    for block in &article.blocks {
        // Writing into memory does not fail.
        let _ = writer.block(block.kind, &block.text);
    }
    let body = String::from_utf8_lossy(&writer.finish().unwrap_or_default()).into_owned();
    let meta = Meta { id: Some(place.file.clone()), ..article.meta };
    Entry { place, title: article.title, body, kind: BodyKind::Markdown, meta }
}

/// Hands on what a reader finds, converted from Bijoy where that is wished.
pub(super) fn with_bijoy(
    options: &ReadOptions,
    sink: &mut Sink<'_>,
    read: impl FnOnce(&mut Sink<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if !options.bijoy {
        return read(sink);
    }
    read(&mut |item: Item| {
        sink(item.map(|mut entry| {
            entry.title = entry.title.map(|title| bijoy::convert_markup(&title));
            entry.body = bijoy::convert_markup(&entry.body);
            entry
        }))
    })
}
