//! Splits an over-long sentence at clause borders into pieces that a model can take.
//!
//! Nothing is ever cut off: the pieces joined again hold every word of the sentence.
use crate::lang::script::is_bengali;
use crate::lang::{Words, tables};
use unicode_segmentation::UnicodeSegmentation;

/// Bytes per token that no tokenizer reaches: longer text is first chopped to this measure, so that one
/// enormous line never has to be measured as a whole.
const BYTES_PER_TOKEN: usize = 40;

/// Words that begin a new clause: the border lies before them.
static OPENERS: Words = Words::new(tables::BN_CLAUSES, "opens");

/// Words that close a clause: non-finite verbs and postpositions. The border lies after them.
static CLOSERS: Words = Words::new(tables::BN_CLAUSES, "closes");

/// Splits `text` into pieces of at most `limit` by `measure` (usually: tokens), trimmed, in order, none empty.
///
/// Borders are taken in this order of liking, the nearer to the middle the better: sentence ends, semicolons and
/// dashes; commas; before conjunctions and after non-finite verbs; any space; any grapheme; any character. A single
/// character that measures more than `limit` stays whole. A text that fits comes back as it is.
pub fn split(text: &str, measure: &dyn Fn(&str) -> usize, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    let window = limit.saturating_mul(BYTES_PER_TOKEN).max(64);
    while rest.len() > window {
        let cut = best_border(&rest[..floor_char(rest, window)], 0.75);
        halve(rest[..cut].trim(), measure, limit, &mut pieces);
        rest = rest[cut..].trim_start();
    }
    halve(rest, measure, limit, &mut pieces);
    pieces
}

/// Splits a piece of bounded size in two, again and again, until all parts fit.
fn halve(piece: &str, measure: &dyn Fn(&str) -> usize, limit: usize, out: &mut Vec<String>) {
    let mut stack = vec![piece];
    while let Some(part) = stack.pop() {
        if part.is_empty() {
            continue;
        }
        let size = measure(part);
        let cut = if size <= limit { 0 } else { best_border(part, middle(size, limit)) };
        if cut == 0 || cut >= part.len() {
            out.push(part.to_string());
        } else {
            stack.push(part[cut..].trim());
            stack.push(part[..cut].trim());
        }
    }
}

/// Where to aim: an even share, so that 2.1 limits become 3 like pieces and not two full ones and a scrap.
fn middle(size: usize, limit: usize) -> f64 {
    let pieces = size.div_ceil(limit);
    (pieces / 2) as f64 / pieces as f64
}

/// Byte offset of the best place to split `text`, aiming at `aim` of its length; 0 if it cannot be split.
fn best_border(text: &str, aim: f64) -> usize {
    let target = text.len() as f64 * aim;
    let mut best = (f64::MIN, 0);
    let mut offset = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let next = offset + word.len();
        let following = text[next..].split_whitespace().next().unwrap_or("");
        if next < text.len() && !word.trim().is_empty() {
            let distance = (next as f64 - target).abs() / text.len() as f64;
            let score = liking(word.trim(), following) - 4.0 * distance;
            if score > best.0 {
                best = (score, next);
            }
        }
        offset = next;
    }
    if best.1 > 0 { best.1 } else { unspaced_border(text, target as usize) }
}

/// How good a border between two words is; a full point outweighs a quarter of the text's length.
fn liking(word: &str, following: &str) -> f64 {
    let bare = word.trim_end_matches(['"', '”', '’', ')', ']', '\'']);
    match bare.chars().last() {
        Some('।' | '॥' | '?' | '!') => 1.6,
        Some(';' | ':' | '—' | '–') => 1.4,
        Some(',') => 1.2,
        _ if is_dash(following) => 1.2,
        _ if listed(&OPENERS, following) => 0.9,
        _ if listed(&CLOSERS, bare) => 0.6,
        _ => 0.0,
    }
}

/// The lists hold the composed spelling of ড়, ঢ়, য়; the text may come in either.
fn listed(list: &Words, word: &str) -> bool {
    if word.contains('\u{09bc}') {
        list.contains(&crate::lang::normalize::canonical(word))
    } else {
        list.contains(word)
    }
}

fn is_dash(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| matches!(c, '-' | '—' | '–'))
}

/// A border in text without spaces: a comma or danda near the middle, else a grapheme, else a character.
fn unspaced_border(text: &str, target: usize) -> usize {
    let near = |offset: usize| offset.abs_diff(target);
    let inside = |offset: &usize| *offset > 0 && *offset < text.len();
    let punctuation = text
        .char_indices()
        .filter(|&(_, c)| matches!(c, ',' | ';' | '।' | '?' | '!' | '|'))
        .map(|(i, c)| i + c.len_utf8())
        .filter(inside)
        .min_by_key(|&offset| near(offset));
    if let Some(offset) = punctuation.filter(|&offset| near(offset) * 4 < text.len()) {
        return offset;
    }
    let graphemes = text.grapheme_indices(true).map(|(i, _)| i).filter(inside).min_by_key(|&offset| near(offset));
    graphemes
        .filter(|&offset| near(offset) * 4 < text.len() || !text.chars().any(is_bengali))
        .or_else(|| text.char_indices().map(|(i, _)| i).filter(inside).min_by_key(|&offset| near(offset)))
        .unwrap_or(0)
}

/// The largest character border not after `at`.
fn floor_char(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(split("আমি যাব।", &words, 5), ["আমি যাব।"]);
        assert_eq!(split("  আমি যাব।  ", &words, 2), ["আমি যাব।"]);
        assert!(split("   ", &words, 2).is_empty());
    }

    #[test]
    fn clause_borders_come_first() {
        let text = "সরকার নতুন আইন পাস করেছে, কিন্তু বিরোধী দল তা মেনে নেয়নি।";
        assert_eq!(split(text, &words, 8), ["সরকার নতুন আইন পাস করেছে,", "কিন্তু বিরোধী দল তা মেনে নেয়নি।"]);
        let text = "তিনি সকালে ঢাকায় গিয়েছিলেন এবং বিকেলে আবার ফিরে এসেছেন";
        assert_eq!(split(text, &words, 6), ["তিনি সকালে ঢাকায় গিয়েছিলেন", "এবং বিকেলে আবার ফিরে এসেছেন"]);
    }

    #[test]
    fn pieces_are_alike() {
        let text = vec!["কথা"; 21].join(" ");
        let sizes: Vec<usize> = split(&text, &words, 10).iter().map(|p| words(p)).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 21);
        assert!(sizes.iter().all(|&n| (5..=10).contains(&n)), "{sizes:?}");
    }

    #[test]
    fn text_without_spaces_is_split_too() {
        let text = "কখগঘ".repeat(500);
        let chars = |t: &str| t.chars().count();
        let pieces = split(&text, &chars, 64);
        assert!(pieces.iter().all(|p| chars(p) <= 64));
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn a_megabyte_is_quick() {
        let text = "এক লম্বা লাইন যার কোনো শেষ নেই, ".repeat(20_000);
        let pieces = split(&text, &words, 40);
        assert_eq!(pieces.iter().map(|p| words(p)).sum::<usize>(), words(&text));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[ক-হািু্।, a-z\u{200d}😀]{0,300}", limit in 1usize..20) {
            let count = |t: &str| t.chars().count();
            let pieces = split(&text, &count, limit);
            let squeeze = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeeze(&pieces.concat()), squeeze(&text));
            prop_assert!(pieces.iter().all(|p| !p.is_empty() && count(p) <= limit));
        }
    }
}
