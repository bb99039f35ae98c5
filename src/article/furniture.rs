//! Page furniture: what a news page carries around its article. Recognized by whole lines only, so that prose which
//! merely mentions such words stays.
mod tails;

use super::{Article, Block, BlockKind, ReadOptions};
use crate::lang::normalize::canonical;
use crate::lang::script::{Scripts, has_bengali};
use crate::lang::{Words, tables};

/// A furniture line has at most this many characters.
const LINE_CHARS: usize = 220;

/// The rows of a kind in both languages' tables.
const fn both(kind: &'static str) -> [Words; 2] {
    [Words::new(tables::BN_FURNITURE, kind), Words::new(tables::EN_FURNITURE, kind)]
}

/// Lines that are furniture when they are all there is in a block (folded, see [`fold`]).
static LINES: [Words; 2] = both("line");

/// Beginnings of lines that are furniture whatever follows, if the line is short.
static BEGINNINGS: [Words; 2] = both("beginning");

/// Beginnings that are furniture when a colon, a dash or nothing follows: "আরও পড়ুন: …".
static LABELS: [Words; 2] = both("label");

/// Labels of a line that names the story's source.
static SOURCES: [Words; 2] = both("source");

/// Labels of a line that names a photographer or describes a photo.
static PHOTOS: [Words; 2] = both("photo");

/// Recognizes source lines and photo credits, and takes the furniture out of the article unless it is to be kept.
/// Returns what was taken out, in order.
pub fn clean(article: &mut Article, options: &ReadOptions) -> Vec<Block> {
    for block in &mut article.blocks {
        classify(block);
    }
    if options.keep_furniture {
        return Vec::new();
    }
    for block in &mut article.blocks {
        if let Some(end) = tails::begin_of_tail(&block.text) {
            block.text.truncate(end);
        }
    }
    article.blocks.retain(|block| !block.text.is_empty());
    let title = article.title.as_deref().map(fold);
    let blocks = std::mem::take(&mut article.blocks);
    let mut dropped = Vec::new();
    let mut state = State::default();
    let count = blocks.len();
    for (index, block) in blocks.into_iter().enumerate() {
        let tail = count >= 2 && index > 0 && index + 3 >= count;
        let repeated = title.as_ref().is_some_and(|title| is_repeated_title(&block, title, article.blocks.is_empty()));
        if repeated || state.is_furniture(&block, tail) {
            dropped.push(block);
        } else {
            article.blocks.push(block);
        }
    }
    dropped
}

/// Whether a line is a source line, a photo credit or furniture with a label: never a title.
pub(super) fn is_label_line(text: &str) -> bool {
    let folded = fold(text);
    label_value(&folded, &SOURCES).is_some() || label_value(&folded, &LABELS).is_some() || is_one_of(&folded, &LINES)
}

/// Source lines and photo credits get their own kinds.
fn classify(block: &mut Block) {
    if !matches!(block.kind, BlockKind::Paragraph | BlockKind::Heading { .. } | BlockKind::ListItem { .. }) {
        return;
    }
    let chars = block.text.chars().count();
    if chars > 120 {
        return;
    }
    let folded = fold(&block.text);
    let sentence = block.text.contains('।') && !block.text.trim_end().ends_with('।');
    if label_value(&folded, &SOURCES).is_some_and(|value| !value.is_empty()) && !sentence {
        block.kind = BlockKind::SourceLine;
    } else if is_one_of(&folded, &PHOTOS)
        || (chars <= 80 && label_value(&folded, &PHOTOS).is_some())
        || tails::ends_with_credit(&folded)
    {
        block.kind = BlockKind::Caption;
    }
}

/// What follows "label:" or "label -" in a folded line; empty for the label alone.
fn label_value<'a>(folded: &'a str, labels: &'static [Words; 2]) -> Option<&'a str> {
    all(labels).find_map(|label| {
        let rest = folded.strip_prefix(label)?.trim_start();
        match rest.chars().next() {
            None => Some(""),
            Some(':' | '-' | '–' | '—' | '।' | '|' | '>' | '»') => {
                Some(rest.trim_start_matches([':', '-', '–', '—', '।', '|', '>', '»', ' ']))
            }
            _ => None,
        }
    })
}

/// Entries of both languages' lists, the longest of each first.
fn all(lists: &'static [Words; 2]) -> impl Iterator<Item = &'static str> {
    lists.iter().flat_map(Words::longest_first).copied()
}

fn is_one_of(folded: &str, lists: &[Words; 2]) -> bool {
    lists.iter().any(|words| words.contains(folded))
}

/// The title again: as a heading anywhere, as a paragraph at the top.
fn is_repeated_title(block: &Block, title: &str, top: bool) -> bool {
    let heading = matches!(block.kind, BlockKind::Heading { .. });
    // A first sentence that says what the headline says is prose.
    let line = top && block.kind == BlockKind::Paragraph && !block.text.trim_end().ends_with(['।', '.']);
    (heading || line) && fold(&block.text) == *title
}

#[derive(Default)]
struct State {
    /// A comment form has begun: Latin lines belong to it until Bengali comes.
    form: bool,
    /// A bare "read more" line has been seen: list items after it are other articles' headlines.
    more: Option<usize>,
}

impl State {
    fn is_furniture(&mut self, block: &Block, tail: bool) -> bool {
        if matches!(block.kind, BlockKind::Verbatim | BlockKind::TableRow | BlockKind::SourceLine) {
            return false;
        }
        let chars = block.text.chars().count();
        let bengali = has_bengali(&block.text);
        if self.form && !bengali && chars <= LINE_CHARS {
            return true;
        }
        self.form = false;
        let sentence = super::plain::ends_sentence(&block.text);
        if let Some(left) = self.more.take().filter(|left| *left > 0) {
            let headline = match block.kind {
                BlockKind::ListItem { .. } => chars <= 160 && !block.text.contains('।'),
                // A card: the headline of the other article.
                BlockKind::Heading { level: 3.. } => left == MORE && chars <= 120,
                BlockKind::Paragraph => left == MORE && chars <= 120 && !sentence,
                _ => false,
            };
            if headline {
                self.more = Some(left - 1);
                return true;
            }
        }
        if chars > LINE_CHARS {
            return false;
        }
        let folded = fold(&block.text);
        if is_one_of(&folded, &LINES) {
            self.form = folded.starts_with("leave a") || folded.contains("মন্তব্য") || folded.contains("মতামত");
            let more = folded.contains("পড়ুন") || folded.contains("খবর") || folded.contains("সংবাদ");
            self.more = (more || folded.starts_with("read") || folded.starts_with("related")).then_some(MORE);
            return true;
        }
        if all(&BEGINNINGS).any(|beginning| folded.starts_with(beginning)) {
            self.form = folded.starts_with("your email");
            return true;
        }
        if tails::is_more_heading(&folded) && !sentence {
            self.more = Some(MORE);
            return true;
        }
        let labeled = label_value(&folded, &LABELS).is_some_and(|value| !value.contains('।') && !sentence);
        labeled
            || is_breadcrumb(&folded)
            || is_cookie_line(&folded)
            || is_rights_line(&folded)
            || tails::is_wordpress_line(&folded)
            || tails::is_channel_line(&folded)
            || tails::is_share_list(&folded, |part| is_one_of(part, &LINES))
            || (tail && (is_sign_off(&block.text) || tails::is_signature(&block.text)))
    }
}

/// Headlines after a bare "read more" line that are taken for links.
const MORE: usize = 10;

/// "হোম / জাতীয় / …", "Home > News > …".
fn is_breadcrumb(folded: &str) -> bool {
    let parts = folded.split(['/', '>', '»', '›', '|', '→']);
    let first = parts.clone().next().unwrap_or("").trim();
    let short = parts.clone().all(|part| part.split_whitespace().count() <= 4);
    matches!(first, "হোম" | "প্রচ্ছদ" | "home") && parts.count() >= 2 && short
}

/// A cookie banner: it speaks of this site.
fn is_cookie_line(folded: &str) -> bool {
    let bengali = folded.contains("কুকি")
        && (folded.contains("এই ওয়েবসাইট") || folded.contains("আমাদের ওয়েবসাইট") || folded.contains("এই সাইট"));
    let english = folded.contains("cookie")
        && ["this site", "this website", "our site", "our website", "we use", "accept", "consent"]
            .iter()
            .any(|w| folded.contains(w));
    bengali || (english && !has_bengali(folded))
}

/// "… সর্বস্বত্ব সংরক্ষিত", "… অনুমতি ছাড়া … বেআইনি".
fn is_rights_line(folded: &str) -> bool {
    folded.contains("সর্বস্বত্ব সংরক্ষিত")
        || folded.contains("all rights reserved")
        || (folded.contains("অনুমতি ছাড়া")
            && folded.contains("বেআইনি")
            && (folded.contains("ওয়েবসাইট") || folded.contains("পোর্টাল") || folded.contains("পত্রিকা")))
}

/// Initials of the desk at the end of a story: "ঢাকাটাইমস/০৮জুলাই/এমআর", "এনএইচ/এমএম".
fn is_sign_off(text: &str) -> bool {
    let text = text.trim().trim_matches(['(', ')', '।']);
    let Some((paper, initials)) = text.rsplit_once('/') else { return false };
    // The paper's name may have a space in it; the initials have none.
    let few_words = paper.split_whitespace().count() <= 3 && (paper.is_empty() || !paper.ends_with([' ', '।']));
    let scripts = Scripts::of(text);
    few_words
        && !initials.is_empty()
        && !initials.contains(char::is_whitespace)
        && (!paper.contains(' ') || initials.chars().count() <= 8)
        && text.chars().count() <= 40
        && scripts.bengali > 0
        && scripts.latin == 0
}

/// A line as the lists above have it: canonical, lower case, without decoration at its ends.
fn fold(text: &str) -> String {
    let text = canonical(text).to_lowercase();
    let decoration = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '*' | ':'
                    | '-'
                    | '–'
                    | '—'
                    | '.'
                    | '…'
                    | '»'
                    | '›'
                    | '→'
                    | '>'
                    | '|'
                    | '!'
                    | '।'
                    | '•'
                    | '#'
                    | '['
                    | ']'
                    | '('
                    | ')'
                    | '"'
                    | '“'
                    | '”'
            )
    };
    text.trim_matches(decoration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::plain;

    fn cleaned(text: &str) -> (Article, Vec<String>) {
        let mut article = plain::parse(text);
        let dropped = clean(&mut article, &ReadOptions::default());
        (article, dropped.into_iter().map(|b| b.text).collect())
    }

    #[test]
    fn comment_forms_go() {
        let (article, dropped) = cleaned(
            "শিরোনাম\n\nখবর এখানে শেষ হলো।\n\nতথ্য সূত্র: সিএনএন\n\nLeave a Reply\n\nYour email address will not be published. Required fields are marked *\n\nComment *\n\nName *",
        );
        assert_eq!(dropped.len(), 4);
        assert_eq!(article.blocks.len(), 2);
        assert_eq!(article.blocks[1].kind, BlockKind::SourceLine);
    }

    #[test]
    fn read_more_share_and_rights_go() {
        for line in [
            "আরও পড়ুন: নতুন বাজেট পেশ আজ",
            "আরো প\u{09a1}\u{09bc}ুন",
            "শেয়ার করুন",
            "Share on Facebook",
            "হোম / জাতীয় / রাজধানী",
            "© ২০২৫ দৈনিক উদাহরণ",
            "এই ওয়েবসাইট কুকি ব্যবহার করে।",
            "বিজ্ঞাপন",
        ] {
            let (_, dropped) = cleaned(&format!("শিরোনাম\n\nখবর এখানে শেষ হলো।\n\n{line}\n\nএরপর আরও কিছু কথা আছে।"));
            assert_eq!(dropped, [line]);
        }
    }

    #[test]
    fn prose_stays() {
        for line in [
            "আরও পড়ুন বেশি বই, বললেন শিক্ষক।",
            "ফেসবুক বন্ধ করে দিয়েছে সরকার।",
            "সূত্র জানায়, তিনি দেশে নেই।",
            "মন্তব্য করতে রাজি হননি তিনি।",
            "সর্বশেষ খবর হলো, তিনি ভালো আছেন।",
            "ছবি তোলা নিষেধ।",
            "সরকারি ও/অথবা বেসরকারি",
        ] {
            let (article, dropped) = cleaned(&format!("শিরোনাম\n\nখবর এখানে শেষ হলো।\n\n{line}\n\nশেষ কথা এটাই ছিল।"));
            assert!(dropped.is_empty(), "{dropped:?}");
            assert!(matches!(article.blocks[1].kind, BlockKind::Paragraph | BlockKind::Heading { .. }), "{line}");
        }
    }

    #[test]
    fn photo_credits_are_captions() {
        let (article, _) = cleaned("শিরোনাম\n\nছবি: সংগৃহীত\n\nখবর এখানে শেষ হলো।\n\nফাইল ছবি\n\nশেষ।");
        assert_eq!(article.blocks[0].kind, BlockKind::Caption);
        assert_eq!(article.blocks[2].kind, BlockKind::Caption);
    }

    #[test]
    fn repeated_titles_go() {
        let (article, dropped) = cleaned("শিরোনাম!\n\nশিরোনাম!\n\nখবর এখানে শেষ হলো।");
        assert_eq!((article.blocks.len(), dropped.len()), (1, 1));
    }

    #[test]
    fn what_feeds_and_desks_add_goes() {
        for line in [
            "The post পাঠাগারের খবর first appeared on আমার খবর.",
            "The post পাঠাগারের খবর appeared first on আমার খবর।",
            "পাঠাগারের খবর পোস্টটি প্রথম প্রকাশিত হয়েছে আমার খবর-এ।",
            "Comments | Share",
            "ফেসবুক টুইটার হোয়াটসঅ্যাপ",
            "শেয়ার · ফেসবুক · কপি লিংক",
            "আমাদের ইউটিউব চ্যানেল সাবস্ক্রাইব করুন",
            "সব খবর জানতে হোয়াটসঅ্যাপ চ্যানেলে যুক্ত হোন।",
            "বাংলাদেশ থেকে আরও পড়ুন",
            "লোড হচ্ছে…",
            "বিডি প্রতিদিন/এমআই",
            "(ডি.পি.)",
            "এনএইচ/এমএম",
            "—এস.এম.র.",
        ] {
            let (_, dropped) = cleaned(&format!("শিরোনাম\n\nখবর এখানে শেষ হলো।\n\nআরও কিছু কথা ছিল।\n\n{line}"));
            assert_eq!(dropped, [line]);
        }
    }

    #[test]
    fn the_list_under_read_more_goes_with_it() {
        let (article, dropped) = cleaned(
            "শিরোনাম\n\nখবর এখানে শেষ হলো।\n\nবাংলাদেশ থেকে আরও পড়ুন\n\n- ট্রেনের টিকিট বিক্রি শুরু\n- নদীভাঙনে ঘর হারাল ৫০ পরিবার\n\nশেষ কথা এটাই।",
        );
        assert_eq!((article.blocks.len(), dropped.len()), (2, 3));
    }

    #[test]
    fn tails_are_cut_from_paragraphs() {
        for tail in [
            " The post খবর appeared first on সাইট.",
            " […]",
            " [...] Read more »",
            " বিস্তারিত পড়ুন →",
            " Continue reading →",
        ] {
            let (article, _) = cleaned(&format!("শিরোনাম\n\nখবর এখানে শেষ হলো।{tail}"));
            assert_eq!(article.blocks[0].text, "খবর এখানে শেষ হলো।", "{tail}");
        }
        for line in ["তিনি বলেন, বিস্তারিত পড়ুন।", "এটি ৫/৬ ভাগ।", "তিনি এম.এ. পাস করেন।"]
        {
            let (article, dropped) = cleaned(&format!("শিরোনাম\n\nখবর এখানে শেষ হলো।\n\n{line}"));
            assert_eq!((article.blocks[1].text.as_str(), dropped.len()), (line, 0));
        }
    }

    #[test]
    fn captions_are_told_by_their_credit() {
        for line in ["পাঠাগারের সামনে দাঁড়িয়ে গ্রামের মানুষ। নিজস্ব চিত্র", "মিছিলে নেতারা। ছবি: আনিস মাহমুদ", "বিকেলের ভিড় (ফাইল ছবি)"]
        {
            let (article, _) = cleaned(&format!("শিরোনাম\n\n{line}\n\nখবর এখানে শেষ হলো।"));
            assert_eq!(article.blocks[0].kind, BlockKind::Caption, "{line}");
        }
        let (article, _) = cleaned("শিরোনাম\n\nতিনি জানান, এটি একটি ফাইল ছবি।\n\nখবর এখানে শেষ হলো।");
        assert_eq!(article.blocks[0].kind, BlockKind::Paragraph);
    }

    #[test]
    fn everything_stays_on_request() {
        let mut article = plain::parse("শিরোনাম\n\nখবর।\n\nLeave a Reply");
        assert!(clean(&mut article, &ReadOptions { keep_furniture: true, ..ReadOptions::default() }).is_empty());
        assert_eq!(article.blocks.len(), 2);
    }
}
