//! What stands in a text and is no word of it: addresses, hashtags, mentions, emoji, quotations in other scripts. A
//! translation has them unchanged.
use crate::lang::script::is_bengali;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What sort of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A web or mail address; letters of any script may be in it.
    Address,
    /// `#ঢাকা`, `@prothomalo`.
    Tag,
    Emoji,
    /// Markup and code: `<div class="a">`, `print("x")`, `/etc/passwd`.
    Code,
    /// Words in Arabic, Devanagari and other scripts that are neither Bengali nor Latin.
    Foreign,
}

/// The tokens of a text, in order.
pub fn tokens(text: &str) -> Vec<(TokenKind, Range<usize>)> {
    let mut out: Vec<(TokenKind, Range<usize>)> = Vec::new();
    let mut at = 0;
    let markup: Vec<Range<usize>> =
        MARKUP.iter().flat_map(|markup| markup.find_iter(text)).map(|m| m.range()).collect();
    out.extend(markup.iter().map(|range| (TokenKind::Code, range.clone())));
    for word in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        if markup.iter().any(|range| range.start < at && start < range.end) {
            continue;
        }
        match address(word.trim_end(), start).or_else(|| code(word.trim_end(), start)) {
            Some(found) => out.push(found),
            None => signs(word, start, &mut out),
        }
    }
    out.sort_by_key(|(_, range)| range.start);
    out
}

/// A tag of HTML or XML.
static MARKUP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"</?[A-Za-z][A-Za-z0-9:-]*(?:\s+[^<>\u{980}-\u{9ff}]{0,200})?/?>"#).ok());

/// A word that is code, without the marks around it.
fn code(word: &str, start: usize) -> Option<(TokenKind, Range<usize>)> {
    let opened = word.trim_start_matches(['“', '‘', '`', '\'', '"', '(']);
    let from = start + word.len() - opened.len();
    let bare = opened.trim_end_matches(['।', ',', ';', '?', '.', '”', '’', '`', '\'', '"', ':']);
    let bare = if bare.contains('(') { bare } else { bare.trim_end_matches(')') };
    let letters = bare.bytes().filter(u8::is_ascii_alphabetic).count();
    let inner = bare.trim_matches('_');
    let signs = inner.contains(['_', '{', '}', '=', '\\', '<', '>'])
        || bare.contains("()")
        || bare.contains("(\"")
        || bare.starts_with("--")
        || bare.matches('/').count() >= 2;
    (bare.is_ascii() && letters >= 2 && signs).then(|| (TokenKind::Code, from..from + bare.len()))
}

/// A word that is an address, a hashtag or a mention, without the brackets and marks around it.
fn address(word: &str, start: usize) -> Option<(TokenKind, Range<usize>)> {
    let opened = word.trim_start_matches(['(', '[', '"', '“', '‘', '\'', '<']);
    let from = start + word.len() - opened.len();
    let bare = opened.trim_end_matches([')', ']', '"', '”', '’', '\'', '>', '।', ',', ';', '!', '?', '.', ':', '…']);
    let lower = bare.to_ascii_lowercase();
    let mail = bare.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.ends_with('.') && !host.contains('@')
    });
    let kind = if lower.contains("://") || lower.starts_with("www.") || mail {
        TokenKind::Address
    } else {
        let name = bare.strip_prefix(['#', '@'])?;
        let letters = name
            .chars()
            .all(|c| c.is_alphanumeric() || is_bengali(c) || matches!(c, '_' | '.' | '\u{200d}' | '\u{200c}'));
        // "#1" and "@ 5" are numbers and prices.
        if name.is_empty() || !letters || name.chars().all(char::is_numeric) {
            return None;
        }
        TokenKind::Tag
    };
    // A case ending hangs on an address behind its Latin end.
    let end = match kind {
        TokenKind::Address if bare.starts_with("http") && !bare.contains('%') => bare.len(),
        TokenKind::Address => bare.trim_end_matches(|c| is_bengali(c) || c == '-').len().max(1),
        _ => bare.len(),
    };
    let end = if bare[..end].is_ascii() || kind == TokenKind::Tag { end } else { bare.len() };
    Some((kind, from..from + end))
}

/// Emoji and words of other scripts.
fn signs(word: &str, start: usize, out: &mut Vec<(TokenKind, Range<usize>)>) {
    for (at, c) in word.char_indices() {
        let kind = if is_emoji(c) {
            TokenKind::Emoji
        } else if is_foreign(c) {
            TokenKind::Foreign
        } else {
            continue;
        };
        let range = start + at..start + at + c.len_utf8();
        match out.last_mut() {
            Some((last, before)) if *last == kind && before.end == range.start => before.end = range.end,
            _ => out.push((kind, range)),
        }
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}'..='\u{2b55}' | '\u{fe0f}')
}

/// Letters and marks of scripts that are neither Bengali nor Latin.
fn is_foreign(c: char) -> bool {
    matches!(c,
        '\u{370}'..='\u{52f}' | '\u{590}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{900}'..='\u{963}' | '\u{966}'..='\u{97f}'
        | '\u{a00}'..='\u{dff}' | '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// The text without its addresses, tags and emoji.
pub fn without(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (_, range) in tokens(text).into_iter().filter(|(kind, _)| *kind != TokenKind::Foreign) {
        out.push_str(&text[from..range.start]);
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_words() {
        let found =
            |text: &str| tokens(text).into_iter().map(|(kind, r)| (kind, text[r].to_string())).collect::<Vec<_>>();
        use TokenKind::*;
        for (text, want) in [
            ("দেখুন https://example.com/খবর/১?a=b।", vec![(Address, "https://example.com/খবর/১?a=b")]),
            ("(www.example.com) ও তথ্য@উদাহরণ.বাংলা", vec![(Address, "www.example.com"), (Address, "তথ্য@উদাহরণ.বাংলা")]),
            ("মেইল info@example.com-এ", vec![(Address, "info@example.com")]),
            ("#ঢাকা_বৃষ্টি আর @prothom_alo!", vec![(Tag, "#ঢাকা_বৃষ্টি"), (Tag, "@prothom_alo")]),
            ("আজ খুশি 😀👍।", vec![(Emoji, "😀👍")]),
            ("তিনি বলেন बहुत अच्छा।", vec![(Foreign, "बहुत"), (Foreign, "अच्छा")]),
            ("পাতায় <div class=\"a\"> ও </p> লিখুন", vec![(Code, "<div class=\"a\">"), (Code, "</p>")]),
            ("`print(\"x\")` ও a_b, --help দিন", vec![(Code, "print(\"x\")"), (Code, "a_b"), (Code, "--help")]),
            ("/etc/passwd ফাইল km/h ও and/or, ৫ < ১০ > ৩", vec![(Code, "/etc/passwd")]),
            ("১ম ও #১ নম্বর @ ৫০ টাকা; Covid-19 ৩.৫", vec![]),
        ] {
            assert_eq!(found(text), want.into_iter().map(|(k, t)| (k, t.to_string())).collect::<Vec<_>>(), "{text}");
        }
        assert_eq!(without("#ঢাকা 😀 দেখুন www.a.com").trim(), "দেখুন");
    }
}
