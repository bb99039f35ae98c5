//! SentencePiece models, tokenizer.json and chat templates (the first byte chooses): read, and used on a text.
#![no_main]
use anubad::tokenizer::chat::{ChatTemplate, Message};
use anubad::tokenizer::{JsonTokenizer, SentencePiece, Tokenizer};
use libfuzzer_sys::fuzz_target;

const TEXT: &str = "ঢাকায় আজ  ২৫ মিলিমিটার বৃষ্টি হয়েছে (সূত্র: BBC)। ﬁn① ½";

fn encode(tokenizer: &dyn Tokenizer) {
    let _ = tokenizer.encode(TEXT);
    let _ = tokenizer.encode_with_specials(TEXT);
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    match first % 3 {
        0 => drop(SentencePiece::from_bytes(bytes, "m").map(|model| encode(&model))),
        1 => drop(JsonTokenizer::from_bytes(bytes, "t").map(|tokenizer| encode(&tokenizer))),
        _ => {
            let Ok(source) = std::str::from_utf8(bytes) else { return };
            if let Ok(template) = ChatTemplate::new(source, "<s>", "</s>") {
                let _ = template.render(&[Message::user(TEXT)], true);
            }
        }
    }
});
