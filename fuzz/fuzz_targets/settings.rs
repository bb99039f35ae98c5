//! Manifests: whatever one says, what it is taken for stays within bounds.
#![no_main]
use anubad::decode::DecodeOptions;
use anubad::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(manifest) = Manifest::parse(text, "m.toml") else { return };
    let mut options = DecodeOptions::default();
    manifest.decoding.apply(&mut options);
    options.check().expect("checked when it was parsed");
    if let Some(hub) = manifest.hub() {
        assert!(!hub.revision.contains("..") && !hub.revision.starts_with('/'), "{}", hub.revision);
    }
});
