//! What single words mean for numbers, in Bengali and in English; one lexicon, since either side may hold both.
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

/// Bengali words for 0 to 99 and their common other spellings.
const BENGALI: &str = "শূন্য শুন্য,এক,দুই দু দুয়ি,তিন,চার,পাঁচ পাচ,ছয় ছ,সাত,আট,নয়,দশ,এগারো এগার,বারো,তেরো তের,চৌদ্দ চোদ্দ,\
পনেরো পনের,ষোলো ষোল,সতেরো সতের,আঠারো আঠার,উনিশ ঊনিশ,বিশ কুড়ি,একুশ,বাইশ,তেইশ,চব্বিশ চবিবশ,পঁচিশ পচিশ,ছাব্বিশ ছাবিবশ,সাতাশ,আটাশ,\
উনত্রিশ ঊনত্রিশ,ত্রিশ তিরিশ,একত্রিশ,বত্রিশ,তেত্রিশ,চৌত্রিশ,পঁয়ত্রিশ পয়ত্রিশ,ছত্রিশ,সাঁইত্রিশ সাইত্রিশ,আটত্রিশ,উনচল্লিশ ঊনচল্লিশ,\
চল্লিশ,একচল্লিশ,বিয়াল্লিশ,তেতাল্লিশ,চুয়াল্লিশ,পঁয়তাল্লিশ পয়তাল্লিশ,ছেচল্লিশ,সাতচল্লিশ,আটচল্লিশ,উনপঞ্চাশ ঊনপঞ্চাশ,\
পঞ্চাশ,একান্ন,বায়ান্ন বাহান্ন,তিপ্পান্ন,চুয়ান্ন,পঞ্চান্ন,ছাপ্পান্ন,সাতান্ন,আটান্ন,উনষাট ঊনষাট,ষাট,একষট্টি,বাষট্টি,তেষট্টি,চৌষট্টি,\
পঁয়ষট্টি পয়ষট্টি,ছেষট্টি,সাতষট্টি,আটষট্টি,উনসত্তর ঊনসত্তর,সত্তর,একাত্তর,বাহাত্তর,তিয়াত্তর,চুয়াত্তর,পঁচাত্তর পচাত্তর,ছিয়াত্তর,\
সাতাত্তর,আটাত্তর,উনআশি ঊনআশি উনাশি,আশি,একাশি,বিরাশি,তিরাশি,চুরাশি,পঁচাশি পচাশি,ছিয়াশি,সাতাশি,অষ্টআশি অষ্টাশি আটাশি,\
উননব্বই ঊননব্বই,নব্বই নব্বুই,একানব্বই,বিরানব্বই বিরানব্বুই,তিরানব্বই,চুরানব্বই,পঁচানব্বই পচানব্বই,ছিয়ানব্বই,সাতানব্বই,\
আটানব্বই,নিরানব্বই";

const ENGLISH: &str = "zero,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,fourteen,fifteen,sixteen,\
seventeen,eighteen,nineteen";
const ENGLISH_TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ENGLISH_ORDINALS: &str = "zeroth,first,second,third,fourth,fifth,sixth,seventh,eighth,ninth,tenth,eleventh,twelfth,\
thirteenth,fourteenth,fifteenth,sixteenth,seventeenth,eighteenth,nineteenth,twentieth";
const BENGALI_ORDINALS: &str = "প্রথম,দ্বিতীয়,তৃতীয়,চতুর্থ,পঞ্চম,ষষ্ঠ,সপ্তম,অষ্টম,নবম,দশম,একাদশ,দ্বাদশ,ত্রয়োদশ,চতুর্দশ,পঞ্চদশ,\
ষোড়শ,সপ্তদশ,অষ্টাদশ,ঊনবিংশ উনবিংশ ঊনবিংশতি,বিংশ বিংশতি,একবিংশ একুশতম";

const MONTHS: [&str; 12] = [
    "january jan জানুয়ারি জানুয়ারী জানুয়ারির",
    "february feb ফেব্রুয়ারি ফেব্রুয়ারী ফেব্রয়ারি",
    "march mar মার্চ",
    "april apr এপ্রিল",
    "may মে",
    "june jun জুন",
    "july jul জুলাই",
    "august aug আগস্ট আগষ্ট অগাস্ট অগস্ট",
    "september sep sept সেপ্টেম্বর",
    "october oct অক্টোবর",
    "november nov নভেম্বর",
    "december dec ডিসেম্বর",
];

const WEEKDAYS: [&str; 7] = [
    "monday সোমবার",
    "tuesday মঙ্গলবার",
    "wednesday বুধবার",
    "thursday বৃহস্পতিবার বৃহষ্পতিবার",
    "friday শুক্রবার",
    "saturday শনিবার",
    "sunday রবিবার রোববার",
];

/// Short names of weekdays, as in "শুক্র ও শনিবার"; also planets, persons and "Mangal".
const SHORT_WEEKDAYS: [&str; 7] = ["সোম", "মঙ্গল", "বুধ", "বৃহস্পতি", "শুক্র", "শনি", "রবি রোব"];

fn table() -> HashMap<&'static str, Role> {
    use Role::*;
    let mut out = HashMap::new();
    let mut add = |words: &'static str, role: Role| {
        for word in words.split_whitespace() {
            out.insert(word, role);
        }
    };
    for list in [BENGALI, ENGLISH] {
        for (value, words) in list.split(',').enumerate() {
            add(words, Value(value as f64));
        }
    }
    for (tens, word) in ENGLISH_TENS.iter().enumerate() {
        add(word, Value(20.0 + 10.0 * tens as f64));
    }
    for (value, words) in ENGLISH_ORDINALS.split(',').enumerate() {
        add(words, Ordinal(value as f64));
    }
    for (value, words) in BENGALI_ORDINALS.split(',').enumerate() {
        add(words, Ordinal(value as f64 + 1.0));
    }
    for (i, words) in MONTHS.iter().enumerate() {
        add(words, Month(i as u8 + 1));
    }
    for (i, words) in WEEKDAYS.iter().enumerate() {
        add(words, Weekday(i as u8 + 1, false));
    }
    for (i, words) in SHORT_WEEKDAYS.iter().enumerate() {
        add(words, Weekday(i as u8 + 1, true));
    }
    for (words, role) in [
        ("a an", Article),
        ("thirtieth", Ordinal(30.0)),
        ("fortieth", Ordinal(40.0)),
        ("fiftieth পঞ্চাশত্তম", Ordinal(50.0)),
        ("দ্বাবিংশ", Ordinal(22.0)),
        ("ত্রয়োবিংশ", Ordinal(23.0)),
        ("চতুর্বিংশ", Ordinal(24.0)),
        ("পঞ্চবিংশ", Ordinal(25.0)),
        ("ষড়বিংশ", Ordinal(26.0)),
        ("সপ্তবিংশ", Ordinal(27.0)),
        ("অষ্টাবিংশ", Ordinal(28.0)),
        ("ঊনত্রিংশ", Ordinal(29.0)),
        ("ত্রিংশ", Ordinal(30.0)),
        ("একত্রিংশ", Ordinal(31.0)),
        ("চত্বারিংশ", Ordinal(40.0)),
        ("অর্ধশত", Value(50.0)),
        ("hundredth", Ordinal(100.0)),
        ("শত শো শ hundred hundreds", Multiplier(1e2)),
        ("হাজার হাজারো সহস্র thousand thousands", Multiplier(1e3)),
        ("লাখ লক্ষ লাখো lakh lakhs lac lacs", Multiplier(1e5)),
        ("কোটি crore crores", Multiplier(1e7)),
        ("মিলিয়ন মিলিয়ান নিযুত million millions mn mln", Multiplier(1e6)),
        ("বিলিয়ন শতকোটি billion billions bn bln", Multiplier(1e9)),
        ("ট্রিলিয়ন trillion trillions trn tn", Multiplier(1e12)),
        ("সাড়ে", Offset(0.5)),
        ("সোয়া", Offset(0.25)),
        ("পৌনে", Offset(-0.25)),
        ("দেড়", Fixed(1.5)),
        ("আড়াই", Fixed(2.5)),
        ("দশমিক point", Point),
        ("তৃতীয়াংশ thirds", Denominator(3.0)),
        ("চতুর্থাংশ fourths quarters", Denominator(4.0)),
        ("পঞ্চমাংশ fifths", Denominator(5.0)),
        ("ষষ্ঠাংশ sixths", Denominator(6.0)),
        ("সপ্তমাংশ sevenths", Denominator(7.0)),
        ("অষ্টমাংশ eighths", Denominator(8.0)),
        ("দশমাংশ tenths", Denominator(10.0)),
        ("শতাংশ ভাগ শতকরা পারসেন্ট পার্সেন্ট percent pc percentage percentile cent", Percent),
        ("টাকা taka tk bdt", Money(Currency::Taka)),
        ("ডলার dollar dollars usd us$", Money(Currency::Dollar)),
        ("রুপি রুপী rupee rupees rs inr", Money(Currency::Rupee)),
        ("ইউরো euro euros eur", Money(Currency::Euro)),
        ("পাউন্ড pound pounds gbp", Money(Currency::Pound)),
        ("ইয়েন yen", Money(Currency::Yen)),
        ("ইউয়ান yuan", Money(Currency::Yuan)),
        ("রিয়াল riyal riyals", Money(Currency::Riyal)),
        ("দিরহাম dirham dirhams", Money(Currency::Dirham)),
        ("টা টায় টার টো o'clock", Hour),
        ("মিনিট মিনিটে মিনিটের minute minutes", Minute),
        ("am a.m ভোর ভোররাত সকাল সকালে ভোরে", Meridiem(self::Meridiem::Am)),
        ("pm p.m দুপুর দুপুরে বিকাল বিকালে বিকেল বিকেলে সন্ধ্যা সন্ধ্যায়", Meridiem(self::Meridiem::Pm)),
        ("রাত রাতে night", Meridiem(self::Meridiem::Night)),
        ("থেকে হতে বা কিংবা অথবা to or through until", Range),
        ("and ও এবং", And),
        (
            "উভয় উভয়ের both couple pair twice double doubled dual twin two-fold twofold জোড়া যমজ দ্বিগুণ দ্বিপাক্ষিক bilateral",
            Loose(2.0),
        ),
        ("triple thrice tripled তিনগুণ ত্রিপক্ষীয় tripartite trilateral", Loose(3.0)),
        ("quadruple চারগুণ চতুর্মুখী", Loose(4.0)),
        ("single once sole alone আরেক আরেকটি আরেকজন একবার একমাত্র একক only", Loose(1.0)),
        ("half অর্ধেক আধা অর্ধ halves", Loose(0.5)),
        ("quarter", Loose(0.25)),
        ("ডজন dozen dozens যুগ midnight noon মধ্যরাত", Loose(12.0)),
        ("দশক decade decades দশকের দশকে", Loose(10.0)),
        ("শতক শতাব্দী শতবর্ষ শতবার্ষিকী জন্মশতবার্ষিকী century centuries centenary শতভাগ জন্মশতবর্ষ", Loose(100.0)),
        ("সুবর্ণজয়ন্তী jubilee", Loose(50.0)),
        ("fortnight পাক্ষিক", Loose(14.0)),
        ("একুশে ekushey", Loose(21.0)),
        ("হালি", Loose(4.0)),
    ] {
        add(words, role);
    }
    out
}

static TABLE: LazyLock<HashMap<&'static str, Role>> = LazyLock::new(table);

/// What may stand between a number word and its case ending.
const CLASSIFIERS: [&str; 29] = [
    "টি",
    "টা",
    "টো",
    "জন",
    "খানা",
    "খানি",
    "খান",
    "বার",
    "গুণ",
    "দিন",
    "মাস",
    "বছর",
    "ঘণ্টা",
    "ঘন্টা",
    "মিনিট",
    "তলা",
    "দফা",
    "ধাপ",
    "দলীয়",
    "পক্ষীয়",
    "সদস্য",
    "সপ্তাহ",
    "রাত",
    "াধিক",
    "োর্ধ্ব",
    "োর্ধ",
    "মাত্রিক",
    "পর্ব",
    "",
];

const ENDINGS: [&str; 31] = [
    "",
    "র",
    "ের",
    "এর",
    "য়ের",
    "ইয়ের",
    "কে",
    "তে",
    "েতে",
    "য়",
    "ে",
    "ায়",
    "ই",
    "ও",
    "রও",
    "েরও",
    "কেও",
    "টির",
    "েই",
    "িয়",
    "ী",
    "ব্যাপী",
    "েক",
    "খানেক",
    "রই",
    "েরই",
    "টির",
    "ভিত্তিক",
    "গুলো",
    "বিশিষ্ট",
    "য়েরও",
];

/// Whole words that would be read as number words and aren't: places, names, "not".
const NOT_NUMBERS: [&str; 25] = [
    "আটকে",
    "আড়াইহাজার",
    "একই",
    "একে",
    "একেই",
    "একেও",
    "একেক",
    "আটই",
    "একের",
    "নয়ে",
    "দুয়ে",
    "ছয়ে",
    "ছবার",
    "ছদিন",
    "ছে",
    "ছেন",
    "ছের",
    "ছয়ী",
    "শর",
    "শকে",
    "শতে",
    "শের",
    "শই",
    "দুর",
    "দুই-একজন",
];

/// What a word of the table says, as it stands there.
pub(crate) fn known(word: &str) -> Option<Role> {
    TABLE.get(word).copied()
}

/// A word that only looks like a number word.
pub(crate) fn is_no_number(word: &str) -> bool {
    NOT_NUMBERS.contains(&word)
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
    if NOT_NUMBERS.contains(&word) {
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
            Role::Value(v) if rest.strip_prefix("তম").is_some_and(|ending| ENDINGS.contains(&ending)) => {
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
                if head.chars().count() > 2 && ENDINGS.contains(&rest) =>
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

/// The classifier at the start of `rest` if `rest` is a classifier and an ending.
fn classifier(rest: &str) -> Option<&'static str> {
    CLASSIFIERS.into_iter().find(|c| rest.strip_prefix(c).is_some_and(|ending| ENDINGS.contains(&ending)))
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
    ) || suffix.strip_prefix("তম").is_some_and(|ending| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hundred_bengali_numerals_are_there() {
        let rows: Vec<&str> = BENGALI.split(',').collect();
        assert_eq!(rows.len(), 100);
        for (value, words) in rows.iter().enumerate() {
            for word in words.split_whitespace() {
                match roles(word)[..] {
                    [Role::Value(v)] => assert_eq!(v, value as f64, "{word}"),
                    ref other => panic!("{word}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn the_lists_are_in_the_spelling_that_text_is_compared_in() {
        let lists = CLASSIFIERS.iter().chain(&ENDINGS).chain(&NOT_NUMBERS).copied().chain(TABLE.keys().copied());
        for word in lists {
            assert_eq!(super::super::canonical::canonical(word), word);
        }
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
            assert_eq!(roles(&super::super::canonical::canonical(word)), expected, "{word}");
        }
    }
}
