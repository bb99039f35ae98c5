//! How sure a model was of what it wrote, token by token, in a few figures that cost next to nothing.

/// Tokens of a stretch: about two words.
const STRETCH: usize = 4;
/// A token below this log-probability (one in three) is a guess.
const GUESS: f32 = -1.1;
/// Logits so far below the best one add nothing to the entropy that could be seen.
const FAR: f32 = 12.0;

/// The certainty of a hypothesis as it grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Trace {
    tokens: u32,
    guesses: u32,
    lowest: f32,
    /// Least mean of [`STRETCH`] tokens in a row.
    stretch: f32,
    entropy: f32,
    /// The last tokens, for the next stretch.
    last: [f32; STRETCH],
    /// What the search's other hypotheses say, where there are any.
    others: Option<Others>,
}

/// How the best hypothesis stands to the others of the same search.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Others {
    /// By how much its score is better than the next one's.
    pub margin: f32,
    /// Share of its tokens and pairs of tokens that the others, on average, do not have.
    pub dissent: f32,
}

impl Others {
    /// Of the best hypothesis and the others, each a score and tokens.
    pub fn compare(best: (f32, &[u32]), others: &[(f32, &[u32])]) -> Option<Self> {
        let margin = best.0 - others.iter().map(|other| other.0).reduce(f32::max)?;
        let own = grams(best.1);
        let shared = |tokens: &[u32]| {
            let mut left = grams(tokens);
            let found =
                own.iter().filter(|gram| left.iter().position(|g| g == *gram).map(|at| left.swap_remove(at)).is_some());
            found.count() as f32 / own.len().max(1) as f32
        };
        let dissent = 1.0 - others.iter().map(|other| shared(other.1)).sum::<f32>() / others.len() as f32;
        Some(Self { margin, dissent })
    }
}

/// Tokens, and pairs of neighbors.
fn grams(tokens: &[u32]) -> Vec<(u32, u32)> {
    let single = tokens.iter().map(|&token| (token, u32::MAX));
    single.chain(tokens.windows(2).map(|pair| (pair[0], pair[1]))).collect()
}

impl Trace {
    /// The trace with one more token: its log-probability, and the entropy of the choice that it came from.
    pub fn with(mut self, log_prob: f32, entropy: f32) -> Self {
        self.last[self.tokens as usize % STRETCH] = log_prob;
        self.tokens += 1;
        self.guesses += u32::from(log_prob < GUESS);
        self.lowest = self.lowest.min(log_prob);
        // At the beginning a stretch is what there is, diluted: one bad token is no bad stretch.
        self.stretch = self.stretch.min(self.last.iter().sum::<f32>() / STRETCH as f32);
        self.entropy += entropy;
        self
    }

    /// The trace with what the other hypotheses say.
    pub fn beside(self, others: Option<Others>) -> Self {
        Self { others, ..self }
    }

    /// One trace for two parts of a sentence.
    pub fn joined(self, other: Self) -> Self {
        let worse = |a: Others, b: Others| Others { margin: a.margin.min(b.margin), dissent: a.dissent.max(b.dissent) };
        Self {
            others: self.others.zip(other.others).map(|(a, b)| worse(a, b)),
            tokens: self.tokens + other.tokens,
            guesses: self.guesses + other.guesses,
            lowest: self.lowest.min(other.lowest),
            stretch: self.stretch.min(other.stretch),
            entropy: self.entropy + other.entropy,
            last: other.last,
        }
    }

    /// Log-probability of the least probable token.
    pub fn lowest(&self) -> f32 {
        self.lowest
    }

    /// Mean log-probability of the worst stretch.
    pub fn worst_stretch(&self) -> f32 {
        self.stretch
    }

    /// How it stands to the other hypotheses; none where the search had but one.
    pub fn others(&self) -> Option<Others> {
        self.others
    }

    /// Mean entropy of the choices, in nats.
    pub fn mean_entropy(&self) -> f32 {
        self.entropy / self.tokens.max(1) as f32
    }

    /// Share of tokens that were guesses.
    pub fn guesses(&self) -> f32 {
        self.guesses as f32 / self.tokens.max(1) as f32
    }
}

/// Entropy in nats of the distribution that these logits make, given the logarithm of their sum of exponentials. Most
/// columns are far below the best and are passed over sixteen at a time.
pub fn entropy(logits: &[f32], log_sum: f32) -> f32 {
    let least = log_sum - FAR;
    let mut sum = 0.0;
    for chunk in logits.chunks(16) {
        if chunk.iter().fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a }) > least {
            for &logit in chunk.iter().filter(|l| **l > least) {
                let log_prob = logit - log_sum;
                sum -= log_prob.exp() * log_prob;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_stretch_is_found_wherever_it_is() {
        let trace = |tokens: &[f32]| tokens.iter().fold(Trace::default(), |t, &lp| t.with(lp, 0.5));
        let plain = trace(&[-0.1; 12]);
        assert!((plain.worst_stretch() + 0.1).abs() < 1e-6 && (plain.mean_entropy() - 0.5).abs() < 1e-6);
        let mut tokens = [-0.1; 12];
        tokens[5..9].fill(-2.0);
        let bad = trace(&tokens);
        assert!((bad.worst_stretch() + 2.0).abs() < 1e-6);
        assert_eq!((bad.lowest(), bad.guesses()), (-2.0, 4.0 / 12.0));
        // the same tokens apart are no bad stretch
        let mut apart = [-0.1; 12];
        [0, 4, 8, 11].into_iter().for_each(|i| apart[i] = -2.0);
        assert!(trace(&apart).worst_stretch() > -1.2);
        let joined = plain.joined(bad);
        assert!((joined.worst_stretch() + 2.0).abs() < 1e-6 && (joined.guesses() - 4.0 / 24.0).abs() < 1e-6);
        assert_eq!((Trace::default().mean_entropy(), Trace::default().guesses()), (0.0, 0.0));
    }

    #[test]
    fn other_hypotheses_dissent_by_what_they_lack() {
        assert_eq!(Others::compare((-1.0, &[1, 2]), &[]), None);
        let same = Others::compare((-1.0, &[1, 2, 3]), &[(-1.5, &[1, 2, 3])]).unwrap();
        assert_eq!((same.margin, same.dissent), (0.5, 0.0));
        // of 1 2 3 12 23, the one has 1 3, the other all
        let half = Others::compare((-1.0, &[1, 2, 3]), &[(-1.5, &[1, 9, 3]), (-1.25, &[1, 2, 3, 4])]).unwrap();
        assert!(half.margin == 0.25 && (half.dissent - 0.3).abs() < 1e-6, "{half:?}");
        // a repeated token counts as often as it is there
        assert!(Others::compare((0.0, &[5, 5]), &[(0.0, &[5])]).unwrap().dissent > 0.6);
        let trace = |others| Trace::default().with(-0.1, 0.5).beside(Some(others));
        assert_eq!(trace(same).joined(trace(half)).others(), Some(Others { margin: 0.25, ..half }));
        assert_eq!(trace(same).joined(Trace::default()).others(), None);
    }

    #[test]
    fn entropy_is_that_of_the_distribution() {
        let uniform = vec![3.0f32; 1000];
        let log_sum = 3.0 + 1000f32.ln();
        assert!((entropy(&uniform, log_sum) - 1000f32.ln()).abs() < 1e-3);
        let mut sure = vec![-20.0f32; 1000];
        sure[517] = 20.0;
        assert!(entropy(&sure, 20.0) < 1e-6);
        let two = [1.0f32, 1.0];
        assert!((entropy(&two, 1.0 + 2f32.ln()) - 2f32.ln()).abs() < 1e-6);
    }
}
