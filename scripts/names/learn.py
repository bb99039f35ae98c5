"""Learns how Bengali letters are spelled in Latin from pairs of names: python scripts/names/learn.py names.tsv OUT.tsv

Input: UTF-8, one pair a line, Bengali TAB Latin. Expectation maximization over monotone alignments of a Bengali
unit with 0 to 3 Latin letters. Output: unit TAB chunk:milli-nats chunk:milli-nats …, the likelier first.
Pairs whose CRC-32 is divisible by ten are held out for the test (tests/it/names.rs uses the same rule).
"""

import collections
import math
import random
import re
import sys
import unicodedata
import zlib

VOWELS = {"া": "আ", "ি": "ই", "ী": "ঈ", "ু": "উ", "ূ": "ঊ", "ৃ": "ঋ", "ে": "এ", "ৈ": "ঐ", "ো": "ও", "ৌ": "ঔ"}
CONSONANTS = "কখগঘঙচছজঝঞটঠডঢণতথদধনপফবভমযরলশষসহ\u09dc\u09dd\u09df"
INHERENT = "-"
MAX = 3
KEEP = 0.004


def canonical(text):
    text = unicodedata.normalize("NFC", text)
    for a, b in (("ড\u09bc", "\u09dc"), ("ঢ\u09bc", "\u09dd"), ("য\u09bc", "\u09df"), ("\u200c", ""), ("\u200d", "")):
        text = text.replace(a, b)
    return text


def units(word):
    """Letters of a Bengali word as units of sound: inherent vowels made visible, some conjuncts as one."""
    out, i = [], 0
    while i < len(word):
        c, nxt = word[i], word[i + 1 : i + 2]
        if word.startswith("ক্ষ", i):
            out.append("ক্ষ")
            i += 3
        elif word.startswith("জ্ঞ", i):
            out.append("জ্ঞ")
            i += 3
        elif c == "্" and nxt in ("য", "ব", "ম") and out:
            out.append("্" + nxt)
            i += 2
        elif c in CONSONANTS:
            out.append(c)
            i += 1
        elif c in VOWELS:
            out.append(VOWELS[c])
            i += 1
            continue
        elif c == "্":
            i += 1
            continue
        elif c in "অআইঈউঊঋএঐওঔংঃঁৎ":
            out.append(c)
            i += 1
            continue
        else:
            return None
        if not (word[i : i + 1] in VOWELS or word[i : i + 1] == "্") and not c == "ৎ":
            out.append(INHERENT)
    return out


def latin(word):
    word = unicodedata.normalize("NFKD", word)
    return re.sub(r"[^a-z]", "", word.lower())


def words(path):
    for line in open(path, encoding="utf-8"):
        if "\t" not in line:
            continue
        bn, en = line.rstrip("\n").split("\t")[:2]
        held = zlib.crc32(bn.encode()) % 10 == 0
        bn, en = canonical(bn).split(), [latin(w) for w in re.split(r"[\s-]+", en)]
        en = [w for w in en if w]
        if len(bn) != len(en):
            continue
        for b, e in zip(bn, en):
            u = units(b)
            if u and 2 <= len(e) <= 16 and len(u) <= 20 and len(e) <= MAX * len(u):
                yield u, e, held


def forward_backward(u, e, table, counts):
    n, m = len(u), len(e)
    fwd = [[0.0] * (m + 1) for _ in range(n + 1)]
    fwd[0][0] = 1.0
    rows = [table[x] for x in u]
    for i in range(n):
        row, here, nxt = rows[i], fwd[i], fwd[i + 1]
        for j in range(m + 1):
            p = here[j]
            if p == 0.0:
                continue
            for k in range(min(MAX, m - j) + 1):
                q = row.get(e[j : j + k], 0.0)
                if q:
                    nxt[j + k] += p * q
    total = fwd[n][m]
    if total <= 1e-250:
        return None
    bwd = [[0.0] * (m + 1) for _ in range(n + 1)]
    bwd[n][m] = 1.0
    for i in range(n - 1, -1, -1):
        row, here, nxt, f = rows[i], bwd[i], bwd[i + 1], fwd[i]
        count = counts[u[i]]
        for j in range(m + 1):
            s = 0.0
            for k in range(min(MAX, m - j) + 1):
                b = nxt[j + k]
                if b:
                    chunk = e[j : j + k]
                    q = row.get(chunk, 0.0)
                    if q:
                        s += q * b
                        if f[j]:
                            count[chunk] += f[j] * q * b / total
            here[j] = s
    return math.log(total)


def main(path, out):
    random.seed(1)
    pairs = [(u, e) for u, e, held in words(path) if not held]
    random.shuffle(pairs)
    prior = {0: 0.15, 1: 1.0, 2: 0.25, 3: 0.05}
    vowel_units = set("অআইঈউঊঋএঐওঔ-")
    table = collections.defaultdict(dict)
    for u, e in pairs:
        for i, x in enumerate(u):
            for j in range(len(e) + 1):
                for k in range(min(MAX, len(e) - j) + 1):
                    chunk = e[j : j + k]
                    vowelish = bool(chunk) and all(c in "aeiouyw" for c in chunk)
                    fit = 1.0 if not chunk else (1.0 if vowelish == (x in vowel_units) else 0.03)
                    near = math.exp(-abs(i / len(u) - j / max(1, len(e))) * 4)
                    table[x][chunk] = table[x].get(chunk, 0.0) + prior[k] * fit * near
    for row in table.values():
        z = sum(row.values())
        for chunk in row:
            row[chunk] /= z
    for iteration in range(9):
        sample = pairs[: 6000] if iteration < 4 else pairs
        counts = collections.defaultdict(lambda: collections.defaultdict(float))
        total = used = 0
        for u, e in sample:
            ll = forward_backward(u, e, table, counts)
            if ll is not None:
                total += ll
                used += 1
        for x, count in counts.items():
            z = sum(count.values()) + 1e-9
            table[x] = {chunk: c / z for chunk, c in count.items() if c / z > 1e-5}
        print(iteration, used, total / max(1, used), flush=True)
    with open(out, "w", encoding="utf-8") as f:
        for x in sorted(table):
            row = sorted(((p, c) for c, p in table[x].items() if p >= KEEP), reverse=True)
            if row:
                f.write(x + "\t" + " ".join(f"{c or '_'}:{round(-1000 * math.log(p))}" for p, c in row) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
