//! Are the source's numbers in the output, the same and no others?
//!
//! Both sides are read into values ([`numbers`]) and matched as multisets, so that ২৫ থেকে ৩০ হাজার agrees with
//! "25,000 to 30,000" and ৯০ লাখ with "9 million". What is left over on both sides is a changed number, on one side
//! a missing or an invented one.
use super::number_parse::{Number, NumberKind, Unit, Weight, numbers};

use crate::lang::number_words::Meridiem;
use crate::text::{Finding, FindingKind, Severity};

/// How many of the source's firm numbers the output keeps, with what is wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberCheck {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Numbers of the source that must be kept, and those that were.
    pub expected: usize,
    /// Those that are in the output.
    pub kept: usize,
}

/// Compares the numbers of a source sentence with those of its translation.
pub fn check_numbers(source: &str, output: &str) -> NumberCheck {
    let relabeled = relabeled(source, output);
    let (mut source, output) = (numbered(source), numbers(output));
    if let Some(end) = enumerator(source.1.as_str()) {
        // the number of a clause or list item may be left out or written otherwise: (i), 1), a.
        source.0.iter_mut().filter(|n| n.range.start < end).for_each(|n| n.weight = Weight::Soft);
    }
    let source = source.0;
    if source.is_empty() && output.is_empty() {
        return NumberCheck::default();
    }
    let mut matching = Matching::new(&source, &output);
    matching.exact();
    matching.augmenting();
    matching.times_in_two_parts();
    matching.sums();
    let mut check =
        NumberCheck { expected: source.iter().filter(|n| n.weight > Weight::Soft).count(), ..Default::default() };
    matching.report_units(&mut check.findings);
    matching.report_leftovers(&mut check.findings);
    check.findings.extend(relabeled);
    let lost = |f: &&Finding| matches!(f.kind, FindingKind::NumberMissing | FindingKind::NumberChanged);
    check.kept = check.expected.saturating_sub(check.findings.iter().filter(lost).count());
    check
}

/// The numbers of a text and the text in the spelling that their ranges mean.
fn numbered(text: &str) -> (Vec<Number>, String) {
    (numbers(text), crate::lang::canonical::canonical(text))
}

/// The end of a list number that a text begins with: "1)", "(2)", "3.1.2".
fn enumerator(text: &str) -> Option<usize> {
    let digits = text.trim_start_matches(['(', ' ']);
    let start = text.len() - digits.len();
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&end| end > 0)?;
    let rest = &digits[end..];
    let levels = digits[..end].split('.').filter(|level| !level.is_empty()).count();
    let closed = rest.starts_with(')') || levels == 1 && start == 0 && rest.starts_with('।');
    (closed || levels >= 3 && rest.starts_with(' ')).then_some(start + end)
}

/// A clause that has another number in the translation: 5.6.4 and 5.6.4.4.
fn relabeled(source: &str, output: &str) -> Option<Finding> {
    let label = |text: &str| {
        let text = crate::lang::canonical::canonical(text);
        let label: String = text.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        label.trim_end_matches('.').to_owned()
    };
    let (own, said) = (label(source), label(output));
    let message = || format!("the source is numbered {own}, the translation {said}");
    (own.matches('.').count() >= 2 && said.contains('.') && own != said)
        .then(|| finding(FindingKind::NumberInvented, Severity::Warning, message()))
}

pub(super) struct Matching<'a> {
    source: &'a [Number],
    output: &'a [Number],
    /// For each number of one side, its partner on the other.
    of_source: Vec<Option<usize>>,
    of_output: Vec<Option<usize>>,
    /// Accounted for without a partner of its own.
    source_done: Vec<bool>,
    output_done: Vec<bool>,
}

impl<'a> Matching<'a> {
    pub(super) fn new(source: &'a [Number], output: &'a [Number]) -> Self {
        Self {
            source,
            output,
            of_source: vec![None; source.len()],
            of_output: vec![None; output.len()],
            source_done: vec![false; source.len()],
            output_done: vec![false; output.len()],
        }
    }

    fn pair(&mut self, s: usize, o: usize) {
        self.of_source[s] = Some(o);
        self.of_output[o] = Some(s);
    }

    /// First the pairs that agree in kind, unit and main value, in reading order.
    pub(super) fn exact(&mut self) {
        for strict in [true, false] {
            for s in 0..self.source.len() {
                if self.of_source[s].is_some() {
                    continue;
                }
                let a = &self.source[s];
                let fits = |b: &Number| {
                    same(a.values[0], b.values[0])
                        && compatible(a, b)
                        && (!strict || (a.kind == b.kind && a.unit == b.unit))
                };
                if let Some(o) = (0..self.output.len()).find(|&o| self.of_output[o].is_none() && fits(&self.output[o]))
                {
                    self.pair(s, o);
                }
            }
        }
    }

    /// Then whatever else can be matched, moving earlier pairs where that helps (Kuhn's algorithm). Firm numbers first.
    pub(super) fn augmenting(&mut self) {
        let mut order: Vec<usize> = (0..self.source.len()).filter(|&s| self.of_source[s].is_none()).collect();
        order.sort_by_key(|&s| std::cmp::Reverse(self.source[s].weight));
        for s in order {
            let mut seen = vec![false; self.output.len()];
            self.augment(s, &mut seen);
        }
    }

    fn augment(&mut self, s: usize, seen: &mut [bool]) -> bool {
        for o in 0..self.output.len() {
            if seen[o] || !compatible(&self.source[s], &self.output[o]) {
                continue;
            }
            seen[o] = true;
            let free = match self.of_output[o] {
                None => true,
                Some(other) => self.augment(other, seen),
            };
            if free {
                self.pair(s, o);
                return true;
            }
        }
        false
    }

    /// ৯টা ৩৫ read as two numbers on one side and as a time on the other.
    pub(super) fn times_in_two_parts(&mut self) {
        for o in self.free_output() {
            let number = &self.output[o];
            if number.kind != NumberKind::Time {
                continue;
            }
            let (hour, minute) = (number.values[0].floor(), (number.values[0].fract() * 60.0).round());
            let find = |value: f64, but: Option<usize>| {
                self.free_source()
                    .into_iter()
                    .find(|&s| Some(s) != but && same(self.source[s].values[0] % 12.0, value % 12.0) && value < 60.0)
            };
            let Some(h) = find(hour, None) else { continue };
            let m = self.free_source().into_iter().find(|&s| s != h && same(self.source[s].values[0], minute));
            if let (Some(m), true) = (m, minute > 0.0) {
                self.pair(h, o);
                self.source_done[m] = true;
            }
        }
    }

    /// "5 thousand and 117" for 5117.
    pub(super) fn sums(&mut self) {
        for s in self.free_source() {
            let free = self.free_output();
            let value = self.source[s].values[0];
            let pair = free.windows(2).find(|w| same(self.output[w[0]].values[0] + self.output[w[1]].values[0], value));
            if let Some(&[a, b]) = pair {
                self.pair(s, a);
                self.output_done[b] = true;
            }
        }
    }

    pub(super) fn free_source(&self) -> Vec<usize> {
        (0..self.source.len()).filter(|&s| self.of_source[s].is_none() && !self.source_done[s]).collect()
    }

    pub(super) fn free_output(&self) -> Vec<usize> {
        (0..self.output.len()).filter(|&o| self.of_output[o].is_none() && !self.output_done[o]).collect()
    }

    /// Matched numbers whose unit or half of the day contradict.
    fn report_units(&self, findings: &mut Vec<Finding>) {
        let percent_somewhere = self.output.iter().any(|n| n.unit == Some(Unit::Percent));
        for (a, b) in
            self.of_source.iter().enumerate().filter_map(|(s, o)| Some((&self.source[s], &self.output[(*o)?])))
        {
            match (a.unit, b.unit) {
                (Some(x), Some(y)) if x != y => {
                    let message = format!(
                        "the source has {} {}, the translation {} {}",
                        describe(a),
                        x.name(),
                        describe(b),
                        y.name()
                    );
                    findings.push(finding(FindingKind::NumberChanged, Severity::Serious, message));
                }
                (Some(Unit::Percent), None) if !percent_somewhere && b.weight == Weight::Hard => {
                    let message = format!("{} is a percentage in the source, not in the translation", a.text);
                    findings.push(finding(FindingKind::NumberChanged, Severity::Warning, message));
                }
                _ => {}
            }
            if meridiems_clash(a, b) {
                let message = format!("the source says {} in the other half of the day than \"{}\"", a.text, b.text);
                findings.push(finding(FindingKind::NumberChanged, Severity::Warning, message));
            }
        }
    }

    fn report_leftovers(&self, findings: &mut Vec<Finding>) {
        let mut missing: Vec<usize> =
            self.free_source().into_iter().filter(|&s| self.source[s].weight > Weight::Soft).collect();
        let mut invented: Vec<usize> =
            self.free_output().into_iter().filter(|&o| self.output[o].weight > Weight::Soft).collect();
        // pairs of leftovers, the most alike first: a number was changed
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for &s in &missing {
            for &o in &invented {
                if may_be_mistaken(&self.source[s], &self.output[o]) {
                    pairs.push((likeness(&self.source[s], &self.output[o]), s, o));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        for (_, s, o) in pairs {
            if !missing.contains(&s) || !invented.contains(&o) {
                continue;
            }
            missing.retain(|&x| x != s);
            invented.retain(|&x| x != o);
            let (a, b) = (&self.source[s], &self.output[o]);
            let message = format!("the source has {}, the translation {}", describe(a), describe(b));
            findings.push(finding(FindingKind::NumberChanged, Severity::Serious, message));
        }
        // what is only said more or less often than in the source is no mistake
        missing.retain(|&s| !self.output.iter().any(|b| compatible(&self.source[s], b)));
        invented.retain(|&o| !self.source.iter().any(|a| compatible(a, &self.output[o])));
        for s in missing {
            let number = &self.source[s];
            let message = format!("{} is missing from the translation", describe(number));
            findings.push(finding(FindingKind::NumberMissing, severity(number), message));
        }
        for o in invented {
            let number = &self.output[o];
            let message = format!("{} is not in the source", describe(number));
            findings.push(finding(FindingKind::NumberInvented, severity(number), message));
        }
    }
}

pub(super) fn finding(kind: FindingKind, severity: Severity, message: String) -> Finding {
    Finding { kind, severity, segment: None, message }
}

fn severity(number: &Number) -> Severity {
    if number.weight == Weight::Hard { Severity::Serious } else { Severity::Warning }
}

/// The number as it stands, with its value where the wording hides it.
fn describe(number: &Number) -> String {
    let value = number.values[0];
    let plain = number.text.replace(',', "");
    if matches!(number.kind, NumberKind::Cardinal | NumberKind::Ordinal) && !plain.contains(&trimmed(value)) {
        format!("{} ({})", number.text, trimmed(value))
    } else {
        number.text.clone()
    }
}

pub(super) fn trimmed(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value}") }
}

/// Can one of them stand where the other should? A month is not mistaken for a weekday or a sum of money.
fn may_be_mistaken(a: &Number, b: &Number) -> bool {
    use NumberKind::{DatePart, Month, Weekday};
    match (a.kind, b.kind) {
        (Month, DatePart) | (DatePart, Month) => true,
        (Month | Weekday, _) | (_, Month | Weekday) => a.kind == b.kind,
        _ => true,
    }
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// May the one number be said as the other?
fn compatible(a: &Number, b: &Number) -> bool {
    use NumberKind::*;
    match (a.kind, b.kind) {
        (Month, Month) | (Weekday, Weekday) | (Month, DatePart) | (DatePart, Month) => same(a.values[0], b.values[0]),
        (Month | Weekday, _) | (_, Month | Weekday) => false,
        // The zeros before a short code belong to it: 007 is not 7.
        (Code, Code) if a.digits.len().min(b.digits.len()) < 7 => a.digits == b.digits,
        (Code, Cardinal | Ordinal) if a.digits.len() < 7 => false,
        (Cardinal | Ordinal, Code) if b.digits.len() < 7 => false,
        (Code, Code) => {
            let (x, y) = (a.digits.trim_start_matches('0'), b.digits.trim_start_matches('0'));
            x == y || (x.len().min(y.len()) >= 9 && (x.ends_with(y) || y.ends_with(x)))
        }
        (Time, _) | (_, Time) => {
            let clock = |n: &Number| (n.values[0] * 60.0).round() as i64;
            let plain = if a.kind == Time { b } else { a };
            plain.values[0] <= 24.0 && clock(a).rem_euclid(720) == clock(b).rem_euclid(720)
        }
        _ => a.values.iter().any(|&x| b.values.iter().any(|&y| same(x, y))),
    }
}

/// Whether a text that has the number `known` bears out another text that says `said`: value, unit and half of the day.
pub fn bears_out(known: &Number, said: &Number) -> bool {
    let units = match (known.unit, said.unit) {
        (Some(a), Some(b)) => a == b,
        (None, Some(_)) => said.weight < Weight::Hard,
        (_, None) => true,
    };
    units && compatible(known, said) && !meridiems_clash(known, said)
}

/// সকাল against pm, বিকাল against am; at night both may be right, depending on the hour.
fn meridiems_clash(a: &Number, b: &Number) -> bool {
    let hour = a.values[0].floor() % 12.0;
    let settle = |m| match m {
        Meridiem::Night if (6.0..12.0).contains(&hour) => Meridiem::Pm,
        Meridiem::Night => Meridiem::Am,
        other => other,
    };
    match (a.meridiem.map(settle), b.meridiem.map(settle)) {
        (Some(x), Some(y)) => x != y,
        _ => false,
    }
}

/// How much two different numbers look like one another: shared digits in place, same unit, same length.
fn likeness(a: &Number, b: &Number) -> f64 {
    let (x, y) = (trimmed(a.values[0]), trimmed(b.values[0]));
    let shared = x.chars().zip(y.chars()).filter(|(p, q)| p == q).count() as f64;
    let unit = if a.unit == b.unit { 0.5 } else { 0.0 };
    let kind = if a.kind == b.kind { 0.5 } else { 0.0 };
    shared / x.len().max(y.len()) as f64 + unit + kind - 0.1 * (x.len().abs_diff(y.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str, output: &str) -> Vec<FindingKind> {
        check_numbers(source, output).findings.iter().map(|f| f.kind).collect()
    }

    #[test]
    fn the_issue_s_own_examples() {
        assert_eq!(kinds("২৩১ জন নিহত", "239 killed"), [FindingKind::NumberChanged]);
        assert_eq!(kinds("২৫ থেকে ৩০ হাজার মানুষ", "25,000 to 30,000 people"), []);
        assert_eq!(kinds("২৫ থেকে ৩০ হাজার মানুষ", "25 to 30 thousand people"), []);
        assert_eq!(kinds("৯০ লাখ", "9 million"), []);
        assert_eq!(kinds("১.১৫৩ বিলিয়ন ডলার", "1 billion dollars"), [FindingKind::NumberChanged]);
    }

    #[test]
    fn messages_name_both_numbers() {
        let check = check_numbers("৭২৮ জন", "720 people");
        assert_eq!(check.findings[0].message, "the source has 728, the translation 720");
        assert_eq!((check.expected, check.kept), (1, 0));
        let check = check_numbers("তিন লাখ টাকা", "some money");
        assert_eq!(check.findings[0].message, "তিন লাখ (300000) is missing from the translation");
    }

    #[test]
    fn repeating_a_number_is_no_mistake_but_replacing_one_is() {
        assert_eq!(kinds("২০১৮ সালে ও ২০১৮ সালে", "in 2018"), []);
        assert_eq!(kinds("৩-৩ গোলে ড্র", "a 3-1 draw"), [FindingKind::NumberChanged]);
    }

    #[test]
    fn a_clause_keeps_its_number() {
        assert_eq!(kinds("৫.৬.৪ চামড়া সংরক্ষণ", "5.6.4 Storage of leather"), []);
        assert_eq!(kinds("৫.৬.৪ চামড়া সংরক্ষণ", "Storage of leather"), []);
        assert!(!kinds("৫.৬.৪ চামড়া সংরক্ষণ", "5.6.4.4, storage of leather").is_empty());
    }

    #[test]
    fn codes_keep_their_zeros_and_groups() {
        for (source, output, kept) in [
            ("কোড নম্বর ০২৫", "code number 025", true),
            ("কোড নম্বর ০২৫", "code number 25", false),
            ("০১৭১২-৩৪৫৬৭৮", "+880 1712 345678", true),
            ("০১৭১২-৩৪৫৬৭৮", "01712-345687", false),
            ("কার্ড ৪১১১-২২২২-৩৩৩৩", "card 4111-2222-3333", true),
            ("কার্ড ৪১১১-২২২২-৩৩৩৩", "card 4111-2222-3334", false),
            ("২০১৯-২০২০ সালে", "in 2019-2020", true),
            ("০.৫ শতাংশ", "0.5 percent", true),
            ("০৫ মে", "May 5", true),
        ] {
            assert_eq!(kinds(source, output).is_empty(), kept, "{source}: {output}");
        }
    }
}
