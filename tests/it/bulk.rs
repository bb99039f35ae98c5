//! The bulk job against the rough world: SIGKILL, signals, a full disk, memory. Each job runs in a process of its
//! own, which is this test binary started once more; the translator is a toy, so that minutes suffice.
use crate::toy::{Toy, ToySteps};
use anubad::bulk::{self, BulkOptions, Compression, OutputFormat, Report, Stop};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const VARIABLE: &str = "ANUBAD_TEST_BULK_JOB";

/// A job for the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Task {
    input: PathBuf,
    output: PathBuf,
    format: OutputFormat,
    compress: Option<Compression>,
    /// Time a sentence takes.
    micros: u64,
    window: usize,
    cache: usize,
    /// Where translations are kept between runs.
    folder: Option<PathBuf>,
    /// Largest file that it may write.
    file_limit: Option<u64>,
}

impl Task {
    fn new(input: &Path, output: &Path) -> Self {
        let (format, compress) = (OutputFormat::Jsonl, None);
        let (input, output) = (input.to_owned(), output.to_owned());
        Self { input, output, format, compress, micros: 0, window: 32, cache: 64 << 10, folder: None, file_limit: None }
    }

    fn spawn(&self) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["bulk::process", "--exact", "--ignored", "--nocapture"])
            .env(VARIABLE, serde_json::to_string(self).unwrap())
            .env("MALLOC_ARENA_MAX", "1") // how many arenas the threads happen to open is not what is measured
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to its end: exit code and what it said.
    fn finish(&self) -> (Option<i32>, String) {
        let output = self.spawn().wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What `anubad bulk` does, with a toy for a model.
fn work(task: &Task) -> i32 {
    let options = BulkOptions {
        input: vec![task.input.clone()],
        output: task.output.clone(),
        format: task.format,
        compress: task.compress,
        window_articles: task.window,
        cache_bytes: task.cache,
        cache: task.folder.clone(),
        ..BulkOptions::default()
    };
    if let Some(limit) = task.file_limit {
        limit_files(limit);
    }
    let stop = Stop::default();
    anubad::cli::signals::watch(&stop).unwrap();
    let toy = Toy { slow: Duration::from_micros(task.micros), ..Toy::new() };
    let report = bulk::run(&toy, &ToySteps, &options, &stop);
    eprintln!("translated: {}", toy.translated.load(Ordering::Relaxed));
    match report {
        Ok(Report { complete: true, total_failed: 0, .. }) => 0,
        Ok(Report { complete: true, .. }) => 3,
        Ok(_) => 128 + stop.signal().unwrap_or(0),
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn limit_files(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: plain system calls on this process alone.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}

#[cfg(not(unix))]
fn limit_files(_bytes: u64) {}

#[test]
#[ignore = "the process that the other tests start"]
fn process() {
    let Ok(task) = std::env::var(VARIABLE) else { return };
    let task: Task = serde_json::from_str(&task).unwrap();
    let code = work(&task);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("");
        eprintln!("{peak}");
    }
    std::process::exit(code);
}

/// Sentences as they stand in Bengali news, to make articles of where the shared ones are absent.
const SENTENCES: [&str; 8] = [
    "রাজধানীর মিরপুরে আজ মঙ্গলবার সকালে একটি বাসে আগুন লাগে।",
    "ফায়ার সার্ভিসের দুটি ইউনিট আধা ঘণ্টার চেষ্টায় আগুন নিয়ন্ত্রণে আনে।",
    "এ ঘটনায় কেউ হতাহত হয়নি বলে জানিয়েছেন মিরপুর থানার ভারপ্রাপ্ত কর্মকর্তা।",
    "প্রধানমন্ত্রী বলেছেন, চলতি অর্থবছরে প্রবৃদ্ধি হবে ৭ দশমিক ২ শতাংশ।",
    "বাংলাদেশ দল ৩ উইকেটে ২৪৫ রান করে প্রথম দিনের খেলা শেষ করেছে।",
    "আবহাওয়া অধিদপ্তর জানিয়েছে, আগামী তিন দিন বৃষ্টি হতে পারে।",
    "বিশ্ববিদ্যালয়ের শিক্ষার্থীরা দাবি আদায়ে মানববন্ধন করেন।",
    "বাজারে পেঁয়াজের দাম কেজিতে ১০ টাকা বেড়েছে।",
];

/// Titles and sentences of `n` articles.
fn articles(n: usize) -> Vec<(String, Vec<String>)> {
    let mut articles = Vec::with_capacity(n);
    for i in 0..n {
        let sentences = (0..8 + i % 9).map(|j| format!("{} ({})", SENTENCES[(i * 5 + j) % 8], i * j));
        articles.push((format!("সংবাদ {i}"), sentences.collect()));
    }
    articles
}

/// An RSS feed of 60 articles, three of which are damaged.
fn feed(path: &Path) {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><title>c</title>\n");
    for (i, (title, sentences)) in articles(60).into_iter().enumerate() {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let body: String = sentences.iter().map(|s| format!("<p>{}</p>\n", escape(s))).collect();
        let end = if i % 20 == 9 { "&nosuch;</title>" } else { "</title>" };
        xml += &format!(
            "<item><title>{}{end}<guid isPermaLink=\"false\">g{i}</guid><pubDate>Fri, 01 Mar 2024 12:30:00 +0600</pubDate>\
             <description><![CDATA[{body}]]></description></item>\n",
            escape(&title)
        );
    }
    std::fs::write(path, xml + "</channel></rss>\n").unwrap();
}

/// A file's bytes, or a folder's files with their names.
fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files =
        walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten().filter(|f| f.file_type().is_file());
    files.map(|f| (f.path().strip_prefix(path).unwrap().to_owned(), std::fs::read(f.path()).unwrap())).collect()
}

fn errors(output: &Path) -> String {
    std::fs::read_to_string(format!("{}.errors.jsonl", output.display())).unwrap()
}

/// The proof that nothing is lost and nothing doubled: at least 100 times killed at any moment, in every kind of
/// output, and in the end byte for byte what an uninterrupted run writes.
#[test]
fn killed_a_hundred_times_the_output_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("feed.rss");
    feed(&input);
    let kinds = [
        (OutputFormat::Jsonl, None),
        (OutputFormat::Rss, None),
        (OutputFormat::Csv, Some(Compression::Gz)),
        (OutputFormat::Markdown, None),
        (OutputFormat::Jsonl, Some(Compression::Zst)),
    ];
    let task = |name: &str, (format, compress), micros| {
        let output = dir.path().join(format!("{name}-{format:?}-{compress:?}"));
        Task { format, compress, micros, window: 6, ..Task::new(&input, &output) }
    };
    for kind in kinds {
        let (code, said) = task("whole", kind, 0).finish();
        assert_eq!(code, Some(3), "{said}");
    }
    // How long a whole run takes on this machine at this hour; kills fall into the first half of it, and later
    // where that proves too early for any progress.
    let began = Instant::now();
    assert_eq!(task("paced", kinds[0], 300).finish().0, Some(3));
    let pace = began.elapsed() / 2;
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let (mut kills, mut outputs, mut resumed) = (0, 0, 0);
    while kills < 100 {
        let kind = kinds[outputs % kinds.len()];
        let job = task(&format!("killed-{outputs}"), kind, 300);
        let journal = PathBuf::from(format!("{}.journal/log", job.output.display()));
        let length = || std::fs::metadata(&journal).map_or(0, |m| m.len());
        let mut patience = 1.0;
        for attempt in 0.. {
            assert!(attempt < 200, "{kind:?}: no progress");
            let before = length();
            let mut child = job.spawn();
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            std::thread::sleep(pace.mul_f64(patience * (random >> 40) as f64 / (1u64 << 24) as f64));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            match status.code() {
                None => kills += 1,
                Some(3) => break,
                Some(code) => panic!("{kind:?}: exit code {code}"),
            }
            patience = if length() > before { 1.0 } else { patience * 1.2 };
            resumed += usize::from(attempt > 0 && before > 0);
        }
        outputs += 1;
        let whole = task("whole", kind, 0).output;
        assert!(contents(&whole) == contents(&job.output), "{kind:?}: the output differs after kills");
        assert_eq!(errors(&whole), errors(&job.output), "{kind:?}");
    }
    eprintln!("{kills} kills over {outputs} outputs, {resumed} of them in a resumed run");
    assert!(resumed > 0, "no run was killed after it had been resumed");
}

/// A cache that is kept between runs is never in pieces, however often its process is killed, and changes no output.
#[test]
fn a_cache_survives_kills() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("feed.rss");
    feed(&input);
    let whole = Task::new(&input, &dir.path().join("whole"));
    let (code, said) = whole.finish();
    assert_eq!(code, Some(3), "{said}");
    let translated =
        |said: &str| -> usize { said.lines().find_map(|l| l.strip_prefix("translated: ")).unwrap().parse().unwrap() };
    let all = translated(&said);
    let folder = Some(dir.path().join("cache"));
    let task =
        |name: &str, micros| Task { micros, folder: folder.clone(), ..Task::new(&input, &dir.path().join(name)) };
    // Each output is begun and killed once, so that kills fall into reading and writing of the cache. Sentences are slow
    // and time is short: one run that ends fills the cache, and those after it would end before they could be killed.
    let (mut random, mut kills) = (0x1234_5678_9abc_def1u64, 0);
    for i in 0..30 {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let mut child = task(&format!("killed-{i}"), 3000).spawn();
        std::thread::sleep(Duration::from_millis(20 + (random >> 57)));
        child.kill().unwrap();
        kills += usize::from(child.wait().unwrap().code().is_none());
    }
    assert!(kills > 0, "no run was killed");
    // What the killed runs left is whole and true, and a run that ends adds what is missing: nothing is left to translate.
    let names = std::iter::once("filling".to_string()).chain((0..30).map(|i| format!("killed-{i}")));
    for (n, name) in names.chain(["fresh".to_string()]).enumerate() {
        let job = task(&name, 0);
        let (code, said) = job.finish();
        assert_eq!(code, Some(3), "{said}");
        assert!(contents(&whole.output) == contents(&job.output), "{name} differs");
        assert!(n == 0 || translated(&said) == 0, "of {all} sentences all are in the cache, not for {name}: {said}");
    }
    assert!(all > 100, "{all} sentences");
}

/// SIGINT and SIGTERM end a run in order, a second one at once, and each can be resumed.
#[allow(unsafe_code)] // signals
#[test]
#[cfg(unix)]
fn signals_end_a_run_that_can_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("feed.rss");
    feed(&input);
    let whole = Task::new(&input, &dir.path().join("whole"));
    assert_eq!(whole.finish().0, Some(3));
    for (signal, code, twice) in [(libc::SIGINT, 130, false), (libc::SIGTERM, 143, false), (libc::SIGINT, 130, true)] {
        let slow =
            Task { micros: 3000, window: 4, ..Task::new(&input, &dir.path().join(format!("out-{signal}-{twice}"))) };
        let child = slow.spawn();
        // Until something is written, so that there is something to resume.
        while std::fs::metadata(&slow.output).map_or(0, |m| m.len()) == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        for _ in 0..=usize::from(twice) {
            // SAFETY: a plain system call on a process that we started and have not waited for.
            assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("in hand"), "{said}");
        let fast = Task { micros: 0, ..slow.clone() };
        assert_eq!(fast.finish().0, Some(3));
        assert!(contents(&whole.output) == contents(&slow.output));
    }
}

/// A small file system where one can be made (it takes privileges), else a limit on the size of files.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_the_run_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("feed.rss");
    feed(&input);
    let whole = Task::new(&input, &dir.path().join("whole"));
    assert_eq!(whole.finish().0, Some(3));
    let size = contents(&whole.output)[0].1.len() as u64;

    let limited = Task { file_limit: Some(size / 2), ..Task::new(&input, &dir.path().join("limited")) };
    let (code, said) = limited.finish();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("limited"), "{said}");
    assert_eq!(Task { file_limit: None, ..limited.clone() }.finish().0, Some(3));
    assert!(contents(&whole.output) == contents(&limited.output));

    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&disk).stderr(Stdio::null()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("no small file system can be mounted here: only the limit on file sizes was tried");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        std::fs::write(disk.join("ballast"), vec![0; (4 << 20) - size as usize / 2]).unwrap();
        let full = Task::new(&input, &disk.join("out"));
        let (code, said) = full.finish();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("no space left on the disk; free some and run the same command again"), "{said}");
        std::fs::remove_file(disk.join("ballast")).unwrap();
        assert_eq!(full.finish().0, Some(3));
        assert!(contents(&whole.output) == contents(&full.output));
    });
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    result.unwrap();
}

/// Peak memory does not grow with the feed: 200 articles and 20,000.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_feed() {
    let dir = tempfile::tempdir().unwrap();
    let runs = std::cell::Cell::new(0);
    let peak = |n: usize| {
        let input = dir.path().join(format!("{n}.jsonl"));
        let line = |i: usize| {
            let body = (0..4).map(|j| format!("{} {i}.{j}", SENTENCES[(i + j) % 8])).collect::<Vec<_>>().join("\\n");
            format!("{{\"id\":{i},\"title\":\"সংবাদ {i}\",\"body\":\"{body}\"}}\n")
        };
        std::fs::write(&input, (0..n).map(line).collect::<String>()).unwrap();
        let (code, said) =
            Task::new(&input, &dir.path().join(format!("{n}.{}.out", runs.replace(runs.get() + 1)))).finish();
        assert_eq!(code, Some(0), "{said}");
        let kilobytes = said.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
        kilobytes.parse::<f64>().unwrap()
    };
    // Threads that happen to run ahead only ever add to a peak, so the least of several is what the job needs.
    let least = |n: usize| (0..9).map(|_| peak(n)).fold(f64::INFINITY, f64::min);
    let (few, many) = (least(200), least(20_000));
    eprintln!("peak memory: {few} kB over 200 articles, {many} kB over 20,000");
    assert!(many < 1.1 * few, "{few} kB over 200 articles, {many} kB over 20,000");
}
