//! CSV and TSV with a header row (RFC 4180). Records are cut out by a strict little state machine and then
//! parsed by the `csv` crate. Where the quotes of a record are broken, its first line is reported and reading goes
//! on with the next line, so that a lost quote does not swallow the rest of the file.
use super::source::Chunk;
use super::{BadEntry, Item, Place, ReadOptions, Reader, Sink, Source, document};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;

/// Records with a header row.
pub struct Csv {
    /// `None`: comma, semicolon or tab, whichever the header has most of.
    pub delimiter: Option<u8>,
}

impl Reader for Csv {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut lines = Lines { source, limit: options.max_entry, pushed_back: VecDeque::new() };
        let mut number = 0;
        let (header, delimiter) = match self.header(&mut lines) {
            Ok(Some(found)) => found,
            Ok(None) => return ControlFlow::Continue(()),
            Err(bad) => return sink(Err(bad)),
        };
        loop {
            match next_record(&mut lines, delimiter, header.len(), options.max_entry) {
                Ok(None) => return ControlFlow::Continue(()),
                Ok(Some(record)) => {
                    number += 1;
                    let place = Place { entry: Some(number), ..record.place };
                    match record.fields {
                        Ok(fields) => sink(entry(&header, fields, place, options))?,
                        Err(reason) => sink(Err(BadEntry { place, reason }))?,
                    }
                }
                Err(error) => {
                    let place = lines.source.place(Some(number + 1));
                    return sink(Err(document::unreadable(place, &error)));
                }
            }
        }
    }
}

/// Lines of the file with their places; lines can be put back to be read again.
struct Lines<'a, 'b> {
    source: &'a mut Source<'b>,
    limit: usize,
    pushed_back: VecDeque<Line>,
}

struct Line {
    place: Place,
    bytes: Vec<u8>,
    too_long: bool,
}

impl Lines<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pushed_back.pop_front() {
            return Ok(Some(line));
        }
        let place = self.source.place(None);
        let mut bytes = Vec::new();
        match self.source.read_until(b'\n', self.limit, &mut bytes)? {
            Chunk::End if bytes.is_empty() => Ok(None),
            Chunk::TooLong => {
                self.source.skip_past(b'\n')?;
                Ok(Some(Line { place, bytes: Vec::new(), too_long: true }))
            }
            _ => Ok(Some(Line { place, bytes, too_long: false })),
        }
    }
}

/// A record's place and its fields, or what is wrong with it.
struct Record {
    place: Place,
    fields: Result<Vec<Vec<u8>>, String>,
}

/// Where the state machine stands between two bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote inside a quoted field: the field's end, or the first half of a doubled quote.
    QuoteInQuoted,
    /// Text stands behind a closing quote: the record's quotes are broken.
    Broken,
}

/// Runs over the bytes of a line, its line end included.
fn advance(mut state: State, bytes: &[u8], delimiter: u8) -> State {
    for &byte in bytes {
        state = match (state, byte) {
            (State::Broken, _) => return State::Broken,
            (State::FieldStart, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) => State::Quoted,
            (State::QuoteInQuoted, b'"') => State::Quoted,
            (State::QuoteInQuoted, b'\r' | b'\n') => State::QuoteInQuoted,
            (State::QuoteInQuoted, b) if b != delimiter => State::Broken,
            (_, b) if b == delimiter => State::FieldStart,
            (State::FieldStart, b'\r' | b'\n') => State::FieldStart,
            _ => State::Unquoted,
        };
    }
    state
}

fn next_record(lines: &mut Lines<'_, '_>, delimiter: u8, width: usize, limit: usize) -> io::Result<Option<Record>> {
    let first = loop {
        match lines.next()? {
            None => return Ok(None),
            Some(line) if !line.too_long && line.bytes.trim_ascii().is_empty() => {}
            Some(line) => break line,
        }
    };
    let place = first.place.clone();
    if first.too_long {
        return Ok(Some(Record { fields: Err(document::too_large(place.clone(), limit).reason), place }));
    }
    let mut taken = vec![first];
    let mut state = advance(State::FieldStart, &taken[0].bytes, delimiter);
    let mut size = taken[0].bytes.len();
    while state == State::Quoted {
        match lines.next() {
            Ok(Some(line)) if !line.too_long && size + line.bytes.len() <= limit => {
                state = advance(state, &line.bytes, delimiter);
                size += line.bytes.len();
                taken.push(line);
            }
            Ok(Some(line)) => {
                taken.push(line);
                break;
            }
            Ok(None) => break,
            // The cut-off record is reported with the failure; the lines before it are its own.
            Err(error) => return Err(error),
        }
    }
    let fields = match state {
        State::Quoted => Err("a quote is opened and never closed".into()),
        State::Broken => Err("text stands behind a closing quote".into()),
        _ => split(&taken, delimiter, width),
    };
    if fields.is_err() && taken.len() > 1 {
        for line in taken.drain(1..).rev() {
            lines.pushed_back.push_front(line);
        }
    }
    let fields = fields.map_err(|reason| format!("the record on this line is damaged: {reason}"));
    Ok(Some(Record { place, fields }))
}

/// The fields of a whole record.
fn split(lines: &[Line], delimiter: u8, width: usize) -> Result<Vec<Vec<u8>>, String> {
    let bytes = lines.iter().map(|l| l.bytes.as_slice()).collect::<Vec<_>>().concat();
    let fields = parse(&bytes, delimiter)?;
    if width != 0 && fields.len() != width {
        return Err(format!("it has {} fields, the header has {width}", fields.len()));
    }
    Ok(fields)
}

fn parse(bytes: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(bytes);
    match reader.byte_records().next() {
        Some(Ok(record)) => Ok(record.iter().map(<[u8]>::to_vec).collect()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it is empty".into()),
    }
}

impl Csv {
    /// The header row and the delimiter.
    fn header(&self, lines: &mut Lines<'_, '_>) -> Result<Option<(Vec<String>, u8)>, BadEntry> {
        let line = match lines.next() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => line,
            Err(error) => return Err(document::unreadable(lines.source.place(None), &error)),
        };
        let delimiter = self.delimiter.unwrap_or_else(|| {
            let count = |d: u8| line.bytes.iter().filter(|&&b| b == d).count();
            [b',', b'\t', b';'].into_iter().rev().max_by_key(|&d| count(d)).unwrap_or(b',')
        });
        let fields = if line.too_long { Err("its header is too long".into()) } else { parse(&line.bytes, delimiter) };
        let names = fields.and_then(|fields| {
            fields.into_iter().map(|f| String::from_utf8(f).map_err(|_| "its header is not UTF-8".to_owned())).collect()
        });
        match names {
            Ok(names) => Ok(Some((names, delimiter))),
            Err(reason) => Err(BadEntry { place: line.place, reason: format!("not CSV: {reason}") }),
        }
    }
}

fn entry(header: &[String], fields: Vec<Vec<u8>>, place: Place, options: &ReadOptions) -> Item {
    let mut record = Map::new();
    for (name, field) in header.iter().zip(fields) {
        let text = match String::from_utf8(field) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err(BadEntry { place, reason: format!("invalid UTF-8 at byte {at} of the field `{name}`") });
            }
        };
        // Two columns of one name: both travel along.
        let mut name = name.clone();
        while record.contains_key(&name) {
            name.push('_');
        }
        record.insert(name, Value::String(text));
    }
    options.fields.entry(record, options.body, place)
}
