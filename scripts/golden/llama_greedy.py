#!/usr/bin/env python3
"""Writes what llama.cpp generates greedily with a chat model, for tests/it/chat_model.rs to compare with.

    pip install llama-cpp-python
    scripts/golden/llama_greedy.py MODEL.gguf TEXT.tsv > tests/golden/smollm2_greedy.json

TEXT.tsv has English sentences in its second column (TICO-19 is CC0). Each prompt asks for a summary of consecutive
sentences and has about 300 tokens, the chat template included; the answer is at most 48 tokens. The key/value cache
is f32, as anubad's is: with llama.cpp's default, f16, a different token now and then is the cache's doing.
"""
import json
import sys

import llama_cpp

PROMPTS, TOKENS, ANSWER = 100, 300, 48
INSTRUCTION = "Summarize this news article in 3 short English sentences. Use only facts from the article.\n\n"


def main(model, texts):
    llm = llama_cpp.Llama(
        model, n_ctx=1024, n_threads=2, n_batch=512, verbose=False, type_k=0, type_v=0, flash_attn=False, logits_all=False
    )
    sentences = [line.rstrip("\n").split("\t")[1].strip() for line in open(texts, encoding="utf-8")]
    eos, out, at = llm.token_eos(), [], 0
    while len(out) < PROMPTS:
        text, prompt = "", None
        while True:
            longer = (text + " " + sentences[at]).strip()
            at += 1
            tokens = llm.tokenize(chat(INSTRUCTION + longer).encode(), add_bos=False, special=True)
            if len(tokens) > TOKENS:
                break
            text, prompt = longer, tokens
        if prompt is None:
            continue
        llm.reset()
        answer = []
        for token in llm.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
            if token == eos or len(answer) == ANSWER:
                break
            answer.append(token)
        out.append({"text": text, "prompt_tokens": len(prompt), "answer": answer})
    json.dump({"instruction": INSTRUCTION, "prompts": out}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


def chat(user):
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    return f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
