//! Where a run is reported: the ping address of one heartbeat. Everything that can be wrong with it is said before
//! the command starts. The address is a secret: whoever knows it can beat, so it is in no message.

use crate::answer::{Outcome, Stop};
use crate::cli::args::ExecArgs;
use bw_net::Endpoint;

/// The ping address of a heartbeat.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at its end.
    base: String,
}

impl Address {
    /// What `--beat`, `--slug` or `BELLWETHER_BEAT` mean.
    pub fn of(args: &ExecArgs, variable: &dyn Fn(&str) -> Option<String>) -> Outcome<Self> {
        let variable = |name: &str| {
            let value = variable(name).map(|value| value.trim().to_owned());
            value.filter(|value| !value.is_empty())
        };
        if let Some(url) = &args.beat {
            return parse(url).map_err(|why| Stop::usage(format!("--beat: {why}")));
        }
        if let Some(slug) = &args.slug {
            return by_slug(slug, variable("BELLWETHER_URL"), variable("BELLWETHER_PING_KEY"));
        }
        match variable("BELLWETHER_BEAT") {
            Some(url) => parse(&url).map_err(|why| Stop::usage(format!("BELLWETHER_BEAT: {why}"))),
            None => Err(Stop::usage(
                "say where to report: --beat URL, the ping address of a heartbeat, or --slug SLUG, or set BELLWETHER_BEAT",
            )),
        }
    }

    /// The URL that means `action` of the run `rid`.
    pub fn ping(&self, action: &str, rid: &str) -> String {
        format!("{}/{action}?rid={rid}", self.base)
    }
}

fn by_slug(slug: &str, url: Option<String>, key: Option<String>) -> Outcome<Address> {
    let may = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if key.as_ref().is_some_and(|key| !key.chars().all(may)) {
        return Err(Stop::usage("BELLWETHER_PING_KEY is no ping key: it has letters, digits, `-` and `_`"));
    }
    let may = |c: char| may(c) && !c.is_ascii_uppercase();
    if slug.is_empty() || !slug.chars().all(may) {
        return Err(Stop::usage(format!("--slug: `{slug}` is no slug: write a-z, 0-9, `-` and `_`")));
    }
    match (url, key) {
        (Some(url), Some(key)) => parse(&format!("{}/ping/{key}/{slug}", url.trim_end_matches('/')))
            .map_err(|why| Stop::usage(format!("BELLWETHER_URL and BELLWETHER_PING_KEY: {why}"))),
        (url, key) => {
            let missing = [("BELLWETHER_URL", url.is_none()), ("BELLWETHER_PING_KEY", key.is_none())];
            let missing: Vec<&str> = missing.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
            let names = missing.join(" and ");
            Err(Stop::usage(format!("--slug needs BELLWETHER_URL and BELLWETHER_PING_KEY: set {names}")))
        }
    }
}

fn parse(text: &str) -> Result<Address, String> {
    let endpoint = Endpoint::parse(text.trim())?;
    if text.contains(['?', '#']) {
        return Err("a ping address ends with its path, without `?` and `#`".to_owned());
    }
    let host = text.split("://").nth(1).and_then(|rest| rest.split('/').next());
    if host.is_some_and(|host| host.contains('@')) {
        return Err("a name and a password in a ping address are not sent: leave them out".to_owned());
    }
    let base = endpoint.url.trim_end_matches('/');
    // The path of the root is the slash that has just gone.
    if &*endpoint.path == "/" {
        return Err(
            "the path is missing: a ping address is http://host/ping/UUID or http://host/ping/KEY/SLUG"
                .to_owned(),
        );
    }
    Ok(Address { base: base.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_follows_the_host_without_its_last_slash() {
        for text in ["http://h:8/ping/abc", "http://h:8/ping/abc/", " http://h:8/ping/abc// "] {
            let address = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(address.ping("start", "r"), "http://h:8/ping/abc/start?rid=r");
        }
        for text in [
            "",
            "h/ping/x",
            "ftp://h/ping/x",
            "http://",
            "http://h",
            "http://h/",
            "http://h/p?x=1",
            "http://u:p@h/ping/x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
