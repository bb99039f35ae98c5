//! What hostile files, folders and mistakes must not be able to do: read what nobody named, write over what is not ours.
use crate::toy::{Toy, ToySteps};
use anubad::bulk::{self, BulkOptions, OutputFormat, Report, Resume, Stop};
use anubad::feed::{Feed, Item, ReadOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

const STORY: &str = "{\"title\": \"বৃষ্টি\", \"body\": \"আজ ঢাকায় বৃষ্টি হয়েছে।\"}\n";
const SECRET: &str = "আমার পাসওয়ার্ড ১২৩৪৫৬৭৮।";

struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            let path = place.at(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, path: &str, options: ReadOptions) -> Vec<Item> {
        Feed::open(&[self.at(path)], options).unwrap().items().collect()
    }

    fn options(&self, input: &str, output: &str, resume: Resume) -> BulkOptions {
        BulkOptions { input: vec![self.at(input)], output: self.at(output), resume, ..BulkOptions::default() }
    }
}

fn go(options: &BulkOptions) -> anubad::Result<Report> {
    bulk::run(&Toy::new(), &ToySteps, options, &Stop::default())
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// H2: a list is a list of local files, and whoever made an archive must not say which.
#[test]
fn lists_in_archives_and_folders_are_not_followed() {
    let place = Place::new(&[("private.txt", SECRET.as_bytes()), ("docs/ok.jsonl", STORY.as_bytes())]);
    let list = format!("{}\nprivate.txt\n../private.txt\n", place.at("private.txt").display()).into_bytes();
    let packed = gz(&list);
    let members: &[(&str, &[u8])] = &[
        ("news/a.tar.list", &list),
        ("b.list", &list),
        ("c.list.gz", &packed),
        ("d.tar.list.gz", &packed),
        ("e.txt", "খবর।".as_bytes()),
    ];
    for (name, bytes) in members {
        let path = place.at("docs").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(place.at("evil.zip"), zip(members)).unwrap();
    std::fs::write(place.at("evil.tar"), tar(members)).unwrap();
    std::fs::write(place.at("evil.tar.gz"), gz(&tar(members))).unwrap();
    std::fs::write(place.at("nested.zip"), zip(&[("inner.tar", &tar(members)), ("inner.zip", &zip(members))])).unwrap();
    for format in [None, Some(anubad::feed::Format::List)] {
        for path in ["evil.zip", "evil.tar", "evil.tar.gz", "nested.zip", "docs"] {
            let items = place.read(path, ReadOptions { format, ..ReadOptions::default() });
            assert!(!items.is_empty());
            for item in items {
                if let Ok(entry) = &item {
                    assert!(!entry.body.contains("পাসওয়ার্ড") && format.is_none(), "{path}: {entry:?}");
                }
            }
        }
    }
    // Named by the user, or by a list that the user named, it is followed as ever.
    std::fs::write(place.at("outer.list"), "docs/b.list\n").unwrap();
    std::fs::write(place.at("docs/b.list"), "../private.txt\n").unwrap();
    let items = place.read("outer.list", ReadOptions::default());
    assert!(matches!(&items[..], [Ok(entry)] if entry.body.contains("পাসওয়ার্ড")), "{items:?}");
}

/// A pipe without a writer blocks whoever opens it for ever.
#[cfg(unix)]
#[test]
fn a_list_cannot_name_a_pipe_and_links_do_not_lead_out_of_a_folder() {
    let place = Place::new(&[
        ("l.list", b"pipe\n/dev/zero\nok.jsonl\n"),
        ("ok.jsonl", STORY.as_bytes()),
        ("private.txt", SECRET.as_bytes()),
        ("docs/sub/in.txt", "ভেতরের খবর।".as_bytes()),
    ]);
    let made = std::process::Command::new("mkfifo").arg(place.at("pipe")).status().unwrap();
    assert!(made.success());
    let items = place.read("l.list", ReadOptions::default());
    let reasons: Vec<_> = items.iter().map(|item| item.as_ref().map_err(|bad| bad.reason.as_str())).collect();
    assert!(
        matches!(reasons[..], [Err(a), Err(b), Ok(_)] if a.contains("neither a file") && b.contains("neither a file")),
        "{reasons:?}"
    );
    std::os::unix::fs::symlink(place.at("private.txt"), place.at("docs/out.txt")).unwrap();
    std::os::unix::fs::symlink(place.at("docs/sub/in.txt"), place.at("docs/again.txt")).unwrap();
    let bodies: Vec<String> = place.read("docs", ReadOptions::default()).into_iter().map(|i| i.unwrap().body).collect();
    assert_eq!(bodies, ["ভেতরের খবর।", "ভেতরের খবর।"]);
}

/// H3: whatever is asked for, the input is still there afterwards.
#[test]
fn the_input_is_never_the_output() {
    let place = Place::new(&[
        ("in.jsonl", STORY.as_bytes()),
        ("docs/20240101-post.md", "# শিরোনাম\n\nখবর।\n".as_bytes()),
        ("l.list", b"in.jsonl\n"),
    ]);
    for resume in [Resume::Auto, Resume::Fresh, Resume::Anyway, Resume::RetryErrors] {
        let markdown = |options: BulkOptions| BulkOptions { format: OutputFormat::Markdown, ..options };
        let report = Some(place.at("in.jsonl"));
        for options in [
            place.options("in.jsonl", "in.jsonl", resume),
            place.options("l.list", "in.jsonl", resume),
            place.options("l.list", "l.list", resume),
            markdown(place.options("docs", "docs", resume)),
            markdown(place.options("docs/20240101-post.md", "docs", resume)),
            markdown(place.options("docs", "docs/en", resume)),
            BulkOptions { report, ..place.options("in.jsonl", "o.jsonl", resume) },
        ] {
            let error = go(&options).unwrap_err();
            assert!(matches!(error, anubad::Error::Settings(_)), "{resume:?} {error}");
        }
    }
    assert_eq!(std::fs::read(place.at("in.jsonl")).unwrap(), STORY.as_bytes());
    assert!(place.at("docs/20240101-post.md").exists());
    let mut names: Vec<_> = std::fs::read_dir(place.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["docs", "in.jsonl", "l.list"], "nothing was begun");
    assert_eq!(std::fs::read_dir(place.at("docs")).unwrap().count(), 1);
}

/// M15: beside an output that is new there may be files that are not.
#[test]
fn what_is_not_ours_is_not_removed() {
    for name in ["new.jsonl.errors.jsonl", "new.jsonl.journal/log", "new.jsonl.journal/tail", "new.jsonl.journal/ahead"]
    {
        let place = Place::new(&[("in.jsonl", STORY.as_bytes()), (name, b"my diary\n")]);
        let error = go(&place.options("in.jsonl", "new.jsonl", Resume::Auto)).unwrap_err().to_string();
        assert!(error.contains(Path::new(name).file_name().unwrap().to_str().unwrap()), "{name}: {error}");
        assert_eq!(std::fs::read(place.at(name)).unwrap(), b"my diary\n");
        // What an interrupted beginning leaves is empty, and in nobody's way.
        std::fs::write(place.at(name), b"").unwrap();
        assert!(go(&place.options("in.jsonl", "new.jsonl", Resume::Auto)).unwrap().complete, "{name}");
    }
}

/// L4: a link in the place of one of our own files is not written through.
#[cfg(unix)]
#[test]
fn links_are_not_written_through() {
    use std::os::unix::fs::symlink;
    for name in ["new.jsonl.errors.jsonl", "new.jsonl.journal/log", "new.jsonl.journal/ahead", "new.jsonl.journal"] {
        let place = Place::new(&[("in.jsonl", STORY.as_bytes()), ("victim/log", b"keep\n")]);
        let link = place.at(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        let target = if name.ends_with(".journal") { "victim" } else { "victim/log" };
        symlink(place.at(target), &link).unwrap();
        for resume in [Resume::Auto, Resume::Fresh] {
            let error = go(&place.options("in.jsonl", "new.jsonl", resume)).unwrap_err().to_string();
            assert!(error.contains("is a link"), "{name}: {error}");
        }
        assert_eq!(std::fs::read(place.at("victim/log")).unwrap(), b"keep\n");
    }
    let place = Place::new(&[("in.jsonl", STORY.as_bytes()), ("victim", b"keep\n"), ("out/x", b"")]);
    std::fs::remove_file(place.at("out/x")).unwrap();
    for name in [".unfinished", ".anubad-unfinished"] {
        symlink(place.at("victim"), place.at("out").join(name)).unwrap();
    }
    let markdown = BulkOptions { format: OutputFormat::Markdown, ..place.options("in.jsonl", "out", Resume::Fresh) };
    assert!(go(&markdown).unwrap().complete);
    assert_eq!(std::fs::read(place.at("victim")).unwrap(), b"keep\n");
}

/// L3: a journal that came along with its output leads nowhere else.
#[test]
fn a_journal_of_somebody_else_leads_nowhere() {
    let place = Place::new(&[("in.jsonl", format!("{STORY}not json\n{STORY}").as_bytes()), ("victim.md", b"keep\n")]);
    let markdown = |resume| BulkOptions { format: OutputFormat::Markdown, ..place.options("in.jsonl", "out", resume) };
    assert!(go(&markdown(Resume::Auto)).unwrap().complete);
    let log = place.at("out.journal/log");
    let text = std::fs::read_to_string(&log).unwrap();
    let name = text.split("\"file\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for file in [place.at("victim.md").to_str().unwrap().to_owned(), "../victim.md".into()] {
        let crc = |json: &str| {
            let mut crc = flate2::Crc::new();
            crc.update(json.as_bytes());
            format!("{:08x} {json}\n", crc.sum())
        };
        let line = |line: &str| crc(&line.split_once(' ').unwrap().1.replace(&name, &file));
        std::fs::write(&log, text.lines().map(line).collect::<String>()).unwrap();
        for resume in [Resume::RetryErrors, Resume::Auto, Resume::Anyway] {
            let _ = go(&markdown(resume));
        }
        assert_eq!(std::fs::read(place.at("victim.md")).unwrap(), b"keep\n");
    }
}

/// A journal that says "complete" is no output.
#[test]
fn an_output_that_is_gone_is_not_complete() {
    for (output, format) in
        [("o.jsonl", OutputFormat::Jsonl), ("o.csv", OutputFormat::Csv), ("o", OutputFormat::Markdown)]
    {
        let place = Place::new(&[("in.jsonl", STORY.as_bytes())]);
        let options = |resume| BulkOptions { format, ..place.options("in.jsonl", output, resume) };
        assert!(go(&options(Resume::Auto)).unwrap().complete);
        assert!(go(&options(Resume::Auto)).unwrap().complete, "again: nothing to do");
        let path = place.at(output);
        if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }.unwrap();
        let error = go(&options(Resume::Auto)).unwrap_err().to_string();
        assert!(error.contains("shorter than its journal"), "{error}");
        assert!(go(&options(Resume::Fresh)).unwrap().complete && path.exists());
    }
}

/// L7: some kilobytes are not unpacked for hours.
#[test]
fn a_bomb_of_packings_ends_early() {
    let zeros = vec![b' '; 64 << 20];
    let once = gz(&zeros);
    let twice = gz(&once.repeat(64));
    for (name, bytes) in [("b.jsonl.gz.gz", twice.clone()), ("b.zip", zip(&[("a.jsonl.gz", &twice)]))] {
        let place = Place::new(&[(name, &bytes)]);
        let items = place.read(name, ReadOptions::default());
        let reasons: Vec<_> =
            items.iter().filter_map(|item| item.as_ref().err()).map(|bad| bad.reason.as_str()).collect();
        assert!(reasons.iter().any(|r| r.contains("1000 times its size")), "{name}: {reasons:?}");
    }
}

/// M9: a name of gigabytes is not read into memory.
#[test]
fn tar_headers_are_bounded() {
    for kind in [b'L', b'K', b'x'] {
        let mut header = tar::Header::new_gnu();
        header.set_path("././@LongLink").unwrap();
        header.set_size(8 << 20);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_cksum();
        let mut bytes = tar(&[("first.jsonl", STORY.as_bytes())]);
        bytes.truncate(bytes.len() - 1024);
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend(vec![b'a'; 8 << 20]);
        bytes.extend(tar(&[("second.jsonl", STORY.as_bytes())]));
        let place = Place::new(&[("a.tar", &bytes)]);
        let items = place.read("a.tar", ReadOptions::default());
        let last = items.last().unwrap().as_ref().unwrap_err();
        assert!(items[0].is_ok() && items.len() == 2 && last.reason.contains("larger than 1024 KiB"), "{items:?}");
    }
    // What is usual is read: a long name, an extended header, a large member before the next header.
    let large = STORY.repeat(100_000);
    let name = format!("{}/x.jsonl", "d".repeat(300));
    let bytes = tar(&[("a.jsonl", large.as_bytes()), (&name, STORY.as_bytes())]);
    let place = Place::new(&[("a.tar", &bytes)]);
    assert_eq!(place.read("a.tar", ReadOptions::default()).iter().filter(|i| i.is_ok()).count(), 100_001);
}
