//! A headline for an article that has none: its most telling sentence, shortened where a clause ends.
use super::Language;
use super::english::capitalized;
use regex::Regex;
use std::sync::LazyLock;

/// Words that a headline may have before it is worth shortening.
const ENOUGH: usize = 12;
/// Words that must remain.
const LEAST: usize = 5;

static BRACKETS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s*[(\[][^)\]]*[)\]]").expect("a constant pattern"));

/// "However, ", "On Tuesday, "
static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:however|meanwhile|besides|moreover|later|earlier|but|and|so|also|then|according to|on|in|at|after that)\b[^,]{0,40},|but|and|so)\s+")
        .expect("a constant pattern")
});

/// ", he said", ", police told reporters on Monday"
static ATTRIBUTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r",?\s*(?:(?:[\w.'-]+ ){1,6}(?:said|says|told|added|informed|stated)\b[^,]*|according to [^,]*)$")
        .expect("a constant pattern")
});

/// Where an English sentence goes on to something of less weight.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:,\s+(?:which|who|whom|where|while|as|after|with|adding|saying|including|but|and|so|because|when|although|though|according)\b|;|\s+because\s|\s+[–—]\s)")
        .expect("a constant pattern")
});

/// "… বলে জানিয়েছেন পুলিশ সুপার", in NFC, where য় is two code points.
static BENGALI_ATTRIBUTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\s+(?:বলে\s+(?:জান|মন্তব্য|উল্লেখ|দাবি|অভিযোগ)|এ কথা জান|(?:এ|এই|এমন) তথ্য জান).*$")
        .expect("a constant pattern")
});

/// Words that tie an English sentence to the one before, and what may follow them.
static CONNECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:(?:however|meanwhile|in the meantime|besides|moreover|furthermore|in addition|additionally|also|therefore|thus|hence|consequently|as a result|on the other hand|nevertheless|nonetheless|otherwise|then|after that|apart from this|besides this|in this regard|in this context|for this reason),\s+|(?:but|and|so|yet),?\s+)")
        .expect("a constant pattern")
});

/// A sentence that begins with "However," or "তবে" without that: it stands where the sentence before it does not.
pub(super) fn without_connective(sentence: &str, language: Language) -> String {
    let rest = match language {
        Language::English => CONNECTIVE.find(sentence).map(|found| &sentence[found.end()..]),
        Language::Bengali => bengali_connective(sentence),
    };
    match rest.filter(|rest| count(rest) >= LEAST) {
        Some(rest) => capitalized(rest.trim_start()),
        None => sentence.to_string(),
    }
}

/// What follows a Bengali connective at the start of a sentence.
fn bengali_connective(sentence: &str) -> Option<&str> {
    let (first, after) = sentence.split_once(' ')?;
    let word = super::bengali::words(first).into_iter().next()?;
    super::bengali::is_connective(&word).then_some(after)
}

/// Shortens a sentence to a headline, without its full stop; it is cut only where a clause ends, so that a sentence
/// that cannot be shortened is returned whole.
pub fn compress(sentence: &str, language: Language) -> String {
    let bare = BRACKETS.replace_all(sentence, "");
    let bare = bare.trim_matches(|c: char| c.is_whitespace() || "\"“”'‘’।.!".contains(c)).to_string();
    let short = match language {
        Language::English => english(&bare),
        Language::Bengali => bengali(&bare),
    };
    let short = short.trim_matches(|c: char| c.is_whitespace() || ",;:-–—".contains(c));
    capitalized(short)
}

fn english(sentence: &str) -> String {
    let mut rest = sentence.to_string();
    let lower = rest.to_lowercase();
    if lower.len() == rest.len()
        && let Some(found) = OPENING.find(&lower)
    {
        keep_if_enough(&mut rest, found.end().., sentence);
    }
    for pattern in [&*ATTRIBUTION, &*TAIL] {
        if count(&rest) <= ENOUGH {
            break;
        }
        // the latest border within a headline's length, else the first one after it
        let borders: Vec<usize> =
            pattern.find_iter(&rest).map(|m| m.start()).filter(|&at| count(&rest[..at]) >= LEAST).collect();
        let fitting = borders.iter().copied().rfind(|&at| count(&rest[..at]) <= ENOUGH);
        if let Some(at) = fitting.or(borders.first().copied()) {
            rest.truncate(at);
        }
    }
    rest
}

fn bengali(sentence: &str) -> String {
    let mut rest = sentence.to_string();
    if let Some(after) = bengali_connective(sentence) {
        keep_if_enough(&mut rest, sentence.len() - after.len().., sentence);
    }
    let cut = BENGALI_ATTRIBUTION.find(&rest).map(|m| m.start()).filter(|&at| count(&rest[..at]) >= LEAST);
    if let Some(at) = cut {
        rest.truncate(at);
    }
    rest
}

fn keep_if_enough(rest: &mut String, kept: std::ops::RangeFrom<usize>, sentence: &str) {
    if sentence.is_char_boundary(kept.start) && count(&sentence[kept.clone()]) >= LEAST {
        *rest = sentence[kept].to_string();
    }
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_sentences_are_cut_where_a_clause_ends() {
        for (sentence, wanted) in [
            (
                "The High Court on Tuesday granted bail to former minister Latif Siddiqui in ten cases, which were filed last year (2014).",
                "The High Court on Tuesday granted bail to former minister Latif Siddiqui in ten cases",
            ),
            ("However, the water of the Padma river is rising.", "The water of the Padma river is rising"),
            (
                "At least 20,000 people are stranded in five upazilas of the district, the deputy commissioner said on Monday.",
                "At least 20,000 people are stranded in five upazilas of the district",
            ),
            ("\"We won.\"", "We won"),
            ("On Monday, rain fell.", "On Monday, rain fell"),
        ] {
            assert_eq!(compress(sentence, Language::English), wanted);
        }
    }

    #[test]
    fn bengali_sentences_lose_connective_and_attribution() {
        assert_eq!(
            compress("তবে পদ্মা নদীর পানি বিপৎসীমার ওপর দিয়ে বইছে বলে জানিয়েছে পানি উন্নয়ন বোর্ড।", Language::Bengali),
            "পদ্মা নদীর পানি বিপৎসীমার ওপর দিয়ে বইছে"
        );
        assert_eq!(compress("", Language::Bengali), "");
    }
}
