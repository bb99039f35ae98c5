"""Makes src/check/english_words.txt: python scripts/names/common_words.py OUT FILE.tsv…

Input: sentence pairs, Bengali TAB English. Kept are English words of three letters or more that are mostly written
in lower case, inside sentences, in at least two sentences: words that are no names when a title-cased heading or
a sentence's beginning capitalizes them. Endings that src/check/names.rs strips itself are left out.
"""

import collections
import re
import sys

SUFFIXES = ["'s", "ies", "es", "s", "ed", "ing", "ly", "er", "ers", "d"]


def main(out, *paths):
    lower, upper = collections.Counter(), collections.Counter()
    for path in paths:
        for line in open(path, encoding="utf-8"):
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 2:
                continue
            words = re.findall(r"[A-Za-z]+", fields[1])
            for word in set(words[1:]):
                (lower if word.islower() else upper)[word.lower()] += 1
    words = {w for w, n in lower.items() if n >= 2 and len(w) >= 3 and n >= upper[w]}
    kept = {w for w in words if not any(w.endswith(s) and (w[: -len(s)] in words or w[: -len(s)] + "e" in words or w[: -len(s)] + "y" in words) for s in SUFFIXES)}
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(sorted(kept)) + "\n")
    print(len(words), len(kept))


if __name__ == "__main__":
    main(*sys.argv[1:])
