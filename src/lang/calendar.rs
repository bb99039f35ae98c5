//! Months and weekdays, as English says what a Bengali word of a date means.
use super::number_words::{Role, known};
use super::{rows, tables};

/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The days of the week in English, from Monday on.
pub(crate) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The English of a canonical word of a date: a month, a weekday by its full name, the half of the day.
pub(crate) fn date_word(word: &str) -> Option<&'static str> {
    match (word, known(word)) {
        ("এএম", _) => Some("am"),
        ("পিএম", _) => Some("pm"),
        (_, Some(Role::Month(month))) => MONTHS.get(usize::from(month).checked_sub(1)?).copied(),
        (_, Some(Role::Weekday(day, false))) => WEEKDAYS.get(usize::from(day).checked_sub(1)?).copied(),
        _ => None,
    }
}

/// The English of the only month of the Bengali calendar that the source names.
pub(crate) fn bengali_month(source: &str) -> Option<&'static str> {
    let source = super::canonical::canonical(source);
    let months = rows(tables::BN_CALENDAR).filter_map(|row| row.split_once('\t'));
    let mut found = months
        .filter(|(month, _)| source.split(|c: char| !super::script::is_bengali(c)).any(|word| word.starts_with(month)));
    found.next().filter(|_| found.next().is_none()).map(|(_, english)| english)
}
