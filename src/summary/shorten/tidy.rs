//! The model's answer made a sentence: a capital at its start, "a" or "an" as the next word wants it, spaces.
use crate::summary::english;

/// Puts case, articles and spaces right; `sentence` is what was shortened.
pub(super) fn tidy(sentence: &str, answer: &str) -> String {
    let mut text = answer.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [",", ";", ":", " –", " -"] {
        for end in [".", "!", "?"] {
            text = text.replace(&format!("{mark}{end}"), end);
        }
    }
    let text = english::capitalized(&articles(sentence, &text));
    if english::is_ended(sentence) && !english::is_ended(&text) { format!("{text}.") } else { text }
}

/// "a old bridge", where "large" between them was deleted, becomes "an old bridge".
fn articles(sentence: &str, text: &str) -> String {
    let pairs: Vec<(&str, &str)> = pairs(sentence).collect();
    let mut words: Vec<String> = text.split(' ').map(str::to_string).collect();
    for at in 0..words.len().saturating_sub(1) {
        let (article, next) = (words[at].as_str(), words[at + 1].as_str());
        if !matches!(article, "a" | "an" | "A" | "An") || pairs.contains(&(article, next)) {
            continue; // as its author wrote it
        }
        let right = if starts_with_vowel_sound(next) { "an" } else { "a" };
        words[at] = if article.starts_with('A') { english::capitalized(right) } else { right.to_string() };
    }
    words.join(" ")
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_whitespace().zip(text.split_whitespace().skip(1))
}

/// How a word begins in speech, by its letters: right for all but a few hundred words.
fn starts_with_vowel_sound(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let starts = |list: &[&str]| list.iter().any(|s| word.starts_with(s));
    if starts(&["uni", "use", "usu", "eu", "one", "once", "ura", "uto"]) {
        return false;
    }
    starts(&["a", "e", "i", "o", "u", "hour", "honest", "honor", "honour", "heir", "8", "11", "18"])
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn articles_case_and_marks_are_put_right() {
        let sentence = "On Monday, the police found a large old bridge, an hour away, near a European town.";
        for (answer, wanted) in [
            ("the police found a old bridge,.", "The police found an old bridge."),
            (
                "Police found a large old bridge near a European town.",
                "Police found a large old bridge near a European town.",
            ),
            ("an large  bridge", "A large bridge."),
        ] {
            assert_eq!(tidy(sentence, answer), wanted);
        }
    }
}
