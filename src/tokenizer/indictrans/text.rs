//! What IndicTrans2 wants done to Bengali before it, and to its English after it.
//!
//! Sources of the rules: IndicTransToolkit's processor (order of steps, punctuation), indic_nlp_library's
//! BengaliNormalizer, trivial tokenizer and script mapping, and the Moses detokenizer.
use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Patterns and replacements, applied one after another.
type Rules = Vec<(Regex, &'static str)>;

fn rules(list: &[(&str, &'static str)]) -> Rules {
    // constants of this file, compiled by every test run
    list.iter().map(|(pattern, with)| (Regex::new(pattern).expect("a valid pattern"), *with)).collect()
}

fn apply(rules: &Rules, text: String) -> String {
    rules.iter().fold(text, |text, (pattern, with)| match pattern.replace_all(&text, *with) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => changed,
    })
}

/// Punctuation in the manner of Moses: straight quotes, hyphens, no spaces inside brackets or before punctuation.
pub(super) fn punctuation(text: &str) -> String {
    static RULES: LazyLock<Rules> = LazyLock::new(|| {
        rules(&[
            (r"\r", ""),
            (r"\(\s*", "("),
            (r"\s*\)", ")"),
            (r"\s:\s?", ":"),
            (r"\s;\s?", ";"),
            ("[`´‘‚’]", "'"),
            ("[„“”«»]", "\""),
            ("[–—]", "-"),
            ("\u{a0}%", "%"),
            ("nº\u{a0}", "nº "),
            ("\u{a0}ºC", " ºC"),
            ("\u{a0}([?!;])", "$1"),
            (",\u{a0}", ", "),
            (" {2,}", " "),
            (r"\) ([.!:?;,])", ")$1"),
            (r"(\d) %", "$1%"),
            ("\"([,.]+)", "$1\""),
            ("(\\d)\u{a0}(\\d)", "$1.$2"),
        ])
    });
    apply(&RULES, text.to_owned()).trim().to_owned()
}

/// Digits of the scripts of India to Latin ones.
pub(super) fn latin_digits(text: &str) -> String {
    const ZEROS: [u32; 11] = [0x9e6, 0x966, 0xae6, 0xce6, 0x6f0, 0x660, 0xabf0, 0xb66, 0xa66, 0x1c50, 0xc66];
    let digit = |c: char| ZEROS.iter().find_map(|zero| char::from_digit((c as u32).checked_sub(*zero)?, 10));
    text.chars().map(|c| digit(c).unwrap_or(c)).collect()
}

/// indic_nlp's normal form of Bengali: joiners and other invisible characters gone, nukta letters in two code points,
/// two-part vowels in one, danda for its likes, visarga for a colon after a letter.
pub(super) fn normalize(text: &str) -> String {
    static VISARGA: LazyLock<Rules> = LazyLock::new(|| rules(&[("([\u{980}-\u{9ff}]):", "$1\u{983}")]));
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\u{feff}' | '\u{fffe}' | '\u{2060}' | '\u{ad}' | '\u{200c}' | '\u{200d}' => {}
            '\u{200b}' | '\u{a0}' => out.push(' '),
            '„' | '“' | '”' => out.push('"'),
            '–' => out.push('-'),
            '—' => out.push_str(" - "),
            '´' | '‘' | '‚' | '’' => out.push('\''),
            '…' => out.push_str("..."),
            '\u{9dc}' => out.push_str("\u{9a1}\u{9bc}"),
            '\u{9dd}' => out.push_str("\u{9a2}\u{9bc}"),
            '\u{9df}' => out.push_str("\u{9af}\u{9bc}"),
            '\u{9e4}' | '|' | '\u{9f7}' => out.push('\u{964}'),
            '\u{9e5}' => out.push('\u{965}'),
            c => out.push(c),
        }
    }
    let out = out.replace("''", "\"").replace("\u{9c7}\u{9be}", "\u{9cb}").replace("\u{9c7}\u{9d7}", "\u{9cc}");
    apply(&VISARGA, out)
}

/// indic_nlp's trivial tokenizer: punctuation stands alone, numbers with points, commas and slashes stay whole.
pub(super) fn tokenize(text: &str) -> String {
    static NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new("([0-9]+ [,.:/] )+[0-9]+").expect("a valid pattern"));
    // the original's character class holds no backslash
    let is_mark = |c: char| {
        (c.is_ascii_punctuation() && c != '\\')
            || matches!(
                c,
                '\u{964}' | '\u{965}' | '\u{aaf0}' | '\u{aaf1}' | '\u{abeb}'..='\u{abef}' | '\u{1c7e}' | '\u{1c7f}'
            )
    };
    let mut spaced = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match c {
            '\t' => spaced.push(' '),
            c if is_mark(c) => spaced.extend([' ', c, ' ']),
            c => spaced.push(c),
        }
    }
    let words = spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    // one at the very start stays apart in the original, and so in what the model was trained on
    let join = |found: &regex::Captures| match found.get(0).map(|whole| whole.start()) {
        Some(0) => found[0].to_owned(),
        _ => found[0].replace(' ', ""),
    };
    NUMBERS.replace_all(&words, join).into_owned()
}

/// Bengali letters to the Devanagari ones in the same place of their block, which is the script the model was
/// trained on for all languages of India.
pub(super) fn to_devanagari(text: &str) -> String {
    let map = |c: char| match c {
        '\u{980}'..='\u{9ef}' => char::from_u32(c as u32 - 0x80).unwrap_or(c),
        c => c,
    };
    text.chars().map(map).collect::<String>().replace(" \u{94d} ", "\u{94d}")
}

/// Moses' detokenizer for English.
pub(super) fn detokenize(text: &str) -> String {
    const ENTITIES: [(&str, &str); 11] = [
        ("&bar;", "|"),
        ("&#124;", "|"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&bra;", "["),
        ("&ket;", "]"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#91;", "["),
        ("&#93;", "]"),
        ("&amp;", "&"),
    ];
    static CURRENCY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\p{Sc}(\[{¿¡]+$").expect("a valid pattern"));
    let text = format!(" {text} ").replace(" @-@ ", "-");
    let text = ENTITIES.iter().fold(text, |text, (entity, character)| text.replace(entity, character));
    let mut out = String::with_capacity(text.len());
    let mut space = "";
    let mut open_quotes: Vec<(String, usize)> = Vec::new();
    let mut previous = "";
    for (index, word) in text.split_whitespace().enumerate() {
        let first_two = || word.strip_prefix('\'').and_then(|rest| rest.chars().next());
        if CURRENCY.is_match(word) {
            out.push_str(space);
            out.push_str(word);
            space = "";
        } else if word.chars().all(|c| ",.?!:;\\%}])".contains(c))
            || index > 0 && first_two().is_some_and(char::is_alphabetic)
        {
            out.push_str(word);
            space = " ";
        } else if word.chars().all(|c| "'\"„“`".contains(c)) {
            let kind = if word.chars().all(|c| "„“”".contains(c)) { "\"" } else { word };
            let at = open_quotes.iter().position(|(known, _)| known == kind).unwrap_or_else(|| {
                open_quotes.push((kind.to_owned(), 0));
                open_quotes.len() - 1
            });
            let count = &mut open_quotes[at].1;
            let possessive = word == "'" && index > 0 && previous.ends_with('s');
            if *count % 2 == 1 || possessive {
                out.push_str(word);
                *count += usize::from(*count % 2 == 1);
                space = " ";
            } else {
                out.push_str(space);
                out.push_str(word);
                *count += 1;
                space = "";
            }
        } else {
            out.push_str(space);
            out.push_str(word);
            space = " ";
        }
        previous = word;
    }
    out.trim().to_owned()
}
