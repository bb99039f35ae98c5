//! The built-in model shortens English sentences: its real weights with their real adapter.
use assert_cmd::Command;
use serde_json::Value;

/// Written for this test; what must stay is beside each.
const SENTENCES: [(&str, &[&str]); 6] = [
    (
        "The district administration, which has been under heavy pressure from residents for several months, did not approve the new plan to build a bridge over the river.",
        &["did not approve"],
    ),
    (
        "Police said on Tuesday evening that some 500 people had gathered in front of the old courthouse in the middle of the town to protest peacefully.",
        &["Police said", "500 people"],
    ),
    (
        "According to the ministry, the price of rice may rise again in the coming weeks because of the floods in the northern districts of the country.",
        &["According to", "may rise"],
    ),
    (
        "The well-known writer, who was born in a small village near Barisal, will receive the national award at a ceremony in Dhaka next Friday.",
        &[],
    ),
    (
        "A spokesman for the company, speaking to reporters outside the building, denied that any money had been paid to the former minister.",
        &["denied"],
    ),
    ("It rained all day.", &["It rained all day."]),
];

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

fn anubad(arguments: &[&str], input: &str) -> String {
    let done = Command::cargo_bin("anubad").unwrap().args(arguments).write_stdin(input).assert().success();
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

#[test]
fn short_forms_are_the_sentence_with_words_left_out_and_keep_what_carries_its_meaning() {
    let input: String = SENTENCES.iter().map(|(sentence, _)| format!("{sentence}\n")).collect();
    let output = anubad(&["summarize", "--shorten", "--lines", "-q"], &format!("{input}\n"));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), SENTENCES.len() + 1, "{output}");
    let (mut before, mut after) = (0, 0);
    for ((sentence, stays), line) in SENTENCES.iter().zip(&lines) {
        let (whole, kept) = (words(sentence), words(line));
        let mut rest = whole.iter();
        let article = |a: &str, b: &str| a == b || matches!((a, b), ("a", "an") | ("an", "a"));
        assert!(kept.iter().all(|word| rest.any(|other| article(word, other))), "{sentence} -> {line}");
        assert!(stays.iter().all(|part| line.to_lowercase().contains(&part.to_lowercase())), "{sentence} -> {line}");
        (before, after) = (before + whole.len(), after + kept.len());
    }
    assert_eq!(lines[SENTENCES.len()], "", "an empty line stays empty");
    assert!(after * 10 < before * 8, "{after} of {before} words are left:\n{output}");
}

const ARTICLE: &str = "রাজশাহীতে পদ্মা নদীর পানি বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে প্রবাহিত হচ্ছে বলে পানি উন্নয়ন বোর্ড জানিয়েছে।\n\n\
    বন্যায় জেলার পাঁচটি উপজেলার ২০ হাজার মানুষ পানিবন্দী হয়ে পড়েছে এবং গতকাল মঙ্গলবার থেকে ৫০টি বিদ্যালয় বন্ধ ঘোষণা করা হয়েছে।\n\n\
    জেলা প্রশাসক জানিয়েছেন, ক্ষতিগ্রস্ত পরিবারগুলোর মধ্যে ত্রাণ হিসেবে ১০০ টন চাল বিতরণ করা হয়েছে।\n";

#[test]
fn summaries_are_shortened_and_say_so_and_whole_ones_are_to_be_had() {
    let summary = |arguments: &[&str]| -> Value {
        let arguments = [&["summarize", "--format", "json", "-q"], arguments].concat();
        serde_json::from_str::<Value>(&anubad(&arguments, ARTICLE)).unwrap()["summary"].take()
    };
    let length = |summary: &Value| {
        summary["sentences"].as_array().unwrap().iter().map(|s| words(s.as_str().unwrap()).len()).sum::<usize>()
    };
    let (short, whole) = (summary(&["--sentences", "3"]), summary(&["--sentences", "3", "--summary", "extractive"]));
    assert_eq!((&short["method"], &whole["method"]), (&"shortened".into(), &"extractive".into()));
    assert_eq!(short["model"], "anubad-270m-bn-en");
    assert_eq!(short["chosen"], whole["chosen"]);
    assert!(length(&short) < length(&whole), "{short}\n{whole}");
    let by = |summary: &Value| {
        summary["origins"].as_array().unwrap().iter().filter(|o| o["shortened_by"].is_string()).count()
    };
    assert!(by(&short) > 0 && by(&whole) == 0);
    for words in ["12", "20", "30"] {
        let short = summary(&["--words", words]);
        let most: usize = words.parse::<usize>().unwrap() * 6 / 5;
        let said = short["findings"].to_string().contains("not ");
        assert!(length(&short) <= most || said, "{words}: {short}");
    }
}
