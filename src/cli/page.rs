//! `anubad translate --format html`.
use crate::article::Article;
use crate::manifest::Manifest;
use crate::page::Page;
use crate::pipeline::Translation;

/// The page of a translation, with the date (UTC) and the model's license.
pub fn of(source: &Article, translation: &Translation, manifest: Option<&Manifest>) -> String {
    let method = translation.summary.as_ref().map(|s| s.method.to_string());
    let today: String = jiff::Timestamp::now().to_string().chars().take("2026-11-28".len()).collect();
    let page = Page {
        license: manifest.map(|m| m.license.summary.as_str()),
        translated: Some(today.as_str()),
        ..Page::of(source, translation, method.as_deref())
    };
    page.html()
}
