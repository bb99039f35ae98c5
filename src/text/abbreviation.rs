//! Words before which or after which a full stop (or a danda) does not end a sentence.

/// Bengali abbreviations, without their full stop and in canonical spelling.
#[rustfmt::skip]
const BENGALI: &[&str] = &[
    // people
    "ড", "ডঃ", "ডক্ট", "ডা", "ডাঃ", "মো", "মোঃ", "মোহা", "মোহাঃ", "মোহাম্ম", "মু", "মুঃ", "মুহা",
    "মোসা", "মোসাঃ", "মোছা", "মোছাঃ", "মি", "মিঃ", "মিস", "মিসেস", "সা", "অ্যাড", "এড", "অ্যাডভো",
    "অধ্যা", "অধ্যাঃ", "প্রফ", "প্রফেঃ", "ইঞ্জি", "ইঞ্জিঃ", "প্রকৌ", "কৃষি", "রেভ", "হা", "আ", "আঃ",
    "মাও", "শ্রী", "জনা", "আল", "সৈ", "চৌ",
    // ranks
    "লে", "লেঃ", "লেফ", "ক্যা", "ক্যাঃ", "মেঃ", "মে", "জেনা", "ব্রি", "ব্রিগে", "কর্নে", "সার্জে",
    "এসআ", "কনস্টে", "সে",
    // numbers, money, measures, time
    "নং", "রু", "টা", "পৃ", "পৃঃ", "চিত্র", "খ্রি", "খ্রিঃ", "খ্রী", "খ্রীঃ", "খৃ", "খৃঃ", "খ্রিস্টপূ",
    "বাং", "ইং", "হি", "বঙ্গা", "তাং", "সাং", "সন", "কি", "কিমি", "মিমি", "সেমি", "মিটা", "কেজি",
    "গ্রা", "মিগ্রা", "ফু", "ইঞ্চি", "মিনি", "সেক", "ঘ", "ডিগ্রি", "শতাং",
    // companies, books, the rest
    "লি", "লিঃ", "প্রা", "প্রাঃ", "কোং", "কোঃ", "সং", "সম্পা", "অনু", "দ্র", "দ্রঃ", "মোবা", "ফো",
    "পো", "পোঃ", "থা", "জেঃ", "উপজে", "বিদ্র", "ধা", "অনুঃ", "রেজি", "সংখ্যা", "খণ্ড", "নম্ব", "সেন্ট",
];

/// Names of the Latin letters in Bengali spelling, as initials and short forms use them (এ. কে., বি.এ., পিএইচ.ডি.).
#[rustfmt::skip]
const LETTERS: &[&str] = &[
    "এ", "বি", "সি", "ডি", "ই", "এফ", "জি", "এইচ", "আই", "জে", "কে", "এল", "এম", "এন", "ও", "পি",
    "কিউ", "আর", "এস", "টি", "ইউ", "ভি", "ডব্লিউ", "ডব্লু", "ডাব্লিউ", "এক্স", "ওয়াই", "ওয়াই", "জেড",
    "পিএইচ", "এমবি", "বিএ", "এমএ", "বিএসসি", "এমএসসি", "এলএল", "এম", "কম", "এড", "ফিল",
];

/// Short words that do end sentences, so that a full stop after them is one.
#[rustfmt::skip]
const SHORT_ENDINGS: &[&str] = &[
    "না", "নেই", "নয়", "হয়", "যায়", "দেয়", "নেয়", "পায়", "চায়", "ছিল", "আছে", "হল", "হলো", "গেল",
    "দিল", "নিল", "হবে", "পারে", "করে", "হন", "যান", "দেন", "নন", "বলে",
];

/// English abbreviations after which a sentence usually goes on, lower case, without the final full stop.
#[rustfmt::skip]
const ENGLISH: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "col", "lt", "capt", "sgt", "rev", "hon",
    "gov", "sen", "rep", "md", "no", "nos", "vol", "fig", "pp", "p", "vs", "cf", "al", "e.g", "i.e",
    "etc", "approx", "inc", "ltd", "co", "corp", "dept", "est", "jan", "feb", "mar", "apr", "jun",
    "jul", "aug", "sept", "sep", "oct", "nov", "dec", "u.s", "u.k", "a.m", "p.m", "tk", "rs",
];

/// Whether a full stop after the Bengali word `word` belongs to an abbreviation or an initial.
///
/// Known abbreviations and letter names do; so do very short words, unless they are verbs or particles that end sentences.
pub fn is_bengali_abbreviation(word: &str) -> bool {
    if BENGALI.contains(&word) || LETTERS.contains(&word) {
        return true;
    }
    word.chars().count() <= 3 && !SHORT_ENDINGS.contains(&word)
}

/// Whether `word` (with its visarga, if it has one) is in the list of abbreviations.
pub fn is_listed(word: &str) -> bool {
    BENGALI.contains(&word)
}

/// Whether `word` is the name of a Latin letter in Bengali spelling, or a short form made of them.
pub fn is_letter_name(word: &str) -> bool {
    LETTERS.contains(&word)
}

/// Whether a full stop after the Latin word `word` (inner full stops included) belongs to an abbreviation or an initial.
pub fn is_english_abbreviation(word: &str) -> bool {
    let single = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() == 1);
    single || dotted || ENGLISH.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_canonical_spelling() {
        for word in BENGALI.iter().chain(LETTERS).chain(SHORT_ENDINGS) {
            assert_eq!(crate::text::normalize::canonical(word), *word);
        }
    }

    #[test]
    fn short_words() {
        assert!(is_bengali_abbreviation("মো") && is_bengali_abbreviation("কে") && is_bengali_abbreviation("খ"));
        assert!(!is_bengali_abbreviation("না") && !is_bengali_abbreviation("করেছি") && !is_bengali_abbreviation("চলছে"));
        assert!(is_english_abbreviation("Dr") && is_english_abbreviation("U.S") && is_english_abbreviation("J"));
        assert!(!is_english_abbreviation("end") && !is_english_abbreviation("example.com"));
    }
}
