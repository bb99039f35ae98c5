//! Dates as people write them in feeds that follow no standard: names of months in English and Bengali, Bengali digits,
//! the Bengali calendar, any order that leaves no doubt.
use crate::lang::{rows, tables};
use jiff::{Timestamp, civil, tz::Offset, tz::TimeZone};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The moment that a text names; a time without a zone is taken as UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > 120 {
        return None;
    }
    let tokens = tokens(text);
    let date = named_month(&tokens).or_else(|| numeric(&tokens)).or_else(|| bengali_calendar(&tokens))?;
    let (hour, minute, second) = time(&tokens).unwrap_or_default();
    let moment = date.at(hour, minute, second, 0);
    match zone(text) {
        Some(offset) => offset.to_timestamp(moment).ok(),
        None => TimeZone::UTC.to_timestamp(moment).ok(),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(u32, usize),
    Word(String),
    Sign(char),
}

/// Numbers with their count of digits, words in lower case, and the signs that matter.
fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = text.chars().map(super::date::latin_digit).peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_digit() {
            let mut digits = String::from(c);
            while let Some(next) = chars.next_if(char::is_ascii_digit) {
                digits.push(next);
            }
            // More digits than any date has are no date's.
            out.push(digits.parse().map_or(Token::Sign('?'), |n| Token::Number(n, digits.len())));
        } else if c.is_alphabetic() || is_mark(c) {
            let mut word: String = c.to_lowercase().collect();
            while let Some(next) = chars.next_if(|c| c.is_alphabetic() || is_mark(*c)) {
                word.extend(next.to_lowercase());
            }
            out.push(Token::Word(crate::lang::normalize::canonical(&word)));
        } else if matches!(c, ':' | '/' | '-' | '.' | '+' | '–') {
            out.push(Token::Sign(c));
        }
    }
    out
}

/// Signs of Bengali that no word is written without.
fn is_mark(c: char) -> bool {
    ('\u{981}'..='\u{983}').contains(&c) || ('\u{9bc}'..='\u{9e3}').contains(&c) || c == '\u{200d}' || c == '\u{200c}'
}

/// The number of the month that a canonical word names in a calendar.
fn month_in(calendar: &str, word: &str) -> Option<u32> {
    static MONTHS: LazyLock<HashMap<(&str, &str), u32>> = LazyLock::new(|| {
        let row = |line: &'static str| {
            let mut columns = line.split('\t');
            let (word, calendar) = (columns.next()?, columns.next()?);
            Some(((calendar, word), columns.next()?.parse().ok()?))
        };
        rows(tables::FEED_MONTHS).filter_map(row).collect()
    });
    MONTHS.get(&(calendar, word)).copied()
}

/// The day and the year around a month: "5 November 2025", "Aug 15, 2025", "২০২৫ সালের ৫ মে".
fn around(tokens: &[Token], at: usize, years: std::ops::RangeInclusive<u32>) -> Option<(u32, u32)> {
    // A clock time's numbers are neither.
    let in_clock = |i: usize| {
        let number = |j: Option<usize>| matches!(j.and_then(|j| tokens.get(j)), Some(Token::Number(..)));
        let colon = |j: Option<usize>| j.and_then(|j| tokens.get(j)) == Some(&Token::Sign(':'));
        (colon(i.checked_sub(1)) && number(i.checked_sub(2))) || (colon(Some(i + 1)) && number(Some(i + 2)))
    };
    let numbers: Vec<(usize, u32, usize)> = tokens
        .iter()
        .enumerate()
        .filter_map(|(i, t)| match t {
            Token::Number(n, digits) if !in_clock(i) => Some((i, *n, *digits)),
            _ => None,
        })
        .collect();
    let day = numbers
        .iter()
        .filter(|(i, n, digits)| *digits <= 2 && (1..=32).contains(n) && i.abs_diff(at) <= 3)
        .min_by_key(|(i, ..)| (i.abs_diff(at), *i > at))?;
    let year = numbers.iter().filter(|(i, ..)| *i != day.0).find_map(|(i, n, digits)| match digits {
        4 if years.contains(n) => Some(*n),
        2 if *i > at && i.abs_diff(at) <= 4 && *years.start() > 1800 => Some(2000 + n),
        _ => None,
    })?;
    Some((day.1, year))
}

fn named_month(tokens: &[Token]) -> Option<civil::Date> {
    let (at, month) = tokens.iter().enumerate().find_map(|(at, token)| match token {
        Token::Word(word) => month_in("western", word).map(|month| (at, month)),
        _ => None,
    })?;
    let (day, year) = around(tokens, at, 1900..=2199)?;
    civil_date(year, month, day)
}

fn civil_date(year: u32, month: u32, day: u32) -> Option<civil::Date> {
    civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// "2025/6/29", "29.06.2025", "29/6/25": the year first or last; the day before the month, as in Bengal, unless the
/// numbers say otherwise.
fn numeric(tokens: &[Token]) -> Option<civil::Date> {
    tokens.windows(5).find_map(|w| match w {
        [Token::Number(a, da), Token::Sign(s), Token::Number(b, _), Token::Sign(t), Token::Number(c, dc)]
            if s == t && matches!(s, '/' | '-' | '.' | '–') =>
        {
            let (year, month, day) = match (da, dc) {
                (4, _) => (*a, *b, *c),
                (_, 4) if *b > 12 => (*c, *a, *b),
                (_, 4) => (*c, *b, *a),
                (1 | 2, 2) if *b > 12 => (2000 + c, *a, *b),
                (1 | 2, 2) => (2000 + c, *b, *a),
                _ => return None,
            };
            (1900..=2199).contains(&year).then(|| civil_date(year, month, day))?
        }
        _ => None,
    })
}

/// "১২ ভাদ্র ১৪৩২" by the calendar of Bangladesh as reformed in 2019; that of West Bengal is a day off at most.
fn bengali_calendar(tokens: &[Token]) -> Option<civil::Date> {
    let (at, month) = tokens.iter().enumerate().find_map(|(at, token)| match token {
        Token::Word(word) => month_in("bengali", word).map(|month| (at, month)),
        _ => None,
    })?;
    let (day, year) = around(tokens, at, 1300..=1600)?;
    // The year begins on 14 April; six months of 31 days, then of 30, Phalgun of 29 or, in a leap year, 30.
    let leap = civil::Date::new((year + 594).try_into().ok()?, 1, 1).ok()?.in_leap_year();
    let length = |month: u32| match month {
        1..=6 => 31,
        11 if !leap => 29,
        _ => 30,
    };
    if day > length(month) {
        return None;
    }
    let passed: u32 = (1..month).map(length).sum::<u32>() + day - 1;
    civil_date(year + 593, 4, 14)?.checked_add(jiff::Span::new().days(i64::from(passed))).ok()
}

/// "9:05", "09:05:41", "9:05 pm", "রাত ৯:০৫".
fn time(tokens: &[Token]) -> Option<(i8, i8, i8)> {
    let at = tokens.windows(3).position(
        |w| matches!(w, [Token::Number(h, 1 | 2), Token::Sign(':'), Token::Number(m, 2)] if *h < 24 && *m < 60),
    )?;
    let (Token::Number(hour, _), Token::Number(minute, _)) = (&tokens[at], &tokens[at + 2]) else { return None };
    let second = match tokens.get(at + 3..at + 5) {
        Some([Token::Sign(':'), Token::Number(s, 2)]) if *s < 60 => *s,
        _ => 0,
    };
    let has = |words: &[&str]| tokens.iter().any(|t| matches!(t, Token::Word(w) if words.contains(&w.as_str())));
    let evening = has(&["pm", "p", "রাত", "সন্ধ্যা", "বিকাল", "বিকেল", "পিএম"]) || (has(&["দুপুর"]) && *hour < 6);
    let hour = match hour {
        12 if has(&["am", "এএম"]) => 0,
        12 if has(&["রাত"]) => 0,
        1..=3 if has(&["রাত"]) => *hour,
        1..=11 if evening => hour + 12,
        _ => *hour,
    };
    Some((i8::try_from(hour).ok()?, i8::try_from(*minute).ok()?, i8::try_from(second).ok()?))
}

/// "+0600", "GMT", "BST".
fn zone(text: &str) -> Option<Offset> {
    let word = text.split_whitespace().next_back()?;
    let hours = match word {
        "Z" | "UTC" | "GMT" | "UT" => 0,
        // Of feeds in Bengali those of Bangladesh mean their own standard time, not British summer time.
        "BST" | "BDT" => 6,
        "EST" | "CDT" => -5,
        "EDT" => -4,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" => 1,
        "CEST" => 2,
        "IST" => return Offset::from_seconds(19_800).ok(),
        _ => {
            let (sign, digits) = match word.split_at_checked(1)? {
                ("+", digits) => (1, digits),
                ("-", digits) => (-1, digits),
                _ => return None,
            };
            let digits = digits.replace(':', "");
            let n: i32 = digits.parse().ok().filter(|_| digits.len() == 4)?;
            return Offset::from_seconds(sign * (n / 100 * 3600 + n % 100 * 60)).ok();
        }
    };
    Offset::from_hours(hours).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        for (text, want) in [
            ("Aug 15, 2025", "2025-08-15T00:00:00Z"),
            ("5 November 2025 - 09:01", "2025-11-05T09:01:00Z"),
            ("Fri, Oct 7 2025 10:15:00 -0400", "2025-10-07T14:15:00Z"),
            ("Tue, 18 Sept 2025 15:53:56 +0300", "2025-09-18T12:53:56Z"),
            ("2025/6/29 15:07:41", "2025-06-29T15:07:41Z"),
            ("2025/6/29", "2025-06-29T00:00:00Z"),
            ("29/6/2025", "2025-06-29T00:00:00Z"),
            ("6/29/2025", "2025-06-29T00:00:00Z"),
            ("০৫.০৬.২৫", "2025-06-05T00:00:00Z"),
            ("০৫ মে ২০২৫, ১০:৩০", "2025-05-05T10:30:00Z"),
            ("প্রকাশ: ১৫ জানুয়ারী ২০২৫, রাত ৯:০৫", "2025-01-15T21:05:00Z"),
            ("২০২৫ সালের ১৫ই আগষ্ট", "2025-08-15T00:00:00Z"),
            ("Mo, 25 Jun 2025 11:41:36", "2025-06-25T11:41:36Z"),
            ("Mon, 04 Aug 2025 1:35:20 BST", "2025-08-03T19:35:20Z"),
            ("15th March 2025 at 12:10 am", "2025-03-15T00:10:00Z"),
            ("১ বৈশাখ ১৪৩২", "2025-04-14T00:00:00Z"),
            ("৮ ফাল্গুন ১৪৩২ বঙ্গাব্দ", "2026-02-21T00:00:00Z"),
            ("৩০ চৈত্র ১৪৩১", "2025-04-13T00:00:00Z"),
            ("১২ সেপ্টেম্বর ২০২৫, ২৮ ভাদ্র ১৪৩২", "2025-09-12T00:00:00Z"),
        ] {
            assert_eq!(parse(text), Some(want.parse().unwrap()), "{text}");
        }
        for text in ["", "গতকাল", "৩২ মে ২০২৫", "মে ২০২৫", "13/13/2025", "৩২ বৈশাখ ১৪৩২", "1.2.3", "192.168.10.12"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
