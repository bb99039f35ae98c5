//! Our models against the tokenizers crate's, on small random vocabularies.
use super::{super::pieces::Pieces, *};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const LETTERS: [&str; 6] = ["a", "b", "c", "▁", "ক", "খ"];

fn file(model: Value) -> Vec<u8> {
    let words = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    let added = json!([{"id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true}]);
    let whole = json!({"version": "1.0", "added_tokens": added, "normalizer": null, "pre_tokenizer": words,
        "post_processor": null, "decoder": words, "model": model});
    whole.to_string().into_bytes()
}

/// `<unk>`, the byte pieces if asked for, some letters, and pieces put together from what is before them.
fn pieces(bytes: bool, letters: usize, joins: &[(usize, usize)]) -> (Vec<String>, Vec<[String; 2]>) {
    let mut pieces = vec!["<unk>".to_owned()];
    pieces.extend((0..256).filter(|_| bytes).map(|byte| format!("<0x{byte:02X}>")));
    let first = pieces.len();
    pieces.extend(LETTERS[..letters].iter().map(|&letter| letter.to_owned()));
    let mut merges = Vec::new();
    for (left, right) in joins {
        let known = pieces.len() - first;
        let (left, right) = (pieces[first + left % known].clone(), pieces[first + right % known].clone());
        let whole = format!("{left}{right}");
        if !pieces.contains(&whole) {
            pieces.push(whole);
        }
        merges.push([left, right]);
    }
    (pieces, merges)
}

/// The same ids, pieces and text from both, and ours read by our own reader.
fn assert_equal(file: &[u8], text: &str) {
    let ours: Pipeline = serde_json::from_slice(file).expect("our reader knows it");
    let theirs = tokenizers::Tokenizer::from_bytes(file).expect("the crate knows it");
    let (a, b) = (ours.encode(text, false), theirs.encode(text, false));
    let (a, b) = (a.expect("our ids"), b.expect("the crate's ids"));
    let file = String::from_utf8_lossy(file);
    assert_eq!(a.get_ids(), b.get_ids(), "{text:?} {file}");
    assert_eq!(a.get_offsets(), b.get_offsets(), "{text:?} {file}");
    assert_eq!(ours.decode(a.get_ids(), true).expect("text"), theirs.decode(b.get_ids(), true).expect("text"));
    let id = a.get_ids().first().copied().unwrap_or(0);
    assert_eq!(ours.id_to_token(id), theirs.id_to_token(id));
    assert_eq!(ours.get_vocab_size(true), theirs.get_vocab_size(true));
    assert_eq!(ours.get_vocab(true), theirs.get_vocab(true));
}

proptest! {
    #[test]
    fn bpe_is_that_of_the_crate(
        (letters, joins) in (1..=6usize, vec((any::<usize>(), any::<usize>()), 0..12)),
        text in vec(select(&["a", "b", "c", " ", "ক", "খ", "é", "😀", "</s>"][..]), 0..24),
        (unk, fuse, bytes, whole, old) in any::<(bool, bool, bool, bool, bool)>(),
    ) {
        let (pieces, merges) = pieces(bytes, letters, &joins);
        let ids: serde_json::Map<String, Value> =
            pieces.iter().enumerate().map(|(id, piece)| (piece.clone(), json!(id))).collect();
        let merges = if old { json!(merges.iter().map(|pair| pair.join(" ")).collect::<Vec<_>>()) } else { json!(merges) };
        let model = json!({"type": "BPE", "vocab": ids, "merges": merges, "unk_token": unk.then_some("<unk>"),
            "fuse_unk": fuse, "byte_fallback": bytes, "ignore_merges": whole, "dropout": null,
            "continuing_subword_prefix": "", "end_of_word_suffix": null});
        assert_equal(&file(model), &text.concat());
    }

    #[test]
    fn unigram_is_that_of_the_crate(
        (letters, joins) in (1..=6usize, vec((any::<usize>(), any::<usize>()), 0..12)),
        scores in vec((-40i16..0).prop_map(|score| f64::from(score) / 4.0), 18),
        text in vec(select(&["a", "b", "c", " ", "ক", "খ", "é", "😀", "<unk>"][..]), 0..24),
        bytes in any::<bool>(),
    ) {
        let (pieces, _) = pieces(bytes, letters, &joins);
        let scores = scores.iter().cycle();
        let vocabulary: Vec<(String, f64)> = pieces.into_iter().zip(scores.copied()).collect();
        let model = json!({"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": bytes});
        assert_equal(&file(model), &text.concat());
    }
}

/// The merges that transformers writes for a SentencePiece model: every way to cut a piece in two known ones, in the
/// order of the piece's id, then of the length of the left side.
fn merges_of(pieces: &[String]) -> Vec<[String; 2]> {
    let mut merges = Vec::new();
    for piece in pieces {
        let cuts = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
        let known = cuts.filter(|(left, right)| [left, right].iter().all(|side| pieces.iter().any(|p| p == *side)));
        merges.extend(known.map(|(left, right)| [left.to_owned(), right.to_owned()]));
    }
    merges
}

#[test]
fn merges_follow_the_ids() {
    let pieces = ["a", "b", "ab", "ba", "aba"].map(str::to_owned);
    let expected = [["a", "b"], ["b", "a"], ["a", "ba"], ["ab", "a"]];
    assert_eq!(merges_of(&pieces), expected.map(|pair| pair.map(str::to_owned)));
}

proptest! {
    #[test]
    fn pieces_in_order_merge_as_the_list_of_all_cuts(
        (letters, joins) in (2..=6usize, vec((any::<usize>(), any::<usize>()), 0..12)),
        text in vec(select(&["a", "b", "c", "ক", "খ", "é"][..]), 0..24),
    ) {
        let (pieces, _) = pieces(false, letters, &joins);
        let merges = merges_of(&pieces);
        let model = |order: fn(&Pieces, &[[String; 2]]) -> bpe::Order| {
            let pieces = Pieces::new(pieces.iter().map(String::as_str));
            let order = order(&pieces, &merges);
            bpe::Bpe { pieces, order, unknown: bpe::Unknown::Piece { id: 0, fuse: true }, ignore_merges: false }
        };
        let by_piece = model(|_, _| bpe::Order::Pieces);
        let by_list = model(|pieces, merges| {
            let merges = merges.iter().map(|[left, right]| (left.as_str(), right.as_str()));
            bpe::Order::of_list(pieces, merges).expect("all are pieces")
        });
        let text = text.concat();
        assert_eq!(by_piece.segment(&text), by_list.segment(&text));
    }
}

#[test]
fn what_our_reader_does_not_know_is_left_to_the_crate() {
    let words = json!({"type": "WordLevel", "vocab": {"<unk>": 0, "▁a": 1}, "unk_token": "<unk>"});
    let suffix =
        json!({"type": "BPE", "vocab": {"<unk>": 0, "▁": 1, "a</w>": 2}, "merges": [], "end_of_word_suffix": "</w>"});
    for (model, expected) in [(words, vec![1]), (suffix, vec![1, 2])] {
        let file = file(model);
        assert!(serde_json::from_slice::<Pipeline>(&file).is_err());
        let tokenizer = JsonTokenizer::from_bytes(&file, "tokenizer.json").expect("the crate knows it");
        assert_eq!(tokenizer.encode("a").expect("ids"), expected);
    }
}

#[test]
fn what_nobody_knows_is_refused_with_the_name_of_the_file() {
    let broken = [
        json!({"type": "Unigram", "unk_id": 9, "vocab": [["a", 0.0]]}),
        json!({"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}),
        json!({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b c"]}),
        json!({"type": "Sorcery"}),
    ];
    for model in broken {
        let error = JsonTokenizer::from_bytes(&file(model.clone()), "dir/tokenizer.json").err().expect("refused");
        assert!(error.to_string().starts_with("dir/tokenizer.json is not a readable tokenizer"), "{model}: {error}");
    }
}
