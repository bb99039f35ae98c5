//! All models that anubad knows by name: those built in and those of the user's config folder.
use super::Manifest;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The model that is used when none is named.
pub const DEFAULT_MODEL: &str = "anubad-270m-bn-en";

macro_rules! built_in {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../models/", $file, ".toml")))),*]
    };
}

/// (id, text) of the manifests in `models/`.
const BUILT_IN: &[(&str, &str)] = built_in![
    "anubad-270m-bn-en",
    "firefox-bn-en",
    "opus-mt-bn-en",
    "nllb-200-distilled-600m",
    "nllb-200-distilled-1.3b",
    "nllb-200-3.3b",
    "m2m100-418m",
    "m2m100-1.2b",
    "indictrans2-indic-en-dist-200m",
    "indictrans2-indic-en-1b",
    "rotary-indictrans2-indic-en-dist-200m",
    "banglat5-nmt-bn-en",
    "madlad400-3b-mt",
    "mbart-large-50-many-to-one",
    "opus-mt-tc-bible-big-inc",
    "milmmt-46-1b",
    "gemmax2-28-2b",
    "hy-mt1.5-1.8b",
    "hy-mt2-1.8b",
    "translategemma-4b",
    "translategemma-12b",
    "sarvam-translate",
    "indictrans3-beta",
    "mt5-m2o-english-crosssum",
    "mt5-multilingual-xlsum",
    "distilbart-cnn",
    "flan-t5-base",
    "gemma-3-1b-it",
    "gemma-3-4b-it",
    "smollm2-135m-instruct",
    "smollm2-360m-instruct",
    "qwen3-0.6b",
];

/// Manifests by id.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

/// One manifest and where it came from.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The manifest.
    pub manifest: Manifest,
    /// `None`: built in.
    pub file: Option<PathBuf>,
}

impl Registry {
    /// The built-in manifests only.
    pub fn built_in() -> Result<Self> {
        let read = |(id, text): &(&str, &str)| {
            let manifest = Manifest::parse(text, &format!("built-in manifest {id}"))?;
            Ok(Entry { manifest, file: None })
        };
        Ok(Self { entries: BUILT_IN.iter().map(read).collect::<Result<_>>()? })
    }

    /// The built-in manifests and those of the user's folder ([`user_folder`]); the user's win.
    pub fn load() -> Result<Self> {
        let mut registry = Self::built_in()?;
        if let Some(folder) = user_folder() {
            registry.add_folder(&folder)?;
        }
        Ok(registry)
    }

    /// Adds every `*.toml` of a folder, in order of name; a missing folder is fine.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let files = match std::fs::read_dir(folder) {
            Ok(files) => files,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            // Somebody else's home (a container under another user): nothing of ours is in it.
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                tracing::debug!("{}: {e}; no manifests are read from there", folder.display());
                return Ok(());
            }
            Err(e) => return Err(Error::io(folder, e)),
        };
        let mut paths: Vec<PathBuf> = files.filter_map(|f| f.ok().map(|f| f.path())).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
        paths.sort();
        for path in paths {
            let manifest = Manifest::read(&path)?;
            self.entries.retain(|e| e.manifest.id != manifest.id);
            self.entries.push(Entry { manifest, file: Some(path) });
        }
        Ok(())
    }

    /// Every manifest, built-in ones first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The manifest of an id or, where no model has that id, of an alias; upper and lower case are the same.
    pub fn find(&self, id: &str) -> Option<&Manifest> {
        let manifests = || self.entries.iter().map(|e| &e.manifest);
        let by_alias = || manifests().find(|m| m.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(id)));
        manifests().find(|m| m.id.eq_ignore_ascii_case(id)).or_else(by_alias)
    }

    /// The manifest whose Hub repository is `repo`.
    pub fn find_repo(&self, repo: &str) -> Option<&Manifest> {
        self.entries.iter().map(|e| &e.manifest).find(|m| m.hub().is_some_and(|h| h.repo.eq_ignore_ascii_case(repo)))
    }

    /// The manifest of a file that nobody described: by the id that is written into it, or by the name that its maker
    /// gave it, in which only letters and digits count.
    pub fn described(&self, id: Option<&str>, name: Option<&str>) -> Option<&Manifest> {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let name = name.map(letters).filter(|name| !name.is_empty());
        let fits = |m: &&Manifest| {
            let repo = m.hub().and_then(|h| h.repo.rsplit('/').next()).map(|name| name.trim_end_matches("-GGUF"));
            let names = [m.id.as_str()].into_iter().chain(m.aliases.iter().map(String::as_str)).chain(repo);
            names.map(letters).any(|known| Some(known) == name)
        };
        let by_name = || self.entries.iter().map(|e| &e.manifest).find(fits);
        id.and_then(|id| self.find(id)).or_else(by_name)
    }

    /// Ids that resemble a misspelled one, best first, at most three. What is the beginning of an id, or of one of its
    /// other names, is as good as it: `nllb` means the NLLBs.
    pub fn resembling(&self, wrong: &str) -> Vec<&str> {
        let wrong = wrong.to_ascii_lowercase();
        let score = |name: &str| {
            let begins = !wrong.is_empty() && name.to_ascii_lowercase().starts_with(&wrong);
            if begins { 1.0 } else { strsim::sorensen_dice(&wrong, name) }
        };
        let best = |m: &Manifest| {
            let others = m.aliases.iter().map(|alias| score(alias));
            others.fold(score(&m.id), f64::max)
        };
        let scored = self.entries.iter().map(|e| (best(&e.manifest), e.manifest.id.as_str()));
        let mut scored: Vec<(f64, &str)> = scored.filter(|(score, _)| *score >= 0.5).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(3).map(|(_, id)| id).collect()
    }
}

/// Where users put their own manifests: `models` in `ANUBAD_CONFIG_DIR`, or in anubad's config folder.
pub fn user_folder() -> Option<PathBuf> {
    config_folder().map(|folder| folder.join("models"))
}

/// `ANUBAD_CONFIG_DIR`, or the platform's own place for configuration.
pub fn config_folder() -> Option<PathBuf> {
    use etcetera::{BaseStrategy, choose_base_strategy};
    match std::env::var_os("ANUBAD_CONFIG_DIR") {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => choose_base_strategy().ok().map(|strategy| strategy.config_dir().join("anubad")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_manifests_are_sound() {
        let registry = Registry::built_in().unwrap();
        assert_eq!(registry.entries().len(), BUILT_IN.len());
        for (file, _) in BUILT_IN {
            let manifest = registry.find(file).unwrap_or_else(|| panic!("models/{file}.toml has another id"));
            assert!(!manifest.license.summary.is_empty() && manifest.license.url.is_some(), "{file}");
            assert!(manifest.limits.input_tokens.is_some(), "{file}: no input limit");
            assert!(!manifest.memory.is_empty(), "{file}: no memory figures");
            assert!(manifest.languages.target.contains_key("en"), "{file}");
        }
        assert!(registry.find(DEFAULT_MODEL).is_some_and(Manifest::embedded));
    }

    #[test]
    fn the_users_manifest_wins_over_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let text = BUILT_IN[2].1.replace("OPUS-MT Bengali", "Mine");
        std::fs::write(folder.path().join("x.toml"), text).unwrap();
        std::fs::write(folder.path().join("ignored.txt"), "not a manifest").unwrap();
        let mut registry = Registry::built_in().unwrap();
        registry.add_folder(folder.path()).unwrap();
        registry.add_folder(&folder.path().join("missing")).unwrap();
        assert_eq!(registry.entries().len(), BUILT_IN.len());
        assert!(registry.find("opus-mt-bn-en").unwrap().name.starts_with("Mine"));

        std::fs::write(folder.path().join("y.toml"), "id = 3").unwrap();
        let error = registry.add_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("y.toml"), "{error}");
    }

    #[test]
    fn a_model_is_found_by_its_other_names() {
        let registry = Registry::built_in().unwrap();
        for name in ["smollm2-135m", "SmolLM2-135M-Instruct"] {
            assert_eq!(registry.find(name).map(|m| m.id.as_str()), Some("smollm2-135m-instruct"));
        }
        for entry in registry.entries() {
            let taken =
                entry.manifest.aliases.iter().find(|a| registry.find(a).map(|m| &m.id) != Some(&entry.manifest.id));
            assert_eq!(taken, None, "another model has this name");
        }
    }

    #[test]
    fn a_file_is_known_by_what_is_written_in_it() {
        let registry = Registry::built_in().unwrap();
        let found = |id, name| registry.described(id, name).map(|m| m.id.as_str());
        assert_eq!(found(None, Some("anubad 270M bn-en")), Some(DEFAULT_MODEL), "the shipped file");
        assert_eq!(found(None, Some("Translategemma 4b It")), Some("translategemma-4b"));
        assert_eq!(found(Some("opus-mt-bn-en"), Some("x")), Some("opus-mt-bn-en"));
        assert_eq!((found(None, Some("")), found(None, None), found(Some("x"), Some("-"))), (None, None, None));
    }

    #[test]
    fn misspelled_ids_are_guessed() {
        let registry = Registry::built_in().unwrap();
        assert_eq!(registry.resembling("nllb-600m")[0], "nllb-200-distilled-600m");
        assert_eq!(registry.resembling("opus-mt-en-bn")[0], "opus-mt-bn-en");
        assert!(registry.resembling("zzzz").is_empty() && registry.resembling("").is_empty());
        let nllbs = registry.resembling("NLLB");
        assert!(nllbs.len() == 3 && nllbs.iter().all(|id| id.starts_with("nllb-200")), "{nllbs:?}");
    }
}
