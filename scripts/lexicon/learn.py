#!/usr/bin/env python3
"""Learns data/bn/lexicon.tsv: Bengali words, and how the English words begin that stand for them in parallel text.

    scripts/lexicon/learn.py PAIRS.tsv [PAIRS.tsv ...] > data/bn/lexicon.tsv

Each file has a pair a line, Bengali TAB English. A word is kept if it comes at least twelve times and few English words
account for at least seven tenths of its sentences. What is counted says nothing about a single text. Needs Python 3.9.
"""
import collections
import math
import re
import sys

ENDINGS = """র ের য়ের কে ে য় তে ও ই টি টা রা েরা দের দেরকে গুলো গুলি রাও টির টিকে টিতে গুলোর গুলির গুলোকে কেও রও েও
েই এর""".split()
STOP = set("""the a an of to in and is was are were be been for on at by with from that this it as he she they his her
their has have had not will would which who or but also its we i you our one all can than more""".split())
LETTERS = 6
HEADER = """# Bengali words without their endings, and how English words begin that say them: for the confidence, not for translating.
# Source: counted by scripts/lexicon/learn.py in TICO-19 (CC0), NTREX-128 (CC BY-SA 4.0), Tatoeba (CC BY 2.0), African Storybook and Pratham (CC BY), Mann Ki Baat (Government of India), SIPC (CC BY-SA 3.0). License: MIT OR Apache-2.0, as the program.
# Columns: Bengali, weight (the rarer, the less), first letters of English words"""


# Words that are typed in the order and with the signs that the program's canonical spelling has.
PLAIN = re.compile(r"[\u0985-\u09b9\u09dc-\u09df\u09ce\u09be-\u09cd\u0981\u0982]+")


def canonical(text):
    for apart, one in (("\u09a1\u09bc", "\u09dc"), ("\u09a2\u09bc", "\u09dd"), ("\u09af\u09bc", "\u09df")):
        text = text.replace(apart, one)
    return text


BY_LENGTH = sorted(map(canonical, ENDINGS), key=len, reverse=True)


def stem(word):
    return next((word[: -len(e)] for e in BY_LENGTH if word.endswith(e) and len(word) - len(e) >= 3), word)


def bengali(text):
    return {stem(word) for word in re.findall(r"[\u0980-\u09ff]+", canonical(text)) if len(word) > 2}


def english(text):
    return {word[:LETTERS] for word in re.findall(r"[a-z]+", text.lower()) if word not in STOP and len(word) > 2}


def main():
    pairs = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf8") as lines:
            fields = (line.rstrip("\n").split("\t") for line in lines)
            pairs += [(bengali(f[0]), english(f[1])) for f in fields if len(f) > 1]
    count, places = collections.Counter(), collections.defaultdict(list)
    for index, (source, target) in enumerate(pairs):
        count.update(target)
        for word in source:
            places[word].append(index)
    rows = []
    for word, found in places.items():
        times = len(found)
        found = found[:: times // 1500 + 1]
        left, chosen = set(found), []
        while left and len(chosen) < 8:
            beside = collections.Counter(w for index in left for w in pairs[index][1])
            often = lambda w, n: n / len(left) * len(pairs) / count[w] >= 4 and n >= max(2, len(found) * 0.02)
            best = next((w for w, n in beside.most_common(40) if often(w, n)), None)
            if best is None:
                break
            chosen.append(best)
            left = {index for index in left if best not in pairs[index][1]}
        if times >= 12 and chosen and PLAIN.fullmatch(word) and 1 - len(left) / len(found) >= 0.7:
            rows.append(f"{word}\t{1 / math.log(times + 2):.3f}\t{'|'.join(chosen)}")
    print(HEADER)
    print("\n".join(sorted(rows)))


if __name__ == "__main__":
    main()
