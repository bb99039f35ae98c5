//! `--retry-errors`: only the entries that failed are run again, into a side output; then the two are merged in the
//! order of the input. The merged files take the place of the old ones by renaming, and a run that is killed in
//! between is settled by the next one.
use crate::bulk::BulkError;
use crate::bulk::compare::compare;
use crate::bulk::input::Start;
use crate::bulk::options::BulkOptions;
use crate::bulk::report::Report;
use crate::bulk::schedule::context::Context;
use crate::bulk::schedule::{Ended, execute};
use crate::bulk::store::journal::{self, Header, Kind, Line, Mark, lines};
use crate::bulk::store::writer::Target;
use crate::bulk::store::{Append, Layout, Paths, Store};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

const SIDE: &str = "retry";
const MERGED: &str = "merged";

/// Finishes or forgets a merge that was cut short.
pub fn settle(options: &BulkOptions) -> Result<()> {
    let merged = Paths::side(&options.output, MERGED);
    if !merged.log.exists() {
        return Ok(());
    }
    let whole = lines(&merged.log)?.find_map(|(line, _)| if let Line::End(mark) = line { Some(mark) } else { None });
    match whole {
        Some(mark) => swap(options, &mark),
        None => remove(&merged),
    }
}

/// Puts the merged files in the place of the old ones; the log goes last, it is what says that there is work left.
fn swap(options: &BulkOptions, mark: &Mark) -> Result<()> {
    let (merged, paths) = (Paths::side(&options.output, MERGED), Paths::of(&options.output));
    for (from, to) in [(&merged.out, &paths.out), (&merged.errors, &paths.errors), (&merged.log, &paths.log)] {
        if from.is_file() {
            std::fs::rename(from, to).map_err(|e| Error::io(from, e))?;
        }
        if to == &paths.errors && mark.err == 0 && to.is_file() {
            std::fs::remove_file(to).map_err(|e| Error::io(to, e))?;
        }
    }
    remove(&merged)?;
    remove(&Paths::side(&options.output, SIDE))
}

fn remove(paths: &Paths) -> Result<()> {
    for path in paths.all().into_iter().filter(|p| p.is_file()) {
        std::fs::remove_file(path).map_err(|e| Error::io(path, e))?;
    }
    Ok(())
}

/// Runs the failed entries of a complete output again.
pub fn run(context: &Context<'_>, header: &Header) -> Result<Report> {
    let options = context.options;
    let (paths, out) = (Paths::of(&options.output), options.output.display());
    let Some(earlier) = journal::earlier(&paths.log)? else {
        let what = format!("{out}: has no journal, so there is nothing to retry");
        return Err(BulkError::NothingToRetry(what).into());
    };
    compare(&earlier, header, &options.output)?;
    let mut failed = BTreeSet::new();
    let mut end = None;
    for (line, _) in lines(&paths.log)? {
        match line {
            Line::Mark(mark) if mark.kind == Kind::Failed => drop(failed.insert(mark.n)),
            Line::End(mark) => end = Some(mark),
            _ => {}
        }
    }
    let Some(old_end) = end else {
        return Err(BulkError::NothingToRetry(format!("{out}: is not complete yet")).into());
    };
    let (side_store, at) = side_output(options, header)?;
    let only = failed.iter().copied().filter(|n| *n > at.n).collect();
    let start = Start { only: Some(only), ..Start::default() };
    let (Ended { target, end, mut report }, result) =
        execute(context, Target::Store(Box::new(side_store), None), start);
    let Target::Store(mut side, _) = target else { return Err(BulkError::Defect("the output was lost").into()) };
    if result.is_err() || end.is_none() {
        let _ = side.sync();
    }
    result?;
    report.output = options.output.display().to_string();
    report.model = Some(context.translator.identity().clone());
    (report.total_written, report.total_failed, report.total_skipped) =
        (old_end.written, old_end.failed, old_end.skipped);
    if let Some(end) = end {
        if end.input != old_end.input {
            let what = format!("{out}: the input has changed since");
            return Err(BulkError::Changed { what, complete: true }.into());
        }
        side.finish(end.n, &end.input)?;
        let mark = merge(options, header, &old_end)?;
        swap(options, &mark)?;
        report.complete = true;
        (report.total_written, report.total_failed) = (mark.written, mark.failed);
    }
    Ok(report)
}

/// Records and errors alone: no header, no packing, one file even where the output is a folder.
fn side_layout() -> Layout {
    Layout { header: Vec::new(), footer: Vec::new(), compress: None, folder: false }
}

/// The side output, begun or gone on with.
fn side_output(options: &BulkOptions, header: &Header) -> Result<(Store, Mark)> {
    let paths = Paths::side(&options.output, SIDE);
    if journal::earlier(&paths.log)?.is_some_and(|earlier| earlier.header == *header) {
        let (store, complete) = Store::resume(&paths, side_layout(), options.sync)?;
        if !complete {
            let at = store.at().clone();
            return Ok((store, at));
        }
    }
    Ok((Store::create(&paths, side_layout(), options.sync, header)?, Mark::default()))
}

/// Old and new in the order of the input.
fn merge(options: &BulkOptions, header: &Header, old_end: &Mark) -> Result<Mark> {
    let (old, side) = (Paths::of(&options.output), Paths::side(&options.output, SIDE));
    let mut paths = Paths::side(&options.output, MERGED);
    let layout = Layout::of(options);
    let folder = layout.folder;
    if folder {
        paths.out = old.out.clone();
    }
    let compress = layout.compress;
    let header_length = layout.header.len();
    let mut old_out: Box<dyn Read> = match (folder, compress) {
        (true, _) => Box::new(std::io::empty()),
        (false, None) => Box::new(reader(&old.out)?),
        (false, Some(packing)) => packing.unpack(reader(&old.out)?).map_err(|e| Error::io(&old.out, e))?,
    };
    take(&mut old_out, header_length, &old.out)?;
    let mut old_errors: Box<dyn Read> =
        if old_end.err > 0 { Box::new(reader(&old.errors)?) } else { Box::new(std::io::empty()) };
    let mut new_out = reader(&side.out)?;
    let mut new_errors: Box<dyn Read> =
        if side.errors.is_file() { Box::new(reader(&side.errors)?) } else { Box::new(std::io::empty()) };
    let mut new = entries(&side)?.peekable();
    let mut store = Store::create(&paths, layout, options.sync, header)?;
    for entry in entries(&old)? {
        let Entry { mark, raw, err } = entry;
        let line = take(&mut old_errors, err, &old.errors)?;
        let again = new.next_if(|new| new.mark.n == mark.n);
        match (mark.kind, again) {
            (Kind::Written, _) if folder => {
                // It lies where it belongs; the new journal must know of it.
                let name = mark.file.clone().unwrap_or_default();
                let path = old.out.join(&name);
                let mut bytes = Vec::new();
                let file: Box<dyn Read> = match compress {
                    Some(packing) => packing.unpack(reader(&path)?).map_err(|e| Error::io(&path, e))?,
                    None => Box::new(reader(&path)?),
                };
                { file }.read_to_end(&mut bytes).map_err(|e| Error::io(&path, e))?;
                store.append(mark.n, Append::Record(&bytes, Some(&name)), &mark.input)?;
            }
            (Kind::Written, _) => {
                let bytes = take(&mut old_out, raw, &old.out)?;
                store.append(mark.n, Append::Record(&bytes, None), &mark.input)?;
            }
            (_, Some(again)) if again.mark.kind == Kind::Written => {
                let bytes = take(&mut new_out, again.raw, &side.out)?;
                store.append(mark.n, Append::Record(&bytes, again.mark.file.as_deref()), &mark.input)?;
            }
            (_, Some(again)) => {
                let line = take(&mut new_errors, again.err, &side.errors)?;
                store.append(mark.n, Append::Error(&line), &mark.input)?;
            }
            (_, None) => store.append(mark.n, Append::Error(&line), &mark.input)?,
        }
    }
    store.finish(old_end.n, &old_end.input)
}

/// An entry of a journal with the lengths of what it appended.
struct Entry {
    mark: Mark,
    raw: usize,
    err: usize,
}

fn entries(paths: &Paths) -> Result<impl Iterator<Item = Entry> + use<>> {
    let mut before = Mark::default();
    Ok(lines(&paths.log)?.filter_map(move |(line, _)| {
        let Line::Mark(mark) = line else { return None };
        // The header's mark is of no entry.
        let counts = matches!(mark.kind, Kind::Written | Kind::Failed) && mark.n > 0;
        let entry =
            Entry { raw: (mark.raw - before.raw) as usize, err: (mark.err - before.err) as usize, mark: mark.clone() };
        before = mark;
        counts.then_some(entry)
    }))
}

fn reader(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).map_err(|e| Error::io(path, e))?))
}

fn take(from: &mut impl Read, length: usize, path: &Path) -> Result<Vec<u8>> {
    // Not by a buffer of that length: a damaged journal may say anything.
    let mut bytes = Vec::new();
    let read = from.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if read < length {
        return Err(Error::io(path, std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}
