//! Sentences longer than the model takes: halved at the best border near the middle until every part fits.
use crate::Result;
use unicode_segmentation::UnicodeSegmentation;

/// Words that open a clause; a border lies before them.
const CONJUNCTIONS: &[&str] = &[
    "এবং",
    "কিন্তু",
    "তবে",
    "আর",
    "অথবা",
    "কিংবা",
    "কারণ",
    "কেননা",
    "যদিও",
    "ফলে",
    "তাই",
    "অথচ",
    "বরং",
    "সুতরাং",
    "নইলে",
    "তাছাড়া",
    "এছাড়া",
    "অন্যদিকে",
    "যখন",
    "যেখানে",
];

/// How good a border is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Border {
    Word,
    Clause,
    Sentence,
}

/// Cuts `text` into parts of at most `limit` tokens by `count`, at ends of sentences, else at clauses, else at
/// words, else within one. Nothing but white space at the borders is lost. Only a part of one grapheme may be
/// longer than the limit.
pub fn split(text: &str, limit: usize, count: &dyn Fn(&str) -> Result<usize>) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    let mut open = vec![text.trim()];
    while let Some(text) = open.pop() {
        if text.is_empty() {
            continue;
        }
        match middle(text) {
            Some(at) if count(text)? > limit => {
                let (left, right) = text.split_at(at);
                open.push(right.trim());
                open.push(left.trim());
            }
            _ => parts.push(text.to_owned()),
        }
    }
    Ok(parts)
}

/// The byte at which `text` is best cut in two: the best kind of border in its middle half, the most central of
/// them. `None` when it is a single grapheme.
fn middle(text: &str) -> Option<usize> {
    let centre = text.len() / 2;
    let central = |at: &usize| at.abs_diff(centre);
    let in_middle = |at: &usize| central(at) <= text.len() / 4;
    let borders = borders(text);
    let nearest = |kind: Border| borders.iter().filter(|b| b.1 >= kind).map(|b| b.0).min_by_key(central);
    nearest(Border::Sentence)
        .filter(in_middle)
        .or_else(|| nearest(Border::Clause).filter(in_middle))
        .or_else(|| nearest(Border::Word))
        .or_else(|| text.grapheme_indices(true).map(|(at, _)| at).filter(|&at| at > 0).min_by_key(central))
}

/// All borders strictly inside of `text` (byte at which the right part starts), ascending.
fn borders(text: &str) -> Vec<(usize, Border)> {
    let mut borders: Vec<(usize, Border)> = Vec::new();
    let mut add = |at: usize, kind: Border| {
        if at > 0 && at < text.len() {
            borders.push((at, kind));
        }
    };
    let mut word_start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let kind = match c {
            '।' | '॥' | '?' | '!' | '…' => Border::Sentence,
            // A long word before it: neither an abbreviation nor an initial.
            '.' if text[word_start..at].chars().count() > 4 => Border::Sentence,
            ';' | ',' | ':' | '—' | '–' | '،' => Border::Clause,
            _ if c.is_whitespace() => {
                let rest = text[at..].trim_start();
                let word = rest.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or("");
                word_start = text.len() - rest.len();
                add(word_start, if CONJUNCTIONS.contains(&word) { Border::Clause } else { Border::Word });
                continue;
            }
            _ => continue,
        };
        // What closes a quotation or bracket, and more of the same, stays on the left.
        let mut end = at + c.len_utf8();
        while let Some(&(next, c)) = chars.peek()
            && matches!(c, '"' | '\'' | '”' | '’' | ')' | ']' | '»' | '।' | '?' | '!' | '.')
        {
            end = next + c.len_utf8();
            chars.next();
        }
        // "১০:৩০", "১,২৩,৪৫৬" and "3.14" are one thing each; Latin and Bengali punctuation wants a space after it,
        // the danda doesn't.
        let closed = c == '।' || c == '॥' || c == '—' || text[end..].starts_with(char::is_whitespace);
        if closed && !text[end..].starts_with(char::is_numeric) {
            add(end, kind);
        }
    }
    borders
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A token a character: easy to count in one's head.
    fn characters(text: &str) -> Result<usize> {
        Ok(text.chars().count())
    }

    #[test]
    fn the_best_border_near_the_middle_is_taken() {
        for (text, limit, want) in [
            ("ছোট বাক্য।", 20, vec!["ছোট বাক্য।"]),
            ("তিনি এলেন। তিনি দেখলেন, জয় করলেন।", 26, vec!["তিনি এলেন।", "তিনি দেখলেন, জয় করলেন।"]),
            ("তিনি বললেন, কাজ শেষ হয়নি এখনো", 20, vec!["তিনি বললেন,", "কাজ শেষ হয়নি এখনো"]),
            ("বৃষ্টি হয়েছে কিন্তু রাস্তা শুকনো", 20, vec!["বৃষ্টি হয়েছে", "কিন্তু রাস্তা শুকনো"]),
            ("দাম ছিল ১,২৩,৪৫৬ টাকা মাত্র", 17, vec!["দাম ছিল ১,২৩,৪৫৬", "টাকা মাত্র"]),
            ("সময় ১০:৩০ মিনিটে শুরু", 14, vec!["সময় ১০:৩০", "মিনিটে শুরু"]),
            ("তিনি বলেন, “যাব।” তারপর গেলেন", 18, vec!["তিনি বলেন, “যাব।”", "তারপর গেলেন"]),
            ("একদুইতিনচার", 6, vec!["একদুই", "তিনচার"]),
            ("ক", 0, vec!["ক"]),
            ("  ", 3, vec![]),
        ] {
            assert_eq!(split(text, limit, &characters).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn an_error_in_counting_is_passed_on() {
        let fail = |_: &str| Err(crate::Error::Input("no".into()));
        assert!(split("ক খ", 1, &fail).is_err());
    }

    proptest! {
        /// No character but white space is lost, no part is too long, and none is empty.
        #[test]
        fn nothing_is_lost(text in "[কখি া।,.:;?! a1২\u{200d}\"”—\n]{0,120}", limit in 4usize..40) {
            let parts = split(&text, limit, &characters).unwrap();
            let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(solid(&parts.concat()), solid(&text));
            for part in &parts {
                prop_assert!(!part.trim().is_empty());
                prop_assert!(part.chars().count() <= limit || part.graphemes(true).count() == 1);
            }
        }
    }
}
