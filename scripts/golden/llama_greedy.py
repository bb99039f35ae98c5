#!/usr/bin/env python3
"""Writes what llama.cpp generates greedily with a chat model, for tests/it/chat.rs to compare with.

    pip install llama-cpp-python gguf
    scripts/golden/llama_greedy.py MODEL.gguf TEXT.tsv > tests/golden/smollm2_greedy.json

TEXT.tsv has English sentences in its second column (TICO-19 is CC0). Each prompt asks for a summary of consecutive
sentences and has about 300 tokens, the chat template included; the answer is at most 48 tokens. The key/value cache
is f32, as anubad's is: with llama.cpp's default, f16, a different token now and then is the cache's doing.

`answer` is generated from the same weights written out as f32, `quantized` from the file as it is: there llama.cpp
rounds what it multiplies the weights with to 8 bits, which tips the balance between words that are about as likely.
"""
import json
import pathlib
import sys
import tempfile

import gguf
import llama_cpp
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers"))
import llama as peer

PROMPTS, TOKENS, ANSWER, TOGETHER = 100, 300, 48, 12
INSTRUCTION = "Summarize this news article in 3 short English sentences. Use only facts from the article.\n\n"


def main(model, texts):
    sentences = [line.rstrip("\n").split("\t")[1].strip() for line in open(texts, encoding="utf-8")]
    tokenizer = llama_cpp.Llama(model, vocab_only=True, verbose=False)
    prompts = list(make_prompts(tokenizer, sentences))
    with tempfile.NamedTemporaryFile(suffix=".gguf") as floats:
        dequantize(model, floats.name)
        answers = answer(floats.name, prompts)
    quantized = answer(model, prompts)
    rows = [
        {"text": text, "prompt_tokens": len(tokens), "answer": answer, "quantized": other}
        for (text, tokens), answer, other in zip(prompts, answers, quantized)
    ]
    print(sum(a == q for a, q in zip(answers, quantized)), "of", len(rows), "equal in llama.cpp itself", file=sys.stderr)
    json.dump({"instruction": INSTRUCTION, "prompts": rows}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


def answer(model, prompts):
    engine = peer.Engine(model, TOGETHER, threads=1, float_cache=True)
    return [ids for at in range(0, len(prompts), TOGETHER) for ids in engine.group([t for _, t in prompts[at : at + TOGETHER]], ANSWER)]


def dequantize(model, path):
    """The same model with all its tensors in f32."""
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
    skipped = ("general.architecture", "general.file_type", "general.quantization_version")
    for name, field in reader.fields.items():
        if name not in skipped and not name.startswith("GGUF."):
            array = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=field.types[-1] if array else None)
    writer.add_file_type(0)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_prompts(llm, sentences):
    """(text, token ids) of prompts, each of as many whole sentences as the tokens allow."""
    at = 0
    for _ in range(PROMPTS):
        text, prompt = "", None
        while True:
            longer = (text + " " + sentences[at]).strip()
            at += 1
            tokens = llm.tokenize(chat(INSTRUCTION + longer).encode(), add_bos=False, special=True)
            if len(tokens) > TOKENS and prompt is not None:
                break
            text, prompt = (longer, tokens) if len(tokens) <= TOKENS else (text, prompt)
        yield text, prompt


def chat(user):
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    return f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
