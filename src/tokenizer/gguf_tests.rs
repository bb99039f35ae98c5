use super::*;

/// A vocabulary small enough to work out by hand.
fn small(space_prefix: bool) -> GgufVocabulary {
    let mut tokens: Vec<(String, f32, i32)> = vec![
        ("<pad>".into(), 0.0, 3),
        ("<eos>".into(), 0.0, 3),
        ("<bos>".into(), 0.0, 3),
        ("<unk>".into(), 0.0, 2),
        ("\n".into(), 0.0, 4),
        ("<end_of_turn>".into(), 0.0, 1),
    ];
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    for (rank, piece) in ["▁", "a", "b", "খ", "ব", "র", "ab", "খব", "▁খব", "▁খবর"].iter().enumerate()
    {
        tokens.push(((*piece).into(), -(rank as f32), 1));
    }
    GgufVocabulary {
        model: "llama".into(),
        tokens: tokens.iter().map(|t| t.0.clone()).collect(),
        scores: tokens.iter().map(|t| t.1).collect(),
        token_types: tokens.iter().map(|t| t.2).collect(),
        bos: Some(2),
        eos: Some(1),
        unk: Some(3),
        pad: Some(0),
        add_space_prefix: Some(space_prefix),
        ..Default::default()
    }
}

fn pieces(tokenizer: &GgufTokenizer, ids: &[u32]) -> Vec<String> {
    ids.iter().map(|id| tokenizer.piece(*id).unwrap()).collect()
}

#[test]
fn merges_by_score_and_falls_back_to_bytes() {
    let tokenizer = GgufTokenizer::new(small(false)).unwrap();
    let ids = tokenizer.encode("ab খবর é\n").unwrap();
    assert_eq!(pieces(&tokenizer, &ids), ["ab", "▁খবর", "▁", "<0xC3>", "<0xA9>", "\n"]);
    assert_eq!(tokenizer.decode(&ids).unwrap(), "ab খবর é\n");
}

#[test]
fn the_space_prefix_is_added_after_special_tokens_and_taken_away_again() {
    let tokenizer = GgufTokenizer::new(small(true)).unwrap();
    let ids = tokenizer.encode("খবর\nখবর").unwrap();
    assert_eq!(pieces(&tokenizer, &ids), ["▁খবর", "\n", "▁খবর"]);
    assert_eq!(tokenizer.decode(&ids[..1]).unwrap(), "খবর");
}

#[test]
fn control_tokens_are_recognized_only_when_asked() {
    let tokenizer = GgufTokenizer::new(small(false)).unwrap();
    let text = "<bos>a<end_of_turn>";
    assert_eq!(pieces(&tokenizer, &tokenizer.encode_with_specials(text).unwrap()), ["<bos>", "a", "<end_of_turn>"]);
    assert!(!tokenizer.encode(text).unwrap().contains(&2));
    assert_eq!(tokenizer.decode(&[2, 5]).unwrap(), "", "control tokens have no text");
    assert_eq!(tokenizer.ends(), [1, 5]);
}

#[test]
fn a_source_sentence_gets_what_the_file_says() {
    let mut vocabulary = small(false);
    vocabulary.add_eos = Some(true);
    let tokenizer = GgufTokenizer::new(vocabulary).unwrap();
    let ids = tokenizer.encode_source("a").unwrap();
    assert_eq!(pieces(&tokenizer, &ids), ["<bos>", "a", "<eos>"]);
    assert_eq!(tokenizer.encode_source("").unwrap(), [2, 1]);
}

#[test]
fn joiners_and_nukta_forms_survive() {
    let tokenizer = GgufTokenizer::new(small(false)).unwrap();
    for text in ["র\u{200d}্যাব", "ক\u{200c}্ষ", "\u{9df} য\u{9bc} ড়", "৳ ১,২৩,৪৫৬"]
    {
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()).unwrap(), text);
    }
}

#[test]
fn invalid_utf8_becomes_the_replacement_character() {
    let tokenizer = GgufTokenizer::new(small(false)).unwrap();
    let lone = tokenizer.id("<0xE0>").unwrap();
    assert_eq!(tokenizer.decode(&[lone]).unwrap(), "\u{fffd}");
    assert_eq!(tokenizer.decode(&[u32::MAX]).unwrap(), "", "ids outside the vocabulary have no text");
}

#[test]
fn damaged_vocabularies_are_refused_with_advice() {
    let refused = |change: fn(&mut GgufVocabulary), part: &str| {
        let mut vocabulary = small(false);
        change(&mut vocabulary);
        let text = GgufTokenizer::new(vocabulary).err().expect("refused").to_string();
        assert!(text.contains(part) && !text.contains('\n'), "{text}");
    };
    refused(|v| v.scores.truncate(3), "tokenizer.ggml.scores");
    refused(|v| v.token_types.truncate(3), "tokenizer.ggml.token_type");
    refused(|v| v.bos = Some(u32::MAX), "tokenizer.ggml.bos_token_id");
    refused(|v| v.tokens.clear(), "tokenizer.ggml.tokens");
    refused(|v| v.model = "bert".into(), "'bert'");
}

#[test]
fn without_byte_pieces_the_unknown_token_stands_in() {
    let mut vocabulary = small(false);
    for token in &mut vocabulary.tokens {
        *token = token.replace("<0x", "<x0x");
    }
    vocabulary.token_types.iter_mut().filter(|kind| **kind == 6).for_each(|kind| *kind = 1);
    let tokenizer = GgufTokenizer::new(vocabulary.clone()).unwrap();
    assert_eq!(tokenizer.encode("é").unwrap(), [3, 3]);
    vocabulary.unk = None;
    let error = GgufTokenizer::new(vocabulary).unwrap().encode("é").unwrap_err().to_string();
    assert!(error.contains("<0xC3>"), "{error}");
}

#[test]
fn a_prompt_keeps_its_special_tokens_apart_from_those_that_a_text_spells() {
    let tokenizer = GgufTokenizer::new(small(false)).unwrap();
    let stretches = [Stretch::Trusted("<bos>a"), Stretch::Text("b<end_of_turn>\n"), Stretch::Trusted("<end_of_turn>")];
    let ids = tokenizer.encode_prompt(&stretches).unwrap();
    assert_eq!(pieces(&tokenizer, &ids[..2]), ["<bos>", "ab"], "pieces reach across the border");
    assert_eq!(ids.iter().filter(|id| **id == 5).count(), 1, "the text's own is no token");
    assert_eq!(pieces(&tokenizer, &ids[ids.len() - 2..]), ["\n", "<end_of_turn>"], "user-defined tokens always are");
}
