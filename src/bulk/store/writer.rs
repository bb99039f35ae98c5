//! The one who writes: takes what is finished in any order and appends it in the order of the input.
use crate::bulk::BulkError;
use crate::bulk::input::gate::Gate;
use crate::bulk::message::{Message, What};
use crate::bulk::options::{BulkOptions, Resume};
use crate::bulk::output::OutputFormat;
use crate::bulk::report::Report;
use crate::bulk::store::ahead::Ahead;
use crate::bulk::store::{Append, Store};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

/// Where records go.
pub enum Target<'a> {
    /// …and what is finished before its turn, where that is kept.
    Store(Box<Store>, Option<Ahead>),
    /// Standard output, or any stream: records alone, errors in their places where the format has room for them.
    Stream(Box<dyn Write + Send + 'a>),
}

impl Target<'_> {
    fn put(&mut self, message: &Message, options: &BulkOptions) -> Result<()> {
        let Message { n, input, what, .. } = message;
        match (self, what) {
            (Self::Store(store, ahead), what) => {
                let append = match what {
                    What::Written(record) => Append::Record(record.text.as_bytes(), record.file.as_deref()),
                    What::Failed(error) => Append::Error(&error.line()),
                    What::Skipped(_) => Append::Skipped,
                };
                store.append(*n, append, input)?;
                if let Some(ahead) = ahead {
                    ahead.written(*n);
                }
                Ok(())
            }
            (Self::Stream(out), What::Written(record)) => stream(out, record.text.as_bytes()),
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

    /// Its turn has not come.
    fn keep(&mut self, message: &Message) {
        if let Self::Store(_, Some(ahead)) = self {
            ahead.add(message);
        }
    }
}

/// Whoever reads the stream sees a record as soon as it is there.
pub(in crate::bulk) fn stream(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| Error::io("standard output", e))
}

/// Writes until nobody sends any more, or until writing fails. What arrives behind a gap is kept aside: the gap is
/// filled when the run is resumed.
pub fn write<'a>(
    mut target: Target<'a>,
    messages: Receiver<Message>,
    options: &BulkOptions,
    gate: &Gate,
    report: &Mutex<Report>,
) -> (Target<'a>, Result<()>) {
    let mut waiting: BTreeMap<u64, Message> = BTreeMap::new();
    let mut next = 0;
    let mut alike = Alike::default();
    for message in messages {
        if message.slot != next {
            target.keep(&message);
        }
        waiting.insert(message.slot, message);
        while let Some(message) = waiting.remove(&next) {
            if let Err(error) = target.put(&message, options) {
                gate.close();
                return (target, Err(error));
            }
            next += 1;
            gate.leave(message.bytes);
            if options.resume != Resume::RetryErrors
                && let Some(reason) = alike.all_fail(&message.what)
            {
                gate.close();
                return (target, Err(all_failed(reason)));
            }
            count(&mut report.lock().unwrap_or_else(PoisonError::into_inner), message);
        }
    }
    (target, Ok(()))
}

/// So many failures for one reason, and nothing else, are enough.
const ENOUGH: u64 = 100;

/// Whether everything so far has failed for one reason.
#[derive(Default)]
struct Alike {
    reason: Option<String>,
    failures: u64,
    other: bool,
}

impl Alike {
    /// The reason, when enough entries have failed for it and none has done anything else.
    fn all_fail(&mut self, what: &What) -> Option<&str> {
        // Numbers in it are places and sizes.
        let plain = |text: &str| text.chars().filter(|c| !c.is_numeric()).collect::<String>();
        match what {
            What::Failed(error) if !self.other => match &self.reason {
                Some(reason) if plain(reason) == plain(&error.error) => self.failures += 1,
                Some(_) => self.other = true,
                None => (self.reason, self.failures) = (Some(error.error.clone()), 1),
            },
            What::Written(_) => self.other = true,
            _ => {}
        }
        if !self.other && self.failures == ENOUGH { self.reason.as_deref() } else { None }
    }
}

fn all_failed(reason: &str) -> Error {
    BulkError::AllFailed { articles: ENOUGH, reason: reason.to_owned() }.into()
}

fn count(report: &mut Report, message: Message) {
    report.read += 1;
    report.kept += u64::from(message.kept);
    report.progress.advance(message.consumed);
    match message.what {
        What::Written(record) => report.add(record.slow, &record.findings),
        What::Failed(_) => report.failed += 1,
        What::Skipped(reason) => *report.skipped.entry(reason).or_default() += 1,
    }
}
