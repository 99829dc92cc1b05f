//! Why a probe did not pass: a closed set with dotted names. Names and numbers are stored and published, so a
//! row is added at the end and never changed.

use super::Phase;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

macro_rules! codes {
    ($($number:literal $constant:ident $name:literal $phase:expr, $text:literal;)*) => {
        impl Code {
            $(#[doc = $text] pub const $constant: Code = Code($number);)*

            /// Every code, in the order of its number.
            pub const ALL: &'static [Code] = &[$(Code($number)),*];
        }

        const NAMES: &[(&str, Option<Phase>, &str)] = &[$(($name, $phase, $text)),*];
    };
}

codes! {
    0 OK "ok" None, "everything as expected";
    1 DNS_NXDOMAIN "dns.nxdomain" Some(Phase::Resolve), "the name does not exist";
    2 DNS_TIMEOUT "dns.timeout" Some(Phase::Resolve), "no answer from the name servers in time";
    3 DNS_SERVFAIL "dns.servfail" Some(Phase::Resolve), "the name servers could not answer";
    4 CONNECT_REFUSED "connect.refused" Some(Phase::Connect), "connection refused";
    5 CONNECT_TIMEOUT "connect.timeout" Some(Phase::Connect), "no connection in time";
    6 CONNECT_UNREACHABLE "connect.unreachable" Some(Phase::Connect), "no route to the address";
    7 TLS_EXPIRED "tls.expired" Some(Phase::Tls), "certificate expired";
    8 TLS_NAME "tls.name" Some(Phase::Tls), "certificate is for another name";
    9 TLS_UNTRUSTED "tls.untrusted" Some(Phase::Tls), "certificate is not trusted";
    10 TLS_HANDSHAKE "tls.handshake" Some(Phase::Tls), "TLS handshake failed";
    11 SEND_RESET "send.reset" Some(Phase::Send), "connection was cut";
    12 WAIT_TIMEOUT "wait.timeout" Some(Phase::Wait), "no complete answer in time";
    13 HTTP_PROTOCOL "http.protocol" Some(Phase::Wait), "the answer is not valid HTTP";
    14 HTTP_REDIRECT "http.redirect" Some(Phase::Wait), "redirect not followed";
    15 BODY_CAP "body.cap" Some(Phase::Receive), "the body is larger than allowed";
    16 EXPECT_STATUS "expect.status" None, "unexpected status";
    17 EXPECT_BODY "expect.body" None, "unexpected body";
    18 EXPECT_HEADER "expect.header" None, "unexpected header";
    19 EXPECT_LATENCY "expect.latency" None, "too slow";
    20 EXPECT_RESOLVE "expect.resolve" Some(Phase::Resolve), "name resolution too slow";
    21 EXPECT_CONNECT "expect.connect" Some(Phase::Connect), "connecting too slow";
    22 EXPECT_TLS "expect.tls" Some(Phase::Tls), "TLS handshake too slow";
    23 EXPECT_SEND "expect.send" Some(Phase::Send), "sending too slow";
    24 EXPECT_WAIT "expect.wait" Some(Phase::Wait), "first byte too slow";
    25 EXPECT_RECEIVE "expect.receive" Some(Phase::Receive), "receiving too slow";
    26 EXPECT_CERTIFICATE "expect.certificate" Some(Phase::Tls), "unexpected certificate";
    27 SELF_BLIND "self.blind" None, "this observer has lost its own network";
    28 SELF_MISSED "self.missed" None, "this observer started the probe too late";
    29 SELF_LOST "self.lost" None, "no outcome of the probe arrived";
    30 SELF_OVERLOADED "self.overloaded" None, "this observer had too much to do";
    31 SELF_EDITED "self.edited" None, "the monitor was edited meanwhile";
    32 SELF_FAULT "self.fault" None, "a fault of the probe itself";
    33 SELF_GUARD "self.guard" None, "the address may not be contacted from here";
    34 BEAT_MISSED "beat.missed" None, "an expected beat did not come";
    35 BEAT_FAILED "beat.failed" None, "the job reported a failure";
    36 BEAT_OVERRUN "beat.overrun" None, "a run did not end in time";
}

impl Code {
    /// The number that rows carry.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The inverse of [`Code::number`].
    pub fn from_number(number: u8) -> Option<Self> {
        Code::ALL.get(usize::from(number)).copied()
    }

    /// The dotted name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)].0
    }

    /// What it means, in words.
    pub fn text(self) -> &'static str {
        NAMES[usize::from(self.0)].2
    }

    /// The phase that it belongs to.
    pub fn phase(self) -> Option<Phase> {
        NAMES[usize::from(self.0)].1
    }

    /// True for reasons of our own, which are always inconclusive.
    pub fn is_ours(self) -> bool {
        self.name().starts_with("self.")
    }

    /// Reads a dotted name.
    pub fn parse(name: &str) -> Option<Self> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let name = String::deserialize(input)?;
        Code::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is no failure code")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions_and_names_are_unique() {
        for (position, code) in Code::ALL.iter().enumerate() {
            assert_eq!(usize::from(code.number()), position);
            assert_eq!(Code::parse(code.name()), Some(*code));
        }
        assert!(Code::SELF_GUARD.is_ours() && !Code::TLS_NAME.is_ours());
    }
}
