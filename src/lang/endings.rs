//! Case endings, particles and classifiers of Bengali.
use super::Words;
use super::tables;

static NAME: Words = Words::new(tables::BN_ENDINGS, "name");
static STEM: Words = Words::new(tables::BN_ENDINGS, "stem");
static NOUN: Words = Words::new(tables::BN_ENDINGS, "noun");
static PEOPLE: Words = Words::new(tables::BN_ENDINGS, "people");

/// May this follow a name within its word?
pub(crate) fn is_case_ending(rest: &str) -> bool {
    rest.is_empty() || NAME.contains(rest)
}

/// May this follow a common noun within its word?
pub(crate) fn is_noun_ending(rest: &str) -> bool {
    is_case_ending(rest) || NOUN.contains(rest)
}

/// Is this the plural of a people, and of those of a place: রোহিঙ্গাদের?
pub(crate) fn is_plural_of_people(rest: &str) -> bool {
    PEOPLE.contains(rest)
}

/// The word without the case ending of a noun, if enough is left.
pub(crate) fn stem(word: &str) -> &str {
    let stripped = STEM.longest_first().iter().find_map(|e| word.strip_suffix(e));
    stripped.filter(|s| s.chars().count() >= 3).unwrap_or(word)
}
