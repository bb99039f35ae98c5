//! Loops: the model says the same thing again and again.
use crate::text::{Finding, FindingKind, Severity};
use std::collections::HashMap;

/// Longest phrase that is looked for.
const LONGEST: usize = 12;

/// What a loop repeats and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    pub phrase: String,
    pub times: usize,
}

/// Finds a loop in the output that the source doesn't have too.
pub fn check_loops(source: &str, output: &str) -> Option<Finding> {
    let Some(found) = find_loop(output) else { return doubled(source, output) };
    // "না না না" is "no, no, no"
    if find_loop(source).is_some_and(|own| own.times >= found.times) {
        return None;
    }
    let message = format!("\"{}\" is repeated {} times", shorten(&found.phrase), found.times);
    Some(Finding { kind: FindingKind::Loop, severity: Severity::Serious, segment: None, message })
}

/// A phrase of four words or more that is said twice in one sentence, makes up much of it or holds a number, and has
/// nothing in the source that is said twice.
fn doubled(source: &str, output: &str) -> Option<Finding> {
    let words: Vec<String> =
        output.split_whitespace().map(|w| bare(w).to_lowercase()).filter(|w| !w.is_empty()).collect();
    let own: Vec<&str> = source.split_whitespace().map(bare).filter(|w| !w.is_empty()).collect();
    let again = |pair: &[&str]| own.windows(2).filter(|other| *other == pair).count() > 1;
    if words.len() > 60 || own.windows(2).any(again) {
        return None;
    }
    let phrase = (4..=words.len() / 2).rev().find_map(|n| {
        let at =
            (0..words.len() - n).find(|&at| words[at + n..].windows(n).any(|other| *other == words[at..at + n]))?;
        Some(&words[at..at + n])
    })?;
    let number = phrase.iter().any(|word| word.chars().any(|c| c.is_ascii_digit()));
    let much = phrase.len() * 2 * 5 >= words.len() * 2;
    let message = format!("\"{}\" is said twice", shorten(&phrase.join(" ")));
    (number || much).then_some(Finding { kind: FindingKind::Loop, severity: Severity::Serious, segment: None, message })
}

/// The worst loop of a text: a letter or a few repeated within a word, a phrase repeated on the spot, or a phrase or
/// sentence that keeps coming back.
pub fn find_loop(text: &str) -> Option<Loop> {
    let words: Vec<String> =
        text.split_whitespace().map(|w| bare(w).to_lowercase()).filter(|w| !w.is_empty()).collect();
    stutter(&words).or_else(|| on_the_spot(&words)).or_else(|| recurring(&words)).or_else(|| repeated_sentence(text))
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// "hahahahahaha", "aaaaaaaa": within one word, one to four letters repeated six times or more.
fn stutter(words: &[String]) -> Option<Loop> {
    words.iter().find_map(|word| {
        let letters: Vec<char> = word.chars().collect();
        (1..=4usize).find_map(|n| {
            let mut run = 1;
            let mut start = 0;
            while start + 2 * n <= letters.len() {
                if letters[start..start + n] == letters[start + n..start + 2 * n] {
                    run += 1;
                    start += n;
                    if run >= 6 && letters[start..start + n].iter().any(|c| c.is_alphabetic()) {
                        return Some(Loop { phrase: letters[start..start + n].iter().collect(), times: run });
                    }
                } else {
                    start += 1;
                    run = 1;
                }
            }
            None
        })
    })
}

/// A phrase said several times in a row: a word four times, two words three times, three and more twice.
fn on_the_spot(words: &[String]) -> Option<Loop> {
    let mut worst: Option<Loop> = None;
    for n in 1..=LONGEST.min(words.len() / 2) {
        let needed = match n {
            1 => 4,
            2 => 3,
            _ => 2,
        };
        let mut start = 0;
        while start + 2 * n <= words.len() {
            let phrase = &words[start..start + n];
            let times = 1 + words[start + n..].chunks_exact(n).take_while(|next| *next == phrase).count();
            let of_one_word = n > 1 && phrase.iter().all(|w| *w == phrase[0]);
            if times >= needed
                && !of_one_word
                && worst.as_ref().is_none_or(|w| times * n > w.times * w.phrase.split(' ').count())
            {
                worst = Some(Loop { phrase: phrase.join(" "), times });
            }
            start += if times > 1 { (times - 1) * n } else { 1 };
        }
    }
    worst
}

/// Four words that come three times, or so many words that a third of the text is the same phrase.
fn recurring(words: &[String]) -> Option<Loop> {
    const N: usize = 4;
    if words.len() < 3 * N {
        return None;
    }
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for phrase in words.windows(N) {
        *counts.entry(phrase).or_default() += 1;
    }
    let (phrase, times) = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))?;
    (times >= 3 && times * N * 4 >= words.len()).then(|| Loop { phrase: phrase.join(" "), times })
}

/// The same sentence of five words or more twice.
fn repeated_sentence(text: &str) -> Option<Loop> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for sentence in text.split(['.', '!', '?', '।']) {
        let words: Vec<String> =
            sentence.split_whitespace().map(|w| bare(w).to_lowercase()).filter(|w| !w.is_empty()).collect();
        if words.len() >= 5 {
            *seen.entry(words.join(" ")).or_default() += 1;
        }
    }
    seen.into_iter()
        .filter(|(_, times)| *times >= 2)
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
        .map(|(phrase, times)| Loop { phrase, times })
}

/// At most eight words, for a message.
fn shorten(phrase: &str) -> String {
    let words: Vec<&str> = phrase.split(' ').collect();
    if words.len() <= 8 { phrase.into() } else { format!("{} …", words[..8].join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_loops_are_found() {
        for (text, phrase) in [
            ("He said said said said that", "said"),
            ("It was very good, very good, very good.", "very good"),
            ("They went to the market to the market today", "to the market"),
            ("aaaaaaaaaaaa", "a"),
            ("hahahahahahahaha", "ha"),
            ("The bridge is open. The bridge is open. The bridge is open.", "the bridge is open"),
            ("He came home on Monday. It rained a lot there. He came home on Monday.", "he came home on monday"),
            ("a b c d x a b c d y a b c d z", "a b c d"),
        ] {
            assert_eq!(find_loop(text).map(|l| l.phrase), Some(phrase.to_string()), "{text}");
        }
    }

    #[test]
    fn ordinary_text_has_none() {
        for text in [
            "He said that that was very, very good.",
            "No, no, no!",
            "Day by day by candlelight",
            "1,000,000,000,000 taka",
            "-----------",
            "The Ministry of Health and the Ministry of Education said the Ministry of Finance would pay.",
            "",
        ] {
            assert_eq!(find_loop(text), None, "{text}");
        }
    }

    #[test]
    fn a_phrase_said_twice_is_found() {
        let twice = "From Monday to the 7,8 and 17th wards, work will begin in the 7,8 and 17th wards.";
        let found = check_loops("সোমবার থেকে ৭,৮ ও ১৭ নম্বর ওয়ার্ডে কাজ শুরু হবে।", twice).unwrap();
        assert!(found.message.contains("the 7,8 and 17th wards"), "{}", found.message);
        for (source, output) in [
            ("মেয়র ও মন্ত্রী এসেছেন, তারা খুশি।", "The minister of the city of Dhaka and the mayor came and are happy."),
            ("১২ জন নিহত ও ১২ জন নিহত।", "In Dhaka 12 people were killed, in Khulna 12 people were killed."),
        ] {
            assert!(check_loops(source, output).is_none(), "{output}");
        }
    }

    #[test]
    fn a_loop_of_the_source_is_not_the_translations_fault() {
        assert!(check_loops("না না না না না", "no no no no").is_none());
        assert!(check_loops("না", "no no no no").is_some());
    }
}
