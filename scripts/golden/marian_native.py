#!/usr/bin/env python3
"""Models in Marian's own format with random weights, and what Mozilla's engine makes of them.

  parity.py --arch marian-native --out FOLDER [--seed N] [--size tiny|base|full|DxHEADSxFFNxENCxDECxVOCAB]
            [--variants NAME,…] [--lines FILE] [--count N] [--verbose] [--endless] [--pack]

FOLDER/marian-native-VARIANT gets the model as Firefox has it (model.*.bin, vocabularies, shortlist) and
golden-marian.json: the lines and their texts by fxtranslate (PyPI, MPL-2.0), one sentence at a time. Variants:

  shared            one vocabulary, int8
  shared-lex        … with a lexical shortlist
  split             two vocabularies
  split-lex         … with a shortlist
  float             one vocabulary, float32, with a shortlist
  float-npz         the same network as an .npz, without
  attention         a self-attention decoder: no part of fxtranslate, so that the reference is the numpy one below
                    (which the other variants' texts are held against, too)

`--pack` leaves only .tar.zst (needs the zstd command). `ANUBAD_FIXTURES=FOLDER cargo test --test it marian_native` runs
the tests on FOLDER. The weights mean nothing; layout, vocabularies and arithmetic are real. Needs numpy, sentencepiece,
protobuf and fxtranslate.
"""
import argparse, io, json, pathlib, shutil, struct, subprocess, tempfile

import numpy as np
import sentencepiece as spm

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SIZES = {  # d, heads, ffn, encoder layers, decoder layers, pieces
    "tiny": (64, 4, 128, 2, 2, 256),
    "base": (512, 8, 2048, 6, 2, 4000),
    "full": (256, 8, 1536, 6, 2, 32000),  # the shape of Mozilla's tiny model
}
VARIANTS = ["shared", "shared-lex", "split", "split-lex", "float", "float-npz", "attention"]
FIRST, MAGIC = 20, 0xF11A48D5013417F5


# ---------------------------------------------------------------- vocabularies

def vocabulary(lines, size, seed):
    """A SentencePiece model on these lines, filled up with made-up words to `size` pieces (a multiple of 8)."""
    from sentencepiece import sentencepiece_model_pb2 as pb
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(lines * 3), encoding="utf-8")
        spm.SentencePieceTrainer.train(input=str(corpus), model_prefix=f"{folder}/v", vocab_size=size, hard_vocab_limit=False, bos_id=-1, eos_id=0, unk_id=1,
                                       minloglevel=2, character_coverage=0.999, num_threads=1)
        proto = pb.ModelProto.FromString((pathlib.Path(folder) / "v.model").read_bytes())
    rng, there = np.random.default_rng(seed), {p.piece for p in proto.pieces}
    letters = [p.piece for p in proto.pieces if len(p.piece) == 1 and p.piece != "▁"]
    size = max(size, len(there)) // 8 * 8
    lowest = min(p.score for p in proto.pieces)
    while len(proto.pieces) < size:
        word = "▁" * int(rng.integers(2)) + "".join(rng.choice(letters, int(rng.integers(2, 7))))
        if word not in there:
            there.add(word)
            proto.pieces.add(piece=word, score=lowest - float(rng.random()))
    del proto.pieces[size:]
    proto.trainer_spec.vocab_size = size
    return proto.SerializeToString()


# ---------------------------------------------------------------- the network

class Net:
    """Random weights in f32, and the same rounded to 8 bits."""

    def __init__(self, shape, split, attention, int8, seed, source, target):
        self.d, self.heads, self.ffn, self.enc, self.dec, _ = shape
        self.split, self.attention, self.int8 = split, attention, int8
        self.rng = np.random.default_rng(seed)
        self.floats, self.bytes = {}, {}  # name -> array; name -> (int8 array [in, out], multiplier)
        d = self.d
        for layer in range(1, self.enc + 1):
            self.attend(f"encoder_l{layer}_self")
            self.feed(f"encoder_l{layer}")
        for layer in range(1, self.dec + 1):
            p = f"decoder_l{layer}"
            if attention:
                self.attend(p + "_self")
            else:
                self.linear(p + "_rnn_W", None, d, d)
                self.linear(p + "_rnn_Wf", p + "_rnn_bf", d, d)
                self.norm(p + "_rnn_ffn")
            self.attend(p + "_context")
            self.feed(p)
        for name, rows in ([("encoder_Wemb", source), ("decoder_Wemb", target)] if split else [("Wemb", source)]):
            self.weight(name, self.rng.normal(0, 1.6 / np.sqrt(d), (rows, d)))
            if int8 and name != "encoder_Wemb":
                self.floats[name + "_QuantMultA"] = np.array([20.0], np.float32)
        if int8 and not split:
            self.floats["none_QuantMultA"] = np.array([20.0], np.float32)
        self.output = "decoder_Wemb" if split else "Wemb"
        self.input = "encoder_Wemb" if split else "Wemb"
        self.floats["decoder_ff_logit_out_b"] = self.rng.normal(0, 0.3, (1, target)).astype(np.float32)
        self.config = dict(zip(("source", "target"), (source, target)))

    def weight(self, name, w):
        """Trained matrices have a few weights far outside, and so few large bytes. (fxtranslate's AVX2 kernels add pairs of
        products in 16 bits, as intgemm's do: matrices full of large bytes overflow there, and only there.)"""
        w = w.astype(np.float32)
        w.flat[int(self.rng.integers(w.size))] = 8 * w.std()
        if self.int8:
            q = np.float32(127 / np.abs(w).max())
            self.bytes[name] = (np.clip(np.rint(w * q), -127, 127).astype(np.int8), q)
        else:
            self.floats[name] = w

    def linear(self, name, bias, k, n):
        gain = 2.5 if "context_W" in name else 1.2  # so that the source decides what is written
        self.weight(name, self.rng.normal(0, gain / np.sqrt(k), (k, n)))
        if self.int8:
            self.floats[name + "_QuantMultA"] = np.array([self.rng.uniform(16, 24)], np.float32)
        if bias:
            self.floats[bias] = self.rng.normal(0, 0.1, (1, n)).astype(np.float32)

    def norm(self, prefix):
        self.floats[prefix + "_ln_scale"] = self.rng.normal(1, 0.1, (1, self.d)).astype(np.float32)
        self.floats[prefix + "_ln_bias"] = self.rng.normal(0, 0.1, (1, self.d)).astype(np.float32)

    def attend(self, prefix):
        for x in "qkvo":
            self.linear(f"{prefix}_W{x}", f"{prefix}_b{x}", self.d, self.d)
        self.norm(prefix + "_Wo")

    def feed(self, prefix):
        self.linear(prefix + "_ffn_W1", prefix + "_ffn_b1", self.d, self.ffn)
        self.linear(prefix + "_ffn_W2", prefix + "_ffn_b2", self.ffn, self.d)
        self.norm(prefix + "_ffn_ffn")

    def yml(self):
        autoreg = "self-attention" if self.attention else "rnn"
        return f"""bert-train-type-embeddings: true
dec-cell: ssru
dec-depth: {self.dec}
dim-emb: {self.d}
dim-rnn: 1024
dim-vocabs:
  - {self.config['source']}
  - {self.config['target']}
enc-depth: {self.enc}
layer-normalization: false
tied-embeddings: {str(self.split).lower()}
tied-embeddings-all: {str(not self.split).lower()}
transformer-decoder-autoreg: {autoreg}
transformer-decoder-dim-ffn: 0
transformer-decoder-ffn-depth: 0
transformer-dim-ffn: {self.ffn}
transformer-ffn-activation: relu
transformer-ffn-depth: 2
transformer-heads: {self.heads}
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-preprocess: ""
transformer-train-position-embeddings: false
type: transformer
version: v1.12.14 2d067af 2024-02-16 11:44:13 -0500
"""

    def container(self):
        items = [(name, 0x404, a.shape, a.tobytes()) for name, a in self.floats.items()]
        for name, (q, multiplier) in self.bytes.items():
            laid = q if "Wemb" in name else q.T
            items.append((name, 0x4101, q.shape, np.ascontiguousarray(laid).tobytes() + struct.pack("<f", multiplier)))
        if self.int8 and self.split:  # as Mozilla's files have it: a byte and its scale
            items = [i for i in items if i[0] != "decoder_Wemb_QuantMultA"]
            alpha = float(self.floats["decoder_Wemb_QuantMultA"][0])
            items.append(("decoder_Wemb_QuantMultA", 0x4101, (1,), struct.pack("<bf", 127, 127 / alpha)))
            self.floats["decoder_Wemb_QuantMultA"] = np.array([np.float32(127) / np.float32(127 / alpha)], np.float32)
        yml = self.yml().encode() + b"\0"
        items.append(("special:model.yml", 0x101, (len(yml),), yml))
        out, padded = io.BytesIO(), [data + b"\0" * (-len(data) % 256) for *_, data in items]
        out.write(struct.pack("<QQ", 1, len(items)))
        for (name, kind, shape, _), data in zip(items, padded):
            out.write(struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data)))
        for name, *_ in items:
            out.write(name.encode() + b"\0")
        for _, _, shape, _ in items:
            out.write(struct.pack(f"<{len(shape)}i", *shape))
        padding = -(out.tell() + 8) % 256
        out.write(struct.pack("<Q", padding) + b"\0" * padding)
        for data in padded:
            out.write(data)
        return out.getvalue()

    def npz(self):
        out = io.BytesIO()
        yml = np.frombuffer(self.yml().encode() + b"\0", np.int8)
        np.savez(out, **self.floats, **{"special:model.yml": yml})
        return out.getvalue()


# ---------------------------------------------------------------- the reference in numpy

class Reference:
    """The same network in double precision, written down from the description of the format."""

    def __init__(self, net, shortlist, source, target):
        self.net, self.shortlist = net, shortlist
        self.sp, self.tp = (spm.SentencePieceProcessor(model_proto=m) for m in (source, target))
        self.at = {}

    def table(self, name):
        if name not in self.at:
            w = self.net.bytes.get(name)
            self.at[name] = (w[0].astype(np.float64) / w[1]) if w else self.net.floats[name].astype(np.float64)
        return self.at[name]

    def product(self, x, name, rows=None, scale=None):
        if name not in self.net.bytes:
            w = self.table(name)
            return x @ (w if rows is None else w[rows].T)
        key = name + " bytes"
        if key not in self.at:
            self.at[key] = self.net.bytes[name][0].astype(np.float64)
        w, qb = self.at[key], self.net.bytes[name][1]
        qa = float(self.net.floats[scale or name + "_QuantMultA"][0])
        rounded = np.clip(np.rint(x * qa), -127, 127)
        return rounded @ (w if rows is None else w[rows].T) / (qa * qb)

    def linear(self, x, w, b=None):
        y = self.product(x, w)
        return y if b is None else y + self.net.floats[b].reshape(-1)

    def norm(self, x, prefix):
        mean, scale = x.mean(-1, keepdims=True), self.net.floats[prefix + "_ln_scale"].ravel()
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-6) * scale + self.net.floats[prefix + "_ln_bias"].ravel()

    def positions(self, first, end):
        half = self.net.d // 2
        angles = np.arange(first, end)[:, None] * np.exp(np.arange(half) * -(np.log(10000.0) / (half - 1)))
        return np.concatenate([np.sin(angles), np.cos(angles)], 1)

    def attend(self, x, keys, prefix):
        q, (k, v) = self.linear(x, prefix + "_Wq", prefix + "_bq"), keys
        dim, out = self.net.d // self.net.heads, []
        for head in range(self.net.heads):
            part = slice(head * dim, (head + 1) * dim)
            scores = q[:, part] @ k[:, part].T / np.sqrt(dim)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            out.append(weights / weights.sum(-1, keepdims=True) @ v[:, part])
        return self.norm(x + self.linear(np.concatenate(out, 1), prefix + "_Wo", prefix + "_bo"), prefix + "_Wo")

    def keys(self, x, prefix):
        return tuple(self.linear(x, f"{prefix}_W{c}", f"{prefix}_b{c}") for c in "kv")

    def feed(self, x, p):
        inner = np.maximum(self.linear(x, p + "_ffn_W1", p + "_ffn_b1"), 0)
        return self.norm(x + self.linear(inner, p + "_ffn_W2", p + "_ffn_b2"), p + "_ffn_ffn")

    def candidates(self, ids):
        if self.shortlist is None:
            return None
        chosen, target = set(range(FIRST)), self.tp.get_piece_size()
        if not self.net.split:
            chosen |= set(ids)
        for i in ids:
            chosen |= set(self.shortlist[i])
        fill = iter(range(FIRST, target))
        while len(chosen) % 8:
            chosen.add(next(fill))
        return np.array(sorted(chosen))

    def __call__(self, text):
        net = self.net
        ids = self.sp.encode(text) + [self.sp.piece_to_id("</s>")]
        x = self.table(net.input)[ids] * np.sqrt(net.d) + self.positions(0, len(ids))
        for layer in range(1, net.enc + 1):
            p = f"encoder_l{layer}"
            x = self.feed(self.attend(x, self.keys(x, p + "_self"), p + "_self"), p)
        memory = [self.keys(x, f"decoder_l{layer}_context") for layer in range(1, net.dec + 1)]
        cells, own = [np.zeros((1, net.d))] * net.dec, [[] for _ in range(net.dec)]
        rows, bias = self.candidates(ids), net.floats["decoder_ff_logit_out_b"].ravel()
        out, last = [], np.zeros((1, net.d))
        for t in range(min(256, 2 * len(ids) + 4)):
            y = last * np.sqrt(net.d) + self.positions(t, t + 1)
            for layer in range(net.dec):
                p = f"decoder_l{layer + 1}"
                if net.attention:
                    own[layer].append(self.keys(y, p + "_self"))
                    k, v = (np.concatenate(part) for part in zip(*own[layer]))
                    y = self.attend(y, (k, v), p + "_self")
                else:
                    f = 1 / (1 + np.exp(-self.linear(y, p + "_rnn_Wf", p + "_rnn_bf")))
                    cells[layer] = f * cells[layer] + (1 - f) * self.linear(y, p + "_rnn_W")
                    y = self.norm(y + np.maximum(cells[layer], 0), p + "_rnn_ffn")
                y = self.feed(self.attend(y, memory[layer], p + "_context"), p)
            every = np.arange(len(bias)) if rows is None else rows
            scale = f"{net.output}_QuantMultA" if net.split else "none_QuantMultA"
            logits = self.product(y, net.output, every, scale)[0] + bias[every]
            token = int(every[logits.argmax()])
            if token == 0:
                break
            out.append(token)
            last = self.table(net.output)[[token]]
        return self.tp.decode(out)


# ---------------------------------------------------------------- files

def shortlist_lists(source, target, seed, best=50):
    rng = np.random.default_rng(seed + 7)
    best = min(best, max(2, target // 64))  # few enough that a sentence does not allow everything
    return [sorted(rng.choice(target, best, replace=False).tolist()) for _ in range(source)]


def shortlist_bytes(lists):
    offsets = np.concatenate([[0], np.cumsum([len(l) for l in lists])]).astype("<u8")
    ids = np.concatenate([np.array(l) for l in lists]).astype("<u4")
    body = struct.pack("<QQQQ", FIRST, max(map(len, lists)), len(offsets), len(ids)) + offsets.tobytes() + ids.tobytes()
    seed, mask = 0, (1 << 64) - 1
    for (word,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8]):
        seed ^= (word + 0x9E3779B9 + (seed << 6) + (seed >> 2)) & mask
    return struct.pack("<QQ", MAGIC, seed) + body


def end_sometimes(net, translate, lines):
    """Lifts the end token until about half of the sentences end by themselves: random weights hardly ever do."""
    bias, low, high = net.floats["decoder_ff_logit_out_b"], 0.0, 60.0
    for _ in range(7):
        bias[0, 0] = (low + high) / 2
        short = sum(len(text) < 2.5 * len(line) for text, line in zip(translate(lines), lines))
        low, high = (low, bias[0, 0]) if short > len(lines) / 2 else (bias[0, 0], high)


def make(out, variant, shape, seed, lines, corpus, verbose=False, endless=False):
    split, attention, int8 = variant.startswith("split"), variant == "attention", "float" not in variant
    size = shape[5]
    source = vocabulary(corpus, size, seed)
    target = vocabulary([l for l in corpus if l.isascii()] + corpus[:8], max(size * 3 // 4, 96), seed + 1) if split else source
    pieces = [spm.SentencePieceProcessor(model_proto=m).get_piece_size() for m in (source, target)]
    net = Net(shape, split, attention, int8, seed, *pieces)
    lists = shortlist_lists(*pieces, seed) if variant.endswith("lex") or variant == "float" else None
    lex = shortlist_bytes(lists) if lists else None

    def engine():
        if attention:
            return Reference(net, lists, source, target)
        import fxtranslate
        return fxtranslate.Translator(model=net.container(), src_vocab=source, trg_vocab=target, shortlist=lex).translate

    if endless:
        net.floats["decoder_ff_logit_out_b"][0, 0] = -1000.0
    else:
        end_sometimes(net, lambda some: list(map(engine(), some)), lines[:12])
    translate = engine()
    texts = [translate(line) for line in lines]
    reference = Reference(net, lists, source, target)
    some = range(0, len(lines), max(1, len(lines) // 12))
    agree = sum(reference(lines[i]) == texts[i] for i in some)
    for i in some if verbose else []:
        print(f"{lines[i]}\n  {texts[i]}\n  {reference(lines[i])}")
    out.mkdir(parents=True, exist_ok=True)
    if endless:
        (out / "endless").write_text("The end token is never the likeliest: every text is as long as it may be.\n")
    kind = "intgemm.alphas.bin" if int8 else "bin"
    if variant == "float-npz":
        (out / "model.npz").write_bytes(net.npz())
    else:
        (out / f"model.bnen.{kind}").write_bytes(net.container())
    if split:
        (out / "srcvocab.bnen.spm").write_bytes(source)
        (out / "trgvocab.bnen.spm").write_bytes(target)
    else:
        (out / "vocab.bnen.spm").write_bytes(source)
    if lex:
        (out / "lex.50.50.bnen.s2t.bin").write_bytes(lex)
    by = "numpy" if attention else "fxtranslate 0.5.0"
    golden = dict(arch="marian-native", variant=variant, engine=by, int8=int8, lines=lines, texts=texts)
    (out / "golden-marian.json").write_text(json.dumps(golden, ensure_ascii=False), encoding="utf-8")
    ended = sum(len(text) < 2.5 * len(line) for text, line in zip(texts, lines))
    print(f"{out.name}: {pieces} pieces, {len(set(texts))} different texts of {len(texts)}, {ended} rather short, "
          f"numpy agrees on {agree} of {len(some)} ({by})", flush=True)


def bengali_lines(path, count):
    """Sentences with Bengali in them, of the tokenizer's lines and of the sample articles."""
    texts = [path.read_text(encoding="utf-8")] if path else [
        (ROOT / "tests/golden/tokenizer/lines.txt").read_text(encoding="utf-8"),
        *(p.read_text(encoding="utf-8") for p in sorted((ROOT / "samples").glob("*.[mt][dx]*")) if p.name != "README.md"),
    ]
    lines = [line.strip() for text in texts for line in text.replace("।", "।\n").split("\n")]
    # white space and control characters are the program's own matter, not the model's
    fit = [l for l in lines if any("\u0980" <= c <= "\u09ff" for c in l) and l.isprintable() and len(l) < 300 and "  " not in l]
    unique = list(dict.fromkeys(fit))
    words = [w for l in unique for w in l.split()]
    rng = np.random.default_rng(5)
    while len(unique) < count:  # more of them from the same words
        unique.append(" ".join(rng.choice(words, int(rng.integers(3, 16)))))
    return unique[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=["marian-native"], default="marian-native")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", default="tiny", help="tiny, base, full or DxHEADSxFFNxENCxDECxVOCAB")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--lines", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--verbose", action="store_true", help="show some texts beside numpy's")
    parser.add_argument("--endless", action="store_true", help="no sentence ends by itself, for measuring speed")
    parser.add_argument("--pack", action="store_true")
    args = parser.parse_args()
    shape = SIZES.get(args.size) or tuple(int(part) for part in args.size.split("x"))
    lines = bengali_lines(args.lines, args.count)
    corpus = bengali_lines(None, 300) + ["The troops may be sent to Ukraine in July.", "Russian Foreign Minister is going to visit North Korea.",
                                         "Prices rose by 7 percent on Monday, officials said."] * 20
    for variant in args.variants.split(","):
        folder = args.out / f"marian-native-{variant}"
        make(folder, variant, shape, args.seed, lines, corpus, args.verbose, args.endless)
        if args.pack:
            names = sorted(p.name for p in folder.iterdir())
            tar = subprocess.run(["tar", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "-C", args.out, "-cf", "-", folder.name], check=True, stdout=subprocess.PIPE)
            subprocess.run(["zstd", "-19", "-q", "-f", "-o", args.out / f"{folder.name}.tar.zst"], check=True, input=tar.stdout)
            shutil.rmtree(folder)
            print(f"  packed {len(names)} files")


if __name__ == "__main__":
    main()
