//! HTTP with the Hub: listing a repository, opening a file, following redirects, trying again.
use super::HubError;
use super::config::HubConfig;
use crate::manifest::{is_hex, is_safe_file_name};
use crate::{Error, Result};
use serde::Deserialize;
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri, header};

const MOST_REDIRECTS: usize = 8;

/// A connection to one Hub.
pub struct Client {
    pub(super) config: HubConfig,
    agent: ureq::Agent,
}

/// A repository at one commit.
#[derive(Debug, Clone)]
pub struct Listing {
    pub commit: String,
    pub files: Vec<RemoteFile>,
}

/// A file as the listing describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteFile {
    pub name: String,
    pub size: Option<u64>,
    pub digest: Option<Digest>,
}

/// What a file's bytes must hash to. The cache names blobs by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    Sha256(String),
    /// SHA-1 over `blob SIZE\0` and the bytes, as git names blobs.
    Git(String),
}

impl Digest {
    /// The hex digits: the blob's name in the cache.
    pub fn hex(&self) -> &str {
        match self {
            Digest::Sha256(hex) | Digest::Git(hex) => hex,
        }
    }

    /// From an ETag header, with or without quotes and `W/`; the length tells which it is.
    pub fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.trim().trim_start_matches("W/").trim_matches('"').to_ascii_lowercase();
        match hex.len() {
            64 if is_hex(&hex, 64) => Some(Digest::Sha256(hex)),
            40 if is_hex(&hex, 40) => Some(Digest::Git(hex)),
            _ => None,
        }
    }
}

/// Why a request failed, and whether trying again can help.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: Box<Error>,
    pub again: bool,
    /// The server named a wait (`Retry-After`).
    pub wait: Option<Duration>,
}

impl Failure {
    /// It is of no use to try again.
    pub fn fatal(error: HubError) -> Self {
        Self { error: Box::new(error.into()), again: false, wait: None }
    }

    /// The next attempt may succeed.
    pub fn passing(error: HubError) -> Self {
        Self { error: Box::new(error.into()), again: true, wait: None }
    }
}

#[derive(Deserialize)]
struct ApiModel {
    sha: String,
    #[serde(default)]
    siblings: Vec<ApiFile>,
}

#[derive(Deserialize)]
struct ApiFile {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<ApiLfs>,
}

#[derive(Deserialize)]
struct ApiLfs {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Client {
    /// A client; an error when the settings say offline.
    pub fn new(config: HubConfig) -> Result<Self> {
        if config.offline {
            let text = "HF_HUB_OFFLINE is set: nothing is downloaded; unset it and run the command again";
            return Err(HubError::Offline(text.into()).into());
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("anubad/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(config.network.connect))
            .timeout_recv_response(Some(config.network.silence))
            .timeout_per_read(Some(config.network.silence))
            .build()
            .new_agent();
        Ok(Self { config, agent })
    }

    /// What a repository holds at a revision.
    pub fn list(&self, repo: &str, revision: &str) -> Result<Listing> {
        let url = format!("{}/api/models/{repo}/revision/{}?blobs=true", self.config.endpoint, escape(revision));
        let text = self.retrying(&mut |_, _| {}, &mut || {
            let mut response = self.get(&url, &[])?;
            check_status(&response, &format!("{repo} at {revision}"), repo)?;
            response.body_mut().with_config().limit(64 << 20).read_to_string().map_err(|e| broken(&url, e))
        })?;
        let model: ApiModel = serde_json::from_str(&text).map_err(|e| HubError::Answer {
            text: format!("{}: not the answer of a Hub ({e}); check HF_ENDPOINT", shown_url(&url)),
            source: Some(e.into()),
        })?;
        if !is_hex(&model.sha, 40) {
            let text = format!("{}: `{}` is no commit; check HF_ENDPOINT", shown_url(&url), model.sha);
            return Err(HubError::Answer { text, source: None }.into());
        }
        let files = model.siblings.into_iter().filter(|f| is_safe_file_name(&f.rfilename)).map(remote_file).collect();
        Ok(Listing { commit: model.sha, files })
    }

    /// The address of a file at a commit.
    pub(super) fn file_url(&self, repo: &str, commit: &str, name: &str) -> String {
        let name: Vec<String> = name.split('/').map(escape).collect();
        format!("{}/{repo}/resolve/{}/{}", self.config.endpoint, escape(commit), name.join("/"))
    }

    /// Sends a GET and follows redirects by hand: the token goes to the endpoint's own host only.
    /// The first answer's digest header is kept, since the storage host behind it knows none.
    pub(super) fn open(&self, url: &str, from: u64) -> Result<Opened, Failure> {
        let range = format!("bytes={from}-");
        let headers: &[(&str, &str)] = if from > 0 { &[("range", &range)] } else { &[] };
        let mut digest = None;
        let mut address = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.get(&address, headers)?;
            let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
            digest = digest.or_else(|| header("x-linked-etag").or(header("etag")).and_then(Digest::from_etag));
            if !response.status().is_redirection() {
                return Ok(Opened { response, digest });
            }
            let target = header("location").unwrap_or_default();
            address = absolute(&address, target).ok_or_else(|| {
                let text = format!(
                    "{}: redirected to `{}`, which is no web address; check HF_ENDPOINT",
                    shown_url(&address),
                    shown_url(target)
                );
                Failure::fatal(HubError::Answer { text, source: None })
            })?;
        }
        let text = format!("{}: more than {MOST_REDIRECTS} redirects; check HF_ENDPOINT and the proxy", shown_url(url));
        Err(Failure::fatal(HubError::Answer { text, source: None }))
    }

    fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Response<ureq::Body>, Failure> {
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = self.config.token.as_ref().filter(|_| same_origin(url, &self.config.endpoint)) {
            if is_private(url) {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            } else {
                static TOLD: std::sync::Once = std::sync::Once::new();
                TOLD.call_once(|| {
                    let endpoint = shown_url(&self.config.endpoint);
                    tracing::warn!("{endpoint}: not encrypted, so the token is not sent there; use an https address");
                });
            }
        }
        request.call().map_err(|e| broken(url, e))
    }

    /// Runs `attempt` until it succeeds, fails for good or has used up its tries. `told` hears of each
    /// failure and the wait that follows.
    pub(super) fn retrying<T>(
        &self,
        told: &mut dyn FnMut(&Error, Duration),
        attempt: &mut dyn FnMut() -> Result<T, Failure>,
    ) -> Result<T> {
        let mut wait = self.config.network.first_wait;
        for left in (0..self.config.network.tries.max(1)).rev() {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(failure) if failure.again && left > 0 => {
                    let pause = failure.wait.unwrap_or(wait).min(self.config.network.longest_wait);
                    told(&failure.error, pause);
                    std::thread::sleep(pause);
                    wait = (wait * 2).min(self.config.network.longest_wait);
                }
                Err(failure) => return Err(*failure.error),
            }
        }
        Err(HubError::Unreachable { text: "no attempt was made".into(), source: None }.into())
    }
}

/// An open file.
pub(super) struct Opened {
    pub response: Response<ureq::Body>,
    pub digest: Option<Digest>,
}

fn remote_file(file: ApiFile) -> RemoteFile {
    let lfs = file.lfs.as_ref();
    let sha256 = lfs.and_then(|l| l.sha256.as_deref()).and_then(Digest::from_etag);
    // A pointer file's blob id says nothing of the content behind it.
    let git = if lfs.is_none() { file.blob_id.as_deref().and_then(Digest::from_etag) } else { None };
    RemoteFile { name: file.rfilename, size: lfs.and_then(|l| l.size).or(file.size), digest: sha256.or(git) }
}

/// Turns an answer that is no success into advice.
pub(super) fn check_status(response: &Response<ureq::Body>, what: &str, repo: &str) -> Result<(), Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
    let code = header("x-error-code").unwrap_or_default();
    let account = "accept the terms on the model's page, then give your token in HF_TOKEN (or run `hf auth login`)";
    Err(match status {
        StatusCode::UNAUTHORIZED if code == "RepoNotFound" || code.is_empty() => {
            Failure::fatal(HubError::NotFound(format!(
                "{what}: the Hub says 401: there is no such repository, or it is private or gated; check the name, {account}"
            )))
        }
        StatusCode::UNAUTHORIZED => Failure::fatal(HubError::Gated(format!(
            "{what}: this model is gated and the Hub knows no account of yours; {account}"
        ))),
        StatusCode::FORBIDDEN => Failure::fatal(HubError::Gated(format!(
            "{what}: your account has no access to this model yet; open the page of {repo} on the Hub, {account}"
        ))),
        StatusCode::NOT_FOUND if code == "RevisionNotFound" => {
            Failure::fatal(HubError::NotFound(format!("{what}: no such revision; check the manifest's `revision`")))
        }
        StatusCode::NOT_FOUND => {
            Failure::fatal(HubError::NotFound(format!("{what}: not there (404); check the name on the Hub")))
        }
        _ if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) => {
            let wait = header("retry-after").and_then(|v| v.trim().parse().ok()).map(Duration::from_secs);
            let text = format!("{what}: the Hub answered {status}; try again later");
            Failure { wait, ..Failure::passing(HubError::Unreachable { text, source: None }) }
        }
        _ => {
            let text = format!("{what}: the Hub answered {status}; check HF_ENDPOINT and the proxy");
            Failure::fatal(HubError::Answer { text, source: None })
        }
    })
}

/// A failure below HTTP. Names that cannot be resolved and addresses that make no sense are final.
fn broken(url: &str, error: ureq::Error) -> Failure {
    // The library's own words may quote the address; then they are not handed on as the cause either.
    let said = error.to_string();
    let text = format!(
        "{}: {}; check the connection and run the same command again",
        shown_url(url),
        said.replace(url, &shown_url(url))
    );
    let lasting =
        matches!(error, ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl | ureq::Error::BodyExceedsLimit(_));
    let source = if said.contains(url) { None } else { Some(error.into()) };
    let error = HubError::Unreachable { text, source };
    if lasting { Failure::fatal(error) } else { Failure::passing(error) }
}

/// An address as messages may show it: signed ones carry secrets in their query, others a name and a password before
/// the host.
pub(super) fn shown_url(url: &str) -> String {
    let url = url.split('?').next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}

/// What is sent there nobody between can read: it is encrypted, or does not leave this machine.
fn is_private(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    uri.scheme_str() == Some("https") || loopback || host.eq_ignore_ascii_case("localhost")
}

/// Percent-encodes all but what a path component may hold.
pub(super) fn escape(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Same scheme, host and port.
fn same_origin(a: &str, b: &str) -> bool {
    let origin = |text: &str| -> Option<(String, String)> {
        let uri: Uri = text.parse().ok()?;
        Some((uri.scheme_str()?.to_owned(), uri.authority()?.as_str().to_ascii_lowercase()))
    };
    origin(a).is_some() && origin(a) == origin(b)
}

/// The address that a `Location` header means, seen from `base`: of the web, and never from an encrypted connection to
/// an open one.
fn absolute(base: &str, location: &str) -> Option<String> {
    let base = url::Url::parse(base).ok()?;
    let target = base.join(location).ok().filter(|_| !location.is_empty())?;
    let kept = matches!(target.scheme(), "http" | "https") && (base.scheme() != "https" || target.scheme() == "https");
    kept.then(|| target.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_told_apart_by_length() {
        let sha = "a".repeat(64);
        assert_eq!(Digest::from_etag(&format!("\"{sha}\"")), Some(Digest::Sha256(sha)));
        let git = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(Digest::from_etag(&format!("W/\"{git}\"")), Some(Digest::Git(git.into())));
        assert_eq!(Digest::from_etag("\"some-opaque-tag\""), None);
    }

    #[test]
    fn redirect_targets() {
        assert_eq!(absolute("https://a/x/y?q", "/z").as_deref(), Some("https://a/z"));
        assert_eq!(absolute("https://a/x", "//b/z").as_deref(), Some("https://b/z"));
        assert_eq!(absolute("http://a:1/x", "https://b/z?s=1").as_deref(), Some("https://b/z?s=1"));
        assert_eq!(absolute("https://a/x", "http://b/z"), None);
        assert_eq!(absolute("https://a/x", "file:///etc/passwd"), None);
        assert_eq!(absolute("https://a/x/y", "z?s=1").as_deref(), Some("https://a/x/z?s=1"));
        assert_eq!(absolute("https://a/x/y", "../z").as_deref(), Some("https://a/z"));
        assert_eq!(absolute("https://a/x", ""), None);
    }

    #[test]
    fn the_token_stays_with_its_host() {
        assert!(same_origin("http://h:1/a/b", "http://H:1"));
        assert!(!same_origin("http://h:2/a/b", "http://h:1"));
        assert!(!same_origin("http://h/a", "https://h"));
        assert!(!same_origin("http://h.evil.example/a", "http://h"));
    }

    #[test]
    fn passwords_and_signatures_are_not_shown() {
        assert_eq!(shown_url("http://me:hunter2@h:1/a/b?sig=x"), "http://h:1/a/b");
        assert_eq!(shown_url("https://me:a@b@h"), "https://h");
        assert_eq!(shown_url("https://h/a@b"), "https://h/a@b");
        assert_eq!(shown_url("nonsense"), "nonsense");
    }

    #[test]
    fn a_token_is_for_encrypted_or_local_addresses() {
        for url in ["https://h/a", "http://127.0.0.1:1/a", "http://127.9.9.9/", "http://localhost/", "http://[::1]:2/x"]
        {
            assert!(is_private(url), "{url}");
        }
        for url in ["http://h/a", "http://10.0.0.1/", "http://localhost.example/", "http://127.0.0.1.example/", "x"] {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("refs/pr/1"), "refs%2Fpr%2F1");
        assert_eq!(escape("a b?.txt"), "a%20b%3F.txt");
    }
}
