//! What single words mean for numbers, in Bengali and in English; one lexicon, since either side may hold both.
use super::{Words, rows, tables};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The part a word plays in a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// A whole number below 100.
    Value(f64),
    /// Hundred, thousand, lakh, million, …
    Multiplier(f64),
    /// সাড়ে, সোয়া, পৌনে: added to the number that follows.
    Offset(f64),
    /// দেড়, আড়াই: a number of its own that can be multiplied.
    Fixed(f64),
    Ordinal(f64),
    /// Says a number only loosely: both, dozens, decade, double.
    Loose(f64),
    /// দশমিক, "point".
    Point,
    /// তৃতীয়াংশ, "thirds".
    Denominator(f64),
    Percent,
    Money(Currency),
    Month(u8),
    /// Monday is 1. Short forms that are also names or planets are loose.
    Weekday(u8, bool),
    /// টা, টায় after a number: o'clock or so many.
    Hour,
    Minute,
    Meridiem(Meridiem),
    /// থেকে, "to", "or": the number after it may lend its multiplier to the one before.
    Range,
    And,
    /// "a", "an": one before a multiplier ("a hundred"), nothing otherwise.
    Article,
}

/// Money as far as the checks tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    Taka,
    Dollar,
    Rupee,
    Euro,
    Pound,
    Yen,
    Yuan,
    Riyal,
    Dirham,
}

/// Half of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meridiem {
    Am,
    Pm,
    /// রাত: before midnight from seven on, after it up to five.
    Night,
}

fn table() -> HashMap<&'static str, Role> {
    let mut out = HashMap::new();
    for line in rows(tables::BN_NUMBERS).chain(rows(tables::EN_NUMBERS)) {
        let mut fields = line.split('\t');
        let (word, role, value) = (fields.next(), fields.next(), fields.next().unwrap_or_default());
        if let Some((word, role)) = word.zip(role.and_then(|role| Role::named(role, value))) {
            out.insert(word, role);
        }
    }
    out
}

impl Role {
    /// The role that the tables call so.
    fn named(name: &str, value: &str) -> Option<Self> {
        let number = || value.parse::<f64>().ok();
        Some(match name {
            "value" => Self::Value(number()?),
            "multiplier" => Self::Multiplier(number()?),
            "offset" => Self::Offset(number()?),
            "fixed" => Self::Fixed(number()?),
            "ordinal" => Self::Ordinal(number()?),
            "loose" => Self::Loose(number()?),
            "point" => Self::Point,
            "denominator" => Self::Denominator(number()?),
            "percent" => Self::Percent,
            "money" => Self::Money(Currency::named(value)?),
            "month" => Self::Month(value.parse().ok()?),
            "weekday" => Self::Weekday(value.parse().ok()?, false),
            // Short names of weekdays, as in "শুক্র ও শনিবার"; also planets, persons and "Mangal".
            "short weekday" => Self::Weekday(value.parse().ok()?, true),
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "meridiem" => Self::Meridiem(match value {
                "am" => Meridiem::Am,
                "pm" => Meridiem::Pm,
                "night" => Meridiem::Night,
                _ => return None,
            }),
            "range" => Self::Range,
            "and" => Self::And,
            "article" => Self::Article,
            _ => return None,
        })
    }
}

impl Currency {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "taka" => Self::Taka,
            "dollar" => Self::Dollar,
            "rupee" => Self::Rupee,
            "euro" => Self::Euro,
            "pound" => Self::Pound,
            "yen" => Self::Yen,
            "yuan" => Self::Yuan,
            "riyal" => Self::Riyal,
            "dirham" => Self::Dirham,
            _ => return None,
        })
    }
}

static TABLE: LazyLock<HashMap<&'static str, Role>> = LazyLock::new(table);

/// What may stand between a number word and its case ending.
static CLASSIFIERS: Words = Words::new(tables::BN_ENDINGS, "classifier");

static ENDINGS: Words = Words::new(tables::BN_ENDINGS, "number");

/// Whole words that would be read as number words and aren't: places, names, "not".
static NOT_NUMBERS: Words = Words::new(tables::BN_NOT_NUMBERS, "");

/// What a word of the table says, as it stands there.
pub(crate) fn known(word: &str) -> Option<Role> {
    TABLE.get(word).copied()
}

/// A word that only looks like a number word.
pub(crate) fn is_no_number(word: &str) -> bool {
    NOT_NUMBERS.contains(word)
}

/// What a word says, in reading order: one role, or several for words written together (তিনশ, দেড়শ, পাঁচশতাধিক).
/// The word is canonical and in lower case.
pub(crate) fn roles(word: &str) -> Vec<Role> {
    if let Some(role) = TABLE.get(word) {
        return vec![*role];
    }
    if word.is_ascii() {
        return english_plural(word);
    }
    if NOT_NUMBERS.contains(word) {
        return Vec::new();
    }
    bengali_inflected(word, 0).unwrap_or_default()
}

/// "seventies", "twenties"; "dollars" and the like stand in the table.
fn english_plural(word: &str) -> Vec<Role> {
    match word.strip_suffix("ies").map(|stem| format!("{stem}y")) {
        Some(tens) => {
            TABLE.get(tens.as_str()).filter(|r| matches!(r, Role::Value(_))).map(|r| vec![*r]).unwrap_or_default()
        }
        None => Vec::new(),
    }
}

/// The longest number word at the start whose rest is a classifier and a case ending, or another number word.
fn bengali_inflected(word: &str, depth: usize) -> Option<Vec<Role>> {
    if depth > 3 {
        return None;
    }
    let cuts: Vec<usize> = word.char_indices().map(|(i, _)| i).skip(1).collect();
    for &cut in cuts.iter().rev() {
        let (head, rest) = word.split_at(cut);
        let Some(&role) = TABLE.get(head) else { continue };
        match role {
            // পঁচিশতম: the 25th
            Role::Value(v) if rest.strip_prefix("তম").is_some_and(is_ending) => {
                return Some(vec![Role::Ordinal(v)]);
            }
            // নয় also means "isn't", দু and ছ are only said with a classifier
            Role::Value(v) if v == 9.0 || matches!(head, "দু" | "ছ" | "তের") => match classifier(rest) {
                Some(classifier) if !classifier.is_empty() => return Some(vec![role]),
                _ => {}
            },
            Role::Value(_) | Role::Ordinal(_) | Role::Fixed(_) if is_inflection(rest) => return Some(vec![role]),
            Role::Multiplier(_) if !matches!(head, "শ" | "শো") && (is_inflection(rest) || rest == "াংশ") => {
                return (rest != "াংশ").then(|| vec![role]);
            }
            Role::Multiplier(_) if depth > 0 && is_inflection(rest) => return Some(vec![role]),
            Role::Percent
            | Role::Month(_)
            | Role::Weekday(..)
            | Role::Money(_)
            | Role::Denominator(_)
            | Role::Loose(_)
                if head.chars().count() > 2 && is_ending(rest) =>
            {
                return Some(vec![role]);
            }
            Role::Month(5) if matches!(rest, "র" | "-র") => return Some(vec![role]),
            _ => {}
        }
        if matches!(role, Role::Value(_) | Role::Fixed(_) | Role::Multiplier(_))
            && !matches!(head, "শ" | "শো" | "ছ" | "নয়")
        {
            let tail = match TABLE.get(rest) {
                Some(&role @ Role::Multiplier(_)) => Some(vec![role]),
                _ => bengali_inflected(rest, depth + 1).filter(|roles| matches!(roles[0], Role::Multiplier(_))),
            };
            if let Some(tail) = tail {
                return Some(std::iter::once(role).chain(tail).collect());
            }
        }
    }
    None
}

fn is_ending(rest: &str) -> bool {
    rest.is_empty() || ENDINGS.contains(rest)
}

/// The classifier at the start of `rest` if `rest` is a classifier (which may be nothing) and an ending.
fn classifier(rest: &str) -> Option<&'static str> {
    let fits = |c: &str| rest.strip_prefix(c).is_some_and(is_ending);
    CLASSIFIERS.longest_first().iter().copied().find(|c| fits(c)).or_else(|| is_ending(rest).then_some(""))
}

/// Is this what may follow a number word or a multiplier within the same word?
pub(crate) fn is_inflection(rest: &str) -> bool {
    classifier(rest).is_some()
}

/// The ordinal that a suffix written onto digits makes (১ম, ২য়, ২১শে, 3rd), or nothing.
pub(crate) fn is_ordinal_suffix(suffix: &str) -> bool {
    matches!(
        suffix,
        "ম" | "য়"
            | "র্থ"
            | "ষ্ঠ"
            | "তম"
            | "শে"
            | "ই"
            | "লা"
            | "রা"
            | "ঠা"
            | "st"
            | "nd"
            | "rd"
            | "th"
    ) || suffix.strip_prefix("তম").is_some_and(is_ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hundred_bengali_numerals_are_there() {
        for value in 0..100 {
            let is = |role: &Role| *role == Role::Value(f64::from(value));
            let words: Vec<&str> = TABLE.iter().filter(|(w, r)| !w.is_ascii() && is(r)).map(|(w, _)| *w).collect();
            assert!(!words.is_empty(), "no word for {value}");
            for word in words {
                assert_eq!(roles(word), [Role::Value(f64::from(value))], "{word}");
            }
        }
    }

    #[test]
    fn every_row_of_the_tables_is_understood() {
        assert_eq!(TABLE.len(), rows(tables::BN_NUMBERS).count() + rows(tables::EN_NUMBERS).count());
    }

    #[test]
    fn words_are_taken_apart_and_lookalikes_left_alone() {
        use Role::*;
        for (word, expected) in [
            ("তিনটি", vec![Value(3.0)]),
            ("পাঁচজনের", vec![Value(5.0)]),
            ("দুদিনের", vec![Value(2.0)]),
            ("তিনশ", vec![Value(3.0), Multiplier(1e2)]),
            ("পাঁচশতাধিক", vec![Value(5.0), Multiplier(1e2)]),
            ("দেড়শ", vec![Fixed(1.5), Multiplier(1e2)]),
            ("লাখেরও", vec![Multiplier(1e5)]),
            ("নয়টি", vec![Value(9.0)]),
            ("আড়াইটায়", vec![Fixed(2.5)]),
            ("জানুয়ারিতে", vec![Month(1)]),
            ("শতাংশের", vec![Percent]),
            ("তিনি", vec![]),
            ("আটক", vec![]),
            ("একই", vec![]),
            ("আড়াইহাজার", vec![]),
            ("সাতক্ষীরা", vec![]),
            ("বিশ্ব", vec![]),
            ("দুর্নীতি", vec![]),
            ("মেয়ে", vec![]),
            ("চারপাশে", vec![]),
            ("হাজারীবাগ", vec![]),
        ] {
            assert_eq!(roles(&crate::lang::canonical::canonical(word)), expected, "{word}");
        }
    }
}
