//! One article from a file, standard input or bytes.
use super::{Article, encoding, furniture, html, markdown, packed, plain};
use crate::document::{self, Document, Kind, bijoy};
use crate::error::InputError;
use crate::lang::script::Scripts;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// Larger input is refused: it is a collection, not an article, and would cost gigabytes to hold.
pub const MAX_BYTES: usize = 16 << 20;

/// How an article is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text: paragraphs between empty lines.
    Plain,
    /// CommonMark, with tables.
    Markdown,
    /// A web page.
    Html,
}

/// How an article is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// `None`: by the file's extension, else by its content.
    pub format: Option<Format>,
    /// Bad bytes become U+FFFD instead of an error.
    pub lossy: bool,
    /// Comment forms, share lines and the like stay.
    pub keep_furniture: bool,
    /// Plain text is Bijoy and becomes Unicode. (In documents Bijoy is told by its fonts and its letters.)
    pub bijoy: bool,
}

/// Reads the article in the file at `path`, or on standard input where `path` is `-`.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Input`] where it is no article in Bengali, see [`parse`].
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Article> {
    let path = path.as_ref();
    if path == Path::new("-") {
        let bytes = read_limited(std::io::stdin().lock(), Path::new("standard input"))?;
        return parse(&bytes, "standard input", options);
    }
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    if let Some(kind) = Kind::by_name(&name).filter(|_| options.format.is_none()) {
        return Ok(document::read(file, &name, kind, options, false)?.article);
    }
    if file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() > MAX_BYTES as u64) {
        return Err(too_large(&name));
    }
    let bytes = read_limited(file, path)?;
    parse(&bytes, &name, options)
}

fn read_limited(source: impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() > MAX_BYTES { Err(too_large(&path.display().to_string())) } else { Ok(bytes) }
}

pub(super) fn too_large(name: &str) -> Error {
    Error::Input(InputError::TooLarge(format!(
        "{name}: larger than {} MiB, which is no single article",
        MAX_BYTES >> 20
    )))
}

/// The article in `bytes`; `name` (a file name with extension, if there is one) is for the format and for error texts.
///
/// # Errors
/// [`Error::Input`] where the input is too large, empty, binary, wrongly encoded, a feed, or has no Bengali in it.
pub fn parse(bytes: &[u8], name: &str, options: &ReadOptions) -> Result<Article> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(name));
    }
    if let Some((unpacked, inner)) = packed::unpack(bytes, name)? {
        if packed::unpack(&unpacked, name)?.is_some() {
            return Err(Error::Input(InputError::Binary(format!("{name}: compressed twice; unpack it first"))));
        }
        return parse(&unpacked, &inner, options);
    }
    if options.format.is_none()
        && let Some(kind) = Kind::of(bytes, name)
    {
        return Ok(Document::open(bytes.to_vec(), name, kind, options, false)?.article);
    }
    let by_name = options.format.or_else(|| format_of_name(name));
    let text = match encoding::decode(bytes, name, by_name, options.lossy) {
        _ if options.bijoy => bijoy::decode(bytes),
        Err(_) if bijoy::looks_like_bytes(bytes) => {
            let what = "Bijoy (SutonnyMJ) text in Windows-1252";
            return Err(Error::Input(InputError::Bijoy(format!("{name}: this looks like {what}"))));
        }
        decoded => decoded?,
    };
    if text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')) {
        let what = if bytes.is_empty() { "empty" } else { "nothing but white space" };
        return Err(Error::Input(InputError::Empty(format!(
            "{name}: {what}; give a file with a Bengali article in it"
        ))));
    }
    let format = match options.format {
        Some(format) => format,
        None => detect(&text, by_name, name)?,
    };
    let article = match format {
        Format::Html => html::extract(&text, options),
        Format::Markdown => cleaned(markdown::parse(&text, options), options),
        Format::Plain => cleaned(plain::parse(&text), options),
    };
    refuse_without_bengali(&article, &text, name)?;
    // A page that a script fills, or a placeholder: its title is no article. A feed's entry may be its title.
    if format == Format::Html && article.title.is_some() && article.blocks.is_empty() {
        return Err(Error::Input(InputError::Furniture(format!(
            "{name}: no article found in it, only a title; if a script of the page puts the text in, save the page from a browser"
        ))));
    }
    Ok(article)
}

pub(super) fn cleaned(mut article: Article, options: &ReadOptions) -> Article {
    furniture::clean(&mut article, options);
    article
}

/// The format that a file name's extension says.
pub fn format_of_name(name: &str) -> Option<Format> {
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" | "xhtml" | "shtml" => Some(Format::Html),
        "md" | "markdown" | "mdown" | "mkd" => Some(Format::Markdown),
        "txt" | "text" => Some(Format::Plain),
        _ => None,
    }
}

/// The format by content, where the name does not say or says "text"; an error for what `anubad bulk` reads.
fn detect(text: &str, by_name: Option<Format>, name: &str) -> Result<Format> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let head: String = start.chars().take(1024).collect::<String>().to_ascii_lowercase();
    let xml = head.strip_prefix("<?xml").map(|rest| rest.split_once("?>").map_or("", |(_, rest)| rest).trim_start());
    let root = skip_comments(xml.unwrap_or(&head));
    if root.starts_with("<!doctype html") || root.starts_with("<html") {
        return Ok(Format::Html);
    }
    if let Some(format) = by_name {
        return Ok(format);
    }
    if ["<rss", "<feed", "<rdf", "<urlset"].iter().any(|tag| root.starts_with(tag)) {
        return Err(Error::Input(InputError::Feed(format!("{name}: this is a feed, not one article"))));
    }
    let json = start.starts_with('{') || start.starts_with("[{");
    if json
        && serde_json::Deserializer::from_str(start).into_iter::<serde_json::Value>().next().is_some_and(|v| v.is_ok())
    {
        return Err(Error::Input(InputError::Feed(format!("{name}: this is JSON, not one article"))));
    }
    let end_tags = ["</p>", "</div>", "</h1>", "</body>", "</article>", "</ul>"];
    if root.starts_with('<') && end_tags.iter().any(|tag| text.contains(tag)) {
        return Ok(Format::Html);
    }
    Ok(if looks_like_markdown(text) { Format::Markdown } else { Format::Plain })
}

fn skip_comments(mut head: &str) -> &str {
    while let Some(rest) = head.strip_prefix("<!--") {
        head = rest.split_once("-->").map_or("", |(_, rest)| rest).trim_start();
    }
    head
}

/// Front matter, an ATX heading, or two other signs of Markdown.
fn looks_like_markdown(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).take(400).peekable();
    let front_matter =
        lines.peek() == Some(&"---") && text.lines().skip(1).take(40).any(|line| line.trim_end() == "---");
    let mut signs = 0;
    for line in lines {
        let hashes = line.bytes().take_while(|&b| b == b'#').count();
        if (1..=6).contains(&hashes) && line[hashes..].starts_with(' ') {
            return true;
        }
        let link = line.split_once("](").is_some_and(|(before, after)| before.contains('[') && after.contains(')'));
        let strong = line.matches("**").count() >= 2;
        let table = line.starts_with('|') && line.contains("---");
        signs += usize::from(link) + usize::from(strong) + 2 * usize::from(line.starts_with("```") || table);
    }
    front_matter || signs >= 2
}

/// No Bengali at all: say what was found instead, since the remedy depends on it.
fn refuse_without_bengali(article: &Article, text: &str, name: &str) -> Result<()> {
    let mut texts = article.title.iter().map(String::as_str).chain(article.blocks.iter().map(|b| b.text.as_str()));
    if texts.any(crate::lang::script::has_bengali) {
        return Ok(());
    }
    let sample: String = text.chars().take(20_000).collect();
    let scripts = Scripts::of(&sample);
    let share = |found: usize| found * 10 > scripts.letters().max(1) * 4;
    let marks = |set: &[char]| sample.chars().filter(|c| set.contains(c)).count();
    let found = if crate::lang::script::has_bengali(&sample) {
        let what = "no article found in it: its Bengali is all page furniture";
        return Err(InputError::Furniture(format!("{name}: {what}")).into());
    } else if marks(&['à']) > 20 && marks(&['§', '¦', '¨']) * 3 > marks(&['à']) {
        "no Bengali found: this looks like Bengali UTF-8 that was read as Latin-1 and saved again; get the page once more, or undo it: iconv -f UTF-8 -t LATIN1 FILE"
    } else if marks(&['†', '‡', '©', '¨', '„', '«', 'ª']) * 50 > scripts.letters() && scripts.latin > 20 {
        let what = "no Bengali found: this looks like Bijoy (SutonnyMJ) font text";
        return Err(InputError::Bijoy(format!("{name}: {what}")).into());
    } else if share(scripts.devanagari) {
        "no Bengali found: this is written in Devanagari (Hindi, Marathi or Nepali); anubad translates from Bengali"
    } else if share(scripts.latin) {
        "no Bengali found: this is written in Latin letters; anubad translates from Bengali"
    } else if scripts.letters() == 0 {
        "no Bengali found: there are no letters in it"
    } else {
        "no Bengali found: this is written in another script; anubad translates from Bengali"
    };
    Err(Error::Input(InputError::NoBengali(format!("{name}: {found}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8], name: &str) -> String {
        let error = parse(bytes, name, &ReadOptions::default()).expect_err("must fail").to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    #[test]
    fn formats_are_detected() {
        let detect = |text: &str, name: &str| detect(text, format_of_name(name), name).expect("fine");
        assert_eq!(detect("কথা।", "a.txt"), Format::Plain);
        assert_eq!(detect("# শিরোনাম\n\nকথা।", "-"), Format::Markdown);
        assert_eq!(detect("#শিরোনাম\n\nকথা।", "-"), Format::Plain);
        assert_eq!(detect("---\ntitle: ক\n---\nকথা।", "-"), Format::Markdown);
        assert_eq!(detect("\n<!-- x --><!DOCTYPE html><p>কথা", "a.txt"), Format::Html);
        assert_eq!(detect("<p>কথা।</p>", "-"), Format::Html);
        assert_eq!(detect("# শিরোনাম", "a.txt"), Format::Plain);
        assert_eq!(detect("কথা।", "a.md"), Format::Markdown);
    }

    #[test]
    fn bad_input_gets_one_line_of_advice() {
        assert!(message(b"", "a.txt").contains("empty"));
        assert!(message(" \n\u{feff}\t".as_bytes(), "a.txt").contains("white space"));
        assert!(message(b"Hello world, this is English.", "a.txt").contains("Latin"));
        assert!(message("यह हिन्दी है।".as_bytes(), "a.txt").contains("Devanagari"));
        assert!(message("১২৩".as_bytes(), "a.txt").contains("no letters"));
        assert!(message(b"<?xml version=\"1.0\"?><rss><channel>", "-").contains("is a feed"));
        assert!(message("{\"title\": \"কথা\"}".as_bytes(), "-").contains("JSON"));
        assert!(message("বিজ্ঞাপন\n\nশেয়ার করুন".as_bytes(), "a.txt").contains("page furniture"));
        assert!(message(&vec![b'a'; MAX_BYTES + 1], "a.txt").contains("16 MiB"));
        let bijoy =
            "Avgvi †mvbvi evsjv Avwg †Zvgvq fv‡jvevwm| wPiw`b †Zvgvi AvKvk †Zvgvi evZvm Avgvi cÖv‡Y evRvq euvwk|";
        assert!(message(bijoy.as_bytes(), "a.txt").contains("Bijoy"));
    }

    #[test]
    fn files_that_cannot_be_read() {
        let read = |path: &str| read(path, &ReadOptions::default()).expect_err("must fail").to_string();
        assert!(read("/no/such/file.txt").contains("no such file"));
        let folder = std::env::temp_dir();
        assert!(read(folder.to_str().expect("UTF-8")).contains("folder"));
    }
}
