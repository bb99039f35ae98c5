#!/usr/bin/env python3
"""ROUGE of `anubad summarize --lang bn` against human summaries, beside the baselines that it must beat.

    pip install rouge-score sumy
    cargo build --release
    scripts/eval-summaries.py --anubad target/release/anubad ARTICLES.jsonl

ARTICLES.jsonl has `title`, `body` and `summaries` (several human ones); the project's figures are those of
tafseer-nayeem/BengaliSummarization (BNLPC), 195 articles. Reported is F1 against the nearest of the human summaries
("best") and on average over them ("mean"), for the even articles, on which the weights were tuned, and for the odd
ones, which were held out. Words are what stands between spaces, since rouge-score's own tokenizer drops Bengali.

Each system is asked for three sentences, and once more for whole sentences of at most 65 words, where none can win
by choosing longer sentences.
"""
import argparse
import json
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rouge_score import rouge_scorer
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer

WORDS = 65
METRICS = ["rouge1", "rouge2", "rougeL"]
END = re.compile(r"[।?!]+[\\\"'’”)]*")


class Spaces:
    """Tokenizer for rouge-score and sumy."""

    def tokenize(self, text):
        return text.split()

    def to_words(self, text):
        return tuple(re.findall(r"[\u0980-\u09ff]+|[A-Za-z0-9]+", text))

    def to_sentences(self, text):
        return sentences(text)


def sentences(text):
    found, start = [], 0
    for match in END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [s for s in found if len(s) > 1]


def sumy(summarizer):
    def rank(article, count):
        document = ObjectDocumentModel([Paragraph([Sentence(s, Spaces()) for s in sentences(article["body"])])])
        return [str(s) for s in summarizer()(document, count)]

    return rank


def first(article, count):
    return sentences(article["body"])[:count]


def within_words(rank):
    """The largest number of sentences that stays within the words (one at least)."""

    def run(article):
        best = rank(article, 1)
        for count in range(2, len(sentences(article["body"])) + 1):
            more = rank(article, count)
            if sum(len(s.split()) for s in more) > WORDS:
                break
            best = more
        return " ".join(best)

    return run


def anubad(binary, *length):
    def run(article):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "article.md")
            path.write_text(f"# {article['title']}\n\n{article['body']}\n", encoding="utf-8")
            command = [binary, "summarize", "--lang", "bn", "--summary-method", "extractive", "--quiet", *length, path]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles")
    parser.add_argument("--anubad", default="target/release/anubad")
    parser.add_argument("--only", metavar="SYSTEM", help="measure this one only, such as anubad")
    arguments = parser.parse_args()
    articles = [json.loads(line) for line in open(arguments.articles, encoding="utf-8")]
    three = lambda rank: lambda article: " ".join(rank(article, 3))
    systems = {
        "first sentences": (three(first), within_words(first)),
        "sumy TextRank": (three(sumy(TextRankSummarizer)), within_words(sumy(TextRankSummarizer))),
        "sumy LexRank": (three(sumy(LexRankSummarizer)), within_words(sumy(LexRankSummarizer))),
        "anubad": (anubad(arguments.anubad, "--sentences", "3"), anubad(arguments.anubad, "--words", str(WORDS))),
    }
    scorer = rouge_scorer.RougeScorer(METRICS, tokenizer=Spaces())
    print(f"{'system':16} {'length':9} {'half':9} " + " ".join(f"{m}-best {m}-mean" for m in METRICS))
    for name, runs in systems.items():
        if arguments.only not in (None, name):
            continue
        for length, run in zip(("3 sent.", f"{WORDS} words"), runs):
            with ThreadPoolExecutor(2) as pool:
                outputs = list(pool.map(run, articles))
            for half, chosen in (("tuned", slice(0, None, 2)), ("held out", slice(1, None, 2)), ("all", slice(None))):
                print(f"{name:16} {length:9} {half:9} " + row(scorer, articles[chosen], outputs[chosen]))


def row(scorer, articles, outputs):
    best, mean = dict.fromkeys(METRICS, 0.0), dict.fromkeys(METRICS, 0.0)
    for article, output in zip(articles, outputs):
        scores = [scorer.score(reference, output) for reference in article["summaries"]]
        for metric in METRICS:
            values = [s[metric].fmeasure for s in scores]
            best[metric] += max(values)
            mean[metric] += sum(values) / len(values)
    n = len(articles)
    return " ".join(f"{100 * best[m] / n:11.2f} {100 * mean[m] / n:11.2f}" for m in METRICS)


if __name__ == "__main__":
    main()
