//! Splits Bengali text, mixed with English or not, into sentences.
//!
//! A sentence ends at a danda, `?` or `!`, with or without a space after it; closing quotes, brackets, footnote marks and
//! emoji that follow belong to it. A full stop ends one after Latin text and after a Bengali word that is no
//! abbreviation or initial. Numbers at the head of an item (১। ২. ৩.) begin a sentence and do not end one. What is in
//! brackets within a sentence, and a quotation that the sentence goes on after ("‘যাবে?’ বলে …"), does not split it.
use crate::lang::abbreviation::{is_bengali_abbreviation, is_english_abbreviation, is_letter_name};
use crate::lang::digits::{self, is_digit};
use crate::lang::normalize::canonical;
use crate::lang::script::is_bengali;
use crate::lang::{Words, tables};
use std::ops::Range;

/// A bracket that does not close within so many characters is taken for a slip.
const BRACKET_CHARS: usize = 300;
/// Marks, quotes and emoji after a sentence beyond this many begin the next one.
const TRAIL_CHARS: usize = 64;
/// Where the next number of an inline list is looked for.
const LIST_CHARS: usize = 400;

/// Words that go on with the sentence after a quotation.
static CONTINUES: Words = Words::new(tables::BN_CLAUSES, "continues");

/// Case endings that are written straight after a quotation (‘রান!’র).
static SUFFIXES: Words = Words::new(tables::BN_ENDINGS, "apart");

/// Byte ranges of the sentences of `text`, trimmed, in order. Together they cover every character that is not white
/// space. Text without letters or digits (a stray quote, an emoji) belongs to its neighbor.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut splitter = Splitter {
        text,
        chars: characters(text),
        start: 0,
        open: false,
        brackets: Vec::new(),
        item: 0,
        out: Vec::new(),
    };
    splitter.run();
    merge_scraps(text, splitter.out)
}

/// The sentences themselves.
pub fn sentences(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|range| &text[range]).collect()
}

/// The characters and where they begin. A quote that a scraper has escaped (`\"`) is one character.
fn characters(text: &str) -> Vec<(usize, char)> {
    let mut out: Vec<(usize, char)> = Vec::with_capacity(text.len() / 2);
    for (at, c) in text.char_indices() {
        match out.last_mut() {
            Some(last) if last.1 == '\\' && matches!(c, '"' | '\'') => last.1 = c,
            _ => out.push((at, c)),
        }
    }
    out
}

/// All positions are indices into `chars`.
struct Splitter<'a> {
    text: &'a str,
    chars: Vec<(usize, char)>,
    /// Where the open sentence begins.
    start: usize,
    /// Whether a straight double quote is open.
    open: bool,
    /// Open brackets of the open sentence.
    brackets: Vec<usize>,
    /// Number of the last item of an inline list.
    item: u32,
    out: Vec<Range<usize>>,
}

impl Splitter<'_> {
    fn run(&mut self) {
        let mut i = 0;
        while i < self.chars.len() {
            let c = self.chars[i].1;
            match c {
                '"' => self.open = self.quote_opens(i),
                '(' | '[' | '{' => self.brackets.push(i),
                ')' | ']' | '}' => {
                    self.brackets.pop();
                }
                '\n' if self.blank_line(i) => {
                    self.push(i);
                    self.open = false;
                }
                _ => {}
            }
            if let Some(marker) = self.item_marker(i) {
                self.push(marker);
            } else if self.ends_at(i)
                && let Some(end) = self.sentence_end(i)
            {
                for j in i + 1..end {
                    if self.chars[j].1 == '"' {
                        self.open = !self.open;
                    }
                }
                self.push(end);
                i = end;
                continue;
            }
            i += 1;
        }
        self.push(self.chars.len());
    }

    /// Ends the open sentence before `end`.
    fn push(&mut self, end: usize) {
        if end > self.start {
            self.out.push(self.byte(self.start)..self.byte(end));
            self.start = end;
        }
        self.brackets.clear();
    }

    fn byte(&self, i: usize) -> usize {
        self.chars.get(i).map_or(self.text.len(), |&(at, _)| at)
    }

    /// The character at `i`; a space beyond either end.
    fn at(&self, i: usize) -> char {
        self.chars.get(i).map_or(' ', |&(_, c)| c)
    }

    fn before(&self, i: usize) -> char {
        i.checked_sub(1).map_or(' ', |i| self.at(i))
    }

    /// First index from `i` on that is not white space.
    fn skip_space(&self, mut i: usize) -> usize {
        while i < self.chars.len() && self.chars[i].1.is_whitespace() {
            i += 1;
        }
        i
    }

    fn blank_line(&self, i: usize) -> bool {
        let rest = &self.chars[i + 1..];
        rest.iter().map(|&(_, c)| c).find(|c| *c == '\n' || !c.is_whitespace()) == Some('\n')
    }

    /// Whether a straight quote at `i` opens a quotation.
    fn quote_opens(&self, i: usize) -> bool {
        let (before, after) = (self.before(i), self.at(i + 1));
        let free = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '—' | '–' | '-');
        match (free(before), after.is_whitespace()) {
            (true, false) => true,
            (false, true) => false,
            _ => !self.open,
        }
    }

    /// The word (letters and signs of one script) that ends before `end`, and where it begins.
    fn word_before(&self, end: usize, belongs: impl Fn(char) -> bool) -> (usize, String) {
        let mut begin = end;
        // 40 characters are longer than any word that matters here.
        while begin > 0 && end - begin < 40 && belongs(self.chars[begin - 1].1) {
            begin -= 1;
        }
        (begin, self.text[self.byte(begin)..self.byte(end)].to_string())
    }

    /// The word of letters that begins at `i`.
    fn word_at(&self, i: usize) -> String {
        let word = self.chars[i.min(self.chars.len())..].iter().map(|&(_, c)| c);
        let word: String = word.take(40).take_while(|&c| is_letter(c)).collect();
        canonical(&word)
    }

    /// Whether the mark at `i` could end a sentence.
    fn ends_at(&self, i: usize) -> bool {
        match self.at(i) {
            '।' | '॥' => !self.is_head_marker(i),
            '\u{09f7}' => true,
            '|' => {
                let word = is_bengali(self.before(i)) || is_digit(self.before(i));
                word && matches!(self.at(i + 1), ' ' | '\n' | '"' | '\'' | '”' | '’' | ')')
            }
            '?' | '!' | '？' | '！' | '؟' => {
                let after = self.at(i + 1);
                // Inside an address or a formula; a case ending.
                let address = after.is_ascii_alphanumeric() || matches!(after, '=' | '/' | '&');
                !address && !SUFFIXES.contains(&self.word_at(i + 1))
            }
            '.' => self.full_stop(i),
            _ => false,
        }
    }

    /// Whether the full stop at `i` ends a sentence.
    fn full_stop(&self, i: usize) -> bool {
        if self.before(i) == '.' || self.at(i + 1) == '.' || self.is_head_marker(i) {
            return false;
        }
        let end = if self.before(i).is_whitespace() { i.saturating_sub(1) } else { i };
        let before = self.before(end);
        let after = self.at(i + 1);
        let next = self.at(self.skip_space(i + 1));
        let apart = after.is_whitespace() || is_closer(after) || after == '"' || after == '\'';
        if end != i && !after.is_whitespace() {
            return false;
        }
        if is_bengali_letter(before) {
            let word = canonical(&self.word_before(end, is_bengali_letter).1);
            if is_bengali_abbreviation(&word) {
                return false;
            }
            let following = self.word_at(i + 1);
            let glued = is_bengali(after)
                && word.chars().count() >= 4
                && following.chars().count() >= 3
                && !is_letter_name(&following);
            return (apart && !is_latin_lower(next)) || glued;
        }
        if before.is_alphabetic() {
            let (_, word) = self.word_before(end, |c| c == '.' || (c.is_alphanumeric() && !is_bengali(c)));
            let glued = is_bengali(after) && word.chars().count() > 1;
            return !is_english_abbreviation(&word) && ((apart && !is_latin_lower(next)) || glued);
        }
        if is_digit(before) {
            return apart && !is_digit(next) && !is_latin_lower(next);
        }
        apart && (is_closer(before) || matches!(before, '"' | '\'' | '%' | '°')) && !is_latin_lower(next)
    }

    /// Whether the mark at `i` closes the number or letter at the head of an item: "১।", "২.", "ক।".
    fn is_head_marker(&self, i: usize) -> bool {
        let (begin, number) = self.word_before(i, is_digit);
        let head = self.skip_space(self.start);
        if !number.is_empty() {
            return begin == head && number.chars().count() <= 3 && self.skip_space(i + 1) < self.chars.len();
        }
        let letter = matches!(self.before(i), 'ক' | 'খ' | 'গ' | 'ঘ' | 'ঙ' | 'চ' | 'ছ' | 'জ');
        letter && i == head + 1 && self.at(i + 1).is_whitespace() && self.skip_space(i + 1) < self.chars.len()
    }

    /// Where an item of an inline list begins, if the mark at `i` closes its number: "… হলো ১। বেতন ২। ছুটি".
    fn item_marker(&mut self, i: usize) -> Option<usize> {
        if !matches!(self.at(i), '।' | '.') || !is_digit(self.before(i)) || !self.at(i + 1).is_whitespace() {
            return None;
        }
        let (begin, number) = self.word_before(i, is_digit);
        let number: u32 = digits::to_latin(&number).parse().ok().filter(|n| (1..100).contains(n))?;
        if self.is_head_marker(i) {
            self.item = number;
            return None;
        }
        if !self.before(begin).is_whitespace() || !self.brackets.is_empty() {
            return None;
        }
        let follows = self.item > 0 && number == self.item + 1;
        if !(follows || (number == 1 && self.second_item_follows(i))) {
            return None;
        }
        self.item = number;
        Some(begin)
    }

    fn second_item_follows(&self, i: usize) -> bool {
        let mark = self.at(i);
        let end = (i + LIST_CHARS).min(self.chars.len());
        self.chars[i..end].windows(4).any(|w| {
            w[0].1.is_whitespace() && digits::value(w[1].1) == Some(2) && w[2].1 == mark && w[3].1.is_whitespace()
        })
    }

    /// The end of the sentence whose final mark is at `i`, with everything that belongs to it; `None` if it goes on.
    fn sentence_end(&self, i: usize) -> Option<usize> {
        let (end, closed, bracketed) = self.trail(i);
        let next = self.skip_space(end);
        if next >= self.chars.len() {
            return Some(end);
        }
        if bracketed || self.in_open_bracket(end) {
            return None;
        }
        let c = self.at(next);
        let spaced = next > end;
        let question = !matches!(self.at(i), '।' | '॥' | '|' | '.');
        if matches!(c, ',' | ';') {
            return None;
        }
        if matches!(c, '-' | '–' | '—' | ':') && (closed || question || !spaced) {
            return None;
        }
        let word = self.word_at(next);
        if closed && CONTINUES.contains(&word) {
            return None;
        }
        if closed && question && !spaced && SUFFIXES.contains(&word) {
            return None;
        }
        if question && is_latin_lower(c) && self.before(i).is_ascii_alphabetic() {
            return None;
        }
        Some(end)
    }

    /// What follows the final mark at `i` and belongs to it: the index after it, whether a quotation was closed, and
    /// whether a bracket was that had opened within the sentence.
    fn trail(&self, i: usize) -> (usize, bool, bool) {
        let mut j = i + 1;
        let mut open = self.open;
        let (mut closed, mut bracketed) = (false, false);
        let mut brackets = self.brackets.len();
        let head = self.skip_space(self.start);
        loop {
            let c = self.at(j);
            let after = self.at(j + 1);
            let loose =
                after.is_whitespace() || is_mark(after) || is_closer(after) || matches!(after, ',' | '-' | '—' | '–');
            match c {
                _ if j >= self.chars.len() || j > i + TRAIL_CHARS => break,
                _ if is_mark(c) || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}') => j += 1,
                ')' | ']' | '}' => {
                    if brackets > 0 {
                        brackets -= 1;
                        bracketed = self.brackets[brackets] > head;
                    }
                    j += 1;
                }
                '”' | '’' | '»' | '›' => {
                    closed = true;
                    j += 1;
                }
                '"' | '\'' if loose || (c == '"' && open) => {
                    closed = true;
                    open = open && c != '"';
                    j += 1;
                }
                '“' | '‘' | '„' if loose => {
                    closed = true;
                    j += 1;
                }
                '[' => match self.footnote(j) {
                    Some(end) => j = end,
                    None => break,
                },
                _ if is_emoji(c) => j = self.emoji(j),
                _ if c.is_whitespace() => {
                    let next = self.skip_space(j);
                    let n = self.at(next);
                    let free = self.at(next + 1).is_whitespace() || is_mark(self.at(next + 1));
                    let newline = self.chars[j..next].iter().any(|&(_, c)| c == '\n');
                    let late = matches!(n, '”' | '’' | '»') || (n == ')' && brackets > 0) || (n == '"' && open && free);
                    if next < self.chars.len() && !newline && (late || is_emoji(n) || matches!(n, '।' | '?' | '!')) {
                        j = next;
                    } else {
                        break;
                    }
                }
                _ => break,
            }
        }
        (j, closed, bracketed)
    }

    /// A bracket that opened within the sentence and closes soon.
    fn in_open_bracket(&self, from: usize) -> bool {
        let head = self.skip_space(self.start);
        let Some(&open) = self.brackets.last().filter(|&&at| at > head) else { return false };
        let close = match self.at(open) {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        let end = (from + BRACKET_CHARS).min(self.chars.len());
        from < end && self.chars[from..end].iter().map(|&(_, c)| c).take_while(|&c| c != '\n').any(|c| c == close)
    }

    /// "[১]", "[12]", "[ক]" at `j`: the index after it.
    fn footnote(&self, j: usize) -> Option<usize> {
        let inner = self.chars[j + 1..]
            .iter()
            .take(4)
            .take_while(|&&(_, c)| is_digit(c) || is_bengali_letter(c) || c.is_ascii_lowercase())
            .count();
        let number = is_digit(self.at(j + 1)) || inner == 1;
        (number && (1..=3).contains(&inner) && self.at(j + 1 + inner) == ']').then_some(j + 2 + inner)
    }

    fn emoji(&self, mut j: usize) -> usize {
        while j < self.chars.len()
            && (is_emoji(self.at(j)) || matches!(self.at(j), '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'))
        {
            j += 1;
        }
        j
    }
}

/// Pieces without a letter or digit join the piece before them (the first: the one after it); pieces are trimmed.
fn merge_scraps(text: &str, pieces: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut scrap: Option<usize> = None;
    for piece in pieces {
        let raw = &text[piece.clone()];
        let trimmed = raw.trim();
        if trimmed.is_empty() {
            continue;
        }
        let begin = piece.start + (raw.len() - raw.trim_start().len());
        let range = begin..begin + trimmed.len();
        let blank = !trimmed.chars().any(|c| c.is_alphanumeric() || is_bengali(c));
        match out.last_mut() {
            Some(last) if blank => last.end = range.end,
            None if blank => scrap = scrap.or(Some(range.start)),
            _ => out.push(scrap.take().unwrap_or(range.start)..range.end),
        }
    }
    if let Some(start) = scrap {
        let end = text.trim_end().len();
        match out.first_mut() {
            Some(first) => first.start = start,
            None => out.push(start..end),
        }
    }
    out
}

fn is_mark(c: char) -> bool {
    matches!(c, '।' | '॥' | '?' | '!' | '.' | '…' | '？' | '！' | '؟')
}

fn is_closer(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '”' | '’' | '»' | '›')
}

fn is_bengali_letter(c: char) -> bool {
    is_bengali(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_bengali_letter(c)
}

fn is_latin_lower(c: char) -> bool {
    c.is_lowercase()
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{2b50}' | '\u{2b55}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_cover(text: &str) {
        let ranges = split(text);
        let mut covered = 0;
        for range in &ranges {
            assert!(range.start >= covered && range.end > range.start, "{text:?} {ranges:?}");
            assert!(text[covered..range.start].trim().is_empty(), "{text:?} {ranges:?}");
            assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
            covered = range.end;
        }
        assert!(text[covered..].trim().is_empty(), "{text:?} {ranges:?}");
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(split("").is_empty() && split(" \n ").is_empty());
        assert_eq!(sentences("।"), ["।"]);
        assert_eq!(sentences("“ আমি।"), ["“ আমি।"]);
        assert_eq!(sentences("” ।"), ["” ।"]);
    }

    #[test]
    fn long_text_is_linear() {
        let text = "(আমি যাব। ".repeat(100_000);
        assert_eq!(split(&text).len(), 100_000);
        check_cover(&"ক".repeat(300_000));
        check_cover(&"\"?".repeat(100_000));
        check_cover(&"।\u{a0}".repeat(100_000));
    }

    proptest! {
        #[test]
        fn everything_is_covered(text in "[কখমনাি্ড।।?!. .\n\"'“”‘’()১২aBz,😀—\\[\\]|]{0,80}") {
            check_cover(&text);
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            check_cover(&text);
        }
    }
}
