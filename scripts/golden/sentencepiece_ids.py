#!/usr/bin/env python3
"""Golden ids and decoded text of SentencePiece models, from the package itself (pip install sentencepiece).

  sentencepiece_ids.py FOLDER [MODEL.model...]

Encodes FOLDER/lines.txt. Without models it trains three small ones on those lines first, which differ in everything
that SentencePiece lets differ: unigram and BPE, the full NFKC map and a small map of its own, byte fallback,
user-defined pieces, white space kept or removed. Writes FOLDER/spm-NAME.model and FOLDER/spm-NAME.json.
The committed sample is tests/golden/tokenizer; a wide run: ANUBAD_TOKENIZER_GOLDEN=FOLDER cargo test sentencepiece.
"""
import json, pathlib, shutil, sys
import sentencepiece as spm

folder = pathlib.Path(sys.argv[1])
lines = open(folder / "lines.txt", encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
MAP = {"ﬁ": "fi", "\u200d": " ", "\u200c": "", "য\u09bc": "\u09df", "ড\u09bc": "\u09dc", "Ａ": "A", "…": "...", "\t": " ", "½": "1/2", "৳": "Tk ", "“": '"', "”": '"'}
KINDS = {
    "unigram-nfkc": dict(model_type="unigram", vocab_size=900, normalization_rule_name="nmt_nfkc", character_coverage=0.985),
    "unigram-map": dict(model_type="unigram", vocab_size=1200, byte_fallback=True, remove_extra_whitespaces=False, user_defined_symbols=["<2en>", "ক্ষ", "\u2581\u2581", "--"]),
    "bpe": dict(model_type="bpe", vocab_size=1300, byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, user_defined_symbols=["<2en>", "ঢাকা", ";"], max_sentence_length=100000),
    "bpe-nfkc": dict(model_type="bpe", vocab_size=900, normalization_rule_name="identity", character_coverage=0.98, split_digits=True),
}

models = sys.argv[2:]
if not models:
    rules = folder / "rules.tsv"
    rules.write_text("".join(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n" for a, b in MAP.items()))
    for name, options in KINDS.items():
        if "normalization_rule_name" not in options: options = dict(options, normalization_rule_tsv=str(rules))
        prefix = folder / f"spm-{name}"
        spm.SentencePieceTrainer.train(input=str(folder / "lines.txt"), model_prefix=str(prefix), hard_vocab_limit=False, minloglevel=2, num_threads=1, **options)
        prefix.with_suffix(".vocab").unlink()
        models.append(str(prefix) + ".model")
    rules.unlink()
for model in map(pathlib.Path, models):
    target = folder / (model.name if model.name.startswith("spm-") else f"spm-{model.parent.name}-{model.stem}.model")
    if target != model: shutil.copy(model, target)
    sp = spm.SentencePieceProcessor(model_file=str(model))
    ids = [sp.encode(line) for line in lines]
    # null: the decoded text is the line itself
    decoded = [None if sp.decode(row) == line else sp.decode(row) for line, row in zip(lines, ids)]
    with open(target.with_suffix(".json"), "w", encoding="utf-8") as out:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in ids)
        out.write(json.dumps({"reference": "sentencepiece " + spm.__version__, "vocabulary": ""})[:-1] + ', "ids": [\n' + rows + '\n], "decoded": ' + json.dumps(decoded, ensure_ascii=False, indent=0) + "}\n")
    print(target.name, target.stat().st_size, "bytes,", sum(map(len, ids)), "ids,", sum(row.count(sp.unk_id()) for row in ids), "unknown,", sum(d is not None for d in decoded), "lines change")
