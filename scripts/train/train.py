"""Fine-tunes the trimmed Gemma 3 270M on Bengali-English pairs, on the CPU or one GPU. Warm-up/stable/decay schedule, weight
average (EMA), resumable, mixture file read again at every chunk.

  train.py --init MODEL.gguf --out DIR [--prep DIR] [--mix mix.json] [--device cuda] [--lr 6e-5] [--steps N] [--decay-from STEP --decay-steps N]

DIR/state.pt holds everything (1.8 GB); a file DIR/STOP ends the run after the step in hand, with the state saved.
A .prep file has four columns: Bengali, Bengali as the engine prepares it (names and digits in Latin), English, the second
column with the hints of the tables as well. An entry of the mixture may have "task": "shorten" (English in, shorter English out);
PROMPTS says how each task is asked."""

import torch, time, json, random, os, math, argparse, sys
import torch.nn.functional as F
import torch._dynamo

torch._dynamo.config.cache_size_limit = 64
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import gguf, numpy as np

ap = argparse.ArgumentParser()
ap.add_argument("--init")
ap.add_argument("--out", required=True)
ap.add_argument("--mix", default=None)
ap.add_argument("--prep", default=None, help="folder of the .prep files")
ap.add_argument("--device", default="cpu")
ap.add_argument("--lr", type=float, default=5e-5)
ap.add_argument(
    "--tokens", type=int, default=None, help="a step, source and target together; 3072 on the CPU, 32768 on a GPU"
)
ap.add_argument("--micro", type=int, default=None, help="a forward pass; 1536 or 16384")
ap.add_argument("--steps", type=int, default=100000)
ap.add_argument("--decay-from", type=int, default=10**9)
ap.add_argument("--decay-steps", type=int, default=300)
ap.add_argument("--warmup", type=int, default=30)
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--threads", type=int, default=os.cpu_count())
ap.add_argument("--save-every", type=int, default=60)
ap.add_argument("--eval-every", type=int, default=60)
ap.add_argument("--ema", type=float, default=0.995)
ap.add_argument("--max-seconds", type=float, default=1e9)
ap.add_argument("--no-compile", action="store_true")
ap.add_argument("--frac", type=float, default=0.2, help="share of each source's number in a chunk")
ap.add_argument("--smooth", type=float, default=0.05, help="label smoothing")
ap.add_argument("--drop", type=float, default=0.0, help="dropout on the residual branches")
ap.add_argument(
    "--lora", type=int, default=0, help="train only an adapter of this rank beside the frozen weights (0: the weights)"
)
ap.add_argument(
    "--eval-lines",
    type=int,
    default=120,
    help="of each dev set; the three together cost a CPU about as much as ten steps",
)
ap.add_argument(
    "--embed", type=float, default=0.0, help="train the embedding too, at this share of the rate (0: frozen)"
)
cpu_bf16 = os.path.exists("/proc/cpuinfo") and any(
    f in open("/proc/cpuinfo").read() for f in ("avx512_bf16", "amx_bf16")
)
ap.add_argument(
    "--f32", action="store_true", help="multiply in f32 (else bfloat16 on a GPU and on processors that have it)"
)
a = ap.parse_args()
gpu = a.device != "cpu"
DEV = torch.device(a.device)
a.prep = a.prep or os.path.join(HERE, "prep")
a.mix = a.mix or os.path.join(HERE, "mix.json")
a.tokens = a.tokens or (32768 if gpu else 3072)
a.micro = a.micro or (16384 if gpu else 1536)
torch.set_num_threads(a.threads)
random.seed(a.seed)
torch.manual_seed(a.seed)
if gpu:
    torch.set_float32_matmul_precision("high")
BF = torch.bfloat16 if not a.f32 and (gpu or cpu_bf16) else torch.float32
D = 640
H = 4
HD = 256
NL = 18
FF = 2048
from gguf_tokenizer import from_gguf_vocabulary

tok = from_gguf_vocabulary(a.init)


def load_gguf(path):
    r = gguf.GGUFReader(path)
    out = {}
    for t in r.tensors:
        x = gguf.dequantize(t.data, t.tensor_type)
        out[t.name] = torch.tensor(np.array(x, dtype=np.float32)).reshape(tuple(reversed([int(v) for v in t.shape])))
    return out


def from_gguf(g):
    P = {"emb": g["token_embd.weight"], "norm": g["output_norm.weight"]}
    for i in range(NL):
        b = f"blk.{i}."
        P[f"{i}.qkv"] = torch.cat([g[b + "attn_q.weight"], g[b + "attn_k.weight"], g[b + "attn_v.weight"]], 0)
        P[f"{i}.o"] = g[b + "attn_output.weight"]
        P[f"{i}.gu"] = torch.cat([g[b + "ffn_gate.weight"], g[b + "ffn_up.weight"]], 0)
        P[f"{i}.d"] = g[b + "ffn_down.weight"]
        P[f"{i}.n"] = torch.stack(
            [
                g[b + "attn_norm.weight"],
                g[b + "post_attention_norm.weight"],
                g[b + "ffn_norm.weight"],
                g[b + "post_ffw_norm.weight"],
            ]
        )
        P[f"{i}.qkn"] = torch.stack([g[b + "attn_q_norm.weight"], g[b + "attn_k_norm.weight"]])
    return P


os.makedirs(a.out, exist_ok=True)
state = os.path.join(a.out, "state.pt")
step0 = 0
ema = None
optst = None
if os.path.exists(state):
    s = torch.load(state, weights_only=False, map_location="cpu")
    P = s["P"]
    ema = s["ema"]
    optst = s["opt"]
    step0 = s["step"]
    random.setstate(s["rng"])
    print("resumed at", step0, flush=True)
else:
    P = from_gguf(load_gguf(a.init))
P = {k: v.float().to(DEV) for k, v in P.items()}
MATRICES = ("qkv", "o", "gu", "d")
if a.lora:
    # y = xW' + (xA')B', with A small and random and B zero, so that training begins at the model itself (Hu et al. 2021)
    for i in range(NL):
        for m in MATRICES:
            rows_out, rows_in = P[f"{i}.{m}"].shape
            if f"{i}.{m}.a" not in P:
                P[f"{i}.{m}.a"] = torch.randn(a.lora, rows_in) / math.sqrt(rows_in)
                P[f"{i}.{m}.b"] = torch.zeros(rows_out, a.lora)
    train_keys = [k for k in P if k.endswith((".a", ".b"))]
else:
    train_keys = [k for k in P if k != "emb" or a.embed > 0]
for k in train_keys:
    P[k] = P[k].clone().requires_grad_(True)
ema = {k: (ema[k].to(DEV) if ema is not None and k in ema else P[k].detach().clone()) for k in train_keys}
# output head: the part of the vocabulary that is not Bengali
vocab = tok.get_vocab()
inv = [None] * len(vocab)
for t, i in vocab.items():
    inv[i] = t
ben = [any("\u0980" <= c <= "\u09ff" for c in t) for t in inv]
keep = torch.tensor([i for i in range(len(inv)) if not ben[i]])
kidx = torch.full((len(inv),), -100)
kidx[keep] = torch.arange(len(keep))
keep = keep.to(DEV)
Eb = P["emb"].detach().to(BF)
Ek = Eb[keep].contiguous()


def rms(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w


def rope_tab(T, base):
    f = 1.0 / (base ** (torch.arange(0, HD, 2).float() / HD))
    t = torch.outer(torch.arange(T).float(), f)
    return torch.cat([t.cos(), t.cos()], -1).to(DEV), torch.cat([t.sin(), t.sin()], -1).to(DEV)


TAB = {b: rope_tab(512, b) for b in (1e4, 1e6)}


def rot(x, c, s):
    h = HD // 2
    return x * c + torch.cat([-x[..., h:], x[..., :h]], -1) * s


def linear(x, w):
    "w: (weights,) or (weights, A, B)"
    y = F.linear(x, w[0].to(BF))
    return y if len(w) == 1 else y + F.linear(F.linear(x, w[1].to(BF)), w[2].to(BF))


def block(x, qkv, o, gu, d, n, qkn, c, s, drop):
    B, T, _ = x.shape
    h = rms(x, n[0]).to(BF)
    y = linear(h, qkv)
    q, k, v = y.split([H * HD, HD, HD], -1)
    q = rot(rms(q.view(B, T, H, HD).float(), qkn[0]), c[:, None], s[:, None]).to(BF).transpose(1, 2)
    k = rot(rms(k.view(B, T, 1, HD).float(), qkn[1]), c[:, None], s[:, None]).to(BF).transpose(1, 2)
    v = v.view(B, T, 1, HD).transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k.expand(B, H, T, HD), v.expand(B, H, T, HD), is_causal=True, scale=1 / 16)
    y = rms(linear(y.transpose(1, 2).reshape(B, T, H * HD), o).float(), n[1])
    x = x + (F.dropout(y, drop) if drop > 0 else y)
    h = rms(x, n[2]).to(BF)
    g, u = linear(h, gu).split(FF, -1)
    y = rms(linear((F.gelu(g.float(), approximate="tanh") * u.float()).to(BF), d).float(), n[3])
    return x + (F.dropout(y, drop) if drop > 0 else y)


blk = block if a.no_compile else torch.compile(block, dynamic=False)


def hidden(P, ids, drop):
    B, T = ids.shape
    x = F.embedding(ids, P["emb"].to(BF) if a.embed > 0 else Eb).float() * math.sqrt(D)
    for i in range(NL):
        c, s = TAB[1e6 if (i + 1) % 6 == 0 else 1e4]
        parts = (".a", ".b") if a.lora else ()
        qkv, o, gu, d = [tuple(P[f"{i}.{m}{part}"] for part in ("", *parts)) for m in MATRICES]
        x = blk(x, qkv, o, gu, d, P[f"{i}.n"], P[f"{i}.qkn"], c[:T], s[:T], drop)
    return rms(x, P["norm"])


def loss_of(P, batch, smooth, drop=0.0):
    L = max(len(x) + len(y) for x, y in batch)
    T = next(t for t in BUCK if t >= L)
    n = BS(T)
    ids = torch.zeros(n, T, dtype=torch.long)
    lab = torch.full((n, T), -100)
    for r, (x, y) in enumerate(batch):
        s = x + y
        ids[r, : len(s)] = torch.tensor(s)
        lab[r, len(x) - 1 : len(s) - 1] = kidx[torch.tensor(y)]
    ids, lab = ids.to(DEV, non_blocking=True), lab.to(DEV, non_blocking=True)
    sel = lab >= 0
    h = hidden(P, ids, drop)[sel]
    z = F.linear(h.to(BF), P["emb"][keep].to(BF) if a.embed > 0 else Ek).float()
    return F.cross_entropy(z, lab[sel], label_smoothing=smooth, reduction="sum"), int((lab >= 0).sum())


BUCK = [32, 48, 64, 80, 96, 128, 160, 224, 320]


def BS(T):
    return max(1, a.micro // T)


def nukta(b):
    return b.replace("\u09a1\u09bc", "\u09dc").replace("\u09a2\u09bc", "\u09dd").replace("\u09af\u09bc", "\u09df")


PROMPTS = {"translate": ("Bengali: ", "\nEnglish:"), "shorten": ("Long: ", "\nShort:")}


def enc(b, e, task="translate"):
    x = [2] + tok.encode(PROMPTS[task][0] + nukta(b) + PROMPTS[task][1]).ids
    y = tok.encode(" " + e).ids
    if any(ben[i] for i in y):
        return None
    y = y + [1]
    return (x, y) if len(x) + len(y) <= 320 and len(y) > 1 else None


cache = {}
cursor = {}


def rows(path):
    m = os.path.getmtime(path)
    if path not in cache or cache[path][0] != m:
        cache[path] = (m, [l.rstrip("\n").split("\t") for l in open(path, encoding="utf-8")])
    return cache[path][1]


def chunk():
    "one pass over the mixture: each source's share, shuffled into length-homogeneous micro batches grouped into steps"
    ex = []
    for s in json.load(open(a.mix)):
        p = os.path.join(a.prep, s["file"])
        R = rows(p)
        n = max(1, round(s.get("n", len(R)) * a.frac))
        c = cursor.setdefault(p, [[], 0])
        k = []
        while len(k) < n:
            if c[1] >= len(c[0]) or max(c[0]) >= len(R):
                c[0] = random.sample(range(len(R)), len(R))
                c[1] = 0
            t = c[0][c[1] : c[1] + n - len(k)]
            c[1] += len(t)
            k += [R[i] for i in t]
        for r in k:
            if len(r) < 3:
                continue
            u = random.random()
            b = r[0] if u < 0.12 else r[3] if len(r) > 3 and u < 0.7 else r[1]
            q = enc(b, r[2], s.get("task", "translate"))
            if q:
                ex.append(q)
    random.shuffle(ex)
    out = []
    by = {t: [] for t in BUCK}
    for q in ex:
        T = next(t for t in BUCK if t >= len(q[0]) + len(q[1]))
        by[T].append(q)
        if len(by[T]) == BS(T):
            out.append(by[T])
            by[T] = []
    for T in BUCK:
        if by[T]:
            out.append(by[T])
    random.shuffle(out)
    print(
        "chunk",
        len(ex),
        "examples",
        len(out),
        "micro batches",
        sum(len(x) + len(y) for x, y in ex),
        "tokens",
        flush=True,
    )
    return out


mats = [P[k] for k in train_keys if P[k].ndim == 2 and k.split(".")[-1] in MATRICES + ("a", "b")]
emb = [P["emb"]] if a.embed > 0 else []
vecs = [P[k] for k in train_keys if not any(P[k] is m for m in mats + emb)]
params = mats + vecs + emb
groups = [{"params": mats, "weight_decay": 0.01, "scale": 1.0}, {"params": vecs, "weight_decay": 0.0, "scale": 1.0}] + (
    [{"params": emb, "weight_decay": 0.0, "scale": a.embed}] if emb else []
)
opt = torch.optim.AdamW(groups, lr=a.lr, betas=(0.9, 0.98), fused=True)
if optst and len(optst["param_groups"]) == len(groups):
    opt.load_state_dict(optst)
dev = []
TASKS = {s.get("task", "translate") for s in json.load(open(a.mix))}
for name, path, n in (
    ("shorten", os.path.join(a.prep, "dev_shorten.prep"), a.eval_lines),
    ("news+", os.path.join(a.prep, "dev_news.prep"), a.eval_lines),
    ("news", os.path.join(a.prep, "dev_news.prep"), a.eval_lines),
    ("supara", os.path.join(a.prep, "dev_supara.prep"), a.eval_lines),
):
    D_ = []
    task = "shorten" if name == "shorten" else "translate"
    if task not in TASKS:
        continue
    for r in rows(path)[:n]:
        q = enc(r[3] if name.endswith("+") else r[1], r[2], task)
        if q:
            D_.append(q)
    D_.sort(key=lambda q: len(q[0]) + len(q[1]))
    dev.append((name, D_))


def evaluate(Q):
    o = []
    Q = {**P, **Q}
    with torch.no_grad():
        for name, D_ in dev:
            tl = n = 0
            by = {}
            for q in D_:
                by.setdefault(next(t for t in BUCK if t >= len(q[0]) + len(q[1])), []).append(q)
            for T, l in by.items():
                for i in range(0, len(l), BS(T)):
                    x, k = loss_of(Q, l[i : i + BS(T)], 0.0)
                    tl += x.item()
                    n += k
            o.append(f"{name} {tl/n:.4f}")
    return " ".join(o)


def save(step):
    tmp = state + ".tmp"
    torch.save(
        {
            "P": {k: v.detach().cpu() for k, v in P.items()},
            "ema": {k: v.cpu() for k, v in ema.items()},
            "opt": opt.state_dict(),
            "step": step,
            "rng": random.getstate(),
        },
        tmp,
    )
    os.replace(tmp, state)


def lr_at(i):
    w = min(1, (i - step0 + 1) / a.warmup)
    if i >= a.decay_from:
        w *= max(0.02, 1 - (i - a.decay_from) / a.decay_steps)
    return a.lr * w


t0 = time.time()
step = step0
ntok = 0
run = 0.0
rn = 0
if step0 == 0:
    print("before", evaluate(P), flush=True)
stop = False
while not stop:
    mb = chunk()
    i = 0
    while i < len(mb):
        if step >= a.steps or time.time() - t0 > a.max_seconds or os.path.exists(os.path.join(a.out, "STOP")):
            stop = True
            break
        opt.zero_grad(set_to_none=True)
        got = 0
        parts = []
        while i < len(mb) and got < a.tokens:
            b = mb[i]
            i += 1
            got += sum(len(x) + len(y) for x, y in b)
            parts.append(b)
        tot = sum(len(y) for b in parts for x, y in b)
        for b in parts:
            l, k = loss_of(P, b, a.smooth, a.drop)
            (l / tot).backward()
            run += l.detach()
            rn += k
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        for g in opt.param_groups:
            g["lr"] = lr_at(step) * g.get("scale", 1.0)
        opt.step()
        step += 1
        ntok += got
        d = min(a.ema, 1 - 1 / (step + 1) * 5 if step > 5 else 0.0)
        with torch.no_grad():
            for k in train_keys:
                ema[k].lerp_(P[k], 1 - d)
        if step % 10 == 0:
            print(
                step,
                f"loss {float(run)/rn:.4f} lr {lr_at(step):.2e} sec {time.time()-t0:.0f} tok/s {ntok/(time.time()-t0):.0f}",
                flush=True,
            )
            run = 0.0
            rn = 0
        if step % a.eval_every == 0:
            print("eval", step, "ema", evaluate(ema), flush=True)
        if step % a.save_every == 0:
            save(step)
save(step)
print("saved at", step, flush=True)
if not os.path.exists(os.path.join(a.out, "STOP")):
    print("eval", step, "last", evaluate(P), "| ema", evaluate(ema), flush=True)
