#!/usr/bin/env python3
"""Writes tests/golden/decode.json: what transformers' `generate` makes of a toy network.

The toy's logits are a function of the tokens alone (`logits` below; `src/decode/toy.rs` computes the same), so
that the search is compared and nothing else. Needs torch and transformers 5.

    python scripts/golden/decode.py [--seeds N] [OUT]
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput, Seq2SeqLMOutput

VOCAB, EOS, START = 48, 1, 2
U32 = np.uint32


def unit(seed, a, b):
    """A number in [0, 1) with 16 bits, from murmur3's finalizer."""
    h = U32(seed) + U32(a) * U32(0x9E3779B1) + b.astype(U32) * U32(0x85EBCA77)
    h ^= h >> U32(16)
    h *= U32(0x85EBCA6B)
    h ^= h >> U32(13)
    h *= U32(0xC2B2AE35)
    h ^= h >> U32(16)
    return (h >> U32(16)).astype(np.float32) / np.float32(65536)


def token_sum(tokens):
    return sum((t + 1) * (i + 1) for i, t in enumerate(tokens)) & 0xFFFFFFFF


def logits(seed, slope, source, tokens):
    columns = np.arange(VOCAB)
    everything = (token_sum(tokens) + 31 * token_sum(source)) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        out = np.float32(4) * unit(seed, tokens[-1], columns) + np.float32(2) * unit(seed ^ 0x5BD1, everything, columns)
    out[EOS] += np.float32(slope) * np.float32(len(tokens))
    return out


class ToyConfig(PretrainedConfig):
    model_type = "toy"


class Encoder(torch.nn.Module):
    """Hands the source's tokens on."""

    main_input_name = "input_ids"

    def forward(self, input_ids=None, **_):
        return BaseModelOutput(last_hidden_state=input_ids.float().unsqueeze(-1))


class Toy(PreTrainedModel, GenerationMixin):
    config_class = ToyConfig
    _supports_cache_class = False

    def __init__(self, config, seed, slope):
        super().__init__(config)
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.encoder = Encoder()
        self.seed, self.slope = seed, slope

    def get_encoder(self, *_, **__):
        return self.encoder

    def forward(self, input_ids=None, decoder_input_ids=None, encoder_outputs=None, **_):
        if self.config.is_encoder_decoder:
            sources = encoder_outputs.last_hidden_state.squeeze(-1).long().tolist()
            targets, output = decoder_input_ids.tolist(), Seq2SeqLMOutput
        else:
            targets, output = input_ids.tolist(), CausalLMOutput
            sources = [[]] * len(targets)
        last = np.stack([logits(self.seed, self.slope, s, t) for s, t in zip(sources, targets)])
        return output(logits=torch.from_numpy(last).unsqueeze(1))


OPTIONS = [
    {"num_beams": 1},
    {"num_beams": 1, "no_repeat_ngram_size": 3, "repetition_penalty": 1.3},
    {"num_beams": 1, "min_new_tokens": 12, "bad_words_ids": [[5], [7, 9], [3, 4, 8]], "forced_eos_token_id": EOS},
    *({"num_beams": 4, "length_penalty": p, "early_stopping": e} for p in (0.6, 1.0, 1.4, -0.5) for e in (False, True, "never")),
    {"num_beams": 4, "no_repeat_ngram_size": 3},
    {"num_beams": 3, "no_repeat_ngram_size": 1},
    {"num_beams": 4, "repetition_penalty": 1.3, "length_penalty": 0.6},
    {"num_beams": 4, "min_new_tokens": 14},
    {"num_beams": 4, "max_new_tokens": 5},
    {"num_beams": 5, "max_new_tokens": 8, "forced_eos_token_id": EOS, "early_stopping": True},
    {"num_beams": 4, "bad_words_ids": [[5], [7, 9], [3, 4, 8], [EOS]]},
    {"num_beams": 4, "forced_bos_token_id": 9},
    {"num_beams": 4, "forced_bos_token_id": 9, "forced_eos_token_id": EOS, "max_new_tokens": 6, "no_repeat_ngram_size": 2},
    {"num_beams": 1, "forced_bos_token_id": 9, "forced_eos_token_id": EOS, "max_new_tokens": 6},
    {"num_beams": 3, "eos_token_id": [EOS, 11]},
    {"num_beams": 8, "length_penalty": 1.2},
]


def cases(seed):
    rng = np.random.default_rng(seed)
    for encoder_decoder in (False, True):
        model = Toy(ToyConfig(is_encoder_decoder=encoder_decoder), seed, slope := float(rng.choice([0.0, 0.05, 0.15]))).eval()
        for options in OPTIONS:
            source = rng.integers(3, VOCAB, rng.integers(1, 9)).tolist()
            config = {"max_new_tokens": 30, "eos_token_id": EOS, "pad_token_id": 0, "use_cache": False, **options}
            if encoder_decoder:
                config["decoder_start_token_id"] = START
            beams = options["num_beams"]
            if beams > 1:
                config["num_return_sequences"] = beams
            ids = torch.tensor([source])
            with torch.no_grad():
                out = model.generate(
                    ids, attention_mask=torch.ones_like(ids), generation_config=GenerationConfig(**config),
                    return_dict_in_generate=True, output_scores=True,
                )
            prompt = 1 if encoder_decoder else len(source)
            eos = config["eos_token_id"]
            yield {
                "seed": seed, "slope": slope, "encoder_decoder": encoder_decoder, "source": source,
                "eos": eos if isinstance(eos, list) else [eos],
                "max_new_tokens": config["max_new_tokens"],
                "options": {k: v for k, v in options.items() if k not in ("eos_token_id", "max_new_tokens")},
                # What follows an end token is of the tensor, not of the hypothesis.
                "sequences": [trim(s[prompt:].tolist(), eos) for s in out.sequences],
                "scores": [round(x, 6) for x in out.sequences_scores.tolist()] if beams > 1 else None,
            }


def trim(tokens, eos):
    eos = eos if isinstance(eos, list) else [eos]
    end = next((i + 1 for i, t in enumerate(tokens) if t in eos), len(tokens))
    return tokens[:end]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("out", nargs="?", default=pathlib.Path(__file__).parents[2] / "tests/golden/decode.json")
    arguments = parser.parse_args()
    lines = [json.dumps(case, separators=(",", ":")) for seed in range(arguments.seeds) for case in cases(seed)]
    pathlib.Path(arguments.out).write_text("[\n" + ",\n".join(lines) + "\n]\n")
