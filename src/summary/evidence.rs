//! What an article says, to hold a summary's sentences against: its numbers, dates and names.
use super::names::NameEvidence;
use crate::check::number_parse::{Number, Weight, numbers};
use crate::check::{bears_out, check_names};

/// The article's numbers and names, of its translation and of its source.
pub struct Evidence {
    numbers: Vec<Number>,
    names: NameEvidence,
    /// The Bengali, where there is no English to find names in: then they are found by their sound.
    bengali: Option<String>,
}

impl Evidence {
    /// Evidence of an article's English sentences (empty where there is no translation) and Bengali ones.
    pub fn new(english: &[String], bengali: &[String]) -> Self {
        let texts = || english.iter().chain(bengali).map(String::as_str);
        Self {
            numbers: texts().flat_map(numbers).collect(),
            names: NameEvidence::new(texts()),
            bengali: english.is_empty().then(|| bengali.join(" ")),
        }
    }

    /// Numbers, dates and names of an English sentence that the article does not have, as they are written there.
    pub fn unsupported(&self, sentence: &str) -> Vec<String> {
        let known = |said: &Number| said.weight == Weight::Soft || self.numbers.iter().any(|n| bears_out(n, said));
        let mut missing: Vec<String> = numbers(sentence).into_iter().filter(|n| !known(n)).map(|n| n.text).collect();
        let mut names = self.names.missing(sentence);
        if let (Some(bengali), false) = (&self.bengali, names.is_empty()) {
            let strangers: Vec<String> =
                check_names(bengali, sentence).findings.into_iter().map(|f| f.message).collect();
            // the message begins with the name
            names.retain(|name| {
                strangers.iter().any(|s| s.starts_with(name.as_str()) && s.contains("resembles no name"))
            });
        }
        missing.extend(names);
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stories of the fixture: Bengali, English, clean sentences, planted ones with what is planted.
    struct Story {
        bengali: Vec<String>,
        english: Vec<String>,
        clean: Vec<&'static str>,
        planted: Vec<(&'static str, &'static str)>,
    }

    fn stories() -> Vec<Story> {
        let text = include_str!("../../tests/fixtures/summary/hallucinations.txt");
        let marked = |story: &'static str, mark: &'static str| story.lines().filter_map(move |l| l.strip_prefix(mark));
        let owned = |story, mark| marked(story, mark).map(String::from).collect::<Vec<_>>();
        text.split("\n\n")
            .filter(|story| story.contains("\nE "))
            .map(|story| Story {
                bengali: owned(story, "B "),
                english: owned(story, "E "),
                clean: marked(story, "+ ").collect(),
                planted: marked(story, "- ").map(|l| l.split_once(" | ").expect("what is planted")).collect(),
            })
            .collect()
    }

    #[test]
    fn planted_inventions_are_caught_and_clean_sentences_are_not() {
        let (mut missed, mut alarms, mut planted, mut clean) = (Vec::new(), Vec::new(), 0, 0);
        for story in stories() {
            let evidence = Evidence::new(&story.english, &story.bengali);
            for sentence in story.clean {
                clean += 1;
                let missing = evidence.unsupported(sentence);
                if !missing.is_empty() {
                    alarms.push(format!("{sentence} {missing:?}"));
                }
            }
            for (sentence, what) in story.planted {
                planted += 1;
                let missing = evidence.unsupported(sentence).join(" ");
                let first = what.split(' ').next().unwrap_or(what).to_lowercase();
                if !missing.to_lowercase().contains(&first) {
                    missed.push(format!("{sentence} ({what}; found: {missing})"));
                }
            }
        }
        println!("planted {planted}, missed {}: {missed:#?}", missed.len());
        println!("clean {clean}, alarms {}: {alarms:#?}", alarms.len());
        assert!(planted >= 60 && missed.len() * 20 <= planted, "{missed:#?}");
        assert!(clean >= 48 && alarms.len() * 20 < clean, "{alarms:#?}");
    }
}
