//! A job from its beginning to its end: what an earlier run has left, the run, what is said at the end.
use crate::bulk::BulkError;
use crate::bulk::compare::{compare, only_grows};
use crate::bulk::input::Start;
use crate::bulk::options::{BulkOptions, Resume};
use crate::bulk::output::{self, OutputFormat};
use crate::bulk::overlap;
use crate::bulk::report::Report;
use crate::bulk::retry;
use crate::bulk::schedule::context::Context;
use crate::bulk::schedule::steps::Steps;
use crate::bulk::schedule::{Ended, execute};
use crate::bulk::stop::Stop;
use crate::bulk::store::ahead::Ahead;
use crate::bulk::store::journal::{self, Header, Line};
use crate::bulk::store::lock::Lock;
use crate::bulk::store::writer::{self, Target};
use crate::bulk::store::{Layout, Paths, Store, sync_folder};
use crate::engine::Translate;
use crate::error::SettingsError;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of the journal's format.
const VERSION: u32 = 1;

/// Runs a job into its output file or folder. `Ok` with `complete: false` means that it was asked to stop; it can
/// be resumed by the same call. Errors where it cannot go on: a changed input, a full disk, another process.
pub fn run(translator: &dyn Translate, steps: &dyn Steps, options: &BulkOptions, stop: &Stop) -> Result<Report> {
    let context = Context { translator, steps, options, stop };
    // Before anything is written: the feed must be there.
    crate::feed::Feed::open(&options.input, options.read.clone())?;
    overlap::check(options)?;
    let folder = Paths::folder(&options.output);
    refuse_links(&options.output)?;
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    sync_folder(folder.parent().unwrap_or(Path::new(".")));
    let _lock = Lock::take(&folder.join("lock"), &options.output)?;
    retry::settle(options)?;
    let header = Header {
        version: VERSION,
        model: translator.identity().clone(),
        settings: options.fingerprint(steps.settings()),
        input: input_identity(&options.input),
    };
    let report = match options.resume {
        Resume::RetryErrors => retry::run(&context, &header),
        _ => run_or_resume(&context, &header),
    }?;
    finish_report(report, options)
}

/// Refuses what a stream cannot take.
pub fn check_stream(options: &BulkOptions) -> Result<()> {
    if options.format.is_folder() || options.compress.is_some() {
        let advice = "standard output takes neither a folder of files nor a packed one";
        return Err(Error::Settings(SettingsError::StandardOutput(advice.into())));
    }
    if options.resume == Resume::RetryErrors {
        return Err(Error::Settings(SettingsError::NoEarlierRun(
            "only an earlier run with an output has failures to try again".into(),
        )));
    }
    Ok(())
}

/// Runs a job into a stream: records as they are done, in order, nothing journalled.
pub fn run_to(
    out: Box<dyn Write + Send + '_>,
    translator: &dyn Translate,
    steps: &dyn Steps,
    options: &BulkOptions,
    stop: &Stop,
) -> Result<Report> {
    check_stream(options)?;
    overlap::check(options)?;
    let context = Context { translator, steps, options, stop };
    let mut out = out;
    let header = options.header();
    if !header.is_empty() {
        writer::stream(&mut out, &header)?;
    }
    let (Ended { target, end, mut report }, result) = execute(&context, Target::Stream(out), Start::default());
    result?;
    report.complete = end.is_some();
    // A feed is closed even when it was cut short, so that what is there can be read.
    if let Target::Stream(mut out) = target {
        writer::stream(&mut out, options.format.footer())?;
    }
    (report.total_written, report.total_failed) = (report.written, report.failed);
    report.total_skipped = report.skipped.values().sum();
    report.model = Some(translator.identity().clone());
    finish_report(report, options)
}

fn run_or_resume(context: &Context<'_>, header: &Header) -> Result<Report> {
    let options = context.options;
    let paths = Paths::of(&options.output);
    let earlier = if options.resume == Resume::Fresh { None } else { journal::earlier(&paths.log)? };
    let (store, start) = match earlier {
        None => {
            refuse_to_overwrite(options, &paths)?;
            (Store::create(&paths, Layout::of(options), options.sync, header)?, Start::default())
        }
        Some(earlier) => {
            // What is complete can only be started over; what is not can be gone on with in spite of everything.
            let anyway = options.resume == Resume::Anyway && !earlier.complete;
            // A first look at a few articles is the beginning of the whole.
            let grown = options.resume == Resume::Auto
                && only_grows(&earlier, header, &options.output)
                && (!earlier.complete || journal::reopen(&paths.log)?);
            if !anyway && !grown {
                compare(&earlier, header, &options.output)?;
            }
            let (mut store, complete) = Store::resume(&paths, Layout::of(options), options.sync)?;
            let at = store.at().clone();
            let start = Start { n: at.n, input: at.input, anyway, complete, ..Start::default() };
            if complete && earlier.header.input == header.input {
                return Ok(complete_report(context, &store));
            }
            if anyway || grown {
                store.change_header(header)?;
            }
            (store, start)
        }
    };
    let (complete, mut start) = (start.complete, start);
    // What was finished with other settings is of no use.
    let ahead = (!complete && !start.anyway).then(|| Ahead::open(&paths.ahead, start.n));
    let ahead = ahead.map(|(ahead, kept)| {
        start.kept = kept;
        ahead
    });
    let target = Target::Store(Box::new(store), ahead);
    let (Ended { target, end, mut report }, result) = execute(context, target, start);
    let Target::Store(mut store, _) = target else { return Err(BulkError::Defect("the output was lost").into()) };
    if let Err(error) = result {
        // What is written stays written; that this fails too is no news on a full disk.
        let _ = store.sync();
        return Err(error);
    }
    if complete {
        return Ok(complete_report(context, &store));
    }
    let mark = match end {
        Some(end) => {
            report.complete = true;
            store.finish(end.n, &end.input)?
        }
        None => {
            store.sync()?;
            store.at().clone()
        }
    };
    report.output = options.output.display().to_string();
    report.model = Some(context.translator.identity().clone());
    (report.total_written, report.total_failed, report.total_skipped) = (mark.written, mark.failed, mark.skipped);
    Ok(report)
}

/// Nothing was left to do.
fn complete_report(context: &Context<'_>, store: &Store) -> Report {
    let at = store.at();
    Report {
        schema: 1,
        output: context.options.output.display().to_string(),
        model: Some(context.translator.identity().clone()),
        complete: true,
        resumed_after: at.n,
        total_written: at.written,
        total_failed: at.failed,
        total_skipped: at.skipped,
        ..Report::default()
    }
}

/// An output without a journal is somebody else's.
fn refuse_to_overwrite(options: &BulkOptions, paths: &Paths) -> Result<()> {
    if options.resume == Resume::Fresh {
        return remove_articles(options, paths);
    }
    let taken = match std::fs::read_dir(&paths.out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => paths.out.metadata().is_ok_and(|m| m.len() > 0 || !m.is_file()),
    };
    if taken {
        let out = paths.out.display();
        return Err(BulkError::Foreign(format!("{out}: exists and has no journal beside it")).into());
    }
    // What a run that was killed at its very beginning leaves is empty.
    let foreign = paths.all().into_iter().skip(1).find(|path| path.metadata().is_ok_and(|m| m.len() > 0));
    if let Some(path) = foreign {
        let (path, out) = (path.display(), paths.out.display());
        let what = format!("{path}: exists, and no journal says that it is of {out}");
        return Err(BulkError::Foreign(what).into());
    }
    Ok(())
}

/// What is beside the output is written where it is, not where a link of somebody else's leads.
fn refuse_links(output: &Path) -> Result<()> {
    let (paths, folder) = (Paths::of(output), Paths::folder(output));
    let lock = folder.join("lock");
    let mut own = paths.all().into_iter().skip(1).chain([folder.as_path(), lock.as_path()]);
    match own.find(|path| path.is_symlink()) {
        Some(link) => Err(BulkError::Link(link.display().to_string()).into()),
        None => Ok(()),
    }
}

/// The articles that an earlier run has put into the folder, by its journal; whatever else is there is somebody else's,
/// whatever its name.
fn remove_articles(options: &BulkOptions, paths: &Paths) -> Result<()> {
    if !options.format.is_folder() || !paths.out.is_dir() || !paths.log.is_file() {
        return Ok(());
    }
    let files = journal::lines(&paths.log)?.filter_map(|(line, _)| match line {
        Line::Mark(mark) => mark.file,
        Line::Header(_) | Line::End(_) => None,
    });
    // A journal may have been tampered with: names only, nothing that leads out of the folder.
    for path in files.filter(|name| is_plain(name)).map(|name| paths.out.join(name)) {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Is it the name of a file and no path?
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(std::path::Component::Normal(_)), None)) && !name.contains('\\')
}

/// Sizes and times of files; for a folder the sums over its tree. What it says in them is checked entry by entry.
fn input_identity(paths: &[PathBuf]) -> Value {
    let modified = |meta: &std::fs::Metadata| {
        let since = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        since.map(|d| d.as_millis() as u64)
    };
    let one = |path: &PathBuf| match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            let files = walkdir::WalkDir::new(path).into_iter().flatten().filter_map(|f| f.metadata().ok());
            let files = files.filter(|m| m.is_file());
            let (count, bytes, last) = files.fold((0u64, 0, None), |(count, bytes, last), meta| {
                (count + 1, bytes + meta.len(), last.max(modified(&meta)))
            });
            json!({ "files": count, "bytes": bytes, "modified": last })
        }
        Ok(meta) if meta.is_file() => json!({ "bytes": meta.len(), "modified": modified(&meta) }),
        // A pipe has neither; it is told by its entries alone.
        _ => Value::Null,
    };
    paths.iter().map(one).collect()
}

fn finish_report(mut report: Report, options: &BulkOptions) -> Result<Report> {
    (report.aside, report.aside_named) = options.read.aside.found();
    // Also when the run was stopped: what is there can be read.
    if options.format == OutputFormat::Html && options.output.is_dir() {
        output::write_index(&options.output, &options.feed_title)?;
    }
    if let Some(path) = &options.report {
        let json = serde_json::to_vec_pretty(&report).unwrap_or_default();
        std::fs::write(path, json).map_err(|e| Error::io(path, e))?;
    }
    Ok(report)
}
