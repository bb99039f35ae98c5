//! A word by itself (a heading, a cell, a line): a model has nothing to go by there and is often wrong.
use crate::lang::gazetteer::{GAZETTEER, english_words};
use crate::lang::script::{Scripts, is_bengali};
use crate::text::{Finding, FindingKind, Severity};

/// Says that a lone word's translation is a guess, unless the tables know the word and bear it out.
pub(crate) fn check_single(source: &str, output: &str, findings: &mut Vec<Finding>) {
    let source = crate::lang::canonical::canonical(source);
    let word = source.trim();
    let lone = word.chars().all(|c| is_bengali(c) || c == '-') && Scripts::of(word).bengali >= 2;
    if !lone || output.trim().is_empty() {
        return;
    }
    let said: Vec<String> = english_words(output).collect();
    let borne_out = GAZETTEER.at(word).any(|(entry, _)| GAZETTEER.is_translated(entry, &said));
    if !borne_out {
        let message =
            format!("{word} stands by itself, with nothing around it to tell its meaning by: \"{output}\" is a guess");
        findings.push(Finding { kind: FindingKind::SingleWord, severity: Severity::Warning, segment: None, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_words_are_guesses() {
        let found = |source: &str, output: &str| {
            let mut findings = Vec::new();
            check_single(source, output, &mut findings);
            findings.len()
        };
        assert_eq!(found("কানামাছি", "Kana"), 1);
        assert_eq!(found("ঢাকা", "Dhaka"), 0);
        assert_eq!(found("সে এল।", "He came."), 0);
        assert_eq!(found("কেন?", "Why?"), 0);
        assert_eq!(found("১২", "12"), 0);
    }
}
