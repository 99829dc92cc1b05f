//! A URL taken apart for a connection: of a redirect, or of an action.

use bw_domain::probe::Scheme;
use url::Url;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub scheme: Scheme,
    /// Lower case; IPv6 without brackets.
    pub host: Box<str>,
    pub port: u16,
    /// Path and query, at least `/`.
    pub path: Box<str>,
    /// The whole, without credentials and fragment.
    pub url: Box<str>,
}

impl Endpoint {
    /// Takes an absolute `http` or `https` URL apart; otherwise says what is wrong with it, without showing it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Url::parse(text).map_err(|error| format!("this is no URL: {error}")).and_then(Endpoint::of)
    }

    /// The place that `location`, absolute or relative, means in an answer from `base`.
    pub fn join(base: &str, location: &str) -> Result<Self, String> {
        let base = Url::parse(base).map_err(|error| format!("this is no URL: {error}"))?;
        base.join(location).map_err(|error| format!("the location is no URL: {error}")).and_then(Endpoint::of)
    }

    /// What the `host` header says.
    pub fn authority(&self) -> String {
        authority(self.scheme, &self.host, self.port)
    }

    fn of(mut url: Url) -> Result<Self, String> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(format!("`{other}:` is neither http nor https")),
        };
        url.set_fragment(None);
        // A URL with a host takes both; one without has failed to parse for these schemes.
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| "the URL names no host".to_owned())?;
        let host = match url.host() {
            Some(url::Host::Ipv6(ip)) => ip.to_string(),
            Some(host) => host.to_string(),
            None => return Err("the URL names no host".to_owned()),
        };
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Ok(Endpoint {
            scheme,
            host: host.into(),
            port: url.port_or_known_default().unwrap_or(scheme.port()),
            path: path.into(),
            url: url.as_str().into(),
        })
    }
}

/// Host and, unless it is the scheme's own, port.
pub fn authority(scheme: Scheme, host: &str, port: u16) -> String {
    let mut text = String::with_capacity(host.len() + "[]:65535".len());
    let parts: [&str; 3] = if host.contains(':') { ["[", host, "]"] } else { [host, "", ""] };
    parts.iter().for_each(|part| text.push_str(part));
    if port != scheme.port() {
        text.push(':');
        text.push_str(&port.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let endpoint = Endpoint::parse("HTTPS://user:pw@Shop.Example.com/a%20b?q=1#top").expect("a URL");
        assert_eq!((endpoint.scheme, endpoint.port), (Scheme::Https, 443));
        assert_eq!((&*endpoint.host, &*endpoint.path), ("shop.example.com", "/a%20b?q=1"));
        assert_eq!(&*endpoint.url, "https://shop.example.com/a%20b?q=1");
        let v6 = Endpoint::parse("http://[::1]:8080").expect("a URL");
        assert_eq!((&*v6.host, v6.port, &*v6.path), ("::1", 8080, "/"));
        assert_eq!(
            (v6.authority().as_str(), endpoint.authority().as_str()),
            ("[::1]:8080", "shop.example.com")
        );
    }

    #[test]
    fn locations_are_joined() {
        for (location, expected) in [
            ("/b", "http://a.example/b"),
            ("c?d=1", "http://a.example/x/c?d=1"),
            ("//b.example/", "http://b.example/"),
            ("https://b.example", "https://b.example/"),
        ] {
            let joined = Endpoint::join("http://a.example/x/y?z", location).expect(location);
            assert_eq!(&*joined.url, expected, "{location}");
        }
        for location in ["ftp://a.example/", "mailto:a@b", "http://", "http://[::1"] {
            assert!(Endpoint::join("http://a.example/", location).is_err(), "{location}");
        }
    }
}
