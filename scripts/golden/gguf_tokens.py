#!/usr/bin/env python3
"""Golden token ids of a GGUF vocabulary, from llama.cpp (pip install llama-cpp-python).

  gguf_tokens.py MODEL.gguf FOLDER/lines.txt FOLDER/NAME.json [--specials]   ids of every line
  gguf_tokens.py --collect FOLDER/lines.txt FILE.tsv...                      first make lines.txt: every cell a line

The committed sample is tests/golden/tokenizer/{lines.txt,*.json}. A wide run: collect the lines of any data into
another folder, write the same NAME.json there, and ANUBAD_TOKENIZER_GOLDEN=FOLDER cargo test gguf_vocabulary.
"""
import argparse, hashlib, json

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("paths", nargs="+")
ap.add_argument("--collect", action="store_true")
ap.add_argument("--specials", action="store_true", help="recognize special tokens in the lines, as in chat prompts")
a = ap.parse_args()


def lines_of(path):
    return open(path, encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")


if a.collect:
    out, *tables = a.paths
    cells = [cell for path in tables for line in lines_of(path) for cell in line.split("\t")]
    open(out, "w", encoding="utf-8", newline="\n").write("\n".join(cells) + "\n")
    print(len(cells), "lines")
else:
    import llama_cpp

    model, lines, out = a.paths
    llm = llama_cpp.Llama(model, vocab_only=True, verbose=False)
    pieces = (llama_cpp.llama_vocab_get_text(llm._model.vocab, i) for i in range(llm.n_vocab()))
    vocabulary = hashlib.sha256(b"".join(piece + b"\n" for piece in pieces)).hexdigest()
    ids = [llm.tokenize(line.encode(), add_bos=False, special=a.specials) for line in lines_of(lines)]
    head = {"reference": "llama-cpp-python " + llama_cpp.__version__, "vocabulary": vocabulary}
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in ids)
    open(out, "w").write(json.dumps(head)[:-1] + ', "ids": [\n' + rows + "\n]}\n")
    print(len(ids), "lines,", sum(map(len, ids)), "ids")
