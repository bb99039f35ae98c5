//! Summaries by extraction, measured against human ones and through the command line.
use anubad::article::{Article, Block, BlockKind};
use anubad::metrics::{Rouge, RougeTokenizer};
use anubad::summary::{Length, SummaryOptions, extractive};
use anubad::text::{Segment, segment::segments};
use assert_cmd::Command;

/// 195 Bengali news articles, each with three human extractive summaries, where they are at hand.
fn articles() -> Option<Vec<(Article, Vec<String>)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/articles_bnlpc.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the BNLPC articles are not there");
        return None;
    };
    let read = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| row[name].as_str().unwrap().to_string();
        let block = Block { kind: BlockKind::Paragraph, text: field("body"), range: 0..0 };
        let article = Article { title: Some(field("title")), blocks: vec![block], ..Default::default() };
        let summaries = row["summaries"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_string()).collect();
        (article, summaries)
    };
    Some(text.lines().map(read).collect())
}

/// Mean ROUGE-2 F1 against the nearest human summary.
fn rouge2<'a>(
    articles: impl Iterator<Item = &'a (Article, Vec<String>)>,
    choose: impl Fn(&Article, &[Segment]) -> Vec<usize>,
) -> f64 {
    let score = |(article, summaries): &(Article, Vec<String>)| {
        let segments = segments(article);
        let text: Vec<&str> = choose(article, &segments).into_iter().map(|i| segments[i].text.as_str()).collect();
        let text = text.join(" ");
        let of = |s: &String| Rouge::score(s, &text, RougeTokenizer::Whitespace).rouge2.f1;
        summaries.iter().map(of).fold(0.0, f64::max)
    };
    let scores: Vec<f64> = articles.map(score).collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// The first sentences of the body, three of them or as many whole ones as the words allow.
fn first_sentences(segments: &[Segment], length: Length) -> Vec<usize> {
    let body: Vec<usize> = (0..segments.len()).filter(|&i| segments[i].block.is_some()).collect();
    let mut words = 0;
    let fits = |&i: &usize| {
        words += segments[i].text.split_whitespace().count();
        length.words().is_none_or(|most| words <= most)
    };
    body.into_iter().take_while(fits).take(length.sentences(usize::MAX)).collect()
}

#[test]
fn extraction_beats_the_first_sentences_on_both_halves() {
    let Some(articles) = articles() else { return };
    for length in [Length::Sentences(3), Length::Words(65)] {
        let options = SummaryOptions { length, ..Default::default() };
        for (half, skip) in [("tuned", 0), ("held out", 1)] {
            let half_of = || articles.iter().skip(skip).step_by(2);
            let ours = rouge2(half_of(), |article, segments| extractive::select(article, segments, &options));
            let lead = rouge2(half_of(), |_, segments| first_sentences(segments, length));
            println!("{length:?} {half}: {ours:.4}, first sentences {lead:.4}");
            assert!(ours > lead, "{length:?} {half}: {ours:.4} against {lead:.4}");
        }
    }
}

const ARTICLE: &str = "# পদ্মায় পানি বাড়ছে\n\n\
    রাজশাহীতে পদ্মা নদীর পানি বিপৎসীমার ৩০ সেন্টিমিটার ওপর দিয়ে প্রবাহিত হচ্ছে বলে পানি উন্নয়ন বোর্ড জানিয়েছে। তিনি হাসলেন।\n\n\
    বন্যায় জেলার পাঁচটি উপজেলার ২০ হাজার মানুষ পানিবন্দী হয়ে পড়েছে এবং ৫০টি বিদ্যালয় বন্ধ ঘোষণা করা হয়েছে।\n";

fn summarize(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("anubad").unwrap().arg("summarize").args(arguments).write_stdin(ARTICLE).assert()
}

fn stdout(assert: assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn a_bengali_summary_is_made_without_any_model() {
    let text = stdout(summarize(&["--lang", "bn", "--sentences", "1"]).success());
    assert_eq!(text.lines().count(), 1);
    assert!(ARTICLE.contains(text.trim()) && text.contains("৩০"), "{text}");
    let bullets = stdout(summarize(&["--lang", "bn", "--style", "bullets", "--sentences", "2", "-"]).success());
    assert_eq!(bullets.lines().filter(|l| l.starts_with("- ")).count(), 2, "{bullets}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(summarize(&["--lang", "bn", "--format", "json"]).success())).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["summary"]["method"], "extractive");
    let headline = stdout(summarize(&["--lang", "bn", "--style", "headline"]).success());
    assert_eq!(headline.trim(), "পদ্মায় পানি বাড়ছে");
}

#[test]
fn wrong_arguments_are_a_usage_error_and_missing_models_advice() {
    summarize(&["--sentences", "0"]).code(2);
    summarize(&["--sentences", "2", "--words", "9"]).code(2);
    summarize(&["--style", "poem"]).code(2);
    let failed = summarize(&["--lang", "bn", "--summary-method", "direct"]).code(2);
    let error = String::from_utf8(failed.get_output().stderr.clone()).unwrap();
    assert!(error.contains("--summary-model") && error.lines().count() == 1, "{error}");
}
