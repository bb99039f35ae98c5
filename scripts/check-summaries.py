#!/usr/bin/env python3
"""Holds summaries against their articles with rules of its own, to see what anubad's checks let through.

    anubad bulk ARTICLES.jsonl -o OUT.jsonl --include-source --summary-model MODEL
    scripts/check-summaries.py OUT.jsonl

For each summary it lists numbers, days, months and capitalized names that neither the English text nor the Bengali
source has, and counts sentences that were dropped and articles that fell back to extraction. It knows less than
anubad does (no spelling of names across scripts, no arithmetic), so it may call out what is right: read what it
lists. What it does not list has every number and name word for word in the article.
"""
import json
import re
import sys

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = {w: i for i, w in enumerate(ONES)} | {w: 20 + 10 * i for i, w in enumerate(TENS)}
ORDINALS = {w: i for i, w in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)}
SCALES = {"hundred": 100, "thousand": 10**3, "lakh": 10**5, "lakhs": 10**5, "million": 10**6, "crore": 10**7, "crores": 10**7, "billion": 10**9}
BENGALI_SCALES = {"হাজার": 10**3, "লাখ": 10**5, "লক্ষ": 10**5, "কোটি": 10**7, "শ": 100, "শত": 100}
DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
ENGLISH_ONLY = set("i mr mrs ms dr tk january february march april may june july august september october november december sunday monday tuesday wednesday thursday friday saturday english bengali".split())
MONTHS = dict(zip("january february march april may june july august september october november december".split(), "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর".split()))
DAYS = dict(zip("sunday monday tuesday wednesday thursday friday saturday".split(), "রোববার সোমবার মঙ্গলবার বুধবার বৃহস্পতিবার শুক্রবার শনিবার".split()))


def numbers(text):
    """Every number of a text as a float: digits, number words, and either with a scale behind it."""
    text = text.translate(DIGITS)
    tokens = re.findall(r"\d[\d,]*(?:\.\d+)?|[A-Za-z]+|[\u0980-\u09ff]+", text)
    found, i = set(), 0
    while i < len(tokens):
        token = tokens[i].lower()
        value = None
        if token[0].isdigit():
            value = float(token.replace(",", "").rstrip("."))
        elif token in WORDS:
            value = float(WORDS[token])
            if value >= 20 and i + 1 < len(tokens) and 0 < WORDS.get(tokens[i + 1].lower(), 0) < 10:
                i += 1
                value += WORDS[tokens[i].lower()]
        elif token in ORDINALS:
            value = float(ORDINALS[token])
        if value is not None:
            found.add(value)
            while i + 1 < len(tokens):
                scale = SCALES.get(tokens[i + 1].lower()) or BENGALI_SCALES.get(tokens[i + 1])
                if not scale:
                    break
                value *= scale
                found.add(value)
                i += 1
        i += 1
    return found


def names(text):
    """Capitalized words that do not open a sentence, and those that do where they are never written small."""
    found = []
    for sentence in re.split(r"(?<=[.!?:\"“])\s+", text):
        for n, word in enumerate(re.findall(r"[A-Za-z][A-Za-z'’.]*", sentence)):
            bare = re.sub(r"['’]s$|[.'’]+", "", word)
            if bare[:1].isupper() and len(bare) > 1 and (n > 0 or bare.isupper()) and bare.lower() not in ENGLISH_ONLY:
                found.append(bare)
    return found


def stem(word):
    return re.sub(r"(ians?|ans?|ese|ish|is|i|s)$", "", word.lower())[:6]


def unsupported(summary, english, source):
    wrong = []
    there = numbers(english) | numbers(source)
    spoken = {v for n in there for v in (n / 10**5, n / 10**6, n / 10**7, n / 1000)}
    for n in sorted(numbers(summary)):
        # one, two and first are words as much as numbers
        if n not in there and n not in spoken and n > 2:
            wrong.append(f"{n:g}")
    words = re.findall(r"[A-Za-z][A-Za-z.]*", english + " " + source)
    known = {stem(part) for w in words for part in [w.replace(".", ""), *w.split(".")]}
    wrong += [w for w in names(summary) if stem(w) not in known]
    lower = (english + " " + summary).lower()
    for table in (MONTHS, DAYS):
        for word, bengali in table.items():
            if re.search(rf"\b{word.capitalize()}\b", summary) and word not in english.lower() and bengali not in source:
                wrong.append(word)
    return wrong


def main(path):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    fallen = dropped = flagged = sentences = 0
    for row in rows:
        summary = row.get("summary") or ""
        findings = [f for f in row.get("findings", []) if f["kind"] == "unsupported"]
        fallen += any("stand in its place" in f["message"] for f in findings)
        dropped += sum("was dropped" in f["message"] for f in findings)
        sentences += len(re.findall(r"[.!?](?:\s|$)", summary))
        english = (row.get("title") or "") + " " + (row.get("text") or "")
        source = json.dumps(row.get("source") or "", ensure_ascii=False)
        wrong = unsupported(summary, english, source)
        if wrong:
            flagged += 1
            print(f"{row.get('id')}: {wrong}\n    {summary}")
    print(f"{len(rows)} articles, {sentences} sentences, {dropped} dropped, {fallen} fell back to extraction, {flagged} to look at")


if __name__ == "__main__":
    main(*sys.argv[1:])
