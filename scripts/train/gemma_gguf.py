"""Gemma 3 between GGUF and transformers: weights, vocabulary and configuration, both ways.

The vocabulary travels as a SentencePiece model, so that training splits text exactly as llama.cpp and anubad do.
GGUF keeps Gemma's norms with their +1, transformers without.
"""
import gguf
import numpy as np
import sentencepiece
import torch
import transformers
from sentencepiece import sentencepiece_model_pb2 as proto

# GGUF token types are SentencePiece's own numbers, but for USER_DEFINED (4) and BYTE (6), which agree, too.
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def hub_name(name):
    """blk.3.attn_q.weight → model.layers.3.self_attn.q_proj.weight"""
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.weight"


class Vocabulary:
    """Pieces with their scores and types, and SentencePiece over them."""

    def __init__(self, pieces, scores, types):
        self.pieces, self.scores, self.types = list(pieces), list(scores), list(types)
        model = proto.ModelProto()
        for piece, score, kind in zip(self.pieces, self.scores, self.types):
            model.pieces.add(piece=piece, score=score, type=kind)
        index = {piece: number for number, piece in enumerate(self.pieces)}
        spec = model.trainer_spec
        spec.model_type, spec.byte_fallback, spec.vocab_size = 2, True, len(self.pieces)
        spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id = index["<unk>"], index["<bos>"], index["<eos>"], index["<pad>"]
        spec.unk_piece, spec.bos_piece, spec.eos_piece, spec.pad_piece = "<unk>", "<bos>", "<eos>", "<pad>"
        norm = model.normalizer_spec
        norm.name, norm.add_dummy_prefix, norm.remove_extra_whitespaces, norm.escape_whitespaces = "identity", False, False, True
        self.proto = model
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        self.bos, self.eos, self.pad, self.unk = spec.bos_id, spec.eos_id, spec.pad_id, spec.unk_id

    def encode(self, text):
        return self.processor.encode(text)

    def decode(self, ids):
        return self.processor.decode([i for i in ids if i not in (self.bos, self.eos, self.pad)])

    def keep(self, ids):
        """The vocabulary with only these ids, in this order."""
        return Vocabulary(*([column[i] for i in ids] for column in (self.pieces, self.scores, self.types)))


def load(path):
    """A GGUF file as (transformers model in float32, vocabulary)."""
    reader = gguf.GGUFReader(path)
    field = lambda key: reader.fields[key].contents()
    number = lambda key, default=None: field(f"gemma3.{key}") if f"gemma3.{key}" in reader.fields else default
    pieces, scores = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.scores")
    vocabulary = Vocabulary(pieces, scores, field("tokenizer.ggml.token_type"))
    config = transformers.Gemma3TextConfig(
        vocab_size=len(pieces),
        hidden_size=number("embedding_length"),
        num_hidden_layers=number("block_count"),
        intermediate_size=number("feed_forward_length"),
        num_attention_heads=number("attention.head_count"),
        num_key_value_heads=number("attention.head_count_kv"),
        head_dim=number("attention.key_length"),
        query_pre_attn_scalar=number("attention.key_length"),
        sliding_window=number("attention.sliding_window"),
        rms_norm_eps=number("attention.layer_norm_rms_epsilon"),
        max_position_embeddings=number("context_length"),
        pad_token_id=vocabulary.pad,
        bos_token_id=vocabulary.bos,
        eos_token_id=vocabulary.eos,
        tie_word_embeddings=True,
    )
    model = transformers.Gemma3ForCausalLM(config).float()
    state = {}
    for tensor in reader.tensors:
        if tensor.name == "output.weight":
            continue  # tied
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
        shape = [int(dim) for dim in reversed(tensor.shape)]
        state[hub_name(tensor.name)] = values.reshape(shape) - (1.0 if "norm" in tensor.name else 0.0)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state, strict=True)
    return model, vocabulary


def trim(model, vocabulary, ids):
    """A model that knows only these ids, and their vocabulary."""
    table = model.model.embed_tokens.weight.data[torch.tensor(ids)].clone()
    model.resize_token_embeddings(len(ids))
    model.model.embed_tokens.weight.data.copy_(table)
    model.tie_weights()
    kept = vocabulary.keep(ids)
    model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id = kept.pad, kept.bos, kept.eos
    return model, kept


def save(model, vocabulary, path, name, dtype="q8_0"):
    """Writes GGUF: matrices as `dtype` (q8_0 or f16), norms in float32."""
    kind = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "f16": gguf.GGMLQuantizationType.F16}[dtype]
    config = model.config
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_name(name)
    writer.add_license("gemma")
    writer.add_languages(["bn", "en"])
    writer.add_description("Gemma 3 270M fine-tuned for Bengali-English translation, vocabulary trimmed")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_sliding_window(config.sliding_window)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if dtype == "q8_0" else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.pieces)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    writer.add_bos_token_id(vocabulary.bos)
    writer.add_eos_token_id(vocabulary.eos)
    writer.add_unk_token_id(vocabulary.unk)
    writer.add_pad_token_id(vocabulary.pad)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    state = model.state_dict()
    names = ["token_embd.weight", "output_norm.weight"]
    names += [f"blk.{layer}.{part}.weight" for layer in range(config.num_hidden_layers) for part in NAMES]
    for tensor in names:
        values = state[hub_name(tensor)].detach().float().cpu().numpy()
        if "norm" in tensor:
            writer.add_tensor(tensor, values + 1.0)
        else:
            writer.add_tensor(tensor, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
