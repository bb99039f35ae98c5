//! Minimum Bayes risk (Kumar and Byrne, 2004): of several samples the one that is most like all of them.
//!
//! A sample stands for the translations that the model thinks probable. The one that would score best on average, were
//! each of the others the reference, is where they agree; the single most probable one may stand alone.
/// The index of the text that is most like all texts on average, the first among equals: `pairwise` gives, for each
/// text, its likeness to every one. A text counts as often as it occurs. Texts that broke off have no say and are not chosen while there is a whole one.
pub fn consensus(texts: &[(&str, bool)], pairwise: impl FnOnce(&[&str]) -> Vec<Vec<f64>>) -> Option<usize> {
    let any_whole = texts.iter().any(|&(_, broken)| !broken);
    let eligible: Vec<usize> = (0..texts.len()).filter(|&i| !(any_whole && texts[i].1)).collect();
    let candidates: Vec<&str> = eligible.iter().map(|&i| texts[i].0).collect();
    let scores = pairwise(&candidates);
    let utility = |row: &[f64]| row.iter().sum::<f64>();
    let mut best: Option<(usize, f64)> = None;
    for (&index, row) in eligible.iter().zip(&scores) {
        let utility = utility(row);
        if best.is_none_or(|(_, other)| utility > other) {
            best = Some((index, utility));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use crate::metrics::Chrf;
    use proptest::prelude::*;

    fn consensus(texts: &[(&str, bool)]) -> Option<usize> {
        super::consensus(texts, |all| Chrf::default().pairwise(all))
    }

    #[test]
    fn the_text_that_the_others_agree_with_wins() {
        let texts = [
            ("Quite another thing was said.", false),
            ("Five people died in Dhaka today.", false),
            ("Five people died in Dhaka on Monday.", false),
            ("Six people died in Dhaka on Monday.", false),
        ];
        assert_eq!(consensus(&texts), Some(2));
        assert_eq!(consensus(&[]), None);
        assert_eq!(consensus(&[("", false), ("", false)]), Some(0));
    }

    #[test]
    fn what_broke_off_wins_only_among_its_like() {
        let looping = "He said he said he said he said";
        let texts = [(looping, true), (looping, true), (looping, true), ("He said so.", false)];
        assert_eq!(consensus(&texts), Some(3));
        assert_eq!(consensus(&texts[..3]), Some(0));
    }

    proptest! {
        /// The choice is the one that the plain measure makes, one pair at a time.
        #[test]
        fn utility_is_the_measure_itself(texts in prop::collection::vec("[abc ]{1,10}", 1..8)) {
            let chrf = Chrf::default();
            let utility = |i: usize| texts.iter().map(|r| chrf.sentence(&texts[i], r)).sum::<f64>();
            let pairs: Vec<(&str, bool)> = texts.iter().map(|t| (t.as_str(), false)).collect();
            let chosen = consensus(&pairs).unwrap();
            prop_assert!((0..texts.len()).all(|i| utility(i) <= utility(chosen)));
        }
    }
}
