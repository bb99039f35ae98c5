//! How far a translated sentence can be trusted, from the model's own certainty and the checks.
//!
//! The weights are a data file beside the model's manifest, made by `scripts/fit-confidence` from sentences with human
//! translations. What they predict is whether a sentence's chrF++ against the human translation reaches 40: how near to
//! a human translation it is likely to be, not that nothing in it is wrong. A model without such a file has no
//! chances to tell; its sentences are ranked within the article.
use super::TranslatedSegment;
use super::features::{NAMES, features};
use crate::error::ModelError;
use crate::text::Finding;
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The files of the models that have one: the model's id, and what is in it.
const FILES: [(&str, &str); 1] =
    [("anubad-270m-bn-en", include_str!("../../models/anubad-270m-bn-en.confidence.toml"))];

/// A logistic model of confidence.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidenceModel {
    constant: f32,
    /// In the order of [`NAMES`].
    weights: [f32; NAMES.len()],
    /// What stands for a feature that a sentence does not have: its mean where the model was fitted.
    unknown: [f32; NAMES.len()],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[allow(dead_code)] // for people
    notes: String,
    constant: f32,
    weights: BTreeMap<String, f32>,
    #[serde(default)]
    unknown: BTreeMap<String, f32>,
}

impl ConfidenceModel {
    /// The model in the text of a file; `name` is for error texts.
    ///
    /// # Errors
    /// It is no such file, or of another version.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::Model(ModelError::damaged(format!("{name}: {why}; make it anew with scripts/fit-confidence")))
        };
        let file: File = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
        if file.format != 1 {
            return Err(wrong(format!("format {} is not known", file.format)));
        }
        let in_order = |named: BTreeMap<String, f32>| {
            let mut values = [0.0; NAMES.len()];
            for (feature, value) in named {
                let place = NAMES.iter().position(|n| *n == feature);
                let place = place.ok_or_else(|| wrong(format!("there is no feature `{feature}`")))?;
                if !value.is_finite() {
                    return Err(wrong(format!("the weight of `{feature}` is not a number")));
                }
                values[place] = value;
            }
            Ok(values)
        };
        Ok(Self { constant: file.constant, weights: in_order(file.weights)?, unknown: in_order(file.unknown)? })
    }

    /// The one that belongs to a translation model, by its id.
    pub fn of(model: &str) -> Option<&'static Self> {
        static MODELS: OnceLock<Vec<(&str, ConfidenceModel)>> = OnceLock::new();
        let models = MODELS.get_or_init(|| {
            // A test reads all of them; one that is broken all the same is as good as none.
            FILES.iter().filter_map(|(id, text)| Some((*id, Self::parse(text, id).ok()?))).collect()
        });
        models.iter().find(|(id, _)| *id == model).map(|(_, model)| model)
    }

    /// Chance, 0 to 1, that a sentence is translated well; none for one that was not translated.
    pub fn chance<'a>(
        &self,
        segment: &TranslatedSegment,
        findings: impl IntoIterator<Item = &'a Finding>,
    ) -> Option<f32> {
        let features = features(segment, findings)?;
        let known = features.iter().zip(self.unknown).map(|(x, unknown)| if x.is_nan() { unknown } else { *x });
        let sum = self.constant + self.weights.iter().zip(known).map(|(w, x)| w * x).sum::<f32>();
        Some((1000.0 / (1.0 + (-sum).exp())).round() / 1000.0)
    }
}

/// Whether the confidence of a model's sentences is a chance that was measured, not only a rank within the article.
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub fn is_measured(model: &str) -> bool {
    ConfidenceModel::of(model).is_some()
}

/// Sets the confidence of segments: chances where the model has a file, else nothing, and [`rank`] says which ones to
/// look at first.
pub fn judge(model: &str, segments: &mut [TranslatedSegment], first: usize, findings: &[Finding]) {
    let Some(model) = ConfidenceModel::of(model) else { return rank(segments) };
    for (index, segment) in segments.iter_mut().enumerate() {
        let own = findings.iter().filter(|f| f.segment == Some(first + index));
        segment.confidence = model.chance(segment, own);
    }
}

/// For a model that nothing is known of: a sentence's place among the others, the least sure one at 0.
fn rank(segments: &mut [TranslatedSegment]) {
    let mut order: Vec<(f32, usize)> = segments.iter().enumerate().filter_map(|(i, s)| Some((s.score?, i))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most = order.len().saturating_sub(1).max(1) as f32;
    for (place, (_, index)) in order.into_iter().enumerate() {
        segments[index].confidence = Some((place as f32 / most * 1000.0).round() / 1000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Trace;
    use crate::text::{FindingKind, Severity};

    fn segment(score: Option<f32>, worst: f32) -> TranslatedSegment {
        let trace = (0..8).fold(Trace::default(), |t, i| t.with(if i < 4 { worst } else { -0.1 }, 0.5 - worst / 2.0));
        TranslatedSegment {
            block: Some(0),
            sentence: 0,
            range: 0..1,
            source: "তিনি আজ ঢাকায় এসেছেন".into(),
            text: "He came to Dhaka today".into(),
            score,
            confidence: None,
            source_tokens: 4,
            target_tokens: 8,
            trace,
        }
    }

    #[test]
    fn every_file_is_whole_and_falls_with_doubt() {
        for (id, text) in FILES {
            let model = ConfidenceModel::parse(text, id).unwrap();
            let sure = model.chance(&segment(Some(-0.2), -0.2), []).unwrap();
            let unsure = model.chance(&segment(Some(-1.5), -3.0), []).unwrap();
            assert!(sure > unsure + 0.2, "{id}: {sure} {unsure}");
            let serious = Finding {
                kind: FindingKind::Omission,
                severity: Severity::Serious,
                segment: None,
                message: String::new(),
            };
            assert!(model.chance(&segment(Some(-0.2), -0.2), [&serious]).unwrap() <= sure, "{id}");
            assert_eq!(model.chance(&segment(None, -0.2), []), None);
            for broken in [f32::NAN, f32::NEG_INFINITY, 5.0] {
                let chance = model.chance(&segment(Some(broken), -0.2), []).unwrap();
                assert!((0.0..=1.0).contains(&chance), "{chance}");
            }
            assert!(ConfidenceModel::of(id).is_some());
        }
    }

    #[test]
    fn a_broken_file_says_what_is_wrong() {
        let good = "format = 1\nnotes = ''\nconstant = 1.0\n[weights]\nmean = 2.0\n";
        assert!(ConfidenceModel::parse(good, "x").is_ok());
        for (from, to, part) in [
            ("format = 1", "format = 9", "format 9"),
            ("mean", "meen", "no feature `meen`"),
            ("2.0", "nan", "not a number"),
            ("constant = 1.0\n", "", "constant"),
        ] {
            let error = ConfidenceModel::parse(&good.replace(from, to), "x.toml").unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("x.toml") && error.contains("fit-confidence"), "{error}");
        }
    }

    #[test]
    fn without_a_file_sentences_are_ranked() {
        let mut segments: Vec<_> = [Some(-0.5), None, Some(-2.0), Some(-1.0)].map(|s| segment(s, -1.0)).into();
        judge("nobody knows it", &mut segments, 0, &[]);
        let confidences: Vec<_> = segments.iter().map(|s| s.confidence).collect();
        assert_eq!(confidences, [Some(1.0), None, Some(0.0), Some(0.5)]);
    }
}
