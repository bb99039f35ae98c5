//! Splits canonical text into literals, words with their roles, and symbols: what the number reader works on.
use crate::lang::number_words::{Role, is_ordinal_suffix, roles};
use crate::lang::script::is_bengali;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Literal { value: f64, digits: String, decimal: bool },
    Word(Role),
    Symbol(char),
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) item: Item,
    /// No white space before it.
    pub(super) glued: bool,
    pub(super) range: Range<usize>,
    /// In lower case; empty for symbols.
    pub(super) word: String,
    /// Starts with a capital letter.
    pub(super) capital: bool,
}

/// Splits canonical text into what the reader understands.
pub(super) fn events(text: &str) -> Vec<Event> {
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
            if !(between && matches!(out.last(), Some(Event { item: Item::Literal { .. }, .. }))) {
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
    let mut end = rest.find(|c: char| (is_bengali(c) || !c.is_alphabetic()) && c != '\'').unwrap_or(rest.len());
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
