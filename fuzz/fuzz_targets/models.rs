//! Files of weights (the first byte chooses the format): opened, and every tensor that they claim to have read.
#![no_main]
use anubad::model::weights::{SafetensorsFile, TensorSource, TorchFile, gguf::Gguf};
use libfuzzer_sys::fuzz_target;

/// Numbers that are converted of one file; a claim of more is checked without reading them all.
const MOST: usize = 1 << 20;

fn read(source: &dyn TensorSource) {
    for name in source.names() {
        let Ok(Some(view)) = source.find(&name) else { continue };
        if view.shape.iter().product::<usize>() <= MOST {
            let _ = view.to_f32();
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("m");
    std::fs::write(&path, bytes).expect("a temporary file");
    match first % 3 {
        0 => drop(Gguf::open(&path).map(|file| read(&file))),
        1 => drop(SafetensorsFile::open(&path).map(|file| read(&file))),
        _ => drop(TorchFile::open(&path).map(|file| read(&file))),
    }
});
