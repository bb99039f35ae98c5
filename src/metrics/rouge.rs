//! ROUGE-N, ROUGE-L and ROUGE-Lsum (Lin, 2004) as Google's rouge-score package computes them.
use super::porter;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// How text becomes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RougeTokenizer {
    /// rouge-score's own: lower case, runs of a–z and 0–9. Anything that isn't English disappears.
    #[default]
    Ascii,
    /// The same, and words of more than three letters are stemmed (`use_stemmer=True`).
    AsciiStemmed,
    /// Split at white space only.
    Whitespace,
    /// Letters, marks and digits of any script; the rest separates. For Bengali.
    Words,
}

impl RougeTokenizer {
    /// Tokens of `text`.
    pub fn tokens(self, text: &str) -> Vec<String> {
        match self {
            Self::Ascii | Self::AsciiStemmed => {
                let text = text.to_lowercase();
                let words = text.split(|c: char| !matches!(c, 'a'..='z' | '0'..='9')).filter(|w| !w.is_empty());
                words
                    .map(|w| if self == Self::AsciiStemmed && w.len() > 3 { porter::stem(w) } else { w.into() })
                    .collect()
            }
            Self::Whitespace => text.split_whitespace().map(str::to_string).collect(),
            Self::Words => {
                let text = text.to_lowercase();
                text.split(|c: char| !is_word_char(c)).filter(|w| !w.is_empty()).map(str::to_string).collect()
            }
        }
    }
}

/// Letters and digits, and the vowel signs, hasanta and joiners that stand inside Bengali words.
fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{0980}'..='\u{09E3}' | '\u{09F0}' | '\u{09F1}' | '\u{200C}' | '\u{200D}')
}

/// Precision, recall and their harmonic mean, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Prf {
    /// Share of the candidate that is in the reference.
    pub precision: f64,
    /// Share of the reference that is in the candidate.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

impl Prf {
    fn new(hits: usize, predicted: usize, target: usize) -> Self {
        let (precision, recall) = (hits as f64 / predicted.max(1) as f64, hits as f64 / target.max(1) as f64);
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

/// Scores of one text pair, or their means over a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rouge {
    /// Single words.
    pub rouge1: Prf,
    /// Pairs of words.
    pub rouge2: Prf,
    /// The longest common subsequence of each pair of texts.
    pub rouge_l: Prf,
    /// Union LCS over sentences, one a line.
    pub rouge_lsum: Prf,
}

impl Rouge {
    /// Compares `prediction` with `target`. For `rouge_lsum` the sentences stand on lines of their own.
    pub fn score(target: &str, prediction: &str, tokenizer: RougeTokenizer) -> Self {
        let (t, p) = (tokenizer.tokens(target), tokenizer.tokens(prediction));
        let lines = |text: &str| -> Vec<Vec<String>> {
            text.split('\n').filter(|l| !l.is_empty()).map(|l| tokenizer.tokens(l)).collect()
        };
        Self {
            rouge1: rouge_n(&t, &p, 1),
            rouge2: rouge_n(&t, &p, 2),
            rouge_l: rouge_l(&t, &p),
            rouge_lsum: rouge_lsum(&lines(target), &lines(prediction)),
        }
    }

    /// For each measure, the reference with the best F1 (`score_multi`).
    pub fn score_multi(targets: &[&str], prediction: &str, tokenizer: RougeTokenizer) -> Self {
        let mut best = Self::default();
        for (i, target) in targets.iter().enumerate() {
            let scores = Self::score(target, prediction, tokenizer);
            let keep = |best: &mut Prf, new: Prf| {
                if i == 0 || new.f1 > best.f1 {
                    *best = new;
                }
            };
            keep(&mut best.rouge1, scores.rouge1);
            keep(&mut best.rouge2, scores.rouge2);
            keep(&mut best.rouge_l, scores.rouge_l);
            keep(&mut best.rouge_lsum, scores.rouge_lsum);
        }
        best
    }

    /// Mean of the scores of many pairs.
    pub fn mean(scores: &[Self]) -> Self {
        let n = scores.len().max(1) as f64;
        let mean = |part: fn(&Self) -> Prf| {
            let sum = |field: fn(Prf) -> f64| scores.iter().map(|s| field(part(s))).sum::<f64>() / n;
            Prf { precision: sum(|p| p.precision), recall: sum(|p| p.recall), f1: sum(|p| p.f1) }
        };
        Self {
            rouge1: mean(|s| s.rouge1),
            rouge2: mean(|s| s.rouge2),
            rouge_l: mean(|s| s.rouge_l),
            rouge_lsum: mean(|s| s.rouge_lsum),
        }
    }
}

/// ROUGE-N over tokens: clipped n-gram overlap.
pub fn rouge_n(target: &[String], prediction: &[String], n: usize) -> Prf {
    let n = n.max(1);
    let mut left: HashMap<&[String], usize> = HashMap::new();
    for ngram in target.windows(n) {
        *left.entry(ngram).or_default() += 1;
    }
    let mut hits = 0;
    for ngram in prediction.windows(n) {
        if let Some(count) = left.get_mut(ngram).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    Prf::new(hits, (prediction.len() + 1).saturating_sub(n), (target.len() + 1).saturating_sub(n))
}

/// ROUGE-L over tokens: longest common subsequence.
pub fn rouge_l(target: &[String], prediction: &[String]) -> Prf {
    if target.is_empty() || prediction.is_empty() {
        return Prf::default();
    }
    let table = lcs_table(target, prediction);
    Prf::new(table[table.len() - 1] as usize, prediction.len(), target.len())
}

/// ROUGE-Lsum over sentences of tokens: union LCS, each token counted at most as often as both sides have it.
pub fn rouge_lsum(target: &[Vec<String>], prediction: &[Vec<String>]) -> Prf {
    let count = |sentences: &[Vec<String>]| sentences.iter().map(Vec::len).sum::<usize>();
    let (m, n) = (count(target), count(prediction));
    if m == 0 || n == 0 {
        return Prf::default();
    }
    let bag = |sentences: &'_ [Vec<String>]| {
        let mut bag: HashMap<String, usize> = HashMap::new();
        sentences.iter().flatten().for_each(|t| *bag.entry(t.clone()).or_default() += 1);
        bag
    };
    let (mut in_target, mut in_prediction) = (bag(target), bag(prediction));
    let mut hits = 0;
    for reference in target {
        let union: BTreeSet<usize> =
            prediction.iter().flat_map(|candidate| lcs_indices(reference, candidate)).collect();
        for token in union.into_iter().map(|i| &reference[i]) {
            if let (Some(t), Some(p)) = (in_target.get_mut(token), in_prediction.get_mut(token))
                && *t > 0
                && *p > 0
            {
                (*t, *p) = (*t - 1, *p - 1);
                hits += 1;
            }
        }
    }
    Prf::new(hits, n, m)
}

/// Lengths of the longest common subsequences of all prefixes, row-major, (target + 1) × (candidate + 1).
fn lcs_table(target: &[String], candidate: &[String]) -> Vec<u32> {
    let width = candidate.len() + 1;
    let mut table = vec![0u32; (target.len() + 1) * width];
    for (i, t) in target.iter().enumerate() {
        for (j, c) in candidate.iter().enumerate() {
            let above = i * width + j;
            let here = above + width + 1;
            table[here] = if t == c { table[above] + 1 } else { table[above + 1].max(table[here - 1]) };
        }
    }
    table
}

/// Places in `target` of one longest common subsequence, read out the way rouge-score does.
fn lcs_indices(target: &[String], candidate: &[String]) -> Vec<usize> {
    let (table, width) = (lcs_table(target, candidate), candidate.len() + 1);
    let (mut i, mut j) = (target.len(), candidate.len());
    let mut out = Vec::new();
    while i > 0 && j > 0 {
        if target[i - 1] == candidate[j - 1] {
            out.push(i - 1);
            i -= 1;
            j -= 1;
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bengali_needs_its_own_tokenizer() {
        let (a, b) = ("বন্যায় ৫ জন নিহত হয়েছেন।", "বন্যায় ৫ জন আহত হয়েছেন");
        assert_eq!(Rouge::score(a, b, RougeTokenizer::Ascii).rouge1, Prf::default());
        let r = Rouge::score(a, b, RougeTokenizer::Words);
        assert!((r.rouge1.f1 - 0.8).abs() < 1e-9 && (r.rouge2.f1 - 0.5).abs() < 1e-9, "{r:?}");
        // the danda stays on its word when only white space separates
        assert!((Rouge::score(a, b, RougeTokenizer::Whitespace).rouge1.f1 - 0.6).abs() < 1e-9);
    }

    #[test]
    fn nothing_scores_nothing() {
        assert_eq!(Rouge::score("", "a b", RougeTokenizer::Ascii), Rouge::default());
        assert_eq!(Rouge::mean(&[]), Rouge::default());
    }
}
