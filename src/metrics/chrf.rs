//! chrF (Popović, 2015) and chrF++ (Popović, 2017) as sacrebleu 2.x computes them.
use super::{CorpusMetric, is_python_space};
use std::collections::HashMap;

const CHAR_ORDER: usize = 6;
const BETA: usize = 2;

/// chrF2, or chrF2++ with `word_order` 2.
#[derive(Debug, Clone, Default)]
pub struct Chrf {
    /// Order of the word n-grams that are counted beside those of characters.
    pub word_order: usize,
    pub lowercase: bool,
}

impl Chrf {
    /// chrF++: word n-grams up to 2.
    pub fn plus_plus() -> Self {
        Self { word_order: 2, lowercase: false }
    }

    /// F-score, 0 to 1, of one sentence: what minimum-Bayes-risk decoding compares candidates by.
    pub fn sentence(&self, hypothesis: &str, reference: &str) -> f64 {
        self.score(&self.statistics(hypothesis, &[reference])) / 100.0
    }

    fn one_reference(&self, hypothesis: &str, reference: &str) -> Vec<f64> {
        let mut out = Vec::with_capacity(3 * (CHAR_ORDER + self.word_order));
        let (h, r) = (Chars::new(hypothesis), Chars::new(reference));
        for n in 1..=CHAR_ORDER {
            count_matches(h.ngrams(n), r.ngrams(n), &mut out);
        }
        if self.word_order > 0 {
            let (h, r) = (split_punctuation(hypothesis), split_punctuation(reference));
            for n in 1..=self.word_order {
                count_matches(h.windows(n), r.windows(n), &mut out);
            }
        }
        out
    }
}

impl CorpusMetric for Chrf {
    fn name(&self) -> String {
        format!("chrF{BETA}{}", "+".repeat(self.word_order))
    }

    /// For each order, characters first: [hypothesis n-grams, reference n-grams, matches].
    fn statistics(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let fold = |text: &str| if self.lowercase { text.to_lowercase() } else { text.to_string() };
        let hypothesis = fold(hypothesis);
        let mut best = (-1.0, vec![0.0; 3 * (CHAR_ORDER + self.word_order)]);
        for reference in references {
            let statistics = self.one_reference(&hypothesis, &fold(reference));
            let score = self.score(&statistics);
            if score > best.0 {
                best = (score, statistics);
            }
        }
        best.1
    }

    fn score(&self, statistics: &[f64]) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for counts in statistics.chunks_exact(3) {
            let [hypothesis, reference, matches] = [counts[0], counts[1], counts[2]];
            if hypothesis > 0.0 && reference > 0.0 {
                precision += matches / hypothesis;
                recall += matches / reference;
                orders += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        let factor = (BETA * BETA) as f64;
        100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
    }

    fn settings(&self) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        format!("case:{case}|eff:yes|nc:{CHAR_ORDER}|nw:{}|space:no", self.word_order)
    }
}

/// Text without white space, and where each character starts.
struct Chars {
    text: String,
    starts: Vec<usize>,
}

impl Chars {
    fn new(text: &str) -> Self {
        let text: String = text.chars().filter(|&c| !is_python_space(c)).collect();
        let starts = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        Self { text, starts }
    }

    fn ngrams(&self, n: usize) -> impl Iterator<Item = &str> {
        self.starts.iter().zip(self.starts.iter().skip(n)).map(|(&from, &to)| &self.text[from..to])
    }
}

/// Appends [hypothesis, reference, matches]; the hypothesis counts only where the reference has n-grams.
fn count_matches<K: std::hash::Hash + Eq>(
    hypothesis: impl Iterator<Item = K>,
    reference: impl Iterator<Item = K>,
    out: &mut Vec<f64>,
) {
    let mut left: HashMap<K, u32> = HashMap::new();
    let mut references = 0u32;
    for ngram in reference {
        *left.entry(ngram).or_default() += 1;
        references += 1;
    }
    let (mut hypotheses, mut matches) = (0u32, 0u32);
    for ngram in hypothesis {
        hypotheses += 1;
        if let Some(count) = left.get_mut(&ngram).filter(|count| **count > 0) {
            *count -= 1;
            matches += 1;
        }
    }
    let hypotheses = if references > 0 { hypotheses } else { 0 };
    out.extend([f64::from(hypotheses), f64::from(references), f64::from(matches)]);
}

/// Words with one leading or trailing ASCII punctuation mark split off: "(hi)" becomes "(hi" and ")", as in chrF++.py.
fn split_punctuation(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for word in text.split(is_python_space).filter(|w| !w.is_empty()) {
        let last = word.char_indices().next_back().map_or(0, |(i, _)| i);
        if last == 0 {
            out.push(word);
        } else if word.ends_with(|c: char| c.is_ascii_punctuation()) {
            out.extend([&word[..last], &word[last..]]);
        } else if word.starts_with(|c: char| c.is_ascii_punctuation()) {
            out.extend([&word[..1], &word[1..]]);
        } else {
            out.push(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_one_mark_off_a_word() {
        assert_eq!(split_punctuation("(hi) \"no ok. . আমি।"), ["(hi", ")", "\"", "no", "ok", ".", ".", "আমি।"]);
    }

    #[test]
    fn identical_text_scores_100() {
        for chrf in [Chrf::default(), Chrf::plus_plus()] {
            assert!(
                (chrf.corpus(&["ab", "a longer line of words"], &["ab", "a longer line of words"]) - 100.0).abs()
                    < 1e-9
            );
            assert_eq!(chrf.corpus(&["", "x"], &["abc", ""]), 0.0);
        }
    }
}
