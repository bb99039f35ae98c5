//! The user's own settings: `config.toml` in anubad's config folder.
use crate::manifest::config_folder;
use crate::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// What the file may settle.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The model that is used where none is named: `model = "nllb-200-distilled-600m"`.
    pub model: Option<String>,
}

impl Settings {
    /// Reads the file, where there is one.
    ///
    /// # Errors
    /// The file is not TOML or says what no setting is for; the error names it and the line.
    pub fn load() -> Result<Self> {
        config_folder().map_or_else(|| Ok(Self::default()), |folder| Self::read(&folder.join("config.toml")))
    }

    fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::io(path, error)),
        };
        let wrong = |e: toml::de::Error| {
            Error::Settings(format!(
                "{}: {}; it may say `model = \"…\"`",
                path.display(),
                e.to_string().trim().replace('\n', " ")
            ))
        };
        toml::from_str(&text).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_what_is_wrong_with_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(Settings::read(&path).unwrap(), Settings::default());
        std::fs::write(&path, "model = \"nllb-200-3.3b\"\n").unwrap();
        assert_eq!(Settings::read(&path).unwrap().model.as_deref(), Some("nllb-200-3.3b"));
        for text in ["modle = \"x\"", "model = 3", "model"] {
            std::fs::write(&path, text).unwrap();
            let error = Settings::read(&path).unwrap_err().to_string();
            assert!(error.contains("config.toml") && !error.contains('\n'), "{error}");
        }
    }
}
