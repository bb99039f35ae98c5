//! Common English words: no names, however they are capitalized.
use super::{Words, rows, tables};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words that are mostly written in lower case in 25,000 sentences of health, news, speech and story text
/// (`scripts/names/common_words.py`), without the endings that [`is_common_english`] strips.
static WORDS: Words = Words::new(tables::EN_COMMON_WORDS, "");

/// Endings, and what stands for each in the word that a form comes from.
static ENDINGS: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut columns = line.split('\t');
        let (ending, to) = (columns.next()?, columns.next().filter(|to| !to.is_empty())?);
        Some((ending, to.split('|').map(|to| if to == "-" { "" } else { to }).collect()))
    };
    rows(tables::EN_ENDINGS).filter_map(row).collect()
});
/// Endings that English words have and names hardly ever, by when they count.
static ENDINGS_OF_WORDS: LazyLock<[Vec<&str>; 2]> = LazyLock::new(|| {
    ["word", "initial"].map(|kind| {
        let row = |line: &'static str| {
            let mut columns = line.split('\t');
            let (ending, kinds) = (columns.next()?, columns.nth(1)?);
            kinds.split(',').any(|known| known == kind).then_some(ending)
        };
        rows(tables::EN_ENDINGS).filter_map(row).collect()
    })
});

/// Is this lower-case word, or the word that it is a form of, a common one?
pub(crate) fn is_common_english(word: &str) -> bool {
    if word.len() <= 2 || WORDS.contains(word) {
        return true;
    }
    ENDINGS.iter().any(|(ending, to)| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= 3).is_some_and(|stem| {
            let undoubled = stem
                .get(..stem.len() - 1)
                .filter(|shorter| stem.len() > 3 && shorter.ends_with(&stem[shorter.len()..]));
            WORDS.contains(stem)
                || undoubled.is_some_and(|shorter| WORDS.contains(shorter))
                || to.iter().any(|to| !to.is_empty() && WORDS.contains(format!("{stem}{to}").as_str()))
        })
    })
}

/// Endings that English words have and names hardly ever; the second list only counts where a sentence starts.
pub(crate) fn has_common_ending(word: &str, initial: bool) -> bool {
    let [always, at_start] = &*ENDINGS_OF_WORDS;
    let ends = |list: &[&str]| list.iter().any(|e| word.len() >= e.len() + 4 && word.ends_with(e));
    ends(always) || (initial && ends(at_start))
}

static INSTITUTION: Words = Words::new(tables::EN_INSTITUTIONS, "");

/// Is this lower-case word one of an institution, an office or an occasion?
pub(crate) fn is_institution(word: &str) -> bool {
    INSTITUTION.contains(word) || word.strip_suffix('s').is_some_and(|w| INSTITUTION.contains(w))
}

static NAME_PART: Words = Words::new(tables::BN_NAME_PARTS, "");

/// Is this canonical Bengali word surely a part of a person's name?
pub(crate) fn is_name_part(word: &str) -> bool {
    NAME_PART.contains(word)
}

/// Is a person's name sure to follow this canonical Bengali word?
pub(crate) fn is_person_title(word: &str) -> bool {
    matches!(word, "মো" | "মোঃ" | "মোহা" | "মোছা" | "মোসা" | "মোছাঃ")
}

/// Names that go by several names: by each of them, in small letters, the first.
static ALIASES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let row = |line: &'static str| line.split_once('\t').unwrap_or((line, ""));
    rows(tables::EN_ALIASES).map(row).flat_map(|(first, others)| others.split('|').map(move |o| (o, first))).collect()
});

/// The name that a lower-case name is compared by: "calcutta" is "kolkata".
pub(crate) fn first_name(word: &str) -> &str {
    ALIASES.get(word).copied().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::is_common_english;

    #[test]
    fn forms_of_common_words_are_common_and_names_are_not() {
        for word in ["people", "running", "cities", "quickly", "hoped", "of"] {
            assert!(is_common_english(word), "{word}");
        }
        for word in ["lavrov", "hasina", "dhaka", "karim"] {
            assert!(!is_common_english(word), "{word}");
        }
    }
}
