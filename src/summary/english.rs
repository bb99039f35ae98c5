//! English text of a summary: its sentences, and what two of them share.
use super::Language;
use crate::lang::{Words, tables};
use std::collections::HashSet;
use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations that a full stop follows without ending the sentence.
static ABBREVIATIONS: Words = Words::new(tables::EN_ABBREVIATIONS, "summary");

/// The sentences of an English text, trimmed, each with its closing punctuation.
pub fn sentences(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        for piece in line.split_sentence_bounds() {
            // "Really?" he asked: what goes on in lower case is no new sentence
            let goes_on = piece.starts_with(char::is_lowercase);
            if !goes_on && !ends_in_abbreviation(open.trim_end()) {
                push_trimmed(&mut found, &mut open);
            }
            open.push_str(piece);
        }
        push_trimmed(&mut found, &mut open);
    }
    found
}

fn push_trimmed(found: &mut Vec<String>, open: &mut String) {
    let sentence = std::mem::take(open);
    if !sentence.trim().is_empty() {
        found.push(sentence.trim().to_string());
    }
}

/// "Dr.", "U.S.", "A. K."
fn ends_in_abbreviation(text: &str) -> bool {
    let Some(before) = text.strip_suffix('.') else { return false };
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let single = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    single || ABBREVIATIONS.contains(&word.to_lowercase())
}

/// Whether a sentence ends as sentences do (closing quotes and brackets aside).
pub fn is_ended(sentence: &str) -> bool {
    sentence.trim_end_matches(['"', '\'', '”', '’', ')', ']', ' ']).ends_with(['.', '!', '?', '…', '।'])
}

/// A sentence taken out of a longer quotation, with both its quotation marks: `said, "It is over.` is closed, `over," he
/// said.` opened.
pub fn with_both_quotes(sentence: &str) -> String {
    let marks = |open: char, close: char| {
        let count = |mark| sentence.chars().filter(|&c| c == mark).count();
        if open == close { (count(open) % 2, 0) } else { (count(open), count(close)) }
    };
    for (open, close) in [('"', '"'), ('“', '”')] {
        let (opened, closed) = marks(open, close);
        if opened == closed || opened.abs_diff(closed) > 1 {
            continue;
        }
        // of two equal marks the last tells by what stands before it
        let opens = if open == close {
            let at = sentence.rfind(open).unwrap_or(0);
            sentence[..at].is_empty() || sentence[..at].ends_with([' ', '(', '—', '-'])
        } else {
            opened > closed
        };
        return if opens {
            format!("{}{close}", sentence.trim_end())
        } else {
            format!("{open}{}", sentence.trim_start())
        };
    }
    sentence.to_string()
}

/// Whether a text is written in the script of the language, a few foreign words aside.
pub fn is_in(language: Language, text: &str) -> bool {
    let letters = |wanted: fn(char) -> bool| text.chars().filter(|&c| c.is_alphabetic() && wanted(c)).count();
    let bengali = letters(|c| matches!(c, '\u{0980}'..='\u{09ff}'));
    let latin = letters(|c| c.is_ascii());
    match language {
        Language::English => bengali == 0,
        Language::Bengali => bengali > latin,
    }
}

/// Whether a sentence begins with a word that says who or what was spoken of before.
pub fn leans_back(sentence: &str) -> bool {
    let first = words(sentence).into_iter().next();
    let pronouns = ["he", "she", "they", "it", "this", "these", "those", "that", "such", "his", "her", "their", "its"];
    first.is_some_and(|word| pronouns.contains(&word.as_str()))
}

/// The text with a capital at its start.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The words of a text in lower case, digits included.
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(|w| w.to_lowercase().replace('’', "'")).collect()
}

/// How much of the shorter of two sentences the other also says, by its words of four letters and more and its numbers.
pub fn overlap(a: &str, b: &str) -> f64 {
    let said = |text: &str| -> HashSet<String> {
        words(text)
            .into_iter()
            .filter(|w| w.chars().count() > 3 || w.starts_with(|c: char| c.is_ascii_digit()))
            .collect()
    };
    let (a, b) = (said(a), said(b));
    let smaller = a.len().min(b.len());
    if smaller == 0 { f64::from(u8::from(a == b)) } else { a.intersection(&b).count() as f64 / smaller as f64 }
}

/// The text in parts of whole sentences, of which each holds as many as `fits` allows; a sentence that does not fit
/// by itself is parted between words.
pub fn split_to_fit(text: &str, fits: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for sentence in sentences(text) {
        match parts.last_mut() {
            Some(last) if fits(&format!("{last} {sentence}")) => {
                last.push(' ');
                last.push_str(&sentence);
            }
            _ if fits(&sentence) => parts.push(sentence),
            _ => halve(&sentence, fits, &mut parts),
        }
    }
    parts
}

/// Cuts a text at the space nearest to its middle (or between two letters, where it has no space) until it fits.
fn halve(text: &str, fits: &dyn Fn(&str) -> bool, into: &mut Vec<String>) {
    let middle = text.len() / 2;
    let near = |at: &usize| at.abs_diff(middle);
    let border = text
        .match_indices(' ')
        .map(|(i, _)| i)
        .min_by_key(near)
        .or_else(|| text.char_indices().map(|(i, _)| i).filter(|&i| i > 0).min_by_key(near));
    match border {
        Some(at) if !fits(text) => {
            halve(text[..at].trim(), fits, into);
            halve(text[at..].trim(), fits, into);
        }
        _ => into.extend((!text.is_empty()).then(|| text.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        let text = "Dr. A. K. Azad said so. The U.S. team won 3.5 points! \"Really?\" he asked.\nNew line without stop";
        assert_eq!(
            sentences(text),
            [
                "Dr. A. K. Azad said so.",
                "The U.S. team won 3.5 points!",
                "\"Really?\" he asked.",
                "New line without stop"
            ]
        );
        assert!(is_ended("He said \"go.\"") && !is_ended("He said"));
    }

    #[test]
    fn a_quotation_is_opened_and_closed() {
        for (cut, whole) in [
            ("He said, \"It is over.", "He said, \"It is over.\""),
            ("It is over,\" he said.", "\"It is over,\" he said."),
            ("\"It is,\" he said, \"over.", "\"It is,\" he said, \"over.\""),
            ("“It is over.", "“It is over.”"),
            ("The \"end\" is near.", "The \"end\" is near."),
            ("Plain.", "Plain."),
        ] {
            assert_eq!(with_both_quotes(cut), whole);
        }
    }

    #[test]
    fn the_language_shows_in_the_script() {
        assert!(is_in(Language::English, "Prime Minister Modi said \"no\".") && is_in(Language::English, "1971"));
        assert!(!is_in(Language::English, "The মন্ত্রী said so.") && !is_in(Language::Bengali, "The minister said so."));
        assert!(is_in(Language::Bengali, "মন্ত্রী BNP-র কথা বলেন।"));
    }

    #[test]
    fn overlap_sees_a_shorter_copy() {
        let long = "The High Court granted bail to the former minister in ten cases on Tuesday.";
        assert!(overlap(long, "The High Court granted bail to the former minister.") > 0.9);
        assert!(overlap(long, "Floods hit five districts in the north.") < 0.2);
    }

    #[test]
    fn nothing_is_lost_when_a_text_is_split_to_fit() {
        let text = "One two three four five six seven. Eight nine. পরীক্ষাপরীক্ষাপরীক্ষা";
        for limit in [4, 10, 20, 1000] {
            let parts = split_to_fit(text, &|t| t.chars().count() <= limit);
            assert!(parts.iter().all(|p| p.chars().count() <= limit), "{limit}: {parts:?}");
            let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(bare(&parts.concat()), bare(text));
        }
    }
}
