//! `anubad translate --lines`: one segment a line, translated, checked and repaired like any other.
//!
//! A line is answered as soon as it is done, though more may follow: a program that writes one line and waits for its
//! translation gets it.
use super::common::told;
use super::translate::TranslateArgs;
use crate::engine::Supply;
use crate::error::{InputError, SettingsError};
use crate::pipeline::stream::{Finished, Sentence};
use crate::pipeline::{PipelineOptions, Quality, translate::has_serious, translate_sentences};
use crate::text::{Finding, FindingKind};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// How long a worker without work waits for a line before it looks for other work.
const PATIENCE: Duration = Duration::from_millis(20);
/// Lines read ahead.
const READY: usize = 256;

/// Runs the command.
pub fn run(args: &TranslateArgs) -> anyhow::Result<ExitCode> {
    let options: PipelineOptions = args.sentences.options(Quality::Best)?;
    let [path] = args.files.as_slice() else {
        return Err(crate::Error::Settings(SettingsError::Conflict(
            "--lines takes one file; join them: cat A B | anubad translate --lines".into(),
        ))
        .into());
    };
    let name = path.display().to_string();
    let input: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let file = std::fs::File::open(path).map_err(|e| crate::Error::io(path, e))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut loaded = args.model.load(Some(args.sentences.quality(Quality::Best)), args.quiet)?;
    loaded.translator = told(loaded.translator, options.checks.glossary.as_ref());
    let mut lines = Lines::start(input, name, args.lossy);
    let mut out = Output::new(args, std::io::BufWriter::new(std::io::stdout()));
    translate_sentences(&loaded.translator, &options, &mut |idle| lines.next(idle), &mut |line| out.sentence(line))?;
    let done = out.finish(lines.failure)?;
    if !args.quiet {
        loaded.say_which(args.verbose > 0);
    }
    Ok(done)
}

/// The lines of the input.
struct Lines {
    lines: Receiver<crate::Result<String>>,
    failure: Option<crate::Error>,
}

impl Lines {
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
        Self { lines, failure: None }
    }

    fn next(&mut self, idle: bool) -> Supply<Sentence> {
        let line = if idle {
            self.lines.recv_timeout(PATIENCE)
        } else {
            self.lines.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        };
        match line {
            Ok(Ok(text)) => Supply::Job(Sentence::new(text.trim())),
            Ok(Err(error)) => {
                self.failure = Some(error);
                Supply::End
            }
            Err(RecvTimeoutError::Timeout) => Supply::NotNow,
            Err(RecvTimeoutError::Disconnected) => Supply::End,
        }
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
            Err(error) => Err(crate::Error::Input(InputError::Encoding(format!(
                "{name}: line {number} is not UTF-8 (byte {} of the line); convert the file, or use --lossy",
                error.utf8_error().valid_up_to()
            )))),
        }),
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

    /// Takes a line; false: nobody reads the output any more.
    fn sentence(&mut self, line: Finished) -> bool {
        let Finished { index, segment, findings, .. } = line;
        if let Some(failed) = findings.iter().find(|f| f.kind == FindingKind::Failed) {
            crate::error::say!("anubad: line {}: {}", index + 1, failed.message);
            self.failed += 1;
            self.put(index, String::new());
        } else {
            self.remark(index, &findings);
            self.put(index, segment.text.replace(['\n', '\r'], " "));
        }
        self.failure.is_none()
    }

    fn remark(&mut self, index: u64, findings: &[Finding]) {
        self.serious += usize::from(has_serious(findings));
        if self.args.verbose > 0 && !self.args.quiet {
            for finding in findings {
                crate::error::say!("anubad: line {}: {} ({})", index + 1, finding.message, finding.severity.name());
            }
        }
    }

    fn put(&mut self, index: u64, text: String) {
        self.held.insert(index, text);
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
            crate::error::say!("anubad: the checks doubt {} lines; -v lists them", self.serious);
        }
        let partly = self.failed > 0 || self.args.strict && self.serious > 0;
        Ok(if partly { ExitCode::from(super::exit::PARTLY) } else { ExitCode::SUCCESS })
    }
}
