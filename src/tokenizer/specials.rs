//! Finding special tokens in text before anything else looks at it.
use super::Stretch;
use std::ops::Range;

/// Pieces that end a turn or a text, whatever the file says of them; llama.cpp finds them by their spelling, too.
pub(super) const END_TOKENS: [&str; 21] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<end_of_turn>",
    "<turn|>",
    "<|endoftext|>",
    "<|eos|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
    "<｜hy_place▁holder▁no▁2｜>",
];

/// A stretch of a prompt in which special tokens have been found: one of them, or text to be tokenised as one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    Text(String),
    Token(u32),
}

/// A stretch of text that is either one special token or text between such tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment {
    Text(Range<usize>),
    Token(u32),
}

/// Tokens that are recognized by their spelling, longest first.
#[derive(Default)]
pub(super) struct Specials {
    tokens: Vec<(Box<str>, u32)>,
}

impl Specials {
    /// Empty spellings are ignored; they would match everywhere.
    pub(super) fn new(tokens: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut tokens: Vec<(Box<str>, u32)> =
            tokens.into_iter().filter(|(text, _)| !text.is_empty()).map(|(text, id)| (text.into(), id)).collect();
        tokens.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { tokens }
    }

    /// The token of exactly this spelling.
    pub(super) fn id(&self, spelling: &str) -> Option<u32> {
        self.tokens.iter().find(|(text, _)| &**text == spelling).map(|(_, id)| *id)
    }

    /// Splits `text` at the tokens: the longest spelling first, each from left to right, as llama.cpp does.
    pub(super) fn split(&self, text: &str) -> Vec<Fragment> {
        self.split_where(text, |_| true)
    }

    /// Splits a prompt at those tokens that are `wanted`, in its trusted stretches only. What is left between them is
    /// one text, so that pieces may reach across the border of a text from outside as they do in training.
    pub(super) fn runs(&self, stretches: &[Stretch<'_>], wanted: impl Fn(u32) -> bool) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut open = String::new();
        for stretch in stretches {
            let text = match stretch {
                Stretch::Text(text) => {
                    open.push_str(text);
                    continue;
                }
                Stretch::Trusted(text) => text,
            };
            for fragment in self.split_where(text, &wanted) {
                match fragment {
                    Fragment::Text(range) => open.push_str(&text[range]),
                    Fragment::Token(id) => {
                        if !open.is_empty() {
                            runs.push(Run::Text(std::mem::take(&mut open)));
                        }
                        runs.push(Run::Token(id));
                    }
                }
            }
        }
        if !open.is_empty() {
            runs.push(Run::Text(open));
        }
        runs
    }

    fn split_where(&self, text: &str, wanted: impl Fn(u32) -> bool) -> Vec<Fragment> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut present = [false; 256];
        for byte in text.bytes() {
            present[byte as usize] = true;
        }
        let mut fragments = vec![Fragment::Text(0..text.len())];
        for (spelling, id) in &self.tokens {
            if wanted(*id) && spelling.bytes().all(|byte| present[byte as usize]) && text.contains(&**spelling) {
                fragments = split_at(text, fragments, spelling, *id);
            }
        }
        fragments
    }
}

fn split_at(text: &str, fragments: Vec<Fragment>, spelling: &str, id: u32) -> Vec<Fragment> {
    let mut out = Vec::with_capacity(fragments.len() + 2);
    for fragment in fragments {
        let Fragment::Text(range) = fragment else {
            out.push(fragment);
            continue;
        };
        let mut from = range.start;
        while let Some(found) = text[from..range.end].find(spelling) {
            if found > 0 {
                out.push(Fragment::Text(from..from + found));
            }
            out.push(Fragment::Token(id));
            from += found + spelling.len();
        }
        if from < range.end {
            out.push(Fragment::Text(from..range.end));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_spelling_wins_and_nothing_is_lost() {
        let specials = Specials::new([("\n".into(), 1), ("\n\n".into(), 2), ("<b>".into(), 3), (String::new(), 4)]);
        use Fragment::*;
        assert_eq!(specials.split("a\n\n\nb<b>"), [Text(0..1), Token(2), Token(1), Text(4..5), Token(3)]);
        assert_eq!(specials.split("খবর"), [Text(0..9)]);
        assert!(specials.split("").is_empty());
    }

    #[test]
    fn tokens_are_found_in_trusted_stretches_only_and_text_is_joined_across_the_border() {
        let specials = Specials::new([("<b>".into(), 3), ("<c>".into(), 4)]);
        let stretches = [Stretch::Trusted("<b>x <c>y "), Stretch::Text("z<b>"), Stretch::Trusted(" w<b>")];
        let text = |text: &str| Run::Text(text.into());
        let wanted = [Run::Token(3), text("x "), Run::Token(4), text("y z<b> w"), Run::Token(3)];
        assert_eq!(specials.runs(&stretches, |_| true), wanted);
        assert_eq!(specials.runs(&stretches[..1], |id| id != 3), [text("<b>x "), Run::Token(4), text("y ")]);
    }
}
