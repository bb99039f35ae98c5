#!/usr/bin/env python3
"""The peer for decoder-only GGUF models: llama.cpp through llama-cpp-python, greedy, the default model's prompt.

    llama.py MODEL.gguf SENTENCES [--parallel 1] [--threads 2] [--max-tokens 160] [--out HYPOTHESES]

--parallel 1 translates sentences one after another, as a user at a prompt would; more lets so many sequences share
each llama_decode call, sorted by length. Prints one line of JSON in the form that compare-peers reads.
"""
import argparse
import json
import resource
import time

import llama_cpp as ll
import numpy as np


class Engine:
    def __init__(self, path, parallel, threads, float_cache=False):
        start = time.perf_counter()
        self.llama = ll.Llama(path, n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False)
        params = ll.llama_context_default_params()
        params.n_ctx = max(2048, parallel * 512)
        params.n_batch, params.n_ubatch, params.n_seq_max = 4096, 512, parallel
        params.n_threads = params.n_threads_batch = threads
        if float_cache:
            params.type_k = params.type_v = ll.GGML_TYPE_F32
            if hasattr(params, "flash_attn_type"):
                params.flash_attn_type = ll.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if hasattr(params, "kv_unified"):
            params.kv_unified = True
        self.context = ll.llama_init_from_model(self.llama.model, params)
        self.memory = ll.llama_get_memory(self.context)
        self.batch = ll.llama_batch_init(4096, 0, 1)
        self.columns = self.llama.n_vocab()
        self.load_seconds = time.perf_counter() - start

    def put(self, slot, token, position, sequence, logits):
        batch = self.batch
        batch.token[slot], batch.pos[slot], batch.n_seq_id[slot] = token, position, 1
        batch.seq_id[slot][0], batch.logits[slot] = sequence, logits

    def decode(self, count):
        self.batch.n_tokens = count
        if ll.llama_decode(self.context, self.batch) != 0:
            raise SystemExit("llama_decode failed; give a smaller --parallel")

    def best(self, slot):
        return int(np.ctypeslib.as_array(ll.llama_get_logits_ith(self.context, slot), (self.columns,)).argmax())

    def group(self, prompts, longest):
        """Greedy continuations of prompts that together fill at most one batch of 4,096 tokens."""
        ll.llama_memory_clear(self.memory, True)
        slot, last = 0, []
        for sequence, prompt in enumerate(prompts):
            for position, token in enumerate(prompt):
                self.put(slot, token, position, sequence, position + 1 == len(prompt))
                slot += 1
            last.append(slot - 1)
        self.decode(slot)
        following = {sequence: self.best(at) for sequence, at in enumerate(last)}
        out, end = [[] for _ in prompts], self.llama.token_eos()
        while True:
            following = {s: t for s, t in following.items() if t != end and len(out[s]) < longest}
            if not following:
                return out
            live = sorted(following)
            for slot, sequence in enumerate(live):
                self.put(slot, following[sequence], len(prompts[sequence]) + len(out[sequence]), sequence, True)
                out[sequence].append(following[sequence])
            self.decode(len(live))
            following = {sequence: self.best(slot) for slot, sequence in enumerate(live)}


def groups(prompts, parallel):
    """Indices in groups of at most `parallel` sequences and 4,096 tokens, sorted by length when there are several."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i])) if parallel > 1 else range(len(prompts))
    group, tokens = [], 0
    for i in order:
        if group and (len(group) == parallel or tokens + len(prompts[i]) > 4096):
            yield group
            group, tokens = [], 0
        group.append(i)
        tokens += len(prompts[i])
    yield group


def built_with():
    """What the library was compiled for, as it prints it: "CPU : SSE3 = 1 | AVX2 = 1 | …"."""
    parts = ll.llama_print_system_info().decode().replace(":", "|").split("|")
    return [name.strip() for name, _, on in (part.partition("=") for part in parts) if on.strip() == "1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("sentences")
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    lines = [line.strip() for line in open(args.sentences, encoding="utf-8") if line.strip()][: args.limit]
    engine = Engine(args.model, args.parallel, args.threads)
    prompts = [engine.llama.tokenize(f"Bengali: {line}\nEnglish:".encode(), add_bos=True, special=False) for line in lines]
    start = time.perf_counter()
    out = [None] * len(lines)
    for group in groups(prompts, args.parallel):
        for i, ids in zip(group, engine.group([prompts[i] for i in group], args.max_tokens)):
            out[i] = ids
    seconds = time.perf_counter() - start
    if args.out:
        with open(args.out, "w", encoding="utf-8") as file:
            for ids in out:
                file.write(engine.llama.detokenize(ids).decode("utf-8", "replace").strip().replace("\n", " ") + "\n")
    generated = sum(map(len, out))
    print(json.dumps({
        "engine": f"llama.cpp (llama-cpp-python {ll.__version__})",
        "built_with": built_with(),
        "sentences": len(lines),
        "source_tokens": sum(map(len, prompts)),
        "generated_tokens": generated,
        "load_s": round(engine.load_seconds, 3),
        "seconds": round(seconds, 3),
        "generated_tokens_per_s": round(generated / seconds, 1),
        "sentences_per_s": round(len(lines) / seconds, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
