//! What options may ask for. They come from files beside a model, too, and a search as wide as a number can be takes all
//! memory before it finds anything.
use super::DecodeOptions;

/// Widest search, in hypotheses.
const MAX_BEAMS: usize = 64;
/// Most samples of a sentence.
const MAX_ALTERNATIVES: usize = 1024;
/// Most tokens generated, and the longest run that may not be repeated.
const MAX_TOKENS: usize = 1 << 20;
/// Most tokens of all sequences that must not be generated.
const MAX_BAD_WORDS: usize = 1 << 20;

impl DecodeOptions {
    /// The first option that is out of range, as a sentence that names it and the range.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, least: usize, most: usize| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(format!("{name} is {value}, not from {least} to {most}")),
        };
        within("the number of beams", self.beams, 1, MAX_BEAMS)?;
        within("the number of alternatives", self.alternatives, 0, MAX_ALTERNATIVES)?;
        within("no_repeat_ngram", self.no_repeat_ngram, 0, MAX_TOKENS)?;
        within("min_new_tokens", self.min_new_tokens, 0, MAX_TOKENS)?;
        within("max_new_tokens", self.max_new_tokens.unwrap_or(1), 1, MAX_TOKENS)?;
        within("the number of tokens in bad_words", self.bad_words.iter().map(Vec::len).sum(), 0, MAX_BAD_WORDS)?;
        if !(-100.0..=100.0).contains(&self.length_penalty) {
            return Err(format!("length_penalty is {}, not from -100 to 100", self.length_penalty));
        }
        if !(0.01..=100.0).contains(&self.repetition_penalty) {
            return Err(format!("repetition_penalty is {}, not from 0.01 to 100", self.repetition_penalty));
        }
        if let Some(sampling) = &self.sampling
            && !(0.0..=100.0).contains(&sampling.temperature)
        {
            return Err(format!("temperature is {}, not from 0 to 100", sampling.temperature));
        }
        Ok(())
    }
}
