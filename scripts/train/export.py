"""state.pt (or EMA) -> GGUF like the given one: same metadata and vocabulary, new tensors in Q8_0.  export.py TEMPLATE.gguf STATE.pt OUT.gguf [ema|raw]
Of a state that `train.py --lora` made, the adapter alone is written."""

import sys, gguf, numpy as np, torch

tpl, st, out = sys.argv[1:4]
which = sys.argv[4] if len(sys.argv) > 4 else "ema"
r = gguf.GGUFReader(tpl)
s = torch.load(st, weights_only=False, map_location="cpu")
P = dict(s["P"])
if which == "ema":
    P.update(s["ema"])
H, HD, FF = 4, 256, 2048


def export_adapter():
    """what `train.py --lora` learned, as llama.cpp's LoRA file: alpha is the rank, so that the scale is 1"""
    rank = P["0.qkv.a"].shape[0]
    w = gguf.GGUFWriter(out, "gemma3")
    w.add_type("adapter")
    w.add_string("adapter.type", "lora")
    w.add_float32("adapter.lora.alpha", float(rank))
    w.add_string("general.name", "a second task for anubad-270m-bn-en")
    w.add_license("gemma")
    for i in range(18):
        parts = {
            "qkv": {"attn_q": H * HD, "attn_k": HD, "attn_v": HD},
            "o": {"attn_output": 640},
            "gu": {"ffn_gate": FF, "ffn_up": FF},
            "d": {"ffn_down": 640},
        }
        for matrix, names in parts.items():
            factors = P[f"{i}.{matrix}.b"].detach().split(list(names.values()), 0)
            for name, b in zip(names, factors):
                a = P[f"{i}.{matrix}.a"].detach()
                w.add_tensor(f"blk.{i}.{name}.weight.lora_a", a.numpy().astype(np.float16))
                w.add_tensor(f"blk.{i}.{name}.weight.lora_b", b.numpy().astype(np.float16))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if "0.qkv.a" in P:
    export_adapter()
    print("step", s["step"], "->", out)
    sys.exit()
T = {"token_embd.weight": P["emb"], "output_norm.weight": P["norm"]}
for i in range(18):
    b = f"blk.{i}."
    q, k, v = P[f"{i}.qkv"].split([H * HD, HD, HD], 0)
    g, u = P[f"{i}.gu"].split(FF, 0)
    n = P[f"{i}.n"]
    qk = P[f"{i}.qkn"]
    T.update(
        {
            b + "attn_q.weight": q,
            b + "attn_k.weight": k,
            b + "attn_v.weight": v,
            b + "attn_output.weight": P[f"{i}.o"],
            b + "ffn_gate.weight": g,
            b + "ffn_up.weight": u,
            b + "ffn_down.weight": P[f"{i}.d"],
            b + "attn_norm.weight": n[0],
            b + "post_attention_norm.weight": n[1],
            b + "ffn_norm.weight": n[2],
            b + "post_ffw_norm.weight": n[3],
            b + "attn_q_norm.weight": qk[0],
            b + "attn_k_norm.weight": qk[1],
        }
    )
w = gguf.GGUFWriter(out, "gemma3")
for name, f in r.fields.items():
    if name.startswith("GGUF.") or name in ("general.architecture", "anubad.model"):
        continue
    t = f.types[0]
    if t == gguf.GGUFValueType.ARRAY:
        et = f.types[1]
        if et == gguf.GGUFValueType.STRING:
            w.add_array(name, [bytes(f.parts[i]).decode("utf8") for i in f.data])
        else:
            w.add_array(name, [f.parts[i].tolist()[0] for i in f.data])
    elif t == gguf.GGUFValueType.STRING:
        w.add_string(name, bytes(f.parts[-1]).decode("utf8"))
    else:
        w.add_key_value(name, f.parts[-1].tolist()[0], t)
w.add_string("anubad.model", "anubad-270m-bn-en")
for t in r.tensors:
    x = T[t.name].detach().float().numpy()
    if t.tensor_type == gguf.GGMLQuantizationType.Q8_0:
        w.add_tensor(t.name, gguf.quantize(x, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    else:
        w.add_tensor(t.name, x.astype(np.float32))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
print("step", s["step"], "->", out)
