#!/usr/bin/env python3
"""How well sentences are shortened: F1 of the words kept, length, and whether all is made of the sentence's own words.

    cargo build --release
    scripts/eval-shorten.py PAIRS.tsv [--anubad target/release/anubad] [--limit N] [--show N] [-- OPTIONS OF anubad]

PAIRS.tsv has a sentence TAB its shortened form, which is the sentence with words deleted; the project's figures are those of
a held-out half of the evaluation part of google-research-datasets/sentence-compression. Reported are, without and with
the protection of negations, doubt, attribution, numbers and names: F1 of the words kept (mean over sentences, words in
order, punctuation apart), the share of words kept, outputs that are no subsequence, sentences left whole, and seconds.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import time

WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")


def words(text):
    return [w.lower() for w in WORD.findall(text)]


def common(a, b):
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def same(word, other):
    # a deletion may turn "a" into "an"
    return word == other or {word, other} == {"a", "an"}


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(any(same(w, other) for other in rest) for w in part)


def f1(kept, wanted):
    shared = common(kept, wanted)
    return 2 * shared / (len(kept) + len(wanted)) if shared else 0.0


def run(anubad, sentences, options):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(s + "\n" for s in sentences))
        file.flush()
        command = [anubad, "summarize", "--shorten", "--lines", "-q", *options, file.name]
        start = time.time()
        out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        return out, time.time() - start


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs")
    parser.add_argument("--anubad", default="target/release/anubad")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--show", type=int, default=0, help="print so many sentences with what was made of them")
    args = parser.parse_args(arguments)
    with open(args.pairs, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t")[:2] for line in file][: args.limit]
    for name, more in (("without protection", ["--unprotected"]), ("with protection", [])):
        out, seconds = run(args.anubad, [long for long, _ in pairs], [*more, *options])
        if len(out) != len(pairs):
            sys.exit(f"{len(pairs)} sentences in, {len(out)} lines out")
        scores, lengths, strange, whole = [], [], [], 0
        for (long, short), made in zip(pairs, out):
            kept, all_words = words(made), words(long)
            scores.append(f1(kept, words(short)))
            lengths.append(len(kept) / max(1, len(all_words)))
            whole += kept == all_words
            if not is_subsequence(kept, all_words):
                strange.append((long, made))
        n = len(pairs)
        print(
            f"{name}: F1 {sum(scores) / n:.3f}, {sum(lengths) / n:.3f} of the words, {len(strange)} of {n} no subsequence, "
            f"{whole} left whole, {seconds:.0f} s"
        )
        for long, made in strange[:5]:
            print(f"  not of its words: {long!r} -> {made!r}")
        for (long, short), made in list(zip(pairs, out))[: args.show]:
            print(f"  {long}\n    wanted {short}\n    made   {made}")


if __name__ == "__main__":
    main()
