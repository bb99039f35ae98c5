//! Reads sentence pairs: plain lines, TSV, JSONL.
use crate::error::InputError;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Which part of a pair is wanted of a file that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Source,
    Reference,
    Hypothesis,
}

impl Part {
    /// Field names in JSONL, the likelier first.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["source", "src", "bn", "bengali", "text"],
            Self::Reference => &["reference", "ref", "target", "tgt", "en", "english", "summary"],
            Self::Hypothesis => &["hypothesis", "hyp", "translation", "output", "prediction", "mt"],
        }
    }

    /// What is wrong with a line of a TSV that lacks the part.
    fn missing_column(self) -> String {
        match self {
            Self::Source => "no column for the source",
            Self::Reference => "no second column for the reference",
            Self::Hypothesis => {
                "no column for the hypothesis: it is the third, after source and reference, or the only one"
            }
        }
        .into()
    }
}

/// The wanted part of every line of a file: the whole line of plain text; of a TSV the first column (source), the
/// second (reference), or the third (hypothesis); of JSONL a field. `-` is standard input, as plain text.
///
/// # Errors
/// The file can't be read, isn't UTF-8, or a line lacks the part; the text names the line.
pub fn read(path: &Path, part: Part) -> Result<Vec<String>> {
    let bytes = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
            bytes
        }
        false => std::fs::read(path).map_err(|e| Error::io(path, e))?,
    };
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        Error::Input(InputError::Encoding(format!(
            "{}: line {line} is not UTF-8; convert the file to UTF-8",
            path.display()
        )))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    // split at line feeds only: str::lines would also do, but sentences may hold other separators
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
    let lines: Vec<&str> = if text.is_empty() { Vec::new() } else { lines.collect() };
    let wrong = |i: usize, what: String| {
        Error::Input(InputError::damaged(format!("{}: line {}: {what}", path.display(), i + 1)))
    };
    match extension.as_str() {
        "tsv" | "tab" => lines
            .iter()
            .enumerate()
            .map(|(i, line)| column(line, part).ok_or_else(|| wrong(i, part.missing_column())))
            .collect(),
        "jsonl" | "ndjson" => lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(i, line)| {
                let value: serde_json::Value =
                    serde_json::from_str(line).map_err(|e| wrong(i, format!("is not JSON ({e})")))?;
                let field = part.fields().iter().find_map(|f| value.get(f).and_then(|v| v.as_str()));
                field
                    .map(str::to_string)
                    .ok_or_else(|| wrong(i, format!("has none of the fields {}", part.fields().join(", "))))
            })
            .collect(),
        _ => Ok(lines.into_iter().map(str::to_string).collect()),
    }
}

fn column(line: &str, part: Part) -> Option<String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let place = match part {
        Part::Source => 0,
        Part::Reference => 1,
        // Two columns are source and reference: the last would score the references against themselves.
        Part::Hypothesis if columns.len() == 1 => 0,
        Part::Hypothesis => 2,
    };
    columns.get(place).map(|c| c.to_string())
}

/// Does the file hold both sides of a pair?
pub fn has_both(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| matches!(e.to_ascii_lowercase().as_str(), "tsv" | "tab" | "jsonl" | "ndjson"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn reads_the_three_formats() {
        for (name, content, part, expected) in [
            ("a.txt", "one\n\nthree\r\n", Part::Source, vec!["one", "", "three"]),
            ("a.tsv", "ক\tk\tx\nখ\tkh\ty\n", Part::Source, vec!["ক", "খ"]),
            ("a.tsv", "ক\tk\tx\nখ\tkh\ty\n", Part::Reference, vec!["k", "kh"]),
            ("a.tsv", "ক\tk\tx\nখ\tkh\ty\n", Part::Hypothesis, vec!["x", "y"]),
            ("h.tsv", "k\nkh\n", Part::Hypothesis, vec!["k", "kh"]),
            ("a.jsonl", "{\"src\":\"ক\",\"ref\":\"k\"}\n", Part::Reference, vec!["k"]),
            ("empty.txt", "", Part::Source, vec![]),
        ] {
            let (_dir, path) = write(name, content.as_bytes());
            assert_eq!(read(&path, part).unwrap(), expected, "{name} {part:?}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let (_dir, path) = write("a.tsv", b"a\tb\nonly one\n");
        assert!(read(&path, Part::Reference).unwrap_err().to_string().contains("line 2"));
        let (_dir, path) = write("a.tsv", b"a\tb\tc\na\tb\n");
        let error = read(&path, Part::Hypothesis).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("third"), "{error}");
        let (_dir, path) = write("a.txt", b"ok\n\xff\n");
        assert!(read(&path, Part::Source).unwrap_err().to_string().contains("line 2 is not UTF-8"));
        let (_dir, path) = write("a.jsonl", b"{\"x\":1}\n");
        assert!(read(&path, Part::Source).unwrap_err().to_string().contains("has none of the fields"));
    }
}
