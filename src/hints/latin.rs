//! Names, titles and digits of a Bengali sentence in Latin letters, before a model sees it.
//!
//! A small model spells, swaps or drops names that it would have to transliterate, and copies those that already stand
//! there in English. What the built-in tables know is therefore written in English, its case ending left as it is:
//! "ঢাকার মেয়র" becomes "Dhakaর Mayor".
use super::quantity::quantities;
use crate::lang::calendar::date_word;
use crate::lang::digits;
use crate::lang::endings::is_case_ending;
use crate::lang::gazetteer::{EntryKind, GAZETTEER, in_context, may_follow, no_names};
use crate::lang::letters::acronym;
use crate::lang::normalize::canonical;
use crate::lang::script::is_bengali;
use crate::lang::words::{is_name_part, is_person_title};
use serde::Serialize;
use std::borrow::Cow;

/// What is done to a sentence before a model sees it, beside [`crate::lang::normalize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceStep {
    /// Names of the built-in tables are written in English.
    LatinNames,
    /// Numbers are written as English writes them.
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

    /// The text after this step.
    pub fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::LatinNames => Cow::Owned(latin_names(&text)),
            Self::LatinDigits => Cow::Owned(quantities(&weekdays(&digits::to_latin(&text)))),
        }
    }
}

/// The text with the names of the built-in tables in English; of several that fit, the longest.
pub fn latin_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut inside = false;
    let none = no_names(text);
    for (i, c) in text.char_indices() {
        let starts = is_bengali(c) && !inside;
        inside = is_bengali(c);
        if i < copied || !starts || none.iter().any(|range| range.contains(&i)) {
            continue;
        }
        let fitting = GAZETTEER.at(&text[i..]).filter(|&(entry, rest)| {
            may_follow(&GAZETTEER.entries[entry], rest)
                && (is_certain(entry) || is_name_word(entry) && beside_a_name(text, i, rest, entry))
        });
        if let Some((entry, _)) = fitting.max_by_key(|&(entry, _)| GAZETTEER.entries[entry].bengali.len()) {
            let entry = &GAZETTEER.entries[entry];
            out.push_str(&text[copied..i]);
            out.push_str(entry.english[0]);
            copied = i + entry.bengali.len();
            continue;
        }
        if let Some((length, english)) = in_context(&text[i..], text) {
            out.push_str(&text[copied..i]);
            out.push_str(english);
            copied = i + length;
            continue;
        }
        let end = text[i..].find(|c| !is_bengali(c)).map_or(text.len(), |end| i + end);
        if let Some((letters, ending)) = acronym(&text[i..end]) {
            out.push_str(&text[copied..i]);
            out.push_str(&letters);
            copied = end - ending.len();
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Short names of weekdays in full: "শুক্র ও শনিবার" is "শুক্রবার ও শনিবার".
fn weekdays(text: &str) -> String {
    const SHORT: [&str; 8] = ["সোম", "মঙ্গল", "বুধ", "বৃহস্পতি", "শুক্র", "শনি", "রবি", "রোব"];
    let words: Vec<&str> = text.split(' ').collect();
    let is_weekday =
        |word: &str| SHORT.iter().any(|day| word.strip_prefix(day).is_some_and(|rest| rest.starts_with("বার")));
    let linked = |i: usize| {
        let link = matches!(words.get(i + 1).copied(), Some("ও" | "এবং" | "বা" | "থেকে" | "কিংবা"));
        link && words.get(i + 2).is_some_and(|word| is_weekday(word))
    };
    let full = |(i, word): (usize, &&str)| match *word {
        // A model that has never seen the abbreviation in full is better given the English.
        "বৃহঃ" => "Thursday".to_owned(),
        "শুক্রঃ" => "Friday".to_owned(),
        // After one in English the other is better in English, too.
        day if i > 1 && matches!(words[i - 2], "বৃহঃ" | "শুক্রঃ") && is_weekday(day) => {
            english_day(day)
        }
        day if SHORT.contains(&day) && linked(i) => format!("{day}বার"),
        other => other.to_owned(),
    };
    words.iter().enumerate().map(full).collect::<Vec<_>>().join(" ")
}

/// শনিবারে: "Saturdayে".
fn english_day(word: &str) -> String {
    let end = word.find("বার").map_or(word.len(), |at| at + "বার".len());
    date_word(&word[..end]).map_or_else(|| word.to_owned(), |english| format!("{english}{}", &word[end..]))
}

/// Is the entry's Bengali no other word, and its first English what is usually said?
fn is_certain(entry: usize) -> bool {
    const UNSURE: [&str; 10] = ["লি", "শি", "নন", "চাঁদ", "সূর্য", "ঈশ্বর", "পৃথিবী", "দেশ", "রাজধানী", "মে"];
    let entry = &GAZETTEER.entries[entry];
    let single = entry.bengali.chars().count() < 2;
    let unsure = UNSURE.iter().any(|word| canonical(word) == entry.bengali);
    !(single || unsure || entry.ambiguous)
}

/// A word of a person's name that is also an ordinary word: রায় (verdict), হাকিম (magistrate).
fn is_name_word(entry: usize) -> bool {
    let entry = &GAZETTEER.entries[entry];
    entry.ambiguous && matches!(entry.kind, EntryKind::Person | EntryKind::People)
}

/// Is the word at `start` next to a part of a person's name, or followed by an age as in "রায় (৪৫)"?
fn beside_a_name(text: &str, start: usize, ending: &str, entry: usize) -> bool {
    let part = |word: &str| {
        let known = GAZETTEER.at(word).any(|(other, rest)| {
            let other = &GAZETTEER.entries[other];
            other.kind == EntryKind::Person && !other.ambiguous && is_case_ending(rest)
        });
        known || is_name_part(word) || is_person_title(word.trim_end_matches('.')) || word == "শ্রী"
    };
    let before = text[..start].strip_suffix(' ').and_then(|text| text.rsplit([' ', '(', ',', '‘', '“']).next());
    // Behind a case ending the name is over: "করিমের রায়" is a verdict on Karim.
    let own =
        |word: &str| !word.is_empty() && part(word) && !["র", "ের", "কে"].iter().any(|end| ends_in_case(word, end));
    let after = &text[start + GAZETTEER.entries[entry].bengali.len() + ending.len()..];
    let next = after.strip_prefix(' ').map(|text| text.split([' ', ',', '।', ')']).next().unwrap_or_default());
    let aged =
        next.and_then(|next| next.strip_prefix('(')).is_some_and(|age| age.starts_with(|c: char| c.is_numeric()));
    before.is_some_and(own) || ending.is_empty() && next.is_some_and(|next| !next.is_empty() && part(next)) || aged
}

/// Is it a name with this case ending, not a name that ends so by itself?
fn ends_in_case(word: &str, ending: &str) -> bool {
    !is_name_part(word) && word.ends_with(ending) && !GAZETTEER.at(word).any(|(_, rest)| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_names_are_written_in_english_with_their_endings() {
        for (text, expected) in [
            ("ঢাকার মেয়র", "Dhakaর Mayor"),
            ("প্রধানমন্ত্রী শেখ হাসিনা বলেন", "Prime Minister Sheikh Hasina বলেন"),
            ("পার্বত্য চট্টগ্রামে বৃষ্টি", "Chittagong Hill Tractsে বৃষ্টি"),
            ("দেশে রায় হয়েছে", "দেশে রায় হয়েছে"),
            ("ভোলা গেছে", "ভোলা গেছে"),
            ("সুনীল রায় ও অমিত রায়ের", "Sunil Roy ও Amit Royের"),
            ("এই রায় ঘোষণার পর করিমের রায়", "এই verdict announcementর পর Karimের রায়"),
            ("নির্মল রায় (৪৫) আটক", "নির্মল Roy (৪৫) আটক"),
            ("মহানগর হাকিম ও আবদুল হাকিম", "Metropolitan Magistrate ও Abdul Hakim"),
            ("আবেদন মঞ্জুর করেন মঞ্জুর আলী", "আবেদন মঞ্জুর করেন Manzur Ali"),
            ("মায়ের মমতা ও মমতা ব্যানার্জি", "মায়ের মমতা ও Mamata Banerjee"),
            ("হাতিয়ার কেনা, হাতিয়ায় যাওয়া", "weapons কেনা, Hatiaয় যাওয়া"),
            ("পথ কুয়াশায় ঢাকা, মেঘে ঢাকা", "পথ covered with fog, মেঘে ঢাকা"),
            ("এক কাতারে, কাতারে", "এক কাতারে, Qatarে"),
            ("ভোলায় লঞ্চডুবি", "in Bhola launch capsize"),
            ("রোহিঙ্গাদের জন্য", "Rohingyaদের জন্য"),
            ("তৃণমূল ও সিপিএম", "Trinamool Congress ও CPM"),
            ("তৃণমূলের কর্মীরা", "তৃণমূলের কর্মীরা"),
            ("অ্যাডঃ করিম ও মাওঃ আবদুল্লাহ", "Advocate Karim ও Maulana Abdullah"),
            ("(বিএনপি) ও আ.লীগ", "(BNP) ও Awami League"),
            ("ঢাকাইয়া কথা", "ঢাকাইয়া কথা"),
            ("", ""),
        ] {
            assert_eq!(latin_names(&canonical(text)), canonical(expected));
        }
    }

    #[test]
    fn digits_and_weekdays_are_written_out() {
        for (text, expected) in [
            ("সন্ধ্যা সাড়ে ৬টায় জাপানে", "সন্ধ্যা 6:30টায় জাপানে"),
            ("সাড়ে ৬ ভাগ", "6.5 ভাগ"),
            ("২ দশমিক ১৮ শতাংশ", "2.18 শতাংশ"),
            ("সকাল ৯টা ৩৫ মিনিটে", "সকাল 9:35 মিনিটে"),
            ("৯টা ৩৫ জন", "9টা 35 জন"),
            ("৩৫৩ কোটি ডলারের পণ্য", "3.53 billion ডলারের পণ্য"),
            ("৯০ লাখ মানুষ", "9 million মানুষ"),
            ("৫ লাখ টাকা", "500,000 taka"),
            ("৩ লাখ ৫০ হাজার", "350,000"),
            ("৫ থেকে ৬ কোটি", "50 million থেকে 60 million"),
            ("১ লাখ কোটি টাকা", "1 trillion taka"),
            ("৪৫ টাকা কেজি", "45 taka কেজি"),
            ("মঙ্গল ও বুধবার", "মঙ্গলবার ও বুধবার"),
            ("বৃহঃ থেকে রবিবারে মেলা", "Thursday থেকে Sundayে মেলা"),
            ("মঙ্গল গ্রহ ও বুধবার", "মঙ্গল গ্রহ ও বুধবার"),
        ] {
            assert_eq!(SourceStep::LatinDigits.apply(canonical(text).into()), canonical(expected));
        }
        assert_eq!(latin_names("এনসিটিবির খবর"), "NCTBর খবর");
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
