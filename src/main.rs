//! The `anubad` program: hands over the weights that are compiled in and runs the command line.
use std::process::ExitCode;

/// Release builds carry the default model where its weights lie beside the sources (`build.rs` looks); debug builds read it
/// from the source tree, which links faster.
#[cfg(all(anubad_weights, not(debug_assertions)))]
static SHARDS: [&[u8]; 2] = [
    include_bytes!("../models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf"),
    include_bytes!("../models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00002-of-00002.gguf"),
];

/// What the model has learned besides translating, by the names that its manifest uses.
#[cfg(all(anubad_weights, not(debug_assertions)))]
static COMPANIONS: [(&str, &[u8]); 1] =
    [("anubad-270m-bn-en.shorten.gguf", include_bytes!("../models/anubad-270m-bn-en/anubad-270m-bn-en.shorten.gguf"))];

fn main() -> ExitCode {
    #[cfg(all(anubad_weights, not(debug_assertions)))]
    anubad::assembly::embedded::provide(&SHARDS, &COMPANIONS);
    anubad::cli::run()
}
