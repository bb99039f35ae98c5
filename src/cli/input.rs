//! What `translate` and `summarize` are given: files, standard input, documents, addresses.
use crate::article::{self, Article, ReadOptions};
use crate::document::{self, Document, Kind};
use crate::fetch::{self, FetchOptions};
use crate::{Error, Result};
use std::path::Path;

/// An input, read.
pub enum Input {
    Article(Box<Article>),
    /// Keeps what it needs to be written again.
    Document(Box<Document>),
}

impl Input {
    /// Reads a file, a document, an address, or standard input (`-`). `whole`: it is to be written again.
    pub fn open(path: &Path, options: &ReadOptions, whole: bool, offline: bool) -> Result<Self> {
        let name = path.display().to_string();
        if fetch::is_address(&name) {
            let defaults = FetchOptions::default();
            let options_of_fetch = FetchOptions { offline: offline || defaults.offline, ..defaults };
            return fetched(&name, &fetch::fetch(&name, &options_of_fetch)?, options, whole);
        }
        match Kind::by_name(&name).filter(|_| options.format.is_none()) {
            Some(kind) => {
                let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
                Ok(Self::Document(Box::new(document::read(file, &name, kind, options, whole)?)))
            }
            None => Ok(Self::Article(Box::new(article::read(path, options)?))),
        }
    }

    /// What is translated.
    pub fn article(&self) -> &Article {
        match self {
            Self::Article(article) => article,
            Self::Document(document) => &document.article,
        }
    }
}

fn fetched(address: &str, page: &fetch::Fetched, options: &ReadOptions, whole: bool) -> Result<Input> {
    let name = page.name();
    if let Some(kind) = Kind::of(&page.bytes, &name).filter(|_| options.format.is_none()) {
        return Ok(Input::Document(Box::new(Document::open(page.bytes.clone(), address, kind, options, whole)?)));
    }
    let format = options.format.or_else(|| article::read::format_of_name(&name));
    let mut article = article::parse(&page.bytes, address, &ReadOptions { format, ..options.clone() })?;
    article.meta.url.get_or_insert_with(|| page.url.clone());
    Ok(Input::Article(Box::new(article)))
}
