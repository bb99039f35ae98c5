//! Units of money, land, weight and length: that a translation says the source's, and not a rupee for a taka.
use crate::lang::number_words::{Role, roles};
use crate::text::{Finding, FindingKind, Severity};
use std::sync::LazyLock;

/// A row of `data/bn/units.tsv`.
pub(crate) struct Unit {
    pub bengali: Vec<String>,
    pub singular: &'static str,
    pub plural: &'static str,
    /// English words that say the same, the two above among them.
    accepted: Vec<&'static str>,
    /// English words of other units, and slips, that are put right behind the same number.
    mistaken: Vec<&'static str>,
    /// English has it from Bengali: a model does not know the word and is given it.
    pub foreign: bool,
}

pub(crate) static UNITS: LazyLock<Vec<Unit>> = LazyLock::new(|| {
    let rows = crate::lang::rows(crate::lang::tables::BN_UNITS);
    let unit = |line: &'static str| {
        let mut fields = line.split('\t');
        let names = fields.next()?.split('|').map(crate::lang::canonical::canonical).collect();
        let (singular, plural) = (fields.next()?, fields.next()?);
        let list = |text: Option<&'static str>| text.unwrap_or("").split('|').filter(|w| !w.is_empty()).collect();
        let mut accepted: Vec<&str> = list(fields.next());
        accepted.extend([singular, plural]);
        let foreign = matches!(singular, "taka" | "paisa" | "bigha" | "katha" | "bhori" | "maund" | "hali");
        Some(Unit { bengali: names, singular, plural, accepted, mistaken: list(fields.next()), foreign })
    };
    rows.filter_map(unit).collect()
});

/// The unit that a Bengali word names, with its ending or without.
fn unit_of(word: &str) -> Option<usize> {
    const ENDINGS: [&str; 12] = ["", "র", "য়", "ই", "ও", "তে", "ের", "ে", "রও", "টি", "সহ", "েরও"];
    UNITS.iter().position(|unit| {
        unit.bengali.iter().any(|name| word.strip_prefix(name.as_str()).is_some_and(|rest| ENDINGS.contains(&rest)))
    })
}

/// Units that stand behind a number in the source.
fn counted(source: &str) -> Vec<usize> {
    let source = crate::lang::canonical::canonical(source);
    let words: Vec<&str> = source
        .split(|c: char| c.is_whitespace() || matches!(c, '।' | ',' | '(' | ')' | '-'))
        .filter(|w| !w.is_empty())
        .collect();
    let mut found = Vec::new();
    for (i, word) in words.iter().enumerate().skip(1) {
        let before = words[i - 1];
        let number = before.ends_with(|c: char| c.is_ascii_digit())
            || roles(before).iter().any(|role| matches!(role, Role::Value(_) | Role::Multiplier(_) | Role::Fixed(_)));
        if let Some(unit) = unit_of(word).filter(|unit| number && !found.contains(unit)) {
            found.push(unit);
        }
    }
    found
}

/// A word of the output and where it stands.
struct Word<'a> {
    text: &'a str,
    start: usize,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() || (start.is_some() && matches!(c, ',' | '.' | '\'' | ':'));
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text[from..at].trim_end_matches([',', '.', '\'', ':']);
                out.push(Word { text: word, start: from });
                start = None;
            }
            _ => {}
        }
    }
    out
}

/// Is this the end of a number, so that a unit may follow?
fn ends_number(word: &str) -> bool {
    word.ends_with(|c: char| c.is_ascii_digit())
        || roles(&word.to_lowercase())
            .iter()
            .any(|role| matches!(role, Role::Value(_) | Role::Multiplier(_) | Role::Loose(_)))
}

/// The output with the source's unit where another stands behind a number, and notes that say so. The number itself is
/// the business of the checks of numbers.
pub(crate) fn mend_units(source: &str, output: &str) -> Option<(String, Vec<Finding>)> {
    let wanted = counted(source);
    if wanted.is_empty() {
        return None;
    }
    let (mut text, mut notes) = (output.to_owned(), Vec::new());
    for &index in &wanted {
        let unit = &UNITS[index];
        // Another unit of the source may be the one that is meant.
        let others: Vec<&str> = wanted
            .iter()
            .filter(|&&other| other != index)
            .flat_map(|&other| UNITS[other].accepted.iter().copied())
            .collect();
        let found = words(&text);
        let mistaken = |word: &str| {
            let lower = word.to_lowercase();
            unit.mistaken.contains(&lower.as_str()) && !others.contains(&lower.as_str()) && !named_in(source, &lower)
        };
        let mut changes: Vec<(usize, usize, String)> = Vec::new();
        for pair in found.windows(2).filter(|pair| ends_number(pair[0].text) && mistaken(pair[1].text)) {
            let plural = !matches!(pair[0].text, "1" | "one" | "One" | "a");
            let right = if plural { unit.plural } else { unit.singular };
            changes.push((pair[1].start, pair[1].start + pair[1].text.len(), right.to_owned()));
        }
        if unit.singular == "taka" {
            changes.extend(signs(source, &text));
        }
        for (start, end, right) in changes.into_iter().rev() {
            let message = format!("the model had written \"{}\"; the source has {right}", &text[start..end].trim());
            text.replace_range(start..end, &right);
            notes.push(Finding { kind: FindingKind::NumberChanged, severity: Severity::Note, segment: None, message });
        }
    }
    (!notes.is_empty()).then_some((text, notes))
}

/// "Rs. 500", "$500" where the source has taka and neither rupees nor dollars.
fn signs(source: &str, text: &str) -> Vec<(usize, usize, String)> {
    let mut out = Vec::new();
    for (sign, bengali) in
        [("Rs. ", "রুপ"), ("Rs.", "রুপ"), ("Rs ", "রুপ"), ("₹ ", "রুপ"), ("₹", "রুপ"), ("$ ", "ডলার"), ("$", "ডলার")]
    {
        if source.contains(bengali) || source.contains(sign.trim()) {
            continue;
        }
        for (at, _) in text.match_indices(sign) {
            let number = text[at + sign.len()..].starts_with(|c: char| c.is_ascii_digit());
            let border = !text[..at].ends_with(char::is_alphanumeric);
            if number && border && !out.iter().any(|(start, end, _)| (*start..*end).contains(&at)) {
                out.push((at, at + sign.len(), "Tk ".to_owned()));
            }
        }
    }
    out.sort_by_key(|change| change.0);
    out
}

/// Whether the source names the unit or the thing that the English word is.
fn named_in(source: &str, english: &str) -> bool {
    let source = crate::lang::canonical::canonical(source);
    let means = |row: &str| {
        row.split_once('\t')
            .is_some_and(|(bengali, words)| words.split('|').any(|word| word == english) && source.contains(bengali))
    };
    crate::lang::rows(crate::lang::tables::BN_UNIT_WORDS).any(means)
        || UNITS.iter().any(|unit| {
            unit.accepted.contains(&english) && unit.bengali.iter().any(|name| source.contains(name.as_str()))
        })
}

/// Units of the source that the output does not say in any of the usual ways.
pub(crate) fn check_units(source: &str, output: &str, findings: &mut Vec<Finding>) {
    let lower = output.to_lowercase();
    let said: Vec<String> = words(&lower).iter().map(|word| word.text.to_owned()).collect();
    for index in counted(source) {
        let unit = &UNITS[index];
        let glued = |word: &str| {
            let letters = word.trim_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.'));
            unit.accepted.contains(&letters)
        };
        let sign = unit.singular == "taka" && output.contains('৳');
        if !sign && !said.iter().any(|word| glued(word)) {
            let message = format!("{} ({}) is missing from the translation", unit.bengali[0], unit.plural);
            findings.push(Finding {
                kind: FindingKind::NumberChanged,
                severity: Severity::Warning,
                segment: None,
                message,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_s_unit_is_put_in_its_place() {
        let mend = |source: &str, output: &str| mend_units(source, output).map(|(text, _)| text);
        for (source, output, want) in [
            ("পেঁয়াজ ১২০ টাকায় বিক্রি হচ্ছে।", "Onions sell for 120 rupees.", "Onions sell for 120 taka."),
            ("৩ লাখ টাকা লাগবে।", "This will take 300,000 tonnes.", "This will take 300,000 taka."),
            ("৫০০ কোটি টাকা", "5 billion takings", "5 billion taka"),
            ("২০ লাখ টাকা", "Rs. 20 lakh and Rs 5", "Tk 20 lakh and Tk 5"),
            ("৫০ পয়সা বাড়ে।", "It rises by 50 rupees.", "It rises by 50 paisa."),
            ("পাঁচ বিঘা জমি", "five acres of land", "five bighas of land"),
            ("৮০ কিলোমিটার বেগে", "at 80 miles an hour", "at 80 kilometers an hour"),
            ("১২২ টাকা ৫০ পয়সা", "122 takings 50 pence", "122 taka 50 paisa"),
        ] {
            assert_eq!(mend(source, output).as_deref(), Some(want), "{source}");
        }
        for (source, output) in [
            ("১০০ ডলার ও ৫০০ টাকা", "100 dollars and 500 taka"),
            ("১০ টন চাল ও ৫০০ টাকা", "10 tonnes of rice and 500 taka"),
            ("১০ হাজার রুপি", "10,000 rupees"),
            ("টাকা নেই", "There are 5 rupees"),
        ] {
            assert_eq!(mend(source, output), None, "{source}");
        }
    }

    #[test]
    fn a_unit_that_is_gone_is_found() {
        let found = |source: &str, output: &str| {
            let mut findings = Vec::new();
            check_units(source, output, &mut findings);
            findings.len()
        };
        assert_eq!(found("৫০ পয়সা ভাড়া", "The fare is 50."), 1);
        assert_eq!(found("৫ কেজি চাল", "5kg of rice"), 0);
        assert_eq!(found("৫০০ টাকা", "Tk500"), 0);
        assert_eq!(found("টাকা দাও", "Give it"), 0);
    }
}
