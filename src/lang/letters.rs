//! Acronyms spelled with the Bengali names of Latin letters: এনসিটিবি is NCTB.
use super::{rows, tables};
use std::sync::LazyLock;

/// Names of letters and what they stand for, the longer ones first: one may begin another.
static NAMES: LazyLock<Vec<(&'static str, char)>> = LazyLock::new(|| {
    let row = |line: &'static str| line.split_once('\t').and_then(|(name, c)| Some((name, c.chars().next()?)));
    let mut names: Vec<(&str, char)> = rows(tables::BN_LETTERS).filter_map(row).collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
});
/// The Bengali name that a Latin letter, small or capital, mostly has.
pub(crate) fn usual_name(letter: char) -> Option<&'static str> {
    let letter = letter.to_ascii_uppercase();
    rows(tables::BN_LETTERS).find_map(|line| {
        let mut columns = line.split('\t');
        let (name, of, usual) = (columns.next()?, columns.next()?, columns.next());
        (usual.is_some() && of.starts_with(letter)).then_some(name)
    })
}

/// What may follow an acronym within its word.
const ENDINGS: &[&str] = &["", "র", "ের", "য়ের", "এর", "ে", "য়", "তে", "কে", "রও", "সহ", "গুলো", "গুলোর", "দের"];
/// Words that are spelled like acronyms and are none.
const WORDS: &[&str] = &["ভিডিও", "এটিকে", "এটিও", "টিভিও", "সিডিও"];

/// The acronym that a word spells, of three letters or more, and the ending behind it.
pub fn acronym(word: &str) -> Option<(String, &str)> {
    if word.chars().count() < 5 || WORDS.iter().any(|known| word.starts_with(known)) {
        return None;
    }
    let mut best: Option<(String, usize)> = None;
    spell(word, 0, &mut String::new(), &mut best);
    best.map(|(letters, end)| (letters, &word[end..]))
}

/// The text with an acronym's letters together where it has them apart ("C.P.M." for CPM).
pub fn without_dots(text: &str, letters: &str) -> Option<String> {
    let dotted: String = letters.chars().flat_map(|c| [c, '.']).collect();
    let at = text.find(&dotted)?;
    let end = at + dotted.len();
    // A longer one is another.
    let longer = text[..at].ends_with('.') || text[end..].starts_with(char::is_alphanumeric);
    (!longer && !text.contains(letters)).then(|| format!("{}{letters}{}", &text[..at], &text[end..]))
}

/// Tries all ways to read letters from `at` on; the shortest ending wins.
fn spell(word: &str, at: usize, letters: &mut String, best: &mut Option<(String, usize)>) {
    let rest = &word[at..];
    // কে and ও at the end are endings.
    let swallowed = rest.is_empty() && (word.ends_with("কে") || (word.ends_with("ও") && !word.ends_with("ডিও")));
    if letters.len() >= 3 && !swallowed && ENDINGS.contains(&rest) || (letters.len() >= 3 && rest == "ও") {
        let better = best.as_ref().is_none_or(|(_, end)| at > *end);
        if better {
            *best = Some((letters.clone(), at));
        }
    }
    if letters.len() >= 8 {
        return;
    }
    for &(name, letter) in NAMES.iter() {
        let name = super::normalize::canonical(name);
        if rest.starts_with(&name) {
            letters.push(letter);
            spell(word, at + name.len(), letters, best);
            letters.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_are_read_letter_by_letter() {
        assert_eq!(without_dots("the C.P.M. and", "CPM").as_deref(), Some("the CPM and"));
        assert_eq!(without_dots("the U.S.A. and", "US"), None);
        for (word, want) in [
            ("এনসিটিবি", Some(("NCTB", ""))),
            ("টিসিবির", Some(("TCB", "র"))),
            ("আইএমএফের", Some(("IMF", "ের"))),
            ("এইচএসসি", Some(("HSC", ""))),
            ("পিবিআইকে", Some(("PBI", "কে"))),
            ("বিজিবিও", Some(("BGB", "ও"))),
            ("ভিডিওর", None),
            ("এটিকে", None),
            ("বাংলাদেশ", None),
            ("এসেছে", None),
        ] {
            let word = crate::lang::normalize::canonical(word);
            assert_eq!(acronym(&word).as_ref().map(|(l, e)| (l.as_str(), *e)), want, "{word}");
        }
    }
}
