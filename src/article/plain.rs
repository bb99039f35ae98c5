//! Plain text: paragraphs, a title, lists and quotes out of lines.
use super::{Article, Block, BlockKind, Meta};
use crate::lang::digits;
use std::ops::Range;

/// A title has at most this many characters.
const TITLE_CHARS: usize = 150;
/// A heading that stands alone between paragraphs has at most this many.
const HEADING_CHARS: usize = 60;
/// Lines are taken for hard-wrapped only up to this length.
const WRAP_CHARS: usize = 140;

/// One line with something on it.
#[derive(Debug, Clone)]
struct Line<'a> {
    /// Trimmed, its marker (if any) taken off.
    text: &'a str,
    range: Range<usize>,
    /// List item or quote; `None` is prose.
    marker: Option<BlockKind>,
    chars: usize,
}

/// An article from plain text.
///
/// Blank lines separate paragraphs; where there are none, every line is a paragraph. Hard-wrapped lines are joined. The
/// first line is the title if it is short, does not end in a danda or a full stop, and something follows it.
pub fn parse(text: &str) -> Article {
    let groups = groups(text);
    let mut blocks = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let first = blocks.len();
        append_group(group, groups.len() > 1, &mut blocks);
        let alone = blocks.len() == first + 1 && group.len() == 1 && index > 0;
        if alone && groups.len() > 1 && is_heading(&blocks[first]) && groups.get(index + 1).is_some_and(|g| is_prose(g))
        {
            blocks[first].kind = BlockKind::Heading { level: 2 };
        }
    }
    let title = take_title(&mut blocks);
    Article { title, blocks, meta: Meta::default() }
}

/// Whether the text ends like a finished sentence, closing quotes and brackets aside.
pub fn ends_sentence(text: &str) -> bool {
    text.trim_end()
        .trim_end_matches(['"', '\'', '”', '’', '»', ')', ']', '“', '„', '\u{200c}', '\u{200d}'])
        .ends_with(['।', '॥', '?', '!', '.', '…', '|'])
}

/// A line of verse has at most this many characters.
const VERSE_CHARS: usize = 48;

/// Whether lines that stand together are verse: short ones, of about one length, most of them not sentences by themselves
/// and a good part of them ending in a sign or a sentence.
pub(super) fn is_verse(lines: &[&str]) -> bool {
    let chars = |line: &&str| line.chars().count();
    let bengali = |line: &&str| crate::lang::script::has_bengali(line);
    // Lists of names, numbers and addresses are short lines, too.
    let plain = |line: &&str| !line.contains([':', '/', '|', '\t', '@']) && !line.starts_with(['-', '*', '•']);
    let label = |line: &&str| super::furniture::is_label_line(line);
    let ended = lines.iter().filter(|line| line.ends_with([',', ';', '।', '॥', '!', '?', '—', '–', '-', '…'])).count();
    let finished = lines.iter().filter(|line| line.ends_with(['।', '?', '!'])).count();
    lines.len() >= 3
        && lines.iter().all(|line| chars(line) <= VERSE_CHARS && bengali(line) && plain(line) && !label(line))
        && lines.iter().map(chars).max().unwrap_or(0) <= 4 * lines.iter().map(chars).min().unwrap_or(0)
        && ended * 4 >= lines.len()
        && finished * 2 <= lines.len()
}

/// Lines between blank lines.
fn groups(text: &str) -> Vec<Vec<Line<'_>>> {
    let mut groups: Vec<Vec<Line<'_>>> = Vec::new();
    let mut open = false;
    let mut at = 0;
    for raw in text.split_inclusive(['\n', '\r', '\u{2028}', '\u{2029}', '\u{0085}', '\u{000c}']) {
        let start = at;
        at += raw.len();
        // "\r\n" is split after both of its characters; the empty half is not a blank line.
        if raw == "\n" && text[..start].ends_with('\r') {
            continue;
        }
        let line = raw.trim_matches(is_blank);
        if line.is_empty() {
            open = false;
            continue;
        }
        let offset = start + (raw.len() - raw.trim_start_matches(is_blank).len());
        if !open {
            groups.push(Vec::new());
            open = true;
        }
        if let Some(group) = groups.last_mut() {
            group.push(marked(line, offset, indent(raw)));
        }
    }
    groups
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')
}

/// Width of the white space that a line begins with.
fn indent(raw: &str) -> usize {
    raw.chars().take_while(|c| matches!(c, ' ' | '\t' | '\u{a0}')).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// A line with its list or quote marker recognized.
fn marked(line: &str, offset: usize, indent: usize) -> Line<'_> {
    let depth = (indent / 2).min(8) as u8;
    let (marker, rest) = match list_marker(line) {
        Some((number, rest)) => (Some(BlockKind::ListItem { depth, number }), rest),
        None => match line.strip_prefix("> ") {
            Some(rest) => (Some(BlockKind::Quote), rest),
            None => (None, line),
        },
    };
    let text = rest.trim();
    let start = offset + (line.len() - rest.len()) + (rest.len() - rest.trim_start().len());
    Line { text, range: start..start + text.len(), marker, chars: text.chars().count() }
}

/// "- ", "• ", "১. ", "২) ", "(৩) ", "৪। ", "ক) " and the like: the item's number, if it has one, and its text.
fn list_marker(line: &str) -> Option<(Option<u32>, &str)> {
    const BULLETS: &[char] = &['-', '*', '•', '◦', '▪', '●', '○', '■', '➤', '►', '✓', '✔', '✅', '‣', '·'];
    if let Some(rest) = line.strip_prefix(BULLETS) {
        return (rest.starts_with([' ', '\t', '\u{a0}']) && !rest.trim().is_empty()).then_some((None, rest));
    }
    let (body, bracket) = line.strip_prefix('(').map_or((line, false), |body| (body, true));
    let end = body.char_indices().find(|&(_, c)| !digits::is_digit(c)).map_or(body.len(), |(i, _)| i);
    let (number, after) = if end > 0 && end <= 9 {
        let digits = digits::to_latin(&body[..end]);
        if digits.len() > 3 {
            return None;
        }
        (digits.parse().ok()?, &body[end..])
    } else {
        let first = body.chars().next()?;
        let letters = ['ক', 'খ', 'গ', 'ঘ', 'ঙ', 'চ', 'ছ', 'জ'];
        let index = letters.iter().position(|&letter| letter == first)?;
        (index as u32 + 1, &body[first.len_utf8()..])
    };
    let closers: &[char] = if bracket || end == 0 { &[')'] } else { &['.', ')', '।'] };
    let rest = after.strip_prefix(closers)?;
    (rest.starts_with([' ', '\t', '\u{a0}']) && !rest.trim().is_empty()).then_some((Some(number), rest))
}

/// The blocks of one group of lines.
fn append_group(group: &[Line<'_>], separated: bool, blocks: &mut Vec<Block>) {
    let lines: Vec<&str> = group.iter().map(|line| line.text).collect();
    if separated && group.iter().all(|line| line.marker.is_none()) && is_verse(&lines) {
        let text = lines.iter().map(|line| squeeze(line)).collect::<Vec<_>>().join("\n");
        let range = group.first().map_or(0, |line| line.range.start)..group.last().map_or(0, |line| line.range.end);
        return blocks.push(Block { kind: BlockKind::Paragraph, text, range });
    }
    let longest = group.iter().map(|line| line.chars).max().unwrap_or(0);
    let full = |line: &Line<'_>| line.chars >= 35 && line.chars * 4 >= longest * 3;
    let inner = &group[..group.len().saturating_sub(1)];
    let wrapped = separated && longest <= WRAP_CHARS && !inner.is_empty() && inner.iter().all(full);
    let mut previous: Option<&Line<'_>> = None;
    for line in group {
        let joins = previous.is_some_and(|before| {
            let same_quote = before.marker == Some(BlockKind::Quote) && line.marker == Some(BlockKind::Quote);
            let free = line.marker.is_none() || same_quote;
            free && (wrapped || (full(before) && longest <= WRAP_CHARS && !ends_sentence(before.text)))
        });
        match blocks.last_mut().filter(|_| joins) {
            Some(block) => {
                block.text.push(' ');
                block.text.push_str(&squeeze(line.text));
                block.range.end = line.range.end;
            }
            None => blocks.push(Block {
                kind: line.marker.unwrap_or(BlockKind::Paragraph),
                text: squeeze(line.text),
                range: line.range.clone(),
            }),
        }
        previous = Some(line);
    }
}

/// Inner white space made single; a tab between cells of a pasted table is white space too.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_prose(group: &[Line<'_>]) -> bool {
    group.last().is_some_and(|line| ends_sentence(line.text)) && group.iter().map(|line| line.chars).sum::<usize>() > 40
}

/// A short line without final punctuation that is no label, date or byline.
fn is_heading(block: &Block) -> bool {
    const BYLINES: &[&str] = &["প্রতিবেদক", "প্রতিনিধি", "ডেস্ক", "প্রকাশ", "আপডেট", "সংবাদদাতা", "লেখক"];
    let text = &block.text;
    block.kind == BlockKind::Paragraph
        && !text.contains('\n')
        && text.chars().count() <= HEADING_CHARS
        && !ends_sentence(text)
        && !text.contains(['।', ':', 'ঃ', '/', '|', ','])
        && text.chars().any(char::is_alphabetic)
        && !BYLINES.iter().any(|word| text.contains(word))
}

/// A text as a paragraph.
pub(super) fn paragraph(text: &str) -> Block {
    Block { kind: BlockKind::Paragraph, text: text.to_owned(), range: 0..0 }
}

/// Takes the first block off as the title, if it is one.
fn take_title(blocks: &mut Vec<Block>) -> Option<String> {
    let first = blocks.first()?;
    let text = first.text.trim_end_matches(['"', '”', '’', '\'']);
    let is_title = first.kind == BlockKind::Paragraph
        && blocks.len() > 1
        && !first.text.contains('\n')
        && first.text.chars().count() <= TITLE_CHARS
        && !text.ends_with(['।', '॥', '.', '|', ',', ':', ';'])
        && first.text.chars().any(char::is_alphabetic)
        // A label line ("তথ্য সূত্র: …") that happens to come first is none.
        && !super::furniture::is_label_line(&first.text);
    is_title.then(|| blocks.remove(0).text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verse_keeps_its_lines_and_stanzas() {
        let poem = "নদীর ধারে কাশের বনে\nহাওয়া এসে দোলে,\nমেঘের ছায়া জলের বুকে\nআপন কথা বলে।";
        let texts = |text: &str| parse(text).blocks.into_iter().map(|b| b.text).collect::<Vec<_>>();
        assert_eq!(texts(&format!("গান\n\n{poem}\n\n{poem}")), [poem, poem]);
        // Who wrote it where is no verse, and neither are sentences line by line.
        assert_eq!(texts("শিরোনাম\n\nনিজস্ব প্রতিবেদক\nঢাকা\n৫ মে\n\nকথা এখানে শেষ।").len(), 4);
        assert_eq!(texts("শিরোনাম\n\nসে এল।\nসে গেল।\nআর এল না।").len(), 3);
    }

    fn kinds(text: &str) -> Vec<(BlockKind, String)> {
        parse(text).blocks.into_iter().map(|b| (b.kind, b.text)).collect()
    }

    #[test]
    fn title_and_paragraphs() {
        let article = parse("শিরোনাম এখানে!\r\n\r\nপ্রথম অনুচ্ছেদ।\r\n\r\nদ্বিতীয় অনুচ্ছেদ।\r\n");
        assert_eq!(article.title.as_deref(), Some("শিরোনাম এখানে!"));
        assert_eq!(article.blocks.len(), 2);
        assert_eq!(parse("একটিই লাইন").title, None);
        assert_eq!(parse("প্রথম বাক্য।\n\nদ্বিতীয় বাক্য।").title, None);
    }

    #[test]
    fn lines_without_blank_lines_are_paragraphs() {
        let article = parse("শিরোনাম\nপ্রথম অনুচ্ছেদ।\nদ্বিতীয় অনুচ্ছেদ।");
        assert_eq!(article.title.as_deref(), Some("শিরোনাম"));
        assert_eq!(article.blocks.len(), 2);
    }

    #[test]
    fn wrapped_lines_are_joined() {
        let text = "শিরোনাম\n\nএই লাইনটি বেশ লম্বা এবং এখানে এসে ভেঙে গেছে কারণ সম্পাদক\nচল্লিশ অক্ষরের পর লাইন ভাঙেন আর তারপর আবার নতুন লাইন শুরু\nকরেন।";
        let article = parse(text);
        assert_eq!(article.blocks.len(), 1);
        assert!(article.blocks[0].text.contains("সম্পাদক চল্লিশ"));
        assert_eq!(&text[article.blocks[0].range.clone()].lines().count(), &3);
    }

    #[test]
    fn lists_and_quotes() {
        let item = |depth, number| BlockKind::ListItem { depth, number };
        assert_eq!(
            kinds("শুরু।\n- এক\n  • দুই\n১. তিন\n(২) চার\n৩। পাঁচ\nক) ছয়\n> উদ্ধৃতি\n২০২৪. সাল"),
            [
                (BlockKind::Paragraph, "শুরু।".into()),
                (item(0, None), "এক".into()),
                (item(1, None), "দুই".into()),
                (item(0, Some(1)), "তিন".into()),
                (item(0, Some(2)), "চার".into()),
                (item(0, Some(3)), "পাঁচ".into()),
                (item(0, Some(1)), "ছয়".into()),
                (BlockKind::Quote, "উদ্ধৃতি".into()),
                (BlockKind::Paragraph, "২০২৪. সাল".into()),
            ]
        );
    }

    #[test]
    fn a_short_line_alone_is_a_heading() {
        let text = "শিরোনাম\n\nপ্রথম অনুচ্ছেদে কিছু কথা আছে।\n\nপটভূমি\n\nদ্বিতীয় অনুচ্ছেদেও কিছু কথা আছে, বেশ খানিকটা।";
        assert_eq!(kinds(text)[1], (BlockKind::Heading { level: 2 }, "পটভূমি".into()));
    }

    #[test]
    fn ranges_point_into_the_input() {
        let text = "\u{feff}শিরোনাম\n\n  - প্রথম  কথা \n\nশেষ।";
        let article = parse(text);
        assert_eq!(&text[article.blocks[0].range.clone()], "প্রথম  কথা");
        assert_eq!(article.blocks[0].text, "প্রথম কথা");
        assert_eq!(&text[article.blocks[1].range.clone()], "শেষ।");
    }
}
