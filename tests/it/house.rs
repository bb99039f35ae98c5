//! What CONTRIBUTING asks of the sources, as far as it can be counted: files and functions of a size that can be read,
//! tables of words in `data/`, no flags of the command line in the library's texts.
use std::path::{Path, PathBuf};

/// Lines of a file, lines of a function, words of a list.
const FILE: usize = 500;
const FUNCTION: usize = 80;
const WORDS: usize = 15;

/// Lists that are no tables of Bengali or English: where they are, and what they are.
const LISTS: &[(&str, &str)] = &[
    ("article/encoding.rs", "first bytes of file formats, with what they are"),
    ("cli/doctor.rs", "labels of its lines"),
    ("hub/foreign.rs", "files of other kinds of models, with what they are"),
    ("hub/pull.rs", "names of files that belong to a model"),
    ("manifest/registry.rs", "paths of the built-in manifests"),
    ("metrics/porter.rs", "the rules of Porter's algorithm, as published"),
    ("pipeline/features.rs", "names of the features of a confidence"),
    ("server/routes.rs", "the routes of the server"),
    ("tokenizer/specials.rs", "special tokens of models"),
];

/// The sources with their paths below `src`, unit tests cut off.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.expect("the sources are there");
        if entry.path().extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(entry.path()).expect("UTF-8");
            out.push((entry.path().strip_prefix(&root).expect("below src").to_owned(), text));
        }
    }
    assert!(out.len() > 150, "only {} files found", out.len());
    out
}

fn is_for_tests(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests") || stem == "toy")
}

fn without_tests(text: &str) -> &str {
    &text[..text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len())]
}

/// The code without comments, and each of its string literals as `"word"`, or as `""` where it holds no letter.
fn code(text: &str) -> String {
    let pattern =
        regex::Regex::new(r##"(?s)//[^\n]*|r#"(?P<raw>.*?)"#|b?"(?P<string>(?:[^"\\]|\\.)*)"|'(?:\\[^']+|[^'\\])'"##)
            .expect("a pattern");
    let word = |found: &regex::Captures<'_>| {
        let held = found.name("string").or(found.name("raw")).map(|held| held.as_str());
        match held {
            Some(held) if held.chars().any(char::is_alphabetic) => "\"word\"",
            Some(_) => "\"\"",
            None => " ",
        }
        .to_owned()
    };
    pattern.replace_all(text, word).into_owned()
}

/// Words of each list in brackets, lists within it counted along, with the line where it begins.
fn lists(code: &str) -> Vec<(usize, usize)> {
    let (mut open, mut out): (Vec<(usize, usize)>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
    for (at, c) in code.char_indices() {
        match c {
            '[' => open.push((at, 0)),
            '"' if code[at..].starts_with("\"word\"") => open.iter_mut().for_each(|(_, words)| *words += 1),
            ']' => out.extend(open.pop()),
            _ => {}
        }
    }
    out.into_iter().map(|(at, words)| (code[..at].matches('\n').count() + 1, words)).collect()
}

#[test]
fn tables_of_words_lie_in_data() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let exempt = LISTS.iter().any(|(exempt, _)| path.ends_with(exempt)) || is_for_tests(&path);
        let code = code(without_tests(&text));
        let long = lists(&code).into_iter().filter(|(_, words)| *words > WORDS).max_by_key(|(_, words)| *words);
        match long {
            Some((line, words)) if !exempt => {
                wrong.push(format!("{}: a list of {words} (about line {line})", path.display()))
            }
            None if exempt && !is_for_tests(&path) => {
                wrong.push(format!("{}: needs no exception any more", path.display()))
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "put them into a table of data/:\n{}", wrong.join("\n"));
}

#[test]
fn a_list_is_counted_with_its_lists() {
    let text = r##"let a = [("x", &["y", "z"]), ("1", &[])]; // ["a", "b", "c", "d"]"##;
    assert_eq!(lists(&code(text)).iter().map(|(_, words)| *words).max(), Some(3));
}

#[test]
fn files_and_functions_can_be_read_at_a_sitting() {
    let start =
        regex::Regex::new(r"^(\s*)(?:pub(?:\([^)]*\))? )?(?:const |unsafe |async )*fn (\w+)").expect("a pattern");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE {
            wrong.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            let Some(found) = start.captures(line) else { continue };
            let end = format!("{}}}", &found[1]);
            let length = lines[at..].iter().position(|line| *line == end).map_or(0, |end| end + 1);
            if length > FUNCTION && !line.ends_with(';') {
                wrong.push(format!("{}: fn {} has {length} lines", path.display(), &found[2]));
            }
        }
    }
    assert!(wrong.is_empty(), "split them:\n{}", wrong.join("\n"));
}

/// An embedder has no command line: what its flags do is said in `src/cli` and, as the server is part of the program, there.
#[test]
fn the_library_names_no_flags() {
    let literal = regex::Regex::new(r#""(?:[^"\\]|\\.)*""#).expect("a pattern");
    let flag = regex::Regex::new(r"(?:^|[ `(])--[a-z][a-z-]+").expect("a pattern");
    let comment = regex::Regex::new(r"(?m)//[^\n]*$").expect("a pattern");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path.starts_with("cli") || path.starts_with("server") || is_for_tests(&path) {
            continue;
        }
        let text = comment.replace_all(without_tests(&text), "");
        // Those of other programs: marian-conv, ocrmypdf, iconv.
        let other = ["marian-conv", "ocrmypdf", "iconv"];
        for found in literal.find_iter(&text).map(|found| found.as_str()) {
            if flag.is_match(found) && !other.iter().any(|name| found.contains(name)) {
                wrong.push(format!("{}: {found}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "say what the setting is, and name its flag in cli/remedy.rs:\n{}", wrong.join("\n"));
}
