//! One canonical form of Bengali text, whatever keyboard, font converter or web page it came from.
//!
//! What is done, in the order of the code:
//! - ড়, ঢ়, য় (and ব + nukta, an old spelling of র) become one code point: U+09DC, U+09DD, U+09DF, U+09B0. NFC would
//!   take them apart (composition exclusions), so NFC alone is not the canonical form.
//! - A nukta typed behind the vowel sign goes to its letter, a chandrabindu typed before it behind it.
//! - ে + া becomes ো, ে + ৗ (or ৌ typed in parts) becomes ৌ, অ + া becomes আ; a vowel sign typed twice counts once.
//! - ত + hasanta + ZWJ becomes ৎ. ZWJ stays only in র‍্য (ZWNJ there becomes ZWJ); all other ZWJ and ZWNJ go: they
//!   change the shape of a conjunct, not the word.
//! - A letter held for effect (গোওওওওল) counts once.
//! - U+200B, U+FEFF, soft hyphens and direction marks go.
//! - The Assamese letters become the Bengali ones that a Bengali reader would write: ৰ → র, ৱ → ব. (Assamese is
//!   another language; in a Bengali article these letters come from fonts and keyboards, or from names.)
//! - A danda typed as `|`, ৷ (U+09F7) or ॥ becomes ।, and the space before it goes.
//! - A colon typed for visarga (দু:খ, মো: করিম) becomes ঃ; a visarga typed for a colon (বলেনঃ, ১০ঃ৩০) becomes a colon.
//! - Any white space becomes one space; low, double-angle and back-tick quotes and `\"` become the usual ones.
//! - Decomposed accents of Latin letters are composed. Digits are left alone.
//!
//! A model's manifest may ask for more steps after this one.
use super::abbreviation::is_listed;
use super::digits::is_digit;
use super::script::is_bengali;
use super::{Words, tables};
use std::ops::Range;

const NUKTA: char = '\u{09bc}';
const HASANTA: char = '\u{09cd}';
const BINDU: char = '\u{0981}';
const VISARGA: char = '\u{0983}';
const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const DANDA: char = '।';

/// Normalized text that still knows where each of its characters came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The canonical text.
    pub text: String,
    /// (byte offset in `text`, byte range in the source) of every character, ascending.
    map: Vec<(usize, Range<usize>)>,
}

impl Normalized {
    /// Bytes of the source that a byte range of the normalized text came from.
    pub fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let first = self.map.partition_point(|(at, _)| *at < range.start);
        let last = self.map.partition_point(|(at, _)| *at < range.end);
        match (self.map.get(first), last.checked_sub(1).and_then(|i| self.map.get(i))) {
            (Some((_, start)), Some((_, end))) if first < last => start.start..end.end,
            (Some((_, start)), _) => start.start..start.start,
            (None, _) => {
                let end = self.map.last().map_or(0, |(_, range)| range.end);
                end..end
            }
        }
    }
}

/// The canonical form of `text`.
pub fn canonical(text: &str) -> String {
    chars(text).into_iter().map(|c| c.c).collect()
}

/// The canonical form of `text` with the way back to it.
pub fn canonical_with_map(text: &str) -> Normalized {
    let mut out = Normalized { text: String::with_capacity(text.len()), map: Vec::new() };
    for c in chars(text) {
        out.map.push((out.text.len(), c.source));
        out.text.push(c.c);
    }
    out
}

/// A character and the bytes of the source that it stands for.
#[derive(Debug, Clone)]
struct Sourced {
    c: char,
    source: Range<usize>,
}

fn chars(text: &str) -> Vec<Sourced> {
    let mut letters = compose(text);
    held(&mut letters);
    visarga_and_colon(&mut letters);
    punctuation(letters)
}

/// Letters: everything that a look at the previous one or two characters can decide.
fn compose(text: &str) -> Vec<Sourced> {
    let mut out: Vec<Sourced> = Vec::with_capacity(text.len() / 2);
    for (at, c) in text.char_indices() {
        let source = at..at + c.len_utf8();
        let last = out.last().map(|s| s.c);
        match c {
            '\u{200b}' | '\u{feff}' | '\u{2060}' | '\u{00ad}' | '\u{200e}' | '\u{200f}' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            ZWJ | ZWNJ => match out.as_slice() {
                // র + joiner + ্ + য: the ya-phala that must not become a reph.
                [.., ra] if ra.c == 'র' && text[source.end..].starts_with("\u{09cd}য") => {
                    out.push(Sourced { c: ZWJ, source })
                }
                [.., ta, hasanta] if c == ZWJ && ta.c == 'ত' && hasanta.c == HASANTA => {
                    out.pop();
                    replace_last(&mut out, 'ৎ', source.end);
                }
                _ => {}
            },
            // A nukta typed behind the vowel sign, and a chandrabindu before it.
            NUKTA if nukta_behind_sign(&mut out, source.end) => {}
            _ if last == Some(BINDU) && is_vowel_sign(c) => sign_before_bindu(&mut out, c, source),
            _ => match last.and_then(|last| joined(last, c)) {
                Some(one) => replace_last(&mut out, one, source.end),
                None => out.push(Sourced { c: single(c), source }),
            },
        }
    }
    out
}

/// A letter held for effect counts once: গোওওওওল is গোল, নাআআ is না.
fn held(letters: &mut Vec<Sourced>) {
    let is_letter = |c: char| matches!(c, '\u{0985}'..='\u{09b9}' | '\u{09dc}'..='\u{09df}');
    let mut from = 0;
    while from < letters.len() {
        let c = letters[from].c;
        let run = letters[from..].iter().take_while(|s| s.c == c).count();
        let echo = from.checked_sub(1).is_some_and(|before| is_echo(letters[before].c, c));
        let keep = match run {
            2.. if echo => 0,
            3.. if is_letter(c) => 1,
            _ => run,
        };
        if keep < run {
            let end = letters[from + run - 1].source.end;
            letters.drain(from + keep..from + run);
            // `echo` has one before it, else one is kept.
            if let Some(last) = (from + keep).checked_sub(1).and_then(|at| letters.get_mut(at)) {
                last.source.end = end;
            }
        }
        from += keep.max(usize::from(keep == run));
    }
}

/// A vowel that only goes on with the sign before it.
fn is_echo(sign: char, vowel: char) -> bool {
    matches!((sign, vowel), ('া', 'আ') | ('ি' | 'ী', 'ই' | 'ঈ') | ('ু' | 'ূ', 'উ' | 'ঊ') | ('ে', 'এ') | ('ো', 'ও'))
}

fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{09be}'..='\u{09cc}' | '\u{09d7}')
}

/// Composes a nukta with the letter before the last sign; false: there is no such letter.
fn nukta_behind_sign(out: &mut [Sourced], end: usize) -> bool {
    let [.., letter, sign] = out else { return false };
    let one = joined(letter.c, NUKTA).filter(|_| is_vowel_sign(sign.c) || sign.c == BINDU);
    if let Some(one) = one {
        letter.c = one;
        sign.source.end = end;
    }
    one.is_some()
}

/// Puts a vowel sign before the chandrabindu that is the last character: চঁাদ is চাঁদ.
fn sign_before_bindu(out: &mut Vec<Sourced>, c: char, source: Range<usize>) {
    let Some(bindu) = out.pop() else { return };
    match out.last().and_then(|letter| joined(letter.c, c)) {
        Some(one) => {
            replace_last(out, one, bindu.source.end);
            out.push(Sourced { c: BINDU, source });
        }
        None => {
            out.push(Sourced { c, source: bindu.source });
            out.push(Sourced { c: BINDU, source });
        }
    }
}

/// The one character that two stand for.
fn joined(last: char, c: char) -> Option<char> {
    match (last, c) {
        ('ড', NUKTA) => Some('\u{09dc}'),
        ('ঢ', NUKTA) => Some('\u{09dd}'),
        ('য', NUKTA) => Some('\u{09df}'),
        ('ব', NUKTA) => Some('র'),
        ('\u{09dc}' | '\u{09dd}' | '\u{09df}', NUKTA) => Some(last),
        ('ে', 'া') | ('া', 'ে') => Some('ো'),
        ('ে', '\u{09d7}' | 'ৌ') | ('ো', '\u{09d7}') | ('ৌ', '\u{09d7}') => Some('ৌ'),
        ('অ', 'া') => Some('আ'),
        (HASANTA | '\u{0981}'..='\u{0982}' | '\u{09be}'..='\u{09cc}', _) if last == c => Some(c),
        (_, '\u{0300}'..='\u{036f}') => unicode_normalization::char::compose(last, c),
        _ => None,
    }
}

/// The canonical spelling of one character.
fn single(c: char) -> char {
    match c {
        'ৰ' => 'র',
        'ৱ' => 'ব',
        '॥' | '\u{09f7}' => DANDA,
        '«' | '‟' | '〝' => '“',
        '»' | '〞' => '”',
        '`' | '‛' | '´' => '\'',
        _ if c.is_whitespace() => ' ',
        _ if c.is_control() => ' ',
        _ => c,
    }
}

fn replace_last(out: &mut [Sourced], c: char, end: usize) {
    if let Some(last) = out.last_mut() {
        last.c = c;
        last.source.end = end;
    }
}

/// First parts of words in which a colon inside the word is a visarga.
static VISARGA_INSIDE: Words = Words::new(tables::BN_VISARGA, "inside");
/// Abbreviations written with visarga: a colon after them is one.
static VISARGA_AFTER: Words = Words::new(tables::BN_VISARGA, "after");
/// Words that end in a visarga of their own, beside those in -তঃ and -শঃ.
static VISARGA_OWN: Words = Words::new(tables::BN_VISARGA, "own");

/// Tells visargas from colons.
fn visarga_and_colon(letters: &mut [Sourced]) {
    for i in 0..letters.len() {
        if i == 0 || !matches!(letters[i].c, ':' | VISARGA) {
            continue;
        }
        let start = letters[..i].iter().rposition(|s| !is_bengali(s.c) && s.c != ZWJ).map_or(0, |at| at + 1);
        let word: String = letters[start..i].iter().map(|s| s.c).collect();
        let next = letters.get(i + 1).map_or(' ', |s| s.c);
        if letters[i].c == ':' {
            let inside = is_bengali(next) && VISARGA_INSIDE.contains(&word);
            let after = !is_digit(next) && next != '/' && VISARGA_AFTER.contains(&word);
            // "মো: করিম" is a name, "লি:" closes one; "সা:" and the like at a text's start could be a label.
            if inside || (after && (start > 0 || matches!(word.as_str(), "মো" | "ডা" | "ড" | "মোসা" | "মোছা")))
            {
                letters[i].c = VISARGA;
            }
        } else if is_digit(letters[i - 1].c) || (word.is_empty() && !is_bengali(next)) {
            letters[i].c = ':';
        } else if !is_bengali(next) {
            let own = word.ends_with(['ত', 'শ'])
                || VISARGA_OWN.contains(&word)
                || VISARGA_AFTER.contains(&word)
                || is_listed(&format!("{word}{VISARGA}"))
                || word.chars().count() < 3;
            if !own {
                letters[i].c = ':';
            }
        }
    }
}

/// Spaces, dandas and quotes.
fn punctuation(letters: Vec<Sourced>) -> Vec<Sourced> {
    let mut out: Vec<Sourced> = Vec::with_capacity(letters.len());
    let next_of = |i: usize| letters.get(i + 1).map_or(' ', |s| s.c);
    for (i, s) in letters.iter().enumerate() {
        let last = out.last().map_or(' ', |s| s.c);
        match s.c {
            ' ' if last == ' ' => {}
            '\\' if matches!(next_of(i), '"' | '\'' | '\\') => {}
            '|' if is_pipe_danda(&letters, i) => push_danda(&mut out, s.source.clone()),
            DANDA => push_danda(&mut out, s.source.clone()),
            '\'' if last == '\'' && out.len() >= 2 => {
                // Two single quotes are one double quote, ''like this''.
                replace_last(&mut out, '"', s.source.end);
            }
            '„' => {
                let closes = next_of(i) == ' ' || matches!(last, DANDA | '?' | '!' | '.');
                out.push(Sourced { c: if closes { '”' } else { '“' }, source: s.source.clone() });
            }
            _ => out.push(s.clone()),
        }
    }
    if out.last().is_some_and(|s| s.c == ' ') {
        out.pop();
    }
    out
}

/// A danda, without the space before it and only once.
fn push_danda(out: &mut Vec<Sourced>, source: Range<usize>) {
    if out.len() >= 2 && out[out.len() - 1].c == ' ' && out[out.len() - 2].c != ' ' {
        out.pop();
    }
    match out.last_mut() {
        Some(last) if last.c == DANDA => last.source.end = source.end,
        _ => out.push(Sourced { c: DANDA, source }),
    }
}

/// `|` right after a Bengali word and not the border of a table cell.
fn is_pipe_danda(letters: &[Sourced], at: usize) -> bool {
    let before = at.checked_sub(1).is_some_and(|i| is_bengali(letters[i].c) || is_digit(letters[i].c));
    let after = letters.get(at + 1).is_none_or(|s| matches!(s.c, ' ' | '"' | '\'' | '”' | '’' | ')'));
    let pipes = letters.iter().filter(|s| s.c == '|').count();
    let spaced = letters.windows(2).filter(|w| w[0].c == ' ' && w[1].c == '|').count();
    before && after && (pipes == 1 || spaced == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(canonical(source), expected, "{}", source.escape_unicode());
        assert_eq!(canonical(expected), expected, "not stable: {}", expected.escape_unicode());
    }

    #[test]
    fn nukta_letters_are_one_code_point() {
        check("গা\u{09a1}\u{09bc}ি আষা\u{09a2}\u{09bc} সম\u{09af}\u{09bc}", "গা\u{09dc}ি আষা\u{09dd} সম\u{09df}");
        check("আমা\u{09ac}\u{09bc}", "আমার");
    }

    #[test]
    fn vowel_signs_are_one_code_point() {
        check("ক\u{09c7}\u{09be} ম\u{09c7}\u{09d7}", "ক\u{09cb} ম\u{09cc}");
        check("অামি যাা", "আমি যা");
    }

    #[test]
    fn signs_typed_in_another_order_are_put_in_order() {
        check("পা\u{09a1}\u{09c7}\u{09bc} সম\u{09af}\u{09c7}\u{09bc}", "পা\u{09dc}ে সম\u{09df}ে");
        check("আষা\u{09a2}\u{09c7}\u{09bc}র ব\u{09be}\u{09bc}জনীতি", "আষা\u{09dd}ের রাজনীতি");
        check("চ\u{0981}\u{09be}দ হ\u{0981}\u{09c7}\u{09be}চট", "চ\u{09be}\u{0981}দ হ\u{09cb}\u{0981}চট");
        check("দ\u{09be}\u{0981}\u{09a1}\u{0981}\u{09bc}", "দ\u{09be}\u{0981}\u{09dc}\u{0981}");
    }

    #[test]
    fn letters_held_for_effect_count_once() {
        check("গোওওওওল নাআআ হুমমমম", "গোল না হুম");
        check("ভাইইই আহহহহ", "ভাই আহ");
        check("১১১১ টাকা ভাইও যাওও", "১১১১ টাকা ভাইও যাওও");
    }

    #[test]
    fn khanda_ta_and_joiners() {
        check("হঠাত\u{09cd}\u{200d}", "হঠাৎ");
        check("র\u{200d}\u{09cd}যাব র\u{200c}\u{09cd}যাম", "র\u{200d}\u{09cd}যাব র\u{200d}\u{09cd}যাম");
        check("উল্লাহ\u{09cd}\u{200c} ক\u{200d}খ", "উল্লাহ্ কখ");
        check("\u{feff}বাং\u{200b}লা", "বাংলা");
    }

    #[test]
    fn assamese_letters() {
        check("কৰে ৱ", "করে ব");
    }

    #[test]
    fn colon_and_visarga() {
        check("দু:খ পুন:নির্বাচন আন্ত:নগর অত:পর", "দুঃখ পুনঃনির্বাচন আন্তঃনগর অতঃপর");
        check("মো: করিম ও ডা: রহিম", "মোঃ করিম ও ডাঃ রহিম");
        check("তিনি বলেনঃ ‘না’", "তিনি বলেন: ‘না’");
        check("অন্ততঃ প্রায়শঃ মোঃ দুঃ", "অন্ততঃ প্রায়শঃ মোঃ দুঃ");
        check("সকাল ১০ঃ৩০", "সকাল ১০:৩০");
        check("তথ্য সূত্র: সিএনএন", "তথ্য সূত্র: সিএনএন");
        check("সময়: ১০:৩০", "সময়: ১০:৩০");
    }

    #[test]
    fn danda_spaces_and_quotes() {
        check("আমি যাব ।  তুমি\u{a0}যাবে|", "আমি যাব। তুমি যাবে।");
        check("ক | খ | গ", "ক | খ | গ");
        check("শেষ।। পরে॥", "শেষ। পরে।");
        check("\\\"না\\\" «হ্যাঁ» ''হয়তো''", "\"না\" “হ্যাঁ” \"হয়তো\"");
        check("১,২৩,৪৫৬ টাকা ৳৫০", "১,২৩,৪৫৬ টাকা ৳৫০");
        check("cafe\u{301}", "café");
    }

    #[test]
    fn the_way_back() {
        let source = "সম\u{09af}\u{09bc}  ক\u{09c7}\u{09be}ন";
        let n = canonical_with_map(source);
        let at = n.text.find("ক").expect("there");
        assert_eq!(&source[n.source_range(at..n.text.len())], "ক\u{09c7}\u{09be}ন");
        let at = n.text.find('\u{09df}').expect("there");
        assert_eq!(&source[n.source_range(at..at + 3)], "\u{09af}\u{09bc}");
        assert_eq!(n.source_range(0..0), 0..0);
        assert_eq!(n.source_range(n.text.len()..n.text.len()), source.len()..source.len());
    }

    proptest! {
        #[test]
        fn stable_and_mapped(text in "[ক-হািৌোৌড়়্ঃ।|:'\"\u{200b}-\u{200d} a-z০-৯\\\\]{0,60}") {
            let n = canonical_with_map(&text);
            prop_assert_eq!(&n.text, &canonical(&text));
            for (i, c) in n.text.char_indices() {
                let range = n.source_range(i..i + c.len_utf8());
                prop_assert!(text.get(range).is_some());
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = canonical_with_map(&text);
        }
    }
}
