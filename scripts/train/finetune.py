#!/usr/bin/env python3
"""Step 3: fine-tune on the pairs and write the GGUF that ships.

    finetune.py TRIMMED.gguf PAIRS.jsonl OUT.gguf [--epochs 1.2] [--steps N] [--batch-tokens 1536] [--device auto]

All transformer weights learn, the (tied) embedding stays: AdamW, peak learning rate 6e-5 after a short warm-up,
cosine down to 5 %, label smoothing 0.05, batches of about equal length up to --batch-tokens, loss on the English side
and its end only. Matrix products in bfloat16, weights in float32. One GPU with 8 GB is plenty.
"""
import argparse
import json
import math
import random
import time

import torch
import torch.nn.functional as F

import gemma_gguf
from vocabulary import prompt


def examples(pairs, vocabulary, longest=512):
    """(ids, length of the prompt): BOS, the prompt, ` translation`, EOS."""
    out = []
    for pair in pairs:
        head = [vocabulary.bos] + vocabulary.encode(prompt(pair["bn"]))
        ids = head + vocabulary.encode(" " + pair["en"]) + [vocabulary.eos]
        if len(ids) <= longest:
            out.append((ids, len(head)))
    return out


def batches(data, tokens, rng):
    """Batches of similar length in random order; `tokens` counts padding."""
    order = sorted(range(len(data)), key=lambda i: (len(data[i][0]) // 8, rng.random()))
    groups, group = [], []
    for i in order:
        if group and (len(group) + 1) * max(len(data[j][0]) for j in group + [i]) > tokens:
            groups.append(group)
            group = []
        group.append(i)
    groups.append(group)
    rng.shuffle(groups)
    return [[data[i] for i in group] for group in groups]


def loss_of(model, batch, pad, device, smoothing):
    width = max(len(ids) for ids, _ in batch)
    ids = torch.full((len(batch), width), pad)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    labels = torch.full((len(batch), width), -100)
    for row, (tokens, head) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        labels[row, head - 1 : len(tokens) - 1] = torch.tensor(tokens[head:])
    ids, mask, labels = ids.to(device), mask.to(device), labels.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        states = model.model(input_ids=ids, attention_mask=mask).last_hidden_state
        wanted = labels != -100  # only these rows meet the output layer, which is a third of the model
        logits = F.linear(states[wanted], model.model.embed_tokens.weight)
    return F.cross_entropy(logits.float(), labels[wanted], label_smoothing=smoothing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("pairs")
    parser.add_argument("out")
    parser.add_argument("--epochs", type=float, default=1.2)
    parser.add_argument("--steps", type=int, help="so many steps instead of --epochs")
    parser.add_argument("--batch-tokens", type=int, default=1536)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--warmup", type=int, default=30)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="anubad 270M bn-en")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    device = torch.device(args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    model, vocabulary = gemma_gguf.load(args.model)
    model.to(device).train()
    model.model.embed_tokens.weight.requires_grad_(False)
    pairs = [json.loads(line) for line in open(args.pairs, encoding="utf-8")]
    data = examples(pairs, vocabulary)
    per_epoch = len(batches(data, args.batch_tokens, random.Random(0)))
    total = args.steps or math.ceil(per_epoch * args.epochs)
    learning = [p for p in model.parameters() if p.requires_grad]
    print(f"{len(data)} pairs, {per_epoch} batches an epoch, {total} steps, {sum(p.numel() for p in learning) / 1e6:.1f}M weights on {device}")
    optimizer = torch.optim.AdamW(learning, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)
    warmup = min(args.warmup, max(1, total // 10))
    cosine = lambda s: 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, s / total)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / warmup) * cosine(s))
    queue, start, recent = [], time.time(), []
    for step in range(1, total + 1):
        queue = queue or batches(data, args.batch_tokens, rng)
        loss = loss_of(model, queue.pop(), vocabulary.pad, device, args.smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        recent.append(loss.item())
        if step % 20 == 0 or step == total:
            print(f"step {step}/{total}: loss {sum(recent) / len(recent):.3f}, {(time.time() - start) / step:.2f} s a step", flush=True)
            recent = []
    gemma_gguf.save(model.cpu(), vocabulary, args.out, args.name)
    print(args.out)


if __name__ == "__main__":
    main()
