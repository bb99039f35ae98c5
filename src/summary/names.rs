//! Capitalized names of an English sentence, and whether a text has them too.
use crate::check::number_parse::numbers;
use crate::lang::words::is_common_english;
use crate::lang::{Words, tables};
use std::collections::{HashMap, HashSet};

/// Capitalized words that name nobody: forms of address, words that English always writes so, and days and months,
/// which are checked as numbers are.
static NOT_NAMES: Words = Words::new(tables::EN_NOT_NAMES, "");

/// Names of several words and one word that stands for them.
const LONG_FORMS: &[(&str, &str)] =
    &[("United States", "America"), ("United Kingdom", "Britain"), ("Great Britain", "Britain")];

/// Endings that make an adjective or an inhabitant of a place, or a possessive or a plural of a name.
const ENDINGS: &[&str] = &["ians", "ian", "ans", "an", "ese", "ish", "is", "i", "s", "n", "ns", "es"];

/// A capitalized word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Capital {
    word: String,
    /// First word of its sentence.
    first: bool,
}

/// What a text has that a name can be found in.
pub(super) struct NameEvidence {
    /// All its words in lower case, and the common form of aliases.
    words: HashSet<String>,
    /// The words by their first four letters, for "India" against "Indian".
    by_start: HashMap<String, Vec<String>>,
    /// Initials of its runs of capitalized words ("un" for "United Nations"), and its words in capitals.
    initials: HashSet<String>,
    /// The acronyms themselves.
    acronyms: HashSet<String>,
}

impl NameEvidence {
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut evidence = Self {
            words: HashSet::new(),
            by_start: HashMap::new(),
            initials: HashSet::new(),
            acronyms: HashSet::new(),
        };
        for text in texts {
            for word in tokens(text) {
                evidence.add(&word);
            }
            for run in runs(text) {
                evidence.initials.extend(all_initials(&run));
            }
            for (_, short) in LONG_FORMS.iter().filter(|(long, _)| text.contains(long)) {
                evidence.add(short);
            }
        }
        evidence
    }

    fn add(&mut self, word: &str) {
        if word.chars().count() > 1 && word.chars().all(char::is_uppercase) {
            self.acronyms.insert(word.to_lowercase());
        }
        let word = canonical(&word.to_lowercase());
        if self.words.insert(word.clone())
            && let Some(start) = start_of(&word)
        {
            self.by_start.entry(start).or_default().push(word);
        }
    }

    /// The capitalized words of `sentence` that the text does not have.
    pub fn missing(&self, sentence: &str) -> Vec<String> {
        let expanded: HashSet<String> = runs(sentence)
            .iter()
            .filter(|run| all_initials(run).iter().any(|i| self.acronyms.contains(i)))
            .flat_map(|run| run.iter().map(|w| w.to_lowercase()))
            .collect();
        capitals(sentence)
            .into_iter()
            .filter(|c| {
                let lower = c.word.to_lowercase();
                let harmless = NOT_NAMES.contains(&lower)
                    || (c.first && (is_common_english(&lower) || !numbers(&lower).is_empty()));
                !harmless && !expanded.contains(&lower) && !self.has(&c.word)
            })
            .map(|c| c.word)
            .collect()
    }

    fn has(&self, word: &str) -> bool {
        let lower = canonical(&word.to_lowercase());
        if self.words.contains(&lower) {
            return true;
        }
        let acronym = word.chars().count() > 1 && word.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase);
        if acronym && self.initials.contains(&word.to_lowercase()) {
            return true;
        }
        let Some(start) = start_of(&lower) else { return false };
        self.by_start.get(&start).is_some_and(|near| near.iter().any(|other| same_root(&lower, other)))
    }
}

/// Whether one word is the other with an ending of [`ENDINGS`] (a final vowel of the shorter may be lost in it).
fn same_root(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let stems = [short, short.trim_end_matches(['a', 'e', 'y', 'o'])];
    let derived = |stem: &str| long.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || ENDINGS.contains(&rest));
    stems.iter().any(|stem| stem.chars().count() >= 4 && derived(stem))
}

fn start_of(word: &str) -> Option<String> {
    let start: String = word.chars().take(4).collect();
    (start.chars().count() == 4).then_some(start)
}

/// One form for names that have several.
fn canonical(lower: &str) -> String {
    crate::lang::words::first_name(lower).to_string()
}

/// The words of a text without possessives; hyphenated words in their parts, "U.S." as "US".
fn tokens(text: &str) -> Vec<String> {
    spans(text).into_iter().map(|(word, _)| word).collect()
}

/// Words, each with whether a sentence (or a quotation in it) begins there.
fn spans(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for sentence in super::english::sentences(text) {
        let mut first = true;
        for chunk in sentence.split(|c: char| c.is_whitespace() || "-–—/,;:()[]\"“”".contains(c)) {
            // a quotation inside the sentence begins with a capital, too
            let word = word_of(chunk);
            if word.is_empty() {
                continue;
            }
            let quoted = opens_quotation(&sentence, chunk);
            found.push((word, first || quoted));
            first = false;
        }
    }
    found
}

/// Whether a quotation mark or a colon stands right before the chunk, which is a slice of `sentence`.
fn opens_quotation(sentence: &str, chunk: &str) -> bool {
    let at = chunk.as_ptr() as usize - sentence.as_ptr() as usize;
    sentence[..at].trim_end().ends_with(['"', '“', '‘', ':']) || sentence[..at].ends_with('(')
}

/// "Hasina's" → "Hasina", "U.S." → "US", "'Hello'" → "Hello".
fn word_of(chunk: &str) -> String {
    let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = bare.strip_suffix("'s").or_else(|| bare.strip_suffix("’s")).unwrap_or(bare);
    let dotted = bare.contains('.') && bare.split('.').all(|p| p.chars().count() <= 1);
    if dotted { bare.replace('.', "") } else { bare.to_string() }
}

fn is_capitalized(word: &str) -> bool {
    word.starts_with(|c: char| c.is_uppercase() && !is_bengali(c))
}

fn is_bengali(c: char) -> bool {
    ('\u{0980}'..='\u{09ff}').contains(&c)
}

fn capitals(sentence: &str) -> Vec<Capital> {
    spans(sentence)
        .into_iter()
        .filter(|(word, _)| is_capitalized(word))
        .map(|(word, first)| Capital { word, first })
        .collect()
}

/// Runs of capitalized words within a sentence and between its commas, the little words "of", "and", "the", "for"
/// between them left out.
fn runs(text: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for sentence in super::english::sentences(text) {
        for part in sentence.split([',', ';', ':', '(', ')', '"', '“', '”']) {
            found.push(Vec::new());
            for word in tokens(part) {
                let little = matches!(word.as_str(), "of" | "and" | "the" | "for" | "&");
                if is_capitalized(&word) {
                    if let Some(run) = found.last_mut() {
                        run.push(word);
                    }
                } else if !little {
                    found.push(Vec::new());
                }
            }
        }
    }
    found.retain(|run| run.len() > 1);
    found
}

/// The initials of a run and of each part of it that has two words or more, in lower case.
fn all_initials(run: &[String]) -> Vec<String> {
    let letters: Vec<char> = run.iter().filter_map(|w| w.chars().next()).flat_map(char::to_lowercase).collect();
    let most = letters.len().min(8);
    (0..letters.len())
        .flat_map(|from| (from + 2..=(from + most).min(letters.len())).map(move |to| (from, to)))
        .map(|(from, to)| letters[from..to].iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Former minister Abdul Latif Siddiqui got bail from the High Court in Dhaka. The United Nations \
        and the BNP welcomed it. India and the U.S. were silent. Sheikh Hasina's office did not comment. \"We wait,\" Rahman said.";

    fn missing(sentence: &str) -> Vec<String> {
        NameEvidence::new([TEXT]).missing(sentence)
    }

    #[test]
    fn names_of_the_text_are_found_however_they_are_inflected() {
        for sentence in [
            "Siddiqui's bail was welcomed by the UN.",
            "The Indian and American governments were silent.",
            "Officials of Hasina said nothing.",
            "However, Mr. Siddiqui is free.",
            "The Court in Dhaka freed him.",
        ] {
            assert!(missing(sentence).is_empty(), "{sentence}: {:?}", missing(sentence));
        }
    }

    #[test]
    fn initials_are_those_of_one_name() {
        let text = "He met the Foreign Secretary. Bangladesh Awami League officials, Sheikh Hasina and others came.";
        let evidence = NameEvidence::new([text]);
        assert_eq!(evidence.missing("The FSB and the LSH met."), ["FSB", "LSH"]);
        assert!(evidence.missing("The BAL came.").is_empty());
    }

    #[test]
    fn strangers_are_not() {
        for (sentence, names) in [
            ("Johnson got bail.", vec!["Johnson"]),
            ("The bail was granted in Chittagong.", vec!["Chittagong"]),
            ("Abdul Karim Siddiqui got bail on Sunday.", vec!["Karim"]),
            ("The WHO welcomed it.", vec!["WHO"]),
            ("The Pakistani government was silent.", vec!["Pakistani"]),
        ] {
            assert_eq!(missing(sentence), names, "{sentence}");
        }
    }
}
