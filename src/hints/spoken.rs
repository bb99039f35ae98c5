//! Reading a number as Bengali writes it, digits and words and both, word by word.
use crate::lang::number_words::{Role, is_inflection, is_no_number, known};

/// A number that was read, what follows it in its last word, and how it was written.
pub(super) struct Read {
    pub(super) value: f64,
    pub(super) rest: String,
    /// Before the first digit: a bracket, a quote, a sign of money.
    pub(super) before: String,
    pub(super) taken: usize,
    /// Some of it is a word.
    pub(super) spoken: bool,
    /// It has a multiplier; the last one.
    pub(super) multiplied: Option<f64>,
    /// It begins with সাড়ে, সোয়া or পৌনে.
    pub(super) offset: bool,
    /// It is written in digits alone but for the multiplier.
    pub(super) digits: bool,
}

/// A number while it is read: word `at` is next.
struct Sum {
    total: f64,
    pending: Option<f64>,
    /// The last multiplier; infinite before the first.
    last: f64,
    offset: Option<f64>,
    at: usize,
    start: usize,
    read: Read,
}

/// Reads a number from word `start` on, as long as coefficients and multipliers fall.
pub(super) fn read(words: &[&str], start: usize) -> Option<Read> {
    let mut sum = Sum {
        total: 0.0,
        pending: None,
        last: f64::INFINITY,
        offset: None,
        at: start,
        start,
        read: Read {
            value: 0.0,
            rest: String::new(),
            before: String::new(),
            taken: 0,
            spoken: false,
            multiplied: None,
            offset: false,
            digits: true,
        },
    };
    while sum.at < words.len() && sum.read.rest.is_empty() && sum.take(words) {}
    if sum.offset.is_some() || (sum.pending.is_none() && sum.total == 0.0) {
        return None;
    }
    let Sum { total, pending, at, mut read, .. } = sum;
    read.value = total + pending.unwrap_or(0.0);
    read.taken = at - start;
    Some(read)
}

impl Sum {
    /// Takes the next word into the number. `false`: it does not belong to it.
    fn take(&mut self, words: &[&str]) -> bool {
        let word = words[self.at];
        if let Some((before, value, rest)) = literal(word).filter(|_| self.pending.is_none()) {
            return self.take_literal(words, before, value, rest);
        }
        let (bare, mark) = trailing(word);
        if self.take_beginning(bare, mark) {
            return true;
        }
        if let Some((by, rest)) = multiplier(bare) {
            return self.take_multiplier(words, by, rest, mark);
        }
        match spoken(bare).filter(|_| self.pending.is_none()) {
            Some((value, hundreds, rest)) => self.take_spoken(words, value, hundreds, &format!("{rest}{mark}")),
            None => false,
        }
    }

    /// Digits, with what stands around them.
    fn take_literal(&mut self, words: &[&str], before: &str, value: f64, rest: &str) -> bool {
        if (self.at > self.start && !before.is_empty()) || (self.total > 0.0 && value >= self.last) {
            return false;
        }
        self.read.before.push_str(before);
        self.pending = Some(value + self.offset.take().unwrap_or(0.0));
        // ৫শ is five hundred.
        let rest = match rest.strip_prefix("শ").or_else(|| rest.strip_prefix("শো")) {
            Some(after) if after.is_empty() || is_inflection(after) => {
                self.total += self.pending.take().unwrap_or(0.0) * 100.0;
                (self.last, self.read.multiplied) = (100.0, Some(100.0));
                after
            }
            _ => rest,
        };
        self.read.rest = rest.to_owned();
        self.take_point(words, value);
        true
    }

    /// সাড়ে, পৌনে; দেড়, আড়াই.
    fn take_beginning(&mut self, bare: &str, mark: &str) -> bool {
        if self.pending.is_some() || self.offset.is_some() {
            return false;
        }
        match known(bare) {
            Some(Role::Offset(value)) if mark.is_empty() => {
                self.offset = Some(value);
                self.read.offset |= self.at == self.start;
            }
            Some(Role::Fixed(value)) if self.total == 0.0 => {
                self.pending = Some(value);
                self.read.rest = mark.to_owned();
            }
            _ => return false,
        }
        (self.read.spoken, self.read.digits) = (true, false);
        self.at += 1;
        true
    }

    fn take_multiplier(&mut self, words: &[&str], by: f64, rest: &str, mark: &str) -> bool {
        let (total, first) = (self.total, self.at == self.start);
        match self.pending.take() {
            Some(coefficient) if total > 0.0 && by > self.last => self.total = (total + coefficient) * by,
            Some(coefficient) => self.total += coefficient * by,
            // ৭৯০ হাজার কোটি; শত কোটি
            None if total > 0.0 && by > self.last && by >= 1e5 => self.total *= by,
            None if first && next_multiplier(words, self.at).is_some_and(|next| next > by) && rest.is_empty() => {
                self.total = by;
                (self.read.spoken, self.read.digits) = (true, false);
            }
            None => return false,
        }
        (self.last, self.read.multiplied) = (by, Some(by));
        self.read.rest = format!("{rest}{mark}");
        self.at += 1;
        true
    }

    /// A number word and what follows it; `hundreds`: it counts them (তিনশ).
    fn take_spoken(&mut self, words: &[&str], value: f64, hundreds: bool, rest: &str) -> bool {
        if self.total > 0.0 && value >= self.last {
            return false;
        }
        (self.read.spoken, self.read.digits) = (true, false);
        if hundreds {
            self.total += value + self.offset.take().unwrap_or(0.0) * 100.0;
            (self.last, self.read.multiplied) = (100.0, Some(100.0));
        } else {
            self.pending = Some(value + self.offset.take().unwrap_or(0.0));
        }
        self.read.rest = rest.to_owned();
        self.take_point(words, value);
        true
    }

    /// The word was taken; "দশমিক" and digits behind it are, too.
    fn take_point(&mut self, words: &[&str], value: f64) {
        self.at += 1;
        if let Some((value, rest, taken)) = point(words, self.at, value).filter(|_| self.read.rest.is_empty()) {
            self.pending = Some(value);
            self.read.rest = rest;
            self.at += taken;
        }
    }
}

/// "(1,250.5টি": the sign before, the value, what follows. Dates, codes and ranges are none.
pub(super) fn literal(word: &str) -> Option<(&str, f64, &str)> {
    let start = word.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = word.split_at(start);
    if !before.chars().all(|c| matches!(c, '(' | '‘' | '“' | '"' | '\'' | '৳' | '$')) {
        return None;
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(rest.len());
    let digits = rest[..end].trim_end_matches([',', '.']);
    let after = &rest[digits.len()..];
    if after.chars().any(|c| c.is_ascii_digit()) || after.starts_with(['-', '–', '/', ':']) {
        return None;
    }
    Some((before, digits.replace(',', "").parse().ok()?, after))
}

/// A word without the marks at its end.
pub(super) fn trailing(word: &str) -> (&str, &str) {
    let bare = word.trim_end_matches(['।', ',', ';', ':', '?', '!', '”', '’', '"', '\'', ')']);
    word.split_at(bare.len())
}

/// A multiplier with its ending: লাখের.
fn multiplier(word: &str) -> Option<(f64, &str)> {
    cuts(word).find_map(|(head, rest)| match known(head) {
        Some(Role::Multiplier(by)) if !head.is_ascii() && !matches!(head, "শ" | "শো") => (rest.is_empty()
            || (head.chars().count() > 2 && is_inflection(rest) && !rest.starts_with("াধিক")))
        .then_some((by, rest)),
        _ => None,
    })
}

fn next_multiplier(words: &[&str], at: usize) -> Option<f64> {
    words.get(at + 1).and_then(|word| multiplier(trailing(word).0)).map(|(by, _)| by)
}

/// A number word with what follows it: পঁয়ত্রিশটি, তিনশ, আড়াইশ. True: it counts hundreds.
pub(super) fn spoken(word: &str) -> Option<(f64, bool, &str)> {
    if is_no_number(word) {
        return None;
    }
    cuts(word).find_map(|(head, rest)| {
        if let Some(Role::Value(value)) = known(head).filter(|_| !head.is_ascii()) {
            let certain = value >= 3.0 && !matches!(head, "নয়" | "ছ" | "দু" | "তের") || rest.starts_with("টা");
            return ((rest.is_empty() || (certain && is_inflection(rest))) && !rest.starts_with("াধিক"))
                .then_some((value, false, rest));
        }
        let stem = ["শত", "শো", "শ"].iter().find_map(|end| head.strip_suffix(end))?;
        let value = match known(stem)? {
            Role::Value(value) if value > 0.0 && !stem.is_ascii() => value,
            Role::Fixed(value) => value,
            _ => return None,
        };
        ((rest.is_empty() || is_inflection(rest)) && !rest.starts_with("াধিক")).then_some((value * 100.0, true, rest))
    })
}

/// All ways to cut a word in two, the longest head first.
fn cuts(word: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends: Vec<usize> = word.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    ends.into_iter().rev().map(|end| word.split_at(end))
}

/// "দশমিক 18", "দশমিক দুই" behind a whole number.
fn point(words: &[&str], at: usize, whole: f64) -> Option<(f64, String, usize)> {
    if whole.fract() != 0.0 || known(words.get(at)?) != Some(Role::Point) {
        return None;
    }
    let mut fraction = String::new();
    let mut taken = 1;
    let mut rest = String::new();
    while let Some(word) = words.get(at + taken).filter(|_| rest.is_empty()) {
        let (bare, mark) = trailing(word);
        let digits = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
        if digits > 0 && fraction.is_empty() {
            fraction.push_str(&bare[..digits]);
            rest = format!("{}{mark}", &bare[digits..]);
            taken += 1;
            break;
        }
        let Some((value, false, after)) = spoken(bare) else { break };
        if !fraction.is_empty() && value >= 10.0 {
            break;
        }
        fraction.push_str(&format!("{value}"));
        rest = format!("{after}{mark}");
        taken += 1;
    }
    let value = format!("{whole}.{fraction}").parse().ok().filter(|_| !fraction.is_empty())?;
    Some((value, rest, taken))
}
