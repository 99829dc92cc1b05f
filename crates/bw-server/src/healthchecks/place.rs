//! Which path means what. Read from the raw path: a key may hold what a router would take apart, and what is said of a
//! missing slash depends on the method.

use bw_domain::id::Uuid;
use http::Method;

/// The versions of the interface.
const VERSIONS: std::ops::RangeInclusive<u8> = 1..=3;

/// A path of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub version: u8,
    pub what: What,
    /// The slash at its end is missing.
    pub bare: bool,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Checks,
    Check(Key),
    Pause(Uuid),
    Resume(Uuid),
    Pings(Uuid),
    Body(Uuid, u64),
    Flips(Key),
    Channels,
    Badges,
    Metrics,
    Status,
}

/// How a check is named: its address, or for those who may only read a digest that gives the address not away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Uuid(Uuid),
    Unique(String),
}

impl Place {
    /// What is at `/api/v…`; nothing where nothing is.
    pub fn of(path: &str) -> Option<Place> {
        let rest = path.strip_prefix("/api/v")?;
        let (version, rest) = rest.split_once('/')?;
        let version =
            version.parse().ok().filter(|number| VERSIONS.contains(number) && version.len() == 1)?;
        let (rest, slash) = match rest.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        // What ends with a slash there, and what does not.
        let (what, slashed) = match parts[..] {
            ["checks"] => (What::Checks, true),
            ["checks", key] => (What::Check(Key::of(key)?), false),
            ["checks", uuid, "pause"] => (What::Pause(Uuid::parse(uuid)?), false),
            ["checks", uuid, "resume"] => (What::Resume(Uuid::parse(uuid)?), false),
            ["checks", uuid, "pings"] => (What::Pings(Uuid::parse(uuid)?), true),
            ["checks", uuid, "pings", n, "body"] => (What::Body(Uuid::parse(uuid)?, number(n)?), false),
            ["checks", key, "flips"] => (What::Flips(Key::of(key)?), true),
            ["channels"] => (What::Channels, true),
            ["badges"] => (What::Badges, true),
            ["metrics"] => (What::Metrics, true),
            ["status"] => (What::Status, true),
            _ => return None,
        };
        (slashed || !slash).then_some(Place { version, what, bare: slashed && !slash })
    }

    /// The methods that are answered there beside OPTIONS.
    pub fn methods(&self) -> &'static [Method] {
        match self.what {
            What::Checks => &[Method::GET, Method::POST],
            What::Check(Key::Uuid(_)) => &[Method::GET, Method::POST, Method::DELETE],
            What::Pause(_) | What::Resume(_) => &[Method::POST],
            _ => &[Method::GET],
        }
    }

    /// A published client POSTs there without the slash, and lived off the redirection that made a GET of it.
    pub fn posted_for_get(&self) -> bool {
        self.bare && matches!(self.what, What::Pings(_) | What::Flips(_))
    }
}

impl Key {
    fn of(text: &str) -> Option<Key> {
        let unique = || text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Uuid::parse(text).map(Key::Uuid).or_else(|| unique().then(|| Key::Unique(text.to_owned())))
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";

    #[test]
    fn paths() {
        let uuid = || Uuid::parse(UUID).unwrap();
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for (path, what, bare) in [
            ("/api/v1/checks/", What::Checks, false),
            ("/api/v2/checks", What::Checks, true),
            (&format!("/api/v3/checks/{UUID}"), What::Check(Key::Uuid(uuid())), false),
            (&format!("/api/v3/checks/{sha}"), What::Check(Key::Unique(sha.to_owned())), false),
            (&format!("/api/v3/checks/{UUID}/pause"), What::Pause(uuid()), false),
            (&format!("/api/v3/checks/{UUID}/pings/"), What::Pings(uuid()), false),
            (&format!("/api/v3/checks/{UUID}/pings"), What::Pings(uuid()), true),
            (&format!("/api/v3/checks/{UUID}/pings/17/body"), What::Body(uuid(), 17), false),
            (&format!("/api/v3/checks/{sha}/flips/"), What::Flips(Key::Unique(sha.to_owned())), false),
        ] {
            let place = Place::of(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((place.what, place.bare), (what, bare), "{path}");
        }
        for nowhere in [
            "/api/v0/checks/",
            "/api/v4/checks/",
            "/api/v01/checks/",
            "/api/v1/",
            "/api/v1/checks/x",
            &format!("/api/v1/checks/{UUID}/"),
            &format!("/api/v1/checks/{}", UUID.to_uppercase()),
            &format!("/api/v1/checks/{UUID}/pings/+1/body"),
            &format!("/api/v1/checks/{sha}/pings/"),
        ] {
            assert_eq!(Place::of(nowhere), None, "{nowhere}");
        }
    }
}
