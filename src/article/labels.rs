//! What stands before the source of a story, beside a picture and before a date, with its English (`data/bn/labels.tsv`).
use crate::lang::{rows, tables};

/// The labels of a kind with their English, the longest first: one may begin another.
pub(super) fn of(kind: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut found: Vec<_> = rows(tables::BN_LABELS)
        .filter_map(move |row| {
            let mut columns = row.split('\t');
            let (bengali, english, kinds) = (columns.next()?, columns.next()?, columns.next()?);
            kinds.split(',').any(|known| known == kind).then_some((bengali, english))
        })
        .collect();
    found.sort_by_key(|(bengali, _)| std::cmp::Reverse(bengali.len()));
    found.into_iter()
}

/// The English of a canonical line that is a label and nothing else.
pub(super) fn line(line: &str) -> Option<&'static str> {
    of("line").find_map(|(bengali, english)| (bengali == line).then_some(english))
}
