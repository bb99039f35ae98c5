//! What chat models say around a translation: thoughts, preambles, quotation marks, explanations.
use crate::lang::{Words, tables};
use regex::Regex;
use std::sync::LazyLock;

/// "Sure! Here is the English translation:", "Translation:", "**English:**". What it takes away ends in a colon, so that
/// a sentence which only begins in such words stays.
static PREAMBLE: LazyLock<Regex> = LazyLock::new(|| {
    let courtesy = r"(?:(?:sure|certainly|okay|ok|of course|absolutely)(?: thing)?[!,.:]*\s*)?";
    let here = r"(?:(?:here(?:'s|’s| is| are)|this is|the following is|below is)\s+)?";
    let what = r"(?:(?:the|your|my|a|an)\s+)?(?:(?:accurate|direct|literal|bengali|bangla|english)[ -]+)*";
    let noun = r"(?:translat(?:ion|ed (?:text|sentence|version))|english(?: version| text)?)";
    let rest = r"(?:\s+(?:of|for|in|into|to|from)\b[^:\n]{0,60})?";
    // a constant of this file, compiled by the tests
    Regex::new(&format!(r"(?i)^[*_#\s]*{courtesy}{here}{what}{noun}{rest}\s*[*_]*:[*_]*\s*")).expect("a valid pattern")
});

/// "Sure!" on a line of its own.
static COURTESY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:sure|certainly|okay|of course|absolutely)[!.,]\s*\n+").expect("a valid pattern")
});

/// Blocks in which models think aloud, opened and closed.
const THOUGHTS: [(&str, &str); 4] = [
    ("<think>", "</think>"),
    ("<thought>", "</thought>"),
    ("<|channel>thought", "<channel|>"),
    ("<thinking>", "</thinking>"),
];

/// Quotation marks that stand around a whole answer.
const QUOTES: [(char, char); 5] = [('"', '"'), ('“', '”'), ('‘', '’'), ('\'', '\''), ('«', '»')];

/// Words by which an answer shows that it talks about the text instead of translating it.
static TALK: Words = Words::new(tables::EN_ANSWERS, "");

/// The translation in the answer to `source`: without thoughts, preamble and quotation marks that are not the source's.
pub fn translation<'a>(source: &str, answer: &'a str) -> &'a str {
    let mut text = without_thoughts(answer).trim();
    // What the source itself says of translations is no preamble.
    if !source.contains("অনুবাদ") {
        text = COURTESY.find(text).map_or(text, |found| &text[found.end()..]);
        if let Some(found) = PREAMBLE.find(text)
            && !(source.contains("ইংরেজি") && source.contains(':'))
        {
            text = text[found.end()..].trim();
        }
    }
    without_quotes(source, text)
}

/// What stands after the thoughts at the beginning of an answer; nothing where they do not end.
fn without_thoughts(answer: &str) -> &str {
    let mut text = answer.trim_start();
    while let Some((open, close)) = THOUGHTS.iter().find(|(open, _)| text.starts_with(open)) {
        text = match text[open.len()..].find(close) {
            Some(end) => text[open.len() + end + close.len()..].trim_start(),
            None => "",
        };
    }
    // Where the prompt has opened the block, only its end is in the answer.
    match THOUGHTS.iter().find_map(|(_, close)| text.find(close).map(|at| at + close.len())) {
        Some(end) => text[end..].trim_start(),
        None => text,
    }
}

/// The answer without a pair of quotation marks around all of it, where the source has none around it.
fn without_quotes<'a>(source: &str, text: &'a str) -> &'a str {
    let quoted = |c: char| QUOTES.iter().any(|(open, close)| c == *open || c == *close);
    if source.trim().starts_with(quoted) {
        return text;
    }
    for (open, close) in QUOTES {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.is_empty() && !inner.contains([open, close])) {
            return inner.trim();
        }
    }
    text
}

/// The words by which an answer shows that it explains, refuses or asks instead of translating; `None` where it does
/// not, or the source is itself about translating.
pub fn talk(source: &str, answer: &str) -> Option<&'static str> {
    const ABOUT_IT: [&str; 6] = ["অনুবাদ", "তর্জমা", "ভাষান্তর", "বাংলা", "ব্যাখ্যা", "এআই"];
    if ABOUT_IT.iter().any(|word| source.contains(word)) {
        return None;
    }
    let lower = answer.to_lowercase().replace('’', "'");
    TALK.longest_first().iter().copied().find(|words| lower.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "ঢাকায় আজ বৃষ্টি হয়েছে।";

    #[test]
    fn preambles_thoughts_and_quotation_marks_are_taken_off() {
        let plain = "It rained in Dhaka today.";
        for answer in [
            "It rained in Dhaka today.",
            "Here is the English translation:\n\nIt rained in Dhaka today.",
            "Sure! Here's the translation of the text into English: \"It rained in Dhaka today.\"",
            "**Translation:** It rained in Dhaka today.",
            "English: It rained in Dhaka today.",
            "English translation: “It rained in Dhaka today.”",
            "Okay, here is the translated text:\nIt rained in Dhaka today.",
            "Sure!\n\nIt rained in Dhaka today.",
            "\"It rained in Dhaka today.\"",
            "<think>\n\n</think>\n\nIt rained in Dhaka today.",
            "<think>rain is বৃষ্টি</think>It rained in Dhaka today.",
            "\n</think>\n\nIt rained in Dhaka today.",
            "<|channel>thought\n<channel|>It rained in Dhaka today.",
        ] {
            assert_eq!(translation(SOURCE, answer), plain, "{answer}");
        }
        assert_eq!(translation(SOURCE, "<think>so the user wants"), "");
    }

    #[test]
    fn what_belongs_to_the_translation_stays() {
        for (source, answer) in [
            ("“আমি যাব।”", "\"I will go.\""),
            (SOURCE, "\"Rain\" and \"storm\""),
            (SOURCE, "The translation took years."),
            (SOURCE, "Here is the man: a hero."),
            (SOURCE, "Sure, he said: no."),
            ("অনুবাদ: একটি বই", "Translation: a book"),
            (SOURCE, "English cricket: a history"),
        ] {
            assert_eq!(translation(source, answer), answer);
        }
    }

    #[test]
    fn an_answer_that_explains_is_told_from_a_translation() {
        for answer in [
            "The Bengali text means that it rained.",
            "I’m sorry, but I need more context.",
            "It rained. Explanation: আজ means today.",
            "This translates to rain in Dhaka.",
        ] {
            assert!(talk(SOURCE, answer).is_some(), "{answer}");
        }
        assert_eq!(talk(SOURCE, "It rained in Dhaka today."), None);
        assert_eq!(talk("বাংলা লেখা", "Bengali text"), None);
    }
}
