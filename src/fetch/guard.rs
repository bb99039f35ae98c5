//! Names are resolved here, so that no page can send the program into a network that its user did not name.
use std::net::IpAddr;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::Url;

/// Stands in the error of a host that was refused.
pub(super) const REFUSED: &str = "private address refused";

/// The host of an address, with its port: what its user has named.
pub(super) fn host(url: &Url) -> Option<String> {
    url.host_str().map(|host| format!("{host}:{}", url.port_or_known_default().unwrap_or(0)))
}

/// Resolves the host of one request.
pub(super) struct Guard {
    inner: DefaultResolver,
    /// The host of this request; others (a proxy) are the user's own setting.
    host: String,
    /// It is the one that was named, by an address or a name that can only be private.
    named: bool,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({})", self.host)
    }
}

impl Guard {
    pub fn new(url: &Url, named: &Option<String>) -> Self {
        let own = host(url);
        let bare = url.host_str().unwrap_or_default().to_owned();
        // A public name that resolves to a private address is not named by naming it.
        let literal = bare.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let local =
            bare == "localhost" || bare.ends_with(".localhost") || bare.ends_with(".local") || !bare.contains('.');
        let named = own.is_some() && own == *named && (literal || local);
        Self { inner: DefaultResolver::default(), host: bare, named }
    }
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let own = uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&self.host));
        if own && !self.named && found.iter().any(|address| is_private(address.ip())) {
            return Err(ureq::Error::Io(std::io::Error::other(REFUSED)));
        }
        Ok(found)
    }
}

/// Addresses that are not of the public internet.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19))
                || a >= 240
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => {
                let first = v6.segments()[0];
                // 64:ff9b::/96 and 2002::/16 carry IPv4 addresses inside; they are refused whole.
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || first & 0xfe00 == 0xfc00
                    || first & 0xffc0 == 0xfe80
                    || first == 0x64
                    || first == 0x2002
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:2800:220:1::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn only_what_is_named_is_named() {
        let guard =
            |url: &str, named: &str| Guard::new(&Url::parse(url).unwrap(), &host(&Url::parse(named).unwrap())).named;
        assert!(guard("http://127.0.0.1:80/x", "http://127.0.0.1/"));
        assert!(guard("http://localhost:8000/", "http://localhost:8000/a"));
        assert!(!guard("http://127.0.0.1:81/", "http://127.0.0.1:80/"), "another port is another service");
        assert!(!guard("http://127.0.0.1/", "http://a.example/"));
        assert!(!guard("http://a.example/", "http://a.example/"), "a public name is no private address");
    }
}
