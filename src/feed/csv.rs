//! CSV and TSV with a header row (RFC 4180). Records are cut out by a strict little state machine and then
//! parsed by the `csv` crate. Where the quotes of a record are broken, its first line is reported and reading goes
//! on with the next line, so that a lost quote does not swallow the rest of the file.
use super::source::Chunk;
use super::table::{self, Found, Table};
use super::{BadEntry, Item, Place, ReadOptions, Reader, Sink, Source, document};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// More columns than any table of articles has.
const MAX_COLUMNS: usize = 4096;

/// Records with a header row.
pub struct Csv {
    /// `None`: comma, semicolon, tab or bar, whichever the header has most of.
    pub delimiter: Option<u8>,
}

impl Reader for Csv {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut lines =
            Lines { source, limit: options.max_entry, pushed_back: VecDeque::new(), scanned: 0, kept: None };
        lines.kept = options.table.as_ref().map(|_| if lines.source.marked { MARK.to_vec() } else { Vec::new() });
        let mut number = 0;
        let found = if options.no_header { self.numbered(&mut lines) } else { self.header(&mut lines) };
        let (header, delimiter) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return ControlFlow::Continue(()),
            Err(bad) => return sink(Err(bad)),
        };
        let head: Arc<str> = if options.no_header { "".into() } else { lines.take_kept().into() };
        loop {
            match next_record(&mut lines, delimiter, header.len(), options.max_entry) {
                Ok(None) => return ControlFlow::Continue(()),
                Ok(Some(record)) => {
                    number += 1;
                    let place = Place { entry: Some(number), ..record.place };
                    match record.fields {
                        Ok(fields) => {
                            let source = lines.take_kept();
                            let row = options.table.as_ref().map(|table| (table, &head, delimiter, source));
                            sink(entry(&header, fields, place, options, row))?;
                        }
                        Err(reason) => {
                            lines.take_kept();
                            sink(Err(BadEntry { place, reason }))?;
                        }
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
    /// Bytes that the state machine has run over.
    scanned: u64,
    /// The bytes of the lines since they were last taken, where tables stay tables.
    kept: Option<Vec<u8>>,
}

struct Line {
    place: Place,
    bytes: Vec<u8>,
    too_long: bool,
    /// What becomes of a record whose quote is open where this line begins, if that was found out already. Such a
    /// record meets the same bytes in the same state as the one before it, and reading them again and again would cost
    /// the square of their number.
    within_quotes: Option<Rest>,
}

/// The rest of a record.
#[derive(Clone, Copy)]
enum Rest {
    /// Its quote is never closed.
    Unclosed,
    /// Text stands behind its closing quote.
    Broken,
    /// It ends, and has so many delimiters up to there.
    Ends(usize),
}

impl Lines<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pushed_back.pop_front() {
            self.keep(&line.bytes);
            return Ok(Some(line));
        }
        let place = self.source.place(None);
        let mut bytes = Vec::new();
        match self.source.read_until(b'\n', self.limit, &mut bytes)? {
            Chunk::End if bytes.is_empty() => Ok(None),
            Chunk::TooLong => {
                self.source.skip_past(b'\n')?;
                Ok(Some(Line { place, bytes: Vec::new(), too_long: true, within_quotes: None }))
            }
            _ => {
                self.keep(&bytes);
                Ok(Some(Line { place, bytes, too_long: false, within_quotes: None }))
            }
        }
    }
}

/// The mark of UTF-8, which stands before the header of many a table.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Lines<'_, '_> {
    fn keep(&mut self, bytes: &[u8]) {
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
    }

    /// What was read since the last call, where it is kept.
    fn take_kept(&mut self) -> String {
        let kept = self.kept.as_mut().map(std::mem::take).unwrap_or_default();
        // Bytes that are no UTF-8 are errors of their field.
        String::from_utf8(kept).unwrap_or_default()
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

/// Runs over the bytes of a line, its line end included; also counts the delimiters that part fields.
fn advance(mut state: State, bytes: &[u8], delimiter: u8) -> (State, usize) {
    let mut delimiters = 0;
    for &byte in bytes {
        state = match (state, byte) {
            (State::Broken, _) => break,
            (State::FieldStart, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) => State::Quoted,
            (State::QuoteInQuoted, b'"') => State::Quoted,
            (State::QuoteInQuoted, b'\r' | b'\n') => State::QuoteInQuoted,
            (State::QuoteInQuoted, b) if b != delimiter => State::Broken,
            (_, b) if b == delimiter => {
                delimiters += 1;
                State::FieldStart
            }
            (State::FieldStart, b'\r' | b'\n') => State::FieldStart,
            _ => State::Unquoted,
        };
    }
    (state, delimiters)
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
    let (fields, rest) = read_record(lines, first, delimiter, width, limit)?;
    if fields.is_err() {
        for line in rest.into_iter().rev() {
            lines.pushed_back.push_front(line);
        }
    }
    let fields = fields.map_err(|reason| format!("the record on this line is damaged: {reason}"));
    Ok(Some(Record { place, fields }))
}

/// The fields of the record that begins with `first`, or what is wrong with it; and the lines behind the first, each
/// with what becomes of a record that is within quotes there.
fn read_record(
    lines: &mut Lines<'_, '_>,
    first: Line,
    delimiter: u8,
    width: usize,
    limit: usize,
) -> io::Result<(Result<Vec<Vec<u8>>, String>, Vec<Line>)> {
    lines.scanned += first.bytes.len() as u64;
    let (mut state, mut delimiters) = advance(State::FieldStart, &first.bytes, delimiter);
    let mut size = first.bytes.len();
    let (mut taken, mut counts) = (vec![first], Vec::new());
    let mut known = None;
    while state == State::Quoted {
        // What follows was read already, from the same state on: only a record of the right width is worth the time.
        known = lines.pushed_back.front().and_then(|line| line.within_quotes);
        match known {
            Some(Rest::Ends(rest)) if width == 0 || delimiters + rest + 1 == width => known = None,
            Some(_) => break,
            None => {}
        }
        match lines.next()? {
            Some(line) if !line.too_long && size + line.bytes.len() <= limit => {
                lines.scanned += line.bytes.len() as u64;
                let count;
                (state, count) = advance(state, &line.bytes, delimiter);
                delimiters += count;
                size += line.bytes.len();
                counts.push(count);
                taken.push(line);
            }
            Some(line) => {
                lines.pushed_back.push_front(line);
                break;
            }
            None => break,
        }
    }
    let (fields, mut rest) = match (known, state) {
        (Some(Rest::Ends(rest)), _) => (Err(wrong_width(delimiters + rest + 1, width)), Rest::Ends(rest)),
        (Some(Rest::Broken), _) | (None, State::Broken) => (Err(BROKEN.into()), Rest::Broken),
        (Some(Rest::Unclosed), _) | (None, State::Quoted) => (Err(UNCLOSED.into()), Rest::Unclosed),
        (None, _) => (split(&taken, delimiter, width), Rest::Ends(0)),
    };
    let mut behind = taken.split_off(1);
    for (line, count) in behind.iter_mut().zip(counts).rev() {
        if let Rest::Ends(delimiters) = &mut rest {
            *delimiters += count;
        }
        line.within_quotes = Some(rest);
    }
    Ok((fields, behind))
}

const UNCLOSED: &str = "a quote is opened and never closed";
const BROKEN: &str = "text stands behind a closing quote";

fn wrong_width(found: usize, wanted: usize) -> String {
    format!("it has {found} fields, the header has {wanted}")
}

/// The fields of a whole record.
fn split(lines: &[Line], delimiter: u8, width: usize) -> Result<Vec<Vec<u8>>, String> {
    let bytes = lines.iter().map(|l| l.bytes.as_slice()).collect::<Vec<_>>().concat();
    let fields = parse(&bytes, delimiter)?;
    if width != 0 && fields.len() != width {
        return Err(wrong_width(fields.len(), width));
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

/// `sep=;`: a first line by which spreadsheets name the separator.
fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*separator),
        // A tab went with the white space at the end.
        [s, e, p, b'='] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(b'\t'),
        _ => None,
    }
}

impl Csv {
    /// Numbers for names, where the first line is a row like any other.
    fn numbered(&self, lines: &mut Lines<'_, '_>) -> Result<Option<(Vec<String>, u8)>, BadEntry> {
        let first = lines.next().map_err(|error| document::unreadable(lines.source.place(None), &error))?;
        let Some(Line { place, bytes, too_long, .. }) = first else { return Ok(None) };
        let line = |place, bytes| Line { place, bytes, too_long, within_quotes: None };
        lines.pushed_back.push_front(line(place.clone(), bytes.clone()));
        let Some((names, delimiter)) = self.header(lines)? else { return Ok(None) };
        lines.pushed_back.push_front(line(place, bytes));
        // The line is kept once more when it is read as a row.
        let mark = lines.source.marked && lines.kept.is_some();
        lines.kept = lines.kept.as_ref().map(|_| if mark { MARK.to_vec() } else { Vec::new() });
        Ok(Some(((1..=names.len()).map(|n| n.to_string()).collect(), delimiter)))
    }

    /// The header row and the delimiter.
    fn header(&self, lines: &mut Lines<'_, '_>) -> Result<Option<(Vec<String>, u8)>, BadEntry> {
        let line = match lines.next() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => line,
            Err(error) => return Err(document::unreadable(lines.source.place(None), &error)),
        };
        if let Some(named) = separator_line(&line.bytes) {
            return Self { delimiter: Some(named) }.header(lines);
        }
        let delimiter = self.delimiter.unwrap_or_else(|| {
            let count = |d: u8| line.bytes.iter().filter(|&&b| b == d).count();
            [b',', b'\t', b';', b'|'].into_iter().rev().max_by_key(|&d| count(d)).unwrap_or(b',')
        });
        let fields = if line.too_long { Err("its header is too long".into()) } else { parse(&line.bytes, delimiter) };
        let names = fields.and_then(|fields| {
            if fields.len() > MAX_COLUMNS {
                return Err(format!("it has {} columns, more than {MAX_COLUMNS}", fields.len()));
            }
            let names =
                fields.into_iter().map(|f| String::from_utf8(f).map_err(|_| "its header is not UTF-8".to_owned()));
            Ok(distinct(names.collect::<Result<_, _>>()?))
        });
        match names {
            Ok(names) => Ok(Some((names, delimiter))),
            Err(reason) => Err(BadEntry { place: line.place, reason: format!("not CSV: {reason}") }),
        }
    }
}

/// Two columns of one name: both travel along, the second as `name_2`.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut seen: HashMap<String, u32> = HashMap::new();
    let again = |name: String| {
        let number = seen.entry(name.clone()).or_default();
        *number += 1;
        if *number == 1 {
            return name;
        }
        loop {
            let numbered = format!("{name}_{number}");
            if taken.insert(numbered.clone()) {
                return numbered;
            }
            *number += 1;
        }
    };
    names.into_iter().map(again).collect()
}

/// What a row needs beside its fields to be written again.
type RowOf<'a> = (&'a Table, &'a Arc<str>, u8, String);

fn entry(header: &[String], fields: Vec<Vec<u8>>, place: Place, options: &ReadOptions, row: Option<RowOf<'_>>) -> Item {
    let mut record = Map::new();
    let mut texts = Vec::new();
    for (name, field) in header.iter().zip(fields) {
        let text = match String::from_utf8(field) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err(BadEntry { place, reason: format!("invalid UTF-8 at byte {at} of the field `{name}`") });
            }
        };
        match row {
            Some(_) => texts.push(text),
            None => drop(record.insert(name.clone(), Value::String(text))),
        }
    }
    if let Some((table, head, delimiter, source)) = row {
        let found = Found { names: header, fields: texts, header: head, delimiter, source };
        return table::entry(table, found, place, options);
    }
    options.fields.entry(record, options.body, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that the state machine ran over, and how many records were good and bad.
    fn scan(text: &str) -> (u64, usize, usize) {
        let mut source = Source::new("f.csv", text.as_bytes()).unwrap();
        let mut lines =
            Lines { source: &mut source, limit: 1 << 24, pushed_back: VecDeque::new(), scanned: 0, kept: None };
        let csv = Csv { delimiter: None };
        let (header, delimiter) = csv.header(&mut lines).unwrap_or_default().unwrap();
        let (mut good, mut bad) = (0, 0);
        while let Some(record) = next_record(&mut lines, delimiter, header.len(), 1 << 24).unwrap() {
            if record.fields.is_ok() { good += 1 } else { bad += 1 }
        }
        (lines.scanned, good, bad)
    }

    #[test]
    fn recovery_reads_no_line_more_than_a_few_times() {
        for (line, end) in [
            ("x\",\"\n", ""),
            ("x\",\"\n", "\"\n"),
            ("x\",\"\n", "\"y\n"),
            ("\"\n", ""),
            ("a,\"b\n", ""),
            ("\"a\n\"b\n", ""),
        ] {
            for lines in [1_000, 10_000, 100_000] {
                let text = format!("title,body\n{}{end}", line.repeat(lines));
                let (scanned, _, bad) = scan(&text);
                assert!(scanned <= 3 * text.len() as u64, "{line:?} {end:?}: {scanned} bytes of {}", text.len());
                assert!(bad > 0);
            }
        }
    }

    #[test]
    fn a_record_behind_a_stray_quote_is_found_as_before() {
        // The stray quote of line 2 would close at the quote that opens the next record's body.
        let (_, good, bad) = scan("title,body\na,\"b\nc,\"d\ne\"\nf,\"g\nh\"\n");
        assert_eq!((good, bad), (2, 1));
        // Three fields to the closing quote; the line between is a record of its own.
        let (_, good, bad) = scan("title,body\nx,y,\"1\nc,\"\"\nd\"\nf,g\n");
        assert_eq!((good, bad), (2, 2));
    }

    #[test]
    fn columns_of_one_name_are_numbered() {
        let names = ["a", "a", "a_2", "b", "a", "a_2"].map(str::to_owned).to_vec();
        assert_eq!(distinct(names), ["a", "a_3", "a_2", "b", "a_4", "a_2_2"]);
        let options = ReadOptions::default();
        let wide = |n: usize| format!("{}body\n{}x\n", "a,".repeat(n), "y,".repeat(n));
        let items = super::super::read_bytes("w.csv", wide(5000).as_bytes(), &options);
        assert!(matches!(&items[..], [Err(bad)] if bad.reason.contains("5001 columns, more than 4096")), "{items:?}");
        let items = super::super::read_bytes("w.csv", wide(4000).as_bytes(), &options);
        let Ok(entry) = &items[0] else { panic!("{items:?}") };
        assert!(serde_json::to_string(&entry.meta.extra).unwrap().len() < 100_000);
    }
}
