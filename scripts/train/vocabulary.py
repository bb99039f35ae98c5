#!/usr/bin/env python3
"""Step 2: choose the pieces that Bengali to English needs, and cut the model down to them.

    vocabulary.py BASE.gguf PAIRS.jsonl OUT.gguf [--english 45000]

Kept: every control, byte and punctuation piece; every single character of Latin, Bengali and the common signs (other
scripts fall back to bytes); every piece with a Bengali letter; the English pieces with the greatest mass under word
frequencies; every piece that occurs in the training text; and every piece that byte-pair merging passes through on
the way to a kept one, so that kept text is split exactly as before.
English word frequencies come from the package wordfreq where it is installed, else from the English side of the
training text (which then decides alone; say so when you publish the result). The output has F16 matrices.
"""
import argparse
import collections
import json
import re

import gemma_gguf


# Latin, combining marks, danda, Bengali, Latin additional, then punctuation to mathematical operators.
CHARACTERS = "[\u0000-\u024f\u0300-\u036f\u0964\u0965\u0980-\u09ff\u1e00-\u1eff\u2000-\u22ff▁]"


def english_words(pairs):
    try:
        import wordfreq
    except ImportError:
        print("wordfreq is not installed: English frequencies come from the training text alone")
        counts = collections.Counter(word for pair in pairs for word in pair["en"].split())
        return {word: float(count) for word, count in counts.items()}
    return {word: wordfreq.word_frequency(word, "en") for word in wordfreq.top_n_list("en", 300_000)}


def english_pieces(vocabulary, words, count):
    """Piece numbers by the summed frequency of the words that use them, as they occur in running text."""
    mass = collections.Counter()
    for word, frequency in words.items():
        forms = {word: 1.0, word.capitalize(): 0.3, word.upper(): 0.02}
        for form, weight in forms.items():
            for lead in (" ", ""):
                for piece in vocabulary.encode(lead + form):
                    mass[piece] += frequency * weight * (1.0 if lead else 0.1)
    return [piece for piece, _ in mass.most_common(count)]


def intermediate(piece, index, scores):
    """The pieces that byte-pair merging builds on the way to `piece`: best-scored pair first, leftmost on a tie."""
    parts, built = list(piece), set()
    while len(parts) > 1:
        best, at = None, None
        for i in range(len(parts) - 1):
            number = index.get(parts[i] + parts[i + 1])
            if number is not None and (best is None or scores[number] > best):
                best, at = scores[number], i
        if at is None:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        built.add(index[parts[at]])
    return built


def choose(vocabulary, pairs, english):
    index = {piece: number for number, piece in enumerate(vocabulary.pieces)}
    kept = set()
    for number, (piece, kind) in enumerate(zip(vocabulary.pieces, vocabulary.types)):
        unused = re.fullmatch(r"<unused\d+>|\[multimodal\]", piece)
        if kind != 1 and not unused:
            kept.add(number)  # control, byte and user-defined pieces, <unk>
        elif re.fullmatch(CHARACTERS, piece) or re.search("[\u0980-\u09ff]", piece):
            kept.add(number)
        elif re.fullmatch(r"[▁\W\d_]+", piece) and piece.isascii():
            kept.add(number)
    kept.update(english_pieces(vocabulary, english_words(pairs), english))
    for pair in pairs:
        kept.update(vocabulary.encode(prompt(pair["bn"])))
        kept.update(vocabulary.encode(" " + pair["en"]))
    for number in list(kept):
        if vocabulary.types[number] == 1:
            kept |= intermediate(vocabulary.pieces[number], index, vocabulary.scores)
    return sorted(kept)


def prompt(bengali):
    return f"Bengali: {bengali}\nEnglish:"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("pairs")
    parser.add_argument("out")
    parser.add_argument("--english", type=int, default=45_000)
    args = parser.parse_args()
    pairs = [json.loads(line) for line in open(args.pairs, encoding="utf-8")]
    model, vocabulary = gemma_gguf.load(args.base)
    ids = choose(vocabulary, pairs, args.english)
    trimmed, small = gemma_gguf.trim(model, vocabulary, ids)
    texts = [prompt(pair["bn"]) + " " + pair["en"] for pair in pairs]
    differing = sum(
        [vocabulary.pieces[i] for i in vocabulary.encode(text)] != [small.pieces[i] for i in small.encode(text)] for text in texts
    )
    print(f"{len(vocabulary.pieces)} pieces before, {len(ids)} after; {differing} of {len(texts)} texts are split differently")
    gemma_gguf.save(trimmed, small, args.out, "Gemma 3 270M, vocabulary trimmed for Bengali to English", dtype="f16")


if __name__ == "__main__":
    main()
