//! Reads the numbers of a text, Bengali or English: digits, words, dates, times, money, ordinals, fractions.
use super::canonical::canonical;
use super::number_words::{Currency, Meridiem, Role, is_ordinal_suffix, roles};
use crate::text::script::is_bengali;
use std::ops::Range;

/// What sort of number it is, as far as matching cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    Cardinal,
    Ordinal,
    /// Hours in `values`, with the minutes as a fraction; compared modulo twelve.
    Time,
    /// Day or month of a date in digits: matches a cardinal or a month.
    DatePart,
    Month,
    Weekday,
    /// A telephone or account number: `digits` are compared.
    Code,
}

/// What is counted, where a mistake would mislead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Percent,
    Money(Currency),
}

/// How sure it is that the other side must have the number too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// "one", "both", "thousands of": may be worded away.
    Soft,
    /// "five", "third", a weekday: rarely worded away.
    Medium,
    /// Digits and large numbers.
    Hard,
}

/// A number found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    pub kind: NumberKind,
    /// The value, and others that the wording allows ("25" in "25 to 30 thousand" may be 25,000).
    pub values: Vec<f64>,
    /// Digits of a [`NumberKind::Code`].
    pub digits: String,
    pub unit: Option<Unit>,
    pub meridiem: Option<Meridiem>,
    pub weight: Weight,
    /// As it stands in the text, digits in Latin.
    pub text: String,
    /// Bytes of the text in the spelling that the checks compare in.
    pub range: Range<usize>,
    /// What the last coefficient was multiplied by; 1 without a multiplier.
    scale: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Literal { value: f64, digits: String, decimal: bool },
    Word(Role),
    Symbol(char),
    Other,
}

#[derive(Debug, Clone)]
struct Event {
    item: Item,
    /// No white space before it.
    glued: bool,
    range: Range<usize>,
    /// In lower case; empty for symbols.
    word: String,
    /// Starts with a capital letter.
    capital: bool,
}

/// All numbers of `text` in reading order.
pub fn numbers(text: &str) -> Vec<Number> {
    let text = canonical(text);
    let events = events(&text);
    let mut reader = Reader { text: &text, events: &events, at: 0, out: Vec::new(), connector: None };
    reader.run();
    reader.out
}

/// Splits canonical text into what the reader understands.
fn events(text: &str) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::new();
    let mut rest = text;
    let mut glued = false;
    while let Some(c) = rest.chars().next() {
        let start = text.len() - rest.len();
        let length = if c == ' ' {
            glued = false;
            rest = &rest[1..];
            continue;
        } else if c.is_ascii_digit() {
            literal(rest, start, glued, &mut out)
        } else if is_bengali(c) {
            bengali_word(rest, start, glued, &mut out)
        } else if c.is_alphabetic() {
            latin_word(rest, start, glued, &mut out)
        } else {
            let between = c == '\'' && glued && rest[1..].starts_with(is_bengali);
            if !between || !matches!(out.last(), Some(Event { item: Item::Literal { .. }, .. })) {
                out.push(Event {
                    item: Item::Symbol(c),
                    glued,
                    range: start..start + c.len_utf8(),
                    word: String::new(),
                    capital: false,
                });
            }
            c.len_utf8()
        };
        rest = &rest[length..];
        glued = true;
    }
    for i in 1..out.len() {
        if out[i - 1].word == "নয়" && out[i - 1].item == Item::Other && counts(&out[i]) {
            out[i - 1].item = Item::Word(Role::Value(9.0));
        }
    }
    out
}

/// Is this something that is counted, so that নয় before it is nine and not "isn't"?
fn counts(next: &Event) -> bool {
    const COUNTED: [&str; 14] =
        ["জন", "মাস", "বছর", "দিন", "ঘণ্টা", "ঘন্টা", "মিনিট", "সপ্তাহ", "দফা", "সদস্য", "শতাংশ", "ভাগ", "গুণ", "উইকেট"];
    matches!(next.item, Item::Word(Role::Multiplier(_))) || COUNTED.iter().any(|c| next.word.starts_with(c))
}

/// Digits with separators at the start of `rest`: one literal, or several where the separators don't make one number.
fn literal(rest: &str, start: usize, glued: bool, out: &mut Vec<Event>) -> usize {
    let bytes = rest.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (matches!(bytes.get(end), Some(b',' | b'.')) && digit(end + 1)) {
        end += 1;
    }
    let run = &rest[..end];
    let mut push = |from: usize, to: usize, glued: bool| {
        let digits: String = rest[from..to].chars().filter(|c| *c != ',').collect();
        let value = digits.parse().unwrap_or(f64::INFINITY);
        let item = Item::Literal { value, decimal: digits.contains('.'), digits };
        out.push(Event { item, glued, range: start + from..start + to, word: String::new(), capital: false });
    };
    let whole = run.split('.').next().unwrap_or(run);
    if run.matches('.').count() <= 1 && is_grouped(whole) && !run[whole.len()..].contains(',') {
        push(0, end, glued);
        return end;
    }
    // a list or a date: every piece for itself, but a decimal stays whole
    let list = run.matches('.').count() < 2 || run.contains(',');
    let mut from = 0;
    for piece in run.split(|c| c == ',' || (!list && c == '.')) {
        let to = from + piece.len();
        push(from, to, if from == 0 { glued } else { !list });
        from = to + 1;
    }
    end
}

/// No commas, or commas in the Western (1,234,567) or Indian (12,34,567) manner.
fn is_grouped(whole: &str) -> bool {
    let groups: Vec<&str> = whole.split(',').collect();
    let n = groups.len();
    n == 1
        || (groups[n - 1].len() == 3
            && groups[1..n - 1].iter().all(|g| g.len() == 2 || g.len() == 3)
            && (1..=3).contains(&groups[0].len()))
}

fn bengali_word(rest: &str, start: usize, glued: bool, out: &mut Vec<Event>) -> usize {
    let mut end = 0;
    let mut word = String::new();
    for (i, c) in rest.char_indices() {
        let apostrophe = c == '\'' && rest[i + 1..].starts_with(is_bengali);
        if !is_bengali(c) && !apostrophe {
            break;
        }
        end = i + c.len_utf8();
        if !apostrophe {
            word.push(c);
        }
    }
    push_word(word, start..start + end, glued, false, out);
    end
}

fn latin_word(rest: &str, start: usize, glued: bool, out: &mut Vec<Event>) -> usize {
    let lower = rest.get(..4).map(str::to_ascii_lowercase);
    if let Some(meridiem) = lower.as_deref().filter(|w| w.starts_with("a.m") || w.starts_with("p.m")) {
        push_word(meridiem[..3].into(), start..start + 3, glued, false, out);
        return if meridiem.ends_with('.') { 4 } else { 3 };
    }
    let mut end = rest.find(|c: char| !(c.is_alphabetic() && !is_bengali(c)) && c != '\'').unwrap_or(rest.len());
    if let Some(quote) = rest[..end].find('\'').filter(|_| !rest[..end].eq_ignore_ascii_case("o'clock")) {
        end = quote;
    }
    let capital = rest.starts_with(char::is_uppercase);
    push_word(rest[..end].to_lowercase(), start..start + end, glued, capital, out);
    end
}

fn push_word(word: String, range: Range<usize>, glued: bool, capital: bool, out: &mut Vec<Event>) {
    let after_digits = glued && matches!(out.last(), Some(Event { item: Item::Literal { .. }, .. }));
    let roles = match (after_digits, word.as_str()) {
        // ৫টি is a classifier, not "o'clock"; ৫শ is five hundred
        (true, "k") => vec![Role::Multiplier(1e3)],
        (true, "m") => vec![Role::Multiplier(1e6)],
        (false, "শ" | "শো" | "টা" | "টায়" | "টার" | "টো" | "ছ" | "দু") => Vec::new(),
        (true, suffix) if is_ordinal_suffix(suffix) => Vec::new(),
        (_, "নয়") => Vec::new(),
        (_, word) => roles(word),
    };
    if roles.is_empty() {
        out.push(Event { item: Item::Other, glued, range, word, capital });
        return;
    }
    for (i, role) in roles.into_iter().enumerate() {
        let item = Item::Word(role);
        out.push(Event { item, glued: glued || i > 0, range: range.clone(), word: word.clone(), capital });
    }
}

struct Reader<'a> {
    text: &'a str,
    events: &'a [Event],
    at: usize,
    out: Vec<Number>,
    /// Event index right after the last number, if a range may go on from there.
    connector: Option<usize>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while self.at < self.events.len() {
            let before = self.at;
            let found = self.date() || self.code() || self.clock() || self.calendar() || self.quantity();
            if !found {
                self.at = before + 1;
            }
        }
    }

    fn item(&self, i: usize) -> Option<&Item> {
        self.events.get(i).map(|e| &e.item)
    }

    fn role(&self, i: usize) -> Option<Role> {
        match self.item(i)? {
            Item::Word(role) => Some(*role),
            _ => None,
        }
    }

    fn literal(&self, i: usize) -> Option<(f64, &str, bool)> {
        match self.item(i)? {
            Item::Literal { value, digits, decimal } => Some((*value, digits, *decimal)),
            _ => None,
        }
    }

    fn symbol(&self, i: usize, wanted: &str) -> bool {
        matches!(self.item(i), Some(Item::Symbol(c)) if wanted.contains(*c))
    }

    fn glued(&self, i: usize) -> bool {
        self.events.get(i).is_some_and(|e| e.glued)
    }

    fn word(&self, i: usize) -> &str {
        self.events.get(i).map_or("", |e| &e.word)
    }

    /// Adds a number that covers events `from..to`.
    fn push(&mut self, kind: NumberKind, values: Vec<f64>, weight: Weight, from: usize, to: usize) -> &mut Number {
        let range = self.events[from].range.start..self.events[to - 1].range.end;
        let text = self.text[range.clone()].to_string();
        let number =
            Number { kind, values, digits: String::new(), unit: None, meridiem: None, weight, text, range, scale: 1.0 };
        self.out.push(number);
        self.at = to;
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    /// 21/02/1952, 21-02-1952, 21.2.52, 1952-02-21.
    fn date(&mut self) -> bool {
        let i = self.at;
        let Some((a, first, false)) = self.literal(i) else { return false };
        let (first, dotted) = (first.len(), self.literal(i + 1).is_some());
        // a dotted date comes as three literals without symbols, since the dots were read as separators
        let step = if dotted { 1 } else { 2 };
        let joined = (i + 1..=i + 2 * step).all(|j| self.glued(j));
        let same = dotted || (self.symbol(i + 1, "/-") && self.item(i + 1) == self.item(i + 3));
        let (Some((b, _, false)), Some((c, third, false))) = (self.literal(i + step), self.literal(i + 2 * step))
        else {
            return false;
        };
        if !joined || !same {
            return false;
        }
        let (day, month, year, short) = if first == 4 { (c, b, a, false) } else { (a, b, c, third.len() == 2) };
        if !(1.0..=31.0).contains(&day)
            || !(1.0..=31.0).contains(&month)
            || day.max(month) > 31.0
            || day.min(month) > 12.0
        {
            return false;
        }
        let end = i + 2 * step + 1;
        let years = if short { vec![year, 1900.0 + year, 2000.0 + year] } else { vec![year] };
        for (values, kind) in
            [(vec![day], NumberKind::DatePart), (vec![month], NumberKind::DatePart), (years, NumberKind::Cardinal)]
        {
            self.push(kind, values, Weight::Hard, i, end);
        }
        true
    }

    /// Telephone and account numbers: +880 1712-345678, 01712345678, 9 digits and more in a row.
    fn code(&mut self) -> bool {
        let i = self.at;
        let plus = self.symbol(i, "+");
        let from = i + usize::from(plus);
        let Some((_, first, false)) = self.literal(from) else { return false };
        let mut digits = first.to_string();
        let (mut end, zero) = (from + 1, first.starts_with('0'));
        loop {
            let hyphen = usize::from(self.symbol(end, "-") && self.glued(end) && self.glued(end + 1));
            match self.literal(end + hyphen) {
                Some((_, more, false)) if hyphen == 1 || plus || (zero && digits.len() >= 5) => {
                    digits.push_str(more);
                    end += hyphen + 1;
                }
                _ => break,
            }
        }
        if !(plus && digits.len() >= 7 || zero && digits.len() >= 7 || (end == from + 1 && digits.len() >= 11)) {
            return false;
        }
        let value = digits.parse().unwrap_or(f64::INFINITY);
        self.push(NumberKind::Code, vec![value], Weight::Hard, i, end).digits = digits;
        true
    }

    /// 9:35 am, 9.30pm, 9pm, ৯টা ৩৫ মিনিট, ৫.৩০ মিনিট, half past six.
    fn clock(&mut self) -> bool {
        let i = self.at;
        if let Some(offset) = self.past_or_to(i) {
            let hour = self.small(i + 2).unwrap_or(0.0);
            self.push(NumberKind::Time, vec![hour + offset], Weight::Medium, i, i + 3);
            return true;
        }
        let hour = match self.literal(i) {
            Some((hour, _, decimal)) if !decimal && hour <= 24.0 => hour,
            Some((_, digits, true)) => {
                let Some((hour, minute)) = clock_digits(digits) else { return false };
                let marked = matches!(self.role(i + 1), Some(Role::Minute)) || self.meridiem_word(i + 1).is_some();
                return marked
                    && self.time(hour, minute, i, i + if self.role(i + 1) == Some(Role::Minute) { 2 } else { 1 });
            }
            None => match self.role(i) {
                Some(Role::Value(v)) if (1.0..=12.0).contains(&v) => v,
                _ => return false,
            },
            _ => return false,
        };
        if self.symbol(i + 1, ":") && self.glued(i + 1) && self.glued(i + 2) {
            if let Some((minute, digits, false)) = self.literal(i + 2)
                && digits.len() == 2
                && minute < 60.0
            {
                let seconds = self.symbol(i + 3, ":") && self.literal(i + 4).is_some();
                return self.time(hour, minute, i, if seconds { i + 5 } else { i + 3 });
            }
        }
        let marker = usize::from(self.role(i + 1) == Some(Role::Hour));
        let is_hour = marker == 1 || self.word(i).ends_with("টা");
        if is_hour
            && let Some(minute) = self.small(i + 1 + marker)
            && minute < 60.0
            && self.role(i + 2 + marker) == Some(Role::Minute)
        {
            return self.time(hour, minute, i, i + 3 + marker);
        }
        if self.meridiem_word(i + 1).is_some() || (marker == 1 && self.word(i + 1) == "o'clock") {
            return self.time(hour, 0.0, i, i + 1);
        }
        false
    }

    fn time(&mut self, hour: f64, minute: f64, from: usize, to: usize) -> bool {
        if hour > 24.0 {
            return false;
        }
        let meridiem = self.meridiem_word(to).or_else(|| self.meridiem_before(from));
        let number = self.push(NumberKind::Time, vec![hour + minute / 60.0], Weight::Hard, from, to);
        number.meridiem = meridiem.or(if hour > 12.0 { Some(Meridiem::Pm) } else { None });
        true
    }

    /// "half past", "quarter to" at event `i`: what to add to the hour after it.
    fn past_or_to(&self, i: usize) -> Option<f64> {
        let Some(Role::Loose(part)) = self.role(i) else { return None };
        if part >= 1.0 || self.small(i + 2).is_none_or(|hour| hour > 12.0) {
            return None;
        }
        match self.word(i + 1) {
            "past" => Some(part),
            "to" => Some(-part),
            _ => None,
        }
    }

    /// A small whole number at event `i`, in digits or as a word.
    fn small(&self, i: usize) -> Option<f64> {
        match self.item(i)? {
            Item::Literal { value, decimal: false, .. } => Some(*value),
            Item::Word(Role::Value(value)) => Some(*value),
            _ => None,
        }
    }

    /// English am/pm right after a time.
    fn meridiem_word(&self, i: usize) -> Option<Meridiem> {
        match self.role(i) {
            Some(Role::Meridiem(m)) if self.word(i).is_ascii() && self.word(i) != "night" => Some(m),
            _ => None,
        }
    }

    /// সকাল, রাত, … up to two words before a time.
    fn meridiem_before(&self, from: usize) -> Option<Meridiem> {
        (from.saturating_sub(2)..from).rev().find_map(|i| match self.role(i) {
            Some(Role::Meridiem(m)) if !self.word(i).is_ascii() => Some(m),
            _ => None,
        })
    }

    /// Months and weekdays.
    fn calendar(&mut self) -> bool {
        let i = self.at;
        let english = self.word(i).is_ascii();
        if english && !self.events[i].capital {
            return matches!(self.role(i), Some(Role::Month(_) | Role::Weekday(..))) && {
                self.at += 1;
                true
            };
        }
        match self.role(i) {
            Some(Role::Month(month)) => {
                let near = |j: usize| {
                    matches!(self.item(j), Some(Item::Literal { .. })) || self.role(j).is_some_and(is_day_word)
                };
                let after = if self.symbol(i + 1, ",.") || self.glued(i + 1) { i + 2 } else { i + 1 };
                let before = i.checked_sub(1).is_some_and(near)
                    || (i >= 2 && matches!(self.events[i - 1].item, Item::Other) && near(i - 2));
                let dated = before || near(i + 1) || near(after);
                let abbreviated =
                    english && self.word(i).len() <= 4 && !matches!(self.word(i), "may" | "june" | "july");
                let doubtful = matches!(self.word(i), "may" | "march" | "মে" | "মার্চ" | "মের" | "মার্চে" | "মার্চের");
                if abbreviated && !dated {
                    return false;
                }
                let weight = match (dated, doubtful) {
                    (true, _) => Weight::Hard,
                    (false, false) => Weight::Medium,
                    (false, true) => Weight::Soft,
                };
                self.push(NumberKind::Month, vec![f64::from(month)], weight, i, i + 1);
                true
            }
            Some(Role::Weekday(day, loose)) => {
                let weight = if loose { Weight::Soft } else { Weight::Medium };
                self.push(NumberKind::Weekday, vec![f64::from(day)], weight, i, i + 1);
                true
            }
            _ => false,
        }
    }

    /// Everything else: coefficients, multipliers, ordinals, fractions, percentages, money.
    fn quantity(&mut self) -> bool {
        let start = self.at;
        let Some(q) = self.read_quantity(start) else { return false };
        let lends = self.connector.take() == Some(start) && q.scale > 1.0;
        if lends && let Some(before) = self.out.last_mut().filter(|n| n.scale == 1.0 && n.kind == NumberKind::Cardinal)
        {
            let larger = before.values[0] * q.scale;
            before.values.push(larger);
        }
        let unit = self.unit(start, q.end);
        let hour = self.role(q.end) == Some(Role::Hour) || self.word(q.end - 1).ends_with("টায়");
        let meridiem = if hour { self.meridiem_before(start) } else { None };
        let number = self.push(q.kind, q.values, q.weight, start, q.end);
        (number.unit, number.meridiem, number.scale) = (unit, meridiem, q.scale);
        // "25 to …", "25-…": the next number may lend its multiplier
        let at = self.at;
        let classifier =
            usize::from(matches!(self.item(at), Some(Item::Other | Item::Word(Role::Hour))) && self.glued(at));
        let next = at + classifier;
        if self.role(next) == Some(Role::Range) || self.symbol(next, "-") {
            self.connector = Some(next + 1);
        }
        true
    }

    fn unit(&self, from: usize, to: usize) -> Option<Unit> {
        let money_sign = |i: usize| match self.item(i) {
            Some(Item::Symbol('৳')) => Some(Currency::Taka),
            Some(Item::Symbol('$')) => Some(Currency::Dollar),
            Some(Item::Symbol('€')) => Some(Currency::Euro),
            Some(Item::Symbol('£')) => Some(Currency::Pound),
            Some(Item::Symbol('₹')) => Some(Currency::Rupee),
            Some(Item::Symbol('¥')) => Some(Currency::Yen),
            _ => None,
        };
        let at = |i: usize| match self.role(i) {
            Some(Role::Percent) => Some(Unit::Percent),
            Some(Role::Money(currency)) => Some(Unit::Money(currency)),
            _ if self.symbol(i, "%") => Some(Unit::Percent),
            _ => money_sign(i).map(Unit::Money),
        };
        let skip =
            usize::from(matches!(self.word(to), "per" | "us" | "মার্কিন" | "american" | "million" | "bangladeshi"));
        let before = from.checked_sub(1).and_then(|i| {
            let dot = usize::from(self.symbol(i, ".")); // "Tk. 500"
            at(i - dot.min(i)).filter(|u| *u != Unit::Percent || self.word(i).starts_with("শতকরা"))
        });
        before.or_else(|| at(to + skip))
    }

    fn read_quantity(&self, start: usize) -> Option<Quantity> {
        let mut q = Accumulator { total: 0.0, last: f64::INFINITY, pending: None, offset: 0.0, scale: 1.0 };
        let (mut i, mut weight, mut kind) = (start, Weight::Soft, NumberKind::Cardinal);
        let mut alternatives: Vec<f64> = Vec::new();
        loop {
            match self.item(i) {
                Some(Item::Literal { value, digits, decimal }) => {
                    if !q.accepts(*value, *decimal) || (i > start && self.glued(i)) {
                        break;
                    }
                    let short_year = digits.len() == 2 && i == start && self.is_short_year(i);
                    let (value, next) = self.with_point(i, *value, digits).unwrap_or((*value, i + 1));
                    q.pending = Some(value + std::mem::take(&mut q.offset));
                    weight = weight.max(self.literal_weight(i, value));
                    if short_year {
                        alternatives = vec![1900.0 + value, 2000.0 + value];
                    }
                    i = next;
                }
                Some(Item::Word(Role::Value(value))) => {
                    let value = *value;
                    if let Some(pending) = q.pending {
                        match joined_words(pending, value) {
                            Some(sum) if self.is_english_word(i) && self.is_english_word(i - 1) => {
                                q.pending = Some(sum)
                            }
                            _ => break,
                        }
                        i += 1;
                    } else if q.accepts(value, false) {
                        let digits = format!("{value}");
                        let (value, next) = self.with_point(i, value, &digits).unwrap_or((value, i + 1));
                        q.pending = Some(value + std::mem::take(&mut q.offset));
                        i = next;
                    } else {
                        break;
                    }
                    weight = weight.max(word_weight(q.pending.unwrap_or(value)));
                }
                Some(Item::Word(Role::Fixed(value))) if q.pending.is_none() && q.total == 0.0 => {
                    q.pending = Some(*value);
                    weight = weight.max(Weight::Medium);
                    i += 1;
                }
                Some(Item::Word(Role::Offset(value))) if q.pending.is_none() && q.total == 0.0 && q.offset == 0.0 => {
                    q.offset = *value;
                    weight = Weight::Medium;
                    i += 1;
                }
                Some(Item::Word(Role::Multiplier(by))) => {
                    if self.glued(i) && matches!(self.word(i), "m" | "k") {
                        alternatives.extend(q.pending);
                    }
                    if q.total == 0.0 && q.pending.is_none() && q.offset == 0.0 {
                        let (value, next) = self.vague_multiplier(i, *by);
                        return Some(Quantity {
                            kind,
                            values: vec![value],
                            weight: Weight::Soft,
                            scale: 1.0,
                            end: next,
                        });
                    }
                    if !q.multiply(*by) {
                        break;
                    }
                    weight = Weight::Hard;
                    i += 1;
                }
                Some(Item::Word(Role::Ordinal(value))) => {
                    match q.pending {
                        None if q.total == 0.0 => q.pending = Some(*value),
                        Some(tens) if (20.0..=90.0).contains(&tens) && tens % 10.0 == 0.0 && *value < 10.0 => {
                            q.pending = Some(tens + value);
                        }
                        _ => break,
                    }
                    kind = NumberKind::Ordinal;
                    weight = weight.max(if *value <= 2.0 && i == start { Weight::Soft } else { word_weight(*value) });
                    if *value >= 3.0 && self.is_english_word(i) {
                        alternatives.push(1.0 / value); // "a third", "a fifth"
                    }
                    i += 1;
                    break;
                }
                Some(Item::Word(Role::Article)) if i == start => match self.role(i + 1) {
                    Some(Role::Multiplier(_)) => {
                        q.pending = Some(1.0);
                        i += 1;
                    }
                    _ => return None,
                },
                Some(Item::Word(Role::Loose(value))) if i == start => {
                    let million = match (self.role(i + 1), self.role(i + 2)) {
                        (Some(Role::Article), Some(Role::Multiplier(m))) if *value < 1.0 => Some((m, i + 3)),
                        (Some(Role::Multiplier(m)), _) if *value < 1.0 => Some((m, i + 2)),
                        _ => None,
                    };
                    if let Some((m, end)) = million {
                        return Some(Quantity { kind, values: vec![value * m], weight: Weight::Hard, scale: m, end });
                    }
                    return Some(Quantity { kind, values: vec![*value], weight: Weight::Soft, scale: 1.0, end: i + 1 });
                }
                Some(Item::Word(Role::Loose(value))) if *value >= 10.0 && q.pending.is_some() => {
                    // two dozen, three decades, দুই যুগ: either way of saying it will do
                    alternatives.push(q.value() * value);
                    i += 1;
                    break;
                }
                Some(Item::Symbol('-')) if i > start && self.hyphen_joins(i, q.pending) => i += 1,
                Some(Item::Word(Role::And)) if i > start => match self.after_and(i, &q) {
                    Some((more, next)) => {
                        q.pending = Some(q.pending.unwrap_or(0.0) + more);
                        i = next;
                    }
                    None => break,
                },
                _ => break,
            }
        }
        if q.pending.is_none() && q.total == 0.0 {
            return None;
        }
        let mut end = i;
        if let Some((value, next)) = self.fraction(i, q.value()) {
            return Some(Quantity { kind, values: vec![value], weight: Weight::Medium, scale: 1.0, end: next });
        }
        let suffix =
            self.events.get(i).filter(|e| e.glued && matches!(e.item, Item::Other) && is_ordinal_suffix(&e.word));
        if suffix.is_some() {
            kind = NumberKind::Ordinal;
            end += 1;
        }
        let mut values = vec![q.value()];
        if weight == Weight::Hard
            && q.scale == 1.0
            && (40.0..100.0).contains(&values[0])
            && !self.word(start).is_ascii()
        {
            values.push(1900.0 + values[0]); // একাত্তর: the year
        }
        values.extend(alternatives);
        Some(Quantity { kind, values, weight, scale: q.scale, end })
    }

    /// Digits inside a word or code (T20, Covid-19) may be left out; a lone 1 may become "a".
    fn literal_weight(&self, i: usize, value: f64) -> Weight {
        let letters = |j: usize| !self.word(j).is_empty() && self.glued(j + 1);
        let in_word =
            i >= 1 && self.glued(i) && (letters(i - 1) || (i >= 2 && self.symbol(i - 1, "-") && letters(i - 2)));
        if in_word && !self.word(i + 1).is_empty() && self.word(i + 1).is_ascii() && self.glued(i + 1) {
            return Weight::Soft; // B2B
        }
        if value == 1.0 || in_word { Weight::Medium } else { Weight::Hard }
    }

    /// '৭১ and the second half of 2019-20.
    fn is_short_year(&self, i: usize) -> bool {
        let Some(before) = i.checked_sub(1).filter(|_| self.glued(i)) else { return false };
        if self.symbol(before, "'") {
            return true;
        }
        self.symbol(before, "-/")
            && self.glued(before)
            && before >= 1
            && self.literal(before - 1).is_some_and(|(v, d, _)| d.len() == 4 && (1700.0..2100.0).contains(&v))
    }

    /// "2 দশমিক 18", "two point five": the value and the event after it.
    fn with_point(&self, i: usize, whole: f64, digits: &str) -> Option<(f64, usize)> {
        if self.role(i + 1) != Some(Role::Point) || whole.fract() != 0.0 {
            return None;
        }
        let mut fraction = String::new();
        let mut next = i + 2;
        while let Some(more) = self.small(next) {
            let literal = self.literal(next).map(|(_, digits, _)| digits);
            if !fraction.is_empty() && (literal.is_some() || more >= 10.0) {
                break;
            }
            fraction.push_str(&literal.map_or_else(|| format!("{more}"), str::to_string));
            next += 1;
        }
        format!("{digits}.{fraction}").parse().ok().filter(|_| !fraction.is_empty()).map(|value| (value, next))
    }

    fn is_english_word(&self, i: usize) -> bool {
        let word = self.word(i);
        (!word.is_empty() && word.is_ascii()) || self.symbol(i, "-")
    }

    /// হাজার হাজার, "millions", "hundreds of thousands": a size without a number.
    fn vague_multiplier(&self, start: usize, by: f64) -> (f64, usize) {
        let mut end = start + 1;
        while matches!(self.role(end), Some(Role::Multiplier(_))) {
            end += 1;
        }
        (by, end)
    }

    /// Does a hyphen at `i` hold one number together (twenty-one, two-million)?
    fn hyphen_joins(&self, i: usize, pending: Option<f64>) -> bool {
        if !self.glued(i) || !self.glued(i + 1) {
            return false;
        }
        match self.role(i + 1) {
            Some(Role::Value(v)) => {
                pending.is_some_and(|p| joined_words(p, v).is_some())
                    && self.is_english_word(i + 1)
                    && self.is_english_word(i - 1)
            }
            Some(Role::Ordinal(v)) => {
                pending.is_some_and(|p| (20.0..=90.0).contains(&p) && p % 10.0 == 0.0 && v < 10.0)
                    && self.is_english_word(i - 1)
            }
            Some(Role::Multiplier(_)) => true,
            _ => false,
        }
    }

    /// "one hundred and five", "two and a half": what "and" at `i` adds, and the event after it.
    fn after_and(&self, i: usize, q: &Accumulator) -> Option<(f64, usize)> {
        if !self.is_english_word(i) {
            return None;
        }
        let article = usize::from(self.role(i + 1) == Some(Role::Article));
        if let (1, Some(Role::Loose(half)), Some(pending)) = (article, self.role(i + 2), q.pending)
            && half < 1.0
            && pending.fract() == 0.0
        {
            return Some((half, i + 3));
        }
        match self.role(i + 1) {
            Some(Role::Value(v)) if q.pending.is_none() && q.last >= 100.0 && q.last.is_finite() => {
                let unit = self.role(i + 2).or_else(|| self.role(i + 3).filter(|_| self.symbol(i + 2, "-")));
                match unit {
                    Some(Role::Value(u)) if joined_words(v, u).is_some() => {
                        Some((v + u, i + 3 + usize::from(self.symbol(i + 2, "-"))))
                    }
                    _ => Some((v, i + 2)),
                }
            }
            _ => None,
        }
    }

    /// দুই-তৃতীয়াংশ, two-thirds, চার ভাগের এক ভাগ.
    fn fraction(&self, i: usize, value: f64) -> Option<(f64, usize)> {
        let next = i + usize::from(self.symbol(i, "-"));
        match self.role(next) {
            Some(Role::Denominator(by)) => Some((value / by, next + 1)),
            Some(Role::Ordinal(by))
                if value == 1.0 && by >= 3.0 && self.is_english_word(next) && self.symbol(i, "-") =>
            {
                Some((value / by, next + 1))
            }
            Some(Role::Percent) if self.word(i) == "ভাগের" && self.role(i + 2) == Some(Role::Percent) => {
                self.small(i + 1).filter(|_| value > 1.0).map(|part| (part / value, i + 3))
            }
            _ => None,
        }
    }
}

struct Quantity {
    kind: NumberKind,
    values: Vec<f64>,
    weight: Weight,
    scale: f64,
    end: usize,
}

/// Sums of products as they are spoken: (coefficient × multiplier) + …, the multipliers falling.
struct Accumulator {
    total: f64,
    /// The last multiplier; infinite before the first.
    last: f64,
    pending: Option<f64>,
    offset: f64,
    scale: f64,
}

impl Accumulator {
    fn value(&self) -> f64 {
        self.total + self.pending.unwrap_or(0.0)
    }

    fn accepts(&self, value: f64, decimal: bool) -> bool {
        self.pending.is_none() && (self.total == 0.0 || (value < self.last && !decimal && value > 0.0))
    }

    fn multiply(&mut self, by: f64) -> bool {
        let coefficient =
            self.pending.map_or(if self.total == 0.0 { 1.0 } else { 0.0 }, |p| p) + std::mem::take(&mut self.offset);
        match (self.pending.take(), self.total > 0.0 && by > self.last) {
            // ১২ হাজার ৫০০ কোটি, দেড় হাজার কোটি: the larger multiplier takes all that came before
            (_, true) => {
                self.total = (self.total + coefficient) * by;
                self.scale *= by;
            }
            (None, false) if self.total > 0.0 => return false,
            _ => {
                self.total += coefficient * by;
                self.scale = by;
            }
        }
        self.last = by;
        true
    }
}

/// Twenty + one, nineteen + seventy, 1970 + one.
fn joined_words(first: f64, second: f64) -> Option<f64> {
    if first % 10.0 == 0.0 && first % 100.0 >= 20.0 && (1.0..10.0).contains(&second) {
        Some(first + second)
    } else if (first == 19.0 || first == 20.0) && second >= 10.0 {
        Some(first * 100.0 + second)
    } else {
        None
    }
}

fn word_weight(value: f64) -> Weight {
    match value {
        v if v <= 2.0 && v.fract() == 0.0 => Weight::Soft,
        v if v <= 10.0 => Weight::Medium,
        _ => Weight::Hard,
    }
}

fn is_day_word(role: Role) -> bool {
    matches!(role, Role::Value(v) if (1.0..=31.0).contains(&v))
}

/// "9.30" as hour and minute.
fn clock_digits(digits: &str) -> Option<(f64, f64)> {
    let (hour, minute) = digits.split_once('.')?;
    let (hour, minute): (f64, f64) = (hour.parse().ok()?, minute.parse::<f64>().ok().filter(|_| minute.len() == 2)?);
    (hour <= 24.0 && minute < 60.0).then_some((hour, minute))
}
