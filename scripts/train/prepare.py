#!/usr/bin/env python3
"""Step 1: clean the training pairs and draw the sample that the model is trained on.

    prepare.py DATA_FOLDER OUT.jsonl [--exclude TEST.tsv ...] [--limit N] [--seed 1]

Reads sources.toml beside this script; a source whose file is missing is skipped and said to be. What is dropped is
counted by reason. Pairs whose Bengali or English side occurs in an --exclude file are dropped, so that no test set
leaks into the training. Needs Python 3.11 or newer and nothing else.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import tomllib

COMPOSED = {"\u09a1\u09bc": "\u09dc", "\u09a2\u09bc": "\u09dd", "\u09af\u09bc": "\u09df"}
BENGALI_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def tidy(text):
    """One space between words, no invisible strays, ড়/ঢ়/য় as one code point each (which the model prefers)."""
    text = text.replace("\u200b", "").replace("\ufeff", "").replace("\u00a0", " ")
    for pair, one in COMPOSED.items():
        text = text.replace(pair, one)
    return re.sub(r"\s+", " ", text).strip()


def share(pattern, text):
    letters = [c for c in text if c.isalpha()]
    return sum(bool(re.match(pattern, c)) for c in letters) / max(1, len(letters))


def numbers(text):
    text = text.translate(BENGALI_DIGITS).replace(",", "")
    return set(re.findall(r"\d{2,}", text))


def complaint(bengali, english, names):
    """Why a pair is not fit for training, or None."""
    if not bengali or not english:
        return "empty"
    if share("[\u0980-\u09ff]", bengali) < 0.5:
        return "source not Bengali"
    if share("[A-Za-z\u00c0-\u024f]", english) < 0.9:
        return "target not English"
    if len(bengali) > 800 or len(english) > 800:
        return "too long"
    if not names and not 0.33 < len(english) / len(bengali) < 3.0:
        return "lengths don't match"
    left, right = numbers(bengali), numbers(english)
    if left and right and not left & right:
        return "numbers don't match"
    return None


def read_pairs(path):
    for line in path.read_text(encoding="utf-8").split("\n"):
        cells = line.split("\t")
        if len(cells) >= 2:
            yield tidy(cells[0]), tidy(cells[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--exclude", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--limit", type=int, help="keep so many pairs in all, for a trial run")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    forbidden = {side for path in args.exclude for pair in read_pairs(path) for side in pair}
    sources = tomllib.loads((pathlib.Path(__file__).parent / "sources.toml").read_text(encoding="utf-8"))["source"]
    kept, seen = [], set()
    for source in sources:
        path = args.data / source["file"]
        if not path.exists():
            print(f"{source['file']}: not there, skipped (from {source['url']}, {source['license']})")
            continue
        dropped, pairs = collections.Counter(), []
        for line, (bengali, english) in enumerate(read_pairs(path)):
            why = complaint(bengali, english, source.get("names", False))
            if why is None and (bengali in forbidden or english in forbidden):
                why = "in a test set"
            if why is None and bengali in seen:
                why = "twice"
            if why:
                dropped[why] += 1
                continue
            seen.add(bengali)
            pairs.append({"bn": bengali, "en": english, "source": path.stem, "line": line})
        rng.shuffle(pairs)
        pairs = pairs[: source.get("take", len(pairs))]
        kept += pairs
        print(f"{source['file']}: {len(pairs)} kept; dropped: {dict(dropped) or 'none'}")
    rng.shuffle(kept)
    kept = kept[: args.limit] if args.limit else kept
    with open(args.out, "w", encoding="utf-8") as out:
        for pair in kept:
            out.write(json.dumps(pair, ensure_ascii=False) + "\n")
    print(f"{args.out}: {len(kept)} pairs")


if __name__ == "__main__":
    main()
