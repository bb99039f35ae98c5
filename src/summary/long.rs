//! Texts longer than the model: summarize the parts, then the summaries. Every part is read, and every part has
//! its share of the last summary's input, so that the end of the article counts like its beginning.
use super::english::split_to_fit;
use super::generator::{Generated, Request, TextGenerator};
use super::tidy;
use crate::error::ModelError;
use crate::{Error, Result};

/// Rounds of summarizing summaries; each at least halves the text, so that this is a thousand parts and more.
const MOST_ROUNDS: usize = 10;
/// Tokens that a part's summary may have at least, or it says nothing.
const LEAST_SHARE: usize = 40;

/// A text written about all of the blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub last: Generated,
    /// Into how many parts the blocks were split (1: the model read everything at once).
    pub parts: usize,
    /// Parts of which only the beginning stands in the summary's input, as the model said nothing usable of them.
    pub unread: usize,
}

/// Has `generator` write what `request` asks for about `blocks` (whose text takes the place of `request.text`).
///
/// `supported` says whether the article bears a sentence out; those of the parts' summaries that it does not bear out
/// go no further.
pub fn write(
    generator: &dyn TextGenerator,
    blocks: &[String],
    request: &Request,
    supported: &dyn Fn(&str) -> bool,
) -> Result<Written> {
    let mut parts = split(generator, blocks)?;
    let read_in = parts.len();
    let mut unread = 0;
    for _ in 0..MOST_ROUNDS {
        if parts.len() <= 1 {
            let text = parts.pop().unwrap_or_default();
            let mut answers = generator.generate(&[Request { text, ..request.clone() }])?;
            let last = answers.pop().ok_or_else(|| {
                Error::Model(ModelError::Incapable("the summary model gave no answer; try another".into()))
            })?;
            return Ok(Written { last, parts: read_in, unread });
        }
        let (shorter, mute) = summarize_parts(generator, &parts, request, supported)?;
        unread += mute;
        parts = split(generator, &shorter)?;
    }
    Err(Error::Model(ModelError::Incapable(format!(
        "the summary model does not shorten the article's {read_in} parts; use another model, or let sentences of the article be the summary"
    ))))
}

/// One short summary for each part, in order, and the number of parts that had to be shortened by cutting.
fn summarize_parts(
    generator: &dyn TextGenerator,
    parts: &[String],
    request: &Request,
    supported: &dyn Fn(&str) -> bool,
) -> Result<(Vec<String>, usize)> {
    let share = (generator.limit() / parts.len()).max(LEAST_SHARE).min(generator.limit() / 2).max(1);
    let ask = |text: &String| Request {
        text: text.clone(),
        style: super::Style::Brief,
        sentences: if share >= 3 * LEAST_SHARE { 2 } else { 1 },
        max_new_tokens: share,
        ..request.clone()
    };
    let answers = generator.generate(&parts.iter().map(ask).collect::<Vec<_>>())?;
    let (mut summaries, mut cut) = (Vec::with_capacity(parts.len()), 0);
    for (part, answer) in parts.iter().zip(&answers) {
        let kept: Vec<String> = tidy::summary_sentences(answer).into_iter().filter(|s| supported(s)).collect();
        // where the model said nothing usable, the part speaks for itself
        let text = if kept.is_empty() { part.clone() } else { kept.join(" ") };
        let short = |t: &str| generator.count_tokens(t).is_ok_and(|n| n <= share);
        let mut pieces = split_to_fit(&text, &short).into_iter();
        summaries.extend(pieces.next());
        cut += usize::from(pieces.next().is_some());
    }
    Ok((summaries, cut))
}

/// The blocks packed into as few parts as the model's limit allows, of about the same size, split at block borders;
/// a block that does not fit by itself is split between sentences.
fn split(generator: &dyn TextGenerator, blocks: &[String]) -> Result<Vec<String>> {
    let limit = generator.limit();
    let fits = |text: &str| generator.count_tokens(text).is_ok_and(|n| n <= limit);
    let mut pieces: Vec<(String, usize)> = Vec::new();
    for block in blocks.iter().filter(|b| !b.trim().is_empty()) {
        let tokens = generator.count_tokens(block)?;
        if tokens <= limit {
            pieces.push((block.clone(), tokens));
        } else {
            for piece in split_to_fit(block, &fits) {
                let tokens = generator.count_tokens(&piece)?;
                pieces.push((piece, tokens));
            }
        }
    }
    let total: usize = pieces.iter().map(|(_, tokens)| tokens + 1).sum();
    let even = total.div_ceil(total.div_ceil(limit.max(1)).max(1));
    let mut parts: Vec<(String, usize)> = Vec::new();
    for (text, tokens) in pieces {
        match parts.last_mut() {
            Some((part, size))
                if *size + tokens < limit && *size + tokens / 2 < even && fits(&format!("{part}\n{text}")) =>
            {
                part.push('\n');
                part.push_str(&text);
                *size += tokens + 1;
            }
            _ => parts.push((text, tokens)),
        }
    }
    Ok(parts.into_iter().map(|(text, _)| text).collect())
}

#[cfg(test)]
mod tests {
    use super::super::options::{Language, Style};
    use super::*;
    use std::sync::Mutex;

    /// Counts words as tokens; answers with the first sentence of every line that it was given, and remembers.
    struct FirstSentences {
        limit: usize,
        asked: Mutex<Vec<String>>,
    }

    impl TextGenerator for FirstSentences {
        fn generate(&self, requests: &[Request]) -> Result<Vec<Generated>> {
            let answer = |request: &Request| {
                assert!(self.count_tokens(&request.text)? <= self.limit, "over the limit: {}", request.text);
                self.asked.lock().unwrap().push(request.text.clone());
                let first = |line: &str| line.split_inclusive('.').next().unwrap_or("").trim().to_string();
                let lines: Vec<String> = request.text.lines().map(first).collect();
                Ok(Generated { text: lines.join(" "), finished: true })
            };
            requests.iter().map(answer).collect()
        }

        fn count_tokens(&self, text: &str) -> Result<usize> {
            Ok(text.split_whitespace().count())
        }

        fn limit(&self) -> usize {
            self.limit
        }
    }

    fn request() -> Request {
        Request {
            text: String::new(),
            style: Style::Brief,
            language: Language::English,
            sentences: 3,
            max_new_tokens: 100,
            attempt: 0,
        }
    }

    /// A block whose first sentence has a number of its own.
    fn block(i: usize, sentences: usize) -> String {
        (0..sentences)
            .map(|s| format!("Block {i} sentence {s} says something of its own here."))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn what_fits_is_read_at_once() {
        let model = FirstSentences { limit: 200, asked: Mutex::default() };
        let written = write(&model, &[block(1, 3), block(2, 3)], &request(), &|_| true).unwrap();
        assert_eq!((written.parts, model.asked.lock().unwrap().len()), (1, 1));
    }

    #[test]
    fn every_part_is_read_and_the_last_one_has_its_say() {
        let model = FirstSentences { limit: 120, asked: Mutex::default() };
        let blocks: Vec<String> = (0..30).map(|i| block(i, 3)).collect();
        let written = write(&model, &blocks, &request(), &|_| true).unwrap();
        assert!(written.parts > 5, "{}", written.parts);
        let asked = model.asked.lock().unwrap();
        for i in 0..30 {
            assert!(asked.iter().any(|text| text.contains(&format!("Block {i} "))), "block {i} was not read");
        }
        let last_part_speaks = (25..30).any(|i| asked.last().unwrap().contains(&format!("Block {i} ")));
        assert!(last_part_speaks, "the end is missing from: {}", asked.last().unwrap());
    }

    #[test]
    fn one_endless_block_is_split_between_sentences() {
        let model = FirstSentences { limit: 100, asked: Mutex::default() };
        let written = write(&model, &[block(7, 100)], &request(), &|_| true).unwrap();
        assert!(written.parts >= 9);
        let asked = model.asked.lock().unwrap();
        assert!((0..100).all(|s| asked.iter().any(|t| t.contains(&format!("sentence {s} says")))));
    }

    #[test]
    fn unsupported_sentences_of_a_part_go_no_further() {
        let model = FirstSentences { limit: 60, asked: Mutex::default() };
        let blocks: Vec<String> = (0..8).map(|i| block(i, 5)).collect();
        write(&model, &blocks, &request(), &|s| !s.contains("Block 3")).unwrap();
        assert!(model.asked.lock().unwrap().last().unwrap().contains("Block"));
    }

    #[test]
    fn a_text_without_spaces_or_stops_is_still_read() {
        let model = FirstSentences { limit: 50, asked: Mutex::default() };
        let endless = "word ".repeat(5000);
        assert!(write(&model, &[endless], &request(), &|_| true).is_ok());
        assert!(write(&model, &[], &request(), &|_| true).is_ok());
    }
}
