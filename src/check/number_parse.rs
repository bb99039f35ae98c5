//! Reads the numbers of a text, Bengali or English: digits, words, dates, times, money, ordinals, fractions.
use super::number_tokens::{Event, Item, events};
use crate::lang::canonical::canonical;
use crate::lang::number_words::{Currency, Meridiem, Role};
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

impl Unit {
    /// The word for it in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Money(Currency::Taka) => "taka",
            Self::Money(Currency::Dollar) => "dollars",
            Self::Money(Currency::Rupee) => "rupees",
            Self::Money(Currency::Euro) => "euros",
            Self::Money(Currency::Pound) => "pounds",
            Self::Money(Currency::Yen) => "yen",
            Self::Money(Currency::Yuan) => "yuan",
            Self::Money(Currency::Riyal) => "riyals",
            Self::Money(Currency::Dirham) => "dirhams",
        }
    }
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

/// All numbers of `text` in reading order.
pub fn numbers(text: &str) -> Vec<Number> {
    let text = canonical(text);
    let events = events(&text);
    let mut reader = Reader { text: &text, events: &events, at: 0, out: Vec::new(), connector: None };
    reader.run();
    reader.out
}

pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) events: &'a [Event],
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

    pub(super) fn item(&self, i: usize) -> Option<&Item> {
        self.events.get(i).map(|e| &e.item)
    }

    pub(super) fn role(&self, i: usize) -> Option<Role> {
        match self.item(i)? {
            Item::Word(role) => Some(*role),
            _ => None,
        }
    }

    pub(super) fn literal(&self, i: usize) -> Option<(f64, &str, bool)> {
        match self.item(i)? {
            Item::Literal { value, digits, decimal } => Some((*value, digits, *decimal)),
            _ => None,
        }
    }

    pub(super) fn symbol(&self, i: usize, wanted: &str) -> bool {
        matches!(self.item(i), Some(Item::Symbol(c)) if wanted.contains(*c))
    }

    pub(super) fn glued(&self, i: usize) -> bool {
        self.events.get(i).is_some_and(|e| e.glued)
    }

    pub(super) fn word(&self, i: usize) -> &str {
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
        if day.min(month) < 1.0 || day.max(month) > 31.0 || day.min(month) > 12.0 {
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

    /// Telephone, account and card numbers: +880 1712-345678, 01712345678, 4111-1111-1111-1111, 007.
    fn code(&mut self) -> bool {
        let i = self.at;
        let plus = self.symbol(i, "+");
        let from = i + usize::from(plus);
        let Some((_, first, false)) = self.literal(from) else { return false };
        let mut digits = first.to_string();
        let (mut end, zero) = (from + 1, first.starts_with('0'));
        let mut groups = 1;
        loop {
            let hyphen = usize::from(self.symbol(end, "-") && self.glued(end) && self.glued(end + 1));
            match self.literal(end + hyphen) {
                Some((_, more, false)) if hyphen == 1 || plus || (zero && digits.len() >= 5) => {
                    digits.push_str(more);
                    end += hyphen + 1;
                    groups += 1;
                }
                _ => break,
            }
        }
        // A lone 007 is a code, too: its zeros belong to it. "00" and a clock's minutes are none.
        let short = zero && groups == 1 && digits.len() >= 3 && digits.bytes().any(|digit| digit != b'0');
        let long = digits.len() >= 7 && (plus || zero) || groups == 1 && digits.len() >= 11;
        if !(long || short || groups >= 3 && digits.len() >= 9) {
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
        if self.symbol(i + 1, ":")
            && self.glued(i + 1)
            && self.glued(i + 2)
            && let Some((minute, digits, false)) = self.literal(i + 2)
            && digits.len() == 2
            && minute < 60.0
        {
            let seconds = self.symbol(i + 3, ":") && self.literal(i + 4).is_some();
            return self.time(hour, minute, i, if seconds { i + 5 } else { i + 3 });
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
    pub(super) fn small(&self, i: usize) -> Option<f64> {
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
        // "may" and "march" are verbs, too, and "sun" shines; "tuesday" is careless writing
        if english && !self.events[i].capital && !self.word(i).ends_with("day") {
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
