//! What the tensors of a decoder-only network are called, in GGUF files and in checkpoints of the Hub.

/// How a file names its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// As llama.cpp names them: `blk.0.attn_q.weight`.
    Gguf,
    /// As transformers saves them.
    Hub {
        /// Before `embed_tokens`, `layers` and `norm`: `model.`, or more around a multimodal model's text part.
        prefix: String,
        /// The output layer where it is not the embedding.
        head: String,
        /// Gemma has a norm after attention and one before the feed-forward, under names of its own.
        post_norms: bool,
        /// Hunyuan calls the norms of its heads layernorms.
        layernorms: bool,
    },
}

/// Parts of multimodal checkpoints that a text model does without.
const OTHER_SENSES: [&str; 7] = [
    "vision_tower.",
    "multi_modal_projector.",
    "audio_tower.",
    "embed_audio.",
    "embed_vision.",
    "vision_model.",
    "visual.",
];

impl Naming {
    /// The naming of a Hub checkpoint, found by where its embedding is; `None` where it has none.
    pub fn of_hub(names: &[String], post_norms: bool) -> Option<Self> {
        const EMBEDDING: &str = "embed_tokens.weight";
        let text_part = |name: &&String| name.ends_with(EMBEDDING) && !OTHER_SENSES.iter().any(|o| name.contains(o));
        let prefix = names.iter().find(text_part)?.trim_end_matches(EMBEDDING).to_owned();
        let head = names.iter().find(|name| name.ends_with("lm_head.weight")).cloned();
        let layernorms = names.iter().any(|name| name.ends_with("self_attn.query_layernorm.weight"));
        Some(Self::Hub { prefix, head: head.unwrap_or_else(|| "lm_head.weight".into()), post_norms, layernorms })
    }

    /// The token embedding.
    pub fn embedding(&self) -> String {
        self.outside("token_embd.weight", "embed_tokens.weight")
    }

    /// The norm before the output layer.
    pub fn last_norm(&self) -> String {
        self.outside("output_norm.weight", "norm.weight")
    }

    /// The output layer.
    pub fn head(&self) -> &str {
        match self {
            Self::Gguf => "output.weight",
            Self::Hub { head, .. } => head,
        }
    }

    fn outside(&self, gguf: &str, hub: &str) -> String {
        match self {
            Self::Gguf => gguf.to_owned(),
            Self::Hub { prefix, .. } => format!("{prefix}{hub}"),
        }
    }

    /// A tensor of layer `index`; `part` is its name in a GGUF file.
    pub fn layer(&self, index: usize, part: &str) -> String {
        let Self::Hub { prefix, post_norms, layernorms, .. } = self else { return format!("blk.{index}.{part}") };
        let (stem, kind) = part.rsplit_once('.').unwrap_or((part, "weight"));
        let name = match stem {
            "attn_q" => "self_attn.q_proj",
            "attn_k" => "self_attn.k_proj",
            "attn_v" => "self_attn.v_proj",
            "attn_output" => "self_attn.o_proj",
            "attn_q_norm" if *layernorms => "self_attn.query_layernorm",
            "attn_k_norm" if *layernorms => "self_attn.key_layernorm",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            "attn_norm" => "input_layernorm",
            "post_attention_norm" => "post_attention_layernorm",
            "ffn_norm" if *post_norms => "pre_feedforward_layernorm",
            "ffn_norm" => "post_attention_layernorm",
            "post_ffw_norm" => "post_feedforward_layernorm",
            "ffn_gate" => "mlp.gate_proj",
            "ffn_up" => "mlp.up_proj",
            "ffn_down" => "mlp.down_proj",
            other => other,
        };
        format!("{prefix}layers.{index}.{name}.{kind}")
    }

    /// Whether the network does without a tensor on purpose: images and sound, what follows from the configuration, and
    /// an output layer that is the embedding once more.
    pub fn may_be_left_out(&self, name: &str) -> bool {
        match self {
            Self::Gguf => false,
            Self::Hub { head, .. } => {
                name == head
                    || name.ends_with("rotary_emb.inv_freq")
                    || OTHER_SENSES.iter().any(|sense| name.contains(sense))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(names: &[&str], post_norms: bool) -> Naming {
        Naming::of_hub(&names.iter().map(|n| n.to_string()).collect::<Vec<_>>(), post_norms).unwrap()
    }

    #[test]
    fn the_prefix_is_that_of_the_embedding() {
        for prefix in ["model.", "language_model.model.", "model.language_model.", ""] {
            let embedding = format!("{prefix}embed_tokens.weight");
            let naming = hub(&["vision_tower.embeddings.embed_tokens.weight", &embedding, "lm_head.weight"], true);
            assert_eq!(naming.embedding(), embedding);
            assert_eq!(
                naming.layer(3, "ffn_norm.weight"),
                format!("{prefix}layers.3.pre_feedforward_layernorm.weight")
            );
            assert!(naming.may_be_left_out("model.vision_tower.x") && naming.may_be_left_out("lm_head.weight"));
            assert!(!naming.may_be_left_out(&format!("{prefix}layers.0.self_attn.q_proj.weight_scale")));
        }
        assert_eq!(Naming::of_hub(&["encoder.weight".to_owned()], false), None);
    }

    #[test]
    fn families_differ_in_their_norms() {
        let llama = hub(&["model.embed_tokens.weight"], false);
        assert_eq!(llama.layer(0, "ffn_norm.weight"), "model.layers.0.post_attention_layernorm.weight");
        assert_eq!(llama.layer(0, "attn_q.bias"), "model.layers.0.self_attn.q_proj.bias");
        let hunyuan = hub(&["model.embed_tokens.weight", "model.layers.0.self_attn.query_layernorm.weight"], false);
        assert_eq!(hunyuan.layer(0, "attn_k_norm.weight"), "model.layers.0.self_attn.key_layernorm.weight");
        assert_eq!(Naming::Gguf.layer(7, "attn_k_norm.weight"), "blk.7.attn_k_norm.weight");
    }
}
