//! Records as an RSS 2.0 feed: <https://www.rssboard.org/rss-specification>.
use super::xml::{NAMESPACE, element, escape, extensions, html};
use crate::bulk::record::Record;
use crate::feed::date;
use std::fmt::Write;

/// Closes what [`header`] opened.
pub const FOOTER: &[u8] = b"</channel>\n</rss>\n";

/// The channel, up to its first item.
pub fn header(title: &str) -> Vec<u8> {
    let title = escape(title);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:anubad=\"{NAMESPACE}\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
         <channel>\n<title>{title}</title>\n<link>urn:anubad:bulk</link>\n\
         <description>{title}</description>\n<language>en</language>\n<generator>anubad</generator>\n"
    )
    .into_bytes()
}

/// One item: the summary as its description, the text as `content:encoded`.
pub fn item(record: &Record) -> Vec<u8> {
    let mut out = String::from("<item>\n");
    element(&mut out, "title", record.title.as_deref().unwrap_or("Untitled"));
    if let Some(url) = &record.url {
        element(&mut out, "link", url);
    }
    if let Some(id) = &record.id {
        let link = record.url.as_ref() == Some(id);
        let _ = writeln!(out, "<guid isPermaLink=\"{link}\">{}</guid>", escape(id));
    }
    if let Some(time) = record.date.as_deref().and_then(date::parse) {
        element(&mut out, "pubDate", &date::rfc2822(time));
    }
    if let Some(author) = &record.author {
        element(&mut out, "dc:creator", author);
    }
    element(&mut out, "description", record.summary.as_deref().unwrap_or(""));
    element(&mut out, "content:encoded", &html(&record.article));
    extensions(&mut out, record);
    out.push_str("</item>\n");
    out.into_bytes()
}
