#!/usr/bin/env python3
"""The slow but universal peer: transformers in float32, padded batches of sentences sorted by length.

    hf.py CHECKPOINT SENTENCES [--beam 1] [--length 32] [--batch 32] [--threads 2] [--out HYPOTHESES]

Prints one line of JSON in the form that compare-peers reads.
"""
import argparse
import json
import resource
import time

import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("sentences")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    start = time.perf_counter()
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.checkpoint)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(args.checkpoint).float().eval()
    load = time.perf_counter() - start
    lines = [line.strip() for line in open(args.sentences, encoding="utf-8") if line.strip()][: args.limit]
    order = sorted(range(len(lines)), key=lambda i: len(lines[i]))
    length = {"min_new_tokens": args.length, "max_new_tokens": args.length} if args.length else {"max_new_tokens": 256}
    texts, source_tokens, generated = [""] * len(lines), 0, 0
    start = time.perf_counter()
    with torch.no_grad():
        for at in range(0, len(order), args.batch):
            group = order[at : at + args.batch]
            inputs = tokenizer([lines[i] for i in group], return_tensors="pt", padding=True, truncation=True, max_length=256)
            inputs.pop("token_type_ids", None)
            out = model.generate(**inputs, num_beams=args.beam, do_sample=False, **length)
            source_tokens += int(inputs["attention_mask"].sum())
            generated += int((out[:, 1:] != tokenizer.pad_token_id).sum())
            for i, text in zip(group, tokenizer.batch_decode(out, skip_special_tokens=True)):
                texts[i] = text
    seconds = time.perf_counter() - start
    if args.out:
        with open(args.out, "w", encoding="utf-8") as file:
            file.writelines(text.replace("\n", " ") + "\n" for text in texts)
    print(json.dumps({
        "engine": f"transformers {transformers.__version__} float32",
        "sentences": len(lines),
        "source_tokens": source_tokens,
        "generated_tokens": generated,
        "load_s": round(load, 3),
        "seconds": round(seconds, 3),
        "generated_tokens_per_s": round(generated / seconds, 1),
        "sentences_per_s": round(len(lines) / seconds, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
