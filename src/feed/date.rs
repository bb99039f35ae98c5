//! Dates as feeds write them.
use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};

/// The moment that a feed's date names: RFC 2822 (RSS), RFC 3339 (Atom, JSON Feed), a civil date or date and
/// time (taken as UTC), a Unix time, or a date in the words and orders of English and Bengali, the Bengali calendar's
/// among them; Bengali digits are read. `None` where it is none of these.
pub fn parse(text: &str) -> Option<Timestamp> {
    let written = text;
    let text: String = text.trim().chars().map(latin_digit).collect();
    if let Ok(seconds) = text.parse::<i64>() {
        // Ten digits are seconds, thirteen milliseconds; a bare year is a civil year.
        return match text.len() {
            4 => at(civil::Date::new(seconds as i16, 1, 1).ok()?.at(0, 0, 0, 0)),
            9 | 10 => Timestamp::from_second(seconds).ok(),
            12 | 13 => Timestamp::from_millisecond(seconds).ok(),
            _ => None,
        };
    }
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(&text).ok())
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(at))
        .or_else(|| text.parse::<civil::Date>().ok().and_then(|d| at(d.at(0, 0, 0, 0))))
        .or_else(|| super::date_words::parse(written))
}

fn at(time: civil::DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

pub(super) fn latin_digit(c: char) -> char {
    match c {
        '০'..='৯' => char::from(b'0' + (c as u32 - '০' as u32) as u8),
        _ => c,
    }
}

/// As RSS wants it, in GMT.
pub fn rfc2822(time: Timestamp) -> String {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_kind_name_the_same_moment() {
        let want: Timestamp = "2024-03-01T06:30:00Z".parse().unwrap();
        for text in [
            "Fri, 01 Mar 2024 12:30:00 +0600",
            "Fri, 1 Mar 2024 06:30:00 GMT",
            "2024-03-01T12:30:00+06:00",
            "2024-03-01 06:30:00",
            "২০২৪-০৩-০১T০৬:৩০:০০Z",
            "1709274600",
            "1709274600000",
        ] {
            assert_eq!(parse(text), Some(want), "{text}");
        }
        assert_eq!(parse("2024-03-01"), Some("2024-03-01T00:00:00Z".parse().unwrap()));
        assert_eq!(rfc2822(want), "Fri, 01 Mar 2024 06:30:00 GMT");
        for text in ["", "yesterday", "99999999999999999999", "2024-13-45", "9999999999999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
