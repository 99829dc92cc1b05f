//! How far the trouble reaches: read off the votes of the deciding round.

use super::Said;
use crate::monitor::Family;
use crate::outcome::{Code, Verdict};
use serde::{Deserialize, Serialize};

/// Where the trouble is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub code: ScopeCode,
    pub text: String,
}

/// The closed set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeCode {
    /// Every vantage that could see says fail.
    Everywhere,
    /// Some places say fail, others pass.
    SomeLocations,
    /// IPv6 fails where IPv4 passes.
    Ipv6Only,
    /// IPv4 fails where IPv6 passes.
    Ipv4Only,
    /// Every failure is a failure of name resolution.
    Dns,
    /// Every failure is a failure of TLS.
    Tls,
    /// Nobody looks from anywhere: the job itself reports.
    Job,
}

impl Scope {
    /// Reads the scope off the votes.
    pub fn of(votes: &[Said]) -> Self {
        let fails: Vec<&Said> = votes.iter().filter(|said| said.verdict == Verdict::Fail).collect();
        let passes: Vec<&Said> = votes.iter().filter(|said| said.verdict == Verdict::Pass).collect();
        let all_in =
            |family: Family, said: &[&Said]| !said.is_empty() && said.iter().all(|s| s.family == family);
        let code = if all_in(Family::V6, &fails) && all_in(Family::V4, &passes) {
            ScopeCode::Ipv6Only
        } else if all_in(Family::V4, &fails) && all_in(Family::V6, &passes) {
            ScopeCode::Ipv4Only
        } else if !passes.is_empty() {
            ScopeCode::SomeLocations
        } else if !fails.is_empty() && fails.iter().all(|said| is_in(said.code, "dns.")) {
            ScopeCode::Dns
        } else if !fails.is_empty() && fails.iter().all(|said| is_in(said.code, "tls.")) {
            ScopeCode::Tls
        } else {
            ScopeCode::Everywhere
        };
        Scope { code, text: text(code, &fails) }
    }
}

fn is_in(code: Code, family: &str) -> bool {
    code.name().starts_with(family)
}

fn text(code: ScopeCode, fails: &[&Said]) -> String {
    let mut places: Vec<&str> = fails.iter().map(|said| said.location.as_str()).collect();
    places.dedup();
    let from = places.join(" and ");
    match code {
        ScopeCode::Job => "the job itself reports".to_owned(),
        ScopeCode::Everywhere => format!("seen from {from}"),
        ScopeCode::SomeLocations => format!("seen only from {from}"),
        ScopeCode::Ipv6Only => format!("over IPv6 only, seen from {from}"),
        ScopeCode::Ipv4Only => format!("over IPv4 only, seen from {from}"),
        ScopeCode::Dns => format!("the name does not resolve, seen from {from}"),
        ScopeCode::Tls => format!("the connection works, TLS does not, seen from {from}"),
    }
}
