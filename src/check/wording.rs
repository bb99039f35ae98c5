//! Quantities that a model says in its own way, put as they are meant: crores as millions, decades, shares of land.
use super::number_parse::{Number, NumberKind, numbers};
use crate::lang::number_words::{Role, roles};
use crate::text::{Finding, FindingKind, Severity};
use regex::Regex;
use std::sync::LazyLock;

/// The output in the wording that the hints chose, and notes of what was changed.
pub(crate) fn mend_wording(source: &str, output: &str) -> Option<(String, Vec<Finding>)> {
    let (mut text, mut notes) = (output.to_owned(), Vec::new());
    for mend in [crores, groups, decades, land] {
        for (before, after) in mend(source, &text) {
            text = text.replacen(&before, &after, 1);
            let message = format!("the model had written \"{before}\" for {after}");
            notes.push(Finding { kind: FindingKind::NumberChanged, severity: Severity::Note, segment: None, message });
        }
    }
    (!notes.is_empty()).then_some((text, notes))
}

/// What is replaced by what.
type Changes = Vec<(String, String)>;

/// "500 crore to 600 crore": readers elsewhere know no crore, and the hints say "5 billion" as well.
fn crores(source: &str, output: &str) -> Changes {
    let indian = |number: &Number| {
        let text = number.text.to_lowercase();
        number.kind == NumberKind::Cardinal && (text.contains("crore") || text.contains("lakh"))
    };
    if ["crore", "lakh"].iter().any(|word| source.to_lowercase().contains(word)) {
        return Vec::new();
    }
    let found = numbers(output);
    let mut changes = Vec::new();
    for (i, number) in found.iter().enumerate() {
        let only = output.matches(number.text.as_str()).count() == 1;
        let lent = found.get(i + 1).filter(|next| indian(next)).is_some() && number.values.len() == 2;
        if indian(number) && only && number.text.starts_with(|c: char| c.is_ascii_digit()) {
            changes.push((number.text.clone(), spoken(number.values[0])));
        } else if lent && only && number.kind == NumberKind::Cardinal {
            changes.push((number.text.clone(), spoken(number.values[1])));
        }
    }
    changes
}

static GROUPS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b\d{1,2}(?:,\d\d)+,\d{3}\b").ok());

/// 12,34,567: digits in groups as India has them.
fn groups(_source: &str, output: &str) -> Changes {
    let found = GROUPS.iter().flat_map(|groups| groups.find_iter(output));
    found
        .map(|found| (found.as_str().to_owned(), super::number_patch::western(&found.as_str().replace(',', ""))))
        .collect()
}

/// "the decade of 1990" for নব্বইয়ের দশক.
fn decades(source: &str, output: &str) -> Changes {
    let source = crate::lang::canonical::canonical(source);
    let words: Vec<&str> = source.split_whitespace().collect();
    let lower = output.to_lowercase();
    let mut changes = Vec::new();
    for pair in words.windows(2).filter(|pair| pair[1].starts_with("দশক")) {
        let digits: String = pair[0].chars().take_while(char::is_ascii_digit).collect();
        let value = match roles(pair[0]).first() {
            Some(Role::Value(value)) => *value,
            _ => digits.parse().unwrap_or(0.0),
        };
        let decade = if value < 100.0 { 1900.0 + value } else { value };
        if value < 20.0 || decade % 10.0 != 0.0 || lower.contains(&format!("{decade:.0}s")) || lower.contains("ties") {
            continue;
        }
        let said = ["the decade of the ", "the decade of ", "decade of ", "the year ", "year ", "the ", ""];
        let found = said.iter().map(|said| format!("{said}{decade:.0}")).find(|text| {
            output.match_indices(text.as_str()).any(|(at, _)| {
                let after = &output[at + text.len()..];
                !output[..at].ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
            })
        });
        changes.extend(found.map(|found| (found, format!("the {decade:.0}s"))));
    }
    changes
}

static LAND: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\d[\d.,]*) ?(?:শতাংশ|শতক)\S* (?:জমি|জায়গা|ভূমি)").ok());

/// "20th century land", "20 percent of the land" for ২০ শতাংশ জমি, 20 hundredths of an acre.
fn land(source: &str, output: &str) -> Changes {
    let source = crate::lang::canonical::canonical(source);
    let Some(found) = LAND.as_ref().and_then(|land| land.captures(&source)) else { return Vec::new() };
    if output.contains("decimal") {
        return Vec::new();
    }
    let number = regex::escape(found[1].trim_end_matches([',', '.']));
    let wrong = r"(?:century|centuries|percent|per cent|%|acres?|hundred|shares?)";
    let before = format!(r"\b{number}(?:st|nd|rd|th)? ?-?{wrong}(?: of)?(?: the)? (?:land|property)\b");
    let behind = format!(r"\bland in (?:the )?{number}(?:st|nd|rd|th)? ?-?{wrong}");
    let said = format!("{} decimals of land", &found[1]);
    [before, behind]
        .iter()
        .filter_map(|pattern| Some(Regex::new(pattern).ok()?.find(output)?.as_str().to_owned()))
        .take(1)
        .map(|wrong| (wrong, said.clone()))
        .collect()
}

/// A value as English says it: 4500, 12,500, 1.5 million, 7.9 trillion.
pub(crate) fn spoken(value: f64) -> String {
    for (base, name) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")] {
        if value >= base {
            return format!("{} {name}", grouped(value / base));
        }
    }
    grouped(value)
}

/// In digits, with commas from ten thousand on.
pub(crate) fn grouped(value: f64) -> String {
    let plain = format!("{value:.4}");
    let plain = plain.trim_end_matches('0').trim_end_matches('.');
    if value < 1e4 { plain.to_owned() } else { super::number_patch::western(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_said_as_they_are_meant() {
        let mend = |source: &str, output: &str| mend_wording(source, output).map(|(text, _)| text);
        for (source, output, want) in [
            ("৫০০ থেকে ৬০০ কোটি টাকা", "500 crore to 600 crore taka", "5 billion to 6 billion taka"),
            ("৫০০ থেকে ৬০০ কোটি টাকা", "500 to 600 crore taka", "5 billion to 6 billion taka"),
            ("৩ লাখ মানুষ", "3 lakh people", "300,000 people"),
            ("১২,৩৪,৫৬৭ ও ১,৮৭,৫০০ টাকা", "12,34,567 and 1,87,500 taka", "1,234,567 and 187,500 taka"),
            ("নব্বইয়ের দশকে লেখেন", "He wrote in the decade of 1990.", "He wrote in the 1990s."),
            ("আশির দশকে চালু হয়", "It opened in 1980.", "It opened in the 1980s."),
            ("২০ শতাংশ জমি দখল", "20th century land was grabbed.", "20 decimals of land was grabbed."),
            ("৩০ শতাংশ জমি কেনেন", "He bought land in 30th century.", "He bought 30 decimals of land."),
            ("৫ শতক জায়গা", "5 percent of the land", "5 decimals of land"),
        ] {
            assert_eq!(mend(source, output).as_deref(), Some(want), "{source}");
        }
        for (source, output) in [
            ("2 crore টাকা", "2 crore taka"),
            ("১৭,১৮,২৭,২৮ নম্বর", "wards 17,18,27,28 and 1,234,567"),
            ("কোটি টাকার মালিক", "He owns crores of taka."),
            ("নব্বইয়ের দশকে লেখেন", "He wrote in the nineties."),
            ("নব্বইয়ের দশকে লেখেন", "He wrote in the 1990s."),
            ("১৯৯০ সালে লেখেন", "He wrote in 1990."),
            ("২০ শতাংশ মানুষ", "20 percent of the people"),
        ] {
            assert_eq!(mend(source, output), None, "{source}");
        }
    }
}
