//! Case endings, particles and classifiers of Bengali.
use super::Words;
use super::tables;

static NAME: Words = Words::new(tables::BN_ENDINGS, "name");
static STEM: Words = Words::new(tables::BN_ENDINGS, "stem");

/// May this follow a name within its word?
pub(crate) fn is_case_ending(rest: &str) -> bool {
    rest.is_empty() || NAME.contains(rest)
}

/// The word without the case ending of a noun, if enough is left.
pub(crate) fn stem(word: &str) -> &str {
    let stripped = STEM.longest_first().iter().find_map(|e| word.strip_suffix(e));
    stripped.filter(|s| s.chars().count() >= 3).unwrap_or(word)
}
