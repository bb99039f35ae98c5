//! Tidies the English that a model writes: spaces, doubled marks, left-over Bengali marks, the first capital.
use crate::lang::digits;

/// Tidies one translated sentence or heading. Words are left alone, but for a forgotten capital at the start.
pub fn tidy(text: &str) -> String {
    let text = plain_marks(text);
    let text = spaces(&text);
    let text = doubled(&text);
    capital(&apart(&text))
}

/// Gives the sentence the end that its source has: no full stop after a heading or list item that has none, one where
/// the source has a danda and the model forgot it.
pub fn match_ending(text: &str, source: &str) -> String {
    let text = text.trim_end();
    let closers = ['"', '\'', '”', '’', ')', ']', '»'];
    let source_end = source.trim_end().trim_end_matches(closers).chars().last();
    let bare = text.trim_end_matches(closers);
    match (source_end, bare.chars().last()) {
        (Some('।' | '॥'), Some(last)) if last.is_alphanumeric() || last == '%' => {
            // Inside the closing quote, as American and Bengali usage have it alike.
            format!("{bare}.{}", &text[bare.len()..])
        }
        (Some('।' | '॥' | '.' | '?' | '!' | '…' | '|'), _) => text.to_string(),
        (Some(_), Some('.')) if bare.len() == text.len() && !ends_in_abbreviation(text) => {
            text[..text.len() - 1].trim_end().to_string()
        }
        _ => text.to_string(),
    }
}

/// "U.S.", "Dr.", "etc.", "…": the full stop belongs to the word.
fn ends_in_abbreviation(text: &str) -> bool {
    let body = &text[..text.len() - 1];
    let word = body.rsplit(char::is_whitespace).next().unwrap_or("");
    body.ends_with('.') || crate::lang::abbreviation::is_english_abbreviation(word.trim_start_matches(['(', '"', '“']))
}

/// Bengali marks and digits, odd spaces and typewriter quotes as English has them.
fn plain_marks(text: &str) -> String {
    let text = text.replace("``", "\"").replace("''", "\"");
    let kept = text.chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}'));
    kept.map(|c| match c {
        '।' | '॥' => '.',
        '০'..='৯' => digits::value(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c),
        _ if c.is_whitespace() || c.is_control() => ' ',
        _ => c,
    })
    .collect()
}

/// Single spaces; none before a closing mark or after an opening one.
fn spaces(text: &str) -> String {
    let chars: Vec<char> = text.trim().chars().collect();
    let mut out = String::with_capacity(text.len());
    // typewriter quotes open and close by turns
    let mut quoted = false;
    for (i, &c) in chars.iter().enumerate() {
        if c != ' ' {
            quoted ^= c == '"';
            out.push(c);
            continue;
        }
        let next = chars[i..].iter().position(|&c| c != ' ').map_or(chars.len(), |n| i + n);
        let mark = chars.get(next).copied().unwrap_or(' ');
        let after = chars.get(next + 1).copied().unwrap_or(' ');
        let closing = matches!(mark, ')' | ']' | '}' | '”' | ';')
            || (matches!(mark, ',' | '.' | '?' | '!' | ':' | '%') && !after.is_alphanumeric())
            || (mark == '"' && quoted && !after.is_alphanumeric())
            || (mark == '\'' && after == 's' && !chars.get(next + 2).is_some_and(|c| c.is_alphanumeric()));
        let last = out.chars().last().unwrap_or(' ');
        // "Wait ..." keeps its space.
        let ellipsis = mark == '.' && after == '.';
        let opened = last == '"' && quoted;
        if last != ' ' && !opened && !matches!(last, '(' | '[' | '{' | '“') && (ellipsis || !closing) {
            out.push(' ');
        }
    }
    out
}

/// Marks written twice, an ellipsis aside.
fn doubled(text: &str) -> String {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let last = out.last().copied();
        if c == '.' {
            let run = chars[i..].iter().take_while(|&&c| c == '.').count();
            let quoted = matches!(last, Some('"' | '”' | '’'))
                && out.len() >= 2
                && matches!(out[out.len() - 2], '.' | '?' | '!');
            match run {
                // A full stop after a finished sentence or quotation says nothing.
                1 | 2 if matches!(last, Some('?' | '!' | '…')) || quoted => {}
                1 | 2 => {
                    if matches!(last, Some(',' | ';' | ':')) {
                        out.pop();
                    }
                    out.push('.');
                }
                _ => out.extend(['.', '.', '.']),
            }
            i += run;
            continue;
        }
        let twice = matches!(c, ',' | ';' | ':') && (last == Some(c) || matches!(last, Some(',' | ';')));
        if !twice {
            out.push(c);
        }
        i += 1;
    }
    out.into_iter().collect()
}

/// A space between sentences or words that have run together: "rain.The city", "Dhaka,Bangladesh".
fn apart(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        out.push(c);
        let (Some(&next), Some(before)) = (chars.get(i + 1), i.checked_sub(1).map(|i| chars[i])) else { continue };
        let sentence = matches!(c, '.' | '?' | '!') && before.is_lowercase() && next.is_uppercase() && {
            let word = chars[..i].iter().rev().take_while(|c| c.is_alphabetic()).count();
            let following: Vec<char> = chars[i + 1..].iter().copied().take_while(|c| !c.is_whitespace()).collect();
            let address = following.iter().any(|c| matches!(c, '.' | '/' | '@')) && !following.ends_with(&['.']);
            word >= 3 && !address && following.get(1).is_none_or(|c| !c.is_uppercase())
        };
        let comma = matches!(c, ',' | ';') && before.is_alphabetic() && next.is_alphabetic();
        if sentence || comma {
            out.push(' ');
        }
    }
    out
}

/// A capital at the start, unless the first word is spelled its own way (iPhone, example.org).
fn capital(text: &str) -> String {
    let Some((at, first)) = text.char_indices().find(|(_, c)| c.is_alphanumeric()) else { return text.to_string() };
    let word: String = text[at..].chars().take_while(|c| !c.is_whitespace()).collect();
    let own = word.chars().skip(1).any(char::is_uppercase)
        || word.trim_end_matches(['.', ',']).contains(['.', '@', '/', '_']);
    // A bracket or a dash before the word means that this is no sentence's start.
    let inside = text[..at].contains(['(', '[', '-', '–', '—', '…', '.']);
    if !first.is_lowercase() || own || inside {
        return text.to_string();
    }
    format!("{}{}{}", &text[..at], first.to_uppercase(), &text[at + first.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tidy(text), expected);
        assert_eq!(tidy(expected), expected, "not stable");
    }

    #[test]
    fn spaces_and_marks() {
        check("  the  minister , who left .", "The minister, who left.");
        check("He said ( in Dhaka ) that 5 % fell ; yes !", "He said (in Dhaka) that 5% fell; yes!");
        check("It ended..", "It ended.");
        check("Wait... what", "Wait... what");
        check("\"Rain and thunderstorms. \"", "\"Rain and thunderstorms.\"");
        check("He said, \" We go \" and \"left\" .", "He said, \"We go\" and \"left\".");
        check("He said \"go\" , she \"no\" too", "He said \"go\", she \"no\" too");
        check("Wait .... what", "Wait ... what");
        check("Is it?. Yes!.", "Is it? Yes!");
        check("He said \"go.\".", "He said \"go.\"");
        check("১২৩ people।", "123 people.");
        check("``Yes'', he said,.", "\"Yes\", he said.");
        check("Rain fell.The city stopped,again", "Rain fell. The city stopped, again");
        check("The U.S.A. paid 1,234.50 at 10:30", "The U.S.A. paid 1,234.50 at 10:30");
    }

    #[test]
    fn capitals() {
        check("\"we go\"", "\"We go\"");
        check("iPhone sales", "iPhone sales");
        check("www.example.org is down", "www.example.org is down");
        check("(from Dhaka)", "(from Dhaka)");
        check("৩ people", "3 people");
        check("élan", "Élan");
    }

    #[test]
    fn endings_follow_the_source() {
        assert_eq!(match_ending("The war deepens.", "যুদ্ধ গভীর"), "The war deepens");
        assert_eq!(match_ending("He lives in the U.S.", "যুক্তরাষ্ট্রে"), "He lives in the U.S.");
        assert_eq!(match_ending("He left", "তিনি গেলেন।"), "He left.");
        assert_eq!(match_ending("He said \"go\"", "“যাও।”"), "He said \"go.\"");
        assert_eq!(match_ending("Really?", "সত্যি"), "Really?");
        assert_eq!(match_ending("And so on...", "ইত্যাদি"), "And so on...");
        assert_eq!(match_ending("", "ক"), "");
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), source in any::<String>()) {
            let _ = match_ending(&tidy(&text), &source);
        }
    }
}
