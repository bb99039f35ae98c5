//! JSON Feed, an array of objects, or single objects: sliced into entries byte by byte, so that a document of
//! any size is read in constant memory; each slice is then parsed by itself.
//! Format: <https://www.jsonfeed.org/version/1.1/>.
use super::{BadEntry, Place, ReadOptions, Reader, Sink, Source, document, jsonl};
use std::io;
use std::ops::ControlFlow;

/// A JSON document.
pub struct Json;

/// Where a walk over a value ended.
enum Walk {
    /// At the value's last byte.
    Value,
    /// Just inside the array of entries, which is so many objects deep.
    Items(usize),
}

/// Why a walk could not be finished.
enum Trouble {
    Read(io::Error),
    /// The document ended inside the value.
    CutOff,
    /// The value is larger than the limit; it was read past.
    TooLarge,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl Reader for Json {
    fn read(&self, source: &mut Source<'_>, options: &ReadOptions, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut number = 0;
        let mut value = Vec::new();
        loop {
            value.clear();
            let first = match next_token(source) {
                Ok(Some(byte)) => byte,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => return sink(Err(document::unreadable(source.place(Some(number + 1)), &error))),
            };
            let place = start_of(source, number + 1);
            match first {
                b'[' => read_items(source, options, &mut number, false, sink)?,
                b'{' => match walk(source, first, options.max_entry, true, &mut value) {
                    Ok(Walk::Value) => {
                        number += 1;
                        sink(jsonl::parse(&value, place, options))?;
                    }
                    Ok(Walk::Items(depth)) => {
                        read_items(source, options, &mut number, true, sink)?;
                        // What stands behind the entries belongs to the feed itself.
                        for _ in 0..depth {
                            value.clear();
                            match walk(source, b'{', usize::MAX, false, &mut value) {
                                Ok(_) => {}
                                Err(trouble) => return sink(Err(bad(trouble, source.place(None), options))),
                            }
                        }
                    }
                    Err(trouble) => {
                        let stop = matches!(trouble, Trouble::Read(_) | Trouble::CutOff);
                        number += 1;
                        sink(Err(bad(trouble, place, options)))?;
                        if stop {
                            return ControlFlow::Continue(());
                        }
                    }
                },
                _ => {
                    let reason =
                        "not JSON here: expected an object or an array of objects; the rest of the file is not read";
                    return sink(Err(BadEntry { place, reason: reason.into() }));
                }
            }
        }
    }
}

/// Reads the members of an array, from behind its `[` to its `]`; with `objects`, as the list of a feed, whose entries
/// are objects and nothing else.
fn read_items(
    source: &mut Source<'_>,
    options: &ReadOptions,
    number: &mut u64,
    objects: bool,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let mut value = Vec::new();
    loop {
        value.clear();
        let first = match next_token(source) {
            Ok(Some(b',')) => continue,
            Ok(Some(b']')) => return ControlFlow::Continue(()),
            Ok(Some(byte)) => byte,
            Ok(None) => return sink(Err(bad(Trouble::CutOff, source.place(Some(*number + 1)), options))),
            Err(error) => return sink(Err(document::unreadable(source.place(Some(*number + 1)), &error))),
        };
        *number += 1;
        let place = start_of(source, *number);
        match walk(source, first, options.max_entry, false, &mut value) {
            Ok(_) if objects && first != b'{' => {
                let reason = "not an object, as the entries of a feed are";
                sink(Err(BadEntry { place, reason: reason.into() }))?;
            }
            Ok(_) => sink(jsonl::parse(&value, place, options))?,
            Err(trouble) => {
                let stop = matches!(trouble, Trouble::Read(_) | Trouble::CutOff);
                sink(Err(bad(trouble, place, options)))?;
                if stop {
                    return ControlFlow::Continue(());
                }
            }
        }
    }
}

/// Copies one value that begins with `first` (already consumed) into `value`; a scalar ends before `,`, `]` or `}`.
/// With `find_items` it stops behind the `[` of a list of entries: that of a top-level key `items`, or one of objects
/// under another name that lists go by, unless the object showed itself to be an article before.
fn walk(
    source: &mut Source<'_>,
    first: u8,
    limit: usize,
    find_items: bool,
    value: &mut Vec<u8>,
) -> Result<Walk, Trouble> {
    let keep = limit != usize::MAX;
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let (mut string, mut key) = (Vec::new(), Vec::new());
    let mut large = false;
    // Brackets that are open, for only lists inside of nothing but objects are lists of entries.
    let (mut lists, mut article) = (0usize, false);
    let mut byte = first;
    loop {
        if keep && !large {
            value.push(byte);
            large = value.len() > limit;
        }
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ if string.len() < 16 => string.push(byte),
                _ => {}
            }
        } else {
            match byte {
                b'"' => {
                    in_string = true;
                    string.clear();
                }
                b':' if depth <= MAX_WRAPPERS => {
                    key.clone_from(&string);
                    article |= depth == 1 && TEXTS.iter().any(|name| name.eq_ignore_ascii_case(&key));
                }
                b'[' if find_items && lists == 0 && is_list_of_entries(source, depth, &key, article) => {
                    return Ok(Walk::Items(depth));
                }
                b'{' | b'[' => {
                    lists += usize::from(byte == b'[');
                    depth += 1;
                }
                b'}' | b']' => {
                    lists = lists.saturating_sub(usize::from(byte == b']'));
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
        }
        let ended = depth == 0 && !in_string && (matches!(byte, b'}' | b']' | b'"') || scalar_ends(source, first));
        if ended {
            return if large { Err(Trouble::TooLarge) } else { Ok(Walk::Value) };
        }
        byte = source.next_byte()?.ok_or(Trouble::CutOff)?;
    }
}

/// How deep a list of entries may be wrapped: `{"response": {"docs": [`.
const MAX_WRAPPERS: usize = 3;
/// Names of lists of entries besides JSON Feed's own.
const LISTS: &[&[u8]] = &[
    b"items",
    b"articles",
    b"entries",
    b"posts",
    b"news",
    b"stories",
    b"data",
    b"results",
    b"records",
    b"rows",
    b"docs",
    b"hits",
];
/// Names of fields that only an article has.
const TEXTS: &[&[u8]] = &[b"body", b"text", b"content", b"content_html", b"content_text", b"article"];

fn is_list_of_entries(source: &mut Source<'_>, depth: usize, key: &[u8], article: bool) -> bool {
    let named = |names: &[&[u8]]| names.iter().any(|name| name.eq_ignore_ascii_case(key));
    match depth {
        1 if key == b"items" => true,
        1..=MAX_WRAPPERS if !article && named(LISTS) => source.peek().trim_ascii_start().starts_with(b"{"),
        _ => false,
    }
}

/// Outside of brackets and strings, a number or word ends before the next separator.
fn scalar_ends(source: &mut Source<'_>, first: u8) -> bool {
    !matches!(first, b'{' | b'[' | b'"')
        && source.peek().first().is_none_or(|b| matches!(b, b',' | b']' | b'}') || b.is_ascii_whitespace())
}

/// The next byte that is not white space.
fn next_token(source: &mut Source<'_>) -> io::Result<Option<u8>> {
    loop {
        match source.next_byte()? {
            Some(byte) if byte.is_ascii_whitespace() => {}
            other => return Ok(other),
        }
    }
}

/// The place of the byte that was just consumed.
fn start_of(source: &Source<'_>, entry: u64) -> Place {
    let place = source.place(Some(entry));
    Place { byte: place.byte.map(|b| b.saturating_sub(1)), ..place }
}

fn bad(trouble: Trouble, place: Place, options: &ReadOptions) -> BadEntry {
    match trouble {
        Trouble::Read(error) => document::unreadable(place, &error),
        Trouble::TooLarge => document::too_large(place, options.max_entry),
        Trouble::CutOff => {
            let reason =
                "the JSON document ends inside this entry or before its last bracket: it is cut off or damaged";
            BadEntry { place, reason: reason.into() }
        }
    }
}
