//! Looks whether the default model's weights lie beside the sources: a clone of the repository has them, the crate as it is
//! packed does not, since they are larger than a registry takes. A program built without them finds them when it runs.
use std::path::Path;

const FOLDER: &str = "models/anubad-270m-bn-en";
/// The files that `src/main.rs` includes.
const FILES: [&str; 3] = [
    "anubad-270m-bn-en.q8_0-00001-of-00002.gguf",
    "anubad-270m-bn-en.q8_0-00002-of-00002.gguf",
    "anubad-270m-bn-en.shorten.gguf",
];
/// A file smaller than this is none of them: it may be a pointer that a clone without its large files left.
const LEAST: u64 = 1 << 20;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(anubad_weights)");
    println!("cargo::rerun-if-changed={FOLDER}");
    if std::env::var_os("CARGO_FEATURE_EMBEDDED_MODEL").is_none() {
        return;
    }
    let there = |name: &&str| Path::new(FOLDER).join(name).metadata().is_ok_and(|meta| meta.len() >= LEAST);
    match FILES.iter().find(|name| !there(name)) {
        None => println!("cargo::rustc-cfg=anubad_weights"),
        Some(name) => println!("cargo::warning={FOLDER}/{name} is not here: the program will look for it when it runs"),
    }
}
