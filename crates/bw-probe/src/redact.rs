//! What evidence must not show: query values, the credentials that a monitor sends (servers echo them), and
//! response headers that hand out sessions or tokens.

use bw_domain::probe::{HttpProbe, Probe};
use bw_domain::secret::MASK;

/// Headers that say nothing about who asks: they stay when a redirect leads to another host, and their values
/// are not masked where a server echoes them. Every other declared header may be a credential.
const HARMLESS: [&str; 12] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-language",
    "content-type",
    "host",
    "origin",
    "pragma",
    "referer",
    "user-agent",
];

/// Parts of names of response headers whose values are secrets.
const SECRET: [&str; 9] =
    ["set-cookie", "cookie", "authori", "token", "secret", "session", "password", "api-key", "apikey"];

/// Shorter values are too likely to be ordinary words of an answer.
const SHORTEST: usize = 4;

/// Whether a declared request header may tell who we are.
pub(crate) fn is_credential(name: &str) -> bool {
    !HARMLESS.iter().any(|harmless| name.eq_ignore_ascii_case(harmless))
}

/// Whether a response header's value must not be shown.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

/// A URL with the values of its query masked.
pub(crate) fn url(text: &str) -> String {
    let Some((before, query)) = text.split_once('?') else { return text.to_owned() };
    let masked = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{before}?{}", masked.collect::<Vec<_>>().join("&"))
}

/// The credentials that this probe sends, as they may come back.
pub(crate) fn credentials(probe: &Probe) -> Vec<&str> {
    let Probe::Http(HttpProbe { headers, .. }) = probe else { return Vec::new() };
    let declared = headers.iter().filter(|(name, _)| is_credential(name)).map(|(_, value)| value.expose());
    // Of `Bearer abc` the second word is what matters.
    let all = declared.flat_map(|value| [value, value.split_once(' ').map_or("", |(_, word)| word.trim())]);
    let mut all: Vec<&str> = all.filter(|value| value.len() >= SHORTEST).collect();
    // The longer first: masking a part would leave the rest of the whole.
    all.sort_by_key(|value| std::cmp::Reverse(value.len()));
    all
}

/// The text without these credentials.
pub(crate) fn mask(text: &str, credentials: &[&str]) -> String {
    credentials.iter().fold(text.to_owned(), |text, secret| {
        if text.contains(secret) { text.replace(secret, MASK) } else { text }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_masked() {
        for (text, expected) in [
            ("https://a.example/x", "https://a.example/x"),
            ("https://a.example/x?token=abc&b&c=", "https://a.example/x?token=***&b&c="),
            ("/cb?code=1?2", "/cb?code=***"),
        ] {
            assert_eq!(url(text), expected);
        }
    }

    #[test]
    fn names_of_headers() {
        for secret in ["Set-Cookie", "X-Auth-Token", "Authorization", "x-session-id", "X-Api-Key"] {
            assert!(is_secret(secret), "{secret}");
        }
        assert!(!is_secret("content-type") && !is_secret("www-authenticate"));
        assert!(is_credential("X-Api-Key") && is_credential("cookie") && !is_credential("Accept"));
    }
}
