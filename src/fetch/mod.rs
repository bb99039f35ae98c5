//! One page or feed by its address, because somebody named it: no crawling, no cookies, no second request beyond the
//! redirects, bounded in size and time, and never into a private network that was not named.
mod guard;

use crate::error::{InputError, SettingsError};
use crate::{Error, Result};
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 5;
/// Who asks.
const AGENT: &str =
    concat!("anubad/", env!("CARGO_PKG_VERSION"), " (translator on a user's machine; fetches what its user names)");
/// The environment says that the network is not to be touched.
pub const OFFLINE: &str = "ANUBAD_OFFLINE";

/// How an address is fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Fetch nothing.
    pub offline: bool,
    /// Most bytes, unpacked.
    pub max_bytes: usize,
    /// For all of it.
    pub timeout: Duration,
    /// What an earlier answer said of itself: nothing is sent again that has not changed.
    pub known: Known,
}

/// What a server says of a version of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Known {
    /// The header `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The header `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        let offline = std::env::var_os(OFFLINE).is_some_and(|v| !v.is_empty() && v != "0");
        Self { offline, max_bytes: 16 << 20, timeout: Duration::from_secs(60), known: Known::default() }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// After redirects.
    pub url: String,
    /// In UTF-8 if it is text.
    pub bytes: Vec<u8>,
    /// Without its parameters.
    pub content_type: Option<String>,
    /// What to send along the next time.
    pub known: Known,
    /// The server says that nothing has changed; there are no bytes.
    pub unchanged: bool,
}

impl Fetched {
    /// A file name that says what this is: the address's own, with an extension by the content's type where it has none.
    pub fn name(&self) -> String {
        let kind = self.content_type.as_deref().unwrap_or_default();
        let extension = match kind {
            "text/html" | "application/xhtml+xml" => ".html",
            "text/plain" => ".txt",
            "text/markdown" => ".md",
            "application/pdf" => ".pdf",
            "application/epub+zip" => ".epub",
            "application/vnd.oasis.opendocument.text" => ".odt",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ".docx",
            "application/rss+xml" | "application/atom+xml" | "application/xml" | "text/xml" => ".xml",
            "application/json" | "application/feed+json" => ".json",
            "application/x-subrip" => ".srt",
            "text/vtt" => ".vtt",
            _ => "",
        };
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        if extension.is_empty() || path.ends_with(extension) { path.to_owned() } else { format!("{path}{extension}") }
    }
}

/// Whether an argument is an address and not a path.
pub fn is_address(text: &str) -> bool {
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Fetches one address.
///
/// # Errors
/// [`Error::Input`] with the address, what happened and what to do about it.
pub fn fetch(address: &str, options: &FetchOptions) -> Result<Fetched> {
    if options.offline {
        let why = format!("{address}: not fetched, since the network is forbidden (offline, {OFFLINE})");
        return Err(Error::Settings(SettingsError::Offline(format!("{why}; save the page and give the file"))));
    }
    let mut url = Url::parse(address.trim()).map_err(|e| {
        Error::Input(InputError::Address { what: format!("{address}: not an address ({e})"), source: Some(e.into()) })
    })?;
    let named = guard::host(&url);
    for _ in 0..=MOST_REDIRECTS {
        let agent = agent(&url, &named, options);
        let response = get(&agent, &url, options).map_err(|error| failed(address, &url, &error, options))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => {
                let known = options.known.clone();
                return Ok(Fetched { url: url.into(), bytes: Vec::new(), content_type: None, known, unchanged: true });
            }
            status if status.is_redirection() => url = redirected(address, &url, &response)?,
            status if status.is_success() => return read(address, url, response, options),
            status => return Err(Error::Input(InputError::address(refused(address, status, &response)))),
        }
    }
    Err(Error::Input(InputError::address(format!(
        "{address}: redirected more than {MOST_REDIRECTS} times; open it in a browser and save it"
    ))))
}

/// An agent for one hop.
fn agent(url: &Url, named: &Option<String>, options: &FetchOptions) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(AGENT)
        .timeout_global(Some(options.timeout))
        .timeout_connect(Some(options.timeout.min(Duration::from_secs(15))))
        .build();
    ureq::Agent::with_parts(config, DefaultConnector::default(), guard::Guard::new(url, named))
}

fn get(agent: &ureq::Agent, url: &Url, options: &FetchOptions) -> Result<Response<ureq::Body>, ureq::Error> {
    let mut request = agent
        .get(url.as_str())
        .header(
            header::ACCEPT,
            "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, */*;q=0.5",
        )
        .header(header::ACCEPT_LANGUAGE, "bn");
    if let Some(etag) = &options.known.etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    if let Some(time) = &options.known.last_modified {
        request = request.header(header::IF_MODIFIED_SINCE, time);
    }
    request.call()
}

fn redirected(address: &str, url: &Url, response: &Response<ureq::Body>) -> Result<Url> {
    let to = text_of(response, header::LOCATION);
    let next = to.as_deref().and_then(|to| url.join(to).ok()).filter(|next| matches!(next.scheme(), "http" | "https"));
    let next = next.ok_or_else(|| {
        Error::Input(InputError::address(format!("{address}: redirected to nowhere; check the address")))
    })?;
    if url.scheme() == "https" && next.scheme() == "http" {
        return Err(Error::Input(InputError::address(format!(
            "{address}: redirected from https to plain http ({next}); name that address if you trust it"
        ))));
    }
    Ok(next)
}

fn read(address: &str, url: Url, mut response: Response<ureq::Body>, options: &FetchOptions) -> Result<Fetched> {
    let mut bytes = Vec::new();
    let most = options.max_bytes;
    let large = || {
        Error::Input(InputError::TooLarge(format!(
            "{address}: larger than {} MiB, which is no single page or feed",
            most >> 20
        )))
    };
    // The length that is announced is that of the packed page; what counts is what comes out.
    response
        .body_mut()
        .with_config()
        .limit(most as u64 + 1)
        .reader()
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| match e.to_string().contains("limit") {
            true => large(),
            false => Error::Input(InputError::Address {
                what: format!("{address}: the answer broke off ({e}); try again"),
                source: Some(e.into()),
            }),
        })?;
    if bytes.len() > most {
        return Err(large());
    }
    let said = text_of(&response, header::CONTENT_TYPE);
    let content_type = said.as_deref().map(|s| s.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let known =
        Known { etag: text_of(&response, header::ETAG), last_modified: text_of(&response, header::LAST_MODIFIED) };
    let bytes = in_utf8(bytes, said.as_deref());
    Ok(Fetched { url: url.into(), bytes, content_type, known, unchanged: false })
}

/// A charset that the header names goes before what the page says of itself.
fn in_utf8(bytes: Vec<u8>, content_type: Option<&str>) -> Vec<u8> {
    let lower = content_type.unwrap_or_default().to_ascii_lowercase();
    let label = lower.split_once("charset=").map(|(_, label)| label.trim_matches(['"', '\'', ' ']).to_owned());
    let label = label.map(|label| label.split(';').next().unwrap_or_default().trim_matches(['"', ' ']).to_owned());
    match label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())) {
        Some(encoding) if encoding != encoding_rs::UTF_8 && std::str::from_utf8(&bytes).is_err() => {
            encoding.decode(&bytes).0.into_owned().into_bytes()
        }
        _ => bytes,
    }
}

fn text_of(response: &Response<ureq::Body>, name: header::HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn refused(address: &str, status: StatusCode, response: &Response<ureq::Body>) -> String {
    let wait = text_of(response, header::RETRY_AFTER).map(|wait| format!(" in {wait} s")).unwrap_or_default();
    let remedy = match status.as_u16() {
        404 | 410 => "there is no such page; check the address".to_owned(),
        401 | 403 | 451 => {
            "the server does not give it to programs; save the page in a browser and give the file".into()
        }
        429 | 503 => format!("the server asks to wait; try again{wait}"),
        _ => "try again later, or save the page in a browser and give the file".into(),
    };
    format!("{address}: the server answers {}; {remedy}", status.as_u16())
}

fn failed(address: &str, url: &Url, error: &ureq::Error, options: &FetchOptions) -> Error {
    let said = error.to_string();
    let why = if said.contains(guard::REFUSED) {
        let host = url.host_str().unwrap_or_default();
        format!("it leads to {host}, which lies in a private network; name that address itself if you mean it")
    } else {
        match error {
            ureq::Error::HostNotFound => "there is no such host, or no network; check the address".into(),
            ureq::Error::Timeout(_) => format!("no answer within {} s; try again", options.timeout.as_secs()),
            ureq::Error::BadUri(_) => "not an address that can be fetched".into(),
            _ => format!("it cannot be reached ({said}); check the address and the network"),
        }
    };
    Error::Input(InputError::address(format!("{address}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        assert!(is_address("https://a.example/x") && is_address("HTTP://a"));
        assert!(!is_address("https.txt") && !is_address("/tmp/http://x") && !is_address("-") && !is_address("কথা"));
    }

    #[test]
    fn names_say_what_came() {
        let fetched = |url: &str, kind: &str| Fetched {
            url: url.into(),
            bytes: Vec::new(),
            content_type: Some(kind.into()),
            known: Known::default(),
            unchanged: false,
        };
        assert_eq!(fetched("https://a/b?x=1", "text/html").name(), "https://a/b.html");
        assert_eq!(fetched("https://a/b.pdf", "application/pdf").name(), "https://a/b.pdf");
        assert_eq!(fetched("https://a/feed", "application/rss+xml").name(), "https://a/feed.xml");
    }

    #[test]
    fn charsets_of_the_header_are_heeded() {
        assert_eq!(in_utf8(b"caf\xe9".to_vec(), Some("text/html; charset=ISO-8859-1")), "café".as_bytes());
        assert_eq!(in_utf8("café".into(), Some("text/html; charset=ISO-8859-1")), "café".as_bytes());
        assert_eq!(in_utf8("ক".into(), None), "ক".as_bytes());
    }

    #[test]
    fn offline_is_offline() {
        let options = FetchOptions { offline: true, ..FetchOptions::default() };
        let error = fetch("https://a.example/", &options).unwrap_err();
        assert!(matches!(error, Error::Settings(SettingsError::Offline(_))), "{error}");
    }
}
