//! Names that the model spelled its own way, put right after the built-in tables.
use super::names::{Candidate, candidates, entries, source_words};
use super::{NAME_LIMIT, NAME_REJECT};
use crate::lang::canonical::canonical;
use crate::lang::endings::is_case_ending;
use crate::lang::gazetteer::{EntryKind, GAZETTEER, english_words};
use crate::lang::translit::{self, Unit};
use crate::lang::words::{has_common_ending, is_common_english, is_institution};
use crate::text::{Finding, FindingKind, Severity};

/// Nats a letter up to which a word that spells nothing in the source is taken for a slip of the pen.
const SLIP: f32 = 2.4;

/// A word of a name in the source that the tables know.
struct Known {
    bengali: String,
    units: Vec<Unit>,
    /// The usual spelling.
    english: String,
}

/// The output with the usual spelling of the source's known names where a word stands that is another spelling of one
/// ("Sheik"), or that is nothing else's and near enough to be a slip ("Naped" for Nepal), and notes that say so.
///
/// The transliterator's own spellings are not used: they are too often unusual ones.
pub fn respell_names(source: &str, output: &str) -> Option<(String, Vec<Finding>)> {
    let source = canonical(source);
    let known = known_words(&source, output);
    if known.is_empty() {
        return None;
    }
    let words = source_words(&source);
    let entries = entries(&source);
    let (found, _) = candidates(output);
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    for candidate in &found {
        let lower = candidate.text.to_lowercase();
        let acronym = candidate.text.chars().skip(1).any(char::is_uppercase);
        if acronym
            || candidate.letters.len() < 4
            || is_common_english(&lower)
            || is_institution(&lower)
            || has_common_ending(&lower, candidate.initial)
            || entries.iter().any(|&(entry, _)| GAZETTEER.derives(entry, &lower))
        {
            continue;
        }
        let Some(name) = meant(candidate, &known) else { continue };
        let own = translit::distance(&name.units, &candidate.letters);
        // a slip must be like nothing else in the source, a spelling only clearly less so
        let beyond = if own <= NAME_LIMIT { own + 0.4 } else { own.max(NAME_REJECT) };
        let mut others = words.iter().filter(|word| !word.text.starts_with(&name.bengali));
        if others.all(|word| translit::distance(&word.units, &candidate.letters) > beyond) {
            changes.push((candidate.start, candidate.start + candidate.text.len(), name.english.clone()));
        }
    }
    // two words that would become the same name: no telling which
    let unsure: Vec<bool> = changes
        .iter()
        .map(|c| changes.iter().filter(|d| d.2 == c.2 && output[d.0..d.1] != output[c.0..c.1]).count() > 0)
        .collect();
    let (mut text, mut notes) = (output.to_string(), Vec::new());
    for (&(start, end, ref name), _) in changes.iter().zip(unsure).rev().filter(|(_, unsure)| !unsure) {
        text.replace_range(start..end, name);
        let message = format!("the model had written {}; {name} is the usual spelling", &output[start..end]);
        notes.push(Finding { kind: FindingKind::NameInvented, severity: Severity::Note, segment: None, message });
    }
    notes.reverse();
    (!notes.is_empty()).then_some((text, notes))
}

/// The known name that a word is a spelling or a slip of.
fn meant<'k>(candidate: &Candidate, known: &'k [Known]) -> Option<&'k Known> {
    let distance = |name: &Known| translit::distance(&name.units, &candidate.letters);
    let best = known.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let near = distance(best);
    let same_start = best.english.chars().next() == candidate.text.chars().next();
    let lengths = best.english.len().abs_diff(candidate.text.len());
    (near <= NAME_LIMIT || near <= SLIP && same_start && lengths <= 2).then_some(best)
}

/// Words of the source's known places and persons whose English is not yet in the output.
fn known_words(source: &str, output: &str) -> Vec<Known> {
    let there: Vec<String> = english_words(output).collect();
    let mut out: Vec<Known> = Vec::new();
    for (index, rest) in entries(source) {
        let entry = &GAZETTEER.entries[index];
        let name = matches!(entry.kind, EntryKind::Place | EntryKind::Town | EntryKind::Person);
        if !name || !is_case_ending(rest) || entry.ambiguous {
            continue;
        }
        let bengali: Vec<&str> = entry.bengali.split(' ').collect();
        let english: Vec<&str> = entry.english[0].split(' ').collect();
        if bengali.len() != english.len() {
            continue;
        }
        for (i, (bengali, english)) in bengali.into_iter().zip(english).enumerate() {
            let accepted = entry.english.iter().filter_map(|form| form.split(' ').nth(i)).map(str::to_lowercase);
            let present = accepted.into_iter().any(|form| there.contains(&form));
            let proper = english.chars().all(char::is_alphabetic) && english.starts_with(char::is_uppercase);
            let Some(units) = translit::units(bengali).filter(|_| proper && !present) else { continue };
            // the table's English may be no transliteration (ভারত, India)
            if translit::distance(&units, &translit::latin(english)) <= NAME_LIMIT {
                out.push(Known { bengali: bengali.to_string(), units, english: english.to_string() });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_get_their_usual_spelling() {
        for (source, output, expected) in [
            ("শেখ হাসিনা বলেন", "Sheik Hasina said", "Sheikh Hasina said"),
            ("শেখ হাসিনার সঙ্গে", "with Sheikh Hassina's party", "with Sheikh Hasina's party"),
            ("ভুটান, ভারত ও নেপাল", "Bhutan, India and Naped", "Bhutan, India and Nepal"),
            ("নারায়ণগঞ্জে আগুন", "Fire in Narayangonj", "Fire in Narayanganj"),
        ] {
            let (text, notes) = respell_names(source, output).unwrap();
            assert_eq!(text, expected);
            assert!(notes.iter().all(|n| n.severity == Severity::Note) && notes[0].message.contains("had written"));
        }
    }

    #[test]
    fn accepted_spellings_other_names_and_other_words_stay() {
        for (source, output) in [
            ("শেখ হাসিনা বলেন", "Sheikh Hasina said"),
            ("বরিশালে বৃষ্টি", "Rain in Barisal"),
            ("মো. হোসেন এলেন", "Md Hussain came"),
            ("ঢাকায় বৃষ্টি", "Rain in Delhi"),
            ("ভারতে বৃষ্টি", "Rain in Bharat"),
            ("নেপালের মন্ত্রী", "The Nepalese minister"),
            ("করিম ও কারিনা", "Karim and Karina"),
            ("ঢাকা", ""),
        ] {
            assert_eq!(respell_names(source, output), None, "{output}");
        }
    }
}
