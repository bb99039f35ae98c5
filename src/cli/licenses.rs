//! `anubad licenses`: the notices of everything that the program is made of, from inside the program, so that whoever passes
//! it on passes them on with it.
use crate::assembly::choice::is_installed;
use crate::hub::HubConfig;
use crate::manifest::{DEFAULT_MODEL, Registry};
use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;

/// Made by `scripts/notices`.
static CRATES: &[u8] = include_bytes!("../../licenses/crates.json.zst");
const OWN: [(&str, &str); 2] =
    [("LICENSE-MIT", include_str!("../../LICENSE-MIT")), ("LICENSE-APACHE", include_str!("../../LICENSE-APACHE"))];
const OF_MODEL: [(&str, &str); 2] = [
    ("NOTICE", include_str!("../../models/anubad-270m-bn-en/NOTICE")),
    ("GEMMA_TERMS_OF_USE", include_str!("../../models/anubad-270m-bn-en/GEMMA_TERMS_OF_USE.md")),
];
/// Bytes that the notices unpack to at most.
const MOST: u64 = 64 << 20;

/// Print the licenses and notices of the program, of the crates in it and of its models
#[derive(Debug, Args)]
pub struct LicensesArgs {
    /// A line for each, without the texts
    #[arg(long, conflicts_with = "json")]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The crates' notices. A text that several crates have stands here once.
#[derive(Debug, Serialize, Deserialize)]
struct Notices {
    crates: Vec<Crate>,
    texts: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// An SPDX expression.
    license: String,
    repository: Option<String>,
    authors: Vec<String>,
    /// Name of a file, and which of [`Notices::texts`] it holds.
    files: Vec<(String, usize)>,
}

/// Runs the command.
pub(super) fn run(args: &LicensesArgs) -> anyhow::Result<ExitCode> {
    let notices = read()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        let own = OWN.map(|(name, text)| serde_json::json!({ "file": name, "text": text }));
        let model = OF_MODEL.map(|(name, text)| serde_json::json!({ "file": name, "text": text }));
        let all = serde_json::json!({
            "schema": 1, "license": env!("CARGO_PKG_LICENSE"), "own": own, "model": model, "crates": notices.crates,
            "texts": notices.texts,
        });
        serde_json::to_writer(&mut out, &all)?;
        writeln!(out)?;
    } else {
        list(&mut out, &notices)?;
        if !args.list {
            texts(&mut out, &notices)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn read() -> anyhow::Result<Notices> {
    use std::io::Read as _;
    let mut text = String::new();
    let unpacked = zstd::Decoder::new(CRATES).context("the notices inside the program")?;
    unpacked.take(MOST).read_to_string(&mut text).context("the notices inside the program")?;
    serde_json::from_str(&text).context("the notices inside the program")
}

/// A line for the program, each model that is here and each crate.
fn list(out: &mut dyn Write, notices: &Notices) -> anyhow::Result<()> {
    writeln!(out, "anubad {}: {}", env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_LICENSE"))?;
    writeln!(out, "\nModels on this machine:")?;
    let config = HubConfig::from_env();
    // The built-in manifests do where the user's cannot be read: this is about licenses.
    let registry = Registry::load().or_else(|_| Registry::built_in())?;
    for manifest in registry.entries().iter().map(|entry| &entry.manifest).filter(|m| is_installed(&config, m)) {
        let url = manifest.license.url.as_deref().map(|url| format!(" ({url})")).unwrap_or_default();
        writeln!(out, "  {}: {}{url}", manifest.id, manifest.license.summary)?;
    }
    writeln!(
        out,
        "\n{} crates, those for other systems and features included; the source of each is published under its name and \
         version:",
        notices.crates.len()
    )?;
    for part in &notices.crates {
        let repository = part.repository.as_deref().map(|url| format!("  {url}")).unwrap_or_default();
        writeln!(out, "  {} {}: {}{repository}", part.name, part.version, part.license)?;
    }
    Ok(())
}

/// The texts, each with whom it is of.
fn texts(out: &mut dyn Write, notices: &Notices) -> anyhow::Result<()> {
    for (name, text) in OWN {
        section(out, &format!("anubad: {name}"), text)?;
    }
    for (name, text) in OF_MODEL {
        section(out, &format!("The weights of {DEFAULT_MODEL}: {name}"), text)?;
    }
    for (index, text) in notices.texts.iter().enumerate() {
        let mut whose = Vec::new();
        for part in &notices.crates {
            let files = part.files.iter().filter(|(_, at)| *at == index);
            whose.extend(files.map(|(file, _)| format!("{} {}: {file}", part.name, part.version)));
        }
        section(out, &whose.join("\n"), text)?;
    }
    Ok(())
}

fn section(out: &mut dyn Write, heading: &str, text: &str) -> std::io::Result<()> {
    let line = "=".repeat(100);
    writeln!(out, "\n{line}\n{heading}\n{line}\n\n{}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_has_its_license_and_every_text_its_crate() {
        let notices = read().unwrap();
        assert!(notices.crates.len() > 200, "{}", notices.crates.len());
        let mut used = vec![false; notices.texts.len()];
        for part in &notices.crates {
            assert!(!part.license.is_empty() && !part.files.is_empty(), "{}", part.name);
            part.files.iter().for_each(|(_, at)| used[*at] = true);
        }
        assert!(used.iter().all(|used| *used), "a text of nobody's");
        // Licenses that end up in one file with ours must not ask for ours to be changed.
        let strong = |text: &str| text.contains("GPL") && !text.contains("OR");
        assert!(notices.crates.iter().all(|part| !strong(&part.license)));
    }

    #[test]
    fn the_list_names_all_and_the_texts_follow() {
        let notices = Notices {
            crates: vec![Crate {
                name: "one".into(),
                version: "1.2.3".into(),
                license: "MIT".into(),
                repository: None,
                authors: vec![],
                files: vec![("LICENSE".into(), 0)],
            }],
            texts: vec!["Do as you like.\n".into()],
        };
        let mut out = Vec::new();
        list(&mut out, &notices).unwrap();
        texts(&mut out, &notices).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("anubad ") && out.contains("  one 1.2.3: MIT\n"), "{out}");
        assert!(out.contains("\none 1.2.3: LICENSE\n") && out.contains("Do as you like."), "{out}");
        assert!(out.contains("Gemma Terms of Use") && out.contains("MIT OR Apache-2.0"), "{out}");
    }
}
