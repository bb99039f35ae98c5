#!/usr/bin/env python3
"""The peer for Firefox's models: fxtranslate (PyPI), Mozilla's engine.

    fx.py FOLDER SENTENCES [--threads 2] [--limit N] [--one-by-one] [--out TEXTS]

FOLDER holds model.*.bin, one or two .spm and, perhaps, lex.*.bin. The engine is for one thread: in bulk every thread is a
process of its own with its own copy of the model, as Firefox has it. The engine does not say how many tokens it
generated: for models that never end a sentence (`marian_native.py --endless`) the number is known, min(256, 2·source + 4),
and tokens/s is given; for others only sentences/s is. Prints one line of JSON in the form that compare-peers reads.
"""
import argparse
import json
import multiprocessing
import pathlib
import resource
import time

import fxtranslate
import sentencepiece as spm

ENGINE = None


def parts(folder):
    named = lambda pattern: sorted(folder.glob(pattern))
    vocabularies = named("*.spm")
    source = next((p for p in vocabularies if p.name.startswith("src")), vocabularies[0])
    target = next((p for p in vocabularies if p.name.startswith("trg")), vocabularies[0])
    lex = named("lex*.bin")
    return named("model*.bin")[0], source, target, lex[0] if lex else None


def load(folder):
    global ENGINE
    model, source, target, lex = parts(pathlib.Path(folder))
    ENGINE = fxtranslate.Translator(
        model=model.read_bytes(), src_vocab=source.read_bytes(), trg_vocab=target.read_bytes(), shortlist=lex.read_bytes() if lex else None
    )


def translate(line):
    return ENGINE.translate(line)


def peak(_):
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("sentences")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--one-by-one", action="store_true")
    parser.add_argument("--out")
    args = parser.parse_args()
    lines = [line.strip() for line in open(args.sentences, encoding="utf-8") if line.strip()][: args.limit]
    processes = 1 if args.one_by_one else args.threads
    start = time.perf_counter()
    with multiprocessing.Pool(processes, initializer=load, initargs=(str(args.folder),)) as pool:
        pool.map(translate, lines[:8], chunksize=1)
        load_seconds = time.perf_counter() - start
        start = time.perf_counter()
        texts = pool.map(translate, lines, chunksize=4)
        seconds = time.perf_counter() - start
        memory = sum(set(pool.map(peak, range(4 * processes), chunksize=1))) if processes == 1 else max(pool.map(peak, range(8))) * processes
    if args.out:
        pathlib.Path(args.out).write_text("\n".join(texts) + "\n", encoding="utf-8")
    report = {
        "engine": f"fxtranslate, {processes} processes",
        "sentences": len(lines),
        "load_s": round(load_seconds, 3),
        "seconds": round(seconds, 3),
        "sentences_per_s": round(len(lines) / seconds, 2),
        "peak_memory_mb": memory,
    }
    if (args.folder / "endless").exists():
        source = spm.SentencePieceProcessor(model_file=str(parts(args.folder)[1]))
        generated = sum(min(256, 2 * (len(source.encode(line)) + 1) + 4) for line in lines)
        key = "one_by_one_generated_tokens_per_s" if args.one_by_one else "generated_tokens_per_s"
        report |= {"generated_tokens": generated, key: round(generated / seconds, 1)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
