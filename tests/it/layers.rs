//! The layers are what `docs/ARCHITECTURE.md` says: every `crate::` path of the sources is an edge of its table, the
//! table goes down the picture, and no two files of a crowded module use one another.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The edges that go up; docs/ARCHITECTURE.md says why.
const UPWARDS: &[(&str, &str)] = &[("article", "document"), ("error", "bulk"), ("error", "hub")];
/// Modules whose files must not use one another in a circle.
const WITHOUT_CYCLES: &[&str] = &["bulk", "engine", "summary", "cli"];

type Name = Vec<String>;

/// A source file: its module path and its text without comments, strings' content left in, unit tests left out.
fn sources() -> BTreeMap<Name, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.expect("the sources are there");
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let for_tests = stem.ends_with("tests") || stem == "toy";
        if path.extension().is_none_or(|e| e != "rs")
            || for_tests
            || entry.depth() == 1 && matches!(stem.as_str(), "lib" | "main")
        {
            continue;
        }
        let inside = path.strip_prefix(&root).expect("below src");
        let mut name: Name = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        name.pop();
        if stem != "mod" {
            name.push(stem);
        }
        out.insert(name, code(&std::fs::read_to_string(path).expect("UTF-8")));
    }
    assert!(out.len() > 150, "only {} files found", out.len());
    out
}

fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let without = |line: &str| line.find("//").map_or(line, |at| &line[..at]).to_string();
    text[..end].lines().map(without).collect::<Vec<_>>().join("\n")
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn spread(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.to_string()] };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(c);
    }
    let parts = parts.iter().filter(|p| !p.trim().is_empty());
    parts.flat_map(|p| spread(p)).map(|p| format!("{before}{p}")).collect()
}

/// The `use` trees of a file, spread, each with whether it is a re-export; and the text without them.
fn uses(text: &str) -> (Vec<(String, bool)>, String) {
    let (mut out, mut rest) = (Vec::new(), String::new());
    let pattern =
        regex::Regex::new(r"(?m)^(?P<vis>\s*(?:pub(?:\([^)]*\))? )?)use (?P<tree>[^;]+);").expect("a pattern");
    let mut last = 0;
    for found in pattern.captures_iter(text) {
        let whole = found.get(0).expect("matched");
        rest.push_str(&text[last..whole.start()]);
        last = whole.end();
        let public = found["vis"].contains("pub");
        out.extend(spread(&found["tree"]).into_iter().map(|path| (path, public)));
    }
    rest.push_str(&text[last..]);
    (out, rest)
}

/// A path as written in the module `at`, as one from the root.
fn absolute(at: &Name, path: &str) -> Name {
    let mut parts = path.split(" as ").next().unwrap_or(path).split("::").map(|p| p.trim().to_string()).peekable();
    let mut name: Name = match parts.peek().map(String::as_str) {
        Some("crate") => Name::new(),
        _ => at.clone(),
    };
    for part in parts {
        match part.as_str() {
            "crate" | "self" => {}
            "super" => drop(name.pop()),
            _ => name.push(part),
        }
    }
    name
}

/// All paths that a file names, from the root, re-exports left out.
fn paths(at: &Name, text: &str, children: &BTreeSet<String>) -> Vec<Name> {
    let (used, rest) = uses(text);
    let mut out: Vec<Name> = used.iter().filter(|(_, public)| !public).map(|(path, _)| absolute(at, path)).collect();
    let inline = regex::Regex::new(r"\b[a-z_][a-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)+").expect("a pattern");
    for found in inline.find_iter(&rest) {
        let first = found.as_str().split("::").next().unwrap_or_default();
        if matches!(first, "crate" | "super" | "self") || children.contains(first) {
            out.push(absolute(at, found.as_str()));
        }
    }
    out
}

fn children(files: &BTreeMap<Name, String>, at: &Name) -> BTreeSet<String> {
    let below = files.keys().filter(|f| f.len() == at.len() + 1 && f.starts_with(at));
    below.filter_map(|f| f.last().cloned()).collect()
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    std::fs::read_to_string(path).expect("docs/ARCHITECTURE.md")
}

/// The table of docs/ARCHITECTURE.md.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let rows = document();
    let rows = rows.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|')?.split_once('|'));
    let words = |cell: &str| -> BTreeSet<String> {
        let plain = cell.replace("(both see below)", "").replace("(see below)", "");
        plain.split(',').map(str::trim).filter(|w| !w.is_empty()).map(str::to_string).collect()
    };
    let table: BTreeMap<_, _> = rows
        .filter(|(module, _)| module.trim() != "module")
        .map(|(module, used)| (module.trim().to_string(), words(used)))
        .collect();
    assert!(table.len() > 15, "no table found");
    table
}

/// The lines of the picture in the front page of the crate.
fn picture() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = std::fs::read_to_string(path).expect("src/lib.rs");
    let lines = text.lines().skip_while(|l| *l != "//! ```text").skip(1).take_while(|l| *l != "//! ```");
    lines.map(|l| l.trim_start_matches("//!").trim().to_string()).collect()
}

#[test]
fn every_edge_is_in_the_table() {
    let (files, table) = (sources(), table());
    let mut wrong = Vec::new();
    for (name, text) in &files {
        let own = &name[0];
        let Some(allowed) = table.get(own) else {
            wrong.push(format!("{own} has no row"));
            continue;
        };
        for path in paths(name, text, &children(&files, name)) {
            let Some(other) = path.first().filter(|o| *o != own && *o != "error" && table.contains_key(*o)) else {
                continue;
            };
            if !allowed.contains(other) {
                wrong.push(format!("{} uses {}", name.join("::"), path.join("::")));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "not in the table of docs/ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_goes_down_the_picture() {
    let (table, picture) = (table(), picture());
    let line = |module: &str| {
        picture.iter().position(|l| l.split("  ").any(|word| word.trim() == module)).unwrap_or_else(|| {
            panic!("{module} is not in the picture of src/lib.rs");
        })
    };
    for (module, used) in &table {
        for other in used {
            assert!(table.contains_key(other), "{module} uses {other}, which has no row");
            let upwards = UPWARDS.contains(&(module.as_str(), other.as_str()));
            assert_eq!(line(other) > line(module), !upwards, "{module} uses {other}, which does not lie below it");
        }
    }
    let text = document();
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    assert!(text.windows(picture.len()).any(|w| w == picture), "docs/ARCHITECTURE.md shows another picture");
}

#[test]
fn files_do_not_use_one_another_in_a_circle() {
    let files = sources();
    for module in WITHOUT_CYCLES {
        let edges = file_edges(&files, module);
        assert!(!edges.is_empty(), "{module} has no edges: the test reads nothing");
        if let Some(circle) = circle(&edges) {
            let names: Vec<String> = circle.iter().map(|n| n.join("::")).collect();
            panic!("a circle of files: {}", names.join(" -> "));
        }
    }
}

/// Which file of a module uses which other, names that are only passed on followed to where they are made.
fn file_edges(files: &BTreeMap<Name, String>, module: &str) -> BTreeMap<Name, BTreeSet<Name>> {
    let mut passed_on: BTreeMap<Name, Name> = BTreeMap::new();
    for (name, text) in files {
        for (path, public) in uses(text).0 {
            let target = absolute(name, &path);
            if let (true, Some(last)) = (public, target.last()) {
                passed_on.insert([name.as_slice(), std::slice::from_ref(last)].concat(), target);
            }
        }
    }
    let place = |path: &Name| -> Option<Name> {
        let mut path = path.clone();
        for _ in 0..8 {
            match (0..=path.len()).rev().find_map(|n| passed_on.get(&path[..n]).map(|to| (to, n))) {
                Some((to, n)) if !files.contains_key(&path[..n]) => path = [to.as_slice(), &path[n..]].concat(),
                _ => break,
            }
        }
        (1..=path.len()).rev().map(|n| path[..n].to_vec()).find(|n| files.contains_key(n))
    };
    let mut edges: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (name, text) in files.iter().filter(|(name, _)| name[0] == module) {
        let targets = paths(name, text, &children(files, name)).into_iter().filter(|p| p.first() == name.first());
        edges.entry(name.clone()).or_default().extend(targets.filter_map(|p| place(&p)).filter(|t| t != name));
    }
    edges
}

fn circle(edges: &BTreeMap<Name, BTreeSet<Name>>) -> Option<Vec<Name>> {
    fn walk(
        at: &Name,
        edges: &BTreeMap<Name, BTreeSet<Name>>,
        way: &mut Vec<Name>,
        done: &mut BTreeSet<Name>,
    ) -> Option<Vec<Name>> {
        if let Some(start) = way.iter().position(|n| n == at) {
            return Some([&way[start..], std::slice::from_ref(at)].concat());
        }
        if !done.contains(at) {
            way.push(at.clone());
            for next in edges.get(at).into_iter().flatten() {
                if let Some(found) = walk(next, edges, way, done) {
                    return Some(found);
                }
            }
            way.pop();
            done.insert(at.clone());
        }
        None
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| walk(start, edges, &mut Vec::new(), &mut done))
}

#[test]
fn a_circle_is_found() {
    let name = |n: &str| vec![n.to_string()];
    let mut edges =
        BTreeMap::from([(name("a"), BTreeSet::from([name("b")])), (name("b"), BTreeSet::from([name("c")]))]);
    assert_eq!(circle(&edges), None);
    edges.insert(name("c"), BTreeSet::from([name("a")]));
    assert_eq!(circle(&edges).map(|c| c.len()), Some(4));
    assert_eq!(spread("a::{b, c::{d, e}}"), ["a::b", "a::c::d", "a::c::e"]);
}
