//! What must not be deleted from a sentence, and what stands and falls together.
use super::units::Unit;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// What a word carries, from `data/en/protected.tsv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Polarity,
    Mood,
    Attribution,
    Auxiliary,
    Opener,
    Number,
    /// Nothing; it stands between others, so that no number counts it.
    Function,
    /// The same, and it begins a phrase.
    Preposition,
}

static WORDS: LazyLock<HashMap<&'static str, Carries>> = LazyLock::new(|| {
    let class = |name: &str| match name {
        "polarity" => Some(Carries::Polarity),
        "mood" => Some(Carries::Mood),
        "attribution" => Some(Carries::Attribution),
        "auxiliary" => Some(Carries::Auxiliary),
        "opener" => Some(Carries::Opener),
        "number" => Some(Carries::Number),
        "function" => Some(Carries::Function),
        "preposition" => Some(Carries::Preposition),
        _ => None,
    };
    let rows = crate::lang::rows(crate::lang::tables::EN_PROTECTED);
    rows.filter_map(|row| row.split_once('\t')).filter_map(|(word, name)| Some((word, class(name)?))).collect()
});

/// Words from a preposition to its quantity at most.
const PHRASE_WORDS: usize = 4;
/// Words of an attribution "according to …" that are kept at most.
const SOURCE_WORDS: usize = 6;

/// What a guide has to respect, one entry a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protection {
    /// The unit cannot be left out.
    pub must: Vec<bool>,
    /// The unit after this one lies no further than here (`usize::MAX`: anywhere).
    pub until: Vec<usize>,
    /// The unit comes only directly after the one before it: it is inside something that stands and falls together.
    inside: Vec<bool>,
}

impl Protection {
    /// Nothing is protected.
    pub fn none(units: usize) -> Self {
        Self { must: vec![false; units], until: vec![usize::MAX; units], inside: vec![false; units] }
    }

    /// Whether a unit may be entered from `last`.
    pub fn enters(&self, unit: usize, last: Option<usize>) -> bool {
        !self.inside[unit] || (unit > 0 && last == Some(unit - 1))
    }

    /// Units that stand and fall together.
    fn bind(&mut self, range: Range<usize>) {
        for unit in range.clone().skip(1) {
            self.inside[unit] = true;
            self.until[unit - 1] = self.until[unit - 1].min(unit);
        }
    }

    /// Units that stay, together.
    fn keep(&mut self, range: Range<usize>) {
        self.must[range.clone()].fill(true);
        self.bind(range);
    }
}

/// Does the word lead up to something: "After", "While", "In"?
pub(super) fn leads_up(word: &str) -> bool {
    matches!(WORDS.get(word.to_lowercase().as_str()), Some(Carries::Opener | Carries::Preposition))
}

/// Reads off a sentence what must stay.
pub(super) fn protect(units: &[Unit]) -> Protection {
    let mut protection = Protection::none(units.len());
    let sentence = Sentence(units);
    for range in sentence.quotations() {
        protection.bind(range);
    }
    for unit in 0..units.len() {
        sentence.protect_at(unit, &mut protection);
    }
    for name in sentence.names() {
        let head = name.end - 1;
        for unit in name.start..head {
            protection.until[unit] = protection.until[unit].min(head);
        }
    }
    protection
}

struct Sentence<'a>(&'a [Unit]);

impl Sentence<'_> {
    fn protect_at(&self, unit: usize, protection: &mut Protection) {
        if self.is_number(unit) {
            let quantity = self.quantity(unit);
            return match self.phrase_before(quantity.start) {
                Some(start) => protection.bind(start..quantity.end),
                None => protection.keep(quantity),
            };
        }
        match self.carries(unit) {
            Some(Carries::Polarity | Carries::Mood) => {
                let range = self.verb_around(unit);
                // With its clause it may go: "a man, who never spoke, left" says nothing else without it.
                if self.is(range.start, Carries::Opener) { protection.bind(range) } else { protection.keep(range) }
            }
            Some(Carries::Attribution) => protection.keep(self.speaker(unit)),
            _ => {}
        }
    }

    fn word(&self, unit: usize) -> String {
        let text = self.0[unit].text.trim_start_matches(|c: char| !c.is_alphanumeric());
        text.to_lowercase().replace('’', "'")
    }

    fn carries(&self, unit: usize) -> Option<Carries> {
        let word = self.word(unit);
        if word.ends_with("n't") {
            return Some(Carries::Polarity);
        }
        // "May 12" is a month.
        let month = self.0[unit].text == "May" && unit > 0;
        WORDS.get(word.as_str()).copied().filter(|_| !month)
    }

    fn is(&self, unit: usize, what: Carries) -> bool {
        unit < self.0.len() && !self.0[unit].is_mark && self.carries(unit) == Some(what)
    }

    fn is_number(&self, unit: usize) -> bool {
        !self.0[unit].is_mark
            && (self.0[unit].text.contains(|c: char| c.is_ascii_digit()) || self.carries(unit) == Some(Carries::Number))
    }

    fn is_name(&self, unit: usize) -> bool {
        let text = &self.0[unit].text;
        !self.0[unit].is_mark && text.chars().next().is_some_and(char::is_uppercase)
    }

    fn is_word(&self, unit: usize) -> bool {
        unit < self.0.len() && !self.0[unit].is_mark
    }

    /// A number with the numbers beside it, what stands before it ("Tk", "US$", "about") and the word that it counts.
    fn quantity(&self, unit: usize) -> Range<usize> {
        let mut range = unit..unit + 1;
        while range.start > 0 && self.is_word(range.start - 1) && self.is_number(range.start - 1) {
            range.start -= 1;
        }
        if range.start > 0 && is_currency(&self.0[range.start - 1].text) {
            range.start -= 1;
        }
        while self.is_word(range.end) && self.is_number(range.end) {
            range.end += 1;
        }
        // "5 per cent", "two other men", "three of the men": the next word is no noun yet.
        let mut end = range.end;
        for _ in 0..3 {
            if !self.is_word(end) {
                break;
            }
            let word = self.word(end);
            let of = end > range.end && self.word(end - 1) == "of";
            let function = self.is(end, Carries::Function) || self.is(end, Carries::Preposition);
            if function && !matches!(word.as_str(), "of" | "per") && !of {
                break; // "in 2013 by": nothing is counted
            }
            end += 1;
            if !matches!(word.as_str(), "per" | "of" | "more" | "other" | "new" | "the") {
                range.end = end;
                break;
            }
        }
        range
    }

    /// Where the phrase begins that a quantity ends: "at the age of 104", "on 12 May". With its phrase a quantity may go;
    /// nothing that stays says anything else then. `None` where it is the subject's or the verb's own.
    fn phrase_before(&self, quantity: usize) -> Option<usize> {
        let before = (0..quantity).rev().take(PHRASE_WORDS).take_while(|&u| self.is_word(u) && !self.is_number(u));
        before.into_iter().find(|&u| self.is(u, Carries::Preposition))
    }

    /// A word of polarity or mood with its auxiliaries, the verb after it, and the opener of a subordinate clause.
    fn verb_around(&self, unit: usize) -> Range<usize> {
        let mut range = unit..unit + 1;
        let part =
            |u: usize| self.is(u, Carries::Auxiliary) || self.is(u, Carries::Mood) || self.is(u, Carries::Polarity);
        while range.start > 0 && self.is_word(range.start - 1) && part(range.start - 1) {
            range.start -= 1;
        }
        while self.is_word(range.end) && (part(range.end) || self.word(range.end).ends_with("ly")) {
            range.end += 1;
        }
        if self.is_word(range.end) {
            range.end += 1;
        }
        // What is denied in a clause of its own must not come to be denied of the main clause's subject.
        let clause =
            (0..range.start).rev().take(6).take_while(|&u| self.is_word(u)).find(|&u| self.is(u, Carries::Opener));
        if let Some(opener) = clause {
            range.start = opener;
        }
        range
    }

    /// "police said", "according to the ministry", "said Karim".
    fn speaker(&self, unit: usize) -> Range<usize> {
        if self.word(unit) == "according" {
            let end =
                (unit + 1..self.0.len()).take(SOURCE_WORDS).find(|&u| !self.is_word(u) || self.is(u, Carries::Opener));
            return unit..end.unwrap_or(self.0.len().min(unit + 1 + SOURCE_WORDS));
        }
        let mut range = unit..unit + 1;
        while range.start > 0 && self.is(range.start - 1, Carries::Auxiliary) {
            range.start -= 1;
        }
        if range.start > 0 && self.is_word(range.start - 1) {
            range.start -= 1;
        } else {
            // The speaker stands behind the verb, up to the next mark.
            let end = (unit + 1..self.0.len()).take(SOURCE_WORDS).find(|&u| !self.is_word(u));
            range.end = end.unwrap_or(range.end);
        }
        range
    }

    /// Runs of capitalized words; the last of a run is the name's head.
    fn names(&self) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut unit = 0;
        while unit < self.0.len() {
            let start = unit;
            while unit < self.0.len() && self.is_name(unit) {
                unit += 1;
            }
            if unit > start + 1 {
                runs.push(start..unit);
            }
            unit += 1;
        }
        runs
    }

    /// What stands in quotation marks or brackets: no word of it may be taken out.
    fn quotations(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut open: Option<usize> = None;
        for (index, unit) in self.0.iter().enumerate() {
            let opens = unit.text.starts_with(['"', '“', '(', '[']) && !unit.is_mark;
            if opens && open.is_none() {
                open = Some(index);
            }
            let mut letters = unit.text.chars();
            if opens {
                letters.next();
            }
            let closes = letters.any(|c| matches!(c, '"' | '”' | ')' | ']'));
            if closes && let Some(start) = open.take() {
                found.push(start..index + 1);
            }
        }
        // A quotation that does not end: all of it.
        found.extend(open.map(|start| start..self.0.len()));
        found
    }
}

/// A currency that stands before its amount.
fn is_currency(word: &str) -> bool {
    matches!(word.trim_end_matches('.'), "Tk" | "Rs" | "BDT" | "INR" | "USD" | "US$" | "EUR")
}
