#!/usr/bin/env python3
"""Training text in the form that train.py reads: one .prep file a source.

    prep.py PAIRS.jsonl OUT_FOLDER PREPARE [--shorten SENTENCES.tsv] [--dev NAME=FILE.tsv ...] [--joined 5000]

PAIRS.jsonl is what prepare.py wrote; PREPARE is the program `cargo build --release --example prepare` makes, so that the source
looks as it does when the engine translates. Columns: canonical Bengali, prepared Bengali, English. `joined.prep` has two or three
neighboring sentences in one example. --dev files (for evaluation only) become dev_NAME.prep; train.py wants news, supara and
shorten. Needs Python 3.9 or newer.
"""
import argparse
import collections
import json
import pathlib
import random
import subprocess

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("pairs", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("prepare")
parser.add_argument("--shorten", type=pathlib.Path, help="English sentence TAB shortened sentence")
parser.add_argument("--dev", action="append", default=[], help="NAME=FILE.tsv")
parser.add_argument("--joined", type=int, default=5000)
args = parser.parse_args()
rng = random.Random(7)
args.out.mkdir(parents=True, exist_ok=True)


def read_tsv(path):
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n"))
    return [(row[0].strip(), row[1].strip()) for row in rows if len(row) >= 2 and row[0].strip() and row[1].strip()]


def write(name, pairs):
    lines = "\n".join(" ".join(bengali.split()) for bengali, _ in pairs) + "\n"
    done = subprocess.run([args.prepare], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    prepared = done.stdout.decode().split("\n")[:-1]
    assert len(prepared) == len(pairs), (name, len(prepared), len(pairs))
    with open(args.out / f"{name}.prep", "w", encoding="utf-8") as file:
        for columns, (_, english) in zip(prepared, pairs):
            file.write(f"{columns}\t{' '.join(english.split())}\n")
    print(f"{name}: {len(pairs)}")


sources = collections.defaultdict(list)
with open(args.pairs, encoding="utf-8") as file:
    for line in file:
        pair = json.loads(line)
        sources[pair["source"]].append((pair["line"], pair["bn"], pair["en"]))
# In running order, so that what is joined belongs together.
sources = {name: [pair[1:] for pair in sorted(pairs)] for name, pairs in sources.items()}
for name, pairs in sources.items():
    write(name, pairs)
joined = []
for pairs in sources.values():
    at = 0
    while at + 3 < len(pairs):
        group = pairs[at : at + rng.choice((2, 2, 3))]
        at += len(group)
        bengali, english = (" ".join(side) for side in zip(*group))
        if len(bengali) < 420 and all(pair[0][-1] in "।?!." for pair in group):
            joined.append((bengali, english))
rng.shuffle(joined)
write("joined", joined[: args.joined])
for item in args.dev:
    name, _, path = item.partition("=")
    if name != "shorten":
        write(f"dev_{name}", read_tsv(pathlib.Path(path)))
english = [("shorten", args.shorten)] if args.shorten else []
english += [("dev_shorten", pathlib.Path(i.split("=", 1)[1])) for i in args.dev if i.startswith("shorten=")]
for name, path in english:
    rows = read_tsv(path)
    text = "".join(f"{long}\t{long}\t{short}\n" for long, short in rows)
    (args.out / f"{name}.prep").write_text(text, encoding="utf-8")
    print(f"{name}: {len(rows)}")
