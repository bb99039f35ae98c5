//! Bijoy (SutonnyMJ and its kin) to Unicode.
//!
//! These fonts draw Bengali with the letters of Windows-1252, in the order of the eye: a vowel sign that is drawn to the
//! left stands before its consonants, and a reph behind those that it is drawn above. The table says what each glyph is;
//! the rest is putting them into the order of the ear, cluster by cluster.
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../data/bn/bijoy.tsv");
const VIRAMA: char = '\u{9cd}';
const REPH: &str = "র্";

static GLYPHS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect()
});

/// Letters that Bijoy text is full of and English text has none of.
const TELLING: &[char] =
    &['†', '‡', '‰', 'ˆ', '©', '¨', 'ª', '„', '«', 'Š', '¯', '®', '¶', '³', 'Ö', '~', '×', 'š', '›', '¤', 'œ', '|'];
/// Words that show that a line without any of those is English.
const ENGLISH: &[&str] = &["the", "of", "and", "in", "to", "a", "is", "for", "on", "with", "by", "at", "from"];

/// Whether a font draws Bijoy glyphs, by its name: SutonnyMJ, "Sutonny MJ", JugantorMJ … but not SutonnyOMJ, which has
/// Unicode letters.
pub fn is_font(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let kin = name.ends_with("MJ") || name.ends_with("MJBold") || name.ends_with("MJItalic");
    (kin && !name.contains("OMJ")) || name.eq_ignore_ascii_case("sutonnymj")
}

/// Whether a text of some length is Bijoy by its letters.
pub fn looks_like(text: &str) -> bool {
    let (mut letters, mut telling) = (0usize, 0usize);
    for c in text.chars() {
        if crate::lang::script::is_bengali(c) {
            return false;
        }
        letters += usize::from(c.is_alphanumeric());
        telling += usize::from(TELLING.contains(&c));
    }
    telling >= 2 && telling * 40 > letters && !is_english(text)
}

/// Whether bytes that are no UTF-8 are Bijoy, as the programs of its time wrote it.
pub fn looks_like_bytes(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64 << 10)];
    !start.contains(&0) && looks_like(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(start).0)
}

/// Whether a line of a text that is Bijoy otherwise may be Bijoy, too: a short one has none of the telling letters.
pub fn may_be(text: &str) -> bool {
    !is_english(text)
}

fn is_english(text: &str) -> bool {
    let words = || text.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation()).filter(|w| !w.is_empty());
    let known = words().filter(|word| ENGLISH.contains(&word.to_ascii_lowercase().as_str())).count();
    known * 6 > words().count()
}

/// A text's lines, those converted that are Bijoy: all that have no Bengali and no English in them.
pub fn convert_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive('\n') {
        let foreign = line.chars().any(crate::lang::script::is_bengali) || is_english(line);
        if foreign { out.push_str(line) } else { out.push_str(&convert(line)) }
    }
    out
}

/// The text outside of tags, converted: the bodies of web pages and feeds.
pub fn convert_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let end = rest[open..].find('>').map_or(rest.len(), |end| open + end + 1);
        out.push_str(&convert_lines(&rest[..open]));
        out.push_str(&rest[open..end]);
        rest = &rest[end..];
    }
    out.push_str(&convert_lines(rest));
    out
}

/// The bytes of a Bijoy text in Unicode: Windows-1252, unless they are UTF-8 or marked as UTF-16.
pub fn decode(bytes: &[u8]) -> String {
    let text = match (std::str::from_utf8(bytes), encoding_rs::Encoding::for_bom(bytes)) {
        (_, Some((encoding, mark))) => encoding.decode_without_bom_handling(&bytes[mark..]).0,
        (Ok(text), None) => text.into(),
        (Err(_), None) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    let html = ["</p>", "</div>", "<body", "<br"].iter().any(|tag| text.contains(tag));
    if html { convert_markup(&text) } else { convert_lines(&text) }
}

/// One stretch of Bijoy text in Unicode.
pub fn convert(text: &str) -> String {
    let mut out = Clusters::default();
    let chars: Vec<char> = text.chars().map(plain).collect();
    let mut at = 0;
    let mut key = String::new();
    while at < chars.len() {
        // The longest key has two letters.
        let found = (1..=2.min(chars.len() - at)).rev().find_map(|length| {
            key.clear();
            key.extend(&chars[at..at + length]);
            GLYPHS.get(key.as_str()).map(|glyph| (*glyph, length))
        });
        match found {
            Some((glyph, length)) => {
                out.glyph(glyph);
                at += length;
            }
            None => {
                out.other(chars[at]);
                at += 1;
            }
        }
    }
    out.end();
    out.text
}

/// Symbol fonts' letters stand in the private area; Word moves them there.
fn plain(c: char) -> char {
    let code = c as u32;
    if !(0xf020..=0xf0ff).contains(&code) {
        return c;
    }
    let byte = [(code - 0xf000) as u8];
    encoding_rs::WINDOWS_1252.decode(&byte).0.chars().next().unwrap_or(c)
}

/// The cluster in hand: vowel drawn to the left, consonants, vowels and marks behind.
#[derive(Default)]
struct Clusters {
    text: String,
    left: Option<char>,
    consonants: String,
    behind: String,
    marks: String,
}

impl Clusters {
    fn glyph(&mut self, glyph: &str) {
        let Some(first) = glyph.chars().next() else { return };
        match first {
            _ if glyph == REPH => self.reph(),
            'ি' | 'ে' | 'ৈ' => {
                self.end();
                self.left = Some(first);
            }
            VIRAMA => self.below(glyph),
            'ঁ' | 'ং' | 'ঃ' => self.marks.push(first),
            '\u{9be}'..='\u{9cc}' | 'ৗ' => self.behind.push(first),
            'ক'..='হ' | 'ৎ' | 'অ'..='ঔ' => self.base(glyph),
            _ => {
                self.end();
                self.text.push_str(glyph);
            }
        }
    }

    /// A letter: the next of an open conjunct, or a cluster of its own.
    fn base(&mut self, glyph: &str) {
        let joins = self.consonants.ends_with(VIRAMA) && self.behind.is_empty();
        if !self.consonants.is_empty() && !joins {
            self.end();
        }
        self.consonants.push_str(glyph);
    }

    fn below(&mut self, glyph: &str) {
        let joined = if self.consonants.ends_with(VIRAMA) { glyph.trim_start_matches(VIRAMA) } else { glyph };
        self.consonants.push_str(joined);
    }

    fn reph(&mut self) {
        self.consonants.insert_str(0, REPH);
    }

    fn other(&mut self, c: char) {
        self.end();
        self.text.push(c);
    }

    /// Writes the cluster out.
    fn end(&mut self) {
        // A vowel sign that waits for its consonant waits on.
        if self.consonants.is_empty() && self.behind.is_empty() && self.marks.is_empty() && self.left.is_none() {
            return;
        }
        self.text.push_str(&self.consonants);
        let mut behind = self.behind.chars().peekable();
        match (self.left, behind.peek()) {
            (Some('ে'), Some('া')) => {
                self.text.push('ো');
                behind.next();
            }
            (Some('ে'), Some('ৗ')) => {
                self.text.push('ৌ');
                behind.next();
            }
            (Some(left), _) => self.text.push(left),
            (None, _) => {}
        }
        self.text.extend(behind);
        self.text.push_str(&self.marks);
        self.left = None;
        self.consonants.clear();
        self.behind.clear();
        self.marks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_come_out_as_they_are_read() {
        for (bijoy, unicode) in [
            ("Avgvi †mvbvi evsjv, Avwg †Zvgvq fv‡jvevwm|", "আমার সোনার বাংলা, আমি তোমায় ভালোবাসি।"),
            (
                "wPiw`b †Zvgvi AvKvk, †Zvgvi evZvm, Avgvi cÖv‡Y evRvq euvwk|",
                "চিরদিন তোমার আকাশ, তোমার বাতাস, আমার প্রাণে বাজায় বাঁশি।",
            ),
            ("XvKv wek¦we`¨vjq", "ঢাকা বিশ্ববিদ্যালয়"),
            ("gyw³hy× I ¯^vaxbZv", "মুক্তিযুদ্ধ ও স্বাধীনতা"),
            ("ag© Kg© c~e© m~h©", "ধর্ম কর্ম পূর্ব সূর্য"),
            ("cÖavbgš¿x", "প্রধানমন্ত্রী"),
            ("†mŠ›`h© †bŠKv", "সৌন্দর্য নৌকা"),
            ("MYcÖRvZš¿x evsjv‡`k", "গণপ্রজাতন্ত্রী বাংলাদেশ"),
            ("wk¶v gš¿Yvjq", "শিক্ষা মন্ত্রণালয়"),
            ("2024 mv‡ji 16 wW‡m¤^i", "২০২৪ সালের ১৬ ডিসেম্বর"),
            ("K…wl e¨vsK iƒcvšÍi Riæwi", "কৃষি ব্যাংক রূপান্তর জরুরি"),
            ("ˆkke ˆewPÎ¨", "শৈশব বৈচিত্র্য"),
            ("Ôevsjv‡`kÕ ÒXvKvÓ", "‘বাংলাদেশ’ “ঢাকা”"),
            ("¯‹zj ivóª A_©bxwZ", "স্কুল রাষ্ট্র অর্থনীতি"),
            ("cyi¯‹vi e¯‘ ¯’vb D”P Av”Qv", "পুরস্কার বস্তু স্থান উচ্চ আচ্ছা"),
        ] {
            let nfc = |t: &str| unicode_normalization::UnicodeNormalization::nfc(t).collect::<String>();
            assert_eq!(nfc(&convert(bijoy)), nfc(unicode), "{bijoy}");
        }
    }

    #[test]
    fn fonts_are_told_by_their_names() {
        for name in ["SutonnyMJ", "Sutonny MJ", "JugantorMJ", "SutonnyCMJ", "sutonnymj"] {
            assert!(is_font(name), "{name}");
        }
        for name in ["SutonnyOMJ", "Times New Roman", "Nikosh", "Kalpurush", "SolaimanLipi"] {
            assert!(!is_font(name), "{name}");
        }
    }

    #[test]
    fn text_is_told_by_its_letters() {
        assert!(looks_like("Avgvi †mvbvi evsjv, Avwg †Zvgvq fv‡jvevwm|"));
        for other in
            ["The price of 5 © items is | 7 †.", "আমার সোনার বাংলা † ‡", "naïve café", "a | b | c is the way of it"]
        {
            assert!(!looks_like(other), "{other}");
        }
    }

    #[test]
    fn english_and_bengali_lines_stay() {
        let text = "Avgvi †mvbvi evsjv|\nPublished by the press in Dhaka\nবাংলা\n";
        assert_eq!(convert_lines(text), "আমার সোনার বাংলা।\nPublished by the press in Dhaka\nবাংলা\n");
    }

    #[test]
    fn every_row_is_a_pair_and_every_glyph_converts_to_something_whole() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (key, value) = line.split_once('\t').expect("a tab");
            assert!(!value.is_empty() && !value.contains('\t') && (1..=2).contains(&key.chars().count()), "{line}");
            let converted = convert(key);
            assert!(!converted.is_empty() && converted.chars().all(|c| !c.is_ascii_alphabetic()), "{line}");
        }
    }

    #[test]
    fn letters_in_the_private_area_are_the_same_letters() {
        let moved: String = "Avgvi".chars().map(|c| char::from_u32(0xf000 + c as u32).unwrap_or(c)).collect();
        assert_eq!(convert(&moved), "আমার");
    }
}
