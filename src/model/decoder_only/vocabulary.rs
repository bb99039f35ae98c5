//! The tokenizer's part of a GGUF file's metadata.
use crate::Result;
use crate::model::weights::gguf::{Gguf, Value};
use crate::tokenizer::gguf::GgufVocabulary;

/// Reads the vocabulary of a GGUF file.
pub fn read(gguf: &Gguf) -> Result<GgufVocabulary> {
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let text = |name: &str| gguf.text(&key(name)).unwrap_or_default().to_string();
    let id = |name: &str| gguf.integer(&key(name)).ok().map(|v| v as u32);
    let flag = |name: &str| match gguf.get(&key(name)) {
        Some(Value::Bool(v)) => Some(*v),
        _ => None,
    };
    Ok(GgufVocabulary {
        model: text("model"),
        pre: text("pre"),
        tokens: gguf.texts(&key("tokens"))?.to_vec(),
        scores: match gguf.get(&key("scores")) {
            Some(Value::Floats(list)) => list.clone(),
            _ => Vec::new(),
        },
        token_types: match gguf.get(&key("token_type")) {
            Some(Value::Integers(list)) => list.iter().map(|&v| v as i32).collect(),
            _ => Vec::new(),
        },
        merges: gguf.texts(&key("merges")).map(<[String]>::to_vec).unwrap_or_default(),
        bos: id("bos_token_id"),
        eos: id("eos_token_id"),
        unk: id("unknown_token_id"),
        pad: id("padding_token_id"),
        add_bos: flag("add_bos_token"),
        add_eos: flag("add_eos_token"),
        add_space_prefix: flag("add_space_prefix"),
        chat_template: gguf.text("tokenizer.chat_template").map(str::to_string),
    })
}
