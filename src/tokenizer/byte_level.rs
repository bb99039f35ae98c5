//! Byte-level BPE: GPT-2's way of splitting text into words and writing bytes as visible characters.
use std::{collections::HashMap, ops::Range, sync::LazyLock};

use regex::Regex;

use super::merge::{characters, merge};

/// The characters that stand for the 256 bytes: printable ones for themselves, the others from U+0100 on.
static CHARACTERS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut next = 0x100;
    std::array::from_fn(|byte| match byte as u8 {
        printable @ (b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) => char::from(printable),
        _ => {
            next += 1;
            char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
});

/// The byte that a character stands for.
static BYTES: LazyLock<HashMap<char, u8>> =
    LazyLock::new(|| CHARACTERS.iter().enumerate().map(|(byte, character)| (*character, byte as u8)).collect());

/// Text as pieces spell it.
pub(super) fn to_characters(text: &str) -> String {
    text.bytes().map(|byte| CHARACTERS[usize::from(byte)]).collect()
}

/// The bytes that a piece stands for; characters that stand for none are kept as they are.
pub(super) fn to_bytes(piece: &str, out: &mut Vec<u8>) {
    for character in piece.chars() {
        match BYTES.get(&character) {
            Some(byte) => out.push(*byte),
            None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// How text is split before merging: patterns applied one after another, each to the pieces that the one before
/// left. What a pattern does not match is a piece of its own.
pub(super) struct Splitter {
    steps: &'static [Regex],
    /// A word that is in the vocabulary is taken whole, without merging (Llama 3).
    pub ignore_merges: bool,
    /// Llama 3 begins texts with BOS unless the file says otherwise.
    pub bos_by_default: bool,
}

/// The patterns end in `\s+` where the originals have `\s+(?!\S)|\s+`; [`words`] does the look-ahead.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
const LLAMA3: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const QWEN35: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
const HUNYUAN: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+"##;
const PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|]+";

fn compile(patterns: &[&str]) -> Vec<Regex> {
    // constants of this file, compiled by every test run
    patterns.iter().map(|pattern| Regex::new(pattern).expect("a valid pattern")).collect()
}

impl Splitter {
    /// The splitter that llama.cpp has for `tokenizer.ggml.pre`; `None` where it is not known here.
    pub(super) fn of(pre: &str) -> Option<Self> {
        static STEPS: LazyLock<[Vec<Regex>; 7]> = LazyLock::new(|| {
            [
                compile(&[GPT2]),
                compile(&[r"\p{N}", GPT2]),
                compile(&[LLAMA3]),
                compile(&[QWEN2]),
                compile(&[QWEN35]),
                compile(&[PUNCTUATION, GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]),
                compile(&[r"\p{N}{1,3}", "[一-龥\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+", HUNYUAN]),
            ]
        });
        let kind = match pre {
            "gpt-2" | "phi-2" | "mpt" | "olmo" | "jais" | "trillion" | "granite-docling" | "exaone4" => 0,
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => 1,
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2" => 2,
            "smaug-bpe" | "dbrx" => 2,
            "qwen2" | "stablelm2" | "megrez" | "hunyuan" | "deepseek-r1-qwen" | "grok-2" | "solar-open" => 3,
            "qwen35" => 4,
            "default" | "" => 5,
            "hunyuan-dense" => 6,
            _ => return None,
        };
        let llama3 = kind == 2 && !matches!(pre, "smaug-bpe" | "dbrx");
        Some(Self { steps: &STEPS[kind], ignore_merges: llama3, bos_by_default: llama3 })
    }

    /// The words of `text`, in order and without gaps.
    pub(super) fn split(&self, text: &str) -> Vec<Range<usize>> {
        let mut pieces: Vec<Range<usize>> = std::iter::once(0..text.len()).filter(|range| !range.is_empty()).collect();
        for pattern in self.steps {
            pieces = pieces.into_iter().flat_map(|range| words(text, range, pattern)).collect();
        }
        pieces
    }
}

/// Splits one stretch by one pattern.
fn words(text: &str, stretch: Range<usize>, pattern: &Regex) -> Vec<Range<usize>> {
    let part = &text[stretch.clone()];
    let mut out = Vec::new();
    let mut from = 0;
    // patterns newer than GPT-2's take line ends by themselves, whole
    let keeps_lines = pattern.as_str().contains(r"\s*[\r\n]+");
    while let Some(found) = pattern.find_at(part, from) {
        if found.start() > from {
            out.push(from..found.start());
        }
        let end = found.start() + without_last_space(found.as_str(), found.end() < part.len(), keeps_lines);
        out.push(found.start()..end);
        from = end;
    }
    if from < part.len() {
        out.push(from..part.len());
    }
    out.into_iter().map(|range| range.start + stretch.start..range.end + stretch.start).collect()
}

/// White space before a word leaves its last character to that word (`\s+(?!\S)`), unless it ends a line and the
/// pattern keeps lines. Returns the length that stays. In GPT-2's pattern a line break is white space like any other, and
/// gives way too: "\n\nword" is "\n", "\n", "word".
fn without_last_space(matched: &str, more: bool, keeps_lines: bool) -> usize {
    let mut characters = matched.chars();
    let last = characters.next_back();
    let all_space = matched.chars().all(char::is_whitespace);
    match last {
        Some(last)
            if more && all_space && characters.next().is_some() && !(keeps_lines && matches!(last, '\r' | '\n')) =>
        {
            matched.len() - last.len_utf8()
        }
        _ => matched.len(),
    }
}

/// The order in which pairs are merged.
pub(super) struct Merges(HashMap<Box<str>, u32, ahash::RandomState>);

impl Merges {
    /// Takes `left right` lines; `None` names the first that is not two pieces. Of equal pairs the first counts.
    pub(super) fn new(lines: Vec<String>) -> Result<Self, usize> {
        let mut ranks = HashMap::with_capacity_and_hasher(lines.len(), ahash::RandomState::new());
        for (rank, line) in lines.into_iter().enumerate() {
            if line.split(' ').filter(|piece| !piece.is_empty()).count() != 2 || line.matches(' ').count() != 1 {
                return Err(rank);
            }
            ranks.entry(line.into_boxed_str()).or_insert(rank as u32);
        }
        Ok(Self(ranks))
    }

    /// The pieces of one word that is already written in byte characters.
    pub(super) fn apply(&self, word: &str) -> Vec<Range<usize>> {
        let mut key = String::with_capacity(word.len() + 1);
        merge(characters(word), |left, right| {
            key.clear();
            key.push_str(&word[left.clone()]);
            key.push(' ');
            key.push_str(&word[right.clone()]);
            self.0.get(key.as_str()).map(|rank| std::cmp::Reverse(*rank))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pre: &str, text: &str) -> Vec<String> {
        Splitter::of(pre).unwrap().split(text).into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn words_keep_the_space_before_them() {
        assert_eq!(split("gpt-2", "He said  it's 42!"), ["He", " said", " ", " it", "'s", " 42", "!"]);
        assert_eq!(split("smollm", "in 1971"), ["in", " ", "1", "9", "7", "1"]);
        assert_eq!(split("llama-bpe", "in 1971"), ["in", " ", "197", "1"]);
        assert_eq!(split("qwen2", "in 1971"), ["in", " ", "1", "9", "7", "1"]);
    }

    #[test]
    fn white_space_and_line_ends() {
        assert_eq!(split("gpt-2", "a \n\n b  "), ["a", " \n\n", " b", "  "]);
        assert_eq!(split("llama-bpe", "a \n\n b  "), ["a", " \n\n", " b", "  "]);
        assert_eq!(split("llama-bpe", "a.\nb"), ["a", ".\n", "b"]);
        assert_eq!(split("smollm", "a.\n\nb"), ["a", ".", "\n", "\n", "b"]);
        assert_eq!(split("qwen2", "a.\n\nb\n\nc"), ["a", ".\n\n", "b", "\n\n", "c"]);
        assert_eq!(split("qwen2", "   "), ["   "]);
        assert!(split("qwen2", "").is_empty());
    }

    #[test]
    fn nothing_is_lost() {
        for pre in ["gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "default"] {
            let text = "র‍্যাব-১১ said: “I'LL go!”\r\n\t২০২৪ 😀  x\u{a0} ";
            assert_eq!(split(pre, text).concat(), text, "{pre}");
        }
        assert!(Splitter::of("no-such-kind").is_none());
    }

    #[test]
    fn every_byte_has_its_own_character() {
        let text: String = (0..=255u8).map(char::from).collect();
        let mut bytes = Vec::new();
        to_bytes(&to_characters(&text), &mut bytes);
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(to_characters(" \n"), "ĠĊ");
    }

    #[test]
    fn merges_go_by_rank() {
        let merges = Merges::new(vec!["b c".into(), "a b".into(), "a bc".into()]).unwrap();
        assert_eq!(merges.apply("abc"), vec![0..3]);
        assert_eq!(merges.apply("abb"), [0..2, 2..3]);
        assert_eq!(Merges::new(vec!["a b".into(), "abc".into()]).err(), Some(1));
    }
}
