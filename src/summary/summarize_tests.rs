use super::*;
use crate::article::Segment;
use crate::article::{Article, Block, BlockKind};
use crate::error::{ModelError, SettingsError};
use crate::summary::TextGenerator;
use crate::summary::{Generated, Translated};
use std::sync::Mutex;

/// Answers each attempt with the next of its texts (the last one for ever after), and remembers what it was asked.
struct Scripted {
    answers: Vec<&'static str>,
    asked: Mutex<Vec<Request>>,
}

impl Scripted {
    fn new(answers: &[&'static str]) -> Self {
        Self { answers: answers.to_vec(), asked: Mutex::default() }
    }
}

impl TextGenerator for Scripted {
    fn generate(&self, requests: &[Request]) -> Result<Vec<Generated>> {
        let answer = |request: &Request| {
            self.asked.lock().unwrap().push(request.clone());
            let text = self.answers[(request.attempt as usize).min(self.answers.len() - 1)];
            if text == "error" {
                Err(Error::Model(ModelError::damaged("out of luck")))
            } else {
                Ok(Generated { text: text.into(), finished: true })
            }
        };
        requests.iter().map(answer).collect()
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        Ok(text.split_whitespace().count())
    }

    fn limit(&self) -> usize {
        200
    }
}

const BENGALI: [&str; 4] = [
    "পদ্মা নদীর পানি রাজশাহীতে বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে বইছে।",
    "বন্যায় জেলার পাঁচটি উপজেলার ২০ হাজার মানুষ পানিবন্দী হয়েছে।",
    "জেলা প্রশাসক আবদুল করিম জানান, ৫০টি বিদ্যালয় বন্ধ ঘোষণা করা হয়েছে।",
    "ত্রাণ হিসেবে ১০০ টন চাল দেওয়া হয়েছে।",
];
const ENGLISH: [&str; 4] = [
    "The water of the Padma river is flowing 30 centimetres above the danger level in Rajshahi.",
    "The flood has stranded 20,000 people in five upazilas of the district.",
    "Deputy Commissioner Abdul Karim said that 50 schools were closed.",
    "As relief 100 tonnes of rice were given.",
];

fn good(text: &str) -> Translated {
    Translated { text: text.into(), ..Translated::default() }
}

fn article(title: Option<&str>) -> (Article, Vec<Segment>, Vec<Translated>) {
    let text = BENGALI.join(" ");
    let block = Block { kind: BlockKind::Paragraph, range: 0..text.len(), text };
    let article = Article { title: title.map(String::from), blocks: vec![block], ..Default::default() };
    let (mut segments, mut english) = (Vec::new(), Vec::new());
    if let Some(title) = title {
        segments.push(Segment { block: None, sentence: 0, text: title.into(), range: 0..title.len() });
        english.push(good("Padma on the rise."));
    }
    for (sentence, text) in BENGALI.iter().enumerate() {
        segments.push(Segment { block: Some(0), sentence, text: text.to_string(), range: 0..0 });
        english.push(good(ENGLISH[sentence]));
    }
    (article, segments, english)
}

fn run(options: &SummaryOptions, answers: &[&'static str], title: Option<&str>) -> Result<Summary> {
    let (article, segments, english) = article(title);
    let input = SummaryInput { article: &article, segments: &segments, translated: Some(&english), translate: None };
    let generator = Scripted::new(answers);
    let writer =
        Writer { generator: &generator, method: Method::Abstractive, language: Language::English, model: "scripted" };
    summarize(&input, options, &Makers { writer: (!answers.is_empty()).then_some(writer), ..Makers::default() })
}

const TITLE: Option<&str> = Some("পদ্মায় পানি বাড়ছে");

#[test]
fn without_a_writer_sentences_of_the_article_are_translated_and_only_those() {
    let (article, segments, _) = article(TITLE);
    let translate = |texts: &[String]| -> Result<Vec<Translated>> {
        assert!(texts.len() <= 2);
        Ok(texts.iter().map(|t| good(&format!("<{t}>"))).collect())
    };
    let input = SummaryInput { article: &article, segments: &segments, translated: None, translate: Some(&translate) };
    let summary = summarize(&input, &SummaryOptions::default(), &Makers::default()).unwrap();
    assert_eq!((summary.method, summary.headline), (Method::Extractive, None));
    assert_eq!(summary.chosen.len(), 2);
    assert_eq!(summary.sentences[0], format!("<{}>", segments[summary.chosen[0]].text));
}

/// The translation of one sentence is doubtful.
fn doubtful(text: &str) -> Translated {
    Translated {
        text: text.into(),
        doubt: Some(warning(FindingKind::NumberChanged, "20 is 30".into())),
        ..Translated::default()
    }
}

#[test]
fn a_sentence_that_is_badly_translated_makes_room() {
    let (article, segments, mut english) = article(TITLE);
    let options = SummaryOptions { length: Length::Sentences(2), ..Default::default() };
    let of = |input: &SummaryInput| summarize(input, &options, &Makers::default()).unwrap();
    let input = SummaryInput { article: &article, segments: &segments, translated: Some(&english), translate: None };
    let bad = of(&input).chosen[1];
    english[bad] = doubtful("All wrong.");
    let input = SummaryInput { article: &article, segments: &segments, translated: Some(&english), translate: None };
    let others = of(&input).chosen;
    assert!(others.len() == 2 && !others.contains(&bad), "{bad}: {others:?}");
    // the same where only what is chosen is translated
    let translate = |texts: &[String]| -> Result<Vec<Translated>> {
        let one = |t: &String| if *t == segments[bad].text { doubtful(t) } else { good(t) };
        Ok(texts.iter().map(one).collect())
    };
    let input = SummaryInput { article: &article, segments: &segments, translated: None, translate: Some(&translate) };
    let summary = of(&input);
    assert_eq!((summary.chosen, summary.findings), (others, vec![]));
    // and where nothing better is to be had, the doubt is passed on
    let translate = |texts: &[String]| -> Result<Vec<Translated>> { Ok(texts.iter().map(|t| doubtful(t)).collect()) };
    let input = SummaryInput { article: &article, segments: &segments, translated: None, translate: Some(&translate) };
    let summary = of(&input);
    assert_eq!(summary.findings[0].segment, Some(summary.chosen[0]));
}

#[test]
fn no_sentence_begins_with_what_ties_it_to_one_that_is_missing() {
    let (article, segments, mut english) = article(TITLE);
    let options = SummaryOptions { length: Length::Sentences(1), ..Default::default() };
    english.iter_mut().for_each(|t| t.text = format!("However, {}", t.text));
    let input = SummaryInput { article: &article, segments: &segments, translated: Some(&english), translate: None };
    let summary = summarize(&input, &options, &Makers::default()).unwrap();
    assert!(ENGLISH.contains(&summary.sentences[0].as_str()), "{:?}", summary.sentences);
    let all = SummaryOptions { length: Length::Sentences(9), ..options };
    let summary = summarize(&input, &all, &Makers::default()).unwrap();
    assert!(summary.sentences[1].starts_with("However"), "it follows on what it refers to: {:?}", summary.sentences);
}

#[test]
fn neither_the_title_again_nor_talk_about_the_article() {
    let text = "Padma on the rise. The article discusses the river. The river Padma is above the danger level.";
    let summary = run(&SummaryOptions::default(), &[text], TITLE).unwrap();
    assert_eq!(summary.sentences, ["The river Padma is above the danger level."]);
    assert!(summary.findings.iter().any(|f| f.message.contains("speaks of the article")), "{:?}", summary.findings);
}

#[test]
fn a_summary_in_the_wrong_language_is_none() {
    let summary = run(&SummaryOptions::default(), &["পদ্মা নদীর পানি বাড়ছে।"], TITLE).unwrap();
    assert_eq!(summary.method, Method::Extractive);
    assert!(summary.findings.iter().any(|f| f.message.contains("wrong language")), "{:?}", summary.findings);
}

#[test]
fn a_bengali_summary_needs_no_translation() {
    let (article, segments, _) = article(None);
    let input = SummaryInput { article: &article, segments: &segments, translated: None, translate: None };
    let options = SummaryOptions { language: Language::Bengali, ..Default::default() };
    let summary = summarize(&input, &options, &Makers::default()).unwrap();
    assert!(summary.sentences.iter().all(|s| BENGALI.contains(&s.as_str())));
    assert!(summary.headline.is_some_and(|h| !h.ends_with('।')));
    let english = summarize(&input, &SummaryOptions::default(), &Makers::default()).unwrap_err();
    assert!(matches!(english, Error::Settings(SettingsError::NoTranslationModel(_))), "{english}");
}

#[test]
fn what_the_article_bears_out_stays() {
    let text =
        "Sure! Here is a summary: The Padma is 30 centimetres above the danger level. It stranded 20,000 people.";
    let summary = run(&SummaryOptions::default(), &[text], TITLE).unwrap();
    assert_eq!(
        summary.sentences,
        ["The Padma is 30 centimetres above the danger level.", "It stranded 20,000 people."]
    );
    assert_eq!((summary.method, summary.model.as_deref()), (Method::Abstractive, Some("scripted")));
    assert!(summary.findings.is_empty(), "{:?}", summary.findings);
}

#[test]
fn an_invention_is_written_again_and_reported() {
    let first = "The Padma is 30 centimetres above the danger level. It stranded 90,000 people.";
    let second = "The river Padma is above the danger level by 30 centimetres. Some 20,000 people are stranded.";
    let summary = run(&SummaryOptions::default(), &[first, second], TITLE).unwrap();
    assert_eq!(
        summary.sentences,
        ["The Padma is 30 centimetres above the danger level.", "Some 20,000 people are stranded."]
    );
    assert_eq!(summary.findings.len(), 1);
    assert!(summary.findings[0].message.contains("90"), "{:?}", summary.findings);
}

#[test]
fn where_nothing_holds_the_article_speaks_for_itself() {
    for answer in ["Johnson flooded London with 7,777 litres.", "error", "", "Sure! Let me know if you need more."] {
        let summary = run(&SummaryOptions::default(), &[answer], TITLE).unwrap();
        assert_eq!((summary.method, summary.model.as_deref()), (Method::Extractive, None), "{answer}");
        assert!(summary.sentences.iter().all(|s| ENGLISH.contains(&s.as_str())));
        assert!(summary.findings.iter().any(|f| f.kind == FindingKind::Unsupported), "{answer}");
    }
}

#[test]
fn an_article_without_a_title_gets_a_headline() {
    let model = run(&SummaryOptions::default(), &["The Padma is above the danger level."], None).unwrap();
    assert_eq!(model.headline.as_deref(), Some("The Padma is above the danger level"));
    let extracted = run(&SummaryOptions::default(), &[], None).unwrap().headline.unwrap();
    assert!(ENGLISH.iter().any(|s| s.starts_with(&extracted)), "{extracted}");
    let style = SummaryOptions { style: Style::Headline, ..Default::default() };
    assert_eq!(run(&style, &[], TITLE).unwrap().sentences, ["Padma on the rise"]);
}

#[test]
fn length_is_kept_by_whole_sentences() {
    let text = "The Padma is above the danger level. Some 20,000 people are stranded. About 50 schools were closed. Rice was given.";
    for (length, wanted) in
        [(Length::Sentences(1), 1), (Length::Sentences(3), 3), (Length::Words(13), 1), (Length::Words(1), 1)]
    {
        let options = SummaryOptions { length, ..Default::default() };
        assert_eq!(run(&options, &[text], TITLE).unwrap().sentences.len(), wanted, "{length:?}");
    }
    let bullets = SummaryOptions { style: Style::Bullets, length: Length::Sentences(2), ..Default::default() };
    assert_eq!(run(&bullets, &[text], TITLE).unwrap().text().matches("- ").count(), 2);
}

#[test]
fn a_way_that_cannot_be_had_is_refused_with_advice() {
    for (method, language) in [
        (MethodChoice::Abstractive, Language::English),
        (MethodChoice::Direct, Language::English),
        (MethodChoice::Direct, Language::Bengali),
    ] {
        let options = SummaryOptions { method, language, ..Default::default() };
        let refused = run(&options, &[], TITLE).unwrap_err();
        assert!(matches!(refused, Error::Settings(SettingsError::SummaryModel(_))), "{refused}");
    }
    let options = SummaryOptions { method: MethodChoice::Direct, ..Default::default() };
    assert!(run(&options, &["Text."], TITLE).unwrap_err().to_string().contains("abstractive"));
}

#[test]
fn an_empty_article_is_an_input_error() {
    let article = Article::default();
    let input = SummaryInput { article: &article, segments: &[], translated: Some(&[]), translate: None };
    assert!(matches!(summarize(&input, &SummaryOptions::default(), &Makers::default()), Err(Error::Input(_))));
}
