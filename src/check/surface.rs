//! What can be seen without understanding: length, script, punctuation, sentence count, addresses, prompt remains.
use crate::lang::script::{Scripts, is_bengali};
use crate::lang::words::is_common_english;
use crate::lang::{Words, tables};
use crate::text::{Finding, FindingKind, Severity};

/// Logarithm of the usual ratio of the translation's characters to the source's, white space left out: mean over
/// 6,000 pairs of news, health and web text.
const LOG_RATIO: f64 = 0.02;
/// Its variance is SPREAD² + PER_CHAR / length, after the same pairs.
const SPREAD: f64 = 0.11;
const PER_CHAR: f64 = 1.3;
/// Standard deviations from which a ratio is odd, and from which something is surely missing or added.
const ODD: f64 = 3.2;
const SURELY: f64 = 4.7;

/// All of this module's checks.
pub(crate) fn check_surface(source: &str, output: &str, findings: &mut Vec<Finding>) {
    let mut add = |kind, severity, message: String| findings.push(Finding { kind, severity, segment: None, message });
    if source.trim().is_empty() {
        if !output.trim().is_empty() {
            add(FindingKind::Addition, Severity::Serious, "the source is empty, the translation is not".into());
        }
        return;
    }
    if output.trim().is_empty() {
        return add(FindingKind::Omission, Severity::Serious, "the translation is empty".into());
    }
    untranslated(source, output, &mut add);
    length(source, output, &mut add);
    sentences(source, output, &mut add);
    punctuation(source, output, &mut add);
    addresses(source, output, &mut add);
    broken_off(source, output, &mut add);
    prompt(source, output, &mut add);
}

type Add<'a> = dyn FnMut(FindingKind, Severity, String) + 'a;

/// Bengali left in the output, other scripts, romanized instead of translated.
fn untranslated(source: &str, output: &str, add: &mut Add) {
    // A hashtag or an address stays as it is, whatever its letters.
    let output = crate::text::tokens::without(output);
    let (before, after) = (Scripts::of(source), Scripts::of(&output));
    if after.bengali > 0 {
        let words: Vec<&str> = output.split_whitespace().filter(|w| w.contains(is_bengali)).collect();
        let severe = words.len() > 1 || after.bengali_share() > 0.2;
        let severity = if severe { Severity::Serious } else { Severity::Warning };
        add(FindingKind::Untranslated, severity, format!("\"{}\" was left in Bengali", first_words(&words)));
    }
    let foreign = (after.devanagari + after.other).saturating_sub(before.devanagari + before.other);
    if foreign > 0 {
        let words: Vec<&str> =
            output.split_whitespace().filter(|w| w.chars().any(|c| c.is_alphabetic() && is_foreign(c))).collect();
        let severity = if foreign > 3 || words.len() > 1 { Severity::Serious } else { Severity::Warning };
        add(
            FindingKind::WrongScript,
            severity,
            format!("\"{}\" is neither English nor in the source", first_words(&words)),
        );
    }
    let lower: Vec<String> = output
        .split(|c: char| !c.is_alphabetic() && c != '\'')
        .filter(|w| w.len() > 2 && w.chars().all(|c| c.is_ascii_lowercase()))
        .map(str::to_string)
        .collect();
    let unknown = lower.iter().filter(|w| !is_common_english(w)).count();
    if lower.len() >= 4 && unknown * 10 >= lower.len() * 7 {
        add(FindingKind::Untranslated, Severity::Warning, "the translation is hardly English".into());
    }
}

fn is_foreign(c: char) -> bool {
    let s = Scripts::of(c.encode_utf8(&mut [0; 4]));
    s.devanagari + s.other > 0
}

fn first_words(words: &[&str]) -> String {
    let shown = words.iter().take(4).copied().collect::<Vec<_>>().join(" ");
    if words.len() > 4 { format!("{shown} …") } else { shown }
}

/// Standard deviations that the length of the output lies above (or, negative, below) what is usual.
pub fn length_deviation(source: &str, output: &str) -> f64 {
    let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count().max(1) as f64;
    // both spellings of ড়/ঢ়/য় count alike
    let (s, o) = (count(&crate::lang::normalize::canonical(source)), count(output));
    ((o / s).ln() - LOG_RATIO) / (SPREAD * SPREAD + PER_CHAR / s).sqrt()
}

fn length(source: &str, output: &str, add: &mut Add) {
    // a sentence that is mostly digits or Latin keeps its length whatever is done to it
    if Scripts::of(source).bengali < 6 {
        return;
    }
    let z = length_deviation(source, output);
    let (s, o) = (source.chars().count(), output.chars().count());
    if z <= -SURELY {
        add(FindingKind::Omission, Severity::Serious, format!("{s} characters became {o}: something was left out"));
    } else if z >= SURELY {
        add(FindingKind::Addition, Severity::Serious, format!("{s} characters became {o}: something was added"));
    } else if z.abs() >= ODD {
        add(FindingKind::LengthRatio, Severity::Warning, format!("{s} characters became {o}, which is unusual"));
    }
}

/// Sentences of a text in either language, counted by their ends.
pub(crate) fn count_sentences(text: &str) -> usize {
    let bengali = text.contains(is_bengali);
    let chars: Vec<char> = text.trim().chars().collect();
    let mut count = 0;
    let mut open = false;
    for (i, &c) in chars.iter().enumerate() {
        let after = chars[i + 1..].iter().find(|c| !matches!(c, '"' | '\'' | '”' | '’' | ')' | ']')).copied();
        let ends = match c {
            '।' | '?' | '!' => true,
            '.' if bengali => false,
            '.' => {
                after.is_none_or(char::is_whitespace)
                    && !is_abbreviated(&chars[..i])
                    && starts_sentence(&chars[i + 1..])
            }
            _ => false,
        };
        if ends && open {
            count += 1;
            open = false;
        } else if c.is_alphanumeric() {
            open = true;
        }
    }
    count + usize::from(open)
}

fn starts_sentence(rest: &[char]) -> bool {
    rest.iter().find(|c| c.is_alphanumeric()).is_none_or(|c| c.is_uppercase() || c.is_ascii_digit())
}

/// Abbreviations that a full stop follows within a sentence.
static ABBREVIATIONS: Words = Words::new(tables::EN_ABBREVIATIONS, "check");

/// Does the word before a full stop only abbreviate (Md., M., a.m., U.S.)?
fn is_abbreviated(before: &[char]) -> bool {
    let word: String =
        before.iter().rev().take_while(|c| !c.is_whitespace()).collect::<Vec<_>>().into_iter().rev().collect();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    word.chars().filter(|c| c.is_alphabetic()).count() == 1 && word.chars().count() == 1
        || word.contains('.') && word.len() <= 6
        || ABBREVIATIONS.contains(&word)
}

fn sentences(source: &str, output: &str, add: &mut Add) {
    let (before, after) = (count_sentences(source), count_sentences(output));
    if before == after || before == 0 {
        return;
    }
    let message = format!("{before} {} became {after}", if before == 1 { "sentence" } else { "sentences" });
    // two short sentences may well be one in English; far fewer may not
    if after * 2 <= before && before >= 3 {
        add(FindingKind::Omission, Severity::Serious, message);
    } else if after >= before + 2 || after + 2 <= before {
        add(FindingKind::SentenceCount, Severity::Warning, message);
    } else {
        add(FindingKind::SentenceCount, Severity::Note, message);
    }
}

fn punctuation(source: &str, output: &str, add: &mut Add) {
    let question = |text: &str| text.trim_end().trim_end_matches(['"', '\'', '”', '’', ')', ' ']).ends_with('?');
    if question(source) != question(output) {
        let message = if question(source) {
            "the question mark was lost"
        } else {
            "the translation is a question, the source is not"
        };
        add(FindingKind::Punctuation, Severity::Warning, message.into());
    }
    for (open, close) in [('(', ')'), ('[', ']')] {
        let balance = |text: &str| text.matches(open).count() as i64 - text.matches(close).count() as i64;
        if balance(output) != 0 && balance(source) == 0 {
            add(FindingKind::Punctuation, Severity::Warning, format!("unequal numbers of {open} and {close}"));
        }
    }
    let (before, after) = (quotes(source), quotes(output));
    if after % 2 == 1 && before % 2 == 0 {
        add(FindingKind::Punctuation, Severity::Warning, "a quotation mark has no partner".into());
    } else if before >= 2 && after == 0 {
        add(FindingKind::Punctuation, Severity::Note, "the quotation marks were lost".into());
    }
    if [",,", ";;", "??", "!!"].iter().any(|p| output.contains(p) && !source.contains(p))
        || output.replace("...", "").contains("..") && !source.contains("..")
    {
        add(FindingKind::Punctuation, Severity::Note, "a punctuation mark is doubled".into());
    }
}

/// Double quotation marks, and single ones that stand at a word's border (not apostrophes).
fn quotes(text: &str) -> usize {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).is_some_and(|c| c.is_alphanumeric() || is_bengali(*c));
    let double = chars.iter().filter(|c| matches!(c, '"' | '“' | '”' | '„' | '«' | '»')).count();
    let opening = (0..chars.len())
        .filter(|&i| {
            matches!(chars[i], '\'' | '‘') && at(i + 1) && (i == 0 || !at(i - 1)) && !chars[i + 1].is_ascii_digit()
        })
        .count();
    // a closing single mark can't be told from the apostrophe of a plural: one is taken for granted for each opening one
    double + 2 * opening
}

/// Web and mail addresses and handles come through unchanged.
fn addresses(source: &str, output: &str, add: &mut Add) {
    let is_address = |word: &str| {
        word.starts_with("http")
            || word.starts_with("www.")
            || (word.contains('@') && word.len() > 2 && word.is_ascii())
            || (word.starts_with('#') && word.is_ascii() && word.len() > 2)
    };
    for word in source.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '“' | '”' | '।' | ','))
    {
        let word = word.trim_end_matches(['.', ':', ';']).trim_end_matches(is_bengali).trim_end_matches('-');
        if is_address(word) && !output.contains(word) {
            add(FindingKind::Omission, Severity::Warning, format!("{word} is missing from the translation"));
        }
    }
}

/// "the Prime Minister of India, Dr.": the model took the full stop of a title for the sentence's.
fn broken_off(source: &str, output: &str, add: &mut Add) {
    const TITLES: [&str; 6] = ["Dr.", "Mr.", "Mrs.", "Ms.", "Md.", "Prof."];
    let ends = |title: &&&str| {
        output.trim_end().strip_suffix(**title).is_some_and(|before| before.is_empty() || before.ends_with(' '))
    };
    if let (Some(title), false) = (TITLES.iter().find(ends), source.trim_end().ends_with('.')) {
        add(FindingKind::Omission, Severity::Serious, format!("the translation breaks off after \"{title}\""));
    }
}

/// Pieces of a prompt, a chat or a system's notice that models let slip.
fn prompt(source: &str, output: &str, add: &mut Add) {
    const REMAINS: [&str; 12] = [
        "english:",
        "bengali:",
        "translation:",
        "<start_of_turn>",
        "<end_of_turn>",
        "<eos>",
        "</s>",
        "<unk>",
        "[unk]",
        "<pad>",
        "as an ai",
        "ben_beng",
    ];
    let (lower, own) = (output.to_lowercase(), source.to_lowercase());
    if let Some(found) = REMAINS.iter().find(|r| lower.contains(**r) && !own.contains(**r)) {
        add(
            FindingKind::Addition,
            Severity::Serious,
            format!("the translation contains \"{found}\", which belongs to the model's prompt"),
        );
    } else if let Some(words) = crate::text::answer::talk(source, output) {
        let message = format!("the answer talks about the text (\"{words}\") instead of translating it");
        add(FindingKind::Addition, Severity::Serious, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str, output: &str) -> Vec<(FindingKind, Severity)> {
        let mut findings = Vec::new();
        check_surface(source, output, &mut findings);
        findings.into_iter().map(|f| (f.kind, f.severity)).collect()
    }

    const SOURCE: &str = "প্রধানমন্ত্রী বলেন, বাংলাদেশের অর্থনীতি দ্রুত এগিয়ে যাচ্ছে এবং আগামী বছরে প্রবৃদ্ধি আরও বাড়বে।";
    const GOOD: &str =
        "The prime minister said the economy of Bangladesh is advancing fast and growth will rise further next year.";

    #[test]
    fn a_good_translation_passes() {
        assert_eq!(kinds(SOURCE, GOOD), []);
    }

    #[test]
    fn planted_faults_are_found() {
        use FindingKind::*;
        use Severity::*;
        let twice =
            format!("{GOOD} {}", "It was also said that many other things would surely change in the coming months.");
        for (source, output, expected) in [
            (SOURCE, "", (Omission, Serious)),
            (SOURCE, "The prime minister said.", (Omission, Serious)),
            (SOURCE, twice.as_str(), (LengthRatio, Warning)),
            ("তিনি বাড়ি গেছেন।", &GOOD.repeat(2), (Addition, Serious)),
            ("তিনি বাড়ি গেছেন।", "He has gone to his বাড়ি.", (Untranslated, Serious)),
            (SOURCE, &GOOD.replace("economy", "অর্থনীতি"), (Untranslated, Warning)),
            (SOURCE, &GOOD.replace("economy of Bangladesh", "экономика Бангладеш"), (WrongScript, Serious)),
            (
                SOURCE,
                "prodhan montri bolen bangladesher orthoniti druto egiye jacche ebong agami bochore",
                (Untranslated, Warning),
            ),
            ("তিনি কি আসবেন?", "He will come.", (Punctuation, Warning)),
            ("তিনি আসবেন।", "Will he come?", (Punctuation, Warning)),
            ("তিনি (করিম) আসবেন।", "He (Karim will come.", (Punctuation, Warning)),
            ("তিনি বলেন, \"আমি যাব।\"", "He said, \"I will go.", (Punctuation, Warning)),
            ("বিস্তারিত www.example.com ঠিকানায়।", "Details at the address.", (Omission, Warning)),
            ("তিনি বাড়ি গেছেন।", "English: He went home.", (Addition, Serious)),
            ("ভারতের প্রধানমন্ত্রী বলেন।", "Said the Prime Minister of India, Dr.", (Omission, Serious)),
            ("এক। দুই। তিন। চার। পাঁচ।", "One. Two.", (Omission, Serious)),
            ("আমি যাই, তুমি এসো, সে থাক।", "I go. You come. He stays.", (SentenceCount, Warning)),
        ] {
            assert!(kinds(source, output).contains(&expected), "{output}: {:?}", kinds(source, output));
        }
    }

    #[test]
    fn sentences_are_counted_in_both_languages() {
        for (text, count) in [
            ("মো. করিম এলেন। তিনি বসলেন।", 2),
            ("Md. Karim came at 5 p.m. on Monday. He sat down.", 2),
            ("\"I will go.\" He left!", 2),
            ("No full stop", 1),
            ("", 0),
            ("১. প্রথম", 1),
        ] {
            assert_eq!(count_sentences(text), count, "{text}");
        }
    }
}
