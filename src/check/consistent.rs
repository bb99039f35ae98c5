//! Within one article, one spelling a name.
use super::names::check_names;
use crate::text::{Finding, FindingKind, Severity};
use std::collections::BTreeMap;

/// How the names of an article have been spelled so far. What readers have seen is not changed afterwards: the first
/// group of sentences that has a name decides, and within it the majority.
#[derive(Debug, Default)]
pub struct Spellings {
    /// By the Bengali word without its case ending.
    usual: BTreeMap<String, String>,
}

impl Spellings {
    /// Takes the next sentences of the article (source, output), gives those of their outputs that change, by index,
    /// with notes of what was changed.
    pub fn settle(&mut self, sentences: &[(&str, &str)]) -> Vec<(usize, String, Vec<Finding>)> {
        let pairs: Vec<_> = sentences.iter().map(|(source, output)| check_names(source, output).pairs).collect();
        self.learn(&pairs);
        let changed = |(index, pairs): (usize, &Vec<(String, String)>)| {
            let (mut text, mut notes) = (sentences[index].1.to_string(), Vec::new());
            for (bengali, english) in pairs {
                let Some(usual) = self.usual.get(bengali).filter(|usual| are_variants(usual, english)) else {
                    continue;
                };
                let respelled = replace_word(&text, english, usual);
                if respelled != text {
                    text = respelled;
                    let message = format!("the model had written {english}; {bengali} is {usual} in this article");
                    let (kind, severity) = (FindingKind::NameInconsistent, Severity::Note);
                    notes.push(Finding { kind, severity, segment: None, message });
                }
            }
            (!notes.is_empty()).then_some((index, text, notes))
        };
        pairs.iter().enumerate().filter_map(changed).collect()
    }

    /// The spelling that most of these sentences have, of names that are new; of equals the likelier one.
    fn learn(&mut self, pairs: &[Vec<(String, String)>]) {
        let mut counts: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (bengali, english) in pairs.iter().flatten().filter(|(bengali, _)| !self.usual.contains_key(bengali)) {
            let list = counts.entry(bengali).or_default();
            match list.iter_mut().find(|(known, _)| known == english) {
                Some((_, count)) => *count += 1,
                None => list.push((english, 1)),
            }
        }
        for (bengali, list) in counts {
            let likely = |english: &str| -super::name_distance(bengali, english);
            let better =
                |a: &&(&str, usize), b: &&(&str, usize)| a.1.cmp(&b.1).then(likely(a.0).total_cmp(&likely(b.0)));
            if let Some((english, _)) = list.iter().max_by(better) {
                self.usual.insert(bengali.to_string(), (*english).to_string());
            }
        }
    }
}

/// Two spellings of a name, not the name and something made of it (Rohingya, Rohingyas; Nepal, Nepali), not an acronym,
/// not two names that one word sounds like (Zaman, Aman).
fn are_variants(a: &str, b: &str) -> bool {
    let plain = |word: &str| {
        let mut letters = word.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase) && word.len() >= 4
    };
    let same_start = a.chars().next() == b.chars().next();
    plain(a) && plain(b) && same_start && !a.starts_with(b) && !b.starts_with(a)
}

/// Every whole word `word` of the text replaced.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let inside = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if inside { word } else { by });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_of_the_first_sentences_decides() {
        let mut spellings = Spellings::default();
        let first = [
            ("মাহমুদুল এসেছেন।", "Mahmudul has come."),
            ("মাহমুদুলকে দেখেছি।", "I saw Mohmudul there."),
            ("তারা মাহমুদুলের বাড়ি গেছেন।", "They went to Mahmudul's house."),
        ];
        let changed = spellings.settle(&first);
        assert_eq!(changed.len(), 1, "{changed:?}");
        assert_eq!((changed[0].0, changed[0].1.as_str()), (1, "I saw Mahmudul there."));
        assert!(changed[0].2[0].message.contains("Mohmudul") && changed[0].2[0].severity == Severity::Note);
        // what came first stays, even against a new majority
        let later = [("মাহমুদুল আসেন।", "Mahmodul came, and Mahmodul's wife."), ("মাহমুদুল যান।", "Mahmodul went.")];
        let changed = spellings.settle(&later);
        assert_eq!(changed[0].1, "Mahmudul came, and Mahmudul's wife.");
        assert_eq!(changed[1].1, "Mahmudul went.");
    }

    #[test]
    fn derived_words_acronyms_and_other_names_stay() {
        let mut spellings = Spellings::default();
        spellings.settle(&[("রোহিঙ্গা শিবির", "The Rohingya camp"), ("করিম এলেন", "Karim came")]);
        for (source, output) in [
            ("রোহিঙ্গাদের শিবির", "The camp of the Rohingyas"),
            ("কারিনা এলেন", "Karina came"),
            ("রহিম এলেন", "Rahim came"),
            ("করিম এলেন", "He came"),
        ] {
            assert_eq!(spellings.settle(&[(source, output)]), [], "{output}");
        }
        assert!(!are_variants("Nepal", "Nepali") && !are_variants("NATO", "Nato") && are_variants("Karim", "Kareem"));
        assert!(!are_variants("Zaman", "Aman"));
        assert_eq!(replace_word("Karimganj, Karim, Karim's", "Karim", "Kareem"), "Karimganj, Kareem, Kareem's");
    }
}
