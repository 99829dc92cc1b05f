//! Signing in and out. The password opens a session, and so does the text of a token that may write, for those
//! who configured no password.

use super::{Auth, Caller};
use bw_domain::access::Scope;
use bw_engine::usecase::sessions::NewSession;
use bw_engine::usecase::{Services, UseError, sessions};
use http::HeaderValue;
use std::net::IpAddr;
use std::time::Duration;

/// The name of the cookie.
pub const SESSION_COOKIE: &str = "bellwether_session";

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("that is not the password")]
    Wrong,
    #[error("too many attempts: try again in {} s", .0.as_secs().max(1))]
    Throttled(Duration),
    #[error(transparent)]
    Use(#[from] UseError),
}

/// Signs in, and answers the `Set-Cookie` to send. `from` is the address of the other end, for the throttle.
pub async fn sign_in(
    auth: &Auth,
    services: &Services,
    from: IpAddr,
    password: &str,
) -> Result<HeaderValue, SignInError> {
    auth.throttle.guess(from).map_err(SignInError::Throttled)?;
    let right = match &auth.password {
        Some(expected) => {
            expected.check(password).await.map_err(|_| SignInError::Throttled(Duration::from_secs(1)))?
        }
        None => false,
    };
    if !right {
        let token = auth.tokens.find(services, password).await?;
        token.filter(|token| token.scope == Scope::Write).ok_or(SignInError::Wrong)?;
    }
    let NewSession { cookie, .. } = sessions::begin(services).await?;
    Ok(cookie_header(&cookie, auth.is_https()))
}

/// Ends the session of a request's cookie, if it has one.
pub async fn sign_out(services: &Services, caller: &Caller, cookies: Option<&str>) -> Result<(), UseError> {
    match cookies.and_then(session_cookie).filter(|_| caller.via == super::Via::Session) {
        Some(cookie) => sessions::end(services, cookie).await,
        None => Ok(()),
    }
}

/// The `Set-Cookie` that removes the cookie.
pub fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static("bellwether_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// Our cookie among those of a `Cookie` header.
pub(super) fn session_cookie(header: &str) -> Option<&str> {
    header.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == SESSION_COOKIE).then_some(value)
    })
}

fn cookie_header(text: &str, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={text}; Path=/; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).expect("base64url is good in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_cookie_among_others() {
        for (header, found) in [
            ("bellwether_session=abc", Some("abc")),
            ("a=b; bellwether_session=abc; c=d", Some("abc")),
            ("xbellwether_session=abc", None),
            ("bellwether_session", None),
            ("", None),
        ] {
            assert_eq!(session_cookie(header), found, "{header}");
        }
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites() {
        let plain = cookie_header("abc", false);
        assert_eq!(plain, "bellwether_session=abc; Path=/; HttpOnly; SameSite=Lax");
        assert!(cookie_header("abc", true).to_str().expect("text").ends_with("; Secure"));
    }
}
