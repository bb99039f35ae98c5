//! Furniture that is told by how a line is built, not by what it says word for word: what feeds and desks add at the end
//! of a text, lists of links to share it, advertisements of channels, credits behind a caption.
use super::both;
use crate::lang::Words;
use crate::lang::script::{Scripts, has_bengali};

/// Ends of paragraphs that are no part of their text, in lower case.
static TAILS: [Words; 2] = both("tail");
/// Channels of a paper, what they have, and what a reader is asked to do there.
static CHANNELS: [Words; 2] = both("channel");
static PLACES: [Words; 2] = both("place");
static INVITATIONS: [Words; 2] = both("invitation");
/// Ends of the heading of a list of other articles, and of a caption.
static MORE: [Words; 2] = both("more");
static CREDITS: [Words; 2] = both("credit");
/// Decoration around them.
const DECORATION: &[char] = &[' ', '\u{a0}', '→', '»', '›', '>', '…', '.', '|', '-', '–'];

/// Where the tail of a paragraph begins that a feed has put behind it.
pub(super) fn begin_of_tail(text: &str) -> Option<usize> {
    let mut end = text.len();
    // WordPress speaks English around Bengali titles.
    if let Some(at) = text.rfind("The post ").filter(|at| *at > 0 && is_wordpress_line(&text[*at..].to_lowercase())) {
        end = at;
    }
    loop {
        let kept = text[..end].trim_end();
        let bare = kept.trim_end_matches(DECORATION);
        let arrow = kept.len() > bare.len() && kept[bare.len()..].contains(['→', '»', '›', '>', '…', '.']);
        // The text is as it came: in either spelling of ড় and য়.
        let spellings = super::all(&TAILS).flat_map(|tail| {
            [tail.to_string(), tail.replace('\u{9dc}', "\u{9a1}\u{9bc}").replace('\u{9df}', "\u{9af}\u{9bc}")]
        });
        let found = spellings.into_iter().find_map(|tail| {
            let (kept, ends) = if tail.ends_with(']') { (kept, true) } else { (bare, false) };
            let at = kept.len().checked_sub(tail.len()).filter(|at| kept.is_char_boundary(*at))?;
            let same = kept[at..].eq_ignore_ascii_case(&tail);
            let before = kept[..at].trim_end();
            // Words of a sentence end with it; an invitation follows a finished one.
            let behind = before.is_empty() || super::super::plain::ends_sentence(before) || before.ends_with(']');
            (same && behind && !before.is_empty() && (ends || arrow || has_bengali(before) && !kept.ends_with('।')))
                .then_some(at)
        });
        match found {
            Some(at) => end = at,
            None => break,
        }
    }
    let end = text[..end].trim_end().len();
    (end < text.trim_end().len()).then_some(end)
}

/// "The post X appeared first on Y.", in the two orders and in the Bengali that WordPress has for it.
pub(super) fn is_wordpress_line(folded: &str) -> bool {
    let english = folded.starts_with("the post ")
        && (folded.contains("appeared first on") || folded.contains("first appeared on"));
    let bengali =
        folded.contains("পোস্টটি প্রথম") && ["প্রকাশিত", "প্রদর্শিত", "হাজির"].iter().any(|word| folded.contains(word));
    english || bengali
}

/// "আমাদের ইউটিউব চ্যানেল সাবস্ক্রাইব করুন": a channel and what to do with it.
pub(super) fn is_channel_line(folded: &str) -> bool {
    let has = |words: &'static [Words; 2]| super::all(words).any(|word| folded.contains(word));
    has(&CHANNELS) && has(&PLACES) && has(&INVITATIONS)
}

/// What stands on the buttons that share a page.
static BUTTONS: [Words; 2] = both("button");

/// "Comments | Share", "ফেসবুক টুইটার হোয়াটসঅ্যাপ": nothing but names of buttons.
pub(super) fn is_share_list(folded: &str, is_line: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = folded.split(['|', '·', '•', '/', ',']).map(str::trim).filter(|p| !p.is_empty()).collect();
    if parts.len() >= 2 && parts.iter().all(|part| is_line(part)) {
        return true;
    }
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.len() >= 2 && words.iter().all(|word| BUTTONS.iter().any(|list| list.contains(word)))
}

/// "বাংলাদেশ থেকে আরও পড়ুন": the heading of a list of other articles.
pub(super) fn is_more_heading(folded: &str) -> bool {
    folded.chars().count() <= 60 && super::all(&MORE).any(|end| folded.ends_with(end))
}

/// The writer's initials under a story: "(ডি.পি.)".
pub(super) fn is_signature(text: &str) -> bool {
    let text = text.trim().trim_matches(['(', ')', '[', ']', '-', '–', '—', ' ']);
    let parts: Vec<&str> = text.split('.').map(str::trim).filter(|part| !part.is_empty()).collect();
    let scripts = Scripts::of(text);
    (2..=4).contains(&parts.len())
        && parts.iter().all(|part| part.chars().count() <= 4 && part.chars().all(crate::lang::script::is_bengali))
        && scripts.latin == 0
        && !text.contains('।')
        && !text.chars().any(char::is_numeric)
}

/// A caption with who took the picture behind it: "… গ্রামের মানুষ। ছবি: আনিস", "… নিজস্ব চিত্র".
pub(super) fn ends_with_credit(folded: &str) -> bool {
    if folded.chars().count() > 160 {
        return false;
    }
    let border = |before: &str| before.trim_end().ends_with(['।', '.', '|', '(', '/', '-', '–', '—', '?', '!']);
    if super::all(&CREDITS)
        .any(|end| folded.strip_suffix(end).is_some_and(|before| !before.is_empty() && border(before)))
    {
        return true;
    }
    ["ছবি:", "ছবিঃ", "ছবি :", "চিত্র:", "ফটো:", "photo:"].iter().any(|label| {
        folded.rfind(label).is_some_and(|at| {
            let name = folded[at + label.len()..].trim();
            at > 0 && border(&folded[..at]) && !name.is_empty() && name.split_whitespace().count() <= 4
        })
    })
}
