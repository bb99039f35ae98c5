//! Records as an Atom feed: RFC 4287.
use super::xml::{NAMESPACE, element, escape, extensions, html};
use crate::bulk::record::Record;
use crate::feed::date;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Closes what [`header`] opened.
pub const FOOTER: &[u8] = b"</feed>\n";

/// The feed, up to its first entry. Atom wants a date everywhere; a date that nobody knows is left out all the same,
/// since readers sort by it and forgive that it is missing.
pub fn header(title: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:anubad=\"{NAMESPACE}\" xml:lang=\"en\">\n<title>{}</title>\n<id>urn:anubad:bulk</id>\n\
         <author><name>anubad</name></author>\n<generator>anubad</generator>\n",
        escape(title)
    )
    .into_bytes()
}

/// One entry. An id that is no IRI becomes a URN made of it.
pub fn entry(record: &Record) -> Vec<u8> {
    let mut out = String::from("<entry>\n");
    element(&mut out, "title", record.title.as_deref().unwrap_or("Untitled"));
    let id = record.id.clone().or_else(|| record.url.clone()).unwrap_or_else(|| record.n.to_string());
    let iri = id.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
    let id = if iri && !id.contains(char::is_whitespace) {
        id
    } else {
        let digest = Sha256::digest(id.as_bytes());
        format!("urn:anubad:{}", digest.iter().take(16).map(|b| format!("{b:02x}")).collect::<String>())
    };
    element(&mut out, "id", &id);
    let time = record.date.as_deref().and_then(date::parse);
    if let Some(time) = time {
        element(&mut out, "updated", &time.to_string());
    }
    if let Some(url) = &record.url {
        let _ = writeln!(out, "<link rel=\"alternate\" href=\"{}\"/>", escape(url));
    }
    if let Some(author) = &record.author {
        let _ = writeln!(out, "<author><name>{}</name></author>", escape(author));
    }
    if let Some(summary) = &record.summary {
        element(&mut out, "summary", summary);
    }
    let _ = writeln!(out, "<content type=\"html\">{}</content>", escape(&html(&record.article)));
    extensions(&mut out, record);
    out.push_str("</entry>\n");
    out.into_bytes()
}
