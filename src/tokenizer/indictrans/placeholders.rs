//! Things that a translation must copy (mail addresses, links, numbers, handles) stand as `<ID1>`, `<ID2>`, …
//! while the model works, and are put back afterwards.
use std::sync::LazyLock;

use regex::Regex;

/// Whether a match is long enough to be worth a placeholder.
type Worth = fn(&str) -> bool;

/// Mail addresses, links, numbers with some structure, handles and tags: the patterns of IndicTransToolkit, applied
/// in this order. A look-around of the original that Rust's regex lacks is done by [`stands_alone`].
static PATTERNS: LazyLock<[(Regex, Worth); 4]> = LazyLock::new(|| {
    // constants of this file, compiled by every test run
    let compile = |pattern: &str| Regex::new(pattern).expect("a valid pattern");
    [
        (compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}"), |_| true),
        (compile(r"(?:(?:https?|ftp)://)?(?:[\w-]+\.)+[\w/\-?#&=%][\w/\-?#&=%.]*"), |found| {
            length_without(found, &['.']) >= 4
        }),
        (
            compile(concat!(
                r"~?\d+\.?\d*\s?%?\s?-?\s?~?\d+\.?\d*\s?%|~?\d+%|",
                r"\d+[-/.,:']\d+[-/.,:'+]\d+(?:\.\d+)?|\d+[-/.:'+]\d+(?:\.\d+)?"
            )),
            |found| length_without(found, &[' ', '.', ':']) >= 4,
        ),
        (compile(r"[A-Za-z0-9]*[#|@]\w+"), |_| true),
    ]
});

fn length_without(text: &str, without: &[char]) -> usize {
    text.chars().filter(|c| !without.contains(c)).count()
}

/// The index of the pattern for links among [`PATTERNS`].
const LINK: usize = 1;

fn is_word(c: char) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\w$").expect("a valid pattern"));
    WORD.is_match(c.encode_utf8(&mut [0; 4]))
}

/// The part of a link match that the original's look-around allows: it begins at a word border that no word
/// character, slash or full stop precedes, and ends after a word character.
fn stands_alone(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let before = text[..start].chars().next_back();
    let first = text[start..].chars().next()?;
    if before.is_some_and(|c| is_word(c) || c == '/' || c == '.') || !is_word(first) {
        return None;
    }
    let kept = text[start..end].trim_end_matches(|c: char| !is_word(c));
    // what is left must still be a link: a full stop inside
    kept.contains('.').then_some((start, start + kept.len()))
}

/// Puts placeholders into `text`. Returns the text and what each stands for; `<ID1>` is the first.
///
/// Unlike the original, which replaces every occurrence of a match and so may cut a number inside a longer one,
/// only the matched places are replaced.
pub(super) fn insert(text: &str) -> (String, Vec<String>) {
    let mut text = text.to_owned();
    let mut entities: Vec<String> = Vec::new();
    for (index, (pattern, worth)) in PATTERNS.iter().enumerate() {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        let first_of_pattern = entities.len();
        while let Some(found) = pattern.find_at(&text, from) {
            let (start, end) = (found.start(), found.end());
            let place = if index == LINK { stands_alone(&text, start, end) } else { Some((start, end)) };
            let Some((start, end)) = place else {
                // the original would try again one character later
                let next = start + text[start..].chars().next().map_or(1, char::len_utf8);
                out.push_str(&text[from..next]);
                from = next;
                continue;
            };
            if !worth(&text[start..end]) {
                out.push_str(&text[from..end]);
                from = end;
                continue;
            }
            out.push_str(&text[from..start]);
            let entity = &text[start..end];
            let known = entities[first_of_pattern..].iter().position(|known| known == entity);
            let number = known.map_or(entities.len(), |known| known + first_of_pattern);
            if number == entities.len() {
                entities.push(entity.to_owned());
            }
            out.push_str(&format!("<ID{}>", number + 1));
            from = end;
        }
        out.push_str(&text[from..]);
        text = out;
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(">/", ">").replace("]/", "]");
    (text, entities)
}

/// Puts the entities back into a translation. Returns the text and the entities that had no placeholder in it.
///
/// All placeholders are found in one pass, so that `<ID1>` cannot eat the beginning of `<ID10>`; brackets may be
/// missing, doubled by spaces or of the other kind, as models write them.
pub(super) fn restore(text: &str, entities: &[String]) -> (String, Vec<String>) {
    static FORMS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[<\[]\s*(?i:id)\s*([0-9]{1,4})(?:\s*[>\]])?|\b(?i:id)\s*([0-9]{1,4})\s*[>\]]|\bID([0-9]{1,4})\b")
            .expect("a valid pattern")
    });
    if entities.is_empty() {
        return (text.to_owned(), Vec::new());
    }
    let mut seen = vec![false; entities.len()];
    let restored = FORMS.replace_all(text, |found: &regex::Captures| {
        let number = found.iter().skip(1).flatten().next().and_then(|digits| digits.as_str().parse::<usize>().ok());
        match number.and_then(|number| number.checked_sub(1)).filter(|index| *index < entities.len()) {
            Some(index) => {
                seen[index] = true;
                entities[index].clone()
            }
            None => found[0].to_owned(),
        }
    });
    let lost = entities.iter().zip(&seen).filter(|(_, seen)| !**seen).map(|(entity, _)| entity.clone());
    (restored.into_owned(), lost.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_links_numbers_and_handles_are_covered() {
        let text = "লিখুন news@example.com বা https://example.com/a?b=1 দেখুন, 12:30:15 এ 25.5% ও 26/03/2024, @user #tag";
        let (covered, entities) = insert(text);
        assert_eq!(covered, "লিখুন <ID1> বা <ID2> দেখুন, <ID3> এ <ID4> ও <ID5>, <ID6> <ID7>");
        assert_eq!(entities[1], "https://example.com/a?b=1");
        assert_eq!(restore(&covered, &entities), (text.to_owned(), Vec::new()));
    }

    #[test]
    fn short_numbers_stay() {
        for text in ["সে 25 টাকা", "1.5 লাখ", "9:30 টায়", "5% সুদ"] {
            let (covered, entities) = insert(text);
            assert_eq!((covered.as_str(), entities.len()), (text, 0));
        }
    }

    #[test]
    fn a_number_inside_a_longer_one_is_not_cut() {
        let (covered, entities) = insert("110.5 থেকে 110.50%");
        assert_eq!(covered, "<ID1> থেকে <ID2>%");
        assert_eq!(entities, ["110.5", "110.50"]);
        let (covered, entities) = insert("12-10-2024 ও 12-10-2024");
        assert_eq!((covered.as_str(), entities.len()), ("<ID1> ও <ID1>", 1));
    }

    #[test]
    fn every_spelling_of_a_placeholder_is_put_back_and_losses_are_named() {
        let entities: Vec<String> = (1..=11).map(|n| format!("e{n}")).collect();
        let (text, lost) = restore("< ID1 > [ID2] <id 3> <ID4 ] <ID5 ID6> <ID10> <ID11> ID7. <ID12>", &entities);
        assert_eq!(text, "e1 e2 e3 e4 e5 e6 e10 e11 e7. <ID12>");
        assert_eq!(lost, ["e8", "e9"]);
        assert_eq!(restore("ID1 card", &[]).0, "ID1 card");
    }
}
