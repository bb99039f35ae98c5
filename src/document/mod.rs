//! Documents as people have them: .docx, .odt, .epub, subtitles and PDF, read as articles and, all but PDF, written
//! again with their text in English and everything else as it was.
//!
//! ```text
//! bytes ─▶ package (zip, bounded) ─▶ docx | odt | epub: paragraphs that know their bytes ─▶ Article + slots
//!                                                       Translation + slots ─▶ rewrite ─▶ the same package
//! ```
pub(crate) mod bijoy;
mod docx;
mod docx_styles;
mod epub;
mod kind;
mod odt;
mod odt_styles;
mod package;
mod paragraph;
mod pdf;
mod rewrite;
mod subtitle;
mod xhtml;
mod xml;

pub use kind::Kind;

use crate::article::{Article, ReadOptions, encoding};
use crate::error::{InputError, SettingsError};
use crate::pipeline::Translation;
use crate::{Error, Result};
use package::Package;
use paragraph::{Paragraph, Slot};
use std::io::Read;
use std::ops::Range;
use subtitle::Subtitles;

/// Largest document that is read.
pub const MAX_BYTES: usize = 256 << 20;

/// A member of a package that holds text.
#[derive(Debug, Clone)]
struct Part {
    member: String,
    xml: String,
    /// What is left out when it is written.
    cuts: Vec<Range<usize>>,
}

/// What a format's reader finds.
#[derive(Debug, Default)]
struct Parts {
    parts: Vec<Part>,
    paragraphs: Vec<Paragraph>,
}

/// How a document is kept until it is written again.
#[derive(Debug, Clone)]
enum Form {
    Package { bytes: Vec<u8>, parts: Vec<Part>, slots: Vec<Slot> },
    Subtitles(Subtitles),
    Pdf,
}

/// A document and the article in it.
#[derive(Debug, Clone)]
pub struct Document {
    /// What is to be translated.
    pub article: Article,
    /// What it was read as.
    pub kind: Kind,
    name: String,
    form: Form,
}

impl Document {
    /// Opens a document. `whole` reads what is no part of the article, too (headers, footers, tables of contents), for
    /// a document that is to be written again.
    ///
    /// # Errors
    /// [`Error::Input`] with one sentence where it is damaged, hostile or without Bengali.
    pub fn open(bytes: Vec<u8>, name: &str, kind: Kind, options: &ReadOptions, whole: bool) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::Input(InputError::TooLarge(format!(
                "{name}: larger than {} MiB, which is no text",
                MAX_BYTES >> 20
            ))));
        }
        let (article, form) = match kind {
            Kind::Srt | Kind::Vtt => {
                let text = encoding::decode(&bytes, name, None, options.lossy)?;
                let bijoy = options.bijoy || bijoy::looks_like(&text);
                let text = if bijoy { bijoy_cues(&text) } else { text };
                let file = Subtitles::parse(&text, kind == Kind::Vtt);
                (file.article(), Form::Subtitles(file))
            }
            Kind::Pdf => (pdf::read(&bytes, name, options.bijoy)?, Form::Pdf),
            Kind::Docx | Kind::Odt | Kind::Epub => {
                let mut package = Package::open(&bytes, name)?;
                let Parts { parts, mut paragraphs } = match kind {
                    Kind::Docx => docx::read(&mut package, name, whole)?,
                    Kind::Odt => odt::read(&mut package, name, whole)?,
                    _ => epub::read(&mut package, name, whole)?,
                };
                paragraphs.retain(|p| whole || !p.aside);
                let all_bijoy = options.bijoy || is_bijoy(&paragraphs);
                let (article, slots) = paragraph::article(paragraphs, all_bijoy);
                (article, Form::Package { bytes, parts, slots })
            }
        };
        let texts = article.title.iter().chain(article.blocks.iter().map(|b| &b.text));
        if !texts.into_iter().any(|text| crate::lang::script::has_bengali(text)) {
            return Err(Error::Input(InputError::Bijoy(format!(
                "{name}: no Bengali found in it, unless its letters are Bijoy's and look like Latin"
            ))));
        }
        Ok(Self { article, kind, name: name.to_owned(), form })
    }

    /// Whether the document can be written as a kind.
    ///
    /// # Errors
    /// [`Error::Settings`] where it cannot.
    pub fn check_kind(&self, kind: Kind) -> Result<()> {
        let subtitles = |kind| matches!(kind, Kind::Srt | Kind::Vtt);
        let same = self.kind == kind || (subtitles(self.kind) && subtitles(kind));
        if same && kind != Kind::Pdf {
            return Ok(());
        }
        let (own, other) = (self.kind.extension(), kind.extension());
        Err(Error::Settings(SettingsError::Conflict(format!(
            "{}: a {own} is not written as a {other}; a document comes back as what it was, or as .txt, .md, .html or .json",
            self.name
        ))))
    }

    /// The document with its text in English, or with the English below the Bengali. Subtitles may be written as the
    /// other kind of subtitles.
    ///
    /// # Errors
    /// [`Error::Settings`] where this kind is not written.
    pub fn write(&self, translation: &Translation, kind: Kind, bilingual: bool) -> Result<Vec<u8>> {
        self.check_kind(kind)?;
        match &self.form {
            Form::Package { bytes, parts, slots } => {
                let changed = rewrite::members(self.kind, parts, slots, translation, bilingual);
                let changed = rewrite::with_styles(self.kind, bytes, &self.name, changed, bilingual)?;
                package::replace(bytes, &self.name, &changed)
            }
            Form::Subtitles(file) => {
                let english: Vec<String> = translation.article.blocks.iter().map(|b| b.text.clone()).collect();
                Ok(file.write(&english, bilingual, kind == Kind::Vtt).into_bytes())
            }
            Form::Pdf => Ok(Vec::new()),
        }
    }
}

/// Reads a document from a file or a stream.
///
/// # Errors
/// As for [`Document::open`], and [`Error::Io`].
pub fn read(source: impl Read, name: &str, kind: Kind, options: &ReadOptions, whole: bool) -> Result<Document> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| Error::io(name, e))?;
    Document::open(bytes, name, kind, options, whole)
}

/// Whether the text of a document that names no font is Bijoy on the whole.
fn is_bijoy(paragraphs: &[Paragraph]) -> bool {
    let text = |p: &Paragraph| p.pieces.iter().map(|piece| piece.text.as_str()).collect::<String>();
    let (mut telling, mut plain) = (0, 0);
    for text in paragraphs.iter().map(text).filter(|text| text.len() > 20) {
        if bijoy::looks_like(&text) { telling += text.len() } else { plain += text.len() }
    }
    telling > plain
}

/// Subtitles in Bijoy: all lines but numbers and times.
fn bijoy_cues(text: &str) -> String {
    let convert = |line: &str| match line.contains("-->") || line.trim().bytes().all(|b| b.is_ascii_digit()) {
        true => line.to_owned(),
        false => bijoy::convert_lines(line),
    };
    text.split_inclusive('\n').map(convert).collect()
}

#[cfg(test)]
mod tests;
