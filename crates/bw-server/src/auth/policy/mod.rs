//! May this request do this? One pure function over what is known of it; its table of tests is the matrix of
//! permissions.

use bw_domain::access::Scope;

/// What kind of place a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Always open, bounded by rate: `/health`, `/-/…`.
    Open,
    /// Open to everybody, but not to what other sites send: signing in and out, files of the pages.
    Door,
    Metrics,
    /// Answers people: who is not known is led to the sign-in.
    Page,
    /// Answers programs.
    Interface,
}

impl Class {
    /// The class of a path.
    pub fn of(path: &str) -> Self {
        let under = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if under("/health") || under("/-") {
            Class::Open
        } else if under("/ui/sign-in") || under("/ui/sign-out") || under("/assets") || path == "/favicon.ico"
        {
            Class::Door
        } else if under("/metrics") {
            Class::Metrics
        } else if path == "/" || under("/ui") {
            Class::Page
        } else {
            Class::Interface
        }
    }
}

/// What came with a request to say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    Nothing,
    /// A token that is not ours, or not any more.
    Wrong,
    Token(Scope),
    /// A living session. `proven`: the request carries its CSRF token beside the cookie.
    Session {
        proven: bool,
    },
}

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// False for GET, HEAD and OPTIONS.
    pub changes: bool,
    pub class: Class,
    /// The other end of the connection is this machine.
    pub from_loopback: bool,
    pub host: Option<&'a str>,
    /// A `Forwarded` or `X-Forwarded-…` header is there: somebody else is behind the other end.
    pub forwarded: bool,
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    pub presented: Presented,
}

/// What is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doors {
    /// `--auth none`.
    pub none: bool,
    /// Whoever wants in must say who they are, this machine included.
    pub closed: bool,
    /// `metrics: public`.
    pub metrics_public: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow(Scope),
    /// Say who you are.
    Ask,
    /// No, with the sentence why.
    Refuse(String),
}

/// Decides.
pub fn decide(facts: &Facts<'_>, doors: &Doors) -> Decision {
    if facts.class == Class::Open {
        return Decision::Allow(Scope::Read);
    }
    match facts.presented {
        Presented::Wrong => return Decision::Ask,
        Presented::Token(Scope::Read) if facts.changes => {
            return refuse("this token has the scope read: changes need a token with the scope write");
        }
        // A token is never sent by a browser of itself, so where the request comes from does not matter.
        Presented::Token(scope) => return Decision::Allow(scope),
        Presented::Nothing | Presented::Session { .. } => {}
    }
    if facts.changes && is_foreign(facts) {
        return refuse("a page of another site sent this request: changes are taken from our own pages only");
    }
    match facts.presented {
        Presented::Session { proven } if facts.changes && facts.class == Class::Interface && !proven => {
            refuse("a change with a session's cookie needs its X-CSRF-Token: use a token instead")
        }
        Presented::Session { .. } => Decision::Allow(Scope::Write),
        _ if facts.class == Class::Door || doors.none => Decision::Allow(Scope::Write),
        _ if facts.class == Class::Metrics && doors.metrics_public => Decision::Allow(Scope::Read),
        _ if facts.class == Class::Metrics && is_local(facts).is_ok() => Decision::Allow(Scope::Read),
        _ if doors.closed || !facts.from_loopback => Decision::Ask,
        _ => match is_local(facts) {
            Ok(()) => Decision::Allow(Scope::Write),
            Err(why) => Decision::Refuse(format!(
                "without credentials only this machine itself is answered, and {why}; set \
                 BELLWETHER_ADMIN_PASSWORD or BELLWETHER_TOKEN to let others in"
            )),
        },
    }
}

fn refuse(sentence: &str) -> Decision {
    Decision::Refuse(sentence.to_owned())
}

/// Whether a program on this machine asks for itself; else what speaks against it.
fn is_local(facts: &Facts<'_>) -> Result<(), String> {
    if !facts.from_loopback {
        return Err("the request comes from another one".to_owned());
    }
    if facts.forwarded {
        return Err("a Forwarded header says that somebody else is behind the request".to_owned());
    }
    match facts.host {
        None => Err("the request has no Host header".to_owned()),
        Some(host) if is_loopback_name(host) => Ok(()),
        Some(host) => Err(format!("the Host header `{}` is no name of this machine", host.escape_debug())),
    }
}

/// A page of another site sent it. Browsers say so; programs say nothing.
pub(super) fn is_foreign(facts: &Facts<'_>) -> bool {
    match (facts.origin, facts.fetch_site) {
        (Some(origin), _) => !same_place(origin, facts.host.unwrap_or_default()),
        (None, Some(site)) => !matches!(site, "same-origin" | "none"),
        (None, None) => false,
    }
}

/// Whether an origin (`scheme://host[:port]`) is the place that the request went to.
fn same_place(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |text: &str| text.strip_suffix(default).unwrap_or(text).to_ascii_lowercase();
    !host.is_empty() && bare(authority) == bare(host)
}

/// `localhost`, `*.localhost` and the addresses of the loopback interface, with or without a port.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
