#!/usr/bin/env python3
"""Step 4: translate test pairs with the GGUF and print chrF++ and BLEU.

    evaluate.py MODEL.gguf TEST.tsv [--anubad PROGRAM] [--limit N] [--out HYPOTHESES]

With --anubad, `anubad eval` translates and measures (greedily, without repair, so that the weights are measured and not
what mends them); otherwise the weights are run here with transformers, greedily and one sentence at a time, which is
slow but independent of anubad.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from prepare import read_pairs


def with_anubad(args, pairs):
    """`anubad eval` under the name that tells it the prompt; its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "anubad-270m-bn-en.gguf"
        model.symlink_to(pathlib.Path(args.model).resolve())
        test = folder / "test.tsv"
        test.write_text("".join(f"{bengali}\t{english}\n" for bengali, english in pairs), encoding="utf-8")
        command = [args.anubad, "eval", "--source", test, "--model", model, "--no-repair"]
        command += ["--output", args.out] if args.out else []
        return subprocess.run(command).returncode


def with_transformers(args, pairs):
    """Translates here and prints sacrebleu's figures."""
    import sacrebleu
    import torch

    import gemma_gguf

    model, vocabulary = gemma_gguf.load(args.model)
    model.eval()
    with torch.no_grad():
        hypotheses = [translate(model, vocabulary, bengali) for bengali, _ in pairs]
    if args.out:
        pathlib.Path(args.out).write_text("".join(line.replace("\n", " ") + "\n" for line in hypotheses), encoding="utf-8")
    references = [[english for _, english in pairs]]
    for metric in (sacrebleu.CHRF(word_order=2), sacrebleu.BLEU()):
        print(metric.corpus_score(hypotheses, references), metric.get_signature())
    return 0


def translate(model, vocabulary, sentence, longest=160):
    import torch

    from vocabulary import prompt

    ids = torch.tensor([[vocabulary.bos] + vocabulary.encode(prompt(sentence))])
    out = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=longest, eos_token_id=vocabulary.eos
    )
    return vocabulary.decode(out[0, ids.shape[1] :].tolist()).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--anubad", help="path of the anubad program")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out")
    args = parser.parse_args()
    pairs = list(read_pairs(args.test))[: args.limit]
    sys.exit(with_anubad(args, pairs) if args.anubad else with_transformers(args, pairs))


if __name__ == "__main__":
    main()
