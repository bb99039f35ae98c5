//! Summaries: extraction measured against human ones, and every way through the command line.
use anubad::article::segment::{Segment, segments};
use anubad::article::{Article, Block, BlockKind};
use anubad::assembly::{Model, ModelOptions};
use anubad::hub::{HubConfig, ResolveOptions, resolve};
use anubad::metrics::{Rouge, RougeTokenizer};
use anubad::summary::{Length, SummaryOptions, extractive};
use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// 195 Bengali news articles, each with three human extractive summaries.
fn articles() -> Vec<(Article, Vec<String>)> {
    let text = super::external::text("articles_bnlpc.jsonl");
    let read = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| row[name].as_str().unwrap().to_string();
        let block = Block { kind: BlockKind::Paragraph, text: field("body"), range: 0..0 };
        let article = Article { title: Some(field("title")), blocks: vec![block], ..Default::default() };
        let summaries = row["summaries"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_string()).collect();
        (article, summaries)
    };
    text.lines().map(read).collect()
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
#[ignore = "needs ANUBAD_TEST_DATA: scripts/test-external"]
fn external_extraction_beats_the_first_sentences_on_both_halves() {
    let articles = articles();
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

/// A checkpoint of random weights: what it writes is noise, the way there and back is not.
struct Noise {
    _folder: tempfile::TempDir,
    manifest: PathBuf,
    cache: PathBuf,
}

/// The fixture `name` in the Hub's cache, under a manifest with these lines besides the usual ones.
fn noise(name: &str, lines: &str) -> Noise {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parity");
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(root.join(format!("{name}.tar.zst"))).unwrap();
    tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(folder.path()).unwrap();
    let cache = folder.path().join("cache");
    let repo = cache.join("models--toy--noise");
    std::fs::create_dir_all(repo.join("snapshots")).unwrap();
    std::fs::rename(folder.path().join(name), repo.join("snapshots").join(COMMIT)).unwrap();
    let manifest = folder.path().join("noise.toml");
    let text = format!(
        "format = 1\nid = \"noise\"\nname = \"Noise\"\ntask = \"summarize\"\narchitecture = \"{name}\"\n{lines}\n\
         [[source]]\nkind = \"hub\"\nrepo = \"toy/noise\"\nrevision = \"{COMMIT}\"\nweights = [\"model.safetensors\"]\n\
         files = [\"config.json\"]\n[license]\nspdx = \"MIT\"\nsummary = \"Noise.\"\n"
    );
    std::fs::write(&manifest, text).unwrap();
    Noise { _folder: folder, manifest, cache }
}

impl Noise {
    fn summarize(&self, article: &str, arguments: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = Command::cargo_bin("anubad").unwrap();
        command.env("HF_HUB_CACHE", &self.cache).arg("summarize").arg("--summary-model").arg(&self.manifest);
        command.args(arguments).write_stdin(article).assert()
    }

    /// The summary as JSON.
    fn summary(&self, article: &str, arguments: &[&str]) -> serde_json::Value {
        let text = stdout(self.summarize(article, &[arguments, &["--format", "json"]].concat()).success());
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!json["text"].as_str().unwrap().trim().is_empty(), "{json}");
        json["summary"].take()
    }
}

const READS_BOTH: &str = "languages = { source = { bn = \"\", en = \"\" }, target = { en = \"\" } }";
const READS_ENGLISH: &str = "languages = { source = { en = \"\" }, target = { en = \"\" } }";
const SHORT: &str =
    "limits = { input_tokens = 100, output_tokens = 24 }\ndecoding = { beams = 2, max_new_tokens = 24 }";

/// The article ten times over, with a number of its own each time.
fn long_article() -> String {
    let paragraph = |i: usize| {
        format!("জেলার {} নম্বর ইউনিয়নে বন্যার পানি কমতে শুরু করেছে এবং মানুষ বাড়ি ফিরছে। নদীর পানি এখনো অনেক।\n\n", i + 3)
    };
    format!("{ARTICLE}\n{}", (0..10).map(paragraph).collect::<String>())
}

#[test]
fn models_that_read_articles_write_summaries_or_make_way() {
    for (name, lines, method) in
        [("bart", READS_ENGLISH, "abstractive"), ("t5", READS_ENGLISH, "abstractive"), ("mt5", READS_BOTH, "direct")]
    {
        let model = noise(name, &format!("{lines}\n{SHORT}"));
        let summary = model.summary(ARTICLE, &[]);
        let findings = summary["findings"].to_string();
        match summary["method"].as_str().unwrap() {
            "extractive" => {
                assert!(findings.contains("stand in its place") && summary["model"].is_null(), "{name}: {summary}")
            }
            written => assert!(written == method && summary["model"] == "noise", "{name}: {summary}"),
        }
        // the way follows from the manifest, and no other is to be had
        let other = if method == "direct" { "abstractive" } else { "direct" };
        let wanted = model.summarize(ARTICLE, &["--summary-method", other, "--quiet"]);
        match name {
            // what reads both languages does both
            "mt5" => drop(wanted.success()),
            _ => {
                let error = String::from_utf8(wanted.code(2).get_output().stderr.clone()).unwrap();
                assert!(error.contains("writes abstractive summaries"), "{name}: {error}");
            }
        }
        // a Bengali summary is not in its power: the article speaks
        let bengali = model.summary(ARTICLE, &["--lang", "bn"]);
        assert_eq!((&bengali["method"], &bengali["language"]), (&"extractive".into(), &"bn".into()), "{name}");
        assert!(bengali["findings"].to_string().contains("does not write in the language"), "{name}: {bengali}");
    }
}

#[test]
fn an_article_longer_than_the_model_is_read_in_parts_and_that_is_said() {
    let model = noise("mt5", &format!("{READS_BOTH}\n{SHORT}"));
    let said = model.summarize(&long_article(), &["--style", "bullets", "--sentences", "2"]).success();
    let error = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    assert!(error.contains("parts"), "{error}");
    assert!(stdout(said).lines().all(|line| line.starts_with("- ")));
}

#[test]
fn the_task_prefix_of_the_manifest_stands_before_the_text() {
    let with = noise("t5", &format!("{READS_ENGLISH}\nprompt = {{ prefix = \"summarize: \" }}"));
    let without = noise("t5", READS_ENGLISH);
    let encode = |noise: &Noise, text: &str| {
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = noise.cache.clone();
        let options = ResolveOptions { download: false, config: Some(config) };
        let resolved = resolve(noise.manifest.to_str().unwrap(), &options).unwrap();
        Model::open(&resolved, &ModelOptions::default()).unwrap().tokenizer.encode_source(text).unwrap()
    };
    assert_eq!(encode(&with, "The flood"), encode(&without, "summarize: The flood"));
    assert_ne!(encode(&with, "The flood"), encode(&without, "The flood"));
}

#[test]
fn a_summary_is_checked_and_mended_like_a_translation() {
    // the model's first try at this sentence has another number (the README's example)
    let article = "বুধবার একদিনে ৭২৮টি ড্রোন এবং ১৩টি ক্ষেপণাস্ত্র ছোড়া হয়।";
    let run = |command: &str| {
        let out = Command::cargo_bin("anubad").unwrap().args([command, "--quiet"]).write_stdin(article).assert();
        stdout(out.success())
    };
    let (translated, summary) = (run("translate"), run("summarize"));
    assert!(summary.contains("728"), "{summary}");
    let sentence = summary.trim().lines().last().unwrap();
    assert!(translated.contains(sentence), "{translated}\n{summary}");
}

#[test]
fn translate_and_bulk_take_the_same_options() {
    let options = ["--sentences", "1", "--style", "bullets", "--lang", "bn", "--summary-method", "extractive"];
    let mut translate = Command::cargo_bin("anubad").unwrap();
    let text = stdout(translate.args(["translate", "--quiet"]).args(options).write_stdin(ARTICLE).assert().success());
    assert!(text.contains("৩০ সেন্টিমিটার") && text.contains("30"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let (feed, out) = (folder.path().join("a.md"), folder.path().join("out.jsonl"));
    std::fs::write(&feed, ARTICLE.split_once('\n').unwrap().1.trim()).unwrap();
    let mut bulk = Command::cargo_bin("anubad").unwrap();
    bulk.arg("bulk").arg("--quiet").arg(&feed).arg("-o").arg(&out).args(options).assert().success();
    let record: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&out).unwrap().trim()).unwrap();
    assert!(record["summary"].as_str().unwrap().contains("৩০ সেন্টিমিটার"), "{record}");
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
