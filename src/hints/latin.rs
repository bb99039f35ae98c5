//! Names, titles and digits of a Bengali sentence in Latin letters, before a model sees it.
//!
//! A small model spells, swaps or drops names that it would have to transliterate, and copies those that already stand
//! there in English. What the built-in tables know is therefore written in English, its case ending left as it is:
//! "ঢাকার মেয়র" becomes "Dhakaর Mayor".
use crate::check::gazetteer::{EntryKind, GAZETTEER};
use crate::check::names::{is_ambiguous, is_case_ending};
use crate::text::digits;
use crate::text::normalize::canonical;
use crate::text::script::is_bengali;
use std::borrow::Cow;

/// What is done to a sentence before a model sees it, beside [`crate::text::normalize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStep {
    LatinNames,
    LatinDigits,
}

impl SourceStep {
    /// The step that a manifest calls so.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "latin-names" => Some(Self::LatinNames),
            "latin-digits" => Some(Self::LatinDigits),
            _ => None,
        }
    }

    pub fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::LatinNames => Cow::Owned(latin_names(&text)),
            Self::LatinDigits => Cow::Owned(large(&fractions(&digits::to_latin(&text)))),
        }
    }
}

/// The text with the names of the built-in tables in English; of several that fit, the longest.
pub fn latin_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut inside = false;
    for (i, c) in text.char_indices() {
        let starts = is_bengali(c) && !inside;
        inside = is_bengali(c);
        if i < copied || !starts {
            continue;
        }
        let fitting = GAZETTEER.at(&text[i..]).filter(|&(entry, rest)| is_case_ending(rest) && is_certain(entry));
        if let Some((entry, _)) = fitting.max_by_key(|&(entry, _)| GAZETTEER.entries[entry].bengali.len()) {
            let entry = &GAZETTEER.entries[entry];
            out.push_str(&text[copied..i]);
            out.push_str(entry.english[0]);
            copied = i + entry.bengali.len();
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Fractions and times as English writes them: সাড়ে 6টায় is 6:30টায়, সাড়ে 6 is 6.5, 2 দশমিক 18 is 2.18.
fn fractions(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_string).collect();
    let number = |word: &str| {
        let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        (end > 0 && end < 4).then(|| (word[..end].to_string(), word[end..].to_string()))
    };
    let mut i = 0;
    while i + 1 < words.len() {
        let next = number(&words[i + 1]);
        if let (true, Some((n, rest))) = (is_word(&words[i], "সাড়ে"), next.clone()) {
            let fraction = if rest.starts_with("টা") { ":30" } else { ".5" };
            words[i] = format!("{n}{fraction}{rest}");
            words.remove(i + 1);
        } else if let (true, Some((whole, "")), Some((part, rest))) = (
            is_word(&words[i + 1], "দশমিক"),
            number(&words[i]).as_ref().map(|(n, rest)| (n, rest.as_str())),
            words.get(i + 2).and_then(|word| number(word)),
        ) {
            words[i] = format!("{whole}.{part}{rest}");
            words.drain(i + 1..i + 3);
        } else if let (Some((hour, rest)), Some((minute, after))) = (number(&words[i]), next)
            && (rest == "টা" || is_word(&rest, "টায়"))
            && after.is_empty()
            && minute.len() == 2
            && words.get(i + 2).is_some_and(|word| word.starts_with("মিনিট"))
        {
            words[i] = format!("{hour}:{minute}");
            words.remove(i + 1);
        }
        i += 1;
    }
    words.join(" ")
}

/// Lakh and crore as English counts: 90 লাখ is 9 million, 353 কোটি is 3.53 billion. Sums (3 লাখ 50 হাজার) and ranges
/// stay as they are. Money after a number is taka, which the model takes for rupees.
fn large(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_string).collect();
    let digits_at =
        |words: &[String], i: usize| words.get(i).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    for i in 1..words.len() {
        let number: Option<f64> = words[i - 1].replace(',', "").parse().ok();
        let Some(number) = number.filter(|n| *n > 0.0) else { continue };
        let alone =
            !digits_at(&words, i + 1) && (i < 2 || !matches!(words[i - 2].as_str(), "থেকে" | "হতে" | "-" | "–"));
        let value = match words[i].as_str() {
            "লাখ" | "লক্ষ" => number * 1e5,
            "কোটি" => number * 1e7,
            "টাকা" => {
                words[i] = "taka".into();
                continue;
            }
            _ => continue,
        };
        if !alone || words.get(i + 1).is_some_and(|w| w == "কোটি") {
            continue;
        }
        let (scaled, unit) = match value {
            v if v >= 1e9 => (v / 1e9, " billion"),
            v if v >= 1e6 => (v / 1e6, " million"),
            v => (v / 1e3, ",000"),
        };
        let short = format!("{:.3}", scaled);
        let short = short.trim_end_matches('0').trim_end_matches('.');
        if unit == ",000" && short.contains('.') {
            continue;
        }
        words[i - 1] = format!("{short}{unit}");
        words[i].clear();
        if words.get(i + 1).is_some_and(|w| w == "টাকা") {
            words[i + 1] = "taka".into();
        }
    }
    words.retain(|w| !w.is_empty());
    words.join(" ")
}

/// Is it the word, in either spelling of ড়/ঢ়/য়?
fn is_word(word: &str, wanted: &str) -> bool {
    word == wanted || canonical(word) == canonical(wanted)
}

/// Is the entry's Bengali no other word, and its first English what is usually said?
fn is_certain(entry: usize) -> bool {
    const UNSURE: [&str; 12] = ["রায়", "লি", "শি", "নন", "চাঁদ", "সূর্য", "ঈশ্বর", "পৃথিবী", "দেশ", "রাজধানী", "মে", "সালাম"];
    let entry = &GAZETTEER.entries[entry];
    let single = entry.bengali.chars().count() < 2;
    let unsure = UNSURE.iter().any(|word| canonical(word) == entry.bengali);
    let ambiguous = entry.kind == EntryKind::Place && is_ambiguous(&entry.bengali);
    !(single || unsure || ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_names_are_written_in_english_with_their_endings() {
        for (text, expected) in [
            ("ঢাকার মেয়র", "Dhakaর Mayor"),
            ("প্রধানমন্ত্রী শেখ হাসিনা বলেন", "Prime Minister Sheikh Hasina বলেন"),
            ("পার্বত্য চট্টগ্রামে বৃষ্টি", "Chittagong Hill Tractsে বৃষ্টি"),
            ("দেশে রায় হয়েছে", "দেশে রায় হয়েছে"),
            ("ভোলা গেছে", "ভোলা গেছে"),
            ("(বিএনপি) ও আ.লীগ", "(BNP) ও Awami League"),
            ("ঢাকাইয়া কথা", "ঢাকাইয়া কথা"),
            ("", ""),
        ] {
            assert_eq!(latin_names(&canonical(text)), canonical(expected));
        }
    }

    #[test]
    fn fractions_are_written_in_digits() {
        for (text, expected) in [
            ("সন্ধ্যা সাড়ে ৬টায় জাপানে", "সন্ধ্যা 6:30টায় জাপানে"),
            ("সাড়ে ৬ ভাগ", "6.5 ভাগ"),
            ("২ দশমিক ১৮ শতাংশ", "2.18 শতাংশ"),
            ("সকাল ৯টা ৩৫ মিনিটে", "সকাল 9:35 মিনিটে"),
            ("৯টা ৩৫ জন", "9টা 35 জন"),
            ("সাড়ে তিন", "সাড়ে তিন"),
            ("৩৫৩ কোটি ডলারের পণ্য", "3.53 billion ডলারের পণ্য"),
            ("৯০ লাখ মানুষ", "9 million মানুষ"),
            ("৫ লাখ টাকা", "500,000 taka"),
            ("৩ লাখ ৫০ হাজার", "3 লাখ 50 হাজার"),
            ("৫ থেকে ৬ কোটি", "5 থেকে 6 কোটি"),
            ("১ লাখ কোটি টাকা", "1 লাখ কোটি টাকা"),
            ("৪৫ টাকা কেজি", "45 taka কেজি"),
        ] {
            assert_eq!(SourceStep::LatinDigits.apply(text.into()), expected);
        }
    }

    #[test]
    fn steps_have_names() {
        assert_eq!(SourceStep::named("latin-names"), Some(SourceStep::LatinNames));
        assert_eq!(SourceStep::LatinDigits.apply("২৫ জন".into()), "25 জন");
        assert_eq!(SourceStep::named("csebuetnlp"), None);
    }

    proptest! {
        #[test]
        fn nothing_but_names_changes(text in "[ক-হা-্ ,।A-z]{0,40}") {
            let kept = |s: &str| s.chars().filter(|c| !is_bengali(*c) && !c.is_ascii_alphabetic()).count();
            prop_assert!(kept(&latin_names(&text)) >= kept(&text));
        }
    }
}
