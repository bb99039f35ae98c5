#!/usr/bin/env python3
"""A GGUF file of a checkpoint that decoders.py wrote, and what llama.cpp makes of it.

  decoder_gguf.py FOLDER/ARCH [--out FILE.gguf] [--llama]

Writes tensors, names and metadata as llama.cpp's converter does for these architectures: norms of Gemma with one added,
the rows of Llama's queries and keys reordered to pairs, llama3's scaling as rope_freqs.weight, Hunyuan's stretched base.
`--llama` also writes FILE.json: token ids of prompts and 24 greedy tokens, by llama-cpp-python with f32 caches.
`ANUBAD_GGUF=FOLDER cargo test decoder_gguf` compares all pairs of files in FOLDER. Needs gguf, safetensors, numpy.
"""
import argparse, json, pathlib

import gguf
import numpy as np
from safetensors import safe_open

NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "self_attn.query_layernorm": "attn_q_norm",
         "self_attn.key_layernorm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}
ARCHS = dict(llama="llama", qwen2="qwen2", qwen3="qwen3", gemma2="gemma2", gemma3="gemma3", gemma3_text="gemma3", hunyuan_v1_dense="hunyuan-dense")
PRE = dict(llama="llama-bpe", qwen2="qwen2", qwen3="qwen2", hunyuan_v1_dense="hunyuan-dense")


def tensors(folder):
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as f:
            for name in f.keys():
                if "vision" not in name and "projector" not in name: yield name, f.get_tensor(name).float().numpy()


def renamed(name, gemma):
    stem, kind = name.removesuffix(".weight").removesuffix(".bias"), name.rsplit(".", 1)[1]
    for prefix in ("language_model.model.", "model.language_model.", "model."): stem = stem.removeprefix(prefix)
    if stem == "embed_tokens": return f"token_embd.{kind}"
    if stem == "norm": return f"output_norm.{kind}"
    if stem == "lm_head": return f"output.{kind}"
    _, number, part = stem.split(".", 2)
    if part == "post_attention_layernorm": return f"blk.{number}.{'post_attention_norm' if gemma else 'ffn_norm'}.{kind}"
    return f"blk.{number}.{NAMES[part]}.{kind}"


def pairs(values, heads):
    """Half rotation to pairs, as llama.cpp's converter reorders Llama's rows."""
    shape = values.shape
    return values.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def vocabulary(w, folder, c, gemma):
    t, rows = json.load(open(folder / "tokenizer.json", encoding="utf-8")), c["vocab_size"]
    tokens, types = [f"[PAD{i}]" for i in range(rows)], [5] * rows
    for piece, i in t["model"]["vocab"].items(): tokens[i], types[i] = piece, 1
    for a in t["added_tokens"]: tokens[a["id"]], types[a["id"]] = a["content"], 3 if a["special"] else 4
    ids = {piece: i for i, piece in enumerate(tokens)}
    if gemma:
        rank = {("".join(m) if isinstance(m, list) else m.replace(" ", "", 1)): -float(i) for i, m in reversed(list(enumerate(t["model"]["merges"])))}
        for i, piece in enumerate(tokens):
            if piece.startswith("<0x") and len(piece) == 6: types[i] = 6
        types[ids["<unk>"]] = 2
        w.add_tokenizer_model("llama"); w.add_token_list(tokens); w.add_token_scores([rank.get(piece, -1e4) for piece in tokens]); w.add_token_types(types)
        w.add_add_space_prefix(False); w.add_add_bos_token(True); w.add_unk_token_id(ids["<unk>"])
    else:
        w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre(PRE[c["model_type"]]); w.add_token_list(tokens); w.add_token_types(types)
        w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in t["model"]["merges"]]); w.add_add_bos_token(c["model_type"] == "llama")
    named = json.load(open(folder / "tokenizer_config.json", encoding="utf-8"))
    if named.get("bos_token"): w.add_bos_token_id(ids[named["bos_token"]])
    # As many files of chat models have it: the end of a turn goes unmentioned.
    w.add_eos_token_id(ids["<eos>"] if gemma else ids[named["pad_token"]])
    template = folder / "chat_template.jinja"
    w.add_chat_template(template.read_text() if template.is_file() else (json.load(open(folder / "chat_template.json"))["chat_template"] if (folder / "chat_template.json").is_file() else named["chat_template"]))


def llama3_factors(rope, head_dim):
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, head_dim, 2) / head_dim)
    out = []
    for f in frequencies:
        length, old = 2 * np.pi / f, rope["original_max_position_embeddings"]
        if length < old / rope["high_freq_factor"]: out.append(1.0)
        elif length > old / rope["low_freq_factor"]: out.append(rope["factor"])
        else:
            smooth = (old / length - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
            out.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def write(folder, path):
    whole = json.load(open(folder / "config.json"))
    c = dict(whole.get("text_config", whole), model_type=whole["model_type"])
    arch, gemma = ARCHS[c["model_type"]], c["model_type"].startswith("gemma")
    heads, kv = c["num_attention_heads"], c["num_key_value_heads"]
    head_dim = c.get("head_dim") or c["hidden_size"] // heads
    rope = c.get("rope_parameters") or dict(c.get("rope_scaling") or {}, rope_theta=c.get("rope_theta"))
    full = rope.get("full_attention", rope)
    base = full["rope_theta"] or 1e4
    if full.get("alpha"): base *= full["alpha"] ** (head_dim / (head_dim - 2))
    w = gguf.GGUFWriter(path, arch)
    w.add_name(f"random {arch}"); w.add_context_length(c["max_position_embeddings"]); w.add_embedding_length(c["hidden_size"]); w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"]); w.add_head_count(heads); w.add_head_count_kv(kv); w.add_key_length(head_dim); w.add_value_length(head_dim)
    w.add_layer_norm_rms_eps(c["rms_norm_eps"]); w.add_rope_freq_base(base); w.add_file_type(0); w.add_vocab_size(c["vocab_size"])
    if not gemma: w.add_rope_dimension_count(head_dim)
    if gemma: w.add_sliding_window(c["sliding_window"])
    if arch == "gemma3":
        kinds = c.get("layer_types")
        pattern = kinds.index("full_attention") + 1 if kinds and "full_attention" in kinds else c.get("sliding_window_pattern", 6)
        if pattern != 6: w.add_uint32("gemma3.attention.sliding_window_pattern", pattern)
    # GGUF has no key for Gemma's divisor of scores: it is the head's size, and the queries make up for what is left.
    queries = (head_dim / c["query_pre_attn_scalar"]) ** 0.5 if gemma else 1.0
    if gemma and full.get("factor"): w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR); w.add_rope_scaling_factor(full["factor"])
    if arch == "gemma2": w.add_attn_logit_softcapping(c["attn_logit_softcapping"]); w.add_final_logit_softcapping(c["final_logit_softcapping"])
    vocabulary(w, folder, c, gemma)
    for name, values in tensors(folder):
        name = renamed(name, gemma)
        if gemma and "norm" in name: values = values + 1
        if name.endswith("attn_q_norm.weight" if arch == "gemma3" else "attn_q.weight"): values = values * queries
        if arch == "llama" and name.split(".")[-2] in ("attn_q", "attn_k"): values = pairs(values, heads if ".attn_q." in name else kv)
        w.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
    if full.get("rope_type") == "llama3": w.add_tensor("rope_freqs.weight", llama3_factors(full, head_dim))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def by_llama(path, folder):
    import llama_cpp
    golden = json.load(open(folder / "golden-decoder.json", encoding="utf-8"))
    model = llama_cpp.Llama(str(path), n_ctx=256, logits_all=False, verbose=False, n_threads=1, type_k=0, type_v=0, flash_attn=False)
    out = []
    for line, source in list(zip(golden["lines"], golden["plain"]))[:300]:
        if not line.strip() or len(source) > 100: continue
        ids = model.tokenize(line.encode(), add_bos=False, special=False)
        case = dict(text=line, ids=ids)
        if len(out) % 15 == 0:
            model.reset()
            model.eval(ids)
            answer = []
            for _ in range(24):
                answer.append(int(np.argmax(model.scores[model.n_tokens - 1])) if hasattr(model, "scores") and model.scores.shape[0] > model.n_tokens - 1 else int(model.sample(temp=0)))
                if answer[-1] in golden["ends"]: break
                model.eval(answer[-1:])
            case["greedy"] = answer
        out.append(case)
    path.with_suffix(".json").write_text(json.dumps(dict(llama_cpp=llama_cpp.__version__, ends=golden["ends"], cases=out), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=pathlib.Path)
    ap.add_argument("--out", type=pathlib.Path)
    ap.add_argument("--llama", action="store_true")
    a = ap.parse_args()
    out = a.out or a.folder / f"{a.folder.name}.gguf"
    write(a.folder, out)
    if a.llama: by_llama(out, a.folder)
    print(out, out.stat().st_size, "bytes")
