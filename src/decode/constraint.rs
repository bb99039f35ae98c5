//! What must not, or must, be generated next. Each constraint is one of transformers' logits processors; they are
//! applied in its order: to log-probabilities in beam search, to logits in greedy search and sampling.
use super::{DecodeOptions, columns::Columns, guide::GuideHandle};
use crate::error::SettingsError;
use crate::{Error, Result};

/// What a constraint may look at.
pub(crate) struct Context<'a> {
    /// Prompt (or decoder start) and generated tokens.
    pub history: &'a [u32],
    /// How many of them are the prompt.
    pub prompt: usize,
    /// Most tokens of prompt and output together.
    pub max_length: usize,
    pub columns: &'a Columns,
}

/// Changes the scores of some tokens, given what was generated so far.
trait Constraint: Send + Sync {
    /// False when [`apply`](Self::apply) would change nothing, which saves a copy of the scores.
    fn applies(&self, context: &Context) -> bool;
    /// Changes `scores`, one a column.
    fn apply(&self, context: &Context, scores: &mut [f32]);
}

/// All constraints that a set of options asks for, in order.
pub(crate) struct Constraints(Vec<Box<dyn Constraint>>);

impl Constraints {
    pub fn new(options: &DecodeOptions, eos: &[u32], columns: &Columns) -> Result<Self> {
        let mut all: Vec<Box<dyn Constraint>> = Vec::new();
        let ignore_prompt = options.ignore_prompt;
        if options.repetition_penalty != 1.0 {
            all.push(Box::new(RepetitionPenalty { penalty: options.repetition_penalty, ignore_prompt }));
        }
        if options.no_repeat_ngram > 0 {
            all.push(Box::new(NoRepeatNgram { n: options.no_repeat_ngram, ignore_prompt }));
        }
        // The end token alone cannot be forbidden: the sentence would never end.
        let words = options.bad_words.iter().filter(|w| !w.is_empty() && !eos.iter().any(|e| **w == [*e]));
        let words: Vec<Vec<u32>> = words.cloned().collect();
        if !words.is_empty() {
            all.push(Box::new(BadWords(words)));
        }
        if options.min_new_tokens > 0 {
            all.push(Box::new(MinNewTokens { least: options.min_new_tokens, eos: eos.to_vec() }));
        }
        if let Some(id) = options.forced_eos {
            let column = columns.column(id).ok_or_else(|| {
                Error::Settings(SettingsError::Conflict(format!(
                    "the forced end token {id} is not in the output vocabulary; leave it unset"
                )))
            })?;
            all.push(Box::new(ForcedEos { column }));
        }
        if let Some(guide) = &options.guide {
            all.push(Box::new(Guided(guide.clone())));
        }
        Ok(Self(all))
    }

    /// `scores` as they are, or changed in `scratch` when a constraint has something to say.
    pub fn apply<'a>(&self, context: &Context, scores: &'a [f32], scratch: &'a mut Vec<f32>) -> &'a [f32] {
        if !self.0.iter().any(|c| c.applies(context)) {
            return scores;
        }
        scratch.clear();
        scratch.extend_from_slice(scores);
        self.apply_in_place(context, scratch);
        scratch
    }

    /// True when [`apply_in_place`](Self::apply_in_place) may change something.
    pub fn applies(&self, context: &Context) -> bool {
        self.0.iter().any(|c| c.applies(context))
    }

    pub fn apply_in_place(&self, context: &Context, scores: &mut [f32]) {
        for constraint in self.0.iter().filter(|c| c.applies(context)) {
            constraint.apply(context, scores);
        }
    }
}

impl Context<'_> {
    fn generated(&self) -> usize {
        self.history.len() - self.prompt
    }

    fn considered(&self, ignore_prompt: bool) -> &[u32] {
        if ignore_prompt { &self.history[self.prompt..] } else { self.history }
    }
}

/// Divides positive scores of tokens already there by the penalty and multiplies negative ones by it.
struct RepetitionPenalty {
    penalty: f32,
    ignore_prompt: bool,
}

impl Constraint for RepetitionPenalty {
    fn applies(&self, context: &Context) -> bool {
        !context.considered(self.ignore_prompt).is_empty()
    }

    fn apply(&self, context: &Context, scores: &mut [f32]) {
        let mut ids = context.considered(self.ignore_prompt).to_vec();
        ids.sort_unstable();
        ids.dedup(); // once each, however often it is there
        for column in ids.into_iter().filter_map(|id| context.columns.column(id)) {
            let score = &mut scores[column];
            *score = if *score < 0.0 { *score * self.penalty } else { *score / self.penalty };
        }
    }
}

/// Forbids every token that would complete an n-gram that is already there.
struct NoRepeatNgram {
    n: usize,
    ignore_prompt: bool,
}

impl Constraint for NoRepeatNgram {
    fn applies(&self, context: &Context) -> bool {
        context.considered(self.ignore_prompt).len() >= self.n
    }

    fn apply(&self, context: &Context, scores: &mut [f32]) {
        let tokens = context.considered(self.ignore_prompt);
        let prefix = &tokens[tokens.len() + 1 - self.n..];
        for window in tokens.windows(self.n) {
            let (last, start) = (window[self.n - 1], &window[..self.n - 1]);
            if start == prefix {
                forbid(context, last, scores);
            }
        }
    }
}

/// Forbids the last token of each sequence whose other tokens have just been generated.
struct BadWords(Vec<Vec<u32>>);

impl Constraint for BadWords {
    fn applies(&self, context: &Context) -> bool {
        self.0.iter().any(|word| context.history.ends_with(&word[..word.len() - 1]))
    }

    fn apply(&self, context: &Context, scores: &mut [f32]) {
        for word in &self.0 {
            if let Some((&last, start)) = word.split_last()
                && context.history.ends_with(start)
            {
                forbid(context, last, scores);
            }
        }
    }
}

/// Forbids the end tokens until enough has been generated.
struct MinNewTokens {
    least: usize,
    eos: Vec<u32>,
}

impl Constraint for MinNewTokens {
    fn applies(&self, context: &Context) -> bool {
        context.generated() < self.least
    }

    fn apply(&self, context: &Context, scores: &mut [f32]) {
        for &id in &self.eos {
            forbid(context, id, scores);
        }
    }
}

/// Allows nothing but one token at the last place.
struct ForcedEos {
    column: usize,
}

impl Constraint for ForcedEos {
    fn applies(&self, context: &Context) -> bool {
        context.history.len() + 1 == context.max_length
    }

    fn apply(&self, _: &Context, scores: &mut [f32]) {
        scores.fill(f32::NEG_INFINITY);
        scores[self.column] = 0.0;
    }
}

/// Forbids whatever the guide does not allow.
struct Guided(GuideHandle);

impl Constraint for Guided {
    fn applies(&self, _: &Context) -> bool {
        true
    }

    fn apply(&self, context: &Context, scores: &mut [f32]) {
        let mut allowed = Vec::new();
        self.0.0.allowed(&context.history[context.prompt..], &mut allowed);
        let kept: Vec<(usize, f32)> =
            allowed.into_iter().filter_map(|id| context.columns.column(id)).map(|c| (c, scores[c])).collect();
        scores.fill(f32::NEG_INFINITY);
        for (column, score) in kept {
            scores[column] = score;
        }
    }
}

fn forbid(context: &Context, id: u32, scores: &mut [f32]) {
    if let Some(column) = context.columns.column(id) {
        scores[column] = f32::NEG_INFINITY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(options: &DecodeOptions, history: &[u32], prompt: usize, scores: &[f32]) -> Vec<f32> {
        let columns = Columns::new(None, scores.len());
        let constraints = Constraints::new(options, &[0], &columns).unwrap();
        let context = Context { history, prompt, max_length: 10, columns: &columns };
        constraints.apply(&context, scores, &mut Vec::new()).to_vec()
    }

    const BAN: f32 = f32::NEG_INFINITY;

    #[test]
    fn the_penalty_counts_each_token_once_and_knows_the_sign() {
        let options = DecodeOptions { repetition_penalty: 2.0, ..Default::default() };
        assert_eq!(apply(&options, &[1, 1, 2], 1, &[1.0, 1.0, -1.0, 1.0]), [1.0, 0.5, -2.0, 1.0]);
        let options = DecodeOptions { ignore_prompt: true, ..options };
        assert_eq!(apply(&options, &[1, 2], 1, &[1.0, 1.0, -1.0, 1.0]), [1.0, 1.0, -2.0, 1.0]);
    }

    #[test]
    fn an_ngram_is_not_completed_twice() {
        let options = DecodeOptions { no_repeat_ngram: 2, ..Default::default() };
        assert_eq!(apply(&options, &[1, 2, 3, 1], 0, &[0.0; 4]), [0.0, 0.0, BAN, 0.0]);
        assert_eq!(apply(&options, &[3, 3], 0, &[0.0; 4]), [0.0, 0.0, 0.0, BAN]);
        let options = DecodeOptions { no_repeat_ngram: 1, ..Default::default() };
        assert_eq!(apply(&options, &[1, 2], 0, &[0.0; 4]), [0.0, BAN, BAN, 0.0]);
        let options = DecodeOptions { ignore_prompt: true, ..options };
        assert_eq!(apply(&options, &[1, 2], 1, &[0.0; 4]), [0.0, 0.0, BAN, 0.0]);
    }

    #[test]
    fn bad_words_are_stopped_at_their_last_token() {
        let options = DecodeOptions { bad_words: vec![vec![3], vec![1, 2], vec![0]], ..Default::default() };
        assert_eq!(apply(&options, &[1], 0, &[0.0; 4]), [0.0, 0.0, BAN, BAN]);
        assert_eq!(apply(&options, &[2], 0, &[0.0; 4]), [0.0, 0.0, 0.0, BAN], "and the end token stays");
    }

    #[test]
    fn the_end_waits_for_the_minimum_and_is_forced_at_the_maximum() {
        let options = DecodeOptions { min_new_tokens: 2, forced_eos: Some(0), ..Default::default() };
        assert_eq!(apply(&options, &[1, 1], 1, &[1.0; 3]), [BAN, 1.0, 1.0]);
        assert_eq!(apply(&options, &[1, 1, 1], 1, &[1.0; 3]), [1.0; 3]);
        assert_eq!(apply(&options, &[1; 9], 1, &[1.0; 3]), [0.0, BAN, BAN]);
    }

    #[test]
    fn a_guide_leaves_what_it_allows() {
        struct After;
        impl crate::decode::Guide for After {
            fn allowed(&self, generated: &[u32], allowed: &mut Vec<u32>) {
                allowed.extend(generated.last().map(|t| t + 1));
            }
        }
        let guide = Some(GuideHandle(std::sync::Arc::new(After)));
        let options = DecodeOptions { guide, ..Default::default() };
        assert_eq!(apply(&options, &[3, 1], 1, &[0.5; 4]), [BAN, BAN, 0.5, BAN]);
        assert_eq!(apply(&options, &[3], 1, &[0.5; 4]), [BAN; 4]);
    }

    #[test]
    fn restricted_columns_are_found_by_token() {
        let columns = Columns::new(Some(&[4, 7, 9]), 12);
        let constraints =
            Constraints::new(&DecodeOptions { no_repeat_ngram: 1, ..Default::default() }, &[4], &columns).unwrap();
        let context = Context { history: &[9, 5], prompt: 0, max_length: 10, columns: &columns };
        assert_eq!(constraints.apply(&context, &[0.0; 3], &mut Vec::new()), [0.0, 0.0, BAN]);
        assert!(
            Constraints::new(&DecodeOptions { forced_eos: Some(5), ..Default::default() }, &[4], &columns).is_err()
        );
    }
}
