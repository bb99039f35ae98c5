#!/usr/bin/env python3
"""Step 4: translate test pairs with the GGUF and print chrF++ and BLEU.

    evaluate.py MODEL.gguf TEST.tsv [--anubad PROGRAM] [--limit N] [--out HYPOTHESES]

With --anubad, `anubad eval` translates and measures, and prints its own figures; otherwise the weights are run here with transformers, greedily and one sentence at a time, which is slow but
independent of anubad.
"""
import argparse
import subprocess
import sys

import sacrebleu
import torch

import gemma_gguf
from prepare import read_pairs
from vocabulary import prompt


@torch.no_grad()
def translate(model, vocabulary, sentence, longest=160):
    ids = torch.tensor([[vocabulary.bos] + vocabulary.encode(prompt(sentence))])
    out = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=longest, eos_token_id=vocabulary.eos
    )
    return vocabulary.decode(out[0, ids.shape[1] :].tolist()).strip()


def main():
    import pathlib

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--anubad", help="path of the anubad program")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    pairs = list(read_pairs(args.test))[: args.limit]
    if args.anubad:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            sides = [pathlib.Path(folder) / name for name in ("source.txt", "reference.txt")]
            for path, column in zip(sides, (0, 1)):
                path.write_text("".join(pair[column] + "\n" for pair in pairs), encoding="utf-8")
            command = [args.anubad, "eval", "--source", sides[0], "--reference", sides[1], "--model", args.model]
            sys.exit(subprocess.run(command).returncode)
    model, vocabulary = gemma_gguf.load(args.model)
    model.eval()
    hypotheses = [translate(model, vocabulary, bengali) for bengali, _ in pairs]
    if args.out:
        pathlib.Path(args.out).write_text("".join(line.replace("\n", " ") + "\n" for line in hypotheses), encoding="utf-8")
    references = [[english for _, english in pairs]]
    for metric in (sacrebleu.CHRF(word_order=2), sacrebleu.BLEU()):
        print(metric.corpus_score(hypotheses, references), metric.get_signature())


if __name__ == "__main__":
    main()
