//! A record as a web page, and the index of a folder of them.
use crate::bulk::record::Record;
use crate::page::{self, Page};
use crate::{Error, Result};
use std::path::Path;

/// The whole page. It says nothing of when it was made: the output is the same in every run.
pub fn document(record: &Record) -> Vec<u8> {
    let aligned = &record.aligned;
    let page = Page {
        source: &aligned.source,
        english: &record.article,
        segments: &aligned.segments,
        findings: &record.findings,
        headline: None,
        summary: &aligned.summary,
        method: aligned.method.as_deref(),
        model: &record.model,
        license: aligned.license.as_deref(),
        translated: None,
    };
    page.html().into_bytes()
}

/// Writes `index.html` for the pages that are in the folder.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be read or written.
pub fn write_index(folder: &Path, title: &str) -> Result<()> {
    let entries = page::entries(folder).map_err(|e| Error::io(folder, e))?;
    // Under another name first, so that it is never there by half.
    let (unfinished, path) = (folder.join(".unfinished-index"), folder.join("index.html"));
    std::fs::write(&unfinished, page::index(title, &entries)).map_err(|e| Error::io(&unfinished, e))?;
    std::fs::rename(&unfinished, &path).map_err(|e| Error::io(&path, e))
}
