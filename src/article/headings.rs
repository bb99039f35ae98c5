//! Lines that are always said the same way: sections of a paper, headings of one word, bylines, when a story was
//! published. A model has nothing to go by there and invents.
use super::labels;
use crate::lang::calendar::date_word;
use crate::lang::digits::to_latin;
use crate::lang::normalize::canonical;
use std::collections::HashMap;
use std::sync::LazyLock;

static LINES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let rows = crate::lang::rows(crate::lang::tables::BN_HEADINGS);
    rows.filter_map(|line| line.split_once('\t')).map(|(bengali, english)| (canonical(bengali), english)).collect()
});

/// The English of a line that has one of its own.
pub fn english(line: &str) -> Option<String> {
    // Longer lines are none of these.
    if line.len() > 240 {
        return None;
    }
    let line = canonical(line.trim());
    let bare = line.trim_matches([' ', ':', '-', '–', '—', '*', '#', '|', '»', '›']);
    if let Some(english) = LINES.get(bare) {
        let end = if line.ends_with(':') { ":" } else { "" };
        return Some(format!("{english}{end}"));
    }
    bangladesh_time(bare).or_else(|| dated(bare))
}

/// "বাংলাদেশ সময়: ১৫৩০ ঘণ্টা".
fn bangladesh_time(line: &str) -> Option<String> {
    let rest = line.strip_prefix(&canonical("বাংলাদেশ সময়"))?.trim_start_matches([' ', ':', 'ঃ']);
    let (time, after) = rest.split_once(' ')?;
    let time = to_latin(time);
    let (date, hours) = (after.trim_end_matches('।'), ["ঘণ্টা", "ঘন্টা"]);
    let rest = hours.iter().find_map(|word| date.strip_prefix(word))?.trim_start_matches([',', ' ']);
    let fits = time.len() == 4 && time.bytes().all(|b| b.is_ascii_digit());
    let date = if rest.is_empty() { String::new() } else { format!(", {}", date_in_english(rest)?) };
    fits.then(|| format!("Bangladesh time: {}:{}{date}", &time[..2], &time[2..]))
}

/// "প্রকাশ: ০৫ মে ২০২৪, ১০: ৩০".
fn dated(line: &str) -> Option<String> {
    labels::of("date").find_map(|(label, english)| {
        let rest = line.strip_prefix(label)?.trim_start();
        let rest = rest.strip_prefix([':', 'ঃ'])?.trim();
        Some(format!("{english}: {}", date_in_english(rest)?))
    })
}

/// A date and a time of words that are known, digits and signs; nothing else.
fn date_in_english(text: &str) -> Option<String> {
    let text = to_latin(text);
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches([',', '।', '(', ')', '|']);
        let plain = bare.chars().all(|c| c.is_ascii() && !c.is_alphabetic());
        match date_word(bare) {
            Some(english) => Some(word.replace(bare, english)),
            None if plain => Some(word.to_owned()),
            None => None,
        }
    });
    let words: Option<Vec<String>> = words.collect();
    Some(words?.join(" ").replace(": ", ":").trim_end_matches('।').to_owned())
}

#[cfg(test)]
mod tests {
    use super::english;

    #[test]
    fn lines_of_their_own_have_their_english() {
        for (line, want) in [
            ("খেলা", "Sports"),
            ("ধর্ম:", "Religion:"),
            ("নিজস্ব প্রতিবেদক", "Staff Correspondent"),
            ("প্রকাশ: ০৫ মে ২০২৪, ১০: ৩০", "Published: 05 May 2024, 10:30"),
            ("আপডেট : শুক্রবার, ১২ সেপ্টেম্বর ২০২৫", "Updated: Friday, 12 September 2025"),
            ("বাংলাদেশ সময়: ১৫৩০ ঘণ্টা", "Bangladesh time: 15:30"),
            ("বাংলাদেশ সময়: ১৫৩০ ঘণ্টা, জুলাই ০৮, ২০২৫", "Bangladesh time: 15:30, July 08, 2025"),
        ] {
            assert_eq!(english(line).as_deref(), Some(want), "{line}");
        }
        for line in ["খেলা চলছে", "প্রকাশ: আনিস", "প্রকাশ করেন তিনি", "ঢাকার খবর", ""]
        {
            assert_eq!(english(line), None, "{line}");
        }
    }
}
