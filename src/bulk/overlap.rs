//! No input is ever written over. Whoever gives the same file as input and output has made a mistake that cannot be
//! taken back, so it is found before anything is opened for writing.
use super::options::BulkOptions;
use super::store::Paths;
use crate::error::SettingsError;
use crate::error::shown;
use crate::{Error, Result, feed};
use std::path::{Component, Path, PathBuf};

/// What a path leads to, however it is written: by its place and, where the system has them, by its numbers, which
/// hard links share.
struct Target {
    place: PathBuf,
    numbers: Option<(u64, u64)>,
    folder: bool,
}

#[cfg(unix)]
fn numbers(meta: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn numbers(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

impl Target {
    fn of(path: &Path) -> Self {
        let meta = std::fs::metadata(path).ok();
        let numbers = meta.as_ref().and_then(numbers);
        Self { place: place(path), numbers, folder: meta.is_some_and(|m| m.is_dir()) }
    }

    fn is(&self, other: &Self) -> bool {
        self.place == other.place || (self.numbers.is_some() && self.numbers == other.numbers)
    }

    fn holds(&self, other: &Self) -> bool {
        self.folder && other.place.starts_with(&self.place)
    }
}

/// The path without links and dots, as far as it exists.
fn place(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut there = path.as_path();
    loop {
        if let Ok(found) = there.canonicalize() {
            return missing.into_iter().rev().fold(found, |path, part: Component<'_>| path.join(part));
        }
        match (there.parent(), there.components().next_back()) {
            (Some(parent), Some(last)) => {
                missing.push(last);
                there = parent;
            }
            _ => return path,
        }
    }
}

fn refuse(what: String) -> Result<()> {
    Err(Error::Settings(SettingsError::Conflict(what)))
}

/// Refuses where something that is written is an input, or lies among the inputs, or the other way round.
pub fn check(options: &BulkOptions) -> Result<()> {
    let inputs = feed::named_files(&options.input, &options.read);
    let to_stream = options.output == Path::new("-");
    let paths = Paths::of(&options.output);
    let folder = options.format.is_folder();
    let mut outputs: Vec<(&Path, &str)> = Vec::new();
    if !to_stream {
        outputs.push((&options.output, "output"));
        outputs.extend(paths.all().into_iter().skip(1).map(|path| (path, "journal or list of errors of the output")));
    }
    outputs.extend(options.report.iter().map(|path| (path.as_path(), "report")));
    let own: Vec<Target> = outputs.iter().map(|(path, _)| Target::of(path)).collect();
    let journal = Target { folder: true, ..Target::of(&Paths::folder(&options.output)) };
    for named in &inputs {
        let input = Target::of(named);
        let named = shown(&named.display().to_string()).into_owned();
        for ((path, role), target) in outputs.iter().zip(&own) {
            let path = shown(&path.display().to_string()).into_owned();
            if target.is(&input) {
                return refuse(format!("{path}: is both an input and the {role}; name another {role}"));
            }
            if input.holds(target) {
                return refuse(format!(
                    "{path}: the {role} would lie in the folder {named}, which is read; put it outside of that"
                ));
            }
            if *role == "output"
                && folder
                && (Target { folder: true, place: target.place.clone(), numbers: None }).holds(&input)
            {
                return refuse(format!(
                    "{named}: is read, and lies in the folder {path}, which is written; name another output"
                ));
            }
        }
        if !to_stream && journal.holds(&input) {
            return refuse(format!("{named}: is read, and lies in the journal of the output; name another output"));
        }
    }
    // The report is written last, over whatever is there.
    if let Some(report) = &options.report {
        let (target, parts) = (Target::of(report), own.len() - 1);
        if own[..parts].iter().any(|part| part.is(&target)) || (!to_stream && journal.holds(&target)) {
            let report = shown(&report.display().to_string()).into_owned();
            return refuse(format!("{report}: is both the report and a part of the output; name another report"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::OutputFormat;

    fn refused(input: &Path, output: &Path, format: OutputFormat, report: Option<&Path>) -> String {
        let options = BulkOptions {
            input: vec![input.to_owned()],
            output: output.to_owned(),
            format,
            report: report.map(Path::to_owned),
            ..BulkOptions::default()
        };
        check(&options).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_input_is_never_an_output_however_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("docs/deep")).unwrap();
        std::fs::create_dir_all(at("out.jsonl.journal")).unwrap();
        for name in ["in.jsonl", "docs/a.txt", "out.jsonl.errors.jsonl", "out.jsonl.journal/x.jsonl"] {
            std::fs::write(at(name), "{}").unwrap();
        }
        std::fs::write(at("l.list"), "# mine\nin.jsonl\nl2.list\n").unwrap();
        std::fs::write(at("l2.list"), "l.list\ndocs\n").unwrap();
        std::fs::hard_link(at("in.jsonl"), at("hard.jsonl")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("in.jsonl"), at("soft.jsonl")).unwrap();
        #[cfg(unix)]
        assert!(refused(&at("in.jsonl"), &at("soft.jsonl"), OutputFormat::Jsonl, None).contains("both"));
        #[cfg(unix)]
        assert!(refused(&at("in.jsonl"), &at("hard.jsonl"), OutputFormat::Jsonl, None).contains("both"));
        let (lines, folder) = (OutputFormat::Jsonl, OutputFormat::Markdown);
        for (input, output, format, report, want) in [
            ("in.jsonl", "in.jsonl", lines, None, "both an input and the output"),
            ("in.jsonl", "docs/../in.jsonl", lines, None, "both an input and the output"),
            ("l.list", "in.jsonl", lines, None, "both an input and the output"),
            ("l2.list", "in.jsonl", lines, None, "both an input and the output"),
            ("out.jsonl.errors.jsonl", "out.jsonl", lines, None, "list of errors"),
            ("out.jsonl.journal/x.jsonl", "out.jsonl", lines, None, "lies in the journal"),
            ("in.jsonl", "o.jsonl", lines, Some("in.jsonl"), "both an input and the report"),
            ("docs", "o.jsonl", lines, Some("docs/r.json"), "the report would lie in the folder"),
            ("in.jsonl", "o.jsonl", lines, Some("o.jsonl"), "both the report and a part"),
            ("in.jsonl", "o.jsonl", lines, Some("o.jsonl.journal/log"), "both the report and a part"),
            ("docs", "docs", folder, None, "both an input and the output"),
            ("docs", "docs/new/er/out.jsonl", lines, None, "would lie in the folder"),
            ("l.list", "docs/out.jsonl", lines, None, "would lie in the folder"),
            ("docs/deep", "docs", folder, None, "which is written"),
            ("in.jsonl", "o.jsonl", lines, Some("r.json"), ""),
            ("docs", "docs2", folder, None, ""),
            ("docs/a.txt", "docs/a.jsonl", lines, None, ""),
        ] {
            let said = refused(&at(input), &at(output), format, report.map(at).as_deref());
            assert!(said.contains(want) && said.is_empty() == want.is_empty(), "{input} {output} {report:?}: {said}");
        }
        // A stream can be asked for a report as well.
        assert!(refused(&at("in.jsonl"), Path::new("-"), lines, Some(&at("in.jsonl"))).contains("both"));
        assert_eq!(std::fs::read(at("in.jsonl")).unwrap(), b"{}");
    }
}
