//! Subtitles, SubRip (.srt) and WebVTT (.vtt): read as sentences, written as cues with their numbers and times.
use crate::article::{Article, Block, BlockKind, plain};
use std::ops::Range;

/// A sentence is put together from at most so many cues, and not across a longer pause.
const MOST_CUES: usize = 6;
const PAUSE: f64 = 2.5;
/// Longest line of English, as broadcasters have it.
const LINE: usize = 42;

/// A piece of the file between two empty lines.
#[derive(Debug, Clone)]
enum Part {
    /// A header, a note, a style: kept as it is.
    Other(String),
    Cue(Cue),
}

#[derive(Debug, Clone)]
struct Cue {
    /// Lines up to and with the times.
    head: Vec<String>,
    times: String,
    lines: Vec<String>,
}

/// Part of a cue: all of its text, or one of its lines, where two people speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    part: usize,
    line: Option<usize>,
}

/// A file of subtitles.
#[derive(Debug, Clone)]
pub(super) struct Subtitles {
    parts: Vec<Part>,
    /// For each block of the article its units.
    groups: Vec<Vec<Unit>>,
    crlf: bool,
    vtt: bool,
}

/// Markup at the start and the end of a text, and the text without any.
struct Stripped {
    before: String,
    text: String,
    after: String,
}

impl Subtitles {
    pub fn parse(text: &str, vtt: bool) -> Self {
        let crlf = text.contains("\r\n");
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let mut parts = Vec::new();
        for piece in text.split("\n\n") {
            let piece = piece.trim_matches('\n');
            if piece.is_empty() {
                continue;
            }
            let lines: Vec<String> = piece.lines().map(str::to_owned).collect();
            let hidden = ["NOTE", "STYLE", "REGION"].iter().any(|word| piece.starts_with(word));
            match lines.iter().position(|line| line.contains("-->")).filter(|_| !hidden) {
                Some(at) => {
                    let (head, rest) = lines.split_at(at + 1);
                    let times = head.last().cloned().unwrap_or_default();
                    parts.push(Part::Cue(Cue { head: head.to_vec(), times, lines: rest.to_vec() }));
                }
                None => parts.push(Part::Other(piece.to_owned())),
            }
        }
        let groups = group(&parts);
        Self { parts, groups, crlf, vtt }
    }

    /// The sentences, each a paragraph.
    pub fn article(&self) -> Article {
        let blocks = self.groups.iter().map(|units| {
            let text: Vec<String> = units.iter().map(|unit| self.source(*unit).text).collect();
            Block { kind: BlockKind::Paragraph, text: text.join(" "), range: 0..0 }
        });
        Article { blocks: blocks.collect(), ..Article::default() }
    }

    fn source(&self, unit: Unit) -> Stripped {
        let Part::Cue(cue) = &self.parts[unit.part] else { return strip("") };
        match unit.line {
            Some(line) => strip(&cue.lines[line]),
            None => strip(&cue.lines.join(" ")),
        }
    }

    /// The file with the English of each group in its cues, or below the Bengali.
    pub fn write(&self, english: &[String], bilingual: bool, vtt: bool) -> String {
        let mut texts: Vec<Vec<String>> = vec![Vec::new(); self.parts.len()];
        for (units, text) in self.groups.iter().zip(english) {
            let sources: Vec<Stripped> = units.iter().map(|unit| self.source(*unit)).collect();
            let lengths: Vec<usize> = sources.iter().map(|s| s.text.chars().count()).collect();
            for ((unit, source), share) in units.iter().zip(&sources).zip(share_out(text, &lengths)) {
                let mut lines = if unit.line.is_some() { vec![share] } else { wrap(&share) };
                if let Some(first) = lines.first_mut() {
                    first.insert_str(0, &source.before);
                }
                if let Some(last) = lines.last_mut() {
                    last.push_str(&source.after);
                }
                texts[unit.part].extend(lines);
            }
        }
        let mut out: Vec<String> = Vec::with_capacity(self.parts.len() + 1);
        if vtt && !self.vtt {
            out.push("WEBVTT".into());
        }
        let mut number = 0;
        for (part, english) in self.parts.iter().zip(texts) {
            match part {
                Part::Other(text) if vtt || !self.vtt => out.push(text.clone()),
                Part::Other(_) => {}
                Part::Cue(cue) => {
                    number += 1;
                    let mut lines = if vtt == self.vtt { cue.head.clone() } else { converted(cue, number, vtt) };
                    if bilingual {
                        lines.extend(cue.lines.iter().cloned());
                    }
                    // What has no Bengali in it (music notes, pictures) is no group and stays.
                    lines.extend(if english.is_empty() && !bilingual { cue.lines.clone() } else { english });
                    out.push(lines.join("\n"));
                }
            }
        }
        let text = out.join("\n\n") + "\n";
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }
}

/// Number and times of a cue in the other of the two formats.
fn converted(cue: &Cue, number: usize, vtt: bool) -> Vec<String> {
    if vtt {
        return vec![number.to_string(), cue.times.replace(',', ".")];
    }
    let (start, rest) = cue.times.split_once("-->").unwrap_or((&cue.times, ""));
    let end = rest.split_whitespace().next().unwrap_or_default();
    let whole = |time: &str| {
        let time = time.trim().replace('.', ",");
        if time.matches(':').count() < 2 { format!("00:{time}") } else { time }
    };
    vec![number.to_string(), format!("{} --> {}", whole(start), whole(end))]
}

/// Which cues make a sentence together.
fn group(parts: &[Part]) -> Vec<Vec<Unit>> {
    let mut groups: Vec<Vec<Unit>> = Vec::new();
    // The group that the next cue may go on with, and when its last cue ends.
    let mut open: Option<f64> = None;
    for (index, part) in parts.iter().enumerate() {
        let Part::Cue(cue) = part else { continue };
        let turns = cue.lines.len() > 1 && cue.lines.iter().all(|line| is_turn(&strip(line).text));
        if turns {
            groups.extend((0..cue.lines.len()).map(|line| vec![Unit { part: index, line: Some(line) }]));
            open = None;
            continue;
        }
        let text = strip(&cue.lines.join(" ")).text;
        if text.trim().is_empty() {
            continue;
        }
        let (start, end) = times(&cue.times);
        let unit = Unit { part: index, line: None };
        let goes_on = open.is_some_and(|before| start - before <= PAUSE) && !is_turn(&text);
        match groups.last_mut().filter(|group| goes_on && group.len() < MOST_CUES) {
            Some(group) => group.push(unit),
            None => groups.push(vec![unit]),
        }
        open = (!plain::ends_sentence(&text)).then_some(end);
    }
    groups
}

fn is_turn(text: &str) -> bool {
    text.starts_with(['-', '–', '—', '‐'])
}

/// Start and end in seconds.
fn times(line: &str) -> (f64, f64) {
    let seconds = |text: &str| {
        let text = text.trim().replace(',', ".");
        text.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap_or(0.0))
    };
    let (start, rest) = line.split_once("-->").unwrap_or((line, ""));
    (seconds(start), seconds(rest.split_whitespace().next().unwrap_or_default()))
}

/// Takes the tags out of a text: those around it are kept for the English, those within are not.
fn strip(text: &str) -> Stripped {
    let mut out = Stripped { before: String::new(), text: String::new(), after: String::new() };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let close = match c {
            '<' => '>',
            '{' if rest.starts_with("{\\") => '}',
            _ => '\0',
        };
        let end = if close == '\0' { None } else { rest.find(close) };
        match end {
            Some(end) => {
                let tag = &rest[..=end];
                if out.text.trim().is_empty() {
                    out.before.push_str(tag)
                } else {
                    out.after.push_str(tag)
                }
                rest = &rest[end + 1..];
            }
            None => {
                if !c.is_whitespace() && !out.after.is_empty() {
                    out.after.clear();
                }
                out.text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    // A tag that is opened before and not closed behind, because it was closed within, would color all.
    if out.after.is_empty() && !out.before.contains("<v") && out.before.starts_with('<') {
        out.before.clear();
    }
    out.text = out.text.split_whitespace().collect::<Vec<_>>().join(" ");
    out
}

/// A text in shares as long as the sources are to one another, cut between words, at a comma where one is near.
fn share_out(text: &str, lengths: &[usize]) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let all: usize = lengths.iter().sum::<usize>().max(1);
    let letters: usize = words.iter().map(|w| w.chars().count() + 1).sum();
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(lengths.len());
    let (mut start, mut done) = (0, 0);
    for (index, length) in lengths.iter().enumerate() {
        done += length;
        let left = lengths.len() - index - 1;
        let wanted = letters as f64 * done as f64 / all as f64;
        let end = if left == 0 { words.len() } else { cut(&words, start, words.len().saturating_sub(left), wanted) };
        ranges.push(start..end);
        start = end;
    }
    ranges.into_iter().map(|range| words[range].join(" ")).collect()
}

/// The word to cut before: where the letters so far are nearest to what is wanted.
fn cut(words: &[&str], start: usize, most: usize, wanted: f64) -> usize {
    let mut best = (f64::INFINITY, start);
    let mut letters = 0.0;
    for (index, word) in words.iter().enumerate() {
        letters += word.chars().count() as f64 + 1.0;
        let end = index + 1;
        if end <= start || end > most {
            continue;
        }
        let pause = word.ends_with([',', ';', ':', '.', '?', '!', '–', '—']);
        let cost = (letters - wanted).abs() - if pause { 8.0 } else { 0.0 };
        if cost < best.0 {
            best = (cost, end);
        }
    }
    best.1
}

/// Lines of even length, none longer than a line may be.
fn wrap(text: &str) -> Vec<String> {
    let length = text.chars().count();
    if length <= LINE {
        return vec![text.to_owned()];
    }
    let mut count = length.div_ceil(LINE);
    loop {
        let lines = share_out(text, &vec![1; count]);
        let fits = lines.iter().all(|line| line.chars().count() <= LINE || !line.contains(' '));
        if fits || count > length {
            return lines.into_iter().filter(|line| !line.is_empty()).collect();
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRT: &str = "\u{feff}1\r\n00:00:01,000 --> 00:00:03,000\r\n<i>আমি যখন ছোট ছিলাম,</i>\r\n\r\n2\r\n00:00:03,100 --> 00:00:05,000\r\n<i>তখন নদীর ধারে থাকতাম।</i>\r\n\r\n\
        3\r\n00:00:09,000 --> 00:00:11,000\r\n- কেমন আছ?\r\n- ভালো।\r\n\r\n4\r\n00:00:12,000 --> 00:00:13,000\r\n♪\r\n";

    #[test]
    fn sentences_are_put_together_and_taken_apart() {
        let file = Subtitles::parse(SRT, false);
        let article = file.article();
        let texts: Vec<&str> = article.blocks.iter().map(|b| b.text.as_str()).collect();
        assert_eq!(texts, ["আমি যখন ছোট ছিলাম, তখন নদীর ধারে থাকতাম।", "- কেমন আছ?", "- ভালো।", "♪"]);
        let english = ["When I was little, I lived by the river.", "- How are you?", "- Fine.", "♪"].map(String::from);
        let out = file.write(&english, false, false);
        assert_eq!(
            out.replace("\r\n", "\n"),
            "1\n00:00:01,000 --> 00:00:03,000\n<i>When I was little,</i>\n\n2\n00:00:03,100 --> 00:00:05,000\n<i>I lived by the river.</i>\n\n\
             3\n00:00:09,000 --> 00:00:11,000\n- How are you?\n- Fine.\n\n4\n00:00:12,000 --> 00:00:13,000\n♪\n"
        );
        assert!(out.contains("\r\n"));
        let both = file.write(&english, true, false);
        assert!(both.contains("- কেমন আছ?\r\n- ভালো।\r\n- How are you?\r\n- Fine.\r\n"), "{both}");
    }

    #[test]
    fn lines_are_no_longer_than_they_may_be() {
        let long = "This is a rather long sentence that someone says without any pause at all, and it goes on and on for a while.";
        let lines = wrap(long);
        assert!(lines.len() == 3 && lines.iter().all(|l| l.chars().count() <= LINE), "{lines:?}");
        assert_eq!(lines.join(" "), long);
        assert_eq!(share_out("one", &[5, 5]).concat(), "one");
    }

    #[test]
    fn webvtt_keeps_its_header_settings_and_voices() {
        let vtt =
            "WEBVTT - শিরোনাম\n\nNOTE কিছু --> না\n\nintro\n00:01.000 --> 00:02.500 align:start\n<v রহিম>তুমি কোথায়?\n";
        let file = Subtitles::parse(vtt, true);
        assert_eq!(file.article().blocks[0].text, "তুমি কোথায়?");
        let english = ["Where are you?".to_owned()];
        assert_eq!(file.write(&english, false, true), vtt.replace("তুমি কোথায়?", "Where are you?"));
        assert_eq!(file.write(&english, false, false), "1\n00:00:01,000 --> 00:00:02,500\n<v রহিম>Where are you?\n");
        let srt = Subtitles::parse(SRT, false).write(&["a b".into(), "b".into(), "c".into(), "♪".into()], false, true);
        assert!(srt.starts_with("WEBVTT\r\n\r\n1\r\n00:00:01.000 --> 00:00:03.000\r\n"), "{srt}");
    }
}
