//! Built-in tables of names and their English: countries, cities, organizations, titles (`data/bn/names.tsv`), towns
//! (`towns.tsv`) and persons (`persons.tsv`).
use super::{rows, tables};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What an entry of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Place,
    /// A smaller place: known, but not so surely a name that a translation without it is doubted.
    Town,
    /// A nation, a faith, its language or adjective; a family.
    People,
    /// A person's name or a word of one.
    Person,
    Organization,
    Title,
    Term,
}

/// A Bengali name and what it is called in English.
#[derive(Debug, Clone)]
pub struct Entry {
    /// In the spelling that the checks compare in.
    pub bengali: String,
    /// The preferred form first.
    pub english: Vec<&'static str>,
    pub kind: EntryKind,
    /// Also an ordinary word.
    pub ambiguous: bool,
}

/// The table with its indices.
pub struct Gazetteer {
    pub entries: Vec<Entry>,
    /// Entries by the first letter of their Bengali form.
    by_first: HashMap<char, Vec<usize>>,
    /// Entries by each lower-case word of their English forms.
    by_word: HashMap<String, Vec<usize>>,
}

/// The built-in tables.
pub static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    let mut out = Gazetteer { entries: Vec::new(), by_first: HashMap::new(), by_word: HashMap::new() };
    for line in rows(tables::BN_NAMES) {
        let mut fields = line.split('\t');
        let (Some(bengali), Some(english), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let kind = match kind {
            "place" => EntryKind::Place,
            "town" => EntryKind::Town,
            "people" => EntryKind::People,
            "person" => EntryKind::Person,
            "org" => EntryKind::Organization,
            "title" => EntryKind::Title,
            _ => EntryKind::Term,
        };
        out.add(bengali, english, kind, fields.next() == Some("ambiguous"));
    }
    for (table, kind) in [(tables::BN_TOWNS, EntryKind::Town), (tables::BN_PERSON_WORDS, EntryKind::Person)] {
        rows(table).filter_map(|line| line.split_once('\t')).for_each(|(b, e)| out.add(b, e, kind, false));
    }
    // The further tables come last: where an earlier one has a name, its English is preferred.
    for table in [tables::BN_TERMS, tables::BN_TITLES, tables::BN_ORGANIZATIONS, tables::BN_PERSONS, tables::BN_PLACES]
    {
        for line in rows(table) {
            let mut fields = line.split('\t');
            let (Some(bengali), Some(english), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let kind = match kind {
                "place" | "town" => EntryKind::Town,
                "people" => EntryKind::People,
                "person" => EntryKind::Person,
                "org" => EntryKind::Organization,
                "title" => EntryKind::Title,
                _ => EntryKind::Term,
            };
            out.add(bengali, english, kind, false);
        }
    }
    out
});

/// Lower-case words of an English name, without possessive endings.
pub(crate) fn english_words(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty() && *w != "s").map(str::to_lowercase)
}

impl Gazetteer {
    fn add(&mut self, bengali: &str, english: &'static str, kind: EntryKind, ambiguous: bool) {
        let bengali = bengali.to_string();
        if bengali.contains("র্য") {
            // articles keep the joiner that the checks drop: র‍্যাব
            self.insert(bengali.replace("র্য", "র\u{200d}্য"), english, kind, ambiguous);
        }
        self.insert(bengali, english, kind, ambiguous);
    }

    fn insert(&mut self, bengali: String, english: &'static str, kind: EntryKind, ambiguous: bool) {
        let index = self.entries.len();
        if let Some(first) = bengali.chars().next() {
            self.by_first.entry(first).or_default().push(index);
        }
        let english: Vec<&str> = english.split('|').collect();
        for word in english.iter().flat_map(|e| english_words(e)) {
            let list = self.by_word.entry(word).or_default();
            if !list.contains(&index) {
                list.push(index);
            }
        }
        self.entries.push(Entry { bengali, english, kind, ambiguous });
    }

    /// Entries whose Bengali form starts at the beginning of `text` (canonical, at a word's beginning), with the rest
    /// of the word that follows it.
    pub fn at<'t>(&self, text: &'t str) -> impl Iterator<Item = (usize, &'t str)> + use<'_, 't> {
        let candidates = text.chars().next().and_then(|first| self.by_first.get(&first)).map_or(&[][..], Vec::as_slice);
        candidates.iter().filter_map(move |&i| {
            let rest = text.strip_prefix(self.entries[i].bengali.as_str())?;
            let end = rest.find(|c| !crate::lang::script::is_bengali(c)).unwrap_or(rest.len());
            Some((i, &rest[..end]))
        })
    }

    /// Entries that have this lower-case word in an English form.
    pub fn with_word(&self, word: &str) -> &[usize] {
        self.by_word.get(word).map_or(&[], Vec::as_slice)
    }

    /// Is one of the entry's English forms there, with all its words, among the lower-case words of a text?
    pub fn is_translated(&self, entry: usize, words: &[String]) -> bool {
        self.entries[entry].english.iter().any(|form| {
            let mut parts = english_words(form).peekable();
            parts.peek().is_some() && parts.all(|part| words.iter().any(|word| derives_from(&part, word)))
        })
    }

    /// Is the lower-case word the word of an entry, or made from it (Malaysian, Italians)?
    pub fn derives(&self, entry: usize, word: &str) -> bool {
        self.entries[entry].english.iter().flat_map(|e| english_words(e)).any(|base| derives_from(&base, word))
    }
}

/// India, Indian; Italy, Italians; Malaysia, Malaysian.
fn derives_from(base: &str, word: &str) -> bool {
    if base == word {
        return true;
    }
    let stem = base.trim_end_matches(['a', 'e', 'y', 's', 'o']);
    stem.len() >= 4 && word.starts_with(stem) && word.len() <= base.len() + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        assert!(GAZETTEER.entries.len() > 1_300);
        let kinds = |kind| GAZETTEER.entries.iter().filter(|e| e.kind == kind).count();
        assert!(kinds(EntryKind::Town) > 350 && kinds(EntryKind::Person) > 350);
        let mut names: Vec<&str> = GAZETTEER.entries.iter().map(|e| e.bengali.as_str()).collect();
        names.sort_unstable();
        let twice: Vec<&str> = names.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        assert_eq!(twice, Vec::<&str>::new(), "named twice");
        for entry in &GAZETTEER.entries {
            assert!(!entry.bengali.is_empty() && entry.english.iter().all(|e| !e.trim().is_empty()), "{entry:?}");
        }
    }

    #[test]
    fn demonyms_derive_from_countries() {
        let find = |bengali: &str| GAZETTEER.at(&crate::lang::canonical::canonical(bengali)).next().unwrap().0;
        for (bengali, word) in
            [("মালয়েশিয়ার", "malaysian"), ("ইতালি", "italian"), ("জাপানের", "japanese"), ("ভারতীয়", "indian")]
        {
            assert!(GAZETTEER.derives(find(bengali), word), "{word}");
        }
        assert!(!GAZETTEER.derives(find("ভারত"), "pakistani"));
    }
}
