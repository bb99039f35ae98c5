//! Are the names of the output those of the source?
//!
//! A capitalized English word that is no common word must be the translation of a name in the source (by the
//! [gazetteer](crate::lang::gazetteer)), its sound in Latin letters (by the [transliterator](crate::lang::translit)), or spell an
//! acronym. Names of the source that are surely names must be in the output.
use super::{NAME_LIMIT, NAME_REJECT};
use crate::lang::canonical::canonical;
use crate::lang::endings::{is_case_ending, stem};
use crate::lang::gazetteer::{EntryKind, GAZETTEER, english_words, no_names};
use crate::lang::script::is_bengali;
use crate::lang::translit::{self, Unit};
use crate::lang::words::{has_common_ending, is_common_english, is_institution, is_name_part, is_person_title};
use crate::text::{Finding, FindingKind, Severity};

/// How many of the source's certain names the output keeps, with what is wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NameCheck {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Names of the source that must be in the output, …
    pub expected: usize,
    /// … and those that are.
    pub kept: usize,
    /// Bengali word (without its case ending) and the English one that spells it, for consistency in an article.
    pub pairs: Vec<(String, String)>,
}

/// As [`NAME_LIMIT`], for two words taken together: one good half must not carry a bad one.
const JOINED_LIMIT: f32 = 1.1;

/// A Bengali word of the source.
pub(super) struct SourceWord {
    pub(super) text: String,
    pub(super) units: Vec<Unit>,
}

/// A capitalized word of the output.
pub(super) struct Candidate {
    /// As written, without a possessive ending.
    pub(super) text: String,
    pub(super) letters: Vec<u8>,
    /// At the beginning of a sentence or quotation, where every word is capitalized.
    pub(super) initial: bool,
    /// Byte of the output where it starts.
    pub(super) start: usize,
    /// Index among all words, so that neighbors are known.
    index: usize,
}

/// Compares the names of a source sentence with those of its translation.
pub fn check_names(source: &str, output: &str) -> NameCheck {
    let source = canonical(source);
    let words = source_words(&source);
    let entries = entries(&source);
    let latin: Vec<String> = latin_words(&source);
    let (candidates, all) = candidates(output);
    let mut check = NameCheck::default();
    let mut matched = vec![false; words.len()];
    let mut invented = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        match judge(candidate, &candidates[i + 1..], &words, &entries, &latin) {
            Verdict::Fine => {}
            Verdict::Spells(w) => {
                matched[w] = true;
                if words[w].text.chars().count() >= 3 {
                    check.pairs.push((stem(&words[w].text).to_string(), candidate.text.clone()));
                }
            }
            Verdict::Invented => invented.push(candidate),
        }
    }
    missing_names(&words, &entries, &all, output, &mut check);
    drop_split_spellings(&mut invented, &candidates, &words);
    for candidate in invented {
        let known = !GAZETTEER.with_word(&candidate.text.to_lowercase()).is_empty();
        let severity = if candidate.initial && !known { Severity::Warning } else { Severity::Serious };
        let message = match nearest(candidate, &words, &matched) {
            Some(word) => format!("{} resembles no name of the source (the nearest is {})", candidate.text, word),
            None => format!("{} resembles no name of the source", candidate.text),
        };
        check.findings.push(Finding { kind: FindingKind::NameInvented, severity, segment: None, message });
    }
    check
}

enum Verdict {
    /// Not a name, or one that the source has in other words.
    Fine,
    /// Spells the source's word of this index.
    Spells(usize),
    Invented,
}

fn judge(
    candidate: &Candidate,
    following: &[Candidate],
    words: &[SourceWord],
    entries: &[(usize, &str)],
    latin: &[String],
) -> Verdict {
    let lower = candidate.text.to_lowercase();
    // what the tables know is fine, but of persons and towns it is worth knowing which word was spelled how
    let known = |spelled: bool| {
        let kind = |entry: usize| matches!(GAZETTEER.entries[entry].kind, EntryKind::Person | EntryKind::Town);
        entries.iter().any(|&(entry, _)| kind(entry) == spelled && GAZETTEER.derives(entry, &lower))
    };
    if latin.contains(&lower) || known(false) {
        return Verdict::Fine;
    }
    let capitals = candidate.text.strip_suffix('s').filter(|c| c.len() >= 2).unwrap_or(&candidate.text);
    let acronym = capitals.len() >= 2 && capitals.chars().all(char::is_uppercase);
    if acronym && (spells_acronym(capitals, words) || initials(capitals, entries)) {
        return Verdict::Fine;
    }
    if is_institution(&lower) {
        return Verdict::Fine;
    }
    let known_name =
        !acronym && GAZETTEER.with_word(&lower).iter().any(|&e| matches!(GAZETTEER.entries[e].kind, EntryKind::Place));
    if !known_name && (is_common_english(&lower) || has_common_ending(&lower, candidate.initial)) {
        return Verdict::Fine;
    }
    let (best, distance) = closest(&candidate.letters, words);
    if distance <= NAME_LIMIT {
        return Verdict::Spells(best);
    }
    if known(true) {
        return Verdict::Fine;
    }
    // two words of one side may be one of the other: Cox's Bazar, কক্সবাজার; New York, নিউইয়র্ক
    let joined = following
        .first()
        .filter(|next| next.index == candidate.index + 1)
        .map(|next| [&candidate.letters[..], &next.letters].concat());
    if joined.is_some_and(|letters| closest(&letters, words).1 <= JOINED_LIMIT)
        || closest_joined(&candidate.letters, words) <= JOINED_LIMIT
    {
        return Verdict::Fine;
    }
    if acronym {
        // an acronym may abbreviate words that the source spells out; only a short source can be sure that it doesn't
        return Verdict::Fine;
    }
    let limit = if candidate.initial && !known_name { NAME_REJECT + 0.3 } else { NAME_REJECT };
    if distance > limit && candidate.letters.len() >= 4 { Verdict::Invented } else { Verdict::Fine }
}

/// The source word that the letters are likeliest to spell.
fn closest(letters: &[u8], words: &[SourceWord]) -> (usize, f32) {
    let mut best = (0, f32::INFINITY);
    for (i, word) in words.iter().enumerate() {
        let distance = translit::distance(&word.units, letters);
        if distance < best.1 {
            best = (i, distance);
        }
    }
    best
}

/// The same for two neighboring source words written as one in English.
fn closest_joined(letters: &[u8], words: &[SourceWord]) -> f32 {
    words
        .windows(2)
        .map(|w| translit::distance(&[&w[0].units[..], &w[1].units].concat(), letters))
        .fold(f32::INFINITY, f32::min)
}

/// The second half of a name whose two words together are one word of the source is no invention.
fn drop_split_spellings(invented: &mut Vec<&Candidate>, candidates: &[Candidate], words: &[SourceWord]) {
    invented.retain(|candidate| {
        let before = candidates.iter().find(|c| c.index + 1 == candidate.index);
        !before
            .is_some_and(|before| closest(&[&before.letters[..], &candidate.letters].concat(), words).1 <= JOINED_LIMIT)
    });
}

/// The unmatched source word that an invented name is nearest to, with its likely spelling.
fn nearest(candidate: &Candidate, words: &[SourceWord], matched: &[bool]) -> Option<String> {
    let free = words.iter().zip(matched).filter(|(_, matched)| !**matched).map(|(word, _)| word);
    let (word, distance) = free
        .map(|word| (word, translit::distance(&word.units, &candidate.letters)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    (distance < 3.0).then(|| format!("{}, {}", word.text, translit::spell(stem(&word.text))))
}

/// Names that are surely names: places of the table, words after মো. and the like, common parts of persons' names.
fn missing_names(
    words: &[SourceWord],
    entries: &[(usize, &str)],
    all: &[Vec<u8>],
    output: &str,
    check: &mut NameCheck,
) {
    let lower = output.to_lowercase();
    let output_words: Vec<String> = english_words(&lower).collect();
    let mut expect = |name: &str, kept: bool| {
        check.expected += 1;
        if kept {
            check.kept += 1;
        } else {
            let message = format!("{name} is missing from the translation");
            check.findings.push(Finding {
                kind: FindingKind::NameMissing,
                severity: Severity::Warning,
                segment: None,
                message,
            });
        }
    };
    let spelled = |units: &[Unit]| {
        let near = |letters: &[u8]| letters.len() >= 2 && translit::distance(units, letters) <= NAME_LIMIT + 0.3;
        all.iter().any(|w| near(w))
            || all.windows(2).any(|w| near(&w.concat()))
            || all.windows(3).any(|w| near(&w.concat()))
    };
    let mut seen: Vec<&str> = Vec::new();
    for &(entry, rest) in entries {
        let entry_data = &GAZETTEER.entries[entry];
        let certain = entry_data.kind == EntryKind::Place && is_case_ending(rest) && !entry_data.ambiguous;
        if !certain || seen.contains(&entry_data.bengali.as_str()) {
            continue;
        }
        // within a longer name of the table (ভারত মহাসাগর), the longer one counts
        if entries
            .iter()
            .any(|&(other, _)| other != entry && GAZETTEER.entries[other].bengali.contains(entry_data.bengali.as_str()))
        {
            continue;
        }
        seen.push(&entry_data.bengali);
        let translated = GAZETTEER.is_translated(entry, &output_words);
        let kept = translated || translit::units(&entry_data.bengali).is_some_and(|units| spelled(&units));
        expect(&format!("{} ({})", entry_data.bengali, entry_data.english[0]), kept);
    }
    expect_acronyms(words, entries, output, &output_words, &mut expect);
    for (i, word) in words.iter().enumerate() {
        let after_title = i > 0 && is_person_title(&words[i - 1].text) && word.text.chars().count() >= 3;
        if (after_title || is_name_part(stem(&word.text))) && !seen.contains(&word.text.as_str()) {
            seen.push(&word.text);
            let known = entries.iter().any(|&(e, _)| {
                GAZETTEER.entries[e].bengali == stem(&word.text) && output_words.iter().any(|w| GAZETTEER.derives(e, w))
            });
            expect(&format!("{} ({})", word.text, translit::spell(stem(&word.text))), known || spelled(&word.units));
        }
    }
}

/// The output with the source's acronyms without the full stops that a model puts between their letters.
pub(crate) fn mend_acronyms(source: &str, output: &str) -> Option<String> {
    let source = canonical(source);
    let by_table = entries(&source)
        .into_iter()
        .filter(|(entry, rest)| GAZETTEER.entries[*entry].kind == EntryKind::Organization && is_case_ending(rest));
    let by_table = by_table.map(|(entry, _)| GAZETTEER.entries[entry].english[0].to_owned());
    let by_letter =
        source_words(&source).into_iter().filter_map(|word| Some(crate::lang::letters::acronym(&word.text)?.0));
    let mut mended: Option<String> = None;
    for letters in by_table.chain(by_letter) {
        if letters.len() >= 2 && letters.chars().all(|c| c.is_ascii_uppercase()) {
            let text = mended.as_deref().unwrap_or(output);
            mended = crate::lang::letters::without_dots(text, &letters).or(mended);
        }
    }
    mended
}

/// Acronyms of the source, by the tables or letter by letter, that must be there as they are or spelled out.
fn expect_acronyms(
    words: &[SourceWord],
    entries: &[(usize, &str)],
    output: &str,
    output_words: &[String],
    expect: &mut dyn FnMut(&str, bool),
) {
    let spelled_out = |letters: &str| {
        let initials: String = output
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !matches!(*word, "of" | "the" | "and" | "for" | "in" | "on"))
            .filter_map(|word| word.chars().next())
            .collect();
        initials.contains(letters)
    };
    let mut seen: Vec<String> = Vec::new();
    for &(entry, rest) in entries {
        let data = &GAZETTEER.entries[entry];
        let letters = data.english[0];
        let acronym = (2..=6).contains(&letters.len()) && letters.chars().all(|c| c.is_ascii_uppercase());
        if data.kind == EntryKind::Organization && acronym && is_case_ending(rest) && !seen.contains(&data.bengali) {
            seen.push(data.bengali.clone());
            let kept = GAZETTEER.is_translated(entry, output_words) || spelled_out(letters);
            expect(&format!("{} ({letters})", data.bengali), kept);
        }
    }
    for word in words {
        let Some((letters, _)) = crate::lang::letters::acronym(&word.text) else { continue };
        let known = entries.iter().any(|&(entry, _)| word.text.starts_with(GAZETTEER.entries[entry].bengali.as_str()));
        if !known && !seen.contains(&word.text) {
            seen.push(word.text.clone());
            let kept = output_words.contains(&letters.to_lowercase()) || spelled_out(&letters);
            expect(&format!("{} ({letters})", word.text), kept);
        }
    }
}

/// Bengali words of canonical text.
pub(super) fn source_words(text: &str) -> Vec<SourceWord> {
    let mut out = Vec::new();
    let mut start = None;
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_bengali(c), start) {
            (true, None) => start = Some(i),
            (false, Some(from)) => {
                if let Some(units) = translit::units(&text[from..i]) {
                    out.push(SourceWord { text: text[from..i].to_string(), units });
                }
                start = None;
            }
            _ => {}
        }
    }
    out
}

/// Words in Latin letters that the source has itself.
fn latin_words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphabetic() || is_bengali(c)).filter(|w| w.len() > 1).map(str::to_lowercase).collect()
}

/// Entries of the gazetteer in the source, with the rest of the word after them.
pub(super) fn entries(source: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut inside = false;
    let none = no_names(source);
    for (i, c) in source.char_indices() {
        let letter = is_bengali(c);
        if letter && !inside && !none.iter().any(|range| range.contains(&i)) {
            out.extend(GAZETTEER.at(&source[i..]).filter(|(_, rest)| rest.chars().count() <= 5));
        }
        inside = letter;
    }
    out
}

/// Capitalized words of the output that may be names, and the letters of all its words.
pub(super) fn candidates(output: &str) -> (Vec<Candidate>, Vec<Vec<u8>>) {
    let (mut out, mut all) = (Vec::new(), Vec::new());
    let mut initial = true;
    let mut from = None;
    for (i, c) in output.char_indices().chain([(output.len(), ' ')]) {
        let inside = c.is_alphabetic() && !is_bengali(c);
        match (inside, from) {
            (true, None) => from = Some(i),
            (false, Some(start)) => {
                let text = &output[start..i];
                let possessive = text == "s" && output[..start].ends_with(['\'', '’']);
                if !possessive {
                    let letters = translit::latin(text);
                    if text.starts_with(char::is_uppercase) && letters.len() >= 2 {
                        out.push(Candidate {
                            text: text.to_string(),
                            letters: letters.clone(),
                            initial,
                            start,
                            index: all.len(),
                        });
                    }
                    all.push(letters);
                    initial = false;
                }
                from = None;
            }
            _ => {}
        }
        if matches!(c, '.' | '?' | '!' | ':' | ';' | '"' | '“' | '\n') {
            initial = true;
        }
    }
    (out, all)
}

/// Does a source word (or several, or one with dots between) read out the letters of the acronym?
fn spells_acronym(acronym: &str, words: &[SourceWord]) -> bool {
    let spelled: String = acronym.chars().filter_map(crate::lang::letters::usual_name).collect();
    let joined: String = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join("");
    let loose =
        |text: &str| text.replace(['ী', 'ঈ'], "ি").replace('ঃ', "").replace("ডাব্লিউ", "ডব্লিউ").replace("ডব্লু", "ডব্লিউ");
    loose(&joined).contains(&loose(&spelled))
        || words.iter().any(|w| translit::distance(&w.units, &translit::latin(acronym)) <= NAME_LIMIT)
}

/// Initials of an English name that the table gives for something in the source.
fn initials(acronym: &str, entries: &[(usize, &str)]) -> bool {
    entries.iter().any(|&(entry, _)| {
        GAZETTEER.entries[entry].english.iter().any(|name| {
            let initials: String =
                name.split([' ', '-']).filter_map(|w| w.chars().next()).filter(|c| c.is_uppercase()).collect();
            initials.len() >= 2 && initials == acronym
        })
    })
}
