//! BLEU (Papineni et al., 2002) as sacrebleu 2.x computes it, with its 13a tokenizer.
use super::{CorpusMetric, is_python_space};
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

const ORDER: usize = 4;

/// How zero precisions are smoothed (Chen and Cherry, 2014).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Smoothing {
    /// sacrebleu's default, also mteval-v13a's.
    #[default]
    Exp,
    /// A precision of zero becomes that of so many matches.
    Floor(f64),
    /// So many matches are added to each order but the first.
    AddK(f64),
    /// A precision of zero makes the score zero.
    None,
}

/// BLEU with a maximum n-gram order of 4.
#[derive(Debug, Clone, Default)]
pub struct Bleu {
    /// Capitals make no difference.
    pub lowercase: bool,
    /// Leave out orders that the hypothesis is too short for. Set it for scores of single sentences.
    pub effective_order: bool,
    /// How zero precisions are smoothed.
    pub smoothing: Smoothing,
}

/// BLEU with its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct BleuScore {
    /// 0 to 100.
    pub score: f64,
    /// Precisions of orders 1 to 4, 0 to 100.
    pub precisions: [f64; ORDER],
    /// 0 to 1; 1: the hypotheses are long enough.
    pub brevity_penalty: f64,
    /// Tokens of the hypotheses and of the references.
    pub hypothesis_length: usize,
    /// Tokens of the references.
    pub reference_length: usize,
}

impl Bleu {
    /// The score and its parts from summed statistics.
    pub fn parts(&self, statistics: &[f64]) -> BleuScore {
        let at = |i: usize| statistics.get(i).copied().unwrap_or(0.0);
        let (hypothesis, reference) = (at(0), at(1));
        let brevity_penalty = match (hypothesis < reference, hypothesis > 0.0) {
            (false, _) => 1.0,
            (true, true) => (1.0 - reference / hypothesis).exp(),
            (true, false) => 0.0,
        };
        let mut out = BleuScore {
            score: 0.0,
            precisions: [0.0; ORDER],
            brevity_penalty,
            hypothesis_length: hypothesis as usize,
            reference_length: reference as usize,
        };
        if (0..ORDER).all(|n| at(2 + n) == 0.0) {
            return out;
        }
        let mut smooth = 1.0;
        let mut order = ORDER;
        for n in 0..ORDER {
            let (mut correct, mut total) = (at(2 + n), at(2 + ORDER + n));
            if let (Smoothing::AddK(k), true) = (self.smoothing, n > 0) {
                correct += k;
                total += k;
            }
            if total == 0.0 {
                break;
            }
            if self.effective_order {
                order = n + 1;
            }
            out.precisions[n] = match self.smoothing {
                _ if correct > 0.0 => 100.0 * correct / total,
                Smoothing::Exp => {
                    smooth *= 2.0;
                    100.0 / (smooth * total)
                }
                Smoothing::Floor(value) => 100.0 * value / total,
                Smoothing::AddK(_) | Smoothing::None => 0.0,
            };
        }
        // sacrebleu floors log(0) to a very low number, so that the product becomes zero
        let log = |p: f64| if p == 0.0 { -9_999_999_999.0 } else { p.ln() };
        out.score =
            brevity_penalty * (out.precisions[..order].iter().map(|&p| log(p)).sum::<f64>() / order as f64).exp();
        out
    }

    fn tokens(&self, text: &str) -> Vec<String> {
        let text = text.trim_end_matches(is_python_space);
        let tokenized = if self.lowercase { tokenize_13a(&text.to_lowercase()) } else { tokenize_13a(text) };
        tokenized.split(is_python_space).filter(|t| !t.is_empty()).map(str::to_string).collect()
    }
}

impl CorpusMetric for Bleu {
    fn name(&self) -> String {
        "BLEU".into()
    }

    /// [hypothesis length, reference length, 4 × correct, 4 × total].
    fn statistics(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let hypothesis = self.tokens(hypothesis);
        let references: Vec<Vec<String>> = references.iter().map(|r| self.tokens(r)).collect();
        let mut best: HashMap<&[String], u32> = HashMap::new();
        for reference in &references {
            for (ngram, count) in ngrams(reference) {
                let slot = best.entry(ngram).or_default();
                *slot = (*slot).max(count);
            }
        }
        let length = hypothesis.len();
        // the closest reference length, the shorter of two that are equally close
        let closest = references.iter().map(Vec::len).min_by_key(|&r| (r.abs_diff(length), r)).unwrap_or(0);
        let mut out = vec![0.0; 2 + 2 * ORDER];
        out[0] = length as f64;
        out[1] = closest as f64;
        for (ngram, count) in ngrams(&hypothesis) {
            let n = ngram.len() - 1;
            out[2 + ORDER + n] += f64::from(count);
            out[2 + n] += f64::from(count.min(best.get(ngram).copied().unwrap_or(0)));
        }
        out
    }

    fn score(&self, statistics: &[f64]) -> f64 {
        self.parts(statistics).score
    }

    fn details(&self, statistics: &[f64]) -> String {
        let parts = self.parts(statistics);
        let precisions = parts.precisions.map(|p| format!("{p:.1}")).join("/");
        let (ours, theirs) = (parts.hypothesis_length, parts.reference_length);
        let ratio = if theirs == 0 { 0.0 } else { ours as f64 / theirs as f64 };
        let penalty = parts.brevity_penalty;
        format!("{precisions} (BP = {penalty:.3} ratio = {ratio:.3} hyp_len = {ours} ref_len = {theirs})")
    }

    fn settings(&self) -> String {
        let smooth = match self.smoothing {
            Smoothing::Exp => "exp".to_string(),
            Smoothing::Floor(v) => format!("floor[{v:.2}]"),
            Smoothing::AddK(v) => format!("add-k[{v:.2}]"),
            Smoothing::None => "none".to_string(),
        };
        let (case, eff) =
            (if self.lowercase { "lc" } else { "mixed" }, if self.effective_order { "yes" } else { "no" });
        format!("case:{case}|eff:{eff}|tok:13a|smooth:{smooth}")
    }
}

fn ngrams(tokens: &[String]) -> HashMap<&[String], u32> {
    let mut out = HashMap::new();
    for n in 1..=ORDER {
        for window in tokens.windows(n) {
            *out.entry(window).or_default() += 1;
        }
    }
    out
}

/// mteval-v13a's tokenization as sacrebleu writes it; tokens are separated by one space.
pub fn tokenize_13a(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"([\{-~\[-` -&\(-\+:-@/])", " ${1} "),
            (r"([^0-9])([.,])", "${1} ${2} "),
            (r"([.,])([^0-9])", " ${1} ${2}"),
            (r"([0-9])(-)", "${1} ${2} "),
        ]
        .map(|(pattern, to)| (Regex::new(pattern).expect("a constant pattern"), to))
        .into()
    });
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        line = line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    }
    line = format!(" {line} ");
    for (rule, to) in RULES.iter() {
        line = rule.replace_all(&line, *to).into_owned();
    }
    line.split(is_python_space).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_like_13a() {
        assert_eq!(
            tokenize_13a("It's $3.50, i.e. 1,000-2,000 &quot;ok&quot;."),
            "It's $ 3.50 , i . e . 1,000 - 2,000 \" ok \" ."
        );
        assert_eq!(tokenize_13a("  "), "");
    }

    #[test]
    fn identical_text_scores_100_and_empty_0() {
        let bleu = Bleu::default();
        let text = ["The quick brown fox jumps over it .", "A second line of five tokens"];
        assert!((bleu.corpus(&text, &text) - 100.0).abs() < 1e-9);
        assert_eq!(bleu.corpus(&["", ""], &text), 0.0);
        assert_eq!(bleu.corpus::<&str, &str>(&[], &[]), 0.0);
    }
}
