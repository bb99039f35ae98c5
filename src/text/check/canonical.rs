//! One spelling for the checks to compare: composed letters, Latin digits, plain quotes and hyphens, no joiners.

/// `text` with ড়/ঢ়/য় and ো/ৌ as one code point each, Bengali digits as Latin ones, typographic quotes, dashes and
/// spaces as ASCII, and without joiners and other invisible characters.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let mapped = match c {
            '০'..='৯' => char::from(b'0' + (c as u32 - '০' as u32) as u8),
            '\u{09BC}' => {
                let composed = match out.chars().next_back() {
                    Some('ড') => '\u{09DC}',
                    Some('ঢ') => '\u{09DD}',
                    Some('য') => '\u{09DF}',
                    Some('ব') => 'র',
                    _ => continue,
                };
                out.pop();
                composed
            }
            '\u{09BE}' if out.ends_with('\u{09C7}') => {
                out.pop();
                '\u{09CB}'
            }
            '\u{09D7}' if out.ends_with('\u{09C7}') => {
                out.pop();
                '\u{09CC}'
            }
            '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\u{00AD}' | '\u{2060}' => continue,
            '‘' | '’' | '‚' | '‛' | '`' | '´' | 'ʼ' => '\'',
            '“' | '”' | '„' | '«' | '»' => '"',
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
            'ৰ' => 'র',
            'ৱ' => 'ব',
            '％' => '%',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        out.push(mapped);
    }
    out
}

/// A letter, vowel sign or other mark of the Bengali script; digits are not.
pub(crate) fn is_bengali(c: char) -> bool {
    matches!(c, '\u{0980}'..='\u{09E3}' | '\u{09F0}'..='\u{09F1}' | '\u{09FC}'..='\u{09FE}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_word_become_one() {
        for (from, to) in [
            ("য\u{09BC}ে ড\u{09BC} ঢ\u{09BC}", "\u{09DF}ে \u{09DC} \u{09DD}"),
            ("ক\u{09C7}\u{09BE} ক\u{09C7}\u{09D7}", "ক\u{09CB} ক\u{09CC}"),
            ("১২,৩৪৫.৬৭", "12,345.67"),
            ("র\u{200D}্য “ক” – ‘খ’\u{00A0}গ", "র্য \"ক\" - 'খ' গ"),
        ] {
            assert_eq!(canonical(from), to);
        }
    }
}
