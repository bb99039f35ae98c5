//! An article side by side: one HTML file that needs nothing else, Bengali on the left and English on the right,
//! aligned by sentence, with what is doubtful shaded, named and explained.
//!
//! The file is inert whatever the article says: all text is escaped, and a content security policy in a meta tag allows
//! nothing but the page's own style and script, each by its digest. Without the script it reads the same; the script
//! only copies.
mod body;
mod clean;
mod index;
mod notes;
mod table;
mod write;

pub use clean::{clean_html, clean_text};
pub use index::{Entry, entries, index};
pub use write::{escape, policy};

use crate::article::Article;
use crate::engine::ModelIdentity;
use crate::pipeline::doubt::{Trust, UNSURE, count};
use crate::pipeline::{TranslatedSegment, Translation};
use crate::text::Finding;
use notes::Notes;
use std::fmt::Write;

/// What the page is styled with; the server's page uses it, too.
pub const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Everything that a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The article in Bengali.
    pub source: &'a Article,
    /// The same blocks in English.
    pub english: &'a Article,
    /// Their sentences in both languages.
    pub segments: &'a [TranslatedSegment],
    /// What the checks found.
    pub findings: &'a [Finding],
    /// A headline for an article that has no title.
    pub headline: Option<&'a str>,
    /// The summary's sentences, and how it was made.
    pub summary: &'a [String],
    /// The name of the summary's method.
    pub method: Option<&'a str>,
    /// Who translated.
    pub model: &'a ModelIdentity,
    /// What the model's license asks to be said.
    pub license: Option<&'a str>,
    /// When it was translated; left out where the output must be the same in every run.
    pub translated: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// The page of a translation; `method` is the name of the summary's method.
    pub fn of(source: &'a Article, translation: &'a Translation, method: Option<&'a str>) -> Self {
        let summary = translation.summary.as_ref();
        Self {
            source,
            english: &translation.article,
            segments: &translation.segments,
            findings: &translation.findings,
            headline: summary.and_then(|s| s.headline.as_deref()),
            summary: summary.map_or(&[], |s| &s.sentences),
            method,
            model: &translation.model,
            license: None,
            translated: None,
        }
    }

    /// The English title, or the headline that stands in for one.
    pub fn title(&self) -> &'a str {
        self.english.title.as_deref().or(self.headline).unwrap_or("Untitled article")
    }

    /// The whole file.
    pub fn html(&self) -> String {
        let mut notes = Notes::of(self.findings);
        let mut out = self.head();
        self.summary(&mut out);
        out.push_str("<main>\n");
        body::title(&mut out, self, &mut notes);
        body::blocks(&mut out, self, &mut notes);
        out.push_str("</main>\n");
        notes.write(&mut out);
        self.foot(&mut out);
        out
    }

    fn head(&self) -> String {
        let title = escape(self.title());
        let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        let policy = policy(&[STYLE], &[SCRIPT]);
        let _ = writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", escape(&policy));
        out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        out.push_str(
            "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
        );
        let (doubtful, all) = count(self.segments, self.findings);
        let entry = Entry {
            title: self.title().to_owned(),
            date: self.source.meta.date.clone(),
            doubtful,
            sentences: all,
            file: String::new(),
        };
        let _ = writeln!(out, "<meta name=\"anubad-entry\" content=\"{}\">", escape(&entry.as_json()));
        let _ = writeln!(out, "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body class=\"reader\">");
        let _ = writeln!(out, "<header>\n<h1>{title}</h1>");
        self.byline(&mut out);
        let _ = writeln!(out, "<p class=\"verdict\">{}</p>", escape(&verdict(doubtful, all)));
        out.push_str("<p class=\"tools\" hidden><button type=\"button\" id=\"copy\">Copy the English</button> <span id=\"copied\" role=\"status\"></span></p>\n</header>\n");
        out
    }

    /// Date, author and address, as far as they are known. The address is text: a link could be anything.
    fn byline(&self, out: &mut String) {
        let meta = &self.source.meta;
        let parts: Vec<String> =
            [&meta.date, &meta.author, &meta.url].into_iter().flatten().map(|part| escape(part)).collect();
        if !parts.is_empty() {
            let _ = writeln!(out, "<p class=\"byline\">{}</p>", parts.join(" · "));
        }
    }

    fn summary(&self, out: &mut String) {
        if self.summary.is_empty() {
            return;
        }
        let method = self.method.map_or(String::new(), |m| format!(" <small>({})</small>", escape(m)));
        let _ = writeln!(out, "<section class=\"summary\" aria-label=\"Summary\">\n<h2>Summary{method}</h2>");
        for sentence in self.summary {
            let _ = writeln!(out, "<p>{}</p>", escape(sentence));
        }
        out.push_str("</section>\n");
    }

    fn foot(&self, out: &mut String) {
        let model = self.model;
        let _ = write!(
            out,
            "<footer>\n<p>Translated by machine with {} ({}, {})",
            escape(&model.id),
            escape(&model.architecture),
            escape(&model.compute)
        );
        if let Some(date) = self.translated {
            let _ = write!(out, " on {}", escape(date));
        }
        out.push_str(". Nobody has checked it.</p>\n");
        if let Some(license) = self.license {
            let _ = writeln!(out, "<p>License of the model: {}</p>", escape(license));
        }
        let _ = writeln!(
            out,
            "</footer>\n<div id=\"clean\" hidden>{}</div>\n<textarea id=\"plain\" hidden readonly aria-hidden=\"true\" tabindex=\"-1\">\n{}</textarea>",
            clean_html(self.english),
            escape(&clean_text(self.english))
        );
        let _ = writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>");
    }
}

/// "9 of 31 sentences doubtful", and what to make of it.
fn verdict(doubtful: usize, all: usize) -> String {
    match (doubtful, all) {
        (_, 0) => "Nothing had to be translated.".into(),
        (0, _) => format!("None of {all} sentences is marked as doubtful; that is no promise."),
        (1, _) => format!("1 of {all} sentences is doubtful. Check it against the Bengali."),
        _ => format!("{doubtful} of {all} sentences are doubtful. Check those against the Bengali."),
    }
}

/// The class and the words of a sentence's trust; none for one that can pass.
fn badge(trust: Trust, confidence: Option<f32>) -> Option<(&'static str, String)> {
    // A high chance beside "doubtful" would contradict it: there it is a finding that speaks against the sentence.
    let low = confidence.filter(|c| *c < UNSURE);
    let percent = low.map_or(String::new(), |c| format!(" {:.0}%", c * 100.0));
    match trust {
        Trust::Doubtful => Some(("doubtful", format!("doubtful{percent}"))),
        Trust::Unsure => Some(("unsure", format!("unsure{percent}"))),
        Trust::Fair => None,
    }
}

#[cfg(test)]
mod tests;
