//! `anubad eval` on files: figures, signatures, the checks' rates, errors.
use assert_cmd::Command;
use predicates::prelude::*;
use std::path::PathBuf;

struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn eval(&self, arguments: &[(&str, &str)]) -> Command {
        let mut command = Command::cargo_bin("anubad").unwrap();
        command.arg("eval");
        for (flag, file) in arguments {
            command.arg(flag).arg(self.path(file));
        }
        command
    }
}

const SOURCE: &str = "ঢাকায় ৫ জন নিহত।\nভারতে ৭২৮ জন আহত।\n";
const REFERENCE: &str = "Five people were killed in Dhaka.\nIn India 728 people were injured.\n";
const HYPOTHESIS: &str = "Five people were killed in Dhaka.\nIn India 720 people were injured.\n";

#[test]
fn prints_figures_signatures_and_rates() {
    let files = Files::new(&[("s.txt", SOURCE), ("r.txt", REFERENCE), ("h.txt", HYPOTHESIS)]);
    files
        .eval(&[("--source", "s.txt"), ("--reference", "r.txt"), ("--hypothesis", "h.txt")])
        .args(["--metric", "bleu,chrf,chrf++,rouge"])
        .assert()
        .success()
        .stdout(predicate::str::contains("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:"))
        .stdout(predicate::str::contains("chrF2++"))
        .stdout(predicate::str::contains("ROUGE-L"))
        .stdout(predicate::str::is_match(r"numbers kept\s+50.0 %  1 of 2").unwrap())
        .stdout(predicate::str::is_match(r"names kept\s+100.0 %  2 of 2").unwrap());
}

#[test]
fn json_of_a_tsv_and_two_systems() {
    let pairs: String = SOURCE.lines().zip(REFERENCE.lines()).map(|(s, r)| format!("{s}\t{r}\n")).collect();
    let files = Files::new(&[("p.tsv", &pairs), ("h.txt", HYPOTHESIS), ("g.txt", REFERENCE)]);
    let output = files
        .eval(&[("--source", "p.tsv"), ("--hypothesis", "h.txt"), ("--hypothesis2", "g.txt")])
        .args(["--json", "--segments", "--bootstrap", "100"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["schema"].as_u64(), report["sentences"].as_u64()), (Some(1), Some(2)));
    assert_eq!(report["systems"][1]["metrics"][0]["name"], "BLEU");
    assert!((report["systems"][1]["metrics"][0]["score"].as_f64().unwrap() - 100.0).abs() < 1e-6);
    assert_eq!(report["systems"][0]["checks"]["numbers_kept"], 1);
    assert_eq!(report["systems"][0]["segments"][1]["findings"][0]["kind"], "number_changed");
    assert_eq!(report["paired"].as_array().unwrap().len(), 3);
    assert_eq!(report["paired"][2]["name"], "chrF2++");
    assert!(report["paired"][2]["signature"].as_str().unwrap().contains("|bs:100|seed:12345|"));
    assert!(report["paired"][2]["p_value"].as_f64().is_some());
}

/// Five pairs of files with blank lines, tabs, trailing spaces, CRLF, odd separators, NFD, emoji and Bengali; what
/// sacrebleu's own command line says of them is in `files.json` (`scripts/golden/metrics.py`).
#[test]
fn files_with_oddities_score_as_in_sacrebleu() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/metrics");
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("files.json")).unwrap()).unwrap();
    let golden = golden.as_object().unwrap();
    assert_eq!(golden.len(), 5);
    for (name, scores) in golden {
        for lowercase in [false, true] {
            let mut command = Command::cargo_bin("anubad").unwrap();
            command.args(["eval", "--json"]).args(lowercase.then_some("--lowercase"));
            command.arg("--hypothesis").arg(folder.join(format!("files/{name}.hyp")));
            command.arg("--reference").arg(folder.join(format!("files/{name}.ref")));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let metrics = report["systems"][0]["metrics"].as_array().unwrap();
            for wanted in scores.as_array().unwrap().iter().filter(|s| s["lowercase"] == lowercase) {
                let got = metrics.iter().find(|m| m["name"] == wanted["name"]).unwrap();
                let difference = got["score"].as_f64().unwrap() - wanted["score"].as_f64().unwrap();
                assert!(difference.abs() < 0.005, "{name}: {got}, not {wanted}");
                assert_eq!(got["signature"], wanted["signature"], "{name}");
                assert_eq!(got["details"].as_str().unwrap_or(""), wanted["details"], "{name}");
            }
        }
    }
}

#[test]
fn mistakes_are_explained() {
    let files = Files::new(&[("s.txt", SOURCE), ("r.txt", REFERENCE), ("short.txt", "One line\n")]);
    let failing = |arguments: &[(&str, &str)], code: i32, message: &str| {
        files.eval(arguments).assert().failure().code(code).stderr(predicate::str::contains(message.to_string()));
    };
    let short = [("--source", "s.txt"), ("--reference", "r.txt"), ("--hypothesis", "short.txt")];
    failing(&short, 1, "has 1 sentences and the reference 2");
    failing(&[("--source", "s.txt"), ("--hypothesis", "short.txt")], 2, "--reference is missing");
    failing(&[("--reference", "r.txt"), ("--hypothesis", "none.txt")], 1, "no such file");
    failing(&[("--reference", "r.txt")], 2, "--source");
    // source and reference only: the references must not be scored against themselves
    let pairs = Files::new(&[("p.tsv", "ক\tk\nখ\tkh\n")]);
    let mut command = pairs.eval(&[("--source", "p.tsv"), ("--hypothesis", "p.tsv")]);
    command.assert().failure().code(1).stderr(predicate::str::contains("no column for the hypothesis"));
    let none = pairs.eval(&[("--source", "p.tsv")]).args(["--bootstrap", "0"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn reads_translations_from_standard_input() {
    let files = Files::new(&[("r.txt", REFERENCE)]);
    let mut command = files.eval(&[("--reference", "r.txt")]);
    command.args(["--hypothesis", "-", "--metric", "bleu"]).write_stdin(REFERENCE);
    command.assert().success().stdout(predicate::str::is_match(r"BLEU +100\.00").unwrap());
}
