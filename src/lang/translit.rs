//! Bengali names in Latin letters: how likely is a spelling, and which is the likeliest.
//!
//! A Bengali word is a sequence of units (letters, vowels visible or inherent, some conjuncts); each unit is spelled
//! with 0 to 3 Latin letters. The probabilities were learned by expectation maximization from 17,000 pairs of
//! Wikipedia and place names (`scripts/names/learn.py`); they stand in `data/bn/sounds.tsv` as thousandths of a nat.
use super::{Words, rows, tables};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Cost in nats of a Latin letter that no unit accounts for.
const EXTRA_CONSONANT: f32 = 4.5;
const EXTRA_VOWEL: f32 = 2.6;
/// Cost of a unit that isn't spelled, where the table knows no better.
const SILENT_CONSONANT: f32 = 4.8;
const SILENT_VOWEL: f32 = 2.6;
/// Cost of a unit spelled with a letter that the table doesn't know for it.
const OTHER_LETTER: f32 = 5.5;
/// Cost of letters of the Bengali word that stand after or before the part that is compared.
const TAIL: f32 = 5.5;
const HEAD: f32 = 7.0;
const CASE_ENDING: f32 = 0.25;

const INHERENT: &str = "-";

/// One spelling unit of a Bengali word, an index into the table.
pub(crate) type Unit = u8;

struct Table {
    ids: HashMap<&'static str, Unit>,
    names: Vec<&'static str>,
    /// For each unit its spellings with their costs, the likeliest first.
    spellings: Vec<Vec<(&'static [u8], f32)>>,
    /// Cost of the unit's not being spelled at all.
    silent: Vec<f32>,
    inherent: Unit,
    /// Case endings and particles as units.
    endings: Vec<Vec<Unit>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// Case endings, particles and classifiers that follow names.
static ENDINGS: Words = Words::new(tables::BN_ENDINGS, "sound");

impl Table {
    fn new() -> Self {
        let mut table = Self {
            ids: HashMap::new(),
            names: Vec::new(),
            spellings: Vec::new(),
            silent: Vec::new(),
            inherent: 0,
            endings: Vec::new(),
        };
        for line in rows(tables::BN_SOUNDS) {
            let Some((unit, spellings)) = line.split_once('\t') else { continue };
            let vowel = is_vowel_unit(unit);
            let mut silent = if vowel { SILENT_VOWEL } else { SILENT_CONSONANT };
            let mut list = Vec::new();
            for (chunk, cost) in spellings.split(' ').filter_map(|s| s.split_once(':')) {
                let cost = cost.parse::<f32>().unwrap_or(9999.0) / 1000.0;
                if chunk == "_" { silent = silent.min(cost) } else { list.push((chunk.as_bytes(), cost)) }
            }
            table.ids.insert(unit, table.names.len() as Unit);
            table.names.push(unit);
            table.spellings.push(list);
            table.silent.push(silent);
        }
        table.inherent = table.ids.get(INHERENT).copied().unwrap_or(0);
        table.endings = ENDINGS.longest_first().iter().filter_map(|ending| table.units(ending)).collect();
        table
    }

    fn units(&self, word: &str) -> Option<Vec<Unit>> {
        let letters: Vec<char> = word.chars().collect();
        let mut out = Vec::with_capacity(letters.len() + 4);
        let mut i = 0;
        while i < letters.len() {
            let (c, next) = (letters[i], letters.get(i + 1).copied().unwrap_or(' '));
            let (name, length): (String, usize) = match (c, next, letters.get(i + 2)) {
                ('ক', '্', Some('ষ')) => ("ক্ষ".into(), 3),
                ('জ', '্', Some('ঞ')) => ("জ্ঞ".into(), 3),
                ('্', 'য' | 'ব' | 'ম', _) if !out.is_empty() => (format!("্{next}"), 2),
                ('্', _, _) => {
                    i += 1;
                    continue;
                }
                _ => (independent(c).to_string(), 1),
            };
            i += length;
            out.push(*self.ids.get(name.as_str())?);
            let consonant = !is_vowel_unit(&name) && !matches!(c, 'ং' | 'ঃ' | 'ঁ' | 'ৎ');
            let follows = letters.get(i).copied();
            if consonant && !follows.is_some_and(|f| f == '্' || independent(f) != f) {
                out.push(self.inherent);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

/// The independent letter of a vowel sign; any other character as it is.
fn independent(c: char) -> char {
    match c {
        'া' => 'আ',
        'ি' => 'ই',
        'ী' => 'ঈ',
        'ু' => 'উ',
        'ূ' => 'ঊ',
        'ৃ' => 'ঋ',
        'ে' => 'এ',
        'ৈ' => 'ঐ',
        'ো' => 'ও',
        'ৌ' => 'ঔ',
        other => other,
    }
}

fn is_vowel_unit(unit: &str) -> bool {
    unit == INHERENT || unit.starts_with(['অ', 'আ', 'ই', 'ঈ', 'উ', 'ঊ', 'ঋ', 'এ', 'ঐ', 'ও', 'ঔ'])
}

/// Spelling units of a canonical Bengali word; `None` if it holds anything but Bengali letters.
pub(crate) fn units(word: &str) -> Option<Vec<Unit>> {
    TABLE.units(word)
}

/// Lower-case letters a–z of a Latin word, accents dropped.
pub(crate) fn latin(word: &str) -> Vec<u8> {
    use unicode_normalization::UnicodeNormalization;
    if word.is_ascii() {
        return word.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase()).collect();
    }
    word.nfkd().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase() as u8).collect()
}

/// How unlikely `letters` is as a spelling of the word or of the word without its case ending: nats a letter,
/// about 0.5 for a usual spelling, above 2 for another word.
pub(crate) fn distance(units: &[Unit], letters: &[u8]) -> f32 {
    if units.is_empty() || letters.is_empty() {
        return f32::INFINITY;
    }
    let table = &*TABLE;
    let (n, m) = (units.len(), letters.len());
    let width = m + 1;
    let mut costs = vec![f32::INFINITY; (n + 1) * width];
    for i in 0..=n {
        let start = i * width;
        // the compared part may start inside the word
        let head = if i == 0 { 0.0 } else { HEAD + 0.3 * i as f32 };
        costs[start] = costs[start].min(head);
        for j in 0..=m {
            let here = costs[start + j];
            if !here.is_finite() {
                continue;
            }
            if j < m {
                let extra = if is_vowel(letters[j]) {
                    EXTRA_VOWEL
                } else if j > 0 && letters[j] == letters[j - 1] {
                    1.0
                } else {
                    EXTRA_CONSONANT
                };
                lower(&mut costs[start + j + 1], here + extra);
            }
            let Some(&unit) = units.get(i) else { continue };
            let unit = usize::from(unit);
            lower(&mut costs[start + width + j], here + table.silent[unit]);
            if j < m {
                lower(&mut costs[start + width + j + 1], here + OTHER_LETTER);
            }
            for (chunk, cost) in &table.spellings[unit] {
                if letters[j..].starts_with(chunk) {
                    lower(&mut costs[start + width + j + chunk.len()], here + cost);
                }
            }
        }
    }
    let mut best = f32::INFINITY;
    for i in 1..=n {
        let rest = &units[i..];
        let tail = if rest.is_empty() {
            0.0
        } else if is_ending(rest) {
            CASE_ENDING
        } else {
            TAIL + 0.4 * rest.len() as f32
        };
        lower(&mut best, costs[i * width + m] + tail);
    }
    best / m.max(sounded(units)) as f32
}

/// Is this what may follow a name within its word? A final inherent vowel before the ending doesn't count.
fn is_ending(rest: &[Unit]) -> bool {
    let rest = if rest.first() == Some(&TABLE.inherent) { &rest[1..] } else { rest };
    rest.is_empty() || TABLE.endings.iter().any(|e| e == rest)
}

/// Units beside inherent vowels, up to half more than which a spelling is long. Case endings are left out by the
/// shorter of the two lengths winning in [`distance`].
fn sounded(units: &[Unit]) -> usize {
    units.iter().filter(|&&u| u != TABLE.inherent).count() / 2
}

fn lower(slot: &mut f32, cost: f32) {
    if cost < *slot {
        *slot = cost;
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'w' | b'h')
}

/// The likeliest spelling of a canonical Bengali word, with a capital; empty if it isn't one.
pub fn spell(word: &str) -> String {
    let Some(units) = units(&super::canonical::canonical(word)) else { return String::new() };
    let table = &*TABLE;
    let inherent = |i: usize| units.get(i) == Some(&table.inherent);
    let mut out = String::new();
    for (i, &unit) in units.iter().enumerate() {
        if inherent(i) {
            // kept in the first syllable and before two consonants' worth of word, dropped at the end
            let spoken = i + 1 < units.len() && (i == 1 || !inherent(i + 2)) && !(i > 1 && inherent(i.wrapping_sub(2)));
            let vowel_follows = units.get(i + 1).is_some_and(|&u| is_vowel_unit(table.names[usize::from(u)]));
            if spoken && !vowel_follows {
                out.push('a');
            }
            continue;
        }
        let (chunk, cost) = table.spellings[usize::from(unit)].first().copied().unwrap_or((b"", 0.0));
        if cost <= table.silent[usize::from(unit)] {
            out.push_str(std::str::from_utf8(chunk).unwrap_or_default());
        }
    }
    let mut letters = out.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::canonical::canonical;

    fn far(bengali: &str, english: &str) -> f32 {
        distance(&units(&canonical(bengali)).unwrap(), &latin(english))
    }

    #[test]
    fn usual_spellings_are_near_and_other_names_far() {
        for (bengali, english) in [
            ("হাসিনা", "Hasina"),
            ("চট্টোপাধ্যায়", "Chattopadhyay"),
            ("লাভরভের", "Lavrov"),
            ("মুহাম্মদ", "Muhammad"),
            ("রহমানকে", "Rahman"),
            ("জাপানে", "Japan"),
            ("ট্রাম্প", "Trump"),
        ] {
            assert!(far(bengali, english) < 1.2, "{bengali} {english}: {}", far(bengali, english));
        }
        for (bengali, english) in [("লাভরভ", "Alexandrov"), ("হাসিনা", "Khaleda"), ("রহমান", "Karim"), ("ঢাকা", "Delhi")]
        {
            assert!(far(bengali, english) > 1.6, "{bengali} {english}: {}", far(bengali, english));
        }
    }

    #[test]
    fn spells_names_readably() {
        for (bengali, english) in [("হাসিনা", "Hasina"), ("করিম", "Karim"), ("নজরুল", "Najrul"), ("ঢাকা", "Dhaka")]
        {
            assert_eq!(spell(bengali), english);
        }
        assert_eq!(spell("abc"), "");
    }
}
