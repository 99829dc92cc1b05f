//! What kind of place an address is. IPv6 forms that carry an IPv4 address are judged by the address they
//! carry: otherwise each of them would be a way round the guard.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The service through which a cloud hands credentials to its machines.
    Metadata,
    LinkLocal,
    Unspecified,
    Multicast,
    Broadcast,
    /// This machine.
    Loopback,
    /// A network of one's own, or a range that the internet does not route.
    Private,
    Global,
}

/// Every well-known metadata address. Those outside the link-local range are the reason for the list.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// Says where an address leads.
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        _ if METADATA_V4.contains(&ip) => Reach::Metadata,
        [0, ..] => Reach::Unspecified,
        [127, ..] => Reach::Loopback,
        [169, 254, ..] => Reach::LinkLocal,
        [255, 255, 255, 255] => Reach::Broadcast,
        [224..=239, ..] => Reach::Multicast,
        // Reserved, and never assigned.
        [240..=255, ..] => Reach::Private,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        // Carriers, protocol assignments, benchmarks, documentation.
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Reach::Private,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Private,
        _ => Reach::Global,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if let Some(carried) = carried(ip) {
        return reach_v4(carried);
    }
    match ip.segments() {
        _ if METADATA_V6.contains(&ip) => Reach::Metadata,
        _ if ip.is_unspecified() => Reach::Unspecified,
        _ if ip.is_loopback() => Reach::Loopback,
        [0xfe80..=0xfebf, ..] => Reach::LinkLocal,
        [0xff00..=0xffff, ..] => Reach::Multicast,
        // Unique local, the old site local, documentation, the discard prefix.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Private,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] | [0x100, 0, 0, 0, ..] => Reach::Private,
        _ => Reach::Global,
    }
}

/// The IPv4 address to which packets for this address are translated or tunnelled, if any.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Mapped, translated, and the old compatible form.
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] => v4(high, low),
        // NAT64, well-known and local.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        // 6to4 and Teredo.
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        _ => None,
    }
}
