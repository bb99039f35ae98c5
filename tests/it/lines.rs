//! `translate --lines` as a co-process: who writes one line and keeps the pipe open gets its translation.
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Far more than any answer takes: only a program that never answers makes the test fail by it.
const NEVER: Duration = Duration::from_secs(300);

fn answers_while_its_input_is_open(workers: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anubad"))
        .args(["translate", "--lines", "--quiet", "--quality", "standard", "--threads", "2", "--workers", workers])
        .env_remove("ANUBAD_MODEL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, answers) = mpsc::channel();
    std::thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line.unwrap())));
    let mut first = None;
    for round in 0..20 {
        // The model's first try at the second has another number: it is repaired while the pipe stays open.
        let source = match round % 4 {
            0 => "আমি ভাত খাই।",
            1 => "বুধবার একদিনে ৭২৮টি ড্রোন এবং ১৩টি ক্ষেপণাস্ত্র ছোড়া হয়।",
            2 => "Already English.",
            _ => "",
        };
        writeln!(stdin, "{source}").unwrap();
        stdin.flush().unwrap();
        let answer = answers.recv_timeout(NEVER).unwrap_or_else(|_| panic!("no answer to line {round}"));
        match round % 4 {
            0 => assert_eq!(&answer, first.get_or_insert(answer.clone())),
            1 => assert!(answer.contains("728") && answer.contains("13"), "{answer}"),
            _ => assert_eq!(answer, source),
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(answers.recv_timeout(NEVER).is_err(), "more lines came out than went in");
}

#[test]
fn one_worker_answers_while_its_input_is_open() {
    answers_while_its_input_is_open("1");
}

#[test]
fn two_workers_answer_while_their_input_is_open() {
    answers_while_its_input_is_open("2");
}
