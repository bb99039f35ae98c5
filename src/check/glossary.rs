//! The user's own glossary: Bengali terms and the English that must stand for them.
use super::NAME_LIMIT;
use crate::error::InputError;
use crate::lang::canonical::canonical;
use crate::lang::endings::is_case_ending;
use crate::lang::gazetteer::GAZETTEER;
use crate::lang::script::is_bengali;
use crate::lang::{Words, tables, translit};
use crate::text::{Finding, FindingKind, Severity};
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// Terms with their prescribed translations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Glossary {
    /// Longest Bengali term first.
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Term {
    bengali: String,
    /// As the file spells it, for messages.
    original: String,
    /// What is written.
    english: String,
    /// What is accepted too, or replaced when the glossary is enforced.
    others: Vec<String>,
}

impl Glossary {
    /// Reads a glossary: UTF-8, one term a line, `Bengali TAB English`, where `English|other|other` names forms that
    /// are replaced by the first. Empty lines and lines that start with # are skipped, further columns ignored.
    ///
    /// # Errors
    /// The file can't be read; a line has no tab, no Bengali or no English.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text).map_err(|(line, why)| {
            Error::Input(InputError::damaged(format!(
                "{}: line {line}: {why}; write a Bengali term, a tab and its English",
                path.display()
            )))
        })
    }

    /// The same from a string; on failure the line's number and what is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, (usize, &'static str)> {
        let mut terms = Vec::new();
        for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.split('\t').map(str::trim);
            let (bengali, english) = (fields.next().unwrap_or(""), fields.next().ok_or((i + 1, "there is no tab"))?);
            if !bengali.contains(is_bengali) {
                return Err((i + 1, "the first column is not Bengali"));
            }
            let mut forms = english.split('|').map(str::trim).filter(|f| !f.is_empty()).map(str::to_string);
            let english = forms.next().ok_or((i + 1, "the second column is empty"))?;
            terms.push(Term {
                bengali: canonical(bengali),
                original: bengali.into(),
                english,
                others: forms.collect(),
            });
        }
        terms.sort_by_key(|t| std::cmp::Reverse(t.bengali.len()));
        Ok(Self { terms })
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Has it no terms?
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Terms that occur in the canonical source, longest first; a term inside a longer one doesn't count.
    fn occurring(&self, source: &str) -> Vec<&Term> {
        let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
        let mut out = Vec::new();
        for term in &self.terms {
            let at = source.match_indices(term.bengali.as_str()).map(|(i, _)| i).find(|&i| {
                let starts = !source[..i].ends_with(is_bengali);
                starts
                    && is_inflection(ending(&source[i + term.bengali.len()..]))
                    && !taken.iter().any(|t| t.contains(&i))
            });
            if let Some(i) = at {
                taken.push(i..i + term.bengali.len());
                out.push(term);
            }
        }
        out
    }

    /// Bengali, as the file spells it, and English of the terms that occur in a sentence.
    pub fn found_in(&self, source: &str) -> Vec<(String, String)> {
        let terms = self.occurring(&canonical(source)).into_iter();
        terms.map(|term| (term.original.clone(), term.english.clone())).collect()
    }

    /// All terms in one text, which tells two glossaries apart.
    pub fn name(&self) -> String {
        self.terms.iter().map(|term| format!("{}={};", term.original, term.english)).collect()
    }

    /// The source with the glossary's English in its terms' places, case endings left as they are: a model copies what
    /// already stands there in English.
    pub fn write_into(&self, source: &str) -> String {
        let mut out = source.to_string();
        for term in self.occurring(&canonical(source)) {
            let fits =
                |i: usize| !out[..i].ends_with(is_bengali) && is_inflection(ending(&out[i + term.bengali.len()..]));
            let place = out.match_indices(term.bengali.as_str()).map(|(i, _)| i).find(|&i| fits(i));
            if let Some(i) = place {
                out.replace_range(i..i + term.bengali.len(), &term.english);
            }
        }
        out
    }

    /// Terms of the source whose prescribed English is not in the output.
    pub fn check(&self, source: &str, output: &str) -> Vec<Finding> {
        let missed =
            self.occurring(&canonical(source)).into_iter().filter(|t| find_words(output, &t.english).is_none());
        missed
            .map(|t| Finding {
                kind: FindingKind::GlossaryMissed,
                severity: Severity::Serious,
                segment: None,
                message: format!("the glossary wants \"{}\" for {}", t.english, t.original),
            })
            .collect()
    }

    /// The output with the glossary's words where another form, the built-in table's name or another spelling of the
    /// same sound stands for a term of the source. What can't be placed stays as it is and is found by [`Self::check`].
    pub fn enforce(&self, source: &str, output: &str) -> String {
        let source = canonical(source);
        let mut out = output.to_string();
        for term in self.occurring(&source) {
            if find_words(&out, &term.english).is_some() {
                continue;
            }
            let built_in =
                GAZETTEER.entries.iter().filter(|e| e.bengali == term.bengali).flat_map(|e| e.english.iter().copied());
            let known = term.others.iter().map(String::as_str).chain(built_in);
            let place =
                known.filter_map(|form| find_words(&out, form)).next().or_else(|| find_by_sound(&out, &term.bengali));
            if let Some(range) = place {
                out.replace_range(range, &term.english);
            }
        }
        out
    }
}

/// The Bengali letters that a text begins with: what is left of a word after a term.
fn ending(text: &str) -> &str {
    &text[..text.find(|c| !is_bengali(c)).unwrap_or(text.len())]
}

/// May these letters follow a term within its word?
fn is_inflection(rest: &str) -> bool {
    static MORE: Words = Words::new(tables::BN_ENDINGS, "term");
    is_case_ending(rest) || MORE.contains(rest)
}

/// Where `phrase` stands in `text` as whole words, whatever the case.
fn find_words(text: &str, phrase: &str) -> Option<std::ops::Range<usize>> {
    let starts = text.char_indices().map(|(i, _)| i).filter(|&i| !text[..i].ends_with(char::is_alphanumeric));
    starts.into_iter().find_map(|i| {
        let mut rest = text[i..].char_indices();
        for wanted in phrase.chars() {
            let (_, c) = rest.next()?;
            if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
                return None;
            }
        }
        let end = i + rest.next().map_or(text.len() - i, |(j, _)| j);
        (!phrase.is_empty() && !text[end..].starts_with(char::is_alphanumeric)).then_some(i..end)
    })
}

/// Capitalized words in a row, as many as the term has, that sound like it.
fn find_by_sound(text: &str, term: &str) -> Option<std::ops::Range<usize>> {
    let units: Vec<Vec<translit::Unit>> = term.split(' ').filter_map(translit::units).collect();
    if units.is_empty() {
        return None;
    }
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    let mut from = None;
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphabetic(), from) {
            (true, None) => from = Some(i),
            (false, Some(start)) => {
                words.push(start..i);
                from = None;
            }
            _ => {}
        }
    }
    let near = |window: &[std::ops::Range<usize>]| {
        let mut total = 0.0f32;
        for (range, units) in window.iter().zip(&units) {
            let word = &text[range.clone()];
            let distance = translit::distance(units, &translit::latin(word));
            if distance > NAME_LIMIT || !word.starts_with(char::is_uppercase) {
                return None;
            }
            total += distance;
        }
        Some(total)
    };
    let best = words.windows(units.len()).filter_map(|w| near(w).map(|d| (d, w))).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(best.1[0].start..best.1[units.len() - 1].end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glossary() -> Glossary {
        Glossary::parse(
            "# ours\n\nচট্টগ্রাম\tChittagong\nআওয়ামী লীগ\tAwami League|AL\nকরিম\tKareem\nপার্বত্য চট্টগ্রাম\tHill Tracts\n",
        )
        .unwrap()
    }

    #[test]
    fn terms_are_checked_as_whole_words() {
        let g = glossary();
        assert_eq!(g.len(), 4);
        assert!(g.check("চট্টগ্রামে বৃষ্টি", "Rain in Chittagong").is_empty());
        assert!(g.check("চট্টগ্রামে বৃষ্টি", "rain in CHITTAGONG's hills").is_empty());
        let findings = g.check("চট্টগ্রামে বৃষ্টি", "Rain in Chattogram");
        assert_eq!(findings[0].message, "the glossary wants \"Chittagong\" for চট্টগ্রাম");
        assert!(g.check("পার্বত্য চট্টগ্রামে বৃষ্টি", "Rain in the Hill Tracts").is_empty(), "the longer term counts");
        assert!(g.check("ঢাকায় বৃষ্টি", "Rain in Dhaka").is_empty());
        assert!(g.check("করিমগঞ্জে বৃষ্টি", "Rain in Karimganj").is_empty(), "another word");
        assert!(!g.check("করিমদেরকে বলেন", "told them").is_empty(), "an inflected one");
    }

    #[test]
    fn terms_are_put_in_place() {
        let g = glossary();
        for (source, output, expected) in [
            ("চট্টগ্রামে বৃষ্টি", "Rain in Chattogram", "Rain in Chittagong"),
            ("চট্টগ্রামের মেয়র", "Chattogram's mayor", "Chittagong's mayor"),
            ("আওয়ামী লীগ জিতেছে", "AL won", "Awami League won"),
            ("করিম এলেন", "Karim came", "Kareem came"),
            ("করিম এলেন", "He came", "He came"),
            ("ঢাকা", "Chattogram", "Chattogram"),
        ] {
            assert_eq!(g.enforce(source, output), expected);
        }
    }

    #[test]
    fn terms_are_written_into_the_source_the_longest_first() {
        let g = glossary();
        for (source, expected) in [
            ("পার্বত্য চট্টগ্রামে ও চট্টগ্রামের করিমগঞ্জে", "Hill Tractsে ও Chittagongের করিমগঞ্জে"),
            ("করিম এলেন", "Kareem এলেন"),
            ("সে এল", "সে এল"),
        ] {
            assert_eq!(g.write_into(source), expected);
        }
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(Glossary::parse("ঢাকা\tDhaka\nঢাকা Dhaka"), Err((2, "there is no tab")));
        assert_eq!(Glossary::parse("Dhaka\tঢাকা"), Err((1, "the first column is not Bengali")));
        assert_eq!(Glossary::parse("ঢাকা\t"), Err((1, "the second column is empty")));
    }
}
