//! Words of Bengali text for comparing sentences: light stems, stop words, words that go with names.
use std::collections::HashSet;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// A list of words in the form that [`words`] gives them.
fn word_set(list: &str) -> HashSet<String> {
    list.split_whitespace().map(normal).collect()
}

/// One spelling for what looks the same: NFC (which splits ড়, ঢ় and য়), no joiners.
fn normal(text: &str) -> String {
    text.nfc().filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}')).collect()
}

/// Words that say nothing about the subject: particles, pronouns, auxiliary and reporting verbs.
static STOP_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    word_set(
        "ও এবং আর বা কিংবা অথবা যে এ এই ওই সেই সে তা তার তাঁর তাদের তাঁদের তিনি তারা তাঁরা আমি আমরা আমার আমাদের \
         আপনি আপনার তুমি তোমার কি কী কে কার কোন কোনো না নেই নয় নাই নি করে করা করেন করেছেন করেছে করছেন করছে করতে \
         করার করলে করবে করবেন করেছিলেন করেছিল হয় হয়ে হয়েছে হয়েছেন হয়েছিল হচ্ছে হবে হলে হতে হওয়া হওয়ার হন হলো ছিল \
         ছিলেন আছে আছেন রয়েছে রয়েছেন থাকে থাকা থেকে থাকেন জন্য জন্যে সঙ্গে সাথে মধ্যে পর পরে আগে দিকে দিয়ে নিয়ে \
         কাছে উপর ওপর পর্যন্ত মতো মত মাধ্যমে বিরুদ্ধে পক্ষ পক্ষে দ্বারা হিসেবে হিসাবে অনুযায়ী বলে বলেন বলেছেন বলছেন \
         বলা বলেছে জানান জানিয়েছেন জানায় জানা গেছে যায় যাচ্ছে যাওয়া গিয়ে যাবে দেওয়া দেন দেয় দিয়েছেন দিতে দিয়েছে \
         নেওয়া নেয় নিতে নেন এক একটি একজন একটা দুই কিছু সব সকল অনেক আরও আরো এর এতে এটি এটা সেটি সেটা ওটা তবে \
         কিন্তু যদি যদিও তাহলে তাই কারণ যখন তখন এখন কখন যেখানে সেখানে এখানে যা যার যাদের যিনি যারা এসব সেসব এমন \
         যেমন তেমন প্রায় শুধু মাত্র খুব বেশি কম ইতিমধ্যে এছাড়া ছাড়া পারে পারেন পারবে উল্লেখ কথা সময় সময়ে গত আজ \
         গতকাল দিন বছর",
    )
});

/// Titles, offices and parts of names: where they stand, a person is named.
static NAME_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    word_set(
        "মন্ত্রী প্রধানমন্ত্রী প্রতিমন্ত্রী উপমন্ত্রী রাষ্ট্রপতি প্রেসিডেন্ট সভাপতি সম্পাদক চেয়ারম্যান পরিচালক মহাপরিচালক উপাচার্য \
         অধ্যাপক ড ডা মো বিচারপতি সচিব কর্মকর্তা কমিশনার মুখপাত্র অধিনায়ক অভিনেতা অভিনেত্রী শেখ সৈয়দ মোহাম্মদ মুহাম্মদ \
         আবদুল আব্দুল আবুল আহমেদ আহমদ হোসেন ইসলাম রহমান খান চৌধুরী বেগম খাতুন আলী উদ্দিন হক মিয়া হাসান কবির \
         দাস রায় সেন সাহা ঘোষ চন্দ্র কুমার",
    )
});

/// Words at the start of a sentence that lean on the sentence before it.
static LEANING_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    word_set(
        "তিনি তাঁর তার তারা তাঁরা তাদের তাঁদের তবে কিন্তু এ এই এতে এর এটি এটা সেটি এরপর এছাড়া এদিকে তাই কারণ ফলে তখন \
         সেখানে এখানে আর অন্যদিকে তারপরও তা এসব ওই সেই অবশ্য যদিও সুতরাং অতএব",
    )
});

/// Inflections that are taken off, longest first: classifiers, cases, plurals, emphatic particles.
static SUFFIXES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut suffixes: Vec<String> = "গুলোকে গুলোর গুলোতে গুলো গুলির গুলি দেরকে দের টিকে টির টিতে টি টাকে টার টা খানা খানি জনের \
         কে রা তে য়ে য়ের য় ের েরা েই ে র ই ও"
        .split_whitespace()
        .map(normal)
        .collect();
    suffixes.sort_by_key(|s| std::cmp::Reverse(s.chars().count()));
    suffixes
});

/// Those of them that only follow a vowel: আদালতে is আদালত + ে, not আদাল + তে.
static AFTER_VOWEL: LazyLock<HashSet<String>> = LazyLock::new(|| word_set("তে র রা য় য়ে য়ের"));

/// The words of a text: runs of Bengali letters and digits, of Latin letters, of Latin digits.
/// Everything else (danda, punctuation, spaces) parts them.
pub fn words(text: &str) -> Vec<String> {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Bengali,
        Latin,
        Digit,
        Other,
    }
    let class = |c: char| match c {
        '\u{0980}'..='\u{09ff}' => Class::Bengali,
        'a'..='z' | 'A'..='Z' => Class::Latin,
        '0'..='9' => Class::Digit,
        _ => Class::Other,
    };
    let text = normal(text);
    let (mut found, mut word, mut last) = (Vec::new(), String::new(), Class::Other);
    for c in text.chars() {
        let now = class(c);
        if now != last && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if now != Class::Other {
            word.push(c);
        }
        last = now;
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// A word without at most two of its inflections; three letters remain at least.
pub fn stem(word: &str) -> &str {
    let mut stem = word;
    for _ in 0..2 {
        let without = |suffix: &String| {
            let shorter = stem.strip_suffix(suffix.as_str())?;
            let fits = !AFTER_VOWEL.contains(suffix) || shorter.ends_with(is_vowel);
            (fits && shorter.chars().nth(2).is_some()).then_some(shorter)
        };
        match SUFFIXES.iter().find_map(without) {
            Some(shorter) => stem = shorter,
            None => break,
        }
    }
    stem
}

fn is_vowel(c: char) -> bool {
    matches!(c, '\u{0985}'..='\u{0994}' | '\u{09be}'..='\u{09cc}')
}

/// Stems of the words that carry meaning, in order.
pub fn content_stems(text: &str) -> Vec<String> {
    words(text)
        .iter()
        .filter(|w| !STOP_WORDS.contains(w.as_str()) && w.chars().nth(1).is_some())
        .map(|w| stem(w).to_string())
        .collect()
}

/// Whether the word (or its stem) is a title, an office or a common part of a name.
pub fn goes_with_names(word: &str) -> bool {
    NAME_WORDS.contains(word) || NAME_WORDS.contains(stem(word))
}

/// Whether a sentence that starts with this word needs the one before it to be understood.
pub fn leans_back(word: &str) -> bool {
    LEANING_WORDS.contains(word)
}

/// Whether a sentence speaks of somebody or something that only the sentence before names: "তিনি বলেন, …",
/// "…, বলেন তিনি।". A mere connective at its start can be left out and does not count.
pub fn needs_the_one_before(sentence: &str) -> bool {
    let words = words(sentence);
    let pronoun = |w: &String| matches!(w.as_str(), "তিনি" | "তারা" | "তাঁরা");
    let first = words.iter().find(|w| !is_connective(w));
    first.is_some_and(|w| leans_back(w)) || words.last().is_some_and(pronoun)
}

/// Words that only tie a sentence to the one before: the sentence stands without them.
static CONNECTIVES: LazyLock<HashSet<String>> =
    LazyLock::new(|| word_set("তবে কিন্তু তাই ফলে এদিকে এছাড়া আর অন্যদিকে তারপরও অবশ্য সুতরাং এরপর"));

/// Whether a sentence loses nothing without this first word.
pub fn is_connective(word: &str) -> bool {
    CONNECTIVES.contains(word)
}

/// Whether the word starts with a digit of either script.
pub fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| matches!(c, '0'..='9' | '০'..='৯'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_letter_are_one_word() {
        assert_eq!(words("আয়\u{200c}োজন"), words("আ\u{09af}\u{09bc}োজন"));
        assert_eq!(words("হয়েছে।পরে ১৭টি"), ["হয\u{09bc}েছে", "পরে", "১৭টি"]);
    }

    #[test]
    fn inflections_come_off_and_short_words_stay() {
        assert_eq!(stem("মামলাগুলোর"), "মামলা");
        assert_eq!(stem("আদালতের"), "আদালত");
        assert_eq!(stem("কে"), "কে");
    }

    #[test]
    fn sentences_that_lean_on_another() {
        for sentence in ["তিনি বলেন, পানি কমছে।", "পানি কমছে বলে জানান তিনি।", "তবে তাঁরা ফিরে আসেন।"]
        {
            assert!(needs_the_one_before(sentence), "{sentence}");
        }
        for sentence in ["তবে পদ্মার পানি কমছে।", "মন্ত্রী বলেন, তিনি ফিরবেন।", ""]
        {
            assert!(!needs_the_one_before(sentence), "{sentence}");
        }
    }

    #[test]
    fn stop_words_and_single_letters_are_left_out() {
        assert_eq!(content_stems("তিনি এই আদালতে ছিলেন"), ["আদালত"]);
    }
}
