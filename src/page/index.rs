//! The list of a folder of pages: title, date, doubt, and a search that works on what is shown.
use super::{STYLE, escape, policy};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

const SCRIPT: &str = include_str!("index.js");
/// What a page says of itself stands within its first bytes; long titles included.
const HEAD: u64 = 64 << 10;

/// What a page says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its headline.
    pub title: String,
    /// The article's date, as its feed writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Sentences that are doubtful, of so many.
    pub doubtful: usize,
    /// Sentences in all.
    pub sentences: usize,
    /// The page's file name; known to the folder, not to the page.
    #[serde(skip)]
    pub file: String,
}

impl Entry {
    pub(super) fn as_json(&self) -> String {
        // Strings and numbers: nothing that serde_json refuses.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the page at `path` says of itself; none if it is no page of ours.
    fn read(path: &Path) -> Option<Self> {
        let mut head = Vec::new();
        std::fs::File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        let head = String::from_utf8_lossy(&head);
        let (_, rest) = head.split_once("<meta name=\"anubad-entry\" content=\"")?;
        let (json, _) = rest.split_once('"')?;
        let json = json.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
        let mut entry: Self = serde_json::from_str(&json.replace("&amp;", "&")).ok()?;
        entry.file = path.file_name()?.to_string_lossy().into_owned();
        Some(entry)
    }
}

/// The pages of a folder, by name, which is the order of the input.
///
/// # Errors
/// The folder cannot be read.
pub fn entries(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let mut names: Vec<_> = std::fs::read_dir(folder)?
        .flatten()
        .map(|e| e.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.extension().is_some_and(|e| e == "html") && name.starts_with(|c: char| c.is_ascii_digit())
        })
        .collect();
    names.sort();
    Ok(names.iter().filter_map(|path| Entry::read(path)).collect())
}

/// The list as a page.
pub fn index(title: &str, entries: &[Entry]) -> String {
    let policy = policy(&[STYLE], &[SCRIPT]);
    let title = escape(title);
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    let _ = writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body class=\"index\">\n<header>\n<h1>{title}</h1>",
        escape(&policy)
    );
    let (doubtful, sentences) =
        entries.iter().fold((0, 0), |(doubtful, all), e| (doubtful + e.doubtful, all + e.sentences));
    let _ = writeln!(out, "<p>{} articles; {doubtful} of {sentences} sentences are doubtful.</p>", entries.len());
    out.push_str("<p id=\"finder\" hidden><label>Search titles and dates <input type=\"search\" id=\"search\"></label> <span id=\"found\" role=\"status\"></span></p>\n</header>\n<main>\n<table id=\"list\">\n<thead><tr><th scope=\"col\">Article</th><th scope=\"col\">Date</th><th scope=\"col\">Doubtful</th></tr></thead>\n<tbody>\n");
    for entry in entries {
        let _ = writeln!(
            out,
            "<tr><td><a href=\"{}\">{}</a></td><td>{}</td><td>{} of {}</td></tr>",
            escape(&entry.file),
            escape(&entry.title),
            escape(entry.date.as_deref().unwrap_or("")),
            entry.doubtful,
            entry.sentences
        );
    }
    let _ = writeln!(out, "</tbody>\n</table>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>");
    out
}
