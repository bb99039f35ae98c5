//! Configurations as they lie on the Hub, and damaged ones.
use super::*;
use serde_json::json;

fn read(json: Value) -> Result<Config> {
    Config::from_json(&json, Path::new("m/config.json"))
}

#[test]
fn an_unknown_architecture_lists_the_known_ones() {
    let text = read(json!({"model_type": "whisper"})).unwrap_err().to_string();
    assert!(text.contains("m/config.json") && text.contains("`whisper`"), "{text}");
    assert!(ARCHITECTURES.iter().all(|name| text.contains(name)), "{text}");
    assert!(read(json!({})).unwrap_err().to_string().contains("no model_type"));
}

#[test]
fn missing_and_impossible_values_are_named() {
    let text = read(json!({"model_type": "marian", "d_model": 8})).unwrap_err().to_string();
    assert!(text.contains("vocab_size"), "{text}");
    let bart = json!({"model_type": "bart", "d_model": 10, "vocab_size": 5, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 4, "decoder_ffn_dim": 4});
    let text = read(bart).unwrap_err().to_string();
    assert!(text.contains("a width of 10") && text.contains("encoder_attention_heads"), "{text}");
    assert!(read(json!({"model_type": "t5", "d_model": "big"})).unwrap_err().to_string().contains("config.json"));
}

#[test]
fn rotary_positions_are_known_by_any_spelling() {
    let positions = |extra: Value| {
        let mut json = json!({"model_type": "IndicTrans", "encoder_embed_dim": 32, "encoder_layers": 1,
            "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 8,
            "decoder_ffn_dim": 8, "encoder_vocab_size": 9, "decoder_vocab_size": 9});
        json.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match read(json).unwrap() {
            Config::Fairseq(c) => c.positions,
            Config::T5(_) => unreachable!(),
        }
    };
    let rotary = |theta, factor| Positions::Rotary { dims: 4, theta, factor };
    assert!(matches!(positions(json!({})), Positions::Sinusoidal { offset: 2, .. }));
    assert_eq!(positions(json!({"model_type": "RotaryIndicTrans"})), rotary(1e4, 1.0));
    assert_eq!(positions(json!({"model_type": "rotary-indictrans2", "rope_args": null})), rotary(1e4, 1.0));
    assert_eq!(positions(json!({"architectures": ["RotaryIndicTransForConditionalGeneration"]})), rotary(1e4, 1.0));
    assert_eq!(positions(json!({"rope_args": {"theta": 500.0, "scaling_factor": 2.0}})), rotary(500.0, 2.0));
    let llama = json!({"rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0}});
    assert_eq!(positions(llama), rotary(500.0, 2.0));
}

#[test]
fn t5_outputs_are_scaled_as_each_release_of_transformers_says() {
    let scaled = |extra: Value| {
        let mut json = json!({"model_type": "t5", "d_model": 8, "d_kv": 4, "num_heads": 2, "d_ff": 8, "num_layers": 1, "vocab_size": 9});
        json.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match read(json).unwrap() {
            Config::T5(c) => c.scale_output,
            Config::Fairseq(_) => unreachable!(),
        }
    };
    assert!(scaled(json!({})));
    assert!(!scaled(json!({"tie_word_embeddings": false})));
    assert!(!scaled(json!({"tie_word_embeddings": true, "scale_decoder_outputs": false})));
    assert!(!scaled(json!({"model_type": "mt5", "tie_word_embeddings": true})));
    assert!(scaled(json!({"model_type": "umt5"})));
}
