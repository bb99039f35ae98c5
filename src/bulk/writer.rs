//! The one who writes: takes what is finished in any order and appends it in the order of the input.
use super::filter::Reason;
use super::gate::Gate;
use super::options::BulkOptions;
use super::output::{self, OutputFormat};
use super::record::{ErrorRecord, Record};
use super::report::{Report, Slow};
use super::store::{Append, Store};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

/// What became of an entry.
pub enum What {
    Written(Box<Record>, Slow),
    Failed(ErrorRecord),
    Skipped(Reason),
}

/// …and whose turn it is.
pub struct Message {
    pub slot: u64,
    pub n: u64,
    /// Digest of the input up to this entry.
    pub input: String,
    /// What it weighs at the gate.
    pub bytes: usize,
    pub what: What,
}

/// Where records go.
pub enum Target<'a> {
    Store(Box<Store>),
    /// Standard output, or any stream: records alone, errors in their places where the format has room for them.
    Stream(Box<dyn Write + Send + 'a>),
}

impl Target<'_> {
    fn put(&mut self, message: &Message, options: &BulkOptions) -> Result<()> {
        let Message { n, input, what, .. } = message;
        match (self, what) {
            (Self::Store(store), What::Written(record, _)) => {
                let bytes = options.format.record(record, options.include_source);
                let file = (options.format == OutputFormat::Markdown).then(|| {
                    let end = options.compress.map_or(String::new(), |c| format!(".{}", c.extension()));
                    format!("{}{end}", output::file_name(record))
                });
                store.append(*n, Append::Record(&bytes, file.as_deref()), input)
            }
            (Self::Store(store), What::Failed(error)) => store.append(*n, Append::Error(&error.line()), input),
            (Self::Store(store), What::Skipped(_)) => store.append(*n, Append::Skipped, input),
            (Self::Stream(out), What::Written(record, _)) => {
                stream(out, &options.format.record(record, options.include_source))
            }
            (Self::Stream(out), What::Failed(error)) if options.format == OutputFormat::Jsonl => {
                stream(out, &error.line())
            }
            (Self::Stream(_), What::Failed(error)) => {
                tracing::error!("{}: {}", error.place, error.error);
                Ok(())
            }
            (Self::Stream(_), What::Skipped(_)) => Ok(()),
        }
    }
}

/// Whoever reads the stream sees a record as soon as it is there.
pub(super) fn stream(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| Error::io("standard output", e))
}

/// Writes until nobody sends any more, or until writing fails. What arrives behind a gap is not written: it is
/// done again when the run is resumed.
pub fn write<'a>(
    mut target: Target<'a>,
    messages: Receiver<Message>,
    options: &BulkOptions,
    gate: &Gate,
    report: &Mutex<Report>,
) -> (Target<'a>, Result<()>) {
    let mut waiting: BTreeMap<u64, Message> = BTreeMap::new();
    let mut next = 0;
    for message in messages {
        waiting.insert(message.slot, message);
        while let Some(message) = waiting.remove(&next) {
            if let Err(error) = target.put(&message, options) {
                gate.close();
                return (target, Err(error));
            }
            next += 1;
            gate.leave(message.bytes);
            count(&mut report.lock().unwrap_or_else(PoisonError::into_inner), message.what);
        }
    }
    (target, Ok(()))
}

fn count(report: &mut Report, what: What) {
    report.read += 1;
    match what {
        What::Written(record, slow) => report.add(slow, &record.findings),
        What::Failed(_) => report.failed += 1,
        What::Skipped(reason) => *report.skipped.entry(reason).or_default() += 1,
    }
}
