//! Bytes with a name and a position: decompressed, in UTF-8 whatever the file's encoding, read in bounded pieces.
use super::Place;
use super::format::shows_feed;
use std::io::{self, BufRead, BufReader, Read};

/// How much is looked at to tell formats and encodings apart.
pub(super) const PEEK: usize = 64 << 10;

/// A named stream that counts bytes and lines as they are consumed.
pub struct Source<'a> {
    /// As it appears in a [`Place`].
    pub name: String,
    inner: Box<dyn BufRead + 'a>,
    byte: u64,
    line: u64,
    /// It began with the mark of UTF-8, which was taken off.
    pub(super) marked: bool,
}

/// How a bounded read ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Up to and including the delimiter.
    Whole,
    /// The stream ended first; the buffer may hold a last piece.
    End,
    /// The limit was reached first; the rest is still to be read.
    TooLong,
}

impl<'a> Source<'a> {
    /// Wraps a stream of text; an encoding other than UTF-8 is found by its byte order mark, an XML
    /// declaration or an HTML `<meta charset>`, and transcoded on the way.
    pub fn new(name: impl Into<String>, stream: impl Read + 'a) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut stream = stream;
        let error = read_head(&mut stream, &mut head).err();
        let encoding = encoding_of(&head);
        let marked = encoding.is_some_and(|(encoding, bom)| encoding == encoding_rs::UTF_8 && bom > 0);
        // An error met while peeking comes back when the reader gets there.
        let whole = io::Cursor::new(head).chain(Failing(error)).chain(stream);
        let inner: Box<dyn BufRead + 'a> = match encoding {
            Some((encoding, bom)) => {
                let mut whole = whole;
                io::copy(&mut (&mut whole).take(bom as u64), &mut io::sink())?;
                match encoding == encoding_rs::UTF_8 {
                    true => Box::new(BufReader::with_capacity(PEEK, whole)),
                    false => {
                        // A byte order mark is no hearsay, and neither is an encoding that is not of bytes of ASCII.
                        let belief = if bom > 0 { Belief::Declared } else { Belief::Open };
                        Box::new(BufReader::with_capacity(PEEK, Transcoder::new(encoding, whole, belief)))
                    }
                }
            }
            None => Box::new(BufReader::with_capacity(PEEK, whole)),
        };
        Ok(Self { name: name.into(), inner, byte: 0, line: 1, marked })
    }

    /// The next bytes without consuming them; empty at the end or where reading fails.
    pub fn peek(&mut self) -> &[u8] {
        self.inner.fill_buf().unwrap_or_default()
    }

    /// Drops so many bytes of those that [`Source::peek`] shows.
    pub(super) fn consume(&mut self, n: usize) {
        self.line += self.inner.fill_buf().unwrap_or_default().iter().take(n).filter(|&&b| b == b'\n').count() as u64;
        self.byte += n as u64;
        self.inner.consume(n);
    }

    /// Where reading stands.
    pub fn place(&self, entry: Option<u64>) -> Place {
        Place { file: self.name.clone(), entry, line: Some(self.line), byte: Some(self.byte) }
    }

    /// Appends up to and including `delimiter`, but never more than `limit` bytes.
    pub(super) fn read_until(&mut self, delimiter: u8, limit: usize, into: &mut Vec<u8>) -> io::Result<Chunk> {
        let mut room = limit;
        loop {
            let available = match self.inner.fill_buf() {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if available.is_empty() {
                return Ok(Chunk::End);
            }
            let window = &available[..available.len().min(room)];
            let found = window.iter().position(|&b| b == delimiter);
            let taken = &window[..found.map_or(window.len(), |i| i + 1)];
            into.extend_from_slice(taken);
            self.byte += taken.len() as u64;
            self.line += taken.iter().filter(|&&b| b == b'\n').count() as u64;
            let used = taken.len();
            self.inner.consume(used);
            room -= used;
            if found.is_some() {
                return Ok(Chunk::Whole);
            }
            if room == 0 {
                return Ok(Chunk::TooLong);
            }
        }
    }

    /// Drops everything up to and including `delimiter`.
    pub(super) fn skip_past(&mut self, delimiter: u8) -> io::Result<()> {
        let mut dropped = Vec::new();
        while self.read_until(delimiter, PEEK, &mut dropped)? == Chunk::TooLong {
            dropped.clear();
        }
        Ok(())
    }

    /// Everything that is left, or `None` where it is more than `limit` bytes.
    pub(super) fn read_all(&mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.inner.by_ref().take(limit as u64 + 1).read_to_end(&mut bytes)?;
        self.byte += bytes.len() as u64;
        Ok((bytes.len() <= limit).then_some(bytes))
    }

    /// The next byte.
    pub(super) fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.inner.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(bytes) => {
                    let byte = bytes[0];
                    self.inner.consume(1);
                    self.byte += 1;
                    self.line += u64::from(byte == b'\n');
                    return Ok(Some(byte));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
        }
    }
}

/// Fills `head` with enough to tell what the stream is, at most [`PEEK`] bytes.
fn read_head(stream: &mut impl Read, head: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = vec![0; PEEK];
    // A pipe gives what there is. Of records the first line says enough, and they may come slowly; of markup the first
    // line may be no more than a declaration, and the element that matters stands behind it.
    let is_enough = |head: &[u8]| {
        let markup = head.trim_ascii_start().first().is_none_or(|&b| b == b'<');
        if markup { head.len() >= 4096 || shows_feed(head) } else { head.len() >= 1024 || head.contains(&b'\n') }
    };
    while !is_enough(head) {
        match stream.read(&mut piece[..PEEK - head.len()]) {
            Ok(0) => break,
            Ok(n) => head.extend_from_slice(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Gives its error once, then nothing.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The encoding that the first bytes name, and how many bytes its mark takes. `None`: UTF-8 without a mark.
fn encoding_of(head: &[u8]) -> Option<(&'static encoding_rs::Encoding, usize)> {
    if let Some(found) = encoding_rs::Encoding::for_bom(head) {
        return Some(found);
    }
    if head.contains(&0)
        && let Some(encoding) = crate::article::encoding::utf16_guess(head)
    {
        return Some((encoding, 0));
    }
    let start = &head[..head.len().min(1024)];
    let named = label_after(start, b"<?xml", b"encoding=").or_else(|| label_after(start, b"<", b"charset="))?;
    let encoding = encoding_rs::Encoding::for_label(named)?;
    // A document that says UTF-16 without a byte order mark in ASCII-compatible bytes is not UTF-16.
    (encoding != encoding_rs::UTF_8 && encoding.is_ascii_compatible()).then_some((encoding, 0))
}

/// The label behind `key` in a text that begins with `start`.
fn label_after<'a>(text: &'a [u8], start: &[u8], key: &[u8]) -> Option<&'a [u8]> {
    if !text.trim_ascii_start().starts_with(start) {
        return None;
    }
    let at = text.windows(key.len()).position(|w| w.eq_ignore_ascii_case(key))? + key.len();
    let rest = text[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_:.".contains(b))).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Any encoding in, UTF-8 out, in constant memory. An encoding that a declaration names is only believed where the
/// bytes are not UTF-8 all the same: many feeds carry the declaration of an older program.
struct Transcoder<R> {
    decoder: encoding_rs::Decoder,
    inner: R,
    input: Vec<u8>,
    output: Vec<u8>,
    given: usize,
    ended: bool,
    belief: Belief,
}

/// What is thought of the declared encoding.
#[derive(PartialEq, Eq)]
enum Belief {
    /// All was ASCII so far.
    Open,
    Declared,
    Utf8,
}

impl<R: Read> Transcoder<R> {
    fn new(encoding: &'static encoding_rs::Encoding, inner: R, belief: Belief) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { decoder, inner, input: vec![0; 8192], output: Vec::new(), given: 0, ended: false, belief }
    }

    /// Reads until it can be told whether the bytes are UTF-8, or the buffer is full of ASCII.
    fn read_enough(&mut self) -> io::Result<usize> {
        let mut read = self.inner.read(&mut self.input)?;
        if self.belief != Belief::Open || read == 0 {
            return Ok(read);
        }
        while let Some(at) = self.input[..read].iter().position(|b| !b.is_ascii()) {
            if read - at >= 4 || read == self.input.len() {
                break;
            }
            match self.inner.read(&mut self.input[read..])? {
                0 => break,
                n => read += n,
            }
        }
        if !self.input[..read].is_ascii() {
            self.belief = match std::str::from_utf8(&self.input[..read]) {
                Ok(_) => Belief::Utf8,
                // A character cut in two by the buffer's end is none that is wrong.
                Err(e) if e.error_len().is_none() && !self.input[..e.valid_up_to()].is_ascii() => Belief::Utf8,
                Err(_) => Belief::Declared,
            };
        }
        Ok(read)
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = self.read_enough()?;
        self.ended = read == 0;
        self.given = 0;
        if self.belief != Belief::Declared {
            self.output.clear();
            self.output.extend_from_slice(&self.input[..read]);
            return Ok(());
        }
        let most = self.decoder.max_utf8_buffer_length(read).unwrap_or(4 * read + 16);
        self.output.resize(most, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(&self.input[..read], &mut self.output, self.ended);
        self.output.truncate(written);
        Ok(())
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() && !self.ended {
            self.refill()?;
        }
        let n = buffer.len().min(self.output.len() - self.given);
        buffer[..n].copy_from_slice(&self.output[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}
