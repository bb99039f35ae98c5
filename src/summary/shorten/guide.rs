//! Which tokens may come next, so that the output is the sentence with units left out.
use super::protect::{Protection, protect};
use super::units::Units;
use crate::decode::Guide;

/// Allows what leaves a subsequence of a sentence's units that keeps what is protected.
///
/// The same words may stand in a sentence twice, so that the tokens generated do not tell which were kept: all places
/// that fit are followed at once, as a nondeterministic automaton.
#[derive(Debug)]
pub struct DeletionGuide {
    spellings: Vec<[Vec<u32>; 2]>,
    protection: Protection,
    ends: Vec<u32>,
    /// The sentence's last unit is its full stop, question mark and the like.
    has_final_mark: bool,
    /// 1 for words, 0 for marks.
    counts: Vec<usize>,
    /// The most words that may be kept (`usize::MAX`: any number), and after each unit the fewest that an ending takes.
    most_words: usize,
    to_an_end: Vec<usize>,
}

/// Where a hypothesis may be: in a unit, after so many tokens of its plain (0) or capital (1) spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    unit: usize,
    spelling: usize,
    tokens: usize,
    /// Words kept, this one included; counted only where there is a limit.
    words: usize,
}

impl DeletionGuide {
    /// A guide for a sentence; without `protected` anything may be left out.
    pub fn new(units: &Units, ends: &[u32], protected: bool) -> Self {
        Self {
            spellings: units.0.iter().map(|u| [u.tokens.clone(), u.capital.clone()]).collect(),
            protection: if protected { protect(&units.0) } else { Protection::none(units.0.len()) },
            ends: ends.to_vec(),
            has_final_mark: units.0.last().is_some_and(|u| u.is_mark),
            counts: units.0.iter().map(|u| usize::from(!u.is_mark)).collect(),
            most_words: usize::MAX,
            to_an_end: vec![0; units.0.len()],
        }
    }

    /// The same, with at most so many words kept, or as few as there can be where what is protected takes more.
    #[must_use]
    pub fn within(mut self, most_words: usize) -> Self {
        // From the last unit back: the fewest words from here to an end, what is protected being kept.
        let mut to_an_end = vec![usize::MAX; self.spellings.len()];
        for unit in (0..self.spellings.len()).rev() {
            to_an_end[unit] = if self.may_end(unit) { 0 } else { self.fewest_after(Some(unit), &to_an_end) };
        }
        let fewest = self.fewest_after(None, &to_an_end);
        if fewest < usize::MAX {
            (self.most_words, self.to_an_end) = (most_words.max(fewest), to_an_end);
        }
        self
    }

    fn fewest_after(&self, last: Option<usize>, to_an_end: &[usize]) -> usize {
        let followers = self.successors(last).filter(|&unit| unit < self.spellings.len());
        let fewest = followers.filter(|&unit| self.protection.enters(unit, last));
        fewest.map(|unit| to_an_end[unit].saturating_add(self.counts[unit])).min().unwrap_or(usize::MAX)
    }

    /// Units that may follow `last` (`None`: nothing is kept yet).
    fn successors(&self, last: Option<usize>) -> std::ops::RangeInclusive<usize> {
        let first = last.map_or(0, |unit| unit + 1);
        let most = last.map_or(usize::MAX, |unit| self.protection.until[unit]);
        let must = (first..self.spellings.len()).find(|&unit| self.protection.must[unit]);
        first..=most.min(must.unwrap_or(usize::MAX)).min(self.spellings.len().saturating_sub(1))
    }

    /// The places at which a unit may begin after `last`, when so many words are kept.
    fn starts(&self, last: Option<usize>, words: usize) -> impl Iterator<Item = Place> + '_ {
        let capital_too = usize::from(last.is_none());
        let limited = self.most_words != usize::MAX;
        let count = move |unit: usize| if limited { words + self.counts[unit] } else { 0 };
        self.successors(last)
            .filter(move |&unit| unit < self.spellings.len() && self.protection.enters(unit, last))
            .filter(move |&unit| count(unit).saturating_add(self.to_an_end[unit]) <= self.most_words)
            .flat_map(move |unit| {
                (0..=capital_too).map(move |spelling| Place { unit, spelling, tokens: 0, words: count(unit) })
            })
            .filter(|place| !self.spellings[place.unit][place.spelling].is_empty())
    }

    fn places_after(&self, generated: &[u32]) -> Vec<Place> {
        let mut places: Vec<Place> = self.starts(None, 0).collect();
        for &token in generated {
            let mut next: Vec<Place> = Vec::new();
            let mut add = |place: Place| {
                if !next.contains(&place) {
                    next.push(place);
                }
            };
            for place in places.into_iter().filter(|place| place.spelling != ENDED) {
                let spelling = &self.spellings[place.unit][place.spelling];
                if spelling[place.tokens] != token {
                    continue;
                }
                if place.tokens + 1 < spelling.len() {
                    add(Place { tokens: place.tokens + 1, ..place });
                } else {
                    self.starts(Some(place.unit), place.words).for_each(&mut add);
                    // Where nothing can follow, the place after the last token still tells that this was an end.
                    add(Place { spelling: ENDED, tokens: 0, ..place });
                }
            }
            places = next;
        }
        places
    }

    /// Whether the output may end after this unit.
    fn may_end(&self, unit: usize) -> bool {
        let last = self.spellings.len() - 1;
        let rest_is_free = !(unit + 1..=last).any(|u| self.protection.must[u]);
        let closed = unit == last || !self.has_final_mark;
        closed && rest_is_free && self.protection.until[unit] == usize::MAX
    }
}

/// Marks a place as "this unit is complete".
const ENDED: usize = usize::MAX;

impl Guide for DeletionGuide {
    fn allowed(&self, generated: &[u32], allowed: &mut Vec<u32>) {
        for place in self.places_after(generated) {
            if place.spelling == ENDED {
                if self.may_end(place.unit) {
                    allowed.extend(&self.ends);
                }
            } else {
                allowed.push(self.spellings[place.unit][place.spelling][place.tokens]);
            }
        }
        allowed.sort_unstable();
        allowed.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::shorten::units::Unit;
    use std::collections::BTreeSet;

    const END: u32 = 999;

    /// Units of a sentence whose tokens are numbers of words; a capital spelling has 100 more.
    fn units(sentence: &str) -> Units {
        let mut known: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for word in sentence.split(' ') {
            let core = word.trim_end_matches([',', '.']);
            let mut id = |text: &str| {
                let text = text.to_lowercase();
                known.iter().position(|k| *k == text).unwrap_or_else(|| {
                    known.push(text);
                    known.len() - 1
                }) as u32
            };
            let tokens = vec![id(core)];
            let lower = core.starts_with(char::is_lowercase);
            let capital = if lower { vec![tokens[0] + 100] } else { Vec::new() };
            all.push(Unit { text: core.into(), is_mark: false, tokens, capital });
            if core.len() < word.len() {
                let mark = &word[core.len()..];
                all.push(Unit { text: mark.into(), is_mark: true, tokens: vec![id(mark)], capital: Vec::new() });
            }
        }
        Units(all)
    }

    /// All outputs that a guide allows, as the words kept.
    fn outputs(sentence: &str, protected: bool) -> BTreeSet<String> {
        let units = units(sentence);
        outputs_of(&units, &DeletionGuide::new(&units, &[END], protected))
    }

    fn outputs_of(units: &Units, guide: &DeletionGuide) -> BTreeSet<String> {
        let text = |token: u32| units.0.iter().find(|u| u.tokens == [token % 100]).map(|u| u.text.clone()).unwrap();
        let (mut open, mut found) = (vec![Vec::new()], BTreeSet::new());
        while let Some(tokens) = open.pop() {
            let mut allowed = Vec::new();
            guide.allowed(&tokens, &mut allowed);
            for token in allowed {
                if token == END {
                    found.insert(tokens.iter().map(|&t| text(t)).collect::<Vec<_>>().join(" ").to_lowercase());
                } else {
                    open.push(tokens.iter().copied().chain([token]).collect());
                }
            }
        }
        found
    }

    fn is_subsequence(part: &str, whole: &str) -> bool {
        let mut rest = whole.split(' ');
        part.split(' ').all(|word| rest.any(|other| other == word))
    }

    #[test]
    fn all_outputs_are_subsequences_and_end_as_the_sentence_does() {
        let sentence = "the old man saw the old dog.";
        let spaced = "the old man saw the old dog .";
        let all = outputs(sentence, false);
        assert!(all.contains("the man saw the dog .") && all.contains("man saw dog .") && all.contains(spaced));
        assert!(all.iter().all(|o| is_subsequence(o, spaced) && o.ends_with('.')), "{all:?}");
        // Each of seven words may stay or go; the same words may be reached in two ways, and count once.
        assert!(all.len() <= 128 && all.len() > 90, "{}", all.len());
    }

    #[test]
    fn what_carries_the_meaning_stays_with_what_it_belongs_to() {
        for (sentence, together) in [
            ("the minister did not resign on monday.", &["did not resign"] as &[_]),
            ("the minister may have been seen in town.", &["may have been seen"]),
            ("the minister resigned, police said.", &["police said"]),
            ("the minister resigned, according to a local paper.", &["according to a local paper"]),
            ("some 500 people came to town today.", &["500 people"]),
            ("he couldn't win a big match.", &["couldn't win"]),
        ] {
            let all = outputs(sentence, true);
            assert!(!all.is_empty(), "{sentence}");
            for output in &all {
                assert!(together.iter().all(|t| output.contains(t)), "{sentence}: {output}");
            }
            assert!(all.iter().any(|o| o.split(' ').count() < sentence.split(' ').count() - 1), "{sentence}: {all:?}");
        }
    }

    #[test]
    fn with_its_phrase_or_clause_it_may_go_but_not_out_of_it() {
        for (sentence, phrase, part) in [
            ("a man who never spoke left town.", "who never spoke", "spoke"),
            ("he died at the age of 104 years.", "at the age of 104 years", "age"),
            ("he went home on 12 june today.", "on 12 june", "on"),
        ] {
            let all = outputs(sentence, true);
            assert!(all.iter().any(|o| !o.contains(phrase)), "{sentence}: {all:?}");
            assert!(all.iter().all(|o| o.contains(phrase) || !o.split(' ').any(|w| w == part)), "{sentence}: {all:?}");
        }
        // What the sentence is about cannot go: it would be told of others.
        assert!(outputs("the 500 people of a town left.", true).iter().all(|o| o.contains("500 people")));
    }

    #[test]
    fn a_name_keeps_its_head() {
        let all = outputs("there came Sheikh Hasina Wazed today.", true);
        assert!(all.contains("there came wazed .") && all.contains("there came ."));
        assert!(!all.iter().any(|o| o.contains("sheikh") && !o.contains("wazed")), "{all:?}");
    }

    #[test]
    fn a_limit_of_words_holds_and_takes_away_nothing_else() {
        for (sentence, protected) in
            [("the old man saw the old dog.", false), ("some 500 people, police said, came to town today.", true)]
        {
            let units = units(sentence);
            let guide = || DeletionGuide::new(&units, &[END], protected);
            let words = |output: &String| output.split(' ').filter(|w| !matches!(*w, "." | ",")).count();
            let all = outputs_of(&units, &guide());
            let fewest = all.iter().map(words).min().unwrap();
            for most in 0..=9 {
                let within = outputs_of(&units, &guide().within(most));
                let bound = most.max(fewest);
                let expected: BTreeSet<String> = all.iter().filter(|o| words(o) <= bound).cloned().collect();
                assert_eq!(within, expected, "{sentence}, at most {most}");
            }
        }
    }

    #[test]
    fn a_quotation_is_not_cut_into() {
        let all = outputs("he said (with great care) yes.", true);
        assert!(all.iter().all(|o| o.contains("(with great care)") || !o.contains("with")), "{all:?}");
    }
}
