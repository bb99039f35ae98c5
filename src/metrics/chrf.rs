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
    /// Capitals make no difference.
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

    /// F-scores, 0 to 1, of every text against every other, `[hypothesis][reference]`: what [`sentence`](Self::sentence)
    /// says, with the n-grams of each text counted once. Many candidates are compared so in a millisecond or two.
    pub fn pairwise(&self, texts: &[&str]) -> Vec<Vec<f64>> {
        let texts: Vec<String> = texts.iter().map(|t| self.fold(t)).collect();
        let chars: Vec<Chars> = texts.iter().map(|t| Chars::new(t)).collect();
        let words: Vec<Vec<&str>> = texts.iter().map(|t| split_punctuation(t)).collect();
        // [order][text]
        let mut orders: Vec<Vec<Vec<u32>>> =
            (1..=CHAR_ORDER).map(|n| numbered(chars.iter().map(|c| c.ngrams(n)))).collect();
        orders.extend((1..=self.word_order).map(|n| numbered(words.iter().map(|w| w.windows(n)))));
        let mut scores = vec![vec![0.0; texts.len()]; texts.len()];
        for i in 0..texts.len() {
            for j in 0..=i {
                let [mut row, mut column] = [const { Vec::new() }; 2];
                for order in &orders {
                    let (a, b) = (&order[i], &order[j]);
                    let matches = in_common(a, b);
                    row.extend([a.len(), b.len(), matches].map(|n| n as f64));
                    column.extend([b.len(), a.len(), matches].map(|n| n as f64));
                }
                scores[i][j] = self.score(&row) / 100.0;
                scores[j][i] = self.score(&column) / 100.0;
            }
        }
        scores
    }

    fn fold(&self, text: &str) -> String {
        if self.lowercase { text.to_lowercase() } else { text.to_string() }
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
        let hypothesis = self.fold(hypothesis);
        let mut best = (-1.0, vec![0.0; 3 * (CHAR_ORDER + self.word_order)]);
        for reference in references {
            let statistics = self.one_reference(&hypothesis, &self.fold(reference));
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

/// The n-grams of each text as numbers in ascending order, the same number for the same n-gram in all texts.
fn numbered<K: std::hash::Hash + Eq>(texts: impl Iterator<Item = impl Iterator<Item = K>>) -> Vec<Vec<u32>> {
    let mut numbers: HashMap<K, u32> = HashMap::new();
    let mut number = |ngram| {
        let next = numbers.len() as u32;
        *numbers.entry(ngram).or_insert(next)
    };
    texts
        .map(|ngrams| {
            let mut ids: Vec<u32> = ngrams.map(&mut number).collect();
            ids.sort_unstable();
            ids
        })
        .collect()
}

/// How many elements two ascending lists share, repeated ones as often as they are in both.
fn in_common(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let order = x.cmp(y);
        count += usize::from(order.is_eq());
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    count
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pairwise_scores_are_those_of_the_sentences(
            texts in prop::collection::vec("[ab ক,.]{0,12}", 0..5),
            word_order in 0usize..3,
            lowercase: bool,
        ) {
            let chrf = Chrf { word_order, lowercase };
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let scores = chrf.pairwise(&texts);
            for (i, hypothesis) in texts.iter().enumerate() {
                for (j, reference) in texts.iter().enumerate() {
                    prop_assert_eq!(scores[i][j], chrf.sentence(hypothesis, reference), "{:?} {:?}", hypothesis, reference);
                }
            }
        }
    }

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
