#!/usr/bin/env python3
"""The peer for encoder–decoder checkpoints: CTranslate2, int8 or float32.

    ct2.py CHECKPOINT SENTENCES [--compute int8|float32] [--beam 1] [--length 32] [--batch-tokens 2048]
           [--workers 1] [--threads 2] [--out HYPOTHESES]

--length fixes the number of generated tokens a sentence: random weights never end one, and real ones would end at
different places in different engines. 0 lets the model end its sentences. Prints one line of JSON in the form that
compare-peers reads. CTranslate2's converter knows marian, nllb, m2m100, t5 and more; what it refuses can be compared
with hf.py.
"""
import argparse
import json
import pathlib
import resource
import time

import ctranslate2
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("sentences")
    parser.add_argument("--compute", default="int8")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    converted = args.checkpoint / f"ct2-{args.compute}"
    if not converted.exists():
        quantization = None if args.compute == "float32" else args.compute
        ctranslate2.converters.TransformersConverter(str(args.checkpoint)).convert(str(converted), quantization=quantization)
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.checkpoint)
    lines = [line.strip() for line in open(args.sentences, encoding="utf-8") if line.strip()][: args.limit]
    source = [tokenizer.convert_ids_to_tokens(tokenizer(line, truncation=True, max_length=256).input_ids) for line in lines]
    start = time.perf_counter()
    translator = ctranslate2.Translator(
        str(converted), compute_type=args.compute, inter_threads=args.workers, intra_threads=args.threads // args.workers
    )
    load = time.perf_counter() - start
    length = {"min_decoding_length": args.length, "max_decoding_length": args.length} if args.length else {}

    def run(sentences):
        return translator.translate_batch(
            sentences, max_batch_size=args.batch_tokens, batch_type="tokens", beam_size=args.beam, disable_unk=True, **length
        )

    run(source[:8])  # first use of a kernel costs more
    start = time.perf_counter()
    results = run(source)
    seconds = time.perf_counter() - start
    if args.out:
        with open(args.out, "w", encoding="utf-8") as file:
            for result in results:
                ids = tokenizer.convert_tokens_to_ids(result.hypotheses[0])
                file.write(tokenizer.decode(ids, skip_special_tokens=True).replace("\n", " ") + "\n")
    generated = sum(len(result.hypotheses[0]) for result in results)
    print(json.dumps({
        "engine": f"CTranslate2 {ctranslate2.__version__} {args.compute}",
        "sentences": len(lines),
        "source_tokens": sum(map(len, source)),
        "generated_tokens": generated,
        "load_s": round(load, 3),
        "seconds": round(seconds, 3),
        "generated_tokens_per_s": round(generated / seconds, 1),
        "sentences_per_s": round(len(lines) / seconds, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
