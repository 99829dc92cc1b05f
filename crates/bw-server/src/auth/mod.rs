//! Who asks, and may they: product rule 8. The decision is a pure function (`policy`); `guard` gathers what it
//! needs to know, asks it before any handler runs, and tells handlers who the caller is.

mod caller;
mod config;
mod guard;
mod key;
mod password;
mod phrase;
mod policy;
mod sign_in;
mod throttle;
mod token;

pub use caller::{Caller, Via};
pub use config::{AuthConfig, may_listen};
pub use guard::guard;
pub(crate) use guard::{admit_to, comes_from_elsewhere, peer};
pub use policy::{Class, Decision, Doors, Facts, Presented, decide};
pub use sign_in::{SESSION_COOKIE, SignInError, clear_cookie, sign_in, sign_out};
pub(crate) use throttle::whole_net;

use bw_domain::port::entropy::Entropy;
use password::Password;
use throttle::Throttle;
use token::Tokens;

/// Everything that deciding about callers needs beside the request.
pub struct Auth {
    config: AuthConfig,
    password: Option<Password>,
    tokens: Tokens,
    throttle: Throttle,
}

impl Auth {
    /// Hashes the password of the configuration; from here on nobody holds its text.
    pub fn new(mut config: AuthConfig, entropy: &dyn Entropy) -> Self {
        let password = config.admin_password.take().map(|secret| Password::new(&secret, entropy));
        let tokens = Tokens::new(config.token.take());
        Auth { password, tokens, config, throttle: Throttle::default() }
    }

    /// True under `--auth none`: each page says so.
    pub fn is_none(&self) -> bool {
        self.config.none
    }

    /// True when callers must say who they are, even on this machine.
    pub fn is_closed(&self) -> bool {
        !self.config.none
            && (self.password.is_some() || self.tokens.has_configured() || self.config.beyond_loopback)
    }

    /// A token was created or revoked on this node: it counts from now on.
    pub fn tokens_changed(&self) {
        self.tokens.forget();
    }

    /// Whether cookies must stay on HTTPS.
    fn is_https(&self) -> bool {
        self.config.https
    }

    fn doors(&self) -> Doors {
        Doors { none: self.config.none, closed: self.is_closed(), metrics_public: self.config.metrics_public }
    }
}
