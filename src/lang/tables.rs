//! The tables of `data/`: a comment that says what they hold, where it comes from and its license, then a row a line.

macro_rules! tables {
    ($($name:ident = $path:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../../data/", $path));)*

        /// All of them by their paths.
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($path, $name)),*];
    };
}

tables! {
    BN_ABBREVIATIONS = "bn/abbreviations.tsv";
    BN_CALENDAR = "bn/calendar.tsv";
    BN_CLAUSES = "bn/clauses.tsv";
    BN_CONTEXT_NAMES = "bn/context_names.tsv";
    BN_ENDINGS = "bn/endings.tsv";
    BN_FURNITURE = "bn/furniture.tsv";
    BN_HEADINGS = "bn/headings.tsv";
    BN_KEY_TERMS = "bn/key_terms.tsv";
    BN_LABELS = "bn/labels.tsv";
    BN_LETTERS = "bn/letters.tsv";
    BN_LEXICON = "bn/lexicon.tsv";
    BN_NAMES = "bn/names.tsv";
    BN_NAME_PARTS = "bn/name_parts.tsv";
    BN_NOT_NAMES = "bn/not_names.tsv";
    BN_NOT_NUMBERS = "bn/not_numbers.tsv";
    BN_NUMBERS = "bn/numbers.tsv";
    BN_ORGANIZATIONS = "bn/organizations.tsv";
    BN_PERSONS = "bn/persons.tsv";
    BN_PERSON_WORDS = "bn/person_words.tsv";
    BN_PLACES = "bn/places.tsv";
    BN_SOUNDS = "bn/sounds.tsv";
    BN_TERMS = "bn/terms.tsv";
    BN_TITLES = "bn/titles.tsv";
    BN_TOWNS = "bn/towns.tsv";
    BN_UNITS = "bn/units.tsv";
    BN_UNIT_WORDS = "bn/unit_words.tsv";
    BN_VISARGA = "bn/visarga.tsv";
    EN_ABBREVIATIONS = "en/abbreviations.tsv";
    EN_ALIASES = "en/aliases.tsv";
    EN_ANSWERS = "en/answers.tsv";
    EN_COMMON_WORDS = "en/common_words.tsv";
    EN_ENDINGS = "en/endings.tsv";
    EN_FURNITURE = "en/furniture.tsv";
    EN_INSTITUTIONS = "en/institutions.tsv";
    EN_NOT_NAMES = "en/not_names.tsv";
    EN_NUMBERS = "en/numbers.tsv";
    EN_PROTECTED = "en/protected.tsv";
    FEED_ELEMENTS = "feed/elements.tsv";
    FEED_FIELDS = "feed/fields.tsv";
    FEED_MONTHS = "feed/months.tsv";
    HTML_CLASSES = "html/classes.tsv";
    HTML_ELEMENTS = "html/elements.tsv";
}

/// The rows of a table.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::normalize::canonical;
    use std::path::Path;

    #[test]
    fn every_table_says_what_it_is_and_whose() {
        for (path, text) in ALL {
            let comment: Vec<&str> = text.lines().take_while(|l| l.starts_with('#')).collect();
            assert!(comment.len() >= 2 && comment[0].len() > 20, "{path}: says not what it is");
            let comment = comment.join(" ");
            assert!(comment.contains("Source: ") && comment.contains("License: "), "{path}: no source or license");
            assert!(rows(text).count() > 5, "{path}: hardly a row");
        }
    }

    #[test]
    fn every_row_is_canonical_unique_and_in_its_place() {
        let mut wrong = Vec::new();
        for (path, text) in ALL {
            let lines: Vec<&str> = rows(text).collect();
            for row in &lines {
                let key = row.split('\t').next().unwrap_or_default();
                // A letter or a sign alone (an ending, a vowel) has no word around it that says how it is spelled.
                let sign = key.chars().count() < 3 || path.ends_with("visarga.tsv");
                if row.trim() != *row || row.is_empty() || !sign && canonical(key) != key {
                    wrong.push(format!("{path}: {row:?} is not canonical, {:?} is", canonical(key)));
                }
            }
            for pair in lines.windows(2) {
                let key = |row: &str| row.split('\t').next().unwrap_or_default().to_string();
                if pair[0] >= pair[1] || key(pair[0]) == key(pair[1]) {
                    wrong.push(format!("{path}: {:?} and {:?} are not sorted or the same", pair[0], pair[1]));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn no_table_lies_unread() {
        for folder in ["bn", "en", "feed", "html"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(folder);
            for file in std::fs::read_dir(&folder).unwrap().flatten() {
                let name = file.path();
                // Glyphs of a font, no words; `document` reads them.
                let glyphs = name.ends_with("bn/bijoy.tsv");
                let known = glyphs || ALL.iter().any(|(path, _)| name.ends_with(path));
                assert!(known || name.extension().is_none_or(|e| e != "tsv"), "{}", name.display());
            }
        }
    }
}
