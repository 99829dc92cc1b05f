//! What a probe has seen so far. It lives outside the steps that fill it, so that a probe that fails or is cut
//! off by its deadline still shows how far it came.

use crate::redact;
use bw_domain::outcome::{Certificate, Hop, Phases};
use bw_net::{Answer, Stopwatch};
use std::net::SocketAddr;

/// The hops behind, and the one under way.
#[derive(Default)]
pub(crate) struct Record {
    /// Redirects that were followed.
    pub hops: Vec<Hop>,
    /// Where the hop under way goes, when that is not the target itself.
    pub url: Option<Box<str>>,
    pub address: Option<SocketAddr>,
    pub answer: Answer,
    /// Of all hops the one that deserves attention: an invalid one, else the one that ends first.
    pub certificate: Option<Box<Certificate>>,
    /// The phases of the hops behind.
    before: Phases,
}

impl Record {
    /// Notes the certificate of a hop.
    pub fn note(&mut self, certificate: Box<Certificate>) {
        let rank = |certificate: &Certificate| (certificate.problem.is_empty(), certificate.not_after);
        if self.certificate.as_ref().is_none_or(|noted| rank(&certificate) < rank(noted)) {
            self.certificate = Some(certificate);
        }
    }

    /// Ends a hop that was a redirect to `next`.
    pub fn redirected(&mut self, target: &str, watch: &Stopwatch<'_>, next: Box<str>) {
        let hop = self.hop(target, watch);
        for (sum, us) in self.before.0.iter_mut().zip(hop.phases.0) {
            *sum = sum.saturating_add(us);
        }
        self.hops.push(hop);
        self.url = Some(next);
        self.address = None;
        self.answer = Answer::default();
    }

    /// The hop under way.
    pub fn hop(&self, target: &str, watch: &Stopwatch<'_>) -> Hop {
        let mut phases = watch.phases();
        for (us, before) in phases.0.iter_mut().zip(self.before.0) {
            *us -= before;
        }
        Hop {
            url: redact::url(self.url.as_deref().unwrap_or(target)),
            address: self.address.map(|address| address.to_string()),
            status: self.answer.status(),
            phases,
        }
    }
}
