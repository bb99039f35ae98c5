#!/usr/bin/env python3
"""Golden ids of whole tokenizer folders in Hub layout, from transformers (pip install transformers sentencepiece protobuf).

  folder_ids.py LINES OUT [--limit N] [CHECKPOINT...]

Without checkpoints it makes one small folder a family in OUT, from models trained on LINES. With checkpoints (folders
in Hub layout) it copies their tokenizer files to OUT; where there is both a tokenizer.json and a SentencePiece model,
OUT/NAME keeps the first and OUT/NAME-spm the second. Each folder gets ids.json: the lines, their ids as a source
sentence (special tokens spelled in the text are text), and the text the ids of the bare line decode to.
The committed sample: folder_ids.py tests/golden/tokenizer/lines.txt tests/golden/tokenizer/folders --limit 90
A wide run: any other OUT, then ANUBAD_TOKENIZER_FOLDERS=OUT cargo test tokenizer_folders.
"""
import argparse, json, os, pathlib, shutil
import sentencepiece as spm, transformers as tf

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("lines"); ap.add_argument("out", type=pathlib.Path); ap.add_argument("checkpoints", nargs="*", type=pathlib.Path); ap.add_argument("--limit", type=int)
a = ap.parse_args()
lines = open(a.lines, encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
CLASSES = dict(marian=tf.MarianTokenizer, nllb=tf.NllbTokenizer, m2m100=tf.M2M100Tokenizer, mbart50=tf.MBart50Tokenizer, t5=tf.T5Tokenizer, mt5=tf.T5Tokenizer, bart=tf.BartTokenizer)
SPM = {"sentencepiece.bpe.model", "spiece.model"}
FILES = SPM | {"config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "source.spm", "target.spm", "special_tokens_map.json"}


def train(path, vocab, **kw):
    rules = a.out / "rules.tsv"
    rules.write_text("FB01\t66 69\nFF21\t41\n9AF 9BC\t9DF\n9A1 9BC\t9DC\n2026\t2E 2E 2E\n9\t20\n3000\t20\n200B\t20\n")
    spm.SentencePieceTrainer.train(input=a.lines, model_prefix=str(path), vocab_size=vocab, normalization_rule_tsv=str(rules), hard_vocab_limit=False, minloglevel=2, num_threads=1, character_coverage=0.995, **kw)
    os.unlink(str(path) + ".vocab"); rules.unlink()
    os.replace(str(path) + ".model", path)
    return spm.SentencePieceProcessor(model_file=str(path))


def pieces(sp, first):
    out = dict(first)
    for i in range(sp.get_piece_size()):
        if not sp.is_control(i) and not sp.is_unknown(i): out.setdefault(sp.id_to_piece(i), len(out))
    return out


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def make(name):
    d = a.out / name; shutil.rmtree(d, ignore_errors=True); d.mkdir(parents=True)
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    if name == "marian":
        vocabulary = pieces(train(d / "source.spm", 600), {"</s>": 0, "<unk>": 1})
        vocabulary = pieces(train(d / "target.spm", 500, model_type="bpe"), vocabulary); vocabulary["<pad>"] = len(vocabulary)
        dump(d / "vocab.json", vocabulary); dump(d / "tokenizer_config.json", dict(source_lang="ben", target_lang="eng", tokenizer_class="MarianTokenizer"))
    elif name == "m2m100":
        dump(d / "vocab.json", pieces(train(d / "sentencepiece.bpe.model", 700), special))
        dump(d / "tokenizer_config.json", dict(tokenizer_class="M2M100Tokenizer", src_lang="bn", tgt_lang="en"))
    elif name in ("nllb", "mbart50"):
        train(d / "sentencepiece.bpe.model", 700, model_type="bpe" if name == "nllb" else "unigram")
        more = dict(extra_special_tokens=["asm_Beng", "ben_Beng", "eng_Latn", "hin_Deva"]) if name == "nllb" else {}
        dump(d / "tokenizer_config.json", dict(tokenizer_class=CLASSES[name].__name__, src_lang="ben_Beng" if name == "nllb" else "bn_IN", **more))
    elif name in ("t5", "mt5"):
        more = dict(user_defined_symbols=["<2en>", "<2bn>"]) if name == "mt5" else {}
        train(d / "spiece.model", 700, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **more)
        dump(d / "tokenizer_config.json", dict(tokenizer_class="T5Tokenizer", extra_ids=100 if name == "t5" else 0)); dump(d / "config.json", dict(model_type=name))
    elif name == "indictrans2":
        for side, tags in (("SRC", ["ben_Beng", "eng_Latn", "hin_Deva"]), ("TGT", [])):
            sp = train(d / f"model.{side}", 500, model_type="bpe")
            dump(d / f"dict.{side}.json", pieces(sp, {t: i for i, t in enumerate(list(special) + tags)}))
        dump(d / "tokenizer_config.json", dict(tokenizer_class="IndicTransTokenizer"))
    elif name == "bart":
        from tokenizers import ByteLevelBPETokenizer
        b = ByteLevelBPETokenizer(); b.train([a.lines], vocab_size=900, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
        b.save_model(str(d)); dump(d / "tokenizer_config.json", dict(tokenizer_class="BartTokenizer")); dump(d / "config.json", dict(model_type="bart"))
    return d


class IndicTrans:
    """Ids of the prepared line, as tokenization_indictrans.py makes them; the preparation is indictrans2.py's."""

    def __init__(self, folder, prepared):
        self.ids = json.load(open(folder / "dict.SRC.json", encoding="utf-8")); self.prepared = prepared
        self.sp = spm.SentencePieceProcessor(model_file=str(folder / "model.SRC"))

    def __call__(self, line):
        return [self.ids.get(p, 3) for p in ["ben_Beng", "eng_Latn"] + self.sp.encode(self.prepared[line], out_type=str)] + [2]


def golden_indictrans(folder):
    prepared = {case["source"]: case["prepared"] for case in json.load(open(pathlib.Path(a.lines).parent / "indictrans2.json", encoding="utf-8"))}
    tok, kept = IndicTrans(folder, prepared), [line for line in lines if line in prepared][: a.limit]
    dump(folder / "ids.json", dict(reference="sentencepiece " + spm.__version__, forced_bos=None, lines=kept, ids=[tok(line) for line in kept]))
    print(folder.name, len(kept), "lines")


def golden(folder, family):
    config = json.load(open(folder / "tokenizer_config.json"))
    given = {"vocab_file": str(next(folder / f for f in SPM if (folder / f).exists()))} if not (folder / "tokenizer.json").exists() and family in ("nllb", "mbart50", "t5", "mt5") else {}
    more = {k: config[k] for k in ("extra_special_tokens", "extra_ids") if k in config and given}
    tok = CLASSES[family].from_pretrained(str(folder), **given, **more)
    if family in ("nllb", "mbart50", "m2m100"): tok.src_lang = {"nllb": "ben_Beng", "mbart50": "bn_IN", "m2m100": "bn"}[family]
    if family == "marian": tok.remove_language_code = lambda text: ([], text)  # >>eng<< in a text is text; the target is an option
    ids = [tok(line, split_special_tokens=True)["input_ids"] for line in lines]
    code = {"nllb": "eng_Latn", "mbart50": "en_XX", "m2m100": "__en__"}.get(family)
    wanted = a.limit or len(lines)
    out = dict(reference=f"transformers {tf.__version__}", forced_bos=code and tok.convert_tokens_to_ids(code), lines=lines[:wanted], ids=ids[:wanted])
    if family != "marian": out["decoded"] = [tok.decode(row[1:] if family == "m2m100" else row, skip_special_tokens=True) for row in ids[:wanted]]  # Marian decodes with the other side's model; M2M-100's code is not special to transformers
    dump(folder / "ids.json", out)
    print(folder.name, type(tok).__name__, len(tok), "pieces,", sum(map(len, ids)), "ids")


a.out.mkdir(parents=True, exist_ok=True)
if not a.checkpoints:
    for family in CLASSES: golden(make(family), family)
    golden_indictrans(make("indictrans2"))
for checkpoint in a.checkpoints:
    both = (checkpoint / "tokenizer.json").exists() and any((checkpoint / f).exists() for f in SPM) and checkpoint.name != "m2m100"
    for suffix, left_out in [("", set())] + ([("-spm", {"tokenizer.json"})] if both else []):
        target = a.out / (checkpoint.name + suffix); shutil.rmtree(target, ignore_errors=True); target.mkdir()
        for f in FILES - left_out:
            if (checkpoint / f).exists(): shutil.copy(checkpoint / f, target / f)
        golden(target, checkpoint.name)
