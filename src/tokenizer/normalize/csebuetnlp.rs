//! The normal form of the csebuetnlp models (Hasan et al. 2020, <https://aclanthology.org/2020.emnlp-main.207>), as
//! their `normalizer` package gives it with its defaults. Written from what that package does, none of its tables
//! taken over; compared with its output on the golden lines.
//!
//! Left out is ftfy's repair of mojibake and of HTML entities: articles have been decoded by then.
use regex::Regex;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// The normal form of `text`.
pub(super) fn normalize(text: &str) -> String {
    let composed: String = text.chars().filter(|c| !is_invisible(*c)).nfc().map(plain_quote).collect();
    let spelled = bengali(&composed.chars().map(unaccented).collect::<String>());
    let mut out = String::with_capacity(spelled.len());
    let mut space = false;
    for c in spelled.nfkc() {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space {
            out.push(' ');
            space = false;
        }
        out.push(c);
    }
    if space {
        out.push(' ');
    }
    out
}

/// Control characters other than white space, byte order marks, and what joins or hides nothing that is read.
fn is_invisible(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}')
        || matches!(c, '\u{206a}'..='\u{206f}')
}

fn plain_quote(c: char) -> char {
    match c {
        '«' | '‹' | '»' | '›' | '„' | '“' | '‟' | '”' | '❝' | '❞' | '❮' | '❯' | '〝' | '〞' | '〟' | '＂' => {
            '"'
        }
        '‘' | '‛' | '’' | '❛' | '❜' | '`' | '´' => '\'',
        c => c,
    }
}

/// A Latin letter without its accent.
fn unaccented(c: char) -> char {
    match c {
        // Unicode does not take these apart
        'Ø' => 'O',
        'ø' => 'o',
        'Ð' | 'Đ' => 'D',
        'ð' | 'đ' => 'd',
        'Ħ' => 'H',
        'ħ' => 'h',
        'ɨ' | 'ı' => 'i',
        'Ł' | 'Ŀ' => 'L',
        'ł' | 'ŀ' => 'l',
        'Ŧ' => 'T',
        'ŧ' => 't',
        // and these the package treats out of line
        'Š' => 's',
        'Ý' => 'y',
        'ǰ' => c,
        c if c.is_ascii() || !('\u{c0}'..'\u{250}').contains(&c) && !('\u{1e00}'..'\u{1f00}').contains(&c) => c,
        c => {
            let mut parts = std::iter::once(c).nfd();
            match parts.next() {
                Some(base) if base.is_ascii_alphabetic() => base,
                _ => c,
            }
        }
    }
}

/// Letters of Bengali that were typed in parts, and punctuation of other scripts' keyboards.
fn bengali(text: &str) -> String {
    // a vowel sign whose second half was typed after the consonant
    static SPLIT: LazyLock<Regex> =
        // a constant of this file, compiled by every test run
        LazyLock::new(|| {
            Regex::new("\u{9c7}\u{981}(\u{9d7}|\u{9be})|\u{9c7}([^\u{9d7}])\u{9d7}").expect("a valid pattern")
        });
    let joined = text
        .replace("\u{ad}", "")
        .replace("\u{9ac}\u{9bc}", "\u{9b0}")
        .replace("\u{985}\u{9be}", "\u{986}")
        .replace(['\u{200b}', '\u{2060}'], "")
        .replace('\u{9f7}', "\u{964}")
        .replace('—', " - ")
        .replace(['–', '━'], "-")
        .replace('‚', "'")
        .replace('、', ",")
        .replace('∶', ":")
        .replace(['《', '》', '「', '」'], "\"")
        .replace('〈', "<")
        .replace('〉', ">")
        .replace('【', "[")
        .replace('】', "]");
    SPLIT
        .replace_all(&joined, |found: &regex::Captures<'_>| match (found.get(1), found.get(2)) {
            (Some(second), _) if second.as_str() == "\u{9d7}" => "\u{9cc}\u{981}".to_owned(),
            (Some(_), _) => "\u{9cb}\u{981}".to_owned(),
            (None, consonant) => format!("{}\u{9cc}", consonant.map_or("", |c| c.as_str())),
        })
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn the_form_is_that_of_the_normalizer_package() {
        #[derive(serde::Deserialize)]
        struct Case {
            source: String,
            normalized: String,
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tokenizer/csebuetnlp.json");
        let golden = std::fs::read_to_string(path).unwrap();
        let cases: Vec<Case> = serde_json::from_str(&golden).unwrap();
        assert!(cases.len() > 250);
        let wrong: Vec<String> = cases
            .iter()
            .filter(|case| normalize(&case.source) != case.normalized)
            .map(|case| {
                format!("{:?}\n  ours {:?}\n  want {:?}", case.source, normalize(&case.source), case.normalized)
            })
            .collect();
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }
}
