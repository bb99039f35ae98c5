//! One wrong number put right after the source, where it is certain which.
use super::number::{Matching, finding, trimmed};
use super::number_parse::{Number, NumberKind, Weight, numbers};
use super::wording::spoken;
use crate::lang::calendar::{MONTHS, WEEKDAYS, bengali_month};
use crate::text::{Finding, FindingKind, Severity};

/// The output with the source's number, month or weekday where one of the same form stands in its place, and notes
/// that say so.
///
/// Of each form exactly one must be left over on either side: with several it isn't certain which belongs where.
pub fn patch_numbers(source: &str, output: &str) -> Option<(String, Vec<Finding>)> {
    let (wanted, found) = (numbers(source), numbers(output));
    let mut matching = Matching::new(&wanted, &found);
    matching.exact();
    matching.augmenting();
    matching.times_in_two_parts();
    matching.sums();
    let (missing, wrong) = (matching.free_source(), matching.free_output());
    let (mut text, mut notes) = (output.to_string(), Vec::new());
    for form in [Form::Digits, Form::Month, Form::Weekday] {
        let only = |places: &[usize], side: &[Number]| {
            let mut places = places.iter().filter(|&&i| form.holds(&side[i]));
            places.next().filter(|_| places.next().is_none()).copied()
        };
        // A month of the Bengali calendar is none of the other one's: বৈশাখ is not January.
        if form == Form::Month
            && let (None, Some(o), Some(right)) = (only(&missing, &wanted), only(&wrong, &found), bengali_month(source))
            && !wanted.iter().any(|number| form.holds(number))
            && text.matches(found[o].text.as_str()).count() == 1
        {
            text = text.replacen(found[o].text.as_str(), right, 1);
            let message = format!("the model had written {}; the source has {right}", found[o].text);
            notes.push(finding(FindingKind::NumberChanged, Severity::Note, message));
            continue;
        }
        let (Some(s), Some(o)) = (only(&missing, &wanted), only(&wrong, &found)) else { continue };
        let (a, b) = (&wanted[s], &found[o]);
        if !form.is_written(a, b) || text.matches(b.text.as_str()).count() != 1 {
            continue;
        }
        let right = form.english(a);
        text = text.replacen(b.text.as_str(), &right, 1);
        let message = format!("the model had written {}; {right} was put in its place after the source", b.text);
        notes.push(finding(FindingKind::NumberChanged, Severity::Note, message));
    }
    (!notes.is_empty()).then_some((text, notes))
}

/// Forms of numbers that can be put in one another's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Digits,
    Month,
    Weekday,
}

impl Form {
    fn holds(self, number: &Number) -> bool {
        let kind = match number.kind {
            NumberKind::Month => Self::Month,
            NumberKind::Weekday => Self::Weekday,
            _ => Self::Digits,
        };
        kind == self && (number.weight == Weight::Hard || (number.weight == Weight::Medium && self != Self::Digits))
    }

    /// Are they written alike, so that the one can stand for the other?
    fn is_written(self, a: &Number, b: &Number) -> bool {
        let digits = |n: &Number| {
            !n.text.is_empty() && n.text.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-'))
        };
        let plain =
            matches!(a.kind, NumberKind::Cardinal | NumberKind::Code) && a.kind == b.kind && digits(a) && digits(b);
        let plain = plain || a.kind == NumberKind::Code && b.kind == NumberKind::Cardinal && digits(b);
        // Sizes are said in several ways: "1000 crore" for 1 billion, "fifteen" for 50.
        let sizes = a.kind == NumberKind::Cardinal && b.kind == NumberKind::Cardinal && a.values[0] >= 11.0;
        let capital = b.text.starts_with(char::is_uppercase);
        if self == Self::Digits { plain || sizes } else { capital }
    }

    /// The source's number in English.
    fn english(self, number: &Number) -> String {
        let index = (number.values[0] as usize).saturating_sub(1);
        match self {
            // Indian grouping becomes Western; numbers without commas stay without
            Self::Digits if number.text.contains(',') => western(&trimmed(number.values[0])),
            Self::Digits if number.text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) => {
                number.text.clone()
            }
            Self::Digits => spoken(number.values[0]),
            Self::Month => MONTHS.get(index).copied().unwrap_or_default().into(),
            Self::Weekday => WEEKDAYS.get(index).copied().unwrap_or_default().into(),
        }
    }
}

/// Digits in groups of three.
pub(crate) fn western(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    if fraction.is_empty() { out } else { format!("{out}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_wrong_number_can_be_patched() {
        let patch = |source: &str, output: &str| patch_numbers(source, output).map(|(text, _)| text);
        assert_eq!(patch("৭২৮ জন", "720 people").as_deref(), Some("728 people"));
        assert_eq!(patch("১,২৩,৪৫৬ জন", "123,465 people").as_deref(), Some("123,456 people"));
        assert_eq!(patch("৭২৮ জন ও ১২টি", "720 people and 13"), None, "two candidates");
        assert_eq!(patch("৯০ লাখ", "90 people").as_deref(), Some("9 million people"));
        assert_eq!(patch("পঞ্চাশ জন", "fifteen people").as_deref(), Some("50 people"));
        assert_eq!(patch("৫ জন", "5 people"), None, "nothing to do");
        assert_eq!(patch("বুধবার ৫ মে", "Thursday, June 5").as_deref(), Some("Wednesday, May 5"));
        assert_eq!(patch("বুধবার", "Thursday or Friday"), None, "two candidates");
        assert_eq!(patch("কোড ০২৫", "code 25").as_deref(), Some("code 025"));
        assert_eq!(patch("কার্ড ৪১১১-২২২২-৩৩৩৩", "card 4111-2222-3334").as_deref(), Some("card 4111-2222-3333"));
        assert_eq!(patch("১ বৈশাখ ১৪৩৩", "January 1, 1433").as_deref(), Some("Baishakh 1, 1433"));
    }
}
