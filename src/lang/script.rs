//! Which scripts a text is written in.

/// Letters (and digits) of a text by script.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scripts {
    /// Letters and vowel signs of the Bengali block (Bengali and Assamese share it).
    pub bengali: usize,
    /// Latin letters, accented ones included.
    pub latin: usize,
    /// Letters and vowel signs of the Devanagari block.
    pub devanagari: usize,
    /// Letters of any other script.
    pub other: usize,
    /// Digits of any script.
    pub digits: usize,
}

impl Scripts {
    /// Counts the characters of `text`.
    pub fn of(text: &str) -> Self {
        let mut scripts = Self::default();
        for c in text.chars() {
            scripts.add(c);
        }
        scripts
    }

    fn add(&mut self, c: char) {
        match c {
            '0'..='9' | '০'..='৯' => self.digits += 1,
            'a'..='z' | 'A'..='Z' => self.latin += 1,
            _ if is_bengali(c) => self.bengali += 1,
            '\u{0904}'..='\u{0939}' | '\u{093e}'..='\u{094d}' | '\u{0958}'..='\u{0963}' => self.devanagari += 1,
            '\u{00c0}'..='\u{024f}' | '\u{1e00}'..='\u{1eff}' if c != '×' && c != '÷' => self.latin += 1,
            _ if c.is_numeric() => self.digits += 1,
            _ if c.is_alphabetic() => self.other += 1,
            _ => {}
        }
    }

    /// All letters.
    pub fn letters(&self) -> usize {
        self.bengali + self.latin + self.devanagari + self.other
    }

    /// Share of Bengali among the letters, 0 where there are none.
    pub fn bengali_share(&self) -> f64 {
        self.share(self.bengali)
    }

    fn share(&self, part: usize) -> f64 {
        if self.letters() == 0 { 0.0 } else { part as f64 / self.letters() as f64 }
    }
}

/// A letter, vowel sign or other sign that belongs to a Bengali word: not a digit, not ৳, not the danda
/// (which Unicode keeps in the Devanagari block).
pub fn is_bengali(c: char) -> bool {
    matches!(c, '\u{0980}'..='\u{09e5}' | '\u{09f0}' | '\u{09f1}' | '\u{09fc}' | '\u{09fe}')
}

/// Whether the text has at least one Bengali letter.
pub fn has_bengali(text: &str) -> bool {
    text.chars().any(is_bengali)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_script() {
        let s = Scripts::of("বাংলা text ১২ 3 हिन्दी। ৳");
        assert_eq!((s.bengali, s.latin, s.digits, s.devanagari, s.other), (5, 4, 3, 6, 0));
        assert_eq!(Scripts::of("।—৳").letters(), 0);
        assert_eq!(Scripts::of("").bengali_share(), 0.0);
    }
}
