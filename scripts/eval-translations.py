#!/usr/bin/env python3
"""Prints README's table of quality: the default model on test sets, decoded in several ways.

    eval-translations.py ANUBAD TEST.tsv [TEST.tsv ...] [--rows draft,standard,best] [--limit N] [--out FOLDER]

Runs `anubad eval` once a row and set, and prints a Markdown table with the CPU time (user and system) as a multiple of
the first row's. Needs Python 3.9 or newer and nothing else. With --out the translations are kept there, so that two
rows can be compared: `anubad eval --source TEST.tsv --hypothesis A.txt --hypothesis2 B.txt`.
"""
import argparse
import json
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


def share(part, of):
    return f"{100 * part / of:.1f} %" if of else "–"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("anubad")
    parser.add_argument("tests", nargs="+", type=pathlib.Path)
    parser.add_argument("--rows", default="draft,standard,best")
    parser.add_argument("--limit")
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
            print(f"{test.name}, {row}: {report['sentences']} sentences, {spent:.1f} s of CPU time", file=sys.stderr)


if __name__ == "__main__":
    main()
