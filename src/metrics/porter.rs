//! The Porter stemmer (Porter, 1980) with the extensions that NLTK makes by default: what rouge-score stems with.

/// Irregular forms of NLTK's table: form, stem.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Suffix, replacement and the measure that the stem must exceed.
type Rule = (&'static str, &'static str, usize);

const STEP2: [Rule; 21] = [
    ("ational", "ate", 0),
    ("tional", "tion", 0),
    ("enci", "ence", 0),
    ("anci", "ance", 0),
    ("izer", "ize", 0),
    ("bli", "ble", 0),
    ("alli", "al", 0),
    ("entli", "ent", 0),
    ("eli", "e", 0),
    ("ousli", "ous", 0),
    ("ization", "ize", 0),
    ("ation", "ate", 0),
    ("ator", "ate", 0),
    ("alism", "al", 0),
    ("iveness", "ive", 0),
    ("fulness", "ful", 0),
    ("ousness", "ous", 0),
    ("aliti", "al", 0),
    ("iviti", "ive", 0),
    ("biliti", "ble", 0),
    ("fulli", "ful", 0),
];

const STEP3: [Rule; 7] = [
    ("icate", "ic", 0),
    ("ative", "", 0),
    ("alize", "al", 0),
    ("iciti", "ic", 0),
    ("ical", "ic", 0),
    ("ful", "", 0),
    ("ness", "", 0),
];

const STEP4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

/// The stem of a lower-case word. Words of one or two letters stay as they are.
pub fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return (*stem).to_string();
    }
    if word.len() <= 2 || !word.is_ascii() {
        return word.to_string();
    }
    let mut word = step1a(word);
    word = step1b(word);
    word = step1c(word);
    word = step2(word);
    word = apply(word, &STEP3);
    word = step4(word);
    step5(word)
}

fn step1a(word: &str) -> String {
    let cut = |suffix: &str, to: &str| word.strip_suffix(suffix).map(|stem| format!("{stem}{to}"));
    if word.len() == 4
        && let Some(short) = cut("ies", "ie")
    {
        return short;
    }
    cut("sses", "ss")
        .or_else(|| cut("ies", "i"))
        .or_else(|| cut("ss", "ss"))
        .or_else(|| cut("s", ""))
        .unwrap_or_else(|| word.into())
}

fn step1b(word: String) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return format!("{stem}{}", if word.len() == 4 { "ie" } else { "i" });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { format!("{stem}ee") } else { word };
    }
    let Some(stem) = ["ed", "ing"].iter().find_map(|s| word.strip_suffix(s).filter(|stem| has_vowel(stem))) else {
        return word;
    };
    if ["at", "bl", "iz"].iter().any(|s| stem.ends_with(s)) {
        return format!("{stem}e");
    }
    if ends_double_consonant(stem) {
        let keep = if stem.ends_with(['l', 's', 'z']) { stem.len() } else { stem.len() - 1 };
        return stem[..keep].to_string();
    }
    if measure(stem) == 1 && ends_cvc(stem) { format!("{stem}e") } else { stem.to_string() }
}

fn step1c(word: String) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && consonants(stem).last() == Some(&true) => format!("{stem}i"),
        _ => word,
    }
}

fn step2(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        return step2(format!("{stem}al"));
    }
    if STEP2.iter().any(|(suffix, _, _)| word.ends_with(suffix)) {
        return apply(word, &STEP2);
    }
    match word.strip_suffix("logi") {
        // the l counts as the stem's, so that "geology" works like "archaeology"
        Some(stem) if measure(&word[..word.len() - 3]) > 0 => format!("{stem}log"),
        _ => word,
    }
}

fn step4(word: String) -> String {
    for suffix in STEP4 {
        if let Some(stem) = word.strip_suffix(suffix) {
            let fits = measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't']));
            return if fits { stem.to_string() } else { word };
        }
    }
    word
}

fn step5(word: String) -> String {
    let mut word = word;
    if let Some(stem) = word.strip_suffix('e') {
        let m = measure(stem);
        if m > 1 || (m == 1 && !ends_cvc(stem)) {
            word = stem.to_string();
        }
    }
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
    word
}

/// The first rule whose suffix fits decides, whether its condition holds or not.
fn apply(word: String, rules: &[Rule]) -> String {
    for (suffix, to, above) in rules {
        if let Some(stem) = word.strip_suffix(suffix) {
            return if measure(stem) > *above { format!("{stem}{to}") } else { word };
        }
    }
    word
}

/// For each letter: is it a consonant? A y is one where the letter before it isn't.
fn consonants(word: &str) -> Vec<bool> {
    let mut out: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        out.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => out.last().is_none_or(|&before| !before),
            _ => true,
        });
    }
    out
}

/// Porter's m: how often a consonant follows a vowel.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|w| !w[0] && w[1]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_double_consonant(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 2 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2] && consonants(word).last() == Some(&true)
}

fn ends_cvc(word: &str) -> bool {
    match consonants(word)[..] {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn stems_the_papers_examples() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("dies", "die"),
            ("hopping", "hop"),
            ("filing", "file"),
            ("falling", "fall"),
            ("happy", "happi"),
            ("relational", "relat"),
            ("electrical", "electr"),
            ("adoption", "adopt"),
            ("controlling", "control"),
            ("rate", "rate"),
            ("enjoy", "enjoy"),
            ("skies", "sky"),
            ("2021", "2021"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
