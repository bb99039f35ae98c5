//! Which entries are translated.
use crate::bulk::options::Filters;
use crate::feed::{Entry, date};
use serde::{Deserialize, Serialize};

/// Why an entry was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its date lies outside what was asked for.
    Date,
    /// It has no date that can be read, and dates were asked for.
    Undated,
    /// The sample passed it over.
    Sample,
    /// Its text is English already.
    AlreadyTranslated,
}

/// Least share of Bengali among the letters of a text that is worth translating.
const BENGALI_SHARE: f64 = 0.1;

impl Filters {
    /// `None`: it passes. The limit is counted by who calls.
    pub(in crate::bulk) fn reason(&self, n: u64, entry: &Entry) -> Option<Reason> {
        if self.since.is_some() || self.until.is_some() {
            let Some(time) = entry.meta.date.as_deref().and_then(date::parse) else { return Some(Reason::Undated) };
            if self.since.is_some_and(|since| time < since) || self.until.is_some_and(|until| time >= until) {
                return Some(Reason::Date);
            }
        }
        if self.sample.is_some_and(|share| unit(self.seed, n) >= share) {
            return Some(Reason::Sample);
        }
        if self.skip_translated && bengali_share(&entry.body) < BENGALI_SHARE {
            return Some(Reason::AlreadyTranslated);
        }
        None
    }
}

/// A number from 0 to 1 that depends on the seed and the entry's number alone (SplitMix64).
fn unit(seed: u64, n: u64) -> f64 {
    let mut z = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Share of Bengali among the letters; tags of HTML and addresses count as letters and stay a minority.
fn bengali_share(text: &str) -> f64 {
    let (mut bengali, mut letters) = (0usize, 0usize);
    for c in text.chars().take(20_000) {
        let is_bengali = ('\u{980}'..='\u{9ff}').contains(&c);
        bengali += usize::from(is_bengali);
        letters += usize::from(is_bengali || c.is_alphabetic());
    }
    bengali as f64 / letters.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(date: Option<&str>, body: &str) -> Entry {
        let mut entry = Entry { body: body.into(), ..Entry::default() };
        entry.meta.date = date.map(str::to_owned);
        entry
    }

    #[test]
    fn dates_samples_and_language_decide() {
        let f = Filters { since: date::parse("2024-03-01"), until: date::parse("2024-04-01"), ..Filters::default() };
        let reason = |f: &Filters, date, body| f.reason(1, &entry(date, body));
        assert_eq!(reason(&f, Some("2024-02-29T23:59:59Z"), "ক"), Some(Reason::Date));
        assert_eq!(reason(&f, Some("2024-03-01"), "ক"), None);
        assert_eq!(reason(&f, Some("Mon, 01 Apr 2024 00:00:00 GMT"), "ক"), Some(Reason::Date));
        assert_eq!(reason(&f, None, "ক"), Some(Reason::Undated));

        let f = Filters { skip_translated: true, ..Filters::default() };
        assert_eq!(reason(&f, None, "<p>It rained in Dhaka.</p>"), Some(Reason::AlreadyTranslated));
        assert_eq!(reason(&f, None, "<p class=\"story\">ঢাকায় বৃষ্টি হয়েছে।</p>"), None);

        let sample = |seed| {
            let f = Filters { sample: Some(0.25), seed, ..Filters::default() };
            (1..=4000).filter(|&n| f.reason(n, &entry(None, "ক")).is_none()).collect::<Vec<_>>()
        };
        assert!((900..1100).contains(&sample(1).len()) && sample(1) == sample(1) && sample(1) != sample(2));
    }
}
