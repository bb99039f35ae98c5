//! Numbers as English writes them, before a model reads them: "সাড়ে চার হাজার" is 4500, "৭ লাখ ৯০ হাজার কোটি টাকা" is
//! "7.9 trillion taka", "রাত দেড়টা" is "রাত 1:30টা". A small model reads digits well and number words badly.
use super::spoken::{literal, read, spoken, trailing};
use crate::check::units::UNITS;
use crate::check::wording::{grouped, spoken as in_words};
use crate::lang::number_words::{Role, is_inflection, known};

/// The text (digits in Latin already) with its quantities in digits and English words for millions and more. What may
/// be said in words in English, too (up to ten), stays as it is.
pub(super) fn quantities(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut i = 0;
    while i < words.len() {
        let found = fraction(&words, i)
            .or_else(|| about(&words, i))
            .or_else(|| decade(&words, i))
            .or_else(|| clock(&words, i))
            .or_else(|| range(&words, i))
            .or_else(|| quantity(&words, i))
            .or_else(|| ordinal(words[i]).map(|text| (text, 1)))
            .or_else(|| section(&words, i));
        match found {
            Some((text, taken)) => {
                out.push(text);
                i += taken;
            }
            None => {
                let unit = out.last().filter(|last| counts(last)).and_then(|_| unit(&words, i));
                out.push(unit.unwrap_or_else(|| words[i].to_owned()));
                i += 1;
            }
        }
    }
    out.join(" ")
}

/// A number that the model is better given in digits.
fn quantity(words: &[&str], i: usize) -> Option<(String, usize)> {
    let read = read(words, i)?;
    let years =
        !read.digits && read.multiplied.is_none() && matches!(read.value as i64, 47 | 52 | 69 | 70 | 71 | 75 | 90);
    let plain = read.spoken && read.multiplied.is_none() && read.value <= 10.0 && read.value.fract() == 0.0;
    let large = read.multiplied.is_some_and(|by| by >= 1e5) || (read.multiplied.is_some() && read.value >= 1e6);
    if !large && (!read.spoken || plain || (years && !read.rest.is_empty())) && read.taken < 2 {
        return None;
    }
    if years && read.rest.is_empty() && words.get(i + read.taken).is_some_and(|next| next.starts_with("সাল")) {
        return None;
    }
    Some((
        format!("{}{}{}", read.before, if large { in_words(read.value) } else { grouped(read.value) }, read.rest),
        read.taken,
    ))
}

/// সাড়ে নয়টায়, পৌনে দুইটায়, দেড়টার; 9টা 35 মিনিটে.
fn clock(words: &[&str], i: usize) -> Option<(String, usize)> {
    let (first, mark) = trailing(words[i]);
    if let Some((value, rest)) = [("দেড়", "1:30"), ("আড়াই", "2:30")]
        .iter()
        .find_map(|(word, time)| Some((time, first.strip_prefix(&crate::lang::normalize::canonical(word))?)))
        .filter(|(_, rest)| rest.starts_with("টা"))
    {
        return Some((format!("{value}{rest}{mark}"), 1));
    }
    if let Some((_, hour, "টা" | "টায়")) = literal(words[i])
        && let Some((_, minute, "")) = words.get(i + 1).and_then(|word| literal(word))
        && words[i + 1].len() == 2
        && words.get(i + 2).is_some_and(|word| word.starts_with("মিনিট"))
    {
        return Some((format!("{hour:.0}:{minute:02.0}"), 2));
    }
    let read = read(words, i).filter(|read| read.offset && read.rest.starts_with("টা") && read.multiplied.is_none())?;
    (read.value < 24.0 && read.taken == 2).then(|| {
        let (hour, minute) = (read.value.floor(), (read.value.fract() * 60.0).round());
        (format!("{hour:.0}:{minute:02.0}{}", read.rest), 2)
    })
}

/// "5 থেকে 6 কোটি": both have the multiplier.
fn range(words: &[&str], i: usize) -> Option<(String, usize)> {
    let (before, from, "") = literal(words[i])? else { return None };
    if !matches!(*words.get(i + 1)?, "থেকে" | "হতে") {
        return None;
    }
    let to = read(words, i + 2).filter(|to| to.before.is_empty() && to.digits)?;
    let (_, coefficient, _) = literal(words[i + 2])?;
    let by = to.multiplied.filter(|by| *by >= 1e5 && to.value == coefficient * by && from < coefficient)?;
    Some((format!("{before}{} থেকে {}{}", in_words(from * by), in_words(to.value), to.rest), to.taken + 2))
}

/// তিন-চতুর্থাংশ, চার ভাগের তিন ভাগ.
fn fraction(words: &[&str], i: usize) -> Option<(String, usize)> {
    const NAMES: [(&str, &str, f64); 7] = [
        ("তৃতীয়াংশ", "third", 3.0),
        ("চতুর্থাংশ", "quarter", 4.0),
        ("পঞ্চমাংশ", "fifth", 5.0),
        ("ষষ্ঠাংশ", "sixth", 6.0),
        ("সপ্তমাংশ", "seventh", 7.0),
        ("অষ্টমাংশ", "eighth", 8.0),
        ("দশমাংশ", "tenth", 10.0),
    ];
    const COUNTS: [&str; 10] = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let count = |word: &str| match known(word) {
        Some(Role::Value(value)) if (1.0..=9.0).contains(&value) => Some(value),
        _ => word.parse::<f64>().ok().filter(|value| (1.0..=9.0).contains(value) && value.fract() == 0.0),
    };
    let said = |count: f64, name: &str| {
        let plural = if count > 1.0 { "s" } else { "" };
        format!("{}-{name}{plural}", COUNTS[count as usize])
    };
    let (first, second, taken) = match words[i].split_once('-') {
        Some((first, second)) => (first, second, 1),
        None => (words[i], *words.get(i + 1)?, 2),
    };
    if let Some(counted) = count(first) {
        for (bengali, name, _) in NAMES {
            let bengali = crate::lang::normalize::canonical(bengali);
            if let Some(rest) = second
                .strip_prefix(&bengali)
                .filter(|rest| trailing(rest).0.is_empty() || is_inflection(trailing(rest).0))
            {
                return Some((format!("{}{rest}", said(counted, name)), taken));
            }
        }
    }
    if let (Some(of), Some("ভাগের"), Some(part)) =
        (count(words[i]), words.get(i + 1).copied(), words.get(i + 2).and_then(|w| count(w)))
        && let Some(rest) = words.get(i + 3).and_then(|word| word.strip_prefix("ভাগ"))
        && let Some((_, name, _)) = NAMES.iter().find(|(_, _, n)| *n == of).filter(|_| part < of)
    {
        return Some((format!("{}{rest}", said(part, name)), 4));
    }
    None
}

/// "গোটা দশেক দোকান" is about 10 shops, "হাজারখানেক" about 1000.
fn about(words: &[&str], i: usize) -> Option<(String, usize)> {
    let bare = words[i].replace(['\'', '’'], "");
    if let Some(by) = bare.strip_suffix("খানেক").filter(|head| !head.is_empty()).and_then(known_multiplier) {
        return Some((format!("প্রায় {}", in_words(by)), 1));
    }
    let (count, mark) = trailing(words.get(i + 1)?);
    let stem = count.strip_suffix("েক").or_else(|| count.strip_suffix("ক").filter(|stem| stem.ends_with('ি')))?;
    let value = match (stem, known(stem)) {
        ("দুয়", _) => 2.0,
        (_, Some(Role::Value(value))) if (3.0..=90.0).contains(&value) => value,
        _ => return None,
    };
    let unit = match words[i] {
        "গোটা" => return Some((format!("প্রায় {value:.0}টি{mark}"), 2)),
        "জনা" => "জন",
        unit @ ("জন" | "দিন" | "মাস" | "বছর" | "ঘণ্টা" | "ঘন্টা" | "মিনিট" | "কিলোমিটার" | "মাইল") => {
            unit
        }
        _ => return None,
    };
    Some((format!("প্রায় {value:.0} {unit}{mark}"), 2))
}

fn known_multiplier(word: &str) -> Option<f64> {
    match known(word) {
        Some(Role::Multiplier(by)) => Some(by),
        _ => None,
    }
}

/// নব্বইয়ের দশকে: the 1990s.
fn decade(words: &[&str], i: usize) -> Option<(String, usize)> {
    let next = words.get(i + 1).filter(|next| next.starts_with("দশক"))?;
    let (value, ending) = match spoken(words[i]) {
        Some((value, false, ending)) => (value, ending),
        _ => literal(words[i]).map(|(_, value, ending)| (value, ending))?,
    };
    let tens = (20.0..=90.0).contains(&value) && value % 10.0 == 0.0;
    let genitive = matches!(ending.trim_start_matches(['-', '’', '\'']), "ের" | "র" | "য়ের" | "এর" | "ইয়ের");
    (tens && genitive).then(|| (format!("{:.0}-এর {next}", 1900.0 + value), 2))
}

/// ত্রয়োদশ, পঁচিশতম: 13th, 25th.
fn ordinal(word: &str) -> Option<String> {
    let (bare, mark) = trailing(word);
    let value = match known(bare) {
        Some(Role::Ordinal(value)) if !bare.is_ascii() => value,
        _ => match spoken(bare.strip_suffix("তম")?) {
            Some((value, _, "")) => value,
            _ => return None,
        },
    };
    let n = value as u64;
    let end = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    (n >= 11).then(|| format!("{n}{end}{mark}"))
}

/// "302 ধারায়" is Section 302, "70 অনুচ্ছেদ" Article 70.
fn section(words: &[&str], i: usize) -> Option<(String, usize)> {
    let (_, number, "") = literal(words[i])? else { return None };
    let skip = usize::from(matches!(words.get(i + 1).copied(), Some("নম্বর" | "নং")));
    let word = words.get(i + 1 + skip)?;
    [("ধারা", "Section"), ("অনুচ্ছেদ", "Article")].iter().find_map(|(bengali, english)| {
        let rest =
            word.strip_prefix(bengali).filter(|rest| matches!(trailing(rest).0, "" | "র" | "য়" | "ে" | "ের" | "তে"))?;
        (number.fract() == 0.0).then(|| (format!("{english} {number:.0}{rest}"), 2 + skip))
    })
}

/// Whether a unit may follow: digits, a word of a large number, a number word that was left as it is.
fn counts(word: &str) -> bool {
    word.ends_with(|c: char| c.is_ascii_digit())
        || word.ends_with("illion")
        || matches!(known(word), Some(Role::Value(_) | Role::Multiplier(_)))
}

/// A unit that English has no other word for, in Latin letters with its ending: টাকায় is "takaয়".
fn unit(words: &[&str], i: usize) -> Option<String> {
    let (bare, mark) = trailing(words[i]);
    // A share of land is no percentage.
    let land = words.get(i + 1).is_some_and(|next| ["জমি", "জায়গা", "ভূমি"].iter().any(|land| next.starts_with(land)));
    if land && let Some(rest) = bare.strip_prefix("শতাংশ").or_else(|| bare.strip_prefix("শতক")) {
        return Some(format!("decimals{rest}{mark}"));
    }
    UNITS.iter().filter(|unit| unit.foreign).find_map(|unit| {
        let rest = unit.bengali.iter().find_map(|name| bare.strip_prefix(name.as_str()))?;
        let ending = matches!(rest, "" | "র" | "য়" | "ই" | "ও" | "তে" | "ের" | "ে" | "রও" | "টি");
        ending.then(|| format!("{}{rest}{mark}", unit.plural))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::normalize::canonical;

    #[test]
    fn quantities_are_written_as_english_has_them() {
        for (text, want) in [
            ("উনপঞ্চাশ জন আহত", "49 জন আহত"),
            ("তিয়াত্তরটি পরিবার", "73টি পরিবার"),
            ("একচল্লিশজন নাগরিক", "41জন নাগরিক"),
            ("আড়াইশ পরিবার", "250 পরিবার"),
            ("সোয়া দুইশ ঘর", "225 ঘর"),
            ("সাড়ে চার হাজার শিক্ষক", "4500 শিক্ষক"),
            ("পৌনে তিন লাখ মানুষ", "275,000 মানুষ"),
            ("দেড় কোটি মানুষ", "15 million মানুষ"),
            ("7 লাখ 90 হাজার কোটি টাকা", "7.9 trillion taka"),
            ("2 হাজার 350 কোটি টাকা।", "23.5 billion taka।"),
            ("270 কোটি 50 লাখ ডলার", "2.705 billion ডলার"),
            ("শত কোটি টাকার সম্পদ", "1 billion takaর সম্পদ"),
            ("500 থেকে 600 কোটি টাকা", "5 billion থেকে 6 billion taka"),
            ("120 টাকায় বিক্রি", "120 takaয় বিক্রি"),
            ("50 পয়সা ভাড়া", "50 paisa ভাড়া"),
            ("দেড় লাখ টাকা।", "150,000 taka।"),
            ("10 কাঠা জমি", "10 kathas জমি"),
            ("20 শতাংশ জমি", "20 decimals জমি"),
            ("পাঁচ বিঘা জমি", "পাঁচ bighas জমি"),
            ("এক হালি ডিম", "এক hali ডিম"),
            ("20 শতাংশ মানুষ", "20 শতাংশ মানুষ"),
            ("পৌনে দুইটায় বিমান", "1:45টায় বিমান"),
            ("রাত দেড়টার দিকে", "রাত 1:30টার দিকে"),
            ("সাড়ে ছয়টায় শুরু", "6:30টায় শুরু"),
            ("দুই-তৃতীয়াংশ ভোট", "two-thirds ভোট"),
            ("এক তৃতীয়াংশের বেশি", "one-thirdের বেশি"),
            ("চার ভাগের তিন ভাগ জমি", "three-quarters জমি"),
            ("পাঁচ দশমিক দুই শতাংশ", "5.2 শতাংশ"),
            ("8 দশমিক 29 শতাংশে", "8.29 শতাংশে"),
            ("নব্বইয়ের দশকে", "1990-এর দশকে"),
            ("ত্রয়োদশ সংসদ", "13th সংসদ"),
            ("পঁচিশতম পরীক্ষা", "25th পরীক্ষা"),
            ("302 ধারায় মামলা", "Section 302য় মামলা"),
            ("70 নম্বর অনুচ্ছেদ", "Article 70"),
            // What is said in words in English, too, and what is no number.
            ("তিন জন ও সাতটি", "তিন জন ও সাতটি"),
            ("একাত্তরের যুদ্ধ", "একাত্তরের যুদ্ধ"),
            ("আমরা আটকে গেছি, তা নয়।", "আমরা আটকে গেছি, তা নয়।"),
            ("হাজার হাজার মানুষ", "হাজার হাজার মানুষ"),
            ("2019-20 অর্থবছর", "2019-20 অর্থবছর"),
            ("গোটা দশেক দোকান", "প্রায় 10টি দোকান"),
            ("জনা পাঁচেক লোক", "প্রায় 5 জন লোক"),
            ("দিন বিশেক পর", "প্রায় 20 দিন পর"),
            ("হাজারখানেক মানুষ ও শ'খানেক গাড়ি", "প্রায় 1000 মানুষ ও প্রায় 100 গাড়ি"),
            ("প্রথম দিন", "প্রথম দিন"),
        ] {
            assert_eq!(quantities(&canonical(text)), canonical(want), "{text}");
        }
    }
}
