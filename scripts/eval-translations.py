#!/usr/bin/env python3
"""Prints README's table of quality: the default model on test sets, decoded in several ways.

    eval-translations.py ANUBAD TEST.tsv [TEST.tsv ...] [--rows draft,standard,best] [--limit N] [--out FOLDER]

Runs `anubad eval` once a row and set (with --numbers also looks, by other rules than the program's own, for numbers that
source and reference have in digits and the translation has not, and whether the program says so), and prints a Markdown table with the CPU time (user and system) as a multiple of
the first row's. Needs Python 3.9 or newer and nothing else. With --out the translations are kept there, so that two
rows can be compared: `anubad eval --source TEST.tsv --hypothesis A.txt --hypothesis2 B.txt`.
"""
import argparse
import json
import re
import os
import pathlib
import shlex
import subprocess
import sys

ROWS = {
    "draft": ("draft: greedy (`--quality draft`)", ["--quality", "draft"]),
    "beam": ("beam 4 without repair (`--beam 4 --no-repair`)", ["--beam", "4", "--no-repair"]),
    "standard": ("standard: greedy with checks and repair", ["--quality", "standard"]),
    "best": ("best: beam 4 with checks and repair", ["--quality", "best"]),
    "mbr": ("16 samples, minimum Bayes risk (`--mbr 16 --no-repair`)", ["--mbr", "16", "--no-repair"]),
}


def run(command):
    """The command's JSON, and the seconds of CPU time that it took."""
    before = os.times()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(output), spent


BENGALI = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty""".split()


def digits(text):
    """Numbers in digits, without the commas of their groups."""
    found = re.findall(r"\d[\d,]*(?:\.\d+)?", text.translate(BENGALI))
    return {number.replace(",", "").lstrip("0") or "0" for number in found}


def plain_digits(text):
    """As digits, of Bengali, without those that a word multiplies: of "৬০ লাখ" English rightly makes 6 million."""
    return digits(re.sub(r"[০-৯0-9][০-৯0-9.,]* ?(?:লাখ|লক্ষ|কোটি|হাজার|শ|শত|মিলিয়ন|মিলিয়ন|বিলিয়ন|বিলিয়ন)\S*(?: [০-৯0-9]+)?", " ", text))


def said(number, text):
    """Whether the text has it in digits, as a small word, as an ordinal's word, or as so many millions."""
    if number in digits(text):
        return True
    lower = text.lower()
    if number.isdigit() and int(number) <= 20 and re.search(rf"\b{WORDS[int(number)]}", lower):
        return True
    irregular = {"1": "first|once|single|an?\\b", "2": "second|both|twice|pair|couple", "3": "third|thrice", "5": "fifth", "12": "dozen|noon|midnight"}
    if re.search(rf"\b(?:{irregular.get(number, '$^')})", lower):
        return True
    return any(number == f"{float(part.replace(',', '')) * by:.0f}" for part, name in
               re.findall(r"(\d[\d,]*(?:\.\d+)?) ?(thousand|million|billion|trillion)", lower)
               for by in [{"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}[name]])


def lost_numbers(segments):
    """Numbers in digits in source and reference that the translation has not: how many sentences, and those unsaid."""
    lost, unsaid = 0, []
    for segment in segments:
        wanted = plain_digits(segment["source"]) & digits(segment["reference"])
        if all(said(number, segment["hypothesis"]) for number in wanted):
            continue
        lost += 1
        if not any(f["kind"].startswith("number") and f["severity"] != "note" for f in segment["findings"]):
            unsaid.append(segment)
    return lost, unsaid


def share(part, of):
    return f"{100 * part / of:.1f} %" if of else "–"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("anubad")
    parser.add_argument("tests", nargs="+", type=pathlib.Path)
    parser.add_argument("--rows", default="draft,standard,best")
    parser.add_argument("--limit")
    parser.add_argument("--numbers", action="store_true", help="list sentences that lost a number and do not say so")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--extra", default="", help="arguments for every run, e.g. '--model FILE.gguf'")
    args = parser.parse_args()
    for test in args.tests:
        print(f"\n{test.name}\n")
        print("| decoding | chrF++ | BLEU | numbers kept | names kept | loops | serious findings | CPU time |")
        print("|---|---|---|---|---|---|---|---|")
        first = None
        for row in args.rows.split(","):
            name, options = ROWS[row]
            command = [args.anubad, "eval", "--source", str(test), "--json", "--quiet", *options, *shlex.split(args.extra)]
            command += ["--limit", args.limit] if args.limit else []
            command += ["--segments"] if args.numbers else []
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                command += ["--output", str(args.out / f"{test.stem}.{row}.txt")]
            report, spent = run(command)
            system = report["systems"][0]
            score = {metric["name"]: metric["score"] for metric in system["metrics"]}
            checks = system["checks"]
            first = first or spent
            cells = [
                name,
                f"{score['chrF2++']:.1f}",
                f"{score['BLEU']:.1f}",
                share(checks["numbers_kept"], checks["numbers"]),
                share(checks["names_kept"], checks["names"]),
                checks["loops"],
                checks["serious"],
                f"{spent / first:.1f}",
            ]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
            if args.numbers:
                lost, unsaid = lost_numbers(system["segments"])
                print(f"{test.name}, {row}: {lost} sentences lost a number, {len(unsaid)} of them without a finding", file=sys.stderr)
                for segment in unsaid:
                    print(f"  {segment['source']}\n  {segment['hypothesis']}\n  {segment['reference']}", file=sys.stderr)
            print(f"{test.name}, {row}: {report['sentences']} sentences, {spent:.1f} s of CPU time", file=sys.stderr)


if __name__ == "__main__":
    main()
