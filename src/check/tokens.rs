//! Addresses, hashtags, emoji and quotations in other scripts: unchanged in the translation, or a finding.
use crate::text::tokens::{TokenKind, tokens};
use crate::text::{Finding, FindingKind, Severity};

/// The output with the tokens behind it that stand at the source's end and were lost.
pub(crate) fn restore_tokens(source: &str, output: &str) -> Option<String> {
    let found = tokens(source);
    let mut end = source.trim_end().len();
    let mut first = found.len();
    for (index, (_, range)) in found.iter().enumerate().rev() {
        // Between tokens of the tail stand spaces and nothing else.
        if source.get(range.end..end).is_some_and(|gap| gap.trim().is_empty()) {
            (first, end) = (index, range.start);
        } else {
            break;
        }
    }
    let missing: Vec<&str> =
        found[first..].iter().map(|(_, r)| &source[r.clone()]).filter(|t| !output.contains(*t)).collect();
    // A source of tokens alone goes through as it is.
    let all = found.get(first).is_none_or(|(_, range)| source[..range.start].trim().is_empty());
    if missing.is_empty() || output.trim().is_empty() || all {
        return None;
    }
    Some(format!("{} {}", output.trim_end(), missing.join(" ")))
}

/// Tokens of the source that are not in the output as they were.
pub(crate) fn check_tokens(source: &str, output: &str, findings: &mut Vec<Finding>) {
    for (kind, range) in tokens(source) {
        let token = &source[range];
        let variation = kind == TokenKind::Emoji && token.trim_matches('\u{fe0f}').is_empty();
        if variation || output.contains(token) || output.contains(&crate::lang::digits::to_latin(token)) {
            continue;
        }
        let message = format!("{token} is missing from the translation");
        findings.push(Finding { kind: FindingKind::Omission, severity: Severity::Warning, segment: None, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_tokens_are_found_and_those_at_the_end_put_back() {
        let found = |source: &str, output: &str| {
            let mut findings = Vec::new();
            check_tokens(source, output, &mut findings);
            findings.len()
        };
        assert_eq!(found("আজ 😀 বৃষ্টি #ঢাকা", "Rain today"), 2);
        assert_eq!(found("আজ 😀 বৃষ্টি #ঢাকা", "Rain 😀 today #ঢাকা"), 0);
        assert_eq!(found("দেখুন https://example.com/খবর", "See https://example.com/news"), 1);
        assert_eq!(found("তিনি বলেন बहुत", "He said a lot"), 1);
        let restore = |source: &str, output: &str| restore_tokens(source, output);
        assert_eq!(restore("আজ বৃষ্টি। 😀 #ঢাকা", "Rain today.").as_deref(), Some("Rain today. 😀 #ঢাকা"));
        assert_eq!(restore("আজ 😀 বৃষ্টি।", "Rain today."), None);
        assert_eq!(restore("আজ বৃষ্টি। 😀", "Rain today. 😀"), None);
    }
}
