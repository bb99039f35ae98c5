//! What a manifest may say. One comes along with a model from anywhere, so that no field of it leads out of the cache, and
//! none asks for more than a machine has.
use super::Manifest;
use crate::decode::DecodeOptions;
use crate::error::ModelError;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Longest manifest, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Most tokens that a limit may name: more than any model reads or writes.
const MAX_TOKENS: usize = 10_000_000;

/// The file's text, if it is of a size that a manifest may have.
pub(super) fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|e| Error::io(path, e))?;
    if text.len() as u64 > MAX_FILE {
        return Err(Error::Model(ModelError::Unsupported(format!(
            "{}: larger than {MAX_FILE} bytes; this is no manifest",
            path.display()
        ))));
    }
    Ok(text)
}

/// The first thing that is wrong.
pub(super) fn check(manifest: &Manifest) -> Result<(), String> {
    if let Some(hub) = manifest.hub() {
        let legal = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
        let plain = |text: &str| super::is_safe_file_name(text) && text.split('/').all(|p| !p.starts_with(['.', '-']));
        if !legal(&hub.repo) || !plain(&hub.repo) {
            return Err(format!("repo {:?} holds what no repository's name does", hub.repo));
        }
        if !legal(&hub.revision) || !plain(&hub.revision) {
            return Err(format!("revision {:?} is no commit, branch or tag", hub.revision));
        }
    }
    if let Some(name) = manifest.shorten.as_ref().and_then(|frame| frame.adapter.as_deref())
        && (!super::is_safe_file_name(name) || name.contains('/'))
    {
        return Err(format!("[shorten]: adapter {name:?} is no file's name"));
    }
    let mut decoding = DecodeOptions::default();
    manifest.decoding.apply(&mut decoding);
    decoding.check().map_err(|what| format!("[decoding]: {what}"))?;
    for (name, limit) in
        [("input_tokens", manifest.limits.input_tokens), ("output_tokens", manifest.limits.output_tokens)]
    {
        if limit.is_some_and(|tokens| !(1..=MAX_TOKENS).contains(&tokens)) {
            return Err(format!("[limits]: {name} is {}, not from 1 to {MAX_TOKENS}", limit.unwrap_or(0)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::SMALL;
    use super::*;

    #[test]
    fn no_field_leads_out_of_the_cache_or_beyond_the_machine() {
        let hub = "repo = \"org/toy\"";
        for (from, to) in [
            (hub, "repo = \"org/toy\"\nrevision = \"../../../../victim\""),
            (hub, "repo = \"org/toy\"\nrevision = \"/etc/x\""),
            (hub, "repo = \"org/toy\"\nrevision = \"a b\""),
            (hub, "repo = \"org/toy\"\nrevision = \"\""),
            (hub, "repo = \"org/..\""),
            (hub, "repo = \"../toy\""),
            (hub, "repo = \"org/to\\u0000y\""),
            (hub, "repo = \"org\\\\x/toy\""),
            ("beams = 4", "beams = 0"),
            ("beams = 4", "beams = 65"),
            ("beams = 4", "beams = 4000000000"),
            ("beams = 4", "beams = 9223372036854775807"),
            ("beams = 4", "max_new_tokens = 0"),
            ("beams = 4", "max_new_tokens = 9223372036854775807"),
            ("beams = 4", "min_new_tokens = 9223372036854775807"),
            ("beams = 4", "no_repeat_ngram = 9223372036854775807"),
            ("beams = 4", "repetition_penalty = nan"),
            ("beams = 4", "repetition_penalty = 0.0"),
            ("length_penalty = 0.6", "length_penalty = inf"),
            ("[decoding]", "[limits]\ninput_tokens = 0\n[decoding]"),
            ("[decoding]", "[shorten]\nprefix = \"\"\nsuffix = \"\"\nadapter = \"../x.gguf\"\n[decoding]"),
            ("[decoding]", "[limits]\noutput_tokens = 9223372036854775807\n[decoding]"),
        ] {
            let text = SMALL.replace(from, to);
            assert_ne!(text, SMALL, "{from}");
            let error = Manifest::parse(&text, "evil.toml").err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.starts_with("evil.toml: ") && error.lines().count() == 1, "{to}: {error}");
        }
        assert!(Manifest::parse(&SMALL.replace(hub, "repo = \"o.r-g/t_1\"\nrevision = \"refs/pr/1\""), "a").is_ok());
    }

    #[test]
    fn a_file_that_is_no_manifest_is_not_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anubad.toml");
        std::fs::write(&path, vec![b'#'; (MAX_FILE + 1) as usize]).unwrap();
        assert!(Manifest::read(&path).unwrap_err().to_string().contains("no manifest"));
    }
}
