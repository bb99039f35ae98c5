//! Any bytes as one of the files of a model of Marian's (the first byte chooses which): an error or a result, never a panic,
//! never more memory than the bytes account for.
#![no_main]
use anubad::model::encoder_decoder::marian_native::{LexicalShortlist, MarianConfig};
use anubad::model::weights::marian::{parse_container, parse_npz};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    match first % 4 {
        0 => {
            for item in parse_container(bytes, "m.bin").iter().flat_map(|items| items.values()) {
                assert!(item.bytes.end <= bytes.len());
            }
        }
        1 => {
            for (content, items) in parse_npz(bytes, "m.npz").iter() {
                assert!(items.values().all(|item| item.bytes.end <= content.len()));
            }
        }
        2 => {
            let size = usize::from(first) * 4;
            if let Ok(list) = LexicalShortlist::parse(bytes, "lex.bin", size, size) {
                let ids = list.candidates(&[0, 1, first.into(), u32::MAX], first % 8 == 2, size);
                assert!(ids.is_sorted() && ids.iter().all(|&id| (id as usize) < size));
            }
        }
        _ => {
            let _ = std::str::from_utf8(bytes).map(|text| MarianConfig::parse(text, "m.bin").is_ok());
        }
    }
});
