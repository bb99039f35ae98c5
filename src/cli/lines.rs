//! `anubad translate --lines`: one segment a line, checked and repaired like any other.
//!
//! Lines go through the engine in one stream. Those that the checks doubt are held back; when enough are, or no further
//! line is there yet, the stream pauses and they are translated again together. So a pipe that is fed by hand gets its
//! answers at once, and a long file full batches.
use super::translate::{TranslateArgs, pipeline_options};
use crate::article::{Segment, segment};
use crate::engine::{Job, Outcome, Translate};
use crate::pipeline::{self, PipelineOptions, TranslatedSegment, finish::segment_result, translate::has_serious};
use crate::text::{Finding, normalize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So many doubtful lines are repaired together.
const HELD: usize = 64;
/// How long the next line may take before those that are held back are repaired.
const PATIENCE: Duration = Duration::from_millis(20);
/// Lines read ahead.
const READY: usize = 256;

/// Runs the command.
pub fn run(args: &TranslateArgs) -> anyhow::Result<ExitCode> {
    let options = PipelineOptions { summary: None, ..pipeline_options(args)? };
    let name = args.file.display().to_string();
    let input: Box<dyn BufRead + Send> = if args.file.as_os_str() == "-" {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let file = std::fs::File::open(&args.file).map_err(|e| crate::Error::io(&args.file, e))?;
        Box::new(std::io::BufReader::new(file))
    };
    let loaded = args.model.load(args.quiet)?;
    let engine: &dyn Translate = &loaded.translator;
    let mut reader = Reader::start(input, name, args.lossy);
    let waiting = reader.waiting.clone();
    let mut out = Output::new(args, std::io::BufWriter::new(std::io::stdout()));
    while !reader.ended {
        let mut doubtful: Vec<(u64, String, Outcome)> = Vec::new();
        let held = reader.held.clone();
        engine.translate_stream(&mut reader, &mut |id, outcome| {
            let source = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id).unwrap_or_default();
            match outcome {
                _ if !segment::needs_translation(&source) => out.put(id, segment::passed_through(&source)),
                Ok(outcome) => {
                    let range = 0..source.len();
                    let line = Segment { block: None, sentence: 0, text: source, range };
                    let (done, findings) = segment_result(0, &line, Some(Ok(outcome.clone())), &options);
                    if options.repair && has_serious(&findings) {
                        held.fetch_add(1, Ordering::Relaxed);
                        doubtful.push((id, line.text, outcome));
                    } else {
                        out.sentence(id, (done, findings));
                    }
                }
                Err(error) => out.failed(id, &error.to_string()),
            }
            out.failure.is_none()
        })?;
        if out.failure.is_some() {
            break;
        }
        reader.held.store(0, Ordering::Relaxed);
        doubtful.sort_by_key(|(id, ..)| *id);
        let ids: Vec<u64> = doubtful.iter().map(|(id, ..)| *id).collect();
        let (sources, outcomes): (Vec<_>, Vec<_>) = doubtful.into_iter().map(|(_, s, o)| (s, o)).unzip();
        for (id, sentence) in ids.into_iter().zip(pipeline::mend(engine, &sources, outcomes, &options)?) {
            out.sentence(id, sentence);
        }
    }
    out.finish(reader.failure)
}

/// The lines of the input as jobs; what each said is kept until it is translated.
struct Reader {
    lines: Receiver<crate::Result<String>>,
    number: u64,
    waiting: Arc<Mutex<BTreeMap<u64, String>>>,
    /// Lines that wait for repair.
    held: Arc<AtomicUsize>,
    ended: bool,
    failure: Option<crate::Error>,
}

impl Reader {
    /// Reads on a thread of its own, which nobody waits for: it may hang in a pipe when the output is closed.
    fn start(mut input: Box<dyn BufRead + Send>, name: String, lossy: bool) -> Self {
        let (sender, lines) = mpsc::sync_channel(READY);
        std::thread::spawn(move || {
            for number in 1.. {
                let Some(line) = next_line(&mut input, &name, lossy, number) else { return };
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
                    return;
                }
            }
        });
        Self { lines, number: 0, waiting: Arc::default(), held: Arc::default(), ended: false, failure: None }
    }
}

fn next_line(input: &mut (dyn BufRead + Send), name: &str, lossy: bool, number: u64) -> Option<crate::Result<String>> {
    let mut bytes = Vec::new();
    match input.read_until(b'\n', &mut bytes) {
        Ok(0) => None,
        Err(error) => Some(Err(crate::Error::io(name, error))),
        Ok(_) => Some(match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) if lossy => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            Err(error) => Err(crate::Error::Input(format!(
                "{name}: line {number} is not UTF-8 (byte {} of the line); convert the file, or use --lossy",
                error.utf8_error().valid_up_to()
            ))),
        }),
    }
}

impl Iterator for Reader {
    type Item = Job;

    /// The next line; `None` also where those that are held back are to be repaired first.
    fn next(&mut self) -> Option<Job> {
        let line = loop {
            let held = self.held.load(Ordering::Relaxed);
            if self.ended || held >= HELD {
                return None;
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Timeout) if held == 0 => {}
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return None;
                }
            }
        };
        let text = match line {
            Ok(text) => text.trim().to_string(),
            Err(error) => {
                (self.ended, self.failure) = (true, Some(error));
                return None;
            }
        };
        let id = self.number;
        self.number += 1;
        let wanted = if segment::needs_translation(&text) { normalize::canonical(&text) } else { String::new() };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, text);
        Some(Job { id, text: wanted, options: None })
    }
}

/// Prints lines in order, however they come in.
struct Output<'a, W: Write> {
    args: &'a TranslateArgs,
    out: W,
    next: u64,
    held: BTreeMap<u64, String>,
    failure: Option<std::io::Error>,
    failed: usize,
    /// Lines with serious findings.
    serious: usize,
}

impl<'a, W: Write> Output<'a, W> {
    fn new(args: &'a TranslateArgs, out: W) -> Self {
        Self { args, out, next: 0, held: BTreeMap::new(), failure: None, failed: 0, serious: 0 }
    }

    fn sentence(&mut self, id: u64, (segment, findings): (TranslatedSegment, Vec<Finding>)) {
        self.serious += usize::from(has_serious(&findings));
        if self.args.verbose > 0 && !self.args.quiet {
            for finding in &findings {
                eprintln!("anubad: line {}: {} ({:?})", id + 1, finding.message, finding.severity);
            }
        }
        self.put(id, segment.text.replace(['\n', '\r'], " "));
    }

    fn failed(&mut self, id: u64, error: &str) {
        eprintln!("anubad: line {}: {error}", id + 1);
        self.failed += 1;
        self.put(id, String::new());
    }

    fn put(&mut self, id: u64, text: String) {
        self.held.insert(id, text);
        let mut write = || -> std::io::Result<()> {
            while let Some(text) = self.held.remove(&self.next) {
                writeln!(self.out, "{text}")?;
                self.next += 1;
            }
            self.out.flush()
        };
        if let Err(error) = write() {
            self.failure.get_or_insert(error);
        }
    }

    fn finish(self, unread: Option<crate::Error>) -> anyhow::Result<ExitCode> {
        if let Some(error) = self.failure {
            return Err(error.into());
        }
        if let Some(error) = unread {
            return Err(error.into());
        }
        if self.serious > 0 && !self.args.quiet && self.args.verbose == 0 {
            eprintln!("anubad: the checks doubt {} lines; -v lists them", self.serious);
        }
        let partly = self.failed > 0 || self.args.strict && self.serious > 0;
        Ok(if partly { ExitCode::from(super::PARTLY) } else { ExitCode::SUCCESS })
    }
}
