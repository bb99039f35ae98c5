//! One spelling for the checks to compare: that of [`crate::lang::normalize`], with Latin digits, plain quotes and
//! hyphens and without joiners.
use crate::lang::{digits, normalize};

/// `text` as the checks compare it.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in digits::to_latin(&normalize::canonical(text)).chars() {
        out.push(match c {
            '\u{200C}' | '\u{200D}' => continue,
            '‘' | '’' | '‚' | 'ʼ' => '\'',
            '“' | '”' | '„' => '"',
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
            '％' => '%',
            c => c,
        });
    }
    out
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
