#!/usr/bin/env python3
"""A checkpoint in Hub layout with random weights and a real tokenizer, and what transformers makes of it.

  parity.py --arch ARCH --out FOLDER [--seed N] [--size tiny|full|DxHEADSxFFNxENCxDECxVOCAB]
            [--vocab-rows N] [--lines FILE] [--corpus FILE...] [--formats all|safetensors,sharded,pickle,pickle-old] [--pack]

  ARCH: marian nllb m2m100 mbart50 bart t5 t5-v1 mt5 umt5 madlad banglat5 indictrans2 rotary-indictrans2, and marian-native (see marian_native.py)

FOLDER/ARCH gets the checkpoint, the other formats of its weights in sub-folders, and golden.json: token ids of every
line, encoder states and logits of a ragged padded batch, greedy and beam output with scores. `--pack` leaves only
FOLDER/ARCH.tar.zst (needs the zstd command). `ANUBAD_FIXTURES=FOLDER cargo test parity` runs the tests on it.

The weights mean nothing; layout, config, tokenizer and arithmetic are real. Needs torch, transformers, sentencepiece.
IndicTrans2 is no part of transformers: its reference is transformers' M2M-100 with IndicTrans2's three differences
(separate vocabularies, layernorm_embedding, and in the rotary variant a rotation of half of every head), as
AI4Bharat/IndicTrans2/huggingface_interface and VarunGumma/Fairseq have them.

IndicTrans2 and BanglaT5 want their text prepared. Golden files beside the tests hold what IndicTransToolkit and
csebuetnlp's normalizer make of the default lines (indictrans2.py and csebuetnlp.py write them), and the ids here are of
that text, while golden.json names the lines as they were; of other lines, those in no such file are left out.
"""
import argparse, json, math, os, pathlib, shutil, subprocess, sys, tempfile

if __name__ == "__main__" and "marian-native" in " ".join(sys.argv):  # has another reference, and needs no torch
    import marian_native
    sys.exit(marian_native.main())

import sentencepiece as spm
import torch
import transformers as tf

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SIZES = {  # d_model, heads, ffn, encoder layers, decoder layers, vocabulary
    "tiny": {"marian": (32, 4, 64, 2, 2, 560), "*": (32, 4, 64, 2, 2, 420)},
    "full": {
        "marian": (512, 8, 2048, 6, 6, 32000), "bart": (768, 12, 3072, 6, 6, 32000), "t5": (768, 12, 2048, 12, 12, 32000),
        "t5-v1": (768, 12, 2048, 12, 12, 32000), "mt5": (768, 12, 2048, 12, 12, 32000), "umt5": (768, 12, 2048, 12, 12, 32000),
        "madlad": (768, 12, 2048, 12, 12, 32000), "banglat5": (768, 12, 2048, 12, 12, 32000),
        "indictrans2": (512, 8, 2048, 18, 18, 32000), "rotary-indictrans2": (512, 8, 2048, 18, 18, 32000),
        "*": (1024, 16, 4096, 12, 12, 32000),
    },
}
ARCHS = ["marian", "nllb", "m2m100", "mbart50", "bart", "t5", "t5-v1", "mt5", "umt5", "madlad", "banglat5", "indictrans2", "rotary-indictrans2"]
PREPARED = {"indictrans2": ("indictrans2.json", "prepared"), "rotary-indictrans2": ("indictrans2.json", "prepared"), "banglat5": ("csebuetnlp.json", "normalized")}
NORMALIZE = {"banglat5": ["csebuetnlp"]}  # what the model's manifest says


# ---------------------------------------------------------------- tokenizers

NORMALIZER = "nmt_nfkc"


def train_spm(prefix, corpus, vocab, model_type="unigram", **kw):
    spm.SentencePieceTrainer.train(input=corpus, normalization_rule_name=NORMALIZER, model_prefix=prefix, vocab_size=vocab, model_type=model_type, character_coverage=0.9995,
                                   hard_vocab_limit=False, minloglevel=2, num_threads=1, **kw)
    os.unlink(prefix + ".vocab")
    return prefix + ".model"


def pieces_of(model, first):
    """SentencePiece's own pieces after the special ones."""
    sp, pieces = spm.SentencePieceProcessor(model_file=str(model)), dict(first)
    for i in range(sp.get_piece_size()):
        if not sp.is_control(i) and not sp.is_unknown(i):
            pieces.setdefault(sp.id_to_piece(i), len(pieces))
    return pieces


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


# What a packed fixture leaves out: the same tokenizer twice. So both kinds of file are tried.
TWICE = dict(nllb="sentencepiece.bpe.model", m2m100="tokenizer.json", mbart50="tokenizer.json", t5="spiece.model", mt5="tokenizer.json", umt5="tokenizer.json", bart="tokenizer.json")
TWICE.update({"t5-v1": "tokenizer.json", "madlad": "tokenizer.json", "banglat5": "tokenizer.json"})


def marian_tokenizer(out, corpus, vocab):
    pieces = {"</s>": 0, "<unk>": 1}
    for side in ("source", "target"):
        os.replace(train_spm(str(out / side), corpus, vocab // 2), out / f"{side}.spm")
        pieces = pieces_of(out / f"{side}.spm", pieces)
    pieces["<pad>"] = len(pieces)
    dump(out / "vocab.json", pieces)
    dump(out / "tokenizer_config.json", dict(source_lang="ben", target_lang="eng", model_max_length=512, tokenizer_class="MarianTokenizer"))
    tok = tf.MarianTokenizer.from_pretrained(out)
    return tok, len(pieces), None


def nllb_tokenizer(out, corpus, vocab):
    m = train_spm(str(out / "sentencepiece.bpe"), corpus, vocab, model_type="bpe")
    codes = ["asm_Beng", "ben_Beng", "eng_Latn", "hin_Deva"]
    tok = tf.NllbTokenizer.from_pretrained(str(out), vocab_file=m, src_lang="ben_Beng", tgt_lang="eng_Latn", extra_special_tokens=codes)
    tok.save_pretrained(out)
    return tok, len(tok), tok.convert_tokens_to_ids("eng_Latn")


def m2m100_tokenizer(out, corpus, vocab):
    m = train_spm(str(out / "sentencepiece.bpe"), corpus, vocab)
    dump(out / "vocab.json", pieces_of(m, {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}))
    tok = tf.M2M100Tokenizer(vocab_file=str(out / "vocab.json"), spm_file=m, src_lang="bn", tgt_lang="en")
    tok.save_pretrained(out)
    return tok, 1 + max(max(tok.id_to_lang_token), len(tok) - 1), tok.get_lang_id("en")


def mbart50_tokenizer(out, corpus, vocab):
    m = train_spm(str(out / "sentencepiece.bpe"), corpus, vocab)
    tok = tf.MBart50Tokenizer.from_pretrained(str(out), vocab_file=m, src_lang="bn_IN", tgt_lang="en_XX")
    tok.save_pretrained(out)
    return tok, len(tok), tok.convert_tokens_to_ids("en_XX")


def bart_tokenizer(out, corpus, vocab):
    from tokenizers import ByteLevelBPETokenizer
    b = ByteLevelBPETokenizer()
    b.train([corpus], vocab_size=vocab, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
    b.save_model(str(out))
    tok = tf.BartTokenizerFast.from_pretrained(str(out))
    tok.save_pretrained(out)
    return tok, len(tok), None


def t5_tokenizer(extra_ids):
    def make(out, corpus, vocab):
        m = train_spm(str(out / "spiece"), corpus, vocab, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
        tok = tf.T5TokenizerFast.from_pretrained(str(out), vocab_file=m, extra_ids=extra_ids)
        tok.save_pretrained(out)
        return tok, -(-len(tok) // 64) * 64, None
    return make


def madlad_tokenizer(out, corpus, vocab):
    """MADLAD's order of special pieces, and its target languages as pieces of the SentencePiece model."""
    m = train_spm(str(out / "spiece"), corpus, vocab, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, user_defined_symbols=["<2bn>", "<2de>", "<2en>"])
    tok = tf.T5TokenizerFast.from_pretrained(str(out), vocab_file=m, extra_ids=0, pad_token="<s>", eos_token="</s>", unk_token="<unk>")
    tok.save_pretrained(out)
    (out / "tokenizer.json").unlink()  # it has the fault that is mended below
    def ids(line):
        # T5TokenizerFast takes id 2 for <unk>, as T5 has it; here 2 is </s>, and SentencePiece says 0 for what it does not know.
        *pieces, end = tok("<2en> " + line)["input_ids"]
        return {"input_ids": [0 if piece == end else piece for piece in pieces] + [end]}
    return ids, -(-len(tok) // 64) * 64, None


def indictrans2_tokenizer(out, corpus, vocab):
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    for side, tags in (("SRC", ["ben_Beng", "eng_Latn", "hin_Deva"]), ("TGT", [])):
        m = train_spm(str(out / f"model_{side}"), corpus, vocab if side == "SRC" else vocab - 60, model_type="bpe")
        os.replace(m, out / f"model.{side}")
        dump(out / f"dict.{side}.json", pieces_of(out / f"model.{side}", {t: i for i, t in enumerate(special + tags)}))
    dump(out / "tokenizer_config.json", dict(tokenizer_class="IndicTransTokenizer", do_lower_case=False, model_max_length=256,
                                             bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"))
    return IndicIds(out), None, None


class IndicIds:
    """Ids of text that needs no preprocessing any more, as tokenization_indictrans.py has them."""

    def __init__(self, out):
        self.ids = json.load(open(out / "dict.SRC.json", encoding="utf-8"))
        self.sp = spm.SentencePieceProcessor(model_file=str(out / "model.SRC"))

    def __call__(self, line):
        pieces = ["ben_Beng", "eng_Latn"] + self.sp.encode(line, out_type=str)
        return {"input_ids": [self.ids.get(p, 3) for p in pieces] + [2]}


# ---------------------------------------------------------------- models

def fairseq_config(cls, n, size, **kw):
    d, h, ffn, enc, dec, _ = size
    return cls(**{**dict(vocab_size=n, d_model=d, encoder_layers=enc, decoder_layers=dec, encoder_attention_heads=h, decoder_attention_heads=h,
                         encoder_ffn_dim=ffn, decoder_ffn_dim=ffn, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2), **kw})


def t5_config(cls, n, size, **kw):
    d, h, ffn, enc, dec, _ = size
    return cls(**{**dict(vocab_size=n, d_model=d, d_kv=d // h, d_ff=ffn, num_layers=enc, num_decoder_layers=dec, num_heads=h, pad_token_id=0,
                         eos_token_id=1, decoder_start_token_id=0), **kw})


def positions(size):
    return 1024 if size[0] > 64 else 128  # a learned table would be most of a small fixture


def make_marian(n, size, out):
    cfg = fairseq_config(tf.MarianConfig, n, size, activation_function="swish", scale_embedding=True, max_position_embeddings=positions(size), pad_token_id=n - 1,
                         eos_token_id=0, bos_token_id=None, decoder_start_token_id=n - 1, forced_eos_token_id=0, share_encoder_decoder_embeddings=True)
    model = tf.MarianMTModel(cfg)
    model.generation_config.bad_words_ids = [[n - 1]]
    return model


def make_m2m100(n, size, out):
    cfg = fairseq_config(tf.M2M100Config, n, size, activation_function="relu", scale_embedding=True, max_position_embeddings=1024)
    return tf.M2M100ForConditionalGeneration(cfg)


def make_mbart50(n, size, out):
    return tf.MBartForConditionalGeneration(fairseq_config(tf.MBartConfig, n, size, activation_function="gelu", scale_embedding=True, max_position_embeddings=positions(size)))


def make_bart(n, size, out):
    return tf.BartForConditionalGeneration(fairseq_config(tf.BartConfig, n, size, max_position_embeddings=positions(size), forced_bos_token_id=0, forced_eos_token_id=2))


def make_t5(n, size, out, **kw):
    model = tf.T5ForConditionalGeneration(t5_config(tf.T5Config, n, size, feed_forward_proj="gated-gelu", tie_word_embeddings=False, **kw))
    model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))  # v1.1, flan and MADLAD have a head of their own
    return model


def make_madlad(n, size, out):
    return make_t5(n, size, out, pad_token_id=1, eos_token_id=2, decoder_start_token_id=0)


def make_t5_v1(n, size, out):
    return tf.T5ForConditionalGeneration(t5_config(tf.T5Config, n, size, feed_forward_proj="relu"))


def make_mt5(n, size, out):
    model = tf.MT5ForConditionalGeneration(t5_config(tf.MT5Config, n, size, feed_forward_proj="gated-gelu"))
    model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    return model


def make_umt5(n, size, out):
    return tf.UMT5ForConditionalGeneration(t5_config(tf.UMT5Config, n, size, feed_forward_proj="gated-gelu"))


def make_indictrans2(rotary):
    def make(_, size, out):
        count = lambda side: len(json.load(open(out / f"dict.{side}.json", encoding="utf-8")))
        source, target = count("SRC"), count("TGT")
        model = make_m2m100(target, size, out)
        d = model.config.d_model
        scaled = type(model.model.shared)
        model.model.encoder.embed_tokens = scaled(source, d, 1, embed_scale=math.sqrt(d))
        model.model.decoder.embed_tokens = scaled(target, d, 1, embed_scale=math.sqrt(d))
        model.lm_head = torch.nn.Linear(d, target, bias=False)
        model.model.shared = torch.nn.Identity()  # nothing is shared, nothing to save
        model.tie_weights = lambda *a, **k: None
        for stack in (model.model.encoder, model.model.decoder):
            stack.layernorm_embedding = torch.nn.LayerNorm(d)
            stack.layers[0].register_forward_pre_hook(lambda _, args, stack=stack: (stack.layernorm_embedding(args[0]), *args[1:]))
            if rotary:
                stack.embed_positions.forward = lambda ids, embeds, *a, **k: torch.zeros_like(embeds)
        if rotary:
            tf.modeling_utils.ALL_ATTENTION_FUNCTIONS.register("rotary", rotary_attention)
            masks = tf.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS
            masks.register("rotary", masks["eager"])
            model.set_attn_implementation("eager")
            model.config._attn_implementation_internal = "rotary"
            for module in model.modules():
                if type(module).__name__ == "M2M100Attention":
                    module.rotary = "encoder_attn" not in module_name(model, module)
        return model
    return make


def module_name(model, wanted):
    return next(name for name, module in model.named_modules() if module is wanted)


def rotate(x, first, theta=10000.0):
    """Rotates the first half of each head, pairs of neighbors, by position (lucidrains/rotary-embedding-torch)."""
    dims, n = x.shape[-1] // 2, x.shape[-2]
    freq = 1.0 / theta ** (torch.arange(0, dims, 2).float() / dims)
    angle = (torch.arange(first, first + n).float()[:, None] * freq).repeat_interleave(2, -1)
    head, rest = x[..., :dims], x[..., dims:]
    turned = torch.stack((-head[..., 1::2], head[..., ::2]), -1).flatten(-2)
    return torch.cat((head * angle.cos() + turned * angle.sin(), rest), -1)


def rotary_attention(module, query, key, value, attention_mask, scaling=None, **_):
    if module.rotary:  # keys are cached as they were projected
        query, key = rotate(query, key.shape[-2] - query.shape[-2]), rotate(key, 0)
    weights = query @ key.transpose(2, 3) * (scaling or query.shape[-1] ** -0.5)
    if attention_mask is not None:
        floor = torch.finfo(weights.dtype).min
        weights = weights.masked_fill(~attention_mask, floor) if attention_mask.dtype == torch.bool else weights + attention_mask
    return (weights.softmax(-1) @ value).transpose(1, 2).contiguous(), None


TOKENIZERS = dict(marian=marian_tokenizer, nllb=nllb_tokenizer, m2m100=m2m100_tokenizer, mbart50=mbart50_tokenizer, bart=bart_tokenizer)
TOKENIZERS.update({"t5": t5_tokenizer(100), "t5-v1": t5_tokenizer(100), "mt5": t5_tokenizer(0), "umt5": t5_tokenizer(0), "madlad": madlad_tokenizer, "banglat5": t5_tokenizer(0)})
TOKENIZERS.update({"indictrans2": indictrans2_tokenizer, "rotary-indictrans2": indictrans2_tokenizer})
MODELS = dict(marian=make_marian, nllb=make_m2m100, m2m100=make_m2m100, mbart50=make_mbart50, bart=make_bart, t5=make_t5, mt5=make_mt5, umt5=make_umt5)
MODELS.update({"t5-v1": make_t5_v1, "madlad": make_madlad, "banglat5": make_t5, "indictrans2": make_indictrans2(False), "rotary-indictrans2": make_indictrans2(True)})


def coarsen(t):
    """Five significant bits: such numbers pack well, and they are stored as f32 all the same."""
    mantissa, exponent = torch.frexp(t)
    return torch.ldexp((mantissa * 32).round() / 32, exponent)


def randomize(model, seed, coarse):
    g = torch.Generator().manual_seed(seed)
    round_ = coarsen if coarse else (lambda t: t)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if isinstance(model, tf.MarianMTModel) and "embed_positions" in name: continue  # sinusoids, not stored
            noise = torch.randn(p.shape, generator=g)
            if "relative_attention_bias" in name: p.copy_(round_(noise))
            elif p.dim() > 1 and any(w in name for w in ("embed", "shared", "lm_head")): p.copy_(round_(noise * 2.5 / p.shape[-1] ** 0.5))
            # T5 does not divide its attention scores by the head's size: its own initialization makes the queries smaller
            elif name.endswith("Attention.q.weight"): p.copy_(round_(noise * 1.2 / (p.shape[-1] * model.config.d_kv) ** 0.5))
            elif p.dim() > 1: p.copy_(round_(noise * (1.2 / p.shape[-1] ** 0.5)))
            elif "norm" in name and name.endswith("weight"): p.copy_(round_(1 + 0.1 * noise))
            else: p.copy_(round_(0.05 * noise))
        if getattr(model, "final_logits_bias", None) is not None:
            model.final_logits_bias.copy_(round_(0.3 * torch.randn(model.final_logits_bias.shape, generator=g)))


def end_sometimes(model, batch, forced_bos, coarse):
    """Lifts the end token so that sentences end by themselves now and then: random weights hardly ever do that."""
    eos, n = model.config.eos_token_id, 24
    with torch.no_grad():
        head = model.get_output_embeddings()
        for _ in range(3):
            seen = []
            hook = head.register_forward_pre_hook(lambda _, args: seen.append(args[0][:, -1]))
            out = model.generate(**batch, num_beams=1, do_sample=False, max_new_tokens=n, min_new_tokens=n, forced_bos_token_id=forced_bos,
                                 output_logits=True, return_dict_in_generate=True)
            hook.remove()
            hidden, logits = torch.cat(seen), torch.cat(out.logits)
            short = (logits.max(-1).values - logits[:, eos]).quantile(0.07).item()
            if abs(short) < 0.05: break
            if getattr(model, "final_logits_bias", None) is not None:
                model.final_logits_bias[:, eos] += short
            else:
                m = hidden.mean(0)
                head.weight[eos] += short * m / (m @ m)
            if coarse: head.weight[eos] = coarsen(head.weight[eos])


# ---------------------------------------------------------------- files

def save_indictrans2(model, out, rotary):
    c = model.config
    raw = dict(architectures=["RotaryIndicTransForConditionalGeneration" if rotary else "IndicTransForConditionalGeneration"],
               model_type="RotaryIndicTrans" if rotary else "IndicTrans", is_encoder_decoder=True, activation_function="relu", scale_embedding=True,
               encoder_vocab_size=model.model.encoder.embed_tokens.num_embeddings, decoder_vocab_size=model.lm_head.out_features,
               encoder_embed_dim=c.d_model, decoder_embed_dim=c.d_model, encoder_layers=c.encoder_layers, decoder_layers=c.decoder_layers,
               encoder_ffn_dim=c.encoder_ffn_dim, decoder_ffn_dim=c.decoder_ffn_dim, encoder_attention_heads=c.encoder_attention_heads,
               decoder_attention_heads=c.decoder_attention_heads, encoder_normalize_before=True, decoder_normalize_before=True, layernorm_embedding=True,
               share_decoder_input_output_embed=False, max_source_positions=256, max_target_positions=256, pad_token_id=1, bos_token_id=0, eos_token_id=2,
               decoder_start_token_id=2, torch_dtype="float32")
    if rotary: raw["rope_args"] = {"theta": 10000}
    dump(out / "config.json", raw)
    dump(out / "generation_config.json", dict(bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2))
    from safetensors.torch import save_file
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, str(out / "model.safetensors"))


def save(model, out, arch, formats):
    if "indictrans2" in arch: save_indictrans2(model, out, "rotary" in arch)
    else: model.save_pretrained(out, max_shard_size="50GB")
    from safetensors.torch import load_file, save_file
    stored = load_file(str(out / "model.safetensors"))
    folder = lambda name: (out / name).mkdir(exist_ok=True) or out / name
    if "sharded" in formats:
        names = sorted(stored)
        parts = [names[: len(names) // 2], names[len(names) // 2:]]
        files = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
        for part, file in zip(parts, files):
            save_file({k: stored[k] for k in part}, str(folder("sharded") / file))
        total = sum(t.numel() * t.element_size() for t in stored.values())
        dump(out / "sharded/model.safetensors.index.json", dict(metadata=dict(total_size=total), weight_map={k: f for p, f in zip(parts, files) for k in p}))
        pickles = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
        for part, file in zip(parts, pickles):
            torch.save({k: stored[k] for k in part}, folder("pickle-sharded") / file)
        dump(out / "pickle-sharded/pytorch_model.bin.index.json", dict(metadata=dict(total_size=total), weight_map={k: f for p, f in zip(parts, pickles) for k in p}))
    # As older releases pickled them: every name there, tied tensors sharing their storage.
    if "pickle" in formats: torch.save(model.state_dict(), folder("pickle") / "pytorch_model.bin")
    if "pickle-old" in formats: torch.save(model.state_dict(), folder("pickle-old") / "pytorch_model.bin", _use_new_zipfile_serialization=False)


# ---------------------------------------------------------------- golden output

def short(x):
    return [float(f"{v:.6g}") for v in x.flatten().tolist()]


def pad_batch(sources, pad):
    longest = max(map(len, sources))
    ids = torch.tensor([s + [pad] * (longest - len(s)) for s in sources])
    mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sources])
    return dict(input_ids=ids, attention_mask=mask)


def golden_batch(model, sources, targets, big):
    """Encoder states and teacher-forced logits of one padded batch."""
    pad, start = model.config.pad_token_id, model.config.decoder_start_token_id
    batch = pad_batch(sources, pad)
    inputs = [[start] + t for t in targets]
    longest = max(map(len, inputs))
    ids = torch.tensor([t + [pad] * (longest - len(t)) for t in inputs])
    with torch.no_grad():
        out = model(**batch, decoder_input_ids=ids, use_cache=False)
    states, logits = out.encoder_last_hidden_state, out.logits
    rows = []
    for i, (s, t) in enumerate(zip(sources, inputs)):
        at = [len(t) - 1] if big else sorted({0, len(t) - 1})
        rows.append(dict(source=s, decoder_input=t, encoder_states=short(states[i, : len(s)]), logits=[dict(at=a, values=short(logits[i, a])) for a in at]))
    return rows


def golden_generate(model, sources, forced_bos, max_new_tokens):
    pad = model.config.pad_token_id
    eos = model.config.eos_token_id
    batch = pad_batch(sources, pad)
    runs = [("greedy", dict(num_beams=1)), ("greedy-no-repeat-3", dict(num_beams=1, no_repeat_ngram_size=3))]
    runs += [(f"beam-4-length-{p}", dict(num_beams=4, length_penalty=p)) for p in (0.6, 1.0, 1.4)]
    runs += [("beam-4-no-repeat-3", dict(num_beams=4, no_repeat_ngram_size=3)), ("beam-4-early", dict(num_beams=4, early_stopping=True))]
    runs += [("beam-4-min-12", dict(num_beams=4, min_new_tokens=12))]
    out = []
    for name, kw in runs:
        opts = dict(do_sample=False, max_new_tokens=max_new_tokens, **kw)
        if forced_bos is not None: opts["forced_bos_token_id"] = forced_bos
        g = model.generate(**batch, **opts, return_dict_in_generate=True, output_scores=True, output_logits=True)
        sequences = []
        for row in g.sequences.tolist():
            ids = row[1:]
            sequences.append(ids[: ids.index(eos) + 1] if eos in ids else ids)
        if kw["num_beams"] == 1:  # the sum of the model's own log-probabilities, constraints or not; a forced start counts as 0
            steps = [row.log_softmax(-1) for row in g.logits]
            first = 0 if forced_bos is None else 1
            scores = [sum(steps[t][i, s[t]].item() for t in range(first, len(s))) for i, s in enumerate(sequences)]
        else:
            scores = g.sequences_scores.tolist()
        out.append(dict(name=name, options=dict(opts, bad_words_ids=model.generation_config.bad_words_ids), sequences=sequences, scores=scores))
    return out


def choose(all_ids, count):
    """Sentences of differing length, the shortest and a long one among them; ids without duplicates."""
    ids = sorted({tuple(i) for i in all_ids if 4 <= len(i) <= 60}, key=lambda i: (len(i), i))
    return [list(ids[round(k * (len(ids) - 1) / (count - 1))]) for k in range(count)]


def begin(a):
    """An empty folder for the fixture, and the lines."""
    out = a.out / a.arch
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    torch.manual_seed(a.seed)
    return out, a.lines.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def pack(folder, name):
    """FOLDER/NAME as FOLDER/NAME.tar.zst, the same bytes every time."""
    archive = folder / f"{name}.tar"
    subprocess.run(["tar", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "-C", str(folder), "-cf", str(archive), name], check=True)
    subprocess.run(["zstd", "-q", "-f", "--ultra", "-22", "--rm", str(archive)], check=True)
    shutil.rmtree(folder / name)
    print(archive.with_suffix(".tar.zst"), (folder / f"{name}.tar.zst").stat().st_size, "bytes")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--arch", required=True, choices=ARCHS)
    ap.add_argument("--out", required=True, type=pathlib.Path)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--size", default="tiny")
    ap.add_argument("--vocab-rows", type=int, default=0, help="embedding rows beyond the tokenizer's, as NLLB's 256206")
    ap.add_argument("--lines", type=pathlib.Path, default=ROOT / "tests/golden/tokenizer/lines.txt")
    ap.add_argument("--corpus", type=pathlib.Path, nargs="+", help="text for the tokenizer to learn from; TSV columns count as lines (default: the lines)")
    ap.add_argument("--formats", default=None)
    ap.add_argument("--pack", action="store_true")
    a = ap.parse_args()
    if a.pack and a.arch != "m2m100":  # the normalizer's table is larger than all the rest; one fixture has it
        global NORMALIZER
        NORMALIZER = "identity"
    size = SIZES[a.size].get(a.arch, SIZES[a.size]["*"]) if a.size in SIZES else tuple(map(int, a.size.split("x")))
    big = size[0] * size[5] > 1_000_000
    formats = a.formats or ("safetensors" if big else "all")
    formats = ["safetensors", "sharded", "pickle", "pickle-old"] if formats == "all" else formats.split(",")
    out, lines = begin(a)
    if not big: torch.set_num_threads(1)

    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as corpus:
        for path in a.corpus or [a.lines]:
            corpus.write(path.read_text(encoding="utf-8").replace("\t", "\n") + "\n")
        corpus.flush()
        tok, n, forced_bos = TOKENIZERS[a.arch](out, corpus.name, size[5])
    prepared = dict(zip(lines, lines))
    if a.arch in PREPARED:
        name, key = PREPARED[a.arch]
        known = {case["source"]: case[key] for case in json.load(open(ROOT / "tests/golden/tokenizer" / name, encoding="utf-8"))}
        lines = [line for line in lines if line in known]
        prepared = known
    token_ids = [tok(prepared[line])["input_ids"] for line in lines]
    if n is not None and big: n = max(n, size[5])
    if n is not None: n = max(n, a.vocab_rows)
    model = MODELS[a.arch](n, size, out)
    randomize(model, a.seed, coarse=a.pack)
    model.eval()

    sources = choose(token_ids, 6 if big else 10)
    end_sometimes(model, pad_batch(sources, model.config.pad_token_id), forced_bos, a.pack)
    save(model, out, a.arch, formats)
    if "indictrans2" not in a.arch: model = type(model).from_pretrained(out).eval()  # the reference is what the files say
    runs = golden_generate(model, sources, forced_bos, 20 if big else 32)
    few = sources[::3][:3]
    # Without padding: a random model may generate it, and fairseq's positions would count it in one pass but not step by step.
    targets = [[i for i in runs[0]["sequences"][sources.index(s)][:-1] if i != model.config.pad_token_id] for s in few]
    golden = dict(arch=a.arch, seed=a.seed, size=size, transformers=tf.__version__, torch=torch.__version__, lines=lines,
                  normalize=NORMALIZE.get(a.arch, []), token_ids=token_ids, batch=golden_batch(model, few, targets, big), sources=sources, generate=runs)
    dump(out / "golden.json", golden)
    lengths = [len(s) for r in runs for s in r["sequences"]]
    print(out, "parameters", sum(p.numel() for p in model.parameters()), "ended early", sum(l < max(lengths) for l in lengths), "of", len(lengths))
    if a.pack:
        if a.arch in TWICE: (out / TWICE[a.arch]).unlink(missing_ok=True)
        pack(a.out, a.arch)


if __name__ == "__main__":
    main()
