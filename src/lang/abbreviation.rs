//! Words before which or after which a full stop (or a danda) does not end a sentence.
use super::{Words, tables};

/// Bengali abbreviations, without their full stop and in canonical spelling.
static BENGALI: Words = Words::new(tables::BN_ABBREVIATIONS, "abbreviation");

/// Names of the Latin letters in Bengali spelling, as initials and short forms use them (এ. কে., বি.এ., পিএইচ.ডি.).
static LETTERS: Words = Words::new(tables::BN_ABBREVIATIONS, "letter");

/// Short words that do end sentences, so that a full stop after them is one.
static SHORT_ENDINGS: Words = Words::new(tables::BN_ABBREVIATIONS, "verb");

/// English abbreviations after which a sentence usually goes on, lower case, without the final full stop.
static ENGLISH: Words = Words::new(tables::EN_ABBREVIATIONS, "text");

/// Whether a full stop after the Bengali word `word` belongs to an abbreviation or an initial.
///
/// Known abbreviations and letter names do; so do very short words, unless they are verbs or particles that end sentences.
pub fn is_bengali_abbreviation(word: &str) -> bool {
    if BENGALI.contains(word) || LETTERS.contains(word) {
        return true;
    }
    word.chars().count() <= 3 && !SHORT_ENDINGS.contains(word)
}

/// Whether `word` (with its visarga, if it has one) is in the list of abbreviations.
pub fn is_listed(word: &str) -> bool {
    BENGALI.contains(word)
}

/// Whether `word` is the name of a Latin letter in Bengali spelling, or a short form made of them.
pub fn is_letter_name(word: &str) -> bool {
    LETTERS.contains(word)
}

/// Whether a full stop after the Latin word `word` (inner full stops included) belongs to an abbreviation or an initial.
pub fn is_english_abbreviation(word: &str) -> bool {
    let single = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() == 1);
    single || dotted || ENGLISH.contains(&word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words() {
        assert!(is_bengali_abbreviation("মো") && is_bengali_abbreviation("কে") && is_bengali_abbreviation("খ"));
        assert!(!is_bengali_abbreviation("না") && !is_bengali_abbreviation("করেছি") && !is_bengali_abbreviation("চলছে"));
        assert!(is_english_abbreviation("Dr") && is_english_abbreviation("U.S") && is_english_abbreviation("J"));
        assert!(!is_english_abbreviation("end") && !is_english_abbreviation("example.com"));
    }
}
