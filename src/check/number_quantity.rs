//! Quantities: coefficients, multipliers, ordinals, fractions, as they are spoken in both languages.
use super::number_parse::{NumberKind, Reader, Weight};
use super::number_tokens::Item;
use crate::lang::number_words::{Role, is_ordinal_suffix};

impl Reader<'_> {
    /// The quantity that begins with event `start`, read as far as it goes.
    pub(super) fn read_quantity(&self, start: usize) -> Option<Quantity> {
        let mut r = Reading::from(start);
        loop {
            match self.step(&mut r) {
                Step::On => {}
                Step::Stop => return self.concluded(r),
                Step::Done(quantity) => return quantity,
            }
        }
    }

    /// Takes the next event into the quantity, if it belongs to it.
    fn step(&self, r: &mut Reading) -> Step {
        let first = r.i == r.start;
        let empty = r.q.pending.is_none() && r.q.total == 0.0;
        match self.item(r.i) {
            Some(Item::Literal { value, digits, decimal }) => self.take_literal(r, *value, digits, *decimal),
            Some(Item::Word(Role::Value(value))) => self.take_value(r, *value),
            Some(Item::Word(Role::Fixed(value))) if empty => {
                r.q.pending = Some(*value);
                r.weight = r.weight.max(Weight::Medium);
                r.on()
            }
            Some(Item::Word(Role::Offset(value))) if empty && r.q.offset == 0.0 => {
                r.q.offset = *value;
                r.weight = Weight::Medium;
                r.on()
            }
            Some(Item::Word(Role::Multiplier(by))) => self.take_multiplier(r, *by),
            Some(Item::Word(Role::Ordinal(value))) => self.take_ordinal(r, *value),
            Some(Item::Word(Role::Article)) if first => match self.role(r.i + 1) {
                Some(Role::Multiplier(_)) => {
                    r.q.pending = Some(1.0);
                    r.on()
                }
                _ => Step::Done(None),
            },
            Some(Item::Word(Role::Loose(value))) if first => Step::Done(Some(self.loose(r, *value))),
            Some(Item::Word(Role::Loose(value))) if *value >= 10.0 && r.q.pending.is_some() => {
                // two dozen, three decades, দুই যুগ: either way of saying it will do
                r.alternatives.push(r.q.value() * value);
                r.i += 1;
                Step::Stop
            }
            Some(Item::Symbol('-')) if !first && self.hyphen_joins(r.i, r.q.pending) => r.on(),
            Some(Item::Word(Role::And)) if !first => match self.after_and(r.i, &r.q) {
                Some((more, next)) => {
                    r.q.pending = Some(r.q.pending.unwrap_or(0.0) + more);
                    r.i = next;
                    Step::On
                }
                None => Step::Stop,
            },
            _ => Step::Stop,
        }
    }

    /// Digits.
    fn take_literal(&self, r: &mut Reading, value: f64, digits: &str, decimal: bool) -> Step {
        let (i, first) = (r.i, r.i == r.start);
        if !r.q.accepts(value, decimal) || (!first && self.glued(i)) {
            return Step::Stop;
        }
        let short_year = digits.len() == 2 && first && self.is_short_year(i);
        let (value, next) = self.with_point(i, value, digits).unwrap_or((value, i + 1));
        r.q.pending = Some(value + std::mem::take(&mut r.q.offset));
        r.weight = r.weight.max(self.literal_weight(i, value));
        if short_year {
            r.alternatives = vec![1900.0 + value, 2000.0 + value];
        }
        r.i = next;
        Step::On
    }

    /// A number word, alone or behind one that it joins: "seventy" and "seventy one".
    fn take_value(&self, r: &mut Reading, value: f64) -> Step {
        let i = r.i;
        if let Some(pending) = r.q.pending {
            match joined_words(pending, value) {
                Some(sum) if self.is_english_word(i) && self.is_english_word(i - 1) => r.q.pending = Some(sum),
                _ => return Step::Stop,
            }
            r.i += 1;
        } else if r.q.accepts(value, false) {
            let (value, next) = self.with_point(i, value, &format!("{value}")).unwrap_or((value, i + 1));
            r.q.pending = Some(value + std::mem::take(&mut r.q.offset));
            r.i = next;
        } else {
            return Step::Stop;
        }
        r.weight = r.weight.max(word_weight(r.q.pending.unwrap_or(value)));
        Step::On
    }

    /// A hundred, লাখ, million.
    fn take_multiplier(&self, r: &mut Reading, by: f64) -> Step {
        if self.glued(r.i) && matches!(self.word(r.i), "m" | "k") {
            r.alternatives.extend(r.q.pending);
        }
        if r.q.total == 0.0 && r.q.pending.is_none() && r.q.offset == 0.0 {
            let (value, end) = self.vague_multiplier(r.i, by);
            let values = vec![value];
            return Step::Done(Some(Quantity { kind: r.kind, values, weight: Weight::Soft, scale: 1.0, end }));
        }
        if !r.q.multiply(by) {
            return Step::Stop;
        }
        r.weight = Weight::Hard;
        r.on()
    }

    /// "third", "twenty-first".
    fn take_ordinal(&self, r: &mut Reading, value: f64) -> Step {
        match r.q.pending {
            None if r.q.total == 0.0 => r.q.pending = Some(value),
            Some(tens) if (20.0..=90.0).contains(&tens) && tens % 10.0 == 0.0 && value < 10.0 => {
                r.q.pending = Some(tens + value);
            }
            _ => return Step::Stop,
        }
        r.kind = NumberKind::Ordinal;
        let soft = value <= 2.0 && r.i == r.start;
        r.weight = r.weight.max(if soft { Weight::Soft } else { word_weight(value) });
        if value >= 3.0 && self.is_english_word(r.i) {
            r.alternatives.push(1.0 / value); // "a third", "a fifth"
        }
        r.i += 1;
        Step::Stop
    }

    /// "half", "a dozen" at the beginning: alone, or half of a million.
    fn loose(&self, r: &Reading, value: f64) -> Quantity {
        let (i, kind) = (r.i, r.kind);
        let million = match (self.role(i + 1), self.role(i + 2)) {
            (Some(Role::Article), Some(Role::Multiplier(m))) if value < 1.0 => Some((m, i + 3)),
            (Some(Role::Multiplier(m)), _) if value < 1.0 => Some((m, i + 2)),
            _ => None,
        };
        match million {
            Some((m, end)) => Quantity { kind, values: vec![value * m], weight: Weight::Hard, scale: m, end },
            None => Quantity { kind, values: vec![value], weight: Weight::Soft, scale: 1.0, end: i + 1 },
        }
    }

    /// What was read, with the fraction or the ending behind it and the other values that it may mean.
    fn concluded(&self, r: Reading) -> Option<Quantity> {
        let Reading { q, i, start, weight, mut kind, alternatives } = r;
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

pub(super) struct Quantity {
    pub(super) kind: NumberKind,
    pub(super) values: Vec<f64>,
    pub(super) weight: Weight,
    pub(super) scale: f64,
    pub(super) end: usize,
}

/// A quantity while it is read: event `i` is next.
struct Reading {
    q: Accumulator,
    i: usize,
    start: usize,
    weight: Weight,
    kind: NumberKind,
    /// Other values that the same words may mean.
    alternatives: Vec<f64>,
}

impl Reading {
    fn from(start: usize) -> Self {
        let q = Accumulator { total: 0.0, last: f64::INFINITY, pending: None, offset: 0.0, scale: 1.0 };
        Self { q, i: start, start, weight: Weight::Soft, kind: NumberKind::Cardinal, alternatives: Vec::new() }
    }

    /// The event was taken.
    fn on(&mut self) -> Step {
        self.i += 1;
        Step::On
    }
}

/// What came of an event.
enum Step {
    /// It belongs to the quantity; the next one may, too.
    On,
    /// The quantity ends here.
    Stop,
    /// This is it, or there is none.
    Done(Option<Quantity>),
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
