#!/usr/bin/env python3
"""A decoder-only checkpoint in Hub layout with random weights, and what transformers makes of it.

  decoders.py --arch ARCH --out FOLDER [--seed N] [--size tiny|DxHEADSxKVxHEADDIMxFFNxLAYERSxVOCAB] [--dtype f32|f16|bf16]
              [--untied] [--old-keys] [--sharded] [--template jinja|json|config] [--lines FILE] [--pack]

  ARCH: llama llama3 qwen2 qwen3 gemma2 gemma3-text gemma3 hunyuan (parity.py --arch takes them as well)

llama3 is llama with scaled rotation, gemma3 the multimodal wrapper with a tiny vision tower. FOLDER/ARCH gets the
checkpoint and golden-decoder.json: ids of every line, alone and in a turn of the chat template; logits of a ragged
padded batch; greedy and beam output with scores. `ANUBAD_FIXTURES=FOLDER cargo test decoders` runs the tests on it.
`--old-keys` writes config.json as transformers 4 did (rope_theta, rope_scaling, rope_local_base_freq).
Needs torch, transformers.
"""
import argparse, json, pathlib, sys

import torch
import transformers as tf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import parity

ARCHS = ["llama", "llama3", "qwen2", "qwen3", "gemma2", "gemma3-text", "gemma3", "hunyuan"]
TINY = (64, 4, 2, 16, 96, 3, 500)
QUESTION = "Translate the following Bengali text into English. Answer with the translation only.\n\n"
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
HUNYUAN = [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
           r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""]
CHATML = """{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"""
LLAMA_CHAT = """{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""
GEMMA_CHAT = """{{ bos_token }}{%- for message in messages -%}{{ '<start_of_turn>' + message['role'] + '\\n' }}{{ message['content'] | trim }}{{ '<end_of_turn>\\n' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}"""
HUNYUAN_CHAT = """{{ '<｜hy_begin▁of▁sentence｜>' }}{%- for message in messages %}{%- if message.role == 'user' %}{{ '<｜hy_User｜>' + message.content }}{%- else %}{{ message.content + '<｜hy_place▁holder▁no▁3｜>' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{ '<｜hy_Assistant｜>' }}{%- endif %}"""
# special tokens (begin, end of text, end of turn, others), how words are split, chat template
BYTES = {
    "llama": ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", ["<|start_header_id|>", "<|end_header_id|>"], [LLAMA3], LLAMA_CHAT),
    "qwen": (None, "<|endoftext|>", "<|im_end|>", ["<|im_start|>"], [QWEN], CHATML),
    "hunyuan": ("<｜hy_begin▁of▁sentence｜>", "<｜hy_end▁of▁sentence｜>", "<｜hy_place▁holder▁no▁2｜>",
                ["<｜hy_User｜>", "<｜hy_Assistant｜>", "<｜hy_place▁holder▁no▁3｜>"], HUNYUAN, HUNYUAN_CHAT),
}


def byte_level(corpus, vocab, bos, eot, turn, others, patterns):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
                                              + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    special = [s for s in (bos, eot, turn) if s] + others
    t.train([corpus], trainers.BpeTrainer(vocab_size=vocab, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if bos and bos.startswith("<|"):
        t.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, t.token_to_id(bos))])
    return t


def gemma(corpus, vocab):
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    pieces = [f"<0x{b:02X}>" for b in range(256)]
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    t.train([corpus], trainers.BpeTrainer(vocab_size=vocab + len(pieces), special_tokens=special + pieces, show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", t.token_to_id("<bos>"))])
    raw = json.loads(t.to_str())
    raw["added_tokens"] = [a for a in raw["added_tokens"] if a["content"] in special]
    t = Tokenizer.from_str(json.dumps(raw))
    t.add_tokens([AddedToken("\n", normalized=False), AddedToken("\n\n", normalized=False)])  # as Gemma has them
    return t


def tokenizer(a, out, vocab):
    if a.arch.startswith("gemma"):
        t, names, chat = gemma(str(a.lines), vocab), dict(bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"), GEMMA_CHAT
        turn = "<end_of_turn>"
    else:
        bos, eot, turn, others, patterns, chat = BYTES["llama" if a.arch.startswith("llama") else "qwen" if a.arch.startswith("qwen") else a.arch]
        t = byte_level(str(a.lines), vocab, bos, eot, turn, others, patterns)
        names = dict(eos_token=turn, pad_token=eot, **({"bos_token": bos} if bos else {}))
    tok = tf.PreTrainedTokenizerFast(tokenizer_object=t, **names)
    tok.chat_template = chat
    tok.save_pretrained(out)
    place = out / "chat_template.jinja"
    if place.is_file() and a.template != "jinja":
        place.unlink()
        if a.template == "json": parity.dump(out / "chat_template.json", dict(chat_template=chat))
        else:
            config = json.load(open(out / "tokenizer_config.json", encoding="utf-8"))
            parity.dump(out / "tokenizer_config.json", dict(config, chat_template=chat))
    return tok, turn


def config(a, tok, turn, size):
    d, heads, kv, head_dim, ffn, layers, _ = size
    ids = dict(bos_token_id=tok.bos_token_id, eos_token_id=[tok.eos_token_id, tok.convert_tokens_to_ids(turn)], pad_token_id=tok.pad_token_id)
    c = dict(hidden_size=d, num_attention_heads=heads, num_key_value_heads=kv, head_dim=head_dim, intermediate_size=ffn, num_hidden_layers=layers,
             vocab_size=len(tok) + 12, max_position_embeddings=512, **ids)
    tied = dict(tie_word_embeddings=not a.untied)
    rope = lambda **kw: dict(rope_parameters=dict(kw))
    if a.arch == "llama": return tf.LlamaConfig(**c, **tied, **rope(rope_type="default", rope_theta=1e4))
    if a.arch == "llama3": return tf.LlamaConfig(**c, **tied, attention_bias=True, **rope(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64))
    if a.arch == "qwen2": c.pop("head_dim"); return tf.Qwen2Config(**dict(c, hidden_size=heads * head_dim), **tied, **rope(rope_type="default", rope_theta=1e6))
    if a.arch == "qwen3": return tf.Qwen3Config(**c, **tied, **rope(rope_type="default", rope_theta=1e6))
    if a.arch == "hunyuan": return tf.HunYuanDenseV1Config(**c, **tied, **rope(rope_type="dynamic", rope_theta=1e4, alpha=1000.0, factor=1.0))
    if a.arch == "gemma2": return tf.Gemma2Config(**c, sliding_window=8, query_pre_attn_scalar=24, attn_logit_softcapping=5.0, final_logit_softcapping=3.0)
    text = dict(c, sliding_window=8, query_pre_attn_scalar=24, layer_types=["sliding_attention" if (i + 1) % 3 else "full_attention" for i in range(layers)],
                rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6), sliding_attention=dict(rope_type="default", rope_theta=1e4)))
    if a.arch == "gemma3-text": return tf.Gemma3TextConfig(**text)
    vision = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)
    return tf.Gemma3Config(text_config=tf.Gemma3TextConfig(**text), vision_config=vision, mm_tokens_per_image=4,
                           boi_token_index=len(tok), eoi_token_index=len(tok) + 1, image_token_index=len(tok) + 2, **ids)


def old_keys(out):
    """config.json as transformers 4 wrote it."""
    whole = json.load(open(out / "config.json"))
    for c in (whole, whole.get("text_config", {})):
        new = c.pop("rope_parameters", None)
        if not new: continue
        full = new.get("full_attention", new)
        c["rope_theta"] = full.pop("rope_theta")
        if "sliding_attention" in new: c["rope_local_base_freq"] = new["sliding_attention"]["rope_theta"]
        if full.get("rope_type", "default") != "default": c["rope_scaling"] = {("type" if k == "rope_type" and full["rope_type"] == "dynamic" else k): v for k, v in full.items()}
        if "layer_types" in c and "sliding_attention" in new: c["sliding_window_pattern"] = 3; c.pop("layer_types")
    parity.dump(out / "config.json", whole)


def save(model, tok, turn, out, a):
    model.generation_config.eos_token_id = [tok.eos_token_id, tok.convert_tokens_to_ids(turn)]
    dtype = dict(f32=torch.float32, f16=torch.float16, bf16=torch.bfloat16)[a.dtype]
    model.to(dtype)
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    model.save_pretrained(out, max_shard_size=size // 3 if a.sharded else "50GB")
    if a.old_keys: old_keys(out)
    return model.float()


def lift_end(model, batch, end):
    """Makes sentences end by themselves now and then: the end's row of the output layer leans towards what was seen."""
    head = model.get_output_embeddings()
    with torch.no_grad():
        for _ in range(3):
            seen = []
            hook = head.register_forward_pre_hook(lambda _, args: seen.append(args[0][:, -1]))
            out = model.generate(**batch, do_sample=False, max_new_tokens=24, min_new_tokens=24, output_logits=True, return_dict_in_generate=True)
            hook.remove()
            hidden, logits = torch.cat(seen), torch.cat(out.logits)
            short = (logits.max(-1).values - logits[:, end]).quantile(0.07).item()
            if abs(short) < 0.05: break
            m = hidden.mean(0)
            head.weight[end] += short * m / (m @ m)


def left_padded(rows, pad):
    longest = max(map(len, rows))
    ids = torch.tensor([[pad] * (longest - len(r)) + r for r in rows])
    return dict(input_ids=ids, attention_mask=torch.tensor([[0] * (longest - len(r)) + [1] * len(r) for r in rows]))


def runs(model, sources, ends, most):
    """Each source by itself: padding on the left would shift nothing, but rounds differently."""
    kinds = [("greedy", dict(num_beams=1)), ("beam-4-length-1.0", dict(num_beams=4)), ("beam-4-length-0.6", dict(num_beams=4, length_penalty=0.6))]
    out = []
    for name, kw in kinds:
        sequences, scores = [], []
        for source in sources:
            ids = torch.tensor([source])
            g = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=most, return_dict_in_generate=True,
                               output_scores=True, output_logits=True, pad_token_id=ends[0], **kw)
            new = g.sequences[0, len(source):].tolist()
            stop = next((i + 1 for i, t in enumerate(new) if t in ends), len(new))
            sequences.append(new[:stop])
            if kw["num_beams"] == 1: scores.append(sum(g.logits[t][0].log_softmax(-1)[i].item() for t, i in enumerate(new[:stop])))
            else: scores.append(g.sequences_scores[0].item())
        out.append(dict(name=name, options=dict(max_new_tokens=most, num_beams=kw["num_beams"], length_penalty=kw.get("length_penalty")), sequences=sequences, scores=scores))
    return out


def logits(model, rows):
    out = []
    with torch.no_grad():
        for row in rows:
            values = model(input_ids=torch.tensor([row])).logits[0]
            out.append(dict(ids=row, logits=[dict(at=at, values=parity.short(values[at])) for at in sorted({0, len(row) // 2, len(row) - 1})]))
    return out


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--arch", required=True, choices=ARCHS)
    ap.add_argument("--out", required=True, type=pathlib.Path)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--size", default="tiny")
    ap.add_argument("--dtype", default="f32", choices=["f32", "f16", "bf16"])
    ap.add_argument("--untied", action="store_true")
    ap.add_argument("--old-keys", action="store_true")
    ap.add_argument("--sharded", action="store_true")
    ap.add_argument("--template", default="jinja", choices=["jinja", "json", "config"])
    ap.add_argument("--lines", type=pathlib.Path, default=parity.ROOT / "tests/golden/tokenizer/lines.txt")
    ap.add_argument("--pack", action="store_true")
    return ap


def main():
    a = parser().parse_args()
    size = TINY if a.size in ("tiny", "full") else tuple(map(int, a.size.split("x")))
    out, lines = parity.begin(a)
    torch.set_num_threads(1)
    tok, turn = tokenizer(a, out, size[6])
    end = tok.convert_tokens_to_ids(turn)
    c = config(a, tok, turn, size)
    model = (tf.Gemma3ForConditionalGeneration if a.arch == "gemma3" else tf.AutoModelForCausalLM)
    model = model(c) if a.arch == "gemma3" else model.from_config(c)
    model.eval()
    parity.randomize(model, a.seed, coarse=a.pack)
    chat = lambda line: tok.apply_chat_template([dict(role="user", content=QUESTION + line)], add_generation_prompt=True, enable_thinking=False, tokenize=True, return_dict=False)
    prompts = [list(chat(line)) for line in lines]
    plain = [tok(line, add_special_tokens=False)["input_ids"] for line in lines]
    sources = parity.choose(plain, 8)
    model.generation_config.pad_token_id = tok.pad_token_id
    lift_end(model, left_padded(sources, tok.pad_token_id), end)
    if a.pack:
        with torch.no_grad(): model.get_output_embeddings().weight[end] = parity.coarsen(model.get_output_embeddings().weight[end])
    save(model, tok, turn, out, a)
    model = type(model).from_pretrained(out, dtype=torch.float32).eval()  # the reference is what the files say
    ends = sorted({end, tok.convert_tokens_to_ids(tok.eos_token)})
    golden = dict(arch=a.arch, seed=a.seed, size=size, transformers=tf.__version__, question=QUESTION, lines=lines, plain=plain, prompts=prompts, ends=ends,
                  batch=logits(model, sources[::3]), sources=sources, generate=runs(model, sources, ends, 24))
    parity.dump(out / "golden-decoder.json", golden)
    lengths = [len(s) for r in golden["generate"] for s in r["sequences"]]
    print(out, "parameters", sum(p.numel() for p in model.parameters()), "ended early", sum(l < 24 for l in lengths), "of", len(lengths))
    if a.pack:
        parity.pack(a.out, a.arch)


if __name__ == "__main__":
    main()
