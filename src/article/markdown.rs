//! Markdown (CommonMark with tables, strike-through, footnotes, task lists and YAML front matter) as an article.
use super::{Article, Block, BlockKind, Meta, ReadOptions};
use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// An article from Markdown. Links keep their text, images leave their alternative text as a caption, code comes through
/// verbatim, embedded HTML is read as HTML. The title is the front matter's, or the first heading if nothing precedes it.
pub fn parse(text: &str, options: &ReadOptions) -> Article {
    let wanted = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut builder = Builder { options: options.clone(), ..Builder::default() };
    for (event, range) in Parser::new_ext(text, wanted).into_offset_iter() {
        builder.event(event, range);
    }
    builder.flush();
    let (title, meta) = front_matter(&builder.front_matter);
    let mut article = Article { title, blocks: builder.blocks, meta };
    if article.title.is_none()
        && let Some(Block { kind: BlockKind::Heading { level: 1 | 2 }, .. }) = article.blocks.first()
    {
        article.title = Some(article.blocks.remove(0).text);
    }
    article
}

#[derive(Default)]
struct Builder {
    options: ReadOptions,
    blocks: Vec<Block>,
    buffer: String,
    range: Option<Range<usize>>,
    heading: Option<u8>,
    quotes: usize,
    /// Next numbers of the open lists (`None`: bullets).
    lists: Vec<Option<u64>>,
    item: Option<(u8, Option<u32>)>,
    code: bool,
    /// Alternative text of the open image, and captions that wait for the end of their paragraph.
    images: Vec<String>,
    captions: Vec<(String, Range<usize>)>,
    row: Option<Vec<String>>,
    html: Option<String>,
    in_front_matter: bool,
    front_matter: String,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text, range)
            }
            Event::SoftBreak => self.text(" ", range),
            Event::HardBreak => self.hard_break(),
            Event::Html(html) => match &mut self.html {
                Some(open) => open.push_str(&html),
                None => self.html_block(&html),
            },
            Event::InlineHtml(tag) if tag.to_ascii_lowercase().starts_with("<br") => self.hard_break(),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
            Event::Rule => self.flush(),
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.in_front_matter {
            self.front_matter.push_str(text);
        } else if let Some(alternative) = self.images.last_mut() {
            alternative.push_str(text);
        } else if let Some(html) = &mut self.html {
            html.push_str(text);
        } else {
            self.buffer.push_str(text);
            let open = self.range.get_or_insert_with(|| range.clone());
            open.end = open.end.max(range.end);
        }
    }

    /// A line that ends a sentence is a block of its own, any other goes on.
    fn hard_break(&mut self) {
        if self.row.is_none() && super::plain::ends_sentence(&self.buffer) && self.images.is_empty() {
            self.flush();
        } else {
            self.buffer.push(' ');
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::FootnoteDefinition(_) => self.flush(),
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(level_number(level));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = true;
            }
            Tag::HtmlBlock => {
                self.flush();
                self.html = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let depth = self.lists.len().saturating_sub(1).min(usize::from(u8::MAX)) as u8;
                let number = self.lists.last_mut().and_then(|next| {
                    let number = *next;
                    *next = number.map(|n| n.saturating_add(1));
                    number
                });
                self.item = Some((depth, number.and_then(|n| u32::try_from(n).ok())));
            }
            Tag::TableHead | Tag::TableRow => {
                self.flush();
                self.row = Some(Vec::new());
                self.range = Some(range);
            }
            Tag::TableCell => self.buffer.clear(),
            Tag::Image { .. } => self.images.push(String::new()),
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.in_front_matter = true
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph | TagEnd::FootnoteDefinition => self.flush(),
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                self.flush();
                self.code = false;
            }
            TagEnd::HtmlBlock => {
                let html = self.html.take().unwrap_or_default();
                self.html_block(&html);
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.item = None;
            }
            TagEnd::Item => {
                self.flush();
                self.item = None;
            }
            TagEnd::TableCell => {
                let cell = squeeze(&std::mem::take(&mut self.buffer));
                if let Some(row) = &mut self.row {
                    row.push(cell);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let cells = self.row.take().unwrap_or_default();
                let range = self.range.take().unwrap_or(range);
                if cells.iter().any(|cell| !cell.is_empty()) {
                    self.blocks.push(Block { kind: BlockKind::TableRow, text: cells.join("\t"), range });
                }
                self.flush();
            }
            TagEnd::Image => {
                let alternative = squeeze(&self.images.pop().unwrap_or_default());
                if !alternative.is_empty() {
                    self.captions.push((alternative, range));
                }
            }
            TagEnd::MetadataBlock(_) => self.in_front_matter = false,
            _ => {}
        }
    }

    /// Ends the open block, if it holds anything, and writes the captions of its images after it.
    fn flush(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let range = self.range.take().unwrap_or(0..0);
        if self.code {
            let text = buffer.trim_end_matches('\n').to_string();
            if !text.trim().is_empty() {
                self.blocks.push(Block { kind: BlockKind::Verbatim, text, range });
            }
        } else {
            let text = squeeze(&buffer);
            if !text.is_empty() {
                let kind = self.kind();
                self.blocks.push(Block { kind, text, range });
            }
        }
        for (text, range) in self.captions.drain(..) {
            self.blocks.push(Block { kind: BlockKind::Caption, text, range });
        }
    }

    fn kind(&mut self) -> BlockKind {
        if let Some(level) = self.heading {
            return BlockKind::Heading { level };
        }
        match self.item.take() {
            Some((depth, number)) => BlockKind::ListItem { depth, number },
            None if self.quotes > 0 => BlockKind::Quote,
            None => BlockKind::Paragraph,
        }
    }

    fn html_block(&mut self, html: &str) {
        let inner = super::html::extract(html, &self.options);
        self.blocks.extend(inner.blocks);
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// Title, date, author and address of the front matter: its `key: value` lines, nothing nested.
fn front_matter(text: &str) -> (Option<String>, Meta) {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':').or_else(|| line.split_once('='))?;
            let value = value.trim().trim_matches(['"', '\'']).trim();
            (name.trim().eq_ignore_ascii_case(key) && !value.is_empty()).then(|| value.to_string())
        })
    };
    let meta = Meta {
        date: value("date").or_else(|| value("published")),
        author: value("author"),
        url: value("url").or_else(|| value("canonical")),
        ..Meta::default()
    };
    (value("title"), meta)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Article {
        parse(text, &ReadOptions::default())
    }

    fn outline(text: &str) -> Vec<(BlockKind, String)> {
        parsed(text).blocks.into_iter().map(|b| (b.kind, b.text)).collect()
    }

    #[test]
    fn front_matter_and_headings() {
        let article =
            parsed("---\ntitle: \"নদীর গল্প\"\ndate: 2025-07-01\nauthor: রহিমা\n---\n\n# নদীর গল্প\n\nকথা।\n\n## দুই\n");
        assert_eq!(article.title.as_deref(), Some("নদীর গল্প"));
        assert_eq!(article.meta.date.as_deref(), Some("2025-07-01"));
        assert_eq!(article.blocks.len(), 3);
        assert_eq!(article.blocks[2].kind, BlockKind::Heading { level: 2 });
        assert_eq!(parsed("# শিরোনাম\n\nকথা।").title.as_deref(), Some("শিরোনাম"));
    }

    #[test]
    fn inline_markup_leaves_its_text() {
        assert_eq!(
            outline("কথা **জোর** _দিয়ে_ [লিংক](https://example.org) `কোড`\nএকই অনুচ্ছেদ। ![নৌকা](a.png)"),
            [(BlockKind::Paragraph, "কথা জোর দিয়ে লিংক কোড একই অনুচ্ছেদ।".into()), (BlockKind::Caption, "নৌকা".into())]
        );
    }

    #[test]
    fn lists_quotes_tables_code() {
        let item = |depth, number| BlockKind::ListItem { depth, number };
        assert_eq!(
            outline(
                "- এক\n  1. দুই\n  2. তিন\n- চার\n\n> উদ্ধৃতি\n> চলছে।\n\n| ক | খ |\n|---|---|\n| ১ | ২ |\n\n```sh\nls  -l\n```\n"
            ),
            [
                (item(0, None), "এক".into()),
                (item(1, Some(1)), "দুই".into()),
                (item(1, Some(2)), "তিন".into()),
                (item(0, None), "চার".into()),
                (BlockKind::Quote, "উদ্ধৃতি চলছে।".into()),
                (BlockKind::TableRow, "ক\tখ".into()),
                (BlockKind::TableRow, "১\t২".into()),
                (BlockKind::Verbatim, "ls  -l".into()),
            ]
        );
    }

    #[test]
    fn embedded_html_and_ranges() {
        let text = "আগে।\n\n<div><p>ভেতরে <b>এইচটিএমএল</b>।</p></div>\n\nপরে।";
        let article = parsed(text);
        let texts: Vec<&str> = article.blocks.iter().map(|b| b.text.as_str()).collect();
        assert_eq!(texts, ["আগে।", "ভেতরে এইচটিএমএল।", "পরে।"]);
        assert_eq!(&text[article.blocks[2].range.clone()], "পরে।");
    }
}
