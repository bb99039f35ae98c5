#!/usr/bin/env python3
"""Golden outputs for the default model from transformers (f32, dequantized weights) and llama.cpp.

  default_model.py MODEL.gguf SENTENCES.tsv OUT.json [--logits 50] [--greedy 100] [--max-new 96]

SENTENCES: one a line, Bengali before the first tab. Writes for each of the first --logits prompts the logits of the last
token at its 24 greatest columns and at 40 fixed ones, for one long text the logits at a position past the
sliding window, and for the first --greedy sentences the greedy ids of transformers (f32) and of llama.cpp on the file
as it is and on the same weights as floats. Needs torch, transformers, gguf, numpy, llama-cpp-python.

New weights with the old vocabulary: --ids-from OLD.json takes texts and token ids from an earlier golden file and leaves
llama.cpp out, for machines where it cannot be built; SENTENCES.tsv is not read then.
"""
import argparse, json, pathlib, tempfile
import gguf, numpy as np, torch, transformers as tf

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("model"); ap.add_argument("sentences"); ap.add_argument("out")
ap.add_argument("--logits", type=int, default=50); ap.add_argument("--greedy", type=int, default=100); ap.add_argument("--max-new", type=int, default=96); ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--ids-from")
a = ap.parse_args()
torch.set_num_threads(a.threads)
earlier = json.load(open(a.ids_from, encoding="utf-8")) if a.ids_from else None
lines = [c["text"] for c in earlier["greedy"]] if earlier else [l.split("\t")[0].strip() for l in open(a.sentences, encoding="utf-8") if l.strip()]

# ---- transformers on the dequantized weights -------------------------------------------------------------------
import re
parts = [a.model]
m = re.search(r"-00001-of-(\d{5})\.gguf$", a.model)
if m: parts = [a.model.replace("-00001-of-", f"-{i + 1:05}-of-") for i in range(int(m[1]))]
readers = [gguf.GGUFReader(p) for p in parts]
tensors = {t.name: t for r in readers for t in r.tensors}
value = lambda k: readers[0].fields[k].contents()
f32 = lambda n: torch.from_numpy(np.ascontiguousarray(gguf.quants.dequantize(tensors[n].data, tensors[n].tensor_type).astype(np.float32)))
layers, heads = value("gemma3.block_count"), value("gemma3.attention.head_count")
vocab, d = len(value("tokenizer.ggml.tokens")), value("gemma3.embedding_length")
cfg = tf.Gemma3TextConfig(vocab_size=vocab, hidden_size=d, intermediate_size=value("gemma3.feed_forward_length"), num_hidden_layers=layers,
    num_attention_heads=heads, num_key_value_heads=value("gemma3.attention.head_count_kv"), head_dim=value("gemma3.attention.key_length"),
    query_pre_attn_scalar=value("gemma3.attention.key_length"), sliding_window=value("gemma3.attention.sliding_window"), rms_norm_eps=value("gemma3.attention.layer_norm_rms_epsilon"),
    layer_types=["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(layers)],
    rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=value("gemma3.rope.freq_base")), sliding_attention=dict(rope_type="default", rope_theta=10000.0)),
    bos_token_id=2, eos_token_id=1, pad_token_id=0, tie_word_embeddings=True, attn_implementation="eager")
state = {"model.embed_tokens.weight": f32("token_embd.weight"), "model.norm.weight": f32("output_norm.weight") - 1}
names = dict(attn_q="self_attn.q_proj", attn_k="self_attn.k_proj", attn_v="self_attn.v_proj", attn_output="self_attn.o_proj", attn_q_norm="self_attn.q_norm", attn_k_norm="self_attn.k_norm",
    attn_norm="input_layernorm", post_attention_norm="post_attention_layernorm", ffn_norm="pre_feedforward_layernorm", post_ffw_norm="post_feedforward_layernorm",
    ffn_gate="mlp.gate_proj", ffn_up="mlp.up_proj", ffn_down="mlp.down_proj")
for i in range(layers):
    for ours, theirs in names.items():
        w = f32(f"blk.{i}.{ours}.weight")
        state[f"model.layers.{i}.{theirs}.weight"] = w - 1 if "norm" in ours else w  # GGUF stores 1 + weight
model = tf.Gemma3ForCausalLM(cfg).eval()
missing, unexpected = model.load_state_dict(state, strict=False)
assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
model.tie_weights()

if earlier:
    import sys
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "train"))
    from gguf_tokenizer import from_gguf_vocabulary
    tokenizer = from_gguf_vocabulary(parts[0])
    prompt = lambda s: [2] + tokenizer.encode("Bengali: " + s + "\nEnglish:").ids
    assert all(prompt(c["text"]) == c["ids"] for c in earlier["logits"]), "another vocabulary: make the golden file with llama.cpp"
else:
    import llama_cpp as L
    llm = L.Llama(a.model, n_ctx=2048, n_threads=a.threads, verbose=False, logits_all=False)
    prompt = lambda s: llm.tokenize(("Bengali: " + s + "\nEnglish:").encode(), add_bos=True, special=False)
fixed = [int(x) for x in np.linspace(8, vocab - 1, 40)]
out = dict(vocab=vocab, fixed_columns=fixed, logits=[], greedy=[])
def sample(logits):
    top = torch.topk(logits, 24)
    return dict(top=[[int(i), round(float(v), 5)] for i, v in zip(top.indices, top.values)], fixed=[round(float(logits[i]), 5) for i in fixed])
with torch.no_grad():
    for s in lines[: a.logits]:
        ids = prompt(s)
        out["logits"].append(dict(text=s, ids=ids, **sample(model(torch.tensor([ids])).logits[0, -1])))
    long_ids = earlier["long"]["ids"] if earlier else []
    for s in [] if earlier else lines[a.logits :]:
        long_ids += prompt(s) if not long_ids else llm.tokenize(("\n" + s).encode(), add_bos=False, special=False)
        if len(long_ids) > 700: break
    long_ids = long_ids[:700]
    out["long"] = dict(ids=long_ids, **sample(model(torch.tensor([long_ids])).logits[0, -1]))

def torch_greedy(ids):
    with torch.no_grad():
        o = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False, max_new_tokens=a.max_new, eos_token_id=1, pad_token_id=0)
    return [t for t in o[0, len(ids):].tolist() if t != 1]
def llama_greedy(llm, ids):
    llm.reset(); got = []
    for t in llm.generate(ids, temp=0.0, top_k=1):
        if t == 1 or len(got) >= a.max_new: break
        got.append(int(t))
    return got

if not earlier:
    float_file = pathlib.Path(tempfile.mkdtemp()) / "float.gguf"
    w = gguf.GGUFWriter(float_file, "gemma3")
    for k, field in readers[0].fields.items():
        if k.startswith(("GGUF.", "general.architecture", "split.")): continue
        sub = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        w.add_key_value(k, field.contents(), field.types[0], sub)
    for n, t in tensors.items(): w.add_tensor(n, gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    flt = L.Llama(str(float_file), n_ctx=2048, n_threads=a.threads, verbose=False)
for number, s in enumerate(lines[: a.greedy]):
    print(number, end="\r", flush=True)
    ids = prompt(s)
    peers = {} if earlier else dict(llama_q8=llama_greedy(llm, ids), llama_f32=llama_greedy(flt, ids))
    out["greedy"].append(dict(text=s, transformers=torch_greedy(ids), **peers))
if not earlier: float_file.unlink()
json.dump(out, open(a.out, "w", encoding="utf-8"), ensure_ascii=False, separators=(",", ":"))
if earlier: raise SystemExit(f"{len(out['greedy'])} greedy, transformers alone")
same = lambda x, y: sum(g[x] == g[y] for g in out["greedy"])
print(len(out["greedy"]), "greedy; transformers = llama f32:", same("transformers", "llama_f32"), " transformers = llama q8:", same("transformers", "llama_q8"))
