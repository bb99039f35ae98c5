//! Measures against golden files of sacrebleu and rouge-score (`scripts/golden/metrics.py`).
use anubad::metrics::{Bleu, Chrf, CorpusMetric, Prf, Rouge, RougeTokenizer, Smoothing, paired_bootstrap, porter, sum};
use serde_json::Value;

const TOLERANCE: f64 = 0.005;
const CORPORA: [&str; 5] = ["news", "empty", "short", "unicode", "numbers_repeats"];

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/metrics/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect()
}

fn metric(name: &str) -> Box<dyn CorpusMetric> {
    let bleu = |smoothing| Box::new(Bleu { smoothing, ..Bleu::default() });
    match name {
        "bleu" | "BLEU" => bleu(Smoothing::Exp),
        "bleu_lc" => Box::new(Bleu { lowercase: true, ..Bleu::default() }),
        "bleu_floor" => bleu(Smoothing::Floor(0.1)),
        "bleu_addk" => bleu(Smoothing::AddK(1.0)),
        "bleu_none" => bleu(Smoothing::None),
        "bleu_effective" => Box::new(Bleu { effective_order: true, ..Bleu::default() }),
        "chrf" | "chrF2" => Box::new(Chrf::default()),
        "chrf_lc" => Box::new(Chrf { lowercase: true, ..Chrf::default() }),
        "chrf++" | "chrF2++" => Box::new(Chrf::plus_plus()),
        other => panic!("unknown metric {other}"),
    }
}

#[test]
fn corpus_scores_and_signatures_are_those_of_sacrebleu() {
    for corpus in CORPORA {
        let data = golden(corpus);
        let (hypotheses, references) = (strings(&data["hypotheses"]), strings(&data["references"]));
        for expected in data["corpus"].as_array().unwrap() {
            let name = expected["metric"].as_str().unwrap();
            let (name, second) = name.strip_suffix("_two_references").map_or((name, false), |name| (name, true));
            let metric = metric(name);
            let rows = hypotheses.iter().enumerate().map(|(i, h)| {
                let both = [references[i], references[references.len() - 1 - i]];
                metric.statistics(h, if second { &both } else { &both[..1] })
            });
            let score = metric.score(&sum(rows));
            let wanted = expected["score"].as_f64().unwrap();
            assert!((score - wanted).abs() < TOLERANCE, "{corpus} {expected}: got {score}");
            assert_eq!(metric.signature(if second { 2 } else { 1 }, None), expected["signature"].as_str().unwrap());
        }
    }
}

#[test]
fn sentence_scores_are_those_of_the_packages() {
    for corpus in CORPORA {
        let data = golden(corpus);
        let (hypotheses, references) = (strings(&data["hypotheses"]), strings(&data["references"]));
        for (i, expected) in data["sentences"].as_array().unwrap().iter().enumerate() {
            for name in ["bleu_effective", "chrf", "chrf++"] {
                let score = metric(name).corpus(&hypotheses[i..=i], &references[i..=i]);
                assert!((score - expected[name].as_f64().unwrap()).abs() < TOLERANCE, "{corpus} {i} {name}: {score}");
            }
            check_rouge(references[i], hypotheses[i], expected);
        }
    }
}

trait Corpus {
    fn corpus(&self, hypotheses: &[&str], references: &[&str]) -> f64;
}

impl Corpus for Box<dyn CorpusMetric> {
    fn corpus(&self, hypotheses: &[&str], references: &[&str]) -> f64 {
        self.score(&sum(hypotheses.iter().zip(references).map(|(h, r)| self.statistics(h, &[r]))))
    }
}

fn check_rouge(target: &str, prediction: &str, expected: &Value) {
    for (key, tokenizer) in [("rouge", RougeTokenizer::Ascii), ("rouge_stemmed", RougeTokenizer::AsciiStemmed)] {
        let scores = Rouge::score(target, prediction, tokenizer);
        for (name, Prf { precision, recall, f1 }) in [
            ("rouge1", scores.rouge1),
            ("rouge2", scores.rouge2),
            ("rougeL", scores.rouge_l),
            ("rougeLsum", scores.rouge_lsum),
        ] {
            for (got, wanted) in [precision, recall, f1].into_iter().zip(expected[key][name].as_array().unwrap()) {
                let wanted = wanted.as_f64().unwrap();
                assert!(
                    (got - wanted).abs() < 5e-5,
                    "{key} {name} of {target:?} / {prediction:?}: {got}, not {wanted}"
                );
            }
        }
    }
}

#[test]
fn rouge_of_summaries_is_that_of_rouge_score() {
    for case in golden("summaries").as_array().unwrap() {
        check_rouge(case["target"].as_str().unwrap(), case["prediction"].as_str().unwrap(), case);
    }
}

#[test]
fn stems_are_those_of_nltk() {
    let data = golden("stems");
    let cases = data.as_array().unwrap();
    assert!(cases.len() > 1000);
    for case in cases {
        let (word, stem) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        // rouge-score stems words of more than three letters only; the stemmer itself is tested on the others too
        assert_eq!(porter::stem(word), stem, "{word}");
    }
}

#[test]
fn paired_bootstrap_agrees_with_sacrebleu() {
    let data = golden("paired");
    let [references, baseline, system] = ["references", "baseline", "system"].map(|k| strings(&data[k]));
    let results = data["results"].as_object().unwrap();
    assert_eq!(results.len(), 3);
    for (name, expected) in results {
        let metric = metric(name);
        let rows = |hyps: &[&str]| -> Vec<Vec<f64>> {
            hyps.iter().zip(&references).map(|(h, r)| metric.statistics(h, &[r])).collect()
        };
        let got = paired_bootstrap(&*metric, &rows(&baseline), &rows(&system), 1000, 12345);
        for side in 0..2 {
            let at = |key: &str| expected[key][side].as_f64();
            assert!((got.scores[side] - at("scores").unwrap()).abs() < TOLERANCE, "{name}: {got:?}");
            // other random numbers: the estimates agree, not the digits
            if let (Some(mean), Some(interval)) = (at("means"), at("intervals")) {
                assert!((got.means[side] - mean).abs() < 0.1 * interval, "{name}: {got:?} {expected}");
                assert!((got.intervals[side] - interval).abs() < 0.15 * interval, "{name}: {got:?} {expected}");
            }
        }
        assert!((got.p_value - expected["p"].as_f64().unwrap()).abs() < 0.02, "{name}: {got:?} {expected}");
    }
}
