//! Who may come in, as configured, and whether a listener may open at all.

use bw_domain::secret::Secret;
use std::net::SocketAddr;

/// What the configuration says of access.
#[derive(Clone, Debug, Default)]
pub struct AuthConfig {
    /// The password of the pages, plain; only its hash is kept.
    pub admin_password: Option<Secret>,
    /// A read-write token that is accepted beside those of the store.
    pub token: Option<Secret>,
    /// Whether the store holds a token that is not revoked.
    pub stored_tokens: bool,
    /// `--auth none`: everybody may do everything. Said at each start and on every page.
    pub none: bool,
    /// `metrics: public`.
    pub metrics_public: bool,
    /// Some listener is reachable from other machines: then this machine is asked for credentials too, since a
    /// proxy on it cannot be told from a person at it.
    pub beyond_loopback: bool,
    /// The pages are reached over HTTPS: cookies are never sent in clear.
    pub https: bool,
}

impl AuthConfig {
    /// Whether anybody could prove who they are.
    pub fn has_credentials(&self) -> bool {
        self.admin_password.is_some() || self.token.is_some() || self.stored_tokens
    }
}

/// Whether a listener may open at this address; else the sentence why not and what to do.
pub fn may_listen(address: SocketAddr, config: &AuthConfig) -> Result<(), String> {
    if address.ip().to_canonical().is_loopback() || config.none || config.has_credentials() {
        return Ok(());
    }
    Err(format!(
        "refusing to listen on {address}: other machines reach it and nothing would ask them who they are. Set \
         BELLWETHER_ADMIN_PASSWORD or BELLWETHER_TOKEN, listen on 127.0.0.1, or say --auth none if everybody may \
         do everything"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_wants_credentials() {
        let nothing = AuthConfig::default();
        let password = AuthConfig { admin_password: Some(Secret::new("x")), ..AuthConfig::default() };
        let tokens = AuthConfig { stored_tokens: true, ..AuthConfig::default() };
        let none = AuthConfig { none: true, ..AuthConfig::default() };
        for (address, config, may) in [
            ("127.0.0.1:80", &nothing, true),
            ("127.8.9.1:80", &nothing, true),
            ("[::1]:80", &nothing, true),
            ("[::ffff:127.0.0.1]:80", &nothing, true),
            ("0.0.0.0:80", &nothing, false),
            ("[::]:80", &nothing, false),
            ("10.0.0.1:80", &nothing, false),
            ("0.0.0.0:80", &password, true),
            ("0.0.0.0:80", &tokens, true),
            ("0.0.0.0:80", &none, true),
        ] {
            let address: SocketAddr = address.parse().expect("an address");
            assert_eq!(may_listen(address, config).is_ok(), may, "{address}");
        }
    }
}
