//! Words whose loss changes what is said: bail, weapons, floods. One of their English words must be in the translation.
use crate::lang::endings::is_noun_ending;
use crate::lang::script::is_bengali;
use crate::lang::{rows, tables};
use crate::text::{Finding, FindingKind, Severity};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words and the beginnings of their English ones.
static TERMS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let row = |line: &'static str| line.split_once('\t').map(|(word, english)| (word, english.split('|').collect()));
    rows(tables::BN_KEY_TERMS).filter_map(row).collect()
});

/// Terms of the source that the output does not say.
pub(crate) fn check_terms(source: &str, output: &str, findings: &mut Vec<Finding>) {
    let source = crate::lang::canonical::canonical(source);
    let lower = output.to_lowercase();
    let said = |beginning: &str| {
        lower.match_indices(beginning).any(|(at, _)| !lower[..at].ends_with(|c: char| c.is_alphanumeric()))
    };
    let mut seen: Vec<&str> = Vec::new();
    for (term, english) in source.split(|c| !is_bengali(c)).filter_map(term_of) {
        if seen.contains(&term) {
            continue;
        }
        seen.push(term);
        if !english.iter().any(|beginning| said(beginning)) {
            let message = format!("{term} ({} …) is missing from the translation", english[0]);
            findings.push(Finding { kind: FindingKind::Omission, severity: Severity::Warning, segment: None, message });
        }
    }
}

/// The term that a word is, with an ending or without.
fn term_of(word: &str) -> Option<(&'static str, &'static Vec<&'static str>)> {
    let ends = word.char_indices().map(|(at, _)| at).skip(2).chain([word.len()]);
    ends.filter_map(|end| {
        let (term, english) = TERMS.get_key_value(word.get(..end)?)?;
        let rest = &word[end..];
        is_noun_ending(rest).then_some((*term, english))
    })
    .last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, output: &str) -> usize {
        let mut findings = Vec::new();
        check_terms(source, output, &mut findings);
        findings.len()
    }

    #[test]
    fn a_lost_term_is_found() {
        assert_eq!(found("রিপন জামিন পেয়ে বাড়ি ফিরেছেন।", "Ripon returned home."), 1);
        assert_eq!(found("রিপন জামিনে মুক্ত।", "Ripon is out on bail."), 0);
        assert_eq!(found("রোহিঙ্গাদের জন্য ত্রাণ", "Relief for the refugees"), 1);
        assert_eq!(found("পুলিশ অস্ত্র ও অস্ত্রের গুলি পায়।", "Police found an elephant."), 1);
        assert_eq!(found("বাজারে ডিমের দাম বেড়েছে।", "Egg prices rose in the market."), 0);
        assert_eq!(found("নদীয়া জেলা", "Nadia district"), 0, "another word");
    }
}
