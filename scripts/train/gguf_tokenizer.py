"""A tokenizers.Tokenizer from the vocabulary of a SentencePiece-BPE GGUF (merges by score, byte fallback)."""

import gguf
from tokenizers import Tokenizer, models, normalizers, decoders


def read(path):
    r = gguf.GGUFReader(path)
    return r


def fields(r):
    def arr(key, conv):
        f = r.fields[key]
        return [conv(f.parts[i]) for i in f.data]

    toks = arr("tokenizer.ggml.tokens", lambda p: bytes(p).decode("utf8"))
    scores = arr("tokenizer.ggml.scores", lambda p: float(p[0]))
    types = arr("tokenizer.ggml.token_type", lambda p: int(p[0]))
    return toks, scores, types


def build(toks, scores, types):
    vocab = {t: i for i, t in enumerate(toks)}
    merges = []
    for i, t in enumerate(toks):
        if types[i] not in (1,) or len(t) < 2:
            continue
        loc = []
        for k in range(1, len(t)):
            a, b = t[:k], t[k:]
            if a in vocab and b in vocab:
                loc.append((a, b, vocab[a], vocab[b]))
        loc.sort(key=lambda x: (x[2], x[3]))
        merges += [(-scores[i], x[0], x[1]) for x in loc]
    merges.sort(key=lambda m: m[0])
    t = Tokenizer(
        models.BPE(vocab, [(a, b) for _, a, b in merges], byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    )
    t.normalizer = normalizers.Replace(" ", "▁")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return t


def from_gguf_vocabulary(path):
    return build(*fields(read(path)))
