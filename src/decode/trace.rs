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

    /// One trace for two parts of a sentence.
    pub fn joined(self, other: Self) -> Self {
        Self {
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
