//! Where the cache lies and how the Hub is reached: the environment variables that Hugging Face's own tools read.
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of the cache and the network; [`HubConfig::from_env`] for the program, by hand for tests.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// The folder that holds `models--org--name` folders.
    pub cache: PathBuf,
    /// Base address, without a slash at the end.
    pub endpoint: String,
    /// Access token for gated models.
    pub token: Option<String>,
    /// Never touch the network, whatever is asked.
    pub offline: bool,
    /// Patience with the network.
    pub network: Network,
    /// Free bytes to believe in instead of asking the system; for tests.
    pub pretend_free: Option<u64>,
}

/// Patience with the network and with other processes.
#[derive(Debug, Clone)]
pub struct Network {
    /// Tries of a request that brings no new bytes; a try that does bring some starts the count again.
    pub tries: u32,
    /// Wait before the second try; doubled for each further one, up to [`Network::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait between two tries.
    pub longest_wait: Duration,
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest silence of a server.
    pub silence: Duration,
    /// How long to wait for another process that downloads the same file.
    pub lock_wait: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            tries: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            lock_wait: Duration::from_secs(3600),
        }
    }
}

impl HubConfig {
    /// `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` (or the token file), `HF_ENDPOINT` and `HF_HUB_OFFLINE`,
    /// as `huggingface_hub` reads them.
    pub fn from_env() -> Self {
        Self::from_lookup(&|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    /// As [`HubConfig::from_env`], over any lookup of variables.
    pub fn from_lookup(get: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = hugging_face_home(get);
        let cache = get("HF_HUB_CACHE").or_else(|| get("HUGGINGFACE_HUB_CACHE"));
        let cache = cache.map(|path| expand(&path, get)).unwrap_or_else(|| home.join("hub"));
        let endpoint = get("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        Self {
            cache,
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            token: token(get, &home),
            offline: truthy(get("HF_HUB_OFFLINE")) || truthy(get("TRANSFORMERS_OFFLINE")),
            network: Network::default(),
            pretend_free: None,
        }
    }
}

fn truthy(value: Option<String>) -> bool {
    value.is_some_and(|v| matches!(v.trim().to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE"))
}

fn hugging_face_home(get: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    if let Some(home) = get("HF_HOME") {
        return expand(&home, get);
    }
    let base = get("XDG_CACHE_HOME").map(|path| expand(&path, get)).unwrap_or_else(|| expand("~/.cache", get));
    base.join("huggingface")
}

/// `~` at the start is the user's home, as in Python's `expanduser`.
fn expand(path: &str, get: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            let home = get("HOME").or_else(|| get("USERPROFILE")).unwrap_or_else(|| ".".into());
            Path::new(&home).join(rest.trim_start_matches(['/', '\\']))
        }
        _ => path.into(),
    }
}

fn token(get: &dyn Fn(&str) -> Option<String>, home: &Path) -> Option<String> {
    let clean = |text: String| {
        let token = text.trim().to_owned();
        (!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())).then_some(token)
    };
    if let Some(token) = get("HF_TOKEN").or_else(|| get("HUGGING_FACE_HUB_TOKEN")).and_then(clean) {
        return Some(token);
    }
    let file = get("HF_TOKEN_PATH").map(|path| expand(&path, get)).unwrap_or_else(|| home.join("token"));
    std::fs::read_to_string(file).ok().and_then(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(pairs: &[(&str, &str)]) -> HubConfig {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        HubConfig::from_lookup(&move |name| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn the_cache_lies_where_hugging_faces_tools_put_it() {
        assert_eq!(lookup(&[("HOME", "/h")]).cache, Path::new("/h/.cache/huggingface/hub"));
        assert_eq!(lookup(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]).cache, Path::new("/x/huggingface/hub"));
        assert_eq!(lookup(&[("HOME", "/h"), ("HF_HOME", "~/hf")]).cache, Path::new("/h/hf/hub"));
        assert_eq!(lookup(&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")]).cache, Path::new("/c"));
    }

    #[test]
    fn endpoint_and_offline() {
        let config = lookup(&[("HF_ENDPOINT", "http://mirror/hf/"), ("HF_HUB_OFFLINE", "yes")]);
        assert_eq!((config.endpoint.as_str(), config.offline), ("http://mirror/hf", true));
        assert!(!lookup(&[("HF_HUB_OFFLINE", "0")]).offline);
    }

    #[test]
    fn token_from_the_environment_or_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        assert_eq!(lookup(&[("HF_HOME", home)]).token, None);
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        assert_eq!(lookup(&[("HF_HOME", home)]).token.as_deref(), Some("hf_file"));
        assert_eq!(lookup(&[("HF_HOME", home), ("HF_TOKEN", "hf_env")]).token.as_deref(), Some("hf_env"));
        // A line break inside would let a token write headers of its own.
        assert_eq!(lookup(&[("HF_HOME", home), ("HF_TOKEN", "a\nb")]).token.as_deref(), Some("hf_file"));
    }
}
