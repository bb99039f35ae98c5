//! The job as a whole, with a toy for a translator.
use super::toy::{FAIL, PANIC, PANIC_LATE, REPAIR, Toy, ToySteps};
use super::*;
use crate::error::ModelError;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A folder with a feed of `n` articles, every fifth of which cannot be read.
struct Place {
    dir: tempfile::TempDir,
}

fn line(n: usize, extra: &str) -> String {
    format!(
        "{{\"id\":\"g{n}\",\"title\":\"শিরোনাম {n}\",\"body\":\"প্রথম বাক্য {n}।\\nএকই বাক্য সবার।{extra}\",\"tag\":{n}}}\n"
    )
}

impl Place {
    fn new(lines: impl Iterator<Item = String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("feed.jsonl"), lines.collect::<String>()).unwrap();
        Self { dir }
    }

    fn usual(n: usize) -> Self {
        Self::new((1..=n).map(|i| if i % 5 == 0 { format!("{{\"broken\": {i}\n") } else { line(i, "") }))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self, out: &str) -> BulkOptions {
        BulkOptions { input: vec![self.path("feed.jsonl")], output: self.path(out), ..BulkOptions::default() }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn go(options: &BulkOptions) -> Result<Report> {
    run(&Toy::new(), &ToySteps, options, &Stop::default())
}

fn records(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn records_come_in_the_order_of_the_input_and_errors_beside_them() {
    let place = Place::usual(40);
    let toy = Toy::new();
    let options =
        BulkOptions { include_source: true, report: Some(place.path("r.json")), ..place.options("out.jsonl") };
    let report = run(&toy, &ToySteps, &options, &Stop::default()).unwrap();
    assert!(report.complete && (report.written, report.failed) == (32, 8), "{report}");
    let records = records(&place.read("out.jsonl"));
    assert_eq!(records.len(), 32);
    let numbers: Vec<u64> = records.iter().map(|r| r["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=40).filter(|n| n % 5 != 0).collect::<Vec<_>>());
    assert_eq!(records[5]["text"], "en(7। বাক্য প্রথম)\n\nen(সবার। বাক্য একই)");
    assert_eq!(
        (&records[5]["id"], &records[5]["extra"]["tag"], &records[5]["model"]["id"]),
        (&"g7".into(), &7.into(), &"toy".into())
    );
    assert_eq!(records[5]["source"]["title"], "শিরোনাম 7");
    // Title and first sentence of each, and the common one once.
    assert_eq!(toy.translated.load(Ordering::Relaxed), 2 * 32 + 1);
    let errors = self::records(&place.read("out.jsonl.errors.jsonl"));
    assert_eq!((errors.len(), &errors[1]["n"], &errors[1]["place"]["line"]), (8, &10.into(), &10.into()));
    let json: serde_json::Value = serde_json::from_str(&place.read("r.json")).unwrap();
    assert_eq!((&json["written"], &json["sentences_reused"]), (&32.into(), &31.into()));
    // Once more: nothing is done, and the result is the same.
    let again = run(&toy, &ToySteps, &options, &Stop::default()).unwrap();
    assert!(again.complete && (again.written, again.total_written, again.total_failed) == (0, 32, 8));
    assert_eq!(toy.translated.load(Ordering::Relaxed), 65);
}

/// A toy whose user wishes to stop, in each call, after so many sentences.
struct Impatient {
    toy: Toy,
    stop: Stop,
    after: usize,
    signal: i32,
    /// A translation that never comes back.
    withheld: Option<&'static str>,
}

impl Impatient {
    fn new(stop: &Stop) -> Self {
        Self { toy: Toy::new(), stop: stop.clone(), after: 0, signal: 0, withheld: None }
    }
}

impl crate::engine::Translate for Impatient {
    fn identity(&self) -> &crate::engine::ModelIdentity {
        self.toy.identity()
    }

    fn translate_stream(
        &self,
        jobs: &mut (dyn Iterator<Item = crate::engine::Job> + Send),
        done: &mut (dyn FnMut(u64, Result<crate::engine::Outcome>) -> bool + Send),
    ) -> Result<()> {
        let mut count = 0;
        self.toy.translate_stream(jobs, &mut |id, outcome| {
            count += 1;
            if count == self.after {
                self.stop.wish(self.signal);
            }
            let withheld = outcome.as_ref().is_ok_and(|o| Some(o.text.as_str()) == self.withheld);
            withheld || done(id, outcome)
        })
    }
}

/// Stops a run after every few sentences and goes on, in every format; what comes out is what an uninterrupted run
/// gives.
#[test]
fn an_interrupted_run_ends_as_an_uninterrupted_one() {
    let cases = [
        (OutputFormat::Jsonl, None),
        (OutputFormat::Jsonl, Some(Compression::Zst)),
        (OutputFormat::Csv, None),
        (OutputFormat::Csv, Some(Compression::Gz)),
        (OutputFormat::Rss, None),
        (OutputFormat::Atom, Some(Compression::Gz)),
        (OutputFormat::Markdown, None),
        (OutputFormat::Markdown, Some(Compression::Gz)),
    ];
    for (format, compress) in cases {
        let place = Place::usual(60);
        let options = |out: &str| BulkOptions { format, compress, window_articles: 8, ..place.options(out) };
        go(&options("whole")).unwrap();
        let mut runs = 0;
        loop {
            runs += 1;
            assert!(runs < 60, "{format:?}: no progress");
            let stop = Stop::default();
            let report = run(
                &Impatient { after: 11 + runs % 7, signal: 2, ..Impatient::new(&stop) },
                &ToySteps,
                &options("parts"),
                &stop,
            )
            .unwrap();
            if format == OutputFormat::Rss && place.path("parts").exists() {
                rss::Channel::read_from(&std::fs::read(place.path("parts")).unwrap()[..]).unwrap();
            }
            if report.complete {
                break;
            }
            assert_eq!(stop.signal(), Some(2));
        }
        assert!(runs > 3, "{format:?} {compress:?}: interrupted {runs} times");
        let read = |name: &str| match format {
            OutputFormat::Markdown => {
                let mut files: Vec<_> =
                    std::fs::read_dir(place.path(name)).unwrap().map(|f| f.unwrap().path()).collect();
                files.sort();
                files
                    .iter()
                    .flat_map(|f| [f.file_name().unwrap().as_encoded_bytes().to_vec(), std::fs::read(f).unwrap()])
                    .collect::<Vec<_>>()
            }
            _ => vec![std::fs::read(place.path(name)).unwrap()],
        };
        assert_eq!(read("whole"), read("parts"), "{format:?} {compress:?}");
        assert_eq!(place.read("whole.errors.jsonl"), place.read("parts.errors.jsonl"), "{format:?}");
    }
}

#[test]
fn what_has_changed_is_noticed_and_refused_with_advice() {
    let place = Place::usual(30);
    let stop = Stop::default();
    let slow = |stop: &Stop| {
        let toy = Toy { slow: Duration::from_millis(2), ..Toy::new() };
        let waiting = stop.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            waiting.wish(15);
        });
        run(&toy, &ToySteps, &place.options("out"), stop)
    };
    assert!(!slow(&stop).unwrap().complete);
    let refused = |result: Result<Report>, what: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Bulk(BulkError::Changed { .. } | BulkError::Foreign(_))), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    refused(
        run(&Toy::named("other"), &ToySteps, &place.options("out"), &Stop::default()),
        "model toy (0123, none), not other",
    );
    refused(go(&BulkOptions { include_source: true, ..place.options("out") }), "include_source: false then, true now");
    let feed = place.read("feed.jsonl");
    std::fs::write(place.path("feed.jsonl"), feed.replacen("প্রথম", "পরথম", 1)).unwrap();
    refused(go(&place.options("out")), "size differs");
    std::fs::write(place.path("feed.jsonl"), feed.replacen("প্রথম বাক্য", "প্রথম বাক্ষ", 1)).unwrap();
    refused(go(&place.options("out")), "first");
    assert!(go(&BulkOptions { resume: Resume::Anyway, ..place.options("out") }).unwrap().complete);
    std::fs::write(place.path("feed.jsonl"), [feed.clone(), line(31, "")].concat()).unwrap();
    refused(go(&place.options("out")), "size differs");
    std::fs::write(place.path("feed.jsonl"), &feed).unwrap();
    let report = go(&BulkOptions { resume: Resume::Fresh, ..place.options("out") }).unwrap();
    assert_eq!((report.resumed_after, report.written), (0, 24));
    std::fs::write(place.path("mine"), "x").unwrap();
    refused(go(&place.options("mine")), "has no journal beside it");
    assert_eq!(place.read("mine"), "x");
}

/// Issue: `--fresh` took every file that looked like an article of ours.
#[test]
fn starting_over_deletes_what_the_journal_names_and_nothing_else() {
    let place = Place::usual(5);
    let options = |resume| BulkOptions { format: OutputFormat::Markdown, resume, ..place.options("out") };
    go(&options(Resume::Auto)).unwrap();
    let names = || -> Vec<String> {
        let files = std::fs::read_dir(place.path("out")).unwrap().flatten();
        let mut names: Vec<String> = files.map(|f| f.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let ours = names();
    for mine in ["000001-mine.md", "123456.md", "notes.md"] {
        std::fs::write(place.path("out").join(mine), "mine").unwrap();
    }
    std::fs::write(place.path("out").join(&ours[0]), "changed").unwrap();
    // The same articles in another format: those of the first run go.
    go(&BulkOptions { format: OutputFormat::Html, ..options(Resume::Fresh) }).unwrap();
    let left = names();
    assert!(["000001-mine.md", "123456.md", "notes.md"].iter().all(|mine| left.iter().any(|n| n == mine)), "{left:?}");
    assert!(ours.iter().all(|name| !left.contains(name)), "{ours:?} of {left:?}");
}

#[test]
fn a_second_process_is_refused() {
    let place = Place::usual(5);
    go(&place.options("out")).unwrap();
    let _held = store::lock::Lock::take(&place.path("out.journal/lock"), &place.path("out")).unwrap();
    let error = go(&place.options("out")).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
}

#[test]
fn panics_and_failures_cost_their_own_article() {
    let text = |i: usize| match i {
        4 => line(i, &format!("\\n{PANIC} এখানে।")),
        9 => line(i, &format!("\\n{FAIL} এখানে।")),
        14 => line(i, &format!("\\n{PANIC_LATE} এখানে।")),
        _ => line(i, ""),
    };
    let place = Place::new((1..=30).map(text));
    let report = go(&place.options("out")).unwrap();
    assert_eq!((report.written, report.failed, report.complete), (27, 3, true), "{report}");
    let errors = records(&place.read("out.errors.jsonl"));
    let reasons: Vec<_> = errors.iter().map(|e| (e["n"].as_u64().unwrap(), e["error"].as_str().unwrap())).collect();
    assert!(reasons[0].0 == 4 && reasons[0].1.contains("panic"), "{reasons:?}");
    assert!(reasons[1] == (9, "the toy cannot translate this"), "{reasons:?}");
    assert!(reasons[2].0 == 14 && reasons[2].1.contains("put together"), "{reasons:?}");

    // A panic that does not come again costs nothing.
    let toy = Toy { panics: 1.into(), ..Toy::new() };
    let report = run(&toy, &ToySteps, &place.options("once"), &Stop::default()).unwrap();
    assert_eq!((report.written, report.failed), (28, 2));
    assert!(report.second_attempts > 0);
}

/// What finishers ask for once more joins the stream, is done before the run ends, and can fail like the rest.
#[test]
fn finishers_translate_through_the_same_stream() {
    let text = |i: usize| match i {
        7 => line(i, &format!("\\n{REPAIR} {PANIC}।")),
        8 => line(i, &format!("\\n{REPAIR} {FAIL}।")),
        _ => line(i, &format!("\\n{REPAIR} {i}।")),
    };
    let place = Place::new((1..=30).map(text));
    for (out, finishers) in [("one", 1), ("four", 4)] {
        let toy = Toy { panics: 0.into(), ..Toy::new() };
        let options = BulkOptions { finishers, window_articles: 5, ..place.options(out) };
        let report = run(&toy, &ToySteps, &options, &Stop::default()).unwrap();
        assert_eq!((report.written, report.failed, report.complete), (29, 1, true), "{report}");
    }
    assert_eq!(place.read("one"), place.read("four"));
    assert!(records(&place.read("one"))[0]["text"].as_str().unwrap().ends_with("en(আবার 1। মেরামত)"));
}

#[test]
fn what_articles_have_in_common_is_translated_and_repaired_once() {
    let place = Place::new((1..=20).map(|_| line(1, &format!("\\n{REPAIR} সবার।"))));
    let toy = Toy::new();
    let report = run(&toy, &ToySteps, &place.options("out"), &Stop::default()).unwrap();
    // Title and three sentences, and one of these once more.
    assert_eq!(toy.translated.load(Ordering::Relaxed), 5);
    assert_eq!((report.written, report.repairs, report.repairs_reused), (20, 20, 19), "{report}");
}

/// Articles that are finished behind one that is not are kept for the next run.
#[test]
fn what_is_finished_before_its_turn_is_not_translated_again() {
    for format in [OutputFormat::Jsonl, OutputFormat::Markdown] {
        let place = Place::usual(60);
        let options = |out: &str| BulkOptions { format, ..place.options(out) };
        let stop = Stop::default();
        let withheld = Some("en(2 শিরোনাম)");
        let translator = Impatient { after: 40, signal: 15, withheld, ..Impatient::new(&stop) };
        let report = run(&translator, &ToySteps, &options("out"), &stop).unwrap();
        assert_eq!((report.complete, report.written), (false, 1), "{report}");
        // A torn line at the end is no line.
        let ahead = place.path("out.journal/ahead");
        let mut bytes = std::fs::read(&ahead).unwrap();
        let lines = bytes.iter().filter(|&&b| b == b'\n').count();
        assert!(lines > 10, "{lines} articles were finished before their turn");
        bytes.truncate(bytes.len() - 3);
        std::fs::write(&ahead, bytes).unwrap();

        let toy = Toy::new();
        let report = run(&toy, &ToySteps, &options("out"), &Stop::default()).unwrap();
        assert_eq!((report.complete, report.kept, report.resumed_after), (true, lines as u64 - 1, 1), "{report}");
        let whole = Toy::new();
        run(&whole, &ToySteps, &options("whole"), &Stop::default()).unwrap();
        let translations = |toy: &Toy| toy.translated.load(Ordering::Relaxed);
        assert!(translations(&toy) + lines < translations(&whole), "{} {}", translations(&toy), translations(&whole));
        let files = |name: &str| -> Vec<Vec<u8>> {
            let walk = walkdir::WalkDir::new(place.path(name)).sort_by_file_name().into_iter().flatten();
            walk.filter(|f| f.path().is_file()).map(|f| std::fs::read(f.path()).unwrap()).collect()
        };
        assert_eq!(files("whole"), files("out"), "{format:?}");
        assert_eq!(place.read("whole.errors.jsonl"), place.read("out.errors.jsonl"));
        assert!(!ahead.exists());
    }
}

#[test]
fn errors_are_retried_and_find_their_places() {
    let cases = [
        (OutputFormat::Jsonl, None),
        (OutputFormat::Csv, Some(Compression::Gz)),
        (OutputFormat::Rss, None),
        (OutputFormat::Markdown, Some(Compression::Zst)),
    ];
    for (format, compress) in cases {
        let place = Place::new((1..=20).map(|i| match i {
            3 | 20 => line(i, &format!("\\n{PANIC} এখানে।")),
            7 => line(i, &format!("\\n{FAIL} এখানে।")),
            _ => line(i, ""),
        }));
        let options = |out: &str| BulkOptions { format, compress, ..place.options(out) };
        let healthy = Toy { panics: 0.into(), ..Toy::new() };
        run(&healthy, &ToySteps, &options("want"), &Stop::default()).unwrap();
        assert_eq!(go(&options("out")).unwrap().failed, 3, "{format:?}");
        let retry = BulkOptions { resume: Resume::RetryErrors, ..options("out") };
        let before = healthy.translated.load(Ordering::Relaxed);
        let report = run(&healthy, &ToySteps, &retry, &Stop::default()).unwrap();
        assert_eq!(
            (report.written, report.failed, report.total_written, report.total_failed),
            (2, 1, 19, 1),
            "{report}"
        );
        // Title and first sentence of three articles, a sentence of all, a sentence of two, and one that fails twice.
        assert_eq!(healthy.translated.load(Ordering::Relaxed) - before, 2 * 3 + 1 + 1 + 2);
        let files = |name: &str| -> Vec<(PathBuf, Vec<u8>)> {
            let root = place.path(name);
            let walk =
                walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().flatten().filter(|f| f.path().is_file());
            walk.map(|f| (f.path().strip_prefix(&root).unwrap().to_owned(), std::fs::read(f.path()).unwrap())).collect()
        };
        assert_eq!(files("want"), files("out"), "{format:?}");
        assert_eq!(place.read("want.errors.jsonl"), place.read("out.errors.jsonl"));
        // The journal is one that a further run accepts.
        assert!(go(&options("out")).unwrap().complete);
        assert_eq!(records(&place.read("out.errors.jsonl")).len(), 1);
    }
}

#[test]
fn the_stream_has_errors_in_their_places() {
    let place = Place::usual(12);
    let mut out = Vec::new();
    let report = run_to(Box::new(&mut out), &Toy::new(), &ToySteps, &place.options("-"), &Stop::default()).unwrap();
    assert!(report.complete);
    let records = records(std::str::from_utf8(&out).unwrap());
    assert_eq!(records.iter().map(|r| r["n"].as_u64().unwrap()).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert!(records[4]["error"].as_str().unwrap().contains("not valid JSON") && records[3].get("error").is_none());
    assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 1, "nothing is written beside it");
}

#[test]
fn filters_limit_and_sample_hold_across_an_interruption() {
    let place = Place::usual(50);
    let filters = Filters { limit: Some(20), sample: Some(0.7), seed: 5, ..Filters::default() };
    let options = |out: &str| BulkOptions { filters: filters.clone(), window_articles: 4, ..place.options(out) };
    let report = go(&options("whole")).unwrap();
    assert_eq!(report.written + report.failed, 20);
    for _ in 0..40 {
        let stop = Stop::default();
        let waiting = stop.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            waiting.wish(2);
        });
        let toy = Toy { slow: Duration::from_millis(2), ..Toy::new() };
        if run(&toy, &ToySteps, &options("parts"), &stop).unwrap().complete {
            break;
        }
    }
    assert_eq!(place.read("whole"), place.read("parts"));
}

#[test]
fn a_translator_that_fails_altogether_ends_the_run_and_it_can_be_resumed() {
    struct Broken(Toy);
    impl crate::engine::Translate for Broken {
        fn identity(&self) -> &crate::engine::ModelIdentity {
            self.0.identity()
        }
        fn translate_stream(
            &self,
            jobs: &mut (dyn Iterator<Item = crate::engine::Job> + Send),
            done: &mut (dyn FnMut(u64, Result<crate::engine::Outcome>) -> bool + Send),
        ) -> Result<()> {
            self.0.translate_stream(&mut jobs.take(20), done)?;
            Err(Error::Model(ModelError::damaged("the device is gone")))
        }
    }
    let place = Place::usual(50);
    let error = run(&Broken(Toy::new()), &ToySteps, &place.options("out"), &Stop::default()).unwrap_err();
    assert_eq!(error.to_string(), "the device is gone");
    let report = go(&place.options("out")).unwrap();
    assert!(report.complete && report.resumed_after > 0, "{report}");
    go(&place.options("want")).unwrap();
    assert_eq!(place.read("want"), place.read("out"));
}

/// Every byte of the journal and of the output may be lost at the end.
#[test]
fn torn_tails_are_cut_back_to_the_last_whole_record() {
    for compress in [None, Some(Compression::Gz)] {
        let place = Place::usual(12);
        let options =
            |out: &str| BulkOptions { compress, sync: Sync::Never, format: OutputFormat::Csv, ..place.options(out) };
        go(&options("want")).unwrap();
        let want = std::fs::read(place.path("want")).unwrap();
        go(&options("whole")).unwrap();
        let log = std::fs::read(place.path("whole.journal/log")).unwrap();
        let parts = |name: &str| [name.to_owned(), format!("{name}.errors.jsonl")].map(|n| place.path(&n));
        for cut in (0..log.len()).step_by(97) {
            let [out, errors] = parts("torn");
            std::fs::create_dir_all(place.path("torn.journal")).unwrap();
            std::fs::write(place.path("torn.journal/log"), &log[..cut]).unwrap();
            // The output has more than the journal knows, or garbage behind what it knows.
            let [whole_out, whole_errors] = parts("whole");
            let complete =
                String::from_utf8_lossy(&log[..cut]).lines().any(|l| l.contains("\"kind\":\"l\"") && l.ends_with('}'));
            let garbage = if complete { vec![] } else { vec![7; 50] };
            std::fs::write(&out, [std::fs::read(whole_out).unwrap(), garbage].concat()).unwrap();
            std::fs::copy(whole_errors, &errors).unwrap();
            std::fs::write(place.path("torn.journal/tail"), uncompressed(&want, compress)).unwrap();
            let options = options("torn");
            match go(&options) {
                Ok(report) => assert!(report.complete),
                // A journal without a whole header is none: the output is not ours to overwrite.
                Err(error) => {
                    assert!(error.to_string().contains("no journal"), "{error}");
                    go(&BulkOptions { resume: Resume::Fresh, ..options }).unwrap();
                }
            }
            assert!(std::fs::read(&out).unwrap() == want, "{compress:?}: journal cut at {cut}");
            assert_eq!(place.read("want.errors.jsonl"), place.read("torn.errors.jsonl"));
        }
    }
}

fn uncompressed(bytes: &[u8], compress: Option<Compression>) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(packing) = compress {
        std::io::Read::read_to_end(&mut packing.unpack(bytes).unwrap(), &mut text).unwrap();
    }
    text
}

#[test]
fn a_missing_feed_is_an_error_before_anything_is_written() {
    let place = Place::usual(1);
    let options = BulkOptions { input: vec![place.path("nowhere.jsonl")], ..place.options("out") };
    assert!(matches!(go(&options), Err(Error::Io { .. })));
    assert!(!Path::new(&place.path("out.journal")).exists());
}
